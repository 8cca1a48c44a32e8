//! `drctl fmt`: the layout of runbooks.

use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;
use similar::TextDiff;

use super::common::{Common, colour, console_line, say};
use crate::diag::{Format, Sources, render};
use crate::error::{Error, Exit};
use crate::exec::files::{SETTINGS, replace, runbook_files, scenario_files};
use crate::runbook::format::format;
use crate::runbook::source::{LARGEST_FILE, decode};

/// What stands for standard input.
const STDIN: &str = "-";

/// Lays files out.
#[derive(Debug, Args)]
pub(super) struct Fmt {
    /// Files and folders, or `-` for standard input (default: `drctl.yaml` and `runbooks` of the workspace)
    paths: Vec<PathBuf>,
    /// Change nothing: show what would be changed, and end with 1 where something would
    #[arg(long)]
    check: bool,
}

impl Fmt {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        if self.paths.iter().any(|path| path.as_os_str() == STDIN) {
            return self.standard_input();
        }
        let files = files(&self.paths, common)?;
        let (mut changed, mut refused) = (0, 0);
        for file in &files {
            let name = file.strip_prefix(&common.workspace).unwrap_or(file).display().to_string();
            let bytes = read(std::fs::File::open(file), &name)?;
            let formatted = match formatted(&name, &bytes) {
                Ok(formatted) => formatted,
                Err(found) => {
                    refused += 1;
                    say(&found);
                    continue;
                }
            };
            if formatted.as_bytes() == bytes {
                continue;
            }
            changed += 1;
            if self.check {
                console_line(&difference(&name, &bytes, &formatted))?;
            } else {
                replace(file, &bytes, formatted.as_bytes())
                    .map_err(|error| Error::usage(format!("cannot write `{name}`: {error}")))?;
                console_line(&name)?;
            }
        }
        let done = if self.check { "not as `drctl fmt` writes them" } else { "formatted" };
        let count = files.len();
        let unread =
            if refused > 0 { format!(", {refused} cannot be read and stayed as they are") } else { String::new() };
        say(&format!("{count} file{}: {changed} {done}{unread}", if count == 1 { "" } else { "s" }));
        if self.check && changed > 0 {
            say(&format!(
                "  next: drctl fmt{}",
                self.paths.iter().map(|path| format!(" {}", path.display())).collect::<String>()
            ));
        }
        Ok(match (refused, changed) {
            (1.., _) => Exit::Invalid,
            (0, 1..) if self.check => Exit::Failed,
            _ => Exit::Done,
        })
    }

    fn standard_input(&self) -> Result<Exit, Error> {
        if self.paths.len() > 1 {
            return Err(Error::usage("`-` is standard input: it stands alone"));
        }
        let bytes = read(Ok(std::io::stdin().lock()), "standard input")?;
        let formatted = formatted("standard input", &bytes).map_err(|found| Error::new(Exit::Invalid, found))?;
        if !self.check {
            console_line(&formatted)?;
            return Ok(Exit::Done);
        }
        if formatted.as_bytes() == bytes {
            return Ok(Exit::Done);
        }
        console_line(&difference("standard input", &bytes, &formatted))?;
        Ok(Exit::Failed)
    }
}

/// At most one byte more than a file may have.
fn read(from: std::io::Result<impl std::io::Read>, name: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = from.and_then(|from| from.take(LARGEST_FILE as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| Error::usage(format!("cannot read `{name}`: {error}")))?;
    Ok(bytes)
}

/// The text as it should be, or what keeps it from being read.
fn formatted(name: &str, bytes: &[u8]) -> Result<String, String> {
    let mut sources = Sources::default();
    let found = match decode(&mut sources, name, bytes) {
        Ok(source) => match format(&sources, source) {
            Ok(text) => return Ok(text),
            Err(found) => found,
        },
        Err(found) => found,
    };
    Err(render(&found, &sources, Format::Human, colour()))
}

/// The lines that differ, as `diff -u` shows them.
fn difference(name: &str, bytes: &[u8], formatted: &str) -> String {
    let before = String::from_utf8_lossy(bytes);
    let diff = TextDiff::from_lines(&*before, formatted);
    diff.unified_diff().context_radius(1).header(name, &format!("{name} (formatted)")).to_string()
}

fn files(paths: &[PathBuf], common: &Common) -> Result<Vec<PathBuf>, Error> {
    let own = || vec![common.workspace.join(SETTINGS), common.workspace.join("runbooks")];
    let paths =
        if paths.is_empty() { own().into_iter().filter(|path| path.exists()).collect() } else { paths.to_vec() };
    let mut files = Vec::new();
    for path in &paths {
        let absolute = std::path::absolute(path)?;
        if absolute.is_dir() {
            files.extend(runbook_files(&absolute)?);
            files.extend(scenario_files(&absolute)?);
        } else if absolute.is_file() {
            files.push(absolute);
        } else {
            return Err(Error::usage(format!("no file or folder `{}`", path.display())));
        }
    }
    files.sort();
    files.dedup();
    if files.is_empty() {
        return Err(Error::usage("no file was found: they end in `.yaml`"));
    }
    Ok(files)
}
