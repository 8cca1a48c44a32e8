//! `probe.http`: whether a URL answers as it should.

use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::expect::{self, Expect};
use super::samples::{self, Sample, Sampling};
use super::{Action, Call, Context, Done, Failure, params, request};
use crate::catalogue::{ActionSpec, Field, HumanDuration, Outputs, Type};
use crate::edge::Act;
use crate::edge::http::{Request, exchange, merge_headers};

static SPEC: ActionSpec = ActionSpec {
    name: "probe.http",
    summary: "says whether a URL answers as it should",
    docs: "Asks several times, each time over a new connection. A target that is down, slow or answers \
        something else is a result, not a failure: read it from the output `healthy`. A sample is good if all \
        of `status`, `contains`, `json` and `latency` hold. Redirects are followed, headers only within the \
        same host. The step fails only if the samples could not be taken within its timeout.",
    parameters: &[
        request::URL,
        Field {
            name: "status",
            kind: || Type::Int,
            required: false,
            doc: "the status code that is good; any from 200 to 299 if absent",
        },
        Field {
            name: "method",
            kind: || Type::Enum(["GET", "HEAD"].map(str::to_owned).to_vec()),
            required: false,
            doc: "how to ask; `GET` if absent. `HEAD` answers without a body",
        },
        request::HEADERS,
        expect::CONTAINS,
        expect::JSON,
        expect::LATENCY,
        samples::SAMPLES,
        samples::EVERY,
        samples::THRESHOLD,
        samples::TIMEOUT,
    ],
    outputs: Outputs::Fixed(&[
        samples::HEALTHY,
        samples::VERDICT,
        samples::GOOD,
        samples::TAKEN,
        Field {
            name: "status",
            kind: || Type::Int,
            required: true,
            doc: "the status of the last answer; 0 if there was none",
        },
        samples::LATENCY_MS,
        samples::REASON,
    ]),
    effect: samples::effect,
    code: &[],
    is_check: true,
    rule: Some(rule),
    takes: |_| None,
    loss: None,
    permissions: &[],
};

fn rule(with: &Map<String, Value>) -> Result<(), String> {
    params::url_rule(with, "url")?;
    request::headers_rule(with)?;
    expect::status_rule("status", with.get("status"))?;
    expect::paths_rule("json", params::entries(with, "json").map(|(path, _)| path.as_str()))?;
    let wants_body = ["contains", "json"].into_iter().find(|name| with.contains_key(*name));
    match wants_body {
        Some(name) if with.get("method") == Some(&json!("HEAD")) => {
            Err(format!("at `{name}`: an answer to `HEAD` has no body to look at: use `GET`"))
        }
        _ => samples::rule(with),
    }
}

#[derive(Deserialize)]
struct Params {
    url: String,
    status: Option<u16>,
    method: Option<String>,
    #[serde(default)]
    headers: Map<String, Value>,
    contains: Option<String>,
    #[serde(default)]
    json: Map<String, Value>,
    latency: Option<HumanDuration>,
    #[serde(flatten)]
    sampling: Sampling,
}

impl Params {
    fn request(&self) -> Result<Request, String> {
        Ok(Request {
            method: if self.method.as_deref() == Some("HEAD") { Method::HEAD } else { Method::GET },
            url: Url::parse(&self.url).map_err(|error| format!("`url` is no URL: {error}"))?,
            headers: merge_headers(&self.headers, HeaderMap::new())?,
            body: None,
        })
    }

    fn expect(&self) -> Expect {
        Expect {
            status: self.status.into_iter().collect(),
            contains: self.contains.clone(),
            json: self.json.clone(),
            latency: self.latency,
        }
    }
}

/// The action `probe.http`.
pub struct ProbeHttp;

impl Action for ProbeHttp {
    fn spec(&self) -> &'static ActionSpec {
        &SPEC
    }

    fn preview(&self, with: &Map<String, Value>) -> Vec<String> {
        let mut lines = request::preview(with);
        let wishes = ["status", "contains", "json", "latency"].into_iter();
        lines.extend(wishes.filter_map(|name| Some(format!("wanted: {name} {}", params::plain(with.get(name)?)))));
        lines.push(Sampling::deserialize(with).unwrap_or_default().preview());
        lines
    }

    fn apply<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Result<Done, Failure>> {
        Box::pin(async move {
            let params: Params = params::read(&call.with)?;
            let request = params.request().map_err(Failure::Failed)?;
            let expect = params.expect();
            let target = format!("`{}`", params::shown_url(&context.secrets, &params.url));
            let absent = Map::from_iter([("status".to_owned(), json!(0))]);
            let look = || sample(context, &expect, request.clone());
            samples::probe((context, call), (&params.sampling, &target), absent, look).await
        })
    }
}

async fn sample(context: &Context, expect: &Expect, request: Request) -> Sample {
    match exchange(&context.http, &*context.clock, request).await {
        Err(lost) => Sample::lost(lost.to_string()),
        Ok(answer) => Sample {
            problem: expect.judge(&answer, &context.secrets).err(),
            latency: Some(answer.latency),
            seen: Map::from_iter([("status".to_owned(), json!(answer.status))]),
        },
    }
}
