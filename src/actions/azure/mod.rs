//! The typed actions on Azure.
//!
//! An [`Operation`] decides and sends nothing: from its parameters and what was read so far it says what to
//! read next, what to send, or what came of it. `run` carries that out for all of them: it reads,
//! asks, sends once, follows long operations, and reads again. So a lost answer, a killed drctl and a state
//! that already holds are all the same case: look first.
//!
//! A new service is one file under `services/` and one line in `services::all`.

mod client;
mod cloud;
mod credential;
mod error;
mod fields;
mod follow;
mod known;
mod limiter;
mod made;
mod read;
mod request;
mod run;
mod secret;
mod services;
mod with;

use std::sync::Arc;

use serde_json::{Map, Value};

pub use client::{Azure, Via};
pub use cloud::Cloud;
pub use credential::Credentials;
pub use known::{Answer, Known};
pub use request::{Api, Method, Repeat, Request, Resource, Write};
pub use run::SETTLE;
pub use secret::{Vaults, vault_host};
pub use services::all;
pub use with::With;

use super::{Action, Call, Context, Done, Failure, Foreseen, Observation};
use crate::catalogue::{ActionSpec, Effect};
use crate::edge::Act;

/// One typed thing to do on Azure. Pure: it says what it wants, and never sends anything itself.
pub trait Operation: Send + Sync {
    /// Parameters, outputs, effect class and docs.
    fn spec(&self) -> &'static ActionSpec;

    /// The next thing to do, by what is known. Asked again after everything that was done, with the state
    /// read anew, until it says that it is done.
    ///
    /// # Errors
    /// The same words: what has to be read before anything can be said ([`Known`] gives them).
    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next>;

    /// What Azure itself says that a change would do: asked in a dry run, before what would be sent is shown.
    ///
    /// # Errors
    /// What has to be read first.
    fn foretold(&self, _with: &With<'_>, _known: &Known) -> Result<Vec<String>, Next> {
        Ok(Vec::new())
    }

    /// Codes of refusals which say that the wanted state holds: what was read before was out of date.
    fn holds_by_refusal(&self) -> &'static [&'static str] {
        &[]
    }

    /// What to do instead, for people who read that its change came to nothing.
    fn advice(&self) -> Option<&'static str> {
        None
    }

    /// The requests it will send unless the wanted state holds, as far as the parameters tell. What is read first stands
    /// in them as `{run}`, and `..` is what stays as it was.
    fn writes(&self, _with: &With<'_>) -> Vec<Request> {
        Vec::new()
    }
}

/// What an operation wants next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// These answers.
    Read(Vec<Request>),
    /// This change. The same one is never sent twice in an attempt, except where it was refused for the moment.
    Send(Box<Write>),
    /// The wanted state is on its way, or something else is being done there: look again later.
    Wait(String),
    /// The wanted state holds, or this is what was asked for.
    Done(Done),
    /// It cannot be done, and repeating it will not help.
    Fail(String),
}

impl Next {
    /// Done, with these outputs and one line for people.
    #[must_use]
    pub fn done(outputs: Value, note: impl Into<String>) -> Self {
        let outputs = match outputs {
            Value::Object(outputs) => outputs,
            _ => Map::new(),
        };
        Self::Done(Done { outputs, already: false, note: note.into() })
    }

    /// A change that may be sent again without harm.
    #[must_use]
    pub fn send(request: Request, what: impl Into<String>) -> Self {
        Self::Send(Box::new(Write { request, repeat: Repeat::Safe, what: what.into() }))
    }

    /// A change that starts something: sent once; after a lost answer the state is read before anything else.
    #[must_use]
    pub fn send_once(request: Request, what: impl Into<String>) -> Self {
        Self::Send(Box::new(Write { request, repeat: Repeat::Once, what: what.into() }))
    }
}

/// A request's lines, the first of which says that it is sent.
fn sent(mut lines: Vec<String>) -> Vec<String> {
    if let Some(first) = lines.first_mut() {
        first.insert_str(0, "sends ");
    }
    lines
}

/// All operations as actions.
#[must_use]
pub fn actions() -> Vec<Box<dyn Action>> {
    all().into_iter().map(|operation| -> Box<dyn Action> { Box::new(OnAzure(operation)) }).collect()
}

/// An operation as an action.
struct OnAzure(Arc<dyn Operation>);

impl Action for OnAzure {
    fn spec(&self) -> &'static ActionSpec {
        self.0.spec()
    }

    fn preview(&self, with: &Map<String, Value>) -> Vec<String> {
        let with = With::new(with);
        let empty = Known::default();
        let (Ok(next) | Err(next)) = self.0.decide(&with, &empty);
        let reads = match next {
            Next::Read(requests) => requests,
            _ => Vec::new(),
        };
        let lines = |request: &Request| request.lines(&with.cloud());
        let writes = self.0.writes(&with);
        let credential = format!("as `{}`", with.credential());
        let reads = reads.iter().flat_map(lines).map(|line| format!("reads {line}"));
        reads.chain(writes.iter().flat_map(lines)).chain([credential]).collect()
    }

    fn sends(&self, with: &Map<String, Value>) -> Vec<String> {
        if (self.spec().effect)(with) == Effect::Reads {
            return Vec::new();
        }
        let absent = self.spec().parameters.iter().filter(|field| !with.contains_key(field.name));
        let defaults: Vec<String> =
            absent.filter_map(|field| Some(format!("{}: {} (not given)", field.name, field.default()?))).collect();
        let with = With::new(with);
        let writes = self.0.writes(&with);
        let lines = writes.iter().flat_map(|request| sent(request.lines(&with.cloud())));
        defaults.into_iter().chain(lines).collect()
    }

    fn observe<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Observation> {
        Box::pin(run::observe(&*self.0, context, call))
    }

    fn foresee<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Foreseen> {
        Box::pin(run::foresee(&*self.0, context, call))
    }

    fn apply<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Result<Done, Failure>> {
        Box::pin(run::apply(&*self.0, context, call, None))
    }

    fn attach<'a>(
        &'a self,
        context: &'a Context,
        call: &'a Call,
        handle: &'a Value,
    ) -> Option<Act<'a, Result<Done, Failure>>> {
        let writes = (self.spec().effect)(&call.with) != Effect::Reads;
        (writes && handle.is_object())
            .then(|| -> Act<'a, _> { Box::pin(run::apply(&*self.0, context, call, Some(handle))) })
    }
}
