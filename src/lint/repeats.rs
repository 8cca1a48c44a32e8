//! Repetitions name a step that ends them, and do not mix with items, gates or phases that wait.

use super::Subject;
use crate::diag::Diagnostic;
use crate::plan;
use crate::runbook::ast::{Phase, RunIf};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (_, step) in subject.steps() {
        let at = step.id.span;
        let name = &step.id.value;
        if let Some(repeat) = &step.repeat {
            if let Some(until) = &repeat.until
                && !subject.by_id.contains_key(until.value.as_str())
            {
                let message = format!("`until` of `{name}` names unknown step `{}`", until.value);
                let diagnostic = Diagnostic::error("repeat", until.span, message);
                found.push(subject.similar(subject.suggest(diagnostic, &until.value, subject.ids())));
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
        if let Some(for_each) = &step.for_each
            && let Some(problem) = for_each.items.plain().and_then(|items| plan::items(items).err())
        {
            let message = format!("`for_each` of `{name}`: {problem}");
            found.push(
                Diagnostic::error("repeat", for_each.span, message).note("each instance is named after its item"),
            );
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
