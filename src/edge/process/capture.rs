//! Keeps what a process prints: both ends of it on disk, its size and its digest. Bounded in memory and on disk.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::folder::create_file;
use super::record::Stream;
use crate::edge::mask::Masker;

/// How much is kept of the beginning, and as much again of the end.
pub(super) const KEPT: usize = 1 << 20;
/// How much of the end is handed on as text.
const TAIL: usize = 4096;
/// How much is read at once. More would make the allocator tidy up after each process, which costs more than it saves.
const CHUNK: usize = 1 << 14;

/// One stream of a process on its way to a file, which is made when the first byte arrives.
pub(super) struct Capture<'a> {
    needles: &'a [String],
    /// Made with the first bytes: most processes print nothing.
    masker: Option<Masker>,
    sink: Sink,
}

struct Sink {
    path: PathBuf,
    file: Option<File>,
    hash: Sha256,
    size: u64,
    head: usize,
    /// The last [`KEPT`] bytes of all.
    last: VecDeque<u8>,
    problem: Option<String>,
}

impl<'a> Capture<'a> {
    pub(super) fn new(path: PathBuf, needles: &'a [String]) -> Self {
        Self {
            needles,
            masker: None,
            sink: Sink {
                path,
                file: None,
                hash: Sha256::new(),
                size: 0,
                head: 0,
                last: VecDeque::new(),
                problem: None,
            },
        }
    }

    /// Reads until the other end is closed. May be dropped at any time; what was read by then counts.
    pub(super) async fn read(&mut self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else { return };
        let mut chunk = Vec::with_capacity(CHUNK);
        while pipe.read_buf(&mut chunk).await.is_ok_and(|count| count > 0) {
            self.push(&chunk);
            chunk.clear();
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        let masker = self.masker.get_or_insert_with(|| Masker::new(self.needles));
        masker.push(bytes, &mut |piece| self.sink.take(piece));
    }

    /// Writes what is still missing and says what there was.
    pub(super) fn finish(mut self) -> Stream {
        if let Some(mut masker) = self.masker.take() {
            masker.finish(&mut |piece| self.sink.take(piece));
        }
        self.sink.write_end();
        Stream {
            size: self.sink.size,
            digest: format!("sha256:{}", hex(&self.sink.hash.clone().finalize())),
            tail: self.sink.tail(),
            problem: self.sink.problem,
        }
    }
}

impl Sink {
    fn take(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        let head = bytes.len().min(KEPT - self.head);
        self.head += head;
        self.write(&bytes[..head]);
        self.last.extend(&bytes[bytes.len().saturating_sub(KEPT)..]);
        self.last.drain(..self.last.len().saturating_sub(KEPT));
    }

    /// A full disk must not harm the process: its output goes on being read, and the loss is told.
    fn write(&mut self, bytes: &[u8]) {
        if bytes.is_empty() || self.problem.is_some() {
            return;
        }
        if let Err(error) = self.try_write(bytes) {
            self.problem = Some(format!("could not write `{}`: {error}", self.path.display()));
        }
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => self.file.insert(create_file(&self.path)?).write_all(bytes),
        }
    }

    fn write_end(&mut self) {
        let after_head = self.size - self.head as u64;
        let dropped = after_head.saturating_sub(KEPT as u64);
        if dropped > 0 {
            self.write(format!("\n[drctl: {dropped} bytes dropped]\n").as_bytes());
        }
        let kept = self.last_bytes(usize::try_from(after_head - dropped).unwrap_or(KEPT));
        self.write(&kept);
    }

    fn tail(&self) -> String {
        let bytes = self.last_bytes(TAIL);
        // A cut may have gone through a character.
        let cut = if self.size > TAIL as u64 { 3 } else { 0 };
        let rest = bytes.iter().take(cut).take_while(|byte| **byte & 0xC0 == 0x80).count();
        String::from_utf8_lossy(&bytes[rest..]).into_owned()
    }

    fn last_bytes(&self, count: usize) -> Vec<u8> {
        let skip = self.last.len().saturating_sub(count);
        self.last.range(skip..).copied().collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(text: &[u8]) -> (Stream, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stdout");
        let mut capture = Capture::new(path.clone(), &[]);
        text.chunks(CHUNK).for_each(|chunk| capture.push(chunk));
        (capture.finish(), std::fs::read(path).unwrap_or_default())
    }

    #[test]
    fn nothing_printed_makes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let stream = Capture::new(folder.path().join("stdout"), &[]).finish();
        assert_eq!(stream.digest, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn up_to_two_mebibytes_are_kept_whole() {
        let text: Vec<u8> = (0..2 * KEPT).map(|index| b'a' + (index % 23) as u8).collect();
        let (stream, kept) = captured(&text);
        assert_eq!((stream.size, stream.tail.len(), kept == text), (2 * KEPT as u64, TAIL, true));
    }

    #[test]
    fn of_more_than_that_both_ends_are_kept_and_the_loss_is_told() {
        let text: Vec<u8> = (0..2 * KEPT + 5).map(|index| b'a' + (index % 23) as u8).collect();
        let (_, kept) = captured(&text);
        let wanted = [&text[..KEPT], b"\n[drctl: 5 bytes dropped]\n", &text[KEPT + 5..]].concat();
        assert!(kept == wanted);
    }

    #[test]
    fn the_tail_starts_at_a_whole_character() {
        let (stream, _) = captured(("é".repeat(3000) + "x").as_bytes());
        assert!(stream.tail == "é".repeat(TAIL / 2 - 1) + "x");
        let (stream, _) = captured(b"\x80 raw");
        assert_eq!(stream.tail, "\u{fffd} raw");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_told_and_harms_nothing() {
        let mut capture = Capture::new(PathBuf::from("/nowhere/stdout"), &[]);
        capture.push(b"text");
        let stream = capture.finish();
        assert_eq!(stream.tail, "text");
        assert_eq!(
            stream.problem.as_deref(),
            Some("could not write `/nowhere/stdout`: No such file or directory (os error 2)")
        );
    }
}
