//! Tiny servers on this machine, and what an action gets of the outside.

#![expect(unreachable_pub, reason = "a test is a crate of its own: `pub` says what its modules offer")]

pub mod dns;
pub mod http;

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use drctl::actions::{Action, Call, Context, Done, Failure, Observation, Registry};
use drctl::catalogue::{Catalogue, Timestamp};
use drctl::edge::Act;
use drctl::edge::clock::{Clock, SystemClock};
use drctl::edge::http::http_client;
use drctl::edge::process::ProcessRunner;
use drctl::edge::secrets::Secrets;
use drctl::engine::known_by;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

/// A clock that stands still while anybody works, and leaps to the next end of a sleep.
#[derive(Default)]
pub struct LeapingClock {
    now: AtomicI64,
    sleeping: Mutex<Vec<Timestamp>>,
}

/// Takes a sleeper off the list, also if nobody waits for it any more.
struct Sleeper<'a>(&'a LeapingClock, Timestamp);

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        let mut sleeping = self.0.sleeping.lock().unwrap();
        let at = sleeping.iter().position(|end| *end == self.1).unwrap();
        sleeping.remove(at);
    }
}

impl Clock for LeapingClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn sleep(&self, span: Duration) -> Act<'_, ()> {
        Box::pin(async move {
            let end = self.now().plus(span);
            self.sleeping.lock().unwrap().push(end);
            let sleeper = Sleeper(self, end);
            loop {
                tokio::task::yield_now().await;
                if self.sleeping.lock().unwrap().iter().all(|other| sleeper.1 <= *other) {
                    break self.now.store(end.0, Ordering::SeqCst);
                }
            }
        })
    }
}

/// Keeps what is known by a handle, as a run does.
fn keep(handles: &mut Vec<Value>, handle: &Value) {
    handles.push(known_by(handles.last().cloned(), handle));
}

/// A workspace with the actions, and what is known by the handles they journaled.
pub struct Site {
    pub context: Context,
    pub handles: Arc<Mutex<Vec<Value>>>,
    registry: Registry,
    folder: tempfile::TempDir,
}

impl Site {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let handles = Arc::new(Mutex::new(Vec::new()));
        let journal = Arc::clone(&handles);
        let context = Context {
            clock: Arc::new(SystemClock::start(Timestamp::default())),
            http: http_client().unwrap(),
            azure: Arc::new(drctl::actions::azure::Azure::new(
                Arc::new(reqwest::Client::new()),
                Default::default(),
                Arc::new(SystemClock::start(Timestamp::default())),
                "run",
            )),
            secrets: Arc::new(Secrets::default()),
            cancel: CancellationToken::new(),
            workspace: folder.path().to_owned(),
            handle: Arc::new(move |handle| {
                keep(&mut journal.lock().unwrap(), &handle);
                Box::pin(async { Ok(()) })
            }),
        };
        let runner = ProcessRunner::new(env!("CARGO_BIN_EXE_drctl"));
        Self { context, handles, registry: Registry::new(Arc::new(runner)), folder }
    }

    pub fn with_secret(mut self, value: &str) -> Self {
        let mut secrets = Secrets::default();
        secrets.insert("token", value);
        self.context.secrets = Arc::new(secrets);
        self
    }

    /// A site whose journal takes `room` handles and then fails, as if drctl had died there.
    pub fn with_journal_for(mut self, room: usize) -> Self {
        let journal = Arc::clone(&self.handles);
        self.context.handle = Arc::new(move |handle| {
            let mut handles = journal.lock().unwrap();
            let fits = handles.len() < room;
            if fits {
                keep(&mut handles, &handle);
            }
            Box::pin(async move {
                let dead = || Failure::Failed("the journal is dead".to_owned());
                fits.then_some(()).ok_or_else(dead)
            })
        });
        self
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub fn action(&self, name: &str) -> &dyn Action {
        self.registry.get(name).unwrap()
    }

    pub fn catalogue(&self) -> Catalogue {
        self.registry.catalogue()
    }

    /// Checks the parameters against the spec first, as the engine does.
    pub async fn apply(&self, name: &str, with: Value) -> Result<Done, Failure> {
        let call = call(with);
        assert_eq!(self.action(name).spec().check(&call.with), Ok(()));
        self.run(name, &call).await
    }

    pub async fn run(&self, name: &str, call: &Call) -> Result<Done, Failure> {
        self.action(name).apply(&self.context, call).await
    }

    pub async fn attach(&self, name: &str, call: &Call, handle: &Value) -> Result<Done, Failure> {
        self.action(name).attach(&self.context, call, handle).unwrap().await
    }

    pub async fn observe(&self, name: &str, with: Value) -> Observation {
        self.action(name).observe(&self.context, &call(with)).await
    }
}

pub fn call(with: Value) -> Call {
    let Value::Object(with) = with else { panic!("a mapping is wanted") };
    Call {
        run: "run-1".to_owned(),
        step: "tell[eu]".to_owned(),
        attempt: 1,
        idempotency_key: "run-1/tell[eu]".to_owned(),
        with,
        declared: Vec::new(),
        folder: PathBuf::from("unused"),
        timeout: Duration::from_secs(60),
        repeatable: false,
        settle: Duration::ZERO,
        previous: None,
    }
}

/// The outputs but for the time it took, which differs each time.
pub fn timeless(done: Result<Done, Failure>) -> Value {
    let mut outputs: Map<String, Value> = done.unwrap().outputs;
    let latency = outputs.remove("latency_ms").unwrap();
    assert!(latency.is_u64(), "{latency}");
    json!(outputs)
}

/// How long `work` takes.
pub async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let clock = SystemClock::start(Timestamp::default());
    let begin = clock.now();
    let result = work.await;
    (result, begin.until(clock.now()))
}
