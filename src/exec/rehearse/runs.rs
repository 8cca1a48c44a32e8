//! `--runs N`: the same scenario with many seeds, and how the results are spread.

use std::collections::BTreeMap;
use std::time::Duration;

use super::facts::{Facts, facts};
use super::{Attempt, Ended, Subject, in_parallel, rehearse};
use crate::engine::RunState;
use crate::plan::StepIndex;
use crate::sim::stand_in::Source;

/// How many rehearsals came out.
#[derive(Clone, Debug)]
pub struct Spread {
    /// How many rehearsals there were, and the first seed.
    pub runs: u64,
    /// The first seed; the others follow.
    pub seed: u64,
    /// What was promised.
    pub objective: Option<Duration>,
    /// The times to recovery, the shortest first, with the seed of each.
    pub times: Vec<(Duration, u64)>,
    /// How often each end came.
    pub ended: BTreeMap<String, u64>,
    /// How often the run ended in doubt, and how often a step was in doubt at any time.
    pub in_doubt: (u64, u64),
    /// What takes the time, the most first.
    pub steps: Vec<Weight>,
    /// The time on all critical paths by who says how long it takes.
    pub sources: Vec<(Source, Duration)>,
    /// The faults that struck in none of the rehearsals, in words.
    pub never_struck: Vec<String>,
}

/// A step's weight on the critical path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weight {
    /// The step.
    pub step: StepIndex,
    /// How many rehearsals had it on the critical path.
    pub on_path: u64,
    /// In how many nothing on the path took longer.
    pub longest: u64,
    /// Its times there, the shortest first.
    pub times: Vec<Duration>,
}

/// Rehearses with as many seeds, on all cores.
#[must_use]
pub fn spread(subject: &Subject, seed: u64, runs: u64) -> Spread {
    let seeds: Vec<u64> = (0..runs).map(|number| seed.wrapping_add(number)).collect();
    let all =
        in_parallel(&seeds, |seed| facts(*seed, &rehearse(subject, Attempt { seed: *seed, ..Attempt::default() })));
    gather(&all, seed, subject.plan.runbook.objectives.rto)
}

fn gather(all: &[Facts], seed: u64, objective: Option<Duration>) -> Spread {
    let restored = all.iter().filter(|facts| facts.clock.restored);
    let mut times: Vec<(Duration, u64)> = restored.map(|facts| (facts.clock.elapsed, facts.seed)).collect();
    times.sort_unstable();
    let mut ended = BTreeMap::new();
    for facts in all {
        *ended.entry(word(&facts.ended).to_owned()).or_default() += 1;
    }
    let count = |test: &dyn Fn(&Facts) -> bool| all.iter().filter(|facts| test(facts)).count() as u64;
    let in_doubt = count(&|facts| facts.ended == Ended::In(RunState::InDoubt));
    Spread {
        runs: all.len() as u64,
        seed,
        objective,
        times,
        ended,
        in_doubt: (in_doubt, count(&|facts| facts.doubted)),
        steps: weights(all),
        sources: sources(all),
        never_struck: never_struck(all),
    }
}

fn never_struck(all: &[Facts]) -> Vec<String> {
    let first = all.first().map(|facts| facts.never_struck.clone()).unwrap_or_default();
    first.into_iter().filter(|fault| all.iter().all(|facts| facts.never_struck.contains(fault))).collect()
}

/// The word for an end.
#[must_use]
pub fn word(ended: &Ended) -> &'static str {
    match ended {
        Ended::In(state) => state.words(),
        Ended::Never => "never over",
        Ended::Broken(_) => "broken",
    }
}

fn weights(all: &[Facts]) -> Vec<Weight> {
    let mut weights = BTreeMap::<StepIndex, Weight>::new();
    for facts in all {
        let longest = facts.path.iter().map(super::facts::Part::took).max();
        for part in &facts.path {
            let weight = weights.entry(part.step).or_insert(Weight {
                step: part.step,
                on_path: 0,
                longest: 0,
                times: Vec::new(),
            });
            weight.on_path += 1;
            weight.longest += u64::from(Some(part.took()) == longest);
            weight.times.push(part.took());
        }
    }
    let mut weights: Vec<Weight> = weights.into_values().collect();
    weights.iter_mut().for_each(|weight| weight.times.sort_unstable());
    weights.sort_by_key(|weight| std::cmp::Reverse((weight.times.iter().sum::<Duration>(), weight.longest)));
    weights
}

fn sources(all: &[Facts]) -> Vec<(Source, Duration)> {
    let spent = |source: Source| {
        let parts = all.iter().flat_map(|facts| &facts.path).flat_map(|part| [part.machine, part.people]);
        parts.filter(|(_, by)| *by == source).map(|(span, _)| span).sum::<Duration>()
    };
    Source::ALL.into_iter().map(|source| (source, spent(source))).filter(|(_, span)| !span.is_zero()).collect()
}

/// The smallest of the sorted values that as many percent are not above; nothing where there are none.
#[must_use]
pub fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let values: Vec<u32> = (1..=20).collect();
        assert_eq!([50, 90, 95, 100].map(|percent| percentile(&values, percent)), [10, 18, 19, 20].map(Some));
        assert_eq!(percentile(&[7], 50), Some(7));
        assert_eq!(percentile::<u32>(&[], 50), None);
    }
}
