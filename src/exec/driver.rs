//! Drives the machine: inputs in, effects out, and nothing before it is durable.
//!
//! One task holds the machine. Jobs, signals, prompts and the inbox send to it; the journal's thread
//! says what is durable. Rules of a run are the machine's; here is only order and patience.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::worker::{Message, Worker};
use crate::edge::clock::Clock;
use crate::engine::{Decided, Effect, Event, Illegal, Input, Job, Machine, RunState, Seq};
use crate::journal::{Durability, Journal, Record, chain_head};

/// How often decisions from other terminals are looked for.
const INBOX_EVERY: Duration = Duration::from_millis(100);

/// What reaches a run from outside its steps.
pub enum Call {
    /// A person decided.
    Decide(Box<Decided>),
    /// A signal, by its number.
    Signal(i32),
    /// The person at the prompt wants to leave the run as it is.
    Leave,
    /// Nobody answers what the run waits for: it is left, unless something else goes on in it.
    NobodyAnswers,
}

/// Where durable records go.
pub trait Sink: Send {
    /// Records that are durable, in order.
    fn records(&mut self, records: Vec<Record<Event>>);
    /// A line for the person at the terminal.
    fn note(&mut self, line: String);
}

/// Where decisions from other terminals come from.
pub trait Inbox: Send {
    /// Decisions that have arrived.
    fn collect(&mut self) -> Vec<Decided>;
    /// The decision with this id is durable in the journal.
    fn acknowledge(&mut self, id: &str);
}

/// Why a run was left.
#[derive(Debug)]
pub enum Left {
    /// It ended, or waits for people.
    State(RunState),
    /// A signal; its number.
    Signal(i32, RunState),
    /// The journal could not be written: why, and the records that are not in it.
    Unwritable(String, Vec<String>),
    /// The journal and the plan do not belong together.
    Illegal(Illegal),
}

/// The parts of a driven run.
pub(super) struct Driver {
    pub(super) machine: Machine,
    pub(super) journal: Box<dyn Journal<Event>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) worker: Arc<Worker>,
    pub(super) sink: Box<dyn Sink>,
    pub(super) inbox: Option<Box<dyn Inbox>>,
    pub(super) messages: mpsc::UnboundedReceiver<Message>,
    pub(super) calls: mpsc::UnboundedReceiver<Call>,
    /// Whether the run stays while it waits for people.
    pub(super) stays: bool,
    pub(super) held: Held,
}

/// What waits until something is durable.
#[derive(Default)]
pub(super) struct Held {
    durable: Seq,
    /// Records up to here are shown at once.
    together: Seq,
    failed: Option<String>,
    records: VecDeque<Record<Event>>,
    jobs: VecDeque<(Seq, Box<Job>)>,
    handles: VecDeque<(Seq, u64)>,
    kept: BTreeMap<u64, oneshot::Sender<()>>,
    tokens: u64,
    signals: Vec<i32>,
    leaving: bool,
    #[cfg(feature = "mutants")]
    mutant: super::mutant::Mutant,
}

impl Held {
    /// Nothing waits; all up to `last` is durable.
    pub(super) fn starting_after(last: Seq) -> Self {
        Self { durable: last, ..Self::default() }
    }
}

impl Driver {
    /// Drives the run until it ends, waits for people, or cannot go on.
    pub(super) async fn drive(mut self, first: Vec<Input>) -> Left {
        let mut durability = self.journal.durability();
        // Before anything begins: a notice that was under way when an earlier drctl ended is rendered at once.
        self.release(&durability);
        if let Err(illegal) = self.begin(first) {
            return Left::Illegal(illegal);
        }
        let mut inbox = tokio::time::interval(INBOX_EVERY);
        loop {
            if let Err(illegal) = self.pass_time() {
                return Left::Illegal(illegal);
            }
            if self.judge().is_some()
                && let Err(illegal) = self.look_into_inbox()
            {
                return Left::Illegal(illegal);
            }
            if let Some(left) = self.judge() {
                return self.leave(left, &mut durability).await;
            }
            let wake = self.machine.next_wake().map(|at| self.clock.now().until(at));
            let clock = Arc::clone(&self.clock);
            let heard = tokio::select! {
                biased;
                changed = durability.changed(), if self.held.failed.is_none() => {
                    if changed.is_err() {
                        self.held.failed = Some("the thread that writes it is gone".to_owned());
                    }
                    self.release(&durability);
                    Ok(())
                }
                Some(message) = self.messages.recv() => self.hear(message),
                Some(call) = self.calls.recv() => match self.called(call) {
                    Ok(Some(left)) => return left,
                    Ok(None) => Ok(()),
                    Err(illegal) => Err(illegal),
                },
                _ = inbox.tick(), if self.inbox.is_some() => self.look_into_inbox(),
                () = clock.sleep(wake.unwrap_or(Duration::MAX)), if wake.is_some() => Ok(()),
            };
            if let Err(illegal) = heard {
                return Left::Illegal(illegal);
            }
        }
    }

