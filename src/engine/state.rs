//! The state of a run: a fold over the records of its journal.
//!
//! [`State::apply`] is the only way it changes, live, on recovery and in every viewer. It knows
//! what happened, never what to do next: that is the machine's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::event::{Decided, Event, Instance, Mode, NodePath, Outputs, RunStarted, RunState, StepState};
use super::frame::{Frame, FrameId};
pub use super::node::{Gate, Interrupted, LevelCall, More, Node, NodeId};
use super::transition::{Change, Illegal, transition};
use crate::catalogue::Timestamp;
use crate::plan::{Plan, StepIndex};
use crate::runbook::ast::{OnFailure, RunIf};

/// What becomes of finished steps when a run is undone.
#[derive(Clone, Debug, Default)]
pub struct Rollback {
    /// Why.
    pub reason: String,
    /// What is undone, in this order.
    pub order: Vec<NodeId>,
    /// What stays, and why.
    pub kept: Vec<(NodePath, String)>,
}

/// The state of a run.
#[derive(Clone, Debug)]
pub struct State {
    /// All nodes; see [`NodeId`].
    pub nodes: Vec<Node>,
    /// The runbook and those that it calls.
    pub frames: Vec<Frame>,
    /// The frame of each node that calls one.
    pub(super) calls: BTreeMap<NodeId, FrameId>,
    /// The instances of a step, in their order.
    pub children: BTreeMap<NodeId, Vec<NodeId>>,
    /// How the run was started.
    pub started: Option<Arc<RunStarted>>,
    /// When.
    pub started_at: Timestamp,
    /// The time of the last record.
    pub last_at: Timestamp,
    /// Decisions that were taken or refused.
    pub decisions: BTreeSet<String>,
    /// How many times the run has paused, and whether it is paused now.
    pub pauses: (u32, bool),
    /// Why nothing new starts, in this process.
    pub stopping: Option<String>,
    /// Who gave the run up, and why.
    pub aborted: Option<String>,
    /// What is being undone.
    pub rollback: Option<Rollback>,
    /// How it ended.
    pub ended: Option<RunState>,
    /// What the runbook's `outputs` came to, once it has ended.
    pub outputs: Map<String, Value>,
    /// How many nodes are in each state.
    counts: BTreeMap<StepState, u32>,
    /// Failed nodes that stop the run.
    stops: u32,
    /// How many records were taken in.
    ticks: u32,
}

