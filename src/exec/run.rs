//! Starts and resumes runs: everything is judged and pinned before anything happens.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::drill;
use super::earlier;
use super::earlier::EarlierRun;
use super::inputs;
use super::load::{self, Loaded};
use super::pin::{self, Edit};
use super::rehearse::stand_in_secrets;
use super::saved_plan::SavedPlan;
use super::secrets;
use super::session::Session;
use super::surroundings::Surroundings;
use super::survivors::survivors;
use super::view::{self, Run};
use crate::actions::registry::Registry;
use crate::catalogue::Timestamp;
use crate::edge::clock::{Clock, SystemClock};
use crate::edge::ids::{self, RunId};
use crate::edge::lock::{Holder, LockError, RunLock};
use crate::edge::process::ProcessRunner;
use crate::edge::secrets::Secrets;
use crate::edge::store::{RunFolder, Store};
use crate::edge::virtual_clock::ScaledClock;
use crate::engine::event::{Event, Mode, Person, PlanChanged, RunStarted};
use crate::engine::{Input, RunState, Seq, State, unfit};
use crate::error::{Error, Exit};
use crate::journal::{FileJournal, MemoryJournal};
use crate::plan::Plan;
use crate::report::{FromHere, OutputKind};
use crate::runbook::ast::SecretSource;
use crate::sim::scenario::Scenario;
use crate::sim::stand_in::{Setting, Stage, implied, stand_ins};

/// What every run is given.
#[derive(Clone)]
pub struct Common {
    /// The workspace's folder.
    pub workspace: PathBuf,
    /// Where runs are kept.
    pub store: Store,
    /// Who drives it.
    pub operator: Person,
    /// How it is shown.
    pub output: OutputKind,
    /// Whether a person sits at a terminal.
    pub interactive: bool,
    /// Whether colours are wanted.
    pub colour: bool,
    /// How commands are typed from where they stand.
    pub from_here: FromHere,
    /// Whether the run stays while it waits for people.
    pub wait: bool,
    /// How many steps run at a time.
    pub parallel: usize,
    /// Where its metrics are written as it goes.
    pub metrics: Option<PathBuf>,
}

/// A runbook that no file holds.
#[derive(Clone, Debug)]
pub struct Made {
    /// The lost region for which it was made.
    pub region: Option<String>,
    /// The template that it announces.
    pub announces: Option<String>,
    /// What people know it by.
    pub place: String,
    /// Its text.
    pub text: String,
}

/// What a new run is given.
#[derive(Clone, Default)]
pub struct Start {
    /// The runbook's file.
    pub file: PathBuf,
    /// The runbook, where no file holds it.
    pub made: Option<Made>,
    /// The drill of the calendar that it is.
    pub drill: Option<String>,
    /// Why it may be held outside its window.
    pub reason: Option<String>,
    /// Whether it was seen, or an alert said, that it has to be run.
    pub watched: bool,
    /// `--set`.
    pub set: Vec<(String, String)>,
    /// `--vars`.
    pub vars: Map<String, Value>,
    /// Gates approved ahead: step and digest.
    pub approve: Vec<(String, String)>,
    /// Whether prompts are answered yes.
    pub yes: bool,
    /// When the outage began.
    pub since: Option<Timestamp>,
    /// Real reads, no writes.
    pub dry_run: bool,
    /// An earlier run, whose outputs become inputs.
    pub from_run: Option<EarlierRun>,
    /// The plan that it must be.
    pub plan: Option<SavedPlan>,
    /// On a simulated world instead of the real one.
    pub simulate: Option<Simulation>,
}

/// A run on a simulated world, with real people.
#[derive(Clone)]
pub struct Simulation {
    /// What goes wrong in it.
    pub scenario: Scenario,
    /// How many times as fast as the wall clock it runs.
    pub speed: u32,
}

/// How a resume treats an edited runbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnEdit {
    /// Shows the difference and refuses.
    Refuse,
    /// Goes on as the run was started.
    Pinned,
    /// Goes on with the edited files.
    Adopt,
}

/// The actions of this binary.
#[must_use]
pub fn registry() -> Arc<Registry> {
    Arc::new(Registry::new(Arc::new(ProcessRunner::new("/proc/self/exe"))))
}

