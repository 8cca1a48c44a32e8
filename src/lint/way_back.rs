//! What a step changed can be undone, or its author says that it cannot.

use super::Subject;
use crate::diag::Diagnostic;
use crate::runbook::ast::RunIf;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let is_final = |step: &&crate::runbook::ast::Step| {
        step.rollback.is_none() && !step.point_of_no_return && step.run_if == RunIf::Success
    };
    found.extend(subject.changing().filter(is_final).map(|step| {
        let message = format!("nothing undoes `{}` when the run is aborted", step.id.value);
        Diagnostic::warning("no-way-back", step.id.span, message)
            .note("give it a `rollback`, or write `point_of_no_return: true`")
    }));
}
