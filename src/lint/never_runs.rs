//! Every step can run.

use serde_json::Value;

use super::Subject;
use crate::diag::Diagnostic;
use crate::plan::branches::{Known, branches, holds};
use crate::runbook::expr::Templated;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let ways: Vec<Known> = branches(subject.runbook).ways.iter().map(Known::new).collect();
    for (at, step) in subject.steps() {
        let id = &step.id;
        if subject.doubts(at, &["when", "for_each"]) {
            let message = format!("`{}` never runs, for all that can be read", id.value);
            found.push(Diagnostic::warning("never-runs", id.span, message));
        }
        if let Some(when) = step.when
            && ways.iter().all(|inputs| holds(subject.runbook, step, inputs) == Some(false))
        {
            let expression = subject.runbook.expressions.get(when);
            let message = format!("`{}` never runs: its condition is false whatever the inputs are", id.value);
            found.push(Diagnostic::warning("never-runs", expression.span, message).note("delete the step, or mend it"));
        }
        let items = step.for_each.as_ref().map(|for_each| (&for_each.items, for_each.span));
        if let Some((Templated::Plain(items), span)) = items
            && is_empty(items)
        {
            let message = format!("`{}` never runs: its `for_each` has no items", id.value);
            found.push(Diagnostic::warning("never-runs", span, message));
        }
    }
}

fn is_empty(items: &Value) -> bool {
    items.as_array().is_some_and(Vec::is_empty) || items.as_object().is_some_and(serde_json::Map::is_empty)
}
