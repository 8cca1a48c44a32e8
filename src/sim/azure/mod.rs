//! The simulated Azure: answers the real URLs from a world in memory, on whatever clock it is given.
//!
//! Written from the descriptions of the services alone: it shares no code and no types with `actions::azure`, so
//! that a mistake in one shows in the other. It outlives the drctl that talks to it.

mod answer;
mod clouds;
mod derive;
mod fault;
mod incoming;
mod lag;
mod limits;
mod operation;
mod outage;
mod paging;
mod refusal;
mod regions;
mod services;
mod spread;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use azure_core::error::ErrorKind;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request};
use serde_json::{Map, Value};

use crate::catalogue::Timestamp;
use crate::edge::clock::Clock;
use crate::sim::scenario::Fault;
use answer::Answer;
use incoming::Incoming;
pub use regions::paired;
use world::World;

/// How long the way there and back takes.
const LATENCY: Duration = Duration::from_millis(120);

/// How long what a step starts takes, by the step's path.
pub type Times = Arc<dyn Fn(&str) -> Duration + Send + Sync>;

/// A request that was answered, for expectations and for checking that it is one that Azure takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    /// When it came.
    pub at: Timestamp,
    /// The verb.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The step it was of.
    pub step: String,
    /// The body; null where there was none.
    pub body: Value,
    /// The headers, without the token.
    pub headers: Vec<(String, String)>,
    /// What the token is for.
    pub scope: String,
    /// The answer's status; 0 where none was given.
    pub status: u16,
    /// Whether it changed something, or began to, whatever became of the answer.
    pub was_done: bool,
    /// Whether what it began fails in the end, and leaves the resource as it was.
    pub fails: bool,
    /// Whether it asked for the state of an operation.
    pub polls: bool,
    /// The answer's body.
    pub answer: Value,
}

/// A simulated Azure. Cheap to clone: all clones are the same one.
#[derive(Clone)]
pub struct Azure {
    world: Arc<Mutex<World>>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Azure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Azure")
    }
}

impl Azure {
    /// An empty one.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, seed: u64, times: Times, faults: Vec<Fault>) -> Self {
        let world = World::new(clock.now(), seed, times, faults);
        Self { world: Arc::new(Mutex::new(world)), clock }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts there what a step's action takes for granted, in the state before the run. What is there stays.
    pub fn derive(&self, action: &str, with: &Map<String, Value>) {
        let mut world = self.world();
        world.is_open = false;
        derive::derive(&mut world, action, with);
    }

    /// Puts a resource there, or changes one: `type` and `name`, or `id`; `location`; whatever else it holds.
    /// With `absent: true` it is taken away.
    ///
    /// # Errors
    /// What is missing, as a sentence.
    pub fn put(&self, resource: &Value) -> Result<(), String> {
        let mut world = self.world();
        world.is_open = false;
        derive::put(&mut world, resource)
    }

    /// It is a cloud that a workspace describes, too: its hosts answer as the public ones do.
    pub fn answer_in(&self, described: &Value) {
        self.world().clouds.add(described);
    }

    /// A resource, by id or by type and name: `Microsoft.Web/sites/shop-web`.
    #[must_use]
    pub fn look(&self, resource: &str) -> Option<Value> {
        let mut world = self.world();
        world.advance(self.clock.now());
        world.look(resource)
    }

    /// All resources, by id.
    #[must_use]
    pub fn resources(&self) -> BTreeMap<String, Value> {
        let mut world = self.world();
        world.advance(self.clock.now());
        world.resources()
    }

    /// All resources, by id, once everything that was begun has ended: how long that takes is no difference.
    #[must_use]
    pub fn settled(&self) -> BTreeMap<String, Value> {
        let mut world = self.world();
        let end = self.clock.now().plus(operation::FOREVER);
        world.advance(end);
        world.resources()
    }

