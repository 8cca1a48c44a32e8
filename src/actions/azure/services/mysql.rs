//! Azure Database for MySQL, flexible server: roles, lag, promotion, failover to the standby, restore.
//!
//! Calls and words: `Microsoft.DBforMySQL/flexibleServers`, api-version 2023-12-30. A promotion cannot be undone: the replica has to be
//! rebuilt.

use std::sync::Arc;

use serde_json::{Value, json};

use super::flexible_server::{self, Restore};
use super::{metrics, operations};
use crate::actions::azure::fields::{CHECK, HEALTHY, OBSERVABLE, REASON, UNSAFE, may, must, parameters, string, words};
use crate::actions::azure::read::{is, snake, text};
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes, Type};

const API: &str = "2023-12-30";
const SERVERS: &str = "Microsoft.DBforMySQL/flexibleServers";

const SERVER: Field = must("server", string, "the server");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![Role, ReplicationLag, PromoteReplica, HaFailover, RESTORES]
}

fn server(with: &With<'_>) -> Resource {
    with.resource(SERVERS, "server", API)
}

/// `source`, `replica` or `none`; a server that never replicated has no role.
fn role(server: &Value) -> String {
    match text(server, "/properties/replicationRole") {
        "" => "none".to_owned(),
        role => snake(role),
    }
}

struct Role;

static ROLE: ActionSpec = ActionSpec {
    name: "azure.mysql.role",
    summary: "reads the replication role of a MySQL flexible server",
    docs: "Reads whether the server takes writes (it is a source, or stands alone) or is a replica. With `is`, healthy means: it has that \
        role and is ready.",
    parameters: parameters![
        SERVER,
        may("is", || words(["primary", "replica"]), "the role that counts as healthy; any if absent"),
    ],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("role", string, "`source`, `replica` or `none` (stands alone)"),
        must("source_server", string, "the id of the server it replicates; empty for a primary"),
    ]),
    ..CHECK
};

impl Operation for Role {
    fn spec(&self) -> &'static ActionSpec {
        &ROLE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let server = known.body(&server(with).get())?;
        let (role, state) = (role(server), snake(text(server, "/properties/state")));
        let is_replica = role == "replica";
        let wanted = match with.option("is") {
            Some("primary") => !is_replica,
            Some("replica") => is_replica,
            _ => true,
        };
        let reason = format!("`{}` is `{role}`, {state}", with.text("server"));
        let source = if is_replica { text(server, "/properties/sourceServerResourceId") } else { "" };
        let healthy = wanted && state == "ready";
        Ok(Next::done(json!({ "healthy": healthy, "reason": reason, "role": role, "source_server": source }), reason))
    }
}

struct ReplicationLag;

static REPLICATION_LAG: ActionSpec = ActionSpec {
    name: "azure.mysql.replication_lag",
    summary: "reads how far a MySQL replica is behind its source, in seconds",
    docs: "Reads the last value of the metric `replication_lag`. A missing metric is a failure, never a lag of zero: metrics of a region \
        that is down stop coming.",
    parameters: parameters![SERVER],
    outputs: Outputs::Fixed(&[
        must("seconds", || Type::Number, "how far it is behind"),
        must("measured_at", string, "when that was measured"),
    ]),
    loss: Some("seconds"),
    is_check: false,
    permissions: &["Microsoft.Insights/metrics/read"],
    ..CHECK
};

impl Operation for ReplicationLag {
    fn spec(&self) -> &'static ActionSpec {
        &REPLICATION_LAG
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        metrics::lag(known, &server(with), "replication_lag")
    }
}

struct PromoteReplica;

static PROMOTE_REPLICA: ActionSpec = ActionSpec {
    name: "azure.mysql.promote_replica",
    summary: "makes a MySQL replica a server of its own",
    docs: "Stops the replication to this server, which takes writes afterwards. What was not replicated is lost. It cannot be made a replica \
        again, only rebuilt.",
    parameters: parameters![must("server", string, "the replica")],
    outputs: Outputs::Fixed(&[must("role", string, "the server's role now")]),
    takes: |_| Takes::guess(240, 900),
    permissions: &["Microsoft.DBforMySQL/flexibleServers/write"],
    ..OBSERVABLE
};

impl Operation for PromoteReplica {
    fn spec(&self) -> &'static ActionSpec {
        &PROMOTE_REPLICA
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&server(with).get())?;
        let (name, role, state) = (with.text("server"), role(now), text(now, "/properties/state"));
        if state.eq_ignore_ascii_case("Updating") {
            return Ok(Next::Wait(format!("`{name}` is being changed")));
        }
        if role != "replica" {
            return Ok(Next::done(json!({ "role": role }), format!("`{name}` is `{role}`")));
        }
        Ok(Next::send_once(self.writes(with).remove(0), format!("promote `{name}`")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![server(with).patch_properties(json!({ "replicationRole": "None" }))]
    }
}

struct HaFailover;

static HA_FAILOVER: ActionSpec = ActionSpec {
    name: "azure.mysql.ha_failover",
    summary: "fails a MySQL server over to its standby in another zone",
    docs: "Fails the server over to its standby. Nothing in the server's state tells which of the two serves, so that a lost answer leaves the \
        step in doubt.",
    parameters: parameters![SERVER],
    outputs: Outputs::Fixed(&[must("state", string, "the state of its high availability, such as `healthy`")]),
    takes: |_| Takes::published(90, 120, "Azure Database for MySQL: high availability (60 to 120 s)"),
    permissions: &["Microsoft.DBforMySQL/flexibleServers/failover/action"],
    ..UNSAFE
};

impl Operation for HaFailover {
    fn spec(&self) -> &'static ActionSpec {
        &HA_FAILOVER
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&server(with).get())?;
        let (name, state) = (with.text("server"), snake(text(now, "/properties/highAvailability/state")));
        let write = server(with).post("failover");
        if known.sent(&write).is_some() {
            return Ok(match state.as_str() {
                "" | "healthy" => Next::done(json!({ "state": state }), format!("`{name}` has failed over")),
                _ => Next::Wait(format!("the standby of `{name}` is `{state}`")),
            });
        }
        if is(now, "/properties/highAvailability/mode", "Disabled") {
            return Ok(Next::Fail(format!("`{name}` has no standby: its high availability is disabled")));
        }
        Ok(Next::send_once(write, format!("fail `{name}` over to its standby")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![server(with).post("failover")]
    }
}

static RESTORE: ActionSpec = ActionSpec {
    name: "azure.mysql.restore",
    summary: "restores a MySQL server's backup into a new server",
    docs: "Makes a new server from the backup of another one: as it was at `point_in_time`, or, with `geo`, from the copy that the paired \
        region keeps. The source goes on as it is.",
    rule: Some(|with| match with.contains_key("point_in_time") || with.get("geo") == Some(&json!(true)) {
        true => Ok(()),
        false => Err("what to restore? give `point_in_time`, or `geo: true`".to_owned()),
    }),
    permissions: &["Microsoft.DBforMySQL/flexibleServers/write"],
    ..flexible_server::RESTORE
};

const RESTORES: Restore = Restore { spec: &RESTORE, servers: SERVERS, api: API, moment: "restorePointInTime" };
