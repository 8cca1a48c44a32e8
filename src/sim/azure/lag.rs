//! Reads that lag behind: a copy that answers still has what was there before, and lists follow later than the
//! resources themselves. What was seen once stays seen.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::world::{Resource, World, merge};
use crate::catalogue::Timestamp;
use crate::sim::stand_in::Random;

/// One change of so many is seen late.
const LATE: u64 = 5;
/// How late, in milliseconds: at least, and at most that much more.
const BY: (u64, u64) = (500, 5_000);
/// How much later still in a list, at most.
const IN_LISTS: u64 = 10_000;

/// What readers see instead of what there is; by id, in lower case.
pub(super) type Lag = BTreeMap<String, Seen>;

/// What is seen of a resource.
pub(super) struct Seen {
    /// As it was; none where there was none.
    resource: Option<Resource>,
    until: Timestamp,
    in_lists_until: Timestamp,
    /// It tells how far a change has come, and not what was before: the next change ends it.
    is_progress: bool,
}

impl World {
    /// Called before a change: some readers go on seeing what is there now. All changes of one moment are one.
    pub(super) fn leave_behind(&mut self, id: &str) {
        if !self.is_open || !id.starts_with("/subscriptions/") {
            return;
        }
        let now = self.now;
        self.lag.retain(|other, seen| seen.in_lists_until > now && !(other == id && seen.is_progress));
        let mut random = Random::of(self.seed ^ now.0.unsigned_abs(), id);
        if self.lag.contains_key(id) || !random.one_in(LATE) {
            return;
        }
        let until = now.plus(Duration::from_millis(BY.0 + random.number() % BY.1));
        let in_lists_until = until.plus(Duration::from_millis(random.number() % IN_LISTS));
        let resource = self.known(id).cloned();
        self.lag.insert(id.to_owned(), Seen { resource, until, in_lists_until, is_progress: false });
    }

    /// What is there is done, but shows with `change` until then.
    pub(super) fn show(&mut self, id: &str, change: &Value, until: Timestamp) {
        let Some(mut resource) = self.resource(id).cloned() else { return };
        merge(&mut resource.body, change);
        let seen = Seen { resource: Some(resource), until, in_lists_until: until, is_progress: true };
        self.lag.insert(id.to_ascii_lowercase(), seen);
    }

    /// Answers a read of a resource, or of what is below it, by what readers see now.
    pub(super) fn as_seen<T>(&mut self, target: &str, answer: impl FnOnce(&mut Self) -> T) -> T {
        if self.lag.is_empty() {
            return answer(self);
        }
        let (now, target) = (self.now, target.to_ascii_lowercase());
        let below = |id: &str| id.strip_prefix(target.as_str()).is_some_and(|rest| rest.starts_with('/'));
        let is_meant =
            |id: &str, seen: &Seen| (*id == target && seen.until > now) || (below(id) && seen.in_lists_until > now);
        let ids: Vec<String> =
            self.lag.iter().filter(|(id, seen)| is_meant(id, seen)).map(|(id, _)| id.clone()).collect();
        ids.iter().for_each(|id| self.swap_seen(id));
        let answered = answer(self);
        ids.iter().for_each(|id| self.swap_seen(id));
        answered
    }

    fn swap_seen(&mut self, id: &str) {
        let there = self.take(id);
        let Some(seen) = self.lag.get_mut(id) else { return };
        let shown = std::mem::replace(&mut seen.resource, there);
        if let Some(shown) = shown {
            self.give(id, shown);
        }
    }
}
