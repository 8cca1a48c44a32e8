//! The workspace: its settings, its runbooks, and who asks.

use super::{Check, Patient, count};
use crate::diag::{Diagnostic, Format, Severity, render};
use crate::exec::files::SETTINGS;
use crate::exec::surroundings::Surroundings;
use crate::runbook::workspace::Workspace;

/// The settings as far as they can be read, and what came of reading them.
pub(super) fn settings(patient: &Patient<'_>) -> (Workspace, Check) {
    let folder = patient.workspace.display();
    match Surroundings::read(patient.workspace) {
        Err(error) => (Workspace::empty(), Check::broken(SETTINGS, error.to_string())),
        Ok(Surroundings { sources, found, workspace: settings, .. }) => {
            let of_settings = |finding: &&Diagnostic| sources.name(finding.primary.source) == SETTINGS;
            let first = found.iter().filter(of_settings).find(|finding| finding.severity == Severity::Error);
            let check = match first {
                Some(first) => {
                    let told = render(std::slice::from_ref(first), &sources, Format::Short, false);
                    Check::broken(SETTINGS, told.trim_end()).next("drctl validate")
                }
                None if patient.workspace.join(SETTINGS).is_file() => Check::fine(SETTINGS, format!("in `{folder}`")),
                None => {
                    Check::warning(SETTINGS, format!("there is none in `{folder}` or above: no roles, no channels"))
                        .next("drctl init")
                }
            };
            (Workspace::clone(&settings), check)
        }
    }
}

pub(super) fn checks(patient: &Patient<'_>, settings: &Workspace, of_settings: Check) -> Vec<Check> {
    let missing = patient.subjects.iter().filter(|subject| !subject.missing.is_empty()).map(|subject| {
        let found = format!("what depends on {} is not known: it has no default", subject.missing.join(", "));
        let sets = subject.missing.iter().map(|name| format!(" --set {name}=VALUE")).collect::<String>();
        Check::not_checked(&subject.title, found).next(format!("drctl doctor {}{sets}", subject.file))
    });
    [of_settings, runbooks(patient), person(patient, settings)].into_iter().chain(missing).collect()
}

fn runbooks(patient: &Patient<'_>) -> Check {
    let invalid: Vec<&str> =
        patient.subjects.iter().filter(|subject| subject.is_broken).map(|subject| subject.title.as_str()).collect();
    let number = count(patient.subjects.len(), "runbook");
    match (patient.subjects.is_empty(), invalid.is_empty()) {
        (true, _) => Check::warning("runbooks", "there is none").next("drctl init"),
        (false, true) => Check::fine("runbooks", format!("{number} without errors")),
        (false, false) => {
            let found = format!("{number}, with errors in {}", invalid.join(", "));
            Check::broken("runbooks", found).next("drctl validate")
        }
    }
}

fn person(patient: &Patient<'_>, settings: &Workspace) -> Check {
    let person = patient.person;
    let who = format!("{}@{}", person.name, person.host);
    let has = |people: &Vec<String>| people.contains(&person.name);
    let roles: Vec<&str> =
        settings.roles.iter().filter(|(_, role)| has(&role.people)).map(|(role, _)| role.as_str()).collect();
    match (settings.roles.is_empty(), roles.is_empty()) {
        (true, _) => Check::fine("you", format!("{who}; the workspace has no roles: anybody may approve")),
        (false, false) => Check::fine("you", format!("{who}, {}", roles.join(", "))),
        (false, true) => {
            let known: Vec<&str> = settings.roles.keys().map(String::as_str).collect();
            let found = format!("{who} has none of the roles {}: your approvals count for no gate", known.join(", "));
            Check::warning("you", found)
                .next(format!("add `{}` to a role in {SETTINGS}, or give `--as NAME`", person.name))
        }
    }
}
