//! How the services refuse: each has its own codes, its own shape of an error, and signs what it answers.

use serde_json::{Value, json};

use super::answer::Answer;
use super::incoming::{Incoming, Target};
use super::world::{World, text};

/// Codes that Resource Manager itself refuses with, whatever the service: always in its own shape.
const OF_MANAGER: [&str; 10] = [
    "AuthorizationFailed",
    "ExpiredAuthenticationToken",
    "InvalidApiVersionParameter",
    "InvalidAuthenticationToken",
    "InvalidResourceType",
    "InvalidSkipToken",
    "MissingApiVersionParameter",
    "MissingSubscriptionRegistration",
    "ScopeLocked",
    "SubscriptionRequestsThrottled",
];

/// Codes that come as the answer to the request, not as the end of an operation; with their statuses and words.
const AT_ONCE: [(&str, u16, &str); 11] = [
    ("AuthorizationFailed", 403, "The client does not have authorization to perform this action over this scope."),
    (
        "ScopeLocked",
        409,
        "The scope cannot perform this operation because the following scope(s) are locked: 'freeze'.",
    ),
    ("MissingSubscriptionRegistration", 409, "The subscription is not registered to use this namespace."),
    ("FailoverGroupFailoverRequestOnPrimary", 400, "The failover has to be requested on the secondary server."),
    ("FailoverGroupNotSecondary", 400, "The server is not the secondary of the failover group."),
    ("PlannedFailoverTimedOut", 400, "The planned failover timed out. It was rolled back."),
    ("PlannedFailoverTimedOutForDatabase", 400, "The planned failover of a database timed out. It was rolled back."),
    ("GeoReplicationCannotBecomePrimaryDuringUndo", 409, "The database is being brought back to the primary's state."),
    ("OperationTimedOut", 500, "The operation timed out and was rolled back."),
    ("DatabaseUnavailable", 503, "The database is not available at the moment."),
    ("RequestTimeout", 504, "The service did not answer the request in time."),
];

/// The status and the words of a code that is answered at once.
pub(super) fn at_once(code: &str) -> Option<(u16, &'static str)> {
    AT_ONCE.iter().find(|(known, ..)| *known == code).map(|(_, status, words)| (*status, *words))
}

/// A refusal in a service's own words.
pub(super) fn of_code(code: &str) -> Answer {
    let (status, words) = at_once(code).unwrap_or((400, "The request cannot be carried out."));
    Answer::error(status, code, words)
}

/// Something else is being done there: a lock that some services tell by 429, others by a code of their own.
pub(super) fn busy(world: &mut World, target: &Target, other: &str) -> Answer {
    let (kind, id) = (target.kind.as_str(), &target.id);
    let message = format!("Another operation is in progress on '{id}'.\r\nTry \"again\" later.");
    let (status, code) = match kind {
        _ if kind.starts_with("microsoft.network/") => (429, "RetryableErrorDueToAnotherOperation"),
        _ if kind.starts_with("microsoft.web/") => (429, "Conflict"),
        _ if kind.starts_with("microsoft.containerservice/") => (409, "OperationNotAllowed"),
        _ if kind.starts_with("microsoft.sql/") && kind.ends_with("failovergroups") => (409, "FailoverGroupBusy"),
        "microsoft.sql/servers/databases" => {
            (409, world.random.pick(&["UpdateSloInProgress", "ConflictingServerOperation"], "UpdateSloInProgress"))
        }
        _ if kind.starts_with("microsoft.sql/") => (409, "ConflictingServerOperation"),
        _ => {
            let message = format!("{message} The other operation: {other}");
            return Answer::error(409, "AnotherOperationInProgress", message);
        }
    };
    let answer = Answer::error(status, code, message);
    // A lock has no end that anybody knows: only some say when to come back.
    if world.random.one_in(2) { answer.header("retry-after", "10") } else { answer }
}

