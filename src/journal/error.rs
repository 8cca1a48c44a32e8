//! Why a journal could not be read or written.

use std::io;
use std::path::{Path, PathBuf};

use super::line::MAX_LINE;
use super::{Damage, Seq};

/// Why a journal could not be read or written. The first one while writing is final.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system refused something.
    #[error("could not {doing} the journal `{}`: {source}", path.display())]
    Io {
        /// What was attempted, such as `write to`.
        doing: &'static str,
        /// The journal.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what a crash leaves of a journal.
    #[error("the journal `{}` is damaged: {damage}", path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Where and why.
        damage: Damage,
    },
    /// A record takes too much room.
    #[error(
        "record {seq} takes {size} bytes; at most {MAX_LINE} fit a line: keep large values in a file of the run and journal their digest"
    )]
    TooLong {
        /// The record.
        seq: Seq,
        /// Bytes of its line.
        size: usize,
    },
    /// A record that could not be read back.
    #[error("record {seq} cannot be written: {reason}")]
    Unwritable {
        /// The record.
        seq: Seq,
        /// What is wrong with it.
        reason: String,
    },
    /// The thread that writes is gone, through a mistake in drctl.
    #[error("the journal's writer stopped unexpectedly; what was durable is safe: resume the run")]
    WriterGone,
}

impl JournalError {
    /// Wraps what the system said while `doing` something to the journal at `path`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}
