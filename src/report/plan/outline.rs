//! What is told of a plan, as one value: the document of `drctl plan --output json`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::catalogue::HumanDuration;

/// The version of the document.
pub(super) const FORMAT: u32 = 1;

/// A length of time: seconds in the document, `4m10s` in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub Duration);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_secs_f64())
    }
}

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        HumanDuration(self.0).fmt(f)
    }
}

/// A plan.
#[derive(Clone, Debug, Serialize)]
pub struct Outline {
    /// The version of this document.
    pub drctl: u32,
    /// The runbook's name.
    pub runbook: String,
    /// `failover`, `failback` or `drill`.
    pub kind: &'static str,
    /// For people.
    pub title: Option<String>,
    /// The team that keeps the runbook.
    pub owner: Option<String>,
    /// What the run is given.
    pub inputs: Vec<Given>,
    /// The phases that have steps, in order.
    pub phases: Vec<PhaseOutline>,
    /// How long recovery takes.
    pub critical_path: Times,
    /// What the actions may do on Azure, beyond reading.
    pub permissions: Vec<Needed>,
}

impl Outline {
    /// Every step, those of called runbooks too.
    #[must_use]
    pub fn steps(&self) -> Vec<&StepOutline> {
        self.collected(|_| true)
    }

    /// Every step but those of calls that are not made with these inputs.
    #[must_use]
    pub fn steps_within_reach(&self) -> Vec<&StepOutline> {
        self.collected(|call| call.applies != Some(false))
    }

    fn collected(&self, goes_into: fn(&StepOutline) -> bool) -> Vec<&StepOutline> {
        let mut found = Vec::new();
        self.phases.iter().for_each(|phase| phase.collect(&mut found, goes_into));
        found
    }

    /// The digest of every gate of which it is known before the run, by the path of its step.
    #[must_use]
    pub fn gates(&self) -> BTreeMap<String, String> {
        let digest = |step: &StepOutline| Some((step.path.clone(), step.approval.as_ref()?.digest.clone()?));
        self.steps().into_iter().filter_map(digest).collect()
    }
}

/// An input of the run.
#[derive(Clone, Debug, Serialize)]
pub struct Given {
    /// Its name.
    pub name: String,
    /// Its value; null for a secret.
    pub value: Value,
    /// Where a secret is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// The steps of a phase.
#[derive(Clone, Debug, Serialize)]
pub struct PhaseOutline {
    /// Its name.
    pub phase: &'static str,
    /// What may run at the same time, in order.
    pub waves: Vec<Vec<StepOutline>>,
}

impl PhaseOutline {
    fn collect<'s>(&'s self, found: &mut Vec<&'s StepOutline>, goes_into: fn(&StepOutline) -> bool) {
        for step in self.waves.iter().flatten() {
            found.push(step);
            let calls = step.calls.iter().filter(|_| goes_into(step));
            calls.flat_map(|call| &call.phases).for_each(|phase| phase.collect(found, goes_into));
        }
    }
}

/// A step.
#[derive(Clone, Debug, Serialize)]
pub struct StepOutline {
    /// What people call it: `database.promote`.
    pub path: String,
    /// For people.
    pub title: Option<String>,
    /// Who to ask about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its action and parameters.
    #[serde(flatten)]
    pub does: Use,
    /// What repeating it would do.
    pub effect: &'static str,
    /// The paths of the steps it waits for.
    pub needs: Vec<String>,
    /// Its condition, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Whether it is done at all with these inputs; null where only the run can tell.
    pub applies: Option<bool>,
    /// `success`, `failure` or `always`.
    pub run_if: &'static str,
    /// How it repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Repeated>,
    /// Its items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_each: Option<Parameter>,
    /// Who must agree before it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Gate>,
    /// How long its action takes, for all items; null where nobody says.
    pub estimate: Option<(Seconds, Seconds)>,
    /// How long one attempt may take.
    pub timeout: Seconds,
    /// How often it is tried.
    pub attempts: u32,
    /// What must hold after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<Check>,
    /// What undoes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Use>,
    /// What happens when it failed for good.
    pub on_failure: &'static str,
    /// Whether nothing before it can be undone once it has run.
    pub point_of_no_return: bool,
    /// Whether it stands on the critical path.
    pub critical: bool,
    /// The runbook it calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<Call>,
}

