//! A power cut: the run's folder goes back to what the system calls had made durable, and not a byte more.
//!
//! Read from a log of `strace -f -y`. The worst that may happen is taken: what was written after the last sync of a file
//! is gone, and so is every name that no sync of its folder has followed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The system calls that the log has to hold.
pub const CALLS: &str = "trace=openat,write,pwrite64,writev,copy_file_range,sendfile,ftruncate,fdatasync,fsync,mkdir,\
                         rename,renameat,renameat2,unlink,unlinkat";

/// What is known of a file or a folder that was made under the eyes of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    /// Bytes written by now, as far as the log tells.
    written: u64,
    /// As many of them are durable.
    durable: u64,
    /// Whether its name is.
    named: bool,
    is_folder: bool,
}

/// What a log says of all that was made.
#[derive(Debug, Default)]
pub struct Disk {
    made: BTreeMap<PathBuf, Entry>,
    /// What a sync under way will have made durable, by the process that waits for it.
    syncing: BTreeMap<String, u64>,
    /// The first half of a call, by process.
    begun: BTreeMap<String, String>,
    /// Whether syncs of files count: without, it is as if drctl made none.
    syncs: bool,
}

impl Disk {
    /// Reads the log.
    pub fn read(log: &str, syncs: bool) -> Self {
        let mut disk = Self { syncs, ..Self::default() };
        for line in log.lines() {
            let (process, call) = line.split_once(char::is_whitespace).unwrap_or(("", line));
            disk.line(process, call.trim_start());
        }
        disk
    }

    fn line(&mut self, process: &str, call: &str) {
        let first = match (call.strip_prefix("<... "), call.strip_suffix("<unfinished ...>")) {
            (None, begun) => {
                let begun = begun.unwrap_or(call);
                self.begin(process, begun);
                if call.ends_with("<unfinished ...>") {
                    self.begun.insert(process.to_owned(), begun.to_owned());
                    return;
                }
                call.to_owned()
            }
            (Some(rest), _) => {
                let rest = rest.split_once("resumed>").map_or("", |(_, rest)| rest);
                self.begun.remove(process).unwrap_or_default() + rest
            }
        };
        if let Some((call, result)) = first.rsplit_once(" = ") {
            // `3</path>`, `27`, `-1 EIO (...)`.
            let result: String = result.chars().take_while(|found| found.is_ascii_digit()).collect();
            if let Ok(result) = result.parse() {
                self.end(process, call.trim_end(), result);
            }
        }
    }

    /// What is written before a sync begins is what it makes durable.
    fn begin(&mut self, process: &str, call: &str) {
        if call.starts_with("fdatasync(") || call.starts_with("fsync(") {
            let written = descriptor(call).and_then(|path| self.made.get(&path)).map_or(0, |entry| entry.written);
            self.syncing.insert(process.to_owned(), written);
        }
    }

    fn end(&mut self, process: &str, call: &str, result: u64) {
        let (name, _) = call.split_once('(').unwrap_or((call, ""));
        let paths = quoted(call);
        match (name, descriptor(call), paths.as_slice()) {
            ("openat", _, [path]) if call.contains("O_CREAT") => {
                let entry = self.made.entry(path.clone()).or_default();
                if call.contains("O_TRUNC") {
                    (entry.written, entry.durable) = (0, 0);
                }
            }
            ("mkdir", _, [path]) => {
                self.made.insert(path.clone(), Entry { is_folder: true, ..Entry::default() });
            }
            ("write" | "pwrite64" | "writev" | "sendfile", Some(path), _) => self.grow(&path, result),
            ("copy_file_range", ..) => {
                let written = call.rsplit(", ").find_map(descriptor);
                written.iter().for_each(|path| self.grow(path, result));
            }
            ("fdatasync" | "fsync", Some(path), _) => self.synced(process, &path),
            ("rename" | "renameat" | "renameat2", _, [from, to]) => {
                if let Some(entry) = self.made.remove(from) {
                    // What it takes the place of may be there still: either is whole.
                    let named = self.made.get(to).is_some_and(|old| old.named);
                    self.made.insert(to.clone(), Entry { named, ..entry });
                }
            }
            ("unlink" | "unlinkat", _, [path]) => drop(self.made.remove(path)),
            _ => {}
        }
    }

