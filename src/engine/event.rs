//! What can happen in a run: the payloads of its journal.
//!
//! The state of a run is a fold over these, live and after a crash alike. Formats are part of the
//! promise that a newer drctl reads an older journal: fields are added, never changed.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use super::outcome::{End, Label, Outputs, Sight};
pub use super::states::{RunState, StepState};
use crate::catalogue::Timestamp;
use crate::runbook::ast::{Kind, SecretSource};

/// The path of a node as people type it: `promote`, `promote[eu]`, `keep_informed[3]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodePath(pub Arc<str>);

impl fmt::Display for NodePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who drives or decides. Not authenticated: the operating system's or `--as`'s word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name decisions are recorded under.
    pub name: String,
    /// The machine they sit at.
    pub host: String,
    /// Whether the name was given with `--as` rather than taken from the operating system.
    pub claimed: bool,
}

/// Whether a run changes the world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It does.
    #[default]
    Real,
    /// Real reads, no writes.
    DryRun,
}

/// One record of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "payload", rename_all = "snake_case")]
pub enum Event {
    /// The first record.
    RunStarted(Box<RunStarted>),
    /// Another process took the run up.
    RunResumed {
        /// Who.
        operator: Person,
    },
    /// The plan was replaced by an edited one.
    PlanChanged(Box<PlanChanged>),
    /// `for_each` was evaluated; from here on it is fixed.
    Expanded {
        /// The step.
        step: NodePath,
        /// One for each item.
        instances: Vec<Instance>,
    },
    /// One more instance of a step that repeats, or of a `run_if: failure` step.
    Repeated {
        /// The step.
        step: NodePath,
        /// Counts from one.
        number: u32,
    },
    /// A step that repeats has ended.
    RepetitionEnded {
        /// The step.
        step: NodePath,
    },
    /// A step begins to run another runbook.
    Called {
        /// The step.
        step: NodePath,
        /// What the runbook is given, its defaults among them; secrets are not.
        inputs: Map<String, Value>,
        /// Inputs that a dry run cannot know.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unknown: Vec<String>,
    },
    /// The runbook that a step ran is done.
    Returned {
        /// The step.
        step: NodePath,
        /// What it gave back.
        outputs: Outputs,
    },
    /// `when` is false, or there is nothing to do it for.
    NotApplicable {
        /// The step.
        step: NodePath,
        /// Why.
        reason: String,
    },
    /// A gate waits for people.
    GateOpened(Box<GateOpened>),
    /// A gate's time is over: more people are asked.
    GateEscalated {
        /// The step.
        step: NodePath,
        /// The roles asked from here on, besides those before.
        to: Vec<String>,
        /// The last level of its policy, where it is that level's time which is over; 0 where it is the gate's own.
        #[serde(default, skip_serializing_if = "is_zero")]
        level: u32,
    },
    /// A level of a gate's policy is about to be called. Durable before anything is sent.
    LevelCalled(Box<LevelCalled>),
    /// How far a call has come.
    CallHandle {
        /// The step.
        step: NodePath,
        /// The call, by its number.
        call: u32,
        /// The action's own words.
        handle: Value,
    },
    /// How a call ended.
    CallEnded {
        /// The step.
        step: NodePath,
        /// The call, by its number.
        call: u32,
        /// The end.
        end: End,
    },
    /// What was approved is no longer what would be done.
    GateVoided {
        /// The step.
        step: NodePath,
        /// Why.
        reason: String,
    },
    /// A manual step waits for a person.
    PersonAsked {
        /// The step.
        step: NodePath,
        /// What to do.
        instructions: String,
        /// The answers wanted: name and type.
        answers: Vec<(String, String)>,
    },
    /// A person decided.
    Decided(Box<Decided>),
    /// A decision could not be taken.
    DecisionRefused {
        /// The decision.
        id: String,
        /// Why.
        reason: String,
    },
    /// About to act. Durable before the effect.
    Intent(Box<Intent>),
    /// How to find the effect again. That of a notice may tell only what became of some deliveries since the one before.
    Handle {
        /// The step.
        step: NodePath,
        /// Which side of it.
        side: Side,
        /// The attempt.
        attempt: u32,
        /// The action's own words.
        handle: Value,
    },
    /// A person has had deliveries made that were owed, after the attempt ended.
    Redelivered {
        /// The step.
        step: NodePath,
        /// The call to its gate whose deliveries they are, by its number; nothing where they are of its notice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<u32>,
        /// What is known of its deliveries now, as its handle tells it.
        handle: Value,
        /// Who.
        person: Person,
        /// Why deliveries in doubt were made again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// How an attempt ended.
    Outcome {
        /// The step.
        step: NodePath,
        /// Which side of it.
        side: Side,
        /// The attempt.
        attempt: u32,
        /// The end.
        end: End,
    },
    /// What a look at the world said about an attempt that has no outcome.
    Observed {
        /// The step.
        step: NodePath,
        /// Which side of it.
        side: Side,
        /// The attempt.
        attempt: u32,
        /// What it said.
        sight: Sight,
    },
    /// What the step's `verify` said in the end.
    Verified {
        /// The step.
        step: NodePath,
        /// Whether it holds.
        holds: bool,
        /// Why (not).
        reason: String,
    },
    /// A step failed for good, without an attempt that could say so.
    StepFailed {
        /// The step.
        step: NodePath,
        /// Why.
        reason: String,
        /// Which side of it.
        #[serde(default, skip_serializing_if = "Side::is_apply")]
        side: Side,
    },
    /// Nothing can tell whether it happened.
    InDoubt {
        /// The step.
        step: NodePath,
        /// Which side of it.
        side: Side,
        /// What is known.
        evidence: String,
    },
    /// Finished steps are about to be undone.
    RollbackStarted {
        /// Why.
        reason: String,
        /// What is undone, in this order.
        steps: Vec<NodePath>,
        /// What stays, and why.
        kept: Vec<(NodePath, String)>,
    },
    /// Something needs a person before the run can go on: failure steps run once for it.
    Paused {
        /// Counts from one.
        number: u32,
        /// Why.
        reason: String,
    },
    /// Nothing is in the way any more.
    Continued {},
    /// The operator asked the run to stop: nothing new starts.
    Stopping {
        /// Why: a signal or a word.
        reason: String,
    },
    /// This process leaves the run; another may take it up.
    ExecutorLeft {
        /// The state it leaves it in.
        state: RunState,
    },
    /// The last record.
    RunEnded {
        /// How it ended.
        state: RunState,
        /// What the runbook's `outputs` came to; those that nothing gave a value are not among them.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        outputs: Map<String, Value>,
    },
}

/// The payload of [`Event::RunStarted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// The run's id.
    pub run: String,
    /// The version of drctl.
    pub drctl: String,
    /// The runbook's name.
    pub runbook: String,
    /// What it is for.
    pub kind: Kind,
    /// Where it was read.
    pub path: String,
    /// SHA-256 of every pinned file, by its name in the run's folder.
    pub pinned: Vec<(String, String)>,
    /// The resolved inputs; secrets are not among them.
    pub inputs: Map<String, Value>,
    /// Where the secrets come from.
    pub secrets: Vec<(String, SecretSource)>,
    /// Who started it.
    pub operator: Person,
    /// When the outage began, where it was said.
    pub since: Option<Timestamp>,
    /// Gates approved ahead: step and digest.
    pub approved_ahead: Vec<(String, String)>,
    /// Whether prompts (never gates with `by`) are answered yes.
    pub yes: bool,
    /// Whether it changes the world.
    #[serde(default)]
    pub mode: Mode,
    /// The run whose outputs became inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_run: Option<FromRun>,
    /// The world is a simulated one, which is gone with the process that drove the run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
    /// The drill of the calendar that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<String>,
    /// Why the drill may be held outside its maintenance window, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside_window: Option<String>,
    /// The lost region for which the runbook was made of the workspace's services; no file holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The template that a command announced: the runbook was made for it; no file holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announces: Option<String>,
    /// `drctl watch-for` opened it: what it saw, or an alert.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub watched: bool,
    /// The folder that runs are kept in, where it is not the workspace's own: who is called has to name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

impl RunStarted {
    /// Whether the runbook was made by a command, so that no file holds it.
    #[must_use]
    pub fn is_made(&self) -> bool {
        self.region.is_some() || self.announces.is_some()
    }

