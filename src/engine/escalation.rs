//! Escalation: who is called to a gate that waits, level by level, each once. It never approves.
//!
//! The times of the levels are fixed when the gate opens, so that they hold across a crash: who takes the run up calls
//! the level whose time it is, and tells which ones were missed. A call never holds the run up.

use std::time::Duration;

use serde_json::{Map, Value};

use super::event::{End, Event, GateLevel, LevelCalled, Side, StepState};
use super::gate::escalate_to;
use super::job::{Answer, Effect, Job, JobId, JobKind};
use super::machine::Machine;
use super::notice::addressed;
use super::request::request;
use super::state::{Gate, LevelCall, Node, NodeId};
use super::transition::Illegal;
use crate::catalogue::{Effect as EffectClass, Timestamp};
use crate::plan::{Plan, REQUEST};
use crate::runbook::ast::OnTimeout;
use crate::runbook::expr::Rendered;
use crate::runbook::workspace::Level;

/// How long one call may take, all its channels together.
const CALL_TAKES: Duration = Duration::from_mins(2);

/// The levels of a gate that opens now.
pub(super) fn levels(policy: &[Level], now: Timestamp) -> Vec<GateLevel> {
    let mut until = now;
    let timed = policy.iter().map(|level| {
        until = until.plus(level.timeout);
        GateLevel { calls: level.calls.clone(), until }
    });
    timed.collect()
}

/// What is due of the levels of a gate.
#[derive(Debug, PartialEq, Eq)]
enum Due {
    /// Nothing by now.
    Nothing,
    /// A level is called; those missed had their time while nobody executed the run.
    Call { level: u32, missed: Vec<u32> },
    /// The time of the last level is over.
    Over,
}

/// What is due at `now`, where the last level that was called is `called` (0: none).
///
/// The last level is called late rather than never: somebody has to know.
fn due(levels: &[GateLevel], called: u32, now: Timestamp) -> Due {
    let whose = u32::try_from(begun(levels, now)).unwrap_or(u32::MAX);
    if whose > called {
        return Due::Call { level: whose, missed: (called + 1..whose).collect() };
    }
    if levels.last().is_some_and(|last| last.until <= now) { Due::Over } else { Due::Nothing }
}

/// How many levels have had their time begin at `now`.
fn begun(levels: &[GateLevel], now: Timestamp) -> usize {
    let passed = levels.iter().take_while(|level| level.until <= now).count();
    (passed + 1).min(levels.len())
}

/// The gate of the node as its times have it at `now`, whoever executes the run. Nobody has to be called to be asked: who
/// a level names may answer once its time has come, and so may those that are asked when the gate's own time is over.
#[must_use]
pub fn gate_at(plan: &Plan, node: &Node, now: Timestamp) -> Option<Gate> {
    let mut gate = node.gate()?.clone();
    let begun = &gate.opened.levels[..begun(&gate.opened.levels, now)];
    gate.called.extend(begun.iter().filter_map(|level| role_of(plan, level)));
    let is_over = gate.opened.deadline.is_some_and(|deadline| deadline <= now) && gate.escalated.is_none();
    if let Some(approval) = plan.step(node.step).approval.as_ref().filter(|_| is_over) {
        gate.escalated = (approval.on_timeout == OnTimeout::Escalate).then(|| escalate_to(plan, approval));
    }
    Some(gate)
}

/// The role that a level calls, where it is one that may answer.
fn role_of(plan: &Plan, level: &GateLevel) -> Option<String> {
    plan.workspace.roles.contains_key(&level.calls).then(|| level.calls.clone())
}

