//! Somebody is asked before a point of no return.

use super::Subject;
use crate::diag::Diagnostic;
use crate::plan::StepIndex;
use crate::plan::runbooks::DEEPEST;
use crate::runbook::ast::{Runbook, Step};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (index, step) in subject.steps() {
        let is_final = step.point_of_no_return || subject.doubts(index, &["point_of_no_return"]);
        if is_final && !has_gate(subject, index, step) {
            let message = format!("nobody is asked before the point of no return `{}`", step.id.value);
            let note = "give it an `approval`, or a step before it";
            found.push(Diagnostic::warning("no-gate", step.id.span, message).note(note));
        }
    }
}

/// A gate may be among the steps that could not be read.
pub(super) fn is_blind(subject: &Subject<'_>) -> bool {
    let last = subject.runbook.steps.iter().filter(|step| step.point_of_no_return).map(|step| step.phase).max();
    last.is_some_and(|phase| subject.doubt.has_lost_step(phase))
}

/// Whether somebody is asked at the step, before it, or in an earlier phase.
fn has_gate(subject: &Subject<'_>, index: StepIndex, step: &Step) -> bool {
    let may_ask =
        |at: StepIndex, step: &Step| subject.is_unknown(step) || subject.doubt.is_about_step(at, &["approval"]);
    let asks = |step: &Step| asks(subject, subject.runbook, step, DEEPEST);
    let ancestors = subject.graph.ancestors(index);
    let is_before = |(at, other): &(StepIndex, &Step)| ancestors.contains(at) || other.phase < step.phase;
    let gates: Vec<Option<&str>> =
        subject.steps().filter(is_before).filter(|(_, it)| asks(it)).map(|(_, it)| condition(subject, it)).collect();
    if subject.steps().filter(is_before).any(|(at, step)| may_ask(at, step) || subject.may_need_more(at)) {
        return true;
    }
    // A gate that opens on a condition is none where that does not hold; two with different ones are each for a case.
    let own = condition(subject, step);
    asks(step) || gates.iter().any(|gate| gate.is_none() || *gate == own) || gates.iter().any(|gate| *gate != gates[0])
}

fn condition<'s>(subject: &'s Subject<'_>, step: &Step) -> Option<&'s str> {
    step.when.map(|when| &*subject.runbook.expressions.get(when).text)
}

/// Whether the step waits for a person, or calls a runbook that does; `deep` is how deep calls are followed.
fn asks(subject: &Subject<'_>, runbook: &Runbook, step: &Step, deep: usize) -> bool {
    let called = subject.runbooks.called(runbook, step).filter(|_| deep > 1);
    step.approval.is_some()
        || step.action.name.value == "manual"
        || called.is_some_and(|called| called.steps.iter().any(|step| asks(subject, called, step, deep - 1)))
}