/// Judges the runbook; its findings are shown where they are errors.
///
/// # Errors
/// The runbook has errors, or cannot be read.
pub fn judged(common: &Common, file: &std::path::Path, registry: &Registry) -> Result<Loaded, Error> {
    let loaded = load::load(&common.workspace, file, &registry.catalogue());
    valid(common, loaded.map_err(|error| Error::new(Exit::Invalid, error.to_string()))?)
}

/// Judges a runbook that no file holds, as [`judged`] does.
///
/// # Errors
/// The runbook has errors, or what it stands on cannot be read.
pub fn judged_made(common: &Common, made: &Made, registry: &Registry) -> Result<Loaded, Error> {
    let surroundings = Surroundings::read(&common.workspace)?;
    let text = made.text.clone().into_bytes();
    valid(common, surroundings.judge(made.place.clone(), text, &registry.catalogue()))
}

fn valid(common: &Common, loaded: Loaded) -> Result<Loaded, Error> {
    if loaded.has_errors() || loaded.runbook.is_none() {
        let found = crate::diag::render(&loaded.errors(), &loaded.sources, crate::diag::Format::Human, common.colour);
        return Err(Error::new(Exit::Invalid, format!("{found}\nthe runbook is invalid: nothing was started")));
    }
    Ok(loaded)
}

/// Refuses values that are known before the run, with which a step cannot begin: nobody has to find that out at night.
///
/// # Errors
/// Each of them, with its place. It is the runbook that is wrong, unless all of them are given to the run.
pub fn fitting(loaded: &Loaded, plan: &Plan, colour: bool) -> Result<(), Error> {
    let found = unfit(plan);
    if found.is_empty() {
        return Ok(());
    }
    let exit = if found.iter().all(|unfit| unfit.is_given) { Exit::Usage } else { Exit::Invalid };
    let found: Vec<_> = found.into_iter().map(|unfit| unfit.finding).collect();
    let shown = crate::diag::render(&found, &loaded.sources, crate::diag::Format::Human, colour);
    Err(Error::new(exit, format!("{shown}\nnothing was started")))
}

/// Refuses what is known before the run to be in its way: values, and approvals given ahead.
fn begins(common: &Common, start: &Start, loaded: &Loaded, plan: &Plan) -> Result<(), Error> {
    fitting(loaded, plan, common.colour)?;
    ahead_problem(plan, &start.approve).map_or(Ok(()), |problem| Err(Error::usage(problem)))
}

