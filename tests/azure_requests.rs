//! Every request that an action on Azure can build is one that Azure takes.
//!
//! `azure/requests/*.yaml` holds, for each action, parameters and what is there; the action is asked until it would send
//! its change, and every request on the way is judged by the description of Azure's operations.

#![allow(dead_code, reason = "what tests share serves several of them")]
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "support/conformance/mod.rs"]
mod conformance;

use std::collections::BTreeSet;
use std::sync::Arc;

use conformance::{Conformance, Matched, Sent};
use drctl::actions::Registry;
use drctl::actions::azure::{Answer, Api, Cloud, Known, Next, Operation, Request, Vaults, With, all};
use drctl::catalogue::{Effect, HumanDuration, Timestamp};
use drctl::edge::process::ProcessRunner;
use drctl::runbook::ast::VaultSecret;
use drctl::runbook::azure::Settings;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What an action is asked with, and what it finds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    action: String,
    with: Map<String, Value>,
    /// Answers by a part of the request's line; a request without one finds `{}`.
    #[serde(default)]
    there: Vec<(String, Value)>,
    /// The change it sends; none where it sends nothing.
    sends: Option<String>,
}

fn cases() -> Vec<Case> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/azure/requests");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: &std::path::PathBuf| -> Vec<Case> {
        serde_yaml::from_str(&std::fs::read_to_string(file).unwrap())
            .unwrap_or_else(|error| panic!("{file:?}: {error}"))
    };
    files.iter().flat_map(read).collect()
}

fn operation(name: &str) -> Arc<dyn Operation> {
    all().into_iter().find(|operation| operation.spec().name == name).unwrap_or_else(|| panic!("no `{name}`"))
}

fn sent(request: &Request) -> Sent {
    let scope = match &request.api {
        Api::Arm => Cloud::Public.arm_scope(),
        Api::Data { scope, .. } => scope.clone(),
    };
    Sent {
        method: request.method.to_string(),
        url: request.url(&Cloud::Public),
        headers: request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        body: request.body.clone(),
        scope,
        opaque: false,
    }
}

/// What the case finds at the request.
fn answer(case: &Case, request: &Request) -> Answer {
    let line = format!("{} {}", request.method, request.path);
    let found = case.there.iter().find(|(part, _)| line.contains(part.as_str())).map(|(_, body)| body.clone());
    match found {
        Some(Value::Null) => Answer { status: 404, ..Answer::default() },
        found => Answer { status: 200, body: found.unwrap_or_else(|| json!({})), etag: None },
    }
}

/// Asks the operation until it is done or would send something; all requests on the way.
fn ask(case: &Case) -> (Vec<Request>, Next) {
    let operation = operation(&case.action);
    let mut with = json!({ "subscription": "00000000-0000-0000-0000-000000000001", "resource_group": "rg" });
    with.as_object_mut().unwrap().extend(case.with.clone());
    let with = with.as_object().unwrap().clone();
    assert_eq!(operation.spec().check(&with), Ok(()), "{}", case.action);
    let with = With::new(&with);
    let mut known = Known::default();
    known.now = Timestamp::parse("2026-11-21T03:00:00Z").unwrap();
    let mut requests = Vec::new();
    for _ in 0..20 {
        let (Ok(next) | Err(next)) = operation.decide(&with, &known);
        match next {
            Next::Read(reads) => {
                for request in reads {
                    known.learn(&request, answer(case, &request));
                    requests.push(request);
                }
            }
            Next::Send(write) => {
                requests.push(write.request.clone());
                return (requests, Next::Send(write));
            }
            next => return (requests, next),
        }
    }
    panic!("{} asks without an end", case.action);
}

