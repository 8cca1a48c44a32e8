//! Site Recovery: plans that say themselves what may be done next.

use serde_json::{Value, json};

use super::Service;
use crate::sim::azure::answer::Answer;
use crate::sim::azure::derive::Implied;
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::world::{World, items, text};

pub(super) const SERVICE: Service = Service { prefix: "microsoft.recoveryservices/vaults", handle, derive };

/// What may be done first: nothing was failed over yet.
const PROTECTED: [&str; 3] = ["PlannedFailover", "UnplannedFailover", "TestFailover"];

/// Where the machines of a vault are listed, below it.
const MACHINES: &str = "replicationFabrics/primary/replicationProtectionContainers/machines/replicationProtectedItems";

fn handle(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    if incoming.method == "GET" && target.action() == "replicationprotecteditems" {
        let listed = world.list(&format!("{}/{MACHINES}", target.id));
        let listed: Vec<Value> = listed.into_iter().map(|machine| machine.body.clone()).collect();
        return Some(Answer::ok(json!({ "value": listed })));
    }
    if incoming.method != "POST" {
        return None;
    }
    let (operation, next, words): (&str, Vec<&str>, &str) = match target.action().as_str() {
        "plannedfailover" => ("PlannedFailover", vec!["Commit", "CancelFailover"], "Planned failover completed"),
        "unplannedfailover" => ("UnplannedFailover", vec!["Commit"], "Unplanned failover completed"),
        "testfailover" => ("TestFailover", vec!["TestFailoverCleanup"], "Test failover completed"),
        "testfailovercleanup" => ("TestFailoverCleanup", PROTECTED.to_vec(), "Test failover cleaned up"),
        "failovercommit" => ("Commit", vec!["ReProtect"], "Failover committed"),
        "failovercancel" => ("CancelFailover", PROTECTED.to_vec(), "Failover cancelled"),
        "reprotect" => ("ReProtect", PROTECTED.to_vec(), "Re-protected"),
        _ => return None,
    };
    let plan = world.body(&target.id)?;
    if !items(plan, "/properties/allowedOperations").iter().any(|allowed| allowed == operation) {
        return Some(Answer::error(
            409,
            "OperationNotAllowedOnRecoveryPlan",
            format!("'{operation}' is not allowed now."),
        ));
    }
    if text(&incoming.body, "/properties/providerSpecificDetails/0/instanceType").is_empty()
        && operation.ends_with("Failover")
        && operation != "CancelFailover"
    {
        return Some(Answer::error(400, "InvalidParameter", "providerSpecificDetails are missing."));
    }
    let goes_to = match (operation, text(&incoming.body, "/properties/failoverDirection")) {
        ("PlannedFailover" | "UnplannedFailover", "RecoveryToPrimary") => "Primary",
        ("PlannedFailover" | "UnplannedFailover", _) => "Recovery",
        _ => "",
    };
    let machine = machine(&target.parent(), target.name());
    let runs_on = world.body(&machine).map(|machine| text(machine, "/properties/activeLocation").to_owned());
    let other = if runs_on.as_deref() == Some("Primary") { "Recovery" } else { "Primary" };
    let goes_to = if operation == "CancelFailover" { other } else { goes_to };
    if runs_on.as_deref() == Some(goes_to) {
        let message = format!("'{operation}' is not allowed: the machines run on that side.");
        return Some(Answer::error(409, "OperationNotAllowedOnRecoveryPlan", message));
    }
    let id = target.id.clone();
    let answer = begin(world, incoming, target, Style::Location, Value::Null, move |world| {
        world.set(&id, "/properties/allowedOperations", json!(next));
        world.set(&id, "/properties/currentScenario/jobId", json!("None"));
        world.set(&id, "/properties/currentScenarioStatus", json!(words));
        if !goes_to.is_empty() {
            world.set(&machine, "/properties/activeLocation", json!(goes_to));
        }
    });
    if answer.is_good() {
        world.set(&target.id, "/properties/currentScenario/jobId", json!("job"));
        world.set(&target.id, "/properties/currentScenarioStatus", json!("InProgress"));
    }
    Some(answer)
}

/// The machine of a plan.
fn machine(vault: &str, plan: &str) -> String {
    format!("{vault}/{MACHINES}/{plan}-machine")
}

/// What a plan allows, and what it has done, before the first of its actions: the first one is what it is ready for.
fn before(action: &str) -> (&'static [&'static str], &'static str) {
    match action.rsplit('.').next().unwrap_or_default() {
        "commit" => (&["Commit"], "Unplanned failover completed"),
        "reprotect" => (&["ReProtect"], "Failover committed"),
        "cleanup" => (&["TestFailoverCleanup"], "Test failover completed"),
        _ => (&PROTECTED, ""),
    }
}

fn derive(world: &mut World, implied: &Implied<'_>) {
    if implied.is_of("site_recovery") && !implied.text("plan").is_empty() {
        let vault = implied.id("Microsoft.RecoveryServices/vaults", "vault");
        let machine = machine(&vault, implied.text("plan"));
        let groups = json!([{ "groupType": "Boot", "replicationProtectedItems": [{ "id": machine }] }]);
        let (allowed, status) = before(implied.action);
        let properties = json!({ "allowedOperations": allowed, "currentScenarioStatus": status, "currentScenario": { "jobId": "None" }, "groups": groups });
        if implied.action == "azure.site_recovery.failover" {
            // Before the first failover the machines run where it starts.
            let from = if implied.text("direction") == "recovery_to_primary" { "Recovery" } else { "Primary" };
            world.ensure(&machine, json!({ "id": machine, "properties": { "activeLocation": from } }), "");
        }
        // The vault is in the region the machines fail over to.
        world.ensure(
            &format!("{vault}/replicationRecoveryPlans/{}", implied.text("plan")),
            json!({ "properties": properties }),
            "",
        );
    }
}
