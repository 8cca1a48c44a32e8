//! The programs that steps, secrets and credentials start: whether they are where they will be looked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use super::credentials::asked_of;
use super::subject::runner;
use super::{Check, Patient};
use crate::engine::Use;
use crate::runbook::ast::SecretSource;
use crate::runbook::azure::{Credential, CredentialKind};
use crate::runbook::workspace::Workspace;

/// A program, where it is started, and the `PATH` it is looked for in, where a step sets one.
type Tool = (String, PathBuf, Option<String>);

pub(super) fn checks(patient: &Patient<'_>, settings: &Workspace) -> Vec<Check> {
    let mut wanted: BTreeMap<Tool, BTreeSet<String>> = BTreeMap::new();
    let mut unknown = BTreeSet::new();
    for subject in &patient.subjects {
        for used in &subject.uses {
            let user = format!("{} of {}", used.path, subject.title);
            let Some(name) = program(used) else { continue };
            if name.contains("{{") {
                unknown.insert(user);
            } else {
                wanted.entry(tool(patient, used, name)).or_default().insert(user);
            }
        }
        for (name, from) in subject.plan.iter().flat_map(crate::plan::Plan::secrets) {
            if let SecretSource::Command(argv) = from
                && let Some(program) = argv.first()
            {
                let tool = (program.clone(), patient.workspace.to_path_buf(), None);
                wanted.entry(tool).or_default().insert(format!("secret {name} of {}", subject.title));
            }
        }
    }
    let found = wanted.into_iter().map(|((name, dir, path), users)| {
        let users = shown(&users);
        match runner().find(&name, &dir, path.as_deref()) {
            Ok(file) => Check::fine(name, format!("`{}`, for {users}", file.display())),
            Err(problem) => {
                let found = format!("{}; needed by {users}", absent(&name, path, problem));
                Check::broken(&name, found).next(format!("install `{name}`, or correct what names it"))
            }
        }
    });
    let unknown = unknown.into_iter().map(|user| Check::not_checked(user, "its program is known only in the run"));
    found.chain(of_credentials(patient, settings)).chain(unknown).collect()
}

/// Why a program was not found; the PATH of everybody is long, and known.
fn absent(name: &str, path: Option<String>, problem: String) -> String {
    match path {
        None if !name.contains('/') => "is not in the PATH".to_owned(),
        _ => problem,
    }
}

/// The program that an action starts; in braces where it is not known yet.
fn program(used: &Use) -> Option<String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    match used.action.as_str() {
        "exec" => text(used.with.get("argv")?.get(0)),
        "shell" => Some(text(used.with.get("shell")).unwrap_or_else(|| "sh".to_owned())),
        _ => None,
    }
}

fn tool(patient: &Patient<'_>, used: &Use, name: String) -> Tool {
    let dir = used.with.get("dir").and_then(Value::as_str).filter(|dir| !dir.contains("{{")).unwrap_or_default();
    let path = used.with.get("env").and_then(|env| env.get("PATH")).and_then(Value::as_str).map(str::to_owned);
    (name, patient.workspace.join(dir), path)
}

/// The tools of developers. One that is missing may do no harm: the next kind of the credential is tried.
fn of_credentials(patient: &Patient<'_>, settings: &Workspace) -> Vec<Check> {
    let mut wanted: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (_, name) in asked_of(patient).into_keys() {
        let credential = settings.azure.credentials.get(&name).cloned().or_else(|| Credential::by_kind(&name));
        for kind in credential.into_iter().flat_map(|credential| credential.kinds) {
            let program = match kind {
                CredentialKind::AzureCli => "az",
                CredentialKind::AzureDeveloperCli => "azd",
                _ => continue,
            };
            wanted.entry(program).or_default().insert(format!("credential {name}"));
        }
    }
    let check = |(name, users): (&str, BTreeSet<String>)| match runner().find(name, patient.workspace, None) {
        Ok(file) => Check::fine(name, format!("`{}`, for {}", file.display(), shown(&users))),
        Err(problem) => {
            let found = format!("{}; tried by {}", absent(name, None, problem), shown(&users));
            Check::warning(name, found)
        }
    };
    wanted.into_iter().map(check).collect()
}

/// The first users, and how many more.
fn shown(users: &BTreeSet<String>) -> String {
    const SHOWN: usize = 3;
    let named: Vec<&str> = users.iter().take(SHOWN).map(String::as_str).collect();
    let more = users.len().saturating_sub(SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", named.join(", "))
}
