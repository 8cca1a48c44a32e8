//! Traffic Manager, DNS, Front Door, Application Gateway.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Service, put, read};
use crate::sim::azure::answer::Answer;
use crate::sim::azure::derive::{Implied, region_in};
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::world::{World, merge, text};
use crate::sim::stand_in::Random;

pub(super) const TRAFFIC_MANAGER: Service = Service {
    prefix: "microsoft.network/trafficmanagerprofiles",

    handle: traffic_manager,
    derive: derive_traffic_manager,
};
pub(super) const DNS: Service = Service { prefix: "microsoft.network/dnszones", handle: dns, derive: derive_dns };
pub(super) const FRONT_DOOR: Service =
    Service { prefix: "microsoft.cdn/profiles", handle: front_door, derive: derive_front_door };
pub(super) const FRONT_DOOR_CLASSIC: Service =
    Service { prefix: "microsoft.network/frontdoors", handle: classic, derive: derive_classic };
pub(super) const GATEWAYS: Service =
    Service { prefix: "microsoft.network/applicationgateways", handle: gateway, derive: derive_gateway };
pub(super) const POLICIES: Service = Service {
    prefix: "microsoft.network/applicationgatewaywebapplicationfirewallpolicies",

    handle: |_, _, _| None,
    derive: derive_policy,
};

/// How long the edges of the classic Front Door take to follow.
const CLASSIC_EDGES: Duration = Duration::from_mins(5);
/// How long an answer is kept where nothing says it, in seconds.
const USUAL_TTL: u64 = 60;

/// An endpoint's monitor status follows from its status, and from whether its region is up.
fn monitored(world: &World, id: &str) -> Option<Value> {
    let resource = world.resource(id)?;
    let mut body = resource.body.clone();
    let is_enabled = text(&body, "/properties/endpointStatus").eq_ignore_ascii_case("Enabled");
    let place = text(&body, "/properties/endpointLocation").to_owned();
    let is_down = world.faults.is_down(&place, world.start, world.now);
    let status = match (is_enabled, is_down) {
        (false, _) => "Disabled",
        (true, true) => "Degraded",
        (true, false) => "Online",
    };
    body["properties"]["endpointMonitorStatus"] = json!(status);
    Some(body)
}

fn traffic_manager(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    let is_endpoint = target.names.len() == 2;
    match (incoming.method.as_str(), is_endpoint) {
        ("GET", true) => Some(monitored(world, &target.id).map_or_else(|| Answer::missing(&target.id), Answer::ok)),
        ("GET", false) if target.below.is_none() => {
            let mut profile = world.body(&target.id)?.clone();
            let kinds = ["AzureEndpoints", "ExternalEndpoints", "NestedEndpoints"];
            let ids: Vec<String> = kinds
                .iter()
                .flat_map(|kind| world.list(&format!("{}/{kind}", target.id)))
                .map(|endpoint| endpoint.id.clone())
                .collect();
            let endpoints: Vec<Value> = ids.iter().filter_map(|id| monitored(world, id)).collect();
            let is_online = |endpoint: &Value| text(endpoint, "/properties/endpointMonitorStatus") == "Online";
            let status = if endpoints.iter().any(is_online) { "Online" } else { "Degraded" };
            profile["properties"]["endpoints"] = json!(endpoints);
            profile["properties"]["monitorConfig"]["profileMonitorStatus"] = json!(status);
            Some(Answer::ok(profile))
        }
        ("PATCH", true) => {
            let priority = incoming.body.pointer("/properties/priority").cloned();
            let siblings = world.list(target.id.rsplit_once('/')?.0);
            let taken = siblings.iter().any(|other| {
                !other.id.eq_ignore_ascii_case(&target.id)
                    && priority.is_some()
                    && other.body.pointer("/properties/priority") == priority.as_ref()
            });
            if taken {
                return Some(Answer::error(400, "BadRequest", "The priorities of all endpoints must be unique."));
            }
            let profile = target.id.rsplitn(3, '/').last().unwrap_or_default().to_owned();
            let ttl = world.body(&profile).and_then(|body| body.pointer("/properties/dnsConfig/ttl")?.as_u64());
            world.body(&target.id)?;
            world.spread(&profile, Duration::from_secs(ttl.unwrap_or(USUAL_TTL)));
            merge(world.change(&target.id)?, &incoming.body);
            Some(Answer::ok(monitored(world, &target.id)?))
        }
        _ => None,
    }
}

