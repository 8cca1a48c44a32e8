//! Decisions that were made while nobody drove the run: what they will make of it.

use serde_json::{Value, json};

use super::needs::done_word;
use super::words;
use crate::engine::{Decided, State};

/// Decisions that the next resume takes, and the state after them: what is still asked follows from it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// In the order in which they are taken.
    pub decisions: Vec<Decided>,
    /// The state that they make of the run.
    pub after: State,
}

impl Kept {
    /// None were made.
    #[must_use]
    pub fn nothing(state: &State) -> Self {
        Self { decisions: Vec::new(), after: state.clone() }
    }

    /// A line for each; raw.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.decisions.iter().map(|decided| {
            let step = decided.step.as_ref().map_or_else(|| "the run".to_owned(), ToString::to_string);
            let why = decided.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let (who, when) = (words::person(&decided.person), words::time_of_day(decided.at));
            format!("  {step}: {} at {when} UTC by {who}{why}", done_word(decided))
        })
    }

    pub(super) fn json(&self) -> Value {
        let entry = |decided: &Decided| {
            json!({
                "step": decided.step, "decision": decided.decision.name(), "by": decided.person,
                "at": decided.at, "reason": decided.reason,
            })
        };
        self.decisions.iter().map(entry).collect()
    }
}
