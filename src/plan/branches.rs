//! What conditions come to for each way a run can be started, as far as that is known before it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::catalogue::Type;
use crate::runbook::ast::{Input, Runbook, Step};
use crate::runbook::expr::{ExprId, Scope, Undefined};

/// The inputs that are known, by name.
pub type Known = BTreeMap<String, Value>;

/// The most ways that are looked at, and the most looks at conditions in all.
const MOST_BRANCHES: usize = 32;
const MOST_LOOKS: usize = 4_000;

/// Every way the enums and bools that conditions read can be given, beside what is `given` already. Where there are
/// too many, some stay unknown.
#[must_use]
pub fn branches(runbook: &Runbook, given: &Known) -> Vec<Known> {
    let conditions: Vec<ExprId> = runbook.steps.iter().filter_map(|step| step.when).collect();
    let most = MOST_BRANCHES.min(MOST_LOOKS / conditions.len().max(1));
    let mut branches = vec![given.clone()];
    for input in runbook.inputs.iter().filter(|input| !given.contains_key(&input.name.value)) {
        let values = values(input);
        let is_read = conditions.iter().any(|id| reads(runbook, *id, &input.name.value));
        if is_read && !values.is_empty() && branches.len() * values.len() <= most {
            let with = |branch: &Known, value: &Value| {
                let mut branch = branch.clone();
                branch.insert(input.name.value.clone(), value.clone());
                branch
            };
            branches = branches.iter().flat_map(|branch| values.iter().map(|value| with(branch, value))).collect();
        }
    }
    branches
}

/// Whether the step's condition holds where these inputs are given; nothing where more has to be known.
#[must_use]
pub fn holds(runbook: &Runbook, step: &Step, given: &Known) -> Option<bool> {
    let Some(when) = step.when else { return Some(true) };
    let paths = &runbook.expressions.get(when).scan.paths;
    // What has a default reads well where nothing is known, and says nothing.
    if paths.iter().any(|path| path.parts[0] != "inputs") {
        return None;
    }
    runbook.expressions.condition(when, &Inputs(given)).ok()
}

/// All values an input can have, where they are few.
fn values(input: &Input) -> Vec<Value> {
    match &input.kind {
        Type::Enum(words) => words.iter().cloned().map(Value::String).collect(),
        Type::Bool => vec![Value::Bool(false), Value::Bool(true)],
        _ => Vec::new(),
    }
}

fn reads(runbook: &Runbook, id: ExprId, input: &str) -> bool {
    let paths = &runbook.expressions.get(id).scan.paths;
    paths.iter().any(|path| path.parts[0] == "inputs" && path.parts.get(1).is_some_and(|name| name == input))
}

struct Inputs<'k>(&'k Known);

impl Scope for Inputs<'_> {
    fn root(&self, name: &str) -> Option<tera::Value> {
        if name == "inputs" { tera::Value::try_from_serializable(self.0).ok() } else { None }
    }

    fn step(&self, _id: &str) -> Option<Result<tera::Value, Undefined>> {
        None
    }

    fn is_unknown(&self, input: Option<&str>) -> bool {
        input.is_none_or(|input| !self.0.contains_key(input))
    }
}
