//! Site Recovery: recovery plans for virtual machines.
//!
//! Calls and words: `Microsoft.RecoveryServices/vaults/replicationRecoveryPlans`, api-version 2025-02-01. What may be done
//! next the plan itself says (`allowedOperations`): nothing is asked for that it does not allow.

use std::sync::Arc;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{
    CHECK, HEALTHY, OBSERVABLE, REASON, may, must, parameters, string, strings, words,
};
use crate::actions::azure::read::{is, items, pascal, snake, text};
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes};

const API: &str = "2025-02-01";

const VAULT: Field = must("vault", string, "the Recovery Services vault");
const PLAN: Field = must("plan", string, "the recovery plan");
const STATUS: &[Field] = &[must("status", string, "what was done last, in Azure's words")];

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![Plan, Failover, Step::Commit, Step::Reprotect, Step::Cleanup, Step::Cancel]
}

fn vault(with: &With<'_>) -> Resource {
    with.resource("Microsoft.RecoveryServices/vaults", "vault", API)
}

fn plan(with: &With<'_>) -> Resource {
    vault(with).child("replicationRecoveryPlans", with.text("plan"))
}

fn allowed(plan: &Value) -> Vec<String> {
    items(plan, "/properties/allowedOperations").iter().filter_map(Value::as_str).map(snake).collect()
}

fn status(plan: &Value) -> &str {
    text(plan, "/properties/currentScenarioStatus")
}

/// Whether a job of the plan runs.
fn is_busy(plan: &Value) -> bool {
    let job = text(plan, "/properties/currentScenario/jobId");
    let is_none = job.is_empty() || job.eq_ignore_ascii_case("None");
    !is_none && ["inprogress", "started", "running"].iter().any(|word| snake(status(plan)).replace('_', "") == *word)
}

/// The next thing to do for an operation that the plan may allow: send it, wait, or say why not.
fn next(with: &With<'_>, known: &Known, word: &str, write: Request, what: String) -> Result<Next, Next> {
    let now = known.body(&plan(with).get())?;
    let name = with.text("plan");
    if known.sent(&write).is_some() && !is_busy(now) {
        return Ok(Next::done(json!({ "status": status(now) }), format!("{what}: done")));
    }
    if is_busy(now) {
        return Ok(Next::Wait(format!("a job of `{name}` runs: {}", status(now))));
    }
    let allowed = allowed(now);
    if allowed.iter().any(|operation| operation == word) {
        return Ok(Next::send_once(write, what));
    }
    Ok(Next::Fail(format!("`{name}` does not allow `{word}` now, only: {}", allowed.join(", "))))
}

struct Plan;

static PLAN_SPEC: ActionSpec = ActionSpec {
    name: "azure.site_recovery.plan",
    summary: "reads the state of a recovery plan",
    docs: "Reads what the plan allows to be done next, and what was done last. With `allows`, healthy means: that is \
        allowed.",
    parameters: parameters![
        VAULT,
        PLAN,
        may("allows", string, "the operation that counts as healthy, such as `unplanned_failover`")
    ],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("allowed_operations", strings, "what may be done next"),
        must("status", string, "what was done last, in Azure's words"),
    ]),
    ..CHECK
};

impl Operation for Plan {
    fn spec(&self) -> &'static ActionSpec {
        &PLAN_SPEC
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&plan(with).get())?;
        let allowed = allowed(now);
        let healthy = with.option("allows").is_none_or(|wanted| allowed.iter().any(|operation| operation == wanted));
        let reason = format!("`{}` allows {}", with.text("plan"), allowed.join(", "));
        let outputs =
            json!({ "healthy": healthy, "reason": reason, "allowed_operations": allowed, "status": status(now) });
        Ok(Next::done(outputs, reason))
    }
}

struct Failover;

static FAILOVER: ActionSpec = ActionSpec {
    name: "azure.site_recovery.failover",
    summary: "fails the machines of a recovery plan over",
    docs: "Starts a planned, unplanned or test failover of a recovery plan, in its order. `unplanned` loses what was not \
        replicated (the plan's recovery points say how much). A test failover runs beside the real machines, in the network \
        given, and has to be cleaned up. A failover is to be committed, and the machines re-protected, afterwards. A failover that \
        waits for its commit already counts as this one where the machines run on the side that `direction` names; where they do not, \
        nothing is sent.",
    parameters: parameters![
        VAULT,
        PLAN,
        must("mode", || words(["planned", "unplanned", "test"]), "the kind of failover"),
        may("direction", || words(["primary_to_recovery", "recovery_to_primary"]), "`primary_to_recovery` if absent",),
        may("network", string, "for a test: the id of the network the machines come up in; none if absent"),
    ],
    outputs: Outputs::Fixed(STATUS),
    rule: Some(|with| match (with.get("mode").and_then(Value::as_str), with.contains_key("network")) {
        (Some("planned" | "unplanned"), true) => Err("`network` goes with `mode: test`".to_owned()),
        _ => Ok(()),
    }),
    takes: |_| Takes::guess(900, 3_600),
    permissions: &[
        "Microsoft.RecoveryServices/vaults/replicationRecoveryPlans/plannedFailover/action",
        "Microsoft.RecoveryServices/vaults/replicationRecoveryPlans/unplannedFailover/action",
        "Microsoft.RecoveryServices/vaults/replicationRecoveryPlans/testFailover/action",
    ],
    ..OBSERVABLE
};

