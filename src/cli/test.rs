//! `drctl test`: every scenario, rehearsed and judged.

use std::path::PathBuf;

use clap::Args;

use super::common::{Common, Output, colour, console_line, now, say};
use crate::diag::{Format, render};
use crate::error::{Error, Exit};
use crate::exec::files::scenario_files;
use crate::exec::history::note;
use crate::exec::rehearse::suite::junit::junit;
use crate::exec::rehearse::suite::{Suite, Verdict, suite, text};
use crate::exec::rehearse::{Judged, Library};
use crate::exec::run::registry;
use crate::report::history::Rehearsal;
use crate::report::{Coverage, percent};
use crate::sim::scenario::Scenario;

/// Rehearses every scenario and judges it.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// Scenario files and folders (default: all of the workspace)
    pub(super) paths: Vec<PathBuf>,
    /// Only those whose runbook or name holds this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// How it is shown
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    /// Write the verdicts as JUnit XML, for a CI server
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Fail where the scenarios reach less of the runbooks, and name what they do not reach
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    min_coverage: Option<u8>,
}

impl Test {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let mut library = Library::new(&common.workspace, registry().catalogue());
        let mut scenarios = Vec::new();
        for file in self.files(&library)? {
            let judged = library.scenario(&file).map_err(|error| Error::usage(error.to_string()))?;
            if self.is_meant(&judged) {
                scenarios.push(judged);
            }
        }
        if scenarios.is_empty() {
            return Err(Error::usage(match &self.filter {
                Some(filter) => {
                    format!("no scenario has `{filter}` in its name, such as `failover orders / region_down`")
                }
                None => "no scenario was found: they are in `runbooks/scenarios/NAME/`".to_owned(),
            }));
        }
        for judged in scenarios.iter().filter(|judged| judged.has_errors()) {
            say(&render(&judged.found, &judged.sources, Format::Human, colour()));
        }
        let mut others = Coverage::default();
        if self.paths.is_empty() && self.filter.is_none() {
            library.read_all()?;
            others = library.coverage();
        }
        let suite = suite(&library, &scenarios, others, &common.here());
        let at = now();
        let noted: Vec<Rehearsal> = suite.verdicts.iter().filter_map(|verdict| verdict.noted(at)).collect();
        note(&common.store, &noted);
        self.told(&suite)?;
        if let Some(file) = &self.junit {
            let report = junit(&suite).map_err(|problem| Error::new(Exit::Failed, problem))?;
            std::fs::write(file, report).map_err(|error| Error::usage(format!("`{}`: {error}", file.display())))?;
        }
        let invalid = suite.verdicts.iter().any(|verdict| verdict.result.is_err());
        let good = suite.verdicts.iter().all(Verdict::is_good);
        let covered = self.is_covered(&suite);
        Ok(match (invalid, good && covered) {
            (true, _) => Exit::Invalid,
            (false, false) => Exit::Failed,
            (false, true) => Exit::Done,
        })
    }

    fn files(&self, library: &Library<'_>) -> Result<Vec<PathBuf>, Error> {
        if self.paths.is_empty() {
            return Ok(library.files()?);
        }
        let mut files = Vec::new();
        for path in &self.paths {
            let absolute = std::path::absolute(path)?;
            if absolute.is_dir() {
                files.extend(scenario_files(&absolute)?);
            } else if absolute.is_file() {
                files.push(absolute);
            } else {
                return Err(Error::usage(format!("no file or folder `{}`", path.display())));
            }
        }
        Ok(files)
    }

    fn is_meant(&self, judged: &Judged) -> bool {
        let Some(filter) = &self.filter else { return true };
        judged.scenario.as_ref().is_none_or(|scenario| name(scenario).contains(filter.as_str()))
    }

    fn told(&self, suite: &Suite) -> Result<(), Error> {
        if self.output == Output::Json {
            let mut lines = suite.verdicts.iter().map(text::json).chain([text::summary(suite)]);
            return lines.try_for_each(|line| console_line(&line.to_string()));
        }
        suite.verdicts.iter().try_for_each(|verdict| console_line(&text::line(verdict)))?;
        console_line(&format!("\n{}", text::table(suite)))?;
        let (good, all, _) = suite.tally(None);
        let invalid = suite.verdicts.iter().filter(|verdict| verdict.result.is_err()).count();
        let broken = if invalid > 0 { format!(", {invalid} invalid") } else { String::new() };
        let plural = if all == 1 { "" } else { "s" };
        say(&format!("{all} scenario{plural}: {good} as expected, {} not{broken}", all - good - invalid));
        Ok(())
    }

    /// Whether enough was reached; what was not is named where it was not.
    fn is_covered(&self, suite: &Suite) -> bool {
        let Some(wanted) = self.min_coverage else { return true };
        let (reached, all) = suite.coverage.count(None, None);
        let is_enough = reached * 100 >= usize::from(wanted) * all;
        if !is_enough {
            say(&text::missing(suite));
            say(&format!(
                "the scenarios reach {} % of the runbooks, wanted at least {wanted} %",
                percent((reached, all))
            ));
        }
        is_enough
    }
}

fn name(scenario: &Scenario) -> String {
    format!("{} {} / {}", scenario.kind.name(), scenario.runbook.value, scenario.name.value)
}
