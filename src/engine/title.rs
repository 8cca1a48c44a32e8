//! What a run and its steps are called for people: shown beside the names that they type.

use super::frame::FrameId;
use super::scope::NodeScope;
use super::state::{NodeId, State};
use crate::plan::Plan;
use crate::runbook::expr::{Rendered, Scope, Templated};

/// The most characters of a title that are shown: a line is to stay one.
const LONGEST: usize = 60;

/// The title of a step, where it has one and all that it reads is known.
#[must_use]
pub fn step_title(plan: &Plan, state: &State, node: NodeId) -> Option<String> {
    let title = plan.step(state.node(node).step).title.as_deref()?;
    shown(plan, state.frame(state.node(node).frame).part, title, &NodeScope::of(plan, state, node))
}

/// The title of the runbook, the same way.
#[must_use]
pub fn run_title(plan: &Plan, state: &State) -> Option<String> {
    let title = plan.runbook.title.as_ref()?;
    shown(plan, 0, title, &NodeScope::of_frame(plan, state, FrameId::default()))
}

fn shown(plan: &Plan, part: usize, title: &Templated, scope: &dyn Scope) -> Option<String> {
    let title = plan.parts[part].runbook.expressions.render(title, scope).ok().as_ref().map(Rendered::shown)?;
    let title = title.as_str().map_or_else(|| title.to_string(), str::to_owned);
    let line = title.lines().next()?.trim();
    let short: String = line.chars().take(LONGEST).collect();
    let dots = if short.len() < line.len() { "..." } else { "" };
    (!line.is_empty()).then(|| format!("{short}{dots}"))
}
