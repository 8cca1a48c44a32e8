//! The plan: a runbook, its graph, its inputs, all that a run needs to know beforehand.
//!
//! Pure: built from what the shell has read. Does not know what has happened; that is the engine's.

pub mod branches;
pub mod calendar;
pub mod checks;
pub mod critical_path;
pub mod definition;
pub mod digest;
mod graph;
pub mod impact;
mod items;
mod message;
mod part;
pub mod path;
mod reads;
mod region;
pub mod region_failover;
pub mod runbooks;
mod service_inputs;
mod template;
mod waits;
pub mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

pub use graph::{Graph, StepIndex};
pub use items::items;
pub use message::{Message, message};
pub use part::Part;
use path::segment;
pub use reads::Read;
pub use region::{GLOBAL, Region};
pub use runbooks::Runbooks;
pub use service_inputs::service_inputs;
pub use template::{Claim, Parts, Severity, Template};
pub use waits::too_long;

use crate::catalogue::{ActionSpec, Catalogue, Effect, Type};
use crate::runbook::ast::{Defaults, OnFailure, OnInterrupt, Retry, RunIf, Runbook, SecretSource, Step};
use crate::runbook::expr::{Expressions, Templated};
use crate::runbook::workspace::{Audience, Level, Workspace};

/// The templates of the workspace, by name; `None` for one that cannot be read, which is said elsewhere.
pub type Templates = BTreeMap<String, Option<Template>>;

/// The template of that name for those who read that language: `NAME.de`, or `NAME` where there is no such variant.
#[must_use]
pub fn variant<'t>(templates: &'t Templates, name: &str, language: Option<&str>) -> Option<&'t Template> {
    let mut tag = language;
    while let Some(language) = tag {
        if let Some(Some(variant)) = templates.get(&format!("{name}.{}", language.to_lowercase())) {
            return Some(variant);
        }
        // Who reads `de-at` reads `de`.
        tag = language.rsplit_once('-').map(|(wider, _)| wider);
    }
    templates.get(name)?.as_ref()
}

/// The variants of a template for readers of other languages, by name.
pub fn variants<'t>(templates: &'t Templates, name: &str) -> impl Iterator<Item = (&'t String, &'t Template)> {
    let first = format!("{name}.");
    templates
        .iter()
        .filter(move |(variant, _)| variant.starts_with(&first))
        .filter_map(|(name, it)| Some((name, it.as_ref()?)))
}

/// What a run executes.
#[derive(Debug)]
pub struct Plan {
    /// The runbook of the run.
    pub runbook: Arc<Runbook>,
    /// Those it calls.
    pub runbooks: Arc<Runbooks>,
    /// The workspace's settings.
    pub workspace: Arc<Workspace>,
    /// The templates of its notices.
    pub templates: Arc<Templates>,
    /// What is known about actions.
    pub catalogue: Catalogue,
    /// The resolved inputs; secrets are not among them.
    pub inputs: Map<String, Value>,
    /// Who needs whom, within each part.
    pub graph: Graph,
    /// The runbook, then each call of another one: a runbook that is called twice is there twice.
    pub parts: Vec<Part>,
}

/// The template of what is said to who is called to a gate, where the workspace has one of its own.
pub const REQUEST: &str = "approval_request";
/// What that template may read of `vars`.
pub const REQUEST_VARS: [&str; 17] = [
    "run",
    "runbook",
    "title",
    "step",
    "step_title",
    "level",
    "calls",
    "prompt",
    "does",
    "digest",
    "asks",
    "loss",
    "rto_left",
    "blocks",
    "points_of_no_return",
    "approve",
    "reject",
];

/// What a secret setting of a channel goes by in a run.
#[must_use]
pub fn channel_secret(channel: &str, path: &str) -> String {
    format!("channels.{channel}.{path}")
}

impl Plan {
    /// Builds the plan of a runbook that lint found without errors.
    ///
    /// # Errors
    /// What cannot be planned; lint names it with its place.
    pub fn build(
        runbook: Arc<Runbook>,
        runbooks: Arc<Runbooks>,
        workspace: Arc<Workspace>,
        templates: Arc<Templates>,
        catalogue: Catalogue,
        inputs: Map<String, Value>,
    ) -> Result<Self, String> {
        let parts = part::parts(&runbook, &runbooks)?;
        let edges: Vec<_> = parts.iter().flat_map(Part::edges).collect();
        let count = parts.iter().map(|part| part.steps().len()).sum();
        let graph = Graph::build(count, &edges);
        graph.order().map_err(|_| "steps wait for each other".to_owned())?;
        Ok(Self { runbook, runbooks, workspace, templates, catalogue, inputs, graph, parts })
    }

