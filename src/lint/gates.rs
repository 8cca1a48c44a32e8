//! Gates ask roles that somebody has, and enough people have; what is said of them does something.

use std::time::Duration;

use super::Subject;
use crate::catalogue::HumanDuration;
use crate::diag::{Diagnostic, Spanned};
use crate::runbook::ast::{Approval, OnTimeout};
use crate::runbook::workspace::Level;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (_, step) in subject.steps() {
        if let Some(approval) = &step.approval {
            approval_problems(subject, approval, found);
            escalation_problems(subject, approval, found);
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
    let follows = !levels(subject, approval).is_empty();
    let nobody_else = !follows && approval.escalate_to.is_empty() && subject.workspace.escalate_to.is_empty();
    if approval.timeout.is_some() && approval.on_timeout == OnTimeout::Escalate && nobody_else {
        let message = "the gate escalates when its time is over, and there is nobody to escalate to";
        let note = "name roles in `escalate_to`, here or under `approvals` in `drctl.yaml`, or an `escalation` policy, or \
            write `on_timeout: reject`";
        found.push(Diagnostic::warning("gate", approval.span, message).note(note));
    }
}

/// The levels by which people are called to the gate.
fn levels<'s>(subject: &Subject<'s>, approval: &Approval) -> &'s [Level] {
    subject.workspace.escalation(approval.escalation.as_ref().map(|policy| policy.value.as_str()))
}

/// The policy of a gate is there, leads to people, and has time to.
fn escalation_problems(subject: &Subject<'_>, approval: &Approval, found: &mut Vec<Diagnostic>) {
    let place = approval.escalation.as_ref().map_or(approval.span, |policy| policy.span);
    let known = &subject.workspace.escalation_policies;
    if let Some(policy) = approval.escalation.as_ref().filter(|policy| !known.contains_key(&policy.value)) {
        let message = format!("`drctl.yaml` has no escalation policy `{}`", policy.value);
        let note = "policies stand there as `escalation_policies: { POLICY: [{ level_1: ROLE, timeout: 5m }, ..] }`";
        let diagnostic = Diagnostic::error("gate", place, message).note(note);
        found.push(subject.suggest(diagnostic, &policy.value, known.keys().map(String::as_str)));
    }
    let levels = levels(subject, approval);
    for (level, number) in levels.iter().zip(1..) {
        if subject.workspace.called(&level.calls).channels.is_empty() {
            let message = format!("no channel leads to `{}`, level {number} of the gate's escalation", level.calls);
            let note = format!(
                "give the role `channels`: `{}: {{ people: [..], channels: [..] }}`, or all roles: `approvals: {{ channels: [..] }}`",
                level.calls
            );
            found.push(Diagnostic::warning("gate", place, message).note(note));
        }
    }
    let before_last: Duration = levels.iter().rev().skip(1).map(|level| level.timeout).sum();
    let rejects = approval.timeout.filter(|_| approval.on_timeout == OnTimeout::Reject);
    if let (Some(timeout), Some(last)) = (rejects.filter(|timeout| *timeout <= before_last), levels.last()) {
        let message =
            format!("the gate is rejected after {}, before `{}` is called", HumanDuration(timeout), last.calls);
        let note = format!("its policy calls the last level after {}", HumanDuration(before_last));
        found.push(Diagnostic::warning("gate", place, message).note(note));
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
