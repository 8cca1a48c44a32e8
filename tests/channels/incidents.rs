//! An incident that a run opens is the one that it resolves, at PagerDuty and on a Statuspage, whatever is killed between.

use std::fs;

use serde_json::{Value, json};

use super::http::{Server, answer};
use super::office::Office;

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
    let office = Office::new(&format!(
        "channels:\n  pager: {{ type: pagerduty, routing_key: {{ env: SECRET }}, url: \"{}\" }}\n  \
         page: {{ type: statuspage, page: p, token: {{ env: SECRET }}, url: \"{}\" }}\n\
         audiences:\n  customers: {{ channels: [pager, page] }}\n",
        pager.url("/v2/enqueue"),
        page.url("/v1")
    ));
    fs::write(office.path().join("runbooks/tell.yaml"), RUNBOOK).unwrap();
    fs::write(office.path().join("templates/resolution.md"), RESOLUTION).unwrap();
    (pager, page, office.with("SECRET", "s3cr3t"))
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
async fn a_kill_at_any_record_opens_one_incident_and_resolves_that_one() {
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
