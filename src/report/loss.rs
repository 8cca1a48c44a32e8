//! How much data a run may have lost, by what its steps measured, against the RPO.
//!
//! Does not know what was really lost: it repeats the measure, and says whose it is.

use std::time::Duration;

use serde_json::{Value, json};

use super::words;
use crate::engine::{NodeId, NodePath, State, measured_loss};
use crate::plan::Plan;

/// The loss of data of a run, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataLoss {
    /// The RPO.
    pub objective: Option<Duration>,
    /// The largest loss that a step measured, and which step.
    pub measured: Option<(Duration, NodePath)>,
}

/// The loss of data of a run, as far as its steps measured it until now.
#[must_use]
pub fn data_loss(plan: &Plan, state: &State) -> DataLoss {
    loss_of(plan, state, |_| true)
}

/// The same, as far as some of its steps measured it.
pub(super) fn loss_of(plan: &Plan, state: &State, counts: impl Fn(NodeId) -> bool) -> DataLoss {
    DataLoss { objective: plan.runbook.objectives.rpo, measured: measured_loss(plan, state, counts) }
}

impl DataLoss {
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
        let objective = self.objective.map(|objective| format!("RPO {}: ", words::span(objective)));
        let Some((measured, step)) = &self.measured else {
            return objective.map(|objective| format!("{objective}no step measured how much data is lost"));
        };
        let over = self.over().map(|over| format!(" ({} over)", words::span(over))).unwrap_or_default();
        let lost = if measured.is_zero() { "no data".to_owned() } else { format!("up to {}", words::span(*measured)) };
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

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn words(objective: Option<u64>, measured: Option<u64>) -> Option<String> {
        let measured = measured.map(|seconds| (Duration::from_secs(seconds), fixture::path("lag")));
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
