//! Cosmos DB: which region takes the writes.

use serde_json::{Value, json};

use super::Service;
use crate::sim::azure::answer::Answer;
use crate::sim::azure::derive::{Implied, paired};
use crate::sim::azure::fault::plain;
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::world::{World, items, merge, text};

pub(super) const SERVICE: Service = Service { prefix: "microsoft.documentdb/databaseaccounts", handle, derive };

fn handle(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    match (incoming.method.as_str(), target.action().as_str()) {
        ("POST", "failoverprioritychange") => Some(change_priorities(world, incoming, target)),
        ("POST", "offlineregion") => Some(offline(world, incoming, target, true)),
        ("POST", "onlineregion") => Some(offline(world, incoming, target, false)),
        ("PATCH", "") => {
            let (id, change) = (target.id.clone(), incoming.body.clone());
            world.body(&id)?;
            Some(begin(world, incoming, target, Style::AsyncOperation, Value::Null, move |world| {
                if let Some(body) = world.change(&id) {
                    merge(body, &change);
                }
            }))
        }
        _ => None,
    }
}

/// The regions by priority, the write region first.
fn regions(account: &Value) -> Vec<String> {
    let mut found: Vec<(i64, String)> = items(account, "/properties/readLocations")
        .iter()
        .map(|at| {
            (at.get("failoverPriority").and_then(Value::as_i64).unwrap_or(9), text(at, "/locationName").to_owned())
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, name)| name).collect()
}

fn set_regions(world: &mut World, id: &str, regions: &[String]) {
    let location = |(priority, name): (usize, &String)| json!({ "locationName": name, "failoverPriority": priority, "provisioningState": "Succeeded" });
    let all: Vec<Value> = regions.iter().enumerate().map(location).collect();
    world.set(id, "/properties/writeLocations", json!(all.first().into_iter().collect::<Vec<_>>()));
    world.set(id, "/properties/failoverPolicies", json!(all.clone()));
    world.set(id, "/properties/readLocations", json!(all));
    world.set(id, "/properties/provisioningState", json!("Succeeded"));
}

fn change_priorities(world: &mut World, incoming: &Incoming, target: &Target) -> Answer {
    let Some(account) = world.body(&target.id) else { return Answer::missing(&target.id) };
    let now = regions(account);
    let mut wanted: Vec<(i64, String)> = items(&incoming.body, "/failoverPolicies")
        .iter()
        .map(|policy| {
            (
                policy.get("failoverPriority").and_then(Value::as_i64).unwrap_or(9),
                text(policy, "/locationName").to_owned(),
            )
        })
        .collect();
    wanted.sort();
    if wanted.len() != now.len() {
        return Answer::error(400, "BadRequest", "All regions of the account have to be named.");
    }
    if now.first().is_some_and(|write| world.faults.is_down(write, world.start, world.now)) {
        return Answer::error(
            503,
            "ServiceUnavailable",
            "The priorities cannot be changed during an outage of the write region.",
        );
    }
    let (id, wanted): (String, Vec<String>) = (target.id.clone(), wanted.into_iter().map(|(_, name)| name).collect());
    begin(world, incoming, target, Style::AsyncOperation, Value::Null, move |world| set_regions(world, &id, &wanted))
}

fn offline(world: &mut World, incoming: &Incoming, target: &Target, goes: bool) -> Answer {
    let Some(account) = world.body(&target.id) else { return Answer::missing(&target.id) };
    let region = text(&incoming.body, "/region").to_owned();
    let mut order = regions(account);
    let all = order.len();
    order.retain(|name| plain(name) != plain(&region));
    if order.len() == all {
        return Answer::error(400, "BadRequest", format!("The account has no region '{region}'."));
    }
    if order.is_empty() {
        return Answer::error(400, "BadRequest", "The only region of an account cannot be taken offline.");
    }
    let id = target.id.clone();
    begin(world, incoming, target, Style::AsyncOperation, Value::Null, move |world| {
        // A region that is offline comes last; one that comes back is the last that reads.
        order.push(region.clone());
        set_regions(world, &id, &order);
        let last = order.len() - 1;
        world.set(
            &id,
            &format!("/properties/readLocations/{last}/provisioningState"),
            json!(if goes { "Offline" } else { "Succeeded" }),
        );
    })
}

fn derive(world: &mut World, implied: &Implied<'_>) {
    if !implied.is_of("cosmos") || implied.text("account").is_empty() {
        return;
    }
    let id = implied.id("Microsoft.DocumentDB/databaseAccounts", "account");
    let write = match implied.action.rsplit('.').next() {
        Some("failover") => paired(&plain(implied.text("to"))).to_owned(),
        Some("offline_region") => plain(implied.text("region")),
        Some("online_region") => paired(&plain(implied.text("region"))).to_owned(),
        _ => String::new(),
    };
    let usual = if write.is_empty() { "centralus".to_owned() } else { write.clone() };
    if world.resource(&id).is_none() || (!write.is_empty() && !world.is_settled(&id)) {
        let body = json!({ "location": usual, "properties": { "provisioningState": "Succeeded", "enableAutomaticFailover": false } });
        world.insert(&id, body, "");
        set_regions(world, &id, &[usual.clone(), paired(&usual).to_owned()]);
        if !write.is_empty() {
            world.settle(&id);
        }
    }
    if implied.action.ends_with(".online_region") {
        let region = plain(implied.text("region"));
        let read =
            world.body(&id).map(|account| items(account, "/properties/readLocations").to_vec()).unwrap_or_default();
        let place = read.iter().position(|location| plain(text(location, "/locationName")) == region);
        if let Some(place) = place {
            world.set(&id, &format!("/properties/readLocations/{place}/provisioningState"), json!("Offline"));
        }
    }
}
