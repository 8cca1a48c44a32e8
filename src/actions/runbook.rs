//! `runbook`: runs another runbook as one step. The engine does that; this knows only how it is written.

use serde_json::{Map, Value};

use super::{Action, Call, Context, Done, Failure, params};
use crate::catalogue::{ActionSpec, Effect, Field, Outputs, Type};
use crate::edge::Act;
use crate::plan::runbooks::CALL;
use crate::runbook::ast::Kind;

static SPEC: ActionSpec = ActionSpec {
    name: CALL,
    summary: "runs another runbook of the workspace",
    docs: "Runs the steps of another runbook, in the same run and the same journal: a step of it is called \
        `STEP.ITS_STEP`. Its gates hold, and its steps say themselves what happens when they fail and how they are \
        undone. The step's outputs are the top-level `outputs` of that runbook. A secret input takes a secret of the \
        caller, as `{{ inputs.NAME }}` and nothing else; without one it is read where the called runbook says.",
    parameters: &[
        Field { name: "runbook", kind: || Type::String, required: true, doc: "the runbook's name" },
        Field {
            name: "kind",
            kind: || Type::Enum(Kind::ALL.map(|kind| kind.name().to_owned()).to_vec()),
            required: false,
            doc: "its kind, if it is not that of the caller",
        },
        Field { name: "inputs", kind: || Type::Map(Box::new(Type::Any)), required: false, doc: "its inputs, by name" },
        Field {
            name: "communication",
            kind: || Type::Bool,
            required: false,
            doc: "whether its communication phase runs too (false)",
        },
    ],
    outputs: Outputs::Fixed(&[]),
    effect: |_| Effect::UnsafeToRepeat,
    code: &[],
    is_check: false,
    rule: None,
    takes: |_| None,
    loss: None,
    permissions: &[],
};

/// The action.
pub struct Runbook;

impl Action for Runbook {
    fn spec(&self) -> &'static ActionSpec {
        &SPEC
    }

    fn preview(&self, with: &Map<String, Value>) -> Vec<String> {
        vec![format!("run the runbook {}", with.get("runbook").map_or_else(String::new, params::plain))]
    }

    fn apply<'a>(&'a self, _context: &'a Context, _call: &'a Call) -> Act<'a, Result<Done, Failure>> {
        Box::pin(async { Err(Failure::Failed("the steps of the runbook do its work".to_owned())) })
    }
}
