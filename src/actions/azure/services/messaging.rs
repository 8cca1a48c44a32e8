//! Service Bus and Event Hubs: the alias of a paired namespace, and geo-replication.
//!
//! Calls and words: `Microsoft.ServiceBus|EventHub/namespaces`, aliases in api-version 2024-01-01, geo-replication in
//! 2026-01-01. An alias carries names only, no messages; its failover is asked for on the *secondary* namespace.

use std::sync::Arc;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{
    CHECK, HEALTHY, IDEMPOTENT, OBSERVABLE, REASON, boolean, int, may, must, parameters, string, words,
};
use crate::actions::azure::read::{int as number, is, items, snake, text};
use crate::actions::azure::with::same_region;
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes};

const ALIAS_API: &str = "2024-01-01";
const GEO_API: &str = "2026-01-01";

const NAMESPACE: Field = must("namespace", string, "the namespace");
const ALIAS: Field = must("alias", string, "the alias that the pair of namespaces shares");
const ROLES: [&str; 3] = ["primary", "secondary", "primary_not_replicating"];

/// Which of the two services.
#[derive(Clone, Copy)]
enum Service {
    ServiceBus,
    EventHubs,
}

impl Service {
    fn namespace(self, with: &With<'_>, api: &'static str) -> Resource {
        let kind = match self {
            Self::ServiceBus => "Microsoft.ServiceBus/namespaces",
            Self::EventHubs => "Microsoft.EventHub/namespaces",
        };
        with.resource(kind, "namespace", api)
    }

    fn alias(self, with: &With<'_>) -> Resource {
        self.namespace(with, ALIAS_API).child("disasterRecoveryConfigs", with.text("alias"))
    }

    fn pick(self, specs: &'static [ActionSpec; 2]) -> &'static ActionSpec {
        match self {
            Self::ServiceBus => &specs[0],
            Self::EventHubs => &specs[1],
        }
    }
}

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    let of = |service| {
        operations![Alias(service), Failover(service), BreakPairing(service), GeoFailover(service), Namespace(service)]
    };
    [of(Service::ServiceBus), of(Service::EventHubs)].concat()
}

struct Alias(Service);

const ALIAS_SPEC: ActionSpec = ActionSpec {
    summary: "reads the alias of a pair of namespaces",
    docs: "Reads the role that the namespace has in its pair. Healthy means: the role is the one wanted, and nothing is \
        being changed.",
    parameters: parameters![
        NAMESPACE,
        ALIAS,
        may("is", || words(ROLES), "the role that counts as healthy; any if absent")
    ],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("role", string, "`primary`, `secondary` or `primary_not_replicating` (it stands alone)"),
        must("partner", string, "the other namespace; empty where it stands alone"),
        must("pending", int, "how many changes have not been replicated yet"),
    ]),
    ..CHECK
};
static ALIASES: [ActionSpec; 2] = [
    ActionSpec { name: "azure.service_bus.alias", ..ALIAS_SPEC },
    ActionSpec { name: "azure.event_hubs.alias", ..ALIAS_SPEC },
];

impl Operation for Alias {
    fn spec(&self) -> &'static ActionSpec {
        self.0.pick(&ALIASES)
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&self.0.alias(with).get())?;
        let (role, state) = (snake(text(now, "/properties/role")), text(now, "/properties/provisioningState"));
        let reason = format!("`{}` is `{role}`, {}", with.text("namespace"), snake(state));
        let outputs = json!({
            "healthy": with.option("is").is_none_or(|wanted| wanted == role) && state.eq_ignore_ascii_case("Succeeded"),
            "reason": reason,
            "role": role,
            "partner": text(now, "/properties/partnerNamespace"),
            "pending": number(now, "/properties/pendingReplicationOperationsCount").unwrap_or(0),
        });
        Ok(Next::done(outputs, reason))
    }
}

struct Failover(Service);

