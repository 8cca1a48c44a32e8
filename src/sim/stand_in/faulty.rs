//! The faults that a scenario brings to a step. Those of a step on Azure, but for one that hangs, strike its requests
//! there: here it only begins, and what Azure does at once takes its time.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::stage::{Stage, on_azure};
use crate::actions::limits::{Stopped, within};
use crate::actions::{Action, Call, Context, Done, Failure, Foreseen, Observation};
use crate::catalogue::{ActionSpec, Effect, HumanDuration};
use crate::edge::Act;
use crate::sim::scenario::{Fault, Lost};

/// An action, and what may go wrong with it.
pub(super) struct Faulty {
    inner: Box<dyn Action>,
    stage: Arc<Stage>,
}

impl Faulty {
    pub(super) fn new(inner: Box<dyn Action>, stage: Arc<Stage>) -> Self {
        Self { inner, stage }
    }

    async fn strike(&self, context: &Context, call: &Call, fault: Fault) -> Result<Done, Failure> {
        match fault {
            Fault::FailedOperation { code, message, .. } => {
                let message = message.unwrap_or_else(|| "the rehearsal makes it fail".to_owned());
                Err(Failure::Failed(code.map_or(message.clone(), |code| format!("{code}: {message}"))))
            }
            Fault::LostResponse { effect: Lost::AfterEffect, .. } => {
                self.inner.apply(context, call).await?;
                Err(self.lost(call, "the answer was lost"))
            }
            Fault::LostResponse { .. } => Err(self.lost(call, "the answer was lost")),
            Fault::Timeout { .. } => {
                self.inner.apply(context, call).await?;
                self.time_out(context, call).await
            }
            _ => self.time_out(context, call).await,
        }
    }

    /// The real action, while the simulated Azure knows that it is its turn to be struck.
    async fn on_azure(&self, context: &Context, call: &Call) -> Result<Done, Failure> {
        let reads = (self.spec().effect)(&call.with) == Effect::Reads;
        let _attempt = self.stage.attempt(call, (self.spec().name, reads));
        if reads { self.inner.apply(context, call).await } else { self.in_its_time(context, call).await }
    }

    /// What Azure carries out at once is shown as done by its tools only after a while: as long as the step takes. Where
    /// that is longer than the step waits, it has happened, and nobody has said so.
    async fn in_its_time(&self, context: &Context, call: &Call) -> Result<Done, Failure> {
        let begun = context.clock.now();
        let done = self.inner.apply(context, call).await?;
        let gone = begun.until(context.clock.now());
        let takes = if done.already || self.stage.has_operation(&call.step) { gone } else { self.stage.duration(call) };
        let rest = context.clock.sleep(takes.saturating_sub(gone));
        match within(context, call.timeout.saturating_sub(gone), rest).await {
            Ok(()) => Ok(done),
            Err(Stopped::Cancel) => Err(self.lost(call, &Stopped::Cancel.words())),
            Err(Stopped::Timeout(_)) => Err(self.lost(call, &timed_out(call))),
        }
    }

    /// The step never answers.
    async fn time_out(&self, context: &Context, call: &Call) -> Result<Done, Failure> {
        within(context, call.timeout, std::future::pending::<()>()).await.ok();
        Err(self.lost(call, &timed_out(call)))
    }

    fn lost(&self, call: &Call, why: &str) -> Failure {
        let repeatable = call.repeatable || (self.spec().effect)(&call.with).is_repeatable();
        if repeatable { Failure::Failed(why.to_owned()) } else { Failure::Ambiguous(why.to_owned()) }
    }
}

fn timed_out(call: &Call) -> String {
    format!("timed out after {}", HumanDuration(call.timeout))
}

impl Action for Faulty {
    fn spec(&self) -> &'static ActionSpec {
        self.inner.spec()
    }

    fn preview(&self, with: &Map<String, Value>) -> Vec<String> {
        self.inner.preview(with)
    }

    fn sends(&self, with: &Map<String, Value>) -> Vec<String> {
        self.inner.sends(with)
    }

    fn foresee<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Foreseen> {
        self.inner.foresee(context, call)
    }

    fn observe<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Observation> {
        self.inner.observe(context, call)
    }

    fn apply<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Result<Done, Failure>> {
        match self.stage.strike(call, self.spec().name) {
            Some(fault) => Box::pin(self.strike(context, call, fault)),
            None if on_azure(self.spec().name) => Box::pin(self.on_azure(context, call)),
            None => self.inner.apply(context, call),
        }
    }

    fn attach<'a>(
        &'a self,
        context: &'a Context,
        call: &'a Call,
        handle: &'a Value,
    ) -> Option<Act<'a, Result<Done, Failure>>> {
        self.inner.attach(context, call, handle)
    }
}
