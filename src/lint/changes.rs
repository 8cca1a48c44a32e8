//! What several rules ask of a step: whether it changes something, and whether it looks at the world.

use super::Subject;
use crate::catalogue::Effect;
use crate::runbook::ast::{ActionUse, Phase, Step};

/// Actions that change nothing a machine could undo or look at: people, waiting, notices, and other runbooks, whose
/// steps are judged where they stand.
const OTHERS: [&str; 5] = ["manual", "wait", "notify", "assert", "runbook"];

impl Subject<'_> {
    /// The steps that change something in the phases that recover the service.
    pub(super) fn changing(&self) -> impl Iterator<Item = &Step> {
        let recovers = |step: &&Step| step.phase != Phase::Communication && step.repeat.is_none();
        self.runbook.steps.iter().filter(recovers).filter(|step| self.changes(&step.action))
    }

    /// Whether an action changes something, as far as its parameters are known before the run.
    pub(super) fn changes(&self, action: &ActionUse) -> bool {
        self.is_of_machines(action) && self.effect(action) != Some(Effect::Reads)
    }

    /// Whether an action looks at the world, and changes nothing.
    pub(super) fn looks(&self, action: &ActionUse) -> bool {
        self.is_of_machines(action) && self.effect(action) == Some(Effect::Reads)
    }

    /// What repeating an action would do, as far as its parameters are known before the run.
    pub(super) fn effect(&self, action: &ActionUse) -> Option<Effect> {
        let spec = self.catalogue.get(&action.name.value)?;
        action.with.value.known().map(|known| (spec.effect)(&known))
    }

    fn is_of_machines(&self, action: &ActionUse) -> bool {
        let name = action.name.value.as_str();
        self.catalogue.get(name).is_some() && !OTHERS.contains(&name)
    }
}
