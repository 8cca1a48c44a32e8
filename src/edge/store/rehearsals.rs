//! What rehearsals came to: a file of lines that only grows, and is begun anew before it grows large.
//!
//! ```text
//! rehearsals.jsonl   rehearsals.old.jsonl
//! ```

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::fs::OFlags;

use super::Store;
use super::files::{about, allow_missing, create_folders, read_own};

/// The lines, and those before them.
const FILES: [&str; 2] = ["rehearsals.jsonl", "rehearsals.old.jsonl"];
/// Some thousands of rehearsals: where there are more, the file is begun anew, and the one before it is let go.
const LARGEST: u64 = 2 << 20;
/// What a file may have at most: one append may go beyond the size at which it is begun anew.
const LARGEST_READ: u64 = 16 << 20;

impl Store {
    /// Adds lines; those of several processes at a time come one after the other.
    ///
    /// # Errors
    /// What the system said, with the path.
    pub fn add_rehearsals(&self, lines: &[String]) -> io::Result<()> {
        create_folders(&self.root)?;
        let [file, old] = FILES.map(|name| self.root.join(name));
        if fs::symlink_metadata(&file).is_ok_and(|about| about.len() > LARGEST) {
            fs::rename(&file, old).or_else(allow_missing).map_err(about(&file))?;
        }
        let flags = OFlags::NOFOLLOW.bits().cast_signed();
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(&file);
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        opened.and_then(|mut file| file.write_all(text.as_bytes())).map_err(about(&file))
    }

    /// The lines, the oldest first; none where there is no file.
    ///
    /// # Errors
    /// What the system said, with the path.
    pub fn rehearsals(&self) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        for name in FILES.iter().rev() {
            let path = self.root.join(name);
            match read_own(&path, LARGEST_READ) {
                Ok(bytes) => lines.extend(String::from_utf8_lossy(&bytes).lines().map(str::to_owned)),
                Err(error) => allow_missing(error).map_err(about(&path))?,
            }
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_added_and_a_large_file_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("state"));
        assert_eq!(store.rehearsals().unwrap(), [""; 0]);
        store.add_rehearsals(&["one".to_owned(), "two".to_owned()]).unwrap();
        store.add_rehearsals(&["x".repeat(3 << 20)]).unwrap();
        store.add_rehearsals(&["last".to_owned()]).unwrap();
        let lines = store.rehearsals().unwrap();
        assert_eq!((lines.len(), lines[0].as_str(), lines[3].as_str()), (4, "one", "last"));
        assert_eq!(fs::read_to_string(folder.path().join("state/rehearsals.jsonl")).unwrap(), "last\n");
        store.add_rehearsals(&["x".repeat(3 << 20)]).unwrap();
        store.add_rehearsals(&["newest".to_owned()]).unwrap();
        assert_eq!(store.rehearsals().unwrap().len(), 3);
    }

    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("elsewhere"), "mine\n").unwrap();
        std::os::unix::fs::symlink("elsewhere", folder.path().join(FILES[0])).unwrap();
        let store = Store::new(folder.path().to_owned());
        assert!(store.add_rehearsals(&["one".to_owned()]).is_err());
        assert!(store.rehearsals().is_err());
        assert_eq!(fs::read_to_string(folder.path().join("elsewhere")).unwrap(), "mine\n");
    }
}
