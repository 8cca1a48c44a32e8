//! Which steps look whether the service is back.

use crate::catalogue::{Catalogue, Effect};
use crate::runbook::ast::{ActionUse, Phase, Step};

use super::is_main;

/// Actions that change nothing a machine could undo or look at: people, waiting, notices, and other runbooks, whose
/// steps are judged where they stand.
const OTHERS: [&str; 5] = ["manual", "wait", "notify", "assert", "runbook"];

/// Whether machines do the action: it changes something, or looks at something.
#[must_use]
pub fn is_of_machines(catalogue: &Catalogue, action: &ActionUse) -> bool {
    let name = action.name.value.as_str();
    catalogue.get(name).is_some() && !OTHERS.contains(&name)
}

/// What repeating an action would do, as far as its parameters are known before the run.
#[must_use]
pub fn effect(catalogue: &Catalogue, action: &ActionUse) -> Option<Effect> {
    let spec = catalogue.get(&action.name.value)?;
    action.with.value.known().map(|known| (spec.effect)(&known))
}

/// Whether an action looks at the world, and changes nothing.
#[must_use]
pub fn looks(catalogue: &Catalogue, action: &ActionUse) -> bool {
    is_of_machines(catalogue, action) && effect(catalogue, action) == Some(Effect::Reads)
}

/// Whether the step belongs to the validation of a recovery: a step of the execution that looks whether all is well.
#[must_use]
pub fn is_validation(catalogue: &Catalogue, step: &Step) -> bool {
    let is_check = step.verify.is_some() || step.action.name.value == "assert" || looks(catalogue, &step.action);
    step.phase == Phase::Execution && is_main(step) && is_check
}
