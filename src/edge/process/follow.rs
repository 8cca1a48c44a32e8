//! Finds out, from the folder of an attempt alone, what became of it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

use super::command::ProcessRunner;
use super::folder::Folder;
use super::record::Trace;
use super::{Ports, table};
use crate::catalogue::Timestamp;

const POLL: Duration = Duration::from_millis(100);

/// What a cancellation means to one who follows a process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OnCancel {
    /// The process is to stop.
    Stop,
    /// The process is none of our business: stop waiting.
    Leave,
}

impl ProcessRunner {
    /// Waits, at most `limit`, for the end of what was started in `folder` and says how it ended.
    /// A cancellation stops it.
    pub async fn follow(&self, folder: &Path, limit: Duration, ports: Ports<'_>) -> Trace {
        follow(&Folder::at(folder), limit.saturating_add(self.grace), ports, OnCancel::Stop).await
    }

    /// The same, but touches nothing: a cancellation ends the waiting only.
    pub async fn observe(&self, folder: &Path, limit: Duration, ports: Ports<'_>) -> Trace {
        follow(&Folder::at(folder), limit, ports, OnCancel::Leave).await
    }
}

/// What an earlier drctl started and did not see end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Living {
    /// The processes, as far as they can be found.
    pub processes: Vec<i32>,
    /// Who gets TERM to end it all: its supervisor, where that lives.
    pub ended_by: Vec<i32>,
    /// When it was started, where that is on record.
    pub since: Option<Timestamp>,
    /// What is locked as long as it lives.
    pub lock: PathBuf,
}

/// What still runs of the attempt in `folder`; nothing where it has ended, or was never started. Touches nothing.
///
/// To be asked only while nobody starts anything there: to look at a lock is to hold it for a moment.
#[must_use]
pub fn living(folder: &Path) -> Option<Living> {
    let folder = Folder::at(folder);
    if folder.end().is_ok_and(|end| end.is_some()) || !lives(&folder).unwrap_or(false) {
        return None;
    }
    let pids = |process: &table::Process| process.pid.as_raw_pid();
    let processes: Vec<i32> = table::with_environment(&mark(&folder)).iter().map(pids).collect();
    let supervisor = supervisor(&folder).iter().map(pids).collect::<Vec<_>>();
    let ended_by = if supervisor.is_empty() { processes.clone() } else { supervisor };
    let since = folder.started().ok().flatten().map(|started| started.time);
    Some(Living { processes, ended_by, since, lock: folder.path().join("lock") })
}

pub(super) async fn follow(folder: &Folder, limit: Duration, ports: Ports<'_>, on_cancel: OnCancel) -> Trace {
    let deadline = ports.clock.now().plus(limit);
    let mut stopping = false;
    loop {
        // What it started on purpose may hold the lock after its end, so the end is looked for first.
        if let Some(trace) = ended(folder) {
            return trace;
        }
        match lives(folder) {
            Ok(true) => {}
            Ok(false) => return gone(folder),
            Err(error) => return Trace::Lost(format!("its lock cannot be read: {error}")),
        }
        if ports.clock.now() >= deadline {
            return Trace::Running(who_runs(folder));
        }
        if ports.cancel.is_cancelled() && !stopping {
            match on_cancel {
                OnCancel::Stop if stop_supervisor(folder) => stopping = true,
                // A supervisor without a record is about to write it.
                OnCancel::Stop if !folder.has_started() => {}
                _ => return Trace::Running(who_runs(folder)),
            }
        }
        ports.clock.sleep(POLL).await;
    }
}

/// Whether anything that was started lives. A process that closes what it inherited lets go of the lock, and is found by the
/// environment it was started with.
fn lives(folder: &Folder) -> io::Result<bool> {
    Ok(folder.is_locked()? || !table::with_environment(&mark(folder)).is_empty())
}

fn ended(folder: &Folder) -> Option<Trace> {
    match folder.end() {
        Ok(end) => end.map(|end| Trace::Ended(Box::new(end))),
        Err(error) => Some(Trace::Lost(format!("the record of its end cannot be read: {error}"))),
    }
}

/// Nothing that was started lives any more. The end may have been recorded since we last looked.
fn gone(folder: &Folder) -> Trace {
    if let Some(trace) = ended(folder) {
        return trace;
    }
    if !folder.has_started() {
        return Trace::NeverStarted("nothing was started under a supervisor, and nothing runs".to_owned());
    }
    let (what, when) = match folder.started() {
        Ok(Some(started)) if started.boot == table::boot() => ("its supervisor was killed", started.time.to_string()),
        Ok(Some(started)) => ("the machine was restarted", started.time.to_string()),
        _ => ("its supervisor is gone", "an unknown time".to_owned()),
    };
    let printed = std::fs::read(folder.path().join("stderr")).unwrap_or_default();
    let printed = match String::from_utf8_lossy(&printed[printed.len().saturating_sub(1024)..]).trim_end() {
        "" => String::new(),
        text => format!("; it printed on stderr:\n{text}"),
    };
    Trace::Lost(format!("started at {when}, then {what}: nothing recorded how it ended{printed}"))
}

/// Asks the supervisor to stop its process; `false` if there is none.
fn stop_supervisor(folder: &Folder) -> bool {
    supervisor(folder).is_some_and(|process| table::signal(&process, Signal::TERM))
}

/// The supervisor that is on record, while it lives.
fn supervisor(folder: &Folder) -> Option<table::Process> {
    let started = folder.started().ok().flatten()?;
    table::find(started.pid)
        .filter(|process| process.ticks == started.ticks && !process.ended && started.boot == table::boot())
}

/// Names what still runs.
pub(super) fn who_runs(folder: &Folder) -> String {
    let pids: Vec<String> =
        table::with_environment(&mark(folder)).iter().map(|process| process.pid.to_string()).collect();
    let lock = folder.path().join("lock");
    match pids.as_slice() {
        [] => format!("something still holds `{}`; `fuser` tells what", lock.display()),
        pids => format!("still running as process {}", pids.join(", ")),
    }
}

/// The entry in the environment of everything an attempt starts, unless it takes pains to hide.
pub(super) fn mark(folder: &Folder) -> PathBuf {
    let mut entry = std::ffi::OsString::from("DRCTL_OUTPUT=");
    entry.push(folder.outputs());
    entry.into()
}
