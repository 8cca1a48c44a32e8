//! `drctl status`: a run at one moment, from its journal.

use serde_json::{Value, json};

use super::calls::{call_lines, calls_json};
use super::from_here::FromHere;
use super::kept::Kept;
use super::needs::{Need, commands, needs, retry_asks, side_word};
use super::owed::{owed_commands, owed_line};
use super::sanitise::Cleaner;
use super::story::short_digest;
use super::summary::{clock_words, output_words, split_words, summarise};
use super::survivor::Survivor;
use super::timeline::Timeline;
use super::words;
use crate::catalogue::Timestamp;
use crate::engine::{
    DataLoss, FrameId, Mode, Node, NodeId, NodePath, RunState, State, StepState, asks, gate_at, owed, run_title,
    step_title,
};
use crate::plan::Plan;
use crate::runbook::ast::Phase;
use std::fmt::Write as _;

/// How many instances of a step are listed before they are only counted.
const MOST_INSTANCES: usize = 20;

/// What is known of a run besides its journal.
#[derive(Clone, Debug)]
pub struct Standing<'s> {
    /// What its time went into.
    pub timeline: &'s Timeline,
    /// What was decided while nobody executed it.
    pub kept: &'s Kept,
    /// Who executes it now, where somebody does.
    pub holder: Option<String>,
    /// What still runs of it while nobody does.
    pub survivors: &'s [Survivor],
    /// How commands are typed from where a person stands.
    pub from_here: &'s FromHere,
}

/// A run as `drctl status` shows it.
#[must_use]
pub fn status(plan: &Plan, state: &State, run: &str, now: Timestamp, standing: &Standing<'_>) -> String {
    let Standing { timeline, kept, holder, survivors, from_here } = standing;
    let mut lines = head(plan, state, run, holder.as_deref());
    if holder.is_none() && state.ended.is_none() {
        lines.push(from_here.typed(&format!("nobody is executing it: drctl resume {run}")));
    }
    if state.mode() == Mode::Real {
        let clock = timeline.clock(plan, now);
        lines.push(clock_words(&clock));
        lines.push(format!("  {}", split_words(&clock.split)));
        lines.extend(DataLoss::of(plan, state, |_| true).words());
    }
    for phase in Phase::ALL {
        steps_of(plan, state, now, phase, &mut lines);
    }
    lines.extend((!state.outputs.is_empty()).then(|| "outputs".to_owned()));
    lines.extend(output_words(&state.outputs).map(|line| format!("  {line}")));
    lines.extend((!survivors.is_empty()).then(|| "still running".to_owned()));
    lines.extend(survivors.iter().map(|survivor| format!("  {}", survivor.words(now))));
    if !kept.decisions.is_empty() {
        lines.push("kept, to be taken by who drives the run".to_owned());
        lines.extend(kept.lines());
    }
    let after = &kept.after;
    let waiting: Vec<String> =
        needs(plan, after).into_iter().flat_map(|(need, id)| needed(plan, after, now, need, id)).collect();
    if !waiting.is_empty() {
        lines.push("needs people".to_owned());
        lines.extend(waiting);
    }
    let owed = owed(plan, state);
    lines.extend((!owed.is_empty()).then(|| "owed".to_owned()));
    lines.extend(owed.iter().map(|owed| format!("  {}", owed_line(owed))));
    let mut next = commands(plan, after, run, holder.is_some());
    if holder.is_none() {
        next.extend(owed_commands(&owed, run));
    }
    lines.extend((!next.is_empty()).then(|| "next".to_owned()));
    lines.extend(next.iter().map(|command| format!("  {}", from_here.typed(command))));
    clean(&lines)
}

/// Lines from here on hold text from outside: each is made safe as a whole.
fn clean(lines: &[String]) -> String {
    let cleaner = Cleaner::default();
    lines.iter().flat_map(|line| cleaner.block(line)).map(|line| format!("{line}\n")).collect()
}

