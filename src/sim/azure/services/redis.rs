//! Redis caches and their links; Managed Redis and its groups.

use serde_json::{Value, json};

use super::{Service, put};
use crate::sim::azure::answer::Answer;
use crate::sim::azure::derive::{Implied, region_in};
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::world::{World, items, text};

pub(super) const CACHES: Service = Service { prefix: "microsoft.cache/redis", handle: caches, derive: derive_cache };
pub(super) const ENTERPRISE: Service =
    Service { prefix: "microsoft.cache/redisenterprise", handle: enterprise, derive: derive_enterprise };

fn caches(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    let (id, body) = (target.id.clone(), incoming.body.clone());
    match (incoming.method.as_str(), target.action().as_str(), target.names.len()) {
        ("DELETE", "", 2) => Some(begin(world, incoming, target, Style::Location, Value::Null, move |world| {
            world.remove(&id);
        })),
        ("PUT", "", 2) => {
            let role = |link: &Value| text(link, "/properties/serverRole").to_owned();
            if world.body(&id).is_some_and(|link| role(link) != role(&body)) {
                let message = "The caches are linked already, in other roles.";
                return Some(Answer::error(400, "LinkedServerAlreadyExists", message));
            }
            let mut answered = body;
            answered["properties"]["provisioningState"] = json!("Creating");
            put(world, &id, answered);
            Some(begin(world, incoming, target, Style::Resource, Value::Null, move |world| {
                world.set(&id, "/properties/provisioningState", json!("Succeeded"));
            }))
        }
        ("POST", "forcereboot", 1) => Some(Answer::ok(json!({ "message": "rebooting" }))),
        _ => None,
    }
}

fn derive_cache(world: &mut World, implied: &Implied<'_>) {
    if !implied.is_of("redis") || implied.text("cache").is_empty() {
        return;
    }
    let id = implied.id("Microsoft.Cache/redis", "cache");
    let region = region_in(implied.text("cache"));
    world.ensure(&id, json!({ "location": region, "properties": { "provisioningState": "Succeeded" } }), region);
    let linked = implied.text("linked");
    if !linked.is_empty() && !implied.action.ends_with(".link") {
        let properties = json!({ "serverRole": "Secondary", "provisioningState": "Succeeded", "linkedRedisCacheLocation": region_in(linked) });
        world.ensure(&format!("{id}/linkedServers/{linked}"), json!({ "properties": properties }), region);
    }
}

fn enterprise(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    let id = target.id.clone();
    let listed: Vec<Value> = items(&incoming.body, "/ids").to_vec();
    match (incoming.method.as_str(), target.action().as_str()) {
        ("POST", "forceunlink") => {
            Some(begin(world, incoming, target, Style::AsyncOperation, Value::Null, move |world| {
                let linked =
                    items(world.body(&id).unwrap_or(&Value::Null), "/properties/geoReplication/linkedDatabases")
                        .to_vec();
                let left: Vec<Value> =
                    linked.into_iter().filter(|one| !listed.iter().any(|id| id == text(one, "/id"))).collect();
                world.set(&id, "/properties/geoReplication/linkedDatabases", json!(left));
            }))
        }
        ("POST", "forcelinktoreplicationgroup") => {
            let linked = incoming.body.pointer("/geoReplication/linkedDatabases").cloned().unwrap_or_default();
            Some(begin(world, incoming, target, Style::AsyncOperation, Value::Null, move |world| {
                let all: Vec<Value> = linked
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|one| json!({ "id": one.get("id"), "state": "Linked" }))
                    .collect();
                world.set(&id, "/properties/geoReplication/linkedDatabases", json!(all));
            }))
        }
        _ => None,
    }
}

fn derive_enterprise(world: &mut World, implied: &Implied<'_>) {
    if !implied.is_of("managed_redis") || implied.text("cluster").is_empty() {
        return;
    }
    let id = implied.id("Microsoft.Cache/redisEnterprise", "cluster");
    let region = region_in(implied.text("cluster"));
    world.ensure(&id, json!({ "location": region, "properties": { "provisioningState": "Succeeded" } }), region);
    let linked: Vec<Value> = implied.list("ids").iter().map(|id| json!({ "id": id, "state": "Linked" })).collect();
    let linked = if implied.action.ends_with("force_link") { Vec::new() } else { linked };
    let properties = json!({ "provisioningState": "Succeeded", "resourceState": "Running", "geoReplication": { "groupNickname": "group", "linkedDatabases": linked } });
    world.ensure(&format!("{id}/databases/default"), json!({ "properties": properties }), region);
}
