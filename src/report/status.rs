//! `drctl status` and `drctl runs`: a run at one moment, from its journal.

use super::needs::{Need, approvers, commands, needs};
use super::sanitise::Cleaner;
use super::story::short_digest;
use super::summary::{clock_words, split_words};
use super::timeline::Timeline;
use super::words;
use crate::catalogue::Timestamp;
use crate::engine::{Mode, Node, NodeId, RunState, State, StepState};
use crate::plan::Plan;
use crate::runbook::ast::Phase;
use std::fmt::Write as _;

/// How many instances of a step are listed before they are only counted.
const MOST_INSTANCES: usize = 20;

/// A run as `drctl status` shows it. `holder` is who executes it now, where somebody does.
#[must_use]
pub fn status(
    plan: &Plan,
    state: &State,
    run: &str,
    now: Timestamp,
    timeline: &Timeline,
    holder: Option<String>,
) -> String {
    let mut lines = head(plan, state, run, holder.as_deref());
    if state.mode() == Mode::Real {
        let clock = timeline.clock(plan, now);
        lines.push(clock_words(&clock));
        lines.push(format!("  {}", split_words(&clock.split)));
    }
    for phase in Phase::ALL {
        steps_of(plan, state, now, phase, &mut lines);
    }
    let waiting: Vec<String> = needs(plan, state)
        .into_iter()
        .flat_map(|(need, id)| needed(plan, state, now, need, id))
        .collect();
    if !waiting.is_empty() {
        lines.push("needs people".to_owned());
        lines.extend(waiting);
    }
    lines.push("next".to_owned());
    let next = commands(plan, state, run, holder.is_some());
    lines.extend(next.iter().map(|command| format!("  {command}")));
    clean(&lines)
}

/// Lines from here on hold text from outside: each is made safe as a whole.
fn clean(lines: &[String]) -> String {
    let cleaner = Cleaner::default();
    let safe = |line: &String| {
        let margin = line.len() - line.trim_start().len();
        format!("{}{}\n", &line[..margin], cleaner.line(line))
    };
    lines.iter().map(safe).collect()
}

fn head(plan: &Plan, state: &State, run: &str, holder: Option<&str>) -> Vec<String> {
    let dry = if state.mode() == Mode::DryRun { " (dry run)" } else { "" };
    let runbook = &plan.runbook;
    let mut lines = vec![format!(
        "run {run}{dry}: {} `{}` is {}",
        runbook.kind.name(),
        runbook.name.value,
        state.run_state(plan).words()
    )];
    if let Some(started) = &state.started {
        let when = words::date_and_time(state.started_at);
        lines.push(format!("started {when} UTC by {}", words::person(&started.operator)));
    }
    match holder {
        _ if state.ended.is_some() => {}
        Some(holder) => lines.push(format!("executed by {holder}")),
        None => lines.push(format!("nobody is executing it: drctl resume {run}")),
    }
    lines
}

fn steps_of(plan: &Plan, state: &State, now: Timestamp, phase: Phase, lines: &mut Vec<String>) {
    let of_phase = |node: &Node| node.parent.is_none() && plan.step(node.step).phase == phase;
    let width = state.nodes.iter().filter(|node| node.parent.is_none());
    let width = width.map(|node| node.path.0.len()).max().unwrap_or(0).min(40);
    let mut headed = false;
    for (id, node) in state.iter().filter(|(_, node)| of_phase(node)) {
        if !std::mem::replace(&mut headed, true) {
            lines.push(phase.name().to_owned());
        }
        lines.push(step_line(node, now, width));
        let children = state.children.get(&id).map(Vec::as_slice).unwrap_or_default();
        for child in children.iter().take(MOST_INSTANCES) {
            lines.push(format!("  {}", step_line(state.node(*child), now, width)));
        }
        if let Some(more) = children.len().checked_sub(MOST_INSTANCES).filter(|more| *more > 0) {
            lines.push(format!("    and {more} more"));
        }
    }
}

