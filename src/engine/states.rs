//! The states of a run and of a step, and the words for them.

use serde::{Deserialize, Serialize};

/// The state of a run, as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Something runs or can start.
    Running,
    /// A step failed, or the operator stopped it.
    Paused,
    /// A gate or a manual step waits for a person.
    AwaitingApproval,
    /// A step is in doubt.
    InDoubt,
    /// All done.
    Succeeded,
    /// All done, but not everything went as written.
    CompletedWithExceptions,
    /// Undone after a failure.
    Failed,
    /// Given up by an operator.
    Aborted,
}

impl RunState {
    /// Its words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::AwaitingApproval => "awaiting approval",
            Self::InDoubt => "in doubt",
            Self::Succeeded => "succeeded",
            Self::CompletedWithExceptions => "completed with exceptions",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
        }
    }

    /// Whether nothing more can happen.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::CompletedWithExceptions | Self::Failed | Self::Aborted)
    }
}

/// The state of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not started.
    #[default]
    Pending,
    /// Its gate is open.
    AwaitingApproval,
    /// A manual step waits for an answer.
    AwaitingPerson,
    /// An attempt is under way.
    Running,
    /// A failed attempt is tried again later.
    RetryWait,
    /// Its `verify` is looked at.
    Verifying,
    /// Done.
    Succeeded,
    /// `when` is false, or there is nothing to do it for.
    NotApplicable,
    /// Failed for good.
    Failed,
    /// Left out by a person.
    Skipped,
    /// Nothing can tell whether it happened.
    InDoubt,
    /// Stopped before it had any effect, or never started when the run ended.
    Cancelled,
    /// It is being undone.
    RollingBack,
    /// It was undone.
    RolledBack,
    /// Undoing it failed.
    RollbackFailed,
}

impl StepState {
    /// Its words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::AwaitingApproval => "awaiting approval",
            Self::AwaitingPerson => "awaiting a person",
            Self::Running => "running",
            Self::RetryWait => "waiting to retry",
            Self::Verifying => "verifying",
            Self::Succeeded => "succeeded",
            Self::NotApplicable => "not applicable",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::InDoubt => "in doubt",
            Self::Cancelled => "cancelled",
            Self::RollingBack => "rolling back",
            Self::RolledBack => "rolled back",
            Self::RollbackFailed => "rollback failed",
        }
    }

    /// Whether an attempt or a look at the world is under way.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Verifying | Self::RollingBack)
    }
}

#[cfg(test)]
mod tests {
    use super::StepState;
    use crate::lint::types::STATES;

    #[test]
    fn conditions_may_compare_with_every_state_and_with_nothing_else() {
        let refused = serde_json::from_str::<StepState>("\"none\"").map_err(|problem| problem.to_string());
        let named = refused.unwrap_err().replace("` at line 1 column 6", "");
        let known: Vec<&str> = named.split('`').skip(3).step_by(2).collect();
        assert_eq!(known, STATES);
    }
}
