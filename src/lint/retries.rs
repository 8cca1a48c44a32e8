//! What is unsafe to repeat is not repeated by itself.

use super::Subject;
use crate::catalogue::Effect;
use crate::diag::Diagnostic;
use crate::plan::runbooks::is_call;
use crate::runbook::ast::OnInterrupt;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (at, step) in subject.steps() {
        let repeats = step.retry.as_ref().is_some_and(|retry| retry.attempts > 1) || subject.doubts(at, &["retry"]);
        let is_unsafe = subject.effect(&step.action) == Some(Effect::UnsafeToRepeat)
            || subject.catalogue.get(&step.action.name.value).is_none() && !is_call(step);
        // Who says that doing it twice is doing it once, has thought of it.
        if repeats && is_unsafe && step.on_interrupt != Some(OnInterrupt::Retry) {
            let name = &step.action.name.value;
            let message = format!("`retry` of `{}` may do twice what `{name}` does", step.id.value);
            let finding = Diagnostic::warning("unsafe-retry", step.id.span, message);
            found.push(finding.note(
                "leave `retry` out, and a person decides; or say with `on_interrupt: retry` that twice is as good as once",
            ));
        }
    }
}
