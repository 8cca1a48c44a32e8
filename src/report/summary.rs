//! What a run came to: its state, the time and the loss of data against RTO and RPO, exceptions, doubts, what is
//! left to do.

use serde_json::{Map, Value, json};

use super::needs::{Need, commands, needs};
use super::owed::{owed_commands, owed_json, owed_line};
use super::timeline::{Clock, Split, Timeline};
use super::view::View;
use super::words;
use crate::catalogue::Timestamp;
use crate::engine::{DataLoss, NodePath, Owed, RunState, State, StepState, owed};
use crate::plan::Plan;

/// The facts of a run at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The run's id.
    pub run: String,
    /// Its state.
    pub state: RunState,
    /// The clock of the RTO.
    pub clock: Clock,
    /// What its steps measured of the loss of data.
    pub loss: DataLoss,
    /// How many steps are in each state, in the order of a step's life; instances are not among them.
    pub steps: Vec<(StepState, usize)>,
    /// Skipped, overridden, failed and continued: the step, and what and why.
    pub exceptions: Vec<(NodePath, String)>,
    /// Steps in doubt, and what is known of them.
    pub in_doubt: Vec<(NodePath, String)>,
    /// Failed steps that are in the way, and why they failed.
    pub failed: Vec<(NodePath, String)>,
    /// What waits for a person: gates and manual steps.
    pub waiting: Vec<(NodePath, String)>,
    /// What an undoing leaves as it is, and why.
    pub kept: Vec<(NodePath, String)>,
    /// Deliveries of notices that were not made, or may not have been.
    pub owed: Vec<Owed>,
    /// What the runbook's `outputs` came to.
    pub outputs: Map<String, Value>,
    /// What to type next.
    pub next: Vec<String>,
}

/// Sums a run up; `executing` says whether a process goes on driving it.
#[must_use]
pub fn summarise(plan: &Plan, state: &State, run: &str, timeline: &Timeline, now: Timestamp) -> Summary {
    let mut summary = Summary {
        run: run.to_owned(),
        state: state.run_state(plan),
        clock: timeline.clock(plan, now),
        loss: DataLoss::of(plan, state, |_| true),
        steps: counts(plan, state),
        exceptions: exceptions(plan, state),
        in_doubt: Vec::new(),
        failed: Vec::new(),
        waiting: Vec::new(),
        kept: state.rollback.as_ref().map(|rollback| rollback.kept.clone()).unwrap_or_default(),
        owed: owed(plan, state),
        outputs: state.outputs.clone(),
        next: commands(plan, state, run, false),
    };
    if state.ended.is_some() {
        summary.next.extend(owed_commands(&summary.owed, run));
    }
    for (need, id) in needs(plan, state) {
        let node = state.node(id);
        let undoing = if node.side().is_apply() { "" } else { "undoing it: " };
        let entry = (node.path.clone(), format!("{undoing}{}", node.reason().unwrap_or_default()));
        match need {
            Need::Doubt => summary.in_doubt.push(entry),
            Need::Failure => summary.failed.push(entry),
            Need::Approval | Need::Answer => summary.waiting.push((node.path.clone(), node.state.words().to_owned())),
        }
    }
    summary
}

fn counts(plan: &Plan, state: &State) -> Vec<(StepState, usize)> {
    let mut counts = std::collections::BTreeMap::<StepState, usize>::new();
    for (id, _) in state.iter().filter(|(_, node)| node.parent.is_none()) {
        *counts.entry(state.shown(plan, id)).or_default() += 1;
    }
    counts.into_iter().collect()
}

/// What did not go as written, and why.
#[must_use]
pub(super) fn exceptions(plan: &Plan, state: &State) -> Vec<(NodePath, String)> {
    let mut found = Vec::new();
    for (id, node) in state.iter() {
        let undoing = state.rollback.is_some() || state.aborted.is_some();
        let how = match node.state {
            StepState::Skipped if !node.side().is_apply() => "not undone",
            _ if node.overridden().is_some() => node.state.words(),
            StepState::Failed if state.is_met(plan, id) => "failed and continued",
            StepState::RolledBack if node.failed().is_some() => "failed and was undone",
            StepState::Failed if undoing || state.ended.is_some() => node.state.words(),
            StepState::RollbackFailed if state.ended.is_some() => node.state.words(),
            _ => continue,
        };
        let why = node.overridden().or(node.failed()).or(node.reason()).unwrap_or("no reason known");
        found.push((node.path.clone(), format!("{how}: {why}")));
    }
    found
}

