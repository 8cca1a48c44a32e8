//! What went wrong on the way, in the order in which it did.

use super::super::words;
use super::model::Issue;
use super::moments::{Moment, Moments};
use crate::engine::{End, Event, Side, StepState};

/// Failures, retries, escalations, doubts, pauses, and times in which nobody executed the run.
pub(super) fn issues(moments: &Moments<'_>) -> Vec<Issue> {
    let mut issues: Vec<Issue> = Vec::new();
    for (at, moment) in moments.all.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| &moments.all[at]);
        let found = of_step(moment).or_else(|| of_run(moment, before));
        issues.extend(found.map(|(kind, what)| Issue {
            at: moment.at,
            step: moment.node.map(|node| moments.path(node)),
            kind,
            what,
        }));
    }
    issues
}

fn of_step(moment: &Moment<'_>) -> Option<(&'static str, String)> {
    Some(match moment.event {
        Event::Outcome { end: End::Failed { reason, retry_at: Some(again) }, side, attempt, .. } => {
            let wait = words::span(moment.at.until(*again));
            ("retry", format!("{}attempt {attempt} failed, tried again after {wait}: {reason}", side_word(*side)))
        }
        Event::Outcome { end: End::Failed { reason, .. }, side, .. } => {
            ("failure", format!("{}failed: {reason}", side_word(*side)))
        }
        Event::Outcome { end: End::Ambiguous { evidence }, side, .. } => {
            ("unclear", format!("{}had no clear end: {evidence}", side_word(*side)))
        }
        Event::Outcome { end: End::Cancelled, .. } => ("cancelled", "cancelled before it had any effect".to_owned()),
        Event::Verified { holds: false, reason, .. } if moment.after == StepState::Failed => {
            ("failure", format!("verify did not hold: {reason}"))
        }
        Event::StepFailed { reason, .. } => ("failure", format!("failed: {reason}")),
        Event::InDoubt { evidence, .. } => ("doubt", format!("nobody knew whether it happened: {evidence}")),
        Event::GateEscalated { to, .. } if to.is_empty() => {
            ("escalation", "nobody approved it in time, and there was nobody else to ask".to_owned())
        }
        Event::GateEscalated { to, .. } => {
            ("escalation", format!("nobody approved it in time; asked too: {}", words::names(to, 8)))
        }
        Event::GateVoided { reason, .. } => ("gate", format!("an approval became void: {reason}")),
        _ => return None,
    })
}

fn of_run(moment: &Moment<'_>, before: Option<&Moment<'_>>) -> Option<(&'static str, String)> {
    Some(match moment.event {
        Event::Paused { reason, .. } => ("pause", format!("the run paused: {reason}")),
        Event::Stopping { reason } => ("stop", format!("the run was stopped: {reason}")),
        Event::RollbackStarted { reason, steps, kept } => {
            let kept = if kept.is_empty() { String::new() } else { format!(", {} could not be", kept.len()) };
            ("rollback", format!("{} to be undone{kept}: {reason}", words::count(steps.len(), "step")))
        }
        Event::RunResumed { operator } => {
            let gap = before.map_or_else(String::new, |before| {
                format!(" {} after the record before", words::span(before.at.until(moment.at)))
            });
            let left = before.is_some_and(|before| matches!(before.event, Event::ExecutorLeft { .. }));
            let how = if left { "was left" } else { "was interrupted" };
            ("interruption", format!("the run {how}; taken up by {}{gap}", words::person(operator)))
        }
        Event::PlanChanged(changed) => {
            let steps = words::names(&changed.changed, 8);
            ("change", format!("the runbook was edited and adopted by {}: {steps}", words::person(&changed.operator)))
        }
        Event::DecisionRefused { reason, .. } => ("refused", format!("a decision was refused: {reason}")),
        _ => return None,
    })
}

fn side_word(side: Side) -> &'static str {
    if side == Side::Rollback { "undoing it: " } else { "" }
}