/// An action with its parameters.
#[derive(Clone, Debug, Serialize)]
pub struct Use {
    /// The action.
    pub action: String,
    /// Its parameters.
    pub with: Vec<Parameter>,
}

/// A value as far as it is known.
#[derive(Clone, Debug, Serialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// The value; `(known after STEP)` stands where something is not known yet.
    pub value: Value,
    /// What has to be known first: paths of steps, `run` for the run itself, `item` for each instance.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub known_after: Vec<String>,
}

/// A step that repeats.
#[derive(Clone, Debug, Serialize)]
pub struct Repeated {
    /// The time from one instance to the next.
    pub every: Seconds,
    /// The step that ends it.
    pub until: Option<String>,
}

/// A gate.
#[derive(Clone, Debug, Serialize)]
pub struct Gate {
    /// The roles that may open it; anybody where there is none.
    pub by: Vec<String>,
    /// The people who have them.
    pub people: Vec<String>,
    /// How many different people.
    pub quorum: u32,
    /// Whether who started the run may approve.
    pub requester_may_approve: bool,
    /// How long it waits.
    pub timeout: Option<Seconds>,
    /// What then: `escalate` or `reject`.
    pub on_timeout: &'static str,
    /// The roles that are asked too then.
    pub escalate_to: Vec<String>,
    /// The people who have those.
    pub escalate_to_people: Vec<String>,
    /// Who is called, level by level, and how long each has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<(String, Seconds)>,
    /// What is asked, as far as it is known.
    pub prompt: Option<Parameter>,
    /// What an approval ahead binds to; null where only the run can tell.
    pub digest: Option<String>,
    /// What the digest covers, as people read it.
    pub preview: Vec<String>,
    /// Why the digest is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How long people take.
    pub estimate: (Seconds, Seconds),
}

/// A check after a step.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// The check.
    #[serde(flatten)]
    pub does: Use,
    /// How long it may take to hold.
    pub within: Seconds,
}

/// A runbook that is called.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// Its name.
    pub runbook: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its phases.
    pub phases: Vec<PhaseOutline>,
}

/// How long recovery takes.
#[derive(Clone, Debug, Serialize)]
pub struct Times {
    /// The paths of the steps that usually take longest.
    pub steps: Vec<String>,
    /// Their time.
    pub typical: Seconds,
    /// The time where every step takes its worst.
    pub worst: Seconds,
    /// The steps that take longest then.
    pub worst_steps: Vec<String>,
    /// The recovery time objective.
    pub rto: Option<Seconds>,
    /// The times of every value of the enum and bool inputs that decide what is done, the worst first.
    pub choices: Vec<Choice>,
    /// Inputs that decide, too, and are as in this plan in all `choices`, which would be too many.
    pub not_told_apart: Vec<String>,
    /// Steps that count as nothing, because nobody says how long they take.
    pub without_estimate: Vec<String>,
}

/// The times with some values of enum and bool inputs.
#[derive(Clone, Debug, Serialize)]
pub struct Choice {
    /// The values.
    pub inputs: serde_json::Map<String, Value>,
    /// The usual time.
    pub typical: Seconds,
    /// The time at worst.
    pub worst: Seconds,
    /// Whether these are the values of this plan.
    pub planned: bool,
}

/// What is needed in one place.
#[derive(Clone, Debug, Serialize)]
pub struct Needed {
    /// The subscription and resource group.
    pub scope: String,
    /// The permission.
    pub permission: String,
    /// The steps that need it.
    pub steps: Vec<String>,
}
