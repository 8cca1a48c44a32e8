//! `drctl test`: every scenario, rehearsed and judged.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::common::{Common, Output, colour, console_line, say};
use crate::catalogue::{Catalogue, HumanDuration};
use crate::diag::{Format, render};
use crate::error::{Error, Exit};
use crate::exec::load::scenario_files;
use crate::exec::rehearse::{
    Attempt, Facts, Judged, Library, differences, facts, in_parallel, rehearse, subject, text, word,
};
use crate::exec::run::registry;
use crate::sim::scenario::Scenario;

/// Rehearses every scenario and judges it.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// Scenario files and folders (default: all of the workspace)
    paths: Vec<PathBuf>,
    /// Only those whose runbook or name holds this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// How it is shown
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// What came of one scenario.
struct Verdict {
    name: String,
    file: PathBuf,
    /// What was found, and how it differs from what was expected.
    result: Result<(Facts, Vec<String>), Error>,
}

impl Test {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let catalogue = registry().catalogue();
        let mut library = Library::new(&common.workspace, catalogue.clone());
        let mut scenarios = Vec::new();
        for file in self.files(&library)? {
            let judged = library.scenario(&file).map_err(|error| Error::usage(error.to_string()))?;
            if self.is_meant(&judged) {
                scenarios.push(judged);
            }
        }
        let invalid = scenarios.iter().filter(|judged| judged.has_errors()).count();
        for judged in scenarios.iter().filter(|judged| judged.has_errors()) {
            say(&render(&judged.found, &judged.sources, Format::Human, colour()));
        }
        scenarios.retain(|judged| !judged.has_errors());
        if scenarios.is_empty() && invalid == 0 {
            return Err(Error::usage("no scenario was found: they are in `runbooks/scenarios/NAME/`"));
        }
        let verdicts = in_parallel(&scenarios, |judged| verdict(judged, &catalogue));
        self.told(&verdicts, invalid)
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

    fn told(&self, verdicts: &[Verdict], invalid: usize) -> Result<Exit, Error> {
        let mut failed = 0;
        for verdict in verdicts {
            let good = matches!(&verdict.result, Ok((_, differences)) if differences.is_empty());
            failed += usize::from(!good);
            match self.output {
                Output::Json => console_line(&json(verdict))?,
                Output::Human | Output::Plain => console_line(&line(verdict, good))?,
            }
        }
        let plural = |number: usize| if number == 1 { "" } else { "s" };
        let total = verdicts.len() + invalid;
        let broken = if invalid > 0 { format!(", {invalid} invalid") } else { String::new() };
        let good = verdicts.len() - failed;
        say(&format!("{total} scenario{}: {good} as expected, {failed} not{broken}", plural(total)));
        Ok(match (invalid, failed) {
            (0, 0) => Exit::Done,
            (0, _) => Exit::Failed,
            _ => Exit::Invalid,
        })
    }
}

fn name(scenario: &Scenario) -> String {
    format!("{} {} / {}", scenario.kind.name(), scenario.runbook.value, scenario.name.value)
}

fn verdict(judged: &Judged, catalogue: &Catalogue) -> Verdict {
    let scenario = judged.scenario.clone();
    let name = scenario.as_ref().map(name).unwrap_or_default();
    let result = match (scenario, &judged.runbook) {
        (Some(scenario), Some(loaded)) => subject(loaded, scenario, &[], (catalogue, 64)).map(|subject| {
            let seed = subject.scenario.seed;
            let rehearsed = rehearse(&subject, Attempt { seed, ..Attempt::default() });
            let facts = facts(seed, &rehearsed);
            let found = text::placed(&differences(&subject.scenario.expect, &rehearsed, &facts), &judged.sources);
            (facts, found)
        }),
        _ => Err(Error::new(Exit::Invalid, "the scenario or its runbook cannot be read")),
    };
    Verdict { name, file: judged.file.clone(), result }
}

fn line(verdict: &Verdict, good: bool) -> String {
    let mark = if good { "ok  " } else { "FAIL" };
    let (name, file) = (&verdict.name, verdict.file.display());
    match &verdict.result {
        Ok((facts, differences)) => {
            let took = HumanDuration(std::time::Duration::from_secs(facts.clock.elapsed.as_secs()));
            let took = if facts.clock.restored { format!(", restored after {took}") } else { String::new() };
            let head = format!("{mark}  {name:<50}  {}{took}", word(&facts.ended));
            let lines = differences.iter().map(|it| format!("        {}", it.replace('\n', "\n          ")));
            crate::report::sanitise(&[head].into_iter().chain(lines).collect::<Vec<_>>().join("\n"))
        }
        Err(error) => format!("{mark}  {name:<50}  {file}: {error}"),
    }
}

fn json(verdict: &Verdict) -> String {
    let (state, differences) = match &verdict.result {
        Ok((facts, differences)) => (word(&facts.ended).to_owned(), differences.clone()),
        Err(error) => ("invalid".to_owned(), vec![error.to_string()]),
    };
    let elapsed = verdict.result.as_ref().ok().map(|(facts, _)| facts.clock.elapsed.as_secs_f64());
    json!({
        "drctl": 1,
        "type": "scenario",
        "name": verdict.name,
        "file": verdict.file.display().to_string(),
        "good": verdict.result.is_ok() && differences.is_empty(),
        "state": state,
        "elapsed": elapsed,
        "differences": differences,
    })
    .to_string()
}
