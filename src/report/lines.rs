//! One line an event, for people who read a log.

use std::sync::Arc;

use super::table::rounded;
use super::{Fold, next_commands, sanitise};
use crate::catalogue::Timestamp;
use crate::engine::event::{Decided, Decision, End, Event, GateOpened, NodePath, Person, Side, Sight};
use crate::engine::{Seq, State};
use crate::plan::{Plan, digest};

/// Turns records into lines.
pub struct Lines {
    pub(super) fold: Fold,
    run: String,
}

impl Lines {
    /// For a run of `plan`.
    #[must_use]
    pub fn new(plan: Arc<Plan>, run: &str) -> Self {
        Self { fold: Fold::new(plan), run: run.to_owned() }
    }

    /// The state after the last record.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.fold.state
    }

    /// Takes a record in without a line.
    pub(super) fn replay(&mut self, at: Timestamp, event: &Event) {
        self.fold.take(at, event);
    }

    /// The lines of a record; none where it is of no interest to people.
    pub fn record(&mut self, _seq: Seq, at: Timestamp, event: &Event) -> Vec<String> {
        self.fold.take(at, event);
        let told = self.tell(event, at);
        let clock = rounded(self.fold.timeline.start.until(at));
        let time: String = at.to_string().chars().skip(11).take(8).collect();
        let mut lines = Vec::new();
        for (index, line) in told.into_iter().enumerate() {
            let head = if index == 0 { format!("{time} +{clock:<7}") } else { format!("{:<17}", "") };
            lines.extend(sanitise(&line).lines().map(|line| format!("{head} {line}")));
        }
        lines
    }

    fn tell(&self, event: &Event, at: Timestamp) -> Vec<String> {
        let step = |path: &NodePath, text: String| vec![format!("{} {}", self.named(path), text)];
        match event {
            Event::RunStarted(started) => {
                let (kind, name) = (self.fold.plan.runbook.kind.name(), &started.runbook);
                vec![format!("run {}: {kind} `{name}` started by {}", self.run, person(&started.operator))]
            }
            Event::RunResumed { operator } => vec![format!("run {} taken up by {}", self.run, person(operator))],
            Event::PlanChanged(changed) => {
                vec![format!(
                    "the edited runbook was adopted by {}: {}",
                    person(&changed.operator),
                    changed.changed.join(", ")
                )]
            }
            Event::Expanded { step: path, instances } => step(path, format!("has {} instances", instances.len())),
            Event::NotApplicable { step: path, reason } => step(path, format!("not applicable: {reason}")),
            Event::GateOpened(opened) => self.gate(opened),
            Event::GateEscalated { step: path, to } => {
                step(path, format!("nobody approved it in time: escalated to {}", to.join(", ")))
            }
            Event::GateVoided { step: path, reason } => step(path, format!("the approval is void: {reason}")),
            Event::PersonAsked { step: path, instructions, .. } => {
                let mut lines = vec![format!("{} waits for a person", self.named(path))];
                lines.push(instructions.clone());
                lines.extend(self.next_of(path));
                lines
            }
            Event::Decided(decided) => vec![self.decided(decided)],
            Event::DecisionRefused { reason, .. } => vec![format!("a decision was refused: {reason}")],
            Event::Intent(intent) => {
                let what = if intent.side == Side::Rollback { "undoing" } else { "running" };
                let attempt = if intent.attempt > 1 { format!(" (attempt {})", intent.attempt) } else { String::new() };
                step(&intent.step, format!("{what} {}{attempt}", intent.action))
            }
            Event::Outcome { step: path, end, side, .. } => self.outcome(path, *side, end, at),
            Event::Observed { step: path, sight, .. } => step(path, seen(sight)),
            Event::Verified { step: path, holds, reason } => {
                let said = if *holds { "verified".to_owned() } else { format!("verify does not hold: {reason}") };
                let mut lines = step(path, said);
                lines.extend(if *holds { Vec::new() } else { self.next_of(path) });
                lines
            }
            Event::StepFailed { step: path, reason } => self.failed(path, reason),
            Event::InDoubt { step: path, evidence, .. } => {
                let mut lines = step(path, "IN DOUBT: nothing can tell whether it happened".to_owned());
                lines.push(evidence.clone());
                lines.extend(self.next_of(path));
                lines
            }
            Event::RollbackStarted { reason, steps, kept } => rollback(reason, steps, kept),
            Event::Paused { reason, .. } => vec![format!("PAUSED: {reason}")],
            Event::Continued {} => vec!["going on".to_owned()],
            Event::Stopping { reason } => vec![format!("stopping: {reason}; nothing new starts")],
            Event::RunEnded { state } => vec![format!("run {}: {}", self.run, state.words())],
            Event::Repeated { .. }
            | Event::RepetitionEnded { .. }
            | Event::Handle { .. }
            | Event::ExecutorLeft { .. } => Vec::new(),
        }
    }

    fn named(&self, path: &NodePath) -> String {
        let id = path.0.split('[').next().unwrap_or(&path.0);
        let phase = self.fold.plan.find(id).map(|index| self.fold.plan.step(index).phase.name());
        format!("{:<13} {path}", phase.unwrap_or_default())
    }

    fn gate(&self, opened: &GateOpened) -> Vec<String> {
        let roles = if opened.by.is_empty() { "anybody".to_owned() } else { opened.by.join(", ") };
        let mut lines = vec![format!("{} waits for approval: {}", self.named(&opened.step), opened.prompt)];
        lines.extend(opened.preview.iter().map(|line| format!("would: {line}")));
        let many = if opened.quorum > 1 { format!(", {} different people", opened.quorum) } else { String::new() };
        let deadline = opened.deadline.map(|at| format!(", until {at}")).unwrap_or_default();
        lines.push(format!("asks {roles}{many}{deadline}; digest {}", digest::short(&opened.digest)));
        lines.extend(self.next_of(&opened.step));
        lines
    }

    fn next_of(&self, path: &NodePath) -> Vec<String> {
        let about = format!(" {path}");
        let commands = next_commands(&self.fold.plan, &self.fold.state, &self.run);
        let concerns = |command: &String| command.split(" --").next().is_some_and(|head| head.ends_with(&about));
        commands.into_iter().filter(concerns).map(|command| format!("next: {command}")).collect()
    }

    fn decided(&self, decided: &Decided) -> String {
        let why = decided.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        let what = match &decided.decision {
            Decision::Approve { .. } => "approved",
            Decision::Reject => "rejected",
            Decision::Answer { .. } => "answered",
            Decision::Retry => "to be tried again, says",
            Decision::Skip { .. } => "skipped",
            Decision::Resolve { .. } => "resolved",
            Decision::Abort => "given up",
        };
        let about = decided.step.as_ref().map_or_else(|| format!("run {}", self.run), |path| self.named(path));
        let by = if matches!(decided.decision, Decision::Retry) { "" } else { "by " };
        format!("{about} {what} {by}{} ({}){why}", person(&decided.person), decided.from)
    }

    fn outcome(&self, path: &NodePath, side: Side, end: &End, at: Timestamp) -> Vec<String> {
        let (plan, state) = (&self.fold.plan, &self.fold.state);
        let took =
            state.find(plan, &path.0).and_then(|id| state.node(id).started).map(|started| rounded(started.until(at)));
        let took = took.map(|took| format!(" in {took}")).unwrap_or_default();
        let named = self.named(path);
        match end {
            End::Succeeded { already: true, note, .. } => vec![format!("{named} nothing to do: {note}")],
            End::Succeeded { note, .. } => {
                let (done, took) = if side == Side::Rollback { ("undone", String::new()) } else { ("done", took) };
                let note = if note.is_empty() { String::new() } else { format!(": {note}") };
                vec![format!("{named} {done}{took}{note}")]
            }
            End::Failed { reason, retry_at: Some(retry) } => {
                vec![format!("{named} failed, trying again in {}: {reason}", rounded(at.until(*retry)))]
            }
            End::Failed { reason, retry_at: None } => self.failed(path, reason),
            End::Ambiguous { evidence } => vec![format!("{named} may or may not have happened, looking: {evidence}")],
            End::Cancelled => vec![format!("{named} stopped before it had any effect")],
        }
    }

    fn failed(&self, path: &NodePath, reason: &str) -> Vec<String> {
        let mut lines = vec![format!("{} FAILED: {reason}", self.named(path))];
        lines.extend(self.next_of(path));
        lines
    }
}

fn seen(sight: &Sight) -> String {
    match sight {
        Sight::Applied { .. } => "was seen to have happened".to_owned(),
        Sight::NotApplied { reason } => format!("has not happened ({reason})"),
        Sight::Unknown { reason } => format!("cannot be seen: {reason}"),
    }
}

fn rollback(reason: &str, steps: &[NodePath], kept: &[(NodePath, String)]) -> Vec<String> {
    let names: Vec<String> = steps.iter().map(ToString::to_string).collect();
    let undone = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    let mut lines = vec![format!("undoing, because {reason}: {undone}")];
    lines.extend(kept.iter().map(|(path, why)| format!("stays: `{path}`: {why}")));
    lines
}

fn person(person: &Person) -> String {
    let claimed = if person.claimed { ", name not authenticated" } else { "" };
    format!("{} on {}{claimed}", person.name, person.host)
}
