//! The subscriptions and credentials that steps name are there, and a call takes none of them along. Knows nothing of
//! whether they may be used.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Subject, actions_of};
use crate::diag::{Diagnostic, listed};
use crate::plan::runbooks::DEEPEST;
use crate::runbook::ast::{ActionUse, Runbook, SecretSource, Step};
use crate::runbook::azure::{CLOUDS, Credential, DEFAULTS, Settings, meant};
use crate::runbook::expr::Templated;

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
        found.extend(not_taken_along(subject, step));
        let actions = actions_of(step).map(|(action, _)| action);
        for action in actions.filter(|action| action.name.value.starts_with("azure.")) {
            let problems = [subscription(subject, action), credential(subject, action), cloud(subject, action)];
            found.extend(problems.into_iter().flatten().filter(|problem| told.insert(problem.message.clone())));
        }
    }
}

/// What the runbook says under `azure`, and a runbook that it calls, or that is called by one of those, has otherwise:
/// only from its own file or the workspace. A finding for each of those.
fn not_taken_along(subject: &Subject<'_>, step: &Step) -> Vec<Diagnostic> {
    let (Some(own), settings) = (subject.runbook.azure.as_ref(), &subject.workspace.azure) else { return Vec::new() };
    let Some(called) = subject.runbooks.called(subject.runbook, step) else { return Vec::new() };
    let mut by_runbook: BTreeMap<&str, (String, Vec<String>)> = BTreeMap::new();
    for field in DEFAULTS {
        let Some(value) = own.entry(field.name).map(Cow::into_owned) else { continue };
        let value = meant(field.name, &value, settings).unwrap_or(value);
        if let Some((name, path)) = otherwise(subject, called, (field.name, &value), DEEPEST) {
            let (_, fields) = by_runbook.entry(name).or_insert((path, Vec::new()));
            fields.push(format!("`{}`", field.name));
        }
    }
    let finding = |(name, (path, fields)): (&str, (String, Vec<String>))| {
        let message = format!("`{name}` does not take {} from `azure` of this runbook", fields.join(", "));
        let id = &step.id.value;
        Diagnostic::warning("azure", step.action.place("runbook"), message)
            .note(format!("its step `{id}.{path}` goes by `azure` of `{name}`, or else of `drctl.yaml`"))
            .note(format!("say it in `azure` of `{name}`: all but `cloud` may come from an input of the call"))
    };
    by_runbook.into_iter().map(finding).collect()
}

/// The first step in a called runbook, or in what that calls, that takes the field from the workspace, and so not the
/// caller's value: the name of the runbook that it stands in, and its path.
fn otherwise<'s>(
    subject: &Subject<'s>,
    called: &'s Runbook,
    wanted: (&str, &Templated),
    deep: usize,
) -> Option<(&'s str, String)> {
    let (field, value) = wanted;
    if deep == 0 || called.azure.as_ref().is_some_and(|own| own.entry(field).is_some()) {
        return None;
    }
    let takes = |action: &ActionUse| {
        let name = &action.name.value;
        let spec = subject.catalogue.get(name).filter(|_| name.starts_with("azure."));
        let is_written = action.place(field) != action.name.span;
        spec.is_some_and(|spec| spec.parameter(field).is_some())
            && !is_written
            && action.with.value.entry(field).as_deref() != Some(value)
    };
    called.steps.iter().find_map(|step| {
        let id = &step.id.value;
        if let Some(inner) = subject.runbooks.called(called, step) {
            let (name, path) = otherwise(subject, inner, wanted, deep - 1)?;
            return Some((name, format!("{id}.{path}")));
        }
        actions_of(step).any(|(action, _)| takes(action)).then(|| (called.name.value.as_str(), id.clone()))
    })
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