impl State {
    /// A run of which nothing has happened yet.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let mut state = Self {
            nodes: Vec::with_capacity(plan.graph.len()),
            frames: Vec::new(),
            calls: BTreeMap::new(),
            children: BTreeMap::new(),
            started: None,
            started_at: Timestamp::default(),
            last_at: Timestamp::default(),
            decisions: BTreeSet::new(),
            pauses: (0, false),
            stopping: None,
            aborted: None,
            rollback: None,
            ended: None,
            outputs: Map::new(),
            counts: BTreeMap::new(),
            stops: 0,
            ticks: 0,
        };
        state.add_frame(plan, 0, None);
        state
    }

    /// The node of that id.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.at()]
    }

    /// Every node with its id.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (0..).map(NodeId).zip(&self.nodes)
    }

    /// How many nodes are in `state`.
    #[must_use]
    pub fn count(&self, state: StepState) -> u32 {
        self.counts.get(&state).copied().unwrap_or(0)
    }

    /// Whether what needs this node may start.
    #[must_use]
    pub fn is_met(&self, plan: &Plan, id: NodeId) -> bool {
        let node = self.node(id);
        match node.state {
            StepState::Succeeded | StepState::NotApplicable | StepState::Skipped => true,
            StepState::Failed => !self.failure_counts(plan, node.step),
            _ => false,
        }
    }

    /// Whether a failure of the step is in the way of anything. Never in a dry run, which walks on,
    /// and never for notices that repeat and steps beside the way of success.
    fn failure_counts(&self, plan: &Plan, index: StepIndex) -> bool {
        let step = plan.step(index);
        crate::plan::is_main(step) && plan.on_failure(index) != OnFailure::Continue && self.mode() == Mode::Real
    }

    /// Whether the run changes the world.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.started.as_ref().map_or(Mode::Real, |started| started.mode)
    }

    /// Whether the node stands for its instances.
    #[must_use]
    pub fn is_group(&self, plan: &Plan, id: NodeId) -> bool {
        let node = self.node(id);
        let step = plan.step(node.step);
        node.parent.is_none() && (step.for_each.is_some() || step.repeat.is_some() || step.run_if == RunIf::Failure)
    }

    /// Whether the node stands for others: for its instances, or for the steps of a runbook that it calls.
    #[must_use]
    pub fn stands_for_others(&self, plan: &Plan, id: NodeId) -> bool {
        self.is_group(plan, id) || self.calls.contains_key(&id)
    }

    /// Whether a failure keeps everything new from starting.
    #[must_use]
    pub fn is_stopped_by_failure(&self) -> bool {
        self.stops > 0
    }

    /// Whether a person has to do something about a step before the run can end well.
    #[must_use]
    pub fn is_troubled(&self, plan: &Plan) -> bool {
        self.count(StepState::InDoubt) > 0
            || self.count(StepState::RollbackFailed) > 0
            || (self.count(StepState::Failed) > 0
                && self.iter().any(|(id, node)| node.state == StepState::Failed && !self.is_met(plan, id)))
    }

    /// The state of the run as a whole.
    #[must_use]
    pub fn run_state(&self, plan: &Plan) -> RunState {
        if let Some(ended) = self.ended {
            return ended;
        }
        if self.stopping.is_none() && self.is_active() {
            RunState::Running
        } else if self.count(StepState::InDoubt) > 0 {
            RunState::InDoubt
        } else if self.is_troubled(plan) || self.stopping.is_some() {
            RunState::Paused
        } else if self.count(StepState::AwaitingApproval) + self.count(StepState::AwaitingPerson) > 0 {
            RunState::AwaitingApproval
        } else {
            RunState::Running
        }
    }

    /// Whether an attempt or a look at the world is under way, or will be by itself.
    #[must_use]
    pub fn is_active(&self) -> bool {
        let active = [StepState::Running, StepState::Verifying, StepState::RollingBack, StepState::RetryWait];
        active.iter().any(|state| self.count(*state) > 0)
    }

    /// Takes in one record.
    ///
    /// # Errors
    /// The event does not fit the state: the journal and the plan do not belong together.
    pub fn apply(&mut self, plan: &Plan, at: Timestamp, event: &Event) -> Result<(), Illegal> {
        // What is delivered later does not make the run longer.
        if self.ended.is_none() {
            self.last_at = self.last_at.max(at);
        }
        self.ticks += 1;
        match event {
            Event::RunStarted(started) => {
                self.started_at = at;
                self.started = Some(Arc::new((**started).clone()));
            }
            Event::RunResumed { .. } => self.resume(),
            Event::PlanChanged(_) | Event::ExecutorLeft { .. } => {}
            Event::DecisionRefused { id, .. } => drop(self.decisions.insert(id.clone())),
            Event::Paused { number, .. } => self.pauses = (*number, true),
            Event::Continued {} => self.pauses.1 = false,
            Event::Stopping { reason } => self.stopping = Some(reason.clone()),
            Event::RunEnded { state, outputs } => {
                self.outputs.clone_from(outputs);
                self.end(plan, at, *state);
            }
            Event::Expanded { step, instances } => self.expand(plan, step, instances)?,
            Event::Repeated { step, number } => self.repeat(plan, step, *number)?,
            Event::RollbackStarted { reason, steps, kept } => {
                let order = steps.iter().map(|path| self.want(plan, path)).collect::<Result<_, _>>()?;
                self.rollback = Some(Rollback { reason: reason.clone(), order, kept: kept.clone() });
            }
            Event::Decided(decided) => self.decide(plan, at, decided)?,
            other => {
                let Some(path) = other.step() else { return Ok(()) };
                let id = self.want(plan, path)?;
                self.change(plan, at, id, other)?;
                if let Event::Called { inputs, unknown, .. } = other {
                    self.begin_frame(plan, id, inputs, unknown);
                }
            }
        }
        Ok(())
    }

    /// The process that ran these attempts is gone: nobody knows how they ended.
    fn resume(&mut self) {
        self.stopping = None;
        for node in self.nodes.iter_mut().filter(|node| node.attempt > 0) {
            let waits = node.more.as_ref().is_some_and(|more| more.retry_at.is_some());
            if matches!(node.state, StepState::Running | StepState::RollingBack) && !waits {
                node.more().interrupted.get_or_insert_default();
            }
        }
    }

    fn want(&self, plan: &Plan, path: &NodePath) -> Result<NodeId, Illegal> {
        self.find(plan, &path.0)
            .ok_or_else(|| Illegal { step: path.clone(), what: "names no step of the plan".to_owned() })
    }

    fn decide(&mut self, plan: &Plan, at: Timestamp, decided: &Decided) -> Result<(), Illegal> {
        self.decisions.insert(decided.id.clone());
        let Some(path) = &decided.step else {
            let why = decided.reason.clone().unwrap_or_default();
            self.aborted = Some(format!("{}: {why}", decided.person.name));
            return Ok(());
        };
        let id = self.want(plan, path)?;
        self.change(plan, at, id, &Event::Decided(Box::new(decided.clone())))
    }

    fn change(&mut self, plan: &Plan, at: Timestamp, id: NodeId, event: &Event) -> Result<(), Illegal> {
        let before = self.node(id).state;
        let has_verify = plan.step(self.node(id).step).verify.is_some();
        let Change { state, restart } = transition(self.node(id), has_verify, event)?;
        let node = &mut self.nodes[id.at()];
        node.note_event(event);
        if restart {
            node.attempts_before = node.attempt;
        }
        if matches!(event, Event::Intent(_) | Event::Called { .. }) {
            node.started.get_or_insert(at);
            node.began = Some(at);
        }
        self.set(plan, at, id, before, state);
        Ok(())
    }

    /// Every change of a node's state goes through here, so that the counts agree.
    pub(super) fn set(&mut self, plan: &Plan, at: Timestamp, id: NodeId, before: StepState, state: StepState) {
        let node = &mut self.nodes[id.at()];
        node.state = state;
        if state.is_active() {
            node.ended = None;
        } else if state != before {
            node.ended = Some(at);
            node.ended_tick = self.ticks;
        }
        // A step that stands for others does not run itself.
        let stands = self.stands_for_others(plan, id);
        let counts = |state: StepState| u32::from(!(stands && state == StepState::Running));
        *self.counts.entry(before).or_default() -= counts(before);
        *self.counts.entry(state).or_default() += counts(state);
        let stops = |state: StepState| u32::from(state == StepState::Failed);
        let step = self.node(id).step;
        let asks = plan.on_failure(step) == OnFailure::Ask;
        if self.failure_counts(plan, step) && !asks {
            self.stops = self.stops + stops(state) - stops(before);
        }
        if matches!(state, StepState::NotApplicable | StepState::Skipped) {
            self.leave_out(plan, at, id);
        }
        if let Some(parent) = self.node(id).parent {
            self.lift(plan, at, parent);
        }
    }

    /// Nodes that were added are pending.
    pub(super) fn count_new(&mut self, count: usize) {
        *self.counts.entry(StepState::Pending).or_default() += u32::try_from(count).unwrap_or(u32::MAX);
    }

    /// The state of a `for_each` step follows from its instances. Steps that repeat end by their own record.
    fn lift(&mut self, plan: &Plan, at: Timestamp, group: NodeId) {
        let before = self.node(group).state;
        let children = self.children.get(&group).map(Vec::as_slice).unwrap_or_default();
        let is_for_each = plan.step(self.node(group).step).for_each.is_some();
        let state = if is_for_each && children.iter().all(|child| self.is_met(plan, *child)) {
            StepState::Succeeded
        } else if children.iter().any(|child| self.node(*child).started.is_some()) {
            StepState::Running
        } else {
            before
        };
        if state == before {
            return;
        }
        if state == StepState::Succeeded {
            let outputs = children.iter().filter_map(|child| {
                let node = self.node(*child);
                let values = node.outputs.values().map(|values| (**values).clone()).unwrap_or_default();
                Some((node.key()?.to_owned(), Value::Object(values)))
            });
            let outputs: Map<String, Value> = outputs.collect();
            let unknown = children.iter().any(|child| self.node(*child).outputs == Outputs::Unknown);
            self.nodes[group.at()].outputs = if unknown { Outputs::Unknown } else { Outputs::of(outputs) };
        }
        let started = self.nodes[group.at()].started;
        self.nodes[group.at()].started = started.or(Some(at));
        self.set(plan, at, group, before, state);
    }

    pub(super) fn expand(&mut self, plan: &Plan, step: &NodePath, instances: &[Instance]) -> Result<(), Illegal> {
        let parent = self.want(plan, step)?;
        for instance in instances {
            let path = NodePath(format!("{step}[{}]", instance.key).into());
            let child = self.add_child(parent, path, Some(Arc::new(instance.item.clone())));
            if let Some(part) = plan.called(self.node(child).step) {
                self.add_frame(plan, part, Some(child));
            }
        }
        Ok(())
    }

    fn repeat(&mut self, plan: &Plan, step: &NodePath, number: u32) -> Result<(), Illegal> {
        let parent = self.want(plan, step)?;
        self.add_child(parent, NodePath(format!("{step}[{number}]").into()), None);
        Ok(())
    }

    fn add_child(&mut self, parent: NodeId, path: NodePath, item: Option<Arc<Value>>) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let Node { step, frame, .. } = *self.node(parent);
        self.nodes.push(Node { parent: Some(parent), frame, item, ..Node::new(step, path) });
        self.children.entry(parent).or_default().push(id);
        self.count_new(1);
        id
    }

    /// What never started is cancelled; what only failures or doubts would have started is not applicable.
    fn end(&mut self, plan: &Plan, at: Timestamp, state: RunState) {
        self.ended = Some(state);
        let well = matches!(state, RunState::Succeeded | RunState::CompletedWithExceptions);
        for id in (0..).map(NodeId).take(self.nodes.len()) {
            let before = self.node(id).state;
            let group = self.is_group(plan, id);
            let after = match before {
                StepState::Running if group => StepState::Succeeded,
                StepState::Running | StepState::Succeeded if self.was_undone(plan, id) => StepState::RolledBack,
                StepState::Running if self.called(id).is_some() => StepState::Cancelled,
                StepState::Pending if group || well => StepState::NotApplicable,
                StepState::Pending | StepState::AwaitingApproval | StepState::AwaitingPerson | StepState::RetryWait => {
                    StepState::Cancelled
                }
                _ => continue,
            };
            self.set(plan, at, id, before, after);
        }
    }
}
