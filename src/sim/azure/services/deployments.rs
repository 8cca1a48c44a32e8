//! Deployments of templates.

use serde_json::{Value, json};

use super::Service;
use crate::sim::azure::answer::Answer;
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::world::{World, items, text};

pub(super) const SERVICE: Service = Service { prefix: "microsoft.resources/deployments", handle, derive: |_, _| {} };

fn handle(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    match (incoming.method.as_str(), target.action().as_str()) {
        ("POST", "whatif") => {
            let resources = items(&incoming.body, "/properties/template/resources");
            let change = |resource: &Value| json!({ "resourceId": format!("{}/{}", text(resource, "/type"), text(resource, "/name")), "changeType": "Create" });
            let changes: Vec<Value> = resources.iter().map(change).collect();
            Some(Answer::ok(json!({ "status": "Succeeded", "properties": { "changes": changes } })))
        }
        ("PUT", "") => {
            let (id, body) = (target.id.clone(), incoming.body.clone());
            let mut known = body.clone();
            known["properties"]["provisioningState"] = json!("Running");
            world.insert(&id, known, "");
            let answer = begin(world, incoming, target, Style::AsyncOperation, Value::Null, move |world| {
                world.set(&id, "/properties/provisioningState", json!("Succeeded"));
                world.set(&id, "/properties/outputs", json!({}));
            });
            Some(answer)
        }
        _ => None,
    }
}
