//! The state of a run: a fold over the records of its journal.
//!
//! [`State::apply`] is the only way it changes, live, on recovery and in every viewer. It knows
//! what happened, never what to do next: that is the machine's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::event::{
    Decided, Event, GateOpened, Instance, Mode, NodePath, Outputs, RunStarted, RunState, Side, StepState,
};
use super::transition::{Change, Illegal, transition};
use crate::catalogue::Timestamp;
use crate::plan::{Plan, StepIndex};
use crate::runbook::ast::{OnFailure, RunIf};

/// A step, or one instance of it, within a run. The first nodes are the steps, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    /// As an index into [`State::nodes`].
    #[must_use]
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// What is known of a node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its step.
    pub step: StepIndex,
    /// The step it is an instance of.
    pub parent: Option<NodeId>,
    /// What people type.
    pub path: NodePath,
    /// What `item` is in it.
    pub item: Option<Arc<Value>>,
    /// Its state.
    pub state: StepState,
    /// How many attempts were begun on the current side.
    pub attempt: u32,
    /// Attempts before this count do not count against `retry`: a person or a look at the world began anew.
    pub attempts_before: u32,
    /// What it gave back.
    pub outputs: Outputs,
    /// When its first attempt began.
    pub started: Option<Timestamp>,
    /// When its last attempt began.
    pub began: Option<Timestamp>,
    /// When it reached a state it stays in.
    pub ended: Option<Timestamp>,
    /// The place of that moment among all records: orders what ended within one millisecond.
    pub ended_tick: u32,
    /// One line for people on how it ended. Most nodes have one, and little else of [`More`].
    pub note: Box<str>,
    /// What most nodes have not.
    pub more: Option<Box<More>>,
}

/// The less common facts about a node.
#[derive(Clone, Debug, Default)]
pub struct More {
    /// Its gate.
    pub gate: Option<Gate>,
    /// What a manual step asks, and the answers wanted.
    pub asked: Option<(String, Vec<(String, String)>)>,
    /// How to find the current attempt again.
    pub handle: Option<Value>,
    /// The last handle of the attempts before, on this side.
    pub previous: Option<Value>,
    /// Why it is in its state, where there is a reason to give.
    pub reason: Option<String>,
    /// A person's word stands in for what was not seen: whose, and why.
    pub overridden: Option<String>,
    /// The current attempt has no outcome: what is known, and which looks were taken.
    pub interrupted: Option<Interrupted>,
    /// Which side it is on.
    pub side: Side,
    /// When a failed attempt is tried again.
    pub retry_at: Option<Timestamp>,
    /// What a dry run can say of it.
    pub label: Option<super::event::Label>,
    /// It found its work done.
    pub already: bool,
    /// What the last look at the world said of the current attempt.
    pub sight: Option<super::event::Sight>,
}

impl More {
    /// The attempt is over: what it left is for the attempts after it.
    pub(super) fn put_handle_by(&mut self) {
        self.previous = self.handle.take().or_else(|| self.previous.take());
    }
}

/// An attempt without an outcome, and what has been looked at since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interrupted {
    /// What is known.
    pub evidence: String,
    /// Its handle was followed, or there is none to follow any more.
    pub attached: bool,
    /// The world was looked at and did not tell.
    pub observed: bool,
    /// `verify` was asked and did not hold.
    pub verified: bool,
}

