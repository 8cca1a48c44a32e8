//! What there is: resources, operations under way, requests that came.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::clouds::Clouds;
use super::fault::{Faults, plain};
use super::incoming::Incoming;
use super::lag::Lag;
use super::limits::Buckets;
use super::operation::{Effect, Operations};
use super::spread::Spreads;
use super::{Logged, Times};
use crate::catalogue::Timestamp;
use crate::sim::scenario::Fault;
use crate::sim::stand_in::Random;

/// A resource.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    /// The id as it was written.
    pub(super) id: String,
    /// What a GET answers.
    pub(super) body: Value,
    /// Where it is; empty for a global one.
    pub(super) region: String,
    version: u64,
}

impl Resource {
    pub(super) fn etag(&self) -> String {
        format!("\"{:08x}\"", self.version)
    }
}

/// A resource as it was before a change, if it was there.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    id: String,
    resource: Option<Resource>,
}

/// The world.
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) start: Timestamp,
    pub(super) operations: Operations,
    pub(super) faults: Faults,
    pub(super) log: Vec<Logged>,
    pub(super) times: Times,
    pub(super) random: Random,
    /// The resource that the request is about, as it was when the request came.
    before: Before,
    pub(super) seed: u64,
    pub(super) clouds: Clouds,
    pub(super) buckets: Buckets,
    pub(super) lag: Lag,
    pub(super) spreads: Spreads,
    /// Requests come: what changes from now on is seen late by some.
    pub(super) is_open: bool,
    /// What the request that is answered now begins, meets another operation and fails.
    pub(super) meets_another: bool,
    resources: BTreeMap<String, Resource>,
    /// Resources whose state before the run a step has made certain.
    decided: BTreeSet<String>,
    /// What can be asked of resources that no service here knows: whole paths, in lower case.
    taken: BTreeSet<String>,
    versions: u64,
    numbers: u64,
}

impl World {
    pub(super) fn new(now: Timestamp, seed: u64, times: Times, faults: Vec<Fault>) -> Self {
        Self {
            now,
            start: now,
            operations: Operations::default(),
            faults: Faults::new(faults),
            log: Vec::new(),
            times,
            random: Random::of(seed, "azure"),
            before: Before::default(),
            seed,
            clouds: Clouds::default(),
            buckets: Buckets::default(),
            lag: Lag::default(),
            spreads: Spreads::default(),
            is_open: false,
            meets_another: false,
            resources: BTreeMap::new(),
            decided: BTreeSet::new(),
            taken: BTreeSet::new(),
            versions: 0,
            numbers: 0,
        }
    }

    /// Lets time pass: what is due by now has its effect, in order of time.
    pub(super) fn advance(&mut self, now: Timestamp) {
        let mut due: VecDeque<(Timestamp, Effect)> = self.operations.due(now).into();
        while let Some((at, effect)) = due.pop_front() {
            self.now = at;
            effect(self);
        }
        self.now = self.now.max(now);
    }

    /// A number that was not used before, for an operation.
    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// A number for what a request makes: the same for the same request of a step, whatever else went on before.
    pub(super) fn number_of(&self, incoming: &Incoming) -> u64 {
        let same = |logged: &&Logged| logged.was_done && logged.step == incoming.step && logged.url == incoming.url;
        let before = self.log.iter().filter(same).count();
        Random::of(self.seed, &format!("{} {} {before}", incoming.step, incoming.url)).number() >> 32
    }

    pub(super) fn resource(&self, id: &str) -> Option<&Resource> {
        self.resources.get(&id.to_ascii_lowercase())
    }

    /// Where a resource is: there where it says so itself, else where what it belongs to is.
    pub(super) fn home_of(&self, id: &str) -> Option<String> {
        let mut id = id.to_owned();
        while id.contains("/providers/") {
            let region = self.resource(&id).map(|resource| resource.region.clone());
            if let Some(region) = region.filter(|region| !region.is_empty()) {
                return Some(region);
            }
            id.truncate(id.rfind('/').unwrap_or(0));
        }
        None
    }

