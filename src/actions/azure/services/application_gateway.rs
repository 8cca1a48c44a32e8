//! Application Gateway and its web application firewall.
//!
//! Calls and words: `Microsoft.Network/applicationGateways` and `applicationGatewayWebApplicationFirewallPolicies`,
//! api-version 2025-01-01. A policy is replaced as a whole (a PATCH changes tags only).

use std::sync::Arc;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{
    CHECK, HEALTHY, IDEMPOTENT, REASON, any, boolean, int, may, must, natural, parameters, string, strings, words,
};
use crate::actions::azure::read::{enabled, is, items, pascal, snake, text};
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes, Type};

const API: &str = "2025-01-01";
const POLICIES: &str = "Microsoft.Network/applicationGatewayWebApplicationFirewallPolicies";

const GATEWAY: Field = must("gateway", string, "the Application Gateway");
const POLICY: Field = must("policy", string, "the firewall policy");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![BackendHealth, Power::Start, Power::Stop, PolicyState, SetPolicy, ComparePolicies]
}

fn gateway(with: &With<'_>) -> Resource {
    with.resource("Microsoft.Network/applicationGateways", "gateway", API)
}

fn policy(with: &With<'_>) -> Resource {
    with.resource(POLICIES, "policy", API)
}

struct BackendHealth;

static BACKEND_HEALTH: ActionSpec = ActionSpec {
    name: "azure.application_gateway.backend_health",
    summary: "asks an Application Gateway how its backends are",
    docs: "Lets the gateway probe its backends and tell the result. Healthy means: every server is up, or at least as many as \
        `at_least` says.",
    parameters: parameters![
        GATEWAY,
        may("at_least", natural, "how many servers that are up count as healthy; all if absent")
    ],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("up", int, "how many servers are up"),
        must("down", int, "how many are not"),
        must("servers", || Type::List(Box::new(any())), "each server's `address` and `health`"),
    ]),
    takes: |_| Takes::guess(20, 60),
    permissions: &["Microsoft.Network/applicationGateways/backendhealth/action"],
    ..CHECK
};

impl Operation for BackendHealth {
    fn spec(&self) -> &'static ActionSpec {
        &BACKEND_HEALTH
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let answer = known.body(&gateway(with).post("backendhealth"))?;
        let pools = items(answer, "/backendAddressPools").iter();
        let settings = pools.flat_map(|pool| items(pool, "/backendHttpSettingsCollection"));
        let server =
            |server: &Value| json!({ "address": text(server, "/address"), "health": snake(text(server, "/health")) });
        let servers: Vec<Value> = settings.flat_map(|settings| items(settings, "/servers")).map(server).collect();
        let up = servers.iter().filter(|server| server["health"] == "up").count();
        let wanted = with.int("at_least").map_or(servers.len(), |least| usize::try_from(least).unwrap_or(0));
        let reason = format!("{up} of {} servers behind `{}` are up", servers.len(), with.text("gateway"));
        let outputs = json!({
            "healthy": up >= wanted && !servers.is_empty(),
            "reason": reason,
            "up": up,
            "down": servers.len() - up,
            "servers": servers,
        });
        Ok(Next::done(outputs, reason))
    }
}

enum Power {
    Start,
    Stop,
}

const POWER: ActionSpec = ActionSpec {
    parameters: parameters![GATEWAY],
    outputs: Outputs::Fixed(&[must("state", string, "`running` or `stopped`")]),
    takes: |_| Takes::guess(240, 600),
    ..IDEMPOTENT
};
static START: ActionSpec = ActionSpec {
    name: "azure.application_gateway.start",
    summary: "starts an Application Gateway",
    docs: "Starts a gateway that was stopped. Takes minutes.",
    permissions: &["Microsoft.Network/applicationGateways/start/action"],
    ..POWER
};
static STOP: ActionSpec = ActionSpec {
    name: "azure.application_gateway.stop",
    summary: "stops an Application Gateway",
    docs: "Stops a gateway: it answers nothing any more, and costs nothing.",
    permissions: &["Microsoft.Network/applicationGateways/stop/action"],
    ..POWER
};

impl Operation for Power {
    fn spec(&self) -> &'static ActionSpec {
        match self {
            Self::Start => &START,
            Self::Stop => &STOP,
        }
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&gateway(with).get())?;
        let (state, name) = (snake(text(now, "/properties/operationalState")), with.text("gateway"));
        let (wanted, verb) = match self {
            Self::Start => ("running", "start"),
            Self::Stop => ("stopped", "stop"),
        };
        if is(now, "/properties/provisioningState", "Updating") || matches!(state.as_str(), "starting" | "stopping") {
            return Ok(Next::Wait(format!("`{name}` is `{state}`")));
        }
        if state == wanted {
            return Ok(Next::done(json!({ "state": state }), format!("`{name}` is `{state}`")));
        }
        Ok(Next::send(gateway(with).post(verb), format!("{verb} `{name}`")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![gateway(with).post(match self {
            Self::Start => "start",
            Self::Stop => "stop",
        })]
    }
}

