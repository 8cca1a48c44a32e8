//! The machine: takes what happens, says what to do.
//!
//! Holds no rule itself: starting is in `start`, gates in `gate` and `escalation`, ends in `finish`, undoing in `undo`,
//! taking up in `recover`. Here is what they share: the journal's order, the ready queues, the timers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::sync::Arc;

use super::event::{Event, NodePath, RunState, StepState};
use super::gate_preview::Looks;
use super::job::{Answer, Effect, Input, JobId, Seq};
use super::scope::NodeScope;
use super::state::{Node, NodeId, State};
use super::transition::Illegal;
use crate::catalogue::Timestamp;
use crate::plan::{Plan, StepIndex, is_main};
use crate::runbook::ast::{Phase, RunIf};

/// What a run is given besides its plan.
pub struct Options {
    /// How many jobs run at a time.
    pub parallel: usize,
    /// Randomness, from 0 to 1.
    pub jitter: Box<dyn FnMut() -> f64 + Send>,
    /// A mistake, for the test that has to find it.
    #[cfg(feature = "mutants")]
    pub blind_retry: bool,
}

/// A moment a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Gate(NodeId),
    Retry(NodeId),
    Repeat(NodeId),
}

/// How far a frame has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Way {
    /// Main steps of each phase that are not met.
    open: [u32; 4],
    /// How many phases were opened.
    opened: usize,
}

impl Way {
    /// Whether all its main steps are met.
    pub(super) fn is_over(&self) -> bool {
        self.open.iter().all(|open| *open == 0)
    }
}

/// The engine of one run.
pub struct Machine {
    pub(super) plan: Arc<Plan>,
    pub(super) state: State,
    pub(super) options: Options,
    pub(super) now: Timestamp,
    seq: Seq,
    /// The last durable record and its hash; see [`Machine::know_head`].
    head: String,
    pub(super) effects: Vec<Effect>,
    /// Steps of the way of success that may begin.
    pub(super) ready: VecDeque<NodeId>,
    /// Steps that begin whatever has failed.
    pub(super) exempt: VecDeque<NodeId>,
    /// Jobs under way.
    pub(super) jobs: BTreeSet<JobId>,
    /// Calls to gates under way. They take no job's place, and keep no step from being decided about.
    pub(super) calls: BTreeSet<JobId>,
    /// What is read for gates that are about to open.
    pub(super) looks: BTreeMap<NodeId, Looks>,
    /// Instances of each `for_each` step that have not begun.
    pub(super) waiting: BTreeMap<NodeId, VecDeque<NodeId>>,
    pub(super) timers: BinaryHeap<Reverse<(Timestamp, Timer)>>,
    /// Needs of each node that are not met.
    unmet: Vec<u32>,
    /// Nodes that were met once: what depends on them has been told.
    met: Vec<bool>,
    /// How far each frame has come.
    pub(super) ways: Vec<Way>,
    /// Whether the steps that run at the end have been let go.
    pub(super) closing: bool,
    /// Steps after a write that a dry run did not send.
    pub(super) after_unsent_write: BTreeSet<StepIndex>,
}

impl Machine {
    /// A machine for a new run, or, with the folded state of its journal, for one that is taken up.
    #[must_use]
    pub fn new(plan: Arc<Plan>, state: State, seq: Seq, options: Options) -> Self {
        let mut machine = Self {
            now: state.last_at,
            options,
            seq,
            head: String::new(),
            effects: Vec::new(),
            ready: VecDeque::new(),
            exempt: VecDeque::new(),
            jobs: BTreeSet::new(),
            calls: BTreeSet::new(),
            looks: BTreeMap::new(),
            waiting: BTreeMap::new(),
            timers: BinaryHeap::new(),
            unmet: Vec::new(),
            met: Vec::new(),
            ways: Vec::new(),
            closing: false,
            after_unsent_write: BTreeSet::new(),
            state,
            plan,
        };
        machine.count_new();
        for id in (0..).map(NodeId).take(machine.state.nodes.len()) {
            machine.tell(id);
        }
        machine
    }

    /// The state of the run.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Tells which record is durable by now, with the hash that vouches for all before: what notices can carry as
    /// `run.head`. The machine decides nothing by it.
    pub fn know_head(&mut self, head: String) {
        self.head = head;
    }

