//! Traffic Manager: which endpoint of a profile answers.
//!
//! Calls and words: `Microsoft.Network/trafficManagerProfiles`, api-version 2022-04-01. Clients see a change only
//! after the profile's DNS time to live, and after the caches of their resolvers.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::operations;
use crate::actions::azure::fields::{any, boolean, int, may, must, parameters, string, weight, words};
use crate::actions::azure::read::{self, int as number, pascal, snake, text};
use crate::actions::azure::with::share;
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Effect, Field, Outputs, Takes, Type};

const API: &str = "2022-04-01";
const PROFILES: &str = "Microsoft.Network/trafficManagerProfiles";

const PROFILE: Field = must("profile", string, "the Traffic Manager profile");
const ENDPOINT: Field = must("endpoint", string, "the endpoint of the profile");
const TYPE: Field = may("type", || words(["azure", "external", "nested"]), "the kind of endpoint; `azure` if absent");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![SetEndpoint, Endpoint, Profile]
}

fn profile(with: &With<'_>) -> Resource {
    with.resource(PROFILES, "profile", API)
}

fn endpoint(with: &With<'_>) -> Resource {
    let kind = match with.option("type") {
        Some("external") => "ExternalEndpoints",
        Some("nested") => "NestedEndpoints",
        _ => "AzureEndpoints",
    };
    profile(with).child(kind, with.text("endpoint"))
}

const STATE: &[Field] = &[
    must("status", string, "`enabled` or `disabled`"),
    must("priority", int, "its place in the order; 1 is asked first"),
    must("monitor_status", string, "what the profile's probes say: `online`, `degraded`, `stopped`, .."),
    must("ttl_seconds", int, "how long resolvers may keep the old answer, in seconds"),
];

fn state(endpoint: &Value, profile: &Value) -> Map<String, Value> {
    let outputs = json!({
        "status": snake(text(endpoint, "/properties/endpointStatus")),
        "priority": number(endpoint, "/properties/priority").unwrap_or(0),
        "monitor_status": snake(text(endpoint, "/properties/endpointMonitorStatus")),
        "ttl_seconds": number(profile, "/properties/dnsConfig/ttl").unwrap_or(0),
    });
    outputs.as_object().cloned().unwrap_or_default()
}

struct SetEndpoint;

static SET_ENDPOINT: ActionSpec = ActionSpec {
    name: "azure.traffic_manager.set_endpoint",
    summary: "enables, disables or reorders an endpoint of a Traffic Manager profile",
    docs: "Changes the status, the priority or the weight of one endpoint. Clients follow after the profile's time to \
        live (the output `ttl_seconds`) and whatever their resolvers keep beyond it.",
    parameters: parameters![
        PROFILE,
        ENDPOINT,
        TYPE,
        may("status", || words(["enabled", "disabled"]), "whether the endpoint takes part"),
        may("priority", || Type::Between(1, 1000), "its place in the order; no two endpoints may have the same"),
        may("weight", weight, "its share, where the profile routes by weight"),
    ],
    outputs: Outputs::Fixed(STATE),
    effect: |_| Effect::Idempotent,
    code: &[],
    is_check: false,
    rule: Some(|with| match ["status", "priority", "weight"].iter().any(|name| with.contains_key(*name)) {
        true => Ok(()),
        false => Err("nothing to set: give `status`, `priority` or `weight`".to_owned()),
    }),
    takes: |_| Takes::guess(3, 15),
    loss: None,
    permissions: &[
        "Microsoft.Network/trafficManagerProfiles/azureEndpoints/write",
        "Microsoft.Network/trafficManagerProfiles/externalEndpoints/write",
        "Microsoft.Network/trafficManagerProfiles/nestedEndpoints/write",
    ],
};

impl SetEndpoint {
    fn wanted(with: &With<'_>) -> Value {
        let mut wanted = Map::new();
        wanted.extend(with.option("status").map(|status| ("endpointStatus".to_owned(), json!(pascal(status)))));
        wanted.extend(with.int("priority").map(|priority| ("priority".to_owned(), json!(priority))));
        wanted.extend(with.int("weight").map(|weight| ("weight".to_owned(), json!(weight))));
        Value::Object(wanted)
    }

    fn write(with: &With<'_>) -> Request {
        endpoint(with).patch_properties(Self::wanted(with))
    }
}

