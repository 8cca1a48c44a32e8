//! Data Factory: triggers, pipeline runs, integration runtimes.
//!
//! Calls and words: `Microsoft.DataFactory/factories`, api-version 2018-06-01.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::operations;
use crate::actions::azure::fields::{
    CHECK, HEALTHY, IDEMPOTENT, REASON, UNSAFE, boolean, int, may, must, parameters, string, words,
};
use crate::actions::azure::read::{is, items, snake, text};
use crate::actions::azure::request::segment;
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes, Timestamp, Type};

const API: &str = "2018-06-01";

const FACTORY: Field = must("factory", string, "the data factory");
const TRIGGER: Field = must("trigger", string, "the trigger");
const RUNTIME: Field = must("runtime", string, "the integration runtime");
const PIPELINE: Field = must("pipeline", string, "the pipeline");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![Trigger, SetTrigger, RunPipeline, CancelRuns, Runtime, SetRuntime]
}

fn factory(with: &With<'_>) -> Resource {
    with.resource("Microsoft.DataFactory/factories", "factory", API)
}

fn trigger(with: &With<'_>) -> Resource {
    factory(with).child("triggers", with.text("trigger"))
}

fn runtime(with: &With<'_>) -> Resource {
    factory(with).child("integrationRuntimes", with.text("runtime"))
}

struct Trigger;

static TRIGGER_SPEC: ActionSpec = ActionSpec {
    name: "azure.data_factory.trigger",
    summary: "reads whether a Data Factory trigger works",
    docs: "Reads the state of a trigger.",
    parameters: parameters![
        FACTORY,
        TRIGGER,
        may("is", || words(["started", "stopped"]), "the state that counts as healthy; `started` if absent"),
    ],
    outputs: Outputs::Fixed(&[HEALTHY, REASON, must("state", string, "`started`, `stopped` or `disabled`")]),
    ..CHECK
};

impl Operation for Trigger {
    fn spec(&self) -> &'static ActionSpec {
        &TRIGGER_SPEC
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let state = snake(text(known.body(&trigger(with).get())?, "/properties/runtimeState"));
        let reason = format!("`{}` is `{state}`", with.text("trigger"));
        let healthy = state == with.option("is").unwrap_or("started");
        Ok(Next::done(json!({ "healthy": healthy, "reason": reason, "state": state }), reason))
    }
}

struct SetTrigger;

static SET_TRIGGER: ActionSpec = ActionSpec {
    name: "azure.data_factory.set_trigger",
    summary: "starts or stops a Data Factory trigger",
    docs: "Starts or stops a trigger. Runs that have begun go on: `azure.data_factory.cancel_runs` ends them.",
    parameters: parameters![FACTORY, TRIGGER, must("started", boolean, "whether it works")],
    outputs: Outputs::Fixed(&[must("state", string, "`started` or `stopped`")]),
    takes: |_| Takes::guess(10, 60),
    permissions: &[
        "Microsoft.DataFactory/factories/triggers/start/action",
        "Microsoft.DataFactory/factories/triggers/stop/action",
    ],
    ..IDEMPOTENT
};

impl SetTrigger {
    fn write(with: &With<'_>) -> Request {
        trigger(with).post(if with.flag("started").unwrap_or(true) { "start" } else { "stop" })
    }
}

