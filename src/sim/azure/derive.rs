//! What a runbook takes for granted: the resources that its steps name, as they are before the run.

use serde_json::{Map, Value, json};

use super::fault::plain;
use super::incoming::{Target, parts};
pub(super) use super::regions::{paired, region_in};
use super::services;
use super::world::World;

/// An action that a runbook uses, with as much of its parameters as is known beforehand.
pub(super) struct Implied<'i> {
    pub(super) action: &'i str,
    with: &'i Map<String, Value>,
}

impl<'i> Implied<'i> {
    /// A text parameter; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &'i str {
        self.with.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn value(&self, name: &str) -> Option<&'i Value> {
        self.with.get(name)
    }

    /// A yes or no.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.with.get(name).and_then(Value::as_bool)
    }

    /// The texts of a list.
    pub(super) fn list(&self, name: &str) -> Vec<&'i str> {
        self.with.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The id of a resource that a parameter names.
    pub(super) fn id(&self, kind: &str, name: &str) -> String {
        self.id_in(self.text("resource_group"), kind, self.text(name))
    }

    /// The id of a resource in a resource group.
    pub(super) fn id_in(&self, group: &str, kind: &str, name: &str) -> String {
        let subscription = self.text("subscription");
        if name.starts_with("/resourceGroups/") {
            return format!("/subscriptions/{subscription}{name}");
        }
        if name.starts_with('/') {
            return name.to_owned();
        }
        format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}")
    }

    /// Whether it is a request of any kind: what it is about stands in its path alone.
    pub(super) fn is_request(&self) -> bool {
        self.action == "azure.request"
    }

    /// The path of a request of any kind, and what it is about.
    pub(super) fn asked(&self) -> (String, Target) {
        let path = self.id_in("", "", self.text("path"));
        let target = Target::of(&parts(&path));
        (path, target)
    }

    /// Whether the action is of a service: `azure.sql.`.
    pub(super) fn is_of(&self, service: &str) -> bool {
        self.action
            .strip_prefix("azure.")
            .and_then(|rest| rest.strip_prefix(service))
            .is_some_and(|rest| rest.starts_with('.'))
    }
}

/// Lets the services put there what an action implies.
pub(super) fn derive(world: &mut World, action: &str, with: &Map<String, Value>) {
    let implied = Implied { action, with };
    services::derive(world, &implied);
    if implied.is_request() {
        asked(world, &implied);
    }
}

/// What a step asks Resource Manager for, and no service knows more about, is taken to be there, and to do what is asked
/// of it; what it puts there need not be.
fn asked(world: &mut World, implied: &Implied<'_>) {
    let (path, target) = implied.asked();
    let id = match implied.text("method") {
        "PUT" => return,
        "POST" => {
            world.note_taken(&path);
            target.id
        }
        _ => path,
    };
    if id.starts_with("/subscriptions/") && !(target.names.is_empty() && target.below.is_some()) {
        world.ensure(&id, json!({ "properties": { "provisioningState": "Succeeded" } }), region_in(&id));
    }
}

/// The name of the partner of a resource: the same name in the paired region, else `NAME-partner`.
pub(super) fn partner(name: &str) -> String {
    let region = region_in(name);
    if region.is_empty() || paired(region) == region {
        return format!("{name}-partner");
    }
    plain(name).replace(region, paired(region))
}

/// Puts a resource of a scenario there, changes it, or takes it away: `absent: true`.
pub(super) fn put(world: &mut World, resource: &Value) -> Result<(), String> {
    let text = |name: &str| resource.get(name).and_then(Value::as_str);
    let id = match (text("id"), text("type"), text("name")) {
        (Some(id), ..) => id.to_owned(),
        (None, Some(kind), Some(name)) => place(world, resource, kind, name),
        _ => return Err("a resource needs an `id`, or a `type` and a `name`".to_owned()),
    };
    if resource.get("absent") == Some(&Value::Bool(true)) {
        world.remove(&id);
        return Ok(());
    }
    let mut change = resource.clone();
    if let Some(fields) = change.as_object_mut() {
        ["id", "type", "name", "subscription", "resource_group"].iter().for_each(|name| drop(fields.remove(*name)));
    }
    let region = text("location").map(plain);
    let mut body = world.body(&id).cloned().unwrap_or_else(|| json!({}));
    super::world::merge(&mut body, &change);
    let had = world.resource(&id).map(|resource| resource.region.clone()).unwrap_or_default();
    world.insert(&id, body, &region.unwrap_or(had));
    Ok(())
}

/// The id of a resource by type and name: the one that is there, else in the group that the scenario names.
fn place(world: &World, resource: &Value, kind: &str, name: &str) -> String {
    let ending = format!("/providers/{kind}/{name}").to_ascii_lowercase();
    if let Some((id, _)) = world.resources().into_iter().find(|(id, _)| id.ends_with(&ending)) {
        return id;
    }
    let text = |field: &str, usual: &str| resource.get(field).and_then(Value::as_str).unwrap_or(usual).to_owned();
    let subscription = text("subscription", "00000000-0000-0000-0000-000000000001");
    let group = text("resource_group", "simulated");
    format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}")
}
