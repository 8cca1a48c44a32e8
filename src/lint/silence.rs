//! Once a disaster is declared, somebody is told.

use super::Subject;
use crate::diag::Diagnostic;
use crate::plan::is_main;
use crate::runbook::ast::{Kind, Phase, Step};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let steps = &subject.runbook.steps;
    let tells = |step: &Step| step.action.name.value == "notify" && is_main(step);
    if subject.runbook.kind == Kind::Drill || steps.iter().any(|step| step.phase >= Phase::Execution && tells(step)) {
        return;
    }
    let declares = |step: &&Step| step.phase < Phase::Execution && (step.approval.is_some() || is_manual(step));
    if let Some(declared) = steps.iter().rev().find(declares) {
        let message = format!("nobody is told after `{}`: no notice follows it", declared.id.value);
        found.push(
            Diagnostic::warning("silence", declared.id.span, message)
                .note("add a `notify` to `communication`, with what customers and staff need to know"),
        );
    }
}

fn is_manual(step: &Step) -> bool {
    step.action.name.value == "manual"
}
