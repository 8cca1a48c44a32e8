//! `shell` and `exec` in a rehearsal: a process that takes its time and outlives drctl, as a real one does.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::stage::Stage;
use super::{Done as Entry, Ledger};
use crate::actions::limits::{Stopped, within};
use crate::actions::{Action, Call, Context, Done, Failure, Observation};
use crate::catalogue::{ActionSpec, HumanDuration, Timestamp};
use crate::edge::Act;

/// Stands in for a process.
pub(super) struct Process {
    real: Box<dyn Action>,
    stage: Arc<Stage>,
}

impl Process {
    pub(super) fn new(real: Box<dyn Action>, stage: Arc<Stage>) -> Self {
        Self { real, stage }
    }

    fn begin(&self, call: &Call) {
        let now = self.stage.now();
        let mut outputs = self.stage.outputs(&call.step, &call.declared);
        let plain = json!({ "exit_code": 0, "stdout": "", "stdout_digest": "simulated" });
        for (name, value) in plain.as_object().into_iter().flatten() {
            let said = self.stage.said(&call.step).get(name).cloned();
            outputs.insert(name.clone(), said.unwrap_or_else(|| value.clone()));
        }
        let undo = self.stage.is_undo(call);
        let entry = Entry {
            key: call.idempotency_key.clone(),
            step: call.step.clone(),
            undo,
            attempt: call.attempt,
            action: self.real.spec().name,
            effect: (self.real.spec().effect)(&call.with),
            repeatable: call.repeatable,
            at: now,
            ends: now.plus(self.stage.duration(call)),
            outputs,
            fails: self.stage.fails(&call.step).filter(|_| !undo),
        };
        self.stage.ledger().done.push(entry);
    }

    fn find<T>(&self, call: &Call, with: impl Fn(&Entry) -> T) -> Option<T> {
        let ledger: &Ledger = &self.stage.ledger();
        ledger.attempt(&call.idempotency_key, call.attempt).map(with)
    }

    /// Waits for the end of what this attempt began.
    async fn follow(&self, context: &Context, call: &Call) -> Result<Done, Failure> {
        let entry = self.find(call, Entry::clone);
        let Some(entry) = entry else {
            return Err(Failure::Ambiguous("it never started".to_owned()));
        };
        let left = |to: Timestamp| context.clock.now().until(to);
        match within(context, left(entry.at.plus(call.timeout)), context.clock.sleep(left(entry.ends))).await {
            Ok(()) => match entry.fails {
                Some(why) => Err(Failure::Failed(why)),
                None => Ok(Done { outputs: entry.outputs, already: false, note: "simulated".to_owned() }),
            },
            Err(stopped) => {
                let why = match stopped {
                    Stopped::Timeout(_) => format!("timed out after {}", HumanDuration(call.timeout)),
                    Stopped::Cancel => "was cancelled".to_owned(),
                };
                let name = if entry.action == "shell" { "the script" } else { "the process" };
                let why = format!("{name} {why}");
                Err(if call.repeatable { Failure::Failed(why) } else { Failure::Ambiguous(why) })
            }
        }
    }
}

impl Action for Process {
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
            self.begin(call);
            if !call.repeatable {
                (context.handle)(json!({ "simulated": true })).await.ok();
            }
            self.follow(context, call).await
        })
    }

    fn attach<'a>(
        &'a self,
        context: &'a Context,
        call: &'a Call,
        _handle: &'a Value,
    ) -> Option<Act<'a, Result<Done, Failure>>> {
        Some(Box::pin(self.follow(context, call)))
    }

    fn observe<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Observation> {
        Box::pin(async move {
            if self.find(call, |_| ()).is_none() {
                return Observation::NotApplied("it never started".to_owned());
            }
            match self.follow(context, call).await {
                Ok(done) => Observation::Applied(done.outputs),
                Err(failure) => Observation::Unknown(failure.to_string()),
            }
        })
    }
}
