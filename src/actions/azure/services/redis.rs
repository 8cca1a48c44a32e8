//! Azure Cache for Redis and Managed Redis: links between regions.
//!
//! Calls and words: `Microsoft.Cache/redis`, api-version 2024-11-01, and `redisEnterprise`, 2025-07-01. A linked secondary takes
//! writes once the link is gone: unlinking is the failover.

mod managed;

use std::sync::Arc;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{CHECK, HEALTHY, IDEMPOTENT, REASON, UNSAFE, may, must, parameters, string, words};
use crate::actions::azure::read::{is, pascal, snake, text};
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes};

const API: &str = "2024-11-01";
const CACHES: &str = "Microsoft.Cache/redis";

const CACHE: Field = must("cache", string, "the cache");
const LINKED: Field = must("linked", string, "the name of the linked cache");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    [operations![State, Unlink, Link, Reboot], managed::all()].concat()
}

fn cache(with: &With<'_>) -> Resource {
    with.resource(CACHES, "cache", API)
}

fn link(with: &With<'_>) -> Resource {
    cache(with).child("linkedServers", with.text("linked"))
}

struct State;

static STATE: ActionSpec = ActionSpec {
    name: "azure.redis.state",
    summary: "reads the state of a cache, and of a link of it",
    docs: "Healthy means: the cache is provisioned, and so is the link where `linked` is given.",
    parameters: parameters![CACHE, may("linked", string, "the name of the linked cache; none if absent")],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("role", string, "the linked cache's role: `primary` or `secondary`; empty without a link"),
    ]),
    ..CHECK
};

impl Operation for State {
    fn spec(&self) -> &'static ActionSpec {
        &STATE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let is_ready = |body: &Value| is(body, "/properties/provisioningState", "Succeeded");
        let own = is_ready(known.body(&cache(with).get())?);
        let linked = match with.option("linked") {
            Some(_) => known.find(&link(with).get())?,
            None => None,
        };
        let role = linked.map(|linked| snake(text(linked, "/properties/serverRole"))).unwrap_or_default();
        let healthy = own && (with.option("linked").is_none() || linked.is_some_and(is_ready));
        let reason = match (with.option("linked"), linked) {
            (Some(name), None) => format!("`{}` is not linked to `{name}`", with.text("cache")),
            (Some(name), Some(_)) => format!("`{name}` is linked as the {role}"),
            (None, _) => format!("`{}` is {}", with.text("cache"), if own { "ready" } else { "not ready" }),
        };
        Ok(Next::done(json!({ "healthy": healthy, "reason": reason, "role": role }), reason))
    }
}

struct Unlink;

static UNLINK: ActionSpec = ActionSpec {
    name: "azure.redis.unlink",
    summary: "takes the link between two caches apart, so that both take writes",
    docs: "The failover of a geo-replicated cache: asked for on the primary, it lets the secondary take writes. What was not replicated is \
        lost to the secondary. Link them anew to go back, which empties the new secondary.",
    parameters: parameters![must("cache", string, "the primary cache"), LINKED],
    outputs: Outputs::Fixed(&[]),
    takes: |_| Takes::guess(180, 900),
    permissions: &["Microsoft.Cache/redis/linkedServers/delete"],
    ..IDEMPOTENT
};

impl Operation for Unlink {
    fn spec(&self) -> &'static ActionSpec {
        &UNLINK
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (name, linked) = (with.text("cache"), with.text("linked"));
        Ok(match known.find(&link(with).get())? {
            None => Next::done(json!({}), format!("`{name}` and `{linked}` are not linked")),
            Some(now) if is(now, "/properties/provisioningState", "Deleting") => {
                Next::Wait(format!("the link to `{linked}` is being taken apart"))
            }
            Some(_) => Next::send(link(with).delete(), format!("unlink `{linked}` from `{name}`")),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![link(with).delete()]
    }
}

struct Link;

static LINK: ActionSpec = ActionSpec {
    name: "azure.redis.link",
    summary: "links two caches, so that one is a copy of the other",
    docs: "Links a cache as the secondary (or primary) of another one. What the secondary holds is thrown away.",
    parameters: parameters![
        CACHE,
        LINKED,
        must("linked_id", string, "the id of the linked cache"),
        must("location", string, "the region of the linked cache"),
        must("role", || words(["primary", "secondary"]), "the role of the linked cache"),
    ],
    outputs: Outputs::Fixed(&[must("role", string, "the role of the linked cache")]),
    takes: |_| Takes::guess(300, 1_800),
    permissions: &["Microsoft.Cache/redis/linkedServers/write"],
    ..IDEMPOTENT
};

impl Operation for Link {
    fn spec(&self) -> &'static ActionSpec {
        &LINK
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (name, linked, role) = (with.text("cache"), with.text("linked"), with.text("role"));
        let write = self.writes(with).remove(0);
        Ok(match known.find(&link(with).get())? {
            Some(now) if is(now, "/properties/provisioningState", "Succeeded") => {
                let found = snake(text(now, "/properties/serverRole"));
                match found == role {
                    true => Next::done(json!({ "role": found }), format!("`{linked}` is linked as the {role}")),
                    false => Next::Fail(format!("`{linked}` is linked as the {found}: unlink it first")),
                }
            }
            Some(now) if is(now, "/properties/provisioningState", "Failed") => match known.sent(&write) {
                Some(_) => Next::Fail(format!("the link to `{linked}` failed")),
                None => Next::send(write, format!("link `{linked}` to `{name}` again")),
            },
            Some(now) => {
                Next::Wait(format!("the link to `{linked}` is `{}`", snake(text(now, "/properties/provisioningState"))))
            }
            None => Next::send(write, format!("link `{linked}` to `{name}`")),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        let properties = json!({
            "linkedRedisCacheId": with.text("linked_id"),
            "linkedRedisCacheLocation": with.text("location"),
            "serverRole": pascal(with.text("role")),
        });
        vec![link(with).put(json!({ "properties": properties }))]
    }
}

struct Reboot;

static REBOOT: ActionSpec = ActionSpec {
    name: "azure.redis.reboot",
    summary: "reboots nodes of a cache",
    docs: "Reboots the primary node (its replica takes over), a secondary one, or all (everything that is not persisted is lost).",
    parameters: parameters![
        CACHE,
        may("nodes", || words(["primary_node", "secondary_node", "all_nodes"]), "`primary_node` if absent"),
    ],
    outputs: Outputs::Fixed(&[]),
    takes: |_| Takes::guess(30, 120),
    permissions: &["Microsoft.Cache/redis/forceReboot/action"],
    ..UNSAFE
};

impl Operation for Reboot {
    fn spec(&self) -> &'static ActionSpec {
        &REBOOT
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (write, name) = (self.writes(with).remove(0), with.text("cache"));
        Ok(match known.sent(&write) {
            Some(_) => Next::done(json!({}), format!("`{name}` was rebooted")),
            None => Next::send_once(write, format!("reboot `{name}`")),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        let nodes = pascal(with.option("nodes").unwrap_or("primary_node"));
        vec![cache(with).post("forceReboot").body(json!({ "rebootType": nodes }))]
    }
}
