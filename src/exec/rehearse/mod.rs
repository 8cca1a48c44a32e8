//! Rehearsals: the engine, the driver and the worker of a real run, on a virtual clock and a simulated world.
//!
//! A process of a rehearsal is a tokio runtime of one thread with a paused clock and no IO at all: time moves only
//! when everything waits. Killing the process is dropping the runtime; the world, the journal's bytes and the
//! clock's time stay, and the next process takes the run up from them as `drctl resume` does.

mod everywhere;
mod facts;
mod histogram;
mod judge;
mod kill;
mod operator;
mod runs;
mod scenarios;
pub mod suite;
pub mod text;
mod watcher;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;

pub use everywhere::{Everywhere, crash_around, crash_at, crash_everywhere};
pub use facts::{Facts, Part, facts};
pub use histogram::histogram;
pub use judge::{Difference, differences};
pub use kill::Kill;
pub use runs::{Spread, Weight, percentile, spread, word};
pub use scenarios::{Judged, Library, cannot_strike, subject};

use self::kill::{Killer, Mortal};
use self::operator::person;
use self::watcher::{Records, Truth, Watcher, lock};
use super::driver::{Driver, Held, Left};
use super::worker::Worker;
use crate::actions::Registry;
use crate::actions::azure::Azure;
use crate::catalogue::Timestamp;
use crate::edge::clock::Clock;
use crate::edge::ids::RunId;
use crate::edge::process::ProcessRunner;
use crate::edge::secrets::Secrets;
use crate::edge::virtual_clock::VirtualClock;
use crate::engine::event::{Event, Mode, RunStarted};
use crate::engine::{Input, Machine, Options, RunState, Seq, State};
use crate::journal::{Contents, MemoryJournal, Record};
use crate::plan::Plan;
use crate::runbook::ast::SecretSource;
use crate::sim::scenario::{Fault, Scenario};
use crate::sim::stand_in::{Implied, Random, Setting, Stage, stand_ins};

/// When every rehearsal starts: 03:00 on a night that was.
const START: &str = "2026-01-01T03:00:00Z";
/// A run that is not over by then never will be.
const LONGEST: Duration = Duration::from_hours(24 * 30);
/// Who starts a run unless the scenario says so.
const OPERATOR: &str = "oncall";

/// What is rehearsed: the same for all seeds.
#[derive(Clone)]
pub struct Subject {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// What is known of the plan's actions.
    pub implied: Arc<Vec<Implied>>,
    /// The runbook's file.
    pub path: String,
    /// Where the secrets would come from; never read.
    pub secrets: Vec<(String, SecretSource)>,
    /// How many steps run at a time.
    pub parallel: usize,
    /// Never used: what would reach the network is replaced.
    pub http: reqwest::Client,
}

/// One rehearsal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attempt<'k> {
    /// Where the randomness starts.
    pub seed: u64,
    /// Where drctl is killed, besides the scenario's crashes.
    pub kill: Option<&'k Kill>,
    /// Whether somebody looks at the world and resolves doubts by what is there.
    pub truthful: bool,
    /// Whether everything takes its typical time.
    pub steady: bool,
}

/// How a rehearsal ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The run ended, or waits for somebody who never comes.
    In(RunState),
    /// It went on and on.
    Never,
    /// drctl itself is wrong.
    Broken(String),
}

/// What came of a rehearsal.
pub struct Rehearsed {
    /// How it ended.
    pub ended: Ended,
    /// What happened, in order.
    pub records: Vec<Record<Event>>,
    /// The journal's lines.
    pub journal: Vec<u8>,
    /// The simulated world.
    pub stage: Arc<Stage>,
    /// How often drctl was killed.
    pub deaths: u32,
    /// Where drctl was to be killed, and was not.
    pub spared: Vec<Kill>,
}

impl Rehearsed {
    /// The faults of the scenario that never struck, by their place. A region that is down and a slow replication are
    /// states of the world: they have not struck where nothing there is of that region, or of that name.
    #[must_use]
    pub fn unused_faults(&self) -> Vec<usize> {
        let faults = self.stage.setting.scenario.faults.iter().enumerate();
        let unused = faults.filter(|(index, fault)| match &fault.value {
            Fault::Crash { .. } => self.spared.iter().any(|kill| kill.is_of(&fault.value)),
            Fault::RegionDown { .. } | Fault::SlowReplication { .. } => !self.stage.concerns(&fault.value),
            _ => !self.stage.has_struck(*index),
        });
        unused.map(|(index, _)| index).collect()
    }