#[test]
fn every_request_is_one_that_azure_takes() {
    let described = Conformance::load();
    let by_hand = described.is_none();
    let azure = described.unwrap_or_else(Conformance::by_hand);
    let mut problems = Vec::new();
    for case in cases() {
        let (requests, next) = ask(&case);
        // Without the description of Resource Manager, only the services' own endpoints are known.
        for request in requests.iter().filter(|request| !by_hand || request.api != Api::Arm) {
            if let Err(problem) = azure.check(&sent(request)) {
                problems.push(format!("{}: {} {}: {problem}", case.action, request.method, request.path));
            }
        }
        let sends = match &next {
            Next::Send(write) => Some(format!("{} {}", write.request.method, last_of(&write.request.path))),
            _ => None,
        };
        if sends != case.sends {
            problems.push(format!("{}: sends {sends:?}, wanted {:?}; in the end {next:?}", case.action, case.sends));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The last two parts of a path, without its query.
fn last_of(path: &str) -> String {
    let path = path.split('?').next().unwrap();
    let parts: Vec<&str> = path.rsplit('/').take(2).collect();
    format!("{}/{}", parts[1], parts[0])
}

#[test]
fn what_asks_for_a_secret_of_a_run_is_one_that_a_key_vault_takes() {
    let azure = Conformance::load().unwrap_or_else(Conformance::by_hand);
    let vaults = Vaults::new(&Settings::default());
    for version in [None, Some("4387e9f3d6e14c459867679a90fd0f79".to_owned())] {
        let named = VaultSecret { vault: "kv-west".to_owned(), secret: "db-password".to_owned(), version };
        let judged = azure.check(&sent(&vaults.request(&named)));
        assert!(matches!(judged, Ok(Matched::Listed(_))), "{judged:?}");
    }
}

#[test]
fn every_action_has_a_case_and_every_change_is_sent_in_one() {
    let (mut seen, mut sending) = (BTreeSet::new(), BTreeSet::new());
    for case in cases() {
        if case.sends.is_some() {
            sending.insert(case.action.clone());
        }
        seen.insert(case.action);
    }
    let missing = |operation: &Arc<dyn Operation>| {
        let spec = operation.spec();
        let reads = [Map::new(), Map::from_iter([("method".to_owned(), json!("GET"))])];
        let writes = reads.iter().all(|with| (spec.effect)(with) != Effect::Reads);
        !seen.contains(spec.name) || (writes && !sending.contains(spec.name))
    };
    let missing: Vec<&str> = all().iter().filter(|operation| missing(operation)).map(|one| one.spec().name).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_action_says_what_it_is() {
    for operation in all() {
        let spec = operation.spec();
        assert!(spec.name.starts_with("azure.") && !spec.summary.is_empty() && spec.docs.len() > 20, "{}", spec.name);
        let takes = (spec.takes)(&Map::new()).unwrap_or_else(|| panic!("{}: how long does it take?", spec.name));
        assert!(takes.typical <= takes.worst, "{}: {}", spec.name, HumanDuration(takes.worst));
        let is_check = spec.is_check;
        let outputs: Vec<&str> = spec.outputs.fixed().iter().map(|field| field.name).collect();
        assert_eq!(is_check, outputs.starts_with(&["healthy", "reason"]), "{}", spec.name);
        let writes = (spec.effect)(&Map::new()) != Effect::Reads;
        assert!(!writes || !spec.permissions.is_empty() || spec.name == "azure.request", "{}: permissions", spec.name);
    }
}

#[test]
fn what_an_action_does_is_told_in_words_and_its_preview_knows_no_time() {
    let registry = Registry::new(Arc::new(ProcessRunner::new("")));
    for case in cases() {
        let (_, next) = ask(&case);
        let told = match &next {
            Next::Send(write) => &write.what,
            Next::Done(done) => &done.note,
            _ => continue,
        };
        assert!(!told.contains('{'), "{}: {told}", case.action);
        let preview = registry.get(&case.action).unwrap().preview(&case.with).join("\n");
        assert!(!preview.contains("1969-") && !preview.contains("1970-"), "{}: {preview}", case.action);
    }
}
