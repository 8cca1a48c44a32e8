//! Delivers what is owed of a run's notices and calls, or gives it up, in its journal and under its lock, whether the run has ended or not.
//!
//! What was rendered when the step ran is what is delivered. The channels are those the run started with; their secrets
//! are read anew.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::run::{Common, lock, registry};
use super::secrets;
use super::view::{self, Run};
use crate::actions::azure::{Azure, Credentials};
use crate::actions::{Action as _, Call, Context, Failure};
use crate::catalogue::Timestamp;
use crate::edge::Act;
use crate::edge::clock::{Clock, SystemClock};
use crate::edge::secrets::Secrets;
use crate::edge::store::RunFolder;
use crate::engine::event::{Event, NodePath, Person};
use crate::engine::{
    Deliveries, Intent, Mode, Owed, Redelivery, Said, Seq, State, call_notice, debtors, notice_channels, owed,
    redelivery,
};
use crate::error::{Error, Exit};
use crate::journal::{Durability, FileJournal, Journal, Record};
use crate::plan::Plan;

/// What is to be delivered.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only of this step.
    pub step: Option<String>,
    /// Deliveries in doubt that are to be made all the same.
    pub doubtful: Vec<String>,
    /// Deliveries in doubt that are known to have arrived.
    pub arrived: Vec<String>,
    /// Whether what is owed is given up instead of delivered.
    pub give_up: bool,
    /// Why, where a doubt is settled or something is given up.
    pub reason: Option<String>,
}

impl Wanted {
    fn said(&self) -> Said<'_> {
        Said { doubtful: &self.doubtful, arrived: &self.arrived }
    }
}

/// What was owed, and what still is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Before.
    pub before: Vec<Owed>,
    /// Now, of what was asked for.
    pub after: Vec<Owed>,
    /// Now, of the whole run.
    pub of_run: Vec<Owed>,
}

/// What is owed of a run.
///
/// # Errors
/// The run cannot be read, or the step is none of it.
pub fn owed_of(run: &Run, wanted: &Wanted) -> Result<Vec<Owed>, Error> {
    let state = run.state(&run.plan)?;
    let found = owed(&run.plan, &state);
    let Some(step) = &wanted.step else { return Ok(found) };
    if state.find(&run.plan, step).is_none() {
        let paths: Vec<String> = run.plan.paths().collect();
        let meant = crate::diag::closest(step, paths.iter().map(String::as_str));
        let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        return Err(Error::usage(format!("run `{}` has no step `{step}`{meant}", run.id())));
    }
    let of_step = |owed: &Owed| *owed.step.0 == **step || owed.step.0.starts_with(&format!("{step}["));
    Ok(found.into_iter().filter(of_step).collect())
}

/// Delivers what is owed; what is in doubt only where a person says so.
///
/// # Errors
/// The run cannot be read, is driven by somebody, or owes nothing of what was named.
pub fn send(common: &Common, folder: RunFolder, wanted: &Wanted) -> Result<Delivered, Error> {
    let registry = registry();
    let _lock = lock(&folder, common, SystemClock::start(Timestamp(0)).now())?;
    let run = view::open(folder, &registry.catalogue())?;
    if run.started.simulated || run.started.mode == Mode::DryRun {
        return Err(Error::usage(format!("run `{}` told nobody anything: it was no real run", run.id())));
    }
    let before = owed_of(&run, wanted)?;
    wanted.said().check(&before).map_err(Error::usage)?;
    let state = run.state(&run.plan)?;
    let reopened = FileJournal::recover_and_open(&run.folder.journal(), |_: Record<Event>| {});
    let journal = reopened.map_err(|error| Error::new(Exit::Journal, error.to_string()))?.journal;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start(run.last_at()));
    let book = Arc::new(Book {
        inner: Mutex::new(Page { journal: Box::new(journal), seq: run.last(), state }),
        plan: Arc::clone(&run.plan),
        clock: Arc::clone(&clock),
        person: common.operator.clone(),
        reason: wanted.reason.clone(),
    });
    let secrets = secrets::read(&run.started.secrets, &common.workspace, &run.plan);
    let round = Round {
        run: &run,
        workspace: common.workspace.clone(),
        book,
        clock,
        secrets: Arc::new(secrets.map_err(Error::usage)?),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let sent = runtime.block_on(async {
        for (step, call) in debtors(&before) {
            round.deliver((&step, call), &before, wanted).await?;
        }
        Ok::<(), Error>(())
    });
    let Round { book, .. } = round;
    runtime.shutdown_background();
    sent?;
    let after = view::open(run.folder.clone(), &registry.catalogue())?;
    drop(book);
    let of_run = owed(&after.plan, &after.state(&after.plan)?);
    Ok(Delivered { before, after: owed_of(&after, wanted)?, of_run })
}

