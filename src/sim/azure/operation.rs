//! Operations that take their time, and the ways Azure tells of them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Answer;
use super::incoming::{Incoming, Target};
use super::world::World;
use super::{refusal, services};
use crate::catalogue::Timestamp;
use crate::plan::path::names;
use crate::sim::scenario::Fault;
use crate::sim::stand_in::Random;

/// What poll URLs have in them.
pub(super) const MARK: &str = "simulatedOperations";
/// How long Azure knows an operation that is over.
const REMEMBERED: Duration = Duration::from_hours(1);

/// How long an operation takes that never ends: longer than any run.
pub(super) const FOREVER: Duration = Duration::from_hours(24 * 31);

/// What an operation does to the world when it ends well.
pub(super) type Effect = Box<dyn FnOnce(&mut World) + Send>;

/// How a service tells of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// By the header `Azure-AsyncOperation`.
    AsyncOperation,
    /// By the header `Location`.
    Location,
    /// By the resource itself.
    Resource,
}

/// How this one operation is told of: services do not agree, and one service does not always do the same.
struct Telling {
    /// Where its state is asked for: Resource Manager, or its region there.
    host: String,
    /// Both headers are given.
    is_both: bool,
    /// A PUT answers 201, with what is to come.
    is_created: bool,
    /// When to look again; not always said.
    retry_after: Option<&'static str>,
    /// The word for its going on.
    goes_on: &'static str,
    succeeded: &'static str,
    failed: &'static str,
    /// Nothing is known of it as soon as it is over: the resource tells.
    is_forgotten: bool,
    /// Where a failure shows: in the body of a 200, rather than by the status.
    fails_in_body: bool,
}

impl Telling {
    fn draw(world: &World, number: u64, incoming: &Incoming, target: &Target) -> Self {
        let mut random = Random::of(world.seed, &format!("operation {number}"));
        let region = world.resource(&target.id).map(|resource| resource.region.as_str()).unwrap_or_default();
        let is_regional = random.one_in(4) && !region.is_empty();
        let usual = ["InProgress", "Running", "Accepted", "Updating"];
        let unusual = ["ResolvingReplicas", "WaitingForQuorum", "PendingTrafficSwitch"];
        let is_unusual = random.one_in(8);
        let tells_itself = matches!(incoming.method.as_str(), "PUT" | "DELETE");
        Self {
            host: if is_regional { format!("{region}.{}", incoming.manager) } else { incoming.manager.clone() },
            is_both: random.one_in(3),
            is_created: random.one_in(2),
            retry_after: if random.one_in(3) { None } else { Some(random.pick(&["5", "10", "15"], "5")) },
            goes_on: random.pick(if is_unusual { &unusual } else { &usual }, "InProgress"),
            succeeded: random.pick(&["Succeeded", "succeeded", "SUCCEEDED"], "Succeeded"),
            failed: random.pick(&["Failed", "failed", "Failed", "Canceled"], "Failed"),
            is_forgotten: tells_itself && random.one_in(32),
            fails_in_body: random.one_in(2),
        }
    }
}

struct Operation {
    ends: Timestamp,
    style: Style,
    telling: Telling,
    result: Value,
    /// What went wrong.
    failure: Option<Value>,
    target: String,
    /// The step that began it.
    step: String,
    effect: Option<Effect>,
}

/// All operations there were.
#[derive(Default)]
pub(super) struct Operations(BTreeMap<u64, Operation>);

impl Operations {
    /// The effects that are due, the earliest first.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<(Timestamp, Effect)> {
        let ready = self.0.values_mut().filter(|operation| operation.ends <= now);
        let mut due: Vec<(Timestamp, Effect)> =
            ready.filter_map(|operation| Some((operation.ends, operation.effect.take()?))).collect();
        due.sort_by_key(|(at, _)| *at);
        due
    }

    /// The number of the one that was begun last.
    pub(super) fn last(&self) -> u64 {
        self.0.last_key_value().map_or(0, |(number, _)| *number)
    }

    /// Whether one that was begun after that one ends badly.
    pub(super) fn one_fails_after(&self, number: u64) -> bool {
        self.0.range(number + 1..).any(|(_, operation)| operation.failure.is_some())
    }

    /// Whether a step has begun one.
    pub(super) fn has(&self, step: &str) -> bool {
        self.0.values().any(|operation| operation.step == step)
    }

    /// Whether one that a step began goes on; keys do not count.
    pub(super) fn is_busy_with(&self, step: &str, now: Timestamp) -> bool {
        self.0.values().any(|operation| operation.ends > now && names(step, &operation.step))
    }

    /// What is being done to a resource: where its state is asked for.
    fn under_way(&self, target: &str, now: Timestamp) -> Option<String> {
        let busy = |operation: &Operation| operation.ends > now && operation.target.eq_ignore_ascii_case(target);
        let found = self.0.iter().rev().find(|(_, operation)| busy(operation));
        found.map(|(number, operation)| poll_url(&operation.telling.host, target, *number))
    }
}

