//! How long a plan takes at least: waves and the critical path, from the steps' estimates and what is known of actions.

use std::time::Duration;

use serde_json::{Map, Value};

use super::branches::{Branches, Known, branches, holds};
use super::runbooks::{DEEPEST, value_of};
use super::{Graph, Plan, Runbooks, StepIndex, is_main};
use crate::catalogue::{Catalogue, Takes, Type};
use crate::runbook::ast::{Approval, Estimate, Input, Phase, Runbook, Step, Verify};

/// How long people take to open a gate of which nobody says it: a guess, the usual time being that of rehearsals.
const GATE: (Duration, Duration) = (Duration::from_mins(2), Duration::from_mins(5));

/// The longest way through a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CriticalPath {
    /// Its steps, in order.
    pub steps: Vec<StepIndex>,
    /// The sum of their usual times.
    pub typical: Duration,
    /// How long the plan takes where every step takes its worst time.
    pub worst: Duration,
    /// The steps of the longest way then, which need not be those that usually take longest.
    pub worst_steps: Vec<StepIndex>,
}

/// A time that a step takes, usually and at worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Time {
    /// Usually.
    pub typical: Duration,
    /// At worst.
    pub worst: Duration,
}

impl Time {
    fn of(estimate: Estimate) -> Self {
        Self { typical: estimate.typical, worst: estimate.worst.unwrap_or(estimate.typical).max(estimate.typical) }
    }

    fn and(self, other: Self) -> Self {
        Self { typical: self.typical + other.typical, worst: self.worst + other.worst }
    }

    fn times(self, rounds: u32) -> Self {
        Self { typical: self.typical.saturating_mul(rounds), worst: self.worst.saturating_mul(rounds) }
    }
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

/// How long people take to open a gate: what the runbook says, else a guess.
#[must_use]
pub fn gate(approval: &Approval) -> Time {
    let most = |guess: Duration| approval.timeout.map_or(guess, |timeout| timeout.min(guess));
    let guess = Time { typical: most(GATE.0), worst: most(GATE.1) };
    approval.estimate.map_or(guess, Time::of)
}

/// How long a step takes until its `verify` holds. An estimate of the runbook covers that, if not less than what
/// `verify` may take; the time that is known of an action does not.
fn checked(step: &Step, verify: &Verify, catalogue: &Catalogue) -> Time {
    let own = estimate(step, catalogue).map(Time::of).unwrap_or_default();
    if step.estimate.is_some() {
        return Time { worst: own.worst.max(verify.within), ..own };
    }
    let spec = catalogue.get(&verify.action.name.value);
    let look = spec.and_then(|spec| (spec.takes)(&verify.action.with.value.known()?));
    let typical = look.map_or(Duration::ZERO, |look| look.typical).min(verify.within);
    own.and(Time { typical, worst: verify.within })
}

/// The critical paths by what is chosen.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    /// Each choice and its path.
    pub paths: Vec<(Map<String, Value>, CriticalPath)>,
    /// Inputs whose values are not told apart, because the choices would be too many: they are as given, or the steps
    /// of all of them count.
    pub left_out: Vec<String>,
}

/// The lists and mappings that a run is given where nobody says otherwise: what `for_each` goes through.
#[must_use]
pub fn usual_items(runbook: &Runbook) -> Map<String, Value> {
    let holds_items = |input: &&Input| matches!(input.kind, Type::List(_) | Type::Map(_));
    let usual = |input: &Input| Some((input.name.value.clone(), input.default.clone()?));
    runbook.inputs.iter().filter(holds_items).filter_map(usual).collect()
}

/// What estimates are made from.
#[derive(Clone, Copy, Debug)]
pub struct Estimates<'p> {
    /// The runbooks that steps call.
    pub runbooks: &'p Runbooks,
    /// What is known of actions.
    pub catalogue: &'p Catalogue,
}

