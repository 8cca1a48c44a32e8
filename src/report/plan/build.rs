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
use crate::engine::{FrameId, NodeScope, State, outlook};
use crate::plan::critical_path::{CriticalPath, Estimates, estimate, waves};
use crate::plan::{self, Part, Plan, StepIndex, graph, is_main};
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
        critical: BTreeSet::new(),
        permissions: Permissions::default(),
        without: Vec::new(),
    };
    let path = writer.path(0, &plan.inputs);
    writer.mark(0, &path);
    let phases = writer.phases(0);
    let choices = choices(plan, estimates.by_choice(&plan.runbook, &own, &plan.inputs));
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
            choices,
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
    critical: BTreeSet<StepIndex>,
    permissions: Permissions,
    without: Vec<String>,
}

impl Writer<'_> {
    /// The critical path of a part, by the indices of its runbook.
    fn path(&self, part: usize, inputs: &Map<String, Value>) -> CriticalPath {
        let runbook = &self.plan.parts[part].runbook;
        self.estimates.critical_path(runbook, &graph(runbook, &plan::index(runbook)), inputs)
    }

    /// The critical path of the part that the step calls, with what is known of what it is given.
    fn called(&self, index: StepIndex) -> Option<(usize, CriticalPath)> {
        let part = self.plan.called(index)?;
        let frame = self.state.nodes_of(self.plan, index).next().and_then(|node| self.state.called(node));
        let inputs = frame.map(|frame| (*self.state.frame(frame).inputs).clone()).unwrap_or_default();
        Some((part, self.path(part, &inputs)))
    }

    /// Marks the critical path of a part, and of what it calls.
    fn mark(&mut self, part: usize, path: &CriticalPath) {
        for step in &path.steps {
            let index = StepIndex(self.plan.parts[part].first.0 + step.0);
            self.critical.insert(index);
            if let Some((part, path)) = self.called(index) {
                self.mark(part, &path);
            }
        }
    }

    fn phases(&mut self, part: usize) -> Vec<PhaseOutline> {
        let mut phases = Vec::new();
        for (phase, waves) in waves(self.plan, part) {
            let wave = |wave: Vec<StepIndex>| wave.into_iter().map(|index| self.step(index)).collect();
            phases.push(PhaseOutline { phase: phase.name(), waves: waves.into_iter().map(wave).collect() });
        }
        phases
    }

    fn step(&mut self, index: StepIndex) -> StepOutline {
        let (plan, state) = (self.plan, self.state);
        let step = plan.step(index);
        let path = plan.path(index);
        let values = Values::of(plan, state, index);
        let does = values.action(&step.action);
        let verify = step.verify.as_deref();
        let verify = verify.map(|check| Check { does: values.action(&check.action), within: Seconds(check.within) });
        let rollback = step.rollback.as_deref().map(|rollback| values.action(rollback));
        // What a step calls is left out with it.
        let left_out = |caller| Values::of(plan, state, caller).applies() == Some(false);
        let applies = if plan.callers(index).skip(1).any(left_out) { Some(false) } else { values.applies() };
        if applies != Some(false) {
            let uses = [Some(&does), verify.as_ref().map(|check| &check.does), rollback.as_ref()];
            uses.into_iter().flatten().for_each(|action| self.permissions.add(&plan.catalogue, &path, action));
        }
        let estimate = self.estimate(index, step, &path, applies);
        let effect = plan.effect(&step.action.name.value, &known(&does));
        let calls = plan.called(index);
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
            approval: step.approval.as_deref().map(|approval| gate(plan, state, index, approval)),
            estimate,
            timeout: Seconds(plan.timeout(index)),
            attempts: plan.retry(index, effect).map_or(1, |retry| retry.attempts),
            verify,
            rollback,
            on_failure: match step.on_failure(plan.defaults(index)) {
                OnFailure::Stop => "stop",
                OnFailure::Continue => "continue",
                OnFailure::Rollback => "rollback",
                OnFailure::Ask => "ask",
            },
            point_of_no_return: step.point_of_no_return,
            critical: self.critical.contains(&index),
            calls: calls.map(|part| self.call(&plan.parts[part], part)),
            does,
            path,
        }
    }

    fn call(&mut self, part: &Part, index: usize) -> Call {
        let runbook = &part.runbook;
        Call { runbook: runbook.name.value.clone(), kind: runbook.kind.name(), phases: self.phases(index) }
    }

    /// How long the action takes; the RTO covers no step of communication, nor what only failures bring about.
    fn estimate(
        &mut self,
        index: StepIndex,
        step: &Step,
        path: &str,
        applies: Option<bool>,
    ) -> Option<(Seconds, Seconds)> {
        let plan = self.plan;
        if let Some((_, path)) = self.called(index) {
            return Some((Seconds(path.typical), Seconds(path.worst)));
        }
        let known = estimate(step, &plan.catalogue);
        let counts = |step: StepIndex| plan.step(step).phase.is_barrier() && is_main(plan.step(step));
        let covered = applies != Some(false) && plan.callers(index).all(counts);
        if known.is_none() && covered {
            self.without.push(path.to_owned());
        }
        known.map(|known| (Seconds(known.typical), Seconds(known.worst.unwrap_or(known.typical))))
    }
}

/// The parameters whose values are known.
fn known(action: &Use) -> Map<String, Value> {
    let known = action.with.iter().filter(|parameter| parameter.known_after.is_empty());
    known.map(|parameter| (parameter.name.clone(), parameter.value.clone())).collect()
}
