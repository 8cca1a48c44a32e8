//! What is said to who is called to a gate: all that an answer needs, and the command to give it with.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::asks::asks;
use super::escalation::gate_at;
use super::event::NodePath;
use super::gate::behind;
use super::loss::DataLoss;
use super::scope::NodeScope;
use super::state::{Gate, NodeId, State};
use super::title::{run_title, step_title};
use crate::catalogue::{Timestamp, to_the_second};
use crate::plan::{Plan, REQUEST, StepIndex, digest, message};
use crate::runbook::markdown::escaped;

/// The most lines of what would be done that are sent.
const MOST_LINES: usize = 40;
/// The most steps that are named.
const MOST_STEPS: usize = 8;

/// The message of a call: `{subject, body, short, severity, template}`, its body in Markdown.
///
/// A template of the workspace that cannot be rendered keeps nobody from being called: then it is told in plain words.
pub(super) fn request(plan: &Plan, state: &State, node: NodeId, level: u32, now: Timestamp) -> Value {
    let Some(gate) = gate_at(plan, state.node(node), now) else { return Value::Null };
    let facts = Facts { plan, state, node, gate: &gate, level, now };
    let vars = facts.vars();
    let audience = plan.workspace.called(facts.calls());
    let scope = NodeScope::of(plan, state, node).at(now);
    let own = plan.templates.get(REQUEST).and_then(Option::as_ref);
    let said = own.map(|_| message(&plan.templates, REQUEST, &scope.with_vars(&vars), (&audience, false)));
    let mut said = match said {
        Some(Ok(said)) => said.to_json(),
        Some(Err(problem)) => {
            let problem = escaped(&problem.to_string());
            let body = format!("{}\n\nThe template `{REQUEST}` could not be rendered: {problem}\n", facts.body());
            json!({ "subject": facts.subject(), "body": body })
        }
        None => json!({ "subject": facts.subject(), "body": facts.body() }),
    };
    if said.get("short").is_none() {
        said["short"] = facts.short().into();
    }
    if said.get("severity").is_none() {
        said["severity"] = "critical".into();
    }
    said["template"] = REQUEST.into();
    said
}

/// What is known of a gate when people are called to it.
struct Facts<'f> {
    plan: &'f Plan,
    state: &'f State,
    node: NodeId,
    gate: &'f Gate,
    level: u32,
    now: Timestamp,
}

