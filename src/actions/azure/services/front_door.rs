//! Front Door Standard and Premium: origins, routes, purging.
//!
//! Calls and words: `Microsoft.Cdn/profiles`, api-version 2025-06-01. Changes take 20 to 45 minutes to reach all
//! edges, and queue behind each other (Front Door documentation, 2025-26); `deploymentStatus` tells, where it is
//! told at all. A failover that cannot wait leaves it to the origin group's own health probes.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::operations;
use crate::actions::azure::fields::{
    CHECK, HEALTHY, IDEMPOTENT, REASON, boolean, int, may, must, parameters, string, strings, weight,
};
use crate::actions::azure::read::{enabled, int as number, is, snake, text};
use crate::actions::azure::with::share;
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes, Type};

const API: &str = "2025-06-01";
const PUBLISHED: &str = "Azure Front Door: propagation of changes (20 to 45 minutes)";

const PROFILE: Field = must("profile", string, "the Front Door profile");
const ENDPOINT: Field = must("endpoint", string, "the endpoint of the profile");
const DEPLOYED: Field =
    must("deployment_status", string, "how far the edges have it: `in_progress`, `succeeded`, `not_started`, `failed`");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![SetOrigin, Origin, SetRoute, Purge]
}

fn profile(with: &With<'_>) -> Resource {
    with.resource("Microsoft.Cdn/profiles", "profile", API)
}

fn origin(with: &With<'_>) -> Resource {
    profile(with).child("originGroups", with.text("origin_group")).child("origins", with.text("origin"))
}

fn endpoint(with: &With<'_>) -> Resource {
    profile(with).child("afdEndpoints", with.text("endpoint"))
}

/// Whether what was asked for is among the properties; texts are compared without case.
fn holds(now: &Value, wanted: &Map<String, Value>) -> bool {
    wanted.iter().all(|(name, value)| match (now.pointer(&format!("/properties/{name}")), value) {
        (Some(Value::String(now)), Value::String(wanted)) => now.eq_ignore_ascii_case(wanted),
        (Some(Value::Object(now)), Value::Object(_)) => {
            text(value, "/id").eq_ignore_ascii_case(now.get("id").and_then(Value::as_str).unwrap_or_default())
        }
        (now, wanted) => now == Some(wanted),
    })
}

fn is_busy(now: &Value) -> bool {
    ["Updating", "Creating"].iter().any(|word| is(now, "/properties/provisioningState", word))
}

const GROUP: Field = must("origin_group", string, "the origin group");
const ORIGIN: Field = must("origin", string, "the origin of the group");

fn origin_state(now: &Value) -> Value {
    json!({
        "enabled": is(now, "/properties/enabledState", "Enabled"),
        "priority": number(now, "/properties/priority").unwrap_or(1),
        "weight": number(now, "/properties/weight").unwrap_or(0),
        "deployment_status": snake(text(now, "/properties/deploymentStatus")),
    })
}

struct SetOrigin;

static SET_ORIGIN: ActionSpec = ActionSpec {
    name: "azure.front_door.set_origin",
    summary: "enables, disables or reorders an origin behind Front Door",
    docs: "Changes the state, the priority or the weight of one origin, and is done when Azure has taken it in. The \
        edges follow in 20 to 45 minutes, one change after the other: make few changes, and rather let the origin \
        group's health probes fail over. The check `azure.front_door.origin` tells when the edges have it.",
    parameters: parameters![
        PROFILE,
        GROUP,
        ORIGIN,
        may("enabled", boolean, "whether the origin takes part"),
        may("priority", || Type::Between(1, 5), "its place in the order; 1 is asked first"),
        may("weight", weight, "its share among those of the same priority"),
    ],
    outputs: Outputs::Fixed(&[
        must("enabled", boolean, "whether the origin takes part"),
        must("priority", int, "its place in the order"),
        must("weight", int, "its share"),
        DEPLOYED,
    ]),
    rule: Some(|with| match ["enabled", "priority", "weight"].iter().any(|name| with.contains_key(*name)) {
        true => Ok(()),
        false => Err("nothing to set: give `enabled`, `priority` or `weight`".to_owned()),
    }),
    takes: |_| Takes::guess(60, 300),
    permissions: &["Microsoft.Cdn/profiles/originGroups/origins/write"],
    ..IDEMPOTENT
};

impl SetOrigin {
    fn wanted(with: &With<'_>) -> Map<String, Value> {
        let mut wanted = Map::new();
        wanted.extend(with.flag("enabled").map(|yes| ("enabledState".to_owned(), json!(enabled(yes)))));
        wanted.extend(with.int("priority").map(|priority| ("priority".to_owned(), json!(priority))));
        wanted.extend(with.int("weight").map(|weight| ("weight".to_owned(), json!(weight))));
        wanted
    }

    fn write(with: &With<'_>) -> Request {
        origin(with).patch_properties(Value::Object(Self::wanted(with)))
    }
}

impl Operation for SetOrigin {
    fn spec(&self) -> &'static ActionSpec {
        &SET_ORIGIN
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&origin(with).get())?;
        let (name, wanted) = (with.text("origin"), Self::wanted(with));
        if is_busy(now) {
            return Ok(Next::Wait(format!("the origin `{name}` is being changed")));
        }
        if holds(now, &wanted) {
            return Ok(Next::done(origin_state(now), format!("the origin `{name}` is as wanted")));
        }
        Ok(Next::send(Self::write(with), format!("set the origin `{name}`: {}", share(with))))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

struct Origin;

