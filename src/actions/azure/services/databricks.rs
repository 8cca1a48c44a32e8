//! Databricks: the jobs of a workspace.
//!
//! The workspace's URL is read from Resource Manager (`Microsoft.Databricks/workspaces`, api-version 2024-05-01); the jobs
//! are on the workspace's own API (`/api/2.2/jobs`), with a token for the Databricks application.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::operations;
use crate::actions::azure::fields::{
    CHECK, HEALTHY, IDEMPOTENT, OBSERVABLE, REASON, boolean, int, may, must, natural, parameters, string,
};
use crate::actions::azure::read::{int as number, is, items, snake, text};
use crate::actions::azure::{Api, Known, Method, Next, Operation, Request, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes, Type};
use crate::plan::digest;

/// The application that tokens for Databricks are for, in every cloud.
const SCOPE: &str = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default";

const WORKSPACE: Field = must("workspace", string, "the Databricks workspace");
const JOB: Field = must("job", natural, "the number of the job");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![Job, SetJob, RunJob, CancelRuns]
}

/// The API of the workspace, once its host is known.
struct Workspace(Api);

impl Workspace {
    fn of(with: &With<'_>, known: &Known) -> Result<Self, Next> {
        let resource = with.resource("Microsoft.Databricks/workspaces", "workspace", "2024-05-01");
        let host = text(known.body(&resource.get())?, "/properties/workspaceUrl").to_owned();
        if host.is_empty() {
            return Err(Next::Fail(format!("`{}` has no address yet", with.text("workspace"))));
        }
        Ok(Self(Api::Data { host, scope: SCOPE.to_owned() }))
    }

    /// One whose host has not been read.
    fn unread() -> Self {
        Self(Api::Data { host: "{workspaceUrl}".to_owned(), scope: SCOPE.to_owned() })
    }

    fn get(&self, what: &str, query: &str) -> Request {
        Request::new(self.0.clone(), Method::Get, format!("/api/2.2/jobs/{what}?{query}"))
    }

    fn post(&self, what: &str, body: Value) -> Request {
        Request::new(self.0.clone(), Method::Post, format!("/api/2.2/jobs/{what}")).body(body)
    }
}

fn job_number(with: &With<'_>) -> i64 {
    with.int("job").unwrap_or(0)
}

/// A job's schedule: its cron schedule, or its trigger.
fn schedule(job: &Value) -> Option<(&'static str, &Value)> {
    let at = |name| job.pointer(&format!("/settings/{name}")).filter(|found| found.is_object());
    ["schedule", "trigger", "continuous"].into_iter().find_map(|name| Some((name, at(name)?)))
}

fn is_paused(job: &Value) -> bool {
    schedule(job).is_none_or(|(_, schedule)| is(schedule, "/pause_status", "PAUSED"))
}

struct Job;

static JOB_SPEC: ActionSpec = ActionSpec {
    name: "azure.databricks.job",
    summary: "reads whether a Databricks job is paused",
    docs: "Reads a job's schedule. Healthy means: it is paused or not, as `is_paused` says. A job without a schedule counts as \
        paused.",
    parameters: parameters![WORKSPACE, JOB, may("is_paused", boolean, "what counts as healthy; any if absent")],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("paused", boolean, "whether its schedule rests"),
        must("name", string, "the job's name"),
    ]),
    ..CHECK
};

impl Operation for Job {
    fn spec(&self) -> &'static ActionSpec {
        &JOB_SPEC
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let workspace = Workspace::of(with, known)?;
        let job = known.body(&workspace.get("get", &format!("job_id={}", job_number(with))))?;
        let (paused, name) = (is_paused(job), text(job, "/settings/name"));
        let reason = format!("`{name}` is {}", if paused { "paused" } else { "scheduled" });
        let healthy = with.flag("is_paused").is_none_or(|wanted| wanted == paused);
        Ok(Next::done(json!({ "healthy": healthy, "reason": reason, "paused": paused, "name": name }), reason))
    }
}

struct SetJob;

static SET_JOB: ActionSpec = ActionSpec {
    name: "azure.databricks.set_job",
    summary: "pauses the schedule of a Databricks job, or lets it go on",
    docs: "Sets the pause status of a job's schedule or trigger and leaves the rest of it as it is. Runs that have begun go on: \
        `azure.databricks.cancel_runs` ends them.",
    parameters: parameters![WORKSPACE, JOB, must("paused", boolean, "whether its schedule rests")],
    outputs: Outputs::Fixed(&[must("paused", boolean, "whether its schedule rests")]),
    takes: |_| Takes::guess(2, 10),
    permissions: &["CAN MANAGE on the job, in Databricks"],
    ..IDEMPOTENT
};

impl SetJob {
    fn write(workspace: &Workspace, with: &With<'_>, kind: &str, schedule: &Value) -> Request {
        let mut schedule = schedule.clone();
        schedule["pause_status"] = json!(if with.flag("paused").unwrap_or(true) { "PAUSED" } else { "UNPAUSED" });
        workspace.post("update", json!({ "job_id": job_number(with), "new_settings": { kind: schedule } }))
    }
}

