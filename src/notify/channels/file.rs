//! Notices as files: one a notice, whole or not there, the same file whenever the same notice is sent.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{Notice, Outside, Undelivered};
use crate::notify::markup;

/// File systems allow 255 bytes; what we add to a name fits in the rest.
const LONGEST_NAME: usize = 150;

/// A folder that notices are written to.
#[derive(Clone, Debug, Deserialize)]
pub struct FileChannel {
    /// The channel's name.
    pub name: String,
    /// The folder, relative to the workspace; made if there is none.
    pub path: PathBuf,
}

impl FileChannel {
    pub(super) async fn deliver(&self, outside: Outside<'_>, notice: &Notice) -> Result<(), Undelivered> {
        let folder = outside.workspace.join(&self.path);
        let name = file_name(&notice.key);
        let text = format!("Subject: {}\n\n{}\n", notice.subject, markup::text(&notice.body));
        let written = tokio::task::spawn_blocking(move || write(&folder, &name, &text)).await;
        let why = match written {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        // Half a notice never stands under its name: what failed is not delivered.
        Err(Undelivered::Refused(format!("{}: {why}", self.path.display())))
    }
}

/// Durable under its name when this returns, or not there.
fn write(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    refuse_link(folder)?;
    fs::create_dir_all(folder)?;
    let target = folder.join(format!("{name}.txt"));
    refuse_link(&target)?;
    let draft = folder.join(format!(".{name}.tmp"));
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::create_new(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, &target)?;
    File::open(folder)?.sync_all()
}

/// A link would let whoever made it choose what is overwritten.
fn refuse_link(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => {
            Err(io::Error::other("this is a symbolic link, which drctl does not follow"))
        }
        _ => Ok(()),
    }
}

/// A name for a file, another one for every other key.
fn file_name(key: &str) -> String {
    let safe: String = key.bytes().enumerate().map(|(at, byte)| escaped(at, byte)).collect();
    if safe.len() <= LONGEST_NAME {
        return safe;
    }
    let digest = Sha256::digest(key.as_bytes());
    let tail: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{tail}", &safe[..LONGEST_NAME])
}

fn escaped(at: usize, byte: u8) -> String {
    match byte {
        b'.' if at == 0 => "%2E".to_owned(),
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'[' | b']' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_file_name_of_its_own() {
        assert_eq!(file_name("run-1/tell[eu]"), "run-1%2Ftell[eu]");
        assert_eq!(file_name("../x"), "%2E.%2Fx");
        assert_eq!(file_name("é%"), "%C3%A9%25");
        let long = "x".repeat(400);
        let (one, other) = (file_name(&format!("{long}1")), file_name(&format!("{long}2")));
        assert_ne!(one, other);
        assert!(one.len() < 200, "{one}");
    }
}
