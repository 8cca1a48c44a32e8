//! `assert`: goes on only if a condition holds.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, Call, Context, Done, Failure, params};
use crate::catalogue::{ActionSpec, Effect, Field, Outputs, Type};
use crate::edge::Act;

static SPEC: ActionSpec = ActionSpec {
    name: "assert",
    summary: "fails unless a condition holds",
    docs: "Fails unless `that` is true. Say in `message` what does not hold and what to do about it: it is what \
        the operator reads.",
    parameters: &[
        Field {
            name: "that",
            kind: || Type::Bool,
            required: true,
            doc: "the condition, as in `\"{{ steps.lag.outputs.seconds < 60 }}\"`",
        },
        Field { name: "message", kind: || Type::String, required: false, doc: "what to say if it does not hold" },
    ],
    outputs: Outputs::Fixed(&[]),
    effect: |_| Effect::Reads,
    code: &[],
    is_check: true,
    rule: None,
    takes: |_| None,
    loss: None,
    permissions: &[],
};

#[derive(Deserialize)]
struct Params {
    that: bool,
    message: Option<String>,
}

/// The action `assert`.
pub struct Assert;

impl Action for Assert {
    fn spec(&self) -> &'static ActionSpec {
        &SPEC
    }

    fn preview(&self, with: &Map<String, Value>) -> Vec<String> {
        let text = |name: &str| with.get(name).map(params::plain);
        let mut lines = vec![format!("fail unless {}", text("that").unwrap_or_default())];
        lines.extend(text("message").map(|message| format!("saying: {message}")));
        lines
    }

    fn apply<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Result<Done, Failure>> {
        Box::pin(async move {
            let params: Params = params::read(&call.with)?;
            if !params.that {
                let message = params.message.unwrap_or_else(|| "the condition does not hold".to_owned());
                return Err(Failure::Failed(context.secrets.mask(&message)));
            }
            Ok(Done { note: "the condition holds".to_owned(), ..Done::default() })
        })
    }
}
