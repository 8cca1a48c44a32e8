//! What is known of a step before the run: its values, what the others wait for, and whether it is done at all.

use std::collections::BTreeSet;

use serde_json::Value;

use super::scope::NodeScope;
use super::state::{NodeId, State};
use crate::plan::definition::written;
use crate::plan::runbooks::handed;
use crate::plan::{Plan, StepIndex};
use crate::runbook::expr::{ExprId, Segment, Templated};

/// What has to be known before a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// What this step gives.
    Step(StepIndex),
    /// The run itself.
    Run,
    /// Which item of a `for_each` it is.
    Item,
}

/// What stands in a value where it is more than text: an expression, or a secret.
#[derive(Clone, Copy, Debug)]
pub enum Hole<'v> {
    /// The expression.
    Expression(ExprId),
    /// The secret of that name.
    Secret(&'v str),
}

/// A node, looked at before the run; the state is that of [`super::outlook()`] or [`super::foresee()`].
#[derive(Clone, Copy, Debug)]
pub struct Foresight<'s> {
    plan: &'s Plan,
    state: &'s State,
    node: NodeId,
}

impl<'s> Foresight<'s> {
    /// A look at the node.
    #[must_use]
    pub fn of(plan: &'s Plan, state: &'s State, node: NodeId) -> Self {
        Self { plan, state, node }
    }

    fn step(self) -> StepIndex {
        self.state.node(self.node).step
    }

    fn scope(self) -> NodeScope<'s> {
        NodeScope::of(self.plan, self.state, self.node)
    }

    /// Looks at the nodes through which this one is called, the innermost first; at the node itself before them.
    pub fn callers(self) -> impl Iterator<Item = Self> {
        let caller = |look: &Self| {
            let caller = look.state.frame(look.state.node(look.node).frame).caller;
            caller.map(|node| Self { node, ..*look })
        };
        std::iter::successors(Some(self), caller)
    }

    /// Whether the step is done at all; nothing where only the run can tell. What a step calls is left out with it.
    #[must_use]
    pub fn applies(self) -> Option<bool> {
        if self.callers().any(|look| look.condition() == Some(false)) { Some(false) } else { self.condition() }
    }

    /// Whether its own condition holds.
    fn condition(self) -> Option<bool> {
        let Some(when) = self.plan.step(self.step()).when else { return Some(true) };
        let known = self.waits(when).is_empty();
        known.then(|| self.plan.expressions(self.step()).condition(when, &self.scope()).ok()).flatten()
    }

    /// What has to be known before the expression has a value.
    #[must_use]
    pub fn waits(self, id: ExprId) -> BTreeSet<Wait> {
        let mut waits = BTreeSet::new();
        let part = self.plan.part_of(self.step());
        for path in &self.plan.expressions(self.step()).get(id).scan.paths {
            match path.parts.as_slice() {
                [root, id, ..] if root == "steps" => waits.extend(part.find(id).map(Wait::Step)),
                [root, ..] if root == "run" => drop(waits.insert(Wait::Run)),
                [root, ..] if root == "item" && self.state.node(self.node).item.is_none() => {
                    waits.insert(Wait::Item);
                }
                [root, name, ..] if root == "inputs" => waits.extend(self.input_waits(name)),
                _ => {}
            }
        }
        waits
    }

    /// What an input of a called runbook waits for: what its caller hands over.
    fn input_waits(self, name: &str) -> BTreeSet<Wait> {
        let Some(caller) = self.callers().nth(1).filter(|_| self.scope().input_is_unknown(Some(name))) else {
            return BTreeSet::new();
        };
        let mut expressions = Vec::new();
        let written = handed(&self.plan.step(caller.step()).action, name);
        written.into_iter().for_each(|written| written.expressions(&mut expressions));
        expressions.into_iter().flat_map(|id| caller.waits(id)).collect()
    }

    /// The value of an expression; as it was written where it is not known.
    #[must_use]
    pub fn expression(self, id: ExprId) -> Value {
        let expressions = self.plan.expressions(self.step());
        let value = self.waits(id).is_empty().then(|| expressions.evaluate(id, &self.scope()).ok()).flatten();
        value.unwrap_or_else(|| self.written(Hole::Expression(id)))
    }

    /// An expression or a secret as it was written, in its braces.
    #[must_use]
    pub fn written(self, hole: Hole<'_>) -> Value {
        let value = match hole {
            Hole::Expression(id) => Templated::Expression(id),
            Hole::Secret(name) => Templated::Secret(name.to_owned()),
        };
        written(self.plan.runbook_of(self.step()), &value)
    }
}

/// The value with what `fill` gives in each of its holes.
pub fn filled(value: &Templated, fill: &mut dyn FnMut(Hole<'_>) -> Value) -> Value {
    match value {
        Templated::Plain(value) => value.clone(),
        Templated::Expression(id) => fill(Hole::Expression(*id)),
        Templated::Secret(name) => fill(Hole::Secret(name)),
        Templated::Text(segments) => {
            let mut segment = |segment: &Segment| match segment {
                Segment::Text(text) => text.clone(),
                Segment::Expression(id) => in_text(fill(Hole::Expression(*id))),
                Segment::Secret(name) => in_text(fill(Hole::Secret(name))),
            };
            Value::String(segments.iter().map(&mut segment).collect())
        }
        Templated::List(items) => items.iter().map(|item| filled(item, fill)).collect(),
        Templated::Map(entries) => {
            Value::Object(entries.iter().map(|(name, item)| (name.clone(), filled(item, fill))).collect())
        }
    }
}

fn in_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