    /// The place of the part that holds the step.
    #[must_use]
    pub fn part_index(&self, step: StepIndex) -> usize {
        match self.parts.as_slice() {
            [_] => 0,
            parts => parts.partition_point(|part| part.first <= step).saturating_sub(1),
        }
    }

    /// The part that holds the step.
    #[must_use]
    pub fn part_of(&self, step: StepIndex) -> &Part {
        &self.parts[self.part_index(step)]
    }

    /// The place of the part that the step calls.
    #[must_use]
    pub fn called(&self, step: StepIndex) -> Option<usize> {
        let calls = &self.part_of(step).calls;
        calls.binary_search_by_key(&step, |(step, _)| *step).ok().map(|at| calls[at].1)
    }

    /// The runbook that the step stands in.
    #[must_use]
    pub fn runbook_of(&self, step: StepIndex) -> &Arc<Runbook> {
        &self.part_of(step).runbook
    }

    /// The expressions of the step's runbook.
    #[must_use]
    pub fn expressions(&self, step: StepIndex) -> &Expressions {
        &self.runbook_of(step).expressions
    }

    /// What holds for the step where it does not say otherwise.
    #[must_use]
    pub fn defaults(&self, step: StepIndex) -> &Defaults {
        &self.runbook_of(step).defaults
    }

    /// The step of that index.
    #[must_use]
    pub fn step(&self, index: StepIndex) -> &Step {
        let part = self.part_of(index);
        &part.runbook.steps[index.at() - part.first.at()]
    }

