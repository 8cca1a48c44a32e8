//! How long a plan takes at least: waves and the critical path, from the steps' estimates and what is known of actions.

use std::time::Duration;

use super::runbooks::DEEPEST;
use super::{Graph, Plan, Runbooks, StepIndex, is_main};
use crate::catalogue::{Catalogue, Takes};
use crate::runbook::ast::{Estimate, Phase, Runbook, Step};

/// The longest way through a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CriticalPath {
    /// Its steps, in order.
    pub steps: Vec<StepIndex>,
    /// The sum of their usual times.
    pub typical: Duration,
    /// How long the plan takes where every step takes its worst time; other steps may make the longest way then.
    pub worst: Duration,
    /// Steps of the way of success of which nobody says how long they take: they count as nothing.
    pub without_estimate: usize,
}

/// The critical path through detection, assessment and execution: what the RTO has to cover. A step that calls a
/// runbook takes as long as the critical path of that.
#[must_use]
pub fn critical_path(runbook: &Runbook, graph: &Graph, runbooks: &Runbooks, catalogue: &Catalogue) -> CriticalPath {
    within(runbook, graph, (runbooks, catalogue), DEEPEST)
}

/// How long a step takes: what the runbook says, else what is known of its action.
#[must_use]
pub fn estimate(step: &Step, catalogue: &Catalogue) -> Option<Estimate> {
    let of = |takes: Takes| Estimate { typical: takes.typical, worst: Some(takes.worst) };
    step.estimate.as_deref().copied().or_else(|| takes(step, catalogue).map(of))
}

/// How long the action of a step usually takes, as far as its parameters are known before the run.
#[must_use]
pub fn takes(step: &Step, catalogue: &Catalogue) -> Option<Takes> {
    (catalogue.get(&step.action.name.value)?.takes)(&step.action.with.value.known()?)
}

/// `deep` is how deep calls are followed: runbooks that call each other in a circle are told of elsewhere.
fn within(
    runbook: &Runbook,
    graph: &Graph,
    (runbooks, catalogue): (&Runbooks, &Catalogue),
    deep: usize,
) -> CriticalPath {
    let order = graph.order().unwrap_or_default();
    let mut path = CriticalPath::default();
    let mut time = |step: &Step| {
        let called = runbooks.called(runbook, step).filter(|_| deep > 1).map(|called| {
            let graph = super::graph(called, &super::index(called));
            within(called, &graph, (runbooks, catalogue), deep - 1)
        });
        let estimate = estimate(step, catalogue);
        if is_main(step) && step.phase.is_barrier() {
            path.without_estimate += match &called {
                Some(called) => called.without_estimate,
                None => usize::from(estimate.is_none()),
            };
        }
        match (called, estimate) {
            (Some(called), _) => (called.typical, called.worst),
            (None, Some(estimate)) => (estimate.typical, estimate.worst.unwrap_or(estimate.typical)),
            (None, None) => (Duration::ZERO, Duration::ZERO),
        }
    };
    let times: Vec<(Duration, Duration)> = runbook.steps.iter().map(&mut time).collect();
    for phase in Phase::ALL.into_iter().filter(|phase| phase.is_barrier()) {
        let inside = |step: &StepIndex| {
            let step = &runbook.steps[step.at()];
            step.phase == phase && is_main(step)
        };
        let order: Vec<StepIndex> = order.iter().copied().filter(inside).collect();
        let (typical, longest) = longest_in(graph, &order, |step| times[step.at()].0);
        // What usually takes longest need not be what takes longest at worst.
        let (worst, _) = longest_in(graph, &order, |step| times[step.at()].1);
        path.typical += typical;
        path.worst += worst;
        path.steps.extend(longest);
    }
    path
}

/// The longest way through these steps, which come in an order that fits their needs.
fn longest_in(graph: &Graph, order: &[StepIndex], time: impl Fn(StepIndex) -> Duration) -> (Duration, Vec<StepIndex>) {
    let mut reach: Vec<Option<(Duration, Option<StepIndex>)>> = vec![None; graph.len()];
    let mut end: (Duration, Option<StepIndex>) = (Duration::ZERO, None);
    for step in order {
        let reached = |need: &&StepIndex| reach[need.at()].map(|(until, _)| until);
        let before = graph.needs(*step).iter().filter(|need| reached(need).is_some()).max_by_key(reached);
        let until = before.and_then(|need| reached(&need)).unwrap_or_default() + time(*step);
        reach[step.at()] = Some((until, before.copied()));
        if end.1.is_none() || until > end.0 {
            end = (until, Some(*step));
        }
    }
    let mut steps: Vec<StepIndex> = std::iter::successors(end.1, |step| reach[step.at()]?.1).collect();
    steps.reverse();
    (end.0, steps)
}

/// The steps of a part by the wave in which they can start at the earliest, within each phase.
#[must_use]
pub fn waves(plan: &Plan, part: usize) -> Vec<(Phase, Vec<Vec<StepIndex>>)> {
    let order = plan.graph.order().unwrap_or_default();
    let mut depth = vec![0_usize; plan.graph.len()];
    let mut phases: Vec<(Phase, Vec<Vec<StepIndex>>)> =
        Phase::ALL.into_iter().map(|phase| (phase, Vec::new())).collect();
    for step in order.into_iter().filter(|step| plan.part_index(*step) == part) {
        let phase = plan.step(step).phase;
        let needs = plan.graph.needs(step).iter().filter(|need| plan.step(**need).phase == phase);
        depth[step.at()] = needs.map(|need| depth[need.at()] + 1).max().unwrap_or(0);
        let (_, waves) = &mut phases[phase as usize];
        if waves.len() <= depth[step.at()] {
            waves.resize_with(depth[step.at()] + 1, Vec::new);
        }
        waves[depth[step.at()]].push(step);
    }
    phases.retain(|(_, waves)| !waves.is_empty());
    phases.iter_mut().for_each(|(_, waves)| waves.iter_mut().for_each(|wave| wave.sort_unstable()));
    phases
}
