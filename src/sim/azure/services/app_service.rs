//! App Service: apps, slots, settings, plans.

use serde_json::{Value, json};

use super::{Service, put};
use crate::sim::azure::answer::Answer;
use crate::sim::azure::derive::{Implied, region_in};
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::operation::{Style, begin};
use crate::sim::azure::world::World;

pub(super) const SITES: Service = Service { prefix: "microsoft.web/sites", handle: sites, derive: derive_app };
pub(super) const PLANS: Service = Service { prefix: "microsoft.web/serverfarms", handle: plans, derive: derive_plan };

fn sites(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    // `/sites/a/config/appsettings`: settings are neither read by GET nor changed in part.
    let settings = target.names.last().is_some_and(|name| name.eq_ignore_ascii_case("appsettings"));
    match (incoming.method.as_str(), target.action().as_str()) {
        ("POST", "start" | "stop") => {
            let word = if target.action() == "start" { "Running" } else { "Stopped" };
            world.body(&target.id)?;
            world.set(&target.id, "/properties/state", json!(word));
            Some(Answer::status(200, Value::Null))
        }
        ("POST", "restart") => world.body(&target.id).map(|_| Answer::status(200, Value::Null)),
        ("POST", "slotsswap") => Some(begin(world, incoming, target, Style::Location, Value::Null, |_| {})),
        ("POST", "list") if settings => {
            let known = world.body(&target.id).cloned().unwrap_or_else(|| json!({ "properties": {} }));
            Some(Answer::ok(known))
        }
        ("GET", "") if settings => Some(Answer::error(405, "MethodNotAllowed", "Settings are listed by POST.")),
        ("PUT", "") if settings => {
            put(world, &target.id, incoming.body.clone());
            Some(Answer::ok(incoming.body.clone()))
        }
        ("PUT", "") if target.names.len() == 1 => {
            let (id, body) = (target.id.clone(), incoming.body.clone());
            Some(begin(world, incoming, target, Style::Location, Value::Null, move |world| put(world, &id, body)))
        }
        _ => None,
    }
}

fn plans(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    if incoming.method != "PUT" || target.below.is_some() {
        return None;
    }
    let (id, body) = (target.id.clone(), incoming.body.clone());
    Some(begin(world, incoming, target, Style::Location, body.clone(), move |world| put(world, &id, body)))
}

fn derive_app(world: &mut World, implied: &Implied<'_>) {
    if !(implied.is_of("app_service") || implied.is_of("functions")) || implied.text("app").is_empty() {
        return;
    }
    let group = implied.text("other_resource_group");
    let group = if group.is_empty() { implied.text("resource_group") } else { group };
    let mut ids = vec![implied.id("Microsoft.Web/sites", "app")];
    if !implied.text("other").is_empty() {
        ids.push(implied.id_in(group, "Microsoft.Web/sites", implied.text("other")));
    }
    for id in ids {
        let region = region_in(&id);
        let is_rest = implied.action.ends_with("app_service.start");
        let state = if is_rest { "Stopped" } else { "Running" };
        let properties = json!({ "state": state, "availabilityState": "Normal", "enabled": true });
        world.ensure(&id, json!({ "location": region, "properties": properties }), region);
        let config = json!({ "properties": { "linuxFxVersion": "DOTNETCORE|8.0" } });
        world.ensure(&format!("{id}/config/web"), config, region);
        let settings = json!({ "properties": { "APP_VERSION": "2026.11.3", "WEBSITE_RUN_FROM_PACKAGE": "https://packages.example.com/app.zip" } });
        world.ensure(&format!("{id}/config/appsettings"), settings, region);
        // Functions that a step lets work rest before.
        if implied.flag("enabled") == Some(true) {
            for function in implied.list("functions") {
                let setting = format!("/properties/AzureWebJobs.{function}.Disabled");
                world.set(&format!("{id}/config/appsettings"), &setting, json!("true"));
            }
        }
        let slot = implied.text("slot");
        if !slot.is_empty() {
            let properties = json!({ "state": "Running", "availabilityState": "Normal" });
            world.ensure(
                &format!("{id}/slots/{slot}"),
                json!({ "location": region, "properties": properties }),
                region,
            );
        }
    }
}

fn derive_plan(world: &mut World, implied: &Implied<'_>) {
    if implied.is_of("app_service_plan") && !implied.text("plan").is_empty() {
        let id = implied.id("Microsoft.Web/serverFarms", "plan");
        let region = region_in(implied.text("plan"));
        let sku = json!({ "name": "P1v3", "tier": "PremiumV3", "capacity": 2 });
        let properties = json!({ "status": "Ready", "provisioningState": "Succeeded" });
        world.ensure(&id, json!({ "location": region, "sku": sku, "properties": properties }), region);
    }
}