/// Runs a runbook from the beginning.
///
/// # Errors
/// It cannot be started, or did not end well; the exit code says how.
pub fn start(common: &Common, start: &Start) -> Result<Exit, Error> {
    let registry = registry();
    let loaded = match &start.made {
        Some(made) => judged_made(common, made, &registry)?,
        None => judged(common, &start.file, &registry)?,
    };
    let Some(runbook) = &loaded.runbook else { return Err(Error::new(Exit::Invalid, "the runbook cannot be read")) };
    let saved = start.plan.as_ref();
    saved.map_or(Ok(()), |saved| saved.check_files(&common.workspace, &loaded, &registry.catalogue()))?;
    let earlier = start.from_run.as_ref();
    let earlier = earlier.map(|from| earlier::taken(from, runbook, &start.set, &start.vars)).transpose()?;
    let (from_run, taken) = earlier.unzip();
    // What is given wins over what an earlier run gave, which wins over what was planned.
    let mut vars = saved.map(|saved| saved.inputs.clone()).unwrap_or_default();
    vars.extend(taken.unwrap_or_default().into_iter().chain(start.vars.clone()));
    let values = inputs::resolve(runbook, &start.set, &vars).map_err(|problems| Error::usage(problems.join("\n")))?;
    saved.map_or(Ok(()), |saved| saved.check_inputs(&values))?;
    let plan = Arc::new(view::plan_of(&loaded, &values, &registry.catalogue())?);
    begins(common, start, &loaded, &plan)?;
    let held = held(common, start, &plan)?;
    let scaled = start.simulate.as_ref().map(|simulation| Arc::new(ScaledClock::start(simulation.speed)));
    let clock: Arc<dyn Clock> = match &scaled {
        Some(scaled) => Arc::clone(scaled) as Arc<dyn Clock>,
        None => Arc::new(SystemClock::start(Timestamp(0))),
    };
    has_begun(start.since, clock.now())?;
    let admitted = drill::admitted(&loaded.workspace, runbook, start, clock.now())?;
    let id = RunId::new(&runbook.name.value, clock.now(), ids::random_u32()?);
    let mut started = RunStarted {
        run: id.to_string(),
        drctl: env!("CARGO_PKG_VERSION").to_owned(),
        runbook: runbook.name.value.clone(),
        kind: runbook.kind,
        path: loaded.files[0].0.clone(),
        pinned: Vec::new(),
        inputs: values,
        secrets: plan.secrets(),
        operator: common.operator.clone(),
        since: start.since,
        approved_ahead: start.approve.clone(),
        yes: start.yes,
        mode: if start.dry_run { Mode::DryRun } else { Mode::Real },
        from_run,
        simulated: start.simulate.is_some(),
        drill: admitted.drill,
        outside_window: admitted.outside_window,
        region: start.made.as_ref().and_then(|made| made.region.clone()),
        announces: start.made.as_ref().and_then(|made| made.announces.clone()),
        watched: start.watched,
        state: state_folder(common).filter(|_| start.simulate.is_none()),
    };
    let stage = start.simulate.as_ref().map(|simulation| stage(simulation, &plan, &clock, &id));
    let registry = stage.as_ref().map_or(registry, standing_in);
    let mut session = Session {
        common,
        simulated: stage.zip(scaled),
        registry,
        plan,
        clock,
        notes: unreadable(&held).into_iter().chain(admitted.note).collect(),
        secrets: Arc::new(held),
        id: id.to_string(),
        folder: None,
        lock: None,
        survivors: Vec::new(),
    };
    if start.dry_run {
        let journal = Box::new(MemoryJournal::new());
        return session.drive(State::new(&session.plan), Seq(0), journal, vec![Input::Start(Box::new(started))], &[]);
    }
    let (folder, lock, pinned, journal) = prepare(common, &id, &loaded, session.clock.now()).map_err(|error| {
        let message = format!("{}\nnothing was started", error.message);
        Error::new(error.exit, message).next(format!("{} --state DIR", started.command()))
    })?;
    session.lock = Some(lock);
    started.pinned = pinned;
    session.folder = Some(Arc::new(folder));
    session.drive(State::new(&session.plan), Seq(0), Box::new(journal), vec![Input::Start(Box::new(started))], &[])
}

/// An outage that is said to have begun did so before now.
fn has_begun(since: Option<Timestamp>, now: Timestamp) -> Result<(), Error> {
    match since.filter(|since| *since > now) {
        Some(since) => Err(Error::usage(format!("`--since {since}` has not come yet: it is {now} now"))),
        None => Ok(()),
    }
}

/// The actions of a simulated world.
fn standing_in(stage: &Arc<Stage>) -> Arc<Registry> {
    Arc::new(Registry::new(Arc::new(ProcessRunner::new(""))).replacing(stand_ins(stage)))
}

/// The folder that runs are kept in, where a command has to name it.
fn state_folder(common: &Common) -> Option<String> {
    let root = common.store.root();
    (root != common.workspace.join(".drctl")).then(|| root.display().to_string())
}

/// The simulated world of a run.
fn stage(simulation: &Simulation, plan: &Arc<Plan>, clock: &Arc<dyn Clock>, id: &RunId) -> Arc<Stage> {
    Arc::new(Stage::new(Setting {
        plan: Arc::clone(plan),
        scenario: Arc::new(simulation.scenario.clone()),
        clock: Arc::clone(clock),
        seed: simulation.scenario.seed,
        steady: false,
        implied: Arc::new(implied(plan)),
        run: id.to_string(),
    }))
}

type Prepared = (RunFolder, RunLock, Vec<(String, String)>, FileJournal<Event>);

/// Makes what a run keeps its state in: all of it, before anything is started.
fn prepare(common: &Common, id: &RunId, loaded: &Loaded, now: Timestamp) -> Result<Prepared, Error> {
    let folder = common.store.create_run(id).map_err(|error| Error::state(&error))?;
    let lock = lock(&folder, common, now)?;
    let pinned = pin::pin(&folder.pinned(), loaded).map_err(|error| Error::state(&error))?;
    let journal =
        FileJournal::create(&folder.journal()).map_err(|error| Error::new(Exit::Journal, error.to_string()))?;
    Ok((folder, lock, pinned, journal))
}

