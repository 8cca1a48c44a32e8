//! The gates of a plan: who may open them, and what an approval ahead binds to.

use super::outline::{Gate, Seconds};
use super::values::Values;
use crate::engine::{Asked, State, gate_question};
use crate::plan::critical_path;
use crate::plan::{Plan, StepIndex};
use crate::runbook::ast::{Approval, OnTimeout};

/// What the gate of the step will ask, or why it is not known before the run.
///
/// # Errors
/// The reason, for people.
pub fn foreseen(plan: &Plan, state: &State, index: StepIndex) -> Result<Asked, String> {
    let step = plan.step(index);
    let reads = |path: &[String]| matches!(path[0].as_str(), "steps" | "run");
    let expressions = step.expressions().into_iter().map(|id| plan.expressions(index).get(id));
    let reads_steps = expressions.into_iter().any(|read| read.scan.paths.iter().any(|path| reads(&path.parts)));
    if reads_steps || step.for_each.is_some() {
        return Err("it reads what earlier steps give".to_owned());
    }
    let node = state.nodes_of(plan, index).next().filter(|node| {
        let mut frame = Some(state.frame(state.node(*node).frame));
        // A gate binds to what its runbook is called with, and the one that calls that, too.
        while let Some(at) = frame.filter(|frame| frame.begun && frame.unknown.is_empty()) {
            let Some(caller) = at.caller else { return true };
            frame = Some(state.frame(state.node(caller).frame));
        }
        false
    });
    let node = node.ok_or("what its runbook is called with is not known before")?;
    gate_question(plan, state, node).map_err(|problem| problem.to_string())
}

/// What is told of the gate of a step.
pub(super) fn gate(plan: &Plan, state: &State, index: StepIndex, approval: &Approval) -> Gate {
    let workspace = &plan.workspace;
    let by: Vec<String> = approval.by.iter().map(|role| role.value.clone()).collect();
    let own: Vec<String> = approval.escalate_to.iter().map(|role| role.value.clone()).collect();
    let escalate_to = match approval.on_timeout {
        OnTimeout::Reject => Vec::new(),
        OnTimeout::Escalate if own.is_empty() => workspace.escalate_to.clone(),
        OnTimeout::Escalate => own,
    };
    let values = Values::of(plan, state, index);
    let (digest, preview, why) = match foreseen(plan, state, index) {
        Ok(asked) => (Some(asked.digest), asked.preview, None),
        Err(why) => (None, Vec::new(), Some(why)),
    };
    let time = critical_path::gate(approval);
    Gate {
        people: workspace.people(by.iter().map(String::as_str)),
        by,
        quorum: approval.quorum,
        requester_may_approve: approval.requester_may_approve.unwrap_or(workspace.requester_may_approve),
        timeout: approval.timeout.map(Seconds),
        on_timeout: match approval.on_timeout {
            OnTimeout::Escalate => "escalate",
            OnTimeout::Reject => "reject",
        },
        escalate_to_people: workspace.people(escalate_to.iter().map(String::as_str)),
        escalate_to,
        prompt: approval.prompt.as_ref().map(|prompt| values.parameter("prompt", prompt)),
        digest,
        preview,
        why,
        estimate: (Seconds(time.typical), Seconds(time.worst)),
    }
}
