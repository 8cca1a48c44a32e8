//! Operations that take their time, and the ways Azure tells of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answer::Answer;
use super::incoming::{Incoming, Target};
use super::world::World;
use crate::catalogue::Timestamp;
use crate::sim::scenario::Fault;

/// What poll URLs have in them.
pub(super) const MARK: &str = "simulatedOperations";

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

struct Operation {
    ends: Timestamp,
    style: Style,
    result: Value,
    /// What went wrong.
    failure: Option<Value>,
    target: String,
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

    /// Whether something is being done to a resource.
    pub(super) fn is_busy(&self, target: &str, now: Timestamp) -> bool {
        self.0.values().rev().any(|operation| operation.target.eq_ignore_ascii_case(target) && operation.ends > now)
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
    if world.operations.is_busy(&target.id, world.now) {
        let message = format!("Another operation is in progress on '{}'.\r\nTry \"again\" later.", target.id);
        return Answer::error(409, "AnotherOperationInProgress", message);
    }
    let mut took = (world.times)(&incoming.step);
    let fault = world.faults.of_operation(&incoming.step);
    let failure = match &fault {
        Some(Fault::FailedOperation { code, message, .. }) => {
            let code = code.as_deref().unwrap_or("InternalServerError");
            let message = message.as_deref().unwrap_or("The operation failed.");
            Some(json!({ "code": code, "message": message }))
        }
        _ => None,
    };
    if matches!(fault, Some(Fault::StuckOperation { .. } | Fault::Timeout { .. })) {
        took = std::time::Duration::from_hours(24 * 30);
    }
    let ends = world.now.plus(took);
    let number = world.number();
    let before = world.before();
    let effect: Effect = match failure {
        Some(_) => Box::new(move |world| world.set_back(before)),
        None => Box::new(effect),
    };
    let effect = Some(effect);
    let operation = Operation { ends, style, result, failure, target: target.id.clone(), effect };
    world.operations.0.insert(number, operation);
    let answer = Answer::status(202, Value::Null);
    let url = poll_url(&target.id, number);
    match style {
        Style::AsyncOperation => answer.header("azure-asyncoperation", url).header("retry-after", "5"),
        Style::Location => answer.header("location", url).header("retry-after", "10"),
        Style::Resource => Answer::status(201, world.body(&target.id).cloned().unwrap_or_default()),
    }
}

fn poll_url(target: &str, number: u64) -> String {
    let subscription = target.split('/').nth(2).unwrap_or_default();
    format!("https://management.azure.com/subscriptions/{subscription}/providers/Microsoft.Simulated/{MARK}/{number}")
}

/// Answers a question for the state of an operation.
pub(super) fn poll(world: &World, number: u64) -> Answer {
    let Some(operation) = world.operations.0.get(&number) else {
        return Answer::error(404, "OperationNotFound", "There is no such operation.");
    };
    let is_over = operation.ends <= world.now;
    match (operation.style, is_over, &operation.failure) {
        (Style::AsyncOperation, false, _) => Answer::ok(json!({ "status": "Running" })).header("retry-after", "5"),
        (Style::AsyncOperation, true, Some(failure)) => Answer::ok(json!({ "status": "Failed", "error": failure })),
        // Azure's services do not agree on how the word is written.
        (Style::AsyncOperation, true, None) => {
            let word = if number.is_multiple_of(2) { "Succeeded" } else { "succeeded" };
            Answer::ok(json!({ "status": word, "properties": operation.result }))
        }
        (_, false, _) => Answer::status(202, Value::Null).header("retry-after", "10"),
        (_, true, Some(failure)) => Answer::status(409, json!({ "error": failure })),
        (_, true, None) if operation.result.is_null() => Answer::status(204, Value::Null),
        (_, true, None) => Answer::ok(operation.result.clone()),
    }
}
