//! A part of a plan: a runbook as it is called at one place.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::runbooks::{DEEPEST, MOST_CALLS, Runbooks, call, handed, is_call};
use super::{StepIndex, index};
use crate::catalogue::Type;
use crate::runbook::ast::{Phase, Runbook, Step};
use crate::runbook::expr::Templated;

/// A runbook, as the run or a step calls it.
#[derive(Debug)]
pub struct Part {
    /// The runbook.
    pub runbook: Arc<Runbook>,
    /// The step that calls it; none for the runbook of the run.
    pub caller: Option<StepIndex>,
    /// The index of its first step in the plan.
    pub first: StepIndex,
    /// The steps that call others, and the parts they call.
    pub calls: Vec<(StepIndex, usize)>,
    /// How many of its steps take part: all, or all but the communication phase, which comes last.
    count: usize,
    by_id: BTreeMap<Box<str>, StepIndex>,
    /// What its secrets are called in the run.
    secrets: BTreeMap<String, String>,
}

impl Part {
    fn new(runbook: &Arc<Runbook>, first: usize, communication: bool) -> Self {
        let told = |step: &Step| step.phase == Phase::Communication && !communication;
        let count = runbook.steps.iter().position(told).unwrap_or(runbook.steps.len());
        let mut by_id = index(runbook);
        by_id.retain(|_, step| step.at() < count);
        let first = StepIndex(u32::try_from(first).unwrap_or(u32::MAX));
        let secrets = BTreeMap::new();
        Self { runbook: Arc::clone(runbook), caller: None, first, calls: Vec::new(), count, by_id, secrets }
    }

    /// Its steps, in the order of the file.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.runbook.steps[..self.count]
    }

    /// Its steps with their indices in the plan.
    pub fn indexed(&self) -> impl Iterator<Item = (StepIndex, &Step)> {
        (self.first.0..).map(StepIndex).zip(self.steps())
    }

    /// The step of that id, by its index in the plan.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<StepIndex> {
        self.by_id.get(id).map(|local| StepIndex(self.first.0 + local.0))
    }

    /// What its secret is called in the run.
    #[must_use]
    pub fn secret(&self, name: &str) -> String {
        self.secrets.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    /// The edges of its graph, as (step, what it needs).
    pub(super) fn edges(&self) -> Vec<(StepIndex, StepIndex)> {
        let needs = |(index, step): (StepIndex, &Step)| {
            step.needs.iter().filter_map(move |need| Some((index, self.find(&need.value)?))).collect::<Vec<_>>()
        };
        let mut edges: Vec<_> = self.indexed().flat_map(needs).collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// Its own secrets go by the path of the call; one that is handed over goes by the caller's name for it.
    fn name_secrets(&mut self, caller: &Self, step: &Step, path: &str) {
        let secrets = self.runbook.inputs.iter().filter(|input| input.kind == Type::Secret);
        let named = secrets.map(|input| {
            let name = &input.name.value;
            let key = match handed(&step.action, name) {
                Some(Templated::Secret(theirs)) => caller.secret(&theirs),
                _ => format!("{path}.{name}"),
            };
            (name.clone(), key)
        });
        self.secrets = named.collect();
    }
}

/// The runbook's own part, then one for each call, each after the part that calls it.
///
/// # Errors
/// A called runbook is not there, or they call each other too deep or too often.
pub(super) fn parts(runbook: &Arc<Runbook>, runbooks: &Runbooks) -> Result<Vec<Part>, String> {
    let mut parts = vec![Part::new(runbook, 0, true)];
    let mut open: VecDeque<(usize, usize, String)> = VecDeque::from([(0, 1, String::new())]);
    let mut count = parts[0].count;
    while let Some((at, depth, path)) = open.pop_front() {
        let calls: Vec<StepIndex> =
            parts[at].indexed().filter(|(_, step)| is_call(step)).map(|(index, _)| index).collect();
        for index in calls {
            let caller = &parts[at];
            let step = &caller.runbook.steps[index.at() - caller.first.at()];
            let missing = || format!("`{}` calls no runbook that is there", step.id.value);
            let called = runbooks.called(&caller.runbook, step).ok_or_else(missing)?;
            let communication = call(caller.runbook.kind, step).is_some_and(|call| call.communication);
            if depth >= DEEPEST || parts.len() > MOST_CALLS {
                return Err("runbooks call each other too deep or too often".to_owned());
            }
            let path = if path.is_empty() { step.id.value.clone() } else { format!("{path}.{}", step.id.value) };
            let mut part = Part { caller: Some(index), ..Part::new(called, count, communication) };
            part.name_secrets(caller, step, &path);
            count += part.count;
            let place = parts.len();
            parts.push(part);
            parts[at].calls.push((index, place));
            open.push_back((place, depth + 1, path));
        }
    }
    Ok(parts)
}
