//! Whether runs can be kept: one file is written, synced, locked, and removed again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Store;
use super::files::{about, check_folder, write_durably};
use crate::edge::clock::Clock;
use crate::edge::identity::Identity;
use crate::edge::ids::random_u32;
use crate::edge::lock::{Holder, LockError, RunLock};

/// What came of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The folder it was made in: the state folder, or, before the first run, the one it will be made in.
    pub folder: PathBuf,
    /// How long one durable write took.
    pub took: Duration,
    /// Whether a lock keeps others out.
    pub locks: bool,
}

impl Store {
    /// The folder that holds the state.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Tries what every run needs of its folder. Nothing stays.
    ///
    /// # Errors
    /// What the system said, with the path.
    pub fn trial(&self, identity: &Identity, clock: &dyn Clock) -> io::Result<Trial> {
        let is_there = |path: &&Path| fs::symlink_metadata(path).is_ok();
        let folder = self.root.ancestors().find(is_there).unwrap_or(&self.root).to_path_buf();
        check_folder(&folder)?;
        let name = format!(".trial-{:08x}", random_u32()?);
        let begin = clock.now();
        write_durably(&folder, &name, b"drctl doctor tries whether runs can be kept here\n").map_err(about(&folder))?;
        let took = begin.until(clock.now());
        let file = folder.join(name);
        let locks = locks(&file, &Holder::new(identity, clock.now()));
        fs::remove_file(&file).map_err(about(&file))?;
        Ok(Trial { folder, took, locks: locks.map_err(about(&file))? })
    }
}

fn locks(file: &Path, holder: &Holder) -> io::Result<bool> {
    let _held = RunLock::acquire(file, holder).map_err(|error| match error {
        LockError::Held(holder) => io::Error::other(format!("it is held by {holder}")),
        LockError::Io(error) => error,
    })?;
    Ok(RunLock::holder(file)?.is_some())
}
