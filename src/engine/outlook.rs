//! The state before a run, for looking at a plan: what a step will give is not known, rather than not there.

use super::call::hand_over;
use super::event::{Instance, Outputs};
use super::frame::FrameId;
use super::scope::NodeScope;
use super::state::{Node, NodeId, State};
use crate::plan::Plan;

/// How many nodes a look ahead makes before it takes further `for_each` steps as a whole: one within another may come to
/// a million.
const MOST_FORESEEN: usize = 20_000;

/// The state before a run with one node for every step: every call is begun whose inputs are known already, and one that
/// is made for each item stands there once, for all of them.
#[must_use]
pub fn outlook(plan: &Plan) -> State {
    ahead(plan, 0)
}

/// The same, with the instances of every `for_each` whose items are known, and what those call.
#[must_use]
pub fn foresee(plan: &Plan) -> State {
    ahead(plan, MOST_FORESEEN)
}

/// With fewer nodes than `most`, a `for_each` is taken apart.
fn ahead(plan: &Plan, most: usize) -> State {
    let mut state = State::new(plan);
    state.frames.iter_mut().take(1).for_each(|frame| frame.unknown = plan.missing());
    begin(plan, &mut state, 0, 1);
    let mut at = 0;
    while at < state.nodes.len() {
        let node = NodeId(u32::try_from(at).unwrap_or(u32::MAX));
        let (nodes, frames) = (state.nodes.len(), state.frames.len());
        at += 1;
        let Node { step, parent, .. } = *state.node(node);
        if parent.is_some() || plan.step(step).for_each.is_none() {
            continue;
        }
        let room = nodes < most;
        match known_instances(plan, &state, node).filter(|_| room) {
            // The node is there: it was just looked at.
            Some(instances) => drop(state.expand(plan, &state.node(node).path.clone(), &instances)),
            None => {
                let part =
                    plan.called(step).filter(|part| room || state.frames.iter().all(|frame| frame.part != *part));
                part.into_iter().for_each(|part| state.add_frame(plan, part, Some(node)));
            }
        }
        begin(plan, &mut state, nodes, frames);
    }
    state
}

/// Begins the calls from the frame `frames` on whose inputs are known; what the nodes from `nodes` on will give is not.
fn begin(plan: &Plan, state: &mut State, nodes: usize, frames: usize) {
    state.nodes[nodes..].iter_mut().for_each(|node| node.outputs = Outputs::Unknown);
    for frame in (frames..state.frames.len()).filter_map(|id| u32::try_from(id).ok()).map(FrameId) {
        let Some(caller) = state.frame(frame).caller else { continue };
        if let Ok(handed) = hand_over(plan, state, caller, frame) {
            state.begin_frame(plan, caller, &handed.inputs, &handed.unknown);
        }
    }
}

/// The instances of a `for_each` step whose items are known.
fn known_instances(plan: &Plan, state: &State, node: NodeId) -> Option<Vec<Instance>> {
    let step = state.node(node).step;
    let items = &plan.step(step).for_each.as_ref()?.items;
    let items = plan.expressions(step).render(items, &NodeScope::of(plan, state, node)).ok()?;
    let items = crate::plan::items(&items.shown()).ok()?;
    Some(items.into_iter().map(|(key, item)| Instance { key, item }).collect())
}
