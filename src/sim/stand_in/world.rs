//! Who answers at which URL.

use std::time::Duration;

use crate::catalogue::Timestamp;
use crate::sim::scenario::{Endpoint, Fault, Scenario};

/// How a target answers a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// The HTTP status, where it answers.
    pub answer: Result<u16, String>,
    /// Whether the scenario says so, rather than nobody.
    pub known: bool,
}

/// The targets of a scenario, and the regions that are down.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    endpoints: Vec<Endpoint>,
    /// Region, without case and spaces; from when to when it is down.
    down: Vec<(String, Timestamp, Timestamp)>,
}

/// Whether a step has had its effect.
type HasRun<'f> = &'f dyn Fn(&str) -> bool;
/// The region a simulated resource serves from.
type RegionOf<'f> = &'f dyn Fn(&str) -> Option<String>;

impl Endpoints {
    /// Of a scenario whose run starts at `start`.
    #[must_use]
    pub fn new(scenario: &Scenario, start: Timestamp) -> Self {
        let down = scenario.faults.iter().filter_map(|fault| match &fault.value {
            Fault::RegionDown { region, at, lasts } => {
                let from = start.plus(*at);
                Some((plain(region), from, from.plus(lasts.unwrap_or(Duration::from_hours(24 * 365)))))
            }
            _ => None,
        });
        Self { endpoints: scenario.endpoints.clone(), down: down.collect() }
    }

    /// What answers at `url`, given which steps have had their effect: what the scenario says; else whatever is in no region that is down, by its name.
    #[must_use]
    pub fn probe(&self, url: &str, now: Timestamp, (has_run, region_of): (HasRun<'_>, RegionOf<'_>)) -> Probed {
        let said = self.endpoints.iter().filter(|endpoint| url.starts_with(&endpoint.url));
        let said = said.max_by_key(|endpoint| endpoint.url.len());
        let moved = said.and_then(|endpoint| endpoint.moved.as_ref()).filter(|(step, _)| has_run(&step.value));
        let place = moved.map(|(_, to)| to.as_str());
        let served_by = said.and_then(|endpoint| endpoint.served_by.as_deref());
        let served_from = served_by.map(|resource| region_of(resource).unwrap_or_else(|| resource.to_owned()));
        let own = said.and_then(|endpoint| endpoint.region.as_deref()).or(served_from.as_deref());
        let host = plain(place.or(own).unwrap_or(url));
        let down = self.down.iter().find(|(region, from, to)| host.contains(region) && (*from..*to).contains(&now));
        let answer = match (down, said.and_then(|endpoint| endpoint.status)) {
            (Some((region, ..)), _) => Err(format!("no answer: `{region}` is down")),
            (None, status) => Ok(status.unwrap_or(200)),
        };
        Probed { answer, known: said.is_some() || down.is_some() }
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_lowercase).collect()
}
