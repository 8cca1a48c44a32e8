//! The critical path, by the steps' estimates, fits the recovery time objective.

use std::time::Duration;

use serde_json::{Map, Value};

use super::Subject;
use crate::catalogue::HumanDuration;
use crate::diag::{Diagnostic, listed};
use crate::plan::critical_path::{Choices, CriticalPath, Estimates, usual_items};

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
    found.push(if left_out.is_empty() { finding } else { finding.note(undecided(&left_out)) });
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
