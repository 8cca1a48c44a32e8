//! Azure SQL: failover groups, databases, restores.

use serde_json::{Value, json};

use super::{Service, put};
use crate::sim::azure::answer::Answer;
use crate::sim::azure::derive::{Implied, partner, region_in};
use crate::sim::azure::fault::plain;
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::refusal;
use crate::sim::azure::world::{World, merge, text};

pub(super) const SERVICE: Service = Service { prefix: "microsoft.sql/", handle, derive };

const SERVERS: &str = "Microsoft.Sql/servers";

fn handle(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    let is_group = target.kind.ends_with("failovergroups");
    match (incoming.method.as_str(), target.action().as_str()) {
        ("POST", action) if is_group && is_failover(action) => Some(fail_over(world, incoming, target)),
        ("PATCH", "") if is_group => {
            let (id, change) = (target.id.clone(), incoming.body.clone());
            if text(world.body(&id)?, "/properties/replicationRole") == "Secondary" {
                let message = "Modifications to the failover group are not allowed on a secondary server.";
                return Some(Answer::error(400, "FailoverGroupUpdateOrDeleteRequestOnSecondary", message));
            }
            Some(begin(world, incoming, target, Style::Location, Value::Null, move |world| {
                if let Some(body) = world.change(&id) {
                    merge(body, &change);
                }
            }))
        }
        ("PUT", "") if target.kind == "microsoft.sql/servers/databases" => {
            let (id, mut body) = (target.id.clone(), incoming.body.clone());
            body["properties"]["status"] = json!("Online");
            Some(begin(world, incoming, target, Style::Location, Value::Null, move |world| put(world, &id, body)))
        }
        _ => None,
    }
}

fn is_failover(action: &str) -> bool {
    matches!(action, "failover" | "forcefailoverallowdataloss" | "tryplannedbeforeforcedfailover")
}

/// The other end of a group: the server that the group on this one names.
fn other_end(group: &Value, name: &str) -> String {
    let server =
        group.pointer("/properties/partnerServers/0/id").or_else(|| group.pointer("/properties/partnerRegions/0/id"));
    format!("{}/failoverGroups/{name}", server.and_then(Value::as_str).unwrap_or_default())
}

fn fail_over(world: &mut World, incoming: &Incoming, target: &Target) -> Answer {
    let Some(group) = world.body(&target.id).cloned() else { return Answer::missing(&target.id) };
    let is_instance = target.kind.contains("instancefailovergroups");
    match text(&group, "/properties/replicationRole") {
        "Secondary" => {}
        "Primary" if is_instance => return refusal::of_code("InstanceFailoverGroupFailoverRequestOnPrimary"),
        "Primary" => return refusal::of_code("FailoverGroupFailoverRequestOnPrimary"),
        _ => return refusal::of_code("FailoverGroupNotSecondary"),
    }
    let (here, there) = (target.id.clone(), other_end(&group, target.name()));
    let region = world.home_of(&there).unwrap_or_default();
    let is_down = world.faults.is_down(&region, world.start, world.now);
    if is_down && target.action() == "failover" {
        return refusal::of_code("PlannedFailoverTimedOut");
    }
    begin(world, incoming, target, Style::Location, Value::Null, move |world| {
        for (id, role) in [(&here, "Primary"), (&there, "Secondary")] {
            world.set(id, "/properties/replicationRole", json!(role));
        }
        let state = if is_down { "SUSPENDED" } else { "CATCH_UP" };
        world.set(&here, "/properties/replicationState", json!(state));
    })
}

fn group(partner: &str, region: &str, role: &str) -> Value {
    json!({
        "location": region,
        "properties": {
            "replicationRole": role,
            "replicationState": "CATCH_UP",
            "partnerServers": [{ "id": partner, "location": "", "replicationRole": if role == "Primary" { "Secondary" } else { "Primary" } }],
            "readWriteEndpoint": { "failoverPolicy": "Manual" },
            "databases": [],
        },
    })
}

fn server(world: &mut World, id: &str, name: &str) {
    let body = json!({ "location": region_in(name), "properties": { "state": "Ready" } });
    world.ensure(id, body, region_in(name));
}

