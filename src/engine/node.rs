//! What is known of a step, or of one instance of it, within a run.

use std::sync::Arc;

use serde_json::Value;

use super::event::{End, GateOpened, LevelCalled, NodePath, Outputs, Side, StepState};
use super::frame::FrameId;
use crate::catalogue::Timestamp;
use crate::plan::StepIndex;

/// A step, or one instance of it, within a run. The first nodes are the steps of the runbook, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    /// As an index into `State::nodes`.
    #[must_use]
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// What is known of a node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its step.
    pub step: StepIndex,
    /// The frame it stands in.
    pub frame: FrameId,
    /// The step it is an instance of.
    pub parent: Option<NodeId>,
    /// What people type.
    pub path: NodePath,
    /// What `item` is in it.
    pub item: Option<Arc<Value>>,
    /// Its state.
    pub state: StepState,
    /// How many attempts were begun on the current side.
    pub attempt: u32,
    /// Attempts before this count do not count against `retry`: a person or a look at the world began anew.
    pub attempts_before: u32,
    /// What it gave back.
    pub outputs: Outputs,
    /// When its first attempt began.
    pub started: Option<Timestamp>,
    /// When its last attempt began.
    pub began: Option<Timestamp>,
    /// When it reached a state it stays in.
    pub ended: Option<Timestamp>,
    /// The place of that moment among all records: orders what ended within one millisecond.
    pub ended_tick: u32,
    /// One line for people on how it ended. Most nodes have one, and little else of [`More`].
    pub note: Box<str>,
    /// What most nodes have not.
    pub more: Option<Box<More>>,
}

/// The less common facts about a node.
#[derive(Clone, Debug, Default)]
pub struct More {
    /// Its gate.
    pub gate: Option<Gate>,
    /// How many gates it has opened, and the calls to them, in their order.
    pub calls: (u32, Vec<LevelCall>),
    /// What a manual step asks, and the answers wanted.
    pub asked: Option<(String, Vec<(String, String)>)>,
    /// How to find the current attempt again.
    pub handle: Option<Value>,
    /// The last handle of the attempts before, on this side.
    pub previous: Option<Value>,
    /// Why it is in its state, where there is a reason to give.
    pub reason: Option<String>,
    /// Why it failed, of a step whose work was undone, or was to be, because of that.
    pub failed: Option<String>,
    /// A person's word stands in for what was not seen: whose, and why.
    pub overridden: Option<String>,
    /// The current attempt has no outcome: what is known, and which looks were taken.
    pub interrupted: Option<Interrupted>,
    /// Which side it is on.
    pub side: Side,
    /// When a failed attempt is tried again.
    pub retry_at: Option<Timestamp>,
    /// Who says that it is tried again, while others have to say so too.
    pub again: Vec<String>,
    /// What a dry run can say of it.
    pub label: Option<super::event::Label>,
    /// It found its work done.
    pub already: bool,
    /// What the last look at the world said of the current attempt.
    pub sight: Option<super::event::Sight>,
}

impl More {
    /// The attempt is over: what it left is for the attempts after it.
    pub(super) fn put_handle_by(&mut self) {
        self.previous = self.handle.take().or_else(|| self.previous.take());
    }
}

/// An attempt without an outcome, and what has been looked at since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interrupted {
    /// What is known; nothing where the process that ran it ended first.
    pub evidence: Option<String>,
    /// Its handle was followed, or there is none to follow any more.
    pub attached: bool,
    /// The world was looked at and did not tell.
    pub observed: bool,
    /// `verify` was asked and did not hold.
    pub verified: bool,
}

/// An open or closed gate.
#[derive(Clone, Debug)]
pub struct Gate {
    /// What was asked.
    pub opened: GateOpened,
    /// Who approved.
    pub votes: Vec<String>,
    /// Roles asked since its time was over.
    pub escalated: Option<Vec<String>>,
    /// The last level of its policy that was called; 0 before the first.
    pub level: u32,
    /// Roles of the levels that were called.
    pub called: Vec<String>,
    /// The time of the last level is over: nobody else is called.
    pub is_exhausted: bool,
    /// Enough people approved.
    pub approved: bool,
}

