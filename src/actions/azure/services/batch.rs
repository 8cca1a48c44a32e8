//! Batch: the size of pools, and whether jobs and their schedules work.
//!
//! Pools, jobs and schedules are on the account's own endpoint (`{account}.{region}.batch.azure.com`), version
//! 2025-06-01 of its API, with a token for Batch.

use std::sync::Arc;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{
    CHECK, HEALTHY, IDEMPOTENT, REASON, boolean, int, may, must, natural, parameters, string,
};
use crate::actions::azure::read::{int as number, is, snake, text};
use crate::actions::azure::request::segment;
use crate::actions::azure::with::region;
use crate::actions::azure::{Api, Known, Method, Next, Operation, Request, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes};

const VERSION: &str = "2025-06-01";

const ACCOUNT: Field = must("account", string, "the Batch account");
const REGION: Field = must("region", string, "the account's region");
const POOL: Field = must("pool", string, "the pool");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![Pool, ResizePool, SetJob::Job, SetJob::Schedule]
}

fn request(with: &With<'_>, method: Method, path: &str) -> Request {
    let cloud = with.cloud();
    let host = format!("{}.{}.{}", with.text("account"), region(with.text("region")), cloud.batch_suffix());
    let api = Api::Data { host, scope: cloud.batch_scope() };
    Request::new(api, method, format!("{path}?api-version={VERSION}"))
}

/// A change with a body; Batch wants its own content type.
fn post(with: &With<'_>, path: &str, body: Option<Value>) -> Request {
    let request = request(with, Method::Post, path);
    match body {
        Some(body) => request.body(body).header("content-type", "application/json; odata=minimalmetadata"),
        None => request,
    }
}

fn pool_path(with: &With<'_>) -> String {
    format!("/pools/{}", segment(with.text("pool")))
}

struct Pool;

static POOL_SPEC: ActionSpec = ActionSpec {
    name: "azure.batch.pool",
    summary: "reads how many nodes a Batch pool has",
    docs: "Reads the size of a pool. Healthy means: it is steady, and has at least as many nodes as `at_least` says.",
    parameters: parameters![
        ACCOUNT,
        REGION,
        POOL,
        may("at_least", natural, "how many nodes count as healthy; none if absent")
    ],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("dedicated", int, "how many dedicated nodes there are"),
        must("state", string, "`steady`, `resizing` or `stopping`"),
    ]),
    ..CHECK
};

impl Operation for Pool {
    fn spec(&self) -> &'static ActionSpec {
        &POOL_SPEC
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&request(with, Method::Get, &pool_path(with)))?;
        let (nodes, state) = (number(now, "/currentDedicatedNodes").unwrap_or(0), snake(text(now, "/allocationState")));
        let healthy = state == "steady" && nodes >= with.int("at_least").unwrap_or(0);
        let reason = format!("`{}` has {nodes} nodes, `{state}`", with.text("pool"));
        Ok(Next::done(json!({ "healthy": healthy, "reason": reason, "dedicated": nodes, "state": state }), reason))
    }
}

struct ResizePool;

static RESIZE_POOL: ActionSpec = ActionSpec {
    name: "azure.batch.resize_pool",
    summary: "sets how many nodes a Batch pool has",
    docs: "Resizes a pool to a number of dedicated nodes and waits until it is steady. Not for pools that scale by a formula.",
    parameters: parameters![ACCOUNT, REGION, POOL, must("dedicated", natural, "how many dedicated nodes")],
    outputs: Outputs::Fixed(&[must("dedicated", int, "how many dedicated nodes there are")]),
    takes: |_| Takes::guess(420, 1_200),
    permissions: &["Microsoft.Batch/batchAccounts/pools/write"],
    ..IDEMPOTENT
};

impl ResizePool {
    fn write(with: &With<'_>) -> Request {
        let body = json!({ "targetDedicatedNodes": with.int("dedicated") });
        post(with, &format!("{}/resize", pool_path(with)), Some(body))
    }
}

