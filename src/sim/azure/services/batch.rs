//! Batch: pools, jobs and schedules on the account's own endpoint.

use serde_json::{Value, json};

use super::{Service, read, unmet_condition};
use crate::sim::azure::answer::Answer;
use crate::sim::azure::derive::Implied;
use crate::sim::azure::fault::plain;
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::world::World;

pub(super) const SERVICE: Service = Service { prefix: ".batch.azure.com", handle, derive };

fn handle(world: &mut World, incoming: &Incoming, _: &Target) -> Option<Answer> {
    let id = format!("/batch/{}/{}/{}", incoming.host, incoming.parts.first()?, incoming.parts.get(1)?);
    if incoming.query("api-version") != Some("2025-06-01") {
        return Some(Answer::error(400, "InvalidQueryParameterValue", "The api-version is not known."));
    }
    world.body(&id)?;
    if unmet_condition(world, incoming, &id).is_some() {
        return Some(Answer::error(
            412,
            "ConditionNotMet",
            "The condition specified using HTTP conditional header(s) is not met.",
        ));
    }
    match (incoming.method.as_str(), incoming.parts.get(2).map(String::as_str)) {
        ("GET", None) => Some(read(world, &id)),
        ("POST", Some("resize")) => {
            let wanted = incoming.body.get("targetDedicatedNodes").cloned().unwrap_or_default();
            world.set(&id, "/targetDedicatedNodes", wanted.clone());
            world.set(&id, "/allocationState", json!("resizing"));
            let target = Target { id: id.clone(), ..Target::default() };
            begin(world, incoming, &target, Style::Resource, Value::Null, move |world| {
                world.set(&id, "/currentDedicatedNodes", wanted);
                world.set(&id, "/allocationState", json!("steady"));
            });
            Some(Answer::status(202, Value::Null))
        }
        ("POST", Some(verb @ ("enable" | "disable"))) => {
            let word = if verb == "enable" { "active" } else { "disabled" };
            world.set(&id, "/state", json!(word));
            Some(Answer::status(if verb == "enable" { 202 } else { 204 }, Value::Null))
        }
        _ => None,
    }
}

fn derive(world: &mut World, implied: &Implied<'_>) {
    if !implied.is_of("batch") || implied.text("account").is_empty() {
        return;
    }
    let region = plain(implied.text("region"));
    let base = format!("/batch/{}.{region}.batch.azure.com", implied.text("account"));
    let state = if implied.flag("enabled") == Some(true) { "disabled" } else { "active" };
    let named = |kind: &str, name: &str, body: Value, world: &mut World| {
        if !name.is_empty() {
            world.ensure(&format!("{base}/{kind}/{name}"), body, &region);
        }
    };
    let pool = json!({ "allocationState": "steady", "currentDedicatedNodes": 2, "targetDedicatedNodes": 2, "state": "active" });
    named("pools", implied.text("pool"), pool, world);
    named("jobs", implied.text("job"), json!({ "state": state }), world);
    named("jobschedules", implied.text("schedule"), json!({ "state": state }), world);
}
