//! A case of `requests/` and `variants/`, and what an action asks in it from its first read to its end.

use std::path::PathBuf;
use std::sync::Arc;

use drctl::actions::azure::{Answer, Known, Method, Next, Operation, Request, With, Write, all};
use drctl::catalogue::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Who is asked in all cases.
const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";

/// What an action is asked with, and what it finds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) action: String,
    pub(crate) with: Map<String, Value>,
    /// Answers by a part of the request (method, path and body); one without finds `{}`, and null is nothing there.
    #[serde(default)]
    there: Vec<(String, Value)>,
    /// The changes it sends, one after the other; none where it sends nothing.
    pub(crate) sends: Option<String>,
    /// What its changes are answered.
    #[serde(default)]
    pub(crate) answer: Value,
    /// What it finds after its changes, before what was there.
    #[serde(default)]
    then: Vec<(String, Value)>,
}

/// All cases: one for each change of each action, which the table of `cases.txt` rehearses too, and variants.
pub(crate) fn cases() -> Vec<Case> {
    let files = |folder: &str| -> Vec<PathBuf> {
        let folder = format!("{}/tests/azure/{folder}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let mut files = [files("requests"), files("variants")].concat();
    files.sort();
    let read = |file: &PathBuf| -> Vec<Case> {
        serde_yaml::from_str(&std::fs::read_to_string(file).unwrap())
            .unwrap_or_else(|error| panic!("{file:?}: {error}"))
    };
    files.iter().flat_map(read).collect()
}

pub(crate) fn operation(name: &str) -> Arc<dyn Operation> {
    all().into_iter().find(|operation| operation.spec().name == name).unwrap_or_else(|| panic!("no `{name}`"))
}

impl Case {
    /// All its parameters, those of every action included.
    pub(crate) fn parameters(&self, cloud: &str) -> Map<String, Value> {
        let mut with = json!({ "subscription": SUBSCRIPTION, "resource_group": "rg", "cloud": cloud });
        with.as_object_mut().unwrap().extend(self.with.clone());
        with.as_object().unwrap().clone()
    }

    /// What is found at a request, after these changes.
    fn found(&self, changes: &[Write], request: &Request) -> Answer {
        let line = format!("{} {} {}", request.method, request.path, request.body.as_ref().unwrap_or(&Value::Null));
        let then = if changes.is_empty() { &[] } else { self.then.as_slice() };
        let found = then.iter().chain(&self.there).find(|(part, _)| line.contains(part.as_str()));
        let mut body = found.map_or_else(|| json!({}), |(_, body)| body.clone());
        if body.is_null() {
            return Answer { status: 404, ..Answer::default() };
        }
        // What was made has the tags it was made with.
        let made = changes.iter().find(|write| write.request.path == request.path);
        if let Some(tags) = made.and_then(|write| write.request.body.as_ref()?.get("tags")) {
            body["tags"] = tags.clone();
        }
        let etag = body.get("etag").and_then(Value::as_str).map(str::to_owned);
        Answer { status: 200, body, etag }
    }
}

/// A case that was carried to its end.
pub(crate) struct Played {
    /// All requests on the way, changes included.
    pub(crate) requests: Vec<Request>,
    /// Its changes.
    pub(crate) changes: Vec<Write>,
    /// What it wants in the end.
    pub(crate) end: Next,
}

/// Asks the operation again and again: its reads are answered, and its changes done, until it wants neither.
pub(crate) fn play(case: &Case, cloud: &str) -> Played {
    let (operation, with) = (operation(&case.action), case.parameters(cloud));
    assert_eq!(operation.spec().check(&with), Ok(()), "{}", case.action);
    let mut known = Known::default();
    known.now = Timestamp::parse("2026-11-21T03:00:00Z").unwrap();
    let (mut requests, mut changes): (Vec<Request>, Vec<Write>) = (Vec::new(), Vec::new());
    for _ in 0..30 {
        let (Ok(next) | Err(next)) = operation.decide(&With::new(&with), &known);
        match next {
            Next::Read(reads) => {
                for request in reads {
                    known.learn(&request, case.found(&changes, &request));
                    requests.push(request);
                }
            }
            Next::Send(write) if known.sent(&write.request).is_none() => {
                // What a dry run asks before the change is shown.
                if let Err(Next::Read(asked)) = operation.foretold(&With::new(&with), &known) {
                    requests.extend(asked);
                }
                let is_news = write.request.method == Method::Post;
                known.note_sent(write.request.key(), if is_news { case.answer.clone() } else { Value::Null });
                requests.push(write.request.clone());
                changes.push(*write);
            }
            end => return Played { requests, changes, end },
        }
    }
    panic!("{} asks without an end", case.action);
}