    /// The command that starts such a run again, without its options.
    #[must_use]
    pub fn command(&self) -> String {
        if let Some(template) = &self.announces {
            return format!("drctl notify announce {}", shell_words::quote(template));
        }
        match (&self.region, self.kind) {
            (Some(region), _) => format!("drctl failover --region {}", shell_words::quote(region)),
            (None, Kind::Drill) => format!("drctl run {}", shell_words::quote(&self.path)),
            (None, kind) => format!("drctl {} {}", kind.name(), shell_words::quote(&self.runbook)),
        }
    }
}

/// An earlier run whose outputs became inputs of this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromRun {
    /// Its id.
    pub run: String,
    /// The inputs that took their value from there.
    pub inputs: Vec<String>,
}

/// The payload of [`Event::PlanChanged`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanChanged {
    /// Who adopted the edited plan.
    pub operator: Person,
    /// SHA-256 of every file now pinned.
    pub pinned: Vec<(String, String)>,
    /// The steps that differ.
    pub changed: Vec<String>,
    /// The folder of the run the new files are in.
    pub folder: String,
}

/// An instance of a `for_each` step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Its key: part of its path.
    pub key: String,
    /// What `item` is in it.
    pub item: Value,
}

/// The payload of [`Event::GateOpened`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateOpened {
    /// The step.
    pub step: NodePath,
    /// What an approval binds to.
    pub digest: String,
    /// What is asked.
    pub prompt: String,
    /// Exactly what would be done, as far as the parameters tell: the digest binds to it.
    pub preview: Vec<String>,
    /// What would be sent by the state that was read when the gate opened. It may change, so that nothing binds to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreseen: Vec<String>,
    /// The roles asked; anybody where there is none.
    pub by: Vec<String>,
    /// How many different people.
    pub quorum: u32,
    /// Whether who started the run may approve.
    pub requester_may_approve: bool,
    /// When its time is over.
    pub deadline: Option<Timestamp>,
    /// The levels of the policy by which people are called to it, from the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<GateLevel>,
}

