//! Reads a journal from its bytes: tells what a crash may leave from what it cannot. Pure; knows no files.
//!
//! **What a crash leaves.** Records are written in batches: one write, one sync, and the next batch is
//! written only after the sync returned. So a crash, at whatever instant, leaves every earlier batch
//! whole, and of the last one what reached the disk: nothing, a beginning, or any of its 512-byte
//! sectors, for a disk may take them in any order; the others are missing and read as zeros. What such a
//! *torn tail* held was never durable, so nothing in the world relies on it, and it may be dropped.
//!
//! **What is accepted.** The records before the first bad line, if that line, where record `b` belongs,
//! - begins as record `b` does, as far as anything of it is there,
//! - ends without a line break, or lacks a sector, and
//! - nothing from there on says `synced` of `b` or more. Such a line was written after `b` was durable,
//!   so `b` cannot have been torn. The header alone of a line is enough to tell.
//!
//! **What is refused.** Everything else, with the line and the reason. A whole line that does not match
//! its hash is refused even at the very end, where no later line vouches for it: tearing removes bytes,
//! it never changes one. A flipped bit there may sit in a durable *intent*, and to drop that would be to
//! start its step a second time. For the same reason a line that is missing, repeated or out of its
//! place is refused everywhere. One thing cannot be seen from within: that whole lines at the end are gone.

use std::fmt;

use serde::de::DeserializeOwned;

use super::line::{Hash, Line, beginning, decode, highest_synced};
use super::{Record, Seq};

/// What disks write whole or not at all.
const SECTOR: usize = 512;

/// A journal as far as it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovered<E> {
    /// Its records.
    pub records: Vec<Record<E>>,
    /// Where they end.
    pub end: Scanned,
}

/// The end of a journal's records.
#[derive(Clone, Debug, PartialEq)]
pub struct Scanned {
    /// The last record.
    pub seq: Seq,
    /// The hash of its line.
    pub hash: Hash,
    /// The bytes up to the end of its line.
    pub valid_bytes: u64,
    /// The record up to which durability is proven by what was written later. The rest, the last batch,
    /// may be no more than written.
    pub proven: Seq,
    /// The bytes up to the end of that record.
    pub proven_bytes: u64,
    /// What a crash left after the last record.
    pub torn: Option<Torn>,
}

impl Default for Scanned {
    fn default() -> Self {
        Self { seq: Seq(0), hash: Hash::genesis(), valid_bytes: 0, proven: Seq(0), proven_bytes: 0, torn: None }
    }
}

/// What a crash left of the last batch: never durable, so nothing relies on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// The line it begins with; the first is 1.
    pub line: u64,
    /// The bytes before it.
    pub byte: u64,
    /// Its length in bytes.
    pub length: u64,
}

/// Where a journal is not what a crash leaves, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The line; the first is 1.
    pub line: u64,
    /// The bytes before it.
    pub byte: u64,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {} (after byte {}): {}; no crash does this, and nothing was changed: \
             put back a good copy of the file, or keep this one as evidence and start a new run",
            self.line, self.byte, self.reason
        )
    }
}

/// Reads a whole journal.
///
/// # Errors
/// The place where it is not what a crash leaves.
pub fn recover<E: DeserializeOwned>(bytes: &[u8]) -> Result<Recovered<E>, Damage> {
    let mut records = Vec::new();
    let end = recover_with(bytes, |record| records.push(record))?;
    Ok(Recovered { records, end })
}

/// Reads a whole journal and hands over each record as it comes. What was handed over before an error
/// is worth nothing.
///
/// # Errors
/// The place where it is not what a crash leaves.
pub fn recover_with<E: DeserializeOwned>(bytes: &[u8], on_record: impl FnMut(Record<E>)) -> Result<Scanned, Damage> {
    scan(bytes, Scanned::default(), events(on_record))
}

