//! Many scenarios, rehearsed and judged: what `drctl test` tells of.

pub mod junit;
pub mod text;

use std::collections::BTreeSet;
use std::time::Duration;

use super::facts::facts;
use super::judge::{Difference, differences};
use super::scenarios::{Judged, Library, subject};
use super::{Attempt, Facts, Rehearsed, in_parallel, rehearse};
use crate::catalogue::{Catalogue, Timestamp};
use crate::diag::{Severity, Sources};
use crate::edge::clock::{Clock as _, SystemClock};
use crate::error::{Error, Exit};
use crate::report::history::Rehearsal;
use crate::report::{Coverage, FromHere};
use crate::runbook::ast::Kind;

/// What came of all of them.
pub struct Suite {
    /// In the order of the files.
    pub verdicts: Vec<Verdict>,
    /// What of the runbooks they have reached.
    pub coverage: Coverage,
}

/// What came of one scenario.
pub struct Verdict {
    /// Its runbook: kind and name; the file where the scenario cannot be read.
    pub runbook: String,
    /// Its name.
    pub scenario: String,
    /// The file, as seen from the workspace.
    pub file: String,
    /// The command that rehearses it once more; of what cannot be rehearsed, the one that says why.
    pub again: String,
    /// How long that took here, on the wall's clock.
    pub took: Duration,
    /// What was found, or why nothing was rehearsed.
    pub result: Result<Found, String>,
}

/// What a rehearsal came to.
pub struct Found {
    /// Its numbers.
    pub facts: Facts,
    /// How it differs from what was expected.
    pub differences: Vec<Shown>,
}

/// A difference, as people look for its cause.
pub struct Shown {
    /// Where the expectation is written.
    pub place: Option<String>,
    /// What was expected, and what was found.
    pub difference: Difference,
    /// What the run did around it.
    pub around: Vec<String>,
}

impl Shown {
    /// As a sentence, with its place.
    #[must_use]
    pub fn text(&self) -> String {
        let place = self.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        format!("{place}{}", self.difference.text())
    }
}

impl Suite {
    /// The runbooks, by name: those rehearsed, and those that they call or that nobody rehearses.
    #[must_use]
    pub fn runbooks(&self) -> BTreeSet<&str> {
        let rehearsed = self.verdicts.iter().map(|verdict| verdict.runbook.as_str());
        self.coverage.runbooks().into_iter().chain(rehearsed).collect()
    }

    /// How many scenarios of a runbook, or of all, are as expected, of how many, and how long they took here.
    #[must_use]
    pub fn tally(&self, runbook: Option<&str>) -> (usize, usize, Duration) {
        let own = || self.verdicts.iter().filter(|verdict| runbook.is_none_or(|runbook| runbook == verdict.runbook));
        (own().filter(|verdict| verdict.is_good()).count(), own().count(), own().map(|verdict| verdict.took).sum())
    }
}

impl Verdict {
    /// Whether all is as expected.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.result.as_ref().is_ok_and(|found| found.differences.is_empty())
    }

    /// Its runbook and its name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} / {}", self.runbook, self.scenario)
    }

    /// What is kept of it; nothing where nothing was rehearsed.
    #[must_use]
    pub fn noted(&self, at: Timestamp) -> Option<Rehearsal> {
        let (kind, name) = self.runbook.split_once(' ')?;
        let found = self.result.as_ref().ok()?;
        Some(found.facts.noted((name, Kind::named(kind)?, &self.scenario), self.is_good(), at))
    }
}

/// Rehearses and judges the scenarios, on all cores. `others` are runbooks that count besides those rehearsed; commands are
/// typed `from_here`.
#[must_use]
pub fn suite(library: &Library<'_>, scenarios: &[Judged], others: Coverage, from_here: &FromHere) -> Suite {
    let mut coverage = others;
    let mut verdicts = Vec::new();
    for (verdict, reached) in in_parallel(scenarios, |judged| verdict(library, judged, from_here)) {
        coverage.merge(reached);
        verdicts.push(verdict);
    }
    Suite { verdicts, coverage }
}

fn verdict(library: &Library<'_>, judged: &Judged, from_here: &FromHere) -> (Verdict, Coverage) {
    let clock = SystemClock::start(Timestamp(0));
    let begun = clock.now();
    let file = library.relative(&judged.file);
    let (runbook, scenario) = judged.scenario.as_ref().map_or((file.clone(), String::new()), |scenario| {
        (format!("{} {}", scenario.kind.name(), scenario.runbook.value), scenario.name.value.clone())
    });
    let (result, reached) = match play(judged, library.catalogue()) {
        Ok((found, reached)) => (Ok(found), reached),
        Err(error) => (Err(error.to_string()), Coverage::default()),
    };
    let again = from_here.typed(&again(judged, &result, &from_here.file(&judged.file)));
    (Verdict { runbook, scenario, file, again, took: begun.until(clock.now()), result }, reached)
}

fn again(judged: &Judged, result: &Result<Found, String>, file: &str) -> String {
    match (result, &judged.scenario) {
        (Ok(Found { facts, .. }), Some(scenario)) => {
            let (name, kind) = (shell_words::quote(&scenario.runbook.value), scenario.kind.name());
            format!("drctl rehearse {name} --kind {kind} --scenario {file} --seed {}", facts.seed)
        }
        _ => format!("drctl validate {file}"),
    }
}

fn play(judged: &Judged, catalogue: &Catalogue) -> Result<(Found, Coverage), Error> {
    let errors = judged.found.iter().filter(|finding| finding.severity == Severity::Error);
    let problems: Vec<String> = errors.map(|error| error.message.clone()).collect();
    let (Some(scenario), Some(loaded), true) = (&judged.scenario, &judged.runbook, problems.is_empty()) else {
        return Err(Error::new(Exit::Invalid, format!("invalid: {}", problems.join("; "))));
    };
    let subject = subject(loaded, scenario.clone(), &[], (catalogue, 64))?;
    let seed = subject.scenario.seed;
    let rehearsed = rehearse(&subject, Attempt { seed, ..Attempt::default() });
    let facts = facts(seed, &rehearsed);
    let differences = differences(&subject.scenario.expect, &rehearsed, &facts);
    let differences = differences.into_iter().map(|one| shown(one, &rehearsed, &judged.sources)).collect();
    let events = rehearsed.records.iter().map(|record| &record.event);
    let reached = Coverage::of_run(&subject.plan, events, |span| loaded.sources.place(span));
    Ok((Found { facts, differences }, reached))
}

fn shown(difference: Difference, rehearsed: &Rehearsed, sources: &Sources) -> Shown {
    let around = super::text::around(&rehearsed.state(), difference.step.as_deref());
    Shown { place: difference.span.map(|span| sources.place(span)), difference, around }
}
