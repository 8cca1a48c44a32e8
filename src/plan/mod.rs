//! The plan: a runbook, its graph, its inputs, all that a run needs to know beforehand.
//!
//! Pure: built from what the shell has read. Does not know what has happened; that is the engine's.

pub mod critical_path;
pub mod definition;
pub mod digest;
mod graph;
mod items;
mod template;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

pub use graph::{Graph, StepIndex};
pub use items::items;
pub use template::Template;

use crate::catalogue::{ActionSpec, Catalogue, Effect, Type};
use crate::runbook::ast::{OnInterrupt, Retry, RunIf, Runbook, Step};
use crate::runbook::workspace::Workspace;

/// The templates of the workspace, by name; `None` for one that cannot be read, which is said elsewhere.
pub type Templates = BTreeMap<String, Option<Template>>;

/// What a run executes.
#[derive(Debug)]
pub struct Plan {
    /// The runbook.
    pub runbook: Arc<Runbook>,
    /// The workspace's settings.
    pub workspace: Arc<Workspace>,
    /// The templates of its notices.
    pub templates: Arc<Templates>,
    /// What is known about actions.
    pub catalogue: Catalogue,
    /// The resolved inputs; secrets are not among them.
    pub inputs: Map<String, Value>,
    /// Who needs whom.
    pub graph: Graph,
    by_id: BTreeMap<Box<str>, StepIndex>,
}

impl Plan {
    /// Builds the plan of a runbook that lint found without errors.
    ///
    /// # Errors
    /// A cycle; lint names it with its place.
    pub fn build(
        runbook: Arc<Runbook>,
        workspace: Arc<Workspace>,
        templates: Arc<Templates>,
        catalogue: Catalogue,
        inputs: Map<String, Value>,
    ) -> Result<Self, Vec<StepIndex>> {
        let by_id = index(&runbook);
        let graph = graph(&runbook, &by_id);
        graph.order()?;
        Ok(Self { runbook, workspace, templates, catalogue, inputs, graph, by_id })
    }

    /// The step of that index.
    #[must_use]
    pub fn step(&self, index: StepIndex) -> &Step {
        &self.runbook.steps[index.at()]
    }

    /// The step of that id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<StepIndex> {
        self.by_id.get(id).copied()
    }

    /// All steps, in the order of the file.
    pub fn steps(&self) -> impl Iterator<Item = (StepIndex, &Step)> {
        (0..).map(StepIndex).zip(&self.runbook.steps)
    }

    /// The spec of an action the runbook names.
    #[must_use]
    pub fn spec(&self, action: &str) -> Option<&'static ActionSpec> {
        self.catalogue.get(action)
    }

    /// What repeating the action with these parameters would do.
    #[must_use]
    pub fn effect(&self, action: &str, with: &Map<String, Value>) -> Effect {
        self.spec(action).map_or(Effect::UnsafeToRepeat, |spec| (spec.effect)(with))
    }

    /// Whether the step may be run again without asking anybody.
    #[must_use]
    pub fn is_repeatable(&self, step: &Step, effect: Effect) -> bool {
        effect.is_repeatable() || step.on_interrupt == Some(OnInterrupt::Retry)
    }

    /// How a failed attempt is tried again. The runbook's default never applies to what is unsafe to repeat.
    #[must_use]
    pub fn retry(&self, step: &Step, effect: Effect) -> Option<Retry> {
        match &step.retry {
            Some(retry) => Some(**retry),
            None if self.is_repeatable(step, effect) => self.runbook.defaults.retry,
            None => None,
        }
    }

    /// The outputs a step has: those of its action, and its own.
    #[must_use]
    pub fn outputs(&self, step: &Step) -> Vec<(String, Type)> {
        outputs_of(&self.catalogue, step)
    }
}

/// The outputs a step has: those of its action, and its own.
#[must_use]
pub fn outputs_of(catalogue: &Catalogue, step: &Step) -> Vec<(String, Type)> {
    let fixed = catalogue.get(&step.action.name.value).map(|spec| spec.outputs.fixed()).unwrap_or_default();
    let own = step.outputs.iter().map(|output| (output.name.value.clone(), output.kind.clone()));
    fixed.iter().map(|field| (field.name.to_owned(), (field.kind)())).chain(own).collect()
}

/// The steps of a runbook by id; the first of two with the same.
#[must_use]
pub fn index(runbook: &Runbook) -> BTreeMap<Box<str>, StepIndex> {
    let mut by_id = BTreeMap::new();
    for (index, step) in (0..).map(StepIndex).zip(&runbook.steps) {
        by_id.entry(step.id.value.as_str().into()).or_insert(index);
    }
    by_id
}

/// The edges that order a run: `needs` within one kind of `run_if`. Phases are barriers, not edges.
#[must_use]
pub fn graph(runbook: &Runbook, by_id: &BTreeMap<Box<str>, StepIndex>) -> Graph {
    let mut edges = Vec::new();
    for (index, step) in (0..).map(StepIndex).zip(&runbook.steps) {
        for need in &step.needs {
            if let Some(need) = by_id.get(need.value.as_str()) {
                edges.push((index, *need));
            }
        }
    }
    edges.sort_unstable();
    edges.dedup();
    Graph::build(runbook.steps.len(), &edges)
}

/// Whether the step belongs to the way of success, which the phases and the end wait for.
#[must_use]
pub fn is_main(step: &Step) -> bool {
    step.run_if == RunIf::Success && step.repeat.is_none()
}
