//! Gates: what an approval binds to, who may give it, what happens when its time is over.

use std::sync::Arc;

use serde_json::{Value, json};

use super::event::{Decided, Decision, Event, GateOpened, Mode, Person, StepState};
use super::machine::{Machine, Timer};
use super::scope::{NodeScope, Roots};
use super::state::{Gate, NodeId, State};
use super::transition::Illegal;
use crate::plan::definition::{definition, written};
use crate::plan::{Plan, StepIndex, digest};
use crate::runbook::ast::{ActionUse, OnTimeout, Step};
use crate::runbook::expr::{Rendered, Undefined};

/// What a gate asks: the digest binds an approval to all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What an approval binds to.
    pub digest: String,
    /// What is asked.
    pub prompt: String,
    /// Exactly what would be done.
    pub preview: Vec<String>,
}

/// What the gate of `node` asks, with what is known now.
///
/// # Errors
/// Something it shows has no value; in a plan, something is not known yet.
pub fn gate_question(plan: &Plan, state: &State, roots: &Roots, node: NodeId) -> Result<Asked, Undefined> {
    let step = plan.step(state.node(node).step);
    let instances = match state.children.get(&node) {
        Some(children) if step.for_each.is_some() => children.clone(),
        _ => vec![node],
    };
    let scope = |node| NodeScope { plan, state, roots, now: state.last_at, node: Some(node), vars: None };
    let mut actions = Vec::new();
    let mut preview = Vec::new();
    for instance in instances {
        let path = state.node(instance).path.to_string();
        let with = plan.runbook.expressions.render(&step.action.with.value, &scope(instance))?;
        preview.push(format!("{path}: {}", step.action.name.value));
        preview.extend(parameter_lines(&with.shown()));
        let mut later = |words: &str, action: &ActionUse| {
            let (bound, lines) = settled(plan, action, &scope(instance));
            preview.push(format!("{path}: {words} {}", action.name.value));
            preview.extend(lines);
            bound
        };
        let undo = step.rollback.as_ref().map(|rollback| later("undone by", rollback));
        let check = step.verify.as_ref().map(|verify| later("verified by", &verify.action));
        actions.push(json!({ "path": path, "with": with.canonical(), "undo": undo, "check": check }));
    }
    let prompt = prompt(plan, step, &scope(node))?;
    let guarded = guarded(plan, state.node(node).step);
    preview.extend(guarded.iter().map(|step| format!("guards the point of no return `{}`", plan.step(*step).id.value)));
    let guarded: Vec<Value> = guarded.iter().map(|step| definition(&plan.runbook, plan.step(*step))).collect();
    let bound = json!({
        "action": step.action.name.value,
        "actions": actions,
        "prompt": prompt,
        "guards": guarded,
        "inputs": if guarded.is_empty() { Value::Null } else { Value::Object(plan.inputs.clone()) },
    });
    Ok(Asked { digest: digest::of_value(&bound), prompt, preview })
}

fn prompt(plan: &Plan, step: &Step, scope: &NodeScope<'_>) -> Result<String, Undefined> {
    let Some(prompt) = step.approval.as_ref().and_then(|gate| gate.prompt.as_ref()) else {
        let title = step.title.as_ref().and_then(|title| plan.runbook.expressions.render(title, scope).ok());
        return Ok(title.map_or_else(|| step.id.value.clone(), |title| text(&title)));
    };
    plan.runbook.expressions.render(prompt, scope).map(|prompt| text(&prompt))
}

