//! `drctl watch-for`: looks until something is down, then opens a run that waits at its first gate.
//!
//! It opens one run and no second, and passes no gate: what it knows ends with the verdict.

mod alert;
mod health;
mod look;

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;

pub use alert::{Alert, LARGEST};
pub use health::{Health, Thresholds, Verdict};
use look::{Look, Looker, refused, telling, unasked};

use super::driver::Call;
use super::inputs;
use super::run::{self, Common, Start};
use super::{secrets, signals, view};
use crate::catalogue::Timestamp;
use crate::edge::clock::{Clock, SystemClock};
use crate::edge::lock::{Holder, LockError, RunLock};
use crate::engine::event::{Mode, RunStarted};
use crate::error::{Error, Exit};
use crate::plan::{Plan, StepIndex};
use crate::report::{OutputKind, sanitise};

/// What is watched, and how.
pub struct Watch {
    /// How the run is opened: its file, its inputs.
    pub start: Start,
    /// The steps whose verdict counts; all that have one where none is named.
    pub steps: Vec<String>,
    /// The time between two looks.
    pub every: Duration,
    /// How many looks it takes.
    pub thresholds: Thresholds,
    /// Whether it ends once the looks are clear.
    pub once: bool,
}

/// What is told of something watched.
struct News<'n> {
    at: Timestamp,
    state: Verdict,
    since: Option<Timestamp>,
    evidence: &'n [String],
}

/// Something watched.
struct Watcher<'c> {
    common: &'c Common,
    watch: Watch,
    plan: Arc<Plan>,
    clock: Arc<dyn Clock>,
}

/// Looks until it is down, or for `--once` until it is clear; down, it opens a run.
///
/// # Errors
/// The runbook cannot be watched, or the run not be started.
pub fn look_on(common: &Common, watch: Watch) -> Result<Exit, Error> {
    let (watcher, looker) = prepare(common, watch)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let seen = runtime.block_on(watcher.looks(&looker))?;
    runtime.shutdown_background();
    match seen {
        Seen::Signal(signal) => Ok(Exit::Signal(signal)),
        Seen::Clear(Verdict::Down, since) => watcher.open(since),
        Seen::Clear(verdict, _) => Ok(exit_of(verdict)),
    }
}

/// Takes an alert at its word: an outage opens a run.
///
/// # Errors
/// The runbook cannot be watched, or the run not be started.
pub fn take_alert(common: &Common, watch: Watch, alert: &Alert) -> Result<Exit, Error> {
    let watcher = watcher(common, watch)?;
    let now = watcher.clock.now();
    // The clocks of others may be ahead.
    let since = alert.since.unwrap_or(now).min(now);
    let evidence: Vec<String> = alert.evidence.iter().map(|line| format!("{}: {line}", alert.from)).collect();
    watcher.tell(&News { at: now, state: alert.verdict, since: Some(since), evidence: &evidence })?;
    match alert.verdict {
        Verdict::Down => watcher.open(Some(since)),
        verdict => Ok(exit_of(verdict)),
    }
}

fn exit_of(verdict: Verdict) -> Exit {
    if verdict == Verdict::Healthy { Exit::Done } else { Exit::Failed }
}

/// Judges the runbook, as a run of it would be judged.
fn watcher(common: &Common, watch: Watch) -> Result<Watcher<'_>, Error> {
    let registry = run::registry();
    let loaded = run::judged(common, &watch.start.file, &registry)?;
    let Some(runbook) = &loaded.runbook else { return Err(Error::new(Exit::Invalid, "the runbook cannot be read")) };
    let values = inputs::resolve(runbook, &watch.start.set, &watch.start.vars)
        .map_err(|problems| Error::usage(problems.join("\n")))?;
    let plan = Arc::new(view::plan_of(&loaded, &values, &registry.catalogue())?);
    if let Some(step) = unasked(&plan) {
        let message =
            format!("nobody is asked before `{step}`: a run that opens by itself has to wait at a gate first");
        return Err(Error::new(Exit::Invalid, message).next("give the step an `approval`, or a step before it"));
    }
    Ok(Watcher { common, watch, plan, clock: Arc::new(SystemClock::start(Timestamp(0))) })
}

