//! Azure SQL: failover groups, replication, restores.
//!
//! Calls and words: `Microsoft.Sql`, api-version 2023-08-01. A failover is asked for on the server that is to become the
//! primary; asked for on the primary it is refused. Group members tell their own role, on either server.

mod restore;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{
    CHECK, HEALTHY, IDEMPOTENT, OBSERVABLE, REASON, duration, may, must, parameters, string, words,
};
use crate::actions::azure::read::{int, items, pascal, snake, text};
use crate::actions::azure::{Known, Method, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, HumanDuration, Outputs, Takes};

const API: &str = "2023-08-01";
const FAILOVER: &str = "Azure SQL Database: auto-failover groups (about 30 s)";

const SERVER: Field = must("server", string, "the server");
const GROUP: Field = must("group", string, "the failover group");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    let own = operations![FailoverGroup, GroupState, SetPolicy, InstanceFailoverGroup, ReplicationState];
    [own, restore::all()].concat()
}

fn server(with: &With<'_>) -> Resource {
    with.resource("Microsoft.Sql/servers", "server", API)
}

fn group(with: &With<'_>) -> Resource {
    server(with).child("failoverGroups", with.text("group"))
}

fn role(group: &Value) -> String {
    snake(text(group, "/properties/replicationRole"))
}

fn partner(group: &Value) -> &str {
    items(group, "/properties/partnerServers").first().map(|server| text(server, "/id")).unwrap_or_default()
}

struct FailoverGroup;

static FAILOVER_GROUP: ActionSpec = ActionSpec {
    name: "azure.sql.failover_group",
    summary: "makes a server the primary of an Azure SQL failover group",
    docs: "Asked for on the server that is to become the primary. `planned` synchronises first, loses nothing, and is rolled back \
        where it cannot be done; `forced` goes at once and loses what was not replicated; `try_planned_first` tries the one, then the \
        other. The old primary becomes the secondary as soon as it is there again.",
    parameters: parameters![
        must("server", string, "the server that is to become the primary"),
        GROUP,
        may("mode", || words(["planned", "forced", "try_planned_first"]), "`planned` if absent"),
    ],
    outputs: Outputs::Fixed(&[
        must("role", string, "the server's role now"),
        must("partner", string, "the id of the other server"),
    ]),
    takes: |with| match with.get("mode").and_then(Value::as_str) {
        Some("try_planned_first") => Takes::guess(60, 600),
        _ => Takes::published(30, 120, FAILOVER),
    },
    permissions: &[
        "Microsoft.Sql/servers/failoverGroups/failover/action",
        "Microsoft.Sql/servers/failoverGroups/forceFailoverAllowDataLoss/action",
        "Microsoft.Sql/servers/failoverGroups/tryPlannedBeforeForcedFailover/action",
    ],
    ..OBSERVABLE
};

impl FailoverGroup {
    fn write(with: &With<'_>) -> Request {
        group(with).post(match with.option("mode") {
            Some("forced") => "forceFailoverAllowDataLoss",
            Some("try_planned_first") => "tryPlannedBeforeForcedFailover",
            _ => "failover",
        })
    }
}

impl Operation for FailoverGroup {
    fn spec(&self) -> &'static ActionSpec {
        &FAILOVER_GROUP
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&group(with).get())?;
        let name = with.text("server");
        if role(now) == "primary" {
            let outputs = json!({ "role": "primary", "partner": partner(now) });
            return Ok(Next::done(outputs, format!("`{name}` is the primary of `{}`", with.text("group"))));
        }
        let what = format!("make `{name}` the primary of `{}`", with.text("group"));
        Ok(Next::send_once(Self::write(with), what))
    }

    fn holds_by_refusal(&self) -> &'static [&'static str] {
        &["FailoverGroupFailoverRequestOnPrimary"]
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

struct GroupState;

static GROUP_STATE: ActionSpec = ActionSpec {
    name: "azure.sql.failover_group_state",
    summary: "reads the role of a server in an Azure SQL failover group",
    docs: "Reads what the group says on this server. With `is`, healthy means: it has that role.",
    parameters: parameters![
        SERVER,
        GROUP,
        may("is", || words(["primary", "secondary"]), "the role that counts as healthy; any if absent"),
    ],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("role", string, "`primary` or `secondary`"),
        must("partner", string, "the id of the other server"),
        must("replication_state", string, "`catch_up`, `seeding`, `pending`, `suspended`; empty where it is not told"),
    ]),
    ..CHECK
};

