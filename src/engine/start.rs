//! How a step begins: its condition, its items, its gate, its rendered action.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::deliveries::known_before;
use super::event::{Event, Instance, Intent, Mode, Outputs, Side, StepState};
use super::job::{Effect, Job, JobId, JobKind};
use super::machine::Machine;
use super::notice::notice;
use super::scope::UNKNOWN;
use super::state::NodeId;
use super::transition::Illegal;
use crate::catalogue::Type;
use crate::plan;
use crate::runbook::ast::{ActionUse, RunIf, Step};
use crate::runbook::expr::{Rendered, Undefined};

/// Why a step with this `when` does not apply.
#[must_use]
pub fn is_false(when: &str) -> String {
    format!("`{when}` is false")
}

impl Machine {
    /// Brings a step as far as it goes by itself: it does not apply, fails, waits for people, or runs.
    pub(super) fn begin(&mut self, node: NodeId) -> Result<(), Illegal> {
        if self.state.node(node).state != StepState::Pending && self.state.node(node).state != StepState::Cancelled {
            return Ok(());
        }
        let plan = Arc::clone(&self.plan);
        let step = plan.step(self.state.node(node).step);
        if !self.applies(node, step)? {
            return Ok(());
        }
        let is_step = self.state.node(node).parent.is_none();
        if is_step && step.repeat.is_some() {
            return self.begin_repetition(node);
        }
        if is_step && step.for_each.is_some() && !self.state.children.contains_key(&node) && !self.expand(node, step)? {
            return Ok(());
        }
        if is_step && step.approval.is_some() && !self.pass_gate(node)? {
            return Ok(());
        }
        if is_step && step.for_each.is_some() {
            let pending = |child: &NodeId| self.state.node(*child).state == StepState::Pending;
            let children: VecDeque<NodeId> = self.state.children[&node].iter().copied().filter(pending).collect();
            self.waiting.insert(node, children);
            return Ok(());
        }
        if let Some(frame) = self.state.called(node) {
            return self.call(node, frame);
        }
        if step.action.name.value == "manual" && self.state.mode() == Mode::Real {
            return self.ask_person(node, step);
        }
        self.apply(node)
    }

    /// Judges `when`; says so where the step does not apply.
    fn applies(&mut self, node: NodeId, step: &Step) -> Result<bool, Illegal> {
        let Some(when) = step.when else { return Ok(true) };
        let plan = Arc::clone(&self.plan);
        let expressions = plan.expressions(self.state.node(node).step);
        let reads_item = expressions.get(when).scan.paths.iter().any(|path| path.parts[0] == "item");
        let has_item = self.state.node(node).item.is_some();
        if reads_item != has_item && step.for_each.is_some() {
            return Ok(true);
        }
        match expressions.condition(when, &self.scope(node)) {
            Ok(true) | Err(Undefined::Unknown(_)) => Ok(true),
            Ok(false) => {
                let reason = is_false(&expressions.get(when).text) + &self.judged_by(node, when);
                self.emit(Event::NotApplicable { step: self.path(node), reason })?;
                Ok(false)
            }
            Err(Undefined::Wrong(problem)) => {
                self.fail(node, format!("when: {problem}"))?;
                Ok(false)
            }
        }
    }

    pub(super) fn fail(&mut self, node: NodeId, reason: String) -> Result<(), Illegal> {
        self.emit(Event::StepFailed { step: self.path(node), reason, side: Side::Apply })
    }

