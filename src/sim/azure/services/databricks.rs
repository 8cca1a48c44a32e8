//! Databricks: workspaces, and the jobs on their own API.

use serde_json::{Value, json};

use super::Service;
use crate::sim::azure::answer::Answer;
use crate::sim::azure::derive::{Implied, region_in};
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::world::{World, merge, text};

pub(super) const WORKSPACES: Service =
    Service { prefix: "microsoft.databricks/workspaces", handle: |_, _, _| None, derive };
pub(super) const JOBS: Service = Service { prefix: ".azuredatabricks.net", handle: jobs, derive: |_, _| {} };

fn host(name: &str) -> String {
    let number =
        name.bytes().fold(17_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))) % 1_000_000_000;
    format!("adb-{number}.7.azuredatabricks.net")
}

/// Where a workspace's jobs and runs are kept: beside its URL.
fn place(host: &str, kind: &str, number: &str) -> String {
    format!("/databricks/{host}/{kind}/{number}")
}

fn jobs(world: &mut World, incoming: &Incoming, _: &Target) -> Option<Answer> {
    let parts: Vec<&str> = incoming.parts.iter().map(String::as_str).collect();
    let ["api", "2.1" | "2.2", "jobs", call @ ..] = parts.as_slice() else { return None };
    let host = incoming.host.clone();
    let number = |name: &str| {
        incoming.body.get(name).map(ToString::to_string).or_else(|| incoming.query(name).map(str::to_owned))
    };
    let job = number("job_id").unwrap_or_default();
    let unknown = || {
        Answer::status(
            400,
            json!({ "error_code": "INVALID_PARAMETER_VALUE", "message": format!("Job {job} does not exist.") }),
        )
    };
    Some(match (incoming.method.as_str(), call) {
        ("GET", ["get"]) => world.body(&place(&host, "jobs", &job)).map_or_else(unknown, |job| Answer::ok(job.clone())),
        ("POST", ["update"]) => {
            let change = json!({ "settings": incoming.body.get("new_settings") });
            let Some(body) = world.change(&place(&host, "jobs", &job)) else { return Some(unknown()) };
            merge(body, &change);
            Answer::ok(json!({}))
        }
        ("POST", ["run-now"]) => run(world, incoming, &host, &job),
        ("GET", ["runs", "get"]) => {
            let run = number("run_id").unwrap_or_default();
            world.body(&place(&host, "runs", &run)).map_or_else(unknown, |run| Answer::ok(run.clone()))
        }
        ("GET", ["runs", "list"]) => {
            let runs = world.list(&format!("/databricks/{host}/runs")).into_iter().map(|run| run.body.clone());
            let active: Vec<Value> = runs.filter(|run| text(run, "/state/life_cycle_state") == "RUNNING").collect();
            Answer::ok(json!({ "runs": active, "has_more": false }))
        }
        ("POST", ["runs", "cancel-all"]) => {
            let ids: Vec<String> =
                world.list(&format!("/databricks/{host}/runs")).into_iter().map(|run| run.id.clone()).collect();
            ids.iter().for_each(|id| {
                world.set(id, "/state", json!({ "life_cycle_state": "TERMINATED", "result_state": "CANCELED" }));
            });
            Answer::ok(json!({}))
        }
        _ => return None,
    })
}

/// Two requests with the same token are one run.
fn run(world: &mut World, incoming: &Incoming, host: &str, job: &str) -> Answer {
    let token = text(&incoming.body, "/idempotency_token").to_owned();
    let known = world
        .list(&format!("/databricks/{host}/runs"))
        .into_iter()
        .find(|run| !token.is_empty() && text(&run.body, "/token") == token);
    if let Some(run) = known {
        return Answer::ok(json!({ "run_id": run.body.get("run_id") }));
    }
    let number = world.number_of(incoming);
    let id = place(host, "runs", &number.to_string());
    let state = json!({ "life_cycle_state": "RUNNING" });
    world.insert(&id, json!({ "run_id": number, "job_id": job, "token": token, "state": state }), "");
    let target = Target { id: id.clone(), ..Target::default() };
    begin(world, incoming, &target, Style::Resource, Value::Null, move |world| {
        if text(world.body(&id).unwrap_or(&Value::Null), "/state/life_cycle_state") == "RUNNING" {
            world.set(&id, "/state", json!({ "life_cycle_state": "TERMINATED", "result_state": "SUCCESS" }));
        }
    });
    Answer::ok(json!({ "run_id": number }))
}

fn derive(world: &mut World, implied: &Implied<'_>) {
    if !implied.is_of("databricks") || implied.text("workspace").is_empty() {
        return;
    }
    let name = implied.text("workspace");
    let id = implied.id("Microsoft.Databricks/workspaces", "workspace");
    let region = region_in(name);
    world.ensure(
        &id,
        json!({ "location": region, "properties": { "workspaceUrl": host(name), "provisioningState": "Succeeded" } }),
        region,
    );
    if let Some(job) = implied.value("job") {
        // What a step pauses works before, what it lets go on rests.
        let pause = if implied.flag("paused") == Some(false) { "PAUSED" } else { "UNPAUSED" };
        let schedule = json!({ "quartz_cron_expression": "0 0 * * * ?", "timezone_id": "UTC", "pause_status": pause });
        let body = json!({ "job_id": job, "settings": { "name": format!("job {job}"), "schedule": schedule } });
        world.ensure(&place(&host(name), "jobs", &job.to_string()), body, region);
    }
}
