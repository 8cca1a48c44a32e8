//! Gates: what an approval binds to, who may give it, what happens when its time is over.

use std::sync::Arc;

use serde_json::{Value, json};

use super::escalation::levels;
use super::event::{Decided, Decision, Event, GateLevel, GateOpened, Mode, Person, StepState};
use super::machine::{Machine, Timer};
use super::scope::NodeScope;
use super::state::{Gate, Node, NodeId, State};
use super::transition::Illegal;
use crate::catalogue::{Timestamp, Type};
use crate::plan::definition::{definition, written};
use crate::plan::{Plan, StepIndex, digest};
use crate::runbook::ast::{ActionUse, Approval, OnTimeout, Runbook, Step};
use crate::runbook::expr::{Expressions, Rendered, Undefined};

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
pub fn gate_question(plan: &Plan, state: &State, node: NodeId) -> Result<Asked, Undefined> {
    let index = state.node(node).step;
    let (step, expressions) = (plan.step(index), plan.expressions(index));
    let scope = |node| NodeScope::of(plan, state, node);
    let mut actions = Vec::new();
    let mut preview = Vec::new();
    for instance in instances(plan, state, node) {
        let path = state.node(instance).path.to_string();
        let with = expressions.render(&step.action.with.value, &scope(instance))?;
        preview.push(format!("{path}: {}", step.action.name.value));
        preview.extend(parameter_lines(&with.shown()));
        let sends = sends(plan, &step.action, &with);
        preview.extend(sends.iter().map(|line| format!("  {line}")));
        let mut later = |words: &str, action: &ActionUse| {
            let (bound, lines) = settled(plan, plan.runbook_of(index), action, &scope(instance));
            preview.push(format!("{path}: {words} {}", action.name.value));
            preview.extend(lines);
            bound
        };
        let undo = step.rollback.as_ref().map(|rollback| later("undone by", rollback));
        let check = step.verify.as_ref().map(|verify| later("verified by", &verify.action));
        let mut bound = json!({ "path": path, "with": with.canonical(), "undo": undo, "check": check });
        if !sends.is_empty() {
            bound["sends"] = sends.into();
        }
        actions.push(bound);
    }
    let called = called_steps(plan, index);
    preview.extend(called.iter().flat_map(|step| written_lines(plan, *step)));
    let prompt = prompt(expressions, step, &scope(node))?;
    let guarded = guarded(plan, index);
    for step in &guarded {
        preview.push(format!("guards the point of no return `{}`", plan.path(*step)));
        if !called.contains(step) {
            preview.extend(guarded_lines(plan, state, node, *step));
        }
    }
    let mut bound = json!({
        "action": step.action.name.value,
        "actions": actions,
        "prompt": prompt,
        "guards": guarded.iter().flat_map(|step| plan.callers(*step)).map(|step| defined(plan, step)).collect::<Value>(),
        "inputs": if guarded.is_empty() { Value::Null } else { Value::Object(plan.inputs.clone()) },
    });
    if !called.is_empty() {
        bound["calls"] = called.iter().map(|step| json!([plan.path(*step), defined(plan, *step)])).collect();
    }
    if let Some(caller) = state.frame(state.node(node).frame).caller {
        bound["called_with"] = given(state, caller);
    }
    Ok(Asked { digest: digest::of_value(&bound), prompt, preview })
}

/// What a gate guards: its step, or each instance of it.
pub(super) fn instances(plan: &Plan, state: &State, node: NodeId) -> Vec<NodeId> {
    match state.children.get(&node) {
        Some(children) if plan.step(state.node(node).step).for_each.is_some() => children.clone(),
        _ => vec![node],
    }
}

