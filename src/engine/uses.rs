//! Every action that a plan uses, with its parameters as far as they are known before the run.

use serde_json::{Map, Value};

use super::call::outlook;
use super::scope::NodeScope;
use super::state::State;
use crate::plan::definition::written;
use crate::plan::{Plan, StepIndex};
use crate::runbook::ast::{ActionUse, Phase, Runbook};
use crate::runbook::expr::{ExprId, Scope, Segment, Templated};

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
    /// Its path.
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

/// The actions of a plan in the order of the phases. Steps whose `when` is false already are left out.
#[must_use]
pub fn uses(plan: &Plan) -> Vec<Use> {
    let state = outlook(plan);
    let mut steps: Vec<StepIndex> = plan.steps().map(|(index, _)| index).collect();
    steps.sort_by_cached_key(|step| place(plan, *step));
    steps.into_iter().flat_map(|step| of_step(plan, &state, step)).collect()
}

/// Where a step stands in the run: that of the outermost call first.
fn place(plan: &Plan, step: StepIndex) -> Vec<(Phase, StepIndex)> {
    let mut place: Vec<_> = plan.callers(step).map(|step| (plan.step(step).phase, step)).collect();
    place.reverse();
    place
}

fn of_step(plan: &Plan, state: &State, index: StepIndex) -> Vec<Use> {
    let (step, runbook) = (plan.step(index), plan.runbook_of(index));
    let Some(node) = state.nodes_of(plan, index).next() else { return Vec::new() };
    let scope = NodeScope::of(plan, state, node);
    if step.when.is_some_and(|when| is_known(runbook, when) && runbook.expressions.condition(when, &scope) == Ok(false))
    {
        return Vec::new();
    }
    let items = step.for_each.as_ref().map(|for_each| known(runbook, &for_each.items, &scope));
    let used = |role: Role, action: &ActionUse, items: Option<Value>| Use {
        step: index,
        path: plan.path(index),
        role,
        action: action.name.value.clone(),
        with: match known(runbook, &action.with.value, &scope) {
            Value::Object(with) => with,
            _ => Map::new(),
        },
        items,
    };
    let verify = step.verify.as_ref().map(|verify| used(Role::Verify, &verify.action, None));
    let rollback = step.rollback.as_ref().map(|rollback| used(Role::Rollback, rollback, None));
    std::iter::once(used(Role::Action, &step.action, items)).chain(verify).chain(rollback).collect()
}

/// Whether nothing that only the run gives is read.
fn is_known(runbook: &Runbook, id: ExprId) -> bool {
    let roots = runbook.expressions.get(id).scan.paths.iter().map(|path| path.parts[0].as_str());
    roots.into_iter().all(|root| !matches!(root, "steps" | "run" | "item"))
}

/// The value as far as it is known.
fn known(runbook: &Runbook, value: &Templated, scope: &dyn Scope) -> Value {
    let evaluated = |id: ExprId| is_known(runbook, id).then(|| runbook.expressions.evaluate(id, scope).ok()).flatten();
    let as_written = |id: ExprId| written(runbook, &Templated::Expression(id));
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Templated::Expression(id) => evaluated(*id).unwrap_or_else(|| as_written(*id)),
        Templated::Text(segments) => {
            let segment = |segment: &Segment| match segment {
                Segment::Expression(id) => text(evaluated(*id).unwrap_or_else(|| as_written(*id))),
                other => text(written(runbook, &Templated::Text(vec![other.clone()]))),
            };
            Value::String(segments.iter().map(segment).collect())
        }
        Templated::List(items) => items.iter().map(|item| known(runbook, item, scope)).collect(),
        Templated::Map(entries) => {
            Value::Object(entries.iter().map(|(key, item)| (key.clone(), known(runbook, item, scope))).collect())
        }
        Templated::Plain(_) | Templated::Secret(_) => written(runbook, value),
    }
}
