//! The state of a step as people are shown it.

use super::event::StepState;
use super::state::{NodeId, State};
use crate::plan::Plan;

/// What is told of a step with instances: the first of these that one of them is.
const TOLD: [StepState; 10] = [
    StepState::Running,
    StepState::Verifying,
    StepState::RollingBack,
    StepState::RetryWait,
    StepState::InDoubt,
    StepState::RollbackFailed,
    StepState::Failed,
    StepState::AwaitingApproval,
    StepState::AwaitingPerson,
    StepState::Pending,
];

impl State {
    /// The state as people are shown it: a step with instances is running only while one of them is.
    #[must_use]
    pub fn shown(&self, plan: &Plan, id: NodeId) -> StepState {
        let node = self.node(id);
        let instances = self.children.get(&id).filter(|_| plan.step(node.step).repeat.is_none());
        let Some(instances) = instances.filter(|_| node.state == StepState::Running) else {
            return node.state;
        };
        let states: Vec<StepState> = instances.iter().map(|instance| self.node(*instance).state).collect();
        let told = TOLD.into_iter().find(|told| states.contains(told));
        match told.or_else(|| states.last().copied()) {
            Some(state) if state.is_active() || state == StepState::RetryWait => StepState::Running,
            Some(state) => state,
            None => node.state,
        }
    }
}
