//! What an archive holds, by its own word. It follows from the other files, to the last letter.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Files, names};

/// The version of the manifest.
const FORMAT: u32 = 1;

/// The manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this document.
    pub drctl: u32,
    /// The run.
    pub run: String,
    /// The last record of the journal and its hash.
    pub chain_head: String,
    /// Every file but the manifest, its signature and the key.
    pub files: Vec<File>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: usize,
    /// Its SHA-256 in hexadecimal letters.
    pub sha256: String,
}

impl Manifest {
    /// Of these files.
    #[must_use]
    pub fn of(run: &str, chain_head: &str, files: &Files) -> Self {
        let own = [names::MANIFEST, names::SIGNATURE, names::KEY];
        let others = files.iter().filter(|(name, _)| !own.contains(&name.as_str()));
        let file = |(name, bytes): (&String, &Vec<u8>)| File {
            name: name.clone(),
            bytes: bytes.len(),
            sha256: hex(&Sha256::digest(bytes)),
        };
        let (run, chain_head) = (run.to_owned(), chain_head.to_owned());
        Self { drctl: FORMAT, run, chain_head, files: others.map(file).collect() }
    }

    /// As it stands in the archive.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// How the files differ from what this manifest says, in words; nothing where they do not.
    #[must_use]
    pub fn differs(&self, found: &Self) -> Vec<String> {
        let file = |manifest: &Self, name: &str| manifest.files.iter().find(|file| file.name == name).cloned();
        let mut said = Vec::new();
        for wanted in &self.files {
            match file(found, &wanted.name) {
                None => said.push(format!("`{}` is missing", wanted.name)),
                Some(file) if file != *wanted => said.push(format!("`{}` was changed", wanted.name)),
                Some(_) => {}
            }
        }
        let extra = found.files.iter().filter(|extra| file(self, &extra.name).is_none());
        said.extend(extra.map(|extra| format!("`{}` was added", extra.name)));
        if self.run != found.run {
            said.push(format!("the journal is that of run `{}`, the manifest's of `{}`", found.run, self.run));
        }
        if self.chain_head != found.chain_head {
            said.push(format!("the journal ends with {}, the manifest says {}", found.chain_head, self.chain_head));
        }
        said
    }
}

/// Hexadecimal letters.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