impl Operation for ResizePool {
    fn spec(&self) -> &'static ActionSpec {
        &RESIZE_POOL
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&request(with, Method::Get, &pool_path(with)))?;
        let (name, wanted) = (with.text("pool"), with.int("dedicated").unwrap_or(0));
        let (found, target) = (number(now, "/currentDedicatedNodes"), number(now, "/targetDedicatedNodes"));
        if !is(now, "/allocationState", "steady") {
            return Ok(Next::Wait(format!("`{name}` is `{}`", snake(text(now, "/allocationState")))));
        }
        if found == Some(wanted) {
            return Ok(Next::done(json!({ "dedicated": wanted }), format!("`{name}` has {wanted} nodes")));
        }
        if target == Some(wanted) && known.sent(&Self::write(with)).is_some() {
            let found = found.unwrap_or(0);
            return Ok(Next::Fail(format!("`{name}` came to {found} nodes only: Batch could not give {wanted}")));
        }
        Ok(Next::send(Self::write(with), format!("resize `{name}` to {wanted} nodes")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

enum SetJob {
    Job,
    Schedule,
}

static SET_JOB: ActionSpec = ActionSpec {
    name: "azure.batch.set_job",
    summary: "lets a Batch job rest, or work again",
    docs: "Disables or enables a job. Tasks that run when it is disabled are put back into the queue.",
    parameters: parameters![
        ACCOUNT,
        REGION,
        must("job", string, "the job"),
        must("enabled", boolean, "whether it works"),
    ],
    ..SET
};
static SET_SCHEDULE: ActionSpec = ActionSpec {
    name: "azure.batch.set_job_schedule",
    summary: "lets a Batch job schedule rest, or work again",
    docs: "Disables or enables a job schedule: no new jobs are made while it rests. Jobs it has made go on.",
    parameters: parameters![
        ACCOUNT,
        REGION,
        must("schedule", string, "the job schedule"),
        must("enabled", boolean, "whether it works"),
    ],
    ..SET
};
const SET: ActionSpec = ActionSpec {
    outputs: Outputs::Fixed(&[must("state", string, "`active` or `disabled`")]),
    takes: |_| Takes::guess(10, 120),
    permissions: &["Microsoft.Batch/batchAccounts/jobs/write"],
    ..IDEMPOTENT
};

impl SetJob {
    fn path(&self, with: &With<'_>) -> String {
        match self {
            Self::Job => format!("/jobs/{}", segment(with.text("job"))),
            Self::Schedule => format!("/jobschedules/{}", segment(with.text("schedule"))),
        }
    }

    fn write(&self, with: &With<'_>) -> Request {
        let enabled = with.flag("enabled").unwrap_or(true);
        let body = (!enabled && matches!(self, Self::Job)).then(|| json!({ "disableTasks": "requeue" }));
        post(with, &format!("{}/{}", self.path(with), if enabled { "enable" } else { "disable" }), body)
    }
}

impl Operation for SetJob {
    fn spec(&self) -> &'static ActionSpec {
        match self {
            Self::Job => &SET_JOB,
            Self::Schedule => &SET_SCHEDULE,
        }
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let state = snake(text(known.body(&request(with, Method::Get, &self.path(with)))?, "/state"));
        let enabled = with.flag("enabled").unwrap_or(true);
        let name = with.text(if matches!(self, Self::Job) { "job" } else { "schedule" });
        Ok(match state.as_str() {
            "disabling" | "enabling" => Next::Wait(format!("`{name}` is `{state}`")),
            "completed" | "terminating" | "deleting" => Next::Fail(format!("`{name}` is `{state}`")),
            state if (state == "active") == enabled => {
                Next::done(json!({ "state": state }), format!("`{name}` is `{state}`"))
            }
            _ => Next::send(self.write(with), format!("{} `{name}`", if enabled { "enable" } else { "disable" })),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![self.write(with)]
    }
}
