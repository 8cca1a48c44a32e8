//! What runbooks, and drctl itself, need of a region that is thought to be down: what blocks first comes first.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Check, Patient, Subject, credentials};
use crate::catalogue::HumanDuration;
use crate::diag::closest;
use crate::engine::{Consequence, Mention, Role, mentions};
use crate::plan::{Plan, Region};
use crate::runbook::ast::Kind;
use crate::runbook::workspace::Workspace;

pub(super) fn checks(patient: &Patient<'_>, settings: &Workspace, down: &Region) -> Vec<Check> {
    let subjects = away(&patient.subjects);
    let mut checks = of_drctl(patient, settings, down);
    for subject in &subjects {
        let of_plan = subject.plan.iter().flat_map(|plan| mentions(plan, down));
        checks.extend(of_plan.map(|mention| told(subject, &mention)));
    }
    if checks.is_empty() {
        checks.push(nothing(&subjects, down));
    }
    checks
}

/// Those that lead away from a region; of several, nobody runs a failback into one that is down.
fn away(subjects: &[Subject]) -> Vec<&Subject> {
    let is_meant = |subject: &&Subject| subjects.len() == 1 || subject.kind != Some(Kind::Failback);
    subjects.iter().filter(is_meant).collect()
}

/// What no run begins without, then what notices go through.
fn of_drctl(patient: &Patient<'_>, settings: &Workspace, down: &Region) -> Vec<Check> {
    let mut needed = vec![("state folder".to_owned(), patient.store.root().display().to_string())];
    let asked = credentials::asked_of(patient);
    let is_asked = |described: &Value| {
        asked.keys().any(|(cloud, _)| described["management"] == format!("https://{}", cloud.arm_host()))
    };
    // Azure's own clouds give tokens from everywhere.
    let clouds = settings.azure.clouds.iter().filter(|(_, described)| is_asked(described));
    needed.extend(clouds.map(|(name, described)| (format!("cloud {name}"), described.to_string())));
    let plans = patient.subjects.iter().filter_map(|subject| subject.plan.as_ref());
    let secrets: BTreeSet<(String, String)> =
        plans.flat_map(Plan::secrets).map(|(name, from)| (format!("secret {name}"), from.to_string())).collect();
    needed.extend(secrets);
    needed.extend(
        settings
            .channels
            .iter()
            .map(|(name, channel)| (format!("channel {name}"), Value::Object(channel.settings.clone()).to_string())),
    );
    let named = needed.into_iter().filter(|(_, place)| down.is_named_in(place));
    named.map(|(subject, _)| Check::warning(subject, "drctl itself needs it, and it names the region")).collect()
}

fn told(subject: &Subject, mention: &Mention) -> Check {
    let about = format!("{} of {}", mention.step, subject.title);
    let role = match mention.role {
        Role::Action => "",
        Role::Verify => "verify ",
        Role::Rollback => "rollback ",
    };
    let places: Vec<String> = mention.places.iter().map(|(place, value)| format!("{place} `{value}`")).collect();
    let named = format!("{role}`{}` with {}", mention.action, places.join(", "));
    let add = "add `on_failure: continue` to the step, if the run can do without it";
    match mention.consequence {
        Consequence::Nothing => Check::fine(about, format!("{named}: needs nothing there")),
        Consequence::ToUndo => Check::fine(about, format!("{named}: only where the step is undone")),
        Consequence::MayFail(timeout) => {
            let within = HumanDuration(timeout);
            Check::fine(about, format!("{named}: may fail within {within}, and the run goes on"))
        }
        Consequence::ToRead => Check::warning(about, format!("{named}: reads there, and stops the run")).next(add),
        Consequence::ToChange(timeout) => {
            let within = HumanDuration(timeout);
            let found = format!("{named}: changes it, waits up to {within} for a dead region, and stops the run");
            Check::warning(about, found).next(add)
        }
    }
}

/// A name that nobody writes may be a slip of the pen.
fn nothing(subjects: &[&Subject], down: &Region) -> Check {
    let inputs: Vec<&str> = subjects
        .iter()
        .filter_map(|subject| subject.plan.as_ref())
        .flat_map(|plan| plan.inputs.values().filter_map(|value| value.as_str()))
        .collect();
    match closest(down.name(), inputs) {
        Some(meant) => Check::warning(down.name(), format!("nothing names it; did you mean `{meant}`?"))
            .next(format!("drctl doctor --assume-down {meant}")),
        None => Check::fine(down.name(), "no runbook, no channel and no source of a secret names it"),
    }
}
