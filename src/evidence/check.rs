//! Whether an archive is as drctl packed it.

use sha2::{Digest as _, Sha256};

use super::manifest::hex;
use super::{Files, Manifest, PublicKey, carried, names, pack, unpack};
use crate::engine::{End, Event, Outputs, Sight};
use crate::journal::{self, Hash, Record, chain_head};

/// An archive that is as it was packed.
#[derive(Debug)]
pub struct Checked {
    /// The run.
    pub run: String,
    /// How many files it holds.
    pub files: usize,
    /// The hash of every record of its journal, in order.
    pub chain: Vec<Hash>,
    /// Who vouches for it.
    pub signed: Signed,
}

/// Who vouches for an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    /// Nobody.
    Not,
    /// The key that was asked for; its fingerprint.
    By(String),
    /// A key that came with it, which anybody can make; its fingerprint.
    ByItself(String),
}

/// Checks every bit of an archive: its files against the manifest, the journal's chain, what the journal names, the
/// signature, and that there is nothing else in it.
///
/// # Errors
/// What is wrong with it, a line each.
pub fn check(bytes: &[u8], key: Option<&PublicKey>) -> Result<Checked, Vec<String>> {
    let one = |problem: String| vec![problem];
    let files = unpack(bytes).map_err(one)?;
    let text = |name: &str| files.get(name).ok_or_else(|| one(format!("`{name}` is missing")));
    let written: Manifest = serde_json::from_slice(text(names::MANIFEST)?)
        .map_err(|error| one(format!("`{}` cannot be read: {error}", names::MANIFEST)))?;
    let told = written.differs(&Manifest::of(&written.run, &written.chain_head, &files));
    if !told.is_empty() {
        return Err(told);
    }
    let (records, chain) = read_journal(text(names::JOURNAL)?).map_err(one)?;
    let run = match records.first().map(|record| &record.event) {
        Some(Event::RunStarted(started)) => started.run.clone(),
        _ => return Err(one("the journal does not begin with the start of a run".to_owned())),
    };
    let head = head(&chain);
    let found = Manifest::of(&run, &head, &files);
    let mut wrong = written.differs(&found);
    wrong.extend(missing(&records, &files));
    wrong.extend(other_head(&files, &head));
    if wrong.is_empty() && found.text().as_bytes() != text(names::MANIFEST)?.as_slice() {
        wrong.push(format!("`{}` is not as drctl writes it", names::MANIFEST));
    }
    let signed = signed(&files, key).unwrap_or_else(|problem| {
        wrong.push(problem);
        Signed::Not
    });
    // What is left are the bits between the files.
    if wrong.is_empty() && pack(&files).ok().as_deref() != Some(bytes) {
        wrong.push("it was not packed by `drctl evidence`: its headers, order or padding differ".to_owned());
    }
    if wrong.is_empty() { Ok(Checked { run, files: files.len(), chain, signed }) } else { Err(wrong) }
}

fn head(chain: &[Hash]) -> String {
    let last = journal::Seq(chain.len() as u64);
    chain.last().map_or_else(|| chain_head(last, &Hash::genesis()), |hash| chain_head(last, hash))
}

fn read_journal(bytes: &[u8]) -> Result<(Vec<Record<Event>>, Vec<Hash>), String> {
    let problem = |damage: journal::Damage| format!("`{}`: {damage}", names::JOURNAL);
    let read = journal::recover::<Event>(bytes).map_err(problem)?;
    if let Some(torn) = read.end.torn {
        return Err(format!("`{}`: line {} is not whole", names::JOURNAL, torn.line));
    }
    Ok((read.records, journal::chain(bytes).map_err(problem)?))
}

/// What the journal names, and is not there.
fn missing(records: &[Record<Event>], files: &Files) -> Vec<String> {
    let digests = |begin: &str| -> Vec<String> {
        let below = files.iter().filter(|(name, _)| name.starts_with(begin));
        below.map(|(_, bytes)| hex(&Sha256::digest(bytes))).collect()
    };
    let (pinned, outputs) = (digests(names::PINNED), digests(names::OUTPUTS));
    let mut said = Vec::new();
    for Record { event, .. } in records {
        let files = match event {
            Event::RunStarted(started) => started.pinned.as_slice(),
            Event::PlanChanged(changed) => changed.pinned.as_slice(),
            _ => &[],
        };
        let gone = files.iter().filter(|(_, digest)| !pinned.contains(&plain(digest)));
        said.extend(gone.map(|(name, _)| format!("the pinned file `{name}` is missing, or is another")));
        let kept = stored(event).filter(|digest| !outputs.contains(&plain(digest)));
        said.extend(kept.map(|digest| format!("the output `{digest}` is missing, or is another")));
    }
    said
}

fn plain(digest: &str) -> String {
    digest.strip_prefix("sha256:").unwrap_or(digest).to_owned()
}

/// The digest of what a step gave back, where it stands in a file.
fn stored(event: &Event) -> Option<&String> {
    let outputs = match event {
        Event::Outcome { end: End::Succeeded { outputs, .. }, .. } => outputs,
        Event::Observed { sight: Sight::Applied { outputs }, .. } => outputs,
        _ => return None,
    };
    match outputs {
        Outputs::Stored { digest, .. } => Some(digest),
        _ => None,
    }
}

/// A report of another journal than the one beside it.
fn other_head(files: &Files, head: &str) -> Vec<String> {
    let reports = files.iter().filter(|(name, _)| name.starts_with("report."));
    let other = reports.filter(|(_, bytes)| {
        let heads = carried(&String::from_utf8_lossy(bytes));
        !heads.iter().any(|found| found.seq.map(|seq| format!("{seq}:{}", found.hash)).as_deref() == Some(head))
    });
    other.map(|(name, _)| format!("`{name}` is of another journal, or of a part of this one")).collect()
}

fn signed(files: &Files, wanted: Option<&PublicKey>) -> Result<Signed, String> {
    let (signature, pem) = match (files.get(names::SIGNATURE), files.get(names::KEY), wanted) {
        (None, None, None) => return Ok(Signed::Not),
        (None, None, Some(_)) => return Err("it is not signed, and a signature was asked for".to_owned()),
        (Some(signature), Some(pem), _) => (signature, pem),
        _ => return Err(format!("`{}` and `{}` belong together, and one is missing", names::SIGNATURE, names::KEY)),
    };
    let own =
        PublicKey::read(&String::from_utf8_lossy(pem)).map_err(|problem| format!("`{}`: {problem}", names::KEY))?;
    if own.pem().as_bytes() != pem.as_slice() {
        return Err(format!("`{}` is not as drctl writes it", names::KEY));
    }
    if let Some(wanted) = wanted.filter(|wanted| **wanted != own) {
        let (wanted, own) = (wanted.fingerprint(), own.fingerprint());
        return Err(format!("it is signed by another key: wanted {wanted}, found {own}"));
    }
    let manifest = files.get(names::MANIFEST).map(Vec::as_slice).unwrap_or_default();
    if !own.signed(manifest, signature) {
        return Err(format!("`{}` is no signature of the manifest by `{}`", names::SIGNATURE, names::KEY));
    }
    let fingerprint = own.fingerprint();
    Ok(if wanted.is_some() { Signed::By(fingerprint) } else { Signed::ByItself(fingerprint) })
}
