//! The parameters of an action on Azure, and the resources they name.

use std::time::Duration;

use serde_json::{Map, Value};

use super::request::segment;
use super::{Cloud, Resource};
use crate::catalogue::HumanDuration;

/// The parameters: checked against the spec, so that what is required is there.
#[derive(Clone, Copy, Debug)]
pub struct With<'w>(&'w Map<String, Value>);

impl<'w> With<'w> {
    /// These parameters.
    #[must_use]
    pub fn new(with: &'w Map<String, Value>) -> Self {
        Self(with)
    }

    /// The cloud.
    #[must_use]
    pub fn cloud(&self) -> Cloud {
        Cloud::read(self.0.get("cloud")).unwrap_or_else(Cloud::nowhere)
    }

    /// The name of the credential.
    #[must_use]
    pub fn credential(&self) -> &'w str {
        self.option("credential").unwrap_or(super::credential::DEFAULT)
    }

    /// A text; empty where there is none.
    #[must_use]
    pub fn text(&self, name: &str) -> &'w str {
        self.option(name).unwrap_or_default()
    }

    /// A text that may be absent.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&'w str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A number that may be absent.
    #[must_use]
    pub fn int(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    /// A yes or no that may be absent.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }

    /// A length of time that may be absent.
    #[must_use]
    pub fn duration(&self, name: &str) -> Option<Duration> {
        HumanDuration::parse(self.option(name)?).ok().map(|span| span.0)
    }

    /// A list of text; empty where there is none.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<&'w str> {
        self.0.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Any value that may be absent.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'w Value> {
        self.0.get(name)
    }

    /// A mapping; empty where there is none.
    pub fn entries(&self, name: &str) -> impl Iterator<Item = (&'w String, &'w Value)> + use<'w> {
        self.0.get(name).and_then(Value::as_object).into_iter().flatten()
    }

    /// The resource that a parameter names: by its name in the resource group, or by its id (see [`Self::path`]).
    #[must_use]
    pub fn resource(&self, kind: &str, parameter: &str, api: &'static str) -> Resource {
        self.resource_in(self.text("resource_group"), kind, self.text(parameter), api)
    }

    /// A resource by name in a resource group of the subscription, or by its id.
    #[must_use]
    pub fn resource_in(&self, group: &str, kind: &str, name: &str, api: &'static str) -> Resource {
        if name.starts_with('/') {
            return Resource { id: self.path(name.trim_end_matches('/')), api };
        }
        let id = format!("{}/providers/{kind}/{}", self.group(group).id, segment(name));
        Resource { id, api }
    }

    /// A path of Resource Manager; one from `/resourceGroups/` on is in the subscription.
    #[must_use]
    pub fn path(&self, path: &str) -> String {
        let first = path.split('/').nth(1).unwrap_or_default();
        let of_group = first.eq_ignore_ascii_case("resourceGroups");
        if of_group { format!("{}{path}", self.subscription().id) } else { path.to_owned() }
    }

    /// A resource group of the subscription.
    #[must_use]
    pub fn group(&self, group: &str) -> Resource {
        let id = format!("{}/resourceGroups/{}", self.subscription().id, segment(group));
        Resource { id, api: "2025-04-01" }
    }

    /// The subscription.
    #[must_use]
    pub fn subscription(&self) -> Resource {
        Resource { id: format!("/subscriptions/{}", segment(self.text("subscription"))), api: "2025-04-01" }
    }
}

/// What is set of an endpoint, an origin or a backend, in words: `disabled, priority 3, weight 5`.
#[must_use]
pub(super) fn share(with: &With<'_>) -> String {
    let enabled = with.flag("enabled").map(|enabled| if enabled { "enabled" } else { "disabled" });
    let status = with.option("status").or(enabled).map(str::to_owned);
    let number = |name: &str| with.int(name).map(|number| format!("{name} {number}"));
    status.into_iter().chain(number("priority")).chain(number("weight")).collect::<Vec<_>>().join(", ")
}

/// Whether two names of a region mean the same one: `West Europe` is `westeurope`.
#[must_use]
pub(super) fn same_region(one: &str, other: &str) -> bool {
    region(one) == region(other)
}

/// The short name of a region.
#[must_use]
pub(super) fn region(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect()
}