/// The error in the shape of the service it is of.
pub(super) fn shaped(world: &mut World, incoming: &Incoming, answer: Answer) -> Answer {
    let Answer::Response(mut response) = answer else { return answer };
    let is_error = response.status >= 400 && response.body.get("error").is_some_and(Value::is_object);
    let of_manager = OF_MANAGER.contains(&text(&response.body, "/error/code"));
    if !is_error || of_manager || incoming.polled().is_some() {
        return Answer::Response(response);
    }
    if response.status == 429 && text(&response.body, "/error/code") == "TooManyRequests" && world.random.one_in(3) {
        response.body = Value::Null;
        return Answer::Response(response);
    }
    let (code, message) =
        (text(&response.body, "/error/code").to_owned(), text(&response.body, "/error/message").to_owned());
    if let Some(body) = shape(world, incoming, &code, &message) {
        response.body = body;
    }
    Answer::Response(response)
}

/// The error as the service writes it; nothing where it writes no more than code and message.
fn shape(world: &mut World, incoming: &Incoming, code: &str, message: &str) -> Option<Value> {
    let target = incoming.target();
    let kind = if incoming.is_for_manager() { &target.kind } else { &incoming.host };
    if kind.starts_with("microsoft.web/") {
        let entity = json!({ "ErrorEntity": { "Code": code, "Message": message } });
        let details = json!([{ "Message": message }, { "Code": code }, entity]);
        return Some(
            json!({ "Code": code, "Message": message, "Target": null, "Details": details, "Innererror": null }),
        );
    }
    if kind.starts_with("microsoft.documentdb/") {
        let id = guid(world);
        let message = format!("{message}\r\nActivityId: {id}, Microsoft.Azure.Documents.Common/2.14.0");
        return Some(json!({ "code": code, "message": message }));
    }
    if kind.ends_with(".batch.azure.com") {
        let metadata =
            format!("https://{kind}/$metadata#Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element");
        let message = json!({ "lang": "en-US", "value": message });
        return Some(json!({ "odata.metadata": metadata, "code": code, "message": message }));
    }
    if kind.ends_with(".azuredatabricks.net") {
        return Some(json!({ "error_code": code, "message": message }));
    }
    if kind.starts_with("microsoft.compute/") || kind.starts_with("microsoft.network/") {
        return Some(json!({ "error": { "code": code, "message": message, "details": [] } }));
    }
    world.random.one_in(3).then(|| {
        let details = json!([{ "code": code, "message": message, "target": target.name() }]);
        let info = json!([{ "type": "Simulated", "info": {} }]);
        let (id, mut error) = (&target.id, json!({ "code": code, "message": message }));
        error["target"] = json!(id);
        error["details"] = details;
        error["additionalInfo"] = info;
        json!({ "error": error })
    })
}

/// Every answer has its ids; the client's own is given back to who asks for it.
pub(super) fn signed(world: &mut World, incoming: &Incoming, answer: Answer) -> Answer {
    if !matches!(answer, Answer::Response(_)) {
        return answer;
    }
    let (id, routing) = (guid(world), guid(world));
    let correlation = incoming.header("x-ms-correlation-request-id").unwrap_or(&id).to_owned();
    let moment: String = world.now.to_string().chars().filter(|letter| !matches!(letter, '-' | ':')).collect();
    let moment = moment.split('.').next().unwrap_or_default();
    let asked = incoming.header("x-ms-return-client-request-id").is_some_and(|asks| asks.eq_ignore_ascii_case("true"));
    let client = incoming.header("x-ms-client-request-id").filter(|_| asked);
    let answer = answer
        .header("x-ms-request-id", id)
        .header("x-ms-correlation-request-id", correlation)
        .header("x-ms-routing-request-id", format!("SIMULATED:{moment}Z:{routing}"));
    match client {
        Some(client) => answer.header("x-ms-client-request-id", client),
        None => answer,
    }
}

fn guid(world: &mut World) -> String {
    let (high, low) = (world.random.number(), world.random.number());
    let (one, two, three) = (high >> 32, (high >> 16) & 0xffff, high & 0xfff);
    format!("{one:08x}-{two:04x}-4{three:03x}-8{:03x}-{:012x}", (low >> 48) & 0xfff, low & 0xffff_ffff_ffff)
}
