//! Values of a plan, as far as they are known before the run.

use std::collections::BTreeSet;

use serde_json::Value;

use super::outline::{Parameter, Use};
use crate::engine::{NodeId, NodeScope, State};
use crate::plan::definition::written;
use crate::plan::runbooks::handed;
use crate::plan::{Plan, StepIndex};
use crate::runbook::ast::ActionUse;
use crate::runbook::expr::{ExprId, Scope as _, Segment, Templated};

/// What a value waits for: paths of steps, or one of the words below.
type Waits = BTreeSet<String>;

/// It is known when the run has begun.
const RUN: &str = "run";
/// It differs from instance to instance.
const ITEM: &str = "item";

/// The values of one step.
pub(super) struct Values<'p> {
    plan: &'p Plan,
    state: &'p State,
    index: StepIndex,
    node: Option<NodeId>,
}

impl<'p> Values<'p> {
    pub(super) fn of(plan: &'p Plan, state: &'p State, index: StepIndex) -> Self {
        Self { plan, state, index, node: state.nodes_of(plan, index).next() }
    }

    /// An action with its parameters.
    pub(super) fn action(&self, action: &ActionUse) -> Use {
        let with = match &action.with.value {
            Templated::Plain(Value::Object(entries)) => {
                entries.iter().map(|(name, value)| self.parameter(name, &Templated::Plain(value.clone()))).collect()
            }
            Templated::Map(entries) => entries.iter().map(|(name, value)| self.parameter(name, value)).collect(),
            _ => Vec::new(),
        };
        Use { action: action.name.value.clone(), with }
    }

    /// A named value.
    pub(super) fn parameter(&self, name: &str, value: &Templated) -> Parameter {
        let mut waits = Waits::new();
        let value = self.value(value, &mut waits);
        Parameter { name: name.to_owned(), value, known_after: waits.into_iter().collect() }
    }

    /// A text on one line.
    pub(super) fn line(&self, text: &Templated) -> String {
        let text = match self.value(text, &mut Waits::new()) {
            Value::String(text) => text,
            other => other.to_string(),
        };
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether the step's condition holds; nothing where only the run can tell.
    pub(super) fn applies(&self) -> Option<bool> {
        let Some(when) = self.plan.step(self.index).when else { return Some(true) };
        let known = self.waits(self.index, when).is_empty();
        let scope = self.node.filter(|_| known).map(|node| NodeScope::of(self.plan, self.state, node))?;
        self.plan.expressions(self.index).condition(when, &scope).ok()
    }

    fn value(&self, value: &Templated, waits: &mut Waits) -> Value {
        match value {
            Templated::Plain(value) => value.clone(),
            Templated::Secret(name) => Value::String(self.secret(name)),
            Templated::Expression(id) => self.expression(*id, waits),
            Templated::Text(segments) => {
                let segment = |segment: &Segment| match segment {
                    Segment::Text(text) => text.clone(),
                    Segment::Secret(name) => self.secret(name),
                    Segment::Expression(id) => match self.expression(*id, waits) {
                        Value::String(text) => text,
                        other => other.to_string(),
                    },
                };
                Value::String(segments.iter().map(segment).collect())
            }
            Templated::List(items) => items.iter().map(|item| self.value(item, waits)).collect(),
            Templated::Map(entries) => {
                Value::Object(entries.iter().map(|(name, item)| (name.clone(), self.value(item, waits))).collect())
            }
        }
    }

    fn secret(&self, name: &str) -> String {
        format!("<secret {}>", self.plan.part_of(self.index).secret(name))
    }

    fn expression(&self, id: ExprId, waits: &mut Waits) -> Value {
        let own = self.waits(self.index, id);
        if !own.is_empty() {
            let mark = Value::String(mark(&own));
            waits.extend(own);
            return mark;
        }
        let expressions = self.plan.expressions(self.index);
        let scope = self.node.map(|node| NodeScope::of(self.plan, self.state, node));
        let value = scope.and_then(|scope| expressions.evaluate(id, &scope).ok());
        value.unwrap_or_else(|| written(self.plan.runbook_of(self.index), &Templated::Expression(id)))
    }

    /// What has to be known before the expression of the step has a value.
    fn waits(&self, step: StepIndex, id: ExprId) -> Waits {
        let mut waits = Waits::new();
        for path in &self.plan.expressions(step).get(id).scan.paths {
            match path.parts.as_slice() {
                [root, id, ..] if root == "steps" => {
                    waits.extend(self.plan.part_of(step).find(id).map(|read| self.plan.path(read)));
                }
                [root, ..] if root == RUN => drop(waits.insert(RUN.to_owned())),
                [root, ..] if root == ITEM => drop(waits.insert(ITEM.to_owned())),
                [root, name, ..] if root == "inputs" => waits.extend(self.input_waits(step, name)),
                _ => {}
            }
        }
        waits
    }

    /// What an input of a called runbook waits for: what its caller hands over.
    fn input_waits(&self, step: StepIndex, name: &str) -> Waits {
        let Some(caller) = self.plan.part_of(step).caller else { return Waits::new() };
        let node = self.state.nodes_of(self.plan, step).next();
        let known = node.is_some_and(|node| !NodeScope::of(self.plan, self.state, node).is_unknown(Some(name)));
        let Some(written) = handed(&self.plan.step(caller).action, name).filter(|_| !known) else {
            return Waits::new();
        };
        let mut expressions = Vec::new();
        written.expressions(&mut expressions);
        expressions.into_iter().flat_map(|id| self.waits(caller, id)).collect()
    }
}

/// `(known after probe, lag)`.
fn mark(waits: &Waits) -> String {
    let steps: Vec<&str> = waits.iter().map(String::as_str).filter(|name| ![RUN, ITEM].contains(name)).collect();
    match (steps.as_slice(), waits.contains(ITEM)) {
        ([], true) => "(of each item)".to_owned(),
        ([], false) => "(known in the run)".to_owned(),
        (steps, _) => format!("(known after {})", steps.join(", ")),
    }
}
