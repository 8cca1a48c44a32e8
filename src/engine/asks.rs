//! Who a gate asks, in the words that a screen and a call share.

use std::fmt::Write as _;

use super::gate::approvers;
use super::state::{Gate, State};
use crate::plan::Plan;

/// Who may approve: `incident_commander: alice, bob`, how many, and who not.
#[must_use]
pub fn asks(plan: &Plan, state: &State, gate: &Gate) -> String {
    let opened = &gate.opened;
    let roles = || gate.roles().collect::<Vec<_>>().join(", ");
    let mut asks = match approvers(plan, gate).as_deref() {
        None => "anybody".to_owned(),
        Some([]) => format!("{}: nobody", roles()),
        Some(people) => format!("{}: {}", roles(), people.join(", ")),
    };
    if opened.quorum > 1 {
        write!(asks, "; {} different people, {} so far", opened.quorum, gate.votes.len()).ok();
    }
    let requester = state.started.as_ref().map(|started| &started.operator.name);
    if let Some(requester) = requester.filter(|_| !opened.requester_may_approve) {
        write!(asks, "; not {requester}, who started the run").ok();
    }
    asks
}
