//! The gates of a plan: who may open them, and what an approval ahead binds to.

use std::collections::BTreeSet;

use super::outline::{Gate, Seconds};
use super::values::Values;
use crate::engine::{Asked, NodeId, State, gate_question};
use crate::plan::Plan;
use crate::plan::critical_path;
use crate::runbook::ast::{Approval, OnTimeout};

/// What the gate of the node will ask, or why that is not known before the run.
///
/// # Errors
/// The reason, for people.
fn foreseen(plan: &Plan, state: &State, node: NodeId) -> Result<Asked, String> {
    let index = state.node(node).step;
    let step = plan.step(index);
    let expressions = step.expressions().into_iter().map(|id| plan.expressions(index).get(id));
    let roots: BTreeSet<&str> =
        expressions.flat_map(|read| &read.scan.paths).map(|path| path.parts[0].as_str()).collect();
    if roots.contains("steps") {
        return Err("it reads what earlier steps give".to_owned());
    }
    if roots.contains("run") {
        return Err("it reads what only the run itself knows".to_owned());
    }
    if step.for_each.is_some() {
        return Err("it asks for the instances of `for_each`, which the run makes".to_owned());
    }
    let mut frame = state.frame(state.node(node).frame);
    // A gate binds to what its runbook is called with, and the one that calls that, too.
    while let Some(caller) = frame.caller {
        if plan.step(state.node(caller).step).for_each.is_some() {
            return Err("its runbook is called for each item, which the run does".to_owned());
        }
        if !frame.begun || !frame.unknown.is_empty() {
            return Err("what its runbook is called with is not known before".to_owned());
        }
        frame = state.frame(state.node(caller).frame);
    }
    gate_question(plan, state, node).map_err(|problem| problem.to_string())
}

/// What is told of the gate of a step.
pub(super) fn gate(plan: &Plan, state: &State, node: NodeId, approval: &Approval) -> Gate {
    let workspace = &plan.workspace;
    let by: Vec<String> = approval.by.iter().map(|role| role.value.clone()).collect();
    let own: Vec<String> = approval.escalate_to.iter().map(|role| role.value.clone()).collect();
    let escalate_to = match approval.on_timeout {
        OnTimeout::Reject => Vec::new(),
        OnTimeout::Escalate if own.is_empty() => workspace.escalate_to.clone(),
        OnTimeout::Escalate => own,
    };
    let values = Values::of(plan, state, node);
    let (digest, preview, why) = match foreseen(plan, state, node) {
        Ok(asked) => (Some(asked.digest), asked.preview, None),
        Err(why) => (None, Vec::new(), Some(why)),
    };
    let time = critical_path::gate(approval);
    let levels = plan.escalation(state.node(node).step);
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
        calls: levels.iter().map(|level| (level.calls.clone(), Seconds(level.timeout))).collect(),
        prompt: approval.prompt.as_ref().map(|prompt| values.parameter("prompt", prompt)),
        digest,
        preview,
        why,
        estimate: (Seconds(time.typical), Seconds(time.worst)),
    }
}
