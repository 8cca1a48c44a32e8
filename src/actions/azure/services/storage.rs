//! Storage accounts: how far the copy in the other region is, failing over to it, protecting it anew.
//!
//! Calls and words: `Microsoft.Storage/storageAccounts`, api-version 2025-06-01. The resource provider does not fail over with
//! an account, and an account's `location` keeps its old value: `primaryLocation` tells. A failover that is not planned leaves the
//! account locally redundant.

use std::sync::Arc;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{
    CHECK, HEALTHY, IDEMPOTENT, OBSERVABLE, REASON, any, boolean, duration, may, must, parameters, string, words,
};
use crate::actions::azure::read::{flag, is, text};
use crate::actions::azure::with::{region, same_region};
use crate::actions::azure::{Known, Method, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, HumanDuration, Outputs, Takes, Timestamp};

const API: &str = "2025-06-01";

const ACCOUNT: Field = must("account", string, "the storage account");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![State, Failover, Reprotect]
}

fn account(with: &With<'_>) -> Resource {
    with.resource("Microsoft.Storage/storageAccounts", "account", API)
}

fn look(with: &With<'_>) -> Request {
    account(with).get_with("$expand=geoReplicationStats")
}

fn primary(now: &Value) -> &str {
    text(now, "/properties/primaryLocation")
}

fn is_moving(now: &Value) -> bool {
    flag(now, "/properties/failoverInProgress") == Some(true)
}

struct State;

static STATE: ActionSpec = ActionSpec {
    name: "azure.storage.state",
    summary: "reads where a storage account is, and how far its copy is behind",
    docs: "Reads the account with its replication. `lag_seconds` is how old the last synchronised write is: what an unplanned failover \
        loses. It is null where the account has no copy. Healthy means: the copy is live, and within `max_lag` where that is given; with \
        `primary_location`: that region serves.",
    parameters: parameters![
        ACCOUNT,
        may("max_lag", duration, "how far the copy may be behind; any if absent"),
        may("primary_location", string, "the region that has to serve; then an account without a copy is healthy too"),
    ],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("primary_location", string, "the region that serves"),
        must("secondary_location", string, "the region of the copy; empty without one"),
        must("status", string, "`live`, `bootstrap`, `unavailable`; empty without a copy"),
        must("last_sync_time", string, "until when all writes are in the copy; empty without one"),
        must("lag_seconds", any, "how long ago that is; null without a copy"),
        must("can_failover", boolean, "whether Azure would fail it over"),
        must("sku", string, "its redundancy, such as `Standard_RAGRS`"),
    ]),
    loss: Some("lag_seconds"),
    ..CHECK
};

impl Operation for State {
    fn spec(&self) -> &'static ActionSpec {
        &STATE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&look(with))?;
        let stats = "/properties/geoReplicationStats";
        let (status, synced) = (text(now, &format!("{stats}/status")), text(now, &format!("{stats}/lastSyncTime")));
        let lag = Timestamp::parse(synced).ok().map(|moment| moment.until(known.now));
        let in_time = with.duration("max_lag").is_none_or(|most| lag.is_some_and(|lag| lag <= most));
        let is_live = status.eq_ignore_ascii_case("live");
        let is_there = with.option("primary_location").map_or(is_live, |wanted| same_region(primary(now), wanted));
        let name = with.text("account");
        let behind = lag.map_or_else(|| "without a copy".to_owned(), |lag| format!("{} behind", HumanDuration(lag)));
        let reason = format!("`{name}` is in `{}`, {behind}", primary(now));
        let outputs = json!({
            "healthy": is_there && in_time && !is_moving(now),
            "reason": reason,
            "primary_location": primary(now),
            "secondary_location": text(now, "/properties/secondaryLocation"),
            "status": status.to_ascii_lowercase(),
            "last_sync_time": synced,
            "lag_seconds": lag.map(|lag| lag.as_secs()),
            "can_failover": flag(now, &format!("{stats}/canFailover")).unwrap_or(false),
            "sku": text(now, "/sku/name"),
        });
        Ok(Next::done(outputs, reason))
    }
}

