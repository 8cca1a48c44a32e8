//! The critical path of a run as it was: which steps recovery waited for, one after the other.
//!
//! Unlike the plan's, which adds up estimates, it is read from the records: the stretches fill the time of the RTO
//! without a gap. What was undone later had been done, and recovery had waited for it. Where the run came no further than
//! a step that failed, recovery waited for that.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::catalogue::Timestamp;
use crate::engine::{Event, NodeId, Side, State, StepState};
use crate::plan::{Plan, StepIndex, is_main};
use crate::runbook::ast::Phase;

/// One step's part of the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The step.
    pub step: StepIndex,
    /// From the end of what it waited for until its own end.
    pub took: Duration,
    /// How much of that it waited for people.
    pub people: Duration,
}

/// The stretches from the start of the clock to the end of the last step of execution, in order; as far as the run
/// came. `since` is when the clock of the RTO starts.
#[must_use]
pub fn critical_path_of<'e>(
    plan: &Plan,
    since: Timestamp,
    records: impl Iterator<Item = (Timestamp, &'e Event)>,
) -> Vec<Stretch> {
    let Seen { state, waits, met } = seen(plan, records);
    let ended = |index: StepIndex| {
        let id = NodeId(index.0);
        let undone = [StepState::RollingBack, StepState::RolledBack, StepState::RollbackFailed];
        let is_undone = undone.contains(&state.node(id).state) || state.node(id).side() == Side::Rollback;
        if is_undone { met.get(&id).copied() } else { end(plan, &state, id) }
    };
    let main = |phase: Phase| {
        plan.own_steps().filter(move |(_, step)| step.phase == phase && is_main(step)).map(|(index, _)| index)
    };
    let last_before = |phase: Phase| {
        let before = Phase::ALL.into_iter().filter(|other| *other < phase && other.is_barrier());
        before.flat_map(main).filter(|index| ended(*index).is_some()).max_by_key(|index| ended(*index))
    };
    let mut stretches = Vec::new();
    let mut at = last_before(Phase::Communication);
    while let Some(step) = at {
        let needs = plan.graph.needs(step).iter().copied().filter(|need| ended(*need).is_some());
        let waited_for = needs.chain(last_before(plan.step(step).phase)).max_by_key(|index| ended(*index));
        let from = waited_for.and_then(ended).map_or(since, |(at, _)| at);
        let to = ended(step).map_or(from, |(at, _)| at);
        let people = waits.get(&NodeId(step.0)).map_or(Duration::ZERO, |waits| covered(waits, from, to));
        stretches.push(Stretch { step, took: from.until(to), people });
        at = waited_for;
    }
    stretches.reverse();
    stretches
}

type Waits = BTreeMap<NodeId, Vec<(Timestamp, Timestamp)>>;
/// A moment, and the record of that moment.
type End = (Timestamp, u32);

/// What the records tell.
struct Seen {
    state: State,
    /// The times in which each step waited for people.
    waits: Waits,
    /// When a step ended, the last time that it did by itself.
    met: BTreeMap<NodeId, End>,
}

fn seen<'e>(plan: &Plan, records: impl Iterator<Item = (Timestamp, &'e Event)>) -> Seen {
    let (mut state, mut waits, mut open) = (State::new(plan), Waits::new(), BTreeMap::new());
    let mut met = BTreeMap::new();
    for (at, event) in records {
        // A viewer shows what it understands; the run itself refuses what does not fit.
        state.apply(plan, at, event).ok();
        let Some(id) = event.step().and_then(|path| state.find(plan, &path.0)) else { continue };
        let own = [Some(id), state.node(id).parent];
        met.extend(own.into_iter().flatten().filter_map(|id| Some((id, end(plan, &state, id)?))));
        let waiting = matches!(
            state.node(id).state,
            StepState::AwaitingApproval | StepState::AwaitingPerson | StepState::InDoubt | StepState::Failed
        );
        if waiting {
            open.entry(id).or_insert(at);
        } else if let Some(begin) = open.remove(&id) {
            waits.entry(own_step(&state, id)).or_default().push((begin, at));
        }
    }
    Seen { state, waits, met }
}

