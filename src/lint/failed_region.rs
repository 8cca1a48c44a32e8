//! A failover waits for no answer from the region that it leaves.

use super::{Subject, Use, actions_of};
use crate::diag::{Diagnostic, Span};
use crate::plan::GLOBAL;
use crate::runbook::ast::{ActionUse, Kind, OnFailure, Phase, Step};

/// What the name of an input that holds the failing region begins with.
const FAILING: [&str; 6] = ["primary", "lost", "failed", "failing", "from", "source"];

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    if subject.runbook.kind != Kind::Failover {
        return;
    }
    let waits = |step: &&Step| {
        step.phase == Phase::Execution
            && step.when.is_none()
            && step.on_failure(&subject.runbook.defaults) != OnFailure::Continue
    };
    for step in subject.runbook.steps.iter().filter(waits) {
        for (action, _) in actions_of(step).filter(|(action, used)| is_stopped(subject, action, *used)) {
            let Some((input, place)) = failing_input(subject, action) else { continue };
            let message = format!("`{}` waits for an answer from `{input}`, the region that is left", step.id.value);
            found.push(
                Diagnostic::warning("failed-region", place, message)
                    .note("ask the region that survives, look in detection, or let it fail: `on_failure: continue`"),
            );
        }
    }
}

/// Whether the step fails where the region does not answer. A probe says that it does not, and goes on.
fn is_stopped(subject: &Subject<'_>, action: &ActionUse, used: Use) -> bool {
    let name = action.name.value.as_str();
    let is_probe = name.starts_with("probe.") && used == Use::Step;
    used != Use::Rollback && subject.looks(action) && !is_probe && !GLOBAL.iter().any(|global| name.starts_with(global))
}

/// The input that holds the failing region and stands in the action's parameters, and where it does.
fn failing_input(subject: &Subject<'_>, action: &ActionUse) -> Option<(String, Span)> {
    let mut ids = Vec::new();
    action.with.value.expressions(&mut ids);
    ids.into_iter().find_map(|id| {
        let expression = subject.runbook.expressions.get(id);
        let inputs = expression.scan.paths.iter().filter(|path| path.parts[0] == "inputs");
        let mut named = inputs.filter_map(|path| path.parts.get(1));
        let failing = named.find(|input| input.split('_').next().is_some_and(|first| FAILING.contains(&first)))?;
        Some((failing.clone(), expression.span))
    })
}