/// What would be sent that changes something, as far as the parameters tell.
fn sends(plan: &Plan, action: &ActionUse, with: &Rendered) -> Vec<String> {
    let name = &action.name.value;
    let Some(spec) = plan.spec(name) else { return Vec::new() };
    match with.clone().settle(&Type::Record(spec.parameters)).shown() {
        Value::Object(with) => plan.catalogue.sends(name, &with),
        _ => Vec::new(),
    }
}

fn defined(plan: &Plan, step: StepIndex) -> Value {
    definition(plan.runbook_of(step), plan.step(step))
}

/// What a call was given, and what those were given that it stands within.
fn given(state: &State, caller: NodeId) -> Value {
    let frame = state.called(caller).map(|frame| state.frame(frame));
    let inputs = frame.map(|frame| Value::Object((*frame.inputs).clone()));
    let outer = state.frame(state.node(caller).frame).caller.map(|caller| given(state, caller));
    json!({ "inputs": inputs, "within": outer })
}

/// Every step that the step calls, directly or not.
fn called_steps(plan: &Plan, step: StepIndex) -> Vec<StepIndex> {
    let Some(part) = plan.called(step) else { return Vec::new() };
    let steps = plan.parts[part].indexed();
    steps.flat_map(|(index, _)| std::iter::once(index).chain(called_steps(plan, index))).collect()
}

/// A step behind a gate: rendered where all that it reads is known by now.
fn guarded_lines(plan: &Plan, state: &State, gate: NodeId, step: StepIndex) -> Vec<String> {
    if plan.part_index(step) != plan.part_index(state.node(gate).step) {
        return written_lines(plan, step);
    }
    let action = &plan.step(step).action;
    let scope = NodeScope::of(plan, state, state.peer(plan, gate, step));
    let (_, lines) = settled(plan, plan.runbook_of(step), action, &scope);
    let head = format!("{}: {}", plan.path(step), action.name.value);
    std::iter::once(head).chain(lines).collect()
}

/// A step as people read it before it begins: as it is written.
fn written_lines(plan: &Plan, step: StepIndex) -> Vec<String> {
    let action = &plan.step(step).action;
    let with = written(plan.runbook_of(step), &action.with.value);
    let head = format!("{}: {}", plan.path(step), action.name.value);
    std::iter::once(head).chain(parameter_lines(&with)).collect()
}

