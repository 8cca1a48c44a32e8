//! How long a plan takes at least: waves and the critical path, from the steps' estimates.

use std::time::Duration;

use super::{Graph, Plan, StepIndex, is_main};
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

/// The critical path through detection, assessment and execution: what the RTO has to cover.
#[must_use]
pub fn critical_path(runbook: &Runbook, graph: &Graph) -> CriticalPath {
    let order = graph.order().unwrap_or_default();
    let step = |index: &StepIndex| &runbook.steps[index.at()];
    let mut path = CriticalPath::default();
    for phase in Phase::ALL.into_iter().filter(|phase| phase.is_barrier()) {
        let longest = longest_in(runbook, graph, &order, phase);
        path.typical += longest.iter().map(|index| typical(step(index))).sum::<Duration>();
        path.worst += longest.iter().map(|index| worst(step(index))).sum::<Duration>();
        path.steps.extend(longest);
    }
    let counts = |step: &&Step| is_main(step) && step.phase.is_barrier() && step.estimate.is_none();
    path.without_estimate = runbook.steps.iter().filter(counts).count();
    path
}

fn longest_in(runbook: &Runbook, graph: &Graph, order: &[StepIndex], phase: Phase) -> Vec<StepIndex> {
    let mut reach: Vec<(Duration, Option<StepIndex>)> = vec![(Duration::ZERO, None); graph.len()];
    let mut end: Option<StepIndex> = None;
    let inside = |index: &&StepIndex| runbook.steps[index.at()].phase == phase && is_main(&runbook.steps[index.at()]);
    for step in order.iter().filter(inside) {
        let before = graph.needs(*step).iter().filter(inside).max_by_key(|need| reach[need.at()].0);
        let start = before.map_or(Duration::ZERO, |need| reach[need.at()].0);
        reach[step.at()] = (start + typical(&runbook.steps[step.at()]), before.copied());
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

/// The steps by the wave in which they can start at the earliest, within each phase.
#[must_use]
pub fn waves(plan: &Plan) -> Vec<(Phase, Vec<Vec<StepIndex>>)> {
    let order = plan.graph.order().unwrap_or_default();
    let mut depth = vec![0_usize; plan.graph.len()];
    let mut phases: Vec<(Phase, Vec<Vec<StepIndex>>)> =
        Phase::ALL.into_iter().map(|phase| (phase, Vec::new())).collect();
    for step in order {
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
