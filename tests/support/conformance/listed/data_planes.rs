//! Calls that do not go to Resource Manager: the services' own endpoints.

use super::super::plane::{BATCH, BLOB, COMMUNICATION, DATABRICKS, KEY_VAULT, METRICS, Plane};
use super::Body::{May, Must, None};
use super::{Body, Row};

const fn call(
    plane: &'static Plane,
    method: &'static str,
    path: &'static str,
    version: &'static str,
    body: Body,
) -> Row {
    Row { method, plane, path, version, query: &[], body, why: "the file has Resource Manager only" }
}

const fn vault(method: &'static str, path: &'static str, body: Body) -> Row {
    call(&KEY_VAULT, method, path, "2026-04-01", body)
}

const fn batch(method: &'static str, path: &'static str, body: Body) -> Row {
    call(&BATCH, method, path, "2025-06-01", body)
}

const fn databricks(method: &'static str, path: &'static str, body: Body) -> Row {
    call(&DATABRICKS, method, path, "", body)
}

const BACKUP: &str = r#"{"value*": "string"}"#;

const RESIZE: &str = r#"{"targetDedicatedNodes": "integer", "targetLowPriorityNodes": "integer",
    "resizeTimeout": "string", "nodeDeallocationOption": "=requeue|terminate|taskcompletion|retaineddata"}"#;

const JOB_SETTINGS: &str = r#"{"job_id*": "integer", "fields_to_remove": ["string"], "new_settings*": {
    "schedule": {"quartz_cron_expression*": "string", "timezone_id*": "string", "pause_status": "=PAUSED|UNPAUSED"},
    "continuous": {"pause_status": "=PAUSED|UNPAUSED", "task_retry_mode": "string"},
    "trigger": {"pause_status": "=PAUSED|UNPAUSED", "file_arrival": "object", "table_update": "object",
        "periodic": "object"}}}"#;

const RUN_NOW: &str = r#"{"job_id*": "integer", "idempotency_token": "string", "job_parameters": {"*": "string"},
    "notebook_params": {"*": "string"}, "jar_params": ["string"], "python_params": ["string"],
    "python_named_params": {"*": "string"}, "sql_params": {"*": "string"}, "only": ["string"],
    "queue": {"enabled*": "boolean"}}"#;

const MAIL: &str = r#"{"senderAddress*": "string",
    "content*": {"subject*": "string", "plainText": "string", "html": "string"},
    "recipients*": {"to": [{"address*": "string", "displayName": "string"}],
        "cc": [{"address*": "string", "displayName": "string"}],
        "bcc": [{"address*": "string", "displayName": "string"}]},
    "replyTo": [{"address*": "string", "displayName": "string"}],
    "headers": {"*": "string"}, "userEngagementTrackingDisabled": "boolean",
    "attachments": [{"name*": "string", "contentType*": "string", "contentInBase64*": "string",
        "contentId": "string"}]}"#;

const SHORT_MESSAGE: &str = r#"{"from*": "string", "message*": "string",
    "smsRecipients*": [{"to*": "string", "repeatabilityRequestId": "string", "repeatabilityFirstSent": "string"}],
    "smsSendOptions": {"enableDeliveryReport*": "boolean", "tag": "string"}}"#;

pub const ROWS: &[Row] = &[
    vault("GET", "/secrets", None).query(&["maxresults"]),
    vault("GET", "/secrets/{name}/versions", None).query(&["maxresults"]),
    vault("GET", "/secrets/{name}/{version}", None),
    // Without a version: the current one (Key Vault REST reference, Get Secret and Get Certificate).
    vault("GET", "/secrets/{name}", None),
    vault("GET", "/certificates/{name}", None),
    vault("POST", "/secrets/{name}/backup", None),
    vault("POST", "/secrets/restore", Must(BACKUP)),
    vault("GET", "/deletedsecrets", None).query(&["maxresults"]),
    vault("GET", "/deletedsecrets/{name}", None),
    vault("POST", "/deletedsecrets/{name}/recover", None),
    vault("GET", "/certificates", None).query(&["includePending", "maxresults"]),
    vault("GET", "/certificates/{name}/versions", None).query(&["maxresults"]),
    vault("GET", "/certificates/{name}/{version}", None),
    vault("POST", "/certificates/{name}/backup", None),
    vault("POST", "/certificates/restore", Must(BACKUP)),
    vault("GET", "/deletedcertificates", None).query(&["includePending", "maxresults"]),
    vault("GET", "/deletedcertificates/{name}", None),
    vault("POST", "/deletedcertificates/{name}/recover", None),
    batch("GET", "/nodecounts", None).query(&["$filter", "maxresults"]),
    batch("GET", "/pools/{pool}", None).query(&["$select", "$expand"]),
    batch("POST", "/pools/{pool}/resize", Must(RESIZE)),
    batch("GET", "/jobs/{job}", None).query(&["$select", "$expand"]),
    batch("POST", "/jobs/{job}/disable", Must(r#"{"disableTasks*": "=requeue|terminate|wait"}"#)),
    batch("POST", "/jobs/{job}/enable", None),
    batch("POST", "/jobs/{job}/terminate", May(r#"{"terminateReason": "string"}"#)).query(&["force"]),
    batch("GET", "/jobschedules/{schedule}", None).query(&["$select", "$expand"]),
    batch("POST", "/jobschedules/{schedule}/disable", None),
    batch("POST", "/jobschedules/{schedule}/enable", None),
    databricks("GET", "/api/2.2/jobs/list", None).query(&["limit", "page_token", "name", "expand_tasks"]),
    databricks("GET", "/api/2.2/jobs/get", None).query(&["job_id*", "page_token"]),
    databricks("POST", "/api/2.2/jobs/update", Must(JOB_SETTINGS)),
    databricks("POST", "/api/2.2/jobs/run-now", Must(RUN_NOW)),
    databricks("GET", "/api/2.2/jobs/runs/get", None).query(&["run_id*", "include_history", "page_token"]),
    databricks("GET", "/api/2.2/jobs/runs/list", None).query(&["job_id", "active_only", "limit", "page_token"]),
    databricks("POST", "/api/2.2/jobs/runs/cancel", Must(r#"{"run_id*": "integer"}"#)),
    databricks("POST", "/api/2.2/jobs/runs/cancel-all", Must(r#"{"job_id": "integer", "all_queued_runs": "boolean"}"#)),
    call(
        &METRICS,
        "POST",
        "/subscriptions/{subscription}/metrics:getBatch",
        "2024-02-01",
        Must(r#"{"resourceids*": ["string"]}"#),
    )
    .query(&[
        "metricnamespace*",
        "metricnames*",
        "starttime",
        "endtime",
        "interval",
        "aggregation",
        "filter",
        "top",
        "orderby",
        "rollupby",
    ]),
    call(&BLOB, "PUT", "/", "", Must(r#""string""#)).query(&["restype*", "comp*"]),
    call(&COMMUNICATION, "POST", "/emails:send", "2025-09-01", Must(MAIL)),
    call(&COMMUNICATION, "POST", "/sms", "2021-03-07", Must(SHORT_MESSAGE)),
];
