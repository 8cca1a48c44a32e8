//! Storage accounts: how far the copy in the other region is, and failing over to it.

use serde_json::{Value, json};

use super::Service;
use crate::sim::azure::answer::Answer;
use crate::sim::azure::derive::{Implied, paired, region_in};
use crate::sim::azure::fault::plain;
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::world::{World, merge, text};

pub(super) const SERVICE: Service = Service { prefix: "microsoft.storage/storageaccounts", handle, derive };

/// How far the copy is behind when all is well, in milliseconds.
const USUAL_LAG: i64 = 140_000;

fn handle(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    match (incoming.method.as_str(), target.action().as_str()) {
        ("GET", "") => {
            let mut body = world.body(&target.id)?.clone();
            if incoming.query("$expand") == Some("geoReplicationStats") {
                body["properties"]["geoReplicationStats"] = stats(world, target, &body);
            }
            Some(Answer::ok(body))
        }
        ("POST", "failover") => Some(fail_over(world, incoming, target)),
        ("PATCH", "") => {
            let body = world.change(&target.id)?;
            merge(body, &incoming.body);
            let primary = text(body, "/properties/primaryLocation").to_owned();
            if text(body, "/sku/name").contains("GRS") || text(body, "/sku/name").contains("GZRS") {
                body["properties"]["secondaryLocation"] = json!(paired(&primary));
                body["properties"]["statusOfSecondary"] = json!("available");
            }
            Some(Answer::ok(body.clone()))
        }
        _ => None,
    }
}

fn stats(world: &World, target: &Target, body: &Value) -> Value {
    if text(body, "/properties/secondaryLocation").is_empty() {
        return Value::Null;
    }
    let lag = world.faults.lag(&target.id).map_or(USUAL_LAG, |lag| i64::try_from(lag.as_millis()).unwrap_or(i64::MAX));
    let synced = crate::catalogue::Timestamp(world.now.0 - lag);
    json!({ "status": "Live", "lastSyncTime": synced.to_string(), "canFailover": true, "canPlannedFailover": true })
}

fn fail_over(world: &mut World, incoming: &Incoming, target: &Target) -> Answer {
    let Some(body) = world.body(&target.id) else { return Answer::missing(&target.id) };
    let (primary, secondary) =
        (text(body, "/properties/primaryLocation").to_owned(), text(body, "/properties/secondaryLocation").to_owned());
    if secondary.is_empty() {
        return Answer::error(409, "AccountIsNotGeoRedundant", "The account has no secondary region.");
    }
    if !incoming.body.is_null() {
        return Answer::error(400, "InvalidRequestContent", "No body is expected.");
    }
    let is_planned = incoming.query("failoverType") == Some("Planned");
    let id = target.id.clone();
    let answer = begin(world, incoming, target, Style::Location, Value::Null, move |world| {
        let sku = if is_planned { "Standard_RAGRS" } else { "Standard_LRS" };
        let other = if is_planned { json!(primary) } else { Value::Null };
        let properties =
            json!({ "primaryLocation": secondary, "secondaryLocation": other, "failoverInProgress": null });
        if let Some(body) = world.change(&id) {
            merge(body, &json!({ "sku": { "name": sku }, "properties": properties }));
        }
    });
    if answer.is_good() {
        world.set(&target.id, "/properties/failoverInProgress", json!(true));
    }
    answer
}

/// An account fails over to the region that a step names. It stays managed where it was made.
fn derive(world: &mut World, implied: &Implied<'_>) {
    if !implied.is_of("storage") || implied.text("account").is_empty() {
        return;
    }
    let id = implied.id("Microsoft.Storage/storageAccounts", "account");
    let to = plain(implied.text("to"));
    let named = region_in(implied.text("account"));
    let primary = if to.is_empty() { if named.is_empty() { "centralus" } else { named } } else { paired(&to) };
    let re_protects = implied.action.ends_with("reprotect");
    let sku = if re_protects { "Standard_LRS" } else { "Standard_RAGRS" };
    let secondary = if re_protects { Value::Null } else { json!(paired(primary)) };
    let body = json!({
        "location": primary,
        "sku": { "name": sku },
        "properties": { "provisioningState": "Succeeded", "primaryLocation": primary, "secondaryLocation": secondary, "statusOfPrimary": "available", "statusOfSecondary": "available" },
    });
    // A step that names the target region knows more than one that only reads.
    if world.resource(&id).is_none() || !to.is_empty() {
        world.insert(&id, body, primary);
    }
}
