//! When runbooks were last rehearsed, and last run for real.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::words;
use crate::catalogue::Timestamp;
use crate::engine::RunState;
use crate::plan::calendar::Held;
use crate::runbook::ast::Kind;

/// What a rehearsal came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// When it was done, on the wall's clock.
    pub at: Timestamp,
    /// The runbook's name.
    pub runbook: String,
    /// Its kind.
    pub kind: Kind,
    /// The scenario.
    pub scenario: String,
    /// How the run ended, in words.
    pub ended: String,
    /// Whether that is what was expected: of a scenario that expects nothing, that it ended well.
    pub as_expected: bool,
    /// How long recovery took there, in milliseconds; nothing where it did not come to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_ms: Option<u64>,
}

/// A run that was no simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRun {
    /// Its id.
    pub run: String,
    /// The runbook's name.
    pub runbook: String,
    /// Its kind.
    pub kind: Kind,
    /// The runbooks that it called, by name and kind.
    pub called: Vec<(String, Kind)>,
    /// The drill it was started as.
    pub drill: Option<String>,
    /// When it started.
    pub started: Timestamp,
    /// How it ended; nothing while it goes on.
    pub ended: Option<RunState>,
}

impl PastRun {
    fn is_of(&self, runbook: &str, kind: Kind) -> bool {
        let called = self.called.iter().any(|(name, of)| name == runbook && *of == kind);
        called || (self.runbook == runbook && self.kind == kind)
    }
}

/// All that is known of a workspace's runbooks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The rehearsals, the oldest first.
    pub rehearsals: Vec<Rehearsal>,
    /// The runs, in no order.
    pub runs: Vec<PastRun>,
}

/// How long ago somebody looked whether a runbook works.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// The last rehearsal.
    pub rehearsed: Option<Timestamp>,
    /// How many scenarios were rehearsed.
    pub scenarios: usize,
    /// Those whose last rehearsal did not end as expected, by name.
    pub failing: Vec<String>,
    /// The last run for real, drills among them.
    pub run: Option<PastRun>,
}

impl History {
    /// The last rehearsal of each of a runbook's scenarios, by their names.
    #[must_use]
    pub fn last(&self, runbook: &str, kind: Kind) -> BTreeMap<&str, &Rehearsal> {
        let own = self.rehearsals.iter().filter(|one| one.runbook == runbook && one.kind == kind);
        own.map(|one| (one.scenario.as_str(), one)).collect()
    }

    /// What is known of a runbook; a run of one that calls it counts, too.
    #[must_use]
    pub fn of(&self, runbook: &str, kind: Kind) -> Freshness {
        let last = self.last(runbook, kind);
        let failing = last.values().filter(|one| !one.as_expected);
        let runs = self.runs.iter().filter(|run| run.is_of(runbook, kind));
        Freshness {
            rehearsed: last.values().map(|one| one.at).max(),
            scenarios: last.len(),
            failing: failing.map(|one| one.scenario.clone()).collect(),
            run: runs.max_by_key(|run| run.started).cloned(),
        }
    }

    /// The runs that were drills, or may be one by their kind, and ended well.
    #[must_use]
    pub fn drills(&self) -> Vec<Held> {
        let is_well =
            |run: &&PastRun| matches!(run.ended, Some(RunState::Succeeded | RunState::CompletedWithExceptions));
        let held = |run: &PastRun| Held {
            run: run.run.clone(),
            at: run.started,
            drill: run.drill.clone(),
            runbook: run.runbook.clone(),
            kind: run.kind,
        };
        self.runs.iter().filter(is_well).map(held).collect()
    }
}

impl Freshness {
    /// `rehearsed 3 days ago (9 scenarios as expected); run 2026-11-02: succeeded`.
    #[must_use]
    pub fn words(&self, now: Timestamp) -> String {
        let rehearsed = self.rehearsed_words(now);
        let run = self.run.as_ref().map_or_else(
            || "never run".to_owned(),
            |run| {
                let how = run.ended.map_or("goes on", RunState::words);
                let what = if run.drill.is_some() || run.kind == Kind::Drill { "drilled" } else { "run" };
                format!("{what} {} ({how})", ago(run.started, now))
            },
        );
        format!("{rehearsed}; {run}")
    }

