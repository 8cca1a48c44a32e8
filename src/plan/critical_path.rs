//! How long a plan takes at least: waves and the critical path, from the steps' estimates.

use std::time::Duration;

use super::runbooks::DEEPEST;
use super::{Graph, Plan, Runbooks, StepIndex, is_main};
use crate::runbook::ast::{Phase, Runbook, Step};

/// The longest way through a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CriticalPath {
    /// Its steps, in order.
    pub steps: Vec<StepIndex>,
    /// The sum of their usual times.
    pub typical: Duration,
    /// The sum of their worst times.
    pub worst: Duration,
    /// Steps of the way of success without an estimate: they count as nothing.
    pub without_estimate: usize,
}

/// The critical path through detection, assessment and execution: what the RTO has to cover. A step that calls a
/// runbook takes as long as the critical path of that.
#[must_use]
pub fn critical_path(runbook: &Runbook, graph: &Graph, runbooks: &Runbooks) -> CriticalPath {
    within(runbook, graph, runbooks, DEEPEST)
}

/// `deep` is how deep calls are followed: runbooks that call each other in a circle are told of elsewhere.
fn within(runbook: &Runbook, graph: &Graph, runbooks: &Runbooks, deep: usize) -> CriticalPath {
    let order = graph.order().unwrap_or_default();
    let mut path = CriticalPath::default();
    let mut time = |step: &Step| {
        let called = runbooks.called(runbook, step).filter(|_| deep > 1).map(|called| {
            let graph = super::graph(called, &super::index(called));
            within(called, &graph, runbooks, deep - 1)
        });
        if is_main(step) && step.phase.is_barrier() {
            path.without_estimate += match &called {
                Some(called) => called.without_estimate,
                None => usize::from(step.estimate.is_none()),
            };
        }
        called.map_or_else(|| (typical(step), worst(step)), |called| (called.typical, called.worst))
    };
    let times: Vec<(Duration, Duration)> = runbook.steps.iter().map(&mut time).collect();
    for phase in Phase::ALL.into_iter().filter(|phase| phase.is_barrier()) {
        let longest = longest_in(runbook, graph, &order, phase, &times);
        path.typical += longest.iter().map(|index| times[index.at()].0).sum::<Duration>();
        path.worst += longest.iter().map(|index| times[index.at()].1).sum::<Duration>();
        path.steps.extend(longest);
    }
    path
}

fn longest_in(
    runbook: &Runbook,
    graph: &Graph,
    order: &[StepIndex],
    phase: Phase,
    times: &[(Duration, Duration)],
) -> Vec<StepIndex> {
    let mut reach: Vec<(Duration, Option<StepIndex>)> = vec![(Duration::ZERO, None); graph.len()];
    let mut end: Option<StepIndex> = None;
    let inside = |index: &&StepIndex| runbook.steps[index.at()].phase == phase && is_main(&runbook.steps[index.at()]);
    for step in order.iter().filter(inside) {
        let before = graph.needs(*step).iter().filter(inside).max_by_key(|need| reach[need.at()].0);
        let start = before.map_or(Duration::ZERO, |need| reach[need.at()].0);
        reach[step.at()] = (start + times[step.at()].0, before.copied());
        if end.is_none_or(|end| reach[step.at()].0 > reach[end.at()].0) {
            end = Some(*step);
        }
    }
    let mut steps: Vec<StepIndex> = std::iter::successors(end, |step| reach[step.at()].1).collect();
    steps.reverse();
    steps
}

fn typical(step: &Step) -> Duration {
    step.estimate.as_ref().map_or(Duration::ZERO, |estimate| estimate.typical)
}

fn worst(step: &Step) -> Duration {
    step.estimate.as_ref().map_or(Duration::ZERO, |estimate| estimate.worst.unwrap_or(estimate.typical))
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
