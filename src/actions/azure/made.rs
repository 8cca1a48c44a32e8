//! What is made of a backup or of something else says of what, in a tag: a name alone does not tell.

use serde_json::{Value, json};

use super::read::text;
use super::{Known, Next, Request, With};
use crate::catalogue::Timestamp;
use crate::plan::digest;

/// Its value is a digest of what was asked for.
const TAG: &str = "drctl-made-of";

/// The request, with the mark of what it asks for.
#[must_use]
pub(super) fn marked(request: Request) -> Request {
    let Some(mut body) = request.body.clone() else { return request };
    let mark = digest::short(&digest::of_value(&body)).to_owned();
    body["tags"] = json!({ (TAG): mark });
    request.body(body)
}

/// Whether the parameter `point_in_time` names a moment that a backup can hold.
///
/// # Errors
/// It lies ahead.
pub(super) fn past(with: &With<'_>, known: &Known) -> Result<(), Next> {
    let moment = with.option("point_in_time").and_then(|text| Timestamp::parse(text).ok());
    match moment.filter(|moment| *moment > known.now && !known.is_rehearsed) {
        Some(ahead) => {
            Err(Next::Fail(format!("`point_in_time` is {ahead}, which lies ahead: it is {} now", known.now)))
        }
        None => Ok(()),
    }
}

/// Why what is there is not what the request makes.
#[must_use]
pub(super) fn other(now: &Value, request: &Request, name: &str) -> Option<String> {
    let mark = |body| text(body, &format!("/tags/{TAG}"));
    let is_other = mark(now) != request.body.as_ref().map(mark).unwrap_or_default();
    is_other.then(|| {
        format!("`{name}` is there already, and was not made by this: of the same source and the same moment. Give another name")
    })
}
