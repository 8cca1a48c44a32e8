//! The critical path, by the steps' estimates, fits the recovery time objective.

use std::time::Duration;

use serde_json::{Map, Value};

use super::Subject;
use super::doubt::has_lost_change;
use crate::catalogue::HumanDuration;
use crate::diag::{Diagnostic, listed};
use crate::plan::StepIndex;
use crate::plan::branches::{Known, holds};
use crate::plan::critical_path::{Choices, CriticalPath, Estimates, usual_items};
use crate::runbook::ast::Step;

/// The fields of a step without which it counts for longer than it takes: what is known of its action, or of a gate, is
/// taken then.
const SHORTER: [&str; 5] = ["estimate", "approval", "verify", "when", "for_each"];
/// Those without which it counts for less.
const LONGER: [&str; 4] = ["needs", "max_parallel", "action", "with"];

pub(super) fn is_blind(subject: &Subject<'_>) -> bool {
    let is_unread = |step: &Step| subject.runbooks.called(subject.runbook, step).is_some() && subject.is_unknown(step);
    is_doubted(subject, &SHORTER) || subject.runbook.steps.iter().any(is_unread)
}

pub(super) fn may_miss(subject: &Subject<'_>) -> bool {
    let may_differ = || is_blind(subject) || is_doubted(subject, &LONGER) || has_lost_change(subject);
    subject.runbook.objectives.rto.is_some() && may_differ()
}

fn is_doubted(subject: &Subject<'_>, fields: &[&str]) -> bool {
    subject.steps().any(|(at, step)| step.phase.is_barrier() && subject.doubts(at, fields))
}

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let Some(rto) = subject.runbook.objectives.rto else { return };
    let estimates = Estimates { runbooks: subject.runbooks, catalogue: subject.catalogue };
    let (runbook, graph) = (subject.runbook, &subject.graph);
    let usual = usual_items(runbook);
    let Choices { mut paths, left_out } = estimates.by_choice(runbook, graph, &usual);
    if paths.is_empty() {
        paths.push((Map::new(), estimates.critical_path(runbook, graph, &usual)));
    }
    // Of those that take equally long, the first is told of.
    let longest = |time: fn(&CriticalPath) -> Duration| {
        paths.iter().rev().max_by_key(|(_, path)| time(path)).filter(|(_, path)| time(path) > rto)
    };
    let (how, (choice, path)) = match (longest(|path| path.typical), longest(|path| path.worst)) {
        (Some(usual), _) => ("usually", usual),
        (None, Some(worst)) => ("at worst", worst),
        (None, None) => return,
    };
    let (time, steps) = match how {
        "usually" => (path.typical, &path.steps),
        _ => (path.worst, &path.worst_steps),
    };
    let names: Vec<&str> = steps.iter().map(|index| subject.step(*index).id.value.as_str()).collect();
    let with = if choice.is_empty() { String::new() } else { format!(" with {}", chosen(choice)) };
    let message =
        format!("the critical path takes {} {how}{with}, the RTO is {}", HumanDuration(time), HumanDuration(rto));
    let finding =
        Diagnostic::warning("rto", subject.runbook.name.span, message).note(format!("it is {}", names.join(" -> ")));
    let finding = if left_out.is_empty() { finding } else { finding.note(undecided(&left_out)) };
    let open = open(subject, steps, &usual.into_iter().chain(choice.clone()).collect());
    found.push(if open.is_empty() { finding } else { finding.note(unsure(&open)) });
}

/// The steps of which only the other inputs, or what other steps find, say whether they run.
fn open<'s>(subject: &'s Subject<'_>, steps: &[StepIndex], inputs: &Map<String, Value>) -> Vec<&'s str> {
    let known = Known::new(inputs);
    let steps = steps.iter().map(|index| subject.step(*index));
    steps.filter(|step| holds(subject.runbook, step, &known).is_none()).map(|step| step.id.value.as_str()).collect()
}

fn unsure(steps: &[&str]) -> String {
    let names = listed(steps.iter().copied());
    format!("whether these run is not known here, and they count: {names}; `drctl plan` says it for given inputs")
}

fn undecided(left_out: &[String]) -> String {
    let names = listed(left_out.iter().map(String::as_str));
    format!("steps of every value of {names} count: there are too many combinations to try each")
}

/// `mode=planned, depth=full`.
fn chosen(choice: &Map<String, Value>) -> String {
    let word = |(name, value): (&String, &Value)| {
        format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    choice.iter().map(word).collect::<Vec<_>>().join(", ")
}
