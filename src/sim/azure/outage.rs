//! A region that is down, and answers that are lost: all the ways they show.
//!
//! Resource Manager is up all the same: it says that the provider does not answer. A service's own host in the region
//! takes no connections at all, or takes them and never answers.

use serde_json::Value;

use super::answer::Answer;
use super::incoming::{Incoming, Target};
use super::services;
use super::world::World;

/// What comes instead of an answer from a region that is down; nothing where it is up.
pub(super) fn of_region(world: &mut World, incoming: &Incoming) -> Option<Answer> {
    let target = incoming.target();
    let region = region_of(world, incoming, &target).filter(|_| !services::outlives_its_region(incoming, &target))?;
    if !world.faults.is_down(&region, world.start, world.now) {
        return None;
    }
    let number = world.random.number();
    Some(match (incoming.is_for_manager(), number % 16) {
        (_, 0) => Answer::Silence,
        (_, 1 | 2) => Answer::Lost,
        (false, _) => Answer::NeverConnected,
        (true, 3..=5) => page(502, "Bad Gateway"),
        (true, 6..=8) => page(503, "Service Unavailable"),
        (true, 9..=11) => {
            Answer::error(504, "GatewayTimeout", "The gateway did not receive a response from the provider in time.")
        }
        (true, _) => Answer::error(503, "ServiceUnavailable", "The region is not available."),
    })
}

/// The answer to something that was carried out, or not: who asked cannot tell.
pub(super) fn lost_answer(world: &mut World) -> Answer {
    match world.random.number() % 4 {
        0 => Answer::error(500, "InternalServerError", "An error occurred."),
        1 => page(504, "Gateway Timeout"),
        _ => Answer::Lost,
    }
}

/// What may come instead of the state of an operation, now and then.
pub(super) fn of_poll(world: &mut World) -> Option<Answer> {
    let number = world.random.number();
    number.is_multiple_of(48).then(|| match (number / 48) % 4 {
        0 => Answer::error(500, "InternalServerError", "An error occurred."),
        1 => page(502, "Bad Gateway"),
        2 => Answer::status(503, Value::Null).header("retry-after", "5"),
        _ => Answer::Lost,
    })
}

fn page(status: u16, title: &str) -> Answer {
    let page = format!("<html><head><title>{status} {title}</title></head><body><h2>{title}</h2></body></html>");
    Answer::status(status, Value::String(page)).header("content-type", "text/html")
}

/// The region that would have to answer. What belongs to no region answers always.
fn region_of(world: &World, incoming: &Incoming, target: &Target) -> Option<String> {
    let location = incoming.parts.iter().position(|part| part.eq_ignore_ascii_case("locations"));
    if let Some(location) = location.and_then(|at| incoming.parts.get(at + 1)) {
        return Some(location.clone());
    }
    if !incoming.is_for_manager() {
        return services::region_of_host(world, &incoming.host);
    }
    let id = if target.scope.contains("/providers/") { &target.scope } else { &target.id };
    world.home_of(id)
}
