//! The actions: the typed things a step does.
//!
//! An action knows its parameters and the world; it knows nothing of runs, steps or journals. A new
//! action is one file here, one line in `registry`, one test file: docs, schema, completion, lint
//! and dry run come from its [`ActionSpec`].

pub mod assert;
pub mod azure;
pub mod exec;
mod expect;
mod extract;
pub mod http;
pub(crate) mod limits;
pub mod manual;
pub mod notify;
pub(crate) mod params;
pub mod probe_dns;
pub mod probe_http;
pub mod probe_tcp;
mod process;
pub mod registry;
mod request;
pub mod runbook;
pub(crate) mod samples;
pub mod shell;
pub mod wait;

pub use registry::Registry;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::catalogue::ActionSpec;
use crate::edge::Act;
use crate::edge::clock::Clock;
use crate::edge::secrets::Secrets;

/// What an action does. See the design's section 6.
pub trait Action: Send + Sync {
    /// Parameters, outputs, effect class and docs.
    fn spec(&self) -> &'static ActionSpec;

    /// Exactly what would be sent or run: one line an item. Parameters show secrets by reference.
    fn preview(&self, with: &Map<String, Value>) -> Vec<String>;

    /// What would be sent that changes something, as far as the parameters tell, with the defaults that hold: what
    /// a gate shows besides the parameters, and binds to. Nothing where the parameters say it all.
    fn sends(&self, _with: &Map<String, Value>) -> Vec<String> {
        Vec::new()
    }

    /// A read-only look at the world: did this happen?
    fn observe<'a>(&'a self, _context: &'a Context, _call: &'a Call) -> Act<'a, Observation> {
        Box::pin(async { Observation::Unknown("this action leaves nothing to look at".to_owned()) })
    }

    /// What `apply` would do now, by what can be read. Changes nothing.
    fn foresee<'a>(&'a self, _context: &'a Context, _call: &'a Call) -> Act<'a, Foreseen> {
        Box::pin(async { Foreseen::AsPreviewed })
    }

    /// Does it. Journals a handle, through [`Context::handle`], as soon as there is one.
    ///
    /// Returns when the effect is known to have happened or not; waits no longer than `call.timeout`
    /// and stops at once when `context.cancel` fires.
    fn apply<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Result<Done, Failure>>;

    /// Takes up an apply that an earlier process began, by the last handle it journaled.
    /// `None`: this action leaves no handle that can be followed.
    fn attach<'a>(
        &'a self,
        _context: &'a Context,
        _call: &'a Call,
        _handle: &'a Value,
    ) -> Option<Act<'a, Result<Done, Failure>>> {
        None
    }
}

/// One use of an action: everything resolved, secrets included. Never journaled, never printed.
#[derive(Clone, Debug)]
pub struct Call {
    /// The run's id.
    pub run: String,
    /// The step's path, such as `promote[eu].check`.
    pub step: String,
    /// Counts from one.
    pub attempt: u32,
    /// The same for every attempt of a step in a run: what a receiver may deduplicate by.
    pub idempotency_key: String,
    /// `with`, checked against the spec.
    pub with: Map<String, Value>,
    /// The names and types of outputs that the step itself declares.
    pub declared: Vec<(String, crate::catalogue::Type)>,
    /// A folder for this attempt alone; made by whoever first needs it.
    pub folder: PathBuf,
    /// How long the action may take.
    pub timeout: Duration,
    /// Whether the step declared `on_interrupt: retry`: it need not outlive this process.
    pub repeatable: bool,
    /// How long something sent earlier may take to show: zero where nothing was sent before.
    pub settle: Duration,
    /// The last handle that an earlier attempt of the same step journaled; for `observe`, the attempt looked at.
    pub previous: Option<Value>,
}

/// What an action may use of the outside.
#[derive(Clone)]
pub struct Context {
    /// The clock all waiting goes through.
    pub clock: Arc<dyn Clock>,
    /// The way to Azure.
    pub azure: Arc<azure::Azure>,
    /// One client for all requests: one pool, one TLS setup.
    pub http: reqwest::Client,
    /// For masking what comes back; parameters arrive resolved.
    pub secrets: Arc<Secrets>,
    /// Fires when the step is to stop.
    pub cancel: CancellationToken,
    /// Where relative paths of the runbook start: the workspace's folder.
    pub workspace: PathBuf,
    /// Journals a handle and returns once it is durable.
    pub handle: Arc<dyn Fn(Value) -> Act<'static, Result<(), Failure>> + Send + Sync>,
}

/// A finished action.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Done {
    /// The outputs the spec or the step declares.
    pub outputs: Map<String, Value>,
    /// The wanted state already held: nothing was done.
    pub already: bool,
    /// One line for people: what came of it.
    pub note: String,
}

/// How an action did not finish.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It is known how it ended, and not well. Running it again is a retry, not a repetition.
    #[error("{0}")]
    Failed(String),
    /// It may or may not have happened (a lost answer, a timeout, a cancellation): the evidence.
    #[error("{0}")]
    Ambiguous(String),
    /// It was stopped before it had any effect.
    #[error("cancelled before it had any effect")]
    Cancelled,
}

/// What an action would do now.
#[derive(Clone, Debug, PartialEq)]
pub enum Foreseen {
    /// The preview tells it all: nothing is read before.
    AsPreviewed,
    /// It would change something.
    Sends {
        /// What it would do first, in words.
        what: String,
        /// What it would send for that, one line an item, and what the other side says would come of it.
        lines: Vec<String>,
        /// Whether that rests on a state that was read; else it is sent whatever the state.
        has_read: bool,
    },
    /// Nothing: the wanted state holds.
    Holds(Done),
    /// It would wait first, and why.
    Waits(String),
    /// It would fail, and why.
    Fails(String),
    /// The state could not be read, and why.
    Unknown(String),
}

impl Foreseen {
    /// What that means, for people; nothing where the preview tells it all.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        Some(match self {
            Self::AsPreviewed => return None,
            Self::Sends { what, .. } => format!("still to be done: {what}"),
            Self::Holds(done) => format!("nothing would be sent: {}", done.note),
            Self::Waits(why) => format!("would wait first: {why}"),
            Self::Fails(why) => format!("would fail: {why}"),
            Self::Unknown(why) => format!("its state could not be read: {why}"),
        })
    }
}

/// What a look at the world says.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// It happened, with these outputs.
    Applied(Map<String, Value>),
    /// It did not happen.
    NotApplied(String),
    /// What was begun goes on: to begin it again would meet itself. Where that is to be seen.
    UnderWay(String),
    /// Nothing can tell, and why.
    Unknown(String),
}

/// What the result of a check says: whether the condition holds, and if not, why.
///
/// A probe says so by its output `healthy`; any other check holds if it succeeded.
///
/// # Errors
/// The reason why it does not hold.
pub fn holds(spec: &ActionSpec, result: &Result<Done, Failure>) -> Result<String, String> {
    let done = result.as_ref().map_err(Failure::to_string)?;
    let probes = spec.outputs.fixed().iter().any(|field| field.name == "healthy");
    if !probes || done.outputs.get("healthy") == Some(&Value::Bool(true)) {
        return Ok(done.note.clone());
    }
    let reason = done.outputs.get("reason").and_then(Value::as_str);
    Err(reason.unwrap_or("it is not healthy").to_owned())
}
