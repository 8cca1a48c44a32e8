//! Cosmos DB: which region takes the writes.
//!
//! Calls and words: `Microsoft.DocumentDB/databaseAccounts`, api-version 2025-04-15. Changing the priorities does not succeed
//! during an outage of the write region; taking that region offline is the call then.

use std::sync::Arc;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{
    CHECK, HEALTHY, IDEMPOTENT, OBSERVABLE, REASON, boolean, may, must, parameters, string, strings,
};
use crate::actions::azure::read::{flag, int, is, items, text};
use crate::actions::azure::with::same_region;
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes};

const API: &str = "2025-04-15";

const ACCOUNT: Field = must("account", string, "the Cosmos DB account");
const WRITES: &[Field] = &[must("write_region", string, "the region that takes the writes now")];

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![State, Failover, Region::Offline, Region::Online, SetAutomaticFailover]
}

fn account(with: &With<'_>) -> Resource {
    with.resource("Microsoft.DocumentDB/databaseAccounts", "account", API)
}

fn write_region(now: &Value) -> &str {
    items(now, "/properties/writeLocations").first().map(|at| text(at, "/locationName")).unwrap_or_default()
}

/// The regions by their place in the order, the one that takes the writes first.
fn regions(now: &Value) -> Vec<&str> {
    let mut regions: Vec<(i64, &str)> = items(now, "/properties/readLocations")
        .iter()
        .map(|at| (int(at, "/failoverPriority").unwrap_or(i64::MAX), text(at, "/locationName")))
        .collect();
    regions.sort_unstable();
    regions.into_iter().map(|(_, name)| name).collect()
}

fn is_busy(now: &Value) -> bool {
    let state = text(now, "/properties/provisioningState");
    !state.is_empty() && !["Succeeded", "Failed"].iter().any(|end| state.eq_ignore_ascii_case(end))
}

fn busy(with: &With<'_>, now: &Value) -> Next {
    Next::Wait(format!("`{}` is `{}`", with.text("account"), text(now, "/properties/provisioningState")))
}

struct State;

static STATE: ActionSpec = ActionSpec {
    name: "azure.cosmos.state",
    summary: "reads which region of a Cosmos DB account takes the writes",
    docs: "Reads the account's regions in their order. With `write_region`, healthy means: that one takes the writes, and nothing is \
        being changed.",
    parameters: parameters![ACCOUNT, may("write_region", string, "the region that counts as healthy; any if absent")],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("write_region", string, "the region that takes the writes"),
        must("regions", strings, "all regions, in the order they take over"),
        must("automatic_failover", boolean, "whether Azure moves the writes by itself"),
    ]),
    ..CHECK
};

impl Operation for State {
    fn spec(&self) -> &'static ActionSpec {
        &STATE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&account(with).get())?;
        let write = write_region(now);
        let wanted = with.option("write_region").is_none_or(|wanted| same_region(wanted, write));
        let reason = format!("`{write}` takes the writes of `{}`", with.text("account"));
        let outputs = json!({
            "healthy": wanted && !is_busy(now),
            "reason": reason,
            "write_region": write,
            "regions": regions(now),
            "automatic_failover": flag(now, "/properties/enableAutomaticFailover").unwrap_or(false),
        });
        Ok(Next::done(outputs, reason))
    }
}

struct Failover;

static FAILOVER: ActionSpec = ActionSpec {
    name: "azure.cosmos.failover",
    summary: "lets another region of a Cosmos DB account take the writes",
    docs: "For an account whose write region is healthy: changes the order of its regions and loses nothing. It does not succeed \
        while the write region is down: use `azure.cosmos.offline_region` then.",
    parameters: parameters![ACCOUNT, must("to", string, "the region that is to take the writes")],
    outputs: Outputs::Fixed(WRITES),
    takes: |_| Takes::guess(300, 900),
    permissions: &["Microsoft.DocumentDB/databaseAccounts/failoverPriorityChange/action"],
    ..OBSERVABLE
};

impl Operation for Failover {
    fn spec(&self) -> &'static ActionSpec {
        &FAILOVER
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&account(with).get())?;
        let (name, to) = (with.text("account"), with.text("to"));
        if is_busy(now) {
            return Ok(busy(with, now));
        }
        if same_region(write_region(now), to) {
            return Ok(Next::done(json!({ "write_region": write_region(now) }), format!("`{to}` takes the writes")));
        }
        let mut order = regions(now);
        let Some(at) = order.iter().position(|region| same_region(region, to)) else {
            return Ok(Next::Fail(format!("`{name}` has no region `{to}`, only: {}", order.join(", "))));
        };
        let first = order.remove(at);
        order.insert(0, first);
        let policy = |(place, region): (usize, &&str)| json!({ "locationName": region, "failoverPriority": place });
        let policies: Vec<Value> = order.iter().enumerate().map(policy).collect();
        let write = account(with).post("failoverPriorityChange").body(json!({ "failoverPolicies": policies }));
        Ok(Next::send_once(write, format!("let `{to}` take the writes of `{name}`")))
    }

    fn advice(&self) -> Option<&'static str> {
        Some(
            "this does not succeed while the write region is down: `azure.cosmos.offline_region` is the action for that",
        )
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        let policies = json!([{ "locationName": with.text("to"), "failoverPriority": 0 }, "..the others after it"]);
        vec![account(with).post("failoverPriorityChange").body(json!({ "failoverPolicies": policies }))]
    }
}

