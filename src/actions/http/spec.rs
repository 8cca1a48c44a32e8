//! What `http` takes and gives, and what repeating it would do.

use serde_json::{Map, Value};

use super::super::params::entries;
use super::super::{expect, params, request};
use crate::catalogue::{ActionSpec, Effect, Field, Outputs, Type};

/// The methods, as runbooks write them.
const METHODS: [&str; 7] = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH"];

pub(super) static SPEC: ActionSpec = ActionSpec {
    name: "http",
    summary: "sends an HTTP request",
    docs: "Sends one request and reads the answer; outputs of the step's own come from the answer by `extract`. \
        A request that writes carries an `Idempotency-Key`, the same for every attempt of the step in a run. \
        It is never sent twice unasked: if the answer to a POST or PATCH is lost, says that the server failed, or \
        is a success but not what `expect` and `extract` want, the step is in doubt and no `retry` repeats it, \
        unless `observe` tells what happened or `idempotent` says that the \
        server can tell one request sent twice from two. What `observe` does not find within its time is sent once \
        more at the most. Redirects are followed for GET and HEAD only, \
        headers only within the same host. At most 1 MiB of the answer is read.",
    parameters: PARAMETERS,
    outputs: Outputs::Declared(OUTPUTS),
    effect,
    code: &[],
    is_check: true,
    rule: Some(rule),
    takes: |_| None,
    loss: None,
    permissions: &[],
};

const PARAMETERS: &[Field] = &[
    Field {
        name: "method",
        kind: || Type::Enum(METHODS.map(str::to_owned).to_vec()),
        required: false,
        doc: "`GET` if absent. GET, HEAD and OPTIONS are taken to change nothing, PUT and DELETE to be safe to repeat",
    },
    request::URL,
    request::HEADERS,
    Field {
        name: "query",
        kind: || Type::Map(Box::new(Type::Any)),
        required: false,
        doc: "what to add to the URL after `?`: text, numbers or bools, encoded as needed",
    },
    Field {
        name: "json",
        kind: || Type::Any,
        required: false,
        doc: "the body to send, as JSON, with the content type `application/json`; not together with `body`",
    },
    Field {
        name: "body",
        kind: || Type::String,
        required: false,
        doc: "the body to send, as text; set its content type under `headers`",
    },
    Field {
        name: "expect",
        kind: || Type::Record(&[expect::STATUSES, expect::CONTAINS, expect::JSON, expect::LATENCY]),
        required: false,
        doc: "what the answer must be for the step to succeed",
    },
    Field {
        name: "extract",
        kind: || Type::Map(Box::new(Type::String)),
        required: false,
        doc: "the step's own outputs: from the name declared under `outputs` to its JSON path in the answer, as in \
            `ticket: $.result.id`",
    },
    Field {
        name: "timeout",
        kind: || Type::Duration,
        required: false,
        doc: "how long to wait for the whole answer; `30s` if absent. Connecting is given up after 10s",
    },
    Field {
        name: "observe",
        kind: || Type::Record(OBSERVE),
        required: false,
        doc: "how to see whether the wanted state holds: a GET. It is asked before sending, to send nothing if the \
            state holds already, and after an answer was lost",
    },
    Field {
        name: "idempotent",
        kind: || Type::Bool,
        required: false,
        doc: "whether the server takes requests with the same `Idempotency-Key` for one",
    },
];

const OBSERVE: &[Field] = &[
    Field {
        name: "url",
        kind: || Type::String,
        required: false,
        doc: "the address to ask; the step's `url` if absent. Gets the step's `headers` if it is on the same host",
    },
    Field {
        name: "within",
        kind: || Type::Duration,
        required: false,
        doc: "how long the server may still carry out a POST or PATCH whose answer was lost; until then the state is \
            asked for again before it is sent once more. `1m` if absent",
    },
    expect::STATUSES,
    expect::JSON,
    expect::CONTAINS,
];

