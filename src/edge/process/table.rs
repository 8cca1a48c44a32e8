//! The system's table of processes, as `/proc` tells it.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: Pid,
    /// The id of its parent.
    pub(super) parent: i32,
    /// The id of its process group.
    pub(super) group: i32,
    /// It ended and waits for its parent to ask how.
    pub(super) ended: bool,
    /// When it was started, in clock ticks since boot.
    pub(super) ticks: u64,
}

/// The process of that id.
pub(super) fn find(pid: i32) -> Option<Process> {
    let text = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    parse(&String::from_utf8_lossy(&text))
}

/// Every process that may be seen.
pub(super) fn all() -> impl Iterator<Item = Process> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| find(entry.ok()?.file_name().to_str()?.parse().ok()?))
}

/// The processes that have `entry` (`NAME=value`) in the environment they were started with.
pub(super) fn with_environment(entry: &Path) -> Vec<Process> {
    let entry = entry.as_os_str().as_bytes();
    let has = |process: &Process| {
        std::fs::read(format!("/proc/{}/environ", process.pid.as_raw_pid()))
            .is_ok_and(|text| text.split(|byte| *byte == 0).any(|found| found == entry))
    };
    all().filter(|process| !process.ended).filter(has).collect()
}

/// Sends `signal` to exactly this process; `false` if it is gone, whoever has its id now.
pub(super) fn signal(process: &Process, signal: Signal) -> bool {
    let Ok(open) = pidfd_open(process.pid, PidfdFlags::empty()) else {
        return false;
    };
    let same = find(process.pid.as_raw_pid()).is_some_and(|now| now.ticks == process.ticks);
    same && pidfd_send_signal(open, signal).is_ok()
}

/// Names this boot of the machine.
pub(super) fn boot() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}

/// Reads a line such as `7 (a) name) S 1 7 7 ...`: the name may hold anything, parentheses too.
fn parse(stat: &str) -> Option<Process> {
    let pid = stat.split_once(' ')?.0.parse().ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(Process {
        pid: Pid::from_raw(pid)?,
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        ended: matches!(*fields.first()?, "Z" | "X"),
        ticks: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_confuses_nothing() {
        let stat = "7 (a) Z (b) S 1 6 5 0 -1 4 9 0 0 0 0 0 0 0 20 0 1 0 8812 1 2";
        let wanted = Process { pid: Pid::from_raw(7).unwrap(), parent: 1, group: 6, ended: false, ticks: 8812 };
        assert_eq!(parse(stat), Some(wanted));
        assert_eq!(parse("7 (a"), None);
    }

    #[test]
    fn a_process_finds_itself() {
        let me = find(rustix::process::getpid().as_raw_pid()).unwrap();
        assert!(all().any(|process| process == me));
    }
}