fn derive_traffic_manager(world: &mut World, implied: &Implied<'_>) {
    if !implied.is_of("traffic_manager") || implied.text("profile").is_empty() {
        return;
    }
    let profile = implied.id("Microsoft.Network/trafficManagerProfiles", "profile");
    let body = json!({
        "location": "global",
        "properties": {
            "profileStatus": "Enabled",
            "trafficRoutingMethod": "Priority",
            "dnsConfig": { "ttl": 30, "relativeName": implied.text("profile") },
            "monitorConfig": { "profileMonitorStatus": "Online" },
        },
    });
    world.ensure(&profile, body, "");
    let name = implied.text("endpoint");
    if name.is_empty() {
        return;
    }
    let kind = match implied.text("type") {
        "external" => "ExternalEndpoints",
        "nested" => "NestedEndpoints",
        _ => "AzureEndpoints",
    };
    // What a step enables is disabled before, what it disables is enabled.
    let status = match (implied.action.rsplit('.').next(), implied.text("status")) {
        (Some("set_endpoint"), "enabled") => "Disabled",
        _ => "Enabled",
    };
    let priority = world.list(&format!("{profile}/{kind}")).len() + 1;
    let body = json!({ "properties": {
        "endpointStatus": status,
        "endpointLocation": region_in(name),
        "priority": priority,
        "weight": 1,
    } });
    world.ensure(&format!("{profile}/{kind}/{name}"), body, "");
}

/// A record is changed as any resource is; who asked before keeps the old answer for as long as that said.
fn dns(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    if !incoming.is_read() {
        let ttl = world.body(&target.id)?.pointer("/properties/TTL").and_then(Value::as_u64);
        world.spread(&target.id, Duration::from_secs(ttl.unwrap_or(USUAL_TTL)));
    }
    None
}

fn derive_dns(world: &mut World, implied: &Implied<'_>) {
    if implied.is_of("dns") && !implied.text("zone").is_empty() {
        let zone = implied.id("Microsoft.Network/dnsZones", "zone");
        world.ensure(&zone, json!({ "location": "global", "properties": {} }), "");
        let record = format!("{zone}/{}/{}", implied.text("type"), implied.text("name"));
        let properties = match implied.text("type") {
            "A" => json!({ "TTL": 60, "ARecords": [{ "ipv4Address": "192.0.2.10" }] }),
            "CNAME" => json!({ "TTL": 60, "CNAMERecord": { "cname": "before.example.com" } }),
            _ => json!({ "TTL": 60 }),
        };
        world.ensure(&record, json!({ "properties": properties }), "");
    }
}

/// Front Door takes changes at once and carries them to its edges one after the other.
fn front_door(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    match (incoming.method.as_str(), target.action().as_str()) {
        ("PATCH", "") => {
            world.body(&target.id)?;
            let (id, change) = (target.id.clone(), incoming.body.clone());
            let answer = begin(world, incoming, target, Style::AsyncOperation, Value::Null, move |world| {
                if let Some(body) = world.change(&id) {
                    merge(body, &change);
                    merge(
                        body,
                        &json!({ "properties": { "provisioningState": "Succeeded", "deploymentStatus": "Succeeded" } }),
                    );
                }
                // The edges follow one after the other.
                let minutes = 20 + Random::of(world.seed, &id).number() % 25;
                let takes = Duration::from_mins(minutes);
                world.spread(&id, takes);
                let until = world.now.plus(takes);
                world.show(&id, &json!({ "properties": { "deploymentStatus": "InProgress" } }), until);
            });
            if answer.is_good() {
                world.set(&target.id, "/properties/provisioningState", json!("Updating"));
            }
            Some(answer)
        }
        ("POST", "purge") => Some(begin(world, incoming, target, Style::AsyncOperation, Value::Null, |_| {})),
        _ => None,
    }
}

fn derive_front_door(world: &mut World, implied: &Implied<'_>) {
    if !implied.is_of("front_door") || implied.text("profile").is_empty() {
        return;
    }
    let profile = implied.id("Microsoft.Cdn/profiles", "profile");
    world.ensure(&profile, json!({ "location": "global", "properties": { "provisioningState": "Succeeded" } }), "");
    let settled = json!({ "provisioningState": "Succeeded", "deploymentStatus": "NotStarted" });
    let (group, origin) = (implied.text("origin_group"), implied.text("origin"));
    if !origin.is_empty() {
        world.ensure(&format!("{profile}/originGroups/{group}"), json!({ "properties": settled }), "");
        let sets = implied.action.ends_with("set_origin");
        let enabled = if sets && implied.flag("enabled") == Some(true) { "Disabled" } else { "Enabled" };
        let mut properties = settled.clone();
        merge(
            &mut properties,
            &json!({ "enabledState": enabled, "priority": 1, "weight": 50, "hostName": format!("{origin}.example.com") }),
        );
        world.ensure(
            &format!("{profile}/originGroups/{group}/origins/{origin}"),
            json!({ "properties": properties }),
            "",
        );
    }
    let (endpoint, route) = (implied.text("endpoint"), implied.text("route"));
    if !endpoint.is_empty() {
        world.ensure(&format!("{profile}/afdEndpoints/{endpoint}"), json!({ "properties": settled }), "");
    }
    if !route.is_empty() {
        let mut properties = settled;
        merge(
            &mut properties,
            &json!({ "enabledState": "Enabled", "originGroup": { "id": format!("{profile}/originGroups/before") } }),
        );
        world.ensure(
            &format!("{profile}/afdEndpoints/{endpoint}/routes/{route}"),
            json!({ "properties": properties }),
            "",
        );
    }
}

