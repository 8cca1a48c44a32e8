//! A failover waits for no answer from the region that it leaves.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Subject, Use, actions_of};
use crate::diag::{Diagnostic, Span};
use crate::plan::runbooks::is_call;
use crate::plan::{GLOBAL, Region};
use crate::runbook::ast::{ActionUse, Kind, OnFailure, Phase, Step};
use crate::runbook::workspace::Service;

/// What the name of an input that holds the failing region begins with.
const FAILING: [&str; 6] = ["primary", "lost", "failed", "failing", "from", "source"];

/// What is known of the region that is left.
struct Left<'s> {
    /// The inputs that hold it: by their names, or because a service says so.
    inputs: BTreeSet<&'s str>,
    /// It, where the services that the runbook recovers are in one alone.
    regions: Vec<Region>,
}

impl<'s> Left<'s> {
    fn of(subject: &Subject<'s>) -> Self {
        let runbook = subject.runbook;
        let is_of_it = |service: &&Service| service.runbook.as_ref().is_some_and(|it| it.value == runbook.name.value);
        let services: Vec<&Service> = subject.workspace.services.values().filter(is_of_it).collect();
        let is_failing = |input: &&str| input.split('_').next().is_some_and(|first| FAILING.contains(&first));
        let named = runbook.inputs.iter().map(|input| input.name.value.as_str()).filter(is_failing);
        let holds_region =
            |value: &Value| value.as_str().is_some_and(|text| text.replace(' ', "").contains("{{region}}"));
        let given = services.iter().flat_map(|service| &service.inputs).filter(|(_, value)| holds_region(value));
        let only = |service: &&Service| match service.regions.as_slice() {
            [only] => Region::named(only),
            _ => None,
        };
        Self {
            inputs: named.chain(given.map(|(input, _)| input.value.as_str())).collect(),
            regions: services.iter().filter_map(only).collect(),
        }
    }

    /// What stands for the region in the action's parameters, and where it does.
    fn named_in(&self, subject: &Subject<'_>, action: &ActionUse) -> Option<(String, Span)> {
        let mut ids = Vec::new();
        action.with.value.expressions(&mut ids);
        let by_input = ids.into_iter().find_map(|id| {
            let expression = subject.runbook.expressions.get(id);
            let inputs = expression.scan.paths.iter().filter(|path| path.parts[0] == "inputs");
            let failing = inputs.filter_map(|path| path.parts.get(1)).find(|it| self.inputs.contains(it.as_str()))?;
            Some((failing.clone(), expression.span))
        });
        let known = action.with.value.known().unwrap_or_default();
        let by_word = || {
            let names = |(parameter, value): (&String, &Value)| {
                let region =
                    self.regions.iter().find(|region| region.is_named_in(value.as_str().unwrap_or_default()))?;
                Some((region.name().to_owned(), action.place(parameter)))
            };
            known.iter().find_map(names)
        };
        by_input.or_else(by_word)
    }
}

/// A step that could not be read, or whose action is none, may wait.
pub(super) fn may_miss(subject: &Subject<'_>) -> bool {
    let may_wait = |step: &Step| step.phase == Phase::Execution && subject.is_unknown(step) && !is_call(step);
    subject.runbook.kind == Kind::Failover
        && (subject.doubt.is_about(&[Phase::Execution.name()]) || subject.runbook.steps.iter().any(may_wait))
}

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    if subject.runbook.kind != Kind::Failover {
        return;
    }
    let waits = |step: &&Step| {
        step.phase == Phase::Execution
            && step.when.is_none()
            && step.on_failure(&subject.runbook.defaults) != OnFailure::Continue
    };
    let left = Left::of(subject);
    for step in subject.runbook.steps.iter().filter(waits) {
        for (action, _) in actions_of(step).filter(|(action, used)| is_stopped(subject, action, *used)) {
            let Some((region, place)) = left.named_in(subject, action) else { continue };
            let message = format!("`{}` waits for an answer from `{region}`, the region that is left", step.id.value);
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
