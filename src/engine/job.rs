//! What the machine is told and what it asks for.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::event::{Decided, End, Event, NodePath, Person, PlanChanged, RunStarted, RunState, Side, Sight};
use super::state::NodeId;
use crate::catalogue::{Effect as EffectClass, Timestamp, Type};
use crate::runbook::expr::Rendered;

/// The number of a record in its journal; the first is 1, so 0 stands before all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seq(pub u64);

impl Seq {
    /// The number of the record that follows.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl std::fmt::Display for Seq {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What the machine is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// A new run.
    Start(Box<RunStarted>),
    /// This process takes the run up.
    Resume(Person),
    /// The edited plan, with which the machine was built, is adopted.
    Adopt(Box<PlanChanged>),
    /// A job has ended.
    Done {
        /// Which.
        job: JobId,
        /// How.
        answer: Answer,
    },
    /// A job knows how its effect is found again.
    Handle {
        /// Which.
        job: JobId,
        /// The action's own words.
        handle: Value,
        /// Given back in [`Effect::HandleKept`].
        token: u64,
    },
    /// A person decided.
    Decide(Box<Decided>),
    /// Time has passed: deadlines and waits that are over count from here on, not before.
    Time,
    /// Nothing new is to start.
    Stop(String),
    /// Running steps are to be cancelled.
    CancelRunning,
    /// This process is about to leave.
    Leave,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// An apply or an attach; a failure carries no `retry_at` yet.
    End(End),
    /// The action leaves no handle that can be followed.
    NotAttachable,
    /// A look at the world.
    Sight(Sight),
    /// A verify.
    Verified {
        /// Whether it holds.
        holds: bool,
        /// Why (not).
        reason: String,
    },
    /// What would be done now, for a gate: one line an item.
    Foreseen(Vec<String>),
}

/// Which job: the same node has one at a time, so a late answer of an earlier one is known by its attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobId {
    /// The node.
    pub node: NodeId,
    /// Which side of it.
    pub side: Side,
    /// The attempt.
    pub attempt: u32,
}

/// What a job does.
#[derive(Clone, Debug, PartialEq)]
pub enum JobKind {
    /// Does it.
    Apply,
    /// Follows a handle of an earlier process.
    Attach(Value),
    /// Looks at the world.
    Observe,
    /// Polls a check until it holds.
    Verify {
        /// How long.
        within: Duration,
        /// The time between two looks.
        every: Duration,
    },
    /// Says what would be done now. Changes nothing.
    Foresee,
}

/// Work for the shell, with all it needs.
#[derive(Clone, Debug)]
pub struct Job {
    /// Which.
    pub id: JobId,
    /// What.
    pub kind: JobKind,
    /// The node's path.
    pub path: NodePath,
    /// The action.
    pub action: String,
    /// Its rendered parameters; secrets are references.
    pub with: Rendered,
    /// What repeating it would do.
    pub effect: EffectClass,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// The outputs the step itself declares.
    pub declared: Vec<(String, Type)>,
    /// Whether it may be run again without asking anybody.
    pub repeatable: bool,
    /// The last handle of an earlier attempt; for a look at the world, of the attempt looked at.
    pub previous: Option<Value>,
    /// For a dry run.
    pub dry: Option<DryHints>,
}

/// What a dry run needs to know of a job.
#[derive(Clone, Debug, Default)]
pub struct DryHints {
    /// The unknown name that it touches.
    pub unknown: Option<String>,
    /// Whether a write that was not sent lies before it.
    pub after_unsent_write: bool,
    /// The outputs that `simulate` gives.
    pub assumed: Option<Map<String, Value>>,
    /// A step whose assumed outputs it reads.
    pub rests_on: Option<String>,
    /// Why it is not certain that it runs, or that it reads what it reads now.
    pub unsure: Option<String>,
}

/// What the machine asks for.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Append to the journal.
    Append {
        /// The record's number.
        seq: Seq,
        /// Its time.
        at: Timestamp,
        /// Its event.
        event: Event,
    },
    /// Run a job, once `after` is durable.
    Do {
        /// The work.
        job: Box<Job>,
        /// What must be durable before.
        after: Seq,
    },
    /// The handle with this token is kept once `after` is durable.
    HandleKept {
        /// From [`Input::Handle`].
        token: u64,
        /// What must be durable before.
        after: Seq,
    },
    /// Stop the node's job.
    Cancel(NodeId),
    /// The run is over, once `after` is durable.
    Ended {
        /// How.
        state: RunState,
        /// What must be durable before.
        after: Seq,
    },
}
