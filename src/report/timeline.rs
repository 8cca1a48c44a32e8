//! The clock of the RTO: how long recovery took, and how much of it people were waited for.
//!
//! Fed record by record; each costs the same, however large the run. Only the steps that recovery
//! waits for count: detection, assessment and execution, on the way of success.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::catalogue::Timestamp;
use crate::engine::{Event, FrameId, Mode, NodeId, RunState, State, StepState};
use crate::plan::{Plan, is_main};
use crate::runbook::ast::Phase;

/// A stretch of time by what it was spent on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Steps ran, or could have.
    pub machine: Duration,
    /// Only a person could bring the run on.
    pub people: Duration,
    /// Nobody was executing the run, as far as its records tell.
    pub unattended: Duration,
}

impl Split {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.machine + self.people + self.unattended
    }
}

/// Where the time of a run went.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Since when the clock runs.
    since: Option<Timestamp>,
    /// Up to where time is accounted for.
    at: Timestamp,
    split: Split,
    waits_for_people: bool,
    active: BTreeSet<NodeId>,
    unmet: BTreeSet<NodeId>,
    has_execution: bool,
    recovers: bool,
    restored: Option<Split>,
    ended: bool,
}

/// The clock of the RTO at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// What was promised.
    pub objective: Option<Duration>,
    /// How long it has run; with `restored`, how long it took.
    pub elapsed: Duration,
    /// Where that went.
    pub split: Split,
    /// The last step of execution has ended, and nothing of it was undone.
    pub restored: bool,
    /// It runs on.
    pub running: bool,
    /// There is anything to be restored: a runbook that only tells people has nothing of the kind.
    pub recovers: bool,
}

impl Clock {
    /// What is left of the objective: nothing where there is none, an error with the excess where it is over.
    #[must_use]
    pub fn left(&self) -> Option<Result<Duration, Duration>> {
        let objective = self.objective?;
        Some(match objective.checked_sub(self.elapsed) {
            Some(left) => Ok(left),
            None => Err(self.elapsed.saturating_sub(objective)),
        })
    }
}

impl Timeline {
    /// Of a run of which nothing has happened yet.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let execution = plan.own_steps().filter(|(_, step)| step.phase == Phase::Execution && is_main(step));
        let unmet: BTreeSet<NodeId> = execution.map(|(index, _)| NodeId(index.0)).collect();
        Self {
            since: None,
            at: Timestamp::default(),
            split: Split::default(),
            waits_for_people: false,
            active: BTreeSet::new(),
            has_execution: !unmet.is_empty(),
            unmet,
            recovers: plan.own_steps().any(|(_, step)| step.phase.is_barrier()),
            restored: None,
            ended: false,
        }
    }

    /// Takes in a record that `state` has already taken in.
    pub fn record(&mut self, plan: &Plan, state: &State, at: Timestamp, event: &Event) {
        if let Event::RunStarted(started) = event {
            let since = started.since.unwrap_or(at);
            (self.since, self.at) = (Some(since), since.min(at));
        }
        self.split = self.spent(at, matches!(event, Event::RunStarted(_) | Event::RunResumed { .. }));
        self.at = self.at.max(at);
        if let Some(id) = event.step().and_then(|path| state.find(plan, &path.0)) {
            self.touch(plan, state, id);
            if let Some(parent) = state.node(id).parent {
                self.touch(plan, state, parent);
            }
        }
        self.waits_for_people = self.active.is_empty() && needs_people(state);
        self.ended |= state.ended.is_some();
        self.judge_restored(state);
    }

    /// Where the time went up to `at`; `gone` where it is known only afterwards that nobody was there.
    fn spent(&self, at: Timestamp, gone: bool) -> Split {
        let mut split = self.split;
        if self.since.is_none() || self.ended {
            return split;
        }
        *match (self.waits_for_people, gone) {
            (true, _) => &mut split.people,
            (false, true) => &mut split.unattended,
            (false, false) => &mut split.machine,
        } += self.at.until(at);
        split
    }

    fn touch(&mut self, plan: &Plan, state: &State, id: NodeId) {
        let node = state.node(id);
        let step = plan.step(node.step);
        if !is_main(step) || !step.phase.is_barrier() {
            return;
        }
        let works = node.state.is_active() || node.state == StepState::RetryWait;
        if works && !state.stands_for_others(plan, id) {
            self.active.insert(id);
        } else {
            self.active.remove(&id);
        }
        if step.phase != Phase::Execution || node.parent.is_some() || node.frame != FrameId::default() {
            return;
        }
        if state.is_met(plan, id) {
            self.unmet.remove(&id);
        } else {
            self.unmet.insert(id);
        }
    }

    /// Service is restored with the last step of execution; without any, with a good end of the run.
    fn judge_restored(&mut self, state: &State) {
        let given_up = state.rollback.is_some() || state.aborted.is_some() || state.mode() == Mode::DryRun;
        let done = if self.has_execution {
            self.unmet.is_empty()
        } else {
            matches!(state.ended, Some(RunState::Succeeded | RunState::CompletedWithExceptions))
        };
        if given_up || !done {
            self.restored = None;
        } else if self.restored.is_none() {
            self.restored = Some(self.split);
        }
    }

    /// The clock at `now`.
    #[must_use]
    pub fn clock(&self, plan: &Plan, now: Timestamp) -> Clock {
        let restored = self.restored.is_some();
        let split = self.restored.unwrap_or_else(|| self.spent(now, false));
        Clock {
            objective: plan.runbook.objectives.rto,
            elapsed: split.total(),
            split,
            restored,
            running: self.since.is_some() && !restored && !self.ended,
            recovers: self.recovers,
        }
    }

    /// Where all the time went that is accounted for, also after service was restored.
    pub(super) fn split(&self) -> Split {
        self.split
    }

    /// Up to where time is accounted for.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    /// Since when the clock runs.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        self.since
    }
}

