//! What is measured against the recovery point objective is looked at before anything is lost.

use super::doubt::has_lost_step;
use super::{Subject, Use, actions_of};
use crate::diag::Diagnostic;
use crate::plan::runbooks::is_call;
use crate::plan::{StepIndex, loss_measure};
use crate::runbook::ast::{Phase, Step};
use crate::runbook::expr::ExprId;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    if subject.runbook.objectives.rpo.is_none() {
        return;
    }
    for step in &subject.runbook.steps {
        let Some(measure) = loss_measure(subject.catalogue, step) else { continue };
        if !is_judged(subject, &step.id.value) {
            let message = format!("`{}` measures the loss of data, and nothing asserts it", step.id.value);
            let read = format!("steps.{}.outputs.{measure}", step.id.value);
            found.push(
                Diagnostic::warning("rpo", step.id.span, message)
                    .note(format!("let an `assert`, a `when` or the prompt of a gate read `{read}`")),
            );
        }
    }
}

/// A step may measure that could not be read, or whose action is none.
pub(super) fn may_miss(subject: &Subject<'_>) -> bool {
    let may_measure = |step: &Step| subject.is_unknown(step) && !is_call(step);
    subject.runbook.objectives.rpo.is_some()
        && (has_lost_step(subject) || subject.runbook.steps.iter().any(may_measure))
}

/// Who decides by the measure may be among the steps that could not be read.
pub(super) fn is_blind(subject: &Subject<'_>) -> bool {
    let what = ["when", "with", "action", "approval", "verify", "reference", "expression", "type"];
    let may_decide = |step: StepIndex| subject.doubt.is_about_step(step, &what);
    subject.doubt.has_lost_step(Phase::Communication) || subject.steps().any(|(step, _)| may_decide(step))
}

/// Whether somebody or something decides by the measure. Of a runbook that others call, they may do so by its outputs.
fn is_judged(subject: &Subject<'_>, step: &str) -> bool {
    let mut judges: Vec<ExprId> = subject.runbook.steps.iter().flat_map(decisions).collect();
    if subject.runbooks.parts.contains(&subject.runbook.name.value) {
        subject.runbook.outputs.iter().for_each(|(_, value)| value.expressions(&mut judges));
    }
    // Others of its outputs say the same in words, or as a verdict.
    let wanted = ["steps", step, "outputs"];
    let reads = |id: ExprId| {
        let paths = &subject.runbook.expressions.get(id).scan.paths;
        paths.iter().any(|path| path.parts.iter().map(String::as_str).take(3).eq(wanted))
    };
    judges.into_iter().any(reads)
}

/// The expressions that a step decides by: its condition, what it asserts, what its gate asks.
fn decisions(step: &Step) -> Vec<ExprId> {
    let mut found: Vec<ExprId> = step.when.into_iter().collect();
    for (action, _) in actions_of(step).filter(|(_, used)| *used != Use::Rollback) {
        if matches!(action.name.value.as_str(), "assert" | "manual") {
            action.with.value.expressions(&mut found);
        }
    }
    if let Some(prompt) = step.approval.as_ref().and_then(|approval| approval.prompt.as_ref()) {
        prompt.expressions(&mut found);
    }
    found
}
