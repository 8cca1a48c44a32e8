//! Backup vaults: recovery points in the paired region, and restoring a cluster's backup there.
//!
//! Calls and words: `Microsoft.DataProtection`, api-version 2025-09-01. Cross-region calls go to the *secondary* region's
//! location, with the ids of the vault and the instance of the region that is down.

use std::sync::Arc;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{CHECK, UNSAFE, boolean, int, may, must, parameters, string};
use crate::actions::azure::read::{items, snake, text};
use crate::actions::azure::request::segment;
use crate::actions::azure::with::region;
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes, Timestamp};

const API: &str = "2025-09-01";
const VAULTS: &str = "Microsoft.DataProtection/backupVaults";

const VAULT: Field = must("vault", string, "the backup vault, in the region that is down");
const VAULT_GROUP: Field = may("vault_resource_group", string, "its resource group; the step's own if absent");
const INSTANCE: Field = must("instance", string, "the backup instance of the vault");
const SOURCE_REGION: Field = must("source_region", string, "the region of the vault");
const LOCATION: Field = must("location", string, "the paired region, where it is restored");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![RecoveryPoints, CrossRegionRestore]
}

fn vault(with: &With<'_>) -> Resource {
    let group = with.option("vault_resource_group").unwrap_or(with.text("resource_group"));
    with.resource_in(group, VAULTS, with.text("vault"), API)
}

fn instance(with: &With<'_>) -> Resource {
    vault(with).child("backupInstances", with.text("instance"))
}

/// A call to the paired region.
fn there(with: &With<'_>, call: &str, body: Value) -> Request {
    let group = with.group(with.text("resource_group")).id;
    let location = segment(&region(with.text("location")));
    let id = format!("{group}/providers/Microsoft.DataProtection/locations/{location}");
    Resource { id, api: API }.post(call).body(body)
}

struct RecoveryPoints;

static RECOVERY_POINTS: ActionSpec = ActionSpec {
    name: "azure.backup.recovery_points",
    summary: "reads which backups of an instance the paired region has",
    docs: "Reads the recovery points that reached the paired region. The age of the latest one is what would be lost: read it before \
        the restore, and compare it with the RPO.",
    parameters: parameters![VAULT, VAULT_GROUP, INSTANCE, SOURCE_REGION, LOCATION],
    outputs: Outputs::Fixed(&[
        must("latest", string, "the name of the latest recovery point"),
        must("age_seconds", int, "how old it is"),
        must("count", int, "how many there are"),
    ]),
    loss: Some("age_seconds"),
    is_check: false,
    permissions: &[
        "Microsoft.DataProtection/subscriptions/resourceGroups/providers/locations/fetchSecondaryRecoveryPoints/action",
    ],
    ..CHECK
};

impl Operation for RecoveryPoints {
    fn spec(&self) -> &'static ActionSpec {
        &RECOVERY_POINTS
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let body = json!({ "sourceRegion": with.text("source_region"), "sourceBackupInstanceId": instance(with).id });
        let answer = known.body(&there(with, "fetchSecondaryRecoveryPoints", body))?;
        let moment =
            |point: &&Value| Timestamp::parse(text(point, "/properties/recoveryPointTime")).unwrap_or_default();
        let points = items(answer, "/value");
        let Some(latest) = points.iter().max_by_key(moment) else {
            return Ok(Next::Fail(format!(
                "`{}` has no recovery point in `{}`",
                with.text("instance"),
                with.text("location")
            )));
        };
        let age = moment(&latest).until(known.now).as_secs();
        let name = match text(latest, "/properties/recoveryPointId") {
            "" => text(latest, "/name"),
            id => id,
        };
        let outputs = json!({ "latest": name, "age_seconds": age, "count": points.len() });
        Ok(Next::done(outputs, format!("the latest of {} recovery points is {age} s old", points.len())))
    }
}

struct CrossRegionRestore;

