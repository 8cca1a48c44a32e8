//! Ends processes: politely, then not, until nothing of them is left.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process_group, test_kill_process_group, waitpid};
use tokio::process::Child;

use super::table::{self, Process};
use crate::edge::clock::Clock;

const POLL: Duration = Duration::from_millis(20);
/// How long processes that do not end on KILL are waited for: the kernel may hold them.
const PATIENCE: Duration = Duration::from_secs(5);

/// How processes that left the group (`setsid`) are found.
pub(super) enum Reach {
    /// This process adopts them, for it is a subreaper and has no other children.
    Adopted,
    /// By this entry in their environment.
    Marked(PathBuf),
}

/// A child that leads a process group of its own.
pub(super) struct Leader {
    pub(super) child: Child,
    pub(super) group: Pid,
}

/// TERM to the group, KILL after `grace`, then KILL to whoever left the group.
/// `status` is the child's, if it ended already. Returns its status and who could not be ended.
pub(super) async fn end_all(
    leader: &mut Leader,
    mut status: Option<io::Result<ExitStatus>>,
    grace: Duration,
    reach: &Reach,
    clock: &dyn Clock,
) -> (io::Result<ExitStatus>, Vec<i32>) {
    kill_process_group(leader.group, Signal::TERM).ok();
    let deadline = clock.now().plus(grace);
    if status.is_none() {
        status = tokio::select! {
            status = leader.child.wait() => Some(status),
            () = clock.sleep(grace) => None,
        };
    }
    while status.is_some() && lives(leader.group) && clock.now() < deadline {
        clock.sleep(POLL).await;
    }
    kill_process_group(leader.group, Signal::KILL).ok();
    let status = match status {
        Some(status) => status,
        None => leader.child.wait().await,
    };
    (status, kill_rest(leader.group, reach, clock).await)
}

/// Kills until none is left, for one may start another while it is killed.
async fn kill_rest(group: Pid, reach: &Reach, clock: &dyn Clock) -> Vec<i32> {
    let deadline = clock.now().plus(PATIENCE);
    loop {
        let rest = reach.find(group);
        if rest.is_empty() || clock.now() >= deadline {
            return rest.iter().map(|process| process.pid.as_raw_pid()).collect();
        }
        for process in &rest {
            table::signal(process, Signal::KILL);
        }
        clock.sleep(POLL / 4).await;
    }
}

impl Reach {
    fn find(&self, group: Pid) -> Vec<Process> {
        match self {
            Self::Adopted => {
                reap(None);
                let me = getpid().as_raw_pid();
                table::all().filter(|process| process.parent == me && !process.ended).collect()
            }
            Self::Marked(entry) => {
                let mut found = table::with_environment(entry);
                found.extend(members(group).filter(|member| !found.contains(member)).collect::<Vec<_>>());
                found
            }
        }
    }
}

/// Whether the group has members that run; a test without effect first, for reading the table is slow.
fn lives(group: Pid) -> bool {
    test_kill_process_group(group).is_ok() && members(group).next().is_some()
}

fn members(group: Pid) -> impl Iterator<Item = Process> {
    table::all().filter(move |process| process.group == group.as_raw_pid() && !process.ended)
}

/// Lets adopted children that ended go. `except`, if given, is waited for elsewhere.
pub(super) fn reap(except: Option<Pid>) {
    let Some(except) = except else {
        while let Ok(Some(_)) = waitpid(None, WaitOptions::NOHANG) {}
        return;
    };
    let me = getpid().as_raw_pid();
    for process in table::all().filter(|process| process.ended && process.parent == me && process.pid != except) {
        waitpid(Some(process.pid), WaitOptions::NOHANG).ok();
    }
}
