//! Where there is an RTO, every step says how long it takes.

use super::Subject;
use super::doubt::has_lost_change;
use crate::diag::Diagnostic;
use crate::plan::critical_path::estimate;
use crate::plan::is_main;
use crate::plan::runbooks::is_call;
use crate::runbook::ast::Step;

/// A step that could not be read may have no estimate.
pub(super) fn may_miss(subject: &Subject<'_>) -> bool {
    subject.runbook.objectives.rto.is_some() && has_lost_change(subject)
}

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    if subject.runbook.objectives.rto.is_none() {
        return;
    }
    let counts = |step: &&Step| is_main(step) && step.phase.is_barrier();
    for step in subject.runbook.steps.iter().filter(counts) {
        let id = &step.id;
        let takes_no_time = step.action.name.value == "assert";
        if !is_call(step) && !takes_no_time && estimate(step, subject.catalogue).is_none() {
            let message = format!("`{}` has no `estimate`: it counts as nothing against the RTO", id.value);
            found.push(
                Diagnostic::warning("no-estimate", id.span, message)
                    .note("write `estimate: { typical: 2m, worst: 5m }`; a rehearsal and the last run know"),
            );
        }
    }
}
