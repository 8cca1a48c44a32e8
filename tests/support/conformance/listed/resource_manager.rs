//! Calls to Resource Manager that the file lacks.

use super::Body::{AnswerOf, Like, Must, None};
use super::{Row, arm};

const SLOT: &str = "the file knows sites, not their slots";
const REPLICATED: &str = "the file knows namespaces as of 2024-01-01, before geo-replication";
const ABSENT: &str = "the file lacks this call";

const WEB: &str = "2024-11-01";
const COMPUTE: &str = "2024-11-01";
const NAMESPACES: &str = "2026-01-01";
const SQL: &str = "2023-08-01";
const MYSQL: &str = "2023-12-30";
const HEALTH: &str = "2025-05-01";

const FAILOVER: &str = r#"{"properties*": {"primaryLocation*": "string", "force": "boolean"}}"#;
const DATABASE: &str = r#"{"sku": {"name*": "string", "tier": "string", "family": "string", "size": "string",
    "capacity": "integer"}, "identity": "object", "properties": "object", "tags": {"*": "string"}}"#;
const SLOT_NAMES: &str = r#"{"id": "string", "kind": "string", "name": "string", "type": "string", "properties*":
    {"appSettingNames": ["string"], "azureStorageConfigNames": ["string"], "connectionStringNames": ["string"]}}"#;

