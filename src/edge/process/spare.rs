//! Folders of attempts that left nothing, handed on to later attempts: on a busy file system, making a folder and its
//! lock takes longer than the start of a process.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::folder::Folder;
use super::lock;
use super::record::{End, Written};

/// The folders that are free. Removed with it; what a killed drctl leaves of them is ignored.
#[derive(Debug, Default)]
pub(super) struct Spares(Mutex<Pool>);

#[derive(Debug, Default)]
struct Pool {
    /// Those whose lock was found held are in front.
    free: VecDeque<PathBuf>,
    /// How many there were: each gets a name of its own.
    count: u32,
}

impl Spares {
    /// Makes the folder of an attempt out of a spare one, if there is any, and takes its lock.
    pub(super) fn take(&self, folder: &Folder) -> Option<File> {
        let spare = self.pool().pop(folder.path().parent()?)?;
        // What the process before left in the background may hold the lock, and so may, for a moment, a child of
        // ours that is just being started.
        let Ok(Some(lock)) = lock::take(&spare.join("lock")) else {
            self.pool().free.push_front(spare);
            return None;
        };
        // The folder of an earlier start may be in the way: that one is used.
        fs::rename(&spare, folder.path()).inspect_err(|_| remove(&spare)).is_ok().then_some(lock)
    }

    /// Takes the folder of an attempt that ended in this way, if nothing is in it that anybody may look for.
    pub(super) fn put(&self, folder: &Folder, end: &End) {
        if is_silent(end) && has_only_a_lock(folder.path()) {
            let mut pool = self.pool();
            pool.count += 1;
            // No attempt's folder has such a name.
            let spare = folder.path().with_file_name(format!("~spare-{}-{}", std::process::id(), pool.count));
            if fs::rename(folder.path(), &spare).is_ok() {
                pool.free.push_back(spare);
            }
        }
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    fn pop(&mut self, parent: &Path) -> Option<PathBuf> {
        let index = self.free.iter().rposition(|spare| spare.parent() == Some(parent))?;
        self.free.remove(index)
    }
}

impl Drop for Spares {
    fn drop(&mut self) {
        self.pool().free.iter().for_each(|spare| remove(spare));
    }
}

fn remove(spare: &Path) {
    fs::remove_file(spare.join("lock")).ok();
    fs::remove_dir(spare).ok();
}

/// It ended by itself, printed nothing and left nothing running.
fn is_silent(end: &End) -> bool {
    let printed = end.stdout.size + end.stderr.size;
    end.stopped.is_none() && printed == 0 && end.written == Written::Nothing && end.left.is_empty()
}

/// The process knows the folder and may have put anything into it.
fn has_only_a_lock(folder: &Path) -> bool {
    fs::read_dir(folder)
        .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == "lock")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::process::{Exit, Stream};

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn end(printed: u64) -> End {
        let stream = |size| Stream { size, digest: String::new(), tail: String::new(), problem: None };
        End {
            exit: Exit::Code(0),
            stopped: None,
            stdout: stream(printed),
            stderr: stream(0),
            written: Written::Nothing,
            left: Vec::new(),
        }
    }

    /// An attempt that ran in a folder of its own.
    fn attempt(steps: &Path, name: &str) -> Folder {
        let folder = Folder::at(&steps.join(name));
        folder.create().unwrap();
        drop(folder.take_lock().unwrap().unwrap());
        folder
    }

    #[test]
    fn a_folder_that_holds_nothing_serves_the_next_attempt_and_goes_at_the_end() {
        let steps = tempfile::tempdir().unwrap();
        let spares = Spares::default();
        let next = Folder::at(&steps.path().join("b.1"));
        assert!(spares.take(&next).is_none());
        spares.put(&attempt(steps.path(), "a.1"), &end(0));
        let lock = spares.take(&next);
        assert!(lock.is_some() && next.is_locked().unwrap());
        assert_eq!(names(steps.path()), ["b.1"]);
        assert_eq!(names(next.path()), ["lock"]);
        spares.put(&next, &end(0));
        drop(spares);
        assert_eq!(names(steps.path()), Vec::<String>::new());
    }

    #[test]
    fn a_folder_that_somebody_may_look_for_stays() {
        let steps = tempfile::tempdir().unwrap();
        let spares = Spares::default();
        spares.put(&attempt(steps.path(), "printed.1"), &end(1));
        let used = attempt(steps.path(), "used.1");
        fs::write(used.path().join("own"), "").unwrap();
        spares.put(&used, &end(0));
        assert_eq!(names(steps.path()), ["printed.1", "used.1"]);
    }

    #[test]
    fn a_folder_whose_lock_is_held_waits_until_it_is_free() {
        let steps = tempfile::tempdir().unwrap();
        let spares = Spares::default();
        let folder = attempt(steps.path(), "a.1");
        let background = folder.take_lock().unwrap();
        spares.put(&folder, &end(0));
        assert!(spares.take(&Folder::at(&steps.path().join("b.1"))).is_none());
        drop(background);
        assert!(spares.take(&Folder::at(&steps.path().join("c.1"))).is_some());
        assert_eq!(names(steps.path()), ["c.1"]);
    }

    #[test]
    fn the_folder_of_an_earlier_start_is_not_replaced() {
        let steps = tempfile::tempdir().unwrap();
        let spares = Spares::default();
        let earlier = attempt(steps.path(), "b.1");
        fs::write(earlier.path().join("stdout"), "kept").unwrap();
        spares.put(&attempt(steps.path(), "a.1"), &end(0));
        assert!(spares.take(&earlier).is_none());
        assert_eq!(names(steps.path()), ["b.1"]);
        assert_eq!(names(earlier.path()), ["lock", "stdout"]);
    }
}
