//! What kind of file system a folder is on, and how much room it has.

use std::io;
use std::path::Path;

use rustix::fs::{StatFs, statfs};

/// How well what is written there is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// On a disk of this machine.
    Locally,
    /// Until the machine, or the container, ends.
    UntilTheEnd,
    /// On another machine: locks and syncs mean what that one makes of them.
    Elsewhere,
    /// Nothing is known of this kind.
    Unknown,
}

/// A file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// Its kind, such as `ext4`; its number where the name is not known.
    pub kind: String,
    /// How well it keeps what is written.
    pub keeps: Keeps,
    /// The bytes this user may still write.
    pub free: u64,
}

/// The kinds, by the number the system gives them (linux/magic.h).
const KINDS: &[(u32, &str, Keeps)] = &[
    (0xef53, "ext4", Keeps::Locally),
    (0x5846_5342, "xfs", Keeps::Locally),
    (0x9123_683e, "btrfs", Keeps::Locally),
    (0x2fc1_2fc1, "zfs", Keeps::Locally),
    (0xf2f5_2010, "f2fs", Keeps::Locally),
    (0x0102_1994, "tmpfs", Keeps::UntilTheEnd),
    (0x8584_58f6, "ramfs", Keeps::UntilTheEnd),
    (0x794c_7630, "overlay", Keeps::UntilTheEnd),
    (0x6969, "nfs", Keeps::Elsewhere),
    (0xff53_4d42, "cifs", Keeps::Elsewhere),
    (0xfe53_4d42, "smb2", Keeps::Elsewhere),
    (0x517b, "smb", Keeps::Elsewhere),
    (0x6573_5546, "fuse", Keeps::Elsewhere),
    (0x0102_1997, "9p", Keeps::Elsewhere),
    (0x00c3_6400, "ceph", Keeps::Elsewhere),
    (0x5346_414f, "afs", Keeps::Elsewhere),
];

/// The file system that the folder is on.
///
/// # Errors
/// What the system said.
pub fn of(folder: &Path) -> io::Result<FileSystem> {
    let about: StatFs = statfs(folder)?;
    let number = u32::try_from(about.f_type & 0xffff_ffff).unwrap_or_default();
    let known = KINDS.iter().find(|(kind, ..)| *kind == number);
    let (kind, keeps) =
        known.map_or_else(|| (format!("{number:#x}"), Keeps::Unknown), |(_, name, keeps)| ((*name).to_owned(), *keeps));
    Ok(FileSystem { kind, keeps, free: about.f_bavail.saturating_mul(u64::try_from(about.f_bsize).unwrap_or(0)) })
}
