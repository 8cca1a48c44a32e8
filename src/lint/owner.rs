//! A runbook has an owner: somebody keeps it true.

use super::Subject;
use crate::diag::Diagnostic;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    if subject.runbook.owner.is_none() {
        let message = format!("runbook `{}` has no `owner`", subject.runbook.name.value);
        found.push(
            Diagnostic::warning("owner", subject.runbook.name.span, message)
                .note("write `owner: TEAM`: who keeps it true, and is asked"),
        );
    }
}
