//! Azure Kubernetes Service: power, node pools, commands in a cluster.
//!
//! Calls and words: `Microsoft.ContainerService/managedClusters`, api-version 2025-10-01.

use std::sync::Arc;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{
    CHECK, HEALTHY, IDEMPOTENT, REASON, UNSAFE, int, may, must, parameters, string, words,
};
use crate::actions::azure::read::{int as number, snake, text};
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes, Type};

const API: &str = "2025-10-01";

const CLUSTER: Field = must("cluster", string, "the cluster");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![Power::Start, Power::Stop, State, ScalePool, RunCommand]
}

fn cluster(with: &With<'_>) -> Resource {
    with.resource("Microsoft.ContainerService/managedClusters", "cluster", API)
}

/// Whether something is being done to it.
fn is_busy(now: &Value) -> bool {
    let state = text(now, "/properties/provisioningState");
    !state.is_empty() && !["Succeeded", "Failed", "Canceled"].iter().any(|end| state.eq_ignore_ascii_case(end))
}

enum Power {
    Start,
    Stop,
}

const POWER: ActionSpec = ActionSpec {
    parameters: parameters![CLUSTER],
    outputs: Outputs::Fixed(&[must("state", string, "`running` or `stopped`")]),
    takes: |_| Takes::guess(300, 900),
    ..IDEMPOTENT
};
static START: ActionSpec = ActionSpec {
    name: "azure.aks.start",
    summary: "starts a cluster",
    docs: "Starts a cluster that was stopped: its control plane and its nodes. Running does not mean that the workloads are \
        ready: check them.",
    permissions: &["Microsoft.ContainerService/managedClusters/start/action"],
    ..POWER
};
static STOP: ActionSpec = ActionSpec {
    name: "azure.aks.stop",
    summary: "stops a cluster",
    docs: "Stops a cluster: its control plane and all its nodes.",
    permissions: &["Microsoft.ContainerService/managedClusters/stop/action"],
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
        let now = known.body(&cluster(with).get())?;
        let (state, name) = (snake(text(now, "/properties/powerState/code")), with.text("cluster"));
        let (wanted, verb) = match self {
            Self::Start => ("running", "start"),
            Self::Stop => ("stopped", "stop"),
        };
        if is_busy(now) {
            return Ok(Next::Wait(format!("`{name}` is `{}`", snake(text(now, "/properties/provisioningState")))));
        }
        if state == wanted {
            return Ok(Next::done(json!({ "state": state }), format!("`{name}` is `{state}`")));
        }
        Ok(Next::send(cluster(with).post(verb), format!("{verb} `{name}`")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![cluster(with).post(match self {
            Self::Start => "start",
            Self::Stop => "stop",
        })]
    }
}

struct State;

static STATE: ActionSpec = ActionSpec {
    name: "azure.aks.state",
    summary: "reads whether a cluster runs",
    docs: "Reads the power state and the version of a cluster.",
    parameters: parameters![
        CLUSTER,
        may("is", || words(["running", "stopped"]), "the state that counts as healthy; `running` if absent"),
    ],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("state", string, "`running` or `stopped`"),
        must("version", string, "the Kubernetes version"),
    ]),
    ..CHECK
};

impl Operation for State {
    fn spec(&self) -> &'static ActionSpec {
        &STATE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&cluster(with).get())?;
        let state = snake(text(now, "/properties/powerState/code"));
        let provisioning = snake(text(now, "/properties/provisioningState"));
        let reason = format!("`{}` is `{state}`, {provisioning}", with.text("cluster"));
        let healthy = state == with.option("is").unwrap_or("running") && provisioning == "succeeded";
        let version = text(now, "/properties/currentKubernetesVersion");
        Ok(Next::done(json!({ "healthy": healthy, "reason": reason, "state": state, "version": version }), reason))
    }
}

struct ScalePool;

