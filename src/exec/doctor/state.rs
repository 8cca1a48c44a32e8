//! Where runs are kept: whether it takes writes, keeps them, and has room; and which runs are open.

use std::time::Duration;

use super::{Check, Patient};
use crate::catalogue::{HumanDuration, Timestamp};
use crate::edge::clock::Clock;
use crate::edge::file_system::{self, FileSystem, Keeps};
use crate::edge::identity::Identity;
use crate::edge::lock::RunLock;
use crate::edge::store::Trial;
use crate::exec::run::registry;
use crate::exec::view;

/// With less room, a long run may find the disk full.
const LEAST_FREE: u64 = 500 << 20;
/// Every step waits for a few of them.
const SLOW_WRITE: Duration = Duration::from_millis(250);

/// What is known of the runs of the workspace.
#[derive(Default)]
pub(super) struct Runs {
    /// Those that have not ended, each with who drives it.
    open: Vec<(String, Option<String>)>,
    /// Those that cannot be read, and why.
    damaged: Vec<(String, String)>,
    /// Why they cannot be listed.
    problem: Option<String>,
    /// The time of the newest record of all.
    pub(super) newest: Timestamp,
}

/// Reads every run.
pub(super) fn runs(patient: &Patient<'_>) -> Runs {
    let (mut runs, catalogue) = (Runs::default(), registry().catalogue());
    let ids = patient.store.runs().unwrap_or_else(|error| {
        runs.problem = Some(error.to_string());
        Vec::new()
    });
    for id in ids {
        let folder = match patient.store.open(&id) {
            Ok(folder) => folder,
            Err(error) => {
                runs.damaged.push((id.to_string(), error.to_string()));
                continue;
            }
        };
        match view::open(folder.clone(), &catalogue).and_then(|run| Ok((run.state(&run.plan)?.ended, run.last_at()))) {
            Ok((ended, last)) => {
                runs.newest = runs.newest.max(last);
                let holder = || RunLock::holder(&folder.lock()).ok().flatten().map(|holder| holder.to_string());
                runs.open.extend(ended.is_none().then(|| (id.to_string(), holder())));
            }
            Err(_) if view::never_started(&folder) => {}
            Err(error) => {
                let why = error.message.lines().next().unwrap_or_default().to_owned();
                runs.damaged.push((id.to_string(), why));
            }
        }
    }
    runs
}

pub(super) fn checks(patient: &Patient<'_>, clock: &dyn Clock, runs: &Runs) -> Vec<Check> {
    let mut checks = match patient.store.trial(&Identity::current(), clock) {
        Err(error) => vec![Check::broken("folder", error.to_string()).next("drctl doctor --state DIR")],
        Ok(trial) => {
            let mut checks = vec![folder(patient, &trial), locks(&trial)];
            match file_system::of(&trial.folder) {
                Ok(found) => checks.extend([kind(&found), room(&found)]),
                Err(error) => checks.push(Check::not_checked("file system", error.to_string())),
            }
            checks
        }
    };
    checks.extend(of_runs(runs));
    checks
}

fn folder(patient: &Patient<'_>, trial: &Trial) -> Check {
    let root = patient.store.root();
    let took = HumanDuration(trial.took);
    let place = if root == trial.folder {
        format!("`{}`", root.display())
    } else {
        format!("`{}` is made with the first run; `{}`", root.display(), trial.folder.display())
    };
    if trial.took > SLOW_WRITE {
        return Check::warning("folder", format!("{place} takes {took} for one write: every step waits for a few"));
    }
    Check::fine("folder", format!("{place} takes writes; they reach the disk in {took}"))
}

fn locks(trial: &Trial) -> Check {
    if trial.locks {
        return Check::fine("locks", "keep a second drctl out");
    }
    let found = format!("a lock in `{}` keeps nobody out: two drctl could drive one run", trial.folder.display());
    Check::broken("locks", found).next("drctl doctor --state DIR")
}

fn kind(found: &FileSystem) -> Check {
    let kind = &found.kind;
    match found.keeps {
        Keeps::Locally => Check::fine("file system", kind),
        Keeps::Unknown => {
            let found = format!("{kind} is no kind known here: is it on a disk of this machine, which stays?");
            Check::not_checked("file system", found)
        }
        Keeps::UntilTheEnd => {
            let found = format!("{kind}: gone with this machine or container, and the runs with it");
            Check::warning("file system", found).next("drctl doctor --state DIR")
        }
        Keeps::Elsewhere => {
            let found = format!("{kind}, over a network: locks do not hold between machines, and writes may be lost");
            Check::warning("file system", found).next("drctl doctor --state DIR")
        }
    }
}

fn room(found: &FileSystem) -> Check {
    let free = match found.free >> 20 {
        mebibytes @ 0..10_240 => format!("{mebibytes} MiB free"),
        mebibytes => format!("{} GiB free", mebibytes >> 10),
    };
    if found.free < LEAST_FREE {
        return Check::warning("room", format!("{free}: a run stops where its journal cannot be written"));
    }
    Check::fine("room", free)
}

fn of_runs(runs: &Runs) -> Vec<Check> {
    let broken = runs.problem.iter().map(|problem| Check::broken("runs", problem).next("drctl runs"));
    let damaged = runs.damaged.iter().map(|(id, why)| Check::broken(id, why).next(format!("drctl verify {id}")));
    let open = runs.open.iter().map(|(id, holder)| match holder {
        Some(holder) => Check::fine(id, format!("is driven by {holder}")),
        None => Check::warning(id, "is open, and nobody drives it").next(format!("drctl status {id}")),
    });
    let told: Vec<Check> = broken.chain(damaged).chain(open).collect();
    if told.is_empty() { vec![Check::fine("runs", "none is open")] } else { told }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_file_system_of_which_nothing_is_known_is_not_called_fine() {
        let of_the_kernel = file_system::of(Path::new("/proc")).unwrap();
        let check = kind(&of_the_kernel);
        assert_eq!((of_the_kernel.kind.as_str(), check.verdict), ("0x9fa0", Verdict::NotChecked));
    }
}
