//! Somebody looks whether a step that changes something did what it should.

use super::Subject;
use crate::diag::Diagnostic;
use crate::plan::runbooks::{DEEPEST, is_call};
use crate::runbook::ast::{Phase, RunIf, Runbook, Step};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let is_seen_later = seen_later(subject);
    let is_seen = |step: &Step| {
        let index = subject.by_id.get(step.id.value.as_str());
        step.verify.is_some() || index.is_some_and(|index| is_seen_later[index.at()])
    };
    let unseen = subject.changing().filter(|step| step.run_if == RunIf::Success && !is_seen(step));
    found.extend(unseen.map(|step| {
        let message = format!("nothing looks whether `{}` did what it should", step.id.value);
        Diagnostic::warning("no-verify", step.id.span, message)
            .note("give it a `verify`, or a step that needs it and looks")
    }));
}

/// A step that looks may be among those that could not be read, or wait for a step that it does not name now.
pub(super) fn is_blind(subject: &Subject<'_>) -> bool {
    subject.doubt.has_lost_step(Phase::Communication) || subject.steps().any(|(step, _)| subject.may_need_more(step))
}

/// For each step, whether one that waits for it looks at the world. In one walk from the end: there may be many steps.
fn seen_later(subject: &Subject<'_>) -> Vec<bool> {
    let may_look = |at, step| subject.is_unknown(step) || subject.doubt.is_about_step(at, &["verify"]);
    let looks: Vec<bool> = subject
        .steps()
        .map(|(at, step)| may_look(at, step) || looks(subject, subject.runbook, step, DEEPEST))
        .collect();
    let mut seen = vec![false; looks.len()];
    for step in subject.graph.order().unwrap_or_default().into_iter().rev() {
        let dependents = subject.graph.dependents(step);
        seen[step.at()] = dependents.iter().any(|later| looks[later.at()] || seen[later.at()]);
    }
    seen
}

/// Whether the step looks at the world, or calls a runbook that does; `deep` is how deep calls are followed.
fn looks(subject: &Subject<'_>, runbook: &Runbook, step: &Step, deep: usize) -> bool {
    let called = subject.runbooks.called(runbook, step).filter(|_| deep > 1 && is_call(step));
    subject.looks(&step.action)
        || step.verify.is_some()
        || called.is_some_and(|called| called.steps.iter().any(|step| looks(subject, called, step, deep - 1)))
}
