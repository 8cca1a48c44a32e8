//! What the actions of a plan may do on Azure, grouped by where.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::outline::{Needed, Use};
use crate::catalogue::Catalogue;

/// Collects what steps need.
#[derive(Default)]
pub(super) struct Permissions(BTreeMap<(String, &'static str), BTreeSet<String>>);

impl Permissions {
    /// Adds what an action of the step needs.
    pub(super) fn add(&mut self, catalogue: &Catalogue, path: &str, action: &Use) {
        let Some(spec) = catalogue.get(&action.action) else { return };
        for permission in spec.permissions.iter().filter(|permission| is_needed(permission, action)) {
            self.0.entry((scope(action), permission)).or_default().insert(path.to_owned());
        }
    }

    /// All, by place.
    pub(super) fn needed(self) -> Vec<Needed> {
        let needed = |((scope, permission), steps): ((String, &str), BTreeSet<String>)| Needed {
            scope,
            permission: permission.to_owned(),
            steps: steps.into_iter().collect(),
        };
        self.0.into_iter().map(needed).collect()
    }
}

/// Whether an action needs a permission with these parameters: slots and each type of endpoint have permissions of their own.
fn is_needed(permission: &str, action: &Use) -> bool {
    if permission.starts_with("Microsoft.Web/sites/") {
        let has_slot = value(action, "slot").is_some_and(|slot| slot != "production");
        return permission.starts_with("Microsoft.Web/sites/slots/") == has_slot;
    }
    let Some(of) = permission.strip_suffix("Endpoints/write").and_then(|rest| rest.rsplit('/').next()) else {
        return true;
    };
    match value(action, "type") {
        None => of == "azure",
        Some(Value::String(wanted)) => of == wanted,
        Some(_) => true,
    }
}

fn value<'u>(action: &'u Use, name: &str) -> Option<&'u Value> {
    action.with.iter().find(|parameter| parameter.name == name).map(|parameter| &parameter.value)
}

/// The subscription and the resource group that an action goes to.
fn scope(action: &Use) -> String {
    let part = |name: &str| match value(action, name)? {
        Value::String(text) => Some(format!("{} {text}", name.replace('_', " "))),
        _ => None,
    };
    let parts: Vec<String> = ["subscription", "resource_group"].into_iter().filter_map(part).collect();
    if parts.is_empty() { "anywhere".to_owned() } else { parts.join(", ") }
}
