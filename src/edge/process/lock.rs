//! The lock of an attempt: held as long as anything that inherited its open file lives.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;

/// Takes the lock; `None` if another holds it. It is held until the last copy of the file is closed,
/// in this process or in one that inherited it.
pub(super) fn take(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::RDONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = open(path, flags, Mode::RUSR | Mode::WUSR)?;
    Ok(try_lock(&file, FlockOperation::NonBlockingLockExclusive)?.then(|| file.into()))
}

/// Whether somebody holds the lock.
pub(super) fn is_held(path: &Path) -> io::Result<bool> {
    match open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty()) {
        Ok(file) => Ok(!try_lock(&file, FlockOperation::NonBlockingLockShared)?),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn try_lock(file: &impl std::os::fd::AsFd, how: FlockOperation) -> io::Result<bool> {
    match flock(file, how) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_until_its_last_copy_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert!(!is_held(&path).unwrap());
        let first = take(&path).unwrap().unwrap();
        let second = first.try_clone().unwrap();
        drop(first);
        assert!(is_held(&path).unwrap());
        assert!(take(&path).unwrap().is_none());
        drop(second);
        assert!(!is_held(&path).unwrap());
    }
}