/// The timeline of a journal.
#[must_use]
pub fn timeline<'e>(plan: &Plan, records: impl Iterator<Item = (Timestamp, &'e Event)>) -> Timeline {
    let (mut state, mut timeline) = (State::new(plan), Timeline::new(plan));
    for (at, event) in records {
        // A viewer shows what it understands; the run itself refuses what does not fit.
        state.apply(plan, at, event).ok();
        timeline.record(plan, &state, at, event);
    }
    timeline
}

/// Whether anything waits for a decision, as far as the whole run tells.
fn needs_people(state: &State) -> bool {
    let waiting =
        [StepState::AwaitingApproval, StepState::AwaitingPerson, StepState::InDoubt, StepState::RollbackFailed];
    state.ended.is_none()
        && (state.pauses.1 || state.stopping.is_some() || waiting.iter().any(|waiting| state.count(*waiting) > 0))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use crate::engine::{Decision, End};

    fn seconds(split: Split) -> [u64; 3] {
        [split.machine, split.people, split.unattended].map(|span| span.as_secs())
    }

    #[test]
    fn the_clock_stops_with_execution_and_tells_what_people_were_waited_for() {
        let seen = Seen::of(plan(), &to_the_end());
        let clock = seen.timeline.clock(&seen.plan, at(9000));
        // 60 s for `declare` and 60 s for the gate of 460 s; `tell` came after.
        assert_eq!(seconds(clock.split), [340, 120, 0]);
        assert_eq!((clock.restored, clock.running, clock.left()), (true, false, Some(Ok(Duration::from_secs(2240)))));
    }

    #[test]
    fn the_clock_runs_while_a_gate_is_open_and_starts_with_the_outage() {
        let mut records = to_the_gate();
        if let Event::RunStarted(started) = &mut records[0].1 {
            started.since = Some(Timestamp(at(0).0 - 2_600_000));
        }
        let seen = Seen::of(plan(), &records);
        let clock = seen.timeline.clock(&seen.plan, at(220));
        assert_eq!(seconds(clock.split), [40, 180, 2600]);
        assert_eq!((clock.restored, clock.running, clock.left()), (false, true, Some(Err(Duration::from_secs(120)))));
    }

    #[test]
    fn waiting_for_people_ends_while_anything_works() {
        let two = vec![step("a", Phase::Execution, "shell"), step("b", Phase::Execution, "shell")];
        let seen = Seen::of(
            build(two),
            &[
                (0, started(Mode::Real)),
                (0, intent("a", 1, "shell")),
                (0, intent("b", 1, "shell")),
                (10, outcome("a", 1, failed("no"))),
                (30, outcome("b", 1, succeeded(""))),
                (30, Event::Paused { number: 1, reason: String::new() }),
                (90, decided(Some("a"), Decision::Retry, "bob", None)),
                (90, intent("a", 2, "shell")),
            ],
        );
        let clock = seen.timeline.clock(&seen.plan, at(100));
        assert_eq!(seconds(clock.split), [40, 60, 0]);
    }

    #[test]
    fn time_in_which_nobody_executed_the_run_is_nobodys() {
        let one = vec![step("a", Phase::Execution, "shell")];
        let resumed = Event::RunResumed { operator: person("bob") };
        let seen = Seen::of(
            build(one),
            &[
                (0, started(Mode::Real)),
                (0, intent("a", 1, "shell")),
                (300, resumed),
                (310, outcome("a", 1, End::Cancelled)),
            ],
        );
        let clock = seen.timeline.clock(&seen.plan, at(310));
        assert_eq!(seconds(clock.split), [10, 0, 300]);
    }

    #[test]
    fn a_run_that_was_undone_has_restored_nothing() {
        let mut records = to_the_end();
        records.truncate(11);
        records.push((500, decided(None, Decision::Abort, "bob", Some("wrong region"))));
        let seen = Seen::of(plan(), &records);
        let clock = seen.timeline.clock(&seen.plan, at(510));
        assert_eq!((clock.restored, clock.elapsed), (false, Duration::from_secs(510)));
    }
}