    /// When the machine next wants [`Input::Time`].
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.timers.peek().map(|Reverse((at, _))| *at)
    }

    /// Whether no job and no call is under way.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.jobs.is_empty() && self.calls.is_empty()
    }

    /// Whether only a person can bring the run on.
    #[must_use]
    pub fn waits_for_people(&self) -> bool {
        self.is_quiet()
            && self.state.ended.is_none()
            && (self.state.stopping.is_some() || self.state.count(StepState::RetryWait) == 0)
    }

    /// Takes one input; the effects, in order.
    ///
    /// # Errors
    /// The journal and the plan do not belong together; nothing was changed since the last good record.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Result<Vec<Effect>, Illegal> {
        self.now = self.now.max(now);
        match input {
            Input::Start(started) => self.emit(Event::RunStarted(started))?,
            Input::Resume(operator) => self.resume(operator)?,
            Input::Adopt(changed) => self.adopt(changed)?,
            Input::Done { job, answer } => self.done(job, answer)?,
            Input::Handle { job, handle, token } => self.keep_handle(job, handle, token)?,
            Input::Decide(decided) => self.decide(*decided)?,
            // Only here: what people decided before a moment came is given before it.
            Input::Time => self.ring()?,
            Input::Stop(reason) => self.emit(Event::Stopping { reason })?,
            Input::CancelRunning => self.cancel_running(),
            Input::Leave => {
                let state = self.state.run_state(&self.plan);
                self.emit(Event::ExecutorLeft { state })?;
                // Nobody would see the end of what starts now.
                return Ok(std::mem::take(&mut self.effects));
            }
        }
        self.settle()?;
        Ok(std::mem::take(&mut self.effects))
    }

    /// Starts whatever may start, until nothing more can.
    fn settle(&mut self) -> Result<(), Illegal> {
        if self.state.ended.is_some() || self.state.started.is_none() {
            return Ok(());
        }
        loop {
            self.return_calls()?;
            self.open_phases();
            self.judge_pause()?;
            self.drive_undo()?;
            if !self.begin_next()? && !self.close()? {
                return Ok(());
            }
        }
    }

    /// Journals an event and folds it in; what it met is told to those who wait for it.
    pub(super) fn emit(&mut self, event: Event) -> Result<(), Illegal> {
        let touched = event.step().and_then(|path| self.state.find(&self.plan, &path.0));
        self.state.apply(&self.plan, self.now, &event)?;
        self.seq = Seq(self.seq.0 + 1);
        self.effects.push(Effect::Append { seq: self.seq, at: self.now, event });
        self.count_new();
        if let Some(node) = touched {
            let step = self.state.node(node).parent.unwrap_or(node);
            self.tell(step);
        }
        Ok(())
    }

    /// The number of the last record.
    pub(super) fn last(&self) -> Seq {
        self.seq
    }

    pub(super) fn path(&self, node: NodeId) -> NodePath {
        self.state.node(node).path.clone()
    }

    pub(super) fn scope(&self, node: NodeId) -> NodeScope<'_> {
        let about = self.state.node(node);
        // What is read again of an attempt under way is read as it was: a notice found half sent keeps its time.
        let under_way = about.state.is_active() || about.state == StepState::InDoubt;
        let now = about.began.filter(|_| under_way).unwrap_or(self.now);
        NodeScope::of(&self.plan, &self.state, node).at(now).resting_on(&self.head)
    }

    /// Counts what is not met of nodes that are new.
    fn count_new(&mut self) {
        for node in self.state.nodes.iter().skip(self.unmet.len()) {
            // Only steps wait for needs; their instances begin with them.
            let needs = if node.parent.is_none() { self.plan.graph.needs(node.step).len() } else { 0 };
            self.unmet.push(u32::try_from(needs).unwrap_or(u32::MAX));
            self.met.push(false);
        }
        for frame in self.state.frames.iter().skip(self.ways.len()) {
            let mut way = Way::default();
            for step in self.plan.parts[frame.part].steps().iter().filter(|step| is_main(step)) {
                way.open[step.phase as usize] += 1;
            }
            self.ways.push(way);
        }
    }

    fn may_be_ready(&self, node: NodeId) -> bool {
        let Node { step, frame, .. } = *self.state.node(node);
        let opened = self.ways[frame.at()].opened;
        let is_open = match self.plan.step(step).phase {
            Phase::Communication => !self.plan.graph.needs(step).is_empty() || opened > 3,
            phase => (phase as usize) < opened,
        };
        is_open && self.unmet[node.at()] == 0 && self.state.frame(frame).begun
    }

    pub(super) fn enqueue(&mut self, node: NodeId) {
        let step = self.plan.step(self.state.node(node).step);
        if is_main(step) { self.ready.push_back(node) } else { self.exempt.push_back(node) }
    }

    /// Tells a step's dependents that it is met, once.
    fn tell(&mut self, node: NodeId) {
        let Node { step: index, frame, parent, .. } = *self.state.node(node);
        if parent.is_some() || self.met[node.at()] || !self.state.is_met(&self.plan, node) {
            return;
        }
        self.met[node.at()] = true;
        let plan = Arc::clone(&self.plan);
        let step = plan.step(index);
        if is_main(step) {
            self.ways[frame.at()].open[step.phase as usize] -= 1;
        }
        for dependent in plan.graph.dependents(index) {
            let id = self.state.peer(&plan, node, *dependent);
            self.unmet[id.at()] -= 1;
            let main = plan.step(*dependent).run_if == RunIf::Success;
            if main && self.may_be_ready(id) && self.state.node(id).state == StepState::Pending {
                self.enqueue(id);
            }
        }
    }

    /// Opens the first phase of what has begun, and the next one once all of one is met. Empty phases are transparent.
    fn open_phases(&mut self) {
        for at in 0..self.ways.len() {
            while let Way { open, opened: opened @ 0..4 } = self.ways[at]
                && self.state.frames[at].begun
                && (opened == 0 || open[opened - 1] == 0)
            {
                self.ways[at].opened += 1;
                self.open_phase(at, opened);
            }
        }
    }

    fn open_phase(&mut self, frame: usize, phase: usize) {
        let plan = Arc::clone(&self.plan);
        let queued: BTreeSet<NodeId> = self.ready.iter().copied().collect();
        for id in self.state.frames[frame].nodes(&plan) {
            let node = self.state.node(id);
            let step = plan.step(node.step);
            let opened = step.phase as usize == phase && step.run_if == RunIf::Success;
            // A communication step with needs was told by them.
            let told = step.phase == Phase::Communication && !plan.graph.needs(node.step).is_empty();
            let pending = node.state == StepState::Pending;
            if opened && !told && pending && self.unmet[id.at()] == 0 && !queued.contains(&id) {
                self.enqueue(id);
            }
        }
    }

    pub(super) fn all_main_met(&self) -> bool {
        self.ways.first().is_some_and(Way::is_over)
    }

    /// Lets ready steps begin while there is room; whether anything changed.
    fn begin_next(&mut self) -> Result<bool, Illegal> {
        if self.state.stopping.is_some() {
            return Ok(false);
        }
        let records = self.last();
        self.begin_exempt()?;
        self.begin_instances()?;
        let blocked =
            self.state.is_stopped_by_failure() || self.state.aborted.is_some() || self.state.rollback.is_some();
        while !blocked && self.jobs.len() < self.options.parallel {
            let Some(node) = self.ready.pop_front() else { break };
            self.begin(node)?;
            if self.state.is_stopped_by_failure() {
                break;
            }
        }
        // Those of a step whose gate has just been passed.
        self.begin_instances()?;
        Ok(self.last() != records)
    }

    /// Whether the run is in need of a person, said once when it begins and once when it is over.
    fn judge_pause(&mut self) -> Result<(), Illegal> {
        let (number, paused) = self.state.pauses;
        let given_up = self.state.aborted.is_some();
        let troubled = self.state.is_troubled(&self.plan) || given_up;
        if troubled && !paused {
            let reason = self.trouble();
            self.pause(number + 1, reason)?;
        } else if !troubled && paused {
            self.emit(Event::Continued {})?;
        }
        Ok(())
    }

    /// One more pause: the `run_if: failure` steps run once for it.
    pub(super) fn pause(&mut self, number: u32, reason: String) -> Result<(), Illegal> {
        self.emit(Event::Paused { number, reason })?;
        let plan = Arc::clone(&self.plan);
        let order = plan.graph.order().unwrap_or_default();
        for index in order.into_iter().filter(|index| plan.step(*index).run_if == RunIf::Failure) {
            for node in self.begun_nodes_of(index) {
                self.repeat_step(node)?;
            }
        }
        Ok(())
    }

    /// The nodes of that step whose runbook has begun.
    pub(super) fn begun_nodes_of(&self, step: StepIndex) -> Vec<NodeId> {
        let begun = |node: &NodeId| self.state.frame(self.state.node(*node).frame).begun;
        self.state.nodes_of(&self.plan, step).filter(begun).collect()
    }

    fn trouble(&self) -> String {
        if let Some(who) = &self.state.aborted {
            return format!("aborted by {who}");
        }
        let troubled = |state| matches!(state, StepState::InDoubt | StepState::RollbackFailed | StepState::Failed);
        let node = self.state.iter().find(|(id, node)| troubled(node.state) && !self.state.is_met(&self.plan, *id));
        node.map_or_else(String::new, |(_, node)| format!("`{}` is {}", node.path, node.state.words()))
    }

    /// Ends the run once all is done, after the steps that run at the end.
    fn close(&mut self) -> Result<bool, Illegal> {
        let Some(state) = self.closing_state() else {
            return Ok(false);
        };
        let records = self.last();
        if !self.closing {
            self.closing = true;
            self.end_repetitions()?;
            let plan = Arc::clone(&self.plan);
            for (index, _) in plan.steps().filter(|(_, step)| step.run_if == RunIf::Always) {
                self.exempt.extend(self.begun_nodes_of(index));
            }
            return Ok(true);
        }
        if self.exempt.is_empty() && self.is_quiet() && self.nothing_waits() && self.state.stopping.is_none() {
            self.emit(Event::RunEnded { state, outputs: self.run_outputs() })?;
            self.effects.push(Effect::Ended { state, after: self.last() });
        }
        Ok(self.last() != records && self.state.ended.is_none())
    }

    fn nothing_waits(&self) -> bool {
        let waiting =
            [StepState::AwaitingApproval, StepState::AwaitingPerson, StepState::RetryWait, StepState::InDoubt];
        self.state.ended.is_none()
            && (self.state.aborted.is_some()
                || self.state.rollback.is_some()
                || waiting.iter().all(|state| self.state.count(*state) == 0))
    }

    /// How the run would end now; nothing while it cannot.
    fn closing_state(&self) -> Option<RunState> {
        if !self.is_quiet() {
            return None;
        }
        if self.state.aborted.is_some() || self.state.rollback.is_some() {
            let state = if self.state.aborted.is_some() { RunState::Aborted } else { RunState::Failed };
            return self.is_undone().then_some(state);
        }
        if !self.all_main_met() || self.state.is_troubled(&self.plan) {
            return None;
        }
        let exception =
            |state: StepState, overridden: bool| overridden || matches!(state, StepState::Skipped | StepState::Failed);
        let excepted = self.state.nodes.iter().any(|node| exception(node.state, node.overridden().is_some()));
        Some(if excepted { RunState::CompletedWithExceptions } else { RunState::Succeeded })
    }

    /// Handles the moments that have come.
    fn ring(&mut self) -> Result<(), Illegal> {
        while let Some(Reverse((at, timer))) = self.timers.peek().copied()
            && at <= self.now
            && self.state.ended.is_none()
        {
            self.timers.pop();
            match timer {
                Timer::Gate(node) => self.gate_time_over(node)?,
                Timer::Retry(node) => self.retry_now(node)?,
                Timer::Repeat(node) => self.repeat_due(node)?,
            }
        }
        Ok(())
    }

    pub(super) fn wake_at(&mut self, at: Timestamp, timer: Timer) {
        self.timers.push(Reverse((at, timer)));
    }

    fn done(&mut self, job: JobId, answer: Answer) -> Result<(), Illegal> {
        if self.calls.remove(&job) {
            return self.call_ended(job, answer);
        }
        if !self.jobs.remove(&job) {
            return Ok(());
        }
        self.finish(job, answer)
    }

    /// Running steps are cancelled; each ends by its own answer.
    pub(super) fn cancel_running(&mut self) {
        let nodes: BTreeSet<NodeId> = self.jobs.iter().chain(&self.calls).map(|job| job.node).collect();
        self.effects.extend(nodes.into_iter().map(Effect::Cancel));
    }
}
