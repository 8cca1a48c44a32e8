//! What can be wrong with a scenario that reads well: names that its runbook does not have.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Fault, Scenario, instances};
use crate::catalogue::Catalogue;
use crate::diag::{Diagnostic, Patience, Span, Spanned, limited};
use crate::plan::path::{is_path, without_keys};
use crate::plan::{REQUEST, Runbooks, Templates, outputs_of};
use crate::runbook::ast::{Runbook, Step};
use crate::runbook::workspace::Workspace;

/// What a scenario is judged against.
pub struct Against<'a> {
    /// Its runbook.
    pub runbook: &'a Runbook,
    /// The workspace's settings.
    pub workspace: &'a Workspace,
    /// The templates of its notices.
    pub templates: &'a Templates,
    /// It and those it calls.
    pub runbooks: &'a Runbooks,
    /// What is known about actions.
    pub catalogue: &'a Catalogue,
}

/// All findings about a scenario, by place.
#[must_use]
pub fn check(scenario: &Scenario, against: &Against<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let defaults = against.runbook.inputs.iter();
    let defaults = defaults.filter_map(|input| Some((input.name.value.clone(), input.default.clone()?)));
    let inputs = defaults.chain(scenario.inputs.clone()).collect();
    let mut judge = Judge::new(against, inputs, &mut found);
    judge.inputs(scenario);
    for fault in &scenario.faults {
        let known = fault.value.step().and_then(|step| judge.step(step, fault.span));
        if let Some(problem) = known.and_then(|step| cannot_strike(&fault.value, step)) {
            judge.report("fault", fault.span, problem);
        }
        if let Fault::Busy { step: None, service: None, .. } = fault.value {
            judge.report("fault", fault.span, "`busy` needs `step` or `service`".to_owned());
        }
    }
    for (step, simulate) in &scenario.steps {
        if let Some(known) = judge.step(&step.value, step.span) {
            judge.outputs(known, &simulate.outputs, step.span);
        }
    }
    for (step, _) in scenario.endpoints.iter().filter_map(|endpoint| endpoint.moved.as_ref()) {
        judge.step(&step.value, step.span);
    }
    judge.people(scenario);
    for (step, _) in &scenario.expect.steps {
        judge.step(&step.value, step.span);
    }
    for message in &scenario.expect.messages {
        // Who is called to a gate is told as an audience is, whether or not the workspace has words of its own.
        let known = against.templates.keys().map(String::as_str).chain([REQUEST]);
        judge.name("template", "template", &message.template, message.span, known);
        if let Some(audience) = &message.audience {
            let levels = against.workspace.escalation_policies.values().flatten().map(|level| level.calls.as_str());
            let known = against.workspace.audiences.keys().map(String::as_str).chain(levels);
            judge.name("audience", "audience", audience, message.span, known);
        }
    }
    limited(found)
}

/// What is wrong with the step that an injected fault names, as a sentence; nothing where it may strike. `inputs` are
/// those of the rehearsal.
#[must_use]
pub fn cannot_be_injected(fault: &Fault, against: &Against<'_>, inputs: &Map<String, Value>) -> Option<String> {
    let name = fault.step()?;
    let mut found = Vec::new();
    let known = Judge::new(against, inputs.clone(), &mut found).step(name, Span::default());
    match found.first() {
        Some(problem) => Some(problem.sentence()),
        None => cannot_strike(fault, known?),
    }
}

/// Why the fault can never strike its step; nothing where it may.
fn cannot_strike(fault: &Fault, step: &Step) -> Option<String> {
    let (id, action) = (fault.step().unwrap_or(&step.id.value), step.action.name.value.as_str());
    let word = fault.word();
    match (action, fault) {
        ("manual", _) => {
            Some(format!("`{word}` cannot strike `{id}`: a person does it, and `people` says how they answer"))
        }
        ("runbook", _) => {
            Some(format!("`{word}` cannot strike `{id}`: it calls a runbook; name one of its steps, as `{id}.STEP`"))
        }
        ("assert" | "wait", Fault::LostResponse { .. }) => {
            Some(format!("`{word}` cannot strike `{id}`: `{action}` sends nothing whose answer could be lost"))
        }
        (other, Fault::Busy { .. }) if !other.starts_with("azure.") => {
            Some(format!("`{word}` cannot strike `{id}`: `{other}` does not reach Azure"))
        }
        _ => None,
    }
}

