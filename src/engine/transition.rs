//! The transitions of a step: one function, and what each event leaves behind on the node.

use super::deliveries::{end_by, known_by, release_doubts};
use super::event::{
    Decided, Decision, End, Event, Intent, LevelCalled, NodePath, Outputs, Resolution, Side, Sight, StepState,
};
use super::node::LevelCall;
use super::state::{Gate, Interrupted, Node};

/// An event that does not fit the state it met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{step}` {what}: the journal and the plan do not belong together")]
pub struct Illegal {
    /// The step.
    pub step: NodePath,
    /// What does not fit.
    pub what: String,
}

/// What an event makes of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The state from here on.
    pub state: StepState,
    /// Whether attempts are counted anew.
    pub restart: bool,
}

/// The state after `event`.
///
/// # Errors
/// There is no such transition.
pub fn transition(node: &Node, has_verify: bool, event: &Event) -> Result<Change, Illegal> {
    let applied = if has_verify { StepState::Verifying } else { StepState::Succeeded };
    let state = match (event, node.state) {
        (Event::Decided(decided), _) => return decide(node, applied, decided),
        (Event::NotApplicable { .. }, StepState::Pending) => StepState::NotApplicable,
        (Event::Called { .. }, StepState::Pending) => StepState::Running,
        (Event::Returned { .. }, StepState::Running) => StepState::Succeeded,
        (Event::RepetitionEnded { .. }, StepState::Pending | StepState::Running) => StepState::Succeeded,
        (Event::GateOpened(_), StepState::Pending) => StepState::AwaitingApproval,
        (Event::GateEscalated { .. } | Event::LevelCalled(_), StepState::AwaitingApproval) => {
            StepState::AwaitingApproval
        }
        // A call may end after the gate was passed.
        (Event::CallHandle { .. } | Event::CallEnded { .. } | Event::Redelivered { call: Some(_), .. }, state) => state,
        (Event::GateVoided { .. }, StepState::Pending | StepState::AwaitingApproval) => StepState::Pending,
        (Event::PersonAsked { .. }, StepState::Pending) => StepState::AwaitingPerson,
        (Event::Intent(intent), state) => began(intent, state).ok_or_else(|| illegal(node, event))?,
        (Event::Handle { .. }, state @ (StepState::Running | StepState::RollingBack)) => state,
        // A notice may be delivered long after its step has ended, and so has the run.
        (Event::Redelivered { .. }, state @ (StepState::Failed | StepState::InDoubt | StepState::Cancelled)) => state,
        (Event::Outcome { end, .. }, StepState::Running) => match end {
            End::Succeeded { .. } => applied,
            End::Failed { retry_at: Some(_), .. } => StepState::RetryWait,
            End::Failed { .. } => StepState::Failed,
            End::Ambiguous { .. } => StepState::Running,
            End::Cancelled => StepState::Cancelled,
        },
        (Event::Outcome { end, .. }, StepState::RollingBack) => match end {
            End::Succeeded { .. } => StepState::RolledBack,
            End::Failed { retry_at: None, .. } | End::Cancelled => StepState::RollbackFailed,
            End::Failed { .. } | End::Ambiguous { .. } => StepState::RollingBack,
        },
        (Event::Observed { sight, .. }, StepState::Running) => match sight {
            Sight::Applied { .. } => applied,
            Sight::NotApplied { .. } => {
                return Ok(Change { state: StepState::Pending, restart: true });
            }
            Sight::UnderWay { .. } | Sight::Unknown { .. } => StepState::Running,
        },
        // A failed step is looked at before a rollback: its effect may be there all the same.
        (Event::Observed { .. }, StepState::Failed) => StepState::Failed,
        (Event::Observed { sight, .. }, StepState::RollingBack) => match sight {
            Sight::Applied { .. } => StepState::RolledBack,
            Sight::NotApplied { .. } | Sight::UnderWay { .. } | Sight::Unknown { .. } => StepState::RollingBack,
        },
        (Event::Verified { holds: true, .. }, StepState::Verifying | StepState::Running) => StepState::Succeeded,
        (Event::Verified { holds: false, .. }, StepState::Verifying) => StepState::Failed,
        (Event::Verified { holds: false, .. }, StepState::Running) => StepState::Running,
        (
            Event::StepFailed { side: Side::Apply, .. },
            StepState::Pending
            | StepState::AwaitingApproval
            | StepState::AwaitingPerson
            | StepState::RetryWait
            | StepState::Verifying,
        ) => StepState::Failed,
        (
            Event::StepFailed { side: Side::Rollback, .. },
            StepState::Succeeded | StepState::Failed | StepState::RollingBack,
        ) => StepState::RollbackFailed,
        // Of journals from before it was said.
        (Event::StepFailed { .. }, StepState::RollingBack) => StepState::RollbackFailed,
        (Event::InDoubt { .. }, StepState::Running | StepState::RollingBack) => StepState::InDoubt,
        _ => return Err(illegal(node, event)),
    };
    Ok(Change { state, restart: false })
}

