//! Lists in pages: small ones, so that a list of a few resources has several.

use serde_json::{Value, json};

use super::answer::Answer;
use super::incoming::Incoming;

/// How many items of a list come at once.
const PAGE: usize = 3;
/// How many rows of the Resource Graph.
const ROWS: usize = 8;
/// The query that says where a page begins. What it holds is nobody's business but the service's.
const TOKEN: &str = "$skiptoken";

/// One page of the list that an answer holds; the whole answer where it holds none.
pub(super) fn page(incoming: &Incoming, answer: Answer) -> Answer {
    let Answer::Response(mut response) = answer else { return answer };
    let token = incoming.query(TOKEN);
    let items = response.body.get_mut("value").and_then(Value::as_array_mut);
    let Some(items) = items.filter(|_| incoming.method == "GET" && response.status == 200) else {
        return Answer::Response(response);
    };
    let Some(begin) = token.map_or(Some(0), |token| place(token).filter(|begin| *begin <= items.len())) else {
        return Answer::error(400, "InvalidSkipToken", "The skip token is not valid.");
    };
    let rest = items.split_off(begin.saturating_add(PAGE).min(items.len()));
    items.drain(..begin);
    if !rest.is_empty() {
        let first = incoming.url.split("&$skiptoken").next().unwrap_or_default();
        let first = first.split("&%24skiptoken").next().unwrap_or_default();
        let join = if first.contains('?') { '&' } else { '?' };
        response.body["nextLink"] = json!(format!("{first}{join}%24skiptoken={}", opaque(begin + PAGE)));
    }
    Answer::Response(response)
}

/// Rows of the Resource Graph: those after the token of the request's options, no more than it asks for at once.
pub(super) fn rows(incoming: &Incoming, all: Vec<Value>) -> Answer {
    let option = |name: &str| incoming.body.pointer(&format!("/options/{name}"));
    let token = option("$skipToken").and_then(Value::as_str).filter(|token| !token.is_empty());
    let Some(begin) = token.map_or(Some(0), place) else {
        return Answer::error(400, "BadRequest", "The $skipToken is not valid.");
    };
    let asked = option("$top").and_then(Value::as_u64).and_then(|top| usize::try_from(top).ok());
    let (total, size) = (all.len(), asked.unwrap_or(ROWS).min(ROWS));
    let data: Vec<Value> = all.into_iter().skip(begin).take(size).collect();
    let end = begin + data.len();
    let mut body = json!({ "totalRecords": total, "count": data.len(), "data": data, "resultTruncated": "false" });
    if end < total {
        body["$skipToken"] = json!(opaque(end));
    }
    Answer::ok(body)
}

/// What makes a place in a list unreadable.
const MASK: u64 = 0x9e37_79b9_7f4a_7c15;

fn opaque(place: usize) -> String {
    format!("{:016x}", place as u64 ^ MASK)
}

fn place(token: &str) -> Option<usize> {
    let place = u64::from_str_radix(token, 16).ok()? ^ MASK;
    usize::try_from(place).ok().filter(|place| *place < 100_000)
}
