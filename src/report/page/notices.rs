//! Who was told what, and who was not.

use std::collections::BTreeMap;

use serde_json::Value;

use super::model::{ChannelState, Delivery, Notice};
use super::moments::{Moment, Moments};
use crate::catalogue::Timestamp;
use crate::engine::event::Intent;
use crate::engine::{Deliveries, End, Event, LevelCall, NodeId, Owed, Side, StepState, owed};
use crate::plan::REQUEST;

/// The action that tells people.
const NOTIFY: &str = "notify";

/// Every notice that was begun, and every call to a gate, in order.
pub(super) fn notices(moments: &Moments<'_>) -> Vec<Notice> {
    let mut all = of_steps(moments);
    let made = moments.state.iter().flat_map(|(_, node)| node.more.iter().flat_map(|more| &more.calls.1));
    let owed = owed(moments.plan, &moments.state);
    all.extend(made.map(|call| called(call, &owed)));
    all.sort_by_key(|notice| notice.at);
    all
}

/// A call to a gate. One that reached nobody is owed only as long as its gate waits.
fn called(call: &LevelCall, owed: &[Owed]) -> Notice {
    let made = &call.called;
    let text = |name: &str| made.message.get(name).and_then(Value::as_str).map(str::to_owned);
    let is_owed = owed.iter().any(|owed| owed.step == made.step && owed.call == Some(made.call));
    let (state, reason) = match &call.end {
        None | Some(End::Cancelled) => ("under way", None),
        Some(End::Succeeded { .. }) => ("sent", None),
        Some(End::Ambiguous { evidence: why }) => (if is_owed { "in doubt" } else { "lapsed" }, Some(why.clone())),
        Some(End::Failed { reason: why, .. }) => (if is_owed { "owed" } else { "lapsed" }, Some(why.clone())),
    };
    let through = made.channels.iter().map(|to| Delivery { to: to.clone(), state: ChannelState::Owed });
    let mut notice = Notice {
        step: made.step.to_string(),
        template: REQUEST.to_owned(),
        audience: made.calls.clone(),
        subject: text("subject"),
        body: text("body"),
        at: made.at,
        state,
        reason,
        deliveries: through.collect(),
    };
    call.handle.iter().for_each(|handle| handled(&mut notice, handle));
    let is_told = |delivery: &Delivery| delivery.state == ChannelState::Delivered;
    match notice.state {
        "lapsed" => notice.deliveries.retain(is_told),
        "sent" => notice.deliveries.iter_mut().for_each(|delivery| delivery.state = ChannelState::Delivered),
        _ => {}
    }
    notice
}

fn of_steps(moments: &Moments<'_>) -> Vec<Notice> {
    let mut notices: Vec<Notice> = Vec::new();
    let mut known: BTreeMap<NodeId, usize> = BTreeMap::new();
    for (moment, node) in moments.of_steps().filter(|(_, node)| moments.action(*node) == NOTIFY) {
        let at = *known.entry(node).or_insert_with(|| {
            notices.push(begun(moments, node, moment.at));
            notices.len() - 1
        });
        take_in(&mut notices[at], moment);
    }
    let mut shown = Vec::new();
    for (node, at) in known {
        let notice = &mut notices[at];
        settle(notice, moments, node);
        let told = !notice.template.is_empty() || matches!(notice.state, "owed" | "given up");
        shown.extend(told.then_some(at));
    }
    shown.sort_unstable();
    shown.into_iter().map(|at| notices[at].clone()).collect()
}

fn begun(moments: &Moments<'_>, node: NodeId, at: Timestamp) -> Notice {
    Notice {
        step: moments.path(node),
        template: String::new(),
        audience: String::new(),
        subject: None,
        body: None,
        at,
        state: "under way",
        reason: None,
        deliveries: Vec::new(),
    }
}

