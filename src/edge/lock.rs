//! The lock of a run: one executor at a time, and everybody else learns who that is.
//!
//! The system drops the lock when its process ends, however it ends. Processes that a step starts do
//! not inherit it. Does not work across machines that share a folder over a network.

use std::fmt;
use std::fs::{File, Permissions};
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use super::identity::{Identity, user_name};
use crate::catalogue::Timestamp;

/// Who holds a run, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The user, as the system names them.
    pub user: String,
    /// The machine; unknown for an instant while the lock is being taken.
    pub host: Option<String>,
    /// The process; unknown for an instant while the lock is being taken.
    pub pid: Option<u32>,
    /// When it took the lock.
    pub since: Timestamp,
}

impl Holder {
    /// The one that takes the lock now.
    #[must_use]
    pub fn new(identity: &Identity, since: Timestamp) -> Self {
        Self { user: identity.user.clone(), host: Some(identity.host.clone()), pid: Some(identity.pid), since }
    }
}

/// `ops@laptop (process 4711) since 2026-11-20T23:37:00.000Z`
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.user)?;
        if let Some(host) = &self.host {
            write!(f, "@{host}")?;
        }
        if let Some(pid) = self.pid {
            write!(f, " (process {pid})")?;
        }
        write!(f, " since {}", self.since)
    }
}

/// Why a run's lock could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another executor has the run.
    #[error("held by {0}")]
    Held(Holder),
    /// The system refused something.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A run's lock, held until this is dropped.
#[derive(Debug)]
pub struct RunLock {
    file: File,
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Closing the file is not enough while a child that is just being started holds a copy of it.
        flock(&self.file, FlockOperation::Unlock).ok();
    }
}

impl RunLock {
    /// Takes the lock and writes down who has it. Does not wait for a holder that lives.
    ///
    /// # Errors
    /// Who holds it, or what the system said.
    pub fn acquire(path: &Path, holder: &Holder) -> Result<Self, LockError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file: File = open(path, flags, Mode::RUSR | Mode::WUSR).map_err(io::Error::from)?.into();
        if let Some(other) = take_over(&file, holder)? {
            return Err(LockError::Held(other));
        }
        let text = serde_json::to_vec(holder).map_err(io::Error::from)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.set_len(0)?;
        file.write_all_at(&text, 0)?;
        Ok(Self { file })
    }

    /// Who holds the lock; `None` when it is free.
    ///
    /// # Errors
    /// What the system said.
    pub fn holder(path: &Path) -> io::Result<Option<Holder>> {
        let file: File = match open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(file) => file.into(),
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if try_lock(&file, FlockOperation::NonBlockingLockShared)? {
            flock(&file, FlockOperation::Unlock)?;
            return Ok(None);
        }
        read_holder(file).map(Some)
    }
}

/// Who has the lock, if it cannot be taken. Waits for an instant where a holder that was killed leaves it to a child it
/// was just starting, and where a new holder has not written its name yet.
fn take_over(file: &File, mine: &Holder) -> io::Result<Option<Holder>> {
    let mut tries = 0;
    loop {
        if take_exclusively(file)? {
            return Ok(None);
        }
        let holder = read_holder(file.try_clone()?)?;
        (&*file).rewind()?;
        let pid = holder.pid.and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let is_gone = holder.host == mine.host && pid.is_some_and(|pid| test_kill_process(pid) == Err(Errno::SRCH));
        tries += 1;
        if tries == 100 || !(is_gone || pid.is_none()) {
            return Ok(Some(holder));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Those who only look hold the lock for an instant, shared with one another: tries again when it was they.
fn take_exclusively(file: &File) -> io::Result<bool> {
    for tries in 0..3_000 {
        if try_lock(file, FlockOperation::NonBlockingLockExclusive)? {
            return Ok(true);
        }
        if !try_lock(file, FlockOperation::NonBlockingLockShared)? {
            return Ok(false);
        }
        flock(file, FlockOperation::Unlock)?;
        // Who looks may have been interrupted while it holds the lock: on a busy machine for longer than a few tries.
        if tries < 1_000 {
            std::thread::yield_now();
        } else {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    Err(io::Error::new(io::ErrorKind::WouldBlock, "the run's lock is being looked at all the time: try again"))
}

fn try_lock(file: &File, how: FlockOperation) -> io::Result<bool> {
    match rustix::io::retry_on_intr(|| flock(file, how)) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What stands in the lock's file, or, before its holder has written that, what the system knows of the file.
fn read_holder(file: File) -> io::Result<Holder> {
    const LONGEST: u64 = 4096;
    let about = file.metadata()?;
    let mut text = Vec::new();
    file.take(LONGEST).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text).unwrap_or_else(|_| Holder {
        user: user_name(about.uid()),
        host: None,
        pid: None,
        since: Timestamp(about.mtime() * 1000),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder() -> Holder {
        Holder {
            user: "ops".to_owned(),
            host: Some("laptop".to_owned()),
            pid: Some(4711),
            since: Timestamp::parse("2026-11-20T23:37:00Z").unwrap(),
        }
    }

    #[test]
    fn a_second_executor_is_told_who_has_the_run_and_since_when() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert_eq!(RunLock::holder(&path).unwrap(), None);
        let lock = RunLock::acquire(&path, &holder()).unwrap();
        let error = RunLock::acquire(&path, &holder()).unwrap_err();
        assert_eq!(error.to_string(), "held by ops@laptop (process 4711) since 2026-11-20T23:37:00.000Z");
        assert_eq!(RunLock::holder(&path).unwrap(), Some(holder()));
        drop(lock);
        assert_eq!(RunLock::holder(&path).unwrap(), None);
        let other = Holder { pid: Some(1), ..holder() };
        let _lock = RunLock::acquire(&path, &other).unwrap();
        assert_eq!(RunLock::holder(&path).unwrap(), Some(other));
    }

    #[test]
    fn a_holder_that_has_not_written_its_name_is_known_by_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let file = File::create(&path).unwrap();
        flock(&file, FlockOperation::LockExclusive).unwrap();
        let user = Identity::current().user;
        let since = Timestamp(file.metadata().unwrap().mtime() * 1000);
        let wanted = format!("held by {user} since {since}");
        assert_eq!(RunLock::acquire(&path, &holder()).unwrap_err().to_string(), wanted);
    }

    #[test]
    fn looking_at_a_lock_never_keeps_an_executor_from_taking_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        drop(RunLock::acquire(&path, &holder()).unwrap());
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(std::sync::atomic::Ordering::Relaxed) {
                        RunLock::holder(&path).unwrap();
                    }
                });
            }
            let taken: Vec<_> = (0..2000).map(|_| RunLock::acquire(&path, &holder()).map(drop)).collect();
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(taken.iter().all(Result::is_ok), "{:?}", taken.iter().find(|result| result.is_err()));
        });
    }

    #[test]
    fn a_link_in_place_of_a_lock_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
        assert!(matches!(RunLock::acquire(&path, &holder()), Err(LockError::Io(_))));
        assert!(RunLock::holder(&path).is_err());
    }
}
