//! Values of a plan, as far as they are known before the run.

use std::collections::BTreeSet;

use serde_json::Value;

use super::outline::{Parameter, Use};
use crate::engine::{Foresight, Hole, NodeId, State, Wait, filled};
use crate::plan::Plan;
use crate::runbook::ast::ActionUse;
use crate::runbook::expr::Templated;

/// The values of one step.
pub(super) struct Values<'p> {
    plan: &'p Plan,
    look: Foresight<'p>,
    /// The part of the plan that the step stands in.
    part: usize,
}

impl<'p> Values<'p> {
    pub(super) fn of(plan: &'p Plan, state: &'p State, node: NodeId) -> Self {
        let part = state.frame(state.node(node).frame).part;
        Self { plan, look: Foresight::of(plan, state, node), part }
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
        let mut waits = BTreeSet::new();
        let value = self.value(value, &mut waits);
        let known_after: BTreeSet<String> = waits.into_iter().map(|wait| self.word(wait)).collect();
        Parameter { name: name.to_owned(), value, known_after: known_after.into_iter().collect() }
    }

    /// A text on one line.
    pub(super) fn line(&self, text: &Templated) -> String {
        let text = match self.value(text, &mut BTreeSet::new()) {
            Value::String(text) => text,
            other => other.to_string(),
        };
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn value(&self, value: &Templated, waits: &mut BTreeSet<Wait>) -> Value {
        filled(value, &mut |hole| match hole {
            Hole::Secret(name) => Value::String(format!("<secret {}>", self.plan.parts[self.part].secret(name))),
            Hole::Expression(id) => {
                let own = self.look.waits(id);
                if own.is_empty() {
                    return self.look.expression(id);
                }
                let mark = Value::String(self.mark(&own));
                waits.extend(own);
                mark
            }
        })
    }

    /// What is waited for: the path of a step, or one word.
    fn word(&self, wait: Wait) -> String {
        match wait {
            Wait::Step(step) => self.plan.path(step),
            Wait::Run => "run".to_owned(),
            Wait::Item => "item".to_owned(),
        }
    }

    /// `(known after probe, lag)`.
    fn mark(&self, waits: &BTreeSet<Wait>) -> String {
        let steps = waits.iter().filter(|wait| matches!(wait, Wait::Step(_)));
        let steps: BTreeSet<String> = steps.map(|step| self.word(*step)).collect();
        match (steps.is_empty(), waits.contains(&Wait::Item)) {
            (true, true) => "(of each item)".to_owned(),
            (true, false) => "(known in the run)".to_owned(),
            (false, _) => format!("(known after {})", steps.into_iter().collect::<Vec<_>>().join(", ")),
        }
    }
}