    /// The part of it about rehearsals.
    #[must_use]
    pub fn rehearsed_words(&self, now: Timestamp) -> String {
        let Some(at) = self.rehearsed else { return "never rehearsed".to_owned() };
        format!("rehearsed {} ({})", ago(at, now), self.verdict())
    }

    fn verdict(&self) -> String {
        if self.failing.is_empty() {
            return format!("{} as expected", words::count(self.scenarios, "scenario"));
        }
        let names = words::names(&self.failing, 3);
        format!("{} of {} not as expected: {names}", self.failing.len(), words::count(self.scenarios, "scenario"))
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let run = self
            .run
            .as_ref()
            .map(|run| json!({ "run": run.run, "at": run.started, "state": run.ended, "drill": run.drill }));
        json!({
            "rehearsed": self.rehearsed, "scenarios": self.scenarios, "not_as_expected": self.failing, "run": run,
        })
    }
}

/// `today`, `3 days ago`; what is older than two months by its day.
fn ago(at: Timestamp, now: Timestamp) -> String {
    const DAY: i64 = 86_400_000;
    match now.0.div_euclid(DAY) - at.0.div_euclid(DAY) {
        ..=0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        days @ 2..=60 => format!("{days} days ago"),
        _ => words::date_and_time(at).split(' ').next().unwrap_or_default().to_owned(),
    }
}

/// A length of time in milliseconds.
#[must_use]
pub fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn rehearsal(scenario: &str, as_expected: bool, when: &str) -> Rehearsal {
        Rehearsal {
            at: at(when),
            runbook: "orders".to_owned(),
            kind: Kind::Failover,
            scenario: scenario.to_owned(),
            ended: "succeeded".to_owned(),
            as_expected,
            recovery_ms: None,
        }
    }

    fn run(name: &str, drill: Option<&str>, ended: Option<RunState>) -> PastRun {
        PastRun {
            run: name.to_owned(),
            runbook: "region-centralus".to_owned(),
            kind: Kind::Failover,
            called: vec![("orders".to_owned(), Kind::Failover)],
            drill: drill.map(str::to_owned),
            started: at("2026-09-01T10:00:00Z"),
            ended,
        }
    }

    #[test]
    fn the_last_rehearsal_of_each_scenario_counts_and_runs_that_called_it_do() {
        let now = at("2026-11-21T10:00:00Z");
        let mut history = History::default();
        assert_eq!(history.of("orders", Kind::Failover).words(now), "never rehearsed; never run");
        history.rehearsals = vec![
            rehearsal("one", false, "2026-11-01T10:00:00Z"),
            rehearsal("one", true, "2026-11-18T10:00:00Z"),
            rehearsal("two", true, "2026-11-17T10:00:00Z"),
        ];
        history.runs = vec![run("region-a", None, Some(RunState::Succeeded))];
        assert_eq!(
            history.of("orders", Kind::Failover).words(now),
            "rehearsed 3 days ago (2 scenarios as expected); run 2026-09-01 (succeeded)"
        );
        history.rehearsals.push(rehearsal("two", false, "2026-11-21T09:00:00Z"));
        assert_eq!(
            history.of("orders", Kind::Failover).words(at("2026-11-22T00:00:00Z")),
            "rehearsed yesterday (1 of 2 scenarios not as expected: two); run 2026-09-01 (succeeded)"
        );
        assert_eq!(history.of("orders", Kind::Failback).words(now), "never rehearsed; never run");
    }

    #[test]
    fn drills_are_runs_that_ended_well() {
        let runs = vec![
            run("a", Some("yearly"), Some(RunState::Succeeded)),
            run("b", Some("yearly"), Some(RunState::Aborted)),
        ];
        let history = History { runs, ..History::default() };
        let held: Vec<String> = history.drills().into_iter().map(|held| held.run).collect();
        assert_eq!(held, ["a"]);
    }
}