    /// Freezes the items; whether there are any.
    fn expand(&mut self, node: NodeId, step: &Step) -> Result<bool, Illegal> {
        let Some(for_each) = &step.for_each else {
            return Ok(false);
        };
        let expressions = self.plan.expressions(self.state.node(node).step);
        let items = expressions.render(&for_each.items, &self.scope(node));
        let instances: Result<Vec<Instance>, String> = match items {
            Ok(items) => plan::items(&items.shown())
                .map(|items| items.into_iter().map(|(key, item)| Instance { key, item }).collect()),
            Err(Undefined::Unknown(_)) => Ok(vec![Instance { key: UNKNOWN.to_owned(), item: Value::Null }]),
            Err(Undefined::Wrong(problem)) => Err(problem),
        };
        match instances {
            Ok(instances) if instances.is_empty() => {
                let reason = "`for_each` has no items".to_owned();
                self.emit(Event::NotApplicable { step: self.path(node), reason })?;
                Ok(false)
            }
            Ok(instances) => {
                self.emit(Event::Expanded { step: self.path(node), instances })?;
                Ok(true)
            }
            Err(problem) => {
                self.fail(node, format!("for_each: {problem}"))?;
                Ok(false)
            }
        }
    }

    /// Lets instances begin, as many as their step allows at a time.
    pub(super) fn begin_instances(&mut self) -> Result<(), Illegal> {
        if self.state.is_stopped_by_failure() || self.state.aborted.is_some() || self.state.rollback.is_some() {
            return Ok(());
        }
        for group in self.waiting.keys().copied().collect::<Vec<_>>() {
            let step = self.plan.step(self.state.node(group).step);
            let most = step.for_each.as_ref().and_then(|for_each| for_each.max_parallel).unwrap_or(u32::MAX) as usize;
            while self.running_instances(group) < most && self.jobs.len() < self.options.parallel {
                let Some(child) = self.waiting.get_mut(&group).and_then(VecDeque::pop_front) else {
                    break;
                };
                self.begin(child)?;
                if self.state.is_stopped_by_failure() {
                    return Ok(());
                }
            }
            if self.waiting.get(&group).is_some_and(VecDeque::is_empty) {
                self.waiting.remove(&group);
            }
        }
        Ok(())
    }

    fn running_instances(&self, group: NodeId) -> usize {
        let busy = |state: StepState| {
            state.is_active() || matches!(state, StepState::RetryWait | StepState::AwaitingPerson | StepState::InDoubt)
        };
        self.state.children[&group].iter().filter(|child| busy(self.state.node(**child).state)).count()
    }

    /// Steps beside the way of success begin when those of their kind that they need are quiet.
    pub(super) fn begin_exempt(&mut self) -> Result<(), Illegal> {
        for _ in 0..self.exempt.len() {
            let Some(node) = self.exempt.pop_front() else { break };
            if self.needs_quiet(node) {
                self.begin(node)?;
            } else {
                self.exempt.push_back(node);
            }
        }
        Ok(())
    }

    fn needs_quiet(&self, node: NodeId) -> bool {
        let index = self.state.node(node).step;
        let own = self.plan.step(index).run_if;
        if own == RunIf::Success {
            return true;
        }
        let busy = |id: NodeId| {
            let state = self.state.node(id).state;
            state.is_active()
                || matches!(state, StepState::RetryWait | StepState::AwaitingApproval | StepState::AwaitingPerson)
                || self.exempt.contains(&id)
        };
        self.plan.graph.needs(index).iter().all(|need| {
            let id = self.state.peer(&self.plan, node, *need);
            self.plan.step(*need).run_if != own
                || (!busy(id)
                    && !self.state.children.get(&id).is_some_and(|children| children.iter().any(|child| busy(*child))))
        })
    }

    fn ask_person(&mut self, node: NodeId, step: &Step) -> Result<(), Illegal> {
        let with = match self.parameters(node, &step.action) {
            Ok(with) => with.shown(),
            Err(problem) => return self.fail(node, problem.to_string()),
        };
        let instructions = with.get("instructions").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut answers: Vec<(String, String)> =
            step.outputs.iter().map(|output| (output.name.value.clone(), output.kind.to_string())).collect();
        if with.get("evidence") == Some(&Value::Bool(true)) {
            answers.push(("evidence".to_owned(), "a string".to_owned()));
        }
        self.emit(Event::PersonAsked { step: self.path(node), instructions, answers })
    }

