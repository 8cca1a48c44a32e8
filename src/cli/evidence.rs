//! `drctl evidence` packs a run into one file; `drctl verify` tells whether a run, or such a file, is still as it was.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::common::{Common, console_line};
use super::report::reported;
use crate::error::{Error, Exit};
use crate::evidence::{self, Carried, Checked, LARGEST, PublicKey, SecretKey, Signed, check, find, pack, seal};
use crate::exec::evidence::gather;
use crate::exec::report::write_whole;
use crate::exec::run::registry;
use crate::exec::view;
use crate::journal::{self, Hash};

/// The most of a key, a report or a notice that is read.
const LARGEST_TEXT: u64 = 64 << 20;

/// Packs a run.
#[derive(Debug, Args)]
pub(super) struct Evidence {
    /// The run (default: the latest)
    run: Option<String>,
    /// The archive that is written, such as `evidence.tar`
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Sign it: a secret key as `openssl genpkey -algorithm ed25519` writes it
    #[arg(long, value_name = "KEYFILE")]
    key: Option<PathBuf>,
}

/// Checks a run, or its evidence.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The run, or the file that `drctl evidence` wrote
    run: String,
    /// Of an archive: it must be signed by this key, in a public key file
    #[arg(long, value_name = "PUBLIC.pem")]
    key: Option<PathBuf>,
    /// The journal must hold this record: its place and hash, such as 14:9f86.., or its hash
    #[arg(long, value_name = "HEAD", value_parser = Carried::parse)]
    head: Option<Carried>,
    /// The journal must hold all that this report was made from; may be given many times
    #[arg(long, value_name = "FILE")]
    report: Vec<PathBuf>,
    /// The journal must hold the record that this notice carries; may be given many times
    #[arg(long, value_name = "FILE")]
    notice: Vec<PathBuf>,
}

impl Evidence {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let key = self.key.as_deref().map(|file| read_key(file, SecretKey::read)).transpose()?;
        let (run, report) = reported(common, self.run.as_deref())?;
        let files = seal(gather(&run, &report)?, run.id(), &report.chain_head, key.as_ref());
        let problem =
            |error: std::io::Error| Error::new(Exit::Failed, format!("cannot pack run `{}`: {error}", run.id()));
        write_whole(&self.out, &pack(&files).map_err(problem)?, true)?;
        let signed = match &key {
            Some(key) => format!("signed by the key {}", key.public().fingerprint()),
            None => "not signed: `--key` signs it".to_owned(),
        };
        let (count, out) = (files.len(), self.out.display());
        console_line(&format!("{count} files of run {} in `{out}`, {signed}\nhead {}", run.id(), report.chain_head))?;
        Ok(Exit::Done)
    }
}

impl Verify {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let file = Path::new(&self.run);
        let (mut lines, chain) = if file.is_file() {
            self.archive(file)?
        } else if self.key.is_some() {
            let message = format!("`--key` is for archives, and there is no file `{}`", self.run);
            return Err(Error::usage(message).next(format!("drctl evidence {} --out FILE --key KEYFILE", self.run)));
        } else {
            self.journal(common)?
        };
        for (what, head) in self.heads()? {
            let seq = find(&chain, &head).map_err(|problem| Error::new(Exit::Journal, format!("{what}: {problem}")))?;
            lines.push(format!("{what}: the journal holds its record {seq}"));
        }
        console_line(&lines.join("\n"))?;
        Ok(Exit::Done)
    }

    fn journal(&self, common: &Common) -> Result<(Vec<String>, Vec<Hash>), Error> {
        let folder = common.named(&self.run)?;
        let problem = |error: String| Error::new(Exit::Journal, error);
        let scanned = journal::verify_chain(&folder.journal()).map_err(|error| problem(error.to_string()))?;
        let bytes = fs::read(folder.journal())?;
        let chain = journal::chain(&bytes).map_err(|damage| problem(damage.to_string()))?;
        view::open(folder, &registry().catalogue())?;
        Ok((vec![held(scanned.seq.0, scanned.hash.as_str())], chain))
    }

    fn archive(&self, file: &Path) -> Result<(Vec<String>, Vec<Hash>), Error> {
        let key = self.key.as_deref().map(|file| read_key(file, PublicKey::read)).transpose()?;
        let checked = check(&read(file, LARGEST)?, key.as_ref());
        let Checked { run, files, chain, signed } = checked.map_err(|wrong| {
            let wrong: String = wrong.iter().map(|line| format!("\n  {line}")).collect();
            Error::new(Exit::Journal, format!("`{}` is not what `drctl evidence` packed:{wrong}", file.display()))
        })?;
        let signed = match signed {
            Signed::By(key) => format!("signed by the key {key}"),
            Signed::ByItself(key) => {
                format!("signed by the key {key} that came with it: `--key PUBLIC.pem` tells whether it is yours")
            }
            Signed::Not => "not signed: who can write the file can make another; compare its head".to_owned(),
        };
        let head = chain.last().map(Hash::as_str).unwrap_or_default().to_owned();
        let lines =
            vec![format!("the archive holds: {files} files of run {run}"), held(chain.len() as u64, &head), signed];
        Ok((lines, chain))
    }

    /// What the journal must hold, and who says so.
    fn heads(&self) -> Result<Vec<(String, Carried)>, Error> {
        let mut heads: Vec<(String, Carried)> =
            self.head.iter().map(|head| ("`--head`".to_owned(), head.clone())).collect();
        for file in self.report.iter().chain(&self.notice) {
            let found = evidence::carried(&String::from_utf8_lossy(&read(file, LARGEST_TEXT)?));
            if found.is_empty() {
                return Err(Error::usage(format!("`{}` carries no head of a journal", file.display())));
            }
            heads.extend(found.into_iter().map(|head| (format!("`{}`", file.display()), head)));
        }
        Ok(heads)
    }
}

fn held(records: u64, head: &str) -> String {
    format!("the chain holds: {records} records, head {head}")
}

fn read_key<K>(file: &Path, parse: fn(&str) -> Result<K, String>) -> Result<K, Error> {
    let text = String::from_utf8_lossy(&read(file, LARGEST_TEXT)?).into_owned();
    parse(&text).map_err(|problem| Error::usage(format!("`{}`: {problem}", file.display())))
}

/// A file of at most so many bytes.
fn read(file: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = fs::File::open(file).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    read.map_err(|error| Error::usage(format!("cannot read `{}`: {error}", file.display())))?;
    if bytes.len() as u64 > most {
        return Err(Error::usage(format!("`{}` is larger than {} MiB", file.display(), most >> 20)));
    }
    Ok(bytes)
}