fn step_line(node: &Node, now: Timestamp, width: usize) -> String {
    let mut line = format!("  {:width$}  {}", &*node.path.0, node.state.words());
    if let Some(time) = time_in(node, now) {
        write!(line, ", {time}").ok();
    }
    if node.attempt > 1 {
        write!(line, ", attempt {}", node.attempt).ok();
    }
    let more = node.more.as_ref();
    let note = more.map(|more| more.note.as_str()).filter(|note| !note.is_empty());
    if let Some(why) = node.overridden().or_else(|| node.reason()).or(note) {
        write!(line, ": {why}").ok();
    }
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
            lines.push(format!("  {}: {}", node.path, gate.opened.prompt));
            lines.extend(gate.opened.preview.iter().map(|line| format!("    does: {line}")));
            lines.push(format!("    digest: {}", short_digest(&gate.opened.digest)));
            lines.push(format!("    may approve: {}", approvers(plan, state, gate)));
            lines.extend(
                gate.opened
                    .deadline
                    .map(|deadline| format!("    {}", remaining(deadline, now))),
            );
        }
        (Need::Answer, _, Some((instructions, answers))) => {
            lines.push(format!("  {}: {instructions}", node.path));
            let wanted = answers
                .iter()
                .map(|(name, kind)| format!("    wanted: {name} ({kind})"));
            lines.extend(wanted);
        }
        _ => {
            let why = node.reason().unwrap_or("no reason known");
            lines.push(format!("  {}: {}: {why}", node.path, node.state.words()));
        }
    }
    lines
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

/// A line of `drctl runs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// The run's id.
    pub run: String,
    /// The runbook's name.
    pub runbook: String,
    /// Its state; nothing where its journal cannot be read.
    pub state: Option<RunState>,
    /// When it was started.
    pub started: Timestamp,
    /// Who started it.
    pub operator: String,
    /// Whether somebody executes it now.
    pub executing: bool,
}

/// The runs as a table, in the order given.
#[must_use]
pub fn runs_table(rows: &[RunRow]) -> String {
    if rows.is_empty() {
        return "no runs yet: drctl failover NAME starts one\n".to_owned();
    }
    let mut cells = vec![["RUN", "STATE", "STARTED (UTC)", "BY", "RUNBOOK"].map(str::to_owned)];
    cells.extend(rows.iter().map(|row| {
        let state = row.state.map_or("unreadable", RunState::words);
        let open = row.state.is_some_and(|state| !state.is_final());
        let note = if open && !row.executing {
            ", nobody executing"
        } else {
            ""
        };
        [
            row.run.clone(),
            format!("{state}{note}"),
            words::date_and_time(row.started),
            row.operator.clone(),
            row.runbook.clone(),
        ]
    }));
    table(&cells)
}

fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let cleaner = Cleaner::default();
    let rows: Vec<[String; N]> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| cleaner.line(cell)))
        .collect();
    let width = |column: usize| {
        let widths = rows.iter().map(|row| console::measure_text_width(&row[column]));
        widths.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| console::pad_str(cell, *width, console::Alignment::Left, None).into_owned())
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
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
            &seen.timeline,
            Some("alice on ops1, process 4711, since 03:11:26".to_owned()),
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
  probe    succeeded, 30s: 3 of 3 samples failed
assessment
  declare  succeeded
execution
  promote  awaiting approval, 1m
  switch   pending
communication
  tell     pending
needs people
  promote: Accepts 12 s of loss
    does: promote: azure.postgres.promote_replica {\"server\":\"orders-pg-eastus2\"}
    digest: 9f86d081884c
    may approve: alice, bob (incident_commander)
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
        let shown = status(&seen.plan, &seen.state, "r", at(10), &seen.timeline, None);
        assert_eq!(
            shown,
            "\
run r: failover `orders` is paused
started 2026-11-20 03:11 UTC by alice on ops1
nobody is executing it: drctl resume r
RTO 45m: 10s so far, 44m50s left
  machine 10s, waiting for people 0s
detection
  probe    failed, 9s: no route\\nrun succeeded
assessment
  declare  pending
execution
  promote  pending
  switch   pending
communication
  tell     pending
needs people
  probe: failed: no route\\nrun succeeded
next
  drctl retry r probe
  drctl skip r probe --reason \"...\"
  drctl abort r --reason \"...\"
  drctl resume r
"
        );
    }

    #[test]
    fn runs_are_a_table_that_says_which_nobody_executes() {
        let row = |run: &str, state, executing| RunRow {
            run: run.to_owned(),
            runbook: "orders".to_owned(),
            state,
            started: at(0),
            operator: "alice".to_owned(),
            executing,
        };
        assert_eq!(
            runs_table(&[
                row("orders-a", Some(RunState::AwaitingApproval), true),
                row("orders-bcd", Some(RunState::Paused), false),
                row("orders-e", Some(RunState::Succeeded), false),
                row("orders-f", None, false),
            ]),
            "\
RUN         STATE                     STARTED (UTC)     BY     RUNBOOK
orders-a    awaiting approval         2026-11-20 03:11  alice  orders
orders-bcd  paused, nobody executing  2026-11-20 03:11  alice  orders
orders-e    succeeded                 2026-11-20 03:11  alice  orders
orders-f    unreadable                2026-11-20 03:11  alice  orders
"
        );
        assert_eq!(runs_table(&[]), "no runs yet: drctl failover NAME starts one\n");
    }
}
