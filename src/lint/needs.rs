//! Needs name steps that exist, come earlier or stand beside, and belong to the same way.

use super::Subject;
use crate::diag::{Diagnostic, Spanned};
use crate::runbook::ast::{RunIf, Step};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (_, step) in subject.steps() {
        found.extend(step.needs.iter().filter_map(|need| problem(subject, step, need)));
    }
}

fn problem(subject: &Subject<'_>, step: &Step, need: &Spanned<String>) -> Option<Diagnostic> {
    let name = &need.value;
    let Some(index) = subject.by_id.get(name.as_str()) else {
        let message = format!("step `{}` needs unknown step `{name}`", step.id.value);
        let diagnostic = Diagnostic::error("needs", need.span, message).label("no step has this id");
        return Some(subject.similar(subject.suggest(diagnostic, name, subject.ids())));
    };
    let needed = subject.step(*index);
    if needed.phase > step.phase {
        let message = format!(
            "step `{}` in {} needs `{name}`, which comes later, in {}",
            step.id.value, step.phase, needed.phase
        );
        return Some(Diagnostic::error("needs", need.span, message).other(needed.id.span, "defined here"));
    }
    if needed.repeat.is_some() {
        let message = format!("step `{}` needs `{name}`, which repeats and has no end of its own", step.id.value);
        return Some(Diagnostic::error("needs", need.span, message).other(needed.id.span, "defined here"));
    }
    if needed.run_if != RunIf::Success && needed.run_if != step.run_if {
        let message = format!("step `{}` needs `{name}`, which runs only on failure or at the end", step.id.value);
        return Some(Diagnostic::error("needs", need.span, message).other(needed.id.span, "defined here"));
    }
    None
}
