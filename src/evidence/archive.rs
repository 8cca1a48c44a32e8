//! A tar file of which there is only one for the same content.

use std::io::{self, Read as _};

use sha2::{Digest as _, Sha256};
use tar::{Archive, Builder, EntryType, Header};

use super::Files;

/// The most bytes an archive may have.
pub const LARGEST: u64 = 1 << 30;
/// The most bytes a name may have, and each of its parts: what the plainest kind of tar file has room for.
const LONGEST_NAME: usize = 200;
const LONGEST_PART: usize = 90;

/// The files as one archive.
///
/// # Errors
/// A name has no room in a tar file, or it is larger than [`LARGEST`].
pub fn pack(files: &Files) -> io::Result<Vec<u8>> {
    let size: u64 = files.values().map(|bytes| bytes.len() as u64 + 1024).sum();
    if size > LARGEST {
        return Err(io::Error::other(format!("it would be larger than {} MiB", LARGEST >> 20)));
    }
    let mut builder = Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = Header::new_ustar();
        header.set_path(name)?;
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_entry_type(EntryType::Regular);
        header.set_cksum();
        builder.append(&header, bytes.as_slice())?;
    }
    builder.into_inner()
}

/// The files of an archive; nothing is written anywhere.
///
/// # Errors
/// A sentence: it is no archive of drctl's.
pub fn unpack(bytes: &[u8]) -> Result<Files, String> {
    let problem = |error: io::Error| format!("it is no archive of `drctl evidence`: {error}");
    let mut files = Files::new();
    let mut archive = Archive::new(bytes);
    // Raw: no entry may stand for another, be a link, or claim to be larger than it is.
    for entry in archive.entries().map_err(problem)?.raw(true) {
        let mut entry = entry.map_err(problem)?;
        let name = String::from_utf8(entry.path_bytes().into_owned()).map_err(|_| "a name in it is not text")?;
        if entry.header().entry_type() != EntryType::Regular {
            return Err(format!("`{}` in it is no regular file", name.escape_debug()));
        }
        check_name(&name)?;
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(problem)?;
        if files.insert(name.clone(), content).is_some() {
            return Err(format!("`{name}` is in it twice"));
        }
    }
    if files.is_empty() {
        return Err("it is no archive of `drctl evidence`: it holds no file".to_owned());
    }
    Ok(files)
}

/// A name stays within the folder that somebody unpacks it into, and hides nothing.
fn check_name(name: &str) -> Result<(), String> {
    let wrong = |part: &str| part.is_empty() || part == "." || part == ".." || part.contains('\\');
    if name.len() > LONGEST_NAME || name.split('/').any(wrong) || name.contains(char::is_control) {
        return Err(format!("the name `{}` in it leads elsewhere", name.escape_debug()));
    }
    Ok(())
}

/// The name, or where it has no room in a tar file a shorter one: its beginnings, and a digest that keeps it apart.
#[must_use]
pub fn shortened(name: &str) -> String {
    let fits = |name: &str| name.len() <= LONGEST_NAME && name.split('/').all(|part| part.len() <= LONGEST_PART);
    let plain = !name.contains(|letter: char| letter.is_control() || letter == '\\');
    if fits(name) && plain && check_name(name).is_ok() {
        return name.to_owned();
    }
    let digest: String = Sha256::digest(name).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let folder = name.split('/').next().unwrap_or_default();
    let usual = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    let last: String = name.rsplit('/').next().unwrap_or_default().chars().filter(usual).take(40).collect();
    format!("{}/{digest}-{last}", folder.chars().filter(usual).take(40).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_have_no_room_get_a_shorter_one_of_their_own() {
        let long = format!("printed/{}.1/stdout", "x".repeat(190));
        let longer = format!("printed/{}.2/stdout", "x".repeat(190));
        assert_eq!(shortened("pinned/runbooks/orders.yaml"), "pinned/runbooks/orders.yaml");
        assert_eq!(shortened(&long).len(), "printed/0123456789abcdef-stdout".len());
        assert_ne!(shortened(&long), shortened(&longer));
        assert!(pack(&Files::from([(shortened(&long), vec![1])])).is_ok());
    }

    #[test]
    fn the_same_files_are_the_same_archive() {
        let files = Files::from([("b".to_owned(), b"2".to_vec()), ("a/c".to_owned(), vec![0; 600])]);
        let archive = pack(&files).unwrap();
        assert_eq!(unpack(&archive), Ok(files.clone()));
        assert_eq!(pack(&unpack(&archive).unwrap()).unwrap(), archive);
    }
}
