//! What is made of a backup or of something else says of what, in a tag: a name alone does not tell.

use serde_json::{Value, json};

use super::Request;
use super::read::text;
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

/// Why what is there is not what the request makes.
#[must_use]
pub(super) fn other(now: &Value, request: &Request, name: &str) -> Option<String> {
    let mark = |body| text(body, &format!("/tags/{TAG}"));
    let is_other = mark(now) != request.body.as_ref().map(mark).unwrap_or_default();
    is_other.then(|| {
        format!("`{name}` is there already, and was not made by this: of the same source and the same moment. Give another name")
    })
}