fn head(plan: &Plan, state: &State, run: &str, holder: Option<&str>) -> Vec<String> {
    let dry = match &state.started {
        Some(started) if started.mode == Mode::DryRun => " (dry run)",
        Some(started) if started.simulated => " (simulated)",
        _ => "",
    };
    let runbook = &plan.runbook;
    let (kind, name, how) = (runbook.kind.name(), &runbook.name.value, how_it_is(plan, state, holder));
    let mut lines = vec![format!("run {run}{dry}: {kind} `{name}` {how}")];
    let owner = runbook.owner.as_ref().map(|owner| owner.value.as_str());
    lines.extend(words::title_and_owner(run_title(plan, state), owner));
    if let Some(started) = &state.started {
        let when = words::date_and_time(state.started_at);
        lines.push(format!("started {when} UTC by {}", words::person(&started.operator)));
    }
    lines.extend(given_up(state));
    let holder = holder.filter(|_| state.ended.is_none());
    lines.extend(holder.map(|holder| format!("executed by {holder}")));
    lines
}

/// `is running`; `was left while it was being undone`, where something is under way that nobody drives.
fn how_it_is(plan: &Plan, state: &State, holder: Option<&str>) -> String {
    let found = state.run_state(plan);
    let undoing = state.rollback.is_some() && state.ended.is_none();
    match (found, holder) {
        (RunState::Running, Some(_)) if undoing => "is being undone".to_owned(),
        (RunState::Running, None) if undoing => "was left while it was being undone".to_owned(),
        (RunState::Running, None) => "was left while it was running".to_owned(),
        _ => format!("is {}", found.words()),
    }
}

/// Why what was done is being undone.
fn given_up(state: &State) -> Option<String> {
    let undoing = state.rollback.as_ref().map(|rollback| format!("being undone: {}", rollback.reason));
    let aborted = state.aborted.as_ref().map(|who| format!("aborted by {who}"));
    undoing.filter(|_| state.ended.is_none()).or(aborted)
}

fn steps_of(plan: &Plan, state: &State, now: Timestamp, phase: Phase, lines: &mut Vec<String>) {
    let of_phase = |node: &Node| node.parent.is_none() && plan.step(node.step).phase == phase;
    let own = state.frame(FrameId::default()).nodes(plan).filter(|id| of_phase(state.node(*id)));
    let mut headed = false;
    for id in own {
        if !std::mem::replace(&mut headed, true) {
            lines.push(phase.name().to_owned());
        }
        lines_of(plan, state, now, id, "", lines);
    }
}

/// A step, and below it its instances or the steps of the runbook that it calls.
fn lines_of(plan: &Plan, state: &State, now: Timestamp, id: NodeId, indent: &str, lines: &mut Vec<String>) {
    lines.push(format!("{indent}{}", step_line(plan, state, now, id)));
    let deeper = format!("{indent}  ");
    let children = state.children.get(&id).map(Vec::as_slice).unwrap_or_default();
    for child in children.iter().take(MOST_INSTANCES) {
        lines_of(plan, state, now, *child, &deeper, lines);
    }
    if let Some(more) = children.len().checked_sub(MOST_INSTANCES).filter(|more| *more > 0) {
        lines.push(format!("{deeper}  and {more} more"));
    }
    if let Some(frame) = state.called(id) {
        state.frame(frame).nodes(plan).for_each(|step| lines_of(plan, state, now, step, &deeper, lines));
    }
}

fn step_line(plan: &Plan, state: &State, now: Timestamp, id: NodeId) -> String {
    let node = state.node(id);
    let mut line = format!("  {:<28} {}", &*node.path.0, state.shown(plan, id).words());
    if let Some(time) = time_in(node, now) {
        write!(line, ", {time}").ok();
    }
    if node.attempt > 1 {
        write!(line, ", attempt {}", node.attempt).ok();
    }
    let owner = plan.step(node.step).owner.as_deref();
    if let Some(title) = words::title_and_owner(step_title(plan, state, id), owner) {
        write!(line, " ({title})").ok();
    }
    let note = Some(&*node.note).filter(|note| !note.is_empty());
    let why = node.overridden().or_else(|| node.reason()).or(note);
    match (node.failed(), why) {
        (Some(failed), Some(why)) => write!(line, ": it failed: {failed}; undoing it: {why}").ok(),
        (Some(failed), None) => write!(line, ": it failed: {failed}").ok(),
        (None, Some(why)) => write!(line, ": {why}").ok(),
        (None, None) => None,
    };
    line
}

