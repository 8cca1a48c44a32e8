//! Delivers what is owed of a run's notices, in its journal and under its lock, whether the run has ended or not.
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
use crate::engine::{Deliveries, Intent, Mode, NodeId, Owed, Seq, State, notice_channels, notice_known, owed};
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
    /// Why, where a doubt is settled.
    pub reason: Option<String>,
}

/// What was owed, and what still is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Before.
    pub before: Vec<Owed>,
    /// Now.
    pub after: Vec<Owed>,
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
    check_doubts(&before, wanted)?;
    let state = run.state(&run.plan)?;
    let mut steps: Vec<NodePath> = before.iter().map(|owed| owed.step.clone()).collect();
    steps.dedup();
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
        for step in &steps {
            round.deliver(step, &before, wanted).await?;
        }
        Ok::<(), Error>(())
    });
    let Round { book, .. } = round;
    runtime.shutdown_background();
    sent?;
    let after = view::open(run.folder.clone(), &registry.catalogue())?;
    drop(book);
    Ok(Delivered { before, after: owed_of(&after, wanted)? })
}

/// A doubt is settled by its name, with a reason, and only where there is one.
fn check_doubts(owed: &[Owed], wanted: &Wanted) -> Result<(), Error> {
    let doubtful: Vec<String> = owed.iter().filter(|owed| owed.in_doubt).filter_map(Owed::name).collect();
    for name in wanted.doubtful.iter().chain(&wanted.arrived) {
        if doubtful.contains(name) {
            continue;
        }
        let there = match doubtful.as_slice() {
            [] => "none is".to_owned(),
            some => format!("those that are: `{}`", some.join("`, `")),
        };
        let meant = crate::diag::closest(name, doubtful.iter().map(String::as_str));
        let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        return Err(Error::usage(format!("the delivery `{name}` is not in doubt: {there}{meant}")));
    }
    Ok(())
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
    async fn deliver(&self, step: &NodePath, before: &[Owed], wanted: &Wanted) -> Result<(), Error> {
        let plan = &self.run.plan;
        let Some(node) = self.book.find(step) else { return Ok(()) };
        let of_step = |owed: &&Owed| owed.step == *step;
        let names = |given: &[String]| -> Vec<String> {
            before.iter().filter(of_step).filter_map(Owed::name).filter(|name| given.contains(name)).collect()
        };
        let (released, arrived) = (names(&wanted.doubtful), names(&wanted.arrived));
        let mut known = self.book.known(node);
        released.iter().for_each(|name| known.release(name));
        arrived.iter().for_each(|name| known.taken(name));
        if !arrived.is_empty() {
            self.book.write(step, json!(known)).await.map_err(|why| Error::new(Exit::Journal, why))?;
        }
        if !before.iter().filter(of_step).any(|owed| !owed.in_doubt) && released.is_empty() {
            return Ok(());
        }
        // What was rendered when the step ran; a notice that was not cannot be sent.
        let Some(intent) = self.intent(step) else { return Ok(()) };
        let with = rendered(plan, intent, &self.secrets);
        if known == Deliveries::default() {
            // Nothing was sent so far: from here on each delivery is owed until it is made.
            known.why = delivery_names(&with).map(|name| (name, "not sent yet".to_owned())).collect();
            self.book.write(step, json!(known)).await.map_err(|why| Error::new(Exit::Journal, why))?;
        }
        let call = self.call(step, with, &known);
        match crate::actions::notify::Notify::default().apply(&self.context(step), &call).await {
            Err(Failure::Failed(why)) if self.book.is_dead() => Err(Error::new(Exit::Journal, why)),
            // What came of each is in the journal.
            _ => Ok(()),
        }
    }

    fn intent(&self, step: &NodePath) -> Option<&Intent> {
        self.run.records.iter().rev().find_map(|record| match &record.event {
            Event::Intent(intent) if intent.step == *step => Some(&**intent),
            _ => None,
        })
    }

    fn call(&self, step: &NodePath, with: Map<String, Value>, known: &Deliveries) -> Call {
        Call {
            run: self.run.id().to_owned(),
            step: step.to_string(),
            attempt: 0,
            idempotency_key: format!("{}-{step}", self.run.id()),
            with,
            declared: Vec::new(),
            folder: PathBuf::new(),
            timeout: Duration::from_mins(10),
            repeatable: false,
            settle: Duration::ZERO,
            previous: Some(json!(known)),
        }
    }

    fn context(&self, step: &NodePath) -> Context {
        let http = crate::edge::http::http_client().unwrap_or_default();
        let credentials = Credentials::new(self.run.plan.workspace.azure.credentials.clone());
        let (book, step) = (Arc::clone(&self.book), step.clone());
        let handle = move |handle: Value| -> Act<'static, Result<(), Failure>> {
            let (book, step) = (Arc::clone(&book), step.clone());
            Box::pin(async move { book.write(&step, handle).await.map_err(Failure::Failed) })
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

    fn find(&self, step: &NodePath) -> Option<NodeId> {
        self.page().state.find(&self.plan, &step.0)
    }

    /// What is known of a notice's deliveries, those of other notices that it has to know of among them.
    fn known(&self, node: NodeId) -> Deliveries {
        let page = self.page();
        notice_known(&self.plan, &page.state, node).as_ref().and_then(Deliveries::read).unwrap_or_default()
    }

    fn is_dead(&self) -> bool {
        matches!(&*self.page().journal.durability().borrow(), Durability::Failed(_))
    }

    /// Returns once it is durable.
    async fn write(&self, step: &NodePath, handle: Value) -> Result<(), String> {
        let (person, reason) = (self.person.clone(), self.reason.clone());
        let event = Event::Redelivered { step: step.clone(), handle, person, reason };
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
