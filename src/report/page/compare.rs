//! The same runbook before: how long it took then.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::history::{History, Rehearsal};
use super::super::plan::Seconds;
use super::super::timeline::Clock;
use super::model::{Comparison, EarlierRow, RehearsalRow, StepChange, StepRow};
use super::moments::Moments;
use super::{Source, objectives, steps};
use crate::catalogue::Timestamp;
use crate::engine::Event;
use crate::journal::Record;
use crate::plan::Plan;

/// How many changed steps are told.
const MOST_STEPS: usize = 12;
/// How many rehearsals are told: those that were not as expected, then the latest.
const MOST_REHEARSALS: usize = 12;
/// A step that differs less says nothing.
const NOTABLE: Duration = Duration::from_secs(1);

/// An earlier run, as far as a comparison needs it.
#[derive(Clone, Debug)]
pub struct Earlier {
    /// Its id.
    pub run: String,
    /// `real`, `simulated`, `dry run` or `rehearsal`.
    pub world: &'static str,
    /// When it began.
    pub at: Timestamp,
    /// How it ended, in words.
    pub state: &'static str,
    /// Its clock.
    pub clock: Clock,
    /// How long its steps worked, by their paths.
    pub steps: BTreeMap<String, Duration>,
}

/// An earlier run, from its journal.
#[must_use]
pub fn earlier(plan: &Plan, records: &[Record<Event>]) -> Earlier {
    let moments = Moments::of(plan, records);
    Earlier {
        run: moments.run.clone(),
        world: moments.world(),
        at: moments.state.started_at,
        state: moments.state.run_state(plan).words(),
        clock: objectives::clock(&moments),
        steps: steps::worked(&steps::rows(&moments)),
    }
}

pub(super) fn comparison(moments: &Moments<'_>, rows: &[StepRow], source: &Source<'_>) -> Comparison {
    let before = moments.state.started_at;
    let row = |earlier: &Earlier| EarlierRow {
        run: earlier.run.clone(),
        world: earlier.world,
        at: earlier.at,
        state: earlier.state,
        restored: earlier.clock.restored,
        elapsed: Seconds(earlier.clock.elapsed),
        people: Seconds(earlier.clock.split.people),
    };
    let comparable: Vec<&Earlier> = source.earlier.iter().filter(|earlier| earlier.at < before).collect();
    let mut changes: Vec<StepChange> = rows.iter().filter_map(|row| change(row, &comparable)).collect();
    let size = |change: &StepChange| change.now.0.abs_diff(change.before.0);
    changes.sort_by_key(|change| std::cmp::Reverse(size(change)));
    changes.truncate(MOST_STEPS);
    let (freshness, rehearsals) = rehearsed(moments, &source.rehearsals);
    Comparison { runs: comparable.into_iter().map(row).collect(), steps: changes, freshness, rehearsals }
}

/// How fresh the runbook's rehearsals were when the run began, and the last one of each scenario.
fn rehearsed(moments: &Moments<'_>, rehearsals: &[Rehearsal]) -> (String, Vec<RehearsalRow>) {
    let (runbook, began) = (&moments.plan.runbook, moments.state.started_at);
    let before = rehearsals.iter().filter(|one| one.at < began).cloned().collect();
    let known = History { rehearsals: before, runs: Vec::new() };
    let (name, kind) = (&runbook.name.value, runbook.kind);
    let freshness = known.of(name, kind).rehearsed_words(began);
    let mut rows: Vec<RehearsalRow> = known.last(name, kind).into_values().map(rehearsal_row).collect();
    rows.sort_by_key(|row| (row.as_expected, std::cmp::Reverse(row.at)));
    rows.truncate(MOST_REHEARSALS);
    (freshness, rows)
}

fn rehearsal_row(one: &Rehearsal) -> RehearsalRow {
    RehearsalRow {
        scenario: one.scenario.clone(),
        at: one.at,
        ended: one.ended.clone(),
        as_expected: one.as_expected,
        recovery: one.recovery_ms.map(|time| Seconds(Duration::from_millis(time))),
    }
}

fn change(row: &StepRow, earlier: &[&Earlier]) -> Option<StepChange> {
    let now = row.took?.0;
    let mut before: Vec<Duration> =
        earlier.iter().filter_map(|earlier| earlier.steps.get(&row.step).copied()).collect();
    before.sort_unstable();
    let median = *before.get(before.len() / 2)?;
    let notable = now.abs_diff(median) >= NOTABLE;
    let runs = before.len();
    notable.then(|| StepChange { step: row.step.clone(), now: Seconds(now), before: Seconds(median), runs })
}