impl Operation for SetTrigger {
    fn spec(&self) -> &'static ActionSpec {
        &SET_TRIGGER
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let state = snake(text(known.body(&trigger(with).get())?, "/properties/runtimeState"));
        let started = with.flag("started").unwrap_or(true);
        let name = with.text("trigger");
        // A trigger that was never started is `disabled`: it rests.
        if (state == "started") == started {
            return Ok(Next::done(json!({ "state": state }), format!("`{name}` is `{state}`")));
        }
        Ok(Next::send(Self::write(with), format!("{} `{name}`", if started { "start" } else { "stop" })))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

struct RunPipeline;

static RUN_PIPELINE: ActionSpec = ActionSpec {
    name: "azure.data_factory.run_pipeline",
    summary: "runs a Data Factory pipeline",
    docs: "Starts a run and, unless `wait` is false, waits for its end. Two requests start two runs: a lost answer leaves the step in \
        doubt.",
    parameters: parameters![
        FACTORY,
        PIPELINE,
        may("parameters", || Type::Map(Box::new(Type::Any)), "the pipeline's parameters"),
        may("wait", boolean, "whether to wait for the end of the run; `true` if absent"),
    ],
    outputs: Outputs::Fixed(&[
        must("run_id", string, "the id of the run"),
        must("status", string, "`succeeded`, or `in_progress` where it is not waited for"),
    ]),
    takes: |_| Takes::guess(300, 3_600),
    permissions: &["Microsoft.DataFactory/factories/pipelines/createrun/action"],
    ..UNSAFE
};

impl RunPipeline {
    fn write(with: &With<'_>) -> Request {
        let parameters: Map<String, Value> =
            with.entries("parameters").map(|(name, value)| (name.clone(), value.clone())).collect();
        factory(with).child("pipelines", with.text("pipeline")).post("createRun").body(Value::Object(parameters))
    }
}

impl Operation for RunPipeline {
    fn spec(&self) -> &'static ActionSpec {
        &RUN_PIPELINE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (write, name) = (Self::write(with), with.text("pipeline"));
        let Some(run) = known.sent(&write).map(|result| text(result, "/runId")) else {
            return Ok(Next::send_once(write, format!("run `{name}`")));
        };
        if run.is_empty() {
            return Ok(Next::Wait(format!("a run of `{name}` has begun, and the answer names none to ask about")));
        }
        if with.flag("wait") == Some(false) {
            let outputs = json!({ "run_id": run, "status": "in_progress" });
            return Ok(Next::done(outputs, format!("the run {run} has begun")));
        }
        // A run that has just begun may not be found yet.
        let Some(now) = known.find(&factory(with).child("pipelineruns", run).get())? else {
            return Ok(Next::Wait(format!("the run {run} of `{name}` is not to be seen yet")));
        };
        let status = snake(text(now, "/status"));
        Ok(match status.as_str() {
            "succeeded" => Next::done(json!({ "run_id": run, "status": status }), format!("`{name}` ended well")),
            "failed" | "cancelled" => Next::Fail(format!("`{name}` ended as `{status}`: {}", text(now, "/message"))),
            _ => Next::Wait(format!("the run {run} of `{name}` is `{status}`")),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

struct CancelRuns;

static CANCEL_RUNS: ActionSpec = ActionSpec {
    name: "azure.data_factory.cancel_runs",
    summary: "cancels the Data Factory runs that are under way",
    docs: "Cancels the runs of the last seven days that are under way, of one pipeline or of all. What they have written stays.",
    parameters: parameters![FACTORY, may("pipeline", string, "the pipeline; all if absent")],
    outputs: Outputs::Fixed(&[must("active", int, "how many runs are under way still")]),
    takes: |_| Takes::guess(20, 180),
    permissions: &[
        "Microsoft.DataFactory/factories/querypipelineruns/action",
        "Microsoft.DataFactory/factories/cancelpipelinerun/action",
    ],
    ..IDEMPOTENT
};

/// The day `days` before a moment, as the query takes it. Whole days, so that the question stays the same while a step runs.
fn day(now: Timestamp, days: i64) -> String {
    const DAY: i64 = 86_400_000;
    // Before a run there is no present.
    if now == Timestamp::default() {
        return format!("..{} days {} the day it runs", days.abs(), if days < 0 { "before" } else { "after" });
    }
    Timestamp(now.0 - now.0.rem_euclid(DAY) + days * DAY).to_string()
}

impl CancelRuns {
    fn query(with: &With<'_>, now: Timestamp) -> Request {
        let mut filters = vec![json!({ "operand": "Status", "operator": "In", "values": ["InProgress", "Queued"] })];
        if let Some(pipeline) = with.option("pipeline") {
            filters.push(json!({ "operand": "PipelineName", "operator": "Equals", "values": [pipeline] }));
        }
        let body = json!({ "lastUpdatedAfter": day(now, -7), "lastUpdatedBefore": day(now, 2), "filters": filters });
        factory(with).post("queryPipelineRuns").body(body)
    }

    /// Cancels one run; its id as it stands in a path.
    fn cancel(with: &With<'_>, run: &str) -> Request {
        Resource { id: format!("{}/pipelineruns/{run}", factory(with).id), api: API }.post("cancel")
    }
}

impl Operation for CancelRuns {
    fn spec(&self) -> &'static ActionSpec {
        &CANCEL_RUNS
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let answer = known.body(&Self::query(with, known.now))?;
        let active: Vec<&str> = items(answer, "/value").iter().map(|run| text(run, "/runId")).collect();
        let cancel = |run: &str| Self::cancel(with, &segment(run));
        let next = active.iter().find(|run| known.sent(&cancel(run)).is_none());
        Ok(match (active.len(), next) {
            (0, _) => Next::done(json!({ "active": 0 }), "no run is under way"),
            (_, Some(run)) => Next::send(cancel(run), format!("cancel the run {run}")),
            (count, None) => Next::Wait(format!("{count} runs are ending")),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::cancel(with, "{run}")]
    }
}

struct Runtime;

static RUNTIME_SPEC: ActionSpec = ActionSpec {
    name: "azure.data_factory.integration_runtime",
    summary: "reads whether an integration runtime is there",
    docs: "Reads the state of an integration runtime; of a self-hosted one: whether its machines have called in.",
    parameters: parameters![FACTORY, RUNTIME],
    outputs: Outputs::Fixed(&[HEALTHY, REASON, must("state", string, "`online`, `started`, `limited`, `offline`, ..")]),
    permissions: &["Microsoft.DataFactory/factories/integrationruntimes/getstatus/action"],
    ..CHECK
};

impl Operation for Runtime {
    fn spec(&self) -> &'static ActionSpec {
        &RUNTIME_SPEC
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let state = snake(text(known.body(&runtime(with).post("getStatus"))?, "/properties/state"));
        let reason = format!("`{}` is `{state}`", with.text("runtime"));
        let healthy = matches!(state.as_str(), "online" | "started");
        Ok(Next::done(json!({ "healthy": healthy, "reason": reason, "state": state }), reason))
    }
}

struct SetRuntime;

static SET_RUNTIME: ActionSpec = ActionSpec {
    name: "azure.data_factory.set_integration_runtime",
    summary: "starts or stops a managed integration runtime",
    docs: "Starts or stops an Azure-SSIS integration runtime. Self-hosted ones are started on their own machines. Starting takes up to \
        half an hour.",
    parameters: parameters![FACTORY, RUNTIME, must("started", boolean, "whether it works")],
    outputs: Outputs::Fixed(&[must("state", string, "`started` or `stopped`")]),
    takes: |_| Takes::guess(600, 1_800),
    permissions: &[
        "Microsoft.DataFactory/factories/integrationruntimes/start/action",
        "Microsoft.DataFactory/factories/integrationruntimes/stop/action",
    ],
    ..IDEMPOTENT
};

impl SetRuntime {
    fn write(with: &With<'_>) -> Request {
        runtime(with).post(if with.flag("started").unwrap_or(true) { "start" } else { "stop" })
    }
}

impl Operation for SetRuntime {
    fn spec(&self) -> &'static ActionSpec {
        &SET_RUNTIME
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&runtime(with).post("getStatus"))?;
        let (state, name) = (snake(text(now, "/properties/state")), with.text("runtime"));
        if is(now, "/properties/type", "SelfHosted") {
            return Ok(Next::Fail(format!("`{name}` is self-hosted: it is started and stopped on its own machines")));
        }
        let started = with.flag("started").unwrap_or(true);
        let wanted = if started { "started" } else { "stopped" };
        Ok(match state.as_str() {
            state if state == wanted || (started && state == "online") => {
                Next::done(json!({ "state": state }), format!("`{name}` is `{state}`"))
            }
            "starting" | "stopping" => Next::Wait(format!("`{name}` is `{state}`")),
            _ => Next::send(Self::write(with), format!("{} `{name}`", if started { "start" } else { "stop" })),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}
