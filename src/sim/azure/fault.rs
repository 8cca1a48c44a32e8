//! What goes wrong in the simulated Azure, as a scenario says.

use std::collections::BTreeMap;
use std::time::Duration;

use super::answer::Answer;
use super::incoming::Incoming;
use super::world::World;
use super::{operation, outage, refusal, services};
use crate::catalogue::Timestamp;
use crate::plan::path::names;
use crate::sim::scenario::{Fault, Lost};
use crate::sim::stand_in::Random;

/// The faults of a scenario, and how often each has struck.
#[derive(Default)]
pub(super) struct Faults {
    faults: Vec<Fault>,
    struck: BTreeMap<usize, u32>,
    /// When a fault that lasts for a while struck first.
    since: BTreeMap<usize, Timestamp>,
    /// The token that is refused: only another one will do.
    refused_token: Option<String>,
    /// The attempts under way, by the path of their step.
    attempts: BTreeMap<String, Attempt>,
}

/// An attempt of a step.
#[derive(Clone, Copy, Default)]
struct Attempt {
    /// The step only reads: what strikes it strikes its reads.
    reads: bool,
    /// None of its requests is answered any more.
    is_silent: bool,
}

impl Faults {
    pub(super) fn new(faults: Vec<Fault>) -> Self {
        Self { faults, ..Self::default() }
    }

    /// Whether a fault has struck.
    pub(super) fn has_struck(&self, index: usize) -> bool {
        self.struck.get(&index).is_some_and(|count| *count > 0)
    }

    /// An attempt of a step begins.
    pub(super) fn enter(&mut self, step: &str, reads: bool) {
        self.attempts.insert(step.to_owned(), Attempt { reads, is_silent: false });
    }

    /// An attempt of a step is over: what struck it strikes no look at what came of it.
    pub(super) fn leave(&mut self, step: &str) {
        self.attempts.remove(step);
    }

    /// The attempt that a request is of; one that changes something where nobody said that it began.
    fn attempt(&self, incoming: &Incoming) -> Attempt {
        self.attempts.get(&incoming.step).copied().unwrap_or_default()
    }

    /// From now on nothing of the attempt is answered.
    fn silence(&mut self, incoming: &Incoming) -> Answer {
        if let Some(attempt) = self.attempts.get_mut(&incoming.step) {
            attempt.is_silent = true;
        }
        Answer::Silence
    }

    /// The fault of a step's operation, counted.
    pub(super) fn of_operation(&mut self, step: &str) -> Option<Fault> {
        self.strike(step, |fault| match fault {
            Fault::FailedOperation { times, .. } => times.unwrap_or(u32::MAX),
            Fault::StuckOperation { .. } => 1,
            _ => 0,
        })
    }