/// A level of the policy by which people are called to a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateLevel {
    /// The role, the audience or the channel that it calls.
    pub calls: String,
    /// When its time is over, and the next one's begins.
    pub until: Timestamp,
}

/// The payload of [`Event::LevelCalled`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelCalled {
    /// The step.
    pub step: NodePath,
    /// The call: counts from one over all that the step's gates make.
    pub call: u32,
    /// The level; counts from one.
    pub level: u32,
    /// The role, the audience or the channel that is called.
    pub calls: String,
    /// The roles that may approve from here on, besides those before.
    pub to: Vec<String>,
    /// Levels whose time passed while nobody executed the run: they were not called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<u32>,
    /// The channels it goes through.
    pub channels: Vec<String>,
    /// What is said: a subject, a body in Markdown, a short text.
    pub message: Value,
    /// When.
    pub at: Timestamp,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl GateOpened {
    /// What people are shown: what it does by its parameters, then what that comes to now.
    pub fn shown(&self) -> impl Iterator<Item = String> {
        let does = self.preview.iter().map(|line| format!("does: {line}"));
        does.chain(self.foreseen.iter().map(|line| format!("now: {line}")))
    }
}

/// What a person can decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The gate's step may start.
    Approve {
        /// The digest seen.
        digest: String,
    },
    /// It may not.
    Reject,
    /// A manual step is done; its answers.
    Answer {
        /// By name.
        outputs: Map<String, Value>,
    },
    /// A failed step is tried again.
    Retry,
    /// A step is left out.
    Skip {
        /// Stand-ins for its outputs.
        outputs: Map<String, Value>,
    },
    /// What is known about a step in doubt.
    Resolve {
        /// The word of the operator.
        resolution: Resolution,
        /// Stand-ins for its outputs.
        outputs: Map<String, Value>,
    },
    /// The run is given up.
    Abort,
}

impl Decision {
    /// What it is called in messages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Approve { .. } => "approve",
            Self::Reject => "reject",
            Self::Answer { .. } => "answer",
            Self::Retry => "retry",
            Self::Skip { .. } => "skip",
            Self::Resolve { .. } => "resolve",
            Self::Abort => "abort",
        }
    }
}