/// When a step ended, where what needs it may start or it failed.
fn end(plan: &Plan, state: &State, id: NodeId) -> Option<End> {
    let node = state.node(id);
    node.ended.filter(|_| state.is_met(plan, id) || node.state == StepState::Failed).map(|at| (at, node.ended_tick))
}

/// The step of the runbook itself that a node belongs to: as an instance of it, or as a step that it calls.
fn own_step(state: &State, id: NodeId) -> NodeId {
    let step = state.node(id).parent.unwrap_or(id);
    state.frame(state.node(step).frame).caller.map_or(step, |caller| own_step(state, caller))
}

/// How much of the time between two moments is covered by these stretches, which may overlap.
fn covered(stretches: &[(Timestamp, Timestamp)], from: Timestamp, to: Timestamp) -> Duration {
    let mut sorted = stretches.to_vec();
    sorted.sort_unstable();
    let mut at = from;
    let part = |(begin, end): (Timestamp, Timestamp)| {
        let begin = begin.max(at);
        at = at.max(end.min(to));
        begin.until(at)
    };
    sorted.into_iter().map(part).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture::*;
    use super::*;
    use crate::engine::{Decision, Intent};

    /// The steps of the path, each with its seconds and those of them spent waiting for people.
    fn path_of(records: &[(u64, Event)]) -> Vec<(String, u64, u64)> {
        let plan = plan();
        let seen = records.iter().map(|(second, event)| (at(*second), event));
        let shown =
            |part: &Stretch| (plan.step(part.step).id.value.clone(), part.took.as_secs(), part.people.as_secs());
        critical_path_of(&plan, at(0), seen).iter().map(shown).collect()
    }

    #[test]
    fn the_stretches_fill_the_time_to_the_end_of_execution() {
        let shown = path_of(&to_the_end());
        assert_eq!(shown.iter().map(|(_, took, _)| took).sum::<u64>(), 460, "{shown:?}");
        assert_eq!(shown.iter().map(|(.., people)| people).sum::<u64>(), 120, "{shown:?}");
    }

    #[test]
    fn a_step_that_failed_is_the_end_of_the_path_also_after_it_was_undone() {
        let mut records = to_the_end();
        records.truncate(10);
        records.push((700, outcome("switch", 1, failed("no answer"))));
        let failed = path_of(&records);
        assert_eq!(failed.last(), Some(&("switch".to_owned(), 300, 0)));
        let action = "azure.traffic_manager.set_endpoint".to_owned();
        let undo = Intent { step: path("switch"), side: Side::Rollback, attempt: 1, action, with: json!({}) };
        let undone = Event::Outcome { step: path("switch"), side: Side::Rollback, attempt: 1, end: succeeded("") };
        let steps = vec![path("switch")];
        records.extend([
            (800, decided(None, Decision::Abort, "bob", Some("wrong region"))),
            (800, Event::RollbackStarted { reason: "wrong region".to_owned(), steps, kept: Vec::new() }),
            (800, Event::Intent(Box::new(undo))),
            (900, undone),
        ]);
        assert_eq!(path_of(&records), failed);
    }

    #[test]
    fn what_was_undone_stays_on_the_path_until_the_moment_it_was_done() {
        let mut records = to_the_end();
        records.truncate(11);
        let done = path_of(&records);
        assert_eq!(done.last(), Some(&("switch".to_owned(), 60, 0)));
        let action = "azure.traffic_manager.set_endpoint".to_owned();
        let undo = Intent { step: path("switch"), side: Side::Rollback, attempt: 1, action, with: json!({}) };
        let undone = Event::Outcome { step: path("switch"), side: Side::Rollback, attempt: 1, end: succeeded("") };
        let steps = vec![path("switch")];
        records.extend([
            (500, decided(None, Decision::Abort, "bob", Some("wrong region"))),
            (500, Event::RollbackStarted { reason: "wrong region".to_owned(), steps, kept: Vec::new() }),
            (500, Event::Intent(Box::new(undo))),
        ]);
        assert_eq!(path_of(&records), done);
        records.push((900, undone));
        assert_eq!(path_of(&records), done);
    }
}