const OUTPUTS: &[Field] = &[
    Field { name: "status", kind: || Type::Int, required: true, doc: "the status of the answer" },
    Field {
        name: "latency_ms",
        kind: || Type::Int,
        required: true,
        doc: "how long the whole answer took, in milliseconds",
    },
    Field {
        name: "body",
        kind: || Type::String,
        required: true,
        doc: "the first 64 KiB of the answer's body, secrets masked",
    },
    Field {
        name: "json",
        kind: || Type::Any,
        required: true,
        doc: "the answer's body as JSON, secrets masked; null if it is no JSON",
    },
];

/// Whether an output is there without `extract`.
pub(super) fn is_fixed(name: &str) -> bool {
    OUTPUTS.iter().any(|field| field.name == name)
}

/// What repeating the request would do. A method that is not known is taken for the worst.
pub(super) fn effect(with: &Map<String, Value>) -> Effect {
    let writes = || match with.get("idempotent") {
        Some(Value::Bool(true)) => Effect::Idempotent,
        _ if with.get("observe").is_some_and(Value::is_object) => Effect::Observable,
        _ => Effect::UnsafeToRepeat,
    };
    match with.get("method").map(Value::as_str) {
        // What only a write has tells that the method is not absent but not known yet.
        None if ["json", "body", "observe", "idempotent"].iter().any(|name| with.contains_key(*name)) => {
            Effect::UnsafeToRepeat
        }
        None | Some(Some("GET" | "HEAD" | "OPTIONS")) => Effect::Reads,
        Some(Some("PUT" | "DELETE")) => Effect::Idempotent,
        Some(Some("POST" | "PATCH")) => writes(),
        Some(_) => Effect::UnsafeToRepeat,
    }
}

fn rule(with: &Map<String, Value>) -> Result<(), String> {
    params::url_rule(with, "url")?;
    request::headers_rule(with)?;
    body_rule(with)?;
    if let Some((name, _)) = entries(with, "query").find(|(_, value)| value.is_null() || is_nested(value)) {
        return Err(format!("at `query.{name}`: wanted text, a number or a bool"));
    }
    expect_rule(with, "expect")?;
    expect::paths_rule("extract", entries(with, "extract").filter_map(|(_, path)| path.as_str()))?;
    if let Some(name) = entries(with, "extract").map(|(name, _)| name).find(|name| is_fixed(name)) {
        return Err(format!("at `extract.{name}`: this output is always there: choose another name"));
    }
    observe_rule(with)
}

fn is_nested(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

fn body_rule(with: &Map<String, Value>) -> Result<(), String> {
    if with.contains_key("json") && with.contains_key("body") {
        return Err("`json` and `body` exclude each other: give one of them".to_owned());
    }
    let method = method(with);
    let only_writes = ["json", "body", "observe", "idempotent"].into_iter();
    let mut refused = only_writes.filter(|name| with.contains_key(*name));
    match refused.next() {
        Some(name) if matches!(method, "GET" | "HEAD" | "OPTIONS") => {
            Err(format!("at `{name}`: this is for requests that write, found the method `{method}`: set `method`"))
        }
        _ => Ok(()),
    }
}

fn method(with: &Map<String, Value>) -> &str {
    with.get("method").and_then(Value::as_str).unwrap_or("GET")
}

fn expect_rule(with: &Map<String, Value>, name: &str) -> Result<(), String> {
    let Some(wishes) = with.get(name).and_then(Value::as_object) else {
        return Ok(());
    };
    expect::status_rule(&format!("{name}.status"), wishes.get("status"))?;
    let place = format!("{name}.json");
    expect::paths_rule(&place, entries(wishes, "json").map(|(path, _)| path.as_str()))
}

fn observe_rule(with: &Map<String, Value>) -> Result<(), String> {
    let Some(observe) = with.get("observe").and_then(Value::as_object) else {
        return Ok(());
    };
    if observe.is_empty() {
        return Err("at `observe`: wanted at least one of `url`, `status`, `json`, `contains`".to_owned());
    }
    params::url_rule(observe, "url").map_err(|problem| problem.replacen("at `url`", "at `observe.url`", 1))?;
    expect_rule(with, "observe")
}
