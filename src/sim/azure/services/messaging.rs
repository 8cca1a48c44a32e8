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
    if implied.is_request() {
        return derive_asked(world, implied, kind);
    }
    if !implied.is_of(service) || implied.text("namespace").is_empty() {
        return;
    }
    let (name, id) = (implied.text("namespace"), implied.id(kind, "namespace"));
    namespace(world, &id, name, &plain(implied.text("to")));
    if !implied.text("alias").is_empty() {
        let is_primary = implied.action.ends_with("break_pairing") || implied.text("is") == "primary";
        alias(world, &id, (name, implied.text("alias")), is_primary);
    }
}

/// A namespace to which a request of any kind sends a failover is taken for what that of a typed action is.
fn derive_asked(world: &mut World, implied: &Implied<'_>, kind: &str) {
    let (_, target) = implied.asked();
    let action = target.action();
    if implied.text("method") != "POST" || !matches!(action.as_str(), "failover" | "breakpairing") {
        return;
    }
    let below = target.kind.strip_prefix(kind.to_ascii_lowercase().as_str());
    match (below, target.names.as_slice()) {
        (Some(""), [name]) => {
            let to = implied.value("json").map(|body| text(body, "/properties/primaryLocation"));
            namespace(world, &target.id, name, &plain(to.unwrap_or_default()));
        }
        (Some("/disasterrecoveryconfigs"), [name, config]) => {
            namespace(world, &target.parent(), name, "");
            alias(world, &target.parent(), (name, config), action == "breakpairing");
        }
        _ => {}
    }
}

/// A namespace that is to move `to` a region, or one in its own.
fn namespace(world: &mut World, id: &str, name: &str, to: &str) {
    let region = if to.is_empty() { region_in(name).to_owned() } else { paired(to).to_owned() };
    let location = |name: &str, role: &str| json!({ "locationName": name, "roleType": role });
    let locations = [location(&region, "Primary"), location(paired(&region), "Secondary")];
    let properties = json!({ "status": "Active", "provisioningState": "Succeeded", "geoDataReplication": { "locations": locations } });
    let at = if to.is_empty() { region_in(name) } else { "" };
    world.ensure(id, json!({ "location": region, "sku": { "name": "Premium" }, "properties": properties }), at);
}

/// The alias of a pair, on one of its namespaces.
fn alias(world: &mut World, id: &str, (name, alias): (&str, &str), is_primary: bool) {
    let role = if is_primary { "Primary" } else { "Secondary" };
    let properties = json!({ "role": role, "provisioningState": "Succeeded", "partnerNamespace": partner(name), "pendingReplicationOperationsCount": 0 });
    world.ensure(
        &format!("{id}/disasterRecoveryConfigs/{alias}"),
        json!({ "properties": properties }),
        region_in(name),
    );
}
