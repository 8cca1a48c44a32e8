//! A plan to its outline.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::gate::gate;
use super::outline::{
    Call, Check, Choice, FORMAT, Given, Outline, PhaseOutline, Repeated, Seconds, StepOutline, Times, Use,
};
use super::permissions::Permissions;
use super::values::Values;
use crate::catalogue::Type;
use crate::engine::{Foresight, FrameId, NodeId, NodeScope, State, outlook};
use crate::plan::critical_path::{Choices, CriticalPath, Estimates, handed_over, waves};
use crate::plan::{self, Plan, StepIndex, graph, is_main};
use crate::runbook::ast::{OnFailure, RunIf, Step};

/// What is told of a plan.
#[must_use]
pub fn outline(plan: &Plan) -> Outline {
    let state = outlook(plan);
    let estimates = Estimates { runbooks: &plan.runbooks, catalogue: &plan.catalogue };
    let own = graph(&plan.runbook, &plan::index(&plan.runbook));
    let mut writer = Writer {
        plan,
        state: &state,
        estimates,
        inputs: inputs_of_parts(plan),
        critical: BTreeSet::new(),
        permissions: Permissions::default(),
        without: Vec::new(),
    };
    let path = writer.path(0);
    writer.mark(FrameId::default(), &path);
    let phases = writer.phases(FrameId::default());
    let Choices { paths: chosen, left_out } = estimates.by_choice(&plan.runbook, &own, &plan.inputs);
    let paths = |steps: &[StepIndex]| steps.iter().map(|step| plan.path(*step)).collect();
    Outline {
        drctl: FORMAT,
        runbook: plan.runbook.name.value.clone(),
        kind: plan.runbook.kind.name(),
        title: title(plan, &state),
        owner: plan.runbook.owner.as_ref().map(|owner| owner.value.clone()),
        inputs: inputs(plan),
        phases,
        critical_path: Times {
            steps: paths(&path.steps),
            typical: Seconds(path.typical),
            worst: Seconds(path.worst),
            worst_steps: paths(&path.worst_steps),
            rto: plan.runbook.objectives.rto.map(Seconds),
            choices: choices(plan, chosen),
            not_told_apart: left_out,
            without_estimate: writer.without,
        },
        permissions: writer.permissions.needed(),
    }
}

