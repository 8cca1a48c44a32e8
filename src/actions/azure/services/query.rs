//! Asking Azure: a metric, the Resource Graph, or any request there is no action for.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{metrics, operations};
use crate::actions::azure::fields::{
    CHECK, HEALTHY, REASON, any, anywhere, boolean, duration, int, may, must, string, words,
};
use crate::actions::azure::read::{items, pascal, text};
use crate::actions::azure::request::segment;
use crate::actions::azure::{Api, Known, Method, Next, Operation, Request, With};
use crate::catalogue::{ActionSpec, Effect, Field, Outputs, Takes, Timestamp, Type};

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![Metric, ResourceGraph, AnyRequest]
}

struct Metric;

static METRIC: ActionSpec = ActionSpec {
    name: "azure.metric",
    summary: "reads a metric of a resource and compares it with a limit",
    docs: "Reads the last value of a metric that is not older than `window`. A metric without a value is unhealthy and \
        unknown, never zero: metrics of a region that is down stop coming.",
    parameters: anywhere![
        must("resource", string, "the id of the resource; from `/resourceGroups/` on it is in the subscription"),
        must("metric", string, "the name of the metric"),
        may(
            "aggregation",
            || words(["average", "maximum", "minimum", "total", "count"]),
            "how the values of a minute become one; `average` if absent",
        ),
        may("window", duration, "how old the last value may be; `5m` if absent"),
        may("at_most", || Type::Number, "healthy means: no more than this"),
        may("at_least", || Type::Number, "healthy means: no less than this"),
    ],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("value", any, "the last value; null if there is none"),
        must("measured_at", string, "when that was; empty if there is none"),
    ]),
    permissions: &["Microsoft.Insights/metrics/read"],
    ..CHECK
};

impl Operation for Metric {
    fn spec(&self) -> &'static ActionSpec {
        &METRIC
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let resource = with.resource_in("", "", with.text("resource"), "");
        let (metric, aggregation) = (with.text("metric"), pascal(with.option("aggregation").unwrap_or("average")));
        let answer = known.body(&metrics::request(&resource, metric, &aggregation))?;
        let window = with.duration("window").unwrap_or(std::time::Duration::from_mins(5));
        let is_fresh = |moment: &str| {
            Timestamp::parse(moment)
                .is_ok_and(|moment| moment.until(known.now) <= window + std::time::Duration::from_mins(1))
        };
        let last = metrics::values(answer, &aggregation).into_iter().rfind(|(moment, _)| is_fresh(moment));
        let Some((moment, value)) = last else {
            let reason = format!("`{metric}` of `{}` has no value: it is not known", resource.name());
            let outputs = json!({ "healthy": false, "reason": reason, "value": null, "measured_at": "" });
            return Ok(Next::done(outputs, reason));
        };
        let limit = |name: &str| with.value(name).and_then(Value::as_f64);
        let healthy =
            limit("at_most").is_none_or(|most| value <= most) && limit("at_least").is_none_or(|least| value >= least);
        let reason = format!("`{metric}` of `{}` is {value}", resource.name());
        let outputs = json!({ "healthy": healthy, "reason": reason, "value": value, "measured_at": moment });
        Ok(Next::done(outputs, reason))
    }
}

struct ResourceGraph;

static RESOURCE_GRAPH: ActionSpec = ActionSpec {
    name: "azure.resource_graph.query",
    summary: "asks the Resource Graph across resource groups",
    docs: "Runs a query over the subscription's resources. The Resource Graph follows changes with a delay: never use it \
        to verify a failover. All its pages are read; let the query `take` what is wanted.",
    parameters: anywhere![must("query", string, "the query, in Kusto")],
    outputs: Outputs::Fixed(&[
        must("rows", || Type::List(Box::new(any())), "the rows"),
        must("count", int, "how many there are"),
    ]),
    is_check: false,
    permissions: &["Microsoft.ResourceGraph/resources/read"],
    ..CHECK
};

impl ResourceGraph {
    /// The page that a token of the one before it names; the first one without a token.
    fn page(with: &With<'_>, token: &str) -> Request {
        let path = "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01";
        let mut options = json!({ "resultFormat": "objectArray", "$top": 1000 });
        if !token.is_empty() {
            options["$skipToken"] = json!(token);
        }
        Request::new(Api::Arm, Method::Post, path).body(json!({
            "subscriptions": [with.text("subscription")],
            "query": with.text("query"),
            "options": options,
        }))
    }
}

