//! Service Bus and Event Hubs: aliases of paired namespaces, geo-replication.

use serde_json::{Value, json};

use super::Service;
use crate::sim::azure::answer::Answer;
use crate::sim::azure::derive::{Implied, paired, partner, region_in};
use crate::sim::azure::fault::plain;
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::world::{World, items, text};

pub(super) const SERVICE_BUS: Service = Service {
    prefix: "microsoft.servicebus/namespaces",

    handle,
    derive: |world, implied| derive(world, implied, "service_bus", "Microsoft.ServiceBus/namespaces"),
};
pub(super) const EVENT_HUBS: Service = Service {
    prefix: "microsoft.eventhub/namespaces",

    handle,
    derive: |world, implied| derive(world, implied, "event_hubs", "Microsoft.EventHub/namespaces"),
};

fn handle(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    let is_alias = target.kind.ends_with("disasterrecoveryconfigs");
    match (incoming.method.as_str(), target.action().as_str(), is_alias) {
        ("POST", "failover", true) => {
            let now = world.body(&target.id)?;
            if text(now, "/properties/role") != "Secondary" {
                return Some(Answer::error(
                    400,
                    "BadRequest",
                    "The failover has to be requested on the secondary namespace.",
                ));
            }
            // The alias answers 200 at once, and its state tells the rest.
            world.set(&target.id, "/properties/provisioningState", json!("Accepted"));
            let id = target.id.clone();
            begin(world, incoming, target, Style::Resource, Value::Null, move |world| {
                world.set(&id, "/properties/role", json!("PrimaryNotReplicating"));
                world.set(&id, "/properties/partnerNamespace", json!(""));
                world.set(&id, "/properties/provisioningState", json!("Succeeded"));
            });
            Some(Answer::status(200, Value::Null))
        }
        ("POST", "breakpairing", true) => {
            if text(world.body(&target.id)?, "/properties/role") == "Secondary" {
                let message = "The pairing has to be broken on the primary namespace.";
                return Some(Answer::error(400, "BadRequest", message));
            }
            world.set(&target.id, "/properties/role", json!("PrimaryNotReplicating"));
            world.set(&target.id, "/properties/partnerNamespace", json!(""));
            Some(Answer::status(200, Value::Null))
        }
        ("POST", "failover", false) => {
            let to = text(&incoming.body, "/properties/primaryLocation").to_owned();
            let id = target.id.clone();
            let mut locations = items(world.body(&id)?, "/properties/geoDataReplication/locations").to_vec();
            let is_secondary =
                |at: &Value| plain(text(at, "/locationName")) == plain(&to) && text(at, "/roleType") == "Secondary";
            if !locations.iter().any(is_secondary) {
                let message = format!("'{to}' is not a secondary location of the namespace.");
                return Some(Answer::error(400, "BadRequest", message));
            }
            for location in &mut locations {
                let role = if plain(text(location, "/locationName")) == plain(&to) { "Primary" } else { "Secondary" };
                location["roleType"] = json!(role);
            }
            Some(begin(world, incoming, target, Style::AsyncOperation, Value::Null, move |world| {
                world.set(&id, "/properties/geoDataReplication/locations", json!(locations));
            }))
        }
        _ => None,
    }
}

fn derive(world: &mut World, implied: &Implied<'_>, service: &str, kind: &str) {
    if !implied.is_of(service) || implied.text("namespace").is_empty() {
        return;
    }
    let (name, alias) = (implied.text("namespace"), implied.text("alias"));
    let id = implied.id(kind, "namespace");
    let to = plain(implied.text("to"));
    let region = if to.is_empty() { region_in(name).to_owned() } else { paired(&to).to_owned() };
    let location = |name: &str, role: &str| json!({ "locationName": name, "roleType": role });
    let locations = [location(&region, "Primary"), location(paired(&region), "Secondary")];
    let properties = json!({ "status": "Active", "provisioningState": "Succeeded", "geoDataReplication": { "locations": locations } });
    let at = if to.is_empty() { region_in(name) } else { "" };
    world.ensure(&id, json!({ "location": region, "sku": { "name": "Premium" }, "properties": properties }), at);
    if !alias.is_empty() {
        let is_primary = implied.action.ends_with("break_pairing") || implied.text("is") == "primary";
        let role = if is_primary { "Primary" } else { "Secondary" };
        let properties = json!({ "role": role, "provisioningState": "Succeeded", "partnerNamespace": partner(name), "pendingReplicationOperationsCount": 0 });
        world.ensure(
            &format!("{id}/disasterRecoveryConfigs/{alias}"),
            json!({ "properties": properties }),
            region_in(name),
        );
    }
}
