//! A stream that cannot harm a run: writing never waits for the reader, and the first error ends it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// How much is kept for a slow reader before the stream is given up.
const PATIENCE: usize = 16 * 1024 * 1024;
/// A pipe that is said to be writable takes this much at once without making the writer wait.
const PIECE: usize = 4096;

/// One output stream: what it could not take yet, and whether it is still in use.
#[derive(Debug)]
pub(super) struct Stream {
    to: Option<OwnedFd>,
    waiting: Vec<u8>,
}

impl Stream {
    /// A stream to a copy of this descriptor; off from the start where there is none.
    pub(super) fn to(descriptor: impl AsFd) -> Self {
        Self { to: descriptor.as_fd().try_clone_to_owned().ok(), waiting: Vec::new() }
    }

    /// Adds text; [`Self::flush`] writes it.
    pub(super) fn push(&mut self, text: &str) {
        if self.to.is_some() {
            self.waiting.extend_from_slice(text.as_bytes());
        }
        if self.waiting.len() > PATIENCE {
            self.flush(Duration::ZERO);
        }
        if self.waiting.len() > PATIENCE {
            self.switch_off();
        }
    }

    /// Adds a line.
    pub(super) fn line(&mut self, line: &str) {
        self.push(line);
        self.push("\n");
    }

    /// Columns and rows, where this is a terminal.
    pub(super) fn size(&self) -> Option<(u16, u16)> {
        let size = rustix::termios::tcgetwinsize(self.to.as_ref()?).ok()?;
        (size.ws_col > 0).then_some((size.ws_col, size.ws_row))
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Writes what waits; waits at most `patience` for the reader, each time it takes nothing.
    pub(super) fn flush(&mut self, patience: Duration) {
        let mut written = 0;
        while let Some(to) = &self.to
            && written < self.waiting.len()
        {
            if !takes_more(to.as_fd(), patience) {
                break;
            }
            let end = self.waiting.len().min(written + PIECE);
            match rustix::io::write(to, &self.waiting[written..end]) {
                Ok(count) => written += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => return self.switch_off(),
            }
        }
        drop(self.waiting.drain(..written));
    }

    fn switch_off(&mut self) {
        self.to = None;
        self.waiting = Vec::new();
    }
}

/// Whether the reader takes more. An error counts as yes: the write then tells which.
fn takes_more(to: BorrowedFd<'_>, patience: Duration) -> bool {
    let mut ports = [PollFd::from_borrowed_fd(to, PollFlags::OUT)];
    let timeout = Timespec::try_from(patience).ok();
    !matches!(poll(&mut ports, timeout.as_ref()), Ok(0))
}

/// Waits until something can be read; whether it can.
pub(super) fn can_read(from: BorrowedFd<'_>, patience: Duration) -> bool {
    let mut ports = [PollFd::from_borrowed_fd(from, PollFlags::IN)];
    let timeout = Timespec::try_from(patience).ok();
    matches!(poll(&mut ports, timeout.as_ref()), Ok(1..))
}

/// Reads what is there, as text.
///
/// # Errors
/// The end of the input, or that it is gone.
pub(super) fn read_some(from: BorrowedFd<'_>) -> io::Result<String> {
    let mut buffer = [0_u8; 4096];
    match rustix::io::read(from, &mut buffer) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(count) => Ok(String::from_utf8_lossy(&buffer[..count]).into_owned()),
        Err(Errno::INTR | Errno::AGAIN) => Ok(String::new()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Read as _;

    #[test]
    fn what_is_written_arrives_whole_and_in_order() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let mut stream = Stream::to(&writer);
        let text: String = (0..20_000).map(|number| format!("line {number}\n")).collect();
        stream.push(&text);
        stream.flush(Duration::ZERO);
        assert!(!stream.is_idle(), "a pipe takes only so much");
        drop(writer);
        let reading = std::thread::spawn(move || {
            let mut all = String::new();
            File::from(reader).read_to_string(&mut all).map(|_| all)
        });
        stream.flush(Duration::from_secs(5));
        drop(stream);
        assert_eq!(reading.join().unwrap().unwrap(), text);
    }

    #[test]
    fn a_full_disk_and_a_closed_pipe_switch_the_stream_off() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        drop(reader);
        for mut stream in [Stream::to(&full), Stream::to(&writer)] {
            stream.line("lost");
            stream.flush(Duration::ZERO);
            assert!(stream.to.is_none() && stream.is_idle());
            stream.line("lost too");
            assert!(stream.is_idle());
        }
    }

    #[test]
    fn a_reader_that_never_reads_makes_nobody_wait_and_costs_only_so_much() {
        let (_reader, writer) = rustix::pipe::pipe().unwrap();
        let mut stream = Stream::to(&writer);
        let line = "x".repeat(1024 * 1024);
        for _ in 0..32 {
            stream.line(&line);
        }
        assert!(stream.to.is_none() && stream.is_idle());
    }
}
