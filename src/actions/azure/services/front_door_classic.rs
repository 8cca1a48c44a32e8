//! Front Door, classic: the backends of a pool, and purging. Azure is retiring it.
//!
//! Calls and words: `Microsoft.Network/frontDoors`, api-version 2020-05-01. A front door is replaced as a whole.

use std::sync::Arc;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{
    CHECK, HEALTHY, IDEMPOTENT, REASON, boolean, int, may, must, parameters, string, strings, weight,
};
use crate::actions::azure::read::{enabled, int as number, is, snake, text};
use crate::actions::azure::with::share;
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes, Type};

const API: &str = "2020-05-01";

const FRONT_DOOR: Field = must("front_door", string, "the classic Front Door");
const POOL: Field = must("pool", string, "the backend pool");
const BACKEND: Field = must("backend", string, "the address of the backend");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![SetBackend, Backend, Purge]
}

fn front_door(with: &With<'_>) -> Resource {
    with.resource("Microsoft.Network/frontDoors", "front_door", API)
}

/// Where the backend stands in the answer.
fn place(now: &Value, with: &With<'_>) -> Result<(usize, usize), Next> {
    let pools =
        now.pointer("/properties/backendPools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let pool = pools.iter().position(|pool| is(pool, "/name", with.text("pool")));
    let missing = |what: &str| Next::Fail(format!("`{}` has no {what}", with.text("front_door")));
    let pool = pool.ok_or_else(|| missing(&format!("pool `{}`", with.text("pool"))))?;
    let backends = pools[pool].pointer("/properties/backends").and_then(Value::as_array);
    let found = backends.and_then(|all| all.iter().position(|backend| is(backend, "/address", with.text("backend"))));
    Ok((pool, found.ok_or_else(|| missing(&format!("backend `{}`", with.text("backend"))))?))
}

fn backend(now: &Value, (pool, backend): (usize, usize)) -> &Value {
    now.pointer(&format!("/properties/backendPools/{pool}/properties/backends/{backend}")).unwrap_or(&Value::Null)
}

fn state(backend: &Value) -> Value {
    json!({
        "enabled": is(backend, "/enabledState", "Enabled"),
        "priority": number(backend, "/priority").unwrap_or(1),
        "weight": number(backend, "/weight").unwrap_or(50),
    })
}

const STATE: [Field; 3] = [
    must("enabled", boolean, "whether the backend takes part"),
    must("priority", int, "its place in the order"),
    must("weight", int, "its share"),
];

struct SetBackend;

static SET_BACKEND: ActionSpec = ActionSpec {
    name: "azure.front_door_classic.set_backend",
    summary: "enables, disables or reorders a backend of a classic Front Door",
    docs: "Reads the whole front door, changes one backend and sends it back: two changes at the same time may overwrite each \
        other.",
    parameters: parameters![
        FRONT_DOOR,
        POOL,
        BACKEND,
        may("enabled", boolean, "whether the backend takes part"),
        may("priority", || Type::Between(1, 5), "its place in the order"),
        may("weight", weight, "its share"),
    ],
    outputs: Outputs::Fixed(&STATE),
    rule: Some(|with| match ["enabled", "priority", "weight"].iter().any(|name| with.contains_key(*name)) {
        true => Ok(()),
        false => Err("nothing to set: give `enabled`, `priority` or `weight`".to_owned()),
    }),
    takes: |_| Takes::guess(300, 900),
    permissions: &["Microsoft.Network/frontDoors/write"],
    ..IDEMPOTENT
};

impl SetBackend {
    fn change(with: &With<'_>, backend: &mut Value) {
        with.flag("enabled").into_iter().for_each(|yes| backend["enabledState"] = json!(enabled(yes)));
        with.int("priority").into_iter().for_each(|priority| backend["priority"] = json!(priority));
        with.int("weight").into_iter().for_each(|weight| backend["weight"] = json!(weight));
    }
}

impl Operation for SetBackend {
    fn spec(&self) -> &'static ActionSpec {
        &SET_BACKEND
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&front_door(with).get())?;
        let at = place(now, with)?;
        if is(now, "/properties/resourceState", "Enabling") || is(now, "/properties/provisioningState", "Updating") {
            return Ok(Next::Wait(format!("`{}` is being changed", with.text("front_door"))));
        }
        let mut wanted = now.clone();
        let pointer = format!("/properties/backendPools/{}/properties/backends/{}", at.0, at.1);
        wanted.pointer_mut(&pointer).into_iter().for_each(|backend| Self::change(with, backend));
        let name = with.text("backend");
        if wanted == *now {
            return Ok(Next::done(state(backend(now, at)), format!("`{name}` is as wanted")));
        }
        Ok(Next::send(front_door(with).put(wanted), format!("set the backend `{name}`: {}", share(with))))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        let mut backend = json!({ "..": "as it was", "address": with.text("backend") });
        Self::change(with, &mut backend);
        let pool = json!({ "name": with.text("pool"), "properties": { "backends": ["..the others", backend] } });
        vec![
            front_door(with)
                .put(json!({ "..": "as it was", "properties": { "backendPools": ["..the others", pool] } })),
        ]
    }
}

struct Backend;

static BACKEND_SPEC: ActionSpec = ActionSpec {
    name: "azure.front_door_classic.backend",
    summary: "reads a backend of a classic Front Door",
    docs: "Reads one backend. Healthy means: it takes part (or, with `is_enabled: false`, does not).",
    parameters: parameters![
        FRONT_DOOR,
        POOL,
        BACKEND,
        may("is_enabled", boolean, "whether it should take part; `true` if absent"),
    ],
    outputs: Outputs::Fixed(&[HEALTHY, REASON, STATE[0], STATE[1], STATE[2]]),
    ..CHECK
};

impl Operation for Backend {
    fn spec(&self) -> &'static ActionSpec {
        &BACKEND_SPEC
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&front_door(with).get())?;
        let mut outputs = state(backend(now, place(now, with)?));
        let takes_part = outputs["enabled"] == true;
        let resource = snake(text(now, "/properties/resourceState"));
        let part = if takes_part { "takes part" } else { "does not take part" };
        let reason = format!("`{}` {part}; the front door is `{resource}`", with.text("backend"));
        outputs["healthy"] = json!(takes_part == with.flag("is_enabled").unwrap_or(true));
        outputs["reason"] = json!(reason);
        Ok(Next::done(outputs, reason))
    }
}

struct Purge;

static PURGE: ActionSpec = ActionSpec {
    name: "azure.front_door_classic.purge",
    summary: "throws away what a classic Front Door has cached",
    docs: "Purges paths from the cache. Purging twice does no harm.",
    parameters: parameters![FRONT_DOOR, must("paths", strings, "the paths, such as `/*`")],
    outputs: Outputs::Fixed(&[]),
    takes: |_| Takes::guess(300, 900),
    permissions: &["Microsoft.Network/frontDoors/purge/action"],
    ..IDEMPOTENT
};

impl Purge {
    fn write(with: &With<'_>) -> Request {
        front_door(with).post("purge").body(json!({ "contentPaths": with.list("paths") }))
    }
}

impl Operation for Purge {
    fn spec(&self) -> &'static ActionSpec {
        &PURGE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (write, name) = (Self::write(with), with.text("front_door"));
        Ok(match known.sent(&write) {
            Some(_) => Next::done(json!({}), format!("the cache of `{name}` was purged")),
            None => Next::send(write, format!("purge the cache of `{name}`")),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}
