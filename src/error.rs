//! What a user is told when a command cannot do its work, and the exit codes.

use std::fmt;

/// How drctl ends. The numbers are a promise to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All done.
    Done,
    /// A step failed, the run is paused or was aborted.
    Failed,
    /// The command line is wrong.
    Usage,
    /// The run waits for an approval or a person.
    Waiting,
    /// A step is in doubt.
    InDoubt,
    /// The runbook is invalid, or changed since the run started.
    Invalid,
    /// Another process drives the run.
    Locked,
    /// The journal cannot be written, or is damaged.
    Journal,
    /// All done, with exceptions.
    Exceptions,
    /// Ended by a signal.
    Signal(i32),
}

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Waiting => 3,
            Self::InDoubt => 4,
            Self::Invalid => 5,
            Self::Locked => 6,
            Self::Journal => 8,
            Self::Exceptions => 10,
            Self::Signal(signal) => u8::try_from(128 + signal).unwrap_or(255),
        }
    }
}

/// A command that could not do its work: why, what to type next, and the exit code.
#[derive(Debug)]
pub struct Error {
    /// How drctl ends.
    pub exit: Exit,
    /// What was wanted and what was found; may be many lines.
    pub message: String,
    /// What to type next.
    pub next: Vec<String>,
}

impl Error {
    /// An error.
    #[must_use]
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), next: Vec::new() }
    }

    /// A mistake on the command line.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The state of runs cannot be read or written: what the system said, with the path.
    #[must_use]
    pub fn state(error: &std::io::Error) -> Self {
        let hint = match error.kind() {
            std::io::ErrorKind::PermissionDenied => "\nthe state of runs is for one OS user alone: ask as that user",
            _ => "",
        };
        Self::new(Exit::Journal, format!("{error}{hint}"))
    }

    /// With a command to type next.
    #[must_use]
    pub fn next(mut self, command: impl Into<String>) -> Self {
        self.next.push(command.into());
        self
    }

    /// The same with each of these commands made into another.
    #[must_use]
    pub fn map_next(mut self, change: impl Fn(&str) -> String) -> Self {
        self.next.iter_mut().for_each(|command| *command = change(command));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message.trim_end())?;
        self.next.iter().try_for_each(|command| write!(f, "\n  next: {command}"))
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Failed, error.to_string())
    }
}
