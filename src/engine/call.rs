//! Steps that run another runbook: what they hand over, when they begin and when they are done.

use serde_json::{Map, Value};

use super::event::{Event, Instance, Mode, Outputs, StepState};
use super::frame::FrameId;
use super::machine::Machine;
use super::scope::NodeScope;
use super::state::{Node, NodeId, State};
use super::transition::Illegal;
use crate::catalogue::Type;
use crate::plan::Plan;
use crate::plan::runbooks::handed;
use crate::runbook::ast::Input;
use crate::runbook::expr::Undefined;

/// The most that a call hands over, or gives back, in bytes of JSON: a record of the journal has to hold it.
const LARGEST: usize = 512 * 1024;

/// How many nodes are looked at for a look ahead: a `for_each` within a `for_each` may come to a million.
const MOST_FORESEEN: usize = 20_000;

/// What a call hands over.
struct Handed {
    inputs: Map<String, Value>,
    /// Inputs that are not known before the run.
    unknown: Vec<String>,
}

fn hand_over(plan: &Plan, state: &State, caller: NodeId, frame: FrameId) -> Result<Handed, String> {
    let mut handed = Handed { inputs: Map::new(), unknown: Vec::new() };
    let runbook = &plan.parts[state.frame(frame).part].runbook;
    for input in runbook.inputs.iter().filter(|input| input.kind != Type::Secret) {
        let name = &input.name.value;
        match value_of(plan, state, caller, input) {
            Ok(value) => drop(handed.inputs.insert(name.clone(), value)),
            Err(Undefined::Unknown(_)) => handed.unknown.push(name.clone()),
            Err(Undefined::Wrong(problem)) => {
                return Err(format!("input `{name}` of `{}`: {problem}", runbook.name.value));
            }
        }
    }
    let size = Value::Object(handed.inputs.clone()).to_string().len();
    if size > LARGEST {
        return Err(format!("the inputs of `{}` take {size} bytes, at most {LARGEST} fit", runbook.name.value));
    }
    Ok(handed)
}

fn value_of(plan: &Plan, state: &State, caller: NodeId, input: &Input) -> Result<Value, Undefined> {
    let index = state.node(caller).step;
    let Some(written) = handed(&plan.step(index).action, &input.name.value) else {
        return input.default.clone().ok_or_else(|| Undefined::Wrong("it is needed, and not given".to_owned()));
    };
    let rendered = plan.expressions(index).render(&written, &NodeScope::of(plan, state, caller))?;
    let value = input.kind.settle(rendered.shown());
    input.kind.check(&value).map_err(Undefined::Wrong)?;
    Ok(value)
}

/// What the outputs of the frame's runbook come to: those that nothing gave a value are left out, and so is what would
/// not fit a record. `Err` where one of them is unknown in this dry run.
fn outputs(plan: &Plan, state: &State, frame: FrameId) -> Result<Map<String, Value>, ()> {
    let runbook = &plan.parts[state.frame(frame).part].runbook;
    let scope = NodeScope::of_frame(plan, state, frame);
    let mut outputs = Map::new();
    let mut room = LARGEST;
    for (name, written) in &runbook.outputs {
        match runbook.expressions.render(written, &scope) {
            Ok(value) => {
                let value = value.shown();
                if let Some(left) = room.checked_sub(value.to_string().len()) {
                    room = left;
                    outputs.insert(name.value.clone(), value);
                }
            }
            Err(Undefined::Unknown(_)) => return Err(()),
            Err(Undefined::Wrong(_)) => {}
        }
    }
    Ok(outputs)
}

/// The state before a run, for looking at a plan: every call is begun whose inputs are known already; what a step will
/// give is not known, rather than not there.
#[must_use]
pub fn outlook(plan: &Plan) -> State {
    let mut state = State::new(plan);
    state.nodes.iter_mut().for_each(|node| node.outputs = Outputs::Unknown);
    begin_known(plan, &mut state, 1);
    state
}

/// The state before a run, for making the world it needs: with every call whose inputs are known, the instances of every
/// `for_each` whose items are known, and what those call.
#[must_use]
pub fn foresee(plan: &Plan) -> State {
    let mut state = State::new(plan);
    begin_known(plan, &mut state, 1);
    let (mut at, mut frames) = (0, state.frames.len());
    while at < state.nodes.len().min(MOST_FORESEEN) {
        let node = NodeId(u32::try_from(at).unwrap_or(u32::MAX));
        at += 1;
        let Some(instances) = known_instances(plan, &state, node) else { continue };
        // The node is there: it was just looked at.
        state.expand(plan, &state.node(node).path.clone(), &instances).ok();
        begin_known(plan, &mut state, frames);
        frames = state.frames.len();
    }
    state
}

/// Begins the calls from the frame `first` on whose inputs are known.
fn begin_known(plan: &Plan, state: &mut State, first: usize) {
    for frame in (first..state.frames.len()).filter_map(|id| u32::try_from(id).ok()).map(FrameId) {
        let Some(caller) = state.frame(frame).caller else { continue };
        if let Ok(handed) = hand_over(plan, state, caller, frame) {
            state.begin_frame(plan, caller, &handed.inputs, &handed.unknown);
        }
    }
}

/// The instances of a `for_each` step whose items are known; nothing for an instance itself.
fn known_instances(plan: &Plan, state: &State, node: NodeId) -> Option<Vec<Instance>> {
    let Node { step: index, parent, .. } = *state.node(node);
    let for_each = plan.step(index).for_each.as_ref().filter(|_| parent.is_none())?;
    let items = plan.expressions(index).render(&for_each.items, &NodeScope::of(plan, state, node)).ok()?;
    let items = crate::plan::items(&items.shown()).ok()?;
    Some(items.into_iter().map(|(key, item)| Instance { key, item }).collect())
}

impl Machine {
    /// The steps of the runbook that the node calls may begin.
    pub(super) fn call(&mut self, caller: NodeId, frame: FrameId) -> Result<(), Illegal> {
        match hand_over(&self.plan, &self.state, caller, frame) {
            Ok(Handed { unknown, .. }) if !unknown.is_empty() && self.state.mode() == Mode::Real => {
                self.fail(caller, format!("the inputs {} are not known", unknown.join(", ")))
            }
            Ok(Handed { inputs, unknown }) => self.emit(Event::Called { step: self.path(caller), inputs, unknown }),
            Err(problem) => self.fail(caller, problem),
        }
    }

    /// Calls whose steps are all met are done; the inner ones first, which may bring the outer ones to their end.
    pub(super) fn return_calls(&mut self) -> Result<(), Illegal> {
        if self.state.aborted.is_some() || self.state.rollback.is_some() {
            return Ok(());
        }
        for id in (1..self.state.frames.len()).rev().filter_map(|id| u32::try_from(id).ok()).map(FrameId) {
            let Some(caller) = self.state.frame(id).caller else { continue };
            if self.ways[id.at()].is_over() && self.state.node(caller).state == StepState::Running {
                let outputs = outputs(&self.plan, &self.state, id).map_or(Outputs::Unknown, Outputs::of);
                self.emit(Event::Returned { step: self.path(caller), outputs })?;
            }
        }
        Ok(())
    }

    /// What the outputs of the run come to; nothing of them where a dry run cannot know.
    pub(super) fn run_outputs(&self) -> Map<String, Value> {
        outputs(&self.plan, &self.state, FrameId::default()).unwrap_or_default()
    }
}
