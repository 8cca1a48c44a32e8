//! `wait`: lets time pass, through a crash too.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::limits::read_within;
use super::{Action, Call, Context, Done, Failure, params};
use crate::catalogue::{ActionSpec, Effect, Field, HumanDuration, Outputs, Timestamp, Type};
use crate::edge::Act;

/// The clock is asked again after this long: sleeping does not count the time a machine is suspended.
const SLICE: Duration = Duration::from_secs(30);

static SPEC: ActionSpec = ActionSpec {
    name: "wait",
    summary: "waits for a while or until a time",
    docs: "Waits `for` a while or `until` a point in time. The end is fixed when the wait begins: a run that is \
        resumed waits only for what is left. The step's timeout must be longer than the wait.",
    parameters: &[
        Field {
            name: "for",
            kind: || Type::Duration,
            required: false,
            doc: "how long to wait, such as `5m`; either this or `until`",
        },
        Field {
            name: "until",
            kind: || Type::String,
            required: false,
            doc: "when to go on, such as `2026-11-20T23:37:00Z`; over at once if that has passed",
        },
    ],
    outputs: Outputs::Fixed(&[]),
    effect: |_| Effect::Reads,
    code: &[],
    is_check: false,
    rule: Some(rule),
    takes: |_| None,
    loss: None,
    permissions: &[],
};

fn rule(with: &Map<String, Value>) -> Result<(), String> {
    match (with.contains_key("for"), with.get("until")) {
        (true, Some(_)) => Err("`for` and `until` exclude each other: give one of them".to_owned()),
        (false, None) => Err("wanted `for` or `until`, found neither".to_owned()),
        (_, Some(Value::String(until))) => {
            Timestamp::parse(until).map(drop).map_err(|why| format!("at `until`: {why}"))
        }
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
struct Params {
    #[serde(rename = "for")]
    span: Option<HumanDuration>,
    until: Option<Timestamp>,
}

/// What is journaled: the absolute end.
#[derive(Deserialize, Serialize)]
struct Handle {
    until: Timestamp,
}

/// The action `wait`.
pub struct Wait;

impl Action for Wait {
    fn spec(&self) -> &'static ActionSpec {
        &SPEC
    }

    fn preview(&self, with: &Map<String, Value>) -> Vec<String> {
        let names = ["for", "until"].into_iter();
        let lines = names.filter_map(|name| Some(format!("wait {name} {}", params::plain(with.get(name)?))));
        lines.collect()
    }

    fn apply<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Result<Done, Failure>> {
        Box::pin(async move {
            let params: Params = params::read(&call.with)?;
            let now = context.clock.now();
            let until = params.until.unwrap_or_else(|| now.plus(params.span.unwrap_or_default().0));
            let span = HumanDuration(now.until(until));
            if span.0 >= call.timeout {
                let timeout = HumanDuration(call.timeout);
                return Err(Failure::Failed(format!(
                    "the wait of {span} must be shorter than the step's timeout of {timeout}: raise `timeout`"
                )));
            }
            (context.handle)(json!(Handle { until })).await?;
            wait(context, call, until).await
        })
    }

    fn attach<'a>(
        &'a self,
        context: &'a Context,
        call: &'a Call,
        handle: &'a Value,
    ) -> Option<Act<'a, Result<Done, Failure>>> {
        let Handle { until } = Handle::deserialize(handle).ok()?;
        Some(Box::pin(wait(context, call, until)))
    }
}

async fn wait(context: &Context, call: &Call, until: Timestamp) -> Result<Done, Failure> {
    let pass = async {
        loop {
            let left = context.clock.now().until(until);
            if left.is_zero() {
                return Ok(());
            }
            context.clock.sleep(left.min(SLICE)).await;
        }
    };
    read_within(context, call.timeout, pass).await?;
    Ok(Done { note: format!("waited until {until}"), ..Done::default() })
}
