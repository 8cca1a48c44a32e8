//! Somebody looks whether a step that changes something did what it should.

use super::Subject;
use crate::diag::Diagnostic;
use crate::plan::StepIndex;
use crate::plan::runbooks::{DEEPEST, is_call};
use crate::runbook::ast::{RunIf, Runbook, Step};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let is_looked_at = |step: &Step| {
        let index = subject.by_id.get(step.id.value.as_str());
        step.verify.is_some() || index.is_some_and(|index| is_checked_later(subject, *index))
    };
    let unseen = subject.changing().filter(|step| step.run_if == RunIf::Success && !is_looked_at(step));
    found.extend(unseen.map(|step| {
        let message = format!("nothing looks whether `{}` did what it should", step.id.value);
        Diagnostic::warning("no-verify", step.id.span, message)
            .note("give it a `verify`, or a step that needs it and looks")
    }));
}

/// Whether a step that waits for this one looks at the world.
fn is_checked_later(subject: &Subject<'_>, index: StepIndex) -> bool {
    let later = subject.graph.descendants(index);
    later.into_iter().any(|later| looks(subject, subject.runbook, subject.step(later), DEEPEST))
}

/// Whether the step looks at the world, or calls a runbook that does; `deep` is how deep calls are followed.
fn looks(subject: &Subject<'_>, runbook: &Runbook, step: &Step, deep: usize) -> bool {
    let called = subject.runbooks.called(runbook, step).filter(|_| deep > 1 && is_call(step));
    subject.looks(&step.action)
        || step.verify.is_some()
        || called.is_some_and(|called| called.steps.iter().any(|step| looks(subject, called, step, deep - 1)))
}