impl Gate {
    /// A gate that nobody has answered.
    pub(super) fn new(opened: GateOpened) -> Self {
        let (votes, called) = (Vec::new(), Vec::new());
        Self { opened, votes, escalated: None, level: 0, called, is_exhausted: false, approved: false }
    }

    /// The roles that may approve by now: each once, those of the gate itself first.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        let all: Vec<&String> =
            self.opened.by.iter().chain(self.escalated.iter().flatten()).chain(&self.called).collect();
        let first = |at: usize| !all[..at].contains(&all[at]);
        let roles: Vec<&str> = (0..all.len()).filter(|at| first(*at)).map(|at| all[at].as_str()).collect();
        roles.into_iter()
    }

    /// Whether time alone brings it on: more people are asked or called, or it is rejected.
    #[must_use]
    pub fn waits_for_time(&self) -> bool {
        let levels = !self.opened.levels.is_empty() && !self.is_exhausted;
        levels || (self.opened.deadline.is_some() && self.escalated.is_none())
    }
}

/// A call of a level to a gate.
#[derive(Clone, Debug)]
pub struct LevelCall {
    /// The opening of the step's gate that it was made for; counts from one.
    pub gate: u32,
    /// Who is called, and what is said.
    pub called: LevelCalled,
    /// How far it has come.
    pub handle: Option<Value>,
    /// How it ended.
    pub end: Option<End>,
}

impl Node {
    pub(super) fn new(step: StepIndex, path: NodePath) -> Self {
        Self {
            step,
            frame: FrameId::default(),
            parent: None,
            path,
            item: None,
            state: StepState::Pending,
            attempt: 0,
            attempts_before: 0,
            outputs: Outputs::None,
            started: None,
            began: None,
            ended: None,
            ended_tick: 0,
            note: Box::default(),
            more: None,
        }
    }

    /// The key of an instance: what stands in its brackets.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.parent?;
        self.path.0.rsplit_once('[').and_then(|(_, key)| key.strip_suffix(']'))
    }

    /// The less common facts; made on first use.
    pub(super) fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// Its gate.
    #[must_use]
    pub fn gate(&self) -> Option<&Gate> {
        self.more.as_ref()?.gate.as_ref()
    }

    /// The calls to the gate that is open, or was open last.
    pub fn calls(&self) -> impl Iterator<Item = &LevelCall> {
        let (gate, calls) = self.more.as_ref().map_or((0, [].as_slice()), |more| (more.calls.0, &more.calls.1));
        calls.iter().filter(move |call| call.gate == gate)
    }

    /// Why it is in its state.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.more.as_ref()?.reason.as_deref()
    }

    /// Why it failed before it was undone.
    #[must_use]
    pub fn failed(&self) -> Option<&str> {
        self.more.as_ref()?.failed.as_deref()
    }

    /// Whose word stands in for what was not seen.
    #[must_use]
    pub fn overridden(&self) -> Option<&str> {
        self.more.as_ref()?.overridden.as_deref()
    }

    /// The attempt without an outcome.
    #[must_use]
    pub fn interrupted(&self) -> Option<&Interrupted> {
        self.more.as_ref()?.interrupted.as_ref()
    }

    /// How to find the current attempt again.
    #[must_use]
    pub fn handle(&self) -> Option<&Value> {
        self.more.as_ref()?.handle.as_ref()
    }

    /// The last handle of the attempts before, on this side.
    #[must_use]
    pub fn previous(&self) -> Option<&Value> {
        self.more.as_ref()?.previous.as_ref()
    }

    /// Who says that it is tried again, while others have to say so too.
    #[must_use]
    pub fn again(&self) -> &[String] {
        self.more.as_ref().map_or(&[], |more| &more.again)
    }

    /// Which side it is on.
    #[must_use]
    pub fn side(&self) -> Side {
        self.more.as_ref().map_or(Side::Apply, |more| more.side)
    }
}
