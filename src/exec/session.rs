//! One process's part of a run: everything the driver is given, and what becomes of how it was left.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;

use super::driver::{Call, Driver, Held, Inbox, Left, Sink};
use super::metrics::Measured;
use super::run::{Common, exit_of};
use super::worker::Worker;
use super::{decide, signals};
use crate::actions::azure::{Azure, Credentials};
use crate::actions::registry::Registry;
use crate::edge::clock::Clock;
use crate::edge::ids;
use crate::edge::lock::RunLock;
use crate::edge::secrets::Secrets;
use crate::edge::store::RunFolder;
use crate::edge::virtual_clock::ScaledClock;
use crate::engine::event::Event;
use crate::engine::{Input, Machine, Options, Seq, State};
use crate::error::{Error, Exit};
use crate::journal::Journal;
use crate::plan::Plan;
use crate::report::{Reporter, Setup, Survivor, needs};
use crate::sim::stand_in::Stage;

/// One process's part of a run.
pub(super) struct Session<'c> {
    pub(super) common: &'c Common,
    /// The simulated world and its clock, where there is one.
    pub(super) simulated: Option<(Arc<Stage>, Arc<ScaledClock>)>,
    pub(super) registry: Arc<Registry>,
    pub(super) plan: Arc<Plan>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) secrets: Arc<Secrets>,
    pub(super) id: String,
    pub(super) folder: Option<Arc<RunFolder>>,
    pub(super) lock: Option<RunLock>,
    /// What people have to know before it goes on.
    pub(super) notes: Vec<String>,
    /// What still runs of what the process before started.
    pub(super) survivors: Vec<Survivor>,
}

