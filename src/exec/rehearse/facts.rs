//! What a rehearsal came to, in numbers: by the same pure functions as the summary of a real run.

use std::time::Duration;

use super::{Ended, Rehearsed, word};
use crate::catalogue::{Effect, Timestamp};
use crate::engine::{DataLoss, Event};
use crate::plan::path::names;
use crate::plan::{Plan, StepIndex};
use crate::report::history::{Rehearsal, milliseconds};
use crate::report::{Clock, critical_path_of, timeline};
use crate::runbook::ast::Kind;
use crate::sim::scenario::{People, Remedy, Scenario};
use crate::sim::stand_in::{Source, Stage};

/// One step's part of the critical path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The step.
    pub step: StepIndex,
    /// The time in which it worked, and who says how long that takes.
    pub machine: (Duration, Source),
    /// The time in which it waited for people, and who says how long they take.
    pub people: (Duration, Source),
}

impl Part {
    /// All of its time.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.machine.0 + self.people.0
    }
}

/// The numbers of a rehearsal.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Where its randomness started.
    pub seed: u64,
    /// How it ended.
    pub ended: Ended,
    /// The clock of the RTO at its end.
    pub clock: Clock,
    /// What recovery waited for, in order.
    pub path: Vec<Part>,
    /// Whether a step was in doubt at any time.
    pub doubted: bool,
    /// What the steps measured of the loss of data.
    pub loss: DataLoss,
    /// The faults that never struck, in words.
    pub never_struck: Vec<String>,
}

impl Facts {
    /// What is kept of the rehearsal of a runbook of that name and kind with a scenario.
    #[must_use]
    pub fn noted(&self, (runbook, kind, scenario): (&str, Kind, &str), as_expected: bool, at: Timestamp) -> Rehearsal {
        Rehearsal {
            at,
            runbook: runbook.to_owned(),
            kind,
            scenario: scenario.to_owned(),
            ended: word(&self.ended).to_owned(),
            as_expected,
            recovery_ms: self.clock.restored.then(|| milliseconds(self.clock.elapsed)),
        }
    }
}

/// The numbers of a rehearsal.
#[must_use]
pub fn facts(seed: u64, rehearsed: &Rehearsed) -> Facts {
    let plan = &rehearsed.stage.setting.plan;
    let records = || rehearsed.records.iter().map(|record| (record.at, &record.event));
    let timeline = timeline(plan, records());
    let end = rehearsed.records.last().map(|record| record.at).unwrap_or_default();
    let path = critical_path_of(plan, timeline.since().unwrap_or_default(), records());
    let parts = path.into_iter().map(|stretch| Part {
        step: stretch.step,
        machine: (stretch.took.saturating_sub(stretch.people), machine_source(&rehearsed.stage, plan, stretch.step)),
        people: (stretch.people, people_source(&rehearsed.stage.setting.scenario, plan, stretch.step)),
    });
    Facts {
        seed,
        ended: rehearsed.ended.clone(),
        clock: timeline.clock(plan, end),
        path: parts.collect(),
        doubted: rehearsed.records.iter().any(|record| matches!(record.event, Event::InDoubt { .. })),
        loss: DataLoss::of(plan, &rehearsed.state(), |_| true),
        never_struck: rehearsed.never_struck(),
    }
}

fn machine_source(stage: &Stage, plan: &Plan, index: StepIndex) -> Source {
    let step = plan.step(index);
    match step.action.name.value.as_str() {
        "wait" | "assert" | "probe.http" | "probe.tcp" | "probe.dns" => Source::Given,
        action if (plan.effect(action, &serde_json::Map::new())) == Effect::Reads && action.starts_with("azure.") => {
            Source::Given
        }
        _ => stage.times(&plan.path(index)).source,
    }
}

fn people_source(scenario: &Scenario, plan: &Plan, index: StepIndex) -> Source {
    let step = plan.step(index);
    let People { default, .. } = &scenario.people;
    let path = plan.path(index);
    let reply = scenario.people.reply(&path);
    let by_runbook = step.simulate.as_ref().is_some_and(|it| it.duration.is_some()) || step.estimate.is_some();
    let named = |remedy: &Remedy| remedy.step.as_ref().is_none_or(|named| names(&named.value, &path));
    let remedied = scenario.people.on_failure.iter().any(named);
    match (reply.after.or(default.after), step.action.name.value.as_str()) {
        (Some(_), _) => Source::Scenario,
        (None, _) if remedied => Source::Scenario,
        (None, "manual") if by_runbook => Source::Runbook,
        (None, _) => Source::Assumed,
    }
}