struct Failover;

static FAILOVER: ActionSpec = ActionSpec {
    name: "azure.storage.failover",
    summary: "makes the secondary region of a storage account its primary",
    docs: "`unplanned` goes at once, loses what was not synchronised, and leaves the account locally redundant: \
        `azure.storage.reprotect` makes a new copy. `planned` needs both regions, loses nothing and keeps the copy. Takes about an hour. \
        While the primary region is down, Azure may not be able to manage the account at all.",
    parameters: parameters![
        ACCOUNT,
        must("to", string, "the region that is to serve: the account's secondary"),
        may("mode", || words(["planned", "unplanned"]), "`unplanned` if absent"),
    ],
    outputs: Outputs::Fixed(&[must("primary_location", string, "the region that serves now")]),
    takes: |_| {
        Takes::published(1_800, 3_600, "Azure Storage: disaster recovery and failover (typically within an hour)")
    },
    permissions: &["Microsoft.Storage/storageAccounts/failover/action"],
    ..OBSERVABLE
};

impl Failover {
    fn write(with: &With<'_>) -> Request {
        let planned = with.option("mode") == Some("planned");
        account(with).request(Method::Post, "failover", if planned { "failoverType=Planned" } else { "" })
    }
}

impl Operation for Failover {
    fn spec(&self) -> &'static ActionSpec {
        &FAILOVER
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&look(with))?;
        let (name, to, secondary) = (with.text("account"), with.text("to"), text(now, "/properties/secondaryLocation"));
        if is_moving(now) {
            return Ok(Next::Wait(format!("`{name}` is failing over")));
        }
        if same_region(primary(now), to) {
            return Ok(Next::done(
                json!({ "primary_location": region(to) }),
                format!("`{name}` is in `{}`", region(to)),
            ));
        }
        if !same_region(secondary, to) {
            let copy = if secondary.is_empty() {
                "it has no copy".to_owned()
            } else {
                format!("its copy is in `{secondary}`")
            };
            return Ok(Next::Fail(format!("`{name}` cannot move to `{to}`: {copy}")));
        }
        Ok(Next::send_once(Self::write(with), format!("fail `{name}` over to `{to}`")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

struct Reprotect;

static REPROTECT: ActionSpec = ActionSpec {
    name: "azure.storage.reprotect",
    summary: "gives a storage account a copy in another region again",
    docs: "Sets the redundancy of an account. After a failover the copy is made anew, which takes as long as the data does: \
        `azure.storage.state` tells when it is live.",
    parameters: parameters![
        ACCOUNT,
        must("sku", || words(["Standard_GRS", "Standard_RAGRS", "Standard_GZRS", "Standard_RAGZRS"]), "the redundancy",),
    ],
    outputs: Outputs::Fixed(&[must("sku", string, "the redundancy")]),
    takes: |_| Takes::guess(30, 300),
    permissions: &["Microsoft.Storage/storageAccounts/write"],
    ..IDEMPOTENT
};

impl Reprotect {
    fn write(with: &With<'_>) -> Request {
        account(with).patch(json!({ "sku": { "name": with.text("sku") } }))
    }
}

impl Operation for Reprotect {
    fn spec(&self) -> &'static ActionSpec {
        &REPROTECT
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&look(with))?;
        let (name, sku) = (with.text("account"), with.text("sku"));
        if is_moving(now) {
            return Ok(Next::Wait(format!("`{name}` is failing over")));
        }
        if is(now, "/sku/name", sku) {
            return Ok(Next::done(json!({ "sku": sku }), format!("`{name}` is `{sku}`")));
        }
        Ok(Next::send(Self::write(with), format!("make `{name}` `{sku}`")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}