    /// Takes the run up, and what people decided meanwhile, before anything of it is shown or asked.
    fn begin(&mut self, first: Vec<Input>) -> Result<(), Illegal> {
        self.held.together = Seq(u64::MAX);
        first.into_iter().try_for_each(|input| self.take(input))?;
        self.look_into_inbox()?;
        self.held.together = self.held.records.back().map_or(Seq(0), |record| record.seq);
        self.let_go();
        Ok(())
    }

    /// Says that time has passed, where something waits for it. What was decided before that is heard first.
    fn pass_time(&mut self) -> Result<(), Illegal> {
        if self.machine.next_wake().is_some_and(|at| at <= self.clock.now()) {
            self.look_into_inbox()?;
            self.take(Input::Time)?;
        }
        Ok(())
    }

    /// Gives an input to the machine and carries out what it answers.
    fn take(&mut self, input: Input) -> Result<(), Illegal> {
        let effects = self.machine.handle(self.clock.now(), input)?;
        let mut records = Vec::new();
        for effect in effects {
            match effect {
                Effect::Append { seq, at, event } => records.push(Record { seq, at, event }),
                Effect::Do { job, after } => self.held.jobs.push_back((after, job)),
                Effect::HandleKept { token, after } => self.held.handles.push_back((after, token)),
                Effect::Cancel(node) => self.worker.cancel(node),
                Effect::Ended { .. } => {}
            }
        }
        #[cfg(feature = "mutants")]
        let records = self.held.mutant.late(records);
        if !records.is_empty() {
            self.held.records.extend(records.iter().cloned());
            self.journal.append(records);
        }
        self.let_go();
        Ok(())
    }

    /// Takes what a job says, and all that has been said meanwhile, so that it shares one write.
    fn hear(&mut self, message: Message) -> Result<(), Illegal> {
        let mut next = Some(message);
        while let Some(message) = next {
            match message {
                Message::Done { job, answer } => self.take(Input::Done { job, answer })?,
                Message::Handle { job, handle, kept } => {
                    self.held.tokens += 1;
                    self.held.kept.insert(self.held.tokens, kept);
                    self.take(Input::Handle { job, handle, token: self.held.tokens })?;
                }
            }
            next = self.messages.try_recv().ok();
        }
        Ok(())
    }

    fn called(&mut self, call: Call) -> Result<Option<Left>, Illegal> {
        match call {
            Call::Decide(decided) => self.take(Input::Decide(decided))?,
            Call::Leave => {
                self.held.leaving = true;
                self.take(Input::Stop("left by the operator".to_owned()))?;
            }
            // What is read for a gate is no step that runs: the gate may open yet, and be answered.
            Call::NobodyAnswers => self.stays &= !self.machine.waits_for_people(),
            Call::Signal(signal) => return self.signalled(signal),
        }
        Ok(None)
    }

    /// First: start nothing new. Second: cancel what runs. Third: leave at once; the journal makes it safe.
    fn signalled(&mut self, signal: i32) -> Result<Option<Left>, Illegal> {
        self.held.signals.push(signal);
        let active = self.active();
        match self.held.signals.len() {
            1 => {
                self.take(Input::Stop(format!("signal {signal}")))?;
                if !active.is_empty() {
                    let still = format!(
                        "stopping: nothing new starts; still running: {}. Ctrl-C again cancels them",
                        active.join(", ")
                    );
                    self.sink.note(still);
                }
            }
            2 => {
                self.sink.note(format!("cancelling: {}. Ctrl-C again leaves at once", active.join(", ")));
                self.take(Input::CancelRunning)?;
            }
            _ => {
                let state = self.machine.state().run_state(self.machine.plan());
                return Ok(Some(Left::Signal(signal, state)));
            }
        }
        Ok(None)
    }

