//! Processes of steps that outlived the drctl that started them: found again by the locks in the run's folder.

use super::worker::attempt_folder;
use crate::edge::process::living;
use crate::edge::store::RunFolder;
use crate::engine::{NodeId, State, StepState};
use crate::plan::Plan;
use crate::report::Survivor;

/// What still runs of a run that nobody drives, in the order of its steps.
///
/// To be asked only by who drives the run and has not begun, or while nobody does.
#[must_use]
pub fn survivors(folder: &RunFolder, plan: &Plan, state: &State) -> Vec<Survivor> {
    state.in_order(plan).into_iter().filter_map(|id| survivor(folder, plan, state, id)).collect()
}

fn survivor(folder: &RunFolder, plan: &Plan, state: &State, id: NodeId) -> Option<Survivor> {
    let node = state.node(id);
    let may_live = matches!(node.state, StepState::Running | StepState::RollingBack | StepState::InDoubt);
    if !may_live || node.attempt == 0 {
        return None;
    }
    let found = living(&attempt_folder(folder, &node.path.0, node.side(), node.attempt))?;
    Some(Survivor {
        step: node.path.clone(),
        side: node.side(),
        attempt: node.attempt,
        processes: found.processes,
        since: found.since.or(node.began),
        waits: (node.state != StepState::InDoubt).then(|| plan.timeout(node.step)),
        ended_by: found.ended_by,
        lock: found.lock.display().to_string(),
    })
}
