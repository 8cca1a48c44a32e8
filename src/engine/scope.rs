//! What the names in an expression stand for within a run.

use serde_json::{Map, Value, json};

use super::event::{Outputs, StepState};
use super::state::{NodeId, State};
use crate::catalogue::{HumanDuration, Timestamp};
use crate::plan::Plan;
use crate::runbook::expr::{Scope, Undefined};

/// The roots that stay the same for a whole run, converted once.
#[derive(Clone, Debug)]
pub struct Roots {
    inputs: tera::Value,
    objectives: tera::Value,
}

impl Roots {
    /// The roots of a plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let mut objectives = Map::new();
        let mut add = |name: &str, span: Option<std::time::Duration>| {
            if let Some(span) = span {
                objectives.insert(name.to_owned(), Value::String(HumanDuration(span).to_string()));
            }
        };
        add("rto", plan.runbook.objectives.rto);
        add("rpo", plan.runbook.objectives.rpo);
        Self { inputs: value(&plan.inputs), objectives: value(&objectives) }
    }
}

fn value(of: &impl serde::Serialize) -> tera::Value {
    tera::Value::try_from_serializable(of).unwrap_or_else(|_| tera::Value::undefined())
}

/// The names as one node sees them.
pub struct NodeScope<'s> {
    /// The plan.
    pub plan: &'s Plan,
    /// The state of the run.
    pub state: &'s State,
    /// The roots of the plan.
    pub roots: &'s Roots,
    /// What `run.now` is.
    pub now: Timestamp,
    /// The node; `item` is its item.
    pub node: Option<NodeId>,
    /// `vars` of a notice.
    pub vars: Option<&'s Map<String, Value>>,
}

impl Scope for NodeScope<'_> {
    fn root(&self, name: &str) -> Option<tera::Value> {
        match name {
            "inputs" => Some(self.roots.inputs.clone()),
            "objectives" => Some(self.roots.objectives.clone()),
            "run" => Some(value(&self.run())),
            "item" => self.state.node(self.node?).item.as_deref().map(value),
            "vars" => self.vars.map(value),
            _ => None,
        }
    }

    fn step(&self, id: &str) -> Option<Result<tera::Value, Undefined>> {
        let step = NodeId(self.plan.find(id)?.0);
        let own = self.node.filter(|node| self.state.node(*node).parent == Some(step));
        let node = self.state.node(own.unwrap_or(step));
        if node.outputs == Outputs::Unknown {
            return Some(Err(Undefined::Unknown(format!("steps.{id}"))));
        }
        let empty = Map::new();
        let outputs = node.outputs.values().map_or(&empty, |outputs| outputs);
        Some(Ok(value(&json!({ "outputs": outputs, "status": node.state }))))
    }
}

impl NodeScope<'_> {
    fn run(&self) -> Value {
        let Some(started) = &self.state.started else {
            return json!({});
        };
        let troubled = |state| matches!(state, StepState::Failed | StepState::InDoubt | StepState::RollbackFailed);
        let failed: Vec<Value> = if self.state.is_troubled(self.plan) {
            let nodes = self.state.nodes.iter().filter(|node| troubled(node.state));
            nodes
                .map(|node| json!({ "step": node.path, "state": node.state.words(), "reason": node.reason() }))
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
            "since": started.since.unwrap_or(self.state.started_at).to_string(),
            "aborted": self.state.aborted,
            "failed": failed,
        })
    }
}
