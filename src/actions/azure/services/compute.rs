//! Virtual machines and scale sets: power, size, commands.
//!
//! Calls and words: `Microsoft.Compute`, api-version 2024-11-01. Power is read from the instance view's status codes
//! (`PowerState/running`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{
    CHECK, HEALTHY, IDEMPOTENT, REASON, UNSAFE, int, may, must, natural, parameters, string, strings, words,
};
use crate::actions::azure::read::{int as number, is, items, text};
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes, Type};

const API: &str = "2024-11-01";

const VM: Field = must("vm", string, "the virtual machine");
const SCALE_SET: Field = must("scale_set", string, "the scale set");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![
        Power::Start,
        Power::Deallocate,
        Renew::Restart,
        Renew::Redeploy,
        State,
        RunCommand,
        Scale,
        SetPower::Start,
        SetPower::Deallocate,
        SetState,
    ]
}

fn vm(with: &With<'_>) -> Resource {
    with.resource("Microsoft.Compute/virtualMachines", "vm", API)
}

fn view(resource: &Resource) -> Request {
    resource.list("instanceView")
}

/// `running`, `deallocated`, `stopped`, `starting`, ..; empty where it is not told.
fn power(view: &Value) -> &str {
    let codes = items(view, "/statuses").iter().map(|status| text(status, "/code"));
    codes.filter_map(|code| code.strip_prefix("PowerState/")).next().unwrap_or_default()
}

enum Power {
    Start,
    Deallocate,
}

const POWER: ActionSpec = ActionSpec {
    parameters: parameters![VM],
    outputs: Outputs::Fixed(&[must("state", string, "`running`, `deallocated`, ..")]),
    takes: |_| Takes::guess(60, 300),
    ..IDEMPOTENT
};
static VM_START: ActionSpec = ActionSpec {
    name: "azure.vm.start",
    summary: "starts a virtual machine",
    docs: "Starts a machine. Running does not mean that what is on it answers: probe it. A region that everybody fails over \
        to may have no capacity left, unless it was reserved.",
    permissions: &["Microsoft.Compute/virtualMachines/start/action"],
    ..POWER
};
static VM_DEALLOCATE: ActionSpec = ActionSpec {
    name: "azure.vm.deallocate",
    summary: "stops a virtual machine and gives its hardware back",
    docs: "Stops a machine and ends what it costs. Its temporary disk is lost, and whether there is capacity to start it again is \
        not certain.",
    permissions: &["Microsoft.Compute/virtualMachines/deallocate/action"],
    ..POWER
};

