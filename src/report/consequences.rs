//! What a decision brings about, shown before it is made.

use super::words;
use crate::engine::{NodeId, State, undo_plan};
use crate::plan::{Plan, StepIndex, is_main};
use crate::runbook::ast::{Phase, Step};

/// What starts once the step is left out; raw.
#[must_use]
pub fn skip_preview(plan: &Plan, state: &State, node: NodeId) -> String {
    let node = state.node(node);
    if !node.side().is_apply() {
        return format!("what `{}` did stays: nothing undoes it", node.path);
    }
    let step = node.step;
    let path = plan.path(step);
    let starting = waiting_for(plan, step);
    if starting.is_empty() {
        return format!("nothing depends on `{path}`");
    }
    let named =
        |indexes: &mut dyn Iterator<Item = &StepIndex>| indexes.map(|index| plan.path(*index)).collect::<Vec<_>>();
    let all = words::names(&named(&mut starting.iter()), 8);
    let points = named(&mut starting.iter().filter(|index| plan.step(**index).point_of_no_return));
    let points = match points.as_slice() {
        [] => String::new(),
        points => format!("; of no return: {}", words::names(points, 8)),
    };
    format!("these depend on `{path}` and will start as if it were done: {all}{points}")
}

/// The steps that wait for a step by their needs or their phase, in its runbook and in those that call it.
fn waiting_for(plan: &Plan, step: StepIndex) -> Vec<StepIndex> {
    let mut waiting = Vec::new();
    for step in plan.callers(step) {
        let phase = plan.step(step).phase;
        waiting.extend(plan.graph.descendants(step));
        // With needs, a communication step waits for them alone.
        let by_phase = |step: &Step| step.phase != Phase::Communication || step.needs.is_empty();
        let later = |(_, other): &(StepIndex, &Step)| {
            phase.is_barrier() && other.phase > phase && is_main(other) && by_phase(other)
        };
        waiting.extend(plan.part_of(step).indexed().filter(later).map(|(index, _)| index));
    }
    waiting.sort_unstable();
    waiting.dedup();
    waiting
}

/// What giving the run up would undo, and what would stay; raw.
#[must_use]
pub fn abort_preview(plan: &Plan, state: &State) -> Vec<String> {
    let undo = undo_plan(plan, state);
    let mut lines = Vec::new();
    if undo.steps.is_empty() {
        lines.push("an abort undoes nothing".to_owned());
    } else {
        lines.push("an abort undoes, in this order:".to_owned());
    }
    let undoing = |id: &NodeId| {
        let node = state.node(*id);
        let rollback = plan.step(node.step).rollback.as_ref();
        let action = rollback.map_or("", |rollback| rollback.name.value.as_str());
        format!("  {}: {action}", node.path)
    };
    lines.extend(undo.steps.iter().map(undoing));
    if !undo.kept.is_empty() {
        lines.push("what stays:".to_owned());
        lines.extend(undo.kept.iter().map(|(step, why)| format!("  {step}: {why}")));
    }
    lines
}
