//! No step waits for itself.

use super::Subject;
use crate::diag::Diagnostic;
use crate::plan::StepIndex;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let Err(cycle) = subject.graph.order() else { return };
    let name = |index: &StepIndex| subject.step(*index).id.value.as_str();
    let mut names: Vec<&str> = cycle.iter().map(name).collect();
    if names.len() > 12 {
        names.splice(6..names.len() - 5, ["..."]);
    }
    let Some([first, next]) = cycle.first_chunk::<2>() else { return };
    let step = subject.step(*first);
    let needs_next = step.needs.iter().find(|need| need.value == name(next));
    let span = needs_next.map_or(step.id.span, |need| need.span);
    found.push(Diagnostic::error("cycle", span, format!("dependency cycle: {}", names.join(" -> "))));
}
