//! What Azure itself says of its health: of a resource, of a service in a region.
//!
//! Calls and words: `Microsoft.ResourceHealth`, api-version 2025-05-01. Both lag behind what users see, and are
//! evidence, not a trigger.

use std::sync::Arc;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{CHECK, HEALTHY, REASON, any, anywhere, may, must, string};
use crate::actions::azure::read::{items, snake, text};
use crate::actions::azure::with::same_region;
use crate::actions::azure::{Known, Method, Next, Operation, Resource, With};
use crate::catalogue::{ActionSpec, Outputs, Type};

const API: &str = "2025-05-01";

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![ResourceHealth, ServiceHealth]
}

struct ResourceHealth;

static RESOURCE_HEALTH: ActionSpec = ActionSpec {
    name: "azure.health.resource",
    summary: "reads what Azure says of the health of a resource",
    docs: "Reads Resource Health. It lags behind what users see: a probe of the application says more, and sooner.",
    parameters: anywhere![must(
        "resource",
        string,
        "the id of the resource; from `/resourceGroups/` on it is in the subscription"
    )],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("state", string, "`available`, `degraded`, `unavailable` or `unknown`"),
        must("reason_type", string, "what kind of event it is put down to; empty if none"),
        must("reported_at", string, "when that was reported"),
    ]),
    permissions: &["Microsoft.ResourceHealth/availabilityStatuses/read"],
    ..CHECK
};

impl Operation for ResourceHealth {
    fn spec(&self) -> &'static ActionSpec {
        &RESOURCE_HEALTH
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let resource = with.resource_in("", "", with.text("resource"), API);
        let below = "providers/Microsoft.ResourceHealth/availabilityStatuses/current";
        let now = known.body(&resource.request(Method::Get, below, ""))?;
        let state = snake(text(now, "/properties/availabilityState"));
        let reason = match text(now, "/properties/summary") {
            "" => format!("`{}` is `{state}`", resource.name()),
            summary => format!("`{}` is `{state}`: {summary}", resource.name()),
        };
        let outputs = json!({
            "healthy": state == "available",
            "reason": reason,
            "state": state,
            "reason_type": text(now, "/properties/reasonType"),
            "reported_at": text(now, "/properties/reportedTime"),
        });
        Ok(Next::done(outputs, reason))
    }
}

struct ServiceHealth;

static SERVICE_HEALTH: ActionSpec = ActionSpec {
    name: "azure.health.service",
    summary: "reads which incidents Azure itself has announced",
    docs: "Reads the active incidents of Service Health for the subscription, in a region or of a service where they are \
        named. None announced does not mean none: announcements come later than outages.",
    parameters: anywhere![
        may("region", string, "the region; all if absent"),
        may("service", string, "the service as Azure names it, such as `Azure SQL Database`; all if absent"),
    ],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("events", || Type::List(Box::new(any())), "each incident's `id`, `title`, `services`, `regions`, `since`"),
    ]),
    permissions: &["Microsoft.ResourceHealth/events/read"],
    ..CHECK
};

/// An incident, if it is one of those asked for.
fn incident(with: &With<'_>, event: &Value) -> Option<Value> {
    let properties = event.get("properties")?;
    let is_open = text(properties, "/status").eq_ignore_ascii_case("Active");
    let is_incident = text(properties, "/eventType").eq_ignore_ascii_case("ServiceIssue");
    let impacts = items(properties, "/impact").iter().filter(|impact| {
        with.option("service").is_none_or(|service| text(impact, "/impactedService").eq_ignore_ascii_case(service))
    });
    let (mut services, mut regions) = (Vec::new(), Vec::new());
    for impact in impacts {
        let hit = items(impact, "/impactedRegions").iter().map(|region| text(region, "/impactedRegion"));
        let hit: Vec<&str> =
            hit.filter(|hit| with.option("region").is_none_or(|region| same_region(hit, region))).collect();
        if !hit.is_empty() {
            services.push(text(impact, "/impactedService"));
            regions.extend(hit);
        }
    }
    (is_open && is_incident && !services.is_empty()).then(|| {
        json!({
            "id": text(event, "/name"),
            "title": text(properties, "/title"),
            "services": services,
            "regions": regions,
            "since": text(properties, "/impactStartTime"),
        })
    })
}

impl Operation for ServiceHealth {
    fn spec(&self) -> &'static ActionSpec {
        &SERVICE_HEALTH
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let subscription = Resource { id: with.subscription().id, api: API };
        let now = known.body(&subscription.list("providers/Microsoft.ResourceHealth/events"))?;
        let events: Vec<Value> = items(now, "/value").iter().filter_map(|event| incident(with, event)).collect();
        let reason = match events.first() {
            Some(first) => format!("{} announced, the first: {}", events.len(), text(first, "/title")),
            None => "no incident is announced".to_owned(),
        };
        Ok(Next::done(json!({ "healthy": events.is_empty(), "reason": reason, "events": events }), reason))
    }
}
