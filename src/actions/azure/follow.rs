//! Follows a long operation to its end, in each of the ways Azure tells of one.
//!
//! The order is that of the official SDKs (`ARMPolling` of azure-mgmt-core): `Azure-AsyncOperation`, else
//! `Location`, else the resource's own `provisioningState`, which the operation's next look reads.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client::{Azure, Reply, Via};
use super::error::ServiceError;
use super::{Api, Request};
use crate::edge::clock::Clock;

/// The first wait between two looks, where Azure names none.
const FIRST_WAIT: Duration = Duration::from_secs(3);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Where an operation's state is read. Journaled, so that a killed drctl goes on with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Poll {
    /// The URL that tells the state, with a body that has a `status`.
    pub operation: Option<String>,
    /// The URL that answers 202 until it is over, then with the result.
    pub location: Option<String>,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ended {
    /// Well, with this result; null where there is none.
    Well(Value),
    /// Not well, in the operation's own words.
    Badly(ServiceError),
    /// Azure knows nothing of it any more: the state of the resource has to tell.
    Forgotten,
}

impl Poll {
    /// Of an answer to a request that changed something; none where it is all over already.
    pub(super) fn of(reply: &Reply) -> Option<Self> {
        let is_under_way = matches!(reply.status, 200..=202);
        // A `Location` beside 200 or 201 names the resource, not an operation.
        let location = reply.location.clone().filter(|_| reply.status == 202);
        let poll = Self { operation: reply.async_operation.clone(), location };
        (is_under_way && (poll.operation.is_some() || poll.location.is_some())).then_some(poll)
    }
}

/// Waits for the end of an operation. Whoever stops waiting drops the future.
pub(super) async fn follow(
    azure: &Azure,
    clock: &dyn Clock,
    via: Via<'_>,
    request_api: &Api,
    poll: &Poll,
    first: Option<Duration>,
) -> Result<Ended, String> {
    let Some(url) = poll.operation.as_ref().or(poll.location.as_ref()) else { return Ok(Ended::Forgotten) };
    let mut wait = first.unwrap_or(FIRST_WAIT);
    loop {
        clock.sleep(wait).await;
        let reply = match azure.get(via, request_api, url).await {
            Ok(reply) => reply,
            Err(super::client::Lost::Refused(why)) => return Err(why),
            // The operation goes on whether or not its state can be read just now.
            Err(_) => {
                wait = longer(wait);
                continue;
            }
        };
        if let Some(ended) = ended(azure, via, request_api, poll, &reply).await? {
            return Ok(ended);
        }
        wait = reply.retry_after.unwrap_or_else(|| longer(wait));
    }
}

/// Asks once whether an operation is over.
pub(super) async fn glance(azure: &Azure, via: Via<'_>, api: &Api, poll: &Poll) -> Result<bool, String> {
    let Some(url) = poll.operation.as_ref().or(poll.location.as_ref()) else { return Ok(true) };
    let reply = azure.get(via, api, url).await.map_err(|lost| lost.words().to_owned())?;
    Ok(ended(azure, via, api, poll, &reply).await?.is_some())
}

fn longer(wait: Duration) -> Duration {
    (wait * 3 / 2).min(LONGEST_WAIT)
}

async fn ended(azure: &Azure, via: Via<'_>, api: &Api, poll: &Poll, reply: &Reply) -> Result<Option<Ended>, String> {
    let refusal = || ServiceError::read(reply.status, &reply.body, reply.request_id.as_deref());
    Ok(match reply.status {
        404 | 410 => Some(Ended::Forgotten),
        200..=204 if poll.operation.is_some() => match state(&reply.body) {
            State::Well => result(azure, via, api, poll, &reply.body).await.map(Ended::Well),
            State::Badly => Some(Ended::Badly(failure(&reply.body, reply.request_id.as_deref()))),
            State::UnderWay => None,
        },
        202 => None,
        // Some services answer the `Location` with 200 and a state that is not over.
        200 | 201 => match state(&reply.body) {
            State::Badly => Some(Ended::Badly(failure(&reply.body, reply.request_id.as_deref()))),
            State::UnderWay if has_state(&reply.body) => None,
            _ => Some(Ended::Well(reply.body.clone())),
        },
        204 => Some(Ended::Well(Value::Null)),
        // That drctl may not ask says nothing of the operation.
        401 | 403 => return Err(format!("its state cannot be asked for: {}", refusal())),
        400..=499 if !matches!(reply.status, 408 | 429) => Some(Ended::Badly(refusal())),
        _ => None,
    })
}

/// The result: what `Location` answers where there is one, else the operation's own `properties`. Nothing where it
/// cannot be read just now.
async fn result(azure: &Azure, via: Via<'_>, api: &Api, poll: &Poll, body: &Value) -> Option<Value> {
    if let Some(location) = &poll.location {
        let reply = azure.get(via, api, location).await.ok()?;
        match reply.status {
            200 | 201 if !reply.body.is_null() => return Some(reply.body),
            408 | 429 | 500.. => return None,
            _ => {}
        }
    }
    Some(body.get("properties").filter(|properties| !properties.is_null()).unwrap_or(body).clone())
}

enum State {
    UnderWay,
    Well,
    Badly,
}

fn word(body: &Value) -> Option<&str> {
    let status = body.get("status").and_then(Value::as_str);
    status.or_else(|| body.pointer("/properties/provisioningState").and_then(Value::as_str))
}

fn has_state(body: &Value) -> bool {
    word(body).is_some()
}

/// Only these words are ends; whatever else a service says means that it goes on.
fn state(body: &Value) -> State {
    match word(body).unwrap_or_default().to_ascii_lowercase().as_str() {
        "succeeded" => State::Well,
        "failed" | "canceled" | "cancelled" => State::Badly,
        _ => State::UnderWay,
    }
}

fn failure(body: &Value, request_id: Option<&str>) -> ServiceError {
    let mut error = ServiceError::read(0, body, request_id);
    if error.message.is_empty() {
        error.message = format!("the operation ended as `{}`", word(body).unwrap_or("failed"));
    }
    error
}

/// The API a request's poll URLs belong to.
pub(super) fn api(request: &Request) -> Api {
    request.api.clone()
}
