//! The critical path, by the steps' estimates, fits the recovery time objective.

use super::Subject;
use crate::catalogue::HumanDuration;
use crate::diag::Diagnostic;
use crate::plan::critical_path::critical_path;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let Some(rto) = subject.runbook.objectives.rto else { return };
    if subject.graph.order().is_err() {
        return;
    }
    let path = critical_path(subject.runbook, &subject.graph, subject.runbooks, subject.catalogue);
    let names: Vec<&str> = path.steps.iter().map(|index| subject.step(*index).id.value.as_str()).collect();
    let (how, time) = match (path.typical > rto, path.worst > rto) {
        (true, _) => ("usually", path.typical),
        (false, true) => ("at worst", path.worst),
        (false, false) => return,
    };
    let message = format!("the critical path takes {} {how}, the RTO is {}", HumanDuration(time), HumanDuration(rto));
    found.push(
        Diagnostic::warning("rto", subject.runbook.name.span, message).note(format!("it is {}", names.join(" -> "))),
    );
}
