//! The evidence of a run in one file: what happened, what it stood on, what came of it, and whether it is still so.
//!
//! ```text
//! MANIFEST.json       every other file with its size and SHA-256, the run, and the head of its journal
//! MANIFEST.json.sig   with a key: the ed25519 signature of the manifest, 64 bytes, as `openssl pkeyutl -rawin` writes it
//! key.pem             with a key: its public part
//! journal.jsonl       the journal
//! pinned/             the runbook, what it calls, settings and templates, as the run was started with
//! outputs/            large values, each named by its SHA-256
//! printed/            what processes printed; secrets are masked
//! notices/            what people were told
//! report.html .md .json
//! ```
//!
//! The archive is a plain tar file with fixed times, owners and order: the same content is the same file, bit for bit, so
//! that every bit of it counts, and nothing in it can be larger than the file itself. Pure: knows no files.

mod archive;
mod check;
mod heads;
mod manifest;
mod signature;

use std::collections::BTreeMap;

pub use archive::{LARGEST, pack, shortened, unpack};
pub use check::{Checked, Signed, check};
pub use heads::{Carried, carried, find};
pub use manifest::Manifest;
pub use signature::{PublicKey, SecretKey};

/// The content of an archive: files by their names.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The names of files that drctl itself looks for.
pub mod names {
    /// What every other file is.
    pub const MANIFEST: &str = "MANIFEST.json";
    /// The manifest's signature.
    pub const SIGNATURE: &str = "MANIFEST.json.sig";
    /// The key it was signed with.
    pub const KEY: &str = "key.pem";
    /// The journal.
    pub const JOURNAL: &str = "journal.jsonl";
    /// The report for programs.
    pub const REPORT: &str = "report.json";
    /// The folder of large values.
    pub const OUTPUTS: &str = "outputs/";
    /// How the folders of pinned files begin: there is one for each time the plan was replaced.
    pub const PINNED: &str = "pinned";
}

/// Adds the manifest, and its signature where there is a key.
#[must_use]
pub fn seal(mut files: Files, run: &str, chain_head: &str, key: Option<&SecretKey>) -> Files {
    let manifest = Manifest::of(run, chain_head, &files).text();
    if let Some(key) = key {
        files.insert(names::SIGNATURE.to_owned(), key.sign(manifest.as_bytes()).to_vec());
        files.insert(names::KEY.to_owned(), key.public().pem().into_bytes());
    }
    files.insert(names::MANIFEST.to_owned(), manifest.into_bytes());
    files
}