fn take_in(notice: &mut Notice, moment: &Moment<'_>) {
    match moment.event {
        Event::Intent(intent) if intent.side == Side::Apply => intended(notice, intent),
        Event::Redelivered { handle, person, reason, .. } if is_given_up(handle) => {
            let why = reason.as_deref().unwrap_or("no reason given");
            (notice.state, notice.reason) = ("given up", Some(format!("given up by {}: {why}", person.name)));
        }
        Event::Handle { handle, side: Side::Apply, .. } | Event::Redelivered { handle, .. } => handled(notice, handle),
        _ => {}
    }
}

fn intended(notice: &mut Notice, intent: &Intent) {
    let text = |pointer: &str| intent.with.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    notice.template = text("/template").unwrap_or_default();
    notice.audience = text("/audience").unwrap_or_default();
    notice.subject = text("/message/subject");
    notice.body = text("/message/body");
    for channel in intent.with.get("channels").and_then(Value::as_array).into_iter().flatten() {
        let to = named(channel);
        if !notice.deliveries.iter().any(|delivery| delivery.to == to) {
            notice.deliveries.push(Delivery { to, state: ChannelState::Owed });
        }
    }
}

/// What the action's handle says of each delivery: those that were taken, those in doubt, and why others were not.
fn handled(notice: &mut Notice, handle: &Value) {
    // It may tell only what has changed.
    let handle = handle.get("deliveries").unwrap_or(handle);
    let listed = |name: &str| handle.get(name).and_then(Value::as_array).into_iter().flatten().map(named);
    let refused = handle.get("why").and_then(Value::as_object).into_iter().flat_map(|why| why.keys().cloned());
    let told = refused.map(|to| (to, ChannelState::Owed));
    let told = told.chain(listed("delivered").map(|to| (to, ChannelState::Delivered)));
    for (to, state) in told.chain(listed("in_doubt").map(|to| (to, ChannelState::InDoubt))) {
        // A channel with several recipients is told by its deliveries: `mail/ada@example.com`.
        notice.deliveries.retain(|known| known.to == to || !to.starts_with(&format!("{}/", known.to)));
        match notice.deliveries.iter_mut().find(|known| known.to == to) {
            Some(known) => known.state = state,
            None => notice.deliveries.push(Delivery { to, state }),
        }
    }
}

/// The name of a channel or a delivery.
fn named(entry: &Value) -> String {
    let name = entry.as_str().or_else(|| entry.get("name").and_then(Value::as_str));
    name.unwrap_or("unknown channel").to_owned()
}

/// Whether each of its deliveries is known to have been made.
fn is_settled(notice: &Notice) -> bool {
    !notice.deliveries.is_empty() && notice.deliveries.iter().all(|delivery| delivery.state == ChannelState::Delivered)
}

fn is_given_up(handle: &Value) -> bool {
    Deliveries::read(handle).is_some_and(|known| known.given_up)
}

fn settle(notice: &mut Notice, moments: &Moments<'_>, id: NodeId) {
    if moments.state.node(id).state != StepState::Succeeded && notice.state == "given up" {
        notice.deliveries.retain(|delivery| delivery.state == ChannelState::Delivered);
        return;
    }
    let node = moments.state.node(id);
    let doubtful = notice.deliveries.iter().any(|delivery| delivery.state == ChannelState::InDoubt);
    notice.state = match node.state {
        StepState::Succeeded => "sent",
        // What was owed when the step ended has been delivered since, or somebody knows that it had arrived.
        StepState::Failed | StepState::InDoubt if is_settled(notice) => "sent",
        StepState::InDoubt => "in doubt",
        StepState::Failed if doubtful => "in doubt",
        StepState::Failed | StepState::Cancelled | StepState::RetryWait => "owed",
        StepState::Skipped => "skipped",
        _ => "under way",
    };
    let simple = notice.state == "sent" && node.overridden().is_none();
    notice.reason = node.overridden().or(node.failed()).or(node.reason()).filter(|_| !simple).map(str::to_owned);
    if simple {
        let owed = notice.deliveries.iter_mut().filter(|delivery| delivery.state == ChannelState::Owed);
        owed.for_each(|delivery| delivery.state = ChannelState::Delivered);
    }
}
