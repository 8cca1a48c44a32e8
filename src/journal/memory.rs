//! A journal in memory, for rehearsals and tests: the same lines and the same contract, at once and without a disk.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::line::Hash;
use super::recover::{Damage, Recovered, recover};
use super::writer::{Disk, Writer};
use super::{Durability, Journal, JournalError, Record, Seq};

/// What a [`MemoryJournal`] holds; stays there when the journal is closed.
#[derive(Clone, Debug, Default)]
pub struct Contents(Arc<Mutex<Vec<u8>>>);

impl Contents {
    /// The lines so far, as a file would hold them.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Disk for Contents {
    fn append_durably(&mut self, lines: &[u8]) -> Result<(), JournalError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(lines);
        Ok(())
    }
}

/// A journal in memory. A record is durable when [`Journal::append`] returns.
pub struct MemoryJournal {
    writer: Writer<Contents>,
    contents: Contents,
}

impl MemoryJournal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        let contents = Contents::default();
        Self { writer: Writer::new(contents.clone(), Seq(0), Hash::genesis()), contents }
    }

    /// Takes up what an earlier journal left: its records, and a journal that goes on after them.
    ///
    /// # Errors
    /// The place where the contents are not what a journal writes.
    pub fn recovered<E: DeserializeOwned>(contents: Contents) -> Result<(Self, Vec<Record<E>>), Damage> {
        let Recovered { records, end } = recover(&contents.bytes())?;
        Ok((Self { writer: Writer::new(contents.clone(), end.seq, end.hash), contents }, records))
    }

    /// Where its lines are, to be read or written out at the end.
    #[must_use]
    pub fn contents(&self) -> Contents {
        self.contents.clone()
    }
}

impl Default for MemoryJournal {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Serialize> Journal<E> for MemoryJournal {
    fn append(&mut self, records: Vec<Record<E>>) {
        self.writer.write(&records);
    }

    fn durability(&self) -> watch::Receiver<Durability> {
        self.writer.durability()
    }

    fn unsaved(&self) -> Vec<String> {
        self.writer.unsaved()
    }

    fn close(self: Box<Self>) -> Result<Seq, Arc<JournalError>> {
        self.writer.outcome()
    }
}
