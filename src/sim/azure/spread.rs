//! How a change of a route reaches its users: resolvers keep what they were told for as long as the record says, and
//! Front Door's edges follow one after the other. Until then users are served as before.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::world::{World, text};
use crate::catalogue::Timestamp;
use crate::plan::path::names;

/// Changes on their way to users, by the id of what was changed, in lower case.
pub(super) type Spreads = BTreeMap<String, Spread>;

/// A change on its way.
pub(super) struct Spread {
    /// When all users are served by it.
    until: Timestamp,
    /// The region that served before it.
    before: Option<String>,
}

impl World {
    /// Called before a change of a route: its users see it when that long has gone by. Simpler than the world: a second
    /// change on the way is seen with the first, while some resolvers would go on with what the first made of it.
    pub(super) fn spread(&mut self, id: &str, takes: Duration) {
        if !self.is_open || self.is_spreading(id) {
            return;
        }
        let (before, until) = (self.region_of(id), self.now.plus(takes));
        self.spreads.insert(id.to_ascii_lowercase(), Spread { until, before });
    }

    fn is_spreading(&self, id: &str) -> bool {
        self.spreads.get(&id.to_ascii_lowercase()).is_some_and(|spread| spread.until > self.now)
    }

    /// Whether a step has changed anything, and everybody is served by it.
    pub(super) fn has_arrived(&self, step: &str) -> bool {
        let mut own = self.log.iter().filter(|logged| logged.was_done && names(step, &logged.step)).peekable();
        let is_begun = own.peek().is_some();
        let spreads: Vec<&String> =
            self.spreads.iter().filter(|(_, it)| it.until > self.now).map(|(id, _)| id).collect();
        let on_its_way = |url: &str| {
            let url = url.to_ascii_lowercase();
            let is_about = |(_, rest): (&str, &str)| rest.is_empty() || rest.starts_with(['/', '?']);
            spreads.iter().any(|id| url.split_once(id.as_str()).is_some_and(is_about))
        };
        is_begun && !own.any(|logged| on_its_way(&logged.url)) && !self.operations.is_busy_with(step, self.now)
    }

    /// The region that the users of a resource are served from: its own, or of a Traffic Manager profile that of the
    /// enabled endpoint with the first priority, once resolvers know of it.
    pub(super) fn served_from(&self, resource: &str) -> Option<String> {
        let id = self.find(resource)?;
        match self.spreads.get(&id.to_ascii_lowercase()).filter(|spread| spread.until > self.now) {
            Some(spread) => spread.before.clone(),
            None => self.region_of(&id),
        }
    }

    fn region_of(&self, id: &str) -> Option<String> {
        let named = |region: &str| !region.is_empty() && region != "global";
        let own = text(self.body(id)?, "/location");
        if named(own) {
            return Some(own.to_owned());
        }
        let enabled = |endpoint: &&Value| text(endpoint, "/properties/endpointStatus").eq_ignore_ascii_case("enabled");
        let first = |endpoint: &&Value| endpoint.pointer("/properties/priority").and_then(Value::as_u64);
        let endpoint = self.below(id).filter(enabled).min_by_key(first)?;
        let target = self.body(text(endpoint, "/properties/targetResourceId")).map(|target| text(target, "/location"));
        let target = target.filter(|region| named(region)).unwrap_or(text(endpoint, "/properties/endpointLocation"));
        named(target).then(|| target.to_owned())
    }
}