fn began(intent: &Intent, state: StepState) -> Option<StepState> {
    use StepState::{Cancelled, Failed, Pending, RetryWait, RollingBack, Running, Succeeded};
    match (intent.side, state) {
        (Side::Apply, Pending | RetryWait | Running | Cancelled) => Some(Running),
        (Side::Rollback, Succeeded | Failed | RollingBack) => Some(RollingBack),
        _ => None,
    }
}

fn decide(node: &Node, applied: StepState, decided: &Decided) -> Result<Change, Illegal> {
    use StepState::{AwaitingApproval, AwaitingPerson, Cancelled, Failed, InDoubt, Pending, RetryWait, RollbackFailed};
    let again = Change { state: Pending, restart: true };
    let undo = Change { state: StepState::RollingBack, restart: true };
    let to = |state| Change { state, restart: false };
    Ok(match (&decided.decision, node.state, node.side()) {
        (Decision::Approve { .. }, AwaitingApproval, _) => {
            let gate = node.gate().map_or((0, 1), |gate| (gate.votes.len(), gate.opened.quorum as usize));
            to(if gate.0 + 1 >= gate.1 { Pending } else { AwaitingApproval })
        }
        (Decision::Reject, AwaitingApproval | AwaitingPerson, _) => to(Failed),
        (Decision::Answer { .. }, AwaitingPerson, _) => to(applied),
        (Decision::Retry, Failed | Cancelled | RetryWait, _) if decided.others > 0 => to(node.state),
        (Decision::Retry, RollbackFailed, _) => undo,
        (Decision::Retry, Failed | Cancelled | RetryWait, _) => again,
        (Decision::Skip { .. }, Pending | AwaitingApproval | AwaitingPerson | Failed | RetryWait | Cancelled, _)
        | (Decision::Skip { .. }, RollbackFailed, _) => to(StepState::Skipped),
        (Decision::Resolve { resolution: Resolution::Happened, .. }, InDoubt, Side::Apply) => to(StepState::Succeeded),
        (Decision::Resolve { resolution: Resolution::Happened, .. }, InDoubt, Side::Rollback) => {
            to(StepState::RolledBack)
        }
        (Decision::Resolve { .. }, InDoubt, Side::Apply) => again,
        (Decision::Resolve { .. }, InDoubt, Side::Rollback) => undo,
        _ => return Err(illegal(node, &Event::Decided(Box::new(decided.clone())))),
    })
}

fn illegal(node: &Node, event: &Event) -> Illegal {
    let what = format!("is {} and cannot take `{}`", node.state.words(), event.name());
    Illegal { step: node.path.clone(), what }
}