/// Whether a policy is on, and its mode.
fn policy_state(now: &Value) -> (bool, String) {
    let settings = "/properties/policySettings";
    (is(now, &format!("{settings}/state"), "Enabled"), snake(text(now, &format!("{settings}/mode"))))
}

const MODES: [&str; 2] = ["detection", "prevention"];

struct PolicyState;

static POLICY_STATE: ActionSpec = ActionSpec {
    name: "azure.waf_policy.state",
    summary: "reads whether a firewall policy is on, and its mode",
    docs: "Reads a policy of the web application firewall.",
    parameters: parameters![
        POLICY,
        may("is_enabled", boolean, "whether it should be on; any if absent"),
        may("mode", || words(MODES), "the mode that counts as healthy; any if absent"),
    ],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("enabled", boolean, "whether it is on"),
        must("mode", string, "`detection` or `prevention`"),
    ]),
    ..CHECK
};

impl Operation for PolicyState {
    fn spec(&self) -> &'static ActionSpec {
        &POLICY_STATE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (on, mode) = policy_state(known.body(&policy(with).get())?);
        let wanted = with.flag("is_enabled").is_none_or(|wanted| wanted == on);
        let healthy = wanted && with.option("mode").is_none_or(|wanted| wanted == mode);
        let reason = format!("`{}` is {}, mode `{mode}`", with.text("policy"), if on { "on" } else { "off" });
        Ok(Next::done(json!({ "healthy": healthy, "reason": reason, "enabled": on, "mode": mode }), reason))
    }
}

struct SetPolicy;

static SET_POLICY: ActionSpec = ActionSpec {
    name: "azure.waf_policy.set",
    summary: "switches a firewall policy on or off, or sets its mode",
    docs: "Changes the state or the mode of a policy; its rules stay as they are.",
    parameters: parameters![
        POLICY,
        may("enabled", boolean, "whether it is on"),
        may("mode", || words(MODES), "`detection` only tells, `prevention` blocks"),
    ],
    outputs: Outputs::Fixed(&[
        must("enabled", boolean, "whether it is on"),
        must("mode", string, "`detection` or `prevention`"),
    ]),
    rule: Some(|with| match with.contains_key("enabled") || with.contains_key("mode") {
        true => Ok(()),
        false => Err("nothing to set: give `enabled` or `mode`".to_owned()),
    }),
    takes: |_| Takes::guess(30, 300),
    permissions: &["Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/write"],
    ..IDEMPOTENT
};

impl SetPolicy {
    fn change(with: &With<'_>, body: &mut Value) {
        let settings = &mut body["properties"]["policySettings"];
        if let Some(on) = with.flag("enabled") {
            settings["state"] = json!(enabled(on));
        }
        if let Some(mode) = with.option("mode") {
            settings["mode"] = json!(pascal(mode));
        }
    }
}

impl Operation for SetPolicy {
    fn spec(&self) -> &'static ActionSpec {
        &SET_POLICY
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&policy(with).get())?;
        let (on, mode) = policy_state(now);
        let mut wanted = now.clone();
        Self::change(with, &mut wanted);
        if policy_state(&wanted) == (on, mode.clone()) {
            return Ok(Next::done(
                json!({ "enabled": on, "mode": mode }),
                format!("`{}` is as wanted", with.text("policy")),
            ));
        }
        Ok(Next::send(policy(with).put(wanted), format!("change the policy `{}`", with.text("policy"))))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        let mut body = json!({ "..": "as it was", "properties": { "policySettings": {} } });
        Self::change(with, &mut body);
        vec![policy(with).put(body)]
    }
}

struct ComparePolicies;

static COMPARE: ActionSpec = ActionSpec {
    name: "azure.waf_policy.compare",
    summary: "compares two firewall policies",
    docs: "Healthy means: both policies have the same settings, the same own rules and the same managed rules, so that traffic is \
        as safe in the other region.",
    parameters: parameters![
        POLICY,
        must("other", string, "the other policy, by name or id"),
        may("other_resource_group", string, "its resource group; the step's own if absent"),
    ],
    outputs: Outputs::Fixed(&[HEALTHY, REASON, must("differences", strings, "the parts that differ")]),
    ..CHECK
};

impl Operation for ComparePolicies {
    fn spec(&self) -> &'static ActionSpec {
        &COMPARE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let group = with.option("other_resource_group").unwrap_or(with.text("resource_group"));
        let other = with.resource_in(group, POLICIES, with.text("other"), API);
        let (one, other) = (policy(with).get(), other.get());
        known.all(&[one.clone(), other.clone()])?;
        let (one, other) = (known.body(&one)?, known.body(&other)?);
        let parts = ["policySettings", "customRules", "managedRules"];
        let differs = |part: &&str| {
            let pointer = format!("/properties/{part}");
            one.pointer(&pointer) != other.pointer(&pointer)
        };
        let differences: Vec<&str> = parts.into_iter().filter(differs).collect();
        let reason = match differences.as_slice() {
            [] => "the policies are the same".to_owned(),
            differences => format!("the policies differ in {}", differences.join(", ")),
        };
        Ok(Next::done(
            json!({ "healthy": differences.is_empty(), "reason": reason, "differences": differences }),
            reason,
        ))
    }
}
