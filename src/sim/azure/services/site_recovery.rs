//! Site Recovery: plans that say themselves what may be done next.

use serde_json::{Value, json};

use super::Service;
use crate::sim::azure::answer::Answer;
use crate::sim::azure::derive::Implied;
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::world::{World, items, text};

pub(super) const SERVICE: Service =
    Service { prefix: "microsoft.recoveryservices/vaults", versions: &["2025-02-01", "2025-08-01"], handle, derive };

/// What may be done first: nothing was failed over yet.
const PROTECTED: [&str; 3] = ["PlannedFailover", "UnplannedFailover", "TestFailover"];

fn handle(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
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
    let id = target.id.clone();
    let answer = begin(world, incoming, target, Style::Location, Value::Null, move |world| {
        world.set(&id, "/properties/allowedOperations", json!(next));
        world.set(&id, "/properties/currentScenario/jobId", json!("None"));
        world.set(&id, "/properties/currentScenarioStatus", json!(words));
    });
    if answer.is_good() {
        world.set(&target.id, "/properties/currentScenario/jobId", json!("job"));
        world.set(&target.id, "/properties/currentScenarioStatus", json!("InProgress"));
    }
    Some(answer)
}

fn derive(world: &mut World, implied: &Implied<'_>) {
    if implied.is_of("site_recovery") && !implied.text("plan").is_empty() {
        let vault = implied.id("Microsoft.RecoveryServices/vaults", "vault");
        let properties = json!({ "allowedOperations": PROTECTED, "currentScenarioStatus": "", "currentScenario": { "jobId": "None" } });
        // The vault is in the region the machines fail over to.
        world.ensure(
            &format!("{vault}/replicationRecoveryPlans/{}", implied.text("plan")),
            json!({ "properties": properties }),
            "",
        );
    }
}