fn prepare(common: &Common, watch: Watch) -> Result<(Watcher<'_>, Looker), Error> {
    let watcher = watcher(common, watch)?;
    let plan = &watcher.plan;
    if let Some(why) = refused(plan) {
        let message = format!("the detection phase cannot be looked at again and again: {why}");
        return Err(Error::new(Exit::Invalid, message).next("move the step to the assessment phase"));
    }
    let counted = counted(plan, &watcher.watch.steps)?;
    let held = secrets::read(&plan.secrets(), &common.workspace, plan).map_err(Error::usage)?;
    let looker = Looker {
        plan: Arc::clone(plan),
        registry: run::registry(),
        clock: Arc::clone(&watcher.clock),
        secrets: Arc::new(held),
        workspace: common.workspace.clone(),
        started: watcher.started(),
        counted,
    };
    Ok((watcher, looker))
}

/// The steps whose verdict counts.
fn counted(plan: &Plan, named: &[String]) -> Result<Vec<StepIndex>, Error> {
    let telling = telling(plan);
    let names: Vec<String> = telling.iter().map(|index| plan.path(*index)).collect();
    if names.is_empty() {
        let message = "no step of the detection phase says whether anything is healthy: none has the output `verdict` or \
            `healthy`";
        return Err(Error::new(Exit::Invalid, message).next("begin it with a `probe.http`, `probe.tcp` or `probe.dns`"));
    }
    if named.is_empty() {
        return Ok(telling);
    }
    let find = |name: &String| {
        let at = names.iter().position(|known| known == name);
        at.map(|at| telling[at]).ok_or_else(|| {
            let meant = crate::diag::closest(name, names.iter().map(String::as_str));
            let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
            Error::usage(format!("`--step {name}`: the steps that say so are {}{meant}", names.join(", ")))
        })
    };
    named.iter().map(find).collect()
}

/// Why looking is over.
enum Seen {
    /// The state, and since when it is down.
    Clear(Verdict, Option<Timestamp>),
    /// A signal.
    Signal(i32),
}

