//! What is known before a run to be in its way: values that it is given, with which a step that will begin cannot.

use serde_json::Value;

use super::outlook::outlook;
use super::scope::NodeScope;
use super::state::{NodeId, State};
use crate::catalogue::Type;
use crate::diag::Diagnostic;
use crate::plan::{self, Plan, StepIndex};
use crate::runbook::ast::{ActionUse, OnFailure};
use crate::runbook::expr::ExprId;

/// Each value that is known before the run, stands in a step that surely begins, and does not fit there. Where the run
/// goes on without the step, nothing is in its way.
#[must_use]
pub fn unfit(plan: &Plan) -> Vec<Diagnostic> {
    let state = outlook(plan);
    let matters = |node: &NodeId| plan.on_failure(state.node(*node).step) != OnFailure::Continue;
    let sure = (0..).map(NodeId).take(state.nodes.len()).filter(matters);
    let sure = sure.filter(|node| surely_applies(plan, &state, *node));
    let mut found: Vec<Diagnostic> = sure.flat_map(|node| of_node(plan, &state, node)).collect();
    crate::diag::sort(&mut found);
    found.dedup();
    found
}

/// Whether no condition keeps the step from beginning, nor one of those that call it.
fn surely_applies(plan: &Plan, state: &State, node: NodeId) -> bool {
    let mut at = Some(node);
    while let Some(inside) = at {
        let about = state.node(inside);
        let frame = state.frame(about.frame);
        let holds =
            |when| plan.expressions(about.step).condition(when, &NodeScope::of(plan, state, inside)) == Ok(true);
        if !frame.begun || !plan.step(about.step).when.is_none_or(holds) {
            return false;
        }
        at = frame.caller;
    }
    true
}

fn of_node(plan: &Plan, state: &State, node: NodeId) -> Vec<Diagnostic> {
    let index = state.node(node).step;
    let step = plan.step(index);
    let scope = NodeScope::of(plan, state, node);
    let mut found = Vec::new();
    if let Some(for_each) = &step.for_each
        && let Ok(items) = plan.expressions(index).render(&for_each.items, &scope)
        && let Err(problem) = plan::items(&items.shown())
    {
        let message = format!("`for_each` of `{}`: {problem}", plan.path(index));
        let mut read = Vec::new();
        for_each.items.expressions(&mut read);
        let note = given(plan, index, &read);
        found.push(
            Diagnostic::error("repeat", for_each.span, message)
                .note("each instance is named after its item")
                .note(note),
        );
    }
    let verify = step.verify.as_ref().map(|verify| &verify.action);
    let undo = step.rollback.iter().map(|rollback| -> &ActionUse { rollback });
    let actions = std::iter::once(&step.action).chain(verify).chain(undo);
    found.extend(actions.filter_map(|action| of_action(plan, index, action, &scope)));
    found
}

/// What is wrong with the parameters of an action that are all known.
fn of_action(plan: &Plan, index: StepIndex, action: &ActionUse, scope: &NodeScope<'_>) -> Option<Diagnostic> {
    let spec = plan.spec(&action.name.value)?;
    let with = plan.expressions(index).render(&action.with.value, scope).ok()?;
    let Value::Object(with) = with.settle(&Type::Record(spec.parameters)).shown() else { return None };
    let problem = spec.check(&with).err()?;
    let mut read = Vec::new();
    action.with.value.expressions(&mut read);
    let message = format!("`{}` of `{}`: {problem}", action.name.value, plan.path(index));
    Some(Diagnostic::error("type", action.with.span, message).note(given(plan, index, &read)))
}

/// Where the value comes from, and how another is given.
fn given(plan: &Plan, index: StepIndex, read: &[ExprId]) -> String {
    let expressions = plan.expressions(index);
    let paths = read.iter().flat_map(|id| &expressions.get(*id).scan.paths);
    let inputs = paths.filter(|path| path.parts[0] == "inputs").filter_map(|path| path.parts.get(1));
    let mut inputs: Vec<&str> = inputs.map(String::as_str).collect();
    inputs.sort_unstable();
    inputs.dedup();
    let is_called = plan.part_index(index) != 0;
    match (inputs.as_slice(), is_called) {
        ([], _) => "it is known before the run: mend the runbook".to_owned(),
        (inputs, true) => format!("it comes from what the caller hands over: `{}`", inputs.join("`, `")),
        (inputs, false) => {
            let set: Vec<String> = inputs.iter().map(|name| format!("--set {name}=VALUE")).collect();
            format!("it comes from what the run is given: {}", set.join(" "))
        }
    }
}
