//! Every request that an action on Azure can build is one that Azure takes.
//!
//! `azure/requests/*.yaml` and `azure/variants/*.yaml` hold, for each action, parameters and what is there. The action is
//! asked until it is done, its changes taken for done, and every request on the way is judged by the description of
//! Azure's operations, in every cloud.

#![allow(dead_code, reason = "what tests share serves several of them")]
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "support/conformance/mod.rs"]
mod conformance;
#[path = "azure/given.rs"]
mod given;
#[path = "azure/played.rs"]
mod played;

use std::collections::BTreeSet;
use std::sync::Arc;

use conformance::{Conformance, Matched, Sent};
use drctl::actions::Registry;
use drctl::actions::azure::{Api, Cloud, Method, Next, Operation, Request, Vaults, Write, all};
use drctl::catalogue::{Effect, HumanDuration};
use drctl::edge::process::ProcessRunner;
use drctl::runbook::ast::VaultSecret;
use drctl::runbook::azure::Settings;
use played::{cases, play};
use serde_json::{Map, json};

const CLOUDS: [&str; 3] = ["public", "government", "china"];

fn sent(request: &Request, cloud: &Cloud) -> Sent {
    let scope = match &request.api {
        Api::Arm => cloud.arm_scope(),
        Api::Data { scope, .. } => scope.clone(),
    };
    Sent {
        method: request.method.to_string(),
        url: request.url(cloud),
        headers: request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        body: request.body.clone(),
        scope,
        opaque: false,
    }
}

#[test]
fn every_request_is_one_that_azure_takes() {
    let described = Conformance::load();
    let by_hand = described.is_none();
    let azure = described.unwrap_or_else(Conformance::by_hand);
    let mut problems = Vec::new();
    for (name, case) in CLOUDS.iter().flat_map(|name| cases().into_iter().map(move |case| (name, case))) {
        let (cloud, played) = (Cloud::read(Some(&json!(name))).unwrap(), play(&case, name));
        // Without the description of Resource Manager, only the services' own endpoints are known.
        for request in played.requests.iter().filter(|request| !by_hand || request.api != Api::Arm) {
            if let Err(problem) = azure.check(&sent(request, &cloud)) {
                problems.push(format!("{}: {} {}: {problem}", case.action, request.method, request.path));
            }
        }
        let sends: Vec<String> = played.changes.iter().map(short).collect();
        let sends = (!sends.is_empty()).then(|| sends.join(", "));
        if sends != case.sends || !matches!(played.end, Next::Done(_)) {
            let end = &played.end;
            problems.push(format!("{}: sends {sends:?}, wanted {:?}; in the end {end:?}", case.action, case.sends));
        }
    }
    problems.dedup();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn what_an_answer_does_not_name_is_not_asked_about() {
    for action in ["azure.backup.cross_region_restore", "azure.data_factory.run_pipeline", "azure.databricks.run_job"] {
        let mut case = cases().into_iter().find(|case| case.action == action).unwrap();
        case.answer = json!({});
        let played = play(&case, "public");
        let last = played.requests.iter().rfind(|request| request.method != Method::Get).unwrap();
        assert_eq!((played.changes.len(), last), (1, &played.changes[0].request), "{action}");
        // It waits, and is in doubt in the end: what has begun is not begun again.
        assert!(matches!(played.end, Next::Wait(_) | Next::Send(_)), "{action}: {:?}", played.end);
    }
}

/// A change by its method and the last two parts of its path, without its query.
fn short(write: &Write) -> String {
    let path = write.request.path.split('?').next().unwrap();
    let parts: Vec<&str> = path.rsplit('/').take(2).collect();
    format!("{} {}/{}", write.request.method, parts[1], parts[0])
}

#[test]
fn what_asks_for_a_secret_of_a_run_is_one_that_a_key_vault_takes() {
    let azure = Conformance::load().unwrap_or_else(Conformance::by_hand);
    let vaults = Vaults::new(&Settings::default());
    for version in [None, Some("4387e9f3d6e14c459867679a90fd0f79".to_owned())] {
        let named = VaultSecret { vault: "kv-west".to_owned(), secret: "db-password".to_owned(), version };
        let judged = azure.check(&sent(&vaults.request(&named), &Cloud::Public));
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
fn every_parameter_and_every_word_it_may_be_is_in_a_request() {
    assert_eq!(given::shown_by_none(&cases()), [""; 0]);
}

#[test]
fn every_call_that_a_service_spells_is_made() {
    let requests: Vec<Request> = cases().iter().flat_map(|case| play(case, "public").requests).collect();
    assert_eq!(given::spelled_for_none(&requests), [""; 0]);
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
        let played = play(&case, "public");
        let note = match &played.end {
            Next::Done(done) => Some(&done.note),
            _ => None,
        };
        for told in played.changes.iter().map(|write| &write.what).chain(note) {
            assert!(!told.contains('{'), "{}: {told}", case.action);
        }
        let preview = registry.get(&case.action).unwrap().preview(&case.with).join("\n");
        assert!(!preview.contains("1969-") && !preview.contains("1970-"), "{}: {preview}", case.action);
    }
}

#[test]
fn every_change_is_shown_with_its_method_and_url_before_anything_is_read() {
    let registry = Registry::new(Arc::new(ProcessRunner::new("")));
    for case in cases() {
        let action = registry.get(&case.action).unwrap();
        let (sends, preview) = (action.sends(&case.parameters("public")), action.preview(&case.parameters("public")));
        for write in play(&case, "public").changes {
            let line = format!("{} {}", write.request.method, write.request.url(&Cloud::Public));
            let is_it = |shown: &str| stands_for(shown, &line);
            assert!(sends.iter().any(|shown| shown.strip_prefix("sends ").is_some_and(is_it)), "{line}\n{sends:#?}");
            assert!(preview.iter().any(|shown| is_it(shown)), "{line}\n{preview:#?}");
        }
    }
}

/// Whether a line stands for another one: `{run}` in it is any part of a host or a path.
fn stands_for(shown: &str, line: &str) -> bool {
    let Some((before, rest)) = shown.split_once('{') else { return shown == line };
    let Some((_, after)) = rest.split_once('}') else { return false };
    let Some(part) = line.strip_prefix(before) else { return false };
    let end = part.find(['/', '?']).unwrap_or(part.len());
    end > 0 && stands_for(after, &part[end..])
}
