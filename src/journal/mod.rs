//! The append-only record of a run: the only truth about it.
//!
//! One JSON object a line, each carrying the hash of all before it. A record counts once it is
//! *durable*: written and synced, so that it survives the death of the process and the loss of power.
//! Knows nothing of what the events mean; they only have to be adjacently tagged
//! (`{"type":"intent","payload":{..}}`). See the design's section 5.
//!
//! [`FileJournal`] writes a run's journal, [`MemoryJournal`] serves rehearsals and tests, [`recover()`]
//! reads what a crash left, [`read`], [`verify_chain`] and [`Follower`] look on without changing anything.

mod error;
mod file;
mod line;
mod memory;
mod recover;
mod view;
mod writer;

use std::sync::Arc;

use tokio::sync::watch;

use crate::catalogue::Timestamp;

pub use crate::engine::Seq;
pub use error::JournalError;
pub use file::{FileJournal, Reopened};
pub use line::{Hash, MAX_LINE, chain_head};
pub use memory::{Contents, MemoryJournal};
pub use recover::{Damage, Recovered, Scanned, Torn, recover, recover_with};
pub use view::{Followed, Follower, chain, read, verify_chain};

/// One thing that happened in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Record<E> {
    /// Its place in the journal.
    pub seq: Seq,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: E,
}

/// How far a journal can be relied on.
#[derive(Clone, Debug)]
pub enum Durability {
    /// Every record up to and including this one, whose hash vouches for all of them, survives a crash.
    UpTo(Seq, Hash),
    /// Writing failed, for good. What was durable before still is; nothing more will be.
    Failed(Arc<JournalError>),
}

/// Where the records of a run go.
pub trait Journal<E>: Send {
    /// Queues records in their order and returns at once; never waits for a disk. Their numbers go on
    /// from the last record, without gaps. [`Journal::durability`] tells when they are durable.
    fn append(&mut self, records: Vec<Record<E>>);

    /// How far the journal can be relied on, now and whenever that changes.
    fn durability(&self) -> watch::Receiver<Durability>;

    /// After a failure: the records that are not durable, as lines, also those appended since. Else nothing.
    fn unsaved(&self) -> Vec<String>;

    /// Writes what is queued and ends; gives the last durable record.
    ///
    /// # Errors
    /// The failure that [`Journal::durability`] told of.
    fn close(self: Box<Self>) -> Result<Seq, Arc<JournalError>>;
}

#[cfg(test)]
mod tests;
