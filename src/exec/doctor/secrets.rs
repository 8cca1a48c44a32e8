//! The sources of secrets: whether they are there. No value is kept or shown, and no command is started.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use reqwest::Url;

use super::network::reach;
use super::{Check, Patient};
use crate::actions::azure::{Vaults, vault_host};
use crate::edge::environment::variable;
use crate::plan::Plan;
use crate::runbook::ast::SecretSource;
use crate::runbook::workspace::Workspace;

pub(super) async fn checks(patient: &Patient<'_>, settings: &Workspace) -> Vec<Check> {
    let plans = patient.subjects.iter().filter_map(|subject| subject.plan.as_ref());
    // Several runbooks name the same source.
    let sources: BTreeMap<String, SecretSource> =
        plans.flat_map(Plan::secrets).map(|(name, from)| (format!("{name} ({from})"), from)).collect();
    let mut checks = Vec::new();
    for (subject, from) in sources {
        checks.push(check(patient, settings, &subject, &from).await);
    }
    checks
}

async fn check(patient: &Patient<'_>, settings: &Workspace, subject: &str, from: &SecretSource) -> Check {
    match from {
        SecretSource::Env(name) => match variable(name).as_deref() {
            Some("") => Check::broken(subject, "is empty").next(format!("export {name}=...")),
            Some(_) => Check::fine(subject, "is set"),
            None => Check::broken(subject, "is not set").next(format!("export {name}=...")),
        },
        SecretSource::File(path) => file(subject, &patient.workspace.join(path)),
        SecretSource::Command(_) => Check::not_checked(subject, "is started only by a run"),
        SecretSource::KeyVault(named) => {
            vault(subject, &vault_host(&Vaults::new(&settings.azure).cloud, &named.vault)).await
        }
    }
}

/// Its value stays where it is: whether it may be read is seen only by reading it.
async fn vault(subject: &str, host: &str) -> Check {
    let reached = match Url::parse(&format!("https://{host}")) {
        Ok(url) => reach(subject, &url, "the value was not read").await,
        Err(_) => None,
    };
    reached
        .unwrap_or_else(|| Check::broken(subject, format!("`{host}` is no host: correct `azure.clouds` of drctl.yaml")))
}

fn file(subject: &str, path: &Path) -> Check {
    let shown = path.display();
    let (bytes, about) = match std::fs::read(path).and_then(|bytes| Ok((bytes, path.metadata()?))) {
        Ok(found) => found,
        Err(error) => return Check::broken(subject, format!("cannot read `{shown}`: {error}")),
    };
    if bytes.trim_ascii().is_empty() {
        return Check::broken(subject, format!("`{shown}` is empty"));
    }
    if about.permissions().mode() & 0o004 != 0 {
        let quoted = path.to_string_lossy();
        let next = format!("chmod 600 {}", shell_words::quote(&quoted));
        return Check::warning(subject, format!("everybody on this machine may read `{shown}`")).next(next);
    }
    Check::fine(subject, format!("`{shown}` can be read"))
}