fn prompt(expressions: &Expressions, step: &Step, scope: &NodeScope<'_>) -> Result<String, Undefined> {
    let Some(prompt) = step.approval.as_ref().and_then(|gate| gate.prompt.as_ref()) else {
        let title = step.title.as_ref().and_then(|title| expressions.render(title, scope).ok());
        return Ok(title.map_or_else(|| step.id.value.clone(), |title| text(&title)));
    };
    expressions.render(prompt, scope).map(|prompt| text(&prompt))
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
fn settled(plan: &Plan, runbook: &Runbook, action: &ActionUse, scope: &NodeScope<'_>) -> (Value, Vec<String>) {
    let (with, lines) = match runbook.expressions.render(&action.with.value, scope) {
        Ok(with) => {
            let sends = sends(plan, action, &with);
            let mut lines = parameter_lines(&with.shown());
            lines.extend(sends.iter().map(|line| format!("  {line}")));
            (with.canonical(), lines)
        }
        Err(_) => {
            let with = written(runbook, &action.with.value);
            let lines = parameter_lines(&with);
            (with, lines)
        }
    };
    (json!({ "action": action.name.value, "with": with }), lines)
}

/// The points of no return behind a gate that have no gate of their own: in its runbook, in what is called behind
/// it, and behind the calls that it stands within.
fn guarded(plan: &Plan, gate: StepIndex) -> Vec<StepIndex> {
    let mut found = Vec::new();
    behind(plan, gate).into_iter().for_each(|index| unguarded(plan, index, &mut found));
    if let Some(part) = plan.called(gate) {
        plan.parts[part].indexed().for_each(|(index, _)| unguarded(plan, index, &mut found));
    }
    found
}

/// What cannot begin before the gate is passed: what comes after its step, and after the calls it stands within.
pub(super) fn behind(plan: &Plan, gate: StepIndex) -> Vec<StepIndex> {
    let of_call = |gate: StepIndex| {
        let descendants = plan.graph.descendants(gate);
        let phase = plan.step(gate).phase;
        let behind = move |(index, step): &(StepIndex, &Step)| {
            // A notice with needs of its own waits for these alone.
            let waits_for_phase = step.phase.is_barrier() || step.needs.is_empty();
            descendants.binary_search(index).is_ok() || (phase.is_barrier() && step.phase > phase && waits_for_phase)
        };
        plan.part_of(gate).indexed().filter(behind).map(|(index, _)| index).collect::<Vec<_>>()
    };
    plan.callers(gate).flat_map(of_call).collect()
}

/// The points of no return that a step is, or calls, without a gate of its own.
fn unguarded(plan: &Plan, index: StepIndex, found: &mut Vec<StepIndex>) {
    let step = plan.step(index);
    if step.approval.is_some() {
        return;
    }
    if step.point_of_no_return {
        found.push(index);
    }
    if let Some(part) = plan.called(index) {
        plan.parts[part].indexed().for_each(|(index, _)| unguarded(plan, index, found));
    }
}

/// Who may approve: the people who have one of the roles asked; nothing where anybody may.
#[must_use]
pub fn approvers(plan: &Plan, gate: &Gate) -> Option<Vec<String>> {
    if gate.opened.by.is_empty() {
        return None;
    }
    Some(plan.workspace.people(gate.roles()))
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

/// Why the approval that was given ahead for this gate does not count; nothing where none was, or it does.
#[must_use]
pub fn ahead_refused(plan: &Plan, state: &State, gate: &Gate) -> Option<String> {
    let started = state.started.as_ref()?;
    let (_, given) = started.approved_ahead.iter().find(|(step, _)| **step == *gate.opened.step.0)?;
    if !gate.opened.digest.starts_with(given.as_str()) {
        let asked = digest::short(&gate.opened.digest);
        return Some(format!("it was given for {}, the gate asks for {asked}", digest::short(given)));
    }
    may_approve(plan, state, gate, &started.operator).err().filter(|_| !gate.votes.contains(&started.operator.name))
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
        let roles = gate.roles().collect::<Vec<_>>().join("`, `");
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

/// The roles that are asked too once a gate's own time is over.
#[must_use]
pub fn escalate_to(plan: &Plan, approval: &Approval) -> Vec<String> {
    let own: Vec<String> = approval.escalate_to.iter().map(|role| role.value.clone()).collect();
    if own.is_empty() { plan.workspace.escalate_to.clone() } else { own }
}

/// Whether an approval said at that time still counts: one that came after the time of a gate that rejects does not.
pub(super) fn in_time(plan: &Plan, node: &Node, at: Timestamp) -> Result<(), String> {
    let approval = plan.step(node.step).approval.as_deref();
    let rejects = |gate: &&Approval| gate.on_timeout == OnTimeout::Reject;
    let gate = approval.filter(rejects).and(node.gate());
    match gate.and_then(|gate| gate.opened.deadline).filter(|deadline| *deadline <= at) {
        Some(deadline) => Err(format!(
            "the time to approve `{}` was over at {deadline}; after a `retry` it is asked again",
            node.path
        )),
        None => Ok(()),
    }
}

impl Machine {
    /// Whether the step may start: its gate was passed by an approval of exactly what is about to be done.
    pub(super) fn pass_gate(&mut self, node: NodeId) -> Result<bool, Illegal> {
        if self.state.mode() == Mode::DryRun {
            return Ok(true);
        }
        let asked = match gate_question(&self.plan, &self.state, node) {
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
        let Some(opened) = self.gate_opened(node, asked) else { return Ok(false) };
        self.open_gate(node, opened)?;
        let gate = self.state.node(node).gate();
        Ok(self.state.node(node).state == StepState::Pending && gate.is_some_and(|gate| gate.approved))
    }

    /// The gate as it opens; nothing while what it shows is still being read.
    fn gate_opened(&mut self, node: NodeId, asked: Asked) -> Option<GateOpened> {
        let plan = Arc::clone(&self.plan);
        let step = plan.step(self.state.node(node).step);
        let approval = step.approval.as_ref()?;
        let mut gate = Gate::new(GateOpened {
            step: self.path(node),
            digest: asked.digest,
            prompt: asked.prompt,
            preview: asked.preview,
            foreseen: Vec::new(),
            by: approval.by.iter().map(|role| role.value.clone()).collect(),
            quorum: approval.quorum,
            requester_may_approve: approval.requester_may_approve.unwrap_or(plan.workspace.requester_may_approve),
            deadline: None,
            levels: Vec::new(),
        });
        let is_passed = approval.quorum == 1 && approved_at_start(&plan, &self.state, &gate).is_some();
        if !is_passed {
            gate.opened.foreseen = self.look_ahead(node, &gate.opened.digest)?;
        }
        gate.opened.levels = levels(plan.escalation(self.state.node(node).step), self.now);
        gate.opened.deadline = self.deadline(approval, &gate.opened.levels);
        Some(gate.opened)
    }

    fn open_gate(&mut self, node: NodeId, opened: GateOpened) -> Result<(), Illegal> {
        let digest = opened.digest.clone();
        self.emit(Event::GateOpened(Box::new(opened)))?;
        self.approve_ahead(node, &digest)?;
        self.wake_for_gate(node);
        Ok(())
    }

    /// When the gate's time is over; where it follows a policy, that calls people, unless the gate has some of its own.
    fn deadline(&self, approval: &Approval, levels: &[GateLevel]) -> Option<Timestamp> {
        let own = approval.timeout.map(|timeout| self.now.plus(timeout));
        let last = levels.last().map(|level| level.until);
        match approval.on_timeout {
            OnTimeout::Reject => own.or(last),
            OnTimeout::Escalate => own.filter(|_| levels.is_empty() || !escalate_to(&self.plan, approval).is_empty()),
        }
    }

    /// Sets the moments at which something is due of an open gate.
    pub(super) fn wake_for_gate(&mut self, node: NodeId) {
        let state = self.state.node(node);
        let Some(gate) = state.gate().filter(|_| state.state == StepState::AwaitingApproval) else { return };
        let levels = &gate.opened.levels;
        // What is due now waits for the next look at the clock: nobody is called to a gate that is passed meanwhile.
        let now = (!levels.is_empty()).then_some(self.now);
        let moments: Vec<Timestamp> =
            gate.opened.deadline.into_iter().chain(levels.iter().map(|level| level.until)).chain(now).collect();
        moments.into_iter().for_each(|at| self.wake_at(at, Timer::Gate(node)));
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
            others: 0,
        })))
    }

    /// Something is due of a gate: its time is over, or that of a level. It never approves.
    pub(super) fn gate_time_over(&mut self, node: NodeId) -> Result<(), Illegal> {
        let plan = Arc::clone(&self.plan);
        let state = self.state.node(node);
        let Some(gate) = state.gate().filter(|_| state.state == StepState::AwaitingApproval) else {
            return Ok(());
        };
        let due = gate.opened.deadline.is_some_and(|deadline| deadline <= self.now) && gate.escalated.is_none();
        if let Some(approval) = plan.step(state.step).approval.as_ref().filter(|_| due) {
            if approval.on_timeout == OnTimeout::Reject {
                return self.fail(node, "nobody approved it in time".to_owned());
            }
            let to = escalate_to(&plan, approval);
            self.emit(Event::GateEscalated { step: self.path(node), to, level: 0 })?;
        }
        self.escalate(node)
    }
}
