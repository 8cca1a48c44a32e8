//! Gates ask roles that somebody has, and enough people have; what is said of them does something.

use super::Subject;
use crate::diag::{Diagnostic, Spanned};
use crate::runbook::ast::{Approval, OnTimeout};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (_, step) in subject.steps() {
        if let Some(approval) = &step.approval {
            approval_problems(subject, approval, found);
        }
        if step.action.name.value == "manual" && step.timeout.is_some() {
            let message =
                format!("`timeout` of `{}` does nothing: a `manual` step waits until a person answers", step.id.value);
            let note = "a gate's time can be over: `approval` takes `timeout` and `on_timeout`";
            found.push(Diagnostic::warning("gate", step.id.span, message).note(note));
        }
        if step.point_of_no_return && step.rollback.is_some() {
            let message = format!("the point of no return `{}` has a `rollback`, which never runs", step.id.value);
            found.push(Diagnostic::warning("gate", step.id.span, message));
        }
    }
}

fn approval_problems(subject: &Subject<'_>, approval: &Approval, found: &mut Vec<Diagnostic>) {
    let roles = approval.by.iter().chain(&approval.escalate_to);
    found.extend(roles.filter_map(|role| unknown_role(subject, role)));
    let people = subject.workspace.people(approval.by.iter().map(|role| role.value.as_str())).len();
    let known = approval.by.iter().all(|role| subject.workspace.roles.contains_key(&role.value));
    if known && !approval.by.is_empty() && (people as u32) < approval.quorum {
        let message = format!("the gate wants {} different people, its roles have {people}", approval.quorum);
        found.push(Diagnostic::error("gate", approval.span, message));
    }
    let nobody_else = approval.escalate_to.is_empty() && subject.workspace.escalate_to.is_empty();
    if approval.timeout.is_some() && approval.on_timeout == OnTimeout::Escalate && nobody_else {
        let message = "the gate escalates when its time is over, and there is nobody to escalate to";
        let note =
            "name roles in `escalate_to`, here or under `approvals` in `drctl.yaml`, or write `on_timeout: reject`";
        found.push(Diagnostic::warning("gate", approval.span, message).note(note));
    }
}

fn unknown_role(subject: &Subject<'_>, role: &Spanned<String>) -> Option<Diagnostic> {
    if subject.workspace.roles.contains_key(&role.value) {
        return None;
    }
    let message = format!("`drctl.yaml` has no role `{}`", role.value);
    let note = "roles stand there as `roles: { ROLE: [PERSON, ..] }`, people by the name of their OS user";
    let diagnostic = Diagnostic::error("gate", role.span, message).note(note);
    Some(subject.suggest(diagnostic, &role.value, subject.workspace.roles.keys().map(String::as_str)))
}
