//! What several rules ask of a step: whether it changes something, and whether it looks at the world.

use super::Subject;
use crate::catalogue::Effect;
use crate::plan::checks;
use crate::runbook::ast::{ActionUse, Phase, Step};

impl Subject<'_> {
    /// The steps that change something in the phases that recover the service.
    pub(super) fn changing(&self) -> impl Iterator<Item = &Step> {
        let recovers = |step: &&Step| step.phase != Phase::Communication && step.repeat.is_none();
        self.runbook.steps.iter().filter(recovers).filter(|step| self.may_change(&step.action))
    }

    /// Whether it does. An action that nobody knows may: its step is judged once that is mended.
    fn may_change(&self, action: &ActionUse) -> bool {
        self.catalogue.get(&action.name.value).is_none() || self.changes(action)
    }

    /// Whether an action changes something, as far as its parameters are known before the run.
    pub(super) fn changes(&self, action: &ActionUse) -> bool {
        checks::is_of_machines(self.catalogue, action) && self.effect(action) != Some(Effect::Reads)
    }

    /// Whether an action looks at the world, and changes nothing.
    pub(super) fn looks(&self, action: &ActionUse) -> bool {
        checks::looks(self.catalogue, action)
    }

    /// What repeating an action would do, as far as its parameters are known before the run.
    pub(super) fn effect(&self, action: &ActionUse) -> Option<Effect> {
        checks::effect(self.catalogue, action)
    }
}
