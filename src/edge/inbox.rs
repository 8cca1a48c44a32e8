//! Decisions from other terminals: files that appear whole in a run's inbox, taken up in the order of their names.
//!
//! Knows nothing of what they say. The executor journals each once, by its id, then acknowledges it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::store::files::{allow_missing, create_folder_or_check, read_own, sync_folder, write_durably};
use crate::catalogue::Timestamp;

/// The most bytes a decision may have.
const LARGEST: u64 = 64 << 10;
const ENDING: &str = ".json";
const REFUSED: &str = "refused";

/// Puts a decision into the inbox `folder`; gives its id, made of the time and a random number, once it is durable.
///
/// # Errors
/// What the system said, or that the decision is too large.
pub fn deliver(folder: &Path, at: Timestamp, random: u32, decision: &impl Serialize) -> io::Result<String> {
    let bytes = serde_json::to_vec(decision)?;
    if bytes.len() as u64 > LARGEST {
        let problem = format!("a decision may have {} KiB, this has {} bytes", LARGEST >> 10, bytes.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    // As many digits always, so that names sort by time.
    let id = format!("{:015}-{random:08x}", at.0.max(0));
    write_durably(folder, &format!("{id}{ENDING}"), &bytes)?;
    Ok(id)
}

/// The decisions that wait in the inbox `folder`, oldest first, each with its id. One that cannot be
/// read is moved to the folder `refused` and comes with the reason.
///
/// # Errors
/// What the system said of the folder.
pub fn collect<D: DeserializeOwned>(folder: &Path) -> io::Result<Vec<(String, Result<D, String>)>> {
    let read = |id: String| {
        let decision = read(folder, &id).map_err(|reason| refuse(folder, &id, &reason));
        (id, decision)
    };
    Ok(ids(folder)?.into_iter().map(read).collect())
}

/// The decisions that wait, as [`collect`] would give them. Changes nothing, and passes over what cannot be read.
///
/// # Errors
/// What the system said of the folder.
pub fn waiting<D: DeserializeOwned>(folder: &Path) -> io::Result<Vec<(String, D)>> {
    let ids = ids(folder)?;
    Ok(ids.into_iter().filter_map(|id| read(folder, &id).ok().map(|decision| (id, decision))).collect())
}

/// Removes a decision that is journaled. One that is gone already is no error.
///
/// # Errors
/// What the system said, or that this is no id.
pub fn acknowledge(folder: &Path, id: &str) -> io::Result<()> {
    let name = format!("{id}{ENDING}");
    if id_of(OsStr::new(&name)).as_deref() != Some(id) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{}` is no decision", id.escape_debug())));
    }
    fs::remove_file(folder.join(name)).or_else(allow_missing)?;
    sync_folder(folder)
}

fn ids(folder: &Path) -> io::Result<Vec<String>> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(folder)? {
        ids.extend(id_of(&entry?.file_name()));
    }
    ids.sort();
    Ok(ids)
}

/// The id in a file's name; `None` for drafts and whatever else is no decision.
fn id_of(name: &OsStr) -> Option<String> {
    let id = name.to_str()?.strip_suffix(ENDING)?;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    ((1..=100).contains(&id.len()) && id.bytes().all(is_allowed)).then(|| id.to_owned())
}

fn read<D: DeserializeOwned>(folder: &Path, id: &str) -> Result<D, String> {
    let bytes = read_own(&folder.join(format!("{id}{ENDING}")), LARGEST).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| format!("it is no decision: {error}"))
}

/// Moves a decision out of the way; says why, and where it is.
fn refuse(folder: &Path, id: &str, reason: &str) -> String {
    let refused = folder.join(REFUSED);
    let name = format!("{id}{ENDING}");
    let moved = create_folder_or_check(&refused).and_then(|()| fs::rename(folder.join(&name), refused.join(&name)));
    match moved {
        Ok(()) => format!("{reason}; it was moved to `inbox/{REFUSED}/{name}`"),
        Err(error) => format!("{reason}; it could not be moved to `inbox/{REFUSED}/{name}`: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn decisions_arrive_in_order_and_stay_until_acknowledged() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let later = deliver(folder, Timestamp(1_795_218_000_000), 1, &"reject").unwrap();
        let first = deliver(folder, Timestamp(7), u32::MAX, &"approve").unwrap();
        assert_eq!(first, "000000000000007-ffffffff");
        let wanted = vec![(first.clone(), Ok("approve".to_owned())), (later.clone(), Ok("reject".to_owned()))];
        assert_eq!(collect::<String>(folder).unwrap(), wanted);
        let waiting: Vec<_> = waiting::<String>(folder).unwrap().into_iter().map(|(id, said)| (id, Ok(said))).collect();
        assert_eq!(waiting, wanted);
        let mode = fs::metadata(folder.join(format!("{first}.json"))).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        acknowledge(folder, &first).unwrap();
        acknowledge(folder, &first).unwrap();
        assert_eq!(collect::<String>(folder).unwrap(), wanted[1..]);
        assert_eq!(names(folder), [format!("{later}.json")]);
    }

    #[test]
    fn what_cannot_be_read_is_moved_aside_with_the_reason() {
        let outside = tempfile::tempdir().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let secret = outside.path().join("secret");
        fs::write(&secret, "\"secret\"").unwrap();
        symlink(&secret, folder.join("a.json")).unwrap();
        fs::write(folder.join("b.json"), "{").unwrap();
        fs::write(folder.join("c.json"), format!("\"{}\"", "x".repeat(64 << 10))).unwrap();
        fs::create_dir(folder.join("d.json")).unwrap();
        fs::write(folder.join(".e.json"), "\"a draft\"").unwrap();
        fs::write(folder.join("f g.json"), "\"no id\"").unwrap();
        fs::write(folder.join("h.json"), "\"good\"").unwrap();
        let moved = |id: &str, reason: &str| {
            let text = format!("{reason}; it was moved to `inbox/refused/{id}.json`");
            (id.to_owned(), Err(text))
        };
        let good = ("h".to_owned(), Ok("good".to_owned()));
        let wanted = vec![
            moved("a", "it is a link"),
            moved("b", "it is no decision: invalid type: map, expected a string at line 1 column 0"),
            moved("c", "it is larger than 64 KiB"),
            moved("d", "it is not a regular file"),
            good.clone(),
        ];
        assert_eq!(collect::<String>(folder).unwrap(), wanted);
        assert_eq!(collect::<String>(folder).unwrap(), [good]);
        assert_eq!(names(&folder.join("refused")), ["a.json", "b.json", "c.json", "d.json"]);
        assert_eq!(fs::read_to_string(secret).unwrap(), "\"secret\"");
    }

    #[test]
    fn a_decision_that_is_too_large_is_not_delivered() {
        let folder = tempfile::tempdir().unwrap();
        let error = deliver(folder.path(), Timestamp(0), 0, &"x".repeat(64 << 10)).unwrap_err();
        assert_eq!(error.to_string(), "a decision may have 64 KiB, this has 65538 bytes");
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[test]
    fn only_decisions_can_be_acknowledged() {
        let folder = tempfile::tempdir().unwrap();
        for id in ["", "../journal", "a/b", "."] {
            assert!(acknowledge(folder.path(), id).is_err(), "{id}");
        }
    }
}
