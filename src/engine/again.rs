//! An operator's retry behind gates that were passed for much at once: for all items of a step, for all that a call does.
//! They are not asked again as a whole. Who may pass them says so for the one step, and as many people as they want.

use super::event::Person;
use super::gate::may_approve;
use super::node::NodeId;
use super::state::{Gate, State};
use crate::plan::Plan;

/// The approved gates that hold for `node` besides its own, which is asked again: of the step that it is an instance of,
/// and of the calls it stands within. Who has said by now that it is tried again are their votes.
fn gates_over(state: &State, node: NodeId) -> Vec<Gate> {
    let mut gates = Vec::new();
    if !state.node(node).side().is_apply() {
        return gates;
    }
    let mut at = Some(node);
    while let Some(inside) = at {
        let about = state.node(inside);
        let outer = about.parent.into_iter().chain((inside != node).then_some(inside));
        let passed = outer.filter_map(|outer| state.node(outer).gate()).filter(|gate| gate.approved);
        gates.extend(passed.map(|gate| Gate { votes: state.node(node).again().to_vec(), ..gate.clone() }));
        at = state.frame(about.frame).caller;
    }
    gates
}

/// The gate whose people say whether `node` is tried again: of several, the one that wants most. Its votes are those who
/// have said so by now.
#[must_use]
pub fn gate_of_retry(state: &State, node: NodeId) -> Option<Gate> {
    gates_over(state, node).into_iter().max_by_key(|gate| gate.opened.quorum)
}

/// How many have to say that `node` is tried again besides who says so now.
pub(super) fn others_for_retry(state: &State, node: NodeId) -> u32 {
    let said = u32::try_from(state.node(node).again().len()).unwrap_or(u32::MAX);
    gate_of_retry(state, node).map_or(0, |gate| gate.opened.quorum.saturating_sub(said.saturating_add(1)))
}

/// Whether `person` may say that `node` is tried again, and if not, why.
///
/// # Errors
/// The reason, for the person.
pub fn may_retry(plan: &Plan, state: &State, node: NodeId, person: &Person) -> Result<(), String> {
    let gates = gates_over(state, node);
    if let Some(gate) = gates.iter().find(|gate| gate.votes.contains(&person.name)) {
        let (name, quorum) = (&person.name, gate.opened.quorum);
        return Err(format!("`{name}` has asked for this retry already; {quorum} different people are needed"));
    }
    gates.iter().try_for_each(|gate| {
        let of = &gate.opened.step;
        may_approve(plan, state, gate, person).map_err(|why| format!("the gate of `{of}` holds for it: {why}"))
    })
}
