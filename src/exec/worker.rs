//! Runs jobs: resolves secrets, calls the action, turns its answer into the machine's words.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::dry_run;
use crate::actions::azure::{Azure, SETTLE};
use crate::actions::registry::Registry;
use crate::actions::{Action, Call, Context, Done, Failure, Foreseen, Observation, holds};
use crate::edge::Act;
use crate::edge::clock::Clock;
use crate::edge::secrets::Secrets;
use crate::edge::store::RunFolder;
use crate::engine::{Answer, End, Job, JobId, JobKind, NodeId, Outputs, Side, Sight};

/// Outputs larger than this live in a file named by their digest.
const LARGEST_INLINE: usize = 16 * 1024;
/// How long a gate waits for what it shows to be read.
const GATE_WAITS: Duration = Duration::from_secs(15);

/// What the driver hears.
pub(super) enum Message {
    /// A job has ended.
    Done { job: JobId, answer: Answer },
    /// A job knows how its effect is found again; told when that is durable.
    Handle { job: JobId, handle: Value, kept: oneshot::Sender<()> },
}

/// What jobs run with.
pub(super) struct Worker {
    pub(super) registry: Arc<Registry>,
    pub(super) azure: Arc<Azure>,
    pub(super) http: reqwest::Client,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) secrets: Arc<Secrets>,
    pub(super) workspace: PathBuf,
    pub(super) folder: Option<Arc<RunFolder>>,
    pub(super) run: String,
    pub(super) messages: mpsc::UnboundedSender<Message>,
    pub(super) cancels: Mutex<BTreeMap<JobId, CancellationToken>>,
}

impl Worker {
    /// Starts a job in a task of its own. A panic in it is that step's failure.
    pub(super) fn start(self: &Arc<Self>, job: Box<Job>) {
        let worker = Arc::clone(self);
        let cancel = CancellationToken::new();
        self.tokens().insert(job.id, cancel.clone());
        tokio::spawn(async move {
            let id = job.id;
            let answer = catch_panic(worker.run(&job, cancel)).await;
            let answer = answer.unwrap_or_else(|panic| match job.kind {
                JobKind::Foresee => Answer::Foreseen(vec![format!("drctl itself broke in looking: {panic}")]),
                _ => Answer::End(broken(job.repeatable, &panic)),
            });
            // Jobs that end together say so together: they share a wake-up of the driver and a write of the journal.
            tokio::task::yield_now().await;
            worker.tokens().remove(&id);
            worker.messages.send(Message::Done { job: id, answer }).ok();
        });
    }

    /// Asks a node's job, and the calls to its gate, to stop.
    pub(super) fn cancel(&self, node: NodeId) {
        self.tokens().iter().filter(|(job, _)| job.node == node).for_each(|(_, token)| token.cancel());
    }

