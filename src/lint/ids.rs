//! No two steps share an id.

use super::Subject;
use crate::diag::Diagnostic;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (index, step) in subject.steps() {
        let first = subject.by_id[step.id.value.as_str()];
        if first != index {
            let message = format!("two steps are called `{}`", step.id.value);
            let diagnostic = Diagnostic::error("duplicate-id", step.id.span, message);
            found.push(diagnostic.other(subject.step(first).id.span, "the first is here"));
        }
    }
}