    /// Every request that came so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Logged> {
        self.world().log.clone()
    }

    /// Whether a fault, by its place in the scenario, has struck a request.
    #[must_use]
    pub fn has_struck(&self, fault: usize) -> bool {
        self.world().faults.has_struck(fault)
    }

    /// Whether anything is in a region, or names it.
    #[must_use]
    pub fn knows_region(&self, region: &str) -> bool {
        self.world().knows_region(region)
    }

    /// Whether a resource is there, by its id or by type and name, or by the end of its id.
    #[must_use]
    pub fn knows_resource(&self, resource: &str) -> bool {
        let wanted = resource.to_ascii_lowercase();
        self.world().resources().keys().any(|id| id.ends_with(&wanted))
    }

    /// An attempt of a step, by its path, begins: until what is given back is dropped, what strikes the step strikes
    /// its requests. `reads`: the step only reads, and its reads are struck.
    #[must_use]
    pub fn attempt(&self, step: &str, reads: bool) -> Attempt {
        self.world().faults.enter(step, reads);
        Attempt { azure: self.clone(), step: step.to_owned() }
    }

    /// Whether a step, by its path, has begun something that takes its own time.
    #[must_use]
    pub fn has_operation(&self, step: &str) -> bool {
        self.world().operations.has(step)
    }

    /// Whether a step, by its path without keys, has changed anything, and all users are served by it.
    #[must_use]
    pub fn has_arrived(&self, step: &str) -> bool {
        let mut world = self.world();
        world.advance(self.clock.now());
        world.has_arrived(step)
    }

    /// The region that the users of a resource, by id or by type and name, are served from.
    #[must_use]
    pub fn served_from(&self, resource: &str) -> Option<String> {
        let mut world = self.world();
        world.advance(self.clock.now());
        world.served_from(resource)
    }
}

/// An attempt of a step, under way until it is dropped.
#[derive(Debug)]
pub struct Attempt {
    azure: Azure,
    step: String,
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.azure.world().faults.leave(&self.step);
    }
}

#[async_trait::async_trait]
impl HttpClient for Azure {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.clock.sleep(LATENCY).await;
        let body = match request.body() {
            Body::Bytes(bytes) if !bytes.is_empty() => serde_json::from_slice(bytes).unwrap_or(Value::Null),
            _ => Value::Null,
        };
        let answer = {
            let mut world = self.world();
            world.advance(self.clock.now());
            let incoming = Incoming::read(request, body, &world.clouds);
            answer(&mut world, incoming)
        };
        match answer {
            Answer::Response(response) => Ok(response.into_raw()),
            Answer::NeverConnected => Err(lost(ErrorKind::Connection, "connection refused")),
            Answer::Lost => Err(lost(ErrorKind::Io, "connection reset by peer")),
            Answer::Silence => {
                self.clock.sleep(Duration::from_hours(24 * 365)).await;
                Err(lost(ErrorKind::Io, "no answer"))
            }
        }
    }
}

fn lost(kind: ErrorKind, why: &'static str) -> azure_core::Error {
    azure_core::Error::with_message(kind, why)
}

/// Answers a request, faults included, and remembers it.
fn answer(world: &mut World, incoming: Incoming) -> Answer {
    world.is_open = true;
    let (mut was_done, mut fails) = (false, false);
    let answer = match admitted(world, &incoming) {
        Err(refused) => refused,
        Ok(left) => {
            world.look_before(&incoming);
            let last = world.operations.last();
            let answer = services::answer(world, &incoming);
            was_done = !incoming.is_read() && answer.is_good();
            fails = world.operations.one_fails_after(last);
            let answer = fault::after(world, &incoming, answer);
            left.into_iter().fold(answer, |answer, (header, left)| answer.header(header, left.to_string()))
        }
    };
    let answer = refusal::shaped(world, &incoming, answer);
    let answer = refusal::signed(world, &incoming, answer);
    world.remember(incoming, &answer, (was_done, fails));
    answer
}

/// What stands before the services: whose token it is, how many requests there were, what goes wrong.
fn admitted(world: &mut World, incoming: &Incoming) -> Result<Option<(&'static str, i64)>, Answer> {
    fault::unknown_token(world, incoming).map_or(Ok(()), Err)?;
    let left = limits::count(world, incoming)?;
    fault::before(world, incoming).map_or(Ok(left), Err)
}