impl Operation for GroupState {
    fn spec(&self) -> &'static ActionSpec {
        &GROUP_STATE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&group(with).get())?;
        let (role, state) = (role(now), text(now, "/properties/replicationState").to_ascii_lowercase());
        let reason = format!("`{}` is the {role} of `{}`", with.text("server"), with.text("group"));
        let outputs = json!({
            "healthy": with.option("is").is_none_or(|wanted| wanted == role),
            "reason": reason,
            "role": role,
            "partner": partner(now),
            "replication_state": state,
        });
        Ok(Next::done(outputs, reason))
    }
}

struct SetPolicy;

static SET_POLICY: ActionSpec = ActionSpec {
    name: "azure.sql.set_failover_policy",
    summary: "says whether an Azure SQL failover group fails over by itself",
    docs: "With `automatic`, Azure fails over by itself, losing data, after the grace period of an outage. With `manual`, a person \
        or a runbook decides. Asked for on the primary.",
    parameters: parameters![
        must("server", string, "the primary server"),
        GROUP,
        must("policy", || words(["manual", "automatic"]), "who decides"),
        may("grace", duration, "for `automatic`: how long an outage may last, at least `1h`"),
    ],
    outputs: Outputs::Fixed(&[must("policy", string, "`manual` or `automatic`")]),
    rule: Some(|with| match With::new(with).duration("grace") {
        Some(grace) if with.get("policy") == Some(&json!("manual")) => {
            Err(format!("`grace` goes with `policy: automatic`, found `{}` with `manual`", HumanDuration(grace)))
        }
        Some(grace) if grace < Duration::from_hours(1) || !grace.as_secs().is_multiple_of(60) => {
            Err(format!("wanted a `grace` of whole minutes, at least `1h`, found `{}`", HumanDuration(grace)))
        }
        _ => Ok(()),
    }),
    takes: |_| Takes::guess(20, 120),
    permissions: &["Microsoft.Sql/servers/failoverGroups/write"],
    ..IDEMPOTENT
};

impl SetPolicy {
    fn wanted(with: &With<'_>) -> Value {
        let mut endpoint = json!({ "failoverPolicy": pascal(with.text("policy")) });
        if let Some(grace) = with.duration("grace") {
            endpoint["failoverWithDataLossGracePeriodMinutes"] = json!(grace.as_secs() / 60);
        }
        endpoint
    }

    fn write(with: &With<'_>) -> Request {
        group(with).patch_properties(json!({ "readWriteEndpoint": Self::wanted(with) }))
    }
}

impl Operation for SetPolicy {
    fn spec(&self) -> &'static ActionSpec {
        &SET_POLICY
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&group(with).get())?;
        let (policy, wanted) = (with.text("policy"), Self::wanted(with));
        let at = "/properties/readWriteEndpoint";
        let minutes = "failoverWithDataLossGracePeriodMinutes";
        let grace = wanted.get(minutes).and_then(Value::as_i64);
        let same_grace = grace.is_none_or(|grace| int(now, &format!("{at}/{minutes}")) == Some(grace));
        if same_grace && snake(text(now, &format!("{at}/failoverPolicy"))) == policy {
            return Ok(Next::done(json!({ "policy": policy }), format!("`{}` is `{policy}`", with.text("group"))));
        }
        if role(now) == "secondary" {
            return Ok(Next::Fail(format!("`{}` is the secondary: ask on the primary", with.text("server"))));
        }
        Ok(Next::send(Self::write(with), format!("make `{}` `{policy}`", with.text("group"))))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