/// The parameters as people read them: text as it is, its further lines further in.
fn parameter_lines(with: &Value) -> Vec<String> {
    let Value::Object(with) = with else { return Vec::new() };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let lines =
        with.iter().map(|(name, value)| format!("  {name}: {}", text(value).trim_end().replace('\n', "\n    ")));
    lines.flat_map(|shown| shown.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn text(value: &Rendered) -> String {
    match value.shown() {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// An action that runs later, rendered where that is possible, else as written: what an approval binds to, and the
/// parameters as people read them.
fn settled(plan: &Plan, action: &ActionUse, scope: &NodeScope<'_>) -> (Value, Vec<String>) {
    let (with, shown) = match plan.runbook.expressions.render(&action.with.value, scope) {
        Ok(with) => (with.canonical(), with.shown()),
        Err(_) => {
            let with = written(&plan.runbook, &action.with.value);
            (with.clone(), with)
        }
    };
    (json!({ "action": action.name.value, "with": with }), parameter_lines(&shown))
}

/// The points of no return behind a gate that have no gate of their own.
fn guarded(plan: &Plan, gate: StepIndex) -> Vec<StepIndex> {
    let descendants = plan.graph.descendants(gate);
    let phase = plan.step(gate).phase;
    let behind = |index: StepIndex, step: &Step| {
        descendants.binary_search(&index).is_ok() || (phase.is_barrier() && step.phase > phase)
    };
    let guards =
        |index: StepIndex, step: &Step| step.point_of_no_return && step.approval.is_none() && behind(index, step);
    plan.steps().filter(|(index, step)| guards(*index, step)).map(|(index, _)| index).collect()
}

/// Who may approve: the people who have one of the roles asked; nothing where anybody may.
#[must_use]
pub fn approvers(plan: &Plan, gate: &Gate) -> Option<Vec<String>> {
    if gate.opened.by.is_empty() {
        return None;
    }
    let roles = gate.opened.by.iter().chain(gate.escalated.iter().flatten());
    Some(plan.workspace.people(roles.map(String::as_str)))
}

/// How the command that started the run approves the gate: `ahead` or by `yes`; nothing where it does not.
#[must_use]
pub fn approved_at_start(plan: &Plan, state: &State, gate: &Gate) -> Option<&'static str> {
    let started = state.started.as_ref()?;
    let typed = |given: &str| given.len() >= 12 && gate.opened.digest.starts_with(given);
    let ahead = started.approved_ahead.iter().any(|(step, given)| **step == *gate.opened.step.0 && typed(given));
    let yes = started.yes && gate.opened.by.is_empty();
    let from = if ahead { "ahead" } else { "yes" };
    ((ahead || yes) && may_approve(plan, state, gate, &started.operator).is_ok()).then_some(from)
}

/// Whether `person` may approve the gate now, and if not, why.
///
/// # Errors
/// The reason, for the person.
pub fn may_approve(plan: &Plan, state: &State, gate: &Gate, person: &Person) -> Result<(), String> {
    let name = &person.name;
    if let Some(people) = approvers(plan, gate)
        && !people.contains(name)
    {
        let roles = gate.opened.by.join("`, `");
        return Err(format!("`{name}` has none of the roles `{roles}`; those who do: {}", people.join(", ")));
    }
    let requester = state.started.as_ref().is_some_and(|started| started.operator.name == *name);
    if requester && !gate.opened.requester_may_approve {
        return Err(format!("`{name}` started the run and may not approve this gate; somebody else has to"));
    }
    if gate.votes.contains(name) {
        return Err(format!("`{name}` has approved already; {} different people are needed", gate.opened.quorum));
    }
    Ok(())
}

impl Machine {
    /// Whether the step may start: its gate was passed by an approval of exactly what is about to be done.
    pub(super) fn pass_gate(&mut self, node: NodeId) -> Result<bool, Illegal> {
        if self.state.mode() == Mode::DryRun {
            return Ok(true);
        }
        let asked = match gate_question(&self.plan, &self.state, &self.roots, node) {
            Ok(asked) => asked,
            Err(problem) => {
                self.fail(node, problem.to_string())?;
                return Ok(false);
            }
        };
        if let Some(gate) = self.state.node(node).gate() {
            let same = gate.opened.digest == asked.digest;
            if same && gate.approved {
                return Ok(true);
            }
            let reason =
                if same { "the approval was given up" } else { "what would be done has changed since it was approved" };
            self.emit(Event::GateVoided { step: self.path(node), reason: reason.to_owned() })?;
        }
        self.open_gate(node, asked)?;
        let gate = self.state.node(node).gate();
        Ok(self.state.node(node).state == StepState::Pending && gate.is_some_and(|gate| gate.approved))
    }

    fn open_gate(&mut self, node: NodeId, asked: Asked) -> Result<(), Illegal> {
        let plan = Arc::clone(&self.plan);
        let step = plan.step(self.state.node(node).step);
        let Some(approval) = &step.approval else { return Ok(()) };
        let deadline = approval.timeout.map(|timeout| self.now.plus(timeout));
        let digest = asked.digest.clone();
        self.emit(Event::GateOpened(Box::new(GateOpened {
            step: self.path(node),
            digest: asked.digest,
            prompt: asked.prompt,
            preview: asked.preview,
            by: approval.by.iter().map(|role| role.value.clone()).collect(),
            quorum: approval.quorum,
            requester_may_approve: approval.requester_may_approve.unwrap_or(plan.workspace.requester_may_approve),
            deadline,
        })))?;
        if let Some(deadline) = deadline {
            self.wake_at(deadline, Timer::Gate(node));
        }
        self.approve_ahead(node, &digest)
    }

    /// An approval given with the start of the run counts where it was given for exactly this.
    fn approve_ahead(&mut self, node: NodeId, digest: &str) -> Result<(), Illegal> {
        let path = self.path(node);
        let Some(started) = self.state.started.clone() else {
            return Ok(());
        };
        let from = self.state.node(node).gate().and_then(|gate| approved_at_start(&self.plan, &self.state, gate));
        let Some(from) = from else { return Ok(()) };
        self.emit(Event::Decided(Box::new(Decided {
            id: format!("ahead-{path}-{digest}"),
            step: Some(path),
            decision: Decision::Approve { digest: digest.to_owned() },
            person: started.operator.clone(),
            from: from.to_owned(),
            at: self.state.started_at,
            reason: None,
        })))
    }

    /// A gate's time is over. It never approves.
    pub(super) fn gate_time_over(&mut self, node: NodeId) -> Result<(), Illegal> {
        let plan = Arc::clone(&self.plan);
        let state = self.state.node(node);
        let Some(gate) = state.gate().filter(|_| state.state == StepState::AwaitingApproval) else {
            return Ok(());
        };
        let due = gate.opened.deadline.is_some_and(|deadline| deadline <= self.now) && gate.escalated.is_none();
        let Some(approval) = plan.step(state.step).approval.as_ref().filter(|_| due) else {
            return Ok(());
        };
        if approval.on_timeout == OnTimeout::Reject {
            return self.fail(node, "nobody approved it in time".to_owned());
        }
        let own: Vec<String> = approval.escalate_to.iter().map(|role| role.value.clone()).collect();
        let to = if own.is_empty() { plan.workspace.escalate_to.clone() } else { own };
        self.emit(Event::GateEscalated { step: self.path(node), to })
    }
}