enum Region {
    Offline,
    Online,
}

const REGION: ActionSpec = ActionSpec {
    parameters: parameters![ACCOUNT, must("region", string, "the region")],
    outputs: Outputs::Fixed(WRITES),
    takes: |_| Takes::guess(300, 1_800),
    ..OBSERVABLE
};
static OFFLINE: ActionSpec = ActionSpec {
    name: "azure.cosmos.offline_region",
    summary: "takes a region of a Cosmos DB account offline, so that another one takes its writes",
    docs: "For an account whose write region is down: the next region in the order takes the writes. What the lost region had not \
        replicated is lost. `azure.cosmos.online_region` brings it back.",
    permissions: &["Microsoft.DocumentDB/databaseAccounts/offlineRegion/action"],
    ..REGION
};
static ONLINE: ActionSpec = ActionSpec {
    name: "azure.cosmos.online_region",
    summary: "takes a region of a Cosmos DB account online again",
    docs: "Brings a region back that was taken offline. It takes reads first, and writes only after a failover to it.",
    permissions: &["Microsoft.DocumentDB/databaseAccounts/onlineRegion/action"],
    ..REGION
};

impl Region {
    fn write(&self, with: &With<'_>) -> Request {
        let call = match self {
            Self::Offline => "offlineRegion",
            Self::Online => "onlineRegion",
        };
        account(with).post(call).body(json!({ "region": with.text("region") }))
    }

    /// Whether the region is among those that answer.
    fn is_there(now: &Value, region: &str) -> bool {
        let at =
            items(now, "/properties/readLocations").iter().find(|at| same_region(text(at, "/locationName"), region));
        at.is_some_and(|at| !is(at, "/provisioningState", "Offline"))
    }
}

impl Operation for Region {
    fn spec(&self) -> &'static ActionSpec {
        match self {
            Self::Offline => &OFFLINE,
            Self::Online => &ONLINE,
        }
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&account(with).get())?;
        let (name, region) = (with.text("account"), with.text("region"));
        if is_busy(now) {
            return Ok(busy(with, now));
        }
        let write = write_region(now);
        let holds = match self {
            Self::Offline => !same_region(write, region) && !Self::is_there(now, region),
            Self::Online => Self::is_there(now, region),
        };
        // The region may stay on the list; that another one takes the writes is what was wanted.
        let moved = known.sent(&self.write(with)).is_some() && !same_region(write, region);
        if holds || moved {
            let outputs = json!({ "write_region": write });
            return Ok(Next::done(outputs, format!("`{write}` takes the writes of `{name}`")));
        }
        let words = match self {
            Self::Offline => format!("take `{region}` offline in `{name}`"),
            Self::Online => format!("take `{region}` online in `{name}`"),
        };
        Ok(Next::send_once(self.write(with), words))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![self.write(with)]
    }
}

struct SetAutomaticFailover;

static SET_AUTOMATIC_FAILOVER: ActionSpec = ActionSpec {
    name: "azure.cosmos.set_automatic_failover",
    summary: "says whether a Cosmos DB account moves its writes by itself",
    docs: "Switches the service-managed failover on or off. Switch it off before a drill, so that nobody moves twice.",
    parameters: parameters![ACCOUNT, must("enabled", boolean, "whether Azure moves the writes by itself")],
    outputs: Outputs::Fixed(&[must("enabled", boolean, "whether Azure moves the writes by itself")]),
    takes: |_| Takes::guess(60, 300),
    permissions: &["Microsoft.DocumentDB/databaseAccounts/write"],
    ..IDEMPOTENT
};

impl Operation for SetAutomaticFailover {
    fn spec(&self) -> &'static ActionSpec {
        &SET_AUTOMATIC_FAILOVER
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&account(with).get())?;
        let (name, enabled) = (with.text("account"), with.flag("enabled").unwrap_or(false));
        if is_busy(now) {
            return Ok(busy(with, now));
        }
        if flag(now, "/properties/enableAutomaticFailover").unwrap_or(false) == enabled {
            return Ok(Next::done(json!({ "enabled": enabled }), format!("`{name}` is as wanted")));
        }
        Ok(Next::send(self.writes(with).remove(0), format!("switch the automatic failover of `{name}`")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![account(with).patch_properties(json!({ "enableAutomaticFailover": with.flag("enabled") }))]
    }
}