    /// Whether anything is in a region, or names it.
    pub(super) fn knows_region(&self, region: &str) -> bool {
        let region = plain(region);
        let names = |resource: &Resource| {
            plain(&resource.region) == region || plain(&resource.body.to_string()).contains(&region)
        };
        self.resources.values().any(names)
    }

    /// What a resource holds.
    pub(super) fn body(&self, id: &str) -> Option<&Value> {
        self.resource(id).map(|resource| &resource.body)
    }

    /// What a resource holds, to be changed; its version moves on.
    pub(super) fn change(&mut self, id: &str) -> Option<&mut Value> {
        let id = id.to_ascii_lowercase();
        self.leave_behind(&id);
        self.versions += 1;
        let version = self.versions;
        let resource = self.resources.get_mut(&id)?;
        resource.version = version;
        Some(&mut resource.body)
    }

    /// Sets a field of a resource, by a JSON pointer of which all but the last part may be new.
    pub(super) fn set(&mut self, id: &str, pointer: &str, value: Value) {
        if let Some(body) = self.change(id) {
            set(body, pointer, value);
        }
    }

    /// Puts a resource there.
    pub(super) fn insert(&mut self, id: &str, mut body: Value, region: &str) {
        let parts: Vec<&str> = id.split('/').collect();
        if let Some(fields) = body.as_object_mut() {
            fields.entry("id").or_insert_with(|| json!(id));
            fields.entry("name").or_insert_with(|| json!(parts.last()));
        }
        self.versions += 1;
        let resource = Resource { id: id.to_owned(), body, region: region.to_owned(), version: self.versions };
        let id = id.to_ascii_lowercase();
        self.leave_behind(&id);
        self.resources.insert(id, resource);
    }

    /// Keeps the resource that a change is about: where it fails, it is as it was.
    pub(super) fn look_before(&mut self, incoming: &Incoming) {
        if !incoming.is_read() {
            let id = incoming.target().id;
            self.before = Before { resource: self.resource(&id).cloned(), id };
        }
    }

    /// The resource as it was before the change that is being answered.
    pub(super) fn before(&self) -> Before {
        self.before.clone()
    }

    /// What was begun on a resource has failed: nothing of it stays.
    pub(super) fn set_back(&mut self, before: Before) {
        match before.resource {
            Some(resource) => self.insert(&resource.id, resource.body, &resource.region),
            None => drop(self.remove(&before.id)),
        }
    }

    /// Puts a resource there unless there is one.
    pub(super) fn ensure(&mut self, id: &str, body: Value, region: &str) {
        if self.resource(id).is_none() {
            self.insert(id, body, region);
        }
    }

    /// Whether a step has made certain what a resource is like before the run.
    pub(super) fn is_settled(&self, id: &str) -> bool {
        self.decided.contains(&id.to_ascii_lowercase())
    }

    pub(super) fn settle(&mut self, id: &str) {
        self.decided.insert(id.to_ascii_lowercase());
    }

    /// Whether this can be asked of a resource that is there, though no service here knows it.
    pub(super) fn is_taken(&self, path: &str) -> bool {
        self.taken.contains(&path.to_ascii_lowercase())
    }

    pub(super) fn note_taken(&mut self, path: &str) {
        self.taken.insert(path.to_ascii_lowercase());
    }

    pub(super) fn remove(&mut self, id: &str) -> bool {
        let id = id.to_ascii_lowercase();
        self.leave_behind(&id);
        self.resources.remove(&id).is_some()
    }

    /// The resource with an id in lower case.
    pub(super) fn known(&self, id: &str) -> Option<&Resource> {
        self.resources.get(id)
    }

    /// Takes a resource away, or gives it back, without changing anything.
    pub(super) fn take(&mut self, id: &str) -> Option<Resource> {
        self.resources.remove(id)
    }

    pub(super) fn give(&mut self, id: &str, resource: Resource) {
        self.resources.insert(id.to_owned(), resource);
    }

    /// All resources at or below a scope, as Resource Manager lists them: from its own index.
    pub(super) fn within(&self, scope: &str) -> Vec<Value> {
        let scope = format!("{}/", scope.to_ascii_lowercase());
        let below = self.resources.range(scope.clone()..).take_while(|(id, _)| id.starts_with(&scope));
        let entry = |resource: &Resource| {
            let field = |name: &str| resource.body.get(name);
            json!({ "id": resource.id, "name": field("name"), "location": field("location") })
        };
        below.map(|(_, resource)| entry(resource)).collect()
    }

