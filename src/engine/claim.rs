//! What a notice may claim: that the service is back, once the steps that look have seen it.

use serde_json::Value;

use super::event::{Mode, StepState};
use super::frame::FrameId;
use super::state::{Node, NodeId, State};
use crate::plan::Plan;
use crate::plan::checks::is_validation;

/// That every validation step of the runbook that sends the notice, and of those it calls, has passed or does not apply.
///
/// # Errors
/// Which of them has not, for people.
pub(super) fn recovery_is_seen(plan: &Plan, state: &State, sender: NodeId) -> Result<(), String> {
    // A dry run sends nothing, and its checks cannot see what was not done.
    if state.mode() == Mode::DryRun {
        return Ok(());
    }
    let frame = state.node(sender).frame;
    let unseen = state.nodes.iter().find(|node| {
        is_validation(&plan.catalogue, plan.step(node.step))
            && is_within(state, node.frame, frame)
            && (node.overridden().is_some()
                || !matches!(node.state, StepState::Succeeded | StepState::NotApplicable)
                || is_unhealthy(node))
    });
    let Some(node) = unseen else { return Ok(()) };
    // "skipped by ana: ..", "ana says it happened: ..", what a probe found, or the state alone.
    let state = if is_unhealthy(node) { "not healthy" } else { node.state.words() };
    let how = node.overridden().map_or_else(|| state.to_owned(), str::to_owned);
    Err(format!("a template cannot claim recovery before the validation steps have passed: `{}` ({how})", node.path))
}

/// Whether it is a probe that found its target unhealthy: it has done its work, and nothing held.
fn is_unhealthy(node: &Node) -> bool {
    node.outputs.values().and_then(|outputs| outputs.get("healthy")) == Some(&Value::Bool(false))
}

/// Whether a frame is another one, or is called from it, directly or not.
fn is_within(state: &State, mut frame: FrameId, outer: FrameId) -> bool {
    loop {
        if frame == outer {
            return true;
        }
        match state.frame(frame).caller {
            Some(caller) => frame = state.node(caller).frame,
            None => return false,
        }
    }
}
