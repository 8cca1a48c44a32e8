//! Every action that a plan uses, with its parameters as far as they are known before the run.

use serde_json::{Map, Value};

use super::foresight::{Foresight, Hole, filled};
use super::outlook::foresee;
use super::state::{NodeId, State};
use crate::plan::{Plan, StepIndex};
use crate::runbook::ast::{ActionUse, Phase};
use crate::runbook::expr::Templated;

/// What an action is to its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What the step does.
    Action,
    /// What must hold after it.
    Verify,
    /// What undoes it.
    Rollback,
}

/// An action of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// The step.
    pub step: StepIndex,
    /// Its path, with the keys of what is called for each item.
    pub path: String,
    /// What the action is to it.
    pub role: Role,
    /// The action's name.
    pub action: String,
    /// Its parameters. What is not known before the run stands there as it was written, in its braces.
    pub with: Map<String, Value>,
    /// What `for_each` goes through, the same way.
    pub items: Option<Value>,
}

/// The actions of a plan in the order of the phases. Steps whose `when` is false already are left out, and so is what
/// those call. What is called for each item is there for each, where the items are known.
#[must_use]
pub fn uses(plan: &Plan) -> Vec<Use> {
    let state = foresee(plan);
    // An instance does what its step does: what it goes through says the rest.
    let mut nodes: Vec<NodeId> = state.iter().filter(|(_, node)| node.parent.is_none()).map(|(id, _)| id).collect();
    nodes.sort_by_cached_key(|node| place(plan, &state, *node));
    nodes.into_iter().flat_map(|node| of_node(plan, &state, node)).collect()
}

/// Where a node stands in the run: that of the outermost call first.
fn place(plan: &Plan, state: &State, node: NodeId) -> Vec<(Phase, StepIndex, NodeId)> {
    let caller = |node: &NodeId| state.frame(state.node(*node).frame).caller;
    let of_node = |node: NodeId| (plan.step(state.node(node).step).phase, state.node(node).step, node);
    let mut place: Vec<_> = std::iter::successors(Some(node), caller).map(of_node).collect();
    place.reverse();
    place
}

fn of_node(plan: &Plan, state: &State, node: NodeId) -> Vec<Use> {
    let index = state.node(node).step;
    let step = plan.step(index);
    let look = Foresight::of(plan, state, node);
    if look.applies() == Some(false) {
        return Vec::new();
    }
    let known = |value: &Templated| {
        filled(value, &mut |hole| match hole {
            Hole::Expression(id) => look.expression(id),
            Hole::Secret(_) => look.written(hole),
        })
    };
    let used = |role: Role, action: &ActionUse, items: Option<Value>| Use {
        step: index,
        path: state.node(node).path.to_string(),
        role,
        action: action.name.value.clone(),
        with: match known(&action.with.value) {
            Value::Object(with) => with,
            _ => Map::new(),
        },
        items,
    };
    let items = step.for_each.as_ref().map(|for_each| known(&for_each.items));
    let verify = step.verify.as_ref().map(|verify| used(Role::Verify, &verify.action, None));
    let rollback = step.rollback.as_ref().map(|rollback| used(Role::Rollback, rollback, None));
    std::iter::once(used(Role::Action, &step.action, items)).chain(verify).chain(rollback).collect()
}