    fn grow(&mut self, path: &Path, bytes: u64) {
        self.made.entry(path.to_owned()).and_modify(|entry| entry.written += bytes);
    }

    fn synced(&mut self, process: &str, path: &Path) {
        let written = self.syncing.remove(process).unwrap_or(0);
        if !self.syncs {
            return;
        }
        if let Some(entry) = self.made.get_mut(path) {
            entry.durable = entry.durable.max(written);
        }
        for (inside, entry) in &mut self.made {
            entry.named |= inside.parent() == Some(path);
        }
    }

    /// Takes from `folder` all that is not durable; what that was.
    pub fn cut(&self, folder: &Path) -> Vec<String> {
        let mut lost = Vec::new();
        for (path, entry) in self.made.iter().filter(|(path, _)| path.starts_with(folder) && path.exists()) {
            match entry {
                Entry { named: false, is_folder: true, .. } => fs::remove_dir_all(path).unwrap(),
                Entry { named: false, .. } => fs::remove_file(path).unwrap(),
                Entry { is_folder: true, .. } => continue,
                Entry { written, durable, .. } if written == durable => continue,
                Entry { durable, .. } => {
                    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(*durable).unwrap();
                }
            }
            lost.push(format!("{}: {entry:?}\n", path.display()));
        }
        lost
    }
}

/// The file behind the first descriptor of a call: `write(3</r/journal>, ...`.
fn descriptor(call: &str) -> Option<PathBuf> {
    let (_, rest) = call.split_once('<')?;
    Some(PathBuf::from(rest.split_once('>')?.0))
}

/// The paths that a call names, each within the folder that stands before it.
fn quoted(call: &str) -> Vec<PathBuf> {
    let parts: Vec<&str> = call.split('"').collect();
    let named = parts.iter().enumerate().filter(|(at, _)| at % 2 == 1);
    let within = |at: usize| {
        let (_, folder) = parts[at - 1].rsplit_once('<')?;
        Some(PathBuf::from(folder.split_once('>')?.0))
    };
    named.map(|(at, name)| within(at).unwrap_or_default().join(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_synced_is_durable_and_only_names_whose_folder_was() {
        let log = "\
1 mkdir(\"/r\", 0700) = 0
1 openat(AT_FDCWD</>, \"r/journal\", O_WRONLY|O_CREAT, 0600) = 3</r/journal>
1 write(3</r/journal>, \"abc\", 3) = 3
1 fdatasync(3</r/journal> <unfinished ...>
2 write(3</r/journal>, \"de\", 2) = 2
1 <... fdatasync resumed>) = 0
1 fsync(4</r>) = 0
1 openat(AT_FDCWD</r>, \"draft\", O_WRONLY|O_CREAT|O_TRUNC, 0600) = 5</r/draft>
1 write(5</r/draft>, \"x\", 1) = 1
1 fsync(5</r/draft>) = -1 EIO (Input/output error)
1 rename(\"/r/draft\", \"/r/end\") = 0
";
        let entry = |written, durable, named, is_folder| Entry { written, durable, named, is_folder };
        let found: Vec<(String, Entry)> =
            Disk::read(log, true).made.into_iter().map(|(path, entry)| (path.display().to_string(), entry)).collect();
        let wanted = [
            ("/r", entry(0, 0, false, true)),
            ("/r/end", entry(1, 0, false, false)),
            ("/r/journal", entry(5, 3, true, false)),
        ];
        assert_eq!(found, wanted.map(|(path, entry)| (path.to_owned(), entry)));
    }
}
