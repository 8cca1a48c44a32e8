//! Every input is read by something.

use std::collections::BTreeSet;

use super::{Subject, actions_of, notices};
use crate::diag::Diagnostic;
use crate::runbook::ast::{Phase, Step};
use crate::runbook::expr::Path;

/// The fields of a step that read nothing.
const SILENT: [&str; 13] = [
    "id",
    "owner",
    "needs",
    "run_if",
    "every",
    "until",
    "max_parallel",
    "timeout",
    "retry",
    "on_failure",
    "on_interrupt",
    "estimate",
    "point_of_no_return",
];

/// What reads an input may be among what could not be read: a field, an expression, a template, a name that is misspelt.
pub(super) fn is_blind(subject: &Subject<'_>) -> bool {
    let may_read = |field: &String| !SILENT.contains(&field.as_str());
    let is_unread = |step: &Step| step.action.name.value.is_empty() || step.unread.iter().any(may_read);
    subject.doubt.has_lost_step(Phase::Communication)
        || subject.doubt.has_code(&["reference", "secret", "notice", "type", "steps"])
        || subject.runbook.steps.iter().any(is_unread)
}

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let inputs = &subject.runbook.inputs;
    if inputs.is_empty() {
        return;
    }
    let paths: Vec<&Path> = subject.runbook.expressions.iter().flat_map(|(_, read)| &read.scan.paths).collect();
    let sent: BTreeSet<String> = subject.steps().filter_map(|(_, step)| notices::template(&step.action)).collect();
    // A variant is sent where its template is.
    let is_sent = |name: &str| sent.contains(name.split_once('.').map_or(name, |(base, _)| base));
    let templates = subject.templates.iter().filter(|(name, _)| is_sent(name));
    let templates = templates.filter_map(|(_, it)| it.as_ref());
    let templates = templates.flat_map(|template| template.reads().map(|(path, _)| path));
    let of_inputs = |path: &&Path| path.parts[0] == "inputs";
    let mut read = BTreeSet::new();
    for path in paths.into_iter().chain(templates).filter(of_inputs) {
        match path.parts.get(1) {
            Some(name) => drop(read.insert(name.clone())),
            // All of them at once, or one whose name is computed.
            None => return,
        }
    }
    for (_, step) in subject.steps() {
        actions_of(step).for_each(|(action, _)| {
            read.extend(action.with.value.secrets().into_iter().map(str::to_owned));
        });
    }
    for input in inputs.iter().filter(|input| !read.contains(&input.name.value)) {
        let message = format!("nothing reads the input `{}`", input.name.value);
        found.push(Diagnostic::warning("unused-input", input.name.span, message).note("delete it, or use it"));
    }
}
