//! Two mistakes a runner of runbooks must not make, built in only for the test that has to find them.

use crate::edge::environment;
use crate::engine::event::Event;
use crate::journal::Record;

/// The mistake that `DRCTL_MUTANT` names.
pub(super) struct Mutant {
    effect_before_intent: bool,
    late: Vec<Record<Event>>,
}

impl Default for Mutant {
    fn default() -> Self {
        Self { effect_before_intent: is_on("effect_before_intent"), late: Vec::new() }
    }
}

impl Mutant {
    /// Effects start before anything is written.
    pub(super) fn starts_early(&self) -> bool {
        self.effect_before_intent
    }

    /// What a step is about to do is kept back until something has happened, as if it were written only with that.
    pub(super) fn late(&mut self, records: Vec<Record<Event>>) -> Vec<Record<Event>> {
        if !self.effect_before_intent {
            return records;
        }
        let last = records.last().map(|record| &record.event);
        let begins = matches!(last, None | Some(Event::Intent(_) | Event::Handle { .. }));
        self.late.extend(records);
        if begins { Vec::new() } else { std::mem::take(&mut self.late) }
    }
}

/// Whether interrupted steps are simply run again.
pub(super) fn retries_blindly() -> bool {
    is_on("blind_retry")
}

fn is_on(name: &str) -> bool {
    environment::variable("DRCTL_MUTANT").as_deref() == Some(name)
}
