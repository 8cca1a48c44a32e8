//! App Service and Functions: apps, their settings and slots, and the plans they run on.
//!
//! Calls and words: `Microsoft.Web/sites` and `serverFarms`, api-version 2024-11-01. Application settings are replaced
//! as a whole, so that a change reads them all first; their values are never shown.

mod plan;
mod settings;

use std::sync::Arc;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{CHECK, HEALTHY, IDEMPOTENT, REASON, UNSAFE, may, must, parameters, string, words};
use crate::actions::azure::read::{snake, text};
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes};

const API: &str = "2024-11-01";

const APP: Field = must("app", string, "the app");
const SLOT: Field = may("slot", string, "the slot; the production slot if absent");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    let own = operations![Switch::Start, Switch::Stop, Restart, State, Swap];
    [own, settings::all(), plan::all()].concat()
}

fn app(with: &With<'_>) -> Resource {
    let app = with.resource("Microsoft.Web/sites", "app", API);
    match with.option("slot").filter(|slot| *slot != "production") {
        Some(slot) => app.child("slots", slot),
        None => app,
    }
}

enum Switch {
    Start,
    Stop,
}

const SWITCH: ActionSpec = ActionSpec {
    parameters: parameters![APP, SLOT],
    outputs: Outputs::Fixed(&[must("state", string, "`running` or `stopped`")]),
    takes: |_| Takes::guess(10, 60),
    ..IDEMPOTENT
};
static START: ActionSpec = ActionSpec {
    name: "azure.app_service.start",
    summary: "starts a web or function app",
    docs: "Starts an app that is stopped. Started does not mean ready: probe it.",
    permissions: &["Microsoft.Web/sites/start/Action", "Microsoft.Web/sites/slots/start/Action"],
    ..SWITCH
};
static STOP: ActionSpec = ActionSpec {
    name: "azure.app_service.stop",
    summary: "stops a web or function app",
    docs: "Stops an app: it answers nothing any more, and its triggers rest.",
    permissions: &["Microsoft.Web/sites/stop/Action", "Microsoft.Web/sites/slots/stop/Action"],
    ..SWITCH
};

impl Operation for Switch {
    fn spec(&self) -> &'static ActionSpec {
        match self {
            Self::Start => &START,
            Self::Stop => &STOP,
        }
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let state = snake(text(known.body(&app(with).get())?, "/properties/state"));
        let (wanted, verb) = match self {
            Self::Start => ("running", "start"),
            Self::Stop => ("stopped", "stop"),
        };
        let name = with.text("app");
        if state == wanted {
            return Ok(Next::done(json!({ "state": state }), format!("`{name}` is `{state}`")));
        }
        Ok(Next::send(app(with).post(verb), format!("{verb} `{name}`")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![match self {
            Self::Start => app(with).post("start"),
            Self::Stop => app(with).post("stop"),
        }]
    }
}

struct Restart;

static RESTART: ActionSpec = ActionSpec {
    name: "azure.app_service.restart",
    summary: "restarts a web or function app",
    docs: "Restarts an app at once. Nothing in its state tells that it was restarted.",
    parameters: parameters![APP, SLOT],
    outputs: Outputs::Fixed(&[must("state", string, "`running` or `stopped`")]),
    takes: |_| Takes::guess(30, 120),
    permissions: &["Microsoft.Web/sites/restart/Action", "Microsoft.Web/sites/slots/restart/Action"],
    ..UNSAFE
};

impl Operation for Restart {
    fn spec(&self) -> &'static ActionSpec {
        &RESTART
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (write, name) = (app(with).post("restart"), with.text("app"));
        let state = snake(text(known.body(&app(with).get())?, "/properties/state"));
        Ok(match known.sent(&write) {
            Some(_) => Next::done(json!({ "state": state }), format!("`{name}` was restarted")),
            None => Next::send_once(write, format!("restart `{name}`")),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![app(with).post("restart")]
    }
}

struct State;

static STATE: ActionSpec = ActionSpec {
    name: "azure.app_service.state",
    summary: "reads whether a web or function app runs",
    docs: "Reads the state Azure gives the app. Running does not mean that it answers: probe it.",
    parameters: parameters![
        APP,
        SLOT,
        may("is", || words(["running", "stopped"]), "the state that counts as healthy; `running` if absent"),
    ],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("state", string, "`running` or `stopped`"),
        must("availability", string, "`normal`, `limited` or `disaster_recovery_mode`"),
    ]),
    ..CHECK
};

impl Operation for State {
    fn spec(&self) -> &'static ActionSpec {
        &STATE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&app(with).get())?;
        let state = snake(text(now, "/properties/state"));
        let availability = snake(text(now, "/properties/availabilityState"));
        let wanted = with.option("is").unwrap_or("running");
        let limited = wanted == "running" && availability == "limited";
        let reason = format!("`{}` is `{state}`, availability `{availability}`", with.text("app"));
        let outputs = json!({ "healthy": state == wanted && !limited, "reason": reason, "state": state, "availability": availability });
        Ok(Next::done(outputs, reason))
    }
}

struct Swap;

static SWAP: ActionSpec = ActionSpec {
    name: "azure.app_service.swap",
    summary: "swaps two slots of an app",
    docs: "Swaps a slot with another one. Swapping twice undoes it, and nothing in the state tells how often it was done: a \
        lost answer leaves the step in doubt.",
    parameters: parameters![
        APP,
        must("slot", string, "the slot that is swapped in"),
        may("target", string, "the slot it takes the place of; `production` if absent"),
    ],
    outputs: Outputs::Fixed(&[]),
    takes: |_| Takes::guess(90, 300),
    permissions: &["Microsoft.Web/sites/slotsswap/Action", "Microsoft.Web/sites/slots/slotsswap/Action"],
    ..UNSAFE
};

impl Swap {
    fn write(with: &With<'_>) -> Request {
        let body = json!({ "targetSlot": with.option("target").unwrap_or("production"), "preserveVnet": true });
        app(with).post("slotsswap").body(body)
    }
}

impl Operation for Swap {
    fn spec(&self) -> &'static ActionSpec {
        &SWAP
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let what = format!("swap the slot `{}` of `{}` in", with.text("slot"), with.text("app"));
        Ok(match known.sent(&Self::write(with)) {
            Some(_) => Next::done(json!({}), "the slots were swapped"),
            None => Next::send_once(Self::write(with), what),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

/// The settings of an app as Azure lists them: name -> value.
fn settings_of(answer: &Value) -> impl Iterator<Item = (&String, &str)> {
    let entries = answer.get("properties").and_then(Value::as_object).into_iter().flatten();
    entries.map(|(name, value)| (name, value.as_str().unwrap_or_default()))
}
