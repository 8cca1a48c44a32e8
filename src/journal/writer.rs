//! Writes batches of records and keeps what could not be written. Knows no threads, and of the disk only [`Disk`].

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;

use super::line::{Hash, MAX_LINE, encode};
use super::{Durability, JournalError, Record, Seq};

/// What holds the lines.
pub(super) trait Disk {
    /// Adds whole lines at the end; returns once they are durable. Not called again after an error.
    fn append_durably(&mut self, lines: &[u8]) -> Result<(), JournalError>;
}

/// The writing end of a journal. Its first failure is final: after a failed sync the system may have
/// dropped what it could not write and call the next sync a success.
pub(super) struct Writer<D> {
    disk: D,
    last: Seq,
    hash: Hash,
    durable: Seq,
    durability: watch::Sender<Durability>,
    failure: Option<Arc<JournalError>>,
    unsaved: Vec<String>,
}

impl<D: Disk> Writer<D> {
    /// Goes on after record `last`, which is durable and whose line has this hash.
    pub(super) fn new(disk: D, last: Seq, hash: Hash) -> Self {
        Self {
            disk,
            last,
            durable: last,
            durability: watch::Sender::new(Durability::UpTo(last, hash.clone())),
            hash,
            failure: None,
            unsaved: Vec::new(),
        }
    }

    pub(super) fn durability(&self) -> watch::Receiver<Durability> {
        self.durability.subscribe()
    }

    pub(super) fn unsaved(&self) -> Vec<String> {
        self.unsaved.clone()
    }

    /// The last durable record, or the failure.
    pub(super) fn outcome(&self) -> Result<Seq, Arc<JournalError>> {
        self.failure.clone().map_or(Ok(self.durable), Err)
    }

    /// Makes a batch durable with one write, up to the first record that cannot be written.
    pub(super) fn write<E: Serialize>(&mut self, records: &[Record<E>]) {
        let mut rest = records;
        if self.failure.is_none() {
            let (lines, sound) = self.encode(records);
            rest = &records[lines.len()..];
            let written = self.commit(&lines);
            if written.is_err() {
                self.unsaved.extend(lines.iter().map(|line| line.trim_end().to_owned()));
            }
            if let Err(error) = written.and(sound) {
                self.fail(error);
            }
        }
        for record in rest {
            let line = self.line_for_people(record);
            self.unsaved.push(line);
        }
    }

    /// The lines of the records before the first that cannot be written.
    fn encode<E: Serialize>(&mut self, records: &[Record<E>]) -> (Vec<String>, Result<(), JournalError>) {
        let mut lines = Vec::with_capacity(records.len());
        for record in records {
            match self.next_line(record) {
                Ok(line) => lines.push(line),
                Err(error) => return (lines, Err(error)),
            }
        }
        (lines, Ok(()))
    }

    fn next_line<E: Serialize>(&mut self, record: &Record<E>) -> Result<String, JournalError> {
        let (seq, wanted) = (record.seq, self.last.next());
        if seq != wanted {
            let reason = format!("record {wanted} comes next");
            return Err(JournalError::Unwritable { seq, reason });
        }
        let (line, hash) = encode(record, self.durable, &self.hash)?;
        if line.len() > MAX_LINE {
            let size = line.len();
            return Err(JournalError::TooLong { seq, size });
        }
        (self.last, self.hash) = (seq, hash);
        Ok(line)
    }

    fn commit(&mut self, lines: &[String]) -> Result<(), JournalError> {
        if !lines.is_empty() {
            self.disk.append_durably(lines.concat().as_bytes())?;
            self.durable = self.last;
            self.durability.send_replace(Durability::UpTo(self.durable, self.hash.clone()));
        }
        Ok(())
    }

    fn fail(&mut self, error: JournalError) {
        let failure = Arc::new(error);
        self.failure = Some(Arc::clone(&failure));
        self.durability.send_replace(Durability::Failed(failure));
    }

    /// The line as it would stand in the journal, or the nearest to it.
    fn line_for_people<E: Serialize>(&mut self, record: &Record<E>) -> String {
        match encode(record, self.durable, &self.hash) {
            Ok((line, hash)) => {
                self.hash = hash;
                line.trim_end().to_owned()
            }
            Err(error) => error.to_string(),
        }
    }
}
