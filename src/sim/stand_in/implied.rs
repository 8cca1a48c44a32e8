//! The actions of a plan with what is known of their parameters before the run.

use serde_json::{Map, Value};

use crate::engine::{NodeScope, foresee};
use crate::plan::path::without_keys;
use crate::plan::{Plan, StepIndex};
use crate::runbook::ast::ActionUse;
use crate::runbook::expr::Templated;

/// An action that a step uses, for its work, its check or its undoing.
#[derive(Clone, Debug, PartialEq)]
pub struct Implied {
    /// The step's path, without keys.
    pub step: String,
    /// The action.
    pub action: String,
    /// The parameters that are known: what reads other steps is not.
    pub with: Map<String, Value>,
}

/// All actions of a plan, those of called runbooks included, each once for every item of its step.
#[must_use]
pub fn implied(plan: &Plan) -> Vec<Implied> {
    let state = foresee(plan);
    let mut found = Vec::new();
    for (id, node) in state.iter().filter(|(id, _)| !state.children.contains_key(id)) {
        let (index, step) = (node.step, plan.step(node.step));
        let scope = NodeScope::of(plan, &state, id);
        let check = step.verify.as_ref().map(|verify| &verify.action);
        for action in [Some(&step.action), check, step.rollback.as_deref()].into_iter().flatten() {
            let with = known(plan, index, action, &scope);
            found.push(Implied { step: without_keys(&node.path.0), action: action.name.value.clone(), with });
        }
    }
    found
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