/// The clock as a sentence: `RTO 45m: restored after 31m2s, 13m58s to spare`.
#[must_use]
pub fn clock_words(clock: &Clock) -> String {
    let elapsed = words::span(clock.elapsed);
    let objective = clock.objective.map(|objective| format!("RTO {}: ", words::span(objective)));
    let spent = match (clock.restored, clock.running) {
        (_, false) if !clock.recovers && clock.objective.is_none() => format!("took {elapsed}"),
        (true, _) => format!("restored after {elapsed}"),
        (false, true) => format!("{elapsed} so far"),
        (false, false) => format!("not restored; the run took {elapsed}"),
    };
    let left = match clock.left() {
        Some(Ok(left)) if clock.restored => format!(", {} to spare", words::span(left)),
        Some(Ok(left)) if clock.running => format!(", {} left", words::span(left)),
        Some(Err(over)) if clock.restored || clock.running => format!(", {} over", words::span(over)),
        _ => String::new(),
    };
    format!("{}{spent}{left}", objective.unwrap_or_default())
}

/// Where the time went: `machine 25m, waiting for people 6m2s`.
#[must_use]
pub(super) fn split_words(split: &Split) -> String {
    let machine = words::span(split.machine);
    let people = words::span(split.people);
    let unattended = match split.unattended {
        none if none.is_zero() => String::new(),
        span => format!(", nobody executing {}", words::span(span)),
    };
    format!("machine {machine}, waiting for people {people}{unattended}")
}

/// Each output as `name: value`: text as it is, anything else as JSON.
pub(super) fn output_words(outputs: &Map<String, Value>) -> impl Iterator<Item = String> {
    outputs.iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name}: {text}"),
        other => format!("{name}: {other}"),
    })
}

impl Summary {
    /// Its lines for people, raw: whoever prints them cleans them.
    #[must_use]
    pub(super) fn lines(&self) -> Vec<String> {
        let steps: Vec<String> = self.steps.iter().map(|(state, count)| format!("{count} {}", state.words())).collect();
        let mut lines = vec![
            format!("run {}: {}", self.run, self.state.words()),
            format!("  {}", clock_words(&self.clock)),
            format!("  {}", split_words(&self.clock.split)),
        ];
        lines.extend(self.loss.words().map(|words| format!("  {words}")));
        lines.push(format!("  steps: {}", steps.join(", ")));
        lines.extend(self.exceptions.iter().map(|(step, what)| format!("exception: `{step}` {what}")));
        lines.extend(self.failed.iter().map(|(step, why)| format!("exception: `{step}` failed: {why}")));
        for (word, entries) in [("in doubt", &self.in_doubt), ("waiting", &self.waiting), ("not undone", &self.kept)] {
            lines.extend(entries.iter().map(|(step, why)| format!("{word}: `{step}`: {why}")));
        }
        lines.extend(self.owed.iter().map(|owed| format!("owed: {}", owed_line(owed))));
        lines.extend(output_words(&self.outputs).map(|line| format!("output: {line}")));
        lines.extend(self.next.iter().map(|command| format!("next: {command}")));
        lines
    }

    /// Its facts for programs; `type` and the version of the format are the caller's.
    #[must_use]
    pub fn json(&self) -> Value {
        let seconds = |span: std::time::Duration| json!(span.as_millis() as f64 / 1000.0);
        let entries = |entries: &[(NodePath, String)]| -> Value {
            entries.iter().map(|(step, why)| json!({ "step": step, "reason": why })).collect()
        };
        let steps = self.steps.iter().map(|(state, count)| (json!(state), json!(count)));
        let steps = steps.filter_map(|(state, count)| Some((state.as_str()?.to_owned(), count)));
        let clock = &self.clock;
        json!({
            "state": self.state,
            "final": self.state.is_final(),
            "rto": clock.objective.map(seconds),
            "achieved": clock.restored.then(|| seconds(clock.elapsed)),
            "elapsed": seconds(clock.elapsed),
            "machine_time": seconds(clock.split.machine),
            "waiting_for_people": seconds(clock.split.people),
            "unattended": seconds(clock.split.unattended),
            "loss": self.loss.json(),
            "steps": steps.collect::<serde_json::Map<_, _>>(),
            "exceptions": entries(&self.exceptions),
            "in_doubt": entries(&self.in_doubt),
            "failed": entries(&self.failed),
            "waiting": entries(&self.waiting),
            "not_undone": entries(&self.kept),
            "owed": owed_json(&self.owed),
            "outputs": self.outputs,
            "next": self.next,
        })
    }
}

