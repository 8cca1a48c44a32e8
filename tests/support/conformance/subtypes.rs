//! What the file leaves open: the bases of discriminated types. Here are the subtypes drctl may send, by hand from
//! the REST reference of the services; a body with another is refused.

use serde_json::{Map, Value, json};

use super::shape;

/// A base: the schemas' names end so, the key that tells subtypes apart, and the subtypes with the keys each adds.
type Base = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const BASES: [Base; 8] = [
    (".RecoveryPlanProviderSpecificFailoverInput", "instanceType", RECOVERY_PLAN_FAILOVER),
    (".ReplicationProtectedItems.TestFailoverProviderSpecificInput", "instanceType", PROTECTED_ITEM_FAILOVER),
    (".ReplicationProtectedItems.UnplannedFailoverProviderSpecificInput", "instanceType", PROTECTED_ITEM_FAILOVER),
    (".AzureBackupRestoreRequest", "objectType", BACKUP_RESTORE),
    (".RestoreTargetInfoBase", "objectType", BACKUP_RESTORE_TARGET),
    (".RouteConfiguration", "@odata.type", FRONT_DOOR_ROUTE),
    (".Triggers.Trigger", "type", DATA_FACTORY_TRIGGER),
    (".CosmosDB.BackupPolicy", "type", COSMOS_BACKUP),
];

const RECOVERY_PLAN_FAILOVER: &[(&str, &str)] = &[
    (
        "A2A",
        r#"{"recoveryPointType*": "=Latest|LatestApplicationConsistent|LatestCrashConsistent|LatestProcessed",
            "cloudServiceCreationOption": "string",
            "multiVmSyncPointOption": "=UseMultiVmSyncRecoveryPoint|UsePerVmRecoveryPoint"}"#,
    ),
    (
        "HyperVReplicaAzure",
        r#"{"recoveryPointType": "=Latest|LatestApplicationConsistent|LatestProcessed",
            "primaryKekCertificatePfx": "string", "secondaryKekCertificatePfx": "string"}"#,
    ),
    (
        "InMageRcm",
        r#"{"recoveryPointType*": "=Latest|LatestApplicationConsistent|LatestCrashConsistent|LatestProcessed",
            "useMultiVmSyncPoint": "=True|False"}"#,
    ),
];

const PROTECTED_ITEM_FAILOVER: &[(&str, &str)] =
    &[("A2A", r#"{"recoveryPointId": "string", "cloudServiceCreationOption": "string"}"#)];

const BACKUP_RESTORE: &[(&str, &str)] = &[
    ("AzureBackupRecoveryPointBasedRestoreRequest", r#"{"recoveryPointId*": "string"}"#),
    ("AzureBackupRecoveryTimeBasedRestoreRequest", r#"{"recoveryPointTime*": "string"}"#),
];

/// Which cluster is restored to is required, as the service's own description has it.
const BACKUP_RESTORE_TARGET: &[(&str, &str)] = &[(
    "ItemLevelRestoreTargetInfo",
    r#"{"datasourceInfo*": {"resourceID*": "string", "datasourceType": "string", "objectType": "string",
            "resourceLocation": "string", "resourceName": "string", "resourceType": "string", "resourceUri": "string"},
        "datasourceSetInfo": {"resourceID*": "string", "datasourceType": "string", "objectType": "string",
            "resourceLocation": "string", "resourceName": "string", "resourceType": "string", "resourceUri": "string"},
        "restoreCriteria*": [{
            "objectType*": "=KubernetesClusterVaultTierRestoreCriteria|KubernetesClusterRestoreCriteria",
            "includeClusterScopeResources*": "boolean",
            "conflictPolicy": "=Skip|Patch",
            "excludedNamespaces": ["string"], "excludedResourceTypes": ["string"],
            "includedNamespaces": ["string"], "includedResourceTypes": ["string"],
            "labelSelectors": ["string"],
            "namespaceMappings": {"*": "string"},
            "persistentVolumeRestoreMode": "=RestoreWithVolumeData|RestoreWithoutVolumeData",
            "resourceModifierReference": {"name": "string", "namespace": "string"},
            "restoreHookReferences": [{"name": "string", "namespace": "string"}],
            "stagingResourceGroupId": "string", "stagingStorageAccountId": "string"
        }]}"#,
)];

const FRONT_DOOR_ROUTE: &[(&str, &str)] = &[
    (
        "#Microsoft.Azure.FrontDoor.Models.FrontdoorForwardingConfiguration",
        r#"{"backendPool": {"id": "string"}, "customForwardingPath": "string",
            "forwardingProtocol": "=HttpOnly|HttpsOnly|MatchRequest", "cacheConfiguration": "any"}"#,
    ),
    (
        "#Microsoft.Azure.FrontDoor.Models.FrontdoorRedirectConfiguration",
        r#"{"customHost": "string", "customPath": "string", "customFragment": "string", "customQueryString": "string",
            "redirectProtocol": "=HttpOnly|HttpsOnly|MatchRequest",
            "redirectType": "=Found|Moved|PermanentRedirect|TemporaryRedirect"}"#,
    ),
];

const DATA_FACTORY_TRIGGER: &[(&str, &str)] = &[
    ("ScheduleTrigger", r#"{"typeProperties*": "object", "pipelines": ["object"]}"#),
    ("TumblingWindowTrigger", r#"{"typeProperties*": "object", "pipeline*": "object"}"#),
    ("BlobEventsTrigger", r#"{"typeProperties*": "object", "pipelines": ["object"]}"#),
    ("CustomEventsTrigger", r#"{"typeProperties*": "object", "pipelines": ["object"]}"#),
];

const COSMOS_BACKUP: &[(&str, &str)] = &[
    ("Continuous", r#"{"continuousModeProperties": {"tier": "=Continuous7Days|Continuous30Days"}}"#),
    (
        "Periodic",
        r#"{"periodicModeProperties": {"backupIntervalInMinutes": "integer",
            "backupRetentionIntervalInHours": "integer", "backupStorageRedundancy": "=Geo|Local|Zone"}}"#,
    ),
];

/// Closes these bases among the schemas.
pub fn close(schemas: &mut Map<String, Value>) {
    for (end, key, subtypes) in BASES {
        let mut bases: Vec<&mut Value> =
            schemas.iter_mut().filter(|(name, _)| name.ends_with(end)).map(|(_, base)| base).collect();
        assert!(!bases.is_empty(), "the file has no schema that ends in `{end}`");
        bases.iter_mut().for_each(|base| close_base(base, key, subtypes));
    }
}

/// A subtype holds what its base holds and what it adds, and nothing else.
fn close_base(base: &mut Value, key: &str, subtypes: &[(&str, &str)]) {
    let names: Vec<&str> = subtypes.iter().map(|(name, _)| *name).collect();
    let mut rules = vec![json!({"properties": {key: {"enum": names}}})];
    rules.extend(subtypes.iter().map(|(name, keys)| {
        let added: Map<String, Value> = serde_json::from_str(keys).unwrap();
        let mut subtype = shape::object(&added);
        for (name, schema) in base["properties"].as_object().unwrap() {
            subtype["properties"][name] = schema.clone();
        }
        json!({"if": {"properties": {key: {"const": name}}}, "then": subtype})
    }));
    *base = json!({"type": "object", "required": base["required"], "allOf": rules});
}
