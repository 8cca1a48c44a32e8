//! Who goes there knows how to come back.

use super::Subject;
use crate::diag::Diagnostic;
use crate::plan::runbooks::is_call;
use crate::runbook::ast::{Kind, Step};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let runbook = subject.runbook;
    let name = &runbook.name.value;
    let steps = &runbook.steps;
    // A part of other failovers, which come back as a whole; unless it declares and tells, and is one itself.
    let declares = |step: &Step| matches!(step.action.name.value.as_str(), "manual" | "notify");
    let is_part = subject.runbooks.parts.contains(name) && !steps.iter().any(declares);
    let changes = subject.changing().any(|step| !subject.is_unknown(step));
    let moves = changes || steps.iter().any(|step| is_call(step) || declares(step));
    let there = subject.runbooks.known.contains(&(name.clone(), Kind::Failback));
    if runbook.kind == Kind::Failover && moves && !is_part && !there {
        let message = format!("no failback runbook is called `{name}`: nobody has written down the way back");
        found.push(
            Diagnostic::warning("no-failback", runbook.name.span, message)
                .note(format!("write one with `name: {name}` and `kind: failback`")),
        );
    }
}
