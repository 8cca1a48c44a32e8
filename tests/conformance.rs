//! The checker of requests to Azure finds what is wrong with one, and nothing wrong with those that are right.
//!
//! Right are here the requests that the reference of the services shows; the requests drctl itself builds are
//! checked where they are built. A new case is a paragraph in one of the files of `conformance/`.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "support/conformance/mod.rs"]
mod conformance;

use conformance::{Conformance, Matched, Sent};
use serde_json::{Value, json};

const ARM: &str = "https://management.azure.com";
const ARM_SCOPE: &str = "https://management.azure.com/.default";

/// A request to Resource Manager. `~` stands for a resource group's providers, `§` for a subscription.
fn arm(method: &str, path: &str, version: &str, body: Value) -> Sent {
    let path = path.replace('~', "§/resourceGroups/rg-west/providers").replace('§', "/subscriptions/s");
    let join = if path.contains('?') { '&' } else { '?' };
    let sent = at(method, &format!("{ARM}{path}{join}api-version={version}"), body);
    Sent { scope: ARM_SCOPE.to_owned(), ..sent }
}

/// A request to anywhere, without a token.
fn at(method: &str, url: &str, body: Value) -> Sent {
    let body = (!body.is_null()).then_some(body);
    let (method, url, headers, scope) = (method.to_owned(), url.to_owned(), Vec::new(), String::new());
    Sent { method, url, headers, body, scope, opaque: false }
}

/// The paragraphs of a file: each a request and what is expected of it.
fn cases(text: &str) -> Vec<(Sent, String)> {
    let paragraphs = text.split("\n\n").filter(|paragraph| !paragraph.starts_with('#'));
    paragraphs.map(|paragraph| case(paragraph.trim_end())).collect()
}

fn case(paragraph: &str) -> (Sent, String) {
    let (request, expected) = paragraph.split_once("\n= ").unwrap();
    let mut lines = request.lines();
    let words: Vec<&str> = lines.next().unwrap().split(' ').collect();
    let (body, headers): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with(['{', '"', ' ']));
    let body = if body.is_empty() { Value::Null } else { serde_json::from_str(&body.concat()).unwrap() };
    let mut sent = match words[..] {
        [method, path, version] => arm(method, path, version, body),
        [method, url] => at(method, url, body),
        _ => panic!("not a request: {request}"),
    };
    for header in headers {
        match header.split_once(": ").unwrap() {
            ("scope", scope) => scope.clone_into(&mut sent.scope),
            (name, value) => sent.headers.push((name.to_owned(), value.to_owned())),
        }
    }
    (sent, expected.replace("\n= ", "; "))
}

#[test]
fn requests_that_are_right_pass() {
    let Some(azure) = Conformance::load() else { return };
    let right = cases(include_str!("conformance/right.http"));
    assert!(right.len() >= 60);
    for (sent, id) in right {
        assert_eq!(azure.check(&sent), Ok(Matched::Operation(id)), "{} {}", sent.method, sent.url);
    }
}

#[test]
fn requests_that_are_wrong_are_refused_with_what_was_wanted_and_found() {
    let Some(azure) = Conformance::load() else { return };
    for (sent, said) in cases(include_str!("conformance/wrong.http")) {
        assert_eq!(azure.check(&sent), Err(said), "{} {}", sent.method, sent.url);
    }
}

#[test]
fn calls_the_file_lacks_are_judged_by_hand_with_and_without_it() {
    for azure in Conformance::load().into_iter().chain([Conformance::by_hand()]) {
        for (sent, _) in cases(include_str!("conformance/right_by_hand.http")) {
            let judged = azure.check(&sent);
            assert!(matches!(judged, Ok(Matched::Listed(_))), "{} {}: {judged:?}", sent.method, sent.url);
        }
        for (sent, said) in cases(include_str!("conformance/wrong_by_hand.http")) {
            assert_eq!(azure.check(&sent), Err(said), "{} {}", sent.method, sent.url);
        }
    }
}

