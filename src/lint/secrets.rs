//! Secrets stay out of command lines, notices and conditions.

use super::{Subject, actions_of};
use crate::diag::Diagnostic;
use crate::runbook::ast::ActionUse;
use crate::runbook::expr::Templated;

/// Parameters that end up where people or process lists can see them.
const SEEN: [(&str, &str, &str); 8] = [
    ("exec", "argv", "every user of the machine can read command lines: hand it over in `env`"),
    ("notify", "vars", "notices are read by everybody they reach"),
    ("manual", "instructions", "instructions are journaled and shown"),
    ("assert", "message", "messages are journaled and shown"),
    ("http", "url", ADDRESS),
    ("http", "query", ADDRESS),
    ("http", "observe.url", ADDRESS),
    ("probe.http", "url", ADDRESS),
];
const ADDRESS: &str = "addresses end up in logs: use `headers`";

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (output, value) in &subject.runbook.outputs {
        if let Some(name) = secret_in(value) {
            let message = format!("the secret `{name}` would be shown by the output `{}`", output.value);
            found.push(Diagnostic::error("secret", output.span, message));
        }
    }
    for (_, step) in subject.steps() {
        for (action, _) in actions_of(step) {
            let seen = SEEN.iter().filter(|(name, ..)| action.name.value == *name);
            found.extend(seen.filter_map(|(_, parameter, note)| problem(action, parameter, note)));
        }
        let shown = step.title.iter().map(|title| &**title);
        let shown = shown.chain(step.approval.iter().filter_map(|gate| gate.prompt.as_ref()));
        for value in shown.chain(step.for_each.iter().map(|for_each| &for_each.items)) {
            if let Some(name) = secret_in(value) {
                let message = format!("the secret `{name}` would be shown by `{}`", step.id.value);
                found.push(Diagnostic::error("secret", step.id.span, message));
            }
        }
    }
}

fn problem(action: &ActionUse, parameter: &str, note: &str) -> Option<Diagnostic> {
    let (outer, inner) = parameter.split_once('.').unwrap_or((parameter, ""));
    let value = action.with.value.entry(outer)?;
    let name = if inner.is_empty() { secret_in(&value) } else { secret_in(&*value.entry(inner)?) }?;
    let message = format!("the secret `{name}` cannot stand in `{parameter}` of `{}`", action.name.value);
    Some(Diagnostic::error("secret", action.place(outer), message).note(note))
}

pub(super) fn secret_in(value: &Templated) -> Option<String> {
    value.secrets().first().map(|name| (*name).to_owned())
}