    /// The step of that path; keys of instances do not matter.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<StepIndex> {
        let mut part = self.parts.first()?;
        let mut segment = segment(path)?;
        loop {
            let step = part.find(segment.id)?;
            let Some(rest) = segment.rest else { return Some(step) };
            part = &self.parts[self.called(step)?];
            segment = path::segment(rest)?;
        }
    }

    /// The path of the step, as the runbooks write it.
    #[must_use]
    pub fn path(&self, step: StepIndex) -> String {
        let id = &self.step(step).id.value;
        self.part_of(step).caller.map_or_else(|| id.clone(), |caller| format!("{}.{id}", self.path(caller)))
    }

    /// Every step's path.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        self.steps().map(|(index, _)| self.path(index))
    }

    /// The steps through which the step is called, the innermost first; the step itself before them.
    pub fn callers(&self, step: StepIndex) -> impl Iterator<Item = StepIndex> {
        std::iter::successors(Some(step), |step| self.part_of(*step).caller)
    }

    /// All steps: those of the runbook in the order of the file, then those of each call.
    pub fn steps(&self) -> impl Iterator<Item = (StepIndex, &Step)> {
        self.parts.iter().flat_map(Part::indexed)
    }

    /// The steps of the runbook itself, in the order of the file.
    pub fn own_steps(&self) -> impl Iterator<Item = (StepIndex, &Step)> {
        self.parts.iter().take(1).flat_map(Part::indexed)
    }

    /// The inputs that have no value yet.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let inputs = self.runbook.inputs.iter().filter(|input| input.kind != Type::Secret);
        inputs.map(|input| input.name.value.clone()).filter(|name| !self.inputs.contains_key(name)).collect()
    }

    /// Where each secret of the run is read, by the name it goes by in the run.
    #[must_use]
    pub fn secrets(&self) -> Vec<(String, SecretSource)> {
        let own = |part: &Part| {
            let path = part.caller.map(|caller| self.path(caller));
            let key = move |name: &str| path.as_ref().map_or_else(|| name.to_owned(), |path| format!("{path}.{name}"));
            let secrets = part.runbook.inputs.iter().filter_map(|input| Some((&input.name.value, input.from.clone()?)));
            let own = secrets.filter_map(|(name, from)| {
                let key = key(name);
                (part.secret(name) == key).then_some((key, from))
            });
            own.collect::<Vec<_>>()
        };
        self.parts.iter().flat_map(own).chain(self.channel_secrets()).collect()
    }

    /// Whether a secret is needed for nothing but notices.
    #[must_use]
    pub fn is_of_channel(&self, secret: &str) -> bool {
        self.channel_secrets().iter().any(|(name, _)| name == secret)
    }

    /// The secrets of the channels that notices of the plan may go through.
    fn channel_secrets(&self) -> Vec<(String, SecretSource)> {
        let told = self.audiences().into_iter().map(|audience| audience.channels.clone());
        let audiences: Vec<Vec<String>> = told.chain(self.called_channels()).collect();
        let channels =
            self.workspace.channels.iter().filter(|(name, _)| audiences.iter().any(|channels| channels.contains(name)));
        let of_channel = channels.flat_map(|(name, channel)| {
            channel.secrets.iter().map(move |(path, from)| (channel_secret(name, path), from.clone()))
        });
        of_channel.collect()
    }

    /// The audiences that notices of the plan may go to: all of them where one is known only in the run.
    fn audiences(&self) -> Vec<&Audience> {
        let notices = self.steps().filter(|(_, step)| step.action.name.value == "notify");
        let named: Option<BTreeSet<String>> =
            notices.map(|(_, step)| self.audience_of(&step.action.with.value)).collect();
        let is_meant = |name: &String| named.as_ref().is_none_or(|named| named.contains(name));
        self.workspace.audiences.iter().filter(|(name, _)| is_meant(name)).map(|(_, audience)| audience).collect()
    }

    /// The audience of a notice: its own, else that of its template; nothing where it is known only in the run.
    fn audience_of(&self, with: &Templated) -> Option<String> {
        let text = |found: &Templated| match found {
            Templated::Plain(Value::String(name)) => Some(name.clone()),
            _ => None,
        };
        if let Some(own) = with.entry("audience") {
            return text(&own);
        }
        let template = self.templates.get(&text(&*with.entry("template")?)?)?.as_ref()?;
        template.audience.as_ref().map(|audience| audience.value.clone())
    }

    /// The levels by which people are called to the gate of the step; none where it has no gate, or follows no policy.
    #[must_use]
    pub fn escalation(&self, step: StepIndex) -> &[Level] {
        let Some(approval) = &self.step(step).approval else { return &[] };
        self.workspace.escalation(approval.escalation.as_ref().map(|policy| policy.value.as_str()))
    }

    /// The channels through which people are called to the gates of the plan.
    fn called_channels(&self) -> impl Iterator<Item = Vec<String>> {
        let levels = self.steps().flat_map(|(index, _)| self.escalation(index));
        levels.map(|level| self.workspace.called(&level.calls).channels)
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

    /// How long one attempt may take. Where the step does not say, the runbook's default holds, but for an action that
    /// is known to take longer: that has twice the time that one of twenty exceeds.
    #[must_use]
    pub fn timeout(&self, index: StepIndex) -> Duration {
        let step = self.step(index);
        let usual = step.timeout(self.defaults(index));
        let known = if step.timeout.is_some() { None } else { critical_path::takes(step, &self.catalogue) };
        known.map_or(usual, |known| usual.max(known.worst * 2))
    }

    /// How a failed attempt is tried again. The runbook's default never applies to what is unsafe to repeat.
    #[must_use]
    pub fn retry(&self, index: StepIndex, effect: Effect) -> Option<Retry> {
        let step = self.step(index);
        match &step.retry {
            Some(retry) => Some(**retry),
            None if self.is_repeatable(step, effect) => self.defaults(index).retry,
            None => None,
        }
    }

    /// What happens when the step failed for good: its own word, its runbook's, or that of the step that calls it. A
    /// notice goes by its own word alone; what is not delivered is owed.
    #[must_use]
    pub fn on_failure(&self, index: StepIndex) -> OnFailure {
        let step = self.step(index);
        if step.is_notice() {
            return step.on_failure(&Defaults::default());
        }
        let own = step.on_failure.or(self.defaults(index).on_failure);
        own.or_else(|| self.callers(index).skip(1).find_map(|caller| self.step(caller).on_failure)).unwrap_or_default()
    }

    /// The outputs a step has: those of its action and its own, or those of the runbook it calls.
    #[must_use]
    pub fn outputs(&self, step: StepIndex) -> Vec<(String, Type)> {
        match self.called(step) {
            Some(part) => outputs_of_runbook(&self.parts[part].runbook),
            None => outputs_of(&self.catalogue, self.step(step)),
        }
    }
}

/// The outputs a runbook gives to who calls it.
#[must_use]
pub fn outputs_of_runbook(runbook: &Runbook) -> Vec<(String, Type)> {
    runbook.outputs.iter().map(|(name, _)| (name.value.clone(), Type::Any)).collect()
}

/// The outputs a step has: those of its action, and its own.
#[must_use]
pub fn outputs_of(catalogue: &Catalogue, step: &Step) -> Vec<(String, Type)> {
    let fixed = catalogue.get(&step.action.name.value).map(|spec| spec.outputs.fixed()).unwrap_or_default();
    let own = step.outputs.iter().map(|output| (output.name.value.clone(), output.kind.clone()));
    fixed.iter().map(|field| (field.name.to_owned(), (field.kind)())).chain(own).collect()
}

/// The output of a step that says how much data would be lost: the one it marks itself, or its action's.
#[must_use]
pub fn loss_measure<'s>(catalogue: &Catalogue, step: &'s Step) -> Option<&'s str> {
    let own = step.outputs.iter().find(|output| output.measures_loss).map(|output| output.name.value.as_str());
    own.or_else(|| catalogue.get(&step.action.name.value)?.loss)
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
