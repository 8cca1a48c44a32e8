//! The simulated services: one file each, and one line here.

mod app_service;
mod backup;
mod batch;
mod compute;
mod cosmos;
mod data_factory;
mod databases;
mod databricks;
mod deployments;
mod health;
mod key_vault;
mod messaging;
mod network;
mod redis;
mod site_recovery;
mod sql;
mod storage;

use std::time::Duration;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::answer::Answer;
use super::incoming::{Incoming, Target};
use super::world::{World, merge};
use super::{fault, operation, paging};

/// A simulated service.
pub(super) struct Service {
    /// What the types it answers for begin with, in lower case; of a data plane: what its hosts end in.
    pub(super) prefix: &'static str,
    /// Answers; nothing for what any resource does.
    pub(super) handle: fn(&mut World, &Incoming, &Target) -> Option<Answer>,
    /// What it makes of an action that a runbook uses: resources as they are before the run.
    pub(super) derive: fn(&mut World, &super::derive::Implied<'_>),
}

/// All of them; the longest prefix answers.
const SERVICES: &[Service] = &[
    app_service::SITES,
    app_service::PLANS,
    backup::SERVICE,
    batch::SERVICE,
    compute::MACHINES,
    compute::SCALE_SETS,
    compute::CLUSTERS,
    cosmos::SERVICE,
    data_factory::SERVICE,
    databases::POSTGRES,
    databases::MYSQL,
    databricks::WORKSPACES,
    databricks::JOBS,
    deployments::SERVICE,
    health::METRICS,
    health::HEALTH,
    health::GRAPH,
    key_vault::VAULTS,
    key_vault::SECRETS,
    messaging::SERVICE_BUS,
    messaging::EVENT_HUBS,
    network::TRAFFIC_MANAGER,
    network::DNS,
    network::FRONT_DOOR,
    network::FRONT_DOOR_CLASSIC,
    network::GATEWAYS,
    network::POLICIES,
    redis::CACHES,
    redis::ENTERPRISE,
    site_recovery::SERVICE,
    sql::SERVICE,
    storage::SERVICE,
];

/// Lets every service see what a runbook implies.
pub(super) fn derive(world: &mut World, implied: &super::derive::Implied<'_>) {
    SERVICES.iter().for_each(|service| (service.derive)(world, implied));
}

/// Answers a request.
pub(super) fn answer(world: &mut World, incoming: &Incoming) -> Answer {
    if let Some(number) = incoming.polled() {
        return operation::poll(world, incoming, number);
    }
    let answer = if incoming.is_for_manager() { manager(world, incoming) } else { data_plane(world, incoming) };
    paging::page(incoming, answer)
}

/// Resource Manager: finds the service, and asks it.
fn manager(world: &mut World, incoming: &Incoming) -> Answer {
    let Some(version) = incoming.query("api-version").filter(|version| !version.is_empty()) else {
        let message = "The api-version query parameter (?api-version=) is required for all requests.";
        return Answer::error(400, "MissingApiVersionParameter", message);
    };
    if !is_date(version) {
        let message =
            format!("The api-version '{version}' is invalid. It has the form 'yyyy-MM-dd' or 'yyyy-MM-dd-preview'.");
        return Answer::error(400, "InvalidApiVersionParameter", message);
    }
    let target = incoming.target();
    if incoming.is_read() {
        return world.as_seen(&target.id, |world| of_service(world, incoming, &target));
    }
    of_service(world, incoming, &target)
}

/// Whether it is `2024-01-01` or `2024-01-01-preview`. Which of all dates a service knows, only Azure can tell.
fn is_date(version: &str) -> bool {
    let date = version.strip_suffix("-preview").unwrap_or(version);
    date.len() == 10 && date.parse::<Date>().is_ok()
}

fn of_service(world: &mut World, incoming: &Incoming, target: &Target) -> Answer {
    let service = SERVICES.iter().filter(|service| target.kind.starts_with(service.prefix));
    let service = service.max_by_key(|service| service.prefix.len());
    let own = service.and_then(|service| (service.handle)(world, incoming, target));
    if let Some(answer) = own {
        return answer;
    }
    fault::instead_of_change(world, incoming).unwrap_or_else(|| any_resource(world, incoming, target))
}

fn data_plane(world: &mut World, incoming: &Incoming) -> Answer {
    let service =
        SERVICES.iter().find(|service| service.prefix.starts_with('.') && incoming.host.ends_with(service.prefix));
    let Some(service) = service else { return Answer::NeverConnected };
    let target = incoming.target();
    (service.handle)(world, incoming, &target).unwrap_or_else(|| Answer::missing(&incoming.url))
}

/// The region of a service's own host: of the resource that it belongs to, or the one it names.
pub(super) fn region_of_host(world: &World, host: &str) -> Option<String> {
    let first = host.split('.').next().unwrap_or_default();
    let owner = world.of_kind("microsoft.keyvault/vaults").find(|vault| vault.id.ends_with(&format!("/{first}")));
    let owner = owner.or_else(|| {
        world
            .of_kind("microsoft.databricks/workspaces")
            .find(|workspace| super::world::text(&workspace.body, "/properties/workspaceUrl") == host)
    });
    match owner {
        Some(owner) => Some(owner.region.clone()).filter(|region| !region.is_empty()),
        None => host.split('.').nth(1).map(str::to_owned),
    }
}

/// How long an operation on a resource of that type takes at most: Front Door takes a change within a minute, and carries
/// it to its edges afterwards.
pub(super) fn longest(kind: &str) -> Duration {
    let is_front_door = kind.starts_with("microsoft.cdn/") || kind.starts_with("microsoft.network/frontdoors");
    if is_front_door { Duration::from_mins(1) } else { Duration::MAX }
}

/// Whether a resource is managed while its region is down. A storage account is read and failed over then, and nothing
/// else: its provider stays where the account was made.
pub(super) fn outlives_its_region(incoming: &Incoming, target: &Target) -> bool {
    let is_account = target.kind == "microsoft.storage/storageaccounts";
    // The backups for a restore elsewhere lie in the other region of the pair.
    let is_backup = target.kind == "microsoft.sql/servers/recoverabledatabases";
    is_backup && incoming.is_read() || is_account && (incoming.is_read() || target.action() == "failover")
}

/// Whether the service does at once what the request asks for, or begins it without a URL that tells how it goes.
pub(super) fn is_immediate(incoming: &Incoming) -> bool {
    let target = incoming.target();
    let kind = target.kind.as_str();
    let at_once = [
        "microsoft.network/trafficmanagerprofiles",
        "microsoft.network/dnszones",
        "microsoft.network/applicationgatewaywebapplicationfirewallpolicies",
        "microsoft.datafactory",
        "microsoft.dataprotection",
        "microsoft.keyvault",
    ];
    let by_call = matches!(
        (kind, incoming.method.as_str(), target.action().as_str()),
        ("microsoft.cache/redis", "POST", "forcereboot")
            | ("microsoft.cache/redis/linkedservers", "PUT", _)
            | ("microsoft.storage/storageaccounts", "PATCH", _)
    );
    let alias = incoming.url.to_ascii_lowercase().contains("disasterrecoveryconfigs");
    let site = kind.starts_with("microsoft.web/sites") && !incoming.url.to_ascii_lowercase().contains("slotsswap");
    let at_once = by_call || alias || site || at_once.iter().any(|prefix| kind.starts_with(prefix));
    at_once || !incoming.is_for_manager()
}

/// What any resource does: it is read, replaced, changed, removed, listed.
fn any_resource(world: &mut World, incoming: &Incoming, target: &Target) -> Answer {
    if let Some(refused) = unmet_condition(world, incoming, &target.id) {
        return refused;
    }
    match (incoming.method.as_str(), &target.below) {
        ("GET", None) if target.kind.is_empty() && target.id.to_ascii_lowercase().ends_with("/resources") => {
            let scope = target.id.rsplit_once('/').map(|(scope, _)| scope).unwrap_or_default();
            Answer::ok(json!({ "value": world.within(scope) }))
        }
        ("GET", None) => read(world, &target.id),
        ("GET", Some(collection)) => {
            let found = world.list(&format!("{}/{collection}", target.id));
            let items: Vec<Value> = found.into_iter().map(|resource| resource.body.clone()).collect();
            Answer::ok(json!({ "value": items }))
        }
        ("PUT", None) => {
            let status = if world.resource(&target.id).is_some() { 200 } else { 201 };
            put(world, &target.id, incoming.body.clone());
            with_status(read(world, &target.id), status)
        }
        ("PATCH", None) => match world.change(&target.id) {
            Some(body) => {
                merge(body, &incoming.body);
                read(world, &target.id)
            }
            None => Answer::missing(&target.id),
        },
        ("DELETE", None) => Answer::status(if world.remove(&target.id) { 200 } else { 204 }, Value::Null),
        ("POST", Some(below)) if world.is_taken(&format!("{}/{below}", target.id)) => {
            let is_there = target.names.is_empty() || world.resource(&target.id).is_some();
            if is_there { Answer::ok(json!({})) } else { Answer::missing(&target.id) }
        }
        (_, below) => {
            let what = below.as_deref().unwrap_or_default();
            Answer::error(404, "InvalidResourceType", format!("'{}' knows no '{what}'.", target.kind))
        }
    }
}

/// The refusal where a resource is not what the request takes it to be.
pub(super) fn unmet_condition(world: &World, incoming: &Incoming, id: &str) -> Option<Answer> {
    let there = world.resource(id);
    let is_other = |condition: &str| there.is_none_or(|there| condition != "*" && there.etag() != condition);
    let unmet = incoming.header("if-match").is_some_and(is_other)
        || (incoming.header("if-none-match") == Some("*") && there.is_some());
    let message = "The condition set using HTTP conditional header(s) is not met.";
    unmet.then(|| Answer::error(412, "PreconditionFailed", message))
}

/// Puts a resource there as it was sent, in the region it names or had.
pub(super) fn put(world: &mut World, id: &str, body: Value) {
    let had = world.resource(id).map(|resource| resource.region.clone()).unwrap_or_default();
    let named = body.get("location").and_then(Value::as_str).map(super::fault::plain);
    world.insert(id, body, &named.filter(|region| region != "global").unwrap_or(had));
}

/// What a GET answers.
pub(super) fn read(world: &World, id: &str) -> Answer {
    match world.resource(id) {
        Some(resource) => Answer::ok(resource.body.clone()).header("etag", resource.etag()),
        None => Answer::missing(id),
    }
}

pub(super) fn with_status(mut answer: Answer, status: u16) -> Answer {
    if let Answer::Response(response) = &mut answer {
        response.status = status;
    }
    answer
}