/// The runbook's title on one line, where all that it reads is known.
fn title(plan: &Plan, state: &State) -> Option<String> {
    let scope = NodeScope::of_frame(plan, state, FrameId::default());
    let title = plan.runbook.expressions.render(plan.runbook.title.as_ref()?, &scope).ok()?.shown();
    let title = title.as_str().map_or_else(|| title.to_string(), str::to_owned);
    Some(title.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn inputs(plan: &Plan) -> Vec<Given> {
    let given = |input: &crate::runbook::ast::Input| Given {
        name: input.name.value.clone(),
        value: plan.inputs.get(&input.name.value).cloned().unwrap_or_default(),
        from: (input.kind == Type::Secret)
            .then(|| input.from.as_ref().map_or_else(|| "its caller".to_owned(), ToString::to_string)),
    };
    plan.runbook.inputs.iter().map(given).collect()
}

/// What the runbook of each part is given, as far as that is known before the run.
fn inputs_of_parts(plan: &Plan) -> Vec<Map<String, Value>> {
    let mut inputs: Vec<Map<String, Value>> = Vec::new();
    for part in &plan.parts {
        // A part stands after the one that calls it.
        inputs.push(part.caller.map_or_else(
            || plan.inputs.clone(),
            |caller| {
                let before = &inputs[plan.part_index(caller)];
                handed_over(plan.runbook_of(caller), plan.step(caller), &part.runbook, before)
            },
        ));
    }
    inputs
}

/// The times of each choice, those that take longest at worst first.
fn choices(plan: &Plan, paths: Vec<(Map<String, Value>, CriticalPath)>) -> Vec<Choice> {
    let planned = |inputs: &Map<String, Value>| inputs.iter().all(|(name, value)| plan.inputs.get(name) == Some(value));
    let choice = |(inputs, path): (Map<String, Value>, CriticalPath)| Choice {
        typical: Seconds(path.typical),
        worst: Seconds(path.worst),
        planned: planned(&inputs),
        inputs,
    };
    let mut choices: Vec<Choice> = paths.into_iter().map(choice).collect();
    choices.sort_by_key(|choice| std::cmp::Reverse((choice.worst, choice.typical)));
    choices
}

/// Writes steps, and gathers on the way what is told of all of them.
struct Writer<'p> {
    plan: &'p Plan,
    state: &'p State,
    estimates: Estimates<'p>,
    /// What is known of the inputs of each part.
    inputs: Vec<Map<String, Value>>,
    critical: BTreeSet<StepIndex>,
    permissions: Permissions,
    without: Vec<String>,
}

impl Writer<'_> {
    /// The critical path of a part, by the indices of its runbook.
    fn path(&self, part: usize) -> CriticalPath {
        let runbook = &self.plan.parts[part].runbook;
        self.estimates.critical_path(runbook, &graph(runbook, &plan::index(runbook)), &self.inputs[part])
    }

    /// Marks the critical path of a frame, and of what it calls.
    fn mark(&mut self, frame: FrameId, path: &CriticalPath) {
        let frame = self.state.frame(frame);
        for step in &path.steps {
            let index = StepIndex(self.plan.parts[frame.part].first.0 + step.0);
            self.critical.insert(index);
            if let Some(called) = self.state.called(frame.node(self.plan, index)) {
                let path = self.path(self.state.frame(called).part);
                self.mark(called, &path);
            }
        }
    }

    fn phases(&mut self, frame: FrameId) -> Vec<PhaseOutline> {
        let mut phases = Vec::new();
        let frame = self.state.frame(frame);
        for (phase, waves) in waves(self.plan, frame.part) {
            let mut step = |index: StepIndex| self.step(index, frame.node(self.plan, index));
            let wave = |wave: Vec<StepIndex>| wave.into_iter().map(&mut step).collect();
            phases.push(PhaseOutline { phase: phase.name(), waves: waves.into_iter().map(wave).collect() });
        }
        phases
    }

    fn step(&mut self, index: StepIndex, node: NodeId) -> StepOutline {
        let (plan, state) = (self.plan, self.state);
        let step = plan.step(index);
        let path = plan.path(index);
        let values = Values::of(plan, state, node);
        let does = values.action(&step.action);
        let verify = step.verify.as_deref();
        let verify = verify.map(|check| Check { does: values.action(&check.action), within: Seconds(check.within) });
        let rollback = step.rollback.as_deref().map(|rollback| values.action(rollback));
        let applies = Foresight::of(plan, state, node).applies();
        if applies != Some(false) {
            let uses = [Some(&does), verify.as_ref().map(|check| &check.does), rollback.as_ref()];
            uses.into_iter().flatten().for_each(|action| self.permissions.add(&plan.catalogue, &path, action));
        }
        let estimate = self.estimate(index, step, &path, applies);
        let effect = plan.effect(&step.action.name.value, &known(&does));
        StepOutline {
            title: step.title.as_deref().map(|title| values.line(title)),
            owner: step.owner.as_deref().map(str::to_owned),
            effect: effect.words(),
            needs: plan.graph.needs(index).iter().map(|need| plan.path(*need)).collect(),
            when: step.when.map(|when| plan.expressions(index).get(when).text.to_string()),
            applies,
            run_if: match step.run_if {
                RunIf::Success => "success",
                RunIf::Failure => "failure",
                RunIf::Always => "always",
            },
            every: step.repeat.as_ref().map(|repeat| Repeated {
                every: Seconds(repeat.every),
                until: repeat.until.as_ref().map(|until| until.value.clone()),
            }),
            for_each: step.for_each.as_ref().map(|each| values.parameter("for_each", &each.items)),
            approval: step.approval.as_deref().map(|approval| gate(plan, state, node, approval)),
            estimate,
            timeout: Seconds(plan.timeout(index)),
            attempts: plan.retry(index, effect).map_or(1, |retry| retry.attempts),
            verify,
            rollback,
            on_failure: match plan.on_failure(index) {
                OnFailure::Stop => "stop",
                OnFailure::Continue => "continue",
                OnFailure::Rollback => "rollback",
                OnFailure::Ask => "ask",
            },
            point_of_no_return: step.point_of_no_return,
            critical: self.critical.contains(&index),
            calls: state.called(node).map(|frame| self.call(frame)),
            does,
            path,
        }
    }

    fn call(&mut self, frame: FrameId) -> Call {
        let runbook = &self.plan.parts[self.state.frame(frame).part].runbook;
        Call { runbook: runbook.name.value.clone(), kind: runbook.kind.name(), phases: self.phases(frame) }
    }

    /// How long the action takes, for all items; the RTO covers no step of communication, nor what only failures bring about.
    fn estimate(
        &mut self,
        index: StepIndex,
        step: &Step,
        path: &str,
        applies: Option<bool>,
    ) -> Option<(Seconds, Seconds)> {
        let plan = self.plan;
        let known = self.estimates.action(plan.runbook_of(index), step, &self.inputs[plan.part_index(index)]);
        let counts = |step: StepIndex| plan.step(step).phase.is_barrier() && is_main(plan.step(step));
        let covered = applies != Some(false) && plan.callers(index).all(counts);
        if known.is_none() && covered {
            self.without.push(path.to_owned());
        }
        known.map(|known| (Seconds(known.typical), Seconds(known.worst)))
    }
}

/// The parameters whose values are known.
fn known(action: &Use) -> Map<String, Value> {
    let known = action.with.iter().filter(|parameter| parameter.known_after.is_empty());
    known.map(|parameter| (parameter.name.clone(), parameter.value.clone())).collect()
}