/// How long it took, or has been in its state.
fn time_in(node: &Node, now: Timestamp) -> Option<String> {
    let waits = matches!(node.state, StepState::AwaitingApproval | StepState::AwaitingPerson);
    let (from, to) = match (node.started, node.ended) {
        (_, Some(since)) if waits => (since, now),
        (Some(started), Some(ended)) => (started, ended),
        (Some(started), None) => (started, now),
        _ => return None,
    };
    Some(words::span(from.until(to)))
}

/// What a step needs people for, with all they have to know; raw.
#[must_use]
pub(super) fn needed(plan: &Plan, state: &State, now: Timestamp, need: Need, id: NodeId) -> Vec<String> {
    let node = state.node(id);
    let more = node.more.as_ref();
    let mut lines = Vec::new();
    match (need, node.gate(), more.and_then(|more| more.asked.as_ref())) {
        (Need::Approval, Some(gate), _) => {
            lines.extend(told(&node.path, &gate.opened.prompt));
            lines.extend(gate.opened.shown().map(|line| format!("    {line}")));
            lines.push(format!("    digest: {}", short_digest(&gate.opened.digest)));
            let asked = gate_at(plan, node, now).map(|gate| asks(plan, state, &gate));
            lines.extend(asked.map(|asked| format!("    asks {asked}")));
            lines.extend(gate.opened.deadline.map(|deadline| format!("    {}", remaining(deadline, now))));
            lines.extend(call_lines(node, gate, now).into_iter().map(|line| format!("    {line}")));
        }
        (Need::Answer, _, Some((instructions, answers))) => {
            lines.extend(told(&node.path, instructions));
            let wanted = answers.iter().map(|(name, kind)| format!("    wanted: {name} ({kind})"));
            lines.extend(wanted);
        }
        _ => {
            let why = node.reason().unwrap_or("no reason known");
            let undoing = if need == Need::Doubt { side_word(node.side()) } else { "" };
            lines.push(format!("  {}: {undoing}{}: {why}", node.path, node.state.words()));
            let asks = retry_asks(plan, state, id).filter(|_| need == Need::Failure);
            lines.extend(asks.map(|asks| format!("    {asks}")));
        }
    }
    lines
}

/// What people are told about a step, its lines below each other.
fn told(step: &NodePath, text: &str) -> Vec<String> {
    let mut lines = text.trim().lines();
    let first = format!("  {step}: {}", lines.next().unwrap_or_default());
    std::iter::once(first).chain(lines.map(|line| format!("    {line}"))).collect()
}

/// `deadline: 03:28:06 UTC, in 15m`.
#[must_use]
pub(super) fn remaining(deadline: Timestamp, now: Timestamp) -> String {
    let time = words::time_of_day(deadline);
    if deadline <= now {
        return format!("deadline: {time} UTC, {} ago", words::span(deadline.until(now)));
    }
    format!("deadline: {time} UTC, in {}", words::span(now.until(deadline)))
}