/// An open or closed gate.
#[derive(Clone, Debug)]
pub struct Gate {
    /// What was asked.
    pub opened: GateOpened,
    /// Who approved.
    pub votes: Vec<String>,
    /// Roles asked since its time was over.
    pub escalated: Option<Vec<String>>,
    /// Enough people approved.
    pub approved: bool,
}

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
        let nodes: Vec<Node> =
            plan.steps().map(|(index, step)| Node::new(index, NodePath(step.id.value.as_str().into()))).collect();
        let pending = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
        Self {
            nodes,
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
            counts: BTreeMap::from([(StepState::Pending, pending)]),
            stops: 0,
            ticks: 0,
        }
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

    /// The node people call `path`.
    #[must_use]
    pub fn find(&self, plan: &Plan, path: &str) -> Option<NodeId> {
        let id = path.split('[').next().unwrap_or(path);
        let step = NodeId(plan.find(id)?.0);
        if id.len() == path.len() {
            return Some(step);
        }
        self.children.get(&step)?.iter().copied().find(|child| &*self.node(*child).path.0 == path)
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
    fn failure_counts(&self, plan: &Plan, step: StepIndex) -> bool {
        let step = plan.step(step);
        crate::plan::is_main(step)
            && step.on_failure(&plan.runbook.defaults) != OnFailure::Continue
            && self.mode() == Mode::Real
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
        self.last_at = self.last_at.max(at);
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
            Event::RunEnded { state } => self.end(plan, at, *state),
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
                node.more().interrupted.get_or_insert_with(|| Interrupted {
                    evidence: "drctl stopped while it ran".to_owned(),
                    ..Interrupted::default()
                });
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
        if matches!(event, Event::Intent(_)) {
            node.started.get_or_insert(at);
            node.began = Some(at);
        }
        self.set(plan, at, id, before, state);
        Ok(())
    }

    /// Every change of a node's state goes through here, so that the counts agree.
    fn set(&mut self, plan: &Plan, at: Timestamp, id: NodeId, before: StepState, state: StepState) {
        let node = &mut self.nodes[id.at()];
        node.state = state;
        if state.is_active() {
            node.ended = None;
        } else if state != before {
            node.ended = Some(at);
            node.ended_tick = self.ticks;
        }
        // A step that stands for its instances does not run itself.
        let group = self.is_group(plan, id);
        let counts = |state: StepState| u32::from(!(group && state == StepState::Running));
        *self.counts.entry(before).or_default() -= counts(before);
        *self.counts.entry(state).or_default() += counts(state);
        let stops = |state: StepState| u32::from(state == StepState::Failed);
        let step = self.node(id).step;
        let asks = plan.step(step).on_failure(&plan.runbook.defaults) == OnFailure::Ask;
        if self.failure_counts(plan, step) && !asks {
            self.stops = self.stops + stops(state) - stops(before);
        }
        if let Some(parent) = self.node(id).parent {
            self.lift(plan, at, parent);
        }
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

    fn expand(&mut self, plan: &Plan, step: &NodePath, instances: &[Instance]) -> Result<(), Illegal> {
        let parent = self.want(plan, step)?;
        for instance in instances {
            let path = NodePath(format!("{step}[{}]", instance.key).into());
            self.add_child(parent, path, Some(Arc::new(instance.item.clone())));
        }
        Ok(())
    }

    fn repeat(&mut self, plan: &Plan, step: &NodePath, number: u32) -> Result<(), Illegal> {
        let parent = self.want(plan, step)?;
        self.add_child(parent, NodePath(format!("{step}[{number}]").into()), None);
        Ok(())
    }

    fn add_child(&mut self, parent: NodeId, path: NodePath, item: Option<Arc<Value>>) {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let step = self.node(parent).step;
        self.nodes.push(Node { parent: Some(parent), item, ..Node::new(step, path) });
        self.children.entry(parent).or_default().push(id);
        *self.counts.entry(StepState::Pending).or_default() += 1;
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

impl Node {
    pub(super) fn new(step: StepIndex, path: NodePath) -> Self {
        Self {
            step,
            parent: None,
            path,
            item: None,
            state: StepState::Pending,
            attempt: 0,
            attempts_before: 0,
            outputs: Outputs::None,
            started: None,
            began: None,
            ended: None,
            ended_tick: 0,
            note: Box::default(),
            more: None,
        }
    }

    /// The key of an instance: what stands in its brackets.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.parent?;
        self.path.0.split_once('[').and_then(|(_, key)| key.strip_suffix(']'))
    }

    /// The less common facts; made on first use.
    pub(super) fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// Its gate.
    #[must_use]
    pub fn gate(&self) -> Option<&Gate> {
        self.more.as_ref()?.gate.as_ref()
    }

    /// Why it is in its state.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.more.as_ref()?.reason.as_deref()
    }

    /// Whose word stands in for what was not seen.
    #[must_use]
    pub fn overridden(&self) -> Option<&str> {
        self.more.as_ref()?.overridden.as_deref()
    }

    /// The attempt without an outcome.
    #[must_use]
    pub fn interrupted(&self) -> Option<&Interrupted> {
        self.more.as_ref()?.interrupted.as_ref()
    }

    /// How to find the current attempt again.
    #[must_use]
    pub fn handle(&self) -> Option<&Value> {
        self.more.as_ref()?.handle.as_ref()
    }

    /// The last handle of the attempts before, on this side.
    #[must_use]
    pub fn previous(&self) -> Option<&Value> {
        self.more.as_ref()?.previous.as_ref()
    }

    /// Which side it is on.
    #[must_use]
    pub fn side(&self) -> Side {
        self.more.as_ref().map_or(Side::Apply, |more| more.side)
    }
}
