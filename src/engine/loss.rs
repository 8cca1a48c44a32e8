//! How much data a run may have lost, by what its steps measured until now, against the RPO.
//!
//! Does not know what was really lost: it repeats the measure, and says whose it is.

use std::time::Duration;

use serde_json::{Value, json};

use super::event::NodePath;
use super::state::{NodeId, State};
use crate::catalogue::{HumanDuration, to_the_second};
use crate::plan::{Plan, loss_measure};

/// The loss of data of a run, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataLoss {
    /// The RPO.
    pub objective: Option<Duration>,
    /// The largest loss that a step measured, and which step.
    pub measured: Option<(Duration, NodePath)>,
}

impl DataLoss {
    /// As far as the steps that count measured it until now.
    #[must_use]
    pub fn of(plan: &Plan, state: &State, counts: impl Fn(NodeId) -> bool) -> Self {
        Self { objective: plan.runbook.objectives.rpo, measured: measured_loss(plan, state, counts) }
    }

    /// How much more than the RPO was measured; nothing where it was met, and where either is not known.
    #[must_use]
    pub fn over(&self) -> Option<Duration> {
        let (measured, _) = self.measured.as_ref()?;
        measured.checked_sub(self.objective?).filter(|over| !over.is_zero())
    }

    /// The loss as a sentence: ``RPO 5m: up to 12s of data lost, measured by `lag` ``. Nothing where there is
    /// neither an objective nor a measure.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let objective = self.objective.map(|objective| format!("RPO {}: ", to_the_second(objective)));
        let Some((measured, step)) = &self.measured else {
            return objective.map(|objective| format!("{objective}no step measured how much data is lost"));
        };
        let over = self.over().map(|over| format!(" ({} over)", to_the_second(over))).unwrap_or_default();
        let lost =
            if measured.is_zero() { "no data".to_owned() } else { format!("up to {}", to_the_second(*measured)) };
        Some(format!("{}{lost} lost{over}, measured by `{step}`", objective.unwrap_or_default()))
    }

    /// The same for programs, in seconds.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "objective": self.objective.map(|span| span.as_secs_f64()),
            "measured": self.measured.as_ref().map(|(span, _)| span.as_secs_f64()),
            "measured_by": self.measured.as_ref().map(|(_, step)| step),
        })
    }
}

/// The largest loss that one of the steps that count measured, and which step; nothing where none did.
fn measured_loss(plan: &Plan, state: &State, counts: impl Fn(NodeId) -> bool) -> Option<(Duration, NodePath)> {
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

    #[test]
    fn a_measure_is_seconds_or_a_duration() {
        assert_eq!(span(&json!(1.5)), Some(Duration::from_millis(1500)));
        assert_eq!(span(&json!("2m")), Some(Duration::from_mins(2)));
        assert_eq!(span(&json!(-3)), Some(Duration::ZERO));
        assert_eq!(span(&json!(null)), None);
        assert_eq!(span(&json!("soon")), None);
    }

    fn words(objective: Option<u64>, measured: Option<u64>) -> Option<String> {
        let measured = measured.map(|seconds| (Duration::from_secs(seconds), NodePath("lag".into())));
        DataLoss { objective: objective.map(Duration::from_secs), measured }.words()
    }

    #[test]
    fn a_loss_is_said_with_the_objective_and_who_measured_it() {
        assert_eq!(words(None, None), None);
        let told = |text: &str| Some(text.to_owned());
        assert_eq!(words(Some(300), None), told("RPO 5m: no step measured how much data is lost"));
        assert_eq!(words(Some(300), Some(0)), told("RPO 5m: no data lost, measured by `lag`"));
        assert_eq!(words(Some(300), Some(300)), told("RPO 5m: up to 5m lost, measured by `lag`"));
        assert_eq!(words(Some(300), Some(312)), told("RPO 5m: up to 5m12s lost (12s over), measured by `lag`"));
        assert_eq!(words(None, Some(12)), told("up to 12s lost, measured by `lag`"));
    }
}
