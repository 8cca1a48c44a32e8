//! What goes wrong in the simulated Azure, as a scenario says.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Answer;
use super::incoming::{Incoming, Target};
use super::services;
use super::world::World;
use crate::catalogue::Timestamp;
use crate::plan::path::without_keys;
use crate::sim::scenario::{Fault, Lost};

/// The faults of a scenario, and how often each has struck.
#[derive(Default)]
pub(super) struct Faults {
    faults: Vec<Fault>,
    struck: BTreeMap<usize, u32>,
    /// When a fault that lasts for a while struck first.
    since: BTreeMap<usize, Timestamp>,
}

impl Faults {
    pub(super) fn new(faults: Vec<Fault>) -> Self {
        Self { faults, ..Self::default() }
    }

    /// Whether a fault has struck.
    pub(super) fn has_struck(&self, index: usize) -> bool {
        self.struck.get(&index).is_some_and(|count| *count > 0)
    }

    /// The fault of a step's operation, counted.
    pub(super) fn of_operation(&mut self, step: &str) -> Option<Fault> {
        self.strike(step, |fault| match fault {
            Fault::FailedOperation { times, .. } => times.unwrap_or(u32::MAX),
            Fault::StuckOperation { .. } | Fault::Timeout { .. } => 1,
            _ => 0,
        })
    }

    /// The first fault of a step that may strike once more; `most` says how often each may, 0 for those not meant.
    fn strike(&mut self, step: &str, most: impl Fn(&Fault) -> u32) -> Option<Fault> {
        let of_step = |fault: &Fault| fault.step().is_some_and(|named| named == step || named == without_keys(step));
        let found = self
            .faults
            .iter()
            .enumerate()
            .find(|(index, fault)| of_step(fault) && self.struck.get(index).copied().unwrap_or(0) < most(fault));
        let (index, fault) = found.map(|(index, fault)| (index, fault.clone()))?;
        *self.struck.entry(index).or_default() += 1;
        Some(fault)
    }

    /// How far a replica is behind.
    pub(super) fn lag(&self, resource: &str) -> Option<Duration> {
        self.faults.iter().find_map(|fault| match fault {
            Fault::SlowReplication { resource: None, lag } => Some(*lag),
            Fault::SlowReplication { resource: Some(named), lag } => {
                let (resource, named) = (resource.to_ascii_lowercase(), named.to_ascii_lowercase());
                resource.ends_with(&named).then_some(*lag)
            }
            _ => None,
        })
    }

    /// The regions that are down.
    pub(super) fn regions_down(&self, start: Timestamp, now: Timestamp) -> Vec<String> {
        let named = self.faults.iter().filter_map(|fault| match fault {
            Fault::RegionDown { region, .. } => Some(region.clone()),
            _ => None,
        });
        named.filter(|region| self.is_down(region, start, now)).collect()
    }

    /// Whether a region is down.
    pub(super) fn is_down(&self, region: &str, start: Timestamp, now: Timestamp) -> bool {
        self.faults.iter().any(|fault| match fault {
            Fault::RegionDown { region: down, at, lasts } => {
                let from = start.plus(*at);
                let over = lasts.is_some_and(|lasts| now >= from.plus(lasts));
                plain(down) == plain(region) && now >= from && !over
            }
            _ => false,
        })
    }
}

