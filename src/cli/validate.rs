//! `drctl validate`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::FindingFormat;
use super::common::{Common, colour, console_line, elsewhere, now, say};
use crate::catalogue::Catalogue;
use crate::diag::{Format, Severity, json, render, sarif};
use crate::edge::store::Store;
use crate::error::{Error, Exit};
use crate::exec::check::{Checked, check_with};
use crate::exec::files::Files;
use crate::exec::fix::fix;
use crate::exec::history::history;
use crate::exec::run::registry;
use crate::lint::RULES;
use crate::lint::pages::page;

/// Checks runbooks, scenarios, templates and the workspace's settings.
#[derive(Debug, Args)]
pub(super) struct Validate {
    /// Files and folders, each judged in the workspace that it is in (default: `runbooks` of this one)
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
        let places = self.places(common)?;
        let catalogue = registry().catalogue();
        let mut checked = judged(&places, &catalogue)?;
        for _ in 0..if self.fix { MOST_ROUNDS } else { 0 } {
            let said = fix(&std::env::current_dir()?, &checked).map_err(|error| Error::usage(error.to_string()))?;
            if said.is_empty() {
                break;
            }
            said.iter().for_each(|line| say(&format!("mended {line}")));
            checked = judged(&places, &catalogue)?;
        }
        let (errors, warnings) = (checked.count(Severity::Error), checked.count(Severity::Warning));
        if !checked.found.is_empty() || matches!(self.format, FindingFormat::Json | FindingFormat::Sarif) {
            console_line(&self.shown(&checked))?;
        }
        say(&summary(&places, errors, warnings));
        if !checked.waiting.is_empty() {
            say(&waiting(&checked));
        }
        let is_denied = warnings > 0 && self.deny == Some(Denied::Warnings);
        Ok(if errors > 0 || is_denied { Exit::Invalid } else { Exit::Done })
    }

    fn shown(&self, checked: &Checked) -> String {
        let Checked { found, sources, waiting } = checked;
        let waiting: Vec<&str> = waiting.iter().copied().collect();
        match self.format {
            FindingFormat::Json => json(found, sources, &waiting),
            FindingFormat::Sarif => {
                sarif(found, sources, &waiting, &|code| page(code).map(|page| (page.short(), page.text)))
            }
            format => render(found, sources, format.into(), colour()),
        }
    }

    /// What is to be judged, by workspace: each file stands on the settings and templates of its own.
    fn places(&self, common: &Common) -> Result<Vec<Place>, Error> {
        let mut paths: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
        if self.paths.is_empty() {
            paths.insert(common.workspace.clone(), vec![common.workspace.join("runbooks")]);
        }
        for path in &self.paths {
            paths.entry(common.workspace_of(path)).or_default().push(path.clone());
        }
        paths.keys().filter(|workspace| **workspace != common.workspace).for_each(|it| say(&elsewhere(it)));
        let place = |(workspace, paths): (PathBuf, Vec<PathBuf>)| {
            let files = Files::of(&workspace, &paths).map_err(|error| Error::usage(error.to_string()))?;
            Ok(Place { store: common.store_of(&workspace), workspace, files })
        };
        let places: Vec<Place> = paths.into_iter().map(place).collect::<Result<_, Error>>()?;
        if places.iter().all(|place| place.files.is_empty()) {
            return Err(Error::usage("no runbook was found: they end in `.yaml`"));
        }
        Ok(places)
    }
}

/// Files of one workspace, and where its runs are kept.
struct Place {
    workspace: PathBuf,
    store: Store,
    files: Files,
}

/// What is found, with files named from where one stands: an editor or a build server opens them by these names.
fn judged(places: &[Place], catalogue: &Catalogue) -> Result<Checked, Error> {
    let here = std::env::current_dir()?;
    let mut all = Checked::default();
    for Place { workspace, store, files } in places {
        // Where nothing was ever run, as in a clone on a build server, nobody knows which drills were held elsewhere.
        let history = history(store);
        let (held, now) = (history.drills(), now());
        let held = (!history.runs.is_empty()).then_some((held.as_slice(), now));
        let mut checked =
            check_with(workspace, files, catalogue, held).map_err(|error| Error::usage(error.to_string()))?;
        checked.sources.rename(|name| {
            let path = workspace.join(name);
            path.strip_prefix(&here).unwrap_or(&path).display().to_string()
        });
        all.absorb(checked);
    }
    Ok(all)
}

fn summary(places: &[Place], errors: usize, warnings: usize) -> String {
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let of = |files: fn(&Files) -> usize| places.iter().map(|place| files(&place.files)).sum::<usize>();
    let kinds: [(usize, &str); 4] = [
        (of(|files| files.runbooks.len()), "runbook"),
        (of(|files| files.scenarios.len()), "scenario"),
        (of(|files| files.settings.len()), "settings file"),
        (of(|files| files.templates.len()), "template"),
    ];
    let there = kinds.into_iter().filter(|(number, _)| *number > 0);
    let what: Vec<String> = there.map(|(number, word)| count(number, word)).collect();
    let hint = if errors + warnings > 0 { "; `drctl explain CODE` says more" } else { "" };
    format!("{}: {}, {}{hint}", what.join(", "), count(errors, "error"), count(warnings, "warning"))
}

/// Which rules have not said all.
fn waiting(checked: &Checked) -> String {
    let names: Vec<String> = checked.waiting.iter().map(|name| format!("`{name}`")).collect();
    let names = if names.len() == RULES.len() { "every rule".to_owned() } else { names.join(", ") };
    format!("once the errors are mended, more may be found of {names}")
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
