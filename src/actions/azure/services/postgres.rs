//! Azure Database for PostgreSQL, flexible server: roles, lag, promotion, failover to the standby, restore.
//!
//! Calls and words: `Microsoft.DBforPostgreSQL/flexibleServers`, api-version 2025-08-01. A promoted replica is
//! asked for on the replica itself; its source is not needed for a forced, stand-alone promotion.

use std::sync::Arc;

use serde_json::{Value, json};

use super::flexible_server::{self, Restore};
use super::{metrics, operations};
use crate::actions::azure::fields::{boolean, may, must, parameters, string, words};
use crate::actions::azure::read::{is, pascal, snake, text};
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Effect, Field, Outputs, Takes, Type};

const API: &str = "2025-08-01";
const SERVERS: &str = "Microsoft.DBforPostgreSQL/flexibleServers";

const SERVER: Field = must("server", string, "the server");
const MODE: Field = may(
    "mode",
    || words(["planned", "forced"]),
    "`planned` waits until nothing is lost, `forced` does not; `planned` if absent",
);

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![Role, ReplicationLag, PromoteReplica, HaFailover, RESTORES]
}

fn server(with: &With<'_>) -> Resource {
    with.resource(SERVERS, "server", API)
}

/// `primary`, `async_replica`, `geo_async_replica` or `none`; a server that never replicated has no role.
fn role(server: &Value) -> String {
    let replica = text(server, "/properties/replica/role");
    let role = if replica.is_empty() { text(server, "/properties/replicationRole") } else { replica };
    if role.is_empty() { "none".to_owned() } else { snake(role) }
}

/// Whether the server takes writes: a server without a role stands alone.
fn is_primary(server: &Value) -> bool {
    matches!(role(server).as_str(), "primary" | "none")
}

struct Role;

static ROLE: ActionSpec = ActionSpec {
    name: "azure.postgres.role",
    summary: "reads the replication role of a PostgreSQL flexible server",
    docs: "Reads whether the server is a primary (a server that stands alone counts as one) or a replica, and how \
        its replication is. With `is`, healthy means: it has that role and is ready.",
    parameters: parameters![
        SERVER,
        may("is", || words(["primary", "replica"]), "the role that counts as healthy; any if absent"),
    ],
    outputs: Outputs::Fixed(&[
        must("healthy", boolean, "whether the role is the one wanted, and the server is ready"),
        must("reason", string, "what was found"),
        must("role", string, "`primary`, `async_replica`, `geo_async_replica` or `none` (stands alone)"),
        must("replication_state", string, "`active`, `catchup`, `broken`, ..; empty for a primary"),
        must("source_server", string, "the id of the server it replicates; empty for a primary"),
    ]),
    effect: |_| Effect::Reads,
    code: &[],
    is_check: true,
    rule: None,
    takes: |_| Takes::guess(1, 3),
    loss: None,
    permissions: &[],
};

impl Operation for Role {
    fn spec(&self) -> &'static ActionSpec {
        &ROLE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let server = known.body(&server(with).get())?;
        let (role, state) = (role(server), text(server, "/properties/state"));
        let wanted = match with.option("is") {
            Some("primary") => is_primary(server),
            Some("replica") => !is_primary(server),
            _ => true,
        };
        let reason = format!("`{}` is `{role}`, {}", with.text("server"), snake(state));
        let outputs = json!({
            "healthy": wanted && state.eq_ignore_ascii_case("ready"),
            "reason": reason,
            "role": role,
            "replication_state": snake(text(server, "/properties/replica/replicationState")),
            "source_server": if is_primary(server) { "" } else { text(server, "/properties/sourceServerResourceId") },
        });
        Ok(Next::done(outputs, reason))
    }
}

struct ReplicationLag;

static REPLICATION_LAG: ActionSpec = ActionSpec {
    name: "azure.postgres.replication_lag",
    summary: "reads how far a PostgreSQL replica is behind its source, in seconds",
    docs: "Reads the last value of the metric `physical_replication_delay_in_seconds`. A missing metric is a failure, \
        never a lag of zero: metrics of a region that is down stop coming.",
    parameters: parameters![SERVER],
    outputs: Outputs::Fixed(&[
        must("seconds", || Type::Number, "how far it is behind"),
        must("measured_at", string, "when that was measured"),
    ]),
    loss: Some("seconds"),
    effect: |_| Effect::Reads,
    code: &[],
    is_check: false,
    rule: None,
    takes: |_| Takes::guess(1, 5),
    permissions: &["Microsoft.Insights/metrics/read"],
};

impl Operation for ReplicationLag {
    fn spec(&self) -> &'static ActionSpec {
        &REPLICATION_LAG
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        metrics::lag(known, &server(with), "physical_replication_delay_in_seconds")
    }
}

struct PromoteReplica;