/// A run as `drctl status --json` tells it.
#[must_use]
pub fn status_json(plan: &Plan, state: &State, run: &str, now: Timestamp, standing: &Standing<'_>) -> String {
    let Standing { timeline, kept, holder, survivors, from_here } = standing;
    let mut summary = summarise(plan, state, run, timeline, now);
    summary.next = commands(plan, &kept.after, run, holder.is_some());
    if holder.is_none() {
        summary.next.extend(owed_commands(&summary.owed, run));
    }
    summary.next = from_here.all(summary.next);
    let steps = state.in_order(plan).into_iter().map(|id| {
        let node = state.node(id);
        let mut step = json!({
            "step": node.path, "title": step_title(plan, state, id), "owner": plan.step(node.step).owner,
            "phase": plan.step(node.step).phase, "state": state.shown(plan, id), "attempt": node.attempt,
            "started": node.started, "ended": node.ended, "reason": node.failed().or(node.reason()), "overridden": node.overridden(),
        });
        if let Some(gate) = node.gate().filter(|_| node.state == StepState::AwaitingApproval) {
            step["gate"] = json!(gate.opened);
            step["gate"]["calls"] = calls_json(node);
            step["gate"]["approved_by"] = json!(gate.votes);
        }
        step
    });
    let steps: Value = steps.collect();
    let owner = plan.runbook.owner.as_ref().map(|owner| &owner.value);
    let mut value = json!({
        "drctl": 1, "run": run, "runbook": plan.runbook.name.value, "kind": plan.runbook.kind, "driven_by": holder,
        "title": run_title(plan, state), "owner": owner,
    });
    if let (Value::Object(value), Value::Object(summary)) = (&mut value, summary.json()) {
        value.extend(summary);
        value.insert("kept".to_owned(), kept.json());
        value.insert("still_running".to_owned(), survivors.iter().map(Survivor::json).collect());
        value.insert("steps".to_owned(), steps);
    }
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;

    #[test]
    fn a_waiting_run_says_what_it_needs_and_what_to_type() {
        let seen = Seen::of(plan(), &to_the_gate());
        let shown = status(
            &seen.plan,
            &seen.state,
            RUN,
            at(160),
            &Standing {
                timeline: &seen.timeline,
                kept: &Kept::nothing(&seen.state),
                holder: Some("alice on ops1, process 4711, since 03:11:26".to_owned()),
                survivors: &[],
                from_here: &FromHere::default(),
            },
        );
        assert_eq!(
            shown,
            "\
run orders-20261120-0311-k3f: failover `orders` is awaiting approval
started 2026-11-20 03:11 UTC by alice on ops1
executed by alice on ops1, process 4711, since 03:11:26
RTO 45m: 2m40s so far, 42m20s left
  machine 40s, waiting for people 2m
detection
  probe                        succeeded, 30s: 3 of 3 samples failed
assessment
  declare                      succeeded
execution
  promote                      awaiting approval, 1m
  switch                       pending
communication
  tell                         pending
needs people
  promote: Accepts 12 s of loss
    does: promote: azure.postgres.promote_replica {\"server\":\"orders-pg-eastus2\"}
    digest: 9f86d081884c
    asks incident_commander: alice, bob
    deadline: 03:28:06 UTC, in 14m
next
  drctl approve orders-20261120-0311-k3f promote --reason \"...\"
  drctl reject orders-20261120-0311-k3f promote --reason \"...\"
"
        );
    }

    #[test]
    fn a_run_nobody_executes_says_so() {
        let mut records = to_the_gate();
        records.truncate(2);
        records.push((9, outcome("probe", 1, failed("no \u{1b}[31mroute\nrun succeeded"))));
        let seen = Seen::of(plan(), &records);
        let kept = Kept::nothing(&seen.state);
        let standing = Standing {
            timeline: &seen.timeline,
            kept: &kept,
            holder: None,
            survivors: &[],
            from_here: &FromHere::default(),
        };
        let shown = status(&seen.plan, &seen.state, "r", at(10), &standing);
        assert_eq!(
            shown,
            "\
run r: failover `orders` is paused
started 2026-11-20 03:11 UTC by alice on ops1
nobody is executing it: drctl resume r
RTO 45m: 10s so far, 44m50s left
  machine 10s, waiting for people 0s
detection
  probe                        failed, 9s: no route
      | run succeeded
assessment
  declare                      pending
execution
  promote                      pending
  switch                       pending
communication
  tell                         pending
needs people
  probe: failed: no route
      | run succeeded
next
  drctl retry r probe
  drctl skip r probe --reason \"...\"
  drctl abort r --reason \"...\"
  drctl resume r
"
        );
    }

    #[test]
    fn the_first_line_tells_a_run_that_goes_on_from_one_that_was_left() {
        let records = &to_the_gate()[..2];
        let seen = Seen::of(plan(), records);
        let first = |holder: Option<&str>| head(&seen.plan, &seen.state, "r", holder).swap_remove(0);
        assert_eq!(first(Some("alice")), "run r: failover `orders` is running");
        assert_eq!(first(None), "run r: failover `orders` was left while it was running");
    }

    #[test]
    fn a_question_of_several_lines_keeps_them() {
        assert_eq!(told(&path("promote"), "Promote?\nIt loses data.\n"), ["  promote: Promote?", "    It loses data."]);
    }
}
