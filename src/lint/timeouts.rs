//! A step that changes something has a time after which it has failed.

use super::Subject;
use crate::diag::Diagnostic;
use crate::plan::critical_path::takes;
use crate::runbook::ast::Step;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    if subject.runbook.defaults.timeout.is_some() {
        return;
    }
    // What an action is known to take bounds it, too.
    let is_open = |step: &&Step| step.timeout.is_none() && takes(step, subject.catalogue).is_none();
    found.extend(subject.changing().filter(is_open).map(|step| {
        let message = format!("nobody says how long `{}` may take before it has failed", step.id.value);
        Diagnostic::warning("no-timeout", step.id.span, message)
            .note("give it a `timeout`, or all steps one in `defaults`; without it, they get 10 minutes")
    }));
}
