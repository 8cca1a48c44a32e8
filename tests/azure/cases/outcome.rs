//! What came of a step: how it ended, and what it had the simulated Azure do.

use std::collections::BTreeSet;

use drctl::engine::{End, Event, StepState};
use drctl::exec::rehearse::Rehearsed;
use drctl::sim::azure::Logged;
use serde_json::Value;

/// The last part of paths that only ask, though they are sent as POST.
const ASKING: [&str; 8] = [
    "list",
    "getStatus",
    "queryPipelineRuns",
    "backendhealth",
    "whatIf",
    "fetchCrossRegionRestoreJob",
    "fetchSecondaryRecoveryPoints",
    "validateCrossRegionRestore",
];

/// What came of a step.
pub(crate) struct Outcome {
    /// Its state when the run was left.
    pub(crate) state: StepState,
    /// Why it failed, is in doubt, or what it says of its success.
    pub(crate) words: String,
    /// It said that nothing had to be done.
    pub(crate) already: bool,
    /// What was to go wrong did.
    pub(crate) is_proof: bool,
    /// What it sent to change something, whatever came of it.
    pub(crate) writes: Vec<Logged>,
    /// How many operations were told to have failed.
    failed: usize,
    /// Requests that no service would take: drctl and the simulated Azure disagree.
    pub(crate) misunderstood: Vec<String>,
}

impl Outcome {
    /// Of a step of a rehearsal.
    pub(crate) fn of(rehearsed: &Rehearsed, step: &str) -> Self {
        let state = rehearsed.state();
        let node = state.nodes.iter().find(|node| &*node.path.0 == step).unwrap();
        let own = || rehearsed.records.iter().filter(|it| it.event.step().is_some_and(|path| &*path.0 == step));
        let requests: Vec<Logged> = rehearsed.stage.requests().into_iter().filter(|it| it.step == step).collect();
        Self {
            state: node.state,
            words: own().filter_map(|record| words(&record.event)).next_back().unwrap_or_default(),
            already: own()
                .any(|record| matches!(record.event, Event::Outcome { end: End::Succeeded { already: true, .. }, .. })),
            misunderstood: requests.iter().filter(|it| is_misunderstood(it)).map(refusal).collect(),
            failed: requests
                .iter()
                .filter(|it| it.polls && has_failed(it))
                .map(operation)
                .collect::<BTreeSet<_>>()
                .len(),
            is_proof: rehearsed.unused_faults().is_empty(),
            writes: requests.into_iter().filter(changes).collect(),
        }
    }

    /// How many changes were carried out, whether or not their answers came. Requests with the same token are one;
    /// what was accepted and failed later is none.
    pub(crate) fn carried_out(&self) -> usize {
        let mut tokens = BTreeSet::new();
        let token = |logged: &Logged| logged.body["idempotency_token"].as_str().map(str::to_owned);
        let is_new = |logged: &&Logged| token(logged).is_none_or(|token| tokens.insert(token));
        self.writes.iter().filter(|logged| logged.was_done).filter(is_new).count() - self.failed
    }

    pub(crate) fn has_succeeded(&self) -> bool {
        self.state == StepState::Succeeded
    }

    pub(crate) fn is_in_doubt(&self) -> bool {
        self.state == StepState::InDoubt
    }
}

fn words(event: &Event) -> Option<String> {
    match event {
        Event::Outcome { end: End::Succeeded { note, .. }, .. } => Some(note.clone()),
        Event::Outcome { end: End::Failed { reason, .. }, .. } | Event::StepFailed { reason, .. } => {
            Some(reason.clone())
        }
        Event::InDoubt { evidence, .. } => Some(evidence.clone()),
        _ => None,
    }
}

/// Whether the answer says that an operation has failed.
fn has_failed(logged: &Logged) -> bool {
    matches!(logged.status, 200 | 409) && logged.answer.get("error").is_some()
}

/// The operation that was asked about, whichever of its addresses was asked.
fn operation(logged: &Logged) -> &str {
    logged.url.split('?').next().unwrap_or_default()
}

fn changes(logged: &Logged) -> bool {
    let path = logged.url.split('?').next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    logged.method != "GET" && !logged.polls && !ASKING.iter().any(|word| word.eq_ignore_ascii_case(last))
}

/// That something is not there is an answer to a question, and a refusal of anything else.
fn is_misunderstood(logged: &Logged) -> bool {
    match logged.status {
        400 | 405 => true,
        404 => logged.method != "GET",
        _ => false,
    }
}

fn refusal(logged: &Logged) -> String {
    format!("{} {} answered {}: {}", logged.method, logged.url, logged.status, logged.answer)
}

/// The code of a refusal, in whichever shape it comes.
pub(crate) fn code(logged: &Logged) -> &str {
    let answer = &logged.answer;
    let code = answer.pointer("/error/code").or_else(|| answer.get("Code")).or_else(|| answer.get("code"));
    code.and_then(Value::as_str).unwrap_or_default()
}