impl Operation for ResourceGraph {
    fn spec(&self) -> &'static ActionSpec {
        &RESOURCE_GRAPH
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (mut rows, mut token) = (Vec::new(), String::new());
        loop {
            let answer = known.body(&Self::page(with, &token))?;
            rows.extend(items(answer, "/data"));
            text(answer, "/$skipToken").clone_into(&mut token);
            if token.is_empty() {
                return Ok(Next::done(json!({ "rows": rows, "count": rows.len() }), format!("{} rows", rows.len())));
            }
        }
    }
}

struct AnyRequest;

const METHODS: [&str; 5] = ["GET", "PUT", "PATCH", "POST", "DELETE"];
const JSON: Field = may("json", any, "the body to send");

static REQUEST: ActionSpec = ActionSpec {
    name: "azure.request",
    summary: "sends any request to Resource Manager",
    docs: "For what has no action of its own. Long operations are followed to their end. A GET reads; PUT and DELETE are \
        taken to be safe to repeat; PATCH and POST are sent once, and a lost answer leaves the step in doubt.",
    parameters: anywhere![
        may("method", || words(METHODS), "`GET` if absent"),
        must(
            "path",
            string,
            "the path, from `/subscriptions/` or `/providers/` on; from `/resourceGroups/` on it is in the subscription"
        ),
        must("api_version", string, "the api-version"),
        may("query", || Type::Map(Box::new(Type::String)), "what else to add to the URL"),
        JSON,
    ],
    outputs: Outputs::Fixed(&[
        must("found", boolean, "whether there is such a thing: `false` after a 404"),
        must("body", any, "the answer, or the result of the long operation"),
    ]),
    effect: |with| match with.get("method").map(Value::as_str) {
        None | Some(Some("GET")) => Effect::Reads,
        Some(Some("PUT" | "DELETE")) => Effect::Idempotent,
        Some(_) => Effect::UnsafeToRepeat,
    },
    is_check: false,
    rule: Some(|with| match (with.get("path").and_then(Value::as_str), with.get("method")) {
        (Some(path), _) if !path.starts_with('/') || path.contains('?') => {
            Err(format!("at `path`: wanted a path that begins with `/` and has no `?`, found `{path}`"))
        }
        (_, method) if with.contains_key("json") && method.is_none_or(|method| method == "GET") => {
            Err("a GET sends no body: give the `method` that `json` goes with, such as `PUT`".to_owned())
        }
        _ => Ok(()),
    }),
    takes: |_| Takes::guess(2, 30),
    ..CHECK
};

impl AnyRequest {
    fn request(with: &With<'_>) -> Request {
        let method = match with.option("method") {
            Some("PUT") => Method::Put,
            Some("PATCH") => Method::Patch,
            Some("POST") => Method::Post,
            Some("DELETE") => Method::Delete,
            _ => Method::Get,
        };
        let query = with.entries("query").filter_map(|(name, value)| Some((name, value.as_str()?)));
        let query: String = query.map(|(name, value)| format!("&{}={}", segment(name), segment(value))).collect();
        let path = format!("{}?api-version={}{query}", with.path(with.text("path")), segment(with.text("api_version")));
        let request = Request::new(Api::Arm, method, path);
        match with.value("json") {
            Some(body) => request.body(body.clone()),
            None => request,
        }
    }
}

impl Operation for AnyRequest {
    fn spec(&self) -> &'static ActionSpec {
        &REQUEST
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let request = Self::request(with);
        if request.method == Method::Get {
            let body = known.find(&request)?;
            return Ok(Next::done(json!({ "found": body.is_some(), "body": body }), "read"));
        }
        let what = format!("{} {}", request.method, with.text("path"));
        Ok(match (known.sent(&request), request.method) {
            (Some(result), _) => Next::done(json!({ "found": true, "body": result }), "done"),
            (None, Method::Put | Method::Delete) => Next::send(request, what),
            (None, _) => Next::send_once(request, what),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        Some(Self::request(with)).into_iter().filter(|request| request.method != Method::Get).collect()
    }
}
