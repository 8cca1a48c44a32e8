//! `drctl init`: a small workspace that validates and rehearses at once.
//!
//! The files it writes are in `init/`, as they are.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::common::console_line;
use crate::error::{Error, Exit};

/// Makes a workspace.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The folder; made where it is not there
    #[arg(default_value = ".")]
    folder: PathBuf,
}

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("init/", $path)))),*]
    };
}

/// Path within the workspace, and content.
const FILES: &[(&str, &str)] = files![
    "drctl.yaml",
    "runbooks/orders.yaml",
    "runbooks/orders-failback.yaml",
    "runbooks/scenarios/orders/gate_rejected.yaml",
    "runbooks/scenarios/orders/healthy_drill.yaml",
    "runbooks/scenarios/orders/region_down.yaml",
    "runbooks/scenarios/orders-failback/healthy_drill.yaml",
    "templates/incident.md",
    "templates/moved_back.md",
    "templates/resolution.md",
    "templates/stopped.md",
];

impl Init {
    pub(super) fn run(self) -> Result<Exit, Error> {
        let there = FILES.iter().map(|(path, _)| self.folder.join(path)).find(|path| path.exists());
        if let Some(there) = there {
            let message = format!("`{}` is there already: nothing was written", there.display());
            return Err(Error::usage(message).next("drctl init FOLDER"));
        }
        for (path, content) in FILES {
            write_new(&self.folder.join(path), content)?;
        }
        ignore_state(&self.folder.join(".gitignore"))?;
        console_line(&told(&self.folder))?;
        Ok(Exit::Done)
    }
}

/// Writes a file that is not there yet, so that nothing of anybody's is lost.
fn write_new(path: &Path, content: &str) -> Result<(), Error> {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(content.as_bytes())
    });
    written.map_err(|error| cannot_write(path, &error))
}

/// Keeps runs and their journals out of a repository.
fn ignore_state(path: &Path) -> Result<(), Error> {
    const LINE: &str = ".drctl/";
    let before = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(cannot_write(path, &error)),
    };
    if before.lines().any(|line| line.trim() == LINE) {
        return Ok(());
    }
    let newline = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    fs::write(path, format!("{before}{newline}{LINE}\n")).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Exit::Failed, format!("cannot write `{}`: {error}", path.display()))
}

fn told(folder: &Path) -> String {
    let mut text = String::from("made\n");
    for (path, _) in FILES {
        writeln!(text, "  {}", folder.join(path).display()).ok();
    }
    text.push_str("next\n");
    if folder != Path::new(".") {
        writeln!(text, "  cd {}", shell_words::quote(&folder.to_string_lossy())).ok();
    }
    text.push_str(
        "  drctl validate                               every file, checked
  drctl plan orders                            what it would do, in which order
  drctl rehearse orders --scenario region_down an outage in milliseconds, on a simulated Azure
  drctl failover orders --simulate --as alice  the same at a pace you can follow; you hold its gate
  drctl test                                   every scenario, judged",
    );
    text
}