static PROMOTE_REPLICA: ActionSpec = ActionSpec {
    name: "azure.postgres.promote_replica",
    summary: "makes a PostgreSQL replica a primary",
    docs: "Promotes a read replica. `standalone` cuts it loose from its source, which has to be rebuilt as a replica \
        later; `switchover` swaps the two, and needs a virtual endpoint that has the replica as its reader. `forced` \
        does not wait for what has not been replicated: that is lost.",
    parameters: parameters![
        must("server", string, "the replica"),
        MODE,
        may("style", || words(["standalone", "switchover"]), "what becomes of the source; `standalone` if absent"),
    ],
    outputs: Outputs::Fixed(&[must("role", string, "the server's role now")]),
    effect: |_| Effect::Observable,
    code: &[],
    is_check: false,
    rule: None,
    takes: |_| Takes::guess(240, 900),
    loss: None,
    permissions: &["Microsoft.DBforPostgreSQL/flexibleServers/write"],
};

impl PromoteReplica {
    fn write(with: &With<'_>) -> Request {
        let is_switchover = with.option("style") == Some("switchover");
        let (role, style) = if is_switchover { ("Primary", "Switchover") } else { ("None", "Standalone") };
        let option = pascal(with.option("mode").unwrap_or("planned"));
        let replica = json!({ "role": role, "promoteMode": style, "promoteOption": option });
        server(with).patch_properties(json!({ "replica": replica }))
    }
}

impl Operation for PromoteReplica {
    fn spec(&self) -> &'static ActionSpec {
        &PROMOTE_REPLICA
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&server(with).get())?;
        let name = with.text("server");
        if is(now, "/properties/replica/replicationState", "Reconfiguring") {
            return Ok(Next::Wait(format!("`{name}` is being reconfigured")));
        }
        if is_primary(now) {
            return Ok(Next::done(json!({ "role": role(now) }), format!("`{name}` is `{}`", role(now))));
        }
        Ok(Next::send_once(Self::write(with), format!("promote `{name}`")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

struct HaFailover;

static HA_FAILOVER: ActionSpec = ActionSpec {
    name: "azure.postgres.ha_failover",
    summary: "fails a PostgreSQL server over to its standby in another zone",
    docs: "Restarts the server with a failover to its standby. Nothing in the server's state tells which of the two \
        serves, so that a lost answer leaves the step in doubt.",
    parameters: parameters![SERVER, MODE],
    outputs: Outputs::Fixed(&[must("state", string, "the state of its high availability, such as `healthy`")]),
    effect: |_| Effect::UnsafeToRepeat,
    code: &[],
    is_check: false,
    rule: None,
    takes: |_| Takes::published(90, 120, "Azure Database for PostgreSQL: high availability (60 to 120 s)"),
    loss: None,
    permissions: &["Microsoft.DBforPostgreSQL/flexibleServers/restart/action"],
};

impl HaFailover {
    fn write(with: &With<'_>) -> Request {
        let mode = format!("{}Failover", pascal(with.option("mode").unwrap_or("planned")));
        server(with).post("restart").body(json!({ "restartWithFailover": true, "failoverMode": mode }))
    }
}

impl Operation for HaFailover {
    fn spec(&self) -> &'static ActionSpec {
        &HA_FAILOVER
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&server(with).get())?;
        let (name, state) = (with.text("server"), text(now, "/properties/highAvailability/state"));
        let write = Self::write(with);
        if known.sent(&write).is_some() {
            return Ok(match state.eq_ignore_ascii_case("Healthy") || state.is_empty() {
                true => Next::done(json!({ "state": snake(state) }), format!("`{name}` has failed over")),
                false => Next::Wait(format!("the standby of `{name}` is `{}`", snake(state))),
            });
        }
        if is(now, "/properties/highAvailability/mode", "Disabled") {
            return Ok(Next::Fail(format!("`{name}` has no standby: its high availability is disabled")));
        }
        Ok(Next::send_once(write, format!("fail `{name}` over to its standby")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

static RESTORE: ActionSpec = ActionSpec {
    name: "azure.postgres.restore",
    summary: "restores a PostgreSQL server's backup into a new server",
    docs: "Makes a new server from the backup of another one, as it was at `point_in_time`; with `geo`, from the copy that the \
        paired region keeps, which wants the moment as well: the last backup copied before it is used. The source goes on as \
        it is.",
    rule: Some(|with| match with.contains_key("point_in_time") {
        true => Ok(()),
        false => {
            Err("restore to when? give `point_in_time`, with `geo` too, such as `{{ run.started_at }}`".to_owned())
        }
    }),
    permissions: &["Microsoft.DBforPostgreSQL/flexibleServers/write"],
    ..flexible_server::RESTORE
};

const RESTORES: Restore = Restore { spec: &RESTORE, servers: SERVERS, api: API, moment: "pointInTimeUTC" };
