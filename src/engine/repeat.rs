//! Steps that repeat: when the first instance is due, the next ones, and the end.

use std::cmp::Reverse;
use std::sync::Arc;

use super::event::{Event, Mode, StepState};
use super::machine::{Machine, Timer};
use super::state::NodeId;
use super::transition::Illegal;
use crate::catalogue::Timestamp;
use crate::plan::{StepIndex, is_main};

impl Machine {
    /// The first instance comes one interval after the needs are met: an update is an update on something. A dry run
    /// does not wait for it.
    pub(super) fn begin_repetition(&mut self, node: NodeId) -> Result<(), Illegal> {
        let plan = Arc::clone(&self.plan);
        let Some(repeat) = &plan.step(self.state.node(node).step).repeat else { return Ok(()) };
        if self.state.mode() == Mode::DryRun {
            return self.repeat_step(node);
        }
        if self.state.children.contains_key(&node) || self.has_begun_repetition(node) {
            return Ok(());
        }
        let due = self.met_at(node).plus(repeat.every);
        if due <= self.now {
            return self.repeat_due(node);
        }
        self.wake_at(due, Timer::Repeat(node));
        Ok(())
    }

    fn has_begun_repetition(&self, node: NodeId) -> bool {
        self.timers.iter().any(|Reverse((_, timer))| *timer == Timer::Repeat(node))
    }

    /// When the step's needs were met; of a step without needs, when its phase opened. Read from the records, so that
    /// a resume comes to the same.
    fn met_at(&self, node: NodeId) -> Timestamp {
        let index = self.state.node(node).step;
        let needs = self.plan.graph.needs(index);
        let phase = self.plan.step(index).phase;
        let before = self.plan.steps().filter(|(_, step)| is_main(step) && step.phase < phase).map(|(index, _)| index);
        let waited_for: Vec<StepIndex> = if needs.is_empty() { before.collect() } else { needs.to_vec() };
        let ends = waited_for.into_iter().filter_map(|step| self.state.node(NodeId(step.0)).ended);
        ends.max().unwrap_or(self.state.started_at)
    }

    /// One more instance of a step that repeats.
    pub(super) fn repeat_step(&mut self, node: NodeId) -> Result<(), Illegal> {
        let number = self.state.children.get(&node).map_or(0, Vec::len) + 1;
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        self.emit(Event::Repeated { step: self.path(node), number })?;
        let plan = Arc::clone(&self.plan);
        if let Some(repeat) = &plan.step(self.state.node(node).step).repeat {
            self.wake_at(self.now.plus(repeat.every), Timer::Repeat(node));
        }
        if let Some(child) = self.state.children[&node].last() {
            self.exempt.push_back(*child);
        }
        Ok(())
    }

    /// The next instance is due, unless the step that ends the repetition has started.
    pub(super) fn repeat_due(&mut self, node: NodeId) -> Result<(), Illegal> {
        let plan = Arc::clone(&self.plan);
        let state = self.state.node(node).state;
        if self.closing || self.state.stopping.is_some() || !matches!(state, StepState::Pending | StepState::Running) {
            return Ok(());
        }
        let repeat = plan.step(self.state.node(node).step).repeat.as_ref();
        let until = repeat.and_then(|repeat| repeat.until.as_ref()).and_then(|until| plan.find(&until.value));
        if until.is_some_and(|until| self.state.node(NodeId(until.0)).state != StepState::Pending) {
            return self.end_repetition(node);
        }
        self.repeat_step(node)
    }

    fn end_repetition(&mut self, node: NodeId) -> Result<(), Illegal> {
        let step = self.path(node);
        if self.state.children.contains_key(&node) {
            return self.emit(Event::RepetitionEnded { step });
        }
        self.emit(Event::NotApplicable { step, reason: "it was over before the first was due".to_owned() })
    }

    /// Repetitions end with the run at the latest.
    pub(super) fn end_repetitions(&mut self) -> Result<(), Illegal> {
        let plan = Arc::clone(&self.plan);
        for (index, _) in plan.steps().filter(|(_, step)| step.repeat.is_some()) {
            let node = NodeId(index.0);
            let begun = self.state.children.contains_key(&node) || self.has_begun_repetition(node);
            if begun && matches!(self.state.node(node).state, StepState::Pending | StepState::Running) {
                self.end_repetition(node)?;
            }
        }
        Ok(())
    }
}
