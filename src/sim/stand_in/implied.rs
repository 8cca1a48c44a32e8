//! The actions of a plan with what is known of their parameters before the run.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::engine::{NodeId, NodeScope, State, foresee};
use crate::plan::{Plan, StepIndex};
use crate::runbook::ast::ActionUse;
use crate::runbook::expr::Templated;

/// An action that a step uses, for its work, its check or its undoing.
#[derive(Clone, Debug, PartialEq)]
pub struct Implied {
    /// The step's id.
    pub step: String,
    /// The action.
    pub action: String,
    /// The parameters that are known: what reads other steps is not.
    pub with: Map<String, Value>,
}

/// All actions of a plan, those of called runbooks included, each once for every item of its step.
#[must_use]
pub fn implied(plan: &Plan) -> Vec<Implied> {
    let mut state = foresee(plan);
    let mut found = Vec::new();
    for at in 0..state.nodes.len() {
        let node = NodeId(u32::try_from(at).unwrap_or(u32::MAX));
        let index = state.node(node).step;
        let step = plan.step(index);
        for item in items(plan, &state, node) {
            state.nodes[at].item = item.map(Arc::new);
            let scope = NodeScope::of(plan, &state, node);
            let check = step.verify.as_ref().map(|verify| &verify.action);
            for action in [Some(&step.action), check, step.rollback.as_deref()].into_iter().flatten() {
                let with = known(plan, index, action, &scope);
                found.push(Implied {
                    step: state.node(node).path.to_string(),
                    action: action.name.value.clone(),
                    with,
                });
            }
        }
        state.nodes[at].item = None;
    }
    found
}

/// The items of the node's step where they are known; one without an item where it has none.
fn items(plan: &Plan, state: &State, node: NodeId) -> Vec<Option<Value>> {
    let index = state.node(node).step;
    let Some(for_each) = &plan.step(index).for_each else { return vec![None] };
    let scope = NodeScope::of(plan, state, node);
    let rendered = plan.expressions(index).render(&for_each.items, &scope).map(|items| items.shown());
    let items = rendered.ok().and_then(|items| crate::plan::items(&items).ok());
    items.into_iter().flatten().map(|(_, item)| Some(item)).collect()
}

fn known(plan: &Plan, index: StepIndex, action: &ActionUse, scope: &NodeScope<'_>) -> Map<String, Value> {
    let render = |value: &Templated| plan.expressions(index).render(value, scope).ok().map(|value| value.shown());
    match &action.with.value {
        Templated::Map(entries) => {
            entries.iter().filter_map(|(name, value)| Some((name.clone(), render(value)?))).collect()
        }
        whole => render(whole).and_then(|value| value.as_object().cloned()).unwrap_or_default(),
    }
}