    /// Renders the action's parameters and checks them; a notice's message and channels are among them.
    pub(super) fn parameters(&self, node: NodeId, action: &ActionUse) -> Result<Rendered, Undefined> {
        let scope = self.scope(node);
        let expressions = self.plan.expressions(self.state.node(node).step);
        let rendered = expressions.render(&action.with.value, &scope)?;
        let spec = self.plan.spec(&action.name.value);
        let rendered =
            spec.map_or_else(|| rendered.clone(), |spec| rendered.clone().settle(&Type::Record(spec.parameters)));
        let shown = rendered.shown();
        if let (Some(spec), Value::Object(parameters)) = (spec, &shown) {
            spec.check(parameters).map_err(|problem| Undefined::Wrong(format!("with: {problem}")))?;
        }
        match (action.name.value.as_str(), shown) {
            ("notify", Value::Object(parameters)) => notice((&self.plan, &self.state, node), &scope, parameters),
            _ => Ok(rendered),
        }
    }

    /// Starts an attempt: the intent first, then the work.
    pub(super) fn apply(&mut self, node: NodeId) -> Result<(), Illegal> {
        let plan = Arc::clone(&self.plan);
        let step = plan.step(self.state.node(node).step);
        match self.parameters(node, &step.action) {
            Ok(with) => self.send(node, Side::Apply, &step.action, with, None),
            Err(Undefined::Unknown(name)) if self.state.mode() == Mode::DryRun => {
                let runbook = plan.runbook_of(self.state.node(node).step);
                let shown = crate::plan::definition::written(runbook, &step.action.with.value);
                self.send(node, Side::Apply, &step.action, Rendered::Plain(shown), Some(name))
            }
            Err(problem) => self.fail(node, problem.to_string()),
        }
    }

    pub(super) fn send(
        &mut self,
        node: NodeId,
        side: Side,
        action: &ActionUse,
        with: Rendered,
        unknown: Option<String>,
    ) -> Result<(), Illegal> {
        let before = self.state.node(node);
        let attempt = if before.side() == side { before.attempt + 1 } else { 1 };
        self.emit(Event::Intent(Box::new(Intent {
            step: self.path(node),
            side,
            attempt,
            action: action.name.value.clone(),
            with: with.shown(),
        })))?;
        let mut job = self.job(node, side, JobKind::Apply, action, with);
        if self.state.mode() == Mode::DryRun {
            job.dry = Some(self.dry_hints(node, &job, unknown));
        }
        self.dispatch(job);
        Ok(())
    }

    pub(super) fn job(&self, node: NodeId, side: Side, kind: JobKind, action: &ActionUse, with: Rendered) -> Job {
        let state = self.state.node(node);
        let step = self.plan.step(state.step);
        let shown = match with.shown() {
            Value::Object(entries) => entries,
            _ => Map::new(),
        };
        let effect = self.plan.effect(&action.name.value, &shown);
        let observes = matches!(kind, JobKind::Observe);
        let verifies = matches!(kind, JobKind::Verify { .. });
        Job {
            id: JobId { node, side, attempt: state.attempt },
            kind,
            path: state.path.clone(),
            action: action.name.value.clone(),
            with,
            effect,
            timeout: self.plan.timeout(state.step),
            declared: if side == Side::Apply && !verifies {
                step.outputs.iter().map(|output| (output.name.value.clone(), output.kind.clone())).collect()
            } else {
                Vec::new()
            },
            repeatable: self.plan.is_repeatable(step, effect),
            previous: known_before(
                &self.plan,
                &self.state,
                node,
                if observes { state.handle() } else { state.previous() },
            ),
            dry: None,
        }
    }

    /// Hands a job out; it starts once all that was journaled before is durable.
    pub(super) fn dispatch(&mut self, job: Job) {
        self.jobs.insert(job.id);
        self.effects.push(Effect::Do { job: Box::new(job), after: self.last() });
    }
}

/// Whether a step's outputs are unknown in a dry run.
#[must_use]
pub(super) fn is_unknown(outputs: &Outputs) -> bool {
    *outputs == Outputs::Unknown
}
