//! Taking a run up: what the process before left behind.

use std::sync::Arc;

use super::event::{Event, Person, PlanChanged, StepState};
use super::machine::{Machine, Timer};
use super::state::NodeId;
use super::transition::Illegal;

impl Machine {
    /// This process takes the run up: deadlines are set again, interrupted attempts are looked at.
    pub(super) fn resume(&mut self, operator: Person) -> Result<(), Illegal> {
        self.emit(Event::RunResumed { operator })?;
        for node in (0..).map(NodeId).take(self.state.nodes.len()) {
            self.take_up(node)?;
        }
        Ok(())
    }

    fn take_up(&mut self, node: NodeId) -> Result<(), Illegal> {
        if self.state.is_group(&self.plan, node) {
            self.take_up_group(node);
            if self.state.node(node).state != StepState::AwaitingApproval {
                return Ok(());
            }
        }
        let state = self.state.node(node);
        match state.state {
            StepState::Running | StepState::RollingBack if state.interrupted().is_some() => self.look(node),
            StepState::Verifying => self.verify_again(node),
            StepState::RetryWait | StepState::RollingBack => {
                let at = state.more.as_ref().and_then(|more| more.retry_at).unwrap_or(self.now);
                self.wake_at(at, Timer::Retry(node));
                Ok(())
            }
            StepState::AwaitingApproval => {
                self.wake_for_gate(node);
                Ok(())
            }
            StepState::Cancelled if state.attempt > 0 && state.parent.is_none() => {
                self.enqueue(node);
                Ok(())
            }
            StepState::Pending if state.parent.is_some() && self.is_beside(node) => {
                self.exempt.push_back(node);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether the node is an instance of a step that repeats, or of a failure step.
    fn is_beside(&self, node: NodeId) -> bool {
        self.plan.step(self.state.node(node).step).for_each.is_none()
    }

    fn take_up_group(&mut self, group: NodeId) {
        let plan = Arc::clone(&self.plan);
        let step = plan.step(self.state.node(group).step);
        let Some(children) = self.state.children.get(&group).cloned() else {
            return;
        };
        if step.for_each.is_some() {
            let passed = step.approval.is_none() || self.state.node(group).gate().is_some_and(|gate| gate.approved);
            let may =
                |child: &NodeId| matches!(self.state.node(*child).state, StepState::Pending | StepState::Cancelled);
            let pending = children.iter().copied().filter(may).collect();
            if passed {
                self.waiting.insert(group, pending);
            }
            return;
        }
        let over = matches!(self.state.node(group).state, StepState::Succeeded | StepState::Skipped);
        if let (Some(repeat), Some(last), false) = (&step.repeat, children.last(), over) {
            // At most one catch-up, however many were missed.
            let begun = self.state.node(*last).started.unwrap_or(self.now);
            self.wake_at(begun.plus(repeat.every).max(self.now), Timer::Repeat(group));
        }
    }

    /// An edited plan is adopted: what was approved for touched steps is void.
    pub(super) fn adopt(&mut self, changed: Box<PlanChanged>) -> Result<(), Illegal> {
        let touched = changed.changed.clone();
        self.emit(Event::PlanChanged(changed))?;
        let steps = touched.iter().filter_map(|path| self.plan.find(path));
        let nodes: Vec<NodeId> = steps.flat_map(|step| self.state.nodes_of(&self.plan, step)).collect();
        for node in nodes {
            let waits = matches!(self.state.node(node).state, StepState::Pending | StepState::AwaitingApproval);
            if waits && self.state.node(node).gate().is_some() {
                let reason = "the step was edited".to_owned();
                self.emit(Event::GateVoided { step: self.path(node), reason })?;
                self.enqueue(node);
            }
        }
        Ok(())
    }
}