impl Watcher<'_> {
    async fn looks(&self, looker: &Looker) -> Result<Seen, Error> {
        let (calls, mut heard) = mpsc::unbounded_channel();
        signals::listen(&calls)?;
        let mut health = Health::new(self.watch.thresholds);
        let (mut told, mut taken) = (None, 0);
        // The open run that was told of.
        let mut named = None;
        loop {
            let look = tokio::select! {
                biased;
                signal = signalled(&mut heard) => return Ok(Seen::Signal(signal)),
                look = looker.look() => look,
            };
            taken += 1;
            let state = self.take(&mut health, &look, &mut told)?;
            let is_down = state == Verdict::Down && look.verdict.is_some();
            let open = if is_down && !self.watch.once { self.open_run()? } else { None };
            if is_down && open.is_none() {
                return Ok(Seen::Clear(Verdict::Down, health.since()));
            }
            if let Some(run) = open.filter(|run| named.as_ref() != Some(run)) {
                print(&self.no_second(&run))?;
                named = Some(run);
            }
            if self.watch.once && (health.is_clear() || taken >= health.most()) {
                // Where no probe could tell, nothing is known to be well.
                let unknown = look.verdict.is_none();
                return Ok(Seen::Clear(if unknown { state.max(Verdict::Degraded) } else { state }, health.since()));
            }
            tokio::select! {
                biased;
                signal = signalled(&mut heard) => return Ok(Seen::Signal(signal)),
                () = self.clock.sleep(self.watch.every) => {}
            }
        }
    }

    /// Takes a look in, and tells what is new: a change, and whatever is not well.
    fn take(&self, health: &mut Health, look: &Look, told: &mut Option<Verdict>) -> Result<Verdict, Error> {
        let Some(verdict) = look.verdict else {
            self.tell_unknown(look)?;
            return Ok(told.unwrap_or(Verdict::Healthy));
        };
        let state = health.take(look.at, verdict);
        if *told != Some(state) || verdict != Verdict::Healthy {
            self.tell(&News { at: look.at, state, since: health.since(), evidence: &look.evidence })?;
        }
        *told = Some(state);
        Ok(state)
    }

    /// One line, and below it what it rests on; a document for programs.
    fn tell(&self, news: &News<'_>) -> Result<(), Error> {
        let name = &self.plan.runbook.name.value;
        let News { at, state, since, evidence } = news;
        let since = since.filter(|_| *state != Verdict::Healthy);
        if self.common.output == OutputKind::Json {
            let value = json!({
                "drctl": 1, "type": "health", "runbook": name, "kind": self.plan.runbook.kind, "at": at,
                "state": state, "since": since, "evidence": evidence,
            });
            return print(&value.to_string());
        }
        let since = since.map(|since| format!(" since {since}")).unwrap_or_default();
        let head = format!("{at} {name} is {}{since}", state.word());
        let lines = evidence.iter().map(|line| format!("  {}", sanitise(line)));
        print(&std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n"))
    }

    fn tell_unknown(&self, look: &Look) -> Result<(), Error> {
        let name = &self.plan.runbook.name.value;
        if self.common.output == OutputKind::Json {
            let value = json!({
                "drctl": 1, "type": "health", "runbook": name, "kind": self.plan.runbook.kind, "at": look.at,
                "state": null, "since": null, "evidence": look.evidence,
            });
            return print(&value.to_string());
        }
        let head = format!("{} nothing tells how {name} is", look.at);
        let lines = look.evidence.iter().map(|line| format!("  {}", sanitise(line)));
        print(&std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n"))
    }

    fn no_second(&self, run: &str) -> String {
        let next = self.common.from_here.typed(&format!("drctl status {run}"));
        format!("no second run is opened: `{run}` is open\n  next: {next}")
    }

    /// Opens a run and executes it, unless one is open. It ends as the run is left.
    fn open(self, since: Option<Timestamp>) -> Result<Exit, Error> {
        let Some(_lock) = self.lock()? else {
            print(&format!(
                "no second run is opened: another `drctl watch-for` has just opened one of `{}`",
                self.name()
            ))?;
            return Ok(Exit::Waiting);
        };
        if let Some(run) = self.open_run()? {
            print(&self.no_second(&run))?;
            return Ok(Exit::Waiting);
        }
        // Who watches stays with the run: its people are called, and it goes on when they have answered.
        let common = Common { wait: self.common.wait || !self.watch.once, ..self.common.clone() };
        run::start(&common, &Start { since, watched: true, yes: false, approve: Vec::new(), ..self.watch.start })
    }

    fn name(&self) -> &str {
        &self.plan.runbook.name.value
    }

    /// Held from before it is known that no run is open until one is.
    fn lock(&self) -> Result<Option<RunLock>, Error> {
        let (kind, operator) = (self.plan.runbook.kind.name(), &self.common.operator);
        let path = self.common.store.file(&format!("watch-for-{kind}-{}", self.name()))?;
        let holder = Holder {
            user: operator.name.clone(),
            host: Some(operator.host.clone()),
            pid: Some(std::process::id()),
            since: self.clock.now(),
        };
        match RunLock::acquire(&path, &holder) {
            Ok(lock) => Ok(Some(lock)),
            Err(LockError::Held(_)) => Ok(None),
            Err(LockError::Io(error)) => Err(Error::state(&error)),
        }
    }

    /// A run of the runbook that has not ended. One that cannot be read keeps nobody from acting.
    fn open_run(&self) -> Result<Option<String>, Error> {
        let catalogue = run::registry().catalogue();
        for id in self.common.store.runs().map_err(|error| Error::state(&error))? {
            let folder = self.common.store.open(&id).map_err(|error| Error::state(&error))?;
            let Ok(run) = view::open(folder, &catalogue) else { continue };
            let own = run.started.runbook == self.name() && run.started.kind == self.plan.runbook.kind;
            if own
                && !run.started.is_made()
                && !run.started.simulated
                && run.state(&run.plan).is_ok_and(|state| state.ended.is_none())
            {
                return Ok(Some(run.id().to_owned()));
            }
        }
        Ok(None)
    }

    /// How a look begins: as a dry run, which changes nothing.
    fn started(&self) -> RunStarted {
        RunStarted {
            run: "watch".to_owned(),
            drctl: env!("CARGO_PKG_VERSION").to_owned(),
            runbook: self.name().to_owned(),
            kind: self.plan.runbook.kind,
            path: String::new(),
            pinned: Vec::new(),
            inputs: self.plan.inputs.clone(),
            secrets: self.plan.secrets(),
            operator: self.common.operator.clone(),
            since: None,
            approved_ahead: Vec::new(),
            yes: false,
            mode: Mode::DryRun,
            from_run: None,
            simulated: false,
            drill: None,
            announces: None,
            watched: false,
            outside_window: None,
            region: None,
            state: None,
        }
    }
}

/// The number of the next signal.
async fn signalled(heard: &mut mpsc::UnboundedReceiver<Call>) -> i32 {
    loop {
        match heard.recv().await {
            Some(Call::Signal(signal)) => return signal,
            Some(_) => {}
            None => std::future::pending().await,
        }
    }
}

/// A result, to stdout. A closed pipe is no error.
fn print(text: &str) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
