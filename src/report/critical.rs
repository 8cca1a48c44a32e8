//! The critical path of a run as it was: which steps recovery waited for, one after the other.
//!
//! Unlike the plan's, which adds up estimates, it is read from the records: the stretches fill the time of the RTO
//! without a gap.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::catalogue::Timestamp;
use crate::engine::{Event, NodeId, State, StepState};
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
    let (state, waits) = waits(plan, records);
    let ended = |index: StepIndex| {
        let node = state.node(NodeId(index.0));
        node.ended.filter(|_| state.is_met(plan, NodeId(index.0))).map(|at| (at, node.ended_tick))
    };
    let main = |phase: Phase| {
        plan.steps().filter(move |(_, step)| step.phase == phase && is_main(step)).map(|(index, _)| index)
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
        let waited = waits.get(&NodeId(step.0)).into_iter().flatten();
        let people = waited.map(|(begin, end)| (*begin).max(from).until((*end).min(to))).sum();
        stretches.push(Stretch { step, took: from.until(to), people });
        at = waited_for;
    }
    stretches.reverse();
    stretches
}

type Waits = BTreeMap<NodeId, Vec<(Timestamp, Timestamp)>>;

/// The times in which each step waited for people.
fn waits<'e>(plan: &Plan, records: impl Iterator<Item = (Timestamp, &'e Event)>) -> (State, Waits) {
    let (mut state, mut waits, mut open) = (State::new(plan), Waits::new(), BTreeMap::new());
    for (at, event) in records {
        // A viewer shows what it understands; the run itself refuses what does not fit.
        state.apply(plan, at, event).ok();
        let Some(id) = event.step().and_then(|path| state.find(plan, &path.0)) else { continue };
        let waiting = matches!(
            state.node(id).state,
            StepState::AwaitingApproval | StepState::AwaitingPerson | StepState::InDoubt | StepState::Failed
        );
        let step = state.node(id).parent.unwrap_or(id);
        if waiting {
            open.entry(id).or_insert(at);
        } else if let Some(begin) = open.remove(&id) {
            waits.entry(step).or_default().push((begin, at));
        }
    }
    (state, waits)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;

    #[test]
    fn the_stretches_fill_the_time_to_the_end_of_execution() {
        let records = to_the_end();
        let plan = plan();
        let seen = records.iter().map(|(second, event)| (at(*second), event));
        let path = critical_path_of(&plan, at(0), seen);
        let shown: Vec<(&str, u64, u64)> = path
            .iter()
            .map(|part| (plan.step(part.step).id.value.as_str(), part.took.as_secs(), part.people.as_secs()))
            .collect();
        assert_eq!(shown.iter().map(|(_, took, _)| took).sum::<u64>(), 460, "{shown:?}");
        assert_eq!(shown.iter().map(|(.., people)| people).sum::<u64>(), 120, "{shown:?}");
    }
}
