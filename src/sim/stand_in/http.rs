//! `http` in a rehearsal: what answers is the simulated world.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Done as Entry;
use super::stage::Stage;
use crate::actions::limits::within;
use crate::actions::{Action, Call, Context, Done, Failure, Observation};
use crate::catalogue::{ActionSpec, Effect};
use crate::edge::Act;

/// Stands in for a request and its answer.
pub(super) struct Exchange {
    real: Box<dyn Action>,
    stage: Arc<Stage>,
}

impl Exchange {
    pub(super) fn new(real: Box<dyn Action>, stage: Arc<Stage>) -> Self {
        Self { real, stage }
    }

    fn effect(&self, call: &Call) -> Effect {
        (self.real.spec().effect)(&call.with)
    }

    /// The status the step wants, if it says so.
    fn wanted(call: &Call) -> Option<u64> {
        let status = call.with.get("expect")?.get("status")?;
        status.as_u64().or_else(|| status.get(0)?.as_u64())
    }

    fn outputs(&self, call: &Call, status: u64, latency: Duration) -> Map<String, Value> {
        let fixed = json!({
            "status": status,
            "latency_ms": u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
            "body": "",
            "json": null,
        });
        let mut outputs = fixed.as_object().cloned().unwrap_or_default();
        outputs.extend(self.stage.outputs(&call.step, &call.declared));
        outputs.extend(self.stage.said(&call.step));
        outputs
    }

    async fn exchange(&self, context: &Context, call: &Call) -> Result<Done, Failure> {
        let text = |name: &str| call.with.get(name).and_then(Value::as_str).unwrap_or_default();
        let (method, url) = (if text("method").is_empty() { "GET" } else { text("method") }, text("url"));
        let name = format!("`{method} {url}`");
        let probed = self.stage.probe(url);
        if !probed.known {
            self.stage.assume(&call.step, format!("that {url} answers"));
        }
        let latency = self.stage.duration(call);
        if let Some(why) = self.stage.holds_not(call) {
            return Err(Failure::Failed(why));
        }
        let status = match probed.answer {
            Ok(200) => Self::wanted(call).unwrap_or(200),
            Ok(status) => u64::from(status),
            Err(why) => {
                context.clock.sleep(latency).await;
                return Err(Failure::Failed(format!("{name} was not sent: {why}")));
            }
        };
        let fails = self.stage.fails(&call.step).filter(|_| !self.stage.is_undo(call));
        let outputs = self.outputs(call, status, latency);
        self.record(call, (latency, outputs.clone(), fails.clone()));
        context.clock.sleep(latency).await;
        let good = Self::wanted(call).map_or((200..300).contains(&status), |wanted| wanted == status);
        match fails {
            Some(why) => Err(Failure::Failed(why)),
            None if !good => Err(Failure::Failed(format!("{name} was answered with {status}"))),
            None => Ok(Done { outputs, already: false, note: format!("{name} was answered with {status}") }),
        }
    }

    fn record(&self, call: &Call, (latency, outputs, fails): (Duration, Map<String, Value>, Option<String>)) {
        let at = self.stage.now();
        self.stage.ledger().done.push(Entry {
            key: call.idempotency_key.clone(),
            step: call.step.clone(),
            undo: self.stage.is_undo(call),
            attempt: call.attempt,
            action: self.real.spec().name,
            effect: self.effect(call),
            repeatable: call.repeatable,
            at,
            ends: at.plus(latency),
            outputs,
            fails,
        });
    }

    /// What an earlier attempt did, where the step's `observe` would show it.
    fn seen(&self, call: &Call) -> Option<Map<String, Value>> {
        call.with.get("observe")?;
        self.stage.ledger().succeeded(&call.idempotency_key).map(|done| done.outputs.clone())
    }
}

impl Action for Exchange {
    fn spec(&self) -> &'static ActionSpec {
        self.real.spec()
    }

    fn preview(&self, with: &Map<String, Value>) -> Vec<String> {
        self.real.preview(with)
    }

    fn apply<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Result<Done, Failure>> {
        Box::pin(async move {
            if context.cancel.is_cancelled() {
                return Err(Failure::Cancelled);
            }
            if let Some(outputs) = self.seen(call) {
                let note = "not sent: the wanted state holds already".to_owned();
                return Ok(Done { outputs, already: true, note });
            }
            match within(context, call.timeout, self.exchange(context, call)).await {
                Ok(result) => result,
                Err(stopped) if self.effect(call).is_repeatable() => Err(Failure::Failed(stopped.words())),
                Err(stopped) => Err(Failure::Ambiguous(format!("it may have been carried out: {}", stopped.words()))),
            }
        })
    }

    fn observe<'a>(&'a self, _context: &'a Context, call: &'a Call) -> Act<'a, Observation> {
        Box::pin(async move {
            if call.with.get("observe").is_none() {
                return Observation::Unknown("the step has no `observe` that would tell".to_owned());
            }
            match self.seen(call) {
                Some(outputs) => Observation::Applied(outputs),
                None => Observation::NotApplied("the wanted state does not hold".to_owned()),
            }
        })
    }
}
