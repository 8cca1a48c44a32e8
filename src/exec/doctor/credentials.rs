//! Tokens for Azure: whether each credential that a step uses gives one. They are sent to nobody.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::timeout;

use super::{Check, Outside, PATIENCE, Patient};
use crate::actions::azure::{Cloud, With};

/// The clouds and credentials of all steps, with the steps.
pub(super) fn asked_of(patient: &Patient<'_>) -> BTreeMap<(Cloud, String), BTreeSet<String>> {
    let mut asked: BTreeMap<(Cloud, String), BTreeSet<String>> = BTreeMap::new();
    for subject in &patient.subjects {
        for used in subject.uses.iter().filter(|used| used.action.starts_with("azure.")) {
            let with = With::new(&used.with);
            let key = (with.cloud(), with.credential().to_owned());
            asked.entry(key).or_default().insert(format!("{} of {}", used.path, subject.title));
        }
    }
    asked
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
        let steps = format!("{} step{}", users.len(), if users.len() == 1 { "" } else { "s" });
        checks.push(match within {
            Ok(Ok(kind)) => Check::fine(subject, format!("`{kind}` gives a token, for {steps}")),
            Ok(Err(problem)) => Check::broken(subject, format!("{problem}; needed by {steps}")).next(advice(&problem)),
            Err(_) => {
                let found = format!("no token within {} s; needed by {steps}", PATIENCE.as_secs());
                Check::broken(subject, found)
            }
        });
    }
    checks
}

/// What most often helps.
fn advice(problem: &str) -> &'static str {
    match problem.contains("azure_cli") {
        true => "az login",
        false => "correct `azure.credentials` of drctl.yaml",
    }
}
