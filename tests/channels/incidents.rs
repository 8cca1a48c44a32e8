//! An incident that a run opens is the one that it resolves, at PagerDuty and on a Statuspage, whatever is killed between.

use std::fs;

use serde_json::{Value, json};

use super::http::{Reply, Server, answer};
use super::office::Office;
use super::tool::installed;

const RUNBOOK: &str = "\
drctl: 1
name: tell
kind: drill
owner: ops
execution:
  - id: is_back
    action: assert
    with: { that: true, message: \"it is back\" }
communication:
  - id: open
    action: notify
    with: { template: incident, audience: customers, vars: { what: Orders } }
  - id: close
    action: notify
    needs: [open, is_back]
    with: { template: resolution, audience: customers }
";

const RESOLUTION: &str = "\
---
subject: Orders are back
severity: info
claims: recovery
---
Orders are back, **all** of them.
";

async fn office() -> (Server, Server, Office) {
    let pager = Server::start(vec![answer(202, "{}")]).await;
    let page = Server::start(vec![answer(201, "{\"id\": \"p31z\"}"), answer(200, "{\"id\": \"p31z\"}")]).await;
    let office = office_at(&pager, &page);
    (pager, page, office)
}

fn office_at(pager: &Server, page: &Server) -> Office {
    let office = Office::new(&format!(
        "channels:\n  pager: {{ type: pagerduty, routing_key: {{ env: SECRET }}, url: \"{}\" }}\n  \
         page: {{ type: statuspage, page: p, token: {{ env: SECRET }}, url: \"{}\" }}\n\
         audiences:\n  customers: {{ channels: [pager, page] }}\n",
        pager.url("/v2/enqueue"),
        page.url("/v1")
    ));
    fs::write(office.path().join("runbooks/tell.yaml"), RUNBOOK).unwrap();
    fs::write(office.path().join("templates/resolution.md"), RESOLUTION).unwrap();
    office.with("SECRET", "s3cr3t")
}

fn bodies(server: &Server) -> Vec<Value> {
    server.asked().iter().map(|asked| serde_json::from_str(&asked.body).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_resolved_where_it_was_opened() {
    let (pager, page, office) = office().await;
    let ran = office.tell();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let events = bodies(&pager);
    let key = format!("drctl/{}", office.run().unwrap());
    assert_eq!((&events[0]["event_action"], &events[0]["dedup_key"]), (&json!("trigger"), &json!(key)));
    let resolve = json!({ "routing_key": "s3cr3t", "event_action": "resolve", "dedup_key": key });
    assert_eq!(events[1..], [resolve]);
    assert_eq!(page.lines(), ["POST /v1/pages/p/incidents", "PATCH /v1/pages/p/incidents/p31z"]);
    let resolved = json!({ "incident": { "status": "resolved", "body": "Orders are back, all of them." } });
    assert_eq!(bodies(&page)[1], resolved);
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_side_by_side_are_about_one_incident() {
    let (_pager, page, office) = office().await;
    let also = "  - id: also\n    action: notify\n    with: { template: incident, audience: customers, vars: { what: Payments } }\n";
    office.edit("runbooks/tell.yaml", "  - id: close\n", &format!("{also}  - id: close\n"));
    office.edit("runbooks/tell.yaml", "[open, is_back]", "[open, also, is_back]");
    let ran = office.tell();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let update = "PATCH /v1/pages/p/incidents/p31z";
    assert_eq!(page.lines(), ["POST /v1/pages/p/incidents", update, update]);
    let states: Vec<Value> = bodies(&page).iter().map(|body| body["incident"]["status"].clone()).collect();
    assert_eq!(states, ["investigating", "identified", "resolved"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_whose_name_was_lost_is_found_again_and_not_opened_twice() {
    let pager = Server::start(vec![answer(202, "{}")]).await;
    let page = Server::start(vec![Reply::Drop, answer(200, "{\"id\": \"p31z\"}")]).await;
    let office = office_at(&pager, &page);
    let ran = office.tell();
    assert_eq!(ran.code, Some(10), "{ran:?}");
    assert_eq!(page.lines(), ["POST /v1/pages/p/incidents", "PATCH /v1/pages/p/incidents/p31z"]);
    assert_eq!(bodies(&page)[1]["incident"]["status"], "resolved");
    assert_eq!(office.owed(), [("page".to_owned(), true)], "whether the first was told, a person says");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_does_not_say_what_is_open_is_not_posted_to() {
    let (pager, page) = (Server::start(vec![answer(202, "{}")]).await, Server::start(vec![Reply::Hangup]).await);
    let office = office_at(&pager, &page);
    office.edit(
        "runbooks/tell.yaml",
        "    action: notify\n    needs",
        "    action: notify\n    timeout: 2s\n    needs",
    );
    office.edit("runbooks/tell.yaml", "  - id: open\n", "  - id: open\n    timeout: 2s\n");
    assert_eq!(office.tell().code, Some(10));
    let owed = ("page".to_owned(), false);
    assert_eq!((page.lines(), office.owed()), (Vec::new(), vec![owed.clone(), owed]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_record_opens_one_incident_and_resolves_that_one() {
    if !installed(&["strace"]) {
        return;
    }
    let mut doubts = 0;
    for number in 1.. {
        let (pager, page, office) = office().await;
        let died = office.killed_at_sync(number, &["run", "runbooks/tell.yaml"]);
        let survived = died.code.is_some();
        let Some(ran) = (if survived { Some(died) } else { office.finish() }) else { continue };
        assert!(matches!(ran.code, Some(0 | 10)), "{number}: {ran:?}");
        let owed = office.status()["owed"].as_array().unwrap().clone();
        assert!(owed.iter().all(|owed| owed["in_doubt"] == true && owed["channel"] == "page"), "{number}: {owed:?}");
        let events = bodies(&pager);
        assert!(events.iter().all(|event| event["dedup_key"] == events[0]["dedup_key"]), "{number}: {events:?}");
        let mut actions: Vec<&str> = events.iter().map(|event| event["event_action"].as_str().unwrap()).collect();
        actions.dedup();
        assert_eq!(actions, ["trigger", "resolve"], "{number}");
        let (open, close) = ("POST /v1/pages/p/incidents", "PATCH /v1/pages/p/incidents/p31z");
        // A kill just before one was sent leaves a doubt: then the resolving one is not sent, or is about no known incident.
        let wanted = if owed.is_empty() { vec![open, close] } else { vec![open] };
        assert_eq!(page.lines(), wanted, "{number}: {owed:?}");
        doubts += owed.len();
        if survived {
            break;
        }
    }
    assert_eq!(doubts, 2, "one for each of the two requests to the page");
}
