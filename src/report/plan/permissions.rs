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
        for permission in spec.permissions {
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

/// The subscription and the resource group that an action goes to.
fn scope(action: &Use) -> String {
    let part = |name: &str| {
        let parameter = action.with.iter().find(|parameter| parameter.name == name)?;
        match &parameter.value {
            Value::String(text) => Some(format!("{} {text}", name.replace('_', " "))),
            _ => None,
        }
    };
    let parts: Vec<String> = ["subscription", "resource_group"].into_iter().filter_map(part).collect();
    if parts.is_empty() { "anywhere".to_owned() } else { parts.join(", ") }
}
