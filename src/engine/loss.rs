//! How much data may be lost, by what the steps of a run measured until now.

use std::time::Duration;

use serde_json::Value;

use super::event::NodePath;
use super::state::{NodeId, State};
use crate::catalogue::HumanDuration;
use crate::plan::{Plan, loss_measure};

/// The largest loss that one of the steps that count measured, and which step; nothing where none did.
#[must_use]
pub fn measured_loss(plan: &Plan, state: &State, counts: impl Fn(NodeId) -> bool) -> Option<(Duration, NodePath)> {
    let measured = state.iter().filter(|(id, _)| counts(*id)).filter_map(|(_, node)| {
        let output = loss_measure(&plan.catalogue, plan.step(node.step))?;
        Some((span(node.outputs.values()?.get(output)?)?, node.path.clone()))
    });
    measured.reduce(|largest, next| if next.0 > largest.0 { next } else { largest })
}

fn span(value: &Value) -> Option<Duration> {
    match value {
        Value::String(text) => HumanDuration::parse(text).ok().map(|span| span.0),
        _ => Duration::try_from_secs_f64(value.as_f64()?.max(0.0)).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_measure_is_seconds_or_a_duration() {
        assert_eq!(span(&json!(1.5)), Some(Duration::from_millis(1500)));
        assert_eq!(span(&json!("2m")), Some(Duration::from_mins(2)));
        assert_eq!(span(&json!(-3)), Some(Duration::ZERO));
        assert_eq!(span(&json!(null)), None);
        assert_eq!(span(&json!("soon")), None);
    }
}