impl Operation for SetEndpoint {
    fn spec(&self) -> &'static ActionSpec {
        &SET_ENDPOINT
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (endpoint, profile) = (endpoint(with).get(), profile(with).get());
        known.all(&[endpoint.clone(), profile.clone()])?;
        let (now, profile) = (known.body(&endpoint)?, known.body(&profile)?);
        let properties = now.get("properties").unwrap_or(&Value::Null);
        let wanted = Self::wanted(with);
        let holds = wanted.as_object().into_iter().flatten().all(|(name, value)| properties.get(name) == Some(value));
        let (name, words) = (with.text("endpoint"), share(with));
        if holds {
            return Ok(Next::done(Value::Object(state(now, profile)), format!("`{name}` is as wanted: {words}")));
        }
        Ok(Next::send(Self::write(with), format!("set the endpoint `{name}`: {words}")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

struct Endpoint;

static ENDPOINT_SPEC: ActionSpec = ActionSpec {
    name: "azure.traffic_manager.endpoint",
    summary: "reads the state of an endpoint of a Traffic Manager profile",
    docs: "Reads one endpoint: whether it takes part, its priority, and what the profile's own probes say of it.",
    parameters: parameters![
        PROFILE,
        ENDPOINT,
        TYPE,
        may(
            "is",
            || words(["online", "degraded", "inactive", "stopped", "checking_endpoint", "disabled", "unmonitored"]),
            "the monitor status that counts as healthy; `online` if absent",
        ),
    ],
    outputs: Outputs::Fixed(&[
        must("healthy", boolean, "whether the monitor status is the one wanted"),
        must("reason", string, "what was found"),
        must("status", string, "`enabled` or `disabled`"),
        must("priority", int, "its place in the order"),
        must("monitor_status", string, "what the profile's probes say"),
        must("ttl_seconds", int, "how long resolvers may keep the old answer, in seconds"),
    ]),
    effect: |_| Effect::Reads,
    code: &[],
    is_check: true,
    rule: None,
    takes: |_| Takes::guess(1, 3),
    loss: None,
    permissions: &[],
};

impl Operation for Endpoint {
    fn spec(&self) -> &'static ActionSpec {
        &ENDPOINT_SPEC
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (endpoint, profile) = (endpoint(with).get(), profile(with).get());
        known.all(&[endpoint.clone(), profile.clone()])?;
        let mut outputs = state(known.body(&endpoint)?, known.body(&profile)?);
        let wanted = with.option("is").unwrap_or("online");
        let found = outputs["monitor_status"].as_str().unwrap_or_default().to_owned();
        let reason = format!("`{}` is `{found}`", with.text("endpoint"));
        outputs.insert("healthy".to_owned(), json!(found == wanted));
        outputs.insert("reason".to_owned(), json!(reason));
        Ok(Next::done(Value::Object(outputs), reason))
    }
}

struct Profile;

static PROFILE_SPEC: ActionSpec = ActionSpec {
    name: "azure.traffic_manager.profile",
    summary: "reads the state of a Traffic Manager profile and all its endpoints",
    docs: "Reads a profile: the state its probes give it as a whole, its DNS time to live, and each endpoint's state.",
    parameters: parameters![PROFILE],
    outputs: Outputs::Fixed(&[
        must("healthy", boolean, "whether the profile as a whole is `online`"),
        must("reason", string, "what was found"),
        must("monitor_status", string, "what the probes say of the profile as a whole"),
        must("ttl_seconds", int, "how long resolvers may keep an answer, in seconds"),
        must(
            "endpoints",
            || Type::List(Box::new(any())),
            "each endpoint's `name`, `status`, `priority`, `monitor_status`",
        ),
    ]),
    effect: |_| Effect::Reads,
    code: &[],
    is_check: true,
    rule: None,
    takes: |_| Takes::guess(1, 3),
    loss: None,
    permissions: &[],
};

impl Operation for Profile {
    fn spec(&self) -> &'static ActionSpec {
        &PROFILE_SPEC
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let profile = known.body(&profile(with).get())?;
        let endpoint = |endpoint: &Value| {
            json!({
                "name": text(endpoint, "/name"),
                "status": snake(text(endpoint, "/properties/endpointStatus")),
                "priority": number(endpoint, "/properties/priority"),
                "monitor_status": snake(text(endpoint, "/properties/endpointMonitorStatus")),
            })
        };
        let endpoints: Vec<Value> = read::items(profile, "/properties/endpoints").iter().map(endpoint).collect();
        let found = snake(text(profile, "/properties/monitorConfig/profileMonitorStatus"));
        let reason = format!("`{}` is `{found}`", with.text("profile"));
        let outputs = json!({
            "healthy": found == "online",
            "reason": reason,
            "monitor_status": found,
            "ttl_seconds": number(profile, "/properties/dnsConfig/ttl").unwrap_or(0),
            "endpoints": endpoints,
        });
        Ok(Next::done(outputs, reason))
    }
}