const FAILOVER: ActionSpec = ActionSpec {
    summary: "makes the secondary namespace of a pair the one that the alias names",
    docs: "Fails the alias over to this namespace, which must be the secondary. Only names move: messages and events that \
        were not read stay in the old namespace. The pair is broken afterwards, and has to be made anew to go back.",
    parameters: parameters![must("namespace", string, "the secondary namespace, which is to serve"), ALIAS],
    outputs: Outputs::Fixed(&[must("role", string, "the namespace's role now")]),
    takes: |_| Takes::guess(120, 600),
    ..OBSERVABLE
};
static FAILOVERS: [ActionSpec; 2] = [
    ActionSpec {
        name: "azure.service_bus.failover",
        parameters: parameters![
            must("namespace", string, "the secondary namespace, which is to serve"),
            ALIAS,
            may("safe", boolean, "whether to wait until nothing is left to replicate; `false` if absent"),
        ],
        permissions: &["Microsoft.ServiceBus/namespaces/disasterRecoveryConfigs/failover/action"],
        ..FAILOVER
    },
    ActionSpec {
        name: "azure.event_hubs.failover",
        permissions: &["Microsoft.EventHub/namespaces/disasterRecoveryConfigs/failover/action"],
        ..FAILOVER
    },
];

impl Failover {
    fn write(&self, with: &With<'_>) -> Request {
        let request = self.0.alias(with).post("failover");
        match (self.0, with.flag("safe")) {
            (Service::ServiceBus, Some(safe)) => request.body(json!({ "properties": { "IsSafeFailover": safe } })),
            _ => request,
        }
    }
}

impl Operation for Failover {
    fn spec(&self) -> &'static ActionSpec {
        self.0.pick(&FAILOVERS)
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&self.0.alias(with).get())?;
        let (name, role) = (with.text("namespace"), snake(text(now, "/properties/role")));
        if is(now, "/properties/provisioningState", "Accepted") {
            return Ok(Next::Wait(format!("`{name}` is being changed")));
        }
        // After a failover the namespace stands alone: `primary_not_replicating`.
        if matches!(role.as_str(), "primary" | "primary_not_replicating") {
            return Ok(Next::done(json!({ "role": role }), format!("`{name}` is `{role}`")));
        }
        if is(now, "/properties/provisioningState", "Failed") && known.sent(&self.write(with)).is_some() {
            return Ok(Next::Fail(format!("the failover of `{}` to `{name}` failed", with.text("alias"))));
        }
        Ok(Next::send_once(self.write(with), format!("fail `{}` over to `{name}`", with.text("alias"))))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![self.write(with)]
    }
}

struct BreakPairing(Service);

const BREAK_PAIRING: ActionSpec = ActionSpec {
    summary: "takes a pair of namespaces apart",
    docs: "Ends the replication of names from the primary namespace to the other one. Asked for on the primary.",
    parameters: parameters![must("namespace", string, "the primary namespace"), ALIAS],
    outputs: Outputs::Fixed(&[must("role", string, "the namespace's role now")]),
    takes: |_| Takes::guess(60, 300),
    ..IDEMPOTENT
};
static BREAKS: [ActionSpec; 2] = [
    ActionSpec {
        name: "azure.service_bus.break_pairing",
        permissions: &["Microsoft.ServiceBus/namespaces/disasterRecoveryConfigs/breakPairing/action"],
        ..BREAK_PAIRING
    },
    ActionSpec {
        name: "azure.event_hubs.break_pairing",
        permissions: &["Microsoft.EventHub/namespaces/disasterRecoveryConfigs/breakPairing/action"],
        ..BREAK_PAIRING
    },
];

impl Operation for BreakPairing {
    fn spec(&self) -> &'static ActionSpec {
        self.0.pick(&BREAKS)
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&self.0.alias(with).get())?;
        let (name, role) = (with.text("namespace"), snake(text(now, "/properties/role")));
        Ok(match role.as_str() {
            _ if is(now, "/properties/provisioningState", "Accepted") => {
                Next::Wait(format!("`{name}` is being changed"))
            }
            "primary_not_replicating" => Next::done(json!({ "role": role }), format!("`{name}` stands alone")),
            "secondary" => Next::Fail(format!("`{name}` is the secondary: a pair is taken apart on its primary")),
            _ => Next::send(self.0.alias(with).post("breakPairing"), format!("take the pair of `{name}` apart")),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![self.0.alias(with).post("breakPairing")]
    }
}

struct GeoFailover(Service);