impl Failover {
    fn write(with: &With<'_>) -> Request {
        let direction = pascal(with.option("direction").unwrap_or("primary_to_recovery"));
        let details = json!([{ "instanceType": "A2A", "recoveryPointType": "LatestProcessed" }]);
        let mut properties = json!({ "failoverDirection": direction, "providerSpecificDetails": details });
        let action = match with.text("mode") {
            "unplanned" => {
                properties["sourceSiteOperations"] = json!("NotRequired");
                "unplannedFailover"
            }
            "test" => {
                let network = with.option("network");
                properties["networkType"] =
                    json!(if network.is_some() { "VmNetworkAsInput" } else { "NoNetworkAttachAsInput" });
                if let Some(network) = network {
                    properties["networkId"] = json!(network);
                }
                "testFailover"
            }
            _ => "plannedFailover",
        };
        plan(with).post(action).body(json!({ "properties": properties }))
    }
}

impl Operation for Failover {
    fn spec(&self) -> &'static ActionSpec {
        &FAILOVER
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (mode, write) = (with.text("mode"), Self::write(with));
        let now = known.body(&plan(with).get())?;
        let settled = if is_busy(now) || known.sent(&write).is_some() {
            None
        } else if mode == "test" {
            tested(with, now)
        } else {
            failed_over(with, known, now)?
        };
        let what = format!("{mode} failover of `{}`", with.text("plan"));
        settled.map_or_else(|| next(with, known, &format!("{mode}_failover"), write, what), Ok)
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

/// Once tested, the plan allows to clean up, and no other test.
fn tested(with: &With<'_>, now: &Value) -> Option<Next> {
    let allowed = allowed(now);
    let is_done = allowed.iter().any(|word| word == "test_failover_cleanup");
    let note = format!("`{}` has failed over: `test_failover_cleanup` is next", with.text("plan"));
    (is_done && !allowed.iter().any(|word| word == "test_failover"))
        .then(|| Next::done(json!({ "status": status(now) }), note))
}

/// What there is to say where the plan has failed over already, in this direction or in the other one.
fn failed_over(with: &With<'_>, known: &Known, now: &Value) -> Result<Option<Next>, Next> {
    let direction = with.option("direction").unwrap_or("primary_to_recovery");
    let wanted = if direction == "recovery_to_primary" { "primary" } else { "recovery" };
    let allowed = allowed(now);
    let may_fail_over = allowed.contains(&format!("{}_failover", with.text("mode")));
    let waits_for_commit = allowed.iter().any(|word| word == "commit" || word == "failover_commit");
    let machines = machines(with, known, now)?;
    // Re-protecting may turn the items' own words round: they tell only of a failover that was not followed by it.
    let side = by_fabric(now, &machines).or_else(|| by_word(&machines).filter(|_| !may_fail_over));
    let name = with.text("plan");
    Ok(match side {
        Some(side) if side == wanted => {
            let after = if waits_for_commit { ", and waits for its commit" } else { "" };
            let note = format!("`{name}` runs on its {side} side{after}");
            Some(Next::done(json!({ "status": status(now) }), note))
        }
        Some(side) if waits_for_commit && !may_fail_over => Some(Next::Fail(format!(
            "`{name}` has failed over to its {side} side and waits for its commit: that is not `{direction}`. \
             Run `azure.site_recovery.commit` and `azure.site_recovery.reprotect` first"
        ))),
        None if waits_for_commit && !may_fail_over => Some(Next::Fail(format!(
            "`{name}` waits for the commit of a failover, and its machines do not tell on which side they run"
        ))),
        _ => None,
    })
}

/// The replicated machines of the plan.
fn machines<'k>(with: &With<'_>, known: &'k Known, plan: &Value) -> Result<Vec<&'k Value>, Next> {
    let listed = known.find(&vault(with).list("replicationProtectedItems"))?.map(|list| items(list, "/value"));
    let groups = items(plan, "/properties/groups").iter();
    let own: Vec<&str> =
        groups.flat_map(|group| items(group, "/replicationProtectedItems")).map(|item| text(item, "/id")).collect();
    let is_own = |item: &&Value| own.iter().any(|id| is(item, "/id", id));
    Ok(listed.unwrap_or_default().iter().filter(is_own).collect())
}

/// The side of the plan in whose fabric all machines run.
fn by_fabric(plan: &Value, machines: &[&Value]) -> Option<&'static str> {
    let fabric = |side: &str| text(plan, &format!("/properties/{side}FabricFriendlyName"));
    let of_plan = |name: &str| ["primary", "recovery"].into_iter().find(|side| name.eq_ignore_ascii_case(fabric(side)));
    let runs_in = |machine: &Value| {
        let side = if is(machine, "/properties/activeLocation", "Recovery") { "recovery" } else { "primary" };
        of_plan(text(machine, &format!("/properties/{side}FabricFriendlyName")))
    };
    // Between two zones of a region both sides are one fabric.
    let tells = !fabric("primary").is_empty() && !fabric("primary").eq_ignore_ascii_case(fabric("recovery"));
    let first = machines.first().filter(|_| tells).and_then(|machine| runs_in(machine))?;
    machines.iter().all(|machine| runs_in(machine) == Some(first)).then_some(first)
}

