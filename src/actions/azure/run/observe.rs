//! Looks at what an attempt came to, and at what one would come to. Sends nothing that changes anything.

use serde_json::Value;

use super::Run;
use crate::actions::azure::follow::{self, Poll};
use crate::actions::azure::{Next, Operation, Repeat, Write};
use crate::actions::limits::within;
use crate::actions::{Call, Context, Failure, Foreseen, Observation};

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

/// What would be done now: the first change, and what Azure says would come of it. Changes nothing.
pub(in crate::actions::azure) async fn foresee(operation: &dyn Operation, context: &Context, call: &Call) -> Foreseen {
    let mut run = Run::new(operation, context, call, None);
    let foreseen = match within(context, call.timeout, run.foresee()).await {
        Ok(foreseen) => foreseen.unwrap_or_else(|failure| Foreseen::Unknown(failure.to_string())),
        Err(stopped) => Foreseen::Unknown(stopped.words()),
    };
    match (foreseen, run.waits_for.is_empty()) {
        (Foreseen::Unknown(why), false) => Foreseen::Unknown(format!("{why}: {}", run.waits_for)),
        (foreseen, _) => foreseen,
    }
}

impl Run<'_> {
    async fn foresee(&mut self) -> Result<Foreseen, Failure> {
        loop {
            match self.decide() {
                Next::Read(requests) => self.read_all(&requests).await?,
                Next::Done(done) => return Ok(Foreseen::Holds(done)),
                Next::Wait(why) => return Ok(Foreseen::Waits(why)),
                Next::Fail(why) => return Ok(Foreseen::Fails(why)),
                Next::Send(write) => {
                    let has_read = self.known.has_read();
                    let lines = [write.request.lines(&self.cloud), self.foretold().await].concat();
                    return Ok(Foreseen::Sends { what: write.what, lines, has_read });
                }
            }
        }
    }

    /// What Azure says would come of the change; nothing where it cannot be asked.
    async fn foretold(&mut self) -> Vec<String> {
        loop {
            match self.operation.foretold(&self.with, &self.known) {
                Ok(lines) => return lines,
                Err(Next::Read(requests)) if self.read_all(&requests).await.is_ok() => {}
                Err(_) => return Vec::new(),
            }
        }
    }

    /// What the state of the resource tells of the attempt.
    async fn look(&mut self) -> Observation {
        match self.under_way().await {
            Some(Standing::GoesOn(why)) => return Observation::UnderWay(why),
            Some(Standing::Unknown(why)) => return Observation::Unknown(why),
            None => {}
        }
        let mut settled = self.now().plus(self.call.settle);
        loop {
            match self.decide() {
                Next::Read(requests) => {
                    if let Err(failure) = self.read_all(&requests).await {
                        return Observation::Unknown(failure.to_string());
                    }
                }
                Next::Done(done) => return Observation::Applied(done.outputs),
                Next::Fail(why) if self.now() < settled => self.pause(why).await,
                Next::Fail(why) => return Observation::Unknown(why),
                Next::Send(write) if !self.leaves_trace() => {
                    return Observation::Unknown(format!("nothing tells whether this happened: {}", write.what));
                }
                Next::Send(write) if self.now() < settled => self.pause(write.what).await,
                Next::Send(write) => return self.not_seen(&write),
                Next::Wait(why) if self.call.settle.is_zero() => return Observation::Unknown(why),
                Next::Wait(why) => {
                    self.pause(why).await;
                    // What went on until now may take as long to show as what was sent before.
                    settled = self.now().plus(self.call.settle);
                }
            }
        }
    }

    /// What starts something is asked for once more at the most: then a person has to look.
    fn not_seen(&self, write: &Write) -> Observation {
        let (what, attempt) = (&write.what, self.call.attempt);
        match write.repeat {
            Repeat::Once if attempt > 1 => {
                let why = format!("asked for {attempt} times, and nothing of it is to be seen: {what}");
                Observation::Unknown(self.advised(why))
            }
            _ => Observation::NotApplied(format!("still to be done: {what}")),
        }
    }

    /// How an operation stands that an earlier attempt began; nothing where there is none, or it is over.
    pub(super) async fn under_way(&self) -> Option<Standing> {
        let handle = self.call.previous.as_ref()?;
        let poll: Poll = serde_json::from_value(handle.get("poll")?.clone()).ok()?;
        let url = poll.operation.as_ref().or(poll.location.as_ref())?;
        let api = self.handled(handle.get("host").and_then(Value::as_str)).api;
        match follow::glance(&self.context.azure, self.via(), &api, &poll).await {
            Ok(true) => None,
            Ok(false) => Some(Standing::GoesOn(format!("still under way: {url}"))),
            Err(why) => {
                Some(Standing::Unknown(format!("it cannot be asked whether it is still under way: {why}: {url}")))
            }
        }
    }
}

/// How an operation stands that is not known to be over.
pub(super) enum Standing {
    /// It goes on; where that is to be seen.
    GoesOn(String),
    /// It cannot be asked, and why.
    Unknown(String),
}
