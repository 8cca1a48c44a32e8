//! `drctl status`: what is happening, what needs me, how much of the RTO is left, what do I type next.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::sanitise;
use super::summary::{exceptions, next_commands, rto_clock};
use super::table::rounded;
use super::timeline::Timeline;
use crate::catalogue::Timestamp;
use crate::engine::{Node, State, StepState};
use crate::plan::{Plan, digest};
use crate::runbook::ast::Phase;

/// More pending or finished steps of a phase than this are counted, not listed.
const LISTED: usize = 40;

/// The status of a run, for people.
#[must_use]
pub fn status(
    plan: &Plan,
    state: &State,
    run: &str,
    now: Timestamp,
    timeline: &Timeline,
    holder: Option<String>,
) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        writeln!(text, "{line}").ok();
    };
    let run_state = state.run_state(plan);
    line(format!("{} `{}`, run {run}: {}", plan.runbook.kind.name(), plan.runbook.name.value, run_state.words()));
    let end = if state.ended.is_some() { state.last_at } else { now };
    let shown = Timeline::restored_at(plan, state).unwrap_or(end);
    line(format!(
        "RTO clock: {}; {} of it waiting for people",
        rto_clock(plan, timeline, shown),
        rounded(timeline.waiting_until(end))
    ));
    match (&holder, run_state.is_final()) {
        (_, true) => {}
        (Some(holder), false) => line(format!("driven by {holder}")),
        (None, false) => line(format!("nobody drives it: drctl resume {run}")),
    }
    for phase in Phase::ALL {
        let nodes: Vec<&Node> = state.nodes.iter().filter(|node| plan.step(node.step).phase == phase).collect();
        if nodes.is_empty() {
            continue;
        }
        line(format!("\n{phase}"));
        let quiet =
            |node: &&&Node| matches!(node.state, StepState::Pending | StepState::Succeeded | StepState::NotApplicable);
        let hidden = nodes.iter().filter(quiet).count().saturating_sub(LISTED);
        let mut quiet_left = LISTED;
        for node in nodes {
            if quiet(&&node) {
                if quiet_left == 0 {
                    continue;
                }
                quiet_left -= 1;
            }
            step_lines(node, now).into_iter().for_each(&mut line);
        }
        if hidden > 0 {
            line(format!("  and {hidden} more that are pending or done"));
        }
    }
    let next = next_commands(plan, state, run);
    if !next.is_empty() {
        line("\nnext:".to_owned());
        next.into_iter().for_each(|command| line(format!("  {command}")));
    }
    text
}

fn step_lines(node: &Node, now: Timestamp) -> Vec<String> {
    let elapsed = match (node.started, node.ended) {
        (Some(started), Some(ended)) => format!(" {}", rounded(started.until(ended))),
        (Some(started), None) => format!(" {} so far", rounded(started.until(now))),
        _ => String::new(),
    };
    let attempt = if node.attempt > 1 { format!(", attempt {}", node.attempt) } else { String::new() };
    let mut lines = vec![format!("  {:<28} {}{elapsed}{attempt}", node.path.to_string(), node.state.words())];
    let about =
        node.overridden().or(node.reason()).or(node.more.as_ref().map(|more| more.note.as_str())).unwrap_or_default();
    lines.extend(sanitise(about).lines().map(|line| format!("      {line}")));
    if node.state == StepState::AwaitingApproval
        && let Some(gate) = node.gate()
    {
        let opened = &gate.opened;
        lines.push(format!("      {}", sanitise(&opened.prompt)));
        lines.extend(opened.preview.iter().map(|line| format!("      would: {}", sanitise(line))));
        let roles = if opened.by.is_empty() { "anybody".to_owned() } else { opened.by.join(", ") };
        let escalated =
            gate.escalated.as_ref().map(|to| format!("; escalated to {}", to.join(", "))).unwrap_or_default();
        lines.push(format!(
            "      asks {roles}{escalated}; {} of {} approvals; digest {}",
            gate.votes.len(),
            opened.quorum,
            digest::short(&opened.digest)
        ));
        lines.extend(opened.deadline.map(|deadline| format!("      deadline {deadline}")));
    }
    if node.state == StepState::AwaitingPerson
        && let Some((instructions, answers)) = node.more.as_ref().and_then(|more| more.asked.as_ref())
    {
        lines.extend(sanitise(instructions).lines().map(|line| format!("      {line}")));
        lines.extend(answers.iter().map(|(name, kind)| format!("      wants {name}: {kind}")));
    }
    lines
}

/// The status of a run, for programs.
#[must_use]
pub fn status_json(
    plan: &Plan,
    state: &State,
    run: &str,
    now: Timestamp,
    timeline: &Timeline,
    holder: Option<String>,
) -> String {
    let end = if state.ended.is_some() { state.last_at } else { now };
    let restored = Timeline::restored_at(plan, state);
    let seconds = |span: std::time::Duration| span.as_secs_f64();
    let steps: Vec<Value> = state
        .nodes
        .iter()
        .map(|node| {
            json!({
                "step": node.path, "phase": plan.step(node.step).phase, "state": node.state, "attempt": node.attempt,
                "started": node.started, "ended": node.ended, "reason": node.reason(), "overridden": node.overridden(),
            })
        })
        .collect();
    let value = json!({
        "drctl": 1, "run": run, "runbook": plan.runbook.name.value, "kind": plan.runbook.kind,
        "state": state.run_state(plan), "driven_by": holder,
        "rto_seconds": plan.runbook.objectives.rto.map(seconds),
        "elapsed_seconds": seconds(timeline.start.until(end)),
        "restored_after_seconds": restored.map(|at| seconds(timeline.start.until(at))),
        "waiting_for_people_seconds": seconds(timeline.waiting_until(end)),
        "steps": steps, "exceptions": exceptions(state), "next": next_commands(plan, state, run),
    });
    serde_json::to_string_pretty(&value).unwrap_or_default()
}
