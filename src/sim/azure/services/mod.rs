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

use serde_json::{Value, json};

use super::answer::Answer;
use super::incoming::{Incoming, Target};
use super::operation::{self, MARK};
use super::world::{World, merge};

/// A simulated service.
pub(super) struct Service {
    /// What the types it answers for begin with, in lower case; of a data plane: what its hosts end in.
    pub(super) prefix: &'static str,
    /// The api-versions it takes; any where there is none.
    pub(super) versions: &'static [&'static str],
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
    if let Some(at) = incoming.parts.iter().position(|part| part == MARK) {
        let number = incoming.parts.get(at + 1).and_then(|number| number.parse().ok());
        return operation::poll(world, number.unwrap_or(0));
    }
    if !incoming.host.contains("management.") {
        return data_plane(world, incoming);
    }
    let Some(version) = incoming.query("api-version") else {
        return Answer::error(400, "MissingApiVersionParameter", "The api-version query parameter is required.");
    };
    let target = incoming.target();
    let service = SERVICES.iter().filter(|service| target.kind.starts_with(service.prefix));
    let service = service.max_by_key(|service| service.prefix.len());
    if let Some(service) = service {
        if !service.versions.is_empty() && !service.versions.contains(&version) {
            let known = service.versions.join(", ");
            let message = format!("The api-version '{version}' is invalid. The supported versions are '{known}'.");
            return Answer::error(400, "InvalidResourceType", message);
        }
        if let Some(answer) = (service.handle)(world, incoming, &target) {
            return answer;
        }
    }
    any_resource(world, incoming, &target)
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
    let site = kind.starts_with("microsoft.web/sites") && !incoming.url.contains("slotsswap");
    let at_once = by_call || alias || site || at_once.iter().any(|prefix| kind.starts_with(prefix));
    at_once || !incoming.host.contains("management.")
}

/// What any resource does: it is read, replaced, changed, removed, listed.
fn any_resource(world: &mut World, incoming: &Incoming, target: &Target) -> Answer {
    if let Some(condition) = incoming.header("if-match")
        && world.resource(&target.id).is_some_and(|resource| resource.etag() != condition)
    {
        return Answer::error(
            412,
            "PreconditionFailed",
            "The condition set using HTTP conditional header(s) is not met.",
        );
    }
    if incoming.header("if-none-match") == Some("*") && world.resource(&target.id).is_some() {
        return Answer::error(412, "PreconditionFailed", "The resource exists already.");
    }
    match (incoming.method.as_str(), &target.below) {
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
        (_, below) => {
            let what = below.as_deref().unwrap_or_default();
            Answer::error(404, "InvalidResourceType", format!("'{}' knows no '{what}'.", target.kind))
        }
    }
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