/// Begins an operation on the target; `result` is what it gives back in the end.
pub(super) fn begin(
    world: &mut World,
    incoming: &Incoming,
    target: &Target,
    style: Style,
    result: Value,
    effect: impl FnOnce(&mut World) + Send + 'static,
) -> Answer {
    if let Some(other) = world.operations.under_way(&target.id, world.now) {
        return refusal::busy(world, target, &other);
    }
    let number = world.number();
    let fault = world.faults.of_operation(&incoming.step);
    let failure = match &fault {
        Some(Fault::FailedOperation { code, message, .. }) => {
            let code = code.as_deref().unwrap_or("InternalServerError");
            let message = message.as_deref().unwrap_or("The operation failed.");
            Some(json!({ "code": code, "message": message }))
        }
        _ if world.meets_another => {
            let other = poll_url(&incoming.manager, &target.id, number);
            let message = format!("Another operation is in progress.\r\nThe other operation: \"{other}\"");
            Some(json!({ "code": "AnotherOperationInProgress", "message": message }))
        }
        _ => None,
    };
    let took = match fault {
        Some(Fault::StuckOperation { .. }) => FOREVER,
        _ if world.meets_another => Duration::from_secs(8),
        _ => (world.times)(&incoming.step).min(services::longest(&target.kind)),
    };
    let effect: Effect = if failure.is_some() { failing(world, &target.id, style) } else { Box::new(effect) };
    let telling = Telling::draw(world, number, incoming, target);
    let answer = told(world, incoming, target, style, &telling, number);
    let (ends, target, step) = (world.now.plus(took), target.id.clone(), incoming.step.clone());
    let operation = Operation { ends, style, telling, result, failure, target, step, effect: Some(effect) };
    world.operations.0.insert(number, operation);
    answer
}

/// What a failure does: the resource is again what it was, unless it has to tell of the failure itself.
fn failing(world: &World, target: &str, style: Style) -> Effect {
    let (id, before) = (target.to_owned(), world.before());
    Box::new(move |world| match style {
        Style::Resource => world.set(&id, "/properties/provisioningState", json!("Failed")),
        _ => world.set_back(before),
    })
}

/// The answer that says that an operation has begun.
fn told(world: &World, incoming: &Incoming, target: &Target, style: Style, telling: &Telling, number: u64) -> Answer {
    let url = poll_url(&telling.host, &target.id, number);
    let there = || world.body(&target.id).cloned().unwrap_or_default();
    let (first, second) = match style {
        Style::Resource => return Answer::status(201, there()),
        Style::AsyncOperation => ("azure-asyncoperation", "location"),
        Style::Location => ("location", "azure-asyncoperation"),
    };
    let is_created = incoming.method == "PUT" && style == Style::AsyncOperation && telling.is_created;
    let answer = if is_created { Answer::status(201, there()) } else { Answer::status(202, Value::Null) };
    let answer = answer.header(first, url.clone());
    // Both at the same place: which of them is asked shows by the query.
    let answer = if telling.is_both { answer.header(second, format!("{url}{BESIDE}")) } else { answer };
    telling.retry_after.into_iter().fold(answer, |answer, seconds| answer.header("retry-after", seconds))
}

/// Marks the second of two addresses of an operation.
const BESIDE: &str = "&monitor=true";

pub(super) fn poll_url(host: &str, target: &str, number: u64) -> String {
    let subscription = target.split('/').nth(2).unwrap_or_default();
    let query = "api-version=2024-01-01&t=638%2Babc";
    format!("https://{host}/subscriptions/{subscription}/providers/Microsoft.Simulated/{MARK}/{number}?{query}")
}

/// Answers a question for the state of an operation.
pub(super) fn poll(world: &World, incoming: &Incoming, number: u64) -> Answer {
    let known = world.operations.0.get(&number).filter(|operation| {
        let over = operation.ends <= world.now;
        !(over && operation.telling.is_forgotten && operation.failure.is_none())
            && world.now < operation.ends.plus(REMEMBERED)
    });
    let Some(operation) = known else {
        return Answer::error(404, "OperationNotFound", "There is no such operation.");
    };
    let telling = &operation.telling;
    let is_beside = incoming.query("monitor").is_some();
    let has_body = (operation.style == Style::AsyncOperation) != is_beside;
    let goes_on = |answer: Answer| match telling.retry_after {
        Some(seconds) => answer.header("retry-after", seconds),
        None => answer,
    };
    match (has_body, operation.ends <= world.now, &operation.failure) {
        (true, false, _) => goes_on(Answer::ok(json!({ "status": telling.goes_on, "percentComplete": 50 }))),
        (true, true, Some(failure)) => Answer::ok(json!({ "status": telling.failed, "error": failure })),
        (true, true, None) => Answer::ok(json!({ "status": telling.succeeded, "properties": operation.result })),
        (false, false, _) => goes_on(Answer::status(202, Value::Null)),
        (false, true, Some(failure)) if telling.fails_in_body => {
            Answer::ok(json!({ "status": telling.failed, "error": failure }))
        }
        (false, true, Some(failure)) => Answer::status(409, json!({ "error": failure })),
        (false, true, None) if operation.result.is_null() => Answer::status(204, Value::Null),
        (false, true, None) => Answer::ok(operation.result.clone()),
    }
}
