//! Virtual machines, scale sets, Kubernetes clusters.

use serde_json::{Value, json};

use super::{Service, put, read, unmet_condition};
use crate::sim::azure::answer::Answer;
use crate::sim::azure::derive::{Implied, region_in};
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::world::{World, merge, text};

pub(super) const MACHINES: Service =
    Service { prefix: "microsoft.compute/virtualmachines", handle: machines, derive: derive_machine };
pub(super) const SCALE_SETS: Service =
    Service { prefix: "microsoft.compute/virtualmachinescalesets", handle: scale_sets, derive: derive_scale_set };
pub(super) const CLUSTERS: Service =
    Service { prefix: "microsoft.containerservice/managedclusters", handle: clusters, derive: derive_cluster };

/// The power state is kept with the machine, and shown by its instance view.
const POWER: &str = "/properties/simulatedPower";

fn machines(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    let id = target.id.clone();
    let becomes = |word: &'static str| {
        let id = id.clone();
        move |world: &mut World| world.set(&id, POWER, json!(word))
    };
    match (incoming.method.as_str(), target.action().as_str()) {
        ("GET", "instanceview") => {
            let power = text(world.body(&target.id)?, POWER).to_owned();
            Some(Answer::ok(
                json!({ "statuses": [{ "code": "ProvisioningState/succeeded" }, { "code": format!("PowerState/{power}") }] }),
            ))
        }
        ("POST", "start" | "restart" | "redeploy") => {
            Some(begin(world, incoming, target, Style::Location, Value::Null, becomes("running")))
        }
        ("POST", "deallocate") => {
            Some(begin(world, incoming, target, Style::Location, Value::Null, becomes("deallocated")))
        }
        ("POST", "runcommand") => {
            let result =
                json!({ "value": [{ "code": "ComponentStatus/StdOut/succeeded", "message": "simulated output" }] });
            Some(begin(world, incoming, target, Style::Location, result, |_| {}))
        }
        _ => None,
    }
}

fn derive_machine(world: &mut World, implied: &Implied<'_>) {
    if implied.is_of("vm") && !implied.text("vm").is_empty() {
        let id = implied.id("Microsoft.Compute/virtualMachines", "vm");
        let power = if implied.action.ends_with(".start") { "deallocated" } else { "running" };
        let region = region_in(implied.text("vm"));
        world.ensure(&id, json!({ "location": region, "properties": { "simulatedPower": power } }), region);
    }
}

fn scale_sets(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    let capacity = world.body(&target.id)?.pointer("/sku/capacity").and_then(Value::as_i64).unwrap_or(0);
    let id = target.id.clone();
    match (incoming.method.as_str(), target.action().as_str()) {
        ("GET", "instanceview") => {
            let power = text(world.body(&target.id)?, POWER).to_owned();
            let summary = json!([{ "code": format!("PowerState/{power}"), "count": capacity }]);
            Some(Answer::ok(json!({ "virtualMachine": { "statusesSummary": summary } })))
        }
        ("PATCH", "") => {
            let change = incoming.body.clone();
            Some(begin(world, incoming, target, Style::AsyncOperation, Value::Null, move |world| {
                if let Some(body) = world.change(&id) {
                    merge(body, &change);
                }
            }))
        }
        ("POST", "start") => Some(begin(world, incoming, target, Style::Location, Value::Null, move |world| {
            world.set(&id, POWER, json!("running"));
        })),
        ("POST", "deallocate") => Some(begin(world, incoming, target, Style::Location, Value::Null, move |world| {
            world.set(&id, POWER, json!("deallocated"));
        })),
        _ => None,
    }
}

fn derive_scale_set(world: &mut World, implied: &Implied<'_>) {
    if implied.is_of("vmss") && !implied.text("scale_set").is_empty() {
        let id = implied.id("Microsoft.Compute/virtualMachineScaleSets", "scale_set");
        let power = if implied.action.ends_with(".start") { "deallocated" } else { "running" };
        let region = region_in(implied.text("scale_set"));
        let properties = json!({ "provisioningState": "Succeeded", "simulatedPower": power });
        world.ensure(&id, json!({ "location": region, "sku": { "name": "Standard_D2s_v5", "capacity": 2 }, "properties": properties }), region);
    }
}

fn clusters(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    let id = target.id.clone();
    let power = |word: &'static str| {
        let id = id.clone();
        move |world: &mut World| {
            world.set(&id, "/properties/powerState", json!({ "code": word }));
            world.set(&id, "/properties/provisioningState", json!("Succeeded"));
        }
    };
    match (incoming.method.as_str(), target.action().as_str()) {
        ("POST", "start") => Some(begin(world, incoming, target, Style::Location, Value::Null, power("Running"))),
        ("POST", "stop") => Some(begin(world, incoming, target, Style::Location, Value::Null, power("Stopped"))),
        ("POST", "runcommand") => {
            let result = json!({ "id": "1", "properties": { "provisioningState": "Succeeded", "exitCode": 0, "logs": "simulated output" } });
            Some(begin(world, incoming, target, Style::Location, result, |_| {}))
        }
        ("PUT", "") if target.names.len() == 2 => {
            if let Some(refused) = unmet_condition(world, incoming, &id) {
                return Some(refused);
            }
            let body = incoming.body.clone();
            Some(begin(world, incoming, target, Style::AsyncOperation, Value::Null, move |world| {
                put(world, &id, body);
                world.set(&id, "/properties/provisioningState", json!("Succeeded"));
            }))
        }
        ("GET", "") => Some(read(world, &target.id)),
        _ => None,
    }
}

fn derive_cluster(world: &mut World, implied: &Implied<'_>) {
    if implied.is_of("aks") && !implied.text("cluster").is_empty() {
        let id = implied.id("Microsoft.ContainerService/managedClusters", "cluster");
        let region = region_in(implied.text("cluster"));
        let power = if implied.action.ends_with(".start") { "Stopped" } else { "Running" };
        let properties = json!({ "provisioningState": "Succeeded", "powerState": { "code": power }, "currentKubernetesVersion": "1.33.4" });
        world.ensure(&id, json!({ "location": region, "properties": properties }), region);
        let pool = implied.text("pool");
        if !pool.is_empty() {
            let properties =
                json!({ "count": 2, "vmSize": "Standard_D4s_v5", "mode": "User", "provisioningState": "Succeeded" });
            world.ensure(&format!("{id}/agentPools/{pool}"), json!({ "properties": properties }), region);
        }
    }
}
