//! A runbook has steps: one without any would succeed and change nothing.

use super::Subject;
use crate::diag::Diagnostic;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    if subject.runbook.steps.is_empty() {
        let message = format!("runbook `{}` has no steps", subject.runbook.name.value);
        let note = "steps stand under `detection`, `assessment`, `execution` and `communication`";
        found.push(Diagnostic::error("steps", subject.runbook.name.span, message).note(note));
    }
}
