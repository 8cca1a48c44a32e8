//! `drctl validate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::FindingFormat;
use super::common::{Common, colour, console_line, now, say};
use crate::catalogue::Catalogue;
use crate::diag::{Format, Severity, render, sarif};
use crate::error::{Error, Exit};
use crate::exec::check::{Checked, check_with};
use crate::exec::files::Files;
use crate::exec::fix::fix;
use crate::exec::history::history;
use crate::exec::run::registry;
use crate::lint::pages::page;

/// Checks runbooks, scenarios, templates and the workspace's settings.
#[derive(Debug, Args)]
pub(super) struct Validate {
    /// Files and folders (default: `runbooks` of the workspace)
    paths: Vec<PathBuf>,
    /// How findings are printed
    #[arg(long, value_enum, default_value = "human")]
    format: FindingFormat,
    /// End with 5 for these too, as for errors
    #[arg(long, value_enum, value_name = "FINDINGS")]
    deny: Option<Denied>,
    /// Mend what can be mended safely, then check again; comments and layout stay
    #[arg(long)]
    fix: bool,
}

/// What else ends with the exit code of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Denied {
    /// Warnings
    Warnings,
}

/// A fix can bring the next to light; more rounds than these, nobody needs.
const MOST_ROUNDS: usize = 10;

impl Validate {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let files = self.files(common)?;
        let catalogue = registry().catalogue();
        let mut checked = judged(common, &files, &catalogue)?;
        for _ in 0..if self.fix { MOST_ROUNDS } else { 0 } {
            let said = fix(&std::env::current_dir()?, &checked).map_err(|error| Error::usage(error.to_string()))?;
            if said.is_empty() {
                break;
            }
            said.iter().for_each(|line| say(&format!("mended {line}")));
            checked = judged(common, &files, &catalogue)?;
        }
        let (errors, warnings) = (checked.count(Severity::Error), checked.count(Severity::Warning));
        if !checked.found.is_empty() || matches!(self.format, FindingFormat::Json | FindingFormat::Sarif) {
            console_line(&self.shown(&checked))?;
        }
        say(&summary(&files, errors, warnings));
        if !checked.waiting.is_empty() {
            say(&waiting(&checked));
        }
        let is_denied = warnings > 0 && self.deny == Some(Denied::Warnings);
        Ok(if errors > 0 || is_denied { Exit::Invalid } else { Exit::Done })
    }

    fn shown(&self, checked: &Checked) -> String {
        let Checked { found, sources, .. } = checked;
        match self.format {
            FindingFormat::Sarif => sarif(found, sources, &|code| page(code).map(|page| (page.short(), page.text))),
            format => render(found, sources, format.into(), colour()),
        }
    }

    fn files(&self, common: &Common) -> Result<Files, Error> {
        let own = [common.workspace.join("runbooks")];
        let paths = if self.paths.is_empty() { &own[..] } else { &self.paths };
        let files = Files::of(&common.workspace, paths).map_err(|error| Error::usage(error.to_string()))?;
        if files.is_empty() {
            return Err(Error::usage("no runbook was found: they end in `.yaml`"));
        }
        Ok(files)
    }
}

/// What is found, with files named from where one stands: an editor or a build server opens them by these names.
fn judged(common: &Common, files: &Files, catalogue: &Catalogue) -> Result<Checked, Error> {
    // Where nothing was ever run, as in a clone on a build server, nobody knows which drills were held elsewhere.
    let history = history(&common.store);
    let (held, now) = (history.drills(), now());
    let held = (!history.runs.is_empty()).then_some((held.as_slice(), now));
    let mut checked =
        check_with(&common.workspace, files, catalogue, held).map_err(|error| Error::usage(error.to_string()))?;
    let here = std::env::current_dir()?;
    checked.sources.rename(|name| {
        let path = common.workspace.join(name);
        path.strip_prefix(&here).unwrap_or(&path).display().to_string()
    });
    Ok(checked)
}

fn summary(files: &Files, errors: usize, warnings: usize) -> String {
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let scenarios = Some(files.scenarios.len()).filter(|number| *number > 0).map(|number| count(number, "scenario"));
    let what: Vec<String> = [count(files.runbooks.len(), "runbook")].into_iter().chain(scenarios).collect();
    let hint = if errors + warnings > 0 { "; `drctl explain CODE` says more" } else { "" };
    format!("{}: {}, {}{hint}", what.join(", "), count(errors, "error"), count(warnings, "warning"))
}

/// Which rules have not said all.
fn waiting(checked: &Checked) -> String {
    let names: Vec<String> = checked.waiting.iter().map(|name| format!("`{name}`")).collect();
    format!("once the errors are mended, more may be found of {}", names.join(", "))
}

impl From<FindingFormat> for Format {
    fn from(format: FindingFormat) -> Self {
        match format {
            FindingFormat::Human => Self::Human,
            FindingFormat::Short => Self::Short,
            FindingFormat::Json => Self::Json,
            FindingFormat::Sarif => Self::Sarif,
            FindingFormat::Github => Self::Github,
        }
    }
}