struct InstanceFailoverGroup;

static INSTANCE_FAILOVER_GROUP: ActionSpec = ActionSpec {
    name: "azure.sql.instance_failover_group",
    summary: "makes a region the primary of a failover group of managed instances",
    docs: "Asked for in the region that is to become the primary. `planned` loses nothing; `forced` loses what was not replicated.",
    parameters: parameters![
        must("location", string, "the region that is to become the primary"),
        GROUP,
        may("mode", || words(["planned", "forced"]), "`planned` if absent"),
    ],
    outputs: Outputs::Fixed(&[must("role", string, "the region's role now")]),
    takes: |_| Takes::guess(60, 300),
    permissions: &[
        "Microsoft.Sql/locations/instanceFailoverGroups/failover/action",
        "Microsoft.Sql/locations/instanceFailoverGroups/forceFailoverAllowDataLoss/action",
    ],
    ..OBSERVABLE
};

impl InstanceFailoverGroup {
    fn group(with: &With<'_>) -> Resource {
        let location = crate::actions::azure::with::region(with.text("location"));
        let id = format!("{}/providers/Microsoft.Sql", with.group(with.text("resource_group")).id);
        Resource { id, api: API }.child("locations", &location).child("instanceFailoverGroups", with.text("group"))
    }

    fn write(with: &With<'_>) -> Request {
        let forced = with.option("mode") == Some("forced");
        Self::group(with).post(if forced { "forceFailoverAllowDataLoss" } else { "failover" })
    }
}

impl Operation for InstanceFailoverGroup {
    fn spec(&self) -> &'static ActionSpec {
        &INSTANCE_FAILOVER_GROUP
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&Self::group(with).get())?;
        let (location, name) = (with.text("location"), with.text("group"));
        if role(now) == "primary" {
            return Ok(Next::done(json!({ "role": "primary" }), format!("`{location}` is the primary of `{name}`")));
        }
        Ok(Next::send_once(Self::write(with), format!("make `{location}` the primary of `{name}`")))
    }

    fn holds_by_refusal(&self) -> &'static [&'static str] {
        &["InstanceFailoverGroupFailoverRequestOnPrimary"]
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

struct ReplicationState;

static REPLICATION_STATE: ActionSpec = ActionSpec {
    name: "azure.sql.replication_state",
    summary: "reads how the replication of an Azure SQL database is",
    docs: "Reads the replication links of a database. Healthy means: there is one, and all are caught up. How many seconds it is \
        behind only the database itself can tell.",
    parameters: parameters![SERVER, must("database", string, "the database")],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("role", string, "`primary` or `secondary`; empty without a link"),
        must("replication_state", string, "`catch_up`, `seeding`, `pending`, `suspended`; empty without a link"),
        must("partner", string, "the other server; empty without a link"),
    ]),
    ..CHECK
};

impl Operation for ReplicationState {
    fn spec(&self) -> &'static ActionSpec {
        &REPLICATION_STATE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let database = server(with).child("databases", with.text("database"));
        let answer = known.body(&database.request(Method::Get, "replicationLinks", ""))?;
        let links = items(answer, "/value");
        let state = |link: &Value| text(link, "/properties/replicationState").to_ascii_lowercase();
        let worst = links.iter().find(|link| state(link) != "catch_up").or(links.first());
        let found = worst.map(state).unwrap_or_default();
        let of = |pointer: &str| worst.map(|link| text(link, pointer)).unwrap_or_default();
        let name = with.text("database");
        let reason =
            if found.is_empty() { format!("`{name}` is not replicated") } else { format!("`{name}` is in `{found}`") };
        let outputs = json!({
            "healthy": found == "catch_up",
            "reason": reason,
            "role": of("/properties/role").to_ascii_lowercase(),
            "replication_state": found,
            "partner": of("/properties/partnerServer"),
        });
        Ok(Next::done(outputs, reason))
    }
}