fn classic(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    match (incoming.method.as_str(), target.action().as_str()) {
        ("PUT", "") => {
            let (id, body) = (target.id.clone(), incoming.body.clone());
            Some(begin(world, incoming, target, Style::AsyncOperation, Value::Null, move |world| {
                world.spread(&id, CLASSIC_EDGES);
                put(world, &id, body);
            }))
        }
        ("POST", "purge") => Some(begin(world, incoming, target, Style::AsyncOperation, Value::Null, |_| {})),
        _ => None,
    }
}

fn derive_classic(world: &mut World, implied: &Implied<'_>) {
    if implied.is_of("front_door_classic") && !implied.text("front_door").is_empty() {
        let id = implied.id("Microsoft.Network/frontDoors", "front_door");
        world.ensure(
            &id,
            json!({ "location": "global", "properties": { "resourceState": "Enabled", "backendPools": [] } }),
            "",
        );
        let (pool, backend) = (implied.text("pool"), implied.text("backend"));
        let known = world.body(&id).and_then(|body| body.pointer("/properties/backendPools")).cloned();
        let mut pools = known.and_then(|pools| pools.as_array().cloned()).unwrap_or_default();
        if pool.is_empty() {
            return;
        }
        if !pools.iter().any(|known| text(known, "/name") == pool) {
            pools.push(json!({ "name": pool, "properties": { "backends": [] } }));
        }
        for known in pools.iter_mut().filter(|known| text(known, "/name") == pool) {
            let backends = known.pointer_mut("/properties/backends").and_then(Value::as_array_mut);
            if let Some(backends) = backends.filter(|all| !all.iter().any(|one| text(one, "/address") == backend)) {
                backends.push(json!({ "address": backend, "enabledState": "Enabled", "priority": 1, "weight": 50 }));
            }
        }
        world.set(&id, "/properties/backendPools", json!(pools));
    }
}

fn gateway(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    let state = |word: &'static str, id: String| {
        move |world: &mut World| world.set(&id, "/properties/operationalState", json!(word))
    };
    match (incoming.method.as_str(), target.action().as_str()) {
        ("POST", "backendhealth") => {
            let servers =
                [json!({ "address": "10.0.0.4", "health": "Up" }), json!({ "address": "10.0.0.5", "health": "Up" })];
            let result =
                json!({ "backendAddressPools": [{ "backendHttpSettingsCollection": [{ "servers": servers }] }] });
            Some(Answer::ok(result))
        }
        ("POST", "start") => {
            Some(begin(world, incoming, target, Style::Location, Value::Null, state("Running", target.id.clone())))
        }
        ("POST", "stop") => {
            Some(begin(world, incoming, target, Style::Location, Value::Null, state("Stopped", target.id.clone())))
        }
        ("GET", "") => Some(read(world, &target.id)),
        _ => None,
    }
}

fn derive_gateway(world: &mut World, implied: &Implied<'_>) {
    if implied.is_of("application_gateway") && !implied.text("gateway").is_empty() {
        let id = implied.id("Microsoft.Network/applicationGateways", "gateway");
        let region = region_in(implied.text("gateway"));
        let state = if implied.action.ends_with(".start") { "Stopped" } else { "Running" };
        let properties = json!({ "provisioningState": "Succeeded", "operationalState": state });
        world.ensure(&id, json!({ "location": region, "properties": properties }), region);
    }
}

fn derive_policy(world: &mut World, implied: &Implied<'_>) {
    if !implied.is_of("waf_policy") || implied.text("policy").is_empty() {
        return;
    }
    let kind = "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies";
    let other = implied.text("other_resource_group");
    let group = if other.is_empty() { implied.text("resource_group") } else { other };
    let mut ids = vec![implied.id(kind, "policy")];
    if !implied.text("other").is_empty() {
        ids.push(implied.id_in(group, kind, implied.text("other")));
    }
    for id in ids {
        let rules = json!({ "managedRuleSets": [{ "ruleSetType": "OWASP", "ruleSetVersion": "3.2" }] });
        let settings = json!({ "state": "Enabled", "mode": if implied.action.ends_with(".set") { "Detection" } else { "Prevention" } });
        let properties = json!({ "policySettings": settings, "managedRules": rules, "customRules": [] });
        let region = region_in(&id);
        world.ensure(&id, json!({ "location": region, "properties": properties }), region);
    }
}