impl Session<'_> {
    pub(super) fn drive(
        &self,
        state: State,
        last: Seq,
        journal: Box<dyn Journal<Event>>,
        first: Vec<Input>,
        before: &[crate::journal::Record<Event>],
    ) -> Result<Exit, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let left = runtime.block_on(self.driven(state, last, journal, first, before))?;
        // A thread that waits for something that never comes must not hold the process.
        runtime.shutdown_background();
        self.judge(left)
    }

    async fn driven(
        &self,
        state: State,
        last: Seq,
        journal: Box<dyn Journal<Event>>,
        first: Vec<Input>,
        before: &[crate::journal::Record<Event>],
    ) -> Result<Left, Error> {
        let (calls, heard) = mpsc::unbounded_channel();
        let (messages, answered) = mpsc::unbounded_channel();
        signals::listen(&calls)?;
        let reporter = self.reporter(&calls);
        reporter.replay(before.to_vec());
        self.notes.iter().for_each(|note| Reporter::note(&reporter, note.as_str()));
        reporter.survivors(self.survivors.clone());
        let http = crate::edge::http::http_client().map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
        let worker = Worker {
            azure: Arc::new(self.azure(&http)),
            registry: Arc::clone(&self.registry),
            http,
            clock: Arc::clone(&self.clock),
            secrets: Arc::clone(&self.secrets),
            workspace: self.common.workspace.clone(),
            folder: self.folder.clone(),
            run: self.id.clone(),
            messages,
            cancels: Mutex::new(BTreeMap::new()),
        };
        #[cfg(feature = "mutants")]
        let blind_retry = super::mutant::retries_blindly();
        let options = Options {
            #[cfg(feature = "mutants")]
            blind_retry,
            parallel: self.common.parallel,
            jitter: Box::new(|| f64::from(ids::random_u32().unwrap_or(0)) / f64::from(u32::MAX)),
        };
        let inbox =
            self.folder.as_ref().map(|folder| -> Box<dyn Inbox> { Box::new(decide::RunInbox::new(folder.inbox())) });
        let sink = self.sink(&reporter, &state, before);
        let driver = Driver {
            machine: Machine::new(Arc::clone(&self.plan), state, last, options),
            journal,
            clock: Arc::clone(&self.clock),
            worker: Arc::new(worker),
            sink,
            inbox,
            messages: answered,
            calls: heard,
            stays: self.common.wait || self.common.interactive,
            held: Held::starting_after(last),
        };
        let left = driver.drive(first).await;
        reporter.finish();
        Ok(left)
    }

    /// Where records go: to the terminal, to the clock of a simulated world, and to monitoring.
    fn sink(&self, reporter: &Arc<Reporter>, state: &State, before: &[crate::journal::Record<Event>]) -> Box<dyn Sink> {
        let sink: Box<dyn Sink> = match &self.simulated {
            Some((stage, clock)) => Box::new(Paced {
                reporter: Arc::clone(reporter),
                stage: Arc::clone(stage),
                clock: Arc::clone(clock),
                plan: Arc::clone(&self.plan),
                state: state.clone(),
            }),
            None => Box::new(Arc::clone(reporter)),
        };
        match &self.common.metrics {
            Some(file) => Box::new(Measured::new(sink, file.clone(), Arc::clone(&self.plan), before.to_vec())),
            None => sink,
        }
    }

    fn azure(&self, http: &reqwest::Client) -> Azure {
        let clock = Arc::clone(&self.clock);
        if let Some((stage, _)) = &self.simulated {
            return Azure::simulated(stage.transport(), clock, &self.id);
        }
        let credentials = Credentials::new(self.plan.workspace.azure.credentials.clone());
        Azure::new(Arc::new(http.clone()), credentials, clock, &self.id)
    }

    /// The task that owns the terminal; what is answered there reaches the driver.
    fn reporter(&self, calls: &mpsc::UnboundedSender<Call>) -> Arc<Reporter> {
        let calls = calls.clone();
        let (operator, clock) = (self.common.operator.clone(), Arc::clone(&self.clock));
        let answer = move |answer| {
            let call = match answer {
                Some(answer) => Call::Decide(Box::new(decide::from_prompt(answer, &operator, clock.now()))),
                None => Call::Leave,
            };
            calls.send(call).ok();
        };
        Arc::new(Reporter::start(Setup {
            plan: Arc::clone(&self.plan),
            run: self.id.clone(),
            kind: self.common.output,
            interactive: self.common.interactive,
            stays: self.common.wait || self.common.interactive,
            colour: self.common.colour,
            from_here: self.common.from_here.clone(),
            clock: Arc::clone(&self.clock),
            operator: self.common.operator.clone(),
            answer: Box::new(answer),
            mask: Arc::clone(&self.secrets),
        }))
    }

    fn judge(&self, left: Left) -> Result<Exit, Error> {
        let run = &self.id;
        match left {
            Left::State(state) => Ok(exit_of(state)),
            Left::Signal(signal, _) => Ok(Exit::Signal(signal)),
            Left::Illegal(illegal) => Err(Error::new(Exit::Journal, illegal.to_string())),
            Left::Unwritable(problem, unsaved) => {
                let lines: String = unsaved.iter().map(|line| format!("{}\n", line.trim_end())).collect();
                let message = format!(
                    "the journal cannot be written: {problem}\nnothing new was started. These {} records are not in it; keep them:\n{lines}",
                    unsaved.len()
                );
                Err(Error::new(Exit::Journal, message).next(format!("make room, then: drctl resume {run}")))
            }
        }
    }
}

impl Sink for Arc<Reporter> {
    fn records(&mut self, records: Vec<crate::journal::Record<Event>>) {
        Reporter::records(self, records);
    }

    fn note(&mut self, line: String) {
        Reporter::note(self, line);
    }
}

/// Lets a simulated world's clock go at the wall clock's pace while a person is needed, and tells when a fault strikes.
struct Paced {
    reporter: Arc<Reporter>,
    stage: Arc<Stage>,
    clock: Arc<ScaledClock>,
    plan: Arc<Plan>,
    state: State,
}

impl Sink for Paced {
    fn records(&mut self, records: Vec<crate::journal::Record<Event>>) {
        for record in &records {
            // The driver has refused what does not fit.
            self.state.apply(&self.plan, record.at, &record.event).ok();
        }
        self.clock.slow_down(!needs(&self.plan, &self.state).is_empty());
        for fault in self.stage.news() {
            self.reporter.note(format!("simulation: the fault {fault} strikes"));
        }
        self.reporter.records(records);
    }

    fn note(&mut self, line: String) {
        self.reporter.note(line);
    }
}