    /// How many jobs run.
    pub(super) fn running(&self) -> usize {
        self.tokens().len()
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, BTreeMap<JobId, CancellationToken>> {
        self.cancels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(&self, job: &Job, cancel: CancellationToken) -> Answer {
        let Some(action) = self.registry.get(&job.action) else {
            return Answer::End(failed(format!("this drctl has no action `{}`", job.action)));
        };
        let context = self.context(job.id, cancel);
        if job.dry.is_some() {
            return dry_run::answer(action, &context, &self.call(job), job).await;
        }
        match &job.kind {
            JobKind::Apply => Answer::End(self.end(action.apply(&context, &self.call(job)).await)),
            JobKind::Attach(handle) => match action.attach(&context, &self.call(job), handle) {
                Some(attached) => Answer::End(self.end(attached.await)),
                None => Answer::NotAttachable,
            },
            JobKind::Observe => Answer::Sight(self.sight(action.observe(&context, &self.call(job)).await)),
            JobKind::Verify { within, every } => self.verify(action, &context, job, (*within, *every)).await,
            JobKind::Foresee => Answer::Foreseen(self.foreseen(action, &context, job).await),
        }
    }

    /// What an action would do now, for those who are asked to approve it.
    async fn foreseen(&self, action: &dyn Action, context: &Context, job: &Job) -> Vec<String> {
        let call = Call { timeout: job.timeout.min(GATE_WAITS), ..self.call(job) };
        let stated = match job.with.shown() {
            Value::Object(shown) => action.sends(&shown),
            _ => Vec::new(),
        };
        let is_stated = |line: &String| stated.iter().any(|stated| stated.ends_with(line.as_str()));
        let foreseen = action.foresee(context, &call).await;
        let words = foreseen.words();
        let lines: Vec<String> = match &foreseen {
            Foreseen::Sends { lines, .. } if !lines.iter().all(is_stated) => {
                let head = words.map(|words| format!("{words}; would send first"));
                head.into_iter().chain(lines.iter().map(|line| format!("  {line}"))).collect()
            }
            _ => words.into_iter().collect(),
        };
        lines.iter().map(|line| self.secrets.mask(line)).collect()
    }

    async fn verify(&self, action: &dyn Action, context: &Context, job: &Job, times: (Duration, Duration)) -> Answer {
        let (within, every) = times;
        let until = self.clock.now().plus(within);
        let mut call = self.call(job);
        let folder = call.folder.clone();
        for look in 1.. {
            call.folder = folder.join(format!("verify-{look}"));
            call.repeatable = true;
            let said = holds(action.spec(), &action.apply(context, &call).await);
            let over = self.clock.now() >= until || context.cancel.is_cancelled();
            match said {
                Ok(note) => return Answer::Verified { holds: true, reason: self.secrets.mask(&note) },
                Err(reason) if over => return Answer::Verified { holds: false, reason: self.secrets.mask(&reason) },
                Err(_) => {
                    tokio::select! {
                        biased;
                        () = self.clock.sleep(every) => {}
                        () = context.cancel.cancelled() => {}
                    }
                }
            }
        }
        Answer::NotAttachable
    }

    fn call(&self, job: &Job) -> Call {
        let secret = |name: &str| self.secrets.get(name).unwrap_or_default().to_owned();
        let with = match job.with.resolve(&secret) {
            Value::Object(with) => with,
            _ => Map::new(),
        };
        let attempt = job.id.attempt;
        let step = match job.id.side {
            Side::Call => format!("{}!call_{attempt}", job.path),
            _ => job.path.to_string(),
        };
        let folder = match &self.folder {
            Some(folder) => attempt_folder(folder, &step, job.id.side, attempt),
            None => PathBuf::new(),
        };
        Call {
            run: self.run.clone(),
            idempotency_key: format!("{}-{}{step}", self.run, side_word(job.id.side).trim()),
            step,
            attempt,
            with,
            declared: job.declared.clone(),
            folder,
            timeout: job.timeout,
            repeatable: job.repeatable,
            settle: if job.kind == JobKind::Observe && job.dry.is_none() { SETTLE } else { Duration::ZERO },
            previous: job.previous.clone(),
        }
    }

    fn context(&self, job: JobId, cancel: CancellationToken) -> Context {
        let messages = self.messages.clone();
        let handle = move |handle: Value| -> Act<'static, Result<(), Failure>> {
            let (kept, told) = oneshot::channel();
            messages.send(Message::Handle { job, handle, kept }).ok();
            Box::pin(async move { told.await.map_err(|_| Failure::Failed("the journal cannot be written".to_owned())) })
        };
        Context {
            clock: Arc::clone(&self.clock),
            azure: Arc::clone(&self.azure),
            http: self.http.clone(),
            secrets: Arc::clone(&self.secrets),
            cancel,
            workspace: self.workspace.clone(),
            handle: Arc::new(handle),
        }
    }

    fn end(&self, result: Result<Done, Failure>) -> End {
        match result {
            Ok(done) => match self.keep(done.outputs) {
                Ok(outputs) => {
                    End::Succeeded { outputs, already: done.already, note: self.secrets.mask(&done.note), label: None }
                }
                Err(problem) => {
                    End::Ambiguous { evidence: format!("it succeeded, but its outputs cannot be kept: {problem}") }
                }
            },
            Err(Failure::Failed(reason)) => failed(self.secrets.mask(&reason)),
            Err(Failure::Ambiguous(evidence)) => End::Ambiguous { evidence: self.secrets.mask(&evidence) },
            Err(Failure::Cancelled) => End::Cancelled,
        }
    }

    fn sight(&self, observation: Observation) -> Sight {
        match observation {
            Observation::Applied(outputs) => match self.keep(outputs) {
                Ok(outputs) => Sight::Applied { outputs },
                Err(problem) => Sight::Unknown { reason: format!("its outputs cannot be kept: {problem}") },
            },
            Observation::NotApplied(reason) => Sight::NotApplied { reason: self.secrets.mask(&reason) },
            Observation::UnderWay(reason) => Sight::UnderWay { reason: self.secrets.mask(&reason) },
            Observation::Unknown(reason) => Sight::Unknown { reason: self.secrets.mask(&reason) },
        }
    }

    /// Masks secrets in outputs, and puts large ones into a file.
    fn keep(&self, outputs: Map<String, Value>) -> std::io::Result<Outputs> {
        let masked = if self.secrets.needles().is_empty() { outputs } else { masked(&self.secrets, outputs) };
        let Some(folder) = &self.folder else { return Ok(Outputs::of(masked)) };
        let bytes = serde_json::to_vec(&masked)?;
        if bytes.len() <= LARGEST_INLINE {
            return Ok(Outputs::of(masked));
        }
        let digest = folder.put(&bytes)?;
        Ok(Outputs::Stored { digest, loaded: Some(Arc::new(masked)) })
    }
}

/// The folder of one attempt at a step, on one side of it.
pub(super) fn attempt_folder(run: &RunFolder, step: &str, side: Side, attempt: u32) -> PathBuf {
    run.step(&format!("{}{step}", side_word(side)), attempt)
}

fn side_word(side: Side) -> &'static str {
    if side == Side::Rollback { "undo " } else { "" }
}

fn masked(secrets: &Secrets, outputs: Map<String, Value>) -> Map<String, Value> {
    outputs.into_iter().map(|(name, value)| (name, masked_value(secrets, value))).collect()
}

fn masked_value(secrets: &Secrets, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(secrets.mask(&text)),
        Value::Array(items) => items.into_iter().map(|item| masked_value(secrets, item)).collect(),
        Value::Object(entries) => Value::Object(
            entries.into_iter().map(|(key, value)| (secrets.mask(&key), masked_value(secrets, value))).collect(),
        ),
        other => other,
    }
}

fn failed(reason: String) -> End {
    End::Failed { reason, retry_at: None }
}

/// Awaits `future`. A panic in it is an error: what it said; the future is not polled again.
async fn catch_panic<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(said(&*panic))),
    })
    .await
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without words").to_owned()
}

fn broken(repeatable: bool, panic: &str) -> End {
    let problem = format!("drctl itself broke in this step: {panic}");
    if repeatable { failed(problem) } else { End::Ambiguous { evidence: problem } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_in_its_own_words() {
        assert_eq!(catch_panic(async { 1 }).await, Ok(1));
        let broken = catch_panic(async {
            tokio::task::yield_now().await;
            panic!("no {}", "luck")
        });
        assert_eq!(broken.await, Err::<(), _>("no luck".to_owned()));
        let unusual = catch_panic(async { std::panic::panic_any(7) });
        assert_eq!(unusual.await, Err::<(), _>("a panic without words".to_owned()));
    }
}