/// A server that is to become the primary of a group is its secondary before.
fn derive(world: &mut World, implied: &Implied<'_>) {
    if implied.is_request() {
        return derive_asked(world, implied);
    }
    if !implied.is_of("sql") {
        return;
    }
    let name = implied.text("server");
    if name.is_empty() {
        return derive_instance(world, implied);
    }
    let id = implied.id(SERVERS, "server");
    server(world, &id, name);
    if !implied.text("group").is_empty() {
        let is_primary = implied.action.ends_with("set_failover_policy");
        pair(world, &id, implied.text("group"), is_primary);
    }
    let copies = matches!(implied.action.rsplit('.').next(), Some("geo_restore"));
    let database = implied.text("database");
    if !database.is_empty() && !copies {
        let region = region_in(name);
        let properties = json!({ "status": "Online", "earliestRestoreDate": "2026-11-01T00:00:00Z" });
        world.ensure(
            &format!("{id}/databases/{database}"),
            json!({ "location": region, "properties": properties }),
            region,
        );
        let link = json!({ "properties": { "role": "Primary", "partnerRole": "Secondary", "replicationState": "CATCH_UP", "partnerServer": partner(name) } });
        world.ensure(&format!("{id}/databases/{database}/replicationLinks/link"), link, region);
    }
    if copies {
        let source_group = implied.text("source_resource_group");
        let source_group = if source_group.is_empty() { implied.text("resource_group") } else { source_group };
        let source = implied.id_in(source_group, SERVERS, implied.text("source_server"));
        server(world, &source, implied.text("source_server"));
        let backup =
            json!({ "properties": { "lastAvailableBackupDate": "2026-11-21T02:20:00Z", "edition": "GeneralPurpose" } });
        // The copy that is restored lies in the paired region, whatever happened to the server.
        world.ensure(&format!("{source}/recoverableDatabases/{}", implied.text("database")), backup, "");
    }
}

/// A group on a server, and its other end on the partner.
fn pair(world: &mut World, id: &str, group_name: &str, is_primary: bool) {
    let (servers, name) = id.rsplit_once('/').unwrap_or_default();
    let other = partner(name);
    let other_id = format!("{servers}/{other}");
    server(world, &other_id, &other);
    let (own, its) = if is_primary { ("Primary", "Secondary") } else { ("Secondary", "Primary") };
    for (at, with, on, role) in [(id, &*other_id, name, own), (&*other_id, id, &*other, its)] {
        world.ensure(&format!("{at}/failoverGroups/{group_name}"), group(with, region_in(on), role), region_in(on));
    }
}

/// A server to which a request of any kind sends a failover is taken for the secondary, as that of a typed action is.
fn derive_asked(world: &mut World, implied: &Implied<'_>) {
    let (_, target) = implied.asked();
    if implied.text("method") != "POST" || !is_failover(&target.action()) {
        return;
    }
    match (target.kind.as_str(), target.names.as_slice()) {
        ("microsoft.sql/servers/failovergroups", [name, group]) => {
            server(world, &target.parent(), name);
            pair(world, &target.parent(), group, false);
        }
        ("microsoft.sql/locations/instancefailovergroups", [location, _]) => {
            secondary_of_instances(world, &target.id, &plain(location));
        }
        _ => {}
    }
}

fn derive_instance(world: &mut World, implied: &Implied<'_>) {
    let (name, location) = (implied.text("group"), plain(implied.text("location")));
    if implied.action.ends_with("instance_failover_group") && !name.is_empty() {
        let base = format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Sql/locations/{location}",
            implied.text("subscription"),
            implied.text("resource_group")
        );
        secondary_of_instances(world, &format!("{base}/instanceFailoverGroups/{name}"), &location);
    }
}

fn secondary_of_instances(world: &mut World, id: &str, location: &str) {
    let properties = json!({ "replicationRole": "Secondary", "replicationState": "CATCH_UP", "partnerRegions": [] });
    world.ensure(id, json!({ "properties": properties }), location);
}