impl Node {
    /// What an event leaves behind besides the state.
    pub(super) fn note_event(&mut self, event: &Event) {
        match event {
            Event::NotApplicable { reason, .. } | Event::StepFailed { reason, side: Side::Apply, .. } => {
                self.more().reason = Some(reason.clone());
            }
            Event::StepFailed { reason, side: Side::Rollback, .. } => {
                let had_failed = self.state == StepState::Failed;
                let more = self.more();
                if more.side.is_apply() {
                    more.put_handle_by();
                    more.previous = None;
                    more.failed = more.reason.take().filter(|_| had_failed);
                }
                (more.side, more.reason) = (Side::Rollback, Some(reason.clone()));
            }
            Event::GateOpened(opened) => {
                self.more().gate = Some(Gate::new((**opened).clone()));
                self.more().calls.0 += 1;
            }
            Event::GateEscalated { to, level, .. } => {
                if let Some(gate) = &mut self.more().gate {
                    if *level > 0 { gate.is_exhausted = true } else { gate.escalated = Some(to.clone()) }
                }
            }
            Event::LevelCalled(called) => self.note_called(called),
            Event::CallHandle { call, handle, .. } => {
                let call = self.call_of(*call).into_iter();
                call.for_each(|call| call.handle = Some(known_by(call.handle.take(), handle)));
            }
            Event::Redelivered { call: Some(call), handle, .. } => {
                let call = self.call_of(*call).into_iter();
                call.for_each(|call| {
                    let known = known_by(call.handle.take(), handle);
                    call.end = end_by(&known).or_else(|| call.end.take());
                    call.handle = Some(known);
                });
            }
            Event::CallEnded { call, end, .. } => {
                self.call_of(*call).into_iter().for_each(|call| call.end = Some(end.clone()));
            }
            Event::GateVoided { .. } => self.more().gate = None,
            Event::PersonAsked { instructions, answers, .. } => {
                self.more().asked = Some((instructions.clone(), answers.clone()));
            }
            Event::Intent(intent) => {
                let turned = intent.side != self.side();
                if turned {
                    self.attempts_before = 0;
                }
                self.attempt = intent.attempt;
                if let Some(more) = &mut self.more {
                    more.put_handle_by();
                    if turned {
                        more.previous = None;
                        more.failed = more.reason.take().filter(|_| self.state == StepState::Failed);
                    }
                    (more.interrupted, more.retry_at, more.reason, more.sight) = (None, None, None, None);
                    more.again.clear();
                }
                if intent.side == Side::Rollback || self.side() == Side::Rollback {
                    self.more().side = intent.side;
                }
            }
            Event::Called { .. } => self.more.iter_mut().for_each(|more| more.reason = None),
            Event::Returned { outputs, .. } => self.outputs = outputs.clone(),
            Event::Handle { handle, .. } | Event::Redelivered { handle, .. } => {
                let more = self.more();
                more.handle = Some(known_by(more.handle.take(), handle));
            }
            Event::Outcome { end, .. } => self.note_end(end),
            Event::Observed { sight, .. } => self.note_sight(sight),
            Event::Verified { holds, reason, .. } => self.note_verified(*holds, reason),
            Event::InDoubt { evidence, .. } => self.more().reason = Some(evidence.clone()),
            Event::Decided(decided) => self.note_decision(decided),
            _ => {}
        }
    }

    fn note_called(&mut self, called: &LevelCalled) {
        let more = self.more();
        if let Some(gate) = &mut more.gate {
            gate.level = called.level;
            gate.called.extend(called.to.iter().cloned());
        }
        let gate = more.calls.0;
        more.calls.1.push(LevelCall { gate, called: called.clone(), handle: None, end: None });
    }

    fn call_of(&mut self, number: u32) -> Option<&mut LevelCall> {
        self.more.as_mut()?.calls.1.iter_mut().find(|call| call.called.call == number)
    }

    fn note_end(&mut self, end: &End) {
        match end {
            End::Succeeded { outputs, already, note, label } => {
                if self.side() == Side::Apply {
                    self.outputs = outputs.clone();
                }
                if *already || label.is_some() || (!note.is_empty() && self.more.is_some()) {
                    let more = self.more();
                    (more.already, more.label) = (*already, *label);
                }
                if *already || label.is_some() || !note.is_empty() {
                    self.note = note.as_str().into();
                }
            }
            End::Failed { reason, retry_at } => {
                let more = self.more();
                (more.reason, more.retry_at) = (Some(reason.clone()), *retry_at);
            }
            End::Ambiguous { evidence } => {
                // The process that acted has already followed its own handle: only the world can tell now.
                self.more().interrupted =
                    Some(Interrupted { evidence: Some(evidence.clone()), attached: true, ..Interrupted::default() });
            }
            End::Cancelled => self.more().reason = Some("stopped before it had any effect".to_owned()),
        }
    }

    fn note_sight(&mut self, sight: &Sight) {
        self.more().sight = Some(sight.clone());
        match sight {
            Sight::Applied { outputs } => {
                if self.side() == Side::Apply {
                    self.outputs = outputs.clone();
                }
                self.more().interrupted = None;
                self.note = "seen to have happened".into();
            }
            Sight::NotApplied { .. } => self.more().interrupted = None,
            Sight::UnderWay { .. } | Sight::Unknown { .. } => {
                self.more().interrupted.get_or_insert_default().observed = true;
            }
        }
    }

