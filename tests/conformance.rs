//! The checker of requests to Azure finds what is wrong with one, and nothing wrong with those that are right.
//!
//! Right are here the requests that the reference of the services shows; the requests drctl itself builds are
//! checked where they are built.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "support/conformance/mod.rs"]
mod conformance;

use conformance::{Conformance, Matched, Sent, VARIABLE};
use serde_json::{Value, json};

/// A request to Resource Manager. `~` stands for a resource group's providers, `§` for a subscription.
fn arm(method: &str, path: &str, version: &str, body: Value) -> Sent {
    let path = path.replace('~', "§/resourceGroups/rg-west/providers");
    let path = path.replace('§', "/subscriptions/11111111-2222-3333-4444-555555555555");
    let join = if path.contains('?') { '&' } else { '?' };
    at(method, &format!("https://management.azure.com{path}{join}api-version={version}"), body)
        .scope("https://management.azure.com/.default")
}

/// A request to anywhere, without a token.
fn at(method: &str, url: &str, body: Value) -> Sent {
    let body = (!body.is_null()).then_some(body);
    let (method, url, headers, scope) = (method.to_owned(), url.to_owned(), Vec::new(), String::new());
    Sent { method, url, headers, body, scope, opaque: false }
}

impl Sent {
    fn scope(mut self, scope: &str) -> Self {
        scope.clone_into(&mut self.scope);
        self
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn opaque(mut self) -> Self {
        self.opaque = true;
        self
    }
}

/// The checker with the file; says so, and gives `None`, where there is no file.
fn with_file() -> Option<Conformance> {
    let loaded = Conformance::load();
    if loaded.is_none() {
        #[expect(clippy::print_stderr, reason = "a test that checked nothing says so")]
        {
            eprintln!("{VARIABLE} is not set: nothing was checked against the description of Azure's operations");
        }
    }
    loaded
}

const STORAGE: &str = "~/Microsoft.Storage/storageAccounts/stwest";
const COSMOS: &str = "~/Microsoft.DocumentDB/databaseAccounts/orders";
const SQL: &str = "~/Microsoft.Sql/servers/sql-north";
const MI: &str = "~/Microsoft.Sql/locations/northeurope/instanceFailoverGroups/fog";
const POSTGRES: &str = "~/Microsoft.DBforPostgreSQL/flexibleServers/pg-north";
const MYSQL: &str = "~/Microsoft.DBforMySQL/flexibleServers/my-north";
const TRAFFIC: &str = "~/Microsoft.Network/trafficManagerProfiles/shop";
const DOOR: &str = "~/Microsoft.Cdn/profiles/door";
const DNS: &str = "~/Microsoft.Network/dnsZones/example.com";
const GATEWAY: &str = "~/Microsoft.Network/applicationGateways/gw";
const SITE: &str = "~/Microsoft.Web/sites/shop";
const SCALE_SET: &str = "~/Microsoft.Compute/virtualMachineScaleSets/web";
const MACHINE: &str = "~/Microsoft.Compute/virtualMachines/vm1";
const CLUSTER: &str = "~/Microsoft.ContainerService/managedClusters/aks";
const FACTORY: &str = "~/Microsoft.DataFactory/factories/adf";
const REDIS: &str = "~/Microsoft.Cache/redis/cache";
const MANAGED_REDIS: &str = "~/Microsoft.Cache/redisEnterprise/cache";
const BUS: &str = "~/Microsoft.ServiceBus/namespaces/bus-north";
const HUBS: &str = "~/Microsoft.EventHub/namespaces/hubs-north";
const PLAN: &str = "~/Microsoft.RecoveryServices/vaults/rsv/replicationRecoveryPlans/shop";
const PROTECTION: &str = "~/Microsoft.DataProtection";
const DEPLOYMENT: &str = "~/Microsoft.Resources/deployments/rebuild";

fn restore() -> Value {
    json!({
        "crossRegionRestoreDetails": {"sourceRegion": "westeurope", "sourceBackupInstanceId": "/subscriptions/s/i"},
        "restoreRequestObject": {
            "objectType": "AzureBackupRecoveryPointBasedRestoreRequest",
            "recoveryPointId": "0123",
            "sourceDataStoreType": "VaultStore",
            "restoreTargetInfo": {
                "objectType": "ItemLevelRestoreTargetInfo",
                "recoveryOption": "FailIfExists",
                "restoreLocation": "northeurope",
                "datasourceInfo": {"resourceID": "/subscriptions/s/c", "objectType": "Datasource"},
                "restoreCriteria": [{
                    "objectType": "KubernetesClusterVaultTierRestoreCriteria",
                    "includeClusterScopeResources": true
                }]
            }
        }
    })
}

fn recovery_plan(more: &Value) -> Value {
    let mut properties = json!({
        "failoverDirection": "PrimaryToRecovery",
        "providerSpecificDetails": [{"instanceType": "A2A", "recoveryPointType": "LatestProcessed"}],
    });
    for (key, value) in more.as_object().unwrap() {
        properties[key] = value.clone();
    }
    json!({"properties": properties})
}

/// Requests that are right, each with the operation of the file.
fn right() -> Vec<(Sent, &'static str)> {
    let go = |method, path: String, version, body, id| (arm(method, &path, version, body), id);
    let none = Value::Null;
    let mut all = right_for_traffic();
    all.extend(right_for_compute());
    all.extend([
        go("POST", format!("{STORAGE}/failover"), "2025-06-01", none.clone(), "Storage_StorageAccounts_Failover"),
        go(
            "POST",
            format!("{STORAGE}/failover?failoverType=Planned"),
            "2025-06-01",
            none.clone(),
            "Storage_StorageAccounts_Failover",
        ),
        go(
            "GET",
            format!("{STORAGE}?$expand=geoReplicationStats"),
            "2025-06-01",
            none.clone(),
            "Storage_StorageAccounts_GetProperties",
        ),
        go(
            "PATCH",
            STORAGE.to_owned(),
            "2025-06-01",
            json!({"sku": {"name": "Standard_RAGRS"}}),
            "Storage_StorageAccounts_Update",
        ),
        go(
            "POST",
            format!("{COSMOS}/failoverPriorityChange"),
            "2025-04-15",
            json!({"failoverPolicies": [{"locationName": "North Europe", "failoverPriority": 0}]}),
            "CosmosDB_CosmosDB_DatabaseAccountsFailoverPriorityChange",
        ),
        go(
            "POST",
            format!("{COSMOS}/offlineRegion"),
            "2025-04-15",
            json!({"region": "West Europe"}),
            "CosmosDB_CosmosDB_DatabaseAccountsOfflineRegion",
        ),
        go(
            "PATCH",
            COSMOS.to_owned(),
            "2025-04-15",
            json!({"properties": {"enableAutomaticFailover": true, "backupPolicy": {"type": "Continuous"}}}),
            "CosmosDB_CosmosDB_DatabaseAccountsUpdate",
        ),
        go("POST", format!("{SQL}/failoverGroups/fog/failover"), "2023-08-01", none.clone(), "Sql_FailoverGroups_Failover"),
        go(
            "POST",
            format!("{SQL}/failoverGroups/fog/tryPlannedBeforeForcedFailover"),
            "2023-08-01",
            none.clone(),
            "Sql_FailoverGroups_TryPlannedBeforeForcedFailover",
        ),
        go(
            "PATCH",
            format!("{SQL}/failoverGroups/fog"),
            "2023-08-01",
            json!({"properties": {"readWriteEndpoint":
                {"failoverPolicy": "Automatic", "failoverWithDataLossGracePeriodMinutes": 60}}}),
            "Sql_FailoverGroups_Update",
        ),
        go(
            "PUT",
            format!("{SQL}/databases/restored"),
            "2023-08-01",
            json!({"location": "northeurope", "properties": {"createMode": "PointInTimeRestore",
                "sourceDatabaseId": "/subscriptions/s/d", "restorePointInTime": "2026-01-01T00:00:00Z"}}),
            "Sql_Databases_CreateOrUpdate",
        ),
        go(
            "POST",
            format!("{SQL}/databases/db/replicationLinks/4c9e/failover"),
            "2023-08-01",
            none.clone(),
            "Sql_ReplicationLinks_Failover",
        ),
        go("GET", format!("{SQL}/recoverableDatabases"), "2023-08-01", none.clone(), "Sql_RecoverableDatabases_ListByServer"),
        go(
            "POST",
            format!("{MI}/forceFailoverAllowDataLoss"),
            "2023-08-01",
            none.clone(),
            "Sql_InstanceFailoverGroups_ForceFailoverAllowDataLoss",
        ),
        go(
            "PATCH",
            POSTGRES.to_owned(),
            "2025-08-01",
            json!({"properties": {"replica":
                {"role": "Primary", "promoteMode": "Switchover", "promoteOption": "Planned"}}}),
            "PostgreSql_Servers_Update",
        ),
        go(
            "POST",
            format!("{POSTGRES}/restart"),
            "2025-08-01",
            json!({"restartWithFailover": true, "failoverMode": "ForcedFailover"}),
            "PostgreSql_Servers_Restart",
        ),
        go(
            "PUT",
            POSTGRES.to_owned(),
            "2025-08-01",
            json!({"location": "northeurope", "properties": {"createMode": "GeoRestore",
                "sourceServerResourceId": "/subscriptions/s/pg", "pointInTimeUTC": "2026-01-01T00:00:00Z"}}),
            "PostgreSql_Servers_CreateOrUpdate",
        ),
        go("GET", format!("{POSTGRES}/replicas"), "2025-08-01", none.clone(), "PostgreSql_Servers_ReplicasListByServer"),
        go(
            "PATCH",
            MYSQL.to_owned(),
            "2023-12-30",
            json!({"properties": {"replicationRole": "None"}}),
            "MySql_Servers_Update",
        ),
        go("POST", format!("{MYSQL}/failover"), "2023-12-30", none.clone(), "MySql_ServerFailover_ServersFailover"),
        go(
            "PUT",
            MYSQL.to_owned(),
            "2023-12-30",
            json!({"location": "northeurope", "properties": {"createMode": "PointInTimeRestore",
                "sourceServerResourceId": "/subscriptions/s/my", "restorePointInTime": "2026-01-01T00:00:00Z"}}),
            "MySql_Servers_Create",
        ),
        go("DELETE", format!("{REDIS}/linkedServers/north"), "2024-11-01", none.clone(), "Redis_LinkedServer_Delete"),
        go(
            "PUT",
            format!("{REDIS}/linkedServers/north"),
            "2024-11-01",
            json!({"properties": {"linkedRedisCacheId": "/subscriptions/s/r",
                "linkedRedisCacheLocation": "northeurope", "serverRole": "Secondary"}}),
            "Redis_LinkedServer_Create",
        ),
        go(
            "POST",
            format!("{REDIS}/forceReboot"),
            "2024-11-01",
            json!({"rebootType": "PrimaryNode", "shardId": 0}),
            "Redis_RedisResources_RedisForceReboot",
        ),
        go(
            "POST",
            format!("{MANAGED_REDIS}/databases/default/forceUnlink"),
            "2025-07-01",
            json!({"ids": ["/subscriptions/s/r"]}),
            "RedisEnterprise_Databases_ForceUnlink",
        ),
        go(
            "POST",
            format!("{MANAGED_REDIS}/databases/default/forceLinkToReplicationGroup"),
            "2025-07-01",
            json!({"geoReplication": {"groupNickname": "shop", "linkedDatabases": [{"id": "/subscriptions/s/r"}]}}),
            "RedisEnterprise_Databases_ForceLinkToReplicationGroup",
        ),
        go(
            "GET",
            "§/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv".to_owned(),
            "2025-05-01",
            none.clone(),
            "KeyVault_DeletedVaults_VaultsGetDeleted",
        ),
        go(
            "PUT",
            "~/Microsoft.KeyVault/vaults/kv".to_owned(),
            "2025-05-01",
            json!({"location": "westeurope", "properties": {"createMode": "recover", "tenantId": "t",
                "sku": {"family": "A", "name": "standard"}}}),
            "KeyVault_Vaults_CreateOrUpdate",
        ),
        go(
            "POST",
            format!("{BUS}/disasterRecoveryConfigs/alias/failover"),
            "2024-01-01",
            json!({"properties": {"IsSafeFailover": true}}),
            "ServiceBus_DisasterRecoveryConfigs_FailOver",
        ),
        go(
            "POST",
            format!("{HUBS}/disasterRecoveryConfigs/alias/failover"),
            "2024-01-01",
            none.clone(),
            "EventHub_DisasterRecoveryConfigs_FailOver",
        ),
        go(
            "POST",
            format!("{BUS}/disasterRecoveryConfigs/alias/breakPairing"),
            "2024-01-01",
            none.clone(),
            "ServiceBus_DisasterRecoveryConfigs_BreakPairing",
        ),
        go(
            "POST",
            format!("{PLAN}/plannedFailover"),
            "2025-02-01",
            recovery_plan(&json!({})),
            "RecoveryServicesSiteRecovery_ReplicationRecoveryPlans_PlannedFailover",
        ),
        go(
            "POST",
            format!("{PLAN}/unplannedFailover"),
            "2025-02-01",
            recovery_plan(&json!({"sourceSiteOperations": "NotRequired"})),
            "RecoveryServicesSiteRecovery_ReplicationRecoveryPlans_UnplannedFailover",
        ),
        go(
            "POST",
            format!("{PLAN}/testFailover"),
            "2025-02-01",
            recovery_plan(&json!({"networkType": "VmNetworkAsInput", "networkId": "/subscriptions/s/n"})),
            "RecoveryServicesSiteRecovery_ReplicationRecoveryPlans_TestFailover",
        ),
        go(
            "POST",
            format!("{PLAN}/testFailoverCleanup"),
            "2025-02-01",
            json!({"properties": {}}),
            "RecoveryServicesSiteRecovery_ReplicationRecoveryPlans_TestFailoverCleanup",
        ),
        go(
            "POST",
            format!("{PLAN}/failoverCommit"),
            "2025-02-01",
            none.clone(),
            "RecoveryServicesSiteRecovery_ReplicationRecoveryPlans_FailoverCommit",
        ),
        go(
            "POST",
            format!("{PROTECTION}/locations/northeurope/crossRegionRestore"),
            "2025-09-01",
            restore(),
            "DataProtection_Dataprotections_BackupInstancesTriggerCrossRegionRestore",
        ),
        go(
            "POST",
            format!("{PROTECTION}/locations/northeurope/fetchSecondaryRecoveryPoints"),
            "2025-09-01",
            json!({"sourceRegion": "westeurope", "sourceBackupInstanceId": "/subscriptions/s/i"}),
            "DataProtection_Dataprotections_FetchSecondaryRecoveryPointsList",
        ),
        go(
            "POST",
            format!("{PROTECTION}/locations/northeurope/fetchCrossRegionRestoreJob"),
            "2025-09-01",
            json!({"sourceRegion": "westeurope", "sourceBackupVaultId": "/subscriptions/s/v", "jobId": "j"}),
            "DataProtection_Dataprotections_FetchCrossRegionRestoreJobGet",
        ),
        go(
            "GET",
            "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Sql/servers/a/databases/b/providers/\
             Microsoft.Insights/metrics?metricnames=cpu_percent&timespan=PT1H"
                .to_owned(),
            "2024-02-01",
            none.clone(),
            "Insights_Metrics_List",
        ),
        go(
            "GET",
            "§/providers/Microsoft.Insights/eventtypes/management/values?$filter=eventTimestamp%20ge%20'2026-01-01'"
                .to_owned(),
            "2015-04-01",
            none,
            "Insights_ActivityLogs_List",
        ),
        go(
            "POST",
            "/providers/Microsoft.ResourceGraph/resources".to_owned(),
            "2024-04-01",
            json!({"subscriptions": ["s"], "query": "resources", "options": {"$top": 1000, "resultFormat": "objectArray"}}),
            "ResourceGraph_Resources_Resources",
        ),
    ]);
    all
}

fn right_for_traffic() -> Vec<(Sent, &'static str)> {
    let go = |method, path: String, version, body, id| (arm(method, &path, version, body), id);
    let none = Value::Null;
    vec![
        go("GET", TRAFFIC.to_owned(), "2022-04-01", none.clone(), "TrafficManager_Profiles_Get"),
        go(
            "PATCH",
            format!("{TRAFFIC}/azureEndpoints/west"),
            "2022-04-01",
            json!({"properties": {"endpointStatus": "Disabled", "priority": 2}}),
            "TrafficManager_Trafficmanagers_EndpointsUpdate",
        ),
        go(
            "PATCH",
            format!("{DOOR}/originGroups/shop/origins/west"),
            "2025-06-01",
            json!({"properties": {"enabledState": "Disabled"}}),
            "CDN_AFDOrigins_Update",
        ),
        go(
            "POST",
            format!("{DOOR}/afdEndpoints/shop/purge"),
            "2025-06-01",
            json!({"contentPaths": ["/*"]}),
            "CDN_AFDEndpoints_PurgeContent",
        ),
        go(
            "PUT",
            "~/Microsoft.Network/frontDoors/old".to_owned(),
            "2020-05-01",
            json!({"location": "global", "properties": {"routingRules": [{"name": "r", "properties": {
                "routeConfiguration": {
                    "@odata.type": "#Microsoft.Azure.FrontDoor.Models.FrontdoorForwardingConfiguration",
                    "backendPool": {"id": "/subscriptions/s/b"}, "forwardingProtocol": "HttpsOnly"}}}]}}),
            "FrontDoor_FrontDoors_CreateOrUpdate",
        ),
        (
            arm(
                "PATCH",
                &format!("{DNS}/cname/www"),
                "2018-05-01",
                json!({"properties": {"TTL": 60,
                "CNAMERecord": {"cname": "north.example.com"}}}),
            )
            .header("If-Match", "\"1\""),
            "DNS_RecordSets_Update",
        ),
        go("GET", format!("{DNS}/all"), "2018-05-01", none.clone(), "DNS_RecordSets_ListAllByDnsZone"),
        go(
            "POST",
            format!("{GATEWAY}/backendhealth"),
            "2025-01-01",
            none.clone(),
            "Network_ApplicationGateways_BackendHealth",
        ),
        go("POST", format!("{GATEWAY}/stop"), "2025-01-01", none, "Network_ApplicationGateways_Stop"),
        go(
            "PUT",
            "~/Microsoft.Network/applicationGatewayWebApplicationFirewallPolicies/waf".to_owned(),
            "2025-01-01",
            json!({"location": "westeurope", "properties": {"policySettings": {"state": "Enabled", "mode": "Detection"},
                "managedRules": {"managedRuleSets": [{"ruleSetType": "OWASP", "ruleSetVersion": "3.2"}]}}}),
            "Network_WebApplicationFirewallPolicies_CreateOrUpdate",
        ),
    ]
}

fn right_for_compute() -> Vec<(Sent, &'static str)> {
    let go = |method, path: String, version, body, id| (arm(method, &path, version, body), id);
    let none = Value::Null;
    let deployment = json!({"properties": {"mode": "Incremental", "template": {"resources": []},
        "parameters": {"region": {"value": "northeurope"}}}});
    vec![
        go(
            "POST",
            format!("{SITE}/restart?softRestart=true&synchronous=true"),
            "2024-11-01",
            none.clone(),
            "Web_WebApps_Restart",
        ),
        go(
            "POST",
            format!("{SITE}/slotsswap"),
            "2024-11-01",
            json!({"targetSlot": "staging", "preserveVnet": true}),
            "Web_WebApps_SwapSlotWithProduction",
        ),
        go(
            "PUT",
            format!("{SITE}/config/appSettings"),
            "2024-11-01",
            json!({"properties": {"REGION": "north"}}),
            "Web_WebApps_UpdateApplicationSettings",
        ),
        go(
            "PATCH",
            SCALE_SET.to_owned(),
            "2024-11-01",
            json!({"sku": {"name": "Standard_D2s_v5", "capacity": 6}}),
            "Compute_VirtualMachineScaleSets_Update",
        ),
        go("POST", format!("{SCALE_SET}/start"), "2024-11-01", none.clone(), "Compute_VirtualMachineScaleSets_Start"),
        go(
            "GET",
            format!("{MACHINE}/instanceView"),
            "2024-11-01",
            none.clone(),
            "Compute_VirtualMachines_InstanceView",
        ),
        go(
            "POST",
            format!("{MACHINE}/runCommand"),
            "2024-11-01",
            json!({"commandId": "RunShellScript", "script": ["uptime"]}),
            "Compute_VirtualMachines_RunCommand",
        ),
        go("POST", format!("{CLUSTER}/start"), "2025-10-01", none.clone(), "ContainerService_ManagedClusters_Start"),
        go(
            "POST",
            format!("{CLUSTER}/runCommand"),
            "2025-10-01",
            json!({"command": "kubectl get nodes"}),
            "ContainerService_ManagedClusters_RunCommand",
        ),
        (
            arm(
                "PATCH",
                "~/Microsoft.Batch/batchAccounts/b/pools/p",
                "2024-07-01",
                json!({"properties": {"scaleSettings": {"fixedScale": {"targetDedicatedNodes": 4}}}}),
            )
            .header("If-Match", "\"1\"")
            .header("content-type", "application/json"),
            "Batch_Pool_Update",
        ),
        go(
            "GET",
            "~/Microsoft.Databricks/workspaces/w".to_owned(),
            "2024-05-01",
            none.clone(),
            "Databricks_Workspaces_Get",
        ),
        go("POST", format!("{FACTORY}/triggers/nightly/stop"), "2018-06-01", none.clone(), "DataFactory_Triggers_Stop"),
        go(
            "POST",
            format!("{FACTORY}/pipelines/load/createRun"),
            "2018-06-01",
            json!({"anything": [1, "two"]}),
            "DataFactory_Pipelines_CreateRun",
        ),
        go(
            "POST",
            format!("{FACTORY}/queryPipelineRuns"),
            "2018-06-01",
            json!({"lastUpdatedAfter": "2026-01-01T00:00:00Z", "lastUpdatedBefore": "2026-01-02T00:00:00Z"}),
            "DataFactory_PipelineRuns_QueryByFactory",
        ),
        go("PUT", DEPLOYMENT.to_owned(), "2025-04-01", deployment.clone(), "Resources_Deployments_CreateOrUpdate"),
        go("POST", format!("{DEPLOYMENT}/whatIf"), "2025-04-01", deployment, "Resources_Deployments_WhatIf"),
        go("POST", format!("{DEPLOYMENT}/cancel"), "2025-04-01", none, "Resources_Deployments_Cancel"),
    ]
}

#[test]
fn requests_that_are_right_pass() {
    let Some(azure) = with_file() else { return };
    let right = right();
    assert!(right.len() >= 60);
    for (sent, id) in right {
        assert_eq!(azure.check(&sent), Ok(Matched::Operation(id.to_owned())), "{} {}", sent.method, sent.url);
    }
}
