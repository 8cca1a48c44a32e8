//! Tokens for Azure: whether each credential that a step uses gives one. They are sent to nobody.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::timeout;

use super::{Check, Outside, PATIENCE, Patient, Subject, count};
use crate::actions::azure::{Cloud, Vaults, With};
use crate::runbook::ast::SecretSource;

/// The clouds and credentials of all steps and of all secrets in key vaults, with those.
pub(super) fn asked_of(patient: &Patient<'_>) -> BTreeMap<(Cloud, String), BTreeSet<String>> {
    let mut asked: BTreeMap<(Cloud, String), BTreeSet<String>> = BTreeMap::new();
    for subject in &patient.subjects {
        for used in subject.uses.iter().filter(|used| used.action.starts_with("azure.")) {
            let with = With::new(&used.with);
            let key = (with.cloud(), with.credential().to_owned());
            asked.entry(key).or_default().insert(format!("{} of {}", used.path, subject.title));
        }
        for (key, user) in of_vaults(subject) {
            asked.entry(key).or_default().insert(user);
        }
    }
    asked
}

/// As whom the key vaults of a runbook's secrets are asked.
fn of_vaults(subject: &Subject) -> Vec<((Cloud, String), String)> {
    let Some(plan) = &subject.plan else { return Vec::new() };
    let vaults = Vaults::new(&plan.workspace.azure);
    let is_vault = |(_, from): &(String, SecretSource)| matches!(from, SecretSource::KeyVault(_));
    let secrets = plan.secrets().into_iter().filter(is_vault);
    let user = |name: String| format!("secret {name} of {}", subject.title);
    secrets.map(|(name, _)| ((vaults.cloud.clone(), vaults.credential.clone()), user(name))).collect()
}

pub(super) async fn checks(patient: &Patient<'_>, outside: &Outside<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    for ((cloud, name), users) in asked_of(patient) {
        let host = cloud.arm_host();
        let subject = format!("{name} at {host}");
        if name.contains("{{") {
            checks.push(Check::not_checked(subject, "is known only in the run"));
            continue;
        }
        let within = timeout(PATIENCE, outside.azure.token_giver(&cloud, &name)).await;
        let users = count(users.len(), "use");
        checks.push(match within {
            Ok(Ok(kind)) => Check::fine(subject, format!("`{kind}` gives a token, for {users}")),
            Ok(Err(problem)) => Check::broken(subject, format!("{problem}; for {users}")).next(advice(&problem)),
            Err(_) => {
                let found = format!("no token within {} s; for {users}", PATIENCE.as_secs());
                Check::broken(subject, found)
            }
        });
    }
    checks
}

/// What most often helps.
fn advice(problem: &str) -> &'static str {
    let said = [
        (": type `az login`", "az login"),
        (": type `azd auth login`", "azd auth login"),
        (": install `az`", "install the Azure CLI, then az login"),
        (": install `azd`", "install the Azure Developer CLI, then azd auth login"),
    ];
    let known = said.into_iter().find(|(words, _)| problem.contains(words));
    known.map_or("correct `azure.credentials` of drctl.yaml", |(_, advice)| advice)
}
