//! Instances that a scenario names and that cannot be: of a step that runs once, or with the key of no item.

use serde_json::{Map, Value};

use super::Against;
use crate::diag::{Diagnostic, Patience, Span, listed};
use crate::plan::branches::Known;
use crate::plan::critical_path::handed_over;
use crate::plan::items;
use crate::plan::path::{Segment, segment};
use crate::runbook::ast::{RunIf, Runbook, Step};

/// What is wrong with the first key in the name of a step that is there; nothing where its items are not known before
/// the run. `inputs` are those of the rehearsal.
pub(super) fn missing(
    against: &Against<'_>,
    inputs: &Map<String, Value>,
    (name, span): (&str, Span),
) -> Option<Diagnostic> {
    let (mut runbook, mut inputs) = (against.runbook, inputs.clone());
    let mut rest = Some(name);
    while let Some(part) = rest.and_then(segment) {
        let step = runbook.steps.iter().find(|step| step.id.value == part.id)?;
        let before = name.len() - rest.map_or(0, str::len);
        let whole = |key: &str| {
            let after = part.rest.map(|rest| format!(".{rest}")).unwrap_or_default();
            format!("{}{}{key}{after}", &name[..before], part.id)
        };
        if let Some(problem) = problem(runbook, step, part, &inputs) {
            let known: Vec<String> = problem.keys.iter().map(|key| whole(&format!("[{key}]"))).collect();
            let known = if problem.keys.is_empty() { vec![whole("")] } else { known };
            let finding = Diagnostic::error("step", span, problem.message);
            let finding = problem.note.into_iter().fold(finding, Diagnostic::note);
            return Some(finding.suggest(name, Patience::default().with(known.iter().map(String::as_str))));
        }
        rest = part.rest;
        if rest.is_some() {
            let called = against.runbooks.called(runbook, step)?;
            inputs = handed_over(runbook, step, called, &inputs);
            runbook = called;
        }
    }
    None
}

struct Problem {
    message: String,
    note: Option<String>,
    /// The keys that there are.
    keys: Vec<String>,
}

/// Why there is no instance of that key.
fn problem(runbook: &Runbook, step: &Step, part: Segment<'_>, inputs: &Map<String, Value>) -> Option<Problem> {
    let (id, key) = (part.id, part.key?);
    let Some(for_each) = &step.for_each else {
        if step.repeat.is_some() || step.run_if == RunIf::Failure {
            let is_number = key.parse::<u32>().is_ok_and(|number| number > 0 && !key.starts_with('+'));
            let message = format!("`{id}` has no instance `{key}`: they are counted, from `{id}[1]` on");
            return (!is_number).then(|| Problem { message, note: None, keys: vec!["1".to_owned()] });
        }
        let message = format!("`{id}` has no instance `{key}`: it has no `for_each`, and runs once");
        return Some(Problem { message, note: None, keys: Vec::new() });
    };
    let value = runbook.expressions.render(&for_each.items, &Known::new(inputs)).ok()?.shown();
    let keys: Vec<String> = items(&value).ok()?.into_iter().map(|(key, _)| key).collect();
    if keys.iter().any(|known| known == key) {
        return None;
    }
    let there = listed(keys.iter().map(String::as_str));
    let note = if keys.is_empty() { "`for_each` has no items".to_owned() } else { format!("there are {there}") };
    Some(Problem { message: format!("`{id}` has no instance `{key}`"), note: Some(note), keys })
}
