//! Starts a process and watches it to its end: its output, its time, its children.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Pid;
use tokio::process::Command;

use super::Ports;
use super::capture::Capture;
use super::command::Order;
use super::folder::Folder;
use super::record::{End, Exit, Stop, Stream, Written};
use super::stop::{Leader, Reach, end_all};

/// How long the output of a process that ended is still read: what it left in the background may
/// hold the pipe open for ever.
const LINGER: Duration = Duration::from_secs(2);

/// Starts the process in a group of its own. It inherits `lock` as its stdin, which reads as empty.
///
/// Nothing here may need code between fork and exec: that would cost the fast way to start (`vfork`).
pub(super) fn spawn(
    order: &Order,
    lock: File,
    inherited: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Leader, String> {
    let (name, arguments) = order.job.argv.split_first().ok_or("`argv` names no program")?;
    let started = Command::new(&order.program)
        .arg0(name)
        .args(arguments)
        .current_dir(&order.job.dir)
        .env_clear()
        .envs(inherited)
        .envs(order.job.env.iter().map(|(name, value)| (name, value)))
        .stdin(lock)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn();
    let child = started.map_err(|error| cannot_start(order, &error))?;
    let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let group = id.ok_or("the process has no id")?;
    Ok(Leader { child, group })
}

fn cannot_start(order: &Order, error: &io::Error) -> String {
    let hint = match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::NOEXEC) => ": a script starts with a line such as `#!/bin/sh`",
        _ => "",
    };
    format!("could not start `{}`: {error}{hint}", order.program.display())
}

/// Returns when the process has ended, at the latest some time after its timeout or a cancellation.
/// If it failed or was stopped, everything it started is ended too.
pub(super) async fn watch(mut leader: Leader, order: &Order, ports: Ports<'_>, reach: &Reach) -> End {
    let folder = order.folder();
    let mut stdout = Capture::new(folder.path().join("stdout"), &order.job.needles);
    let mut stderr = Capture::new(folder.path().join("stderr"), &order.job.needles);
    let pipes = (leader.child.stdout.take(), leader.child.stderr.take());
    let (status, stopped, left) = {
        let reading = async { tokio::join!(stdout.read(pipes.0), stderr.read(pipes.1)) };
        let living = live(&mut leader, order, ports, reach);
        tokio::pin!(reading, living);
        let mut read = false;
        let ended = loop {
            tokio::select! {
                ended = &mut living => break ended,
                _ = &mut reading, if !read => read = true,
            }
        };
        if !read {
            tokio::select! { _ = &mut reading => {}, () = ports.clock.sleep(LINGER) => {} }
        }
        ended
    };
    finish(&folder, order, exit(status), stopped, left, [stdout.finish(), stderr.finish()])
}

/// Waits for the end, and brings it about when it must.
async fn live(
    leader: &mut Leader,
    order: &Order,
    ports: Ports<'_>,
    reach: &Reach,
) -> (io::Result<ExitStatus>, Option<Stop>, Vec<i32>) {
    let (status, stopped) = tokio::select! {
        biased;
        status = leader.child.wait() => (Some(status), None),
        () = ports.cancel.cancelled() => (None, Some(Stop::Cancel)),
        () = ports.clock.sleep(order.job.timeout) => (None, Some(Stop::Timeout)),
    };
    match status {
        Some(Ok(status)) if order.accepts(status.code()) => (Ok(status), None, Vec::new()),
        status => {
            let (status, left) = end_all(leader, status, order.grace, reach, ports.clock).await;
            (status, stopped, left)
        }
    }
}

fn exit(status: io::Result<ExitStatus>) -> Exit {
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::Unknown(status.to_string()),
        },
        Err(error) => Exit::Unknown(error.to_string()),
    }
}

fn finish(
    folder: &Folder,
    order: &Order,
    exit: Exit,
    stopped: Option<Stop>,
    left: Vec<i32>,
    [stdout, stderr]: [Stream; 2],
) -> End {
    folder.record_output(&stdout, &stderr);
    End { exit, stopped, stdout, stderr, written: folder.take_outputs(&order.job.needles), left }
}

/// The end of a process that could not be started.
pub(super) fn not_started(order: &Order, problem: String) -> End {
    let empty = || Capture::new(order.folder().path().join("none"), &[]).finish();
    End {
        exit: Exit::NotStarted(problem),
        stopped: None,
        stdout: empty(),
        stderr: empty(),
        written: Written::Nothing,
        left: Vec::new(),
    }
}
