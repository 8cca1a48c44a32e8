//! Managed Redis: databases that replicate each other across regions.

use std::sync::Arc;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{CHECK, HEALTHY, OBSERVABLE, REASON, must, parameters, string, strings};
use crate::actions::azure::read::{items, text};
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes};

const API: &str = "2025-07-01";

const CLUSTER: Field = must("cluster", string, "the Managed Redis cluster");
const LINKED: Field = must("linked", strings, "the ids of the databases it is linked with");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![State, ForceUnlink, ForceLink]
}

fn database(with: &With<'_>) -> Resource {
    with.resource("Microsoft.Cache/redisEnterprise", "cluster", API).child("databases", "default")
}

fn linked(now: &Value) -> Vec<(&str, &str)> {
    let all = items(now, "/properties/geoReplication/linkedDatabases").iter();
    all.map(|one| (text(one, "/id"), text(one, "/state"))).collect()
}

fn is_linked(now: &Value, id: &str) -> bool {
    linked(now).iter().any(|(known, _)| known.eq_ignore_ascii_case(id))
}

fn names(now: &Value) -> Vec<String> {
    linked(now).into_iter().map(|(id, _)| id.to_owned()).collect()
}

struct State;

static STATE: ActionSpec = ActionSpec {
    name: "azure.managed_redis.state",
    summary: "reads which databases a Managed Redis database replicates with",
    docs: "Healthy means: every link is up.",
    parameters: parameters![CLUSTER],
    outputs: Outputs::Fixed(&[HEALTHY, REASON, LINKED]),
    ..CHECK
};

impl Operation for State {
    fn spec(&self) -> &'static ActionSpec {
        &STATE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&database(with).get())?;
        let down = linked(now).into_iter().find(|(_, state)| !state.eq_ignore_ascii_case("Linked"));
        let reason = match down {
            Some((id, state)) => format!("the link to `{id}` is `{state}`"),
            None => format!("`{}` has {} links, all up", with.text("cluster"), linked(now).len()),
        };
        Ok(Next::done(json!({ "healthy": down.is_none(), "reason": reason, "linked": names(now) }), reason))
    }
}

struct ForceUnlink;

static FORCE_UNLINK: ActionSpec = ActionSpec {
    name: "azure.managed_redis.force_unlink",
    summary: "drops databases of a lost region out of a Managed Redis group",
    docs: "Lets the remaining databases go on without those of a region that is down. What the lost ones had not replicated is lost.",
    parameters: parameters![CLUSTER, must("ids", strings, "the ids of the databases to drop")],
    outputs: Outputs::Fixed(&[LINKED]),
    takes: |_| Takes::guess(180, 900),
    permissions: &["Microsoft.Cache/redisEnterprise/databases/forceUnlink/action"],
    ..OBSERVABLE
};

impl Operation for ForceUnlink {
    fn spec(&self) -> &'static ActionSpec {
        &FORCE_UNLINK
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&database(with).get())?;
        if !with.list("ids").iter().any(|id| is_linked(now, id)) {
            return Ok(Next::done(json!({ "linked": names(now) }), "none of them is linked"));
        }
        Ok(Next::send_once(self.writes(with).remove(0), format!("drop {} databases", with.list("ids").len())))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![database(with).post("forceUnlink").body(json!({ "ids": with.list("ids") }))]
    }
}

struct ForceLink;

static FORCE_LINK: ActionSpec = ActionSpec {
    name: "azure.managed_redis.force_link",
    summary: "puts a Managed Redis database into a group again",
    docs: "Links a database that was dropped with the group's databases again. What it holds is replaced by what they hold.",
    parameters: parameters![
        CLUSTER,
        must("group", string, "the nickname of the group"),
        must("ids", strings, "the ids of all databases of the group, its own included"),
    ],
    outputs: Outputs::Fixed(&[LINKED]),
    takes: |_| Takes::guess(300, 1_800),
    permissions: &["Microsoft.Cache/redisEnterprise/databases/forceLinkToReplicationGroup/action"],
    ..OBSERVABLE
};

impl Operation for ForceLink {
    fn spec(&self) -> &'static ActionSpec {
        &FORCE_LINK
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&database(with).get())?;
        if with.list("ids").iter().all(|id| is_linked(now, id)) {
            return Ok(Next::done(json!({ "linked": names(now) }), "all of them are linked"));
        }
        Ok(Next::send_once(self.writes(with).remove(0), format!("link {} databases", with.list("ids").len())))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        let linked: Vec<Value> = with.list("ids").iter().map(|id| json!({ "id": id })).collect();
        let group = json!({ "groupNickname": with.text("group"), "linkedDatabases": linked });
        vec![database(with).post("forceLinkToReplicationGroup").body(json!({ "geoReplication": group }))]
    }
}
