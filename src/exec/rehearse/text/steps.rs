//! The steps of a rehearsal, a line each: when each started, and what became of it.

use std::fmt::Write as _;

use super::{clock, seconds};
use crate::engine::{NodeId, State, StepState};
use crate::plan::Plan;
use crate::plan::path::without_keys;
use crate::runbook::ast::Phase;

/// The steps of a phase.
pub(super) fn steps(text: &mut String, plan: &Plan, state: &State, phase: Phase) {
    let inside = |node: &NodeId| plan.step(state.node(*node).step).phase == phase;
    let shown = state.iter().map(|(id, _)| id).filter(inside).filter(|id| !state.children.contains_key(id));
    let mut nodes: Vec<NodeId> = shown.collect();
    if nodes.is_empty() {
        return;
    }
    sort(&mut nodes, state);
    writeln!(text, "\n{phase}").ok();
    for id in nodes {
        writeln!(text, "  {}", step_line(state, id)).ok();
    }
}

/// In the order in which they started; those that did not come last.
fn sort(nodes: &mut [NodeId], state: &State) {
    nodes.sort_by_key(|id| (state.node(*id).started.is_none(), state.node(*id).started, *id));
}

/// When a step started, and what became of it.
fn step_line(state: &State, id: NodeId) -> String {
    let node = state.node(id);
    let started = node.started.map_or_else(|| " ".repeat(8), |at| clock(state.started_at.until(at)));
    let took = node.started.zip(node.ended).map(|(from, to)| format!(" after {}", seconds(from.until(to))));
    let attempts = if node.attempt > 1 { format!(", {} attempts", node.attempt) } else { String::new() };
    let why = node.reason().and_then(|why| why.lines().next()).map(|why| format!(": {why}")).unwrap_or_default();
    let (path, words) = (node.path.to_string(), node.state.words());
    format!("{started}  {path:<28}  {words}{}{attempts}{why}", took.unwrap_or_default())
}

/// What the run did around a step, in order; without a step, or where the run has none of that name, around what stands
/// in its way, or at its end.
pub(in crate::exec::rehearse) fn around(state: &State, step: Option<&str>) -> Vec<String> {
    let mut nodes: Vec<NodeId> = state.iter().map(|(id, _)| id).collect();
    nodes.retain(|id| !state.children.contains_key(id));
    // A manual step has no start of its own.
    let began = |id: &NodeId| state.node(*id).started.or(state.node(*id).ended);
    nodes.sort_by_key(|id| (began(id).is_none(), began(id), *id));
    let stands = |id: &NodeId| state.node(*id).reason().is_some() && state.node(*id).state != StepState::NotApplicable;
    let last = nodes.iter().rposition(|id| began(id).is_some());
    let at = step.and_then(|step| position(state, &nodes, step)).or_else(|| nodes.iter().position(stands)).or(last);
    let at = at.unwrap_or(0);
    let near = nodes.iter().skip(at.saturating_sub(2)).take(if at < 2 { at + 3 } else { 5 });
    near.map(|id| step_line(state, *id)).collect()
}

/// Where the step is among the nodes: itself, else its first instance, else the first that stands in its place in
/// whatever is called for each item, else what was to call it.
fn position(state: &State, nodes: &[NodeId], step: &str) -> Option<usize> {
    let path = |id: &NodeId| state.node(*id).path.to_string();
    let keyless = without_keys(step);
    let itself = nodes.iter().position(|id| path(id) == step);
    let instance = || nodes.iter().position(|id| path(id).strip_prefix(step).is_some_and(|key| key.starts_with('[')));
    let alike = || nodes.iter().position(|id| without_keys(&path(id)) == keyless);
    let caller = || position(state, nodes, keyless.rsplit_once('.')?.0);
    itself.or_else(instance).or_else(alike).or_else(caller)
}