static ORIGIN_SPEC: ActionSpec = ActionSpec {
    name: "azure.front_door.origin",
    summary: "reads the state of an origin behind Front Door",
    docs: "Reads one origin. Healthy means: it takes part (or, with `is_enabled: false`, does not), and no change is \
        still on its way to the edges. Whether the origin answers is not told here: probe it.",
    parameters: parameters![
        PROFILE,
        GROUP,
        ORIGIN,
        may("is_enabled", boolean, "whether it should take part; `true` if absent"),
    ],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("enabled", boolean, "whether the origin takes part"),
        must("priority", int, "its place in the order"),
        must("weight", int, "its share"),
        DEPLOYED,
    ]),
    ..CHECK
};

impl Operation for Origin {
    fn spec(&self) -> &'static ActionSpec {
        &ORIGIN_SPEC
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&origin(with).get())?;
        let mut outputs = origin_state(now);
        let (takes_part, deployed) = (outputs["enabled"] == true, text(&outputs, "/deployment_status").to_owned());
        let is_settled = !is_busy(now) && !matches!(deployed.as_str(), "in_progress" | "failed");
        let part = if takes_part { "takes part" } else { "does not take part" };
        let reason = format!("`{}` {part}, deployment `{deployed}`", with.text("origin"));
        outputs["healthy"] = json!(is_settled && takes_part == with.flag("is_enabled").unwrap_or(true));
        outputs["reason"] = json!(reason);
        Ok(Next::done(outputs, reason))
    }
}

struct SetRoute;

static SET_ROUTE: ActionSpec = ActionSpec {
    name: "azure.front_door.set_route",
    summary: "points a Front Door route at another origin group, or switches it on or off",
    docs: "Changes where one route of an endpoint leads. As all changes of Front Door it reaches the edges in 20 to 45 \
        minutes.",
    parameters: parameters![
        PROFILE,
        ENDPOINT,
        must("route", string, "the route of the endpoint"),
        may("origin_group", string, "the origin group it leads to"),
        may("enabled", boolean, "whether the route is used"),
    ],
    outputs: Outputs::Fixed(&[
        must("origin_group", string, "the id of the origin group it leads to"),
        must("enabled", boolean, "whether the route is used"),
        DEPLOYED,
    ]),
    rule: Some(|with| match ["origin_group", "enabled"].iter().any(|name| with.contains_key(*name)) {
        true => Ok(()),
        false => Err("nothing to set: give `origin_group` or `enabled`".to_owned()),
    }),
    takes: |_| Takes::guess(60, 300),
    permissions: &["Microsoft.Cdn/profiles/afdEndpoints/routes/write"],
    ..IDEMPOTENT
};

impl SetRoute {
    fn wanted(with: &With<'_>) -> Map<String, Value> {
        let mut wanted = Map::new();
        let group = with.option("origin_group").map(|group| profile(with).child("originGroups", group).id);
        wanted.extend(group.map(|id| ("originGroup".to_owned(), json!({ "id": id }))));
        wanted.extend(with.flag("enabled").map(|yes| ("enabledState".to_owned(), json!(enabled(yes)))));
        wanted
    }

    fn route(with: &With<'_>) -> Resource {
        endpoint(with).child("routes", with.text("route"))
    }

    fn write(with: &With<'_>) -> Request {
        Self::route(with).patch_properties(Value::Object(Self::wanted(with)))
    }
}

impl Operation for SetRoute {
    fn spec(&self) -> &'static ActionSpec {
        &SET_ROUTE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&Self::route(with).get())?;
        let (name, wanted) = (with.text("route"), Self::wanted(with));
        if is_busy(now) {
            return Ok(Next::Wait(format!("the route `{name}` is being changed")));
        }
        if holds(now, &wanted) {
            let outputs = json!({
                "origin_group": text(now, "/properties/originGroup/id"),
                "enabled": is(now, "/properties/enabledState", "Enabled"),
                "deployment_status": snake(text(now, "/properties/deploymentStatus")),
            });
            return Ok(Next::done(outputs, format!("the route `{name}` is as wanted")));
        }
        let to = with.option("origin_group").map(|group| format!("to the origin group `{group}`"));
        let words: Vec<String> = to.into_iter().chain([share(with)]).filter(|words| !words.is_empty()).collect();
        Ok(Next::send(Self::write(with), format!("set the route `{name}`: {}", words.join(", "))))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

struct Purge;

static PURGE: ActionSpec = ActionSpec {
    name: "azure.front_door.purge",
    summary: "throws away what Front Door's edges have cached",
    docs: "Purges paths from the cache of an endpoint, so that clients see the other region's content. Purging twice \
        does no harm.",
    parameters: parameters![
        PROFILE,
        ENDPOINT,
        must("paths", strings, "the paths, such as `/*`"),
        may("domains", strings, "the domains; all of the endpoint's if absent"),
    ],
    outputs: Outputs::Fixed(&[]),
    takes: |_| Takes::published(600, 2_700, PUBLISHED),
    permissions: &["Microsoft.Cdn/profiles/afdEndpoints/purge/action"],
    ..IDEMPOTENT
};

impl Purge {
    fn write(with: &With<'_>) -> Request {
        let mut body = json!({ "contentPaths": with.list("paths") });
        if with.value("domains").is_some() {
            body["domains"] = json!(with.list("domains"));
        }
        endpoint(with).post("purge").body(body)
    }
}

impl Operation for Purge {
    fn spec(&self) -> &'static ActionSpec {
        &PURGE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (write, name) = (Self::write(with), with.text("endpoint"));
        Ok(match known.sent(&write) {
            Some(_) => Next::done(json!({}), format!("the cache of `{name}` was purged")),
            None => Next::send(write, format!("purge the cache of `{name}`")),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}
