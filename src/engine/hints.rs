//! What a dry run has to know of a step before it walks it.

use std::sync::Arc;

use super::event::{Label, Mode};
use super::job::{DryHints, Job};
use super::machine::Machine;
use super::scope::UNKNOWN;
use super::start::is_unknown;
use super::state::NodeId;
use crate::catalogue::Effect;
use crate::plan::StepIndex;
use crate::runbook::ast::{Phase, Step};
use crate::runbook::expr::{ExprId, Undefined};

impl Machine {
    pub(super) fn dry_hints(&mut self, node: NodeId, job: &Job, unknown: Option<String>) -> DryHints {
        let plan = Arc::clone(&self.plan);
        let index = self.state.node(node).step;
        let step = plan.step(index);
        let unsent = &self.after_unsent_write;
        let is_earlier = |other: StepIndex, step: StepIndex| {
            let (before, phase) = (plan.step(other).phase, plan.step(step).phase);
            before.is_barrier() && before < phase && plan.part_index(other) == plan.part_index(step)
        };
        // What comes before a call comes before all that it calls. A step that is left out hands on what came before it.
        let after = !unsent.is_empty()
            && plan.callers(index).any(|step| {
                unsent.iter().any(|other| is_earlier(*other, step))
                    || plan.graph.ancestors(step).iter().any(|before| unsent.contains(before))
            });
        let simulated = step.simulate.as_ref().map(|simulate| simulate.outputs.clone());
        let hints = DryHints {
            unknown,
            after_unsent_write: after,
            assumed: simulated.filter(|outputs| !outputs.is_empty()),
            rests_on: self.read_by(node).find(|(_, read)| self.is_assumed(*read)).map(|(id, _)| id.to_owned()),
            unsure: self.unsure(node),
        };
        if after || job.effect != Effect::Reads && may_change_what_is_read(step) {
            self.after_unsent_write.extend(plan.callers(index));
        }
        hints
    }

    /// What is told of a condition besides, where it was judged by what a dry run does not know for certain.
    pub(super) fn judged_by(&self, node: NodeId, when: ExprId) -> String {
        if self.state.mode() != Mode::DryRun {
            return String::new();
        }
        let read = || self.read_in(node, vec![when]);
        if let Some((id, _)) = read().find(|(_, read)| self.is_unsure(*read)) {
            return format!("; {}", may_not_run(id));
        }
        let assumed = read().find(|(_, read)| self.is_assumed(*read));
        assumed.map(|(id, _)| format!("; that rests on what `simulate` of `{id}` says")).unwrap_or_default()
    }

    /// The steps that it reads.
    fn read_by(&self, node: NodeId) -> impl Iterator<Item = (&str, NodeId)> {
        self.read_in(node, self.plan.step(self.state.node(node).step).expressions())
    }

    /// The steps that expressions of it read.
    fn read_in(&self, node: NodeId, expressions: Vec<ExprId>) -> impl Iterator<Item = (&str, NodeId)> {
        let node = self.state.node(node);
        let frame = self.state.frame(node.frame);
        let part = &self.plan.parts[frame.part];
        let paths = expressions.into_iter().flat_map(|id| &part.runbook.expressions.get(id).scan.paths);
        let steps = paths.filter(|path| path.parts[0] == "steps").filter_map(|path| path.parts.get(1));
        steps.filter_map(|id| Some((id.as_str(), frame.node(&self.plan, part.find(id)?))))
    }

    fn label(&self, node: NodeId) -> Option<Label> {
        self.state.node(node).more.as_ref()?.label
    }

    /// Whether a dry run has only assumptions of it.
    fn is_assumed(&self, node: NodeId) -> bool {
        let simulates = || self.plan.step(self.state.node(node).step).simulate.is_some();
        match self.label(node) {
            Some(Label::Assumed) => true,
            Some(Label::Simulated) => simulates(),
            _ => false,
        }
    }

    /// Why it is not certain that it runs, or that it reads what it reads now.
    fn unsure(&self, node: NodeId) -> Option<String> {
        if let Some(why) = self.may_not_run(node) {
            return Some(format!("whether it runs is not known before the run: {why}"));
        }
        let (id, _) = self.read_by(node).find(|(_, read)| self.is_unsure(*read))?;
        Some(may_not_run(id))
    }

    /// Whether what it gave stands for what a run may not bring about.
    fn is_unsure(&self, node: NodeId) -> bool {
        match self.label(node) {
            Some(label) => label == Label::Unknown && !is_unknown(&self.state.node(node).outputs),
            None => self.may_not_run(node).is_some(),
        }
    }

    /// The unknown that decides whether it runs: in its own `when`, in its items, or in those of a call around it.
    fn may_not_run(&self, node: NodeId) -> Option<String> {
        let mut around = Some(node);
        while let Some(id) = around {
            let at = self.state.node(id);
            let whose = |field: &str| match id == node {
                true => format!("its `{field}`"),
                false => format!("the `{field}` of `{}`", at.path),
            };
            let (step, expressions) = (self.plan.step(at.step), self.plan.expressions(at.step));
            let when = step.when.map(|when| expressions.condition(when, &self.scope(id)).map(drop));
            let group = at.parent.filter(|_| at.key() == Some(UNKNOWN)).zip(step.for_each.as_ref());
            let items = group.map(|(group, each)| expressions.render(&each.items, &self.scope(group)).map(drop));
            for (field, judged) in [("when", when), ("for_each", items)] {
                if let Some(Err(Undefined::Unknown(name))) = judged {
                    return Some(format!("{} touches `{name}`", whose(field)));
                }
            }
            around = self.state.frame(at.frame).caller;
        }
        None
    }
}

fn may_not_run(id: &str) -> String {
    format!("it reads `{id}`, and whether that runs is not known before the run")
}

/// Whether reads that come after an effect of the step may find another world. A notice changes nothing that is
/// read, and neither does a person before the execution: there they look and decide.
fn may_change_what_is_read(step: &Step) -> bool {
    match step.action.name.value.as_str() {
        "notify" => false,
        "manual" => step.phase == Phase::Execution,
        _ => true,
    }
}
