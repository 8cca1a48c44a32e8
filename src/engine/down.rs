//! What of a plan names a region that is down, and what that does to the run.

use std::time::Duration;

use serde_json::Value;

use super::uses::{Role, Use, uses};
use crate::catalogue::Effect;
use crate::plan::{GLOBAL, Plan, Region};
use crate::runbook::ast::{OnFailure, RunIf};

/// Actions that go nowhere themselves: a name is no more than a word to them.
const TALK: [&str; 5] = ["assert", "manual", "notify", "wait", "runbook"];

/// Actions that are made for a region that does not answer: what they ask for is done elsewhere.
const FOR_A_DEAD_REGION: [&str; 4] = [
    "azure.backup.cross_region_restore",
    "azure.cosmos.offline_region",
    "azure.sql.geo_restore",
    "azure.storage.failover",
];

/// An action that names the region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The step's path.
    pub step: String,
    /// The action's name.
    pub action: String,
    /// What it is to the step.
    pub role: Role,
    /// Where it names the region, such as `server` or `origins[0].host`, and what stands there.
    pub places: Vec<(String, String)>,
    /// What that means for the run while the region is down.
    pub consequence: Consequence,
}

/// What it means for a run that the region is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing: that nobody answers there is a result, or the service answers from everywhere.
    Nothing,
    /// Nothing unless the step is undone.
    ToUndo,
    /// The step may fail, and the run goes on.
    MayFail(Duration),
    /// The step reads there, and the run stops with it.
    ToRead,
    /// The step changes something there, and the run waits for that, and stops.
    ToChange(Duration),
}

/// What of the plan names the region, in the order of the run.
#[must_use]
pub fn mentions(plan: &Plan, region: &Region) -> Vec<Mention> {
    let goes_somewhere = |used: &Use| !TALK.contains(&used.action.as_str());
    uses(plan).into_iter().filter(goes_somewhere).filter_map(|used| mention(plan, region, used)).collect()
}

fn mention(plan: &Plan, region: &Region, used: Use) -> Option<Mention> {
    let mut places = Vec::new();
    used.with.iter().for_each(|(name, value)| named(region, name.clone(), value, &mut places));
    used.items.iter().for_each(|items| named(region, "for_each".to_owned(), items, &mut places));
    let consequence = consequence(plan, &used);
    let Use { path, role, action, .. } = used;
    (!places.is_empty()).then_some(Mention { step: path, action, role, places, consequence })
}

fn consequence(plan: &Plan, used: &Use) -> Consequence {
    let step = plan.step(used.step);
    let is_global = GLOBAL.iter().any(|service| used.action.starts_with(service));
    if FOR_A_DEAD_REGION.contains(&used.action.as_str()) {
        return Consequence::Nothing;
    }
    // That a target is down is a probe's result; what a verification finds unhealthy stops the run.
    if is_global || (used.role == Role::Action && used.action.starts_with("probe.")) {
        return Consequence::Nothing;
    }
    let goes_on = plan.on_failure(used.step) == OnFailure::Continue || step.run_if != RunIf::Success;
    match used.role {
        Role::Rollback => Consequence::ToUndo,
        _ if goes_on => Consequence::MayFail(plan.timeout(used.step)),
        Role::Action if plan.effect(&used.action, &used.with) != Effect::Reads => {
            Consequence::ToChange(plan.timeout(used.step))
        }
        Role::Action | Role::Verify => Consequence::ToRead,
    }
}

/// The places below a value that name the region, keys included.
fn named(region: &Region, place: String, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) if region.is_named_in(text) => found.push((place, text.clone())),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| named(region, format!("{place}[{at}]"), item, found));
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                if region.is_named_in(key) {
                    found.push((place.clone(), key.clone()));
                }
                named(region, format!("{place}.{key}"), item, found);
            }
        }
        _ => {}
    }
}
