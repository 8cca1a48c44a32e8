//! Looks at what an attempt came to, and at what one would come to. Sends nothing that changes anything.

use serde_json::Value;

use super::Run;
use crate::actions::azure::follow::{self, Poll};
use crate::actions::azure::{Next, Operation, Repeat, Write};
use crate::actions::limits::within;
use crate::actions::{Call, Context, Observation};

/// Looks whether it happened. Changes nothing.
pub(in crate::actions::azure) async fn observe(
    operation: &dyn Operation,
    context: &Context,
    call: &Call,
) -> Observation {
    let mut run = Run::new(operation, context, call, call.previous.as_ref());
    match within(context, call.timeout, run.look()).await {
        Ok(seen) => seen,
        Err(_) => Observation::Unknown(format!("not seen in time: {}", run.waits_for)),
    }
}

/// The first change that would be sent, and what Azure says would come of it. Changes nothing.
pub(in crate::actions::azure) async fn foresee(
    operation: &dyn Operation,
    context: &Context,
    call: &Call,
) -> Option<Vec<String>> {
    let run = Run::new(operation, context, call, None);
    within(context, call.timeout, foretold(operation, run)).await.ok().flatten()
}

async fn foretold(operation: &dyn Operation, mut run: Run<'_>) -> Option<Vec<String>> {
    loop {
        match run.decide() {
            Next::Read(requests) => run.read_all(&requests).await.ok()?,
            Next::Send(write) => {
                let foretold = loop {
                    match operation.foretold(&run.with, &run.known) {
                        Ok(lines) => break lines,
                        Err(Next::Read(requests)) => run.read_all(&requests).await.ok()?,
                        Err(_) => break Vec::new(),
                    }
                };
                return Some([write.request.lines(run.with.cloud()), foretold].concat());
            }
            _ => return None,
        }
    }
}

impl Run<'_> {
    /// What the state of the resource tells of the attempt.
    async fn look(&mut self) -> Observation {
        if let Some(why) = self.under_way().await {
            return Observation::Unknown(why);
        }
        let settled = self.now().plus(self.call.settle);
        loop {
            match self.decide() {
                Next::Read(requests) => {
                    if let Err(failure) = self.read_all(&requests).await {
                        return Observation::Unknown(failure.to_string());
                    }
                }
                Next::Done(done) => return Observation::Applied(done.outputs),
                Next::Fail(why) => return Observation::Unknown(why),
                Next::Send(write) if !self.leaves_trace() => {
                    return Observation::Unknown(format!("nothing tells whether this happened: {}", write.what));
                }
                Next::Send(write) if self.now() < settled => self.pause(write.what).await,
                Next::Send(write) => return self.not_seen(&write),
                Next::Wait(why) if self.call.settle.is_zero() => return Observation::Unknown(why),
                Next::Wait(why) => self.pause(why).await,
            }
        }
    }

    /// What starts something is asked for once more at the most: then a person has to look.
    fn not_seen(&self, write: &Write) -> Observation {
        let (what, attempt) = (&write.what, self.call.attempt);
        match write.repeat {
            Repeat::Once if attempt > 1 => {
                Observation::Unknown(format!("asked for {attempt} times, and nothing of it is to be seen: {what}"))
            }
            _ => Observation::NotApplied(format!("still to be done: {what}")),
        }
    }

    /// Why nothing can be said yet of an attempt whose operation is noted: it goes on, or cannot be asked about.
    async fn under_way(&self) -> Option<String> {
        let handle = self.call.previous.as_ref()?;
        let poll: Poll = serde_json::from_value(handle.get("poll")?.clone()).ok()?;
        let url = poll.operation.as_ref().or(poll.location.as_ref())?;
        let api = self.handled(handle.get("host").and_then(Value::as_str)).api;
        match follow::glance(&self.context.azure, self.via(), &api, &poll).await {
            Ok(true) => None,
            Ok(false) => Some(format!("still under way: {url}")),
            Err(why) => Some(format!("it cannot be asked whether it is still under way: {why}: {url}")),
        }
    }
}