/// A region's name without case and spaces.
pub(super) fn plain(region: &str) -> String {
    region.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// What comes instead of an answer of the service.
pub(super) fn before(world: &mut World, incoming: &Incoming) -> Option<Answer> {
    if incoming.scope.is_empty() {
        return Some(unauthorised("InvalidAuthenticationToken", "The access token is missing."));
    }
    let (now, start) = (world.now, world.start);
    let polls = incoming.parts.iter().any(|part| part == super::operation::MARK);
    for index in 0..world.faults.faults.len() {
        let fault = world.faults.faults[index].clone();
        let count = world.faults.struck.get(&index).copied().unwrap_or(0);
        match fault {
            Fault::ExpiredToken { at } if count == 0 && now >= start.plus(at) => {
                world.faults.struck.insert(index, 1);
                return Some(unauthorised("ExpiredAuthenticationToken", "The access token expiry has passed."));
            }
            Fault::Throttled { service, lasts, retry_after } if !polls => {
                let meant = service.as_deref().is_none_or(|service| concerns(incoming, service));
                let since = world.faults.since.get(&index).copied().unwrap_or(now);
                let over = lasts.is_some_and(|lasts| now >= since.plus(lasts));
                if meant && !over {
                    world.faults.since.insert(index, since);
                    world.faults.struck.insert(index, count + 1);
                    let seconds = retry_after.as_secs().max(1).to_string();
                    let answer = Answer::error(429, "TooManyRequests", "The request is being throttled.");
                    return Some(answer.header("retry-after", seconds));
                }
            }
            Fault::Busy { step, service, lasts } if !incoming.is_read() => {
                let by_step =
                    step.as_deref().is_some_and(|step| step == incoming.step || step == without_keys(&incoming.step));
                if by_step || service.as_deref().is_some_and(|service| concerns(incoming, service)) {
                    let since = *world.faults.since.entry(index).or_insert(now);
                    if now < since.plus(lasts) {
                        world.faults.struck.insert(index, count + 1);
                        return Some(Answer::error(
                            409,
                            "AnotherOperationInProgress",
                            "Another operation is in progress.",
                        ));
                    }
                }
            }
            _ => {}
        }
    }
    if polls {
        return None;
    }
    if is_out_of_reach(world, incoming) {
        return Some(match world.random.number() % 3 {
            0 => Answer::status(
                503,
                Value::String("<html><head><title>503 Service Unavailable</title></head></html>".to_owned()),
            ),
            1 => Answer::error(503, "ServiceUnavailable", "The region is not available."),
            _ => Answer::Lost,
        });
    }
    if incoming.is_read() {
        return None;
    }
    let struck = world.faults.strike(&incoming.step, |fault| match fault {
        Fault::Hang { .. } => 1,
        Fault::LostResponse { effect: Lost::BeforeEffect, times, .. } => times.unwrap_or(1),
        Fault::FailedOperation { times, .. } if services::is_immediate(incoming) => times.unwrap_or(u32::MAX),
        _ => 0,
    });
    struck.map(|fault| match fault {
        Fault::Hang { .. } => Answer::Silence,
        Fault::FailedOperation { code, message, .. } => {
            let message = message.unwrap_or_else(|| "The request cannot be carried out.".to_owned());
            Answer::error(400, code.as_deref().unwrap_or("BadRequest"), message)
        }
        _ => Answer::Lost,
    })
}

/// What becomes of the service's answer.
pub(super) fn after(world: &mut World, incoming: &Incoming, answer: Answer) -> Answer {
    let done = matches!(&answer, Answer::Response(response) if response.status < 300);
    if incoming.is_read() || !done {
        return answer;
    }
    let struck = world.faults.strike(&incoming.step, |fault| match fault {
        Fault::LostResponse { effect: Lost::AfterEffect, times, .. } => times.unwrap_or(1),
        Fault::Timeout { .. } if services::is_immediate(incoming) => 1,
        _ => 0,
    });
    match struck {
        Some(Fault::Timeout { .. }) => Answer::Silence,
        Some(_) => Answer::Lost,
        None => answer,
    }
}

fn unauthorised(code: &str, message: &str) -> Answer {
    let body = json!({ "error": { "code": code, "message": message } });
    Answer::status(401, body).header("www-authenticate", "Bearer error=\"invalid_token\"")
}

fn concerns(incoming: &Incoming, service: &str) -> bool {
    let service = service.to_ascii_lowercase();
    incoming.url.to_ascii_lowercase().contains(&service)
}

/// Whether the region that would have to answer is down. What belongs to no region answers always.
fn is_out_of_reach(world: &World, incoming: &Incoming) -> bool {
    let region = region_of(world, incoming, &incoming.target());
    region.is_some_and(|region| world.faults.is_down(&region, world.start, world.now))
}

fn region_of(world: &World, incoming: &Incoming, target: &Target) -> Option<String> {
    let location = incoming.parts.iter().position(|part| part.eq_ignore_ascii_case("locations"));
    if let Some(location) = location.and_then(|at| incoming.parts.get(at + 1)) {
        return Some(location.clone());
    }
    if !incoming.host.contains("management.") {
        return services::region_of_host(world, &incoming.host);
    }
    let mut id = if target.scope.contains("/providers/") { target.scope.clone() } else { target.id.clone() };
    while id.contains("/providers/") {
        if let Some(resource) = world.resource(&id) {
            return Some(resource.region.clone()).filter(|region| !region.is_empty());
        }
        let cut = id.rfind('/').unwrap_or(0);
        id.truncate(cut);
    }
    None
}