/// The values of the secrets that this run may read.
fn held(common: &Common, start: &Start, plan: &Plan) -> Result<Secrets, Error> {
    let secrets = plan.secrets();
    if start.simulate.is_some() {
        return Ok(stand_in_secrets(&secrets));
    }
    let readable = readable(&secrets, start.dry_run);
    secrets::read(&readable, &common.workspace, plan).map_err(Error::usage)
}

/// Channels that go without a secret, for the person who starts the run.
fn unreadable(held: &Secrets) -> Vec<String> {
    held.missing().map(|(_, why)| format!("warning: {why}: what would be sent with it will be owed")).collect()
}

/// A dry run starts no process, not even for a secret.
fn readable(secrets: &[(String, SecretSource)], dry_run: bool) -> Vec<(String, SecretSource)> {
    let starts = |from: &SecretSource| dry_run && matches!(from, SecretSource::Command(_));
    secrets.iter().filter(|(_, from)| !starts(from)).cloned().collect()
}

/// What is wrong with the approvals given ahead, whatever the gates will ask.
fn ahead_problem(plan: &Plan, approve: &[(String, String)]) -> Option<String> {
    approve.iter().find_map(|(step, _)| {
        let Some(index) = plan.find(step) else {
            let paths: Vec<String> = plan.paths().collect();
            let meant = crate::diag::closest(step, paths.iter().map(String::as_str));
            let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
            return Some(format!("`--approve`: the runbook has no step `{step}`{meant}"));
        };
        if plan.step(index).approval.is_some() {
            return None;
        }
        let gated = plan.steps().filter(|(_, step)| step.approval.is_some());
        let gated: Vec<String> = gated.map(|(index, _)| plan.path(index)).collect();
        let there = if gated.is_empty() {
            "no step has one".to_owned()
        } else {
            format!("those with one: {}", gated.join(", "))
        };
        Some(format!("`--approve`: `{step}` has no gate; {there}"))
    })
}

/// Takes a run up where it was left.
///
/// # Errors
/// As [`start`]; also when another process drives it, or the runbook was edited.
pub fn resume(common: &Common, folder: RunFolder, on_edit: OnEdit) -> Result<Exit, Error> {
    let registry = registry();
    let lock = lock(&folder, common, SystemClock::start(Timestamp(0)).now())?;
    let run = view::open(folder, &registry.catalogue())?;
    if run.started.simulated {
        return Err(run.world_is_gone());
    }
    let state = run.state(&run.plan)?;
    if let Some(ended) = state.ended {
        let message = format!("run `{}` has ended: {}", run.id(), ended.words());
        return Err(Error::new(exit_of(ended), message).next(format!("drctl status {}", run.id())));
    }
    let held = secrets::read(&run.started.secrets, &common.workspace, &run.plan).map_err(Error::usage)?;
    let mut first = vec![Input::Resume(common.operator.clone())];
    let (plan, state) = match adopted(common, &run, &state, &registry, on_edit)? {
        Some((plan, changed)) => {
            let state = run.state(&plan)?;
            first.push(Input::Adopt(Box::new(changed)));
            (plan, state)
        }
        None => (Arc::clone(&run.plan), state),
    };
    let is_held = run.started.is_made() || common.workspace.join(&run.started.path).is_file();
    let gone = on_edit == OnEdit::Refuse && !is_held;
    let mut notes = unreadable(&held);
    notes.extend(gone.then(|| format!("`{}` is gone: the run goes on as it was started", run.started.path)));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start(run.last_at()));
    let journal = FileJournal::recover_and_open(&run.folder.journal(), |_: crate::journal::Record<Event>| {})
        .map_err(|error| Error::new(Exit::Journal, error.to_string()))?
        .journal;
    let (id, last) = (run.id().to_owned(), run.last());
    let survivors = survivors(&run.folder, &plan, &state);
    let session = Session {
        common,
        simulated: None,
        registry,
        plan,
        clock,
        secrets: Arc::new(held),
        id,
        folder: Some(Arc::new(run.folder)),
        lock: Some(lock),
        notes,
        survivors,
    };
    let before = run.records;
    session.drive(state, last, Box::new(journal), first, &before)
}

