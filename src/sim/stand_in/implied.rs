//! The actions of a plan with what is known of their parameters before the run.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::catalogue::Timestamp;
use crate::engine::{NodeId, NodeScope, Roots, State};
use crate::plan::Plan;
use crate::runbook::ast::{ActionUse, Step};
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

/// All actions of a plan, each once for every item of its step.
#[must_use]
pub fn implied(plan: &Plan) -> Vec<Implied> {
    let (mut state, roots) = (State::new(plan), Roots::new(plan));
    let mut found = Vec::new();
    for (index, step) in plan.steps() {
        let node = NodeId(index.0);
        for item in items(plan, &state, &roots, (node, step)) {
            state.nodes[node.at()].item = item.map(Arc::new);
            let scope = NodeScope {
                plan,
                state: &state,
                roots: &roots,
                now: Timestamp::default(),
                node: Some(node),
                vars: None,
            };
            let check = step.verify.as_ref().map(|verify| &verify.action);
            for action in [Some(&step.action), check, step.rollback.as_deref()].into_iter().flatten() {
                let with = known(plan, action, &scope);
                found.push(Implied { step: step.id.value.clone(), action: action.name.value.clone(), with });
            }
        }
        state.nodes[node.at()].item = None;
    }
    found
}

/// The items of the step where they are known; one without an item where it has none.
fn items(plan: &Plan, state: &State, roots: &Roots, (node, step): (NodeId, &Step)) -> Vec<Option<Value>> {
    let Some(for_each) = &step.for_each else { return vec![None] };
    let scope = NodeScope { plan, state, roots, now: Timestamp::default(), node: Some(node), vars: None };
    let rendered = plan.runbook.expressions.render(&for_each.items, &scope).map(|items| items.shown());
    let items = rendered.ok().and_then(|items| crate::plan::items(&items).ok());
    items.into_iter().flatten().map(|(_, item)| Some(item)).collect()
}

fn known(plan: &Plan, action: &ActionUse, scope: &NodeScope<'_>) -> Map<String, Value> {
    let render = |value: &Templated| plan.runbook.expressions.render(value, scope).ok().map(|value| value.shown());
    match &action.with.value {
        Templated::Map(entries) => {
            entries.iter().filter_map(|(name, value)| Some((name.clone(), render(value)?))).collect()
        }
        whole => render(whole).and_then(|value| value.as_object().cloned()).unwrap_or_default(),
    }
}
