//! Repetitions name a step that ends them, and do not mix with items, gates or phases that wait.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Subject;
use crate::diag::Diagnostic;
use crate::runbook::ast::{Phase, RunIf};
use crate::runbook::expr::Templated;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (_, step) in subject.steps() {
        let at = step.id.span;
        let name = &step.id.value;
        if let Some(repeat) = &step.repeat {
            if let Some(until) = &repeat.until
                && !subject.by_id.contains_key(until.value.as_str())
            {
                let message = format!("`until` of `{name}` names unknown step `{}`", until.value);
                found.push(Diagnostic::error("repeat", until.span, message).suggest(&until.value, subject.ids()));
            }
            if step.phase != Phase::Communication {
                let message = format!("`{name}` repeats: only steps of the communication phase can");
                found.push(Diagnostic::error("repeat", at, message));
            }
            if step.for_each.is_some() || step.run_if != RunIf::Success {
                let message = format!("`{name}` repeats: it can have neither `for_each` nor `run_if`");
                found.push(Diagnostic::error("repeat", at, message));
            }
        }
        if let Some(item) = step.for_each.as_ref().and_then(|for_each| item_twice(&for_each.items)) {
            let message = format!("`for_each` of `{name}` has the item {item} twice");
            found.push(Diagnostic::error("repeat", at, message).note("each instance is named after its item"));
        }
        let beside = step.repeat.is_some() || step.run_if != RunIf::Success;
        if beside && (step.approval.is_some() || step.action.name.value == "manual") {
            let message = format!("`{name}` repeats or runs on failure: it cannot wait for a person");
            found.push(Diagnostic::error("repeat", at, message));
        }
        if step.for_each.is_some() && step.run_if != RunIf::Success {
            let message = format!("`{name}` runs on failure or at the end: it cannot have `for_each`");
            found.push(Diagnostic::error("repeat", at, message));
        }
    }
}

/// An item that a list known before the run holds twice.
fn item_twice(items: &Templated) -> Option<&Value> {
    let items = items.plain()?.as_array()?;
    let mut seen = BTreeSet::new();
    items.iter().find(|item| !seen.insert(item.to_string()))
}