/// Reads each line's event.
pub(super) fn events<E: DeserializeOwned>(
    mut on_record: impl FnMut(Record<E>),
) -> impl FnMut(Seq, &Line<'_>) -> Result<(), String> {
    move |seq, line| {
        let event =
            serde_json::from_str(&line.event()).map_err(|error| format!("its event cannot be read: {error}"))?;
        on_record(Record { seq, at: line.at, event });
        Ok(())
    }
}

/// Reads on from `end`; `bytes` begin where that ended.
pub(super) fn scan(
    bytes: &[u8],
    mut end: Scanned,
    mut on_line: impl FnMut(Seq, &Line<'_>) -> Result<(), String>,
) -> Result<Scanned, Damage> {
    let mut rest = bytes;
    end.torn = None;
    while !rest.is_empty() {
        let (seq, byte) = (end.seq.next(), end.valid_bytes);
        // A line a record: they count alike.
        let damage = |reason| Damage { line: seq.0, byte, reason };
        let (line, terminated) = first_line(rest);
        match decode(line, seq, &end.hash) {
            Ok(found) if terminated => {
                on_line(seq, &found).map_err(damage)?;
                end.advance(found.synced, found.hash, line.len() as u64 + 1);
                rest = &rest[line.len() + 1..];
            }
            found => {
                let fault = found.err().unwrap_or_default();
                let tail = Tail { bytes: rest, start: byte, seq };
                tail.check_torn(&end.hash, fault).map_err(damage)?;
                let length = rest.len() as u64;
                end.torn = Some(Torn { line: seq.0, byte, length });
                return Ok(end);
            }
        }
    }
    Ok(end)
}

impl Scanned {
    fn advance(&mut self, synced: Seq, hash: Hash, length: u64) {
        if synced == self.seq {
            (self.proven, self.proven_bytes) = (self.seq, self.valid_bytes);
        }
        self.seq = self.seq.next();
        self.hash = hash;
        self.valid_bytes += length;
    }
}

/// The bytes up to the first line break, and whether there is one.
fn first_line(bytes: &[u8]) -> (&[u8], bool) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], true),
        None => (bytes, false),
    }
}

/// A journal from its first bad line on.
struct Tail<'a> {
    bytes: &'a [u8],
    /// The bytes of the journal before it.
    start: u64,
    /// The record that belongs here.
    seq: Seq,
}

impl Tail<'_> {
    /// Whether a crash may have left this; else says why not, with the line's own `fault` at hand.
    fn check_torn(&self, previous: &Hash, fault: String) -> Result<(), String> {
        let (line, terminated) = first_line(self.bytes);
        let cut = !terminated && !self.is_whole_but_for_its_end(previous);
        if !self.begins_well(line) || !(cut || self.lacks_sector(line.len())) {
            return Err(fault);
        }
        match highest_synced(self.bytes) {
            Some(synced) if synced >= self.seq => {
                Err(format!("it is incomplete, but what follows says that record {synced} was durable"))
            }
            _ => Ok(()),
        }
    }

    /// Whether it is a whole line with something else in place of its line break.
    fn is_whole_but_for_its_end(&self, previous: &Hash) -> bool {
        let line = self.bytes.split_last().map_or(self.bytes, |(_, line)| line);
        decode(line, self.seq, previous).is_ok()
    }

    /// Whether the line begins as it should, as far as it is there.
    fn begins_well(&self, line: &[u8]) -> bool {
        let wanted = beginning(self.seq);
        let there = line.iter().take_while(|byte| **byte != 0);
        there.zip(wanted.as_bytes()).all(|(found, wanted)| found == wanted)
    }

    /// Whether all of a sector, as far as it belongs to this tail, reads as zeros; looks at the first `length` bytes.
    fn lacks_sector(&self, length: usize) -> bool {
        let first = SECTOR - usize::try_from(self.start % SECTOR as u64).unwrap_or(0);
        let (head, others) = self.bytes.split_at(first.min(self.bytes.len()));
        let reached = length.saturating_sub(head.len()).div_ceil(SECTOR);
        let mut sectors = std::iter::once(head).chain(others.chunks(SECTOR).take(reached));
        sectors.any(|sector| sector.iter().all(|byte| *byte == 0))
    }
}
