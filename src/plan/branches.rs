//! What conditions come to for each way a run can be started, as far as that is known before it.

use serde_json::{Map, Value};

use super::runbooks::is_call;
use crate::catalogue::Type;
use crate::runbook::ast::{Input, Runbook, Step};
use crate::runbook::expr::{ExprId, Scope, Undefined};

/// The most ways that are looked at, and the most looks at steps in all: a check of a runbook stays quick.
const MOST_BRANCHES: usize = 64;
const MOST_LOOKS: usize = 20_000;

/// The ways a run can be started, as far as they decide what is done.
#[derive(Debug)]
pub struct Branches {
    /// Values of enums and bools; the only one is empty where nothing decides.
    pub ways: Vec<Map<String, Value>>,
    /// Inputs whose values are not told apart, because the ways would be too many: nothing is known of them.
    pub left_out: Vec<String>,
}

/// Every way the enums and bools can be given that conditions and calls read.
#[must_use]
pub fn branches(runbook: &Runbook) -> Branches {
    let most = (MOST_LOOKS / runbook.steps.len().max(1)).clamp(1, MOST_BRANCHES);
    let deciding: Vec<ExprId> = runbook.steps.iter().flat_map(deciding).collect();
    let (mut ways, mut left_out) = (vec![Map::new()], Vec::new());
    for input in &runbook.inputs {
        let values = values(input);
        let is_read = deciding.iter().any(|id| reads(runbook, *id, &input.name.value));
        if !is_read || values.is_empty() {
            continue;
        }
        if ways.len() * values.len() > most {
            left_out.push(input.name.value.clone());
            continue;
        }
        let with = |way: &Map<String, Value>, value: &Value| {
            let mut way = way.clone();
            way.insert(input.name.value.clone(), value.clone());
            way
        };
        ways = ways.iter().flat_map(|way| values.iter().map(|value| with(way, value))).collect();
    }
    Branches { ways, left_out }
}

/// What decides what is done: a condition, and what a called runbook is handed over.
fn deciding(step: &Step) -> Vec<ExprId> {
    let mut found: Vec<_> = step.when.into_iter().collect();
    if is_call(step) {
        step.action.with.value.expressions(&mut found);
    }
    found
}

fn reads(runbook: &Runbook, id: ExprId, input: &str) -> bool {
    let paths = &runbook.expressions.get(id).scan.paths;
    paths.iter().any(|path| path.parts[0] == "inputs" && path.parts.get(1).is_some_and(|name| name == input))
}

/// All values an input can have, where they are few.
fn values(input: &Input) -> Vec<Value> {
    match &input.kind {
        Type::Enum(words) => words.iter().cloned().map(Value::String).collect(),
        Type::Bool => vec![Value::Bool(false), Value::Bool(true)],
        _ => Vec::new(),
    }
}

/// Whether the step's condition holds where these inputs are known; nothing where more has to be known.
#[must_use]
pub fn holds(runbook: &Runbook, step: &Step, known: &Known) -> Option<bool> {
    let Some(when) = step.when else { return Some(true) };
    let paths = &runbook.expressions.get(when).scan.paths;
    // What has a default reads well where nothing is known, and says nothing.
    if paths.iter().any(|path| path.parts[0] != "inputs") {
        return None;
    }
    runbook.expressions.condition(when, known).ok()
}

/// What is known of a runbook's inputs before a run.
pub struct Known {
    inputs: tera::Value,
    names: Vec<String>,
}

impl Known {
    /// These inputs, and no others.
    #[must_use]
    pub fn new(inputs: &Map<String, Value>) -> Self {
        let names = inputs.keys().cloned().collect();
        Self { inputs: tera::Value::try_from_serializable(inputs).unwrap_or_else(|_| tera::Value::undefined()), names }
    }
}

impl Scope for Known {
    fn root(&self, name: &str) -> Option<tera::Value> {
        (name == "inputs").then(|| self.inputs.clone())
    }

    fn step(&self, id: &str) -> Option<Result<tera::Value, Undefined>> {
        Some(Err(Undefined::Unknown(format!("steps.{id}"))))
    }

    fn is_unknown(&self, root: &str, name: Option<&str>) -> bool {
        root == "inputs" && name.is_none_or(|input| !self.names.iter().any(|name| name == input))
    }
}