/// What an operator says of a step in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// It happened: the step is done.
    Happened,
    /// It did not: it is run again.
    DidNotHappen,
    /// Nobody knows, and running it again is right all the same.
    Retry,
}

/// The payload of [`Event::Decided`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// Unique: the same decision is taken once, however often it is delivered.
    pub id: String,
    /// The step; none for the whole run.
    pub step: Option<NodePath>,
    /// What.
    pub decision: Decision,
    /// Who.
    pub person: Person,
    /// Where: `prompt`, `inbox`, `ahead`.
    pub from: String,
    /// When the person said so; the record's time is when it was taken.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
    /// How many others have to say the same before it holds. The engine's word, whatever was delivered.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub others: u32,
}

/// The payload of [`Event::Intent`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The step.
    pub step: NodePath,
    /// Which side of it.
    pub side: Side,
    /// Counts from one.
    pub attempt: u32,
    /// The action.
    pub action: String,
    /// Its rendered parameters; secrets by name.
    pub with: Value,
}

/// A step does something, and its rollback undoes it; before that, people may be called to its gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The step's action.
    #[default]
    Apply,
    /// Its rollback.
    Rollback,
    /// Neither: people are called to its gate. Never the side of an attempt.
    Call,
}

impl Side {
    /// Whether it is the step's own.
    #[must_use]
    pub fn is_apply(&self) -> bool {
        *self == Self::Apply
    }
}

impl Event {
    /// The step it is about, where there is one.
    #[must_use]
    pub fn step(&self) -> Option<&NodePath> {
        match self {
            Self::Expanded { step, .. }
            | Self::Repeated { step, .. }
            | Self::RepetitionEnded { step }
            | Self::NotApplicable { step, .. }
            | Self::Called { step, .. }
            | Self::Returned { step, .. }
            | Self::GateEscalated { step, .. }
            | Self::GateVoided { step, .. }
            | Self::CallHandle { step, .. }
            | Self::CallEnded { step, .. }
            | Self::PersonAsked { step, .. }
            | Self::Handle { step, .. }
            | Self::Redelivered { step, .. }
            | Self::Outcome { step, .. }
            | Self::Observed { step, .. }
            | Self::Verified { step, .. }
            | Self::StepFailed { step, .. }
            | Self::InDoubt { step, .. } => Some(step),
            Self::GateOpened(opened) => Some(&opened.step),
            Self::LevelCalled(called) => Some(&called.step),
            Self::Decided(decided) => decided.step.as_ref(),
            Self::Intent(intent) => Some(&intent.step),
            _ => None,
        }
    }

    /// Its `type` in the journal.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::RunStarted(_) => "run_started",
            Self::RunResumed { .. } => "run_resumed",
            Self::PlanChanged(_) => "plan_changed",
            Self::Expanded { .. } => "expanded",
            Self::Repeated { .. } => "repeated",
            Self::RepetitionEnded { .. } => "repetition_ended",
            Self::Called { .. } => "called",
            Self::Returned { .. } => "returned",
            Self::NotApplicable { .. } => "not_applicable",
            Self::GateOpened(_) => "gate_opened",
            Self::GateEscalated { .. } => "gate_escalated",
            Self::LevelCalled(_) => "level_called",
            Self::CallHandle { .. } => "call_handle",
            Self::CallEnded { .. } => "call_ended",
            Self::GateVoided { .. } => "gate_voided",
            Self::PersonAsked { .. } => "person_asked",
            Self::Decided(_) => "decided",
            Self::DecisionRefused { .. } => "decision_refused",
            Self::Intent(_) => "intent",
            Self::Handle { .. } => "handle",
            Self::Redelivered { .. } => "redelivered",
            Self::Outcome { .. } => "outcome",
            Self::Observed { .. } => "observed",
            Self::Verified { .. } => "verified",
            Self::StepFailed { .. } => "step_failed",
            Self::InDoubt { .. } => "in_doubt",
            Self::RollbackStarted { .. } => "rollback_started",
            Self::Paused { .. } => "paused",
            Self::Continued {} => "continued",
            Self::Stopping { .. } => "stopping",
            Self::ExecutorLeft { .. } => "executor_left",
            Self::RunEnded { .. } => "run_ended",
        }
    }
}
