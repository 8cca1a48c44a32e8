//! What people said: on gates, on doubts, on everything else.

use std::collections::BTreeMap;

use super::super::needs::done_word;
use super::super::plan::Seconds;
use super::model::{Approval, Decision, Doubt, Vote, Who};
use super::moments::{Moment, Moments};
use crate::catalogue::Timestamp;
use crate::engine::event::GateOpened;
use crate::engine::{self, Decided, Deliveries, Event, NodeId, StepState};

/// Every gate that opened, in order.
pub(super) fn approvals(moments: &Moments<'_>) -> Vec<Approval> {
    let mut gates: Vec<Approval> = Vec::new();
    let mut open: BTreeMap<NodeId, usize> = BTreeMap::new();
    for (moment, node) in moments.of_steps() {
        if let Event::GateOpened(opened) = moment.event {
            open.insert(node, gates.len());
            gates.push(gate(moment.at, opened));
        }
        let Some(gate) = open.get(&node).map(|at| &mut gates[*at]) else { continue };
        take_in(gate, moment);
        if gate.settled_at.is_some() {
            open.remove(&node);
        }
    }
    let ended = moments.state.ended.is_some();
    for (at, gate) in gates.iter_mut().enumerate() {
        if ended && open.values().any(|open| *open == at) {
            (gate.settled_at, gate.outcome) = (Some(moments.state.last_at), "never answered");
        }
        let until = gate.settled_at.unwrap_or(moments.state.last_at);
        gate.waited = Seconds(gate.opened_at.until(until));
        gate.late = gate.deadline.is_some_and(|deadline| until > deadline);
    }
    gates
}

fn gate(at: Timestamp, opened: &GateOpened) -> Approval {
    Approval {
        step: opened.step.to_string(),
        prompt: opened.prompt.clone(),
        preview: opened.shown().collect(),
        digest: opened.digest.clone(),
        by: opened.by.clone(),
        quorum: opened.quorum,
        opened_at: at,
        deadline: opened.deadline,
        settled_at: None,
        waited: Seconds::default(),
        late: false,
        escalated: Vec::new(),
        outcome: "open",
        votes: Vec::new(),
    }
}

/// What a record makes of an open gate.
fn take_in(gate: &mut Approval, moment: &Moment<'_>) {
    match moment.event {
        Event::Decided(decided) => gate.votes.extend(vote(moment.at, decided)),
        Event::GateEscalated { to, .. } => gate.escalated.push((moment.at, to.clone())),
        _ => {}
    }
    if moment.after == StepState::AwaitingApproval {
        return;
    }
    gate.settled_at = Some(moment.at);
    gate.outcome = match moment.event {
        Event::Decided(decided) if decided.decision == engine::Decision::Reject => "rejected",
        Event::Decided(decided) if matches!(decided.decision, engine::Decision::Approve { .. }) => "approved",
        Event::Decided(_) => "left out",
        Event::GateVoided { .. } => "void",
        Event::StepFailed { .. } => "nobody answered in time",
        _ => "settled",
    };
}

fn vote(taken_at: Timestamp, decided: &Decided) -> Option<Vote> {
    let word = match decided.decision {
        engine::Decision::Approve { .. } => "approve",
        engine::Decision::Reject => "reject",
        _ => return None,
    };
    Some(Vote {
        word,
        who: Who::of(&decided.person),
        at: decided.at,
        taken_at,
        from: decided.from.clone(),
        comment: decided.reason.clone(),
    })
}

/// Every decision that is no vote on a gate, in order.
pub(super) fn decisions(moments: &Moments<'_>) -> Vec<Decision> {
    let mut all: Vec<Decision> = moments.all.iter().filter_map(made).collect();
    // What was owed is journaled delivery by delivery; a person asked for it once.
    all.dedup_by(|later, one| {
        (&later.step, &later.what, &later.who.name, &later.reason) == (&one.step, &one.what, &one.who.name, &one.reason)
    });
    all
}

fn made(moment: &Moment<'_>) -> Option<Decision> {
    let typed = |person, step: Option<String>, what: String, reason: &Option<String>| Decision {
        at: moment.at,
        step,
        what,
        who: Who::of(person),
        reason: reason.clone(),
        from: "command".to_owned(),
    };
    match moment.event {
        Event::Decided(decided) => {
            let votes = matches!(decided.decision, engine::Decision::Approve { .. } | engine::Decision::Reject);
            (!votes).then(|| decision(decided))
        }
        Event::Redelivered { step, handle, person, reason, .. } => {
            let given_up = Deliveries::read(handle).is_some_and(|known| known.given_up);
            let what = if given_up { "give up what was owed" } else { "settle what was owed" };
            Some(typed(person, Some(step.to_string()), what.to_owned(), reason))
        }
        Event::RunStarted(started) => {
            let drill = started.drill.as_ref()?;
            let outside = if started.outside_window.is_some() { ", outside its maintenance window" } else { "" };
            Some(typed(&started.operator, None, format!("hold the drill {drill}{outside}"), &started.outside_window))
        }
        _ => None,
    }
}

fn decision(decided: &Decided) -> Decision {
    Decision {
        at: decided.at,
        step: decided.step.as_ref().map(ToString::to_string),
        what: done_word(decided).to_owned(),
        who: Who::of(&decided.person),
        reason: decided.reason.clone(),
        from: decided.from.clone(),
    }
}

/// Every doubt, and what was said of it.
pub(super) fn doubts(moments: &Moments<'_>) -> Vec<Doubt> {
    let mut doubts: Vec<Doubt> = Vec::new();
    for (moment, node) in moments.of_steps() {
        let path = moments.path(node);
        match moment.event {
            Event::InDoubt { evidence, .. } => {
                doubts.push(Doubt { step: path, at: moment.at, evidence: evidence.clone(), resolved: None });
            }
            Event::Decided(decided) => {
                let open = doubts.iter_mut().rev().find(|doubt| doubt.step == path && doubt.resolved.is_none());
                if let Some(doubt) = open {
                    doubt.resolved = Some(decision(decided));
                }
            }
            _ => {}
        }
    }
    doubts
}
