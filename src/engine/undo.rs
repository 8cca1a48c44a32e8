//! Undoing: what a rollback or an abort takes back, in which order, and what stays.

use std::sync::Arc;

use serde_json::Value;

use super::event::{Event, NodePath, RunState, Side, Sight, StepState};
use super::job::JobKind;
use super::machine::Machine;
use super::state::{Node, NodeId, State};
use super::transition::Illegal;
use crate::plan::definition::written;
use crate::plan::{Plan, StepIndex, is_main};
use crate::runbook::ast::OnFailure;

/// What would be undone, and what would stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UndoPlan {
    /// What is undone, in this order.
    pub steps: Vec<NodeId>,
    /// What stays, and why.
    pub kept: Vec<(NodePath, String)>,
}

/// Finished steps, and before them those under way, in reverse order, back to the last point of no return, which stays
/// with all before it.
#[must_use]
pub fn undo_plan(plan: &Plan, state: &State) -> UndoPlan {
    let mut done: Vec<(NodeId, u32)> = state
        .iter()
        .filter(|(id, node)| is_main(plan.step(node.step)) && !state.stands_for_others(plan, *id) && has_effect(node))
        .map(|(id, node)| (id, if node.state.is_active() { u32::MAX } else { node.ended_tick }))
        .collect();
    done.sort_by_key(|(_, tick)| std::cmp::Reverse(*tick));
    let mut undo = UndoPlan::default();
    let mut barrier: Option<NodePath> = None;
    for (id, _) in done {
        let node = state.node(id);
        let step = plan.step(node.step);
        if barrier.is_none() && step.point_of_no_return {
            barrier = Some(node.path.clone());
        }
        match (&barrier, keeps(plan, state, id)) {
            (_, Some(_)) if step.rollback.is_none() && changes_nothing(plan, node.step) && !step.point_of_no_return => {
            }
            (_, Some(reason)) if node.state == StepState::Running => undo.kept.push((node.path.clone(), reason)),
            (Some(point), _) if *point == node.path => {
                undo.kept.push((node.path.clone(), "it is a point of no return".to_owned()));
            }
            (Some(point), _) => {
                undo.kept.push((node.path.clone(), format!("it lies before the point of no return `{point}`")));
            }
            (None, Some(reason)) => undo.kept.push((node.path.clone(), reason)),
            (None, None) => undo.steps.push(id),
        }
    }
    undo
}

/// Whether a step may have changed something. One that failed, or is stopped under way, may have done half its work.
fn has_effect(node: &Node) -> bool {
    match node.state {
        StepState::Succeeded | StepState::InDoubt | StepState::Running | StepState::Verifying => true,
        StepState::Failed => node.attempt > 0 && !matches!(sight(node), Some(Sight::NotApplied { .. })),
        _ => false,
    }
}

fn sight(node: &Node) -> Option<&Sight> {
    node.more.as_ref()?.sight.as_ref()
}

/// Whether the step's action leaves nothing behind that could be undone, by its parameters as written.
fn changes_nothing(plan: &Plan, index: StepIndex) -> bool {
    let step = plan.step(index);
    match written(plan.runbook_of(index), &step.action.with.value) {
        Value::Object(with) => plan.effect(&step.action.name.value, &with).is_repeatable(),
        _ => false,
    }
}

/// Why a step with an effect cannot be undone by itself; nothing where it can.
fn keeps(plan: &Plan, state: &State, id: NodeId) -> Option<String> {
    let node = state.node(id);
    let step = plan.step(node.step);
    if node.state == StepState::Running {
        let after = if step.point_of_no_return {
            "it is a point of no return"
        } else {
            "nobody may know whether there is anything to undo"
        };
        return Some(format!("it is running: giving up stops it, and {after}"));
    }
    if node.state == StepState::InDoubt {
        return Some("it is in doubt: nobody knows whether there is anything to undo".to_owned());
    }
    let failed = node.state == StepState::Failed;
    if step.rollback.is_none() {
        let half = if failed {
            "it failed, may have done half its work, and has no `rollback`"
        } else {
            "it has no `rollback`"
        };
        return Some(half.to_owned());
    }
    if node.more.as_ref().is_some_and(|more| more.already) {
        return Some("it found its work done and changed nothing".to_owned());
    }
    if failed && !matches!(sight(node), Some(Sight::Applied { .. })) {
        return Some("it failed, and nothing tells whether it had an effect".to_owned());
    }
    None
}