    fn active(&self) -> Vec<String> {
        let state = self.machine.state();
        let leaves =
            state.iter().filter(|(id, node)| node.state.is_active() && !state.is_group(self.machine.plan(), *id));
        leaves.map(|(_, node)| node.path.to_string()).collect()
    }

    fn look_into_inbox(&mut self) -> Result<(), Illegal> {
        let decisions = self.inbox.as_mut().map(|inbox| inbox.collect()).unwrap_or_default();
        for decided in decisions {
            self.take(Input::Decide(Box::new(decided)))?;
        }
        Ok(())
    }

    fn release(&mut self, durability: &watch::Receiver<Durability>) {
        match &*durability.borrow() {
            Durability::UpTo(seq, hash) => {
                self.held.durable = *seq;
                self.machine.know_head(chain_head(*seq, hash));
            }
            Durability::Failed(error) => self.held.failed = Some(error.to_string()),
        }
        self.let_go();
    }

    /// Lets go what waited for what is now durable. After a failed write nothing starts any more.
    fn let_go(&mut self) {
        let durable = self.held.durable;
        let count = self.held.records.partition_point(|record| record.seq <= durable);
        if count > 0 && durable >= self.held.together {
            let records: Vec<Record<Event>> = self.held.records.drain(..count).collect();
            for id in records.iter().filter_map(|record| decision_id(&record.event)) {
                if let Some(inbox) = &mut self.inbox {
                    inbox.acknowledge(id);
                }
            }
            self.sink.records(records);
        }
        if self.held.failed.is_some() {
            self.held.kept.clear();
            return;
        }
        #[cfg(feature = "mutants")]
        let durable = if self.held.mutant.starts_early() { Seq(u64::MAX) } else { durable };
        while self.held.handles.front().is_some_and(|(after, _)| *after <= durable) {
            let Some((_, token)) = self.held.handles.pop_front() else { break };
            if let Some(kept) = self.held.kept.remove(&token) {
                kept.send(()).ok();
            }
        }
        while self.held.jobs.front().is_some_and(|(after, _)| *after <= durable) {
            let Some((_, job)) = self.held.jobs.pop_front() else { break };
            self.worker.start(job);
        }
    }

    /// Whether there is a reason to leave now.
    fn judge(&self) -> Option<Left> {
        if let Some(problem) = &self.held.failed {
            let running = self.worker.running();
            return (running == 0).then(|| Left::Unwritable(problem.clone(), Vec::new()));
        }
        let state = self.machine.state();
        if let Some(ended) = state.ended {
            return Some(Left::State(ended));
        }
        if !self.machine.waits_for_people() {
            return None;
        }
        let now = state.run_state(self.machine.plan());
        match self.held.signals.last() {
            Some(signal) => Some(Left::Signal(*signal, now)),
            None if self.held.leaving || !self.stays => Some(Left::State(now)),
            None => None,
        }
    }

    /// Writes what is left to write.
    async fn leave(mut self, left: Left, durability: &mut watch::Receiver<Durability>) -> Left {
        if matches!(left, Left::State(_) | Left::Signal(..)) && self.machine.state().ended.is_none() {
            self.take(Input::Leave).ok();
        }
        while !self.held.records.is_empty() && self.held.failed.is_none() && durability.changed().await.is_ok() {
            self.release(durability);
        }
        let problem = self.held.failed.clone();
        let Self { journal, .. } = self;
        match problem {
            Some(problem) => Left::Unwritable(problem, journal.unsaved()),
            None => match journal.close() {
                Ok(_) => left,
                Err(error) => Left::Unwritable(error.to_string(), Vec::new()),
            },
        }
    }
}

/// The decision that a record takes or refuses.
fn decision_id(event: &Event) -> Option<&str> {
    match event {
        Event::Decided(decided) => Some(&decided.id),
        Event::DecisionRefused { id, .. } => Some(id),
        _ => None,
    }
}