#[test]
fn an_address_azure_gave_is_read_as_it_is_and_gets_no_token_of_another_place() {
    let azure = Conformance::by_hand();
    let check = |method, url, scope: &str| {
        azure.check(&Sent { opaque: true, scope: scope.to_owned(), ..at(method, url, Value::Null) })
    };
    let poll = "https://centraluseuap.management.azure.com/subscriptions/s//x?api-version=a&api-version=b&t=%7B";
    assert_eq!(check("GET", poll, ARM_SCOPE), Ok(Matched::Opaque));
    for elsewhere in ["https://management.azure.com.example.com/x", "https://kv-west.vault.azure.net/x"] {
        let said = check("GET", elsewhere, ARM_SCOPE).unwrap_err();
        assert!(said.ends_with(&format!("wanted no token at a host that is not its own, found one for `{ARM_SCOPE}`")));
        assert_eq!(check("GET", elsewhere, ""), Ok(Matched::Opaque));
    }
    assert!(check("POST", poll, ARM_SCOPE).unwrap_err().ends_with("to be read, found a POST"));
}

const ACCOUNT: &str = "~/Microsoft.Storage/storageAccounts/stwest";

#[test]
fn answers_are_judged_by_status_and_body() {
    let Some(azure) = Conformance::load() else { return };
    let account = arm("GET", ACCOUNT, "2025-06-01", Value::Null);
    let body = |status| json!({"location": "westeurope", "properties": {"geoReplicationStats": {"status": status}}});
    assert_eq!(azure.check_answer(&account, 200, &body("Live")), Ok(()));
    let said = "`Storage_StorageAccounts_GetProperties`: answer 200: body `/properties/geoReplicationStats/status`: \
                wanted one of [\"Bootstrap\",\"Live\",\"Unavailable\"], found \"Dead\"";
    assert_eq!(azure.check_answer(&account, 200, &body("Dead")), Err(said.to_owned()));
    let said = "`Storage_StorageAccounts_GetProperties`: status: wanted one of [200], found 204";
    assert_eq!(azure.check_answer(&account, 204, &Value::Null), Err(said.to_owned()));
    assert_eq!(azure.check_answer(&account, 503, &json!("<html>")), Ok(()));
}

#[test]
fn an_answer_that_lists_is_judged_item_by_item() {
    let Some(azure) = Conformance::load() else { return };
    let path = "~/Microsoft.Sql/servers/sql/databases/db/replicationLinks";
    let links = arm("GET", path, "2023-08-01", Value::Null);
    let link = |role| json!({"name": "4c9e", "properties": {"replicationState": "CATCH_UP", "role": role}});
    assert_eq!(azure.check_answer(&links, 200, &json!({"value": [link("Secondary")]})), Ok(()));
    let said = azure.check_answer(&links, 200, &json!({"value": [link("Third")]})).unwrap_err();
    assert!(said.contains("body `/value/0/properties/role`: wanted one of"), "{said}");
    let said = azure.check_answer(&links, 200, &link("Secondary")).unwrap_err();
    assert!(said.contains("wanted the key \"value\", found [\"name\", \"properties\"]"), "{said}");
}

#[test]
fn a_long_operation_may_say_202_and_a_slot_answers_like_its_site() {
    let Some(azure) = Conformance::load() else { return };
    let set = "~/Microsoft.Compute/virtualMachineScaleSets/web";
    let scale = arm("PATCH", set, "2024-11-01", json!({"sku": {"capacity": 3}}));
    assert_eq!(azure.check_answer(&scale, 202, &Value::Null), Ok(()));
    let slot = arm("GET", "~/Microsoft.Web/sites/shop/slots/staging", "2024-11-01", Value::Null);
    let said = azure.check_answer(&slot, 200, &json!({"properties": {"availabilityState": "Down"}})).unwrap_err();
    assert!(said.starts_with("`Web_WebApps_Get`: answer 200: body `/properties/availabilityState`:"), "{said}");
}

#[test]
fn every_schema_of_the_file_compiles_and_what_listed_calls_are_like_is_there() {
    let Some(azure) = Conformance::load() else { return };
    assert!(azure.compile_all() > 200);
}
