//! Key Vault: vaults, deleted ones, and what is in them.

use serde_json::{Value, json};

use super::{Service, put};
use crate::sim::azure::answer::Answer;
use crate::sim::azure::derive::{Implied, region_in};
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::world::World;

pub(super) const VAULTS: Service = Service { prefix: "microsoft.keyvault/", handle: vaults, derive };
pub(super) const SECRETS: Service = Service { prefix: ".vault.azure.net", handle: secrets, derive: |_, _| {} };

fn vaults(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    match (incoming.method.as_str(), target.kind.as_str()) {
        ("PUT", "microsoft.keyvault/vaults") => {
            let (id, body, name) = (target.id.clone(), incoming.body.clone(), target.name().to_owned());
            Some(begin(world, incoming, target, Style::Resource, Value::Null, move |world| {
                let deleted: Vec<String> =
                    world.of_kind("microsoft.keyvault/deletedvaults").map(|vault| vault.id.clone()).collect();
                for id in deleted.iter().filter(|id| id.ends_with(&format!("/{name}"))) {
                    world.remove(id);
                }
                put(world, &id, body);
                world.set(&id, "/properties/provisioningState", json!("Succeeded"));
            }))
        }
        _ => None,
    }
}

/// `https://{vault}.vault.azure.net/secrets`, `/certificates`, `/deletedsecrets`.
fn secrets(world: &mut World, incoming: &Incoming, _: &Target) -> Option<Answer> {
    let vault = incoming.host.split('.').next().unwrap_or_default();
    let end = incoming.url.match_indices('/').nth(2).map_or(incoming.url.len(), |(end, _)| end);
    let base = &incoming.url[..end];
    let exists = world
        .of_kind("microsoft.keyvault/vaults")
        .any(|known| known.id.to_ascii_lowercase().ends_with(&format!("/{vault}")));
    if !exists {
        return Some(Answer::NeverConnected);
    }
    let parts: Vec<&str> = incoming.parts.iter().map(String::as_str).collect();
    // A scenario puts deleted secrets there as resources of this collection.
    let deleted = format!("/keyvault/{vault}/deletedsecrets");
    let item =
        |kind: &str, name: &str| json!({ "id": format!("{base}/{kind}/{name}"), "attributes": { "enabled": true } });
    Some(match (incoming.method.as_str(), parts.as_slice()) {
        ("GET", ["secrets"]) => {
            Answer::ok(json!({ "value": [item("secrets", "db-password"), item("secrets", "api-key")] }))
        }
        ("GET", ["certificates"]) => Answer::ok(json!({ "value": [item("certificates", "www")] })),
        ("GET", ["deletedsecrets"]) => {
            let names = world.list(&deleted).into_iter().map(|secret| secret.id.rsplit('/').next().unwrap_or_default());
            let found: Vec<Value> = names.map(|name| item("deletedsecrets", name)).collect();
            Answer::ok(json!({ "value": found }))
        }
        ("GET", ["deletedsecrets", ..]) => {
            Answer::error(404, "SecretNotFound", "There is no deleted secret of that name.")
        }
        ("GET", ["secrets", name, ..]) => Answer::ok(
            json!({ "value": format!("value of {name}"), "id": format!("{base}/secrets/{name}/1"), "attributes": { "enabled": true } }),
        ),
        ("GET", ["certificates", name, ..]) => Answer::ok(
            json!({ "id": format!("{base}/certificates/{name}/1"), "x5t": "dGh1bWI", "attributes": { "enabled": true } }),
        ),
        ("POST", ["deletedsecrets", name, "recover"]) => {
            if !world.remove(&format!("{deleted}/{name}")) {
                return Some(Answer::error(404, "SecretNotFound", "There is no deleted secret of that name."));
            }
            Answer::ok(item("secrets", name))
        }
        _ => return None,
    })
}

fn derive(world: &mut World, implied: &Implied<'_>) {
    if !implied.is_of("key_vault") || implied.text("vault").is_empty() {
        return;
    }
    let group = implied.text("other_resource_group");
    let group = if group.is_empty() { implied.text("resource_group") } else { group };
    let kind = "Microsoft.KeyVault/vaults";
    let vault = |world: &mut World, id: &str, name: &str| {
        let properties = json!({ "provisioningState": "Succeeded", "tenantId": "00000000-0000-0000-0000-0000000000aa", "sku": { "family": "A", "name": "standard" }, "vaultUri": format!("https://{name}.vault.azure.net/") });
        world.ensure(id, json!({ "location": region_in(name), "properties": properties }), region_in(name));
    };
    let name = implied.text("vault");
    if implied.action.ends_with("key_vault.recover") {
        let region = implied.text("location");
        let id = format!(
            "/subscriptions/{}/providers/Microsoft.KeyVault/locations/{region}/deletedVaults/{name}",
            implied.text("subscription")
        );
        let properties = json!({ "location": region, "scheduledPurgeDate": "2027-02-01T00:00:00Z", "deletionDate": "2026-11-01T00:00:00Z" });
        world.ensure(&id, json!({ "properties": properties }), region);
        return;
    }
    vault(world, &implied.id(kind, "vault"), name);
    if !implied.text("other").is_empty() {
        vault(world, &implied.id_in(group, kind, implied.text("other")), implied.text("other"));
    }
}