    /// The words of the faults that never struck.
    #[must_use]
    pub fn never_struck(&self) -> Vec<String> {
        let faults = &self.stage.setting.scenario.faults;
        self.unused_faults().into_iter().map(|index| faults[index].value.words()).collect()
    }

    /// The state that the records fold to.
    #[must_use]
    pub fn state(&self) -> State {
        let plan = &self.stage.setting.plan;
        let mut state = State::new(plan);
        for record in &self.records {
            // The driver has refused what does not fit.
            state.apply(plan, record.at, &record.event).ok();
        }
        state
    }
}

/// Rehearses once.
#[must_use]
pub fn rehearse(subject: &Subject, attempt: Attempt<'_>) -> Rehearsed {
    let clock = Arc::new(VirtualClock::new(Timestamp::parse(START).unwrap_or_default()));
    let seed = attempt.seed;
    let random = u32::try_from(Random::of(seed, "run").number() >> 32).unwrap_or(0);
    let run = RunId::new(&subject.plan.runbook.name.value, clock.now(), random).to_string();
    let setting = Setting {
        plan: Arc::clone(&subject.plan),
        scenario: Arc::clone(&subject.scenario),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        seed,
        steady: attempt.steady,
        implied: Arc::clone(&subject.implied),
        run,
    };
    let stage = Arc::new(Stage::new(setting));
    let registry = Registry::new(Arc::new(ProcessRunner::new(""))).replacing(stand_ins(&stage));
    let killer = Killer::new(kills(subject, attempt.kill));
    let rehearsal =
        Rehearsal { subject, attempt, clock, stage, registry: Arc::new(registry), killer, records: Records::default() };
    rehearsal.run()
}

/// The crashes of the scenario, and one more.
fn kills(subject: &Subject, more: Option<&Kill>) -> Vec<Kill> {
    let crashes = subject.scenario.faults.iter().filter_map(|fault| match &fault.value {
        Fault::Crash { step, point } => {
            let action = subject.plan.find(step).map(|index| subject.plan.step(index).action.name.value.as_str());
            let handle_last = action.is_some_and(|action| action.starts_with("azure."));
            Some(Kill::Step { step: step.clone(), point: *point, handle_last })
        }
        _ => None,
    });
    crashes.chain(more.cloned()).collect()
}

struct Rehearsal<'s> {
    subject: &'s Subject,
    attempt: Attempt<'s>,
    clock: Arc<VirtualClock>,
    stage: Arc<Stage>,
    registry: Arc<Registry>,
    killer: Killer,
    /// What is durable so far.
    records: Records,
}

