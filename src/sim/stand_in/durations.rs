//! How long a stand-in takes, and who says so.

use std::time::Duration;

use super::Random;
use crate::catalogue::Takes;
use crate::runbook::ast::{Defaults, Simulate, Step};

/// Where nobody says anything.
const ASSUMED: (Duration, Duration) = (Duration::from_secs(30), Duration::from_mins(2));
/// The 95th percentile of a normal distribution, in deviations.
const NINETY_FIFTH: f64 = 1.645;

/// Who says how long something takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The step's own parameters, as of a `wait`.
    Given,
    /// The scenario.
    Scenario,
    /// The runbook: `simulate` or `estimate`.
    Runbook,
    /// A published or measured time.
    Published,
    /// Nobody.
    Assumed,
}

impl Source {
    /// All, the best first.
    pub const ALL: [Self; 5] = [Self::Given, Self::Scenario, Self::Runbook, Self::Published, Self::Assumed];

    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Scenario => "scenario",
            Self::Runbook => "runbook",
            Self::Published => "published",
            Self::Assumed => "assumed",
        }
    }
}

/// How long something takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Half of all times are shorter.
    pub typical: Duration,
    /// Of twenty, one is longer.
    pub worst: Duration,
    /// None is longer.
    pub most: Duration,
    /// Who says so.
    pub source: Source,
}

impl Times {
    fn fixed(typical: Duration, source: Source) -> Self {
        Self { typical, worst: typical, most: typical, source }
    }

    /// One of the times: of a log-normal distribution through both percentiles.
    #[must_use]
    pub fn draw(&self, random: &mut Random) -> Duration {
        let (typical, worst) = (self.typical.as_secs_f64(), self.worst.as_secs_f64());
        if typical <= 0.0 || worst <= typical {
            return self.typical;
        }
        let spread = (worst / typical).ln() / NINETY_FIFTH;
        let drawn = typical * (spread * random.normal()).exp();
        Duration::from_millis((drawn * 1000.0).round() as u64).min(self.most)
    }
}

/// How long the step takes: by the scenario, the runbook's `simulate`, what was published of the action, the runbook's
/// `estimate`, and then by what is assumed.
#[must_use]
pub(super) fn times(
    step: Option<&Step>,
    defaults: &Defaults,
    scenario: Option<&Simulate>,
    takes: Option<Takes>,
) -> Times {
    if let Some(duration) = scenario.and_then(|simulate| simulate.duration) {
        return Times::fixed(duration, Source::Scenario);
    }
    let Some(step) = step else { return assumed() };
    if let Some(duration) = step.simulate.as_ref().and_then(|simulate| simulate.duration) {
        return Times::fixed(duration, Source::Runbook);
    }
    if let Some(takes) = takes.filter(|takes| takes.source.is_some()) {
        return measured(takes, Source::Published);
    }
    match &step.estimate {
        // Its author's worst is the worst, with verify and retries: one of twenty takes that long, none longer, and
        // none is cut off.
        Some(estimate) => {
            let worst = estimate.worst.unwrap_or(estimate.typical);
            Times { typical: estimate.typical, worst, most: worst.min(step.timeout(defaults)), source: Source::Runbook }
        }
        None => takes.map_or_else(assumed, |takes| measured(takes, Source::Assumed)),
    }
}

/// What the action says of itself.
fn measured(takes: Takes, source: Source) -> Times {
    Times { typical: takes.typical, worst: takes.worst, most: takes.worst * 4, source }
}

fn assumed() -> Times {
    // A tail without an end would make one rehearsal of a thousand last for days.
    Times { typical: ASSUMED.0, worst: ASSUMED.1, most: ASSUMED.1 * 4, source: Source::Assumed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_times_have_the_percentiles_they_are_drawn_by() {
        let times = Times { source: Source::Runbook, ..assumed() };
        let mut random = Random::new(3);
        let mut drawn: Vec<Duration> = (0..10_000).map(|_| times.draw(&mut random)).collect();
        drawn.sort();
        let (median, worst) = (drawn[5_000].as_secs_f64(), drawn[9_500].as_secs_f64());
        assert!((median - 30.0).abs() < 2.0 && (worst - 120.0).abs() < 8.0, "{median} {worst}");
    }
}
