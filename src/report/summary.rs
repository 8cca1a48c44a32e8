//! What came of a run: the state, the time against the RTO, exceptions, and what to type next.

use std::fmt::Write as _;
use std::time::Duration;

use super::sanitise;
use super::table::rounded;
use super::timeline::Timeline;
use crate::catalogue::{HumanDuration, Timestamp};
use crate::engine::event::Label;
use crate::engine::{Node, NodeId, State, StepState};
use crate::plan::Plan;

/// The commands that bring a run on.
#[must_use]
pub fn next_commands(plan: &Plan, state: &State, run: &str) -> Vec<String> {
    let mut commands = Vec::new();
    if state.ended.is_some() {
        return commands;
    }
    let mut troubled = false;
    for (id, node) in state.iter() {
        let path = &node.path;
        match node.state {
            StepState::AwaitingApproval => {
                commands.push(format!("drctl approve {run} {path} --reason \"...\""));
                commands.push(format!("drctl reject {run} {path} --reason \"...\""));
            }
            StepState::AwaitingPerson => commands.push(format!("drctl approve {run} {path}{}", answers(node))),
            StepState::InDoubt => {
                commands.push(format!("drctl resolve {run} {path} --happened --reason \"...\""));
                commands.push(format!("drctl resolve {run} {path} --did-not-happen --reason \"...\""));
                troubled = true;
            }
            StepState::Failed | StepState::RollbackFailed if !state.is_met(plan, id) => {
                commands.push(format!("drctl retry {run} {path}"));
                commands.push(format!("drctl skip {run} {path} --reason \"...\""));
                troubled = true;
            }
            _ => {}
        }
    }
    if troubled && state.aborted.is_none() {
        commands.push(format!("drctl abort {run} --reason \"...\""));
    }
    commands
}

fn answers(node: &Node) -> String {
    let asked = node.more.as_ref().and_then(|more| more.asked.as_ref());
    asked
        .map(|(_, answers)| answers.iter().map(|(name, _)| format!(" --output {name}=...")).collect())
        .unwrap_or_default()
}

/// Skipped, overridden, failed and continued: what did not go as written.
#[must_use]
pub(super) fn exceptions(state: &State) -> Vec<String> {
    let told = |node: &Node| {
        let why = node.overridden().or(node.reason()).unwrap_or_default();
        format!("`{}` {}: {}", node.path, node.state.words(), sanitise(why).replace('\n', " "))
    };
    let excepted =
        |node: &&Node| node.overridden().is_some() || matches!(node.state, StepState::Failed | StepState::Skipped);
    state.nodes.iter().filter(excepted).map(told).collect()
}

/// The clock of the RTO at `now`: ``12m3s of 45m (32m57s left)``.
#[must_use]
pub(super) fn rto_clock(plan: &Plan, timeline: &Timeline, now: Timestamp) -> String {
    let elapsed = timeline.start.until(now);
    match plan.runbook.objectives.rto {
        None => format!("{} (no RTO is set)", rounded(elapsed)),
        Some(rto) if elapsed <= rto => format!(
            "{} of {} ({} left)",
            rounded(elapsed),
            HumanDuration(rto),
            rounded(rto.checked_sub(elapsed).unwrap_or_default())
        ),
        Some(rto) => format!(
            "{} of {} ({} OVER)",
            rounded(elapsed),
            HumanDuration(rto),
            rounded(elapsed.checked_sub(rto).unwrap_or_default())
        ),
    }
}

/// The end of a run, or where it stands when this process leaves.
#[must_use]
pub fn summary(plan: &Plan, state: &State, run: &str, timeline: &Timeline) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        writeln!(text, "{line}").ok();
    };
    let run_state = state.run_state(plan);
    line(format!("run {run}: {}", run_state.words()));
    let now = state.last_at;
    if let Some(restored) = Timeline::restored_at(plan, state) {
        line(format!("service restored after {}", rto_clock(plan, timeline, restored)));
    }
    let waited = timeline.waiting_until(now);
    let total = timeline.start.until(now);
    let machine = total.checked_sub(waited).unwrap_or(Duration::ZERO);
    line(format!(
        "time: {} in all, {} of it machine time, {} waiting for people",
        rounded(total),
        rounded(machine),
        rounded(waited)
    ));
    for exception in exceptions(state) {
        line(format!("exception: {exception}"));
    }
    for node in state.nodes.iter().filter(|node| node.state == StepState::InDoubt) {
        line(format!("in doubt: `{}`: {}", node.path, sanitise(node.reason().unwrap_or_default()).replace('\n', " ")));
    }
    if let Some(rollback) = &state.rollback {
        for (path, why) in &rollback.kept {
            line(format!("not undone: `{path}`: {why}"));
        }
    }
    if !run_state.is_final() {
        line(format!("next: drctl resume {run}"));
        next_commands(plan, state, run).into_iter().for_each(|command| line(format!("next: {command}")));
    }
    text
}

/// What a dry run found: each step with its label, and how much of the plan was really checked.
#[must_use]
pub fn dry_run_summary(plan: &Plan, state: &State) -> String {
    let mut text = String::new();
    let mut counts = [0_usize; 4];
    let (mut failed, mut not_applicable) = (0_usize, 0_usize);
    for (id, node) in state.iter().filter(|(id, _)| !state.is_group(plan, *id)) {
        let label = node.more.as_ref().and_then(|more| more.label);
        let word = match (node.state, label) {
            (StepState::Succeeded, Some(label)) => {
                counts[place(label)] += 1;
                label.name()
            }
            (StepState::NotApplicable, _) => {
                not_applicable += 1;
                "not applicable"
            }
            (StepState::Failed, _) => {
                failed += 1;
                "failed"
            }
            _ => "not reached",
        };
        let note = node.reason().or(node.more.as_ref().map(|more| more.note.as_str())).unwrap_or_default();
        writeln!(text, "{:<14} {:<13} {}", word, plan.step(node.step).phase.name(), describe(state, id)).ok();
        for line in sanitise(note).lines() {
            writeln!(text, "{:<29}{line}", "").ok();
        }
    }
    let total = counts.iter().sum::<usize>() + failed;
    let share = (counts[0] * 100).checked_div(total).unwrap_or(100);
    let [checked, simulated, assumed, unknown] = counts;
    write!(text, "\n{total} steps: {checked} checked, {simulated} simulated, {assumed} assumed, {unknown} unknown")
        .ok();
    writeln!(text, ": {share} % of the plan was really checked").ok();
    if failed + not_applicable > 0 {
        writeln!(text, "{failed} failed, {not_applicable} not applicable").ok();
    }
    text
}

fn place(label: Label) -> usize {
    match label {
        Label::Checked => 0,
        Label::Simulated => 1,
        Label::Assumed => 2,
        Label::Unknown => 3,
    }
}

fn describe(state: &State, id: NodeId) -> String {
    state.node(id).path.to_string()
}