impl View {
    /// What the run comes to at `now`.
    pub(super) fn summary(&self, now: Timestamp) -> Summary {
        let summary = summarise(&self.plan, &self.state, &self.run, &self.timeline, now);
        Summary { next: self.from_here.all(summary.next), ..summary }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use crate::engine::{Decision, Event, Mode, Resolution, Side};
    use crate::runbook::ast::{OnFailure, Phase};

    fn lines(seen: &Seen, now: u64) -> String {
        summarise(&seen.plan, &seen.state, RUN, &seen.timeline, at(now)).lines().join("\n")
    }

    #[test]
    fn a_good_end_states_the_time_against_the_objective() {
        let seen = Seen::of(plan(), &to_the_end());
        assert_eq!(
            lines(&seen, 9000),
            "\
run orders-20261120-0311-k3f: succeeded
  RTO 45m: restored after 7m40s, 37m20s to spare
  machine 5m40s, waiting for people 2m
  steps: 5 succeeded"
        );
    }

    #[test]
    fn every_exception_is_named_with_its_reason_and_whose_word_it_was() {
        let mut lag = step("lag", Phase::Execution, "shell");
        lag.on_failure = Some(OnFailure::Continue);
        let others = ["a", "b", "c"].map(|id| step(id, Phase::Execution, "shell"));
        let mut steps = vec![lag];
        steps.extend(others);
        let doubt =
            |step: &str| Event::InDoubt { step: path(step), side: Side::Apply, evidence: "no answer".to_owned() };
        let happened = Decision::Resolve { resolution: Resolution::Happened, outputs: serde_json::Map::new() };
        let skip = Decision::Skip { outputs: serde_json::Map::new() };
        let seen = Seen::of(
            build(steps),
            &[
                (0, started(Mode::Real)),
                (0, intent("lag", 1, "shell")),
                (1, outcome("lag", 1, failed("exit code 2"))),
                (1, intent("a", 1, "shell")),
                (1, intent("b", 1, "shell")),
                (2, doubt("a")),
                (2, doubt("b")),
                (9, decided(Some("a"), happened, "bob", Some("seen in the portal"))),
                (9, decided(Some("c"), skip, "bob", Some("not needed"))),
            ],
        );
        assert_eq!(
            lines(&seen, 3000),
            "\
run orders-20261120-0311-k3f: in doubt
  RTO 45m: 50m so far, 5m over
  machine 2s, waiting for people 49m58s
  steps: 1 succeeded, 1 failed, 1 skipped, 1 in doubt
exception: `lag` failed and continued: exit code 2
exception: `a` succeeded: bob says it happened: seen in the portal
exception: `c` skipped: skipped by bob: not needed
in doubt: `b`: no answer
next: drctl resolve orders-20261120-0311-k3f b --happened --reason \"...\"
next: drctl resolve orders-20261120-0311-k3f b --did-not-happen --reason \"...\"
next: drctl resolve orders-20261120-0311-k3f b --retry --reason \"...\"
next: drctl logs orders-20261120-0311-k3f b
next: drctl abort orders-20261120-0311-k3f --reason \"...\"
next: drctl resume orders-20261120-0311-k3f"
        );
    }

    #[test]
    fn programs_get_the_same_facts() {
        let seen = Seen::of(plan(), &to_the_gate());
        let summary = summarise(&seen.plan, &seen.state, "r", &seen.timeline, at(100));
        assert_eq!(
            summary.json(),
            json!({
                "state": "awaiting_approval",
                "final": false,
                "rto": 2700.0,
                "achieved": null,
                "elapsed": 100.0,
                "machine_time": 40.0,
                "waiting_for_people": 60.0,
                "unattended": 0.0,
                "steps": { "pending": 2, "awaiting_approval": 1, "succeeded": 2 },
                "exceptions": [],
                "in_doubt": [],
                "failed": [],
                "loss": { "objective": null, "measured": null, "measured_by": null },
                "not_undone": [], "owed": [], "outputs": {},
                "waiting": [{ "step": "promote", "reason": "awaiting approval" }],
                "next": [
                    "drctl approve r promote --reason \"...\"",
                    "drctl reject r promote --reason \"...\"",
                    "drctl resume r",
                ],
            })
        );
    }
}
