//! The folder of an attempt: its files, and how they are written so that they survive a crash.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::capture::KEPT;
use super::command::absolute;
use super::lock;
use super::record::{End, Started, Stream, Written};
use crate::edge::mask::Masker;

const STARTED: &str = "started.json";
const EXIT: &str = "exit.json";
const OUTPUTS: &str = "outputs.json";
const OUTPUT: &str = "output.json";
/// The most a process may write to the file named in `$DRCTL_OUTPUT`.
const OUTPUTS_LIMIT: u64 = 256 << 10;
/// Disk space set aside for the record of an end while the process runs: a disk that fills up loses no end.
const RESERVE: u64 = 16 << 10;

/// The folder of one attempt.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// The folder at `path`, which need not be there yet.
    pub(super) fn at(path: &Path) -> Self {
        Self(absolute(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folder, for this user alone.
    pub(super) fn create(&self) -> io::Result<()> {
        match private_folder().create(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => private_folder().recursive(true).create(&self.0),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    /// Makes the folder so that it is still there after a power loss.
    pub(super) fn create_durably(&self) -> io::Result<()> {
        create_durably(&self.0)
    }

    /// The file that `$DRCTL_OUTPUT` names.
    pub(super) fn outputs(&self) -> PathBuf {
        self.0.join(OUTPUTS)
    }

    /// Takes the lock and removes what an earlier start left; `None` if something of that still lives.
    pub(super) fn take_lock(&self) -> io::Result<Option<File>> {
        let lock = lock::take(&self.0.join("lock"))?;
        if lock.is_some() {
            self.clear()?;
        }
        Ok(lock)
    }

    fn clear(&self) -> io::Result<()> {
        for name in ["stdout", "stderr", OUTPUTS, OUTPUT] {
            match fs::remove_file(self.0.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn is_locked(&self) -> io::Result<bool> {
        lock::is_held(&self.0.join("lock"))
    }

    /// Whether a supervisor may have started its process.
    pub(super) fn has_started(&self) -> bool {
        // Whatever cannot be looked at may be there.
        self.0.join(STARTED).try_exists().unwrap_or(true)
    }

    pub(super) fn started(&self) -> io::Result<Option<Started>> {
        read(&self.0.join(STARTED))
    }

    pub(super) fn end(&self) -> io::Result<Option<End>> {
        read(&self.0.join(EXIT))
    }

    /// Returns once it is durable that a process is about to be started, and there is room to say how it ended.
    pub(super) fn record_start(&self, started: &Started) -> io::Result<()> {
        reserve(&draft(&self.0, EXIT)).map_err(|error| could_not_write(EXIT, &error))?;
        write_durably(&self.0, STARTED, started)
    }

    /// Returns once it is durable how the process ended: at least that, where there is no room for all it said.
    pub(super) fn record_end(&self, end: &End) -> io::Result<()> {
        write_durably(&self.0, EXIT, end).or_else(|error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                write_durably(&self.0, EXIT, &end.without_words(&error.to_string()))
            }
            _ => Err(error),
        })
    }

    /// Writes sizes and digests of what was printed, if anything was. Losing this loses no outcome.
    pub(super) fn record_output(&self, stdout: &Stream, stderr: &Stream) {
        if stdout.size + stderr.size > 0 {
            let part = |stream: &Stream| serde_json::json!({"size": stream.size, "digest": stream.digest});
            let text = serde_json::json!({"stdout": part(stdout), "stderr": part(stderr)}).to_string();
            create_file(&self.0.join(OUTPUT)).and_then(|mut file| file.write_all(text.as_bytes())).ok();
        }
    }

    /// Reads what the process wrote to `$DRCTL_OUTPUT`, masked, and removes it, for it may hold secrets.
    pub(super) fn take_outputs(&self, needles: &[String]) -> Written {
        let path = self.outputs();
        let written = match read_outputs(&path) {
            Ok(bytes) => String::from_utf8(Masker::new(needles).mask(&bytes))
                .map_or_else(|_| Written::Refused("is not UTF-8 text".to_owned()), Written::Text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Written::Nothing,
            Err(error) => Written::Refused(error.to_string()),
        };
        fs::remove_file(path).ok();
        written
    }
}

/// Whether what is kept of a stream in the folder of an attempt is only its beginning, for the process has not ended.
#[must_use]
pub fn is_beginning(folder: &Path, kept: &[u8]) -> bool {
    kept.len() >= KEPT && !folder.join(OUTPUT).exists()
}

fn private_folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

fn create_durably(path: &Path) -> io::Result<()> {
    let Some(parent) = path.parent() else { return Ok(()) };
    match private_folder().create(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_durably(parent)?;
            private_folder().create(path)?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => return Ok(()),
        other => other?,
    }
    File::open(parent)?.sync_all()
}

/// A new, empty file for this user alone.
pub(super) fn create_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).custom_flags(nofollow()).open(path)
}

fn nofollow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}

/// The process made this file, so it may be anything: a pipe nobody writes to, a link to a device.
fn read_outputs(path: &Path) -> io::Result<Vec<u8>> {
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(nofollow() | nonblock).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(OUTPUTS_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > OUTPUTS_LIMIT {
        return Err(io::Error::other(format!("is larger than {} KiB", OUTPUTS_LIMIT >> 10)));
    }
    Ok(bytes)
}

/// A reader, or a machine after a power loss, sees the whole file or none. What was set aside for the draft is used.
fn write_durably(folder: &Path, name: &str, value: &impl Serialize) -> io::Result<()> {
    let write = || {
        let draft = draft(folder, name);
        let text = serde_json::to_vec(value)?;
        let mut file = open_draft(&draft)?;
        file.write_all(&text)?;
        file.set_len(text.len() as u64)?;
        file.sync_all()?;
        fs::rename(draft, folder.join(name))?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|error| could_not_write(name, &error))
}

fn could_not_write(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("could not write `{name}`: {error}"))
}

fn draft(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.draft"))
}

/// Not cut off, so that the space set aside for it stays its own.
fn open_draft(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).custom_flags(nofollow()).open(path)
}

/// Sets disk space aside, where the file system can do that.
fn reserve(path: &Path) -> io::Result<()> {
    let file = open_draft(path)?;
    match rustix::io::retry_on_intr(|| fallocate(&file, FallocateFlags::KEEP_SIZE, 0, RESERVE)) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
