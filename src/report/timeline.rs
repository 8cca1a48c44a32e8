//! Where the time of a run went: machines at work, and people who were waited for.

use std::time::Duration;

use crate::catalogue::Timestamp;
use crate::engine::event::Event;
use crate::engine::{State, StepState};
use crate::plan::{Plan, is_main};
use crate::runbook::ast::Phase;

/// The time of a run so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// When the clock of the RTO started.
    pub start: Timestamp,
    /// The time nothing ran and a person was waited for.
    pub waiting: Duration,
    /// Whether a person is waited for now.
    pub is_waiting: bool,
    last: Timestamp,
}

impl Timeline {
    /// Takes a record in, with the state after it.
    pub fn take(&mut self, plan: &Plan, state: &State, at: Timestamp, event: &Event) {
        if let Event::RunStarted(started) = event {
            self.start = started.since.unwrap_or(at);
            self.last = at;
        }
        if self.is_waiting {
            self.waiting += self.last.until(at);
        }
        self.last = self.last.max(at);
        self.is_waiting = waits(plan, state);
    }

    /// The time spent waiting for people until `now`.
    #[must_use]
    pub fn waiting_until(&self, now: Timestamp) -> Duration {
        if self.is_waiting { self.waiting + self.last.until(now) } else { self.waiting }
    }

    /// When the service was restored: the end of the last step of execution, once all are met.
    #[must_use]
    pub fn restored_at(plan: &Plan, state: &State) -> Option<Timestamp> {
        let mut last = None;
        for (id, node) in state.iter() {
            let step = plan.step(node.step);
            if step.phase != Phase::Execution || !is_main(step) || node.parent.is_some() {
                continue;
            }
            if !state.is_met(plan, id) {
                return None;
            }
            last = last.max(node.ended);
        }
        last
    }
}

fn waits(plan: &Plan, state: &State) -> bool {
    let people = [StepState::AwaitingApproval, StepState::AwaitingPerson, StepState::InDoubt];
    let asks = people.iter().any(|asks| state.count(*asks) > 0) || state.stopping.is_some() || state.is_troubled(plan);
    state.ended.is_none() && asks && !state.is_active()
}

/// The timeline of a journal.
#[must_use]
pub fn timeline<'e>(plan: &Plan, records: impl Iterator<Item = (Timestamp, &'e Event)>) -> Timeline {
    let (mut state, mut timeline) = (State::new(plan), Timeline::default());
    for (at, event) in records {
        state.apply(plan, at, event).ok();
        timeline.take(plan, &state, at, event);
    }
    timeline
}