impl Operation for SetJob {
    fn spec(&self) -> &'static ActionSpec {
        &SET_JOB
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let workspace = Workspace::of(with, known)?;
        let job = known.body(&workspace.get("get", &format!("job_id={}", job_number(with))))?;
        let wanted = with.flag("paused").unwrap_or(true);
        let name = text(job, "/settings/name");
        if is_paused(job) == wanted {
            return Ok(Next::done(json!({ "paused": wanted }), format!("`{name}` is as wanted")));
        }
        let Some((kind, schedule)) = schedule(job) else {
            return Ok(Next::Fail(format!("`{name}` has no schedule that could be let go on")));
        };
        let write = Self::write(&workspace, with, kind, schedule);
        Ok(Next::send(write, format!("{} `{name}`", if wanted { "pause" } else { "let go on" })))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(&Workspace::unread(), with, "{schedule}", &json!({ "..": "as it was" }))]
    }
}

struct RunJob;

static RUN_JOB: ActionSpec = ActionSpec {
    name: "azure.databricks.run_job",
    summary: "runs a Databricks job",
    docs: "Starts a run and, unless `wait` is false, waits for its end. The request carries a token of the step, so that sending it \
        twice starts one run.",
    parameters: parameters![
        WORKSPACE,
        JOB,
        may("parameters", || Type::Map(Box::new(Type::String)), "the job's parameters"),
        may("wait", boolean, "whether to wait for the end of the run; `true` if absent"),
        may(
            "token",
            string,
            "tells this run from other ones, such as `{{ run.id }}`; made of the parameters if absent"
        ),
    ],
    outputs: Outputs::Fixed(&[
        must("run_id", int, "the number of the run"),
        must("state", string, "`success`, or `running` where it is not waited for"),
    ]),
    takes: |_| Takes::guess(300, 3_600),
    permissions: &["CAN MANAGE RUN on the job, in Databricks"],
    ..OBSERVABLE
};

impl RunJob {
    fn write(workspace: &Workspace, with: &With<'_>) -> Request {
        let parameters: Map<String, Value> =
            with.entries("parameters").map(|(name, value)| (name.clone(), value.clone())).collect();
        let token = with.option("token").map_or_else(
            || digest::of_value(&json!([job_number(with), parameters])),
            |token| digest::of_bytes(token.as_bytes()),
        );
        workspace.post(
            "run-now",
            json!({ "job_id": job_number(with), "job_parameters": parameters, "idempotency_token": token }),
        )
    }
}

impl Operation for RunJob {
    fn spec(&self) -> &'static ActionSpec {
        &RUN_JOB
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let workspace = Workspace::of(with, known)?;
        let write = Self::write(&workspace, with);
        // The token makes a second request the same run: it may be sent again.
        let Some(run) = known.sent(&write).and_then(|result| number(result, "/run_id")) else {
            return Ok(Next::send(write, format!("run the job {}", job_number(with))));
        };
        if with.flag("wait") == Some(false) {
            return Ok(Next::done(json!({ "run_id": run, "state": "running" }), format!("the run {run} has begun")));
        }
        let now = known.body(&workspace.get("runs/get", &format!("run_id={run}")))?;
        let life = snake(&text(now, "/state/life_cycle_state").to_ascii_lowercase());
        let result = text(now, "/state/result_state").to_ascii_lowercase();
        Ok(match (life.as_str(), result.as_str()) {
            ("terminated", "success") => {
                Next::done(json!({ "run_id": run, "state": result }), format!("the run {run} ended well"))
            }
            ("terminated" | "skipped" | "internal_error", _) => {
                Next::Fail(format!("the run {run} ended as `{life}` {result}: {}", text(now, "/state/state_message")))
            }
            _ => Next::Wait(format!("the run {run} is `{life}`")),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(&Workspace::unread(), with)]
    }
}

struct CancelRuns;

static CANCEL_RUNS: ActionSpec = ActionSpec {
    name: "azure.databricks.cancel_runs",
    summary: "cancels all runs of a Databricks job",
    docs: "Cancels the runs that have begun and waits until none is active. What they have written stays.",
    parameters: parameters![WORKSPACE, JOB],
    outputs: Outputs::Fixed(&[must("active", int, "how many runs are active still")]),
    takes: |_| Takes::guess(20, 180),
    permissions: &["CAN MANAGE RUN on the job, in Databricks"],
    ..IDEMPOTENT
};

impl CancelRuns {
    fn write(workspace: &Workspace, with: &With<'_>) -> Request {
        workspace.post("runs/cancel-all", json!({ "job_id": job_number(with) }))
    }
}

impl Operation for CancelRuns {
    fn spec(&self) -> &'static ActionSpec {
        &CANCEL_RUNS
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let workspace = Workspace::of(with, known)?;
        let job = job_number(with);
        let active = known.body(&workspace.get("runs/list", &format!("job_id={job}&active_only=true")))?;
        let count = items(active, "/runs").len();
        if count == 0 {
            return Ok(Next::done(json!({ "active": 0 }), format!("no run of the job {job} is active")));
        }
        let write = Self::write(&workspace, with);
        Ok(match known.sent(&write) {
            Some(_) => Next::Wait(format!("{count} runs of the job {job} are ending")),
            None => Next::send(write, format!("cancel {count} runs of the job {job}")),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(&Workspace::unread(), with)]
    }
}
