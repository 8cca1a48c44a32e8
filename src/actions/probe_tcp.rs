//! `probe.tcp`: whether a port accepts connections.

use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::net::TcpStream;

use super::samples::{self, Sample, Sampling};
use super::{Action, Call, Context, Done, Failure, params};
use crate::catalogue::{ActionSpec, Field, Outputs, Type};
use crate::edge::Act;

static SPEC: ActionSpec = ActionSpec {
    name: "probe.tcp",
    summary: "says whether a port accepts connections",
    docs: "Connects several times and closes the connection at once. A target that is down is a result, not a \
        failure: read it from the output `healthy`. The step fails only if the samples could not be taken \
        within its timeout.",
    parameters: &[
        Field { name: "host", kind: || Type::String, required: true, doc: "the name or address of the host" },
        Field { name: "port", kind: || Type::Int, required: true, doc: "the port, from 1 to 65535" },
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
    match with.get("port") {
        Some(port) if !port.as_i64().is_some_and(|port| (1..=65535).contains(&port)) => {
            Err(format!("at `port`: wanted a number from 1 to 65535, found `{port}`"))
        }
        _ => samples::rule(with),
    }
}

#[derive(Deserialize)]
struct Params {
    host: String,
    port: u16,
    #[serde(flatten)]
    sampling: Sampling,
}

impl Params {
    /// The host as the system wants it: an IPv6 address without brackets.
    fn host(&self) -> &str {
        let inside = self.host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        inside.unwrap_or(&self.host)
    }
}

/// The action `probe.tcp`.
pub struct ProbeTcp;

impl Action for ProbeTcp {
    fn spec(&self) -> &'static ActionSpec {
        &SPEC
    }

    fn preview(&self, with: &Map<String, Value>) -> Vec<String> {
        let [host, port] = ["host", "port"].map(|name| with.get(name).map_or_else(String::new, params::plain));
        let sampling = Sampling::deserialize(with).unwrap_or_default();
        vec![format!("connect to {host}, port {port}"), sampling.preview()]
    }

    fn apply<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Result<Done, Failure>> {
        Box::pin(async move {
            let params: Params = params::read(&call.with)?;
            let target = format!("`{}` port {}", context.secrets.mask(&params.host), params.port);
            let look = || connect(context, &params);
            samples::probe((context, call), (&params.sampling, &target), Map::new(), look).await
        })
    }
}

async fn connect(context: &Context, params: &Params) -> Sample {
    let begin = context.clock.now();
    match TcpStream::connect((params.host(), params.port)).await {
        Ok(_) => Sample { latency: Some(begin.until(context.clock.now())), ..Sample::default() },
        Err(error) => Sample::lost(error.to_string()),
    }
}