/// The side that all machines say they run on.
fn by_word(machines: &[&Value]) -> Option<&'static str> {
    let says = |word: &str| machines.iter().all(|machine| is(machine, "/properties/activeLocation", word));
    let words = [("Primary", "primary"), ("Recovery", "recovery")];
    words.into_iter().find(|(word, _)| !machines.is_empty() && says(word)).map(|(_, side)| side)
}

enum Step {
    Commit,
    Reprotect,
    Cleanup,
    Cancel,
}

const STEP: ActionSpec = ActionSpec {
    parameters: parameters![VAULT, PLAN],
    outputs: Outputs::Fixed(STATUS),
    takes: |_| Takes::guess(300, 1_800),
    ..OBSERVABLE
};
static COMMIT: ActionSpec = ActionSpec {
    name: "azure.site_recovery.commit",
    summary: "commits a failover of a recovery plan",
    docs: "Makes the failover final: no other recovery point can be chosen afterwards.",
    permissions: &["Microsoft.RecoveryServices/vaults/replicationRecoveryPlans/failoverCommit/action"],
    ..STEP
};
static REPROTECT: ActionSpec = ActionSpec {
    name: "azure.site_recovery.reprotect",
    summary: "replicates the machines of a recovery plan back",
    docs: "Turns the replication round, so that the machines can fail back. Takes as long as the data does to be compared.",
    permissions: &["Microsoft.RecoveryServices/vaults/replicationRecoveryPlans/reProtect/action"],
    ..STEP
};
static CLEANUP: ActionSpec = ActionSpec {
    name: "azure.site_recovery.cleanup",
    summary: "removes what a test failover of a recovery plan left",
    docs: "Removes the machines of a test failover.",
    permissions: &["Microsoft.RecoveryServices/vaults/replicationRecoveryPlans/testFailoverCleanup/action"],
    ..STEP
};
static CANCEL: ActionSpec = ActionSpec {
    name: "azure.site_recovery.cancel",
    summary: "cancels a planned failover of a recovery plan",
    docs: "Takes a failover back that has not been committed.",
    permissions: &["Microsoft.RecoveryServices/vaults/replicationRecoveryPlans/failoverCancel/action"],
    ..STEP
};

impl Step {
    /// The word of `allowedOperations`, and the request.
    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Commit => ("commit", "failoverCommit"),
            Self::Reprotect => ("re_protect", "reProtect"),
            Self::Cleanup => ("test_failover_cleanup", "testFailoverCleanup"),
            Self::Cancel => ("cancel_failover", "failoverCancel"),
        }
    }

    /// What the plan allows once it is done.
    fn after(&self) -> &'static [&'static str] {
        match self {
            Self::Commit => &["re_protect"],
            Self::Cleanup => &["test_failover"],
            Self::Reprotect | Self::Cancel => &["planned_failover", "unplanned_failover"],
        }
    }

    fn write(&self, with: &With<'_>) -> Request {
        let request = plan(with).post(self.words().1);
        match self {
            Self::Cleanup => request.body(json!({ "properties": {} })),
            _ => request,
        }
    }
}

impl Operation for Step {
    fn spec(&self) -> &'static ActionSpec {
        match self {
            Self::Commit => &COMMIT,
            Self::Reprotect => &REPROTECT,
            Self::Cleanup => &CLEANUP,
            Self::Cancel => &CANCEL,
        }
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&plan(with).get())?;
        let (word, request) = self.words();
        // Azure's lists write some of these words both ways.
        let allowed = allowed(now);
        let own = allowed.iter().find(|found| *found == word || **found == snake(request));
        if own.is_none() && !is_busy(now) && allowed.iter().any(|found| self.after().contains(&found.as_str())) {
            let note = format!("`{}` allows {}: nothing is left to {word}", with.text("plan"), allowed.join(", "));
            return Ok(Next::done(json!({ "status": status(now) }), note));
        }
        let word = own.map_or_else(|| word.to_owned(), Clone::clone);
        next(with, known, &word, self.write(with), format!("{request} of `{}`", with.text("plan")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![self.write(with)]
    }
}
