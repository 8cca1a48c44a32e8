//! What is done for deliveries that are owed, once a person asks for it: each that was not made is, and of those in doubt
//! only what the person says.

use super::deliveries::{Deliveries, notice_known};
use super::event::NodePath;
use super::owed::Owed;
use super::state::State;
use crate::diag::closest;
use crate::plan::Plan;

/// What a person says of deliveries in doubt, each by its name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said<'s> {
    /// They are to be made all the same.
    pub doubtful: &'s [String],
    /// They are known to have arrived.
    pub arrived: &'s [String],
}

impl Said<'_> {
    /// A doubt is settled by its name, and only where there is one.
    ///
    /// # Errors
    /// A name that is none of a delivery in doubt, in words for who typed it.
    pub fn check(&self, owed: &[Owed]) -> Result<(), String> {
        let doubtful: Vec<String> = owed.iter().filter(|owed| owed.in_doubt).filter_map(Owed::name).collect();
        let Some(name) = self.doubtful.iter().chain(self.arrived).find(|name| !doubtful.contains(name)) else {
            return Ok(());
        };
        let there = match doubtful.as_slice() {
            [] => "none is".to_owned(),
            some => format!("those that are: `{}`", some.join("`, `")),
        };
        let meant = closest(name, doubtful.iter().map(String::as_str));
        let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        Err(format!("the delivery `{name}` is not in doubt: {there}{meant}"))
    }
}

/// What one notice, or one call to a gate, still owes.
#[derive(Clone, Debug, PartialEq)]
pub struct Redelivery {
    /// The step.
    pub step: NodePath,
    /// The call to its gate, by its number; nothing where it is the step's notice.
    pub call: Option<u32>,
    /// What is known of its deliveries, what the person says among it.
    pub known: Deliveries,
    /// Whether the person says of any that it arrived: that is journaled, whatever is sent.
    pub is_settled: bool,
    /// Whether there is anything to send.
    pub sends: bool,
}

/// The notices and calls that owe anything, in their order.
#[must_use]
pub fn debtors(owed: &[Owed]) -> Vec<(NodePath, Option<u32>)> {
    let mut debtors: Vec<_> = owed.iter().map(|owed| (owed.step.clone(), owed.call)).collect();
    debtors.dedup();
    debtors
}

/// What is done for one of them; nothing where the run does not know it.
#[must_use]
pub fn redelivery(
    plan: &Plan,
    state: &State,
    (step, call): (&NodePath, Option<u32>),
    owed: &[Owed],
    said: Said<'_>,
) -> Option<Redelivery> {
    let id = state.find(plan, &step.0)?;
    let known = match call {
        None => notice_known(plan, state, id),
        Some(number) => state.node(id).calls().find(|made| made.called.call == number)?.handle.clone(),
    };
    let mut known = known.as_ref().and_then(Deliveries::read).unwrap_or_default();
    let own = || owed.iter().filter(|owed| owed.step == *step && owed.call == call);
    let named = |given: &[String]| -> Vec<String> {
        let those = own().filter(|owed| owed.name().is_some_and(|name| given.contains(&name)));
        those.filter_map(Owed::delivery).collect()
    };
    let (released, arrived) = (named(said.doubtful), named(said.arrived));
    released.iter().for_each(|name| known.release(name));
    arrived.iter().for_each(|name| known.taken(name));
    let sends = own().any(|owed| !owed.in_doubt) || !released.is_empty();
    Some(Redelivery { step: step.clone(), call, known, is_settled: !arrived.is_empty(), sends })
}