impl Facts<'_> {
    fn run(&self) -> &str {
        self.state.started.as_ref().map_or("", |started| &started.run)
    }

    fn path(&self) -> &NodePath {
        &self.state.node(self.node).path
    }

    fn index(&self) -> StepIndex {
        self.state.node(self.node).step
    }

    fn calls(&self) -> &str {
        self.gate.opened.levels.get(self.level as usize - 1).map_or("", |level| &level.calls)
    }

    /// What is left of the RTO: `42m left`, `3m over`.
    fn rto_left(&self) -> Option<String> {
        let objective = self.plan.runbook.objectives.rto?;
        let started = self.state.started.as_ref()?;
        let spent = started.since.unwrap_or(self.state.started_at).until(self.now);
        Some(match objective.checked_sub(spent) {
            Some(left) => format!("{} left", to_the_second(left)),
            None => format!("{} over", to_the_second(spent.saturating_sub(objective))),
        })
    }

    /// The loss that an approval accepts, as far as a step measured it.
    fn loss(&self) -> Option<String> {
        DataLoss::of(self.plan, self.state, |_| true).words()
    }

    fn blocks(&self) -> Vec<String> {
        behind(self.plan, self.index()).into_iter().map(|step| self.plan.path(step)).collect()
    }

    fn points_of_no_return(&self) -> Vec<String> {
        let all = std::iter::once(self.index()).chain(behind(self.plan, self.index()));
        all.filter(|step| self.plan.step(*step).point_of_no_return).map(|step| self.plan.path(step)).collect()
    }

    /// `drctl approve RUN STEP --reason "..."`, from any host that shares the state.
    fn command(&self, word: &str) -> String {
        let state = self.state.started.as_ref().and_then(|started| started.state.as_deref());
        let state = state.map(|folder| format!(" --state {}", quoted(folder))).unwrap_or_default();
        format!("drctl{state} {word} {} {} --reason \"...\"", quoted(self.run()), quoted(&self.path().0))
    }

    fn subject(&self) -> String {
        format!("{}: approve `{}`? (level {}: {})", self.run(), self.path(), self.level, self.calls())
    }

    /// For a text message: what is asked, what is left, what to type.
    fn short(&self) -> String {
        let left = self.rto_left().map(|left| format!(" RTO: {left}.")).unwrap_or_default();
        format!("drctl: approve {} of {}?{left} drctl status {}", self.path(), self.run(), self.run())
    }

    fn body(&self) -> String {
        let runbook = &self.plan.runbook;
        let mut lines = vec![
            format!(
                "The {} {} waits for an approval of {}.",
                runbook.kind.name(),
                code(&runbook.name.value),
                code(&self.path().0)
            ),
            String::new(),
        ];
        lines.extend(self.gate.opened.prompt.trim().lines().map(|line| format!("> {}", escaped(line))));
        lines.push(String::new());
        lines.extend(self.list());
        lines.extend([String::new(), "What would be done:".to_owned(), String::new()]);
        lines.extend(self.done());
        lines.extend([String::new(), "Answer on any host that shares the run's state:".to_owned(), String::new()]);
        lines.extend(["approve", "reject"].map(|word| format!("    {}", self.command(word))));
        let mut text = lines.join("\n");
        text.push('\n');
        text
    }

    fn list(&self) -> Vec<String> {
        let mut list = vec![format!("- run: `{}`", self.run())];
        let started = self.state.started.as_ref().map(|started| &started.operator);
        list.extend(
            started.map(|person| format!("- started by: {} on {}", escaped(&person.name), escaped(&person.host))),
        );
        list.push(format!("- asks: {}", escaped(&asks(self.plan, self.state, self.gate))));
        list.extend(self.rto_left().map(|left| format!("- RTO: {left}")));
        list.extend(self.loss().map(|loss| format!("- loss: {loss}")));
        let blocks = self.blocks();
        list.extend((!blocks.is_empty()).then(|| format!("- blocks: {}", named(&blocks))));
        let points = self.points_of_no_return();
        list.extend((!points.is_empty()).then(|| format!("- points of no return: {}", named(&points))));
        list.push(format!("- digest: `{}`", digest::short(&self.gate.opened.digest)));
        let own = self.gate.opened.levels.get(self.level as usize - 1);
        let next = self.gate.opened.levels.get(self.level as usize);
        if let (Some(own), Some(next)) = (own, next) {
            list.push(format!("- goes on to: {}, at {}", escaped(&next.calls), own.until));
        }
        list
    }

    /// The lines of the gate, as a block of code.
    fn done(&self) -> Vec<String> {
        let lines: Vec<String> = self.gate.opened.shown().flat_map(|text| lines(&text)).collect();
        let more = lines.len().saturating_sub(MOST_LINES);
        let more = (more > 0).then(|| format!("    and {more} more lines: drctl status {}", self.run()));
        lines.iter().take(MOST_LINES).map(|line| format!("    {line}")).chain(more).collect()
    }

    fn vars(&self) -> Map<String, Value> {
        let values = json!({
            "run": self.run(),
            "runbook": self.plan.runbook.name.value,
            "title": run_title(self.plan, self.state).unwrap_or_default(),
            "step": self.path(),
            "step_title": step_title(self.plan, self.state, self.node).unwrap_or_default(),
            "level": self.level,
            "calls": self.calls(),
            "prompt": self.gate.opened.prompt,
            "does": self.gate.opened.shown().collect::<Vec<_>>(),
            "digest": digest::short(&self.gate.opened.digest),
            "asks": asks(self.plan, self.state, self.gate),
            "loss": self.loss().unwrap_or_default(),
            "rto_left": self.rto_left().unwrap_or_default(),
            "blocks": self.blocks(),
            "points_of_no_return": self.points_of_no_return(),
            "approve": self.command("approve"),
            "reject": self.command("reject"),
        });
        match values {
            Value::Object(values) => values,
            _ => Map::new(),
        }
    }
}

fn named(steps: &[String]) -> String {
    let shown: Vec<String> = steps.iter().take(MOST_STEPS).map(|step| code(step)).collect();
    let more = steps.len().saturating_sub(MOST_STEPS);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// A name as Markdown shows it as it is.
fn code(name: &str) -> String {
    format!("`{}`", name.replace('`', "'"))
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// A word as a shell takes it.
fn quoted(word: &str) -> Cow<'_, str> {
    shell_words::quote(word)
}
