//! Customers hear that all is well only after somebody has looked whether it is.

use serde_json::Value;

use super::Subject;
use crate::diag::Diagnostic;
use crate::plan::is_main;
use crate::runbook::ast::{Phase, Step};

/// What the name of a template holds that says it is over.
const OVER: [&str; 5] = ["resol", "restored", "recovered", "all_clear", "all-clear"];

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (index, step) in subject.steps().filter(|(_, step)| is_all_clear(step) && !step.needs.is_empty()) {
        let before = subject.graph.ancestors(index);
        let unseen = subject.steps().find(|(check, step)| {
            step.phase == Phase::Execution && is_main(step) && is_check(subject, step) && !before.contains(check)
        });
        if let Some((_, check)) = unseen {
            let message =
                format!("`{}` says that it is over, and does not wait for `{}`", step.id.value, check.id.value);
            found.push(
                Diagnostic::warning("early-all-clear", step.id.span, message)
                    .other(check.id.span, "this looks whether it is")
                    .note(format!("add `{}` to its `needs`", check.id.value)),
            );
        }
    }
}

fn is_all_clear(step: &Step) -> bool {
    let text = |name: &str| {
        let value = step.action.with.value.entry(name)?;
        value.plain().and_then(Value::as_str).map(str::to_owned)
    };
    let is_over = |template: String| OVER.iter().any(|word| template.contains(word));
    // An audience that is known only in the run may be customers.
    let to_customers = text("audience").is_none_or(|audience| audience.contains("customer"));
    step.action.name.value == "notify" && is_main(step) && to_customers && text("template").is_some_and(is_over)
}

fn is_check(subject: &Subject<'_>, step: &Step) -> bool {
    step.verify.is_some() || step.action.name.value == "assert" || subject.looks(&step.action)
}
