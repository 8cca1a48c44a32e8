//! `drctl report` and `drctl metrics`: what a run came to, for people and for monitoring.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::common::{Common, console_line, say};
use crate::error::{Error, Exit};
use crate::exec::report::{report, write_whole};
use crate::exec::run::registry;
use crate::exec::view::Run;
use crate::report;
use crate::report::page::{self, RunReport};

/// Writes a report.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// The run (default: the latest)
    run: Option<String>,
    /// What it is written as (default: what the ending of `--out` says, else Markdown)
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The file it is written to (default: standard output)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes metrics.
#[derive(Debug, Args)]
pub(super) struct Metrics {
    /// The run (default: the latest)
    run: Option<String>,
    /// The file it is written to, whole or not at all, such as one in the textfile collector's folder (default: standard output)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One page that needs nothing else: no network, no scripts
    Html,
    /// Markdown
    Markdown,
    /// One JSON document
    Json,
}

impl Format {
    /// What the ending of a file's name says.
    fn of(file: &std::path::Path) -> Option<Self> {
        match file.extension()?.to_str()? {
            "html" | "htm" => Some(Self::Html),
            "md" | "markdown" => Some(Self::Markdown),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// The run that a person named, or the latest, and its report.
pub(super) fn reported(common: &Common, given: Option<&str>) -> Result<(Run, RunReport), Error> {
    let run = match given {
        Some(_) => common.open(given)?,
        None => common.open(Some(&common.latest()?))?,
    };
    let stores = [common.store.clone(), common.simulated_store()];
    let stores = if stores[0].is(&stores[1]) { &stores[..1] } else { &stores[..] };
    let report = report(&run, stores, &registry().catalogue());
    Ok((run, report))
}

impl Report {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let (_, report) = reported(common, self.run.as_deref())?;
        let format = self.format.or_else(|| Format::of(self.out.as_ref()?)).unwrap_or(Format::Markdown);
        let text = match format {
            Format::Html => page::html(&report).map_err(|problem| Error::new(Exit::Failed, problem))?,
            Format::Markdown => page::markdown(&report).map_err(|problem| Error::new(Exit::Failed, problem))?,
            Format::Json => page::json(&report),
        };
        let Some(out) = &self.out else {
            console_line(&text)?;
            return Ok(Exit::Done);
        };
        write_whole(out, text.as_bytes(), false)?;
        say(&format!("the report of {} is in `{}`", report.run.id, out.display()));
        Ok(Exit::Done)
    }
}

impl Metrics {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let (_, report) = reported(common, self.run.as_deref())?;
        let text = report::metrics(&report);
        match &self.out {
            Some(out) => write_whole(out, text.as_bytes(), false)?,
            None => console_line(&text)?,
        }
        Ok(Exit::Done)
    }
}