/// What all deliveries of a run share.
struct Round<'r> {
    run: &'r Run,
    workspace: PathBuf,
    book: Arc<Book>,
    clock: Arc<dyn Clock>,
    secrets: Arc<Secrets>,
}

impl Round<'_> {
    async fn deliver(&self, whose: (&NodePath, Option<u32>), owed: &[Owed], wanted: &Wanted) -> Result<(), Error> {
        let Some(Redelivery { step, call, mut known, is_settled, sends }) = self.book.redelivery(whose, owed, wanted)
        else {
            return Ok(());
        };
        if wanted.give_up {
            known.given_up = true;
            return self.book.write(whose, json!(known)).await.map_err(|why| Error::new(Exit::Journal, why));
        }
        if is_settled {
            self.book.write(whose, json!(known)).await.map_err(|why| Error::new(Exit::Journal, why))?;
        }
        // A notice that never was rendered cannot be sent.
        let Some(with) = sends.then(|| self.rendered(whose)).flatten() else { return Ok(()) };
        if known == Deliveries::default() {
            // Nothing was sent so far: from here on each delivery is owed until it is made.
            known.why = delivery_names(&with).map(|name| (name, "not sent yet".to_owned())).collect();
            self.book.write(whose, json!(known)).await.map_err(|why| Error::new(Exit::Journal, why))?;
        }
        let name = call.map_or_else(|| step.to_string(), |call| format!("{step}!call_{call}"));
        let made = self.call(name, with, &known);
        match crate::actions::notify::Notify::default().apply(&self.context(step, call), &made).await {
            Err(Failure::Failed(why)) if self.book.is_dead() => Err(Error::new(Exit::Journal, why)),
            // What came of each is in the journal.
            _ => Ok(()),
        }
    }

    /// What was said when the step ran, or when people were called.
    fn rendered(&self, (step, call): (&NodePath, Option<u32>)) -> Option<Map<String, Value>> {
        let plan = &self.run.plan;
        self.run.records.iter().rev().find_map(|record| match &record.event {
            Event::Intent(intent) if call.is_none() && intent.step == *step => {
                Some(rendered(plan, intent, &self.secrets))
            }
            Event::LevelCalled(called) if call == Some(called.call) && called.step == *step => {
                let secret = |name: &str| self.secrets.get(name).unwrap_or_default().to_owned();
                call_notice(plan, called).resolve(&secret).as_object().cloned()
            }
            _ => None,
        })
    }

    fn call(&self, step: String, with: Map<String, Value>, known: &Deliveries) -> Call {
        Call {
            run: self.run.id().to_owned(),
            idempotency_key: format!("{}-{step}", self.run.id()),
            step,
            attempt: 0,
            with,
            declared: Vec::new(),
            folder: PathBuf::new(),
            timeout: Duration::from_mins(10),
            repeatable: false,
            settle: Duration::ZERO,
            previous: Some(json!(known)),
        }
    }

    fn context(&self, step: NodePath, call: Option<u32>) -> Context {
        let http = crate::edge::http::http_client().unwrap_or_default();
        let credentials = Credentials::new(self.run.plan.workspace.azure.credentials.clone());
        let book = Arc::clone(&self.book);
        let handle = move |handle: Value| -> Act<'static, Result<(), Failure>> {
            let (book, step) = (Arc::clone(&book), step.clone());
            Box::pin(async move { book.write((&step, call), handle).await.map_err(Failure::Failed) })
        };
        Context {
            clock: Arc::clone(&self.clock),
            azure: Arc::new(Azure::new(Arc::new(http.clone()), credentials, Arc::clone(&self.clock), self.run.id())),
            http,
            secrets: Arc::clone(&self.secrets),
            cancel: CancellationToken::new(),
            workspace: self.workspace.clone(),
            handle: Arc::new(handle),
        }
    }
}

