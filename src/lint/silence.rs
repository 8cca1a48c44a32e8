//! Once a disaster is declared, somebody is told.

use super::Subject;
use crate::diag::Diagnostic;
use crate::plan::runbooks::is_call;
use crate::plan::{StepIndex, is_main};
use crate::runbook::ast::{Kind, Phase, Step};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let steps = &subject.runbook.steps;
    let tells = |step: &Step| step.action.name.value == "notify" && is_main(step);
    if subject.runbook.kind == Kind::Drill || steps.iter().any(|step| step.phase >= Phase::Execution && tells(step)) {
        return;
    }
    let may_declare = |at, step: &Step| subject.doubts(at, &["approval"]) || subject.is_unknown(step) && !is_call(step);
    let declares = |(at, step): &(StepIndex, &Step)| {
        step.phase < Phase::Execution && (step.approval.is_some() || is_manual(step) || may_declare(*at, step))
    };
    if let Some((_, declared)) = subject.steps().filter(declares).last() {
        let message = format!("nobody is told after `{}`: no notice follows it", declared.id.value);
        found.push(
            Diagnostic::warning("silence", declared.id.span, message)
                .note("add a `notify` to `communication`, with what customers and staff need to know"),
        );
    }
}

/// A notice may be among the steps that could not be read.
pub(super) fn is_blind(subject: &Subject<'_>) -> bool {
    let may_tell = |step: &Step| step.phase >= Phase::Execution && subject.is_unknown(step) && !is_call(step);
    subject.doubt.is_about(&[Phase::Execution, Phase::Communication].map(Phase::name))
        || subject.runbook.steps.iter().any(may_tell)
}

fn is_manual(step: &Step) -> bool {
    step.action.name.value == "manual"
}
