//! The subscriptions and credentials that steps name are there. Knows nothing of whether they may be used.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Subject, actions_of};
use crate::diag::{Diagnostic, listed};
use crate::runbook::ast::{ActionUse, SecretSource};
use crate::runbook::azure::{CLOUDS, Credential, Settings};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for input in &subject.runbook.inputs {
        if matches!(input.from, Some(SecretSource::KeyVault(_))) {
            let problem = vaults(&subject.workspace.azure);
            let message = |problem| format!("the secret `{}` is in a key vault: {problem}", input.name.value);
            found.extend(problem.map(|problem| Diagnostic::error("azure", input.name.span, message(problem))));
        }
    }
    // What the runbook says once would be told of every step.
    let mut told = BTreeSet::new();
    for (_, step) in subject.steps() {
        let actions = actions_of(step).map(|(action, _)| action);
        for action in actions.filter(|action| action.name.value.starts_with("azure.")) {
            let problems = [subscription(subject, action), credential(subject, action), cloud(subject, action)];
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
    Some(unknown(subject, action, "subscription", message, &name, known))
}

fn credential(subject: &Subject<'_>, action: &ActionUse) -> Option<Diagnostic> {
    let settings = &subject.workspace.azure.credentials;
    let is_there = |name: &String| settings.contains_key(name) || Credential::by_kind(name).is_some();
    let name = literal(action, "credential").filter(|name| !is_there(name))?;
    let message =
        format!("no credential is called `{name}`: give a name from the workspace's `azure.credentials`, or a kind");
    Some(unknown(subject, action, "credential", message, &name, settings.keys().map(String::as_str).collect()))
}

/// Tokens go to the hosts of a cloud: only the workspace says which there are, and no value of a run does.
fn cloud(subject: &Subject<'_>, action: &ActionUse) -> Option<Diagnostic> {
    let clouds = &subject.workspace.azure.clouds;
    let given = action.with.value.entry("cloud")?;
    let wrong = |message: String| Some(Diagnostic::error("azure", action.place("cloud"), message));
    let Some(value) = given.plain() else {
        return wrong("`cloud` is known before the run: give the name itself".to_owned());
    };
    let Some(name) = value.as_str() else {
        let is_described = clouds.values().any(|described| described == value);
        let service = [("azure.key_vault.", "key_vault"), ("azure.batch.", "batch")];
        let suffix = service.iter().find(|(prefix, _)| action.name.value.starts_with(prefix)).map(|(_, suffix)| suffix);
        return match suffix.filter(|suffix| value.get(**suffix).is_none()) {
            _ if !is_described => {
                wrong("a cloud is described in `azure.clouds` of `drctl.yaml`: give its name".to_owned())
            }
            Some(suffix) => wrong(format!("`{}` needs `{suffix}` of the cloud in `azure.clouds`", action.name.value)),
            None => None,
        };
    };
    if CLOUDS.contains(&name) {
        return None;
    }
    let known: Vec<&str> = CLOUDS.into_iter().chain(clouds.keys().map(String::as_str)).collect();
    let message =
        format!("no cloud is called `{name}`: give one of Azure's, or a name from the workspace's `azure.clouds`");
    Some(unknown(subject, action, "cloud", message, name, known))
}

fn unknown(
    subject: &Subject<'_>,
    action: &ActionUse,
    field: &str,
    message: String,
    name: &str,
    known: Vec<&str>,
) -> Diagnostic {
    let there = if known.is_empty() {
        "there is none".to_owned()
    } else {
        format!("there are {}", listed(known.iter().copied()))
    };
    let place = action.place(field);
    let problem = Diagnostic::error("azure", place, message).note(there);
    if place == action.name.span {
        return problem.note("the step takes it from `azure` of the runbook or the workspace");
    }
    subject.suggest(problem, name, known)
}

/// Why no key vault can be asked as the workspace says.
fn vaults(settings: &Settings) -> Option<String> {
    let default = |name: &str| settings.defaults.get(name).and_then(Value::as_str);
    let is_known = |name: &&str| settings.credentials.contains_key(*name) || Credential::by_kind(name).is_some();
    if let Some(name) = default("credential").filter(|name| !is_known(name)) {
        return Some(format!("no credential is called `{name}`, as `azure` of `drctl.yaml` says"));
    }
    let cloud = default("cloud").filter(|name| !CLOUDS.contains(name))?;
    match settings.clouds.get(cloud) {
        None => Some(format!("no cloud is called `{cloud}`, as `azure` of `drctl.yaml` says")),
        Some(described) if described.get("key_vault").is_none() => {
            Some(format!("`{cloud}` of `azure.clouds` in `drctl.yaml` needs `key_vault`"))
        }
        Some(_) => None,
    }
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
