//! Which deliveries of a run are owed: of notices, and of calls to gates that wait.

use serde::Serialize;

use super::deliveries::{Deliveries, deliveries, is_notice};
use super::event::{End, NodePath, StepState};
use super::node::{LevelCall, Node};
use super::state::State;
use crate::plan::Plan;

/// A delivery that has not been made, or may not have been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Owed {
    /// The step whose notice it is, or whose gate people are called to.
    pub step: NodePath,
    /// The call to the step's gate that it belongs to, by its number; nothing where it is of the step's notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<u32>,
    /// The channel; nothing where the notice got no further than its text.
    pub channel: Option<String>,
    /// The recipient, where the channel has several.
    pub to: Option<String>,
    /// Whether it may have been made: only a person can have it made again.
    pub in_doubt: bool,
    /// Why.
    pub reason: String,
}

impl Owed {
    /// What people call it: `mail/ada@example.com`; `call_1/pager` where it is of a call to a gate.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let delivery = self.delivery()?;
        Some(self.call.map_or_else(|| delivery.clone(), |call| format!("call_{call}/{delivery}")))
    }

    /// Its name among the deliveries of its notice or call.
    #[must_use]
    pub fn delivery(&self) -> Option<String> {
        let channel = self.channel.as_ref()?;
        Some(self.to.as_ref().map_or_else(|| channel.clone(), |to| format!("{channel}/{to}")))
    }
}

/// The deliveries that are owed, in the order of the steps. Those a person has given up or vouched for are not, and
/// none of a step that is still under way. Nobody needs a call to a gate that does not wait any more.
#[must_use]
pub fn owed(plan: &Plan, state: &State) -> Vec<Owed> {
    let mut found = Vec::new();
    let is_over = state.ended.is_some() || state.aborted.is_some() || state.rollback.is_some();
    for (id, node) in state.iter() {
        if node.state == StepState::AwaitingApproval && !is_over {
            node.calls().for_each(|call| found.extend(owed_of_call(plan, node, call)));
        }
        let over = match node.state {
            StepState::Failed | StepState::InDoubt => true,
            StepState::Cancelled => state.ended.is_some() && deliveries(node).is_some(),
            _ => false,
        };
        if over && is_notice(plan, node) && !state.is_group(plan, id) {
            let reason = node.reason().unwrap_or("it was cancelled");
            found.extend(owed_of(plan, (&node.path, None), deliveries(node), reason));
        }
    }
    found
}

fn owed_of_call(plan: &Plan, node: &Node, call: &LevelCall) -> Vec<Owed> {
    let (Some(End::Failed { reason: why, .. }) | Some(End::Ambiguous { evidence: why })) = &call.end else {
        return Vec::new();
    };
    let known = call.handle.as_ref().and_then(Deliveries::read);
    owed_of(plan, (&node.path, Some(call.called.call)), known, why)
}

/// What is owed of one notice or call; `reason` is why where nothing is known of its deliveries.
fn owed_of(plan: &Plan, whose: (&NodePath, Option<u32>), known: Option<Deliveries>, reason: &str) -> Vec<Owed> {
    let (step, call) = (whose.0.clone(), whose.1);
    let Some(known) = known else {
        return vec![Owed { step, call, channel: None, to: None, in_doubt: false, reason: reason.to_owned() }];
    };
    let Deliveries { sending, in_doubt, why, given_up, .. } = known;
    if given_up {
        return Vec::new();
    }
    let sending = sending.filter(|name| !in_doubt.contains(name));
    let lost =
        sending.iter().map(|name| (name.clone(), !plan.workspace.deduplicates(channel_of(name)), CUT_SHORT.to_owned()));
    let known = why.iter().filter(|(name, _)| sending.as_ref() != Some(*name));
    let known = known.map(|(name, why)| (name.clone(), in_doubt.contains(name), why.clone()));
    // Of a journal that gives no reasons.
    let bare = in_doubt.iter().filter(|name| !why.contains_key(*name));
    let bare = bare.map(|name| (name.clone(), true, reason.to_owned()));
    let owed = |(name, in_doubt, reason): (String, bool, String)| {
        let (channel, to) = name.split_once('/').map_or((name.as_str(), None), |(name, to)| (name, Some(to)));
        let (channel, to) = (Some(channel.to_owned()), to.map(str::to_owned));
        Owed { step: step.clone(), call, channel, to, in_doubt, reason }
    };
    lost.chain(known).chain(bare).map(owed).collect()
}

/// Why a delivery is in doubt that was being made when drctl was killed.
pub const CUT_SHORT: &str = "drctl ended before it saw an answer";

/// The channel of a delivery.
#[must_use]
pub fn channel_of(name: &str) -> &str {
    name.split_once('/').map_or(name, |(channel, _)| channel)
}
