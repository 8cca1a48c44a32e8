//! Files and folders for this user alone that survive a power loss.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::edge::ids::random_u32;

/// Makes a folder and those above it that are missing.
pub(in crate::edge) fn create_folders(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.exists() => create_folders(parent)?,
        _ => {}
    }
    create_folder_or_check(path)
}

pub(in crate::edge) fn create_folder_or_check(path: &Path) -> io::Result<()> {
    match create_folder(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_folder(path),
        other => other,
    }
}

/// Makes a folder for this user alone, whatever the umask; it is still there after a power loss.
pub(in crate::edge) fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path).map_err(about(path))?;
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(about(path))?;
    sync_folder(path)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync_folder(parent.unwrap_or(Path::new(".")))
}

/// Whether a folder is one, and no link to somewhere else.
pub(in crate::edge) fn check_folder(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path).map_err(about(path))?.is_dir() {
        return Ok(());
    }
    let problem = "wanted a folder, found a link or a file: move it away or name another state folder with `--state`";
    Err(about(path)(io::Error::new(io::ErrorKind::NotADirectory, problem)))
}

/// Puts the path before what the system said, which names none.
pub(in crate::edge) fn about(path: &Path) -> impl Fn(io::Error) -> io::Error {
    let path = path.display().to_string();
    move |error| io::Error::new(error.kind(), format!("`{path}`: {error}"))
}

pub(in crate::edge) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(about(path))
}

/// Writes a file for this user alone, whatever the umask. Others, or this machine after a power loss,
/// see the whole file or none.
pub(in crate::edge) fn write_durably(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let draft = folder.join(format!(".{name}.{:08x}.tmp", random_u32()?));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file
        .set_permissions(Permissions::from_mode(0o600))
        .and_then(|()| file.write_all(bytes))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&draft, folder.join(name)));
    if written.is_err() {
        fs::remove_file(&draft).ok();
    }
    written.and_then(|()| sync_folder(folder))
}

/// Nothing to do about a file that is not there.
pub(in crate::edge) fn allow_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Reads a regular file that is no link and has at most this many bytes.
pub(in crate::edge) fn read_own(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path).map_err(|error| {
        match Errno::from_io_error(&error) {
            Some(Errno::LOOP) => io::Error::other("it is a link"),
            _ => error,
        }
    })?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {} KiB", limit >> 10)));
    }
    Ok(bytes)
}
