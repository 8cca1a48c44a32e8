//! What is written down about a process, and what is known of it in the end.

use serde::{Deserialize, Serialize};

use crate::catalogue::Timestamp;

/// What re-finds a supervised process after its starter died.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// The name of the attempt's folder.
    pub folder: String,
    /// The supervisor's process id.
    pub pid: i32,
    /// The boot the id belongs to.
    pub boot: String,
}

/// `started.json`: a supervisor is about to start its process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Started {
    /// The supervisor's process id.
    pub(super) pid: i32,
    /// When the supervisor was started, in clock ticks since boot: tells a reused process id apart.
    pub(super) ticks: u64,
    /// The boot both belong to.
    pub(super) boot: String,
    /// For people.
    pub(super) time: Timestamp,
}

/// How a process that was to be started ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Its exit.
    pub exit: Exit,
    /// Why it was stopped, if it did not end by itself.
    pub stopped: Option<Stop>,
    /// What it printed.
    pub stdout: Stream,
    /// What it printed on the side.
    pub stderr: Stream,
    /// What it wrote to the file named in `$DRCTL_OUTPUT`.
    pub written: Written,
    /// Processes it left behind that even KILL did not end.
    pub left: Vec<i32>,
}

impl End {
    /// The same end without what the process said, because of this problem.
    pub(super) fn without_words(&self, problem: &str) -> Self {
        let silent = |stream: &Stream| Stream {
            tail: String::new(),
            problem: Some(problem.to_owned()),
            size: stream.size,
            digest: stream.digest.clone(),
        };
        let written = match &self.written {
            Written::Text(_) => Written::Refused(format!("could not be kept: {problem}")),
            other => other.clone(),
        };
        Self { stdout: silent(&self.stdout), stderr: silent(&self.stderr), written, ..self.clone() }
    }
}

/// The exit of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It could not be started, and why.
    NotStarted(String),
    /// The system did not tell, and why.
    Unknown(String),
}

/// Why a process was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// It took longer than it may.
    Timeout,
    /// Somebody wanted it to stop.
    Cancel,
}

/// What a process printed to one of its two streams; secrets are masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Bytes in all.
    pub size: u64,
    /// `sha256:` and the digest of all of it.
    pub digest: String,
    /// The last 4 KiB as text.
    pub tail: String,
    /// Why not all that should be kept of it is on disk, if so.
    pub problem: Option<String>,
}

/// What a process wrote to the file named in `$DRCTL_OUTPUT`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// There is no such file.
    Nothing,
    /// This text; secrets are masked.
    Text(String),
    /// Something that cannot be taken, and why.
    Refused(String),
}

/// What is known of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// It ended, and this is how.
    Ended(Box<End>),
    /// It was never started, and why.
    NeverStarted(String),
    /// It is still running, and how that is known.
    Running(String),
    /// It was started, is gone, and nothing tells how it ended: the evidence.
    Lost(String),
}
