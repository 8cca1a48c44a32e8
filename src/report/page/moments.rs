//! A journal walked once: each record with the step it is about and what that step's state was before and after.

use super::super::critical::{self, critical_path_of};
use super::super::timeline::{Split, Timeline};
use super::model::{Spent, Stretch};
use crate::catalogue::Timestamp;
use crate::engine::{Event, Mode, NodeId, State, StepState};
use crate::journal::Record;
use crate::plan::Plan;

/// One record.
pub(super) struct Moment<'r> {
    pub(super) at: Timestamp,
    pub(super) event: &'r Event,
    /// The step it is about.
    pub(super) node: Option<NodeId>,
    /// That step's state after it.
    pub(super) after: StepState,
}

/// All of them, and what they come to.
pub(super) struct Moments<'r> {
    pub(super) plan: &'r Plan,
    pub(super) run: String,
    pub(super) all: Vec<Moment<'r>>,
    pub(super) state: State,
    pub(super) timeline: Timeline,
    /// Where the time went, from the beginning of the clock to the last record.
    pub(super) stretches: Vec<Stretch>,
    /// What recovery waited for, in order.
    pub(super) critical: Vec<critical::Stretch>,
}

impl<'r> Moments<'r> {
    pub(super) fn of(plan: &'r Plan, records: &'r [Record<Event>]) -> Self {
        let (mut state, mut timeline) = (State::new(plan), Timeline::new(plan));
        let (mut all, mut stretches) = (Vec::with_capacity(records.len()), Vec::new());
        for Record { at, event, .. } in records {
            // A viewer shows what it understands; the run itself refuses what does not fit.
            state.apply(plan, *at, event).ok();
            let before = (timeline.split(), timeline.at());
            timeline.record(plan, &state, *at, event);
            let from = timeline.since().filter(|_| matches!(event, Event::RunStarted(_))).unwrap_or(before.1);
            add(&mut stretches, &before.0, &timeline.split(), from, timeline.at());
            let node = event.step().and_then(|path| state.find(plan, &path.0));
            let after = node.map_or(StepState::Pending, |node| state.node(node).state);
            all.push(Moment { at: *at, event, node, after });
        }
        let since = timeline.since().unwrap_or_default();
        let critical = critical_path_of(plan, since, records.iter().map(|record| (record.at, &record.event)));
        let run = state.started.as_ref().map(|started| started.run.clone()).unwrap_or_default();
        Self { plan, run, all, state, timeline, stretches, critical }
    }

    /// What the run acted on.
    pub(super) fn world(&self) -> &'static str {
        world(&self.state)
    }

    /// What people call a step.
    pub(super) fn path(&self, node: NodeId) -> String {
        self.state.node(node).path.to_string()
    }

    /// The records that are about a step.
    pub(super) fn of_steps(&self) -> impl Iterator<Item = (&Moment<'r>, NodeId)> {
        self.all.iter().filter_map(|moment| Some((moment, moment.node?)))
    }

    /// The action of a step.
    pub(super) fn action(&self, node: NodeId) -> &str {
        &self.plan.step(self.state.node(node).step).action.name.value
    }
}

/// What a run acted on.
pub(super) fn world(state: &State) -> &'static str {
    match state.started.as_deref() {
        Some(started) if started.mode == Mode::DryRun => "dry run",
        Some(started) if started.simulated => "simulated",
        _ => "real",
    }
}

/// Adds what was spent between two looks at the clock; a stretch that goes on becomes longer.
fn add(stretches: &mut Vec<Stretch>, before: &Split, after: &Split, from: Timestamp, to: Timestamp) {
    let grown = [
        (Spent::Machine, after.machine > before.machine),
        (Spent::People, after.people > before.people),
        (Spent::Unattended, after.unattended > before.unattended),
    ];
    let Some((spent, _)) = grown.into_iter().find(|(_, grown)| *grown) else { return };
    match stretches.last_mut() {
        Some(last) if last.spent == spent && last.to == from => last.to = to,
        _ => stretches.push(Stretch { spent, from, to }),
    }
}