    /// The resources directly in a collection.
    pub(super) fn list(&self, collection: &str) -> Vec<&Resource> {
        let start = format!("{}/", collection.to_ascii_lowercase());
        let below = self.resources.range(start.clone()..).take_while(|(id, _)| id.starts_with(&start));
        below.filter(|(id, _)| !id[start.len()..].contains('/')).map(|(_, resource)| resource).collect()
    }

    /// All resources of a type, wherever they are.
    pub(super) fn of_kind<'w>(&'w self, kind: &'w str) -> impl Iterator<Item = &'w Resource> {
        let kind = format!("/providers/{}/", kind.to_ascii_lowercase());
        let last = move |id: &str| id.split_once(&kind).is_some_and(|(_, rest)| !rest.contains('/'));
        self.resources.iter().filter(move |(id, _)| last(id)).map(|(_, resource)| resource)
    }

    /// What is below a resource.
    pub(super) fn below(&self, id: &str) -> impl Iterator<Item = &Value> {
        let start = format!("{}/", id.to_ascii_lowercase());
        let from = self.resources.range(start.clone()..);
        from.take_while(move |(id, _)| id.starts_with(&start)).map(|(_, resource)| &resource.body)
    }

    /// The id of a resource, by its id or by type and name.
    pub(super) fn find(&self, wanted: &str) -> Option<String> {
        let wanted = wanted.to_ascii_lowercase();
        let ending = format!("/providers/{wanted}");
        let mut ids = self.resources.keys();
        if self.resources.contains_key(&wanted) { Some(wanted) } else { ids.find(|id| id.ends_with(&ending)).cloned() }
    }

    pub(super) fn look(&self, wanted: &str) -> Option<Value> {
        self.body(&self.find(wanted)?).cloned()
    }

    pub(super) fn resources(&self) -> BTreeMap<String, Value> {
        self.resources.iter().map(|(id, resource)| (id.clone(), resource.body.clone())).collect()
    }

    /// Keeps what came, what was said, whether it was done, and whether what it began fails.
    pub(super) fn remember(&mut self, incoming: Incoming, answer: &Answer, (was_done, fails): (bool, bool)) {
        let (status, body) = match answer {
            Answer::Response(response) => (response.status, response.body.clone()),
            _ => (0, Value::Null),
        };
        let polls = incoming.polled().is_some();
        let Incoming { method, url, step, body: sent, headers, scope, .. } = incoming;
        let at = self.now;
        self.log.push(Logged {
            at,
            method,
            url,
            step,
            body: sent,
            headers,
            scope,
            status,
            was_done,
            fails,
            polls,
            answer: body,
        });
    }
}

/// Sets a field, making what is missing on the way.
pub(super) fn set(body: &mut Value, pointer: &str, value: Value) {
    let mut place = body;
    for part in pointer.split('/').skip(1) {
        place = match part.parse::<usize>() {
            Ok(index) if place.is_array() => match place.get_mut(index) {
                Some(item) => item,
                None => return,
            },
            _ => {
                if !place.is_object() {
                    *place = Value::Object(Map::new());
                }
                &mut place[part]
            }
        };
    }
    *place = value;
}

/// Changes what the change names and leaves the rest (RFC 7396).
pub(super) fn merge(body: &mut Value, change: &Value) {
    let Value::Object(change) = change else {
        *body = change.clone();
        return;
    };
    if !body.is_object() {
        *body = Value::Object(Map::new());
    }
    for (name, value) in change {
        match value {
            Value::Null => drop(body.as_object_mut().and_then(|fields| fields.remove(name))),
            value => merge(&mut body[name], value),
        }
    }
}

/// The items of a list at a pointer.
pub(super) fn items<'v>(body: &'v Value, pointer: &str) -> &'v [Value] {
    body.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The text at a pointer; empty where there is none.
pub(super) fn text<'v>(body: &'v Value, pointer: &str) -> &'v str {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