    /// The first fault of a step that may strike once more; `most` says how often each may, 0 for those not meant.
    fn strike(&mut self, step: &str, most: impl Fn(&Fault) -> u32) -> Option<Fault> {
        let found = self
            .faults
            .iter()
            .enumerate()
            .find(|(index, fault)| fault.is_of(step) && self.struck.get(index).copied().unwrap_or(0) < most(fault));
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

/// A request without a token, or with one that was refused before.
pub(super) fn unknown_token(world: &World, incoming: &Incoming) -> Option<Answer> {
    if incoming.scope.is_empty() {
        return Some(unauthorised("InvalidAuthenticationToken", "The access token is missing.", "invalid_token"));
    }
    let refused = &world.faults.refused_token;
    (*refused == Some(incoming.token.clone())).then(|| expired(world.seed))
}

/// What comes instead of an answer of the service.
pub(super) fn before(world: &mut World, incoming: &Incoming) -> Option<Answer> {
    if world.faults.attempt(incoming).is_silent {
        return Some(Answer::Silence);
    }
    for index in 0..world.faults.faults.len() {
        if let Some(answer) = strikes(world, incoming, index) {
            return Some(answer);
        }
    }
    if incoming.polled().is_some() {
        return outage::of_poll(world);
    }
    outage::of_region(world, incoming).or_else(|| instead(world, incoming))
}

/// What a fault of its step makes of a request: of one that changes something, or of any where the step only reads.
fn instead(world: &mut World, incoming: &Incoming) -> Option<Answer> {
    let reads = world.faults.attempt(incoming).reads;
    if incoming.is_read() && !reads {
        return None;
    }
    let struck = world.faults.strike(&incoming.step, |fault| match fault {
        Fault::LostResponse { effect, times, .. } if reads || *effect == Lost::BeforeEffect => times.unwrap_or(1),
        Fault::FailedOperation { times, code, .. } if reads || is_refused(incoming, code.as_deref()) => {
            times.unwrap_or(u32::MAX)
        }
        Fault::Timeout { .. } | Fault::StuckOperation { .. } if reads => 1,
        _ => 0,
    });
    struck.map(|fault| struck_by(world, incoming, fault))
}

/// What a failure of its step makes of a change that is about to be made at once, without an operation that could fail.
pub(super) fn instead_of_change(world: &mut World, incoming: &Incoming) -> Option<Answer> {
    let struck = if incoming.is_read() { None } else { world.faults.of_operation(&incoming.step) };
    struck.map(|fault| struck_by(world, incoming, fault))
}

fn struck_by(world: &mut World, incoming: &Incoming, fault: Fault) -> Answer {
    match fault {
        Fault::FailedOperation { code, message, .. } => {
            let code = code.as_deref().unwrap_or("BadRequest");
            let (status, words) = refusal::at_once(code).unwrap_or((400, "The request cannot be carried out."));
            Answer::error(status, code, message.unwrap_or_else(|| words.to_owned()))
        }
        Fault::LostResponse { .. } => outage::lost_answer(world),
        _ => world.faults.silence(incoming),
    }
}

/// Whether a failure shows as the answer to the request, rather than as the end of what it began.
fn is_refused(incoming: &Incoming, code: Option<&str>) -> bool {
    services::is_immediate(incoming) || code.is_some_and(|code| refusal::at_once(code).is_some())
}

/// What a fault that names no single request makes of this one.
fn strikes(world: &mut World, incoming: &Incoming, index: usize) -> Option<Answer> {
    let (now, start, polls) = (world.now, world.start, incoming.polled().is_some());
    let count = world.faults.struck.get(&index).copied().unwrap_or(0);
    match world.faults.faults.get(index)? {
        Fault::ExpiredToken { at } if count == 0 && now >= start.plus(*at) => {
            world.faults.refused_token = Some(incoming.token.clone());
            world.faults.struck.insert(index, 1);
            Some(expired(world.seed))
        }
        Fault::Throttled { service, lasts, retry_after } if !polls => {
            let meant = service.as_deref().is_none_or(|service| concerns(incoming, service));
            let since = world.faults.since.get(&index).copied().unwrap_or(now);
            let over = lasts.is_some_and(|lasts| now >= since.plus(lasts));
            let seconds = retry_after.as_secs().max(1).to_string();
            (meant && !over).then(|| {
                world.faults.since.insert(index, since);
                world.faults.struck.insert(index, count + 1);
                let answer = Answer::error(429, "TooManyRequests", "The request is being throttled.");
                answer.header("retry-after", seconds)
            })
        }
        Fault::Busy { step, service, lasts } if !incoming.is_read() => {
            let meant = step.as_deref().is_some_and(|step| names(step, &incoming.step))
                || service.as_deref().is_some_and(|service| concerns(incoming, service));
            let since = world.faults.since.get(&index).copied().unwrap_or(now);
            if !meant || now >= since.plus(*lasts) {
                return None;
            }
            world.faults.since.insert(index, since);
            world.faults.struck.insert(index, count + 1);
            // Now and then the request is taken, and what it begins meets the other operation.
            if !services::is_immediate(incoming) && world.random.one_in(4) {
                world.meets_another = true;
                return None;
            }
            let target = incoming.target();
            let other = operation::poll_url(&incoming.manager, &target.id, 0);
            Some(refusal::busy(world, &target, &other))
        }
        _ => None,
    }
}

/// What becomes of the service's answer.
pub(super) fn after(world: &mut World, incoming: &Incoming, answer: Answer) -> Answer {
    world.meets_another = false;
    if incoming.is_read() || !answer.is_good() {
        return answer;
    }
    let struck = world.faults.strike(&incoming.step, |fault| match fault {
        Fault::LostResponse { effect: Lost::AfterEffect, times, .. } => times.unwrap_or(1),
        Fault::Timeout { .. } => 1,
        _ => 0,
    });
    match struck {
        Some(Fault::Timeout { .. }) => world.faults.silence(incoming),
        Some(_) => outage::lost_answer(world),
        None => answer,
    }
}

/// A token that does no longer do: it is too old, it is not known any more, or the sign-in has to be looked at again.
fn expired(seed: u64) -> Answer {
    match Random::of(seed, "token").number() % 3 {
        0 => {
            unauthorised("ExpiredAuthenticationToken", "The access token expiry UTC time has passed.", "invalid_token")
        }
        1 => unauthorised("InvalidAuthenticationToken", "The access token is invalid.", "invalid_token"),
        _ => {
            let message = "Continuous access evaluation resulted in challenge with result: InteractionRequired and \
                           code: TokenIssuedBeforeRevocationTimestamp";
            // `{"access_token":{"nbf":{"essential":true}}}`
            let claims = "insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ==";
            unauthorised("InvalidAuthenticationToken", message, claims)
        }
    }
}

fn unauthorised(code: &str, message: &str, error: &str) -> Answer {
    let challenge =
        format!("Bearer authorization_uri=\"https://login.microsoftonline.com/simulated\", error=\"{error}\"");
    Answer::error(401, code, message).header("www-authenticate", challenge)
}

fn concerns(incoming: &Incoming, service: &str) -> bool {
    incoming.url.to_ascii_lowercase().contains(&service.to_ascii_lowercase())
}