static CROSS_REGION_RESTORE: ActionSpec = ActionSpec {
    name: "azure.backup.cross_region_restore",
    summary: "restores a cluster's backup in the paired region",
    docs: "Lets Azure check the restore, then restores the namespaces and volumes of a Kubernetes cluster into another cluster in the \
        paired region, and waits for the job's end. What is there already is left alone: a name that exists fails. Two requests start two \
        restores: a lost answer leaves the step in doubt.",
    parameters: parameters![
        VAULT,
        VAULT_GROUP,
        INSTANCE,
        SOURCE_REGION,
        LOCATION,
        must("recovery_point", string, "the recovery point, as `azure.backup.recovery_points` gives it"),
        must(
            "target_cluster",
            string,
            "the id of the cluster to restore into; from `/resourceGroups/` on it is in the subscription"
        ),
        may("cluster_scope", boolean, "whether resources outside of namespaces are restored; `true` if absent"),
    ],
    outputs: Outputs::Fixed(&[
        must("job_id", string, "the id of the job"),
        must("status", string, "how the job ended"),
    ]),
    takes: |_| Takes::guess(2_400, 10_800),
    permissions: &[
        "Microsoft.DataProtection/subscriptions/resourceGroups/providers/locations/crossRegionRestore/action",
        "Microsoft.DataProtection/subscriptions/resourceGroups/providers/locations/fetchCrossRegionRestoreJob/action",
    ],
    ..UNSAFE
};

impl CrossRegionRestore {
    fn body(with: &With<'_>) -> Value {
        let cluster = with.path(with.text("target_cluster"));
        json!({
            "crossRegionRestoreDetails": {
                "sourceRegion": with.text("source_region"),
                "sourceBackupInstanceId": instance(with).id,
            },
            "restoreRequestObject": {
                "objectType": "AzureBackupRecoveryPointBasedRestoreRequest",
                "recoveryPointId": with.text("recovery_point"),
                "sourceDataStoreType": "VaultStore",
                "sourceResourceId": cluster,
                "restoreTargetInfo": {
                    "objectType": "ItemLevelRestoreTargetInfo",
                    "recoveryOption": "FailIfExists",
                    "restoreLocation": with.text("location"),
                    "datasourceInfo": {
                        "objectType": "Datasource",
                        "datasourceType": "Microsoft.ContainerService/managedClusters",
                        "resourceID": cluster,
                        "resourceLocation": with.text("location"),
                    },
                    "restoreCriteria": [{
                        "objectType": "KubernetesClusterVaultTierRestoreCriteria",
                        "includeClusterScopeResources": with.flag("cluster_scope").unwrap_or(true),
                    }],
                },
            },
        })
    }

    fn write(with: &With<'_>) -> Request {
        there(with, "crossRegionRestore", Self::body(with))
    }
}

impl Operation for CrossRegionRestore {
    fn spec(&self) -> &'static ActionSpec {
        &CROSS_REGION_RESTORE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (check, write) = (there(with, "validateCrossRegionRestore", Self::body(with)), Self::write(with));
        let Some(result) = known.sent(&write) else {
            known.answer(&check)?;
            return Ok(Next::send_once(
                write,
                format!("restore `{}` in `{}`", with.text("instance"), with.text("location")),
            ));
        };
        let job = match text(result, "/jobId") {
            "" => text(result, "/properties/jobId"),
            job => job,
        };
        let id = job.rsplit('/').next().unwrap_or_default();
        if id.is_empty() {
            return Ok(Next::Wait("the restore has begun, and the answer names no job to ask about".to_owned()));
        }
        let body = json!({
            "sourceRegion": with.text("source_region"),
            "sourceBackupVaultId": vault(with).id,
            "jobId": id,
        });
        let now = known.body(&there(with, "fetchCrossRegionRestoreJob", body))?;
        let status = snake(text(now, "/properties/status"));
        Ok(match status.as_str() {
            "completed" | "succeeded" | "completed_with_warnings" => {
                Next::done(json!({ "job_id": id, "status": status }), format!("the restore ended as `{status}`"))
            }
            "failed" | "cancelled" | "canceled" => {
                Next::Fail(format!("the restore ended as `{status}`: {}", errors(now)))
            }
            _ => Next::Wait(format!("the restore is `{status}`")),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

fn errors(job: &Value) -> String {
    let errors = items(job, "/properties/errorDetails").iter();
    errors.map(|error| text(error, "/message")).collect::<Vec<_>>().join("; ")
}
