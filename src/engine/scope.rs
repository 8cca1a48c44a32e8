//! What the names in an expression stand for within a run.

use serde_json::{Map, Value, json};

use super::event::{Mode, Outputs, StepState};
use super::frame::FrameId;
use super::state::{Node, NodeId, State};
use crate::catalogue::{HumanDuration, Timestamp};
use crate::plan::Plan;
use crate::runbook::ast::Runbook;
use crate::runbook::expr::{Scope, Undefined};

/// The roots that stay the same for a whole frame, converted once.
#[derive(Clone, Debug)]
pub(super) struct Roots {
    inputs: tera::Value,
    objectives: tera::Value,
}

impl Roots {
    /// The roots of a runbook with these inputs.
    pub(super) fn new(runbook: &Runbook, inputs: &Map<String, Value>) -> Self {
        let mut objectives = Map::new();
        let mut add = |name: &str, span: Option<std::time::Duration>| {
            if let Some(span) = span {
                objectives.insert(name.to_owned(), Value::String(HumanDuration(span).to_string()));
            }
        };
        add("rto", runbook.objectives.rto);
        add("rpo", runbook.objectives.rpo);
        Self { inputs: value(inputs), objectives: value(&objectives) }
    }
}

fn value(of: &impl serde::Serialize) -> tera::Value {
    tera::Value::try_from_serializable(of).unwrap_or_else(|_| tera::Value::undefined())
}

/// The names as one node sees them, or a runbook as a whole.
pub struct NodeScope<'s> {
    plan: &'s Plan,
    state: &'s State,
    frame: FrameId,
    /// What `run.now` is.
    now: Timestamp,
    /// What `run.head` is; empty where it is not known.
    head: &'s str,
    /// The node; `item` is its item.
    node: Option<NodeId>,
    /// `vars` of a notice.
    vars: Option<&'s Map<String, Value>>,
}

impl<'s> NodeScope<'s> {
    /// As the node sees them.
    #[must_use]
    pub fn of(plan: &'s Plan, state: &'s State, node: NodeId) -> Self {
        Self { plan, state, frame: state.node(node).frame, now: state.last_at, head: "", node: Some(node), vars: None }
    }

    /// As the outputs of the frame's runbook see them.
    #[must_use]
    pub fn of_frame(plan: &'s Plan, state: &'s State, frame: FrameId) -> Self {
        Self { plan, state, frame, now: state.last_at, head: "", node: None, vars: None }
    }

    /// The same, at that time.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    /// The same, with the journal's head.
    #[must_use]
    pub fn resting_on(self, head: &'s str) -> Self {
        Self { head, ..self }
    }

    /// The same, with the variables of a notice.
    #[must_use]
    pub fn with_vars<'v>(&'v self, vars: &'v Map<String, Value>) -> NodeScope<'v> {
        NodeScope { vars: Some(vars), ..*self }
    }
}

/// The key of the instance that stands for those a dry run cannot know.
pub(super) const UNKNOWN: &str = "?";

impl Scope for NodeScope<'_> {
    fn root(&self, name: &str) -> Option<tera::Value> {
        let roots = &self.state.frame(self.frame).roots;
        match name {
            "inputs" => Some(roots.inputs.clone()),
            "objectives" => Some(roots.objectives.clone()),
            "run" => Some(value(&self.run())),
            "item" => self.state.node(self.node?).item.as_deref().map(value),
            "vars" => self.vars.map(value),
            _ => None,
        }
    }

    fn step(&self, id: &str) -> Option<Result<tera::Value, Undefined>> {
        let frame = self.state.frame(self.frame);
        let step = frame.node(self.plan, self.plan.parts[frame.part].find(id)?);
        let own = self.node.filter(|node| self.state.node(*node).parent == Some(step));
        let node = self.state.node(own.unwrap_or(step));
        if node.outputs == Outputs::Unknown {
            return Some(Err(Undefined::Unknown(format!("steps.{id}"))));
        }
        let empty = Map::new();
        let outputs = node.outputs.values().map_or(&empty, |outputs| outputs);
        Some(Ok(value(&json!({ "outputs": outputs, "status": node.state }))))
    }

    fn is_unknown(&self, root: &str, name: Option<&str>) -> bool {
        match root {
            "inputs" => self.input_is_unknown(name),
            "run" => self.state.started.is_none(),
            "item" => self.node.is_some_and(|node| self.item_is_unknown(self.state.node(node))),
            _ => false,
        }
    }

    fn secret(&self, name: &str) -> String {
        self.plan.parts[self.state.frame(self.frame).part].secret(name)
    }
}

impl NodeScope<'_> {
    /// Whether the input is not known yet; without a name, whether any is not.
    pub(super) fn input_is_unknown(&self, name: Option<&str>) -> bool {
        let frame = self.state.frame(self.frame);
        let among = |name: &str| frame.unknown.iter().any(|unknown| unknown == name);
        !frame.begun || name.map_or(!frame.unknown.is_empty(), among)
    }

    /// Before the run, a step stands for its instances; in a dry run, an instance may stand for all of them.
    fn item_is_unknown(&self, node: &Node) -> bool {
        match self.state.started {
            None => node.item.is_none(),
            Some(_) => self.state.mode() == Mode::DryRun && node.key() == Some(UNKNOWN),
        }
    }

    fn run(&self) -> Value {
        let Some(started) = &self.state.started else {
            return json!({});
        };
        let troubled = |state| matches!(state, StepState::Failed | StepState::InDoubt | StepState::RollbackFailed);
        let failed: Vec<Value> = if self.state.is_troubled(self.plan) || self.state.rollback.is_some() {
            let nodes = self.state.nodes.iter().filter(|node| troubled(node.state) || node.failed().is_some());
            let reason = |node: &Node| node.failed().or(node.reason()).map(str::to_owned);
            nodes
                .map(|node| json!({ "step": node.path, "state": node.state.words(), "reason": reason(node) }))
                .collect()
        } else {
            Vec::new()
        };
        json!({
            "id": started.run,
            "runbook": started.runbook,
            "kind": started.kind,
            "operator": started.operator.name,
            "started_at": self.state.started_at.to_string(),
            "now": self.now.to_string(),
            "head": self.head,
            "since": started.since.unwrap_or(self.state.started_at).to_string(),
            "aborted": self.state.aborted,
            "failed": failed,
        })
    }
}
