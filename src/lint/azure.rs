//! The subscriptions and credentials that steps name are there. Knows nothing of whether they may be used.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Subject, actions_of};
use crate::diag::Diagnostic;
use crate::runbook::ast::ActionUse;
use crate::runbook::azure::Credential;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    // What the runbook says once would be told of every step.
    let mut told = BTreeSet::new();
    for (_, step) in subject.steps() {
        let actions = actions_of(step).map(|(action, _)| action);
        for action in actions.filter(|action| action.name.value.starts_with("azure.")) {
            let problems = [subscription(subject, action), credential(subject, action)];
            found.extend(problems.into_iter().flatten().filter(|problem| told.insert(problem.message.clone())));
        }
    }
}

fn subscription(subject: &Subject<'_>, action: &ActionUse) -> Option<Diagnostic> {
    let name = literal(action, "subscription").filter(|name| !is_id(name))?;
    let known = subject.workspace.azure.subscriptions.keys().map(String::as_str).collect();
    let message = format!(
        "no subscription is called `{name}`: give its id, or a name from the workspace's `azure.subscriptions`"
    );
    Some(unknown(action, "subscription", message, &name, known))
}

fn credential(subject: &Subject<'_>, action: &ActionUse) -> Option<Diagnostic> {
    let settings = &subject.workspace.azure.credentials;
    let is_there = |name: &String| settings.contains_key(name) || Credential::by_kind(name).is_some();
    let name = literal(action, "credential").filter(|name| !is_there(name))?;
    let message =
        format!("no credential is called `{name}`: give a name from the workspace's `azure.credentials`, or a kind");
    Some(unknown(action, "credential", message, &name, settings.keys().map(String::as_str).collect()))
}

fn unknown(action: &ActionUse, field: &str, message: String, name: &str, known: Vec<&str>) -> Diagnostic {
    let there = if known.is_empty() { "there is none".to_owned() } else { format!("there are {}", known.join(", ")) };
    let place = action.place(field);
    let problem = Diagnostic::error("azure", place, message).note(there);
    if place == action.name.span {
        return problem.note("the step takes it from `azure` of the runbook or the workspace");
    }
    problem.suggest(name, known)
}

/// A parameter, where it is known before the run.
fn literal(action: &ActionUse, field: &str) -> Option<String> {
    action.with.value.entry(field)?.plain().and_then(Value::as_str).map(str::to_owned)
}

/// Whether this is the form of an id: `00000000-0000-0000-0000-000000000000`.
fn is_id(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
