//! The folder of one run: what is where in it, and its large values.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::files::{read_own, sync_folder, write_durably};

/// The folder of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    pub(super) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The journal's file.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.0.join("journal.jsonl")
    }

    /// The file of the run's lock.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// The folder for decisions from other terminals.
    #[must_use]
    pub fn inbox(&self) -> PathBuf {
        self.0.join("inbox")
    }

    /// The folder of one attempt at a step, which the attempt makes. Each step path has its own.
    #[must_use]
    pub fn step(&self, path: &str, attempt: u32) -> PathBuf {
        self.0.join("steps").join(format!("{}.{attempt}", file_name(path)))
    }

    /// Whether no attempt at a step has left anything.
    #[must_use]
    pub fn has_no_steps(&self) -> bool {
        match std::fs::read_dir(self.0.join("steps")) {
            Ok(mut steps) => steps.next().is_none(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        }
    }

    /// The folder of large values, each in a file named by its digest.
    #[must_use]
    pub fn outputs(&self) -> PathBuf {
        self.0.join("outputs")
    }

    /// The folder of what the run was started with.
    #[must_use]
    pub fn pinned(&self) -> PathBuf {
        self.0.join("pinned")
    }

    /// Keeps a large value; gives its digest, such as `sha256:9f86..`, once it is durable.
    ///
    /// # Errors
    /// What the system said.
    pub fn put(&self, bytes: &[u8]) -> io::Result<String> {
        let name = hex_digest(bytes);
        let digest = format!("sha256:{name}");
        // One that is there already may have been spoiled.
        if self.get(&digest).is_ok() {
            sync_folder(&self.outputs())?;
        } else {
            write_durably(&self.outputs(), &name, bytes)?;
        }
        Ok(digest)
    }

    /// The value with this digest, checked against it.
    ///
    /// # Errors
    /// What the system said, or that the value is not the one that was kept.
    pub fn get(&self, digest: &str) -> io::Result<Vec<u8>> {
        let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
        let is_hex =
            |text: &&str| text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let Some(name) = digest.strip_prefix("sha256:").filter(is_hex) else {
            let found = digest.escape_debug();
            return Err(invalid(format!("wanted a digest such as `sha256:9f86..`, found `{found}`")));
        };
        let bytes = read_own(&self.outputs().join(name), u64::MAX)?;
        if hex_digest(&bytes) == name {
            Ok(bytes)
        } else {
            Err(invalid(format!("the file `outputs/{name}` was changed: its digest is another")))
        }
    }
}

/// A file name for any text; no two texts share one, even where the case of letters does not count.
fn file_name(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut name = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' => name.push(char::from(byte)),
            other => name.extend(format!("%{other:02x}").chars()),
        }
    }
    if name.len() <= LONGEST {
        return name;
    }
    // No other name has a `~`.
    name.truncate(LONGEST - 65);
    format!("{name}~{}", hex_digest(text.as_bytes()))
}

fn hex_digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
