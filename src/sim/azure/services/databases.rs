//! PostgreSQL and MySQL, flexible servers.

use serde_json::{Value, json};

use super::{Service, put};
use crate::sim::azure::answer::Answer;
use crate::sim::azure::derive::{Implied, partner, region_in};
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::world::{World, text};

pub(super) const POSTGRES: Service = Service {
    prefix: "microsoft.dbforpostgresql/flexibleservers",

    handle: postgres,
    derive: |world, implied| derive(world, implied, "postgres", "Microsoft.DBforPostgreSQL/flexibleServers"),
};
pub(super) const MYSQL: Service = Service {
    prefix: "microsoft.dbformysql/flexibleservers",

    handle: mysql,
    derive: |world, implied| derive(world, implied, "mysql", "Microsoft.DBforMySQL/flexibleServers"),
};

fn server(region: &str, role: &str, state: &str, source: &str) -> Value {
    let replica = match state {
        "" => json!({ "role": role, "capacity": 5 }),
        state => json!({ "role": role, "replicationState": state }),
    };
    json!({
        "location": region,
        "properties": {
            "state": "Ready",
            "replica": replica,
            "replicationRole": role,
            "sourceServerResourceId": source,
            "highAvailability": { "mode": "ZoneRedundant", "state": "Healthy" },
        },
    })
}

/// A server that is promoted was a replica of one in the paired region; others are primaries.
fn derive(world: &mut World, implied: &Implied<'_>, service: &str, kind: &str) {
    if !implied.is_of(service) || implied.text("server").is_empty() {
        return;
    }
    let name = implied.text("server");
    let verb = implied.action.rsplit('.').next().unwrap_or_default();
    if verb == "restore" {
        let group = implied.text("source_resource_group");
        let group = if group.is_empty() { implied.text("resource_group") } else { group };
        let source = implied.text("source_server");
        let region = region_in(source);
        world.ensure(&implied.id_in(group, kind, source), server(region, "None", "", ""), region);
        return;
    }
    let is_replica = matches!(verb, "promote_replica" | "replication_lag") || implied.text("is") == "replica";
    let id = implied.id(kind, "server");
    if !is_replica {
        // `is: primary` is what a step will see afterwards, unless nothing makes it so.
        world.ensure(&id, server(region_in(name), "Primary", "", ""), region_in(name));
        return;
    }
    let source_name = partner(name);
    let source = implied.id_in(implied.text("resource_group"), kind, &source_name);
    world.ensure(&source, server(region_in(&source_name), "Primary", "", ""), region_in(&source_name));
    let role = if service == "mysql" { "Replica" } else { "AsyncReplica" };
    if world.body(&id).is_none_or(|known| text(known, "/properties/sourceServerResourceId").is_empty()) {
        world.insert(&id, server(region_in(name), role, "Active", &source), region_in(name));
    }
}

fn postgres(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    match (incoming.method.as_str(), target.action().as_str()) {
        ("PATCH", "") => promote_postgres(world, incoming, target),
        ("POST", "restart") => {
            let fails_over = incoming.body.get("restartWithFailover") == Some(&json!(true));
            let id = target.id.clone();
            let answer = begin(world, incoming, target, Style::AsyncOperation, Value::Null, move |world| {
                world.set(&id, "/properties/highAvailability/state", json!("Healthy"));
            });
            if fails_over && answer.is_good() {
                world.set(&target.id, "/properties/highAvailability/state", json!("FailingOver"));
            }
            Some(answer)
        }
        ("PUT", "") if world.body(&target.id).is_none() => Some(restore(world, incoming, target)),
        _ => None,
    }
}

fn promote_postgres(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    let replica = incoming.body.pointer("/properties/replica")?.clone();
    let now = world.body(&target.id)?;
    if !text(now, "/properties/replica/role").contains("Replica") {
        let message = format!("The server '{}' is not a read replica.", target.name());
        return Some(Answer::error(400, "ServerIsNotReplica", message));
    }
    let (mode, option) = (text(&replica, "/promoteMode"), text(&replica, "/promoteOption"));
    let source = text(now, "/properties/sourceServerResourceId").to_owned();
    let is_source_down =
        world.resource(&source).is_some_and(|source| world.faults.is_down(&source.region, world.start, world.now));
    if is_source_down && (option == "Planned" || mode == "Switchover") {
        let message = "A planned promotion needs the primary server to answer.";
        return Some(Answer::error(409, "PrimaryServerNotReachable", message));
    }
    let role = if mode == "Switchover" { "Primary" } else { "None" };
    let id = target.id.clone();
    let is_switchover = mode == "Switchover";
    let answer = begin(world, incoming, target, Style::AsyncOperation, Value::Null, move |world| {
        world.set(&id, "/properties/replica", json!({ "role": role, "capacity": 5 }));
        world.set(&id, "/properties/replicationRole", json!(role));
        world.set(&id, "/properties/sourceServerResourceId", json!(""));
        if is_switchover {
            world.set(&source, "/properties/replica", json!({ "role": "AsyncReplica", "replicationState": "Active" }));
            world.set(&source, "/properties/sourceServerResourceId", json!(id));
        }
    });
    if answer.is_good() {
        world.set(&target.id, "/properties/replica/replicationState", json!("Reconfiguring"));
    }
    Some(answer)
}

fn mysql(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    match (incoming.method.as_str(), target.action().as_str()) {
        ("PATCH", "") if text(&incoming.body, "/properties/replicationRole") == "None" => {
            if text(world.body(&target.id)?, "/properties/replicationRole") != "Replica" {
                return Some(Answer::error(400, "ServerNotReplica", "The server is not a replica."));
            }
            let id = target.id.clone();
            Some(begin(world, incoming, target, Style::AsyncOperation, Value::Null, move |world| {
                world.set(&id, "/properties/replicationRole", json!("None"));
                world.set(&id, "/properties/replica", json!({ "role": "None" }));
                world.set(&id, "/properties/sourceServerResourceId", json!(""));
            }))
        }
        ("POST", "failover" | "restart") => {
            let id = target.id.clone();
            let answer = begin(world, incoming, target, Style::Location, Value::Null, move |world| {
                world.set(&id, "/properties/highAvailability/state", json!("Healthy"));
            });
            if answer.is_good() {
                world.set(&target.id, "/properties/highAvailability/state", json!("FailingOver"));
            }
            Some(answer)
        }
        ("PUT", "") if world.body(&target.id).is_none() => Some(restore(world, incoming, target)),
        _ => None,
    }
}

/// A server made from another one's backup.
fn restore(world: &mut World, incoming: &Incoming, target: &Target) -> Answer {
    let source = text(&incoming.body, "/properties/sourceServerResourceId");
    if world.body(source).is_none() {
        return Answer::error(404, "SourceServerNotFound", format!("The server '{source}' was not found."));
    }
    let (id, location) = (target.id.clone(), text(&incoming.body, "/location").to_owned());
    let mut made = server(&location, "None", "", "");
    made["tags"] = incoming.body.get("tags").cloned().unwrap_or_default();
    begin(world, incoming, target, Style::AsyncOperation, Value::Null, move |world| {
        put(world, &id, made);
    })
}