static SCALE_POOL: ActionSpec = ActionSpec {
    name: "azure.aks.scale_pool",
    summary: "sets how many nodes a node pool has",
    docs: "Sets the number of nodes of one pool, under its version: whoever changed the pool in between is not overwritten. A \
        pool that scales by itself goes on doing so within its limits.",
    parameters: parameters![
        CLUSTER,
        must("pool", string, "the node pool"),
        must("count", || Type::Between(0, 1000), "how many nodes")
    ],
    outputs: Outputs::Fixed(&[must("count", int, "how many nodes there are")]),
    takes: |_| Takes::guess(240, 900),
    permissions: &["Microsoft.ContainerService/managedClusters/agentPools/write"],
    ..IDEMPOTENT
};

impl ScalePool {
    fn pool(with: &With<'_>) -> Resource {
        cluster(with).child("agentPools", with.text("pool"))
    }
}

impl Operation for ScalePool {
    fn spec(&self) -> &'static ActionSpec {
        &SCALE_POOL
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let request = Self::pool(with).get();
        let now = known.body(&request)?;
        let (name, wanted) = (with.text("pool"), with.int("count").unwrap_or(0));
        let found = number(now, "/properties/count").unwrap_or(0);
        if is_busy(now) {
            return Ok(Next::Wait(format!("`{name}` is `{}`", snake(text(now, "/properties/provisioningState")))));
        }
        if found == wanted {
            return Ok(Next::done(json!({ "count": found }), format!("`{name}` has {found} nodes")));
        }
        let mut properties = now.get("properties").cloned().unwrap_or_default();
        properties["count"] = json!(wanted);
        for answered_only in ["provisioningState", "currentOrchestratorVersion", "nodeImageVersion", "eTag"] {
            properties.as_object_mut().map(|properties| properties.remove(answered_only));
        }
        let etag = known.answer(&request)?.etag.as_deref().or(now.pointer("/properties/eTag").and_then(Value::as_str));
        let write = Self::pool(with).put(json!({ "properties": properties })).if_match(etag);
        Ok(Next::send(write, format!("scale `{name}` from {found} to {wanted} nodes")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::pool(with).put(json!({ "properties": { "..": "as it was", "count": with.int("count") } }))]
    }
}

struct RunCommand;

static RUN_COMMAND: ActionSpec = ActionSpec {
    name: "azure.aks.run_command",
    summary: "runs a command in a cluster, without access to its network",
    docs: "Runs a command such as `kubectl get pods` in a pod of the cluster, by Azure. The step fails where the command's exit \
        code is not 0.",
    parameters: parameters![CLUSTER, must("command", string, "the command; nothing may be interpolated into it"),],
    outputs: Outputs::Fixed(&[
        must("exit_code", int, "the command's exit code"),
        must("logs", string, "what it wrote"),
    ]),
    code: &["command"],
    takes: |_| Takes::guess(60, 240),
    permissions: &["Microsoft.ContainerService/managedClusters/runCommand/action"],
    ..UNSAFE
};

impl RunCommand {
    fn write(with: &With<'_>) -> Request {
        cluster(with).post("runCommand").body(json!({ "command": with.text("command") }))
    }
}

impl Operation for RunCommand {
    fn spec(&self) -> &'static ActionSpec {
        &RUN_COMMAND
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let write = Self::write(with);
        let Some(result) = known.sent(&write) else {
            return Ok(Next::send_once(write, format!("run a command in `{}`", with.text("cluster"))));
        };
        let field = |name: &str| result.pointer(&format!("/properties/{name}")).or_else(|| result.get(name));
        let logs = field("logs").and_then(Value::as_str).unwrap_or_default();
        Ok(match field("exitCode").and_then(Value::as_i64) {
            Some(0) => Next::done(json!({ "exit_code": 0, "logs": logs }), "the command has run"),
            Some(code) => {
                Next::Fail(format!("the command ended with {code}: {}", logs.lines().last().unwrap_or_default()))
            }
            None => Next::Fail("the command has run, and its exit code is not told".to_owned()),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}
