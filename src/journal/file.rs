//! A journal in a file, written by a thread of its own. Whoever opens one holds the run's lock.
//!
//! The thread takes all that is queued, writes it with one call and syncs once, so a slow disk makes
//! batches larger, not the run slower. It is one dedicated thread, so that tests can count its calls.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use rustix::fs::{FallocateFlags, OFlags, fallocate, fcntl_setfl};
use rustix::io::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::line::Hash;
use super::recover::{Scanned, recover_with};
use super::writer::{Disk, Writer};
use super::{Durability, Journal, JournalError, Record, Seq};

/// Disk space set aside, so that a run whose disk fills up can still record how its steps ended.
const RESERVE: u64 = 1 << 20;

/// A journal in a file. Dropping it lets what is queued be written in the background; [`Journal::close`] waits for it.
pub struct FileJournal<E> {
    orders: mpsc::Sender<Order<E>>,
    durability: watch::Receiver<Durability>,
    thread: JoinHandle<Result<Seq, Arc<JournalError>>>,
}

/// A journal that is written on after its writer died.
pub struct Reopened<E> {
    /// The journal, to be appended to.
    pub journal: FileJournal<E>,
    /// The end of its records, all of them durable now, and what was torn.
    pub end: Scanned,
    /// The file beside the journal that keeps what was torn.
    pub torn_file: Option<PathBuf>,
}

enum Order<E> {
    Append(Vec<Record<E>>),
    TellUnsaved(mpsc::Sender<Vec<String>>),
}

impl<E: Serialize + Send + 'static> FileJournal<E> {
    /// Makes a new journal at `path`, where nothing may be yet.
    ///
    /// # Errors
    /// What the system said.
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        let file = create_private(path)
            .and_then(|file| {
                reserve(&file, 0)?;
                file.sync_all()?;
                sync_folder_of(path)?;
                Ok(file)
            })
            .map_err(JournalError::io("create", path))?;
        Self::start(file, path, Seq(0), Hash::genesis())
    }

    /// Goes on with the journal at `path`: hands each record to `on_record`, moves what a crash tore
    /// into `journal.torn-<n>` beside it, and makes the rest durable.
    ///
    /// # Errors
    /// What the system said, or where the file is not what a crash leaves; then it is not changed.
    pub fn recover_and_open(path: &Path, on_record: impl FnMut(Record<E>)) -> Result<Reopened<E>, JournalError>
    where
        E: DeserializeOwned,
    {
        let open = || {
            let mut file = open_own(path, OpenOptions::new().read(true).write(true))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok((file, bytes))
        };
        let (mut file, bytes) = open().map_err(JournalError::io("open", path))?;
        let end = recover_with(&bytes, on_record)
            .map_err(|damage| JournalError::Damaged { path: path.to_owned(), damage })?;
        let torn_file = repair(&mut file, path, &bytes, &end).map_err(JournalError::io("repair", path))?;
        Ok(Reopened { journal: Self::start(file, path, end.seq, end.hash.clone())?, end, torn_file })
    }

    fn start(file: File, path: &Path, last: Seq, hash: Hash) -> Result<Self, JournalError> {
        let disk = FileDisk { file, path: path.to_owned() };
        let writer = Writer::new(disk, last, hash);
        let durability = writer.durability();
        let (orders, queue) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || serve(writer, &queue))
            .map_err(JournalError::io("start a thread for", path))?;
        Ok(Self { orders, durability, thread })
    }
}

impl<E: Serialize + Send + 'static> Journal<E> for FileJournal<E> {
    fn append(&mut self, records: Vec<Record<E>>) {
        // Refused only when the thread is gone, of which the closed channel of the durability tells.
        self.orders.send(Order::Append(records)).ok();
    }

    fn durability(&self) -> watch::Receiver<Durability> {
        self.durability.clone()
    }

    fn unsaved(&self) -> Vec<String> {
        // Asked only after a failure: then the thread answers at once, for it no longer waits for the disk.
        if !matches!(*self.durability.borrow(), Durability::Failed(_)) {
            return Vec::new();
        }
        let (answer, answers) = mpsc::channel();
        self.orders.send(Order::TellUnsaved(answer)).ok();
        answers.recv().unwrap_or_default()
    }

    fn close(self: Box<Self>) -> Result<Seq, Arc<JournalError>> {
        drop(self.orders);
        self.thread.join().unwrap_or_else(|_| Err(Arc::new(JournalError::WriterGone)))
    }
}

/// The writing thread: ends when the journal is closed or dropped and the queue is empty.
fn serve<E: Serialize>(
    mut writer: Writer<FileDisk>,
    queue: &mpsc::Receiver<Order<E>>,
) -> Result<Seq, Arc<JournalError>> {
    while let Ok(first) = queue.recv() {
        let (mut batch, mut questions) = (Vec::new(), Vec::new());
        for order in std::iter::once(first).chain(queue.try_iter()) {
            match order {
                Order::Append(records) => batch.extend(records),
                Order::TellUnsaved(answer) => questions.push(answer),
            }
        }
        writer.write(&batch);
        for answer in questions {
            answer.send(writer.unsaved()).ok();
        }
    }
    writer.outcome()
}

struct FileDisk {
    file: File,
    path: PathBuf,
}

impl Disk for FileDisk {
    fn append_durably(&mut self, lines: &[u8]) -> Result<(), JournalError> {
        self.file.write_all(lines).map_err(JournalError::io("write to", &self.path))?;
        self.file.sync_data().map_err(JournalError::io("sync", &self.path))
    }
}

/// Cuts off what is torn, after saving it, and makes the rest durable. Gives the file it was saved in.
fn repair(file: &mut File, path: &Path, bytes: &[u8], end: &Scanned) -> io::Result<Option<PathBuf>> {
    let torn = if end.torn.is_some() {
        let saved = save_torn(path, bytes_from(bytes, end.valid_bytes))?;
        file.set_len(end.valid_bytes)?;
        Some(saved)
    } else {
        None
    };
    // After a failed sync the system may hold the last batch in memory and take it for written: write it anew.
    let proven = usize::try_from(end.proven_bytes).unwrap_or(bytes.len());
    let valid = usize::try_from(end.valid_bytes).unwrap_or(bytes.len());
    file.seek(SeekFrom::Start(end.proven_bytes))?;
    file.write_all(&bytes[proven..valid])?;
    reserve(file, end.valid_bytes)?;
    file.sync_all()?;
    sync_folder_of(path)?;
    fcntl_setfl(&*file, OFlags::APPEND)?;
    Ok(torn)
}

fn bytes_from(bytes: &[u8], start: u64) -> &[u8] {
    usize::try_from(start).ok().and_then(|start| bytes.get(start..)).unwrap_or_default()
}

/// Keeps torn bytes in the first free `journal.torn-<n>` beside the journal.
fn save_torn(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let mut number = 1_u64;
    loop {
        let beside = path.with_file_name(format!("journal.torn-{number}"));
        match create_private(&beside) {
            Ok(mut file) => {
                file.write_all(bytes)?;
                file.sync_all()?;
                sync_folder_of(path)?;
                return Ok(beside);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Opens a regular file that is no link.
pub(super) fn open_own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options.custom_flags(flags.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

/// A new file for this user alone, whatever the umask.
fn create_private(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .append(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Sets disk space aside beyond the end, where the file system can do that.
fn reserve(file: &File, end: u64) -> io::Result<()> {
    match rustix::io::retry_on_intr(|| fallocate(file, FallocateFlags::KEEP_SIZE, end, RESERVE)) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