impl Rehearsal<'_> {
    /// One process after the other, until the run is left.
    fn run(&self) -> Rehearsed {
        let mut contents = Contents::default();
        let ended = loop {
            let (journal, before) = match MemoryJournal::recovered::<Event>(contents.clone()) {
                Ok(recovered) => recovered,
                Err(damage) => break Ended::Broken(damage.to_string()),
            };
            contents = journal.contents();
            lock(&self.records).clone_from(&before);
            if let Some(ended) = self.process(journal, before) {
                break ended;
            }
            self.killer.spare();
        };
        Rehearsed {
            ended,
            records: std::mem::take(&mut *lock(&self.records)),
            journal: contents.bytes(),
            stage: Arc::clone(&self.stage),
            deaths: self.killer.deaths(),
            spared: self.killer.spared(),
        }
    }

    /// One process; nothing where it was killed.
    fn process(&self, journal: MemoryJournal, before: Vec<Record<Event>>) -> Option<Ended> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return Some(Ended::Broken(error.to_string())),
        };
        runtime.block_on(async {
            self.clock.enter();
            let left = self.drive(journal, before).await;
            let dead = left.is_none();
            self.clock.leave(if dead { self.subject.scenario.people.resume_after } else { Duration::ZERO });
            left
        })
    }

    async fn drive(&self, journal: MemoryJournal, before: Vec<Record<Event>>) -> Option<Ended> {
        let plan = &self.subject.plan;
        let mut state = State::new(plan);
        for record in &before {
            if let Err(illegal) = state.apply(plan, record.at, &record.event) {
                return Some(Ended::Broken(illegal.to_string()));
            }
        }
        let last = before.last().map_or(Seq(0), |record| record.seq);
        let operator = person(self.operator());
        let first = if before.is_empty() { Input::Start(Box::new(self.started())) } else { Input::Resume(operator) };
        let driver = self.driver(journal, state, last);
        let mut drive = std::pin::pin!(tokio::time::timeout(LONGEST, driver.drive(vec![first])));
        // Jobs run while this waits: what a killed process has let go never begins.
        std::future::poll_fn(|context| {
            let left = drive.as_mut().poll(context);
            if self.killer.has_struck() {
                return Poll::Ready(None);
            }
            left.map(|left| Some(left.map_or(Ended::Never, judge)))
        })
        .await
    }

    fn driver(&self, journal: MemoryJournal, state: State, last: Seq) -> Driver {
        let subject = self.subject;
        let (calls, heard) = mpsc::unbounded_channel();
        let (messages, answered) = mpsc::unbounded_channel();
        let worker = Worker {
            registry: Arc::clone(&self.registry),
            http: subject.http.clone(),
            azure: Arc::new(self.azure()),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            secrets: Arc::new(stand_in_secrets(&subject.secrets)),
            workspace: PathBuf::new(),
            folder: None,
            run: self.stage.setting.run.clone(),
            messages,
            cancels: Mutex::new(BTreeMap::new()),
        };
        let watcher = Watcher {
            plan: Arc::clone(&subject.plan),
            scenario: Arc::clone(&subject.scenario),
            operator: self.operator().to_owned(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            truth: self.truth(),
            calls,
            records: Arc::clone(&self.records),
            state: state.clone(),
            coming: BTreeSet::new(),
        };
        let mut random = Random::of(self.attempt.seed, &format!("jitter-{last}"));
        let options = Options {
            parallel: subject.parallel,
            jitter: Box::new(move || random.share()),
            #[cfg(feature = "mutants")]
            blind_retry: super::mutant::retries_blindly(),
        };
        Driver {
            machine: Machine::new(Arc::clone(&subject.plan), state, last, options),
            journal: Box::new(Mortal::new(journal, self.killer.clone())),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            worker: Arc::new(worker),
            sink: Box::new(watcher),
            inbox: None,
            messages: answered,
            calls: heard,
            stays: true,
            held: Held::starting_after(last),
        }
    }

    fn azure(&self) -> Azure {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Azure::simulated(self.stage.transport(), clock, &self.stage.setting.run)
    }

    fn truth(&self) -> Option<Truth> {
        let stage = Arc::clone(&self.stage);
        self.attempt.truthful.then(|| -> Truth { Arc::new(move |node| stage.happened(node)) })
    }

    fn operator(&self) -> &str {
        self.subject.scenario.people.operator.as_deref().unwrap_or(OPERATOR)
    }

    fn started(&self) -> RunStarted {
        let runbook = &self.subject.plan.runbook;
        RunStarted {
            run: self.stage.setting.run.clone(),
            drctl: env!("CARGO_PKG_VERSION").to_owned(),
            runbook: runbook.name.value.clone(),
            kind: runbook.kind,
            path: self.subject.path.clone(),
            pinned: Vec::new(),
            inputs: self.subject.plan.inputs.clone(),
            secrets: self.subject.secrets.clone(),
            operator: person(self.operator()),
            since: None,
            approved_ahead: Vec::new(),
            yes: false,
            mode: Mode::Real,
            from_run: None,
            simulated: true,
            drill: None,
            announces: None,
            watched: false,
            outside_window: None,
            region: None,
            state: None,
        }
    }
}

/// Values for the secrets: no rehearsal reads a real one.
#[must_use]
pub fn stand_in_secrets(secrets: &[(String, SecretSource)]) -> Secrets {
    let mut values = Secrets::default();
    for (name, _) in secrets {
        values.insert(name.clone(), format!("simulated-secret-{name}"));
    }
    values
}

fn judge(left: Left) -> Ended {
    match left {
        Left::State(state) | Left::Signal(_, state) => Ended::In(state),
        Left::Unwritable(problem, _) => Ended::Broken(problem),
        Left::Illegal(illegal) => Ended::Broken(illegal.to_string()),
    }
}

/// Does the same with each item, on all cores; the results in the order of the items.
pub fn in_parallel<I: Sync, O: Send>(items: &[I], work: impl Fn(&I) -> O + Sync) -> Vec<O> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        while let Some((at, item)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, items.get(at)?)))
        {
            done.push((at, work(item)));
        }
        done
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let mut all: Vec<(usize, O)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(take)).collect();
        let own = take();
        // What a panic left undone may not be missing silently.
        let done = |thread: ScopedJoinHandle<'_, _>| thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        others.into_iter().flat_map(done).chain(own).collect()
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, done)| done).collect()
}
