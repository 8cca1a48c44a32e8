//! Backup vaults: recovery points that reached the paired region, restores there.

use serde_json::{Value, json};

use super::Service;
use crate::catalogue::Timestamp;
use crate::sim::azure::answer::Answer;
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::world::{World, text};

pub(super) const SERVICE: Service = Service { prefix: "microsoft.dataprotection", handle, derive: |_, _| {} };

fn handle(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    match target.action().as_str() {
        "fetchsecondaryrecoverypoints" => {
            let point = |hours: i64| {
                let moment = Timestamp(world.now.0 - hours * 3_600_000);
                json!({ "name": format!("point-{hours}"), "properties": { "objectType": "AzureBackupDiscreteRecoveryPoint", "recoveryPointId": format!("point-{hours}"), "recoveryPointTime": moment.to_string() } })
            };
            Some(Answer::ok(json!({ "value": [point(4), point(28)] })))
        }
        "validatecrossregionrestore" => Some(Answer::ok(json!({ "objectType": "OperationJobExtendedInfo" }))),
        "crossregionrestore" => {
            let number = world.number_of(incoming);
            let job = format!("/restores/{number}");
            world.insert(&job, json!({ "properties": { "status": "InProgress" } }), "");
            let own = Target { id: job.clone(), ..target.clone() };
            begin(world, incoming, &own, Style::Resource, Value::Null, move |world| {
                world.set(&job, "/properties/status", json!("Completed"));
            });
            Some(Answer::ok(json!({ "objectType": "OperationJobExtendedInfo", "jobId": format!("jobs/{number}") })))
        }
        "fetchcrossregionrestorejob" => {
            let job = world.body(&format!("/restores/{}", text(&incoming.body, "/jobId")))?;
            Some(Answer::ok(job.clone()))
        }
        _ => None,
    }
}