pub(super) fn lock(folder: &RunFolder, common: &Common, now: Timestamp) -> Result<RunLock, Error> {
    let holder = Holder {
        user: common.operator.name.clone(),
        host: Some(common.operator.host.clone()),
        pid: Some(std::process::id()),
        since: now,
    };
    RunLock::acquire(&folder.lock(), &holder).map_err(|error| match error {
        LockError::Held(holder) => {
            let message = format!("the run is driven by {holder}: one process at a time");
            let run = folder.path().file_name().unwrap_or_default().to_string_lossy();
            Error::new(Exit::Locked, message).next(format!("drctl watch {run}   (to look on)"))
        }
        LockError::Io(error) => Error::new(Exit::Journal, format!("`{}`: {error}", folder.lock().display())),
    })
}

/// The edited plan, where there is one and it may be adopted.
fn adopted(
    common: &Common,
    run: &Run,
    state: &State,
    registry: &Registry,
    on_edit: OnEdit,
) -> Result<Option<(Arc<Plan>, PlanChanged)>, Error> {
    let now = today(common, run, registry)?;
    if on_edit == OnEdit::Adopt && now.is_none() {
        let message = format!("cannot adopt: `{}` is gone", run.started.path);
        return Err(Error::usage(message).next(format!("drctl resume {} --pinned", run.id())));
    }
    let Some(now) = now.filter(|_| on_edit != OnEdit::Pinned) else { return Ok(None) };
    let edit = pin::compare(&run.loaded, &now);
    if edit.is_empty() && !now.has_errors() {
        return Ok(None);
    }
    let started = pin::started_steps(&edit, &run.plan, state);
    let may_adopt = !now.has_errors() && started.is_empty();
    let refuse = |why: &str, found: &str| {
        let lines: String = edit.lines().into_iter().map(|line| format!("  {line}\n")).collect();
        let message = format!("{why}:\n{found}{lines}");
        let refused = Error::new(Exit::Invalid, message)
            .next(format!("drctl resume {} --pinned   (as it was started)", run.id()));
        if !may_adopt {
            return refused;
        }
        refused.next(format!("drctl resume {} --adopt    (only steps that have not started may differ)", run.id()))
    };
    if now.has_errors() {
        let found = crate::diag::render(&now.errors(), &now.sources, crate::diag::Format::Short, false);
        return Err(refuse("the runbook was edited and is invalid now", &found));
    }
    if on_edit == OnEdit::Refuse {
        return Err(refuse("the runbook was edited since the run started", ""));
    }
    if !started.is_empty() {
        let why = format!("cannot adopt: `{}` started before the edit", started.join("`, `"));
        return Err(refuse(&why, ""));
    }
    adopt(common, run, &edit, &now, registry).map(Some)
}

/// The runbook as it is today, unless its file is gone. Of one that was made, what it calls may have been edited.
fn today(common: &Common, run: &Run, registry: &Registry) -> Result<Option<Loaded>, Error> {
    let file = common.workspace.join(&run.started.path);
    if let Some((place, text)) = run.loaded.files.first().filter(|_| run.started.is_made()) {
        let surroundings = Surroundings::read(&common.workspace)?;
        return Ok(Some(surroundings.judge(place.clone(), text.clone(), &registry.catalogue())));
    }
    if !file.is_file() {
        return Ok(None);
    }
    Ok(Some(load::load(&common.workspace, &file, &registry.catalogue())?))
}

fn adopt(
    common: &Common,
    run: &Run,
    edit: &Edit,
    now: &Loaded,
    registry: &Registry,
) -> Result<(Arc<Plan>, PlanChanged), Error> {
    let plan = Arc::new(view::plan_of(now, &run.started.inputs, &registry.catalogue())?);
    let folder = (2..)
        .map(|number| format!("pinned-{number}"))
        .find(|name| !run.folder.path().join(name).exists())
        .unwrap_or_default();
    let place = run.folder.path().join(&folder);
    std::fs::create_dir(&place)?;
    let pinned = pin::pin(&place, now)?;
    let changed = edit.steps.keys().cloned().collect();
    Ok((plan, PlanChanged { operator: common.operator.clone(), pinned, changed, folder }))
}

/// The exit code of a run's state.
#[must_use]
pub fn exit_of(state: RunState) -> Exit {
    match state {
        RunState::Succeeded => Exit::Done,
        RunState::CompletedWithExceptions => Exit::Exceptions,
        RunState::AwaitingApproval => Exit::Waiting,
        RunState::InDoubt => Exit::InDoubt,
        RunState::Running | RunState::Paused | RunState::Failed | RunState::Aborted => Exit::Failed,
    }
}
