//! A runbook has an owner: somebody keeps it true.

use super::Subject;
use crate::diag::Diagnostic;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    if subject.runbook.owner.is_none() {
        let message = match subject.runbook.name.value.as_str() {
            "" => "the runbook has no `owner`".to_owned(),
            name => format!("runbook `{name}` has no `owner`"),
        };
        found.push(
            Diagnostic::warning("owner", subject.runbook.name.span, message)
                .note("write `owner: TEAM`: who keeps it true, and is asked"),
        );
    }
}
