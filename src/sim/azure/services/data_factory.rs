//! Data Factory: triggers, runs, integration runtimes.

use serde_json::{Value, json};

use super::Service;
use crate::sim::azure::answer::Answer;
use crate::sim::azure::derive::{Implied, region_in};
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::world::{World, text};

pub(super) const SERVICE: Service = Service { prefix: "microsoft.datafactory/factories", handle, derive };

fn handle(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    let id = target.id.clone();
    let kind = target.kind.rsplit('/').next().unwrap_or_default().to_owned();
    match (incoming.method.as_str(), kind.as_str(), target.action().as_str()) {
        ("POST", "triggers", "start" | "stop") => {
            let word = if target.action() == "start" { "Started" } else { "Stopped" };
            world.body(&id)?;
            world.set(&id, "/properties/runtimeState", json!(word));
            Some(Answer::status(200, Value::Null))
        }
        ("POST", "integrationruntimes", "getstatus") => Some(Answer::ok(world.body(&id)?.clone())),
        ("POST", "integrationruntimes", "start" | "stop") => {
            let word = if target.action() == "start" { "Started" } else { "Stopped" };
            Some(begin(world, incoming, target, Style::Location, Value::Null, move |world| {
                world.set(&id, "/properties/state", json!(word));
            }))
        }
        ("POST", "pipelines", "createrun") => {
            let number = world.number_of(incoming);
            let run = format!("{}/pipelineruns/run-{number}", target.parent());
            let name = target.name().to_owned();
            world.insert(
                &run,
                json!({ "runId": format!("run-{number}"), "pipelineName": name, "status": "InProgress" }),
                "",
            );
            let own = Target { id: run.clone(), ..target.clone() };
            begin(world, incoming, &own, Style::Resource, Value::Null, move |world| {
                world.set(&run, "/status", json!("Succeeded"));
            });
            Some(Answer::ok(json!({ "runId": format!("run-{number}") })))
        }
        ("POST", _, "querypipelineruns") => {
            let runs = world.list(&format!("{id}/pipelineruns")).into_iter().map(|run| run.body.clone());
            let active: Vec<Value> = runs.filter(|run| text(run, "/status") == "InProgress").collect();
            Some(Answer::ok(json!({ "value": active })))
        }
        ("POST", "pipelineruns", "cancel") => {
            world.body(&id)?;
            world.set(&id, "/status", json!("Cancelled"));
            Some(Answer::status(200, Value::Null))
        }
        _ => None,
    }
}

fn derive(world: &mut World, implied: &Implied<'_>) {
    if !implied.is_of("data_factory") || implied.text("factory").is_empty() {
        return;
    }
    let id = implied.id("Microsoft.DataFactory/factories", "factory");
    let region = region_in(implied.text("factory"));
    world.ensure(&id, json!({ "location": region, "properties": { "provisioningState": "Succeeded" } }), region);
    // What a step starts rests before, what it stops works.
    let starts = implied.flag("started") == Some(true);
    if !implied.text("trigger").is_empty() {
        let state = if starts { "Stopped" } else { "Started" };
        world.ensure(
            &format!("{id}/triggers/{}", implied.text("trigger")),
            json!({ "properties": { "runtimeState": state } }),
            region,
        );
    }
    if !implied.text("runtime").is_empty() {
        let managed = implied.action.ends_with("set_integration_runtime");
        let (kind, state) = match (managed, starts) {
            (true, true) => ("Managed", "Stopped"),
            (true, false) => ("Managed", "Started"),
            (false, _) => ("SelfHosted", "Online"),
        };
        let properties = json!({ "type": kind, "state": state });
        world.ensure(
            &format!("{id}/integrationRuntimes/{}", implied.text("runtime")),
            json!({ "properties": properties }),
            region,
        );
    }
    if implied.action.ends_with("cancel_runs") {
        let run = json!({ "runId": "run-before", "pipelineName": implied.text("pipeline"), "status": "InProgress" });
        world.ensure(&format!("{id}/pipelineruns/run-before"), run, region);
    }
}
