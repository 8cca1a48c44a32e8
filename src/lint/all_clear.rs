//! Customers hear that all is well only after somebody has looked whether it is.

use serde_json::Value;

use super::Subject;
use crate::diag::Diagnostic;
use crate::plan::checks::is_validation;
use crate::plan::{Claim, is_main};
use crate::runbook::ast::{Phase, Step};

/// What the name of a template holds that says it is over, where the template itself claims nothing.
const OVER: [&str; 5] = ["resol", "restored", "recovered", "all_clear", "all-clear"];

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (index, step) in subject.steps().filter(|(_, step)| step.action.name.value == "notify") {
        let claims = claims(subject, step);
        let message = if claims && !is_main(step) {
            format!("`{}` claims recovery, and is not sent when all is well", step.id.value)
        } else if (claims || seems_over(step)) && is_main(step) && !step.needs.is_empty() {
            let before = subject.graph.ancestors(index);
            let mut checks = subject.steps().filter(|(_, step)| is_validation(subject.catalogue, step));
            let Some((_, check)) = checks.find(|(check, _)| !before.contains(check)) else { continue };
            found.push(early(step, check, claims));
            continue;
        } else {
            continue;
        };
        let note = "`claims: recovery` is for a notice of success, sent once";
        found.push(Diagnostic::error("early-all-clear", step.id.span, message).note(note));
    }
}

/// A step that could not be read, or the needs of one, may be what a notice waits for.
pub(super) fn is_blind(subject: &Subject<'_>) -> bool {
    subject.doubt.has_lost_step(Phase::Communication) || subject.steps().any(|(step, _)| subject.may_need_more(step))
}

fn early(step: &Step, check: &Step, claims: bool) -> Diagnostic {
    let id = &step.id.value;
    let problem = if claims {
        let message = format!("`{id}` claims recovery, and does not wait for `{}`", check.id.value);
        Diagnostic::error("early-all-clear", step.id.span, message)
    } else {
        let message = format!("`{id}` says that it is over, and does not wait for `{}`", check.id.value);
        Diagnostic::warning("early-all-clear", step.id.span, message)
    };
    let note = format!("add `{}` to its `needs`", check.id.value);
    problem.other(check.id.span, "this looks whether it is").note(note)
}

fn text(step: &Step, name: &str) -> Option<String> {
    let value = step.action.with.value.entry(name)?;
    value.plain().and_then(Value::as_str).map(str::to_owned)
}

fn claims(subject: &Subject<'_>, step: &Step) -> bool {
    let template = text(step, "template").and_then(|name| subject.templates.get(&name)?.as_ref());
    template.is_some_and(|template| template.claims == Some(Claim::Recovery))
}

fn seems_over(step: &Step) -> bool {
    let is_over = |template: String| OVER.iter().any(|word| template.contains(word));
    // An audience that is known only in the run may be customers.
    let to_customers = text(step, "audience").is_none_or(|audience| audience.contains("customer"));
    to_customers && text(step, "template").is_some_and(is_over)
}