impl Machine {
    /// Begins or goes on with undoing, where the run is given up or a failed step asks for it.
    pub(super) fn drive_undo(&mut self) -> Result<(), Illegal> {
        if !self.is_quiet() || self.state.stopping.is_some() || self.state.ended.is_some() {
            return Ok(());
        }
        if self.state.rollback.is_none() {
            let reason = match (&self.state.aborted, self.failed_for_rollback()) {
                (Some(who), _) => format!("aborted by {who}"),
                (None, Some(node)) => format!("`{}` failed", self.path(node)),
                (None, None) => return Ok(()),
            };
            return match self.failed_unseen() {
                Some(node) => self.look_with(node, Side::Apply, JobKind::Observe),
                None => self.begin_undo(reason),
            };
        }
        self.undo_next()
    }

    /// A step that asks for a rollback of the run by its failure, once nothing runs any more and nothing is in doubt: what may
    /// have happened may have to be undone, too.
    fn failed_for_rollback(&self) -> Option<NodeId> {
        if !self.state.is_stopped_by_failure() || self.state.count(StepState::InDoubt) > 0 {
            return None;
        }
        let asks = |step| self.plan.on_failure(step) == OnFailure::Rollback;
        self.state.iter().find(|(_, node)| node.state == StepState::Failed && asks(node.step)).map(|(id, _)| id)
    }

    /// A failed step that could be undone, and whose effect nobody has looked for.
    fn failed_unseen(&self) -> Option<NodeId> {
        let undoable = |node: &Node| self.plan.step(node.step).rollback.is_some();
        let unseen = |node: &Node| node.attempt > 0 && sight(node).is_none();
        let failed = |node: &Node| node.state == StepState::Failed && undoable(node) && unseen(node);
        self.state.iter().find(|(_, node)| failed(node)).map(|(id, _)| id)
    }

    fn begin_undo(&mut self, reason: String) -> Result<(), Illegal> {
        let undo = undo_plan(&self.plan, &self.state);
        let steps = undo.steps.iter().map(|id| self.path(*id)).collect();
        self.emit(Event::RollbackStarted { reason, steps, kept: undo.kept })?;
        self.undo_next()
    }

    /// One at a time, in order; a step whose undoing failed or is in doubt holds the rest.
    fn undo_next(&mut self) -> Result<(), Illegal> {
        let Some(rollback) = &self.state.rollback else {
            return Ok(());
        };
        for id in rollback.order.clone() {
            match self.state.node(id).state {
                StepState::RolledBack | StepState::Skipped => {}
                StepState::Succeeded | StepState::Failed => return self.undo(id),
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// Undoes one step.
    pub(super) fn undo(&mut self, node: NodeId) -> Result<(), Illegal> {
        let plan = Arc::clone(&self.plan);
        let Some(rollback) = &plan.step(self.state.node(node).step).rollback else {
            return Ok(());
        };
        if self.state.stopping.is_some() {
            return Ok(());
        }
        match self.parameters(node, rollback) {
            Ok(with) => self.send(node, Side::Rollback, rollback, with, None),
            Err(problem) => {
                let (step, reason) = (self.path(node), format!("rollback: {problem}"));
                self.emit(Event::StepFailed { step, reason, side: Side::Rollback })
            }
        }
    }

    /// Whether all is undone that will be.
    pub(super) fn is_undone(&self) -> bool {
        let done = |id: &NodeId| matches!(self.state.node(*id).state, StepState::RolledBack | StepState::Skipped);
        self.state.rollback.as_ref().is_some_and(|rollback| rollback.order.iter().all(done))
    }

    /// How the run would end if it were given up now.
    #[must_use]
    pub fn abort_plan(&self) -> (UndoPlan, RunState) {
        (undo_plan(&self.plan, &self.state), RunState::Aborted)
    }
}