impl Estimates<'_> {
    /// The critical path through detection, assessment and execution: what the RTO has to cover. Gates and `verify`
    /// count, a step that calls a runbook takes as long as the critical path of that, and a step whose `when` is false
    /// for these inputs takes no time and is none of it.
    #[must_use]
    pub fn critical_path(&self, runbook: &Runbook, graph: &Graph, inputs: &Map<String, Value>) -> CriticalPath {
        self.within(runbook, graph, inputs, DEEPEST)
    }

    /// The critical path for every choice of the inputs that decide what is done; the other inputs are as given.
    /// No path where nothing is to be chosen.
    #[must_use]
    pub fn by_choice(&self, runbook: &Runbook, graph: &Graph, inputs: &Map<String, Value>) -> Choices {
        let path = |choice: Map<String, Value>| {
            let inputs = inputs.clone().into_iter().chain(choice.clone()).collect();
            (choice, self.critical_path(runbook, graph, &inputs))
        };
        let Branches { ways, left_out } = branches(runbook);
        Choices { paths: ways.into_iter().filter(|choice| !choice.is_empty()).map(path).collect(), left_out }
    }

    /// `deep` is how deep calls are followed: runbooks that call each other in a circle are told of elsewhere.
    fn within(&self, runbook: &Runbook, graph: &Graph, inputs: &Map<String, Value>, deep: usize) -> CriticalPath {
        let order = graph.order().unwrap_or_default();
        let known = Known::new(inputs);
        let mut path = CriticalPath::default();
        let times: Vec<Option<Time>> =
            runbook.steps.iter().map(|step| self.time(runbook, step, &known, deep)).collect();
        for phase in Phase::ALL.into_iter().filter(|phase| phase.is_barrier()) {
            let inside = |step: &StepIndex| {
                let step = &runbook.steps[step.at()];
                step.phase == phase && is_main(step)
            };
            let order: Vec<StepIndex> = order.iter().copied().filter(inside).collect();
            let (typical, longest) = longest_in(graph, &order, |step| Some(times[step.at()]?.typical));
            let (worst, worst_steps) = longest_in(graph, &order, |step| Some(times[step.at()]?.worst));
            path.typical += typical;
            path.worst += worst;
            path.steps.extend(longest);
            path.worst_steps.extend(worst_steps);
        }
        path
    }

    /// How long the action of a step takes in all its rounds, without its gate and its check; a call takes as long as
    /// the critical path of what it calls. None where nobody says it.
    #[must_use]
    pub fn action(&self, runbook: &Runbook, step: &Step, inputs: &Map<String, Value>) -> Option<Time> {
        let known = Known::new(inputs);
        let called = self.call(runbook, step, &known, DEEPEST);
        let once = called.or_else(|| estimate(step, self.catalogue).map(Time::of))?;
        Some(once.times(rounds(runbook, step, &known)))
    }

    /// How long what the step calls takes.
    fn call(&self, runbook: &Runbook, step: &Step, known: &Known, deep: usize) -> Option<Time> {
        let called = self.runbooks.called(runbook, step).filter(|_| deep > 1)?;
        let graph = super::graph(called, &super::index(called));
        let path = self.within(called, &graph, &given(runbook, step, called, known), deep - 1);
        Some(Time { typical: path.typical, worst: path.worst })
    }

    /// How long a step takes, its gate and its check included; nothing where it does not run.
    fn time(&self, runbook: &Runbook, step: &Step, known: &Known, deep: usize) -> Option<Time> {
        if holds(runbook, step, known) == Some(false) {
            return None;
        }
        let own = self.call(runbook, step, known, deep).unwrap_or_else(|| match &step.verify {
            Some(verify) => checked(step, verify, self.catalogue),
            None => estimate(step, self.catalogue).map(Time::of).unwrap_or_default(),
        });
        let gate = step.approval.as_deref().map(gate).unwrap_or_default();
        Some(gate.and(own.times(rounds(runbook, step, known))))
    }
}

/// How many times after each other the instances of a step run, as far as the items are known.
fn rounds(runbook: &Runbook, step: &Step, known: &Known) -> u32 {
    let Some(for_each) = &step.for_each else { return 1 };
    let items = runbook.expressions.render(&for_each.items, known).map(|items| items.shown());
    let count = match items {
        Ok(Value::Array(items)) => items.len(),
        Ok(Value::Object(items)) => items.len(),
        _ => return 1,
    };
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    count.div_ceil(for_each.max_parallel.unwrap_or(count).max(1))
}

/// What the step of a runbook with these inputs hands to the one that it calls, as far as that is known before the run.
#[must_use]
pub fn handed_over(
    runbook: &Runbook,
    step: &Step,
    called: &Runbook,
    inputs: &Map<String, Value>,
) -> Map<String, Value> {
    given(runbook, step, called, &Known::new(inputs))
}

fn given(runbook: &Runbook, step: &Step, called: &Runbook, known: &Known) -> Map<String, Value> {
    let value = |input: &Input| value_of(runbook, &step.action, input, known).ok();
    let inputs = called.inputs.iter().filter(|input| input.kind != Type::Secret);
    inputs.filter_map(|input| Some((input.name.value.clone(), value(input)?))).collect()
}

/// The longest way through these steps, which come in an order that fits their needs. One without a time does not run:
/// the way may lead through it, and it is not named.
fn longest_in(
    graph: &Graph,
    order: &[StepIndex],
    time: impl Fn(StepIndex) -> Option<Duration>,
) -> (Duration, Vec<StepIndex>) {
    let mut reach: Vec<Option<(Duration, Option<StepIndex>)>> = vec![None; graph.len()];
    let mut end: (Duration, Option<StepIndex>) = (Duration::ZERO, None);
    for step in order {
        let reached = |need: &&StepIndex| reach[need.at()].map(|(until, _)| until);
        let before = graph.needs(*step).iter().filter(|need| reached(need).is_some()).max_by_key(reached);
        let own = time(*step);
        let until = before.and_then(|need| reached(&need)).unwrap_or_default() + own.unwrap_or_default();
        reach[step.at()] = Some((until, before.copied()));
        if own.is_some() && (end.1.is_none() || until > end.0) {
            end = (until, Some(*step));
        }
    }
    let way = std::iter::successors(end.1, |step| reach[step.at()]?.1);
    let mut steps: Vec<StepIndex> = way.filter(|step| time(*step).is_some()).collect();
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