impl Machine {
    /// Calls the level whose time it is, and takes up calls that nobody saw end.
    pub(super) fn escalate(&mut self, node: NodeId) -> Result<(), Illegal> {
        let is_given_up =
            self.state.stopping.is_some() || self.state.aborted.is_some() || self.state.rollback.is_some();
        while !is_given_up && self.state.node(node).state == StepState::AwaitingApproval {
            let Some(gate) = self.state.node(node).gate() else { break };
            match due(&gate.opened.levels, gate.level, self.now) {
                Due::Call { level, missed } => self.call_level(node, level, missed)?,
                Due::Over if !gate.is_exhausted => {
                    let level = gate.level;
                    self.emit(Event::GateEscalated { step: self.path(node), to: Vec::new(), level })?;
                }
                Due::Over | Due::Nothing => {
                    self.take_up_calls(node);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Writes down who is called and what is said, then calls.
    fn call_level(&mut self, node: NodeId, level: u32, missed: Vec<u32>) -> Result<(), Illegal> {
        let state = self.state.node(node);
        let Some(gate) = state.gate() else { return Ok(()) };
        let whose = |level: &u32| gate.opened.levels.get(*level as usize - 1);
        let Some(calls) = whose(&level).map(|level| level.calls.clone()) else {
            return Ok(());
        };
        let asked = missed.iter().chain(std::iter::once(&level)).filter_map(whose);
        let workspace = &self.plan.workspace;
        let call = state.more.as_ref().map_or(0, |more| more.calls.1.len()) + 1;
        let called = LevelCalled {
            step: self.path(node),
            call: u32::try_from(call).unwrap_or(u32::MAX),
            level,
            to: asked.filter_map(|level| role_of(&self.plan, level)).collect(),
            missed,
            channels: workspace.called(&calls).channels,
            message: request(&self.plan, &self.state, node, level, self.now),
            calls,
            at: self.now,
        };
        let number = called.call;
        self.emit(Event::LevelCalled(Box::new(called)))?;
        let made = self.state.node(node).calls().find(|made| made.called.call == number).cloned();
        match made {
            Some(made) if made.called.channels.is_empty() => {
                let reason = format!("no channel leads to `{}`", made.called.calls);
                self.end_call(node, number, End::Failed { reason, retry_at: None })
            }
            Some(made) => {
                self.send_call(node, &made, JobKind::Apply);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Calls that an earlier process began go on where they were.
    fn take_up_calls(&mut self, node: NodeId) {
        let open: Vec<LevelCall> = self.state.node(node).calls().filter(|call| call.end.is_none()).cloned().collect();
        for call in open {
            if !self.calls.contains(&id(node, &call)) {
                let kind = call.handle.clone().map_or(JobKind::Apply, JobKind::Attach);
                self.send_call(node, &call, kind);
            }
        }
    }

    /// A call goes through the same channels as a notice, with the words that were written down.
    fn send_call(&mut self, node: NodeId, call: &LevelCall, kind: JobKind) {
        let called = &call.called;
        let job = Job {
            id: id(node, call),
            kind,
            path: called.step.clone(),
            action: "notify".to_owned(),
            with: call_notice(&self.plan, called),
            effect: EffectClass::UnsafeToRepeat,
            timeout: CALL_TAKES,
            declared: Vec::new(),
            repeatable: false,
            previous: None,
            dry: None,
        };
        self.calls.insert(job.id);
        self.effects.push(Effect::Do { job: Box::new(job), after: self.last() });
    }

    /// Takes the answer of a call. One that was cancelled before it was sent is made by who takes the run up.
    pub(super) fn call_ended(&mut self, job: JobId, answer: Answer) -> Result<(), Illegal> {
        let JobId { node, attempt, .. } = job;
        match answer {
            Answer::End(End::Cancelled) => Ok(()),
            Answer::End(end) => self.end_call(node, attempt, end),
            _ => {
                let evidence = "nothing tells how far the process before had come".to_owned();
                self.end_call(node, attempt, End::Ambiguous { evidence })
            }
        }
    }

    fn end_call(&mut self, node: NodeId, call: u32, end: End) -> Result<(), Illegal> {
        self.emit(Event::CallEnded { step: self.path(node), call, end })
    }
}

/// A call as the action `notify` takes it: with the words that were written down.
#[must_use]
pub fn call_notice(plan: &Plan, called: &LevelCalled) -> Rendered {
    let with: Map<String, Value> = Map::from_iter([
        ("template".to_owned(), REQUEST.into()),
        ("audience".to_owned(), called.calls.clone().into()),
        ("message".to_owned(), called.message.clone()),
    ]);
    addressed(plan, with, &plan.workspace.called(&called.calls))
}

fn id(node: NodeId, call: &LevelCall) -> JobId {
    JobId { node, side: Side::Call, attempt: call.called.call }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Vec<GateLevel> {
        let level = |calls: &str, minutes| Level { calls: calls.to_owned(), timeout: Duration::from_mins(minutes) };
        levels(&[level("engineer", 5), level("manager", 15), level("director", 30)], Timestamp(0))
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp(minutes * 60_000)
    }

    #[test]
    fn each_level_has_its_time_after_the_one_before() {
        let until: Vec<i64> = policy().iter().map(|level| level.until.0 / 60_000).collect();
        assert_eq!(until, [5, 20, 50]);
    }

    #[test]
    fn a_level_is_called_once_when_its_time_comes_and_nobody_after_the_last() {
        let call = |level, missed: &[u32]| Due::Call { level, missed: missed.to_vec() };
        for (called, minutes, wanted) in [
            (0, 0, call(1, &[])),
            (1, 0, Due::Nothing),
            (1, 4, Due::Nothing),
            (1, 5, call(2, &[])),
            (2, 19, Due::Nothing),
            (2, 20, call(3, &[])),
            (3, 49, Due::Nothing),
            (3, 50, Due::Over),
            (3, 9000, Due::Over),
            // Nobody executed the run for a while.
            (0, 6, call(2, &[1])),
            (1, 30, call(3, &[2])),
            (0, 9000, call(3, &[1, 2])),
            // A clock that was set back calls nobody again.
            (2, -60, Due::Nothing),
        ] {
            assert_eq!(due(&policy(), called, at(minutes)), wanted, "{called} called, {minutes} minutes");
        }
        assert_eq!(due(&[], 0, at(90)), Due::Nothing);
    }
}
