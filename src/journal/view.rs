//! Looks at a journal without changing anything, also while it is being written.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::file::open_own;
use super::recover::{Recovered, Scanned, events, recover, scan};
use super::{Damage, Hash, JournalError, Record, Seq};

/// Reads a whole journal.
///
/// # Errors
/// What the system said, or where the file is not what a crash leaves.
pub fn read<E: DeserializeOwned>(path: &Path) -> Result<Recovered<E>, JournalError> {
    recover(&bytes_from(path, 0)?).map_err(damaged(path))
}

/// Checks every line and the chain of their hashes, whatever the events are.
///
/// # Errors
/// What the system said, or where the file is not what a crash leaves.
pub fn verify_chain(path: &Path) -> Result<Scanned, JournalError> {
    scan(&bytes_from(path, 0)?, Scanned::default(), |_, _| Ok(())).map_err(damaged(path))
}

/// The hash of every record, in order: through each, of all before it.
///
/// # Errors
/// Where the bytes are not what a crash leaves.
pub fn chain(bytes: &[u8]) -> Result<Vec<Hash>, Damage> {
    let mut hashes = Vec::new();
    scan(bytes, Scanned::default(), |_, line| {
        hashes.push(line.hash.clone());
        Ok(())
    })?;
    Ok(hashes)
}

/// Follows a journal while another process writes it.
///
/// A line is seen as soon as it is written, which is before it is durable. [`Followed::proven`] names
/// the last record that is durable for certain; the last batch stays unproven until another follows,
/// or, at the end of a run, for good. Show the rest as such, or wait.
pub struct Follower {
    path: PathBuf,
    end: Scanned,
}

/// What is new in a journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Followed<E> {
    /// The records not seen before.
    pub records: Vec<Record<E>>,
    /// Every record up to and including this one is durable.
    pub proven: Seq,
}

impl Follower {
    /// Follows the journal at `path` from its first record on.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), end: Scanned::default() }
    }

    /// Reads what came since the last call. A line that is not there in full waits for a later call.
    ///
    /// # Errors
    /// What the system said, or where the file is not what a crash leaves. Later calls begin at the same place.
    pub fn poll<E: DeserializeOwned>(&mut self) -> Result<Followed<E>, JournalError> {
        let bytes = bytes_from(&self.path, self.end.valid_bytes)?;
        let mut records = Vec::new();
        let end = scan(&bytes, self.end.clone(), events(|record| records.push(record)));
        self.end = end.map_err(damaged(&self.path))?;
        Ok(Followed { records, proven: self.end.proven })
    }
}

fn damaged(path: &Path) -> impl FnOnce(Damage) -> JournalError {
    let path = path.to_owned();
    |damage| JournalError::Damaged { path, damage }
}

fn bytes_from(path: &Path, start: u64) -> Result<Vec<u8>, JournalError> {
    let read = || {
        let mut file = open_own(path, OpenOptions::new().read(true))?;
        if file.metadata()?.len() < start {
            return Err(io::Error::other("it became shorter while it was followed"));
        }
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(JournalError::io("read", path))
}