struct Judge<'a, 'f> {
    against: &'a Against<'a>,
    /// Every step by its path, those of the runbooks that are called too.
    steps: BTreeMap<String, &'a Step>,
    /// The inputs of the rehearsal, as far as they are given.
    inputs: Map<String, Value>,
    patience: Patience,
    found: &'f mut Vec<Diagnostic>,
}

impl<'a, 'f> Judge<'a, 'f> {
    fn new(against: &'a Against<'a>, inputs: Map<String, Value>, found: &'f mut Vec<Diagnostic>) -> Self {
        let steps = against.runbooks.steps(against.runbook).into_iter().map(|(path, _, step)| (path, step)).collect();
        Self { against, steps, inputs, patience: Patience::default(), found }
    }

    fn report(&mut self, code: &'static str, span: Span, message: String) {
        self.found.push(Diagnostic::error(code, span, message));
    }

    /// A name that must be among those known.
    fn name<'n>(
        &mut self,
        code: &'static str,
        what: &str,
        name: &str,
        span: Span,
        known: impl Iterator<Item = &'n str> + Clone,
    ) {
        if !known.clone().any(|other| other == name) {
            let message = format!("no {what} is called `{name}`");
            self.found.push(Diagnostic::error(code, span, message).suggest(name, self.patience.with(known)));
        }
    }

    fn step(&mut self, name: &str, span: Span) -> Option<&'a Step> {
        if !is_path(name) {
            self.report(
                "step",
                span,
                format!("`{name}` is no name of a step: wanted `STEP`, `STEP[KEY]` or `CALL[KEY].STEP`"),
            );
            return None;
        }
        let path = without_keys(name);
        let found = self.steps.get(&*path).copied();
        if found.is_none() {
            let message = format!("no step of the runbook is called `{path}`");
            let known = self.patience.with(self.steps.keys().map(String::as_str));
            self.found.push(Diagnostic::error("step", span, message).suggest(&path, known));
        } else {
            let problem = instances::missing(self.against, &self.inputs, (name, span));
            self.found.extend(problem);
        }
        found
    }

    fn inputs(&mut self, scenario: &Scenario) {
        let known = self.against.runbook.inputs.iter().map(|input| input.name.value.as_str());
        for name in scenario.inputs.keys() {
            self.name("input", "input of the runbook", name, scenario.runbook.span, known.clone());
        }
    }

    fn outputs(&mut self, step: &Step, outputs: &Map<String, Value>, span: Span) {
        let declared = outputs_of(self.against.catalogue, step);
        for (name, value) in outputs {
            match declared.iter().find(|(known, _)| known == name) {
                Some((_, kind)) => {
                    if let Err(problem) = kind.check(value) {
                        self.report("type", span, format!("output `{name}`: {problem}"));
                    }
                }
                None => {
                    let known: Vec<&str> = declared.iter().map(|(name, _)| name.as_str()).collect();
                    let what = format!("output of step `{}`", step.id.value);
                    self.name("output", &what, name, span, known.into_iter());
                }
            }
        }
    }

    fn people(&mut self, scenario: &Scenario) {
        for (step, reply) in &scenario.people.replies {
            let Some(known) = self.step(&step.value, step.span) else { continue };
            let manual = known.action.name.value == "manual";
            if known.approval.is_none() && !manual {
                let message = format!("step `{}` has no gate and is not manual: nobody is asked", step.value);
                self.report("people", step.span, message);
            }
            if manual {
                self.outputs(known, &reply.answers, step.span);
            } else if !reply.answers.is_empty() {
                self.report("people", step.span, format!("step `{}` is not manual: it takes no answers", step.value));
            }
        }
        let named = scenario.people.on_failure.iter().filter_map(|remedy| remedy.step.as_ref());
        for Spanned { value, span } in named {
            self.step(value, *span);
        }
    }
}
