//! What the actions that send HTTP requests share: parameters, and how they become a request.

use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

use super::params::{entries, plain};
use crate::catalogue::{Field, Type};
use crate::edge::http::merge_headers;

pub(super) const URL: Field = Field {
    name: "url",
    kind: || Type::String,
    required: true,
    doc: "the address, starting with `http://` or `https://`",
};
pub(super) const HEADERS: Field = Field {
    name: "headers",
    kind: || Type::Map(Box::new(Type::String)),
    required: false,
    doc: "further headers; the place for tokens, which belong in secret inputs",
};

/// The rule for `headers`.
pub(super) fn headers_rule(with: &Map<String, Value>) -> Result<(), String> {
    let given = with.get("headers").and_then(Value::as_object);
    given.map_or(Ok(()), |given| merge_headers(given, HeaderMap::new()).map(drop))
}

/// The request line and the headers as a preview shows them.
pub(super) fn preview(with: &Map<String, Value>) -> Vec<String> {
    let text = |name| with.get(name).map(plain);
    let method = text("method").unwrap_or_else(|| "GET".to_owned());
    let query: Vec<String> = entries(with, "query").map(|(name, value)| format!("{name}={}", plain(value))).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let mut lines = vec![format!("{method} {}{query}", text("url").unwrap_or_default())];
    lines.extend(entries(with, "headers").map(|(name, value)| format!("{name}: {}", plain(value))));
    lines
}