const GEO_FAILOVER: ActionSpec = ActionSpec {
    summary: "makes another region the primary of a geo-replicated namespace",
    docs: "Fails a namespace with geo-replication over to another of its regions, messages included. `force` does not wait \
        for what has not been replicated: that is lost.",
    parameters: parameters![
        NAMESPACE,
        must("to", string, "the region that is to be the primary"),
        may("force", boolean, "whether not to wait for the replication; `false` if absent"),
    ],
    outputs: Outputs::Fixed(&[must("primary_location", string, "the region that is the primary now")]),
    takes: |_| Takes::guess(300, 1_800),
    ..OBSERVABLE
};
static GEO_FAILOVERS: [ActionSpec; 2] = [
    ActionSpec {
        name: "azure.service_bus.geo_failover",
        permissions: &["Microsoft.ServiceBus/namespaces/failover/action"],
        ..GEO_FAILOVER
    },
    ActionSpec {
        name: "azure.event_hubs.geo_failover",
        permissions: &["Microsoft.EventHub/namespaces/failover/action"],
        ..GEO_FAILOVER
    },
];

/// The regions of a namespace and their roles.
fn locations(now: &Value) -> impl Iterator<Item = (&str, &str)> {
    let locations = items(now, "/properties/geoDataReplication/locations").iter();
    locations.map(|location| (text(location, "/locationName"), text(location, "/roleType")))
}

fn primary(now: &Value) -> &str {
    let primary = locations(now).find(|(_, role)| role.eq_ignore_ascii_case("Primary"));
    primary.map_or_else(|| text(now, "/location"), |(name, _)| name)
}

impl GeoFailover {
    fn write(&self, with: &With<'_>) -> Request {
        let force = with.flag("force").unwrap_or(false);
        let properties = json!({ "primaryLocation": with.text("to"), "force": force });
        self.0.namespace(with, GEO_API).post("failover").body(json!({ "properties": properties }))
    }
}

impl Operation for GeoFailover {
    fn spec(&self) -> &'static ActionSpec {
        self.0.pick(&GEO_FAILOVERS)
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&self.0.namespace(with, GEO_API).get())?;
        let (name, to) = (with.text("namespace"), with.text("to"));
        if same_region(primary(now), to) {
            let outputs = json!({ "primary_location": primary(now) });
            return Ok(Next::done(outputs, format!("the primary of `{name}` is `{}`", primary(now))));
        }
        if ["Updating", "Activating"].iter().any(|word| is(now, "/properties/provisioningState", word)) {
            return Ok(Next::Wait(format!("`{name}` is being changed")));
        }
        if !locations(now).any(|(location, _)| same_region(location, to)) {
            let known: Vec<&str> = locations(now).map(|(location, _)| location).collect();
            return Ok(Next::Fail(format!("`{name}` is not replicated to `{to}`, only to: {}", known.join(", "))));
        }
        Ok(Next::send_once(self.write(with), format!("make `{to}` the primary of `{name}`")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![self.write(with)]
    }
}

struct Namespace(Service);

const NAMESPACE_SPEC: ActionSpec = ActionSpec {
    summary: "reads which region is the primary of a namespace",
    docs: "Reads the state of a namespace and the regions it is replicated to. Healthy means: it is active, and its primary \
        is the one wanted.",
    parameters: parameters![
        NAMESPACE,
        may("primary_location", string, "the region that counts as healthy; any if absent"),
    ],
    outputs: Outputs::Fixed(&[HEALTHY, REASON, must("primary_location", string, "the region that is the primary")]),
    ..CHECK
};
static NAMESPACES: [ActionSpec; 2] = [
    ActionSpec { name: "azure.service_bus.namespace", ..NAMESPACE_SPEC },
    ActionSpec { name: "azure.event_hubs.namespace", ..NAMESPACE_SPEC },
];

impl Operation for Namespace {
    fn spec(&self) -> &'static ActionSpec {
        self.0.pick(&NAMESPACES)
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&self.0.namespace(with, GEO_API).get())?;
        let (primary, state) = (primary(now), text(now, "/properties/status"));
        let wanted = with.option("primary_location").is_none_or(|wanted| same_region(wanted, primary));
        let reason = format!("the primary of `{}` is `{primary}`, {}", with.text("namespace"), snake(state));
        let is_active = state.is_empty() || state.eq_ignore_ascii_case("Active");
        let outputs = json!({ "healthy": wanted && is_active, "reason": reason, "primary_location": primary });
        Ok(Next::done(outputs, reason))
    }
}
