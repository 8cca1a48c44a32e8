//! Who goes there knows how to come back.

use super::Subject;
use crate::diag::Diagnostic;
use crate::runbook::ast::{Kind, Step};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let runbook = subject.runbook;
    let name = &runbook.name.value;
    // What asks and tells nobody is a part of other runbooks, which come back as a whole.
    let is_whole = |step: &Step| matches!(step.action.name.value.as_str(), "manual" | "notify");
    let there = subject.runbooks.known.contains(&(name.clone(), Kind::Failback));
    if runbook.kind == Kind::Failover && runbook.steps.iter().any(is_whole) && !there {
        let message = format!("no failback runbook is called `{name}`: nobody has written down the way back");
        found.push(
            Diagnostic::warning("no-failback", runbook.name.span, message)
                .note(format!("write one with `name: {name}` and `kind: failback`")),
        );
    }
}