impl Operation for Power {
    fn spec(&self) -> &'static ActionSpec {
        match self {
            Self::Start => &VM_START,
            Self::Deallocate => &VM_DEALLOCATE,
        }
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (state, name) = (power(known.body(&view(&vm(with)))?), with.text("vm"));
        let (wanted, on_its_way, verb) = match self {
            Self::Start => ("running", "starting", "start"),
            Self::Deallocate => ("deallocated", "deallocating", "deallocate"),
        };
        Ok(match state {
            state if state == wanted => Next::done(json!({ "state": state }), format!("`{name}` is `{state}`")),
            state if state == on_its_way => Next::Wait(format!("`{name}` is `{state}`")),
            _ => Next::send(vm(with).post(verb), format!("{verb} `{name}`")),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![vm(with).post(match self {
            Self::Start => "start",
            Self::Deallocate => "deallocate",
        })]
    }
}

enum Renew {
    Restart,
    Redeploy,
}

static VM_RESTART: ActionSpec = ActionSpec {
    name: "azure.vm.restart",
    summary: "restarts a virtual machine",
    docs: "Restarts a machine. Nothing in its state tells that it was restarted.",
    permissions: &["Microsoft.Compute/virtualMachines/restart/action"],
    ..RENEW
};
static VM_REDEPLOY: ActionSpec = ActionSpec {
    name: "azure.vm.redeploy",
    summary: "moves a virtual machine to other hardware",
    docs: "Shuts a machine down and starts it on another host of the same region. Its temporary disk is lost.",
    permissions: &["Microsoft.Compute/virtualMachines/redeploy/action"],
    ..RENEW
};
const RENEW: ActionSpec = ActionSpec {
    parameters: parameters![VM],
    outputs: Outputs::Fixed(&[must("state", string, "`running`, ..")]),
    takes: |_| Takes::guess(90, 420),
    ..UNSAFE
};

impl Renew {
    fn write(&self, with: &With<'_>) -> Request {
        vm(with).post(match self {
            Self::Restart => "restart",
            Self::Redeploy => "redeploy",
        })
    }
}

impl Operation for Renew {
    fn spec(&self) -> &'static ActionSpec {
        match self {
            Self::Restart => &VM_RESTART,
            Self::Redeploy => &VM_REDEPLOY,
        }
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (state, name, write) = (power(known.body(&view(&vm(with)))?), with.text("vm"), self.write(with));
        let verb = self.spec().name.rsplit('.').next().unwrap_or_default();
        Ok(match (known.sent(&write), state) {
            (Some(_), "running") => Next::done(json!({ "state": state }), format!("{verb} of `{name}`: done")),
            (Some(_), state) => Next::Wait(format!("`{name}` is `{state}`")),
            (None, _) => Next::send_once(write, format!("{verb} `{name}`")),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![self.write(with)]
    }
}

struct State;

static VM_STATE: ActionSpec = ActionSpec {
    name: "azure.vm.state",
    summary: "reads whether a virtual machine runs",
    docs: "Reads the power state of a machine.",
    parameters: parameters![
        VM,
        may("is", || words(["running", "deallocated"]), "the state that counts as healthy; `running` if absent"),
    ],
    outputs: Outputs::Fixed(&[HEALTHY, REASON, must("state", string, "`running`, `deallocated`, ..")]),
    ..CHECK
};

impl Operation for State {
    fn spec(&self) -> &'static ActionSpec {
        &VM_STATE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let state = power(known.body(&view(&vm(with)))?);
        let reason = format!("`{}` is `{state}`", with.text("vm"));
        let healthy = state == with.option("is").unwrap_or("running");
        Ok(Next::done(json!({ "healthy": healthy, "reason": reason, "state": state }), reason))
    }
}

struct RunCommand;

static RUN_COMMAND: ActionSpec = ActionSpec {
    name: "azure.vm.run_command",
    summary: "runs a script on a virtual machine",
    docs: "Runs shell lines (PowerShell with `shell: powershell`) on the machine by its agent, and gives back the last 4 KiB \
        of what it wrote. The exit status is not told: let the script write what you want to know. One command runs at a \
        time.",
    parameters: parameters![
        VM,
        must("script", strings, "the lines; nothing may be interpolated into them"),
        may("shell", || words(["sh", "powershell"]), "what runs them; `sh` if absent"),
    ],
    outputs: Outputs::Fixed(&[must("output", string, "what it wrote")]),
    code: &["script"],
    takes: |_| Takes::guess(45, 300),
    permissions: &["Microsoft.Compute/virtualMachines/runCommand/action"],
    ..UNSAFE
};

impl RunCommand {
    fn write(with: &With<'_>) -> Request {
        let id = if with.option("shell") == Some("powershell") { "RunPowerShellScript" } else { "RunShellScript" };
        vm(with).post("runCommand").body(json!({ "commandId": id, "script": with.list("script") }))
    }
}

impl Operation for RunCommand {
    fn spec(&self) -> &'static ActionSpec {
        &RUN_COMMAND
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let write = Self::write(with);
        let Some(result) = known.sent(&write) else {
            return Ok(Next::send_once(write, format!("run a script on `{}`", with.text("vm"))));
        };
        let values = items(result, "/value").iter().chain(items(result, "/output/value"));
        let output: Vec<&str> = values.map(|value| text(value, "/message")).collect();
        Ok(Next::done(json!({ "output": output.join("\n") }), "the script has run"))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

fn scale_set(with: &With<'_>) -> Resource {
    with.resource("Microsoft.Compute/virtualMachineScaleSets", "scale_set", API)
}

/// How many machines of a scale set are in that power state.
fn count(view: &Value, state: &str) -> i64 {
    let summary = items(view, "/virtualMachine/statusesSummary").iter();
    let wanted = format!("PowerState/{state}");
    summary.filter(|status| is(status, "/code", &wanted)).filter_map(|status| number(status, "/count")).sum()
}

struct Scale;

static SCALE: ActionSpec = ActionSpec {
    name: "azure.vmss.scale",
    summary: "sets how many machines a scale set has",
    docs: "Sets the number of machines. After a failover the surviving region carries the load of both: scale it by what was \
        lost.",
    parameters: parameters![SCALE_SET, must("capacity", || Type::Between(0, 1000), "how many machines")],
    outputs: Outputs::Fixed(&[must("capacity", int, "how many machines there are")]),
    takes: |_| Takes::guess(180, 600),
    permissions: &["Microsoft.Compute/virtualMachineScaleSets/write"],
    ..IDEMPOTENT
};

impl Operation for Scale {
    fn spec(&self) -> &'static ActionSpec {
        &SCALE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&scale_set(with).get())?;
        let (name, wanted) = (with.text("scale_set"), with.int("capacity").unwrap_or(0));
        let found = number(now, "/sku/capacity").unwrap_or(0);
        if is(now, "/properties/provisioningState", "Updating") {
            return Ok(Next::Wait(format!("`{name}` is being changed")));
        }
        if found == wanted {
            return Ok(Next::done(json!({ "capacity": found }), format!("`{name}` has {found} machines")));
        }
        let sku = json!({ "name": text(now, "/sku/name"), "capacity": wanted });
        let write = scale_set(with).patch(json!({ "sku": sku }));
        Ok(Next::send(write, format!("scale `{name}` from {found} to {wanted} machines")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![scale_set(with).patch(json!({ "sku": { "capacity": with.int("capacity") } }))]
    }
}

enum SetPower {
    Start,
    Deallocate,
}

const SET_POWER: ActionSpec = ActionSpec {
    parameters: parameters![SCALE_SET],
    outputs: Outputs::Fixed(&[must("running", int, "how many machines run")]),
    takes: |_| Takes::guess(120, 480),
    ..IDEMPOTENT
};
static SET_START: ActionSpec = ActionSpec {
    name: "azure.vmss.start",
    summary: "starts all machines of a scale set",
    docs: "Starts the machines that do not run.",
    permissions: &["Microsoft.Compute/virtualMachineScaleSets/start/action"],
    ..SET_POWER
};
static SET_DEALLOCATE: ActionSpec = ActionSpec {
    name: "azure.vmss.deallocate",
    summary: "stops all machines of a scale set and gives their hardware back",
    docs: "Stops the machines that run.",
    permissions: &["Microsoft.Compute/virtualMachineScaleSets/deallocate/action"],
    ..SET_POWER
};

impl Operation for SetPower {
    fn spec(&self) -> &'static ActionSpec {
        match self {
            Self::Start => &SET_START,
            Self::Deallocate => &SET_DEALLOCATE,
        }
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (set, view) = (scale_set(with).get(), view(&scale_set(with)));
        known.all(&[set.clone(), view.clone()])?;
        let capacity = number(known.body(&set)?, "/sku/capacity").unwrap_or(0);
        let (running, name) = (count(known.body(&view)?, "running"), with.text("scale_set"));
        let (holds, verb) = match self {
            Self::Start => (running >= capacity, "start"),
            Self::Deallocate => (running == 0, "deallocate"),
        };
        if holds {
            return Ok(Next::done(json!({ "running": running }), format!("{running} of {capacity} of `{name}` run")));
        }
        Ok(Next::send(scale_set(with).post(verb), format!("{verb} the machines of `{name}`")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![scale_set(with).post(match self {
            Self::Start => "start",
            Self::Deallocate => "deallocate",
        })]
    }
}

struct SetState;

static SET_STATE: ActionSpec = ActionSpec {
    name: "azure.vmss.state",
    summary: "reads how many machines of a scale set run",
    docs: "Reads the size of a scale set and how many of its machines run.",
    parameters: parameters![
        SCALE_SET,
        may("at_least", natural, "how many running machines count as healthy; all of them if absent"),
    ],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("capacity", int, "how many machines there are"),
        must("running", int, "how many of them run"),
    ]),
    ..CHECK
};

impl Operation for SetState {
    fn spec(&self) -> &'static ActionSpec {
        &SET_STATE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (set, view) = (scale_set(with).get(), view(&scale_set(with)));
        known.all(&[set.clone(), view.clone()])?;
        let capacity = number(known.body(&set)?, "/sku/capacity").unwrap_or(0);
        let running = count(known.body(&view)?, "running");
        let reason = format!("{running} of {capacity} machines of `{}` run", with.text("scale_set"));
        let healthy = running >= with.int("at_least").unwrap_or(capacity);
        Ok(Next::done(
            json!({ "healthy": healthy, "reason": reason, "capacity": capacity, "running": running }),
            reason,
        ))
    }
}