pub const ROWS: &[Row] = &[
    arm(
        "PUT",
        "~/Microsoft.Web/serverFarms/{plan}",
        WEB,
        AnswerOf("Web_AppServicePlans_Get", &["/location", "/sku/capacity"]),
        "the file reads and patches plans; only a PUT scales one",
    ),
    arm("GET", "~/Microsoft.Web/sites/{site}/slots/{slot}", WEB, Like("Web_WebApps_Get"), SLOT),
    arm("PATCH", "~/Microsoft.Web/sites/{site}/slots/{slot}", WEB, Like("Web_WebApps_Update"), SLOT),
    arm("POST", "~/Microsoft.Web/sites/{site}/slots/{slot}/start", WEB, Like("Web_WebApps_Start"), SLOT),
    arm("POST", "~/Microsoft.Web/sites/{site}/slots/{slot}/stop", WEB, Like("Web_WebApps_Stop"), SLOT),
    arm("POST", "~/Microsoft.Web/sites/{site}/slots/{slot}/restart", WEB, Like("Web_WebApps_Restart"), SLOT)
        .query(&["softRestart", "synchronous"]),
    arm(
        "POST",
        "~/Microsoft.Web/sites/{site}/slots/{slot}/config/appSettings/list",
        WEB,
        Like("Web_WebApps_ListApplicationSettings"),
        SLOT,
    ),
    arm(
        "PUT",
        "~/Microsoft.Web/sites/{site}/slots/{slot}/config/appSettings",
        WEB,
        Like("Web_WebApps_UpdateApplicationSettings"),
        SLOT,
    ),
    arm("GET", "~/Microsoft.Web/sites/{site}/slots/{slot}/config/web", WEB, Like("Web_WebApps_GetConfiguration"), SLOT),
    arm(
        "PATCH",
        "~/Microsoft.Web/sites/{site}/slots/{slot}/config/web",
        WEB,
        Like("Web_WebApps_UpdateConfiguration"),
        SLOT,
    ),
    arm(
        "GET",
        "~/Microsoft.Web/sites/{site}/slots/{slot}/instances",
        WEB,
        Like("Web_WebApps_ListInstanceIdentifiers"),
        SLOT,
    ),
    arm("GET", "~/Microsoft.Web/sites/{site}/config/slotConfigNames", WEB, None, ABSENT),
    arm("PUT", "~/Microsoft.Web/sites/{site}/config/slotConfigNames", WEB, Must(SLOT_NAMES), ABSENT),
    arm("POST", "~/Microsoft.Compute/virtualMachines/{vm}/powerOff", COMPUTE, None, ABSENT).query(&["skipShutdown"]),
    arm(
        "POST",
        "~/Microsoft.Compute/virtualMachineScaleSets/{set}/powerOff",
        COMPUTE,
        Like("Compute_VirtualMachineScaleSets_Start"),
        ABSENT,
    )
    .query(&["skipShutdown"]),
    arm("GET", "~/Microsoft.Compute/virtualMachineScaleSets/{set}/virtualMachines", COMPUTE, None, ABSENT)
        .query(&["$expand", "$filter", "$select"]),
    arm(
        "GET",
        "~/Microsoft.DataFactory/factories/{factory}/triggers/{trigger}",
        "2018-06-01",
        None,
        "the file lists triggers; one is read to see its state",
    ),
    arm("GET", "~/Microsoft.ServiceBus/namespaces/{namespace}", NAMESPACES, None, REPLICATED),
    arm("POST", "~/Microsoft.ServiceBus/namespaces/{namespace}/failover", NAMESPACES, Must(FAILOVER), REPLICATED),
    arm("GET", "~/Microsoft.EventHub/namespaces/{namespace}", NAMESPACES, None, REPLICATED),
    arm("POST", "~/Microsoft.EventHub/namespaces/{namespace}/failover", NAMESPACES, Must(FAILOVER), REPLICATED),
    arm("GET", "/{scope}/providers/Microsoft.ResourceHealth/availabilityStatuses/current", HEALTH, None, ABSENT)
        .query(&["$expand", "$filter"]),
    arm("GET", "§/providers/Microsoft.ResourceHealth/availabilityStatuses", HEALTH, None, ABSENT)
        .query(&["$expand", "$filter"]),
    arm("GET", "§/providers/Microsoft.ResourceHealth/events", HEALTH, None, ABSENT)
        .query(&["$filter", "queryStartTime"]),
    arm("GET", "§/providers/Microsoft.ResourceHealth/events/{event}/impactedResources", HEALTH, None, ABSENT)
        .query(&["$filter"]),
    arm(
        "GET",
        "§/providers/Microsoft.Resources/deployments/{deployment}/operations",
        "2025-04-01",
        Like("Resources_DeploymentOperations_List"),
        "the file lists the operations of a resource group's deployments",
    )
    .query(&["$top"]),
    arm("GET", "~/Microsoft.Sql/servers/{server}", SQL, None, ABSENT).query(&["$expand"]),
    arm("GET", "~/Microsoft.Sql/servers/{server}/databases", SQL, None, ABSENT),
    arm("PATCH", "~/Microsoft.Sql/servers/{server}/databases/{database}", SQL, Must(DATABASE), ABSENT),
    arm("DELETE", "~/Microsoft.Sql/servers/{server}/databases/{database}", SQL, None, ABSENT),
    arm("POST", "~/Microsoft.DBforMySQL/flexibleServers/{server}/start", MYSQL, None, ABSENT),
    arm("POST", "~/Microsoft.DBforMySQL/flexibleServers/{server}/stop", MYSQL, None, ABSENT),
    arm("GET", "~/Microsoft.DBforMySQL/flexibleServers/{server}/backups", MYSQL, None, ABSENT),
    arm("GET", "~/Microsoft.DBforPostgreSQL/flexibleServers/{server}/backups", "2025-08-01", None, ABSENT),
    arm("GET", "~/Microsoft.Cache/redisEnterprise/{cluster}", "2025-07-01", None, ABSENT),
    arm("GET", "~/Microsoft.Batch/batchAccounts/{account}/pools", "2024-07-01", None, ABSENT).query(&[
        "$filter",
        "$select",
        "maxresults",
    ]),
    arm("GET", "§/providers/Microsoft.AlertsManagement/alerts", "2019-03-01", None, ABSENT).query(&[
        "alertRule",
        "alertState",
        "customTimeRange",
        "monitorCondition",
        "monitorService",
        "pageCount",
        "severity",
        "sortBy",
        "sortOrder",
        "targetResource",
        "targetResourceGroup",
        "targetResourceType",
        "timeRange",
    ]),
];
