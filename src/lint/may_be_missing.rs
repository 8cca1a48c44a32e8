//! Whoever reads an output that may not be there says what then. Called for every read, by `references`.

use super::Subject;
use crate::diag::{Diagnostic, Span};
use crate::plan::StepIndex;
use crate::runbook::ast::{OnFailure, RunIf, Step};
use crate::runbook::expr::Path;

/// What is wrong with reading `path`, an output of the step `read`, without a guard.
pub(super) fn problem(
    subject: &Subject<'_>,
    reader: Option<StepIndex>,
    read: &Step,
    path: &Path,
    span: Span,
) -> Option<Diagnostic> {
    let why = reason(subject, reader, read).filter(|_| !path.guarded)?;
    let message = format!("`{}` may be missing: {why}", path.dotted());
    let note = format!("write `{} | default(value=..)`, or ask with `is defined`", path.dotted());
    let diagnostic = Diagnostic::error("may-be-missing", span, message).note(note);
    Some(diagnostic.other(read.id.span, "given here"))
}

fn reason(subject: &Subject<'_>, reader: Option<StepIndex>, read: &Step) -> Option<String> {
    let id = &read.id.value;
    if reader.is_some_and(|step| subject.step(step).run_if != RunIf::Success) {
        return Some(format!("this step also runs when `{id}` did not"));
    }
    if read.when.is_some() {
        return Some(format!("`{id}` has a `when`"));
    }
    let continues = read.on_failure(&subject.runbook.defaults) == OnFailure::Continue;
    continues.then(|| format!("`{id}` may fail and the run continues"))
}