/// The step's parameters as they were journaled, with the channels' secrets.
fn rendered(plan: &Plan, intent: &Intent, secrets: &Secrets) -> Map<String, Value> {
    let mut with = intent.with.as_object().cloned().unwrap_or_default();
    let channels = with.get("channels").and_then(Value::as_array).cloned().unwrap_or_default();
    let names: Vec<String> = channels.iter().filter_map(|it| it.get("name")?.as_str().map(str::to_owned)).collect();
    let secret = |name: &str| secrets.get(name).unwrap_or_default().to_owned();
    let mut resolved = notice_channels(plan, &names).resolve(&secret);
    // Each goes to whom it went to then, and to nobody else.
    for channel in resolved.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        let then = channels.iter().find(|then| then.get("name") == channel.get("name"));
        channel.extend(then.and_then(|then| then.get("to")).map(|to| ("to".to_owned(), to.clone())));
    }
    with.insert("channels".to_owned(), resolved);
    with
}

/// The deliveries that the parameters of a notice come to.
fn delivery_names(with: &Map<String, Value>) -> impl Iterator<Item = String> {
    let channels = with.get("channels").and_then(Value::as_array).into_iter().flatten();
    channels.flat_map(|channel| {
        let name = channel.get("name").and_then(Value::as_str).unwrap_or_default();
        match channel.get("to").and_then(Value::as_array) {
            Some(to) if !to.is_empty() => {
                to.iter().filter_map(Value::as_str).map(|to| format!("{name}/{to}")).collect()
            }
            _ => vec![name.to_owned()],
        }
    })
}

/// The journal of a run that nobody drives.
struct Book {
    inner: Mutex<Page>,
    plan: Arc<Plan>,
    clock: Arc<dyn Clock>,
    person: Person,
    reason: Option<String>,
}

struct Page {
    journal: Box<dyn Journal<Event>>,
    seq: Seq,
    state: State,
}

impl Book {
    fn page(&self) -> std::sync::MutexGuard<'_, Page> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn redelivery(&self, whose: (&NodePath, Option<u32>), owed: &[Owed], wanted: &Wanted) -> Option<Redelivery> {
        redelivery(&self.plan, &self.page().state, whose, owed, wanted.said())
    }

    fn is_dead(&self) -> bool {
        matches!(&*self.page().journal.durability().borrow(), Durability::Failed(_))
    }

    /// Returns once it is durable.
    async fn write(&self, (step, call): (&NodePath, Option<u32>), handle: Value) -> Result<(), String> {
        let (person, reason) = (self.person.clone(), self.reason.clone());
        let event = Event::Redelivered { step: step.clone(), call, handle, person, reason };
        let (mut durability, seq) = {
            let mut page = self.page();
            let (seq, at) = (page.seq.next(), self.clock.now());
            page.state.apply(&self.plan, at, &event).map_err(|illegal| illegal.to_string())?;
            page.seq = seq;
            page.journal.append(vec![Record { seq, at, event }]);
            (page.journal.durability(), seq)
        };
        loop {
            match &*durability.borrow_and_update() {
                Durability::UpTo(last, _) if *last >= seq => return Ok(()),
                Durability::UpTo(..) => {}
                Durability::Failed(error) => return Err(format!("the journal cannot be written: {error}")),
            }
            durability.changed().await.map_err(|_| "the journal cannot be written".to_owned())?;
        }
    }
}
