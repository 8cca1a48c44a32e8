//! Steps that run another runbook: what they hand over, when they begin and when they are done.

use serde_json::{Map, Value};

use super::event::{Event, Mode, Outputs, StepState};
use super::frame::FrameId;
use super::machine::Machine;
use super::scope::NodeScope;
use super::state::{NodeId, State};
use super::transition::Illegal;
use crate::catalogue::Type;
use crate::plan::Plan;
use crate::plan::runbooks::value_of;
use crate::runbook::expr::Undefined;

/// The most that a call hands over, or gives back, in bytes of JSON: a record of the journal has to hold it.
const LARGEST: usize = 512 * 1024;

/// What a call hands over.
pub(super) struct Handed {
    pub(super) inputs: Map<String, Value>,
    /// Inputs that are not known before the run.
    pub(super) unknown: Vec<String>,
}

/// What the node hands to the frame that it calls.
///
/// # Errors
/// An input has no value, or not one of its type, or they are too large.
pub(super) fn hand_over(plan: &Plan, state: &State, caller: NodeId, frame: FrameId) -> Result<Handed, String> {
    let mut handed = Handed { inputs: Map::new(), unknown: Vec::new() };
    let (runbook, index) = (&plan.parts[state.frame(frame).part].runbook, state.node(caller).step);
    let scope = NodeScope::of(plan, state, caller);
    for input in runbook.inputs.iter().filter(|input| input.kind != Type::Secret) {
        let name = &input.name.value;
        match value_of(plan.runbook_of(index), &plan.step(index).action, input, &scope) {
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