    fn note_verified(&mut self, holds: bool, reason: &str) {
        if let Some(interrupted) = self.more.as_mut().and_then(|more| more.interrupted.as_mut()) {
            interrupted.verified = true;
        } else if !holds {
            // The action has done its work: giving up has to undo it.
            let applied = Sight::Applied { outputs: self.outputs.clone() };
            self.more().sight.get_or_insert(applied);
        }
        if holds {
            if let Some(more) = &mut self.more {
                more.interrupted = None;
            }
        } else {
            self.more().reason = Some(format!("verify: {reason}"));
        }
    }

    fn note_decision(&mut self, decided: &Decided) {
        let person = &decided.person.name;
        let why = decided.reason.as_deref().unwrap_or("no reason given");
        match &decided.decision {
            Decision::Approve { .. } => {
                if let Some(gate) = &mut self.more().gate {
                    gate.votes.push(person.clone());
                    gate.approved = gate.votes.len() >= gate.opened.quorum as usize;
                }
            }
            Decision::Reject => self.more().reason = Some(format!("rejected by {person}: {why}")),
            Decision::Answer { outputs } => self.outputs = Outputs::of(outputs.clone()),
            Decision::Retry if decided.others > 0 => self.more().again.push(person.clone()),
            Decision::Retry => {
                let more = self.more();
                more.put_handle_by();
                more.again.clear();
                (more.gate, more.retry_at, more.interrupted) = (None, None, None);
            }
            Decision::Skip { outputs } => {
                self.outputs = Outputs::of(outputs.clone());
                self.more().overridden = Some(format!("skipped by {person}: {why}"));
            }
            Decision::Resolve { resolution, outputs } => {
                if *resolution == Resolution::Happened {
                    if self.side() == Side::Apply {
                        self.outputs = Outputs::of(outputs.clone());
                    }
                    self.more().overridden = Some(format!("{person} says it happened: {why}"));
                }
                let more = self.more();
                more.put_handle_by();
                more.previous.iter_mut().for_each(release_doubts);
                more.interrupted = None;
            }
            Decision::Abort => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Timestamp;
    use crate::engine::event::{GateOpened, Person};
    use crate::plan::StepIndex;
    use StepState as S;

    const STATES: [S; 15] = [
        S::Pending,
        S::AwaitingApproval,
        S::AwaitingPerson,
        S::Running,
        S::RetryWait,
        S::Verifying,
        S::Succeeded,
        S::NotApplicable,
        S::Failed,
        S::Skipped,
        S::InDoubt,
        S::Cancelled,
        S::RollingBack,
        S::RolledBack,
        S::RollbackFailed,
    ];

    fn step() -> NodePath {
        NodePath("a".into())
    }

    fn intent(side: Side) -> Event {
        let with = serde_json::Value::Null;
        Event::Intent(Box::new(Intent { step: step(), side, attempt: 1, action: "shell".to_owned(), with }))
    }

    fn outcome(end: End) -> Event {
        Event::Outcome { step: step(), side: Side::Apply, attempt: 1, end }
    }

    fn redelivered(call: Option<u32>) -> Event {
        let person = Person { name: "ada".to_owned(), host: "h".to_owned(), claimed: false };
        Event::Redelivered { step: step(), call, handle: serde_json::Value::Null, person, reason: None }
    }

    fn observed(sight: Sight) -> Event {
        Event::Observed { step: step(), side: Side::Apply, attempt: 1, sight }
    }

    fn decided(decision: Decision) -> Event {
        let person = Person { name: "ada".to_owned(), host: "h".to_owned(), claimed: false };
        let (id, from, at) = ("1".to_owned(), "inbox".to_owned(), Timestamp(0));
        Event::Decided(Box::new(Decided {
            id,
            step: Some(step()),
            decision,
            person,
            from,
            at,
            reason: None,
            others: 0,
        }))
    }

    /// A retry that somebody else has to ask for too.
    fn retry_by_one_of_two() -> Event {
        match decided(Decision::Retry) {
            Event::Decided(decided) => Event::Decided(Box::new(Decided { others: 1, ..*decided })),
            other => other,
        }
    }

    fn events() -> Vec<(&'static str, Event)> {
        let reason = || "r".to_owned();
        let done = End::Succeeded { outputs: Outputs::None, already: false, note: String::new(), label: None };
        let gate = GateOpened {
            step: step(),
            digest: "d".to_owned(),
            prompt: String::new(),
            preview: Vec::new(),
            foreseen: Vec::new(),
            by: Vec::new(),
            quorum: 1,
            requester_may_approve: true,
            deadline: None,
            levels: Vec::new(),
        };
        let level = LevelCalled {
            step: step(),
            call: 1,
            level: 1,
            calls: "r".to_owned(),
            to: Vec::new(),
            missed: Vec::new(),
            channels: Vec::new(),
            message: serde_json::Value::Null,
            at: Timestamp(0),
        };
        let outputs = serde_json::Map::new;
        vec![
            ("not_applicable", Event::NotApplicable { step: step(), reason: reason() }),
            ("gate_opened", Event::GateOpened(Box::new(gate))),
            ("gate_escalated", Event::GateEscalated { step: step(), to: Vec::new(), level: 0 }),
            ("level_called", Event::LevelCalled(Box::new(level))),
            ("call_handle", Event::CallHandle { step: step(), call: 1, handle: serde_json::Value::Null }),
            ("call_ended", Event::CallEnded { step: step(), call: 1, end: End::Cancelled }),
            ("gate_voided", Event::GateVoided { step: step(), reason: reason() }),
            ("called", Event::Called { step: step(), inputs: outputs(), unknown: Vec::new() }),
            ("returned", Event::Returned { step: step(), outputs: Outputs::None }),
            ("person_asked", Event::PersonAsked { step: step(), instructions: reason(), answers: Vec::new() }),
            ("intent apply", intent(Side::Apply)),
            ("intent rollback", intent(Side::Rollback)),
            ("redelivered", redelivered(None)),
            ("redelivered call", redelivered(Some(1))),
            ("succeeded", outcome(done)),
            ("failed", outcome(End::Failed { reason: reason(), retry_at: None })),
            ("failed, again later", outcome(End::Failed { reason: reason(), retry_at: Some(Timestamp(1)) })),
            ("ambiguous", outcome(End::Ambiguous { evidence: reason() })),
            ("cancelled", outcome(End::Cancelled)),
            ("seen applied", observed(Sight::Applied { outputs: Outputs::None })),
            ("seen not applied", observed(Sight::NotApplied { reason: reason() })),
            ("seen under way", observed(Sight::UnderWay { reason: reason() })),
            ("seen unknown", observed(Sight::Unknown { reason: reason() })),
            ("verify holds", Event::Verified { step: step(), holds: true, reason: reason() }),
            ("verify does not", Event::Verified { step: step(), holds: false, reason: reason() }),
            ("step_failed", Event::StepFailed { step: step(), reason: reason(), side: Side::Apply }),
            ("undoing failed", Event::StepFailed { step: step(), reason: reason(), side: Side::Rollback }),
            ("in_doubt", Event::InDoubt { step: step(), side: Side::Apply, evidence: reason() }),
            ("approve", decided(Decision::Approve { digest: "d".to_owned() })),
            ("reject", decided(Decision::Reject)),
            ("answer", decided(Decision::Answer { outputs: outputs() })),
            ("retry", decided(Decision::Retry)),
            ("retry, by one of two", retry_by_one_of_two()),
            ("skip", decided(Decision::Skip { outputs: outputs() })),
            ("happened", decided(Decision::Resolve { resolution: Resolution::Happened, outputs: outputs() })),
            ("did not happen", decided(Decision::Resolve { resolution: Resolution::DidNotHappen, outputs: outputs() })),
        ]
    }

    #[test]
    fn these_are_all_the_transitions_there_are() {
        let mut table = Vec::new();
        for (name, event) in events() {
            let to = |state: &S| {
                let node = Node { state: *state, ..Node::new(StepIndex(0), step()) };
                let change = transition(&node, true, &event).ok()?;
                Some(format!("{} -> {}", state.words(), change.state.words()))
            };
            let legal: Vec<String> = STATES.iter().filter_map(to).collect();
            table.push(format!("{name}: {}", legal.join(", ")));
        }
        assert_eq!(table, include_str!("transitions.txt").lines().collect::<Vec<_>>());
    }
}
