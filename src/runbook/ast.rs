//! The syntax tree of a runbook: what was written, with the place of everything that can be wrong.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::allow::Allowance;
use super::expr::{ExprId, Expressions, Templated};
use crate::catalogue::Type;
use crate::diag::{SourceId, Span, Spanned};

/// The four groups of steps, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Is it down?
    Detection,
    /// How bad is it, and do we act?
    Assessment,
    /// The failover itself.
    Execution,
    /// Who is told what.
    Communication,
}

impl Phase {
    /// All, in order.
    pub const ALL: [Self; 4] = [Self::Detection, Self::Assessment, Self::Execution, Self::Communication];

    /// Its name in the runbook.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Detection => "detection",
            Self::Assessment => "assessment",
            Self::Execution => "execution",
            Self::Communication => "communication",
        }
    }

    /// Whether the next phase waits for this one.
    #[must_use]
    pub fn is_barrier(self) -> bool {
        self != Self::Communication
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a runbook is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Away from the failed place.
    Failover,
    /// Back again.
    Failback,
    /// An exercise.
    Drill,
}

impl Kind {
    /// All, in the order of the language.
    pub const ALL: [Self; 3] = [Self::Failover, Self::Failback, Self::Drill];

    /// The kind of that name.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == word)
    }

    /// Its name in the runbook.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Failover => "failover",
            Self::Failback => "failback",
            Self::Drill => "drill",
        }
    }
}

/// One runbook file.
#[derive(Debug)]
pub struct Runbook {
    /// The file.
    pub source: SourceId,
    /// Unique in the workspace together with the kind.
    pub name: Spanned<String>,
    /// What it is for.
    pub kind: Kind,
    /// For people.
    pub title: Option<Templated>,
    /// The team that keeps it.
    pub owner: Option<Spanned<String>>,
    /// How long recovery may take, and how much data may be lost.
    pub objectives: Objectives,
    /// Where its Azure resources are, unless a step says otherwise.
    pub azure: Option<Templated>,
    /// What a run is given.
    pub inputs: Vec<Input>,
    /// What holds for steps that do not say otherwise.
    pub defaults: Defaults,
    /// All steps, in the order of the file.
    pub steps: Vec<Step>,
    /// What a caller or a failback may read.
    pub outputs: Vec<(Spanned<String>, Templated)>,
    /// Its fields that could not be read as they stand; a phase, where a step of it is left out. `""` is all of it.
    pub unread: BTreeSet<String>,
    /// Findings that its author allows.
    pub allowances: Vec<Allowance>,
    /// The expressions of all values above.
    pub expressions: Expressions,
}

/// Recovery objectives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objectives {
    /// Recovery time objective: from detection to service restored.
    pub rto: Option<Duration>,
    /// Recovery point objective: how much of the last data may be lost.
    pub rpo: Option<Duration>,
}

/// A declared input.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its name.
    pub name: Spanned<String>,
    /// Its type; enums carry their words.
    pub kind: Type,
    /// What it is when a run gives nothing.
    pub default: Option<Value>,
    /// Where a secret comes from.
    pub from: Option<SecretSource>,
    /// For people.
    pub description: Option<String>,
}

/// Where a secret's value is read, just before a run needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file; its last newline is cut off.
    File(String),
    /// The standard output of a command, as an argument list; its last newline is cut off.
    Command(Vec<String>),
    /// A key vault, asked as the workspace's `azure` says.
    KeyVault(VaultSecret),
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the environment variable `{name}`"),
            Self::File(path) => write!(f, "the file `{path}`"),
            Self::Command(words) => write!(f, "the command `{}`", words.join(" ")),
            Self::KeyVault(named) => write!(f, "`{}` of the key vault `{}`", named.secret, named.vault),
        }
    }
}

/// A secret of a key vault, by names that the vault itself takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultSecret {
    /// The vault's name.
    pub vault: String,
    /// The secret's name.
    pub secret: String,
    /// Its version; the current one where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// `defaults:` of a runbook.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// How long one attempt of a step may take.
    pub timeout: Option<Duration>,
    /// How a failed step is tried again. Never applies to an action that is unsafe to repeat.
    pub retry: Option<Retry>,
    /// What happens after a failure.
    pub on_failure: Option<OnFailure>,
}

impl Defaults {
    /// Takes what they leave open from those of the workspace.
    pub fn fill(&mut self, workspace: &Self) {
        self.timeout = self.timeout.or(workspace.timeout);
        self.retry = self.retry.or(workspace.retry);
        self.on_failure = self.on_failure.or(workspace.on_failure);
    }
}

/// How a failed attempt is tried again: waits of `initial`, twice that, and so on up to `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// All attempts, the first included.
    pub attempts: u32,
    /// The wait before the second attempt.
    pub initial: Duration,
    /// The longest wait.
    pub max: Duration,
}

/// What happens when a step has failed for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Nothing new starts; the run pauses.
    #[default]
    Stop,
    /// The run goes on as if the step had done its work, and says so at the end.
    Continue,
    /// Finished steps are undone, back to the last point of no return.
    Rollback,
    /// Only what depends on the step waits for a decision.
    Ask,
}

/// What to do with a step whose end was not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnInterrupt {
    /// The author says that doing it twice is doing it once.
    Retry,
    /// Its `verify` tells whether it happened.
    Verify,
    /// A person decides.
    Ask,
}

/// When a step belongs to the run at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunIf {
    /// While all goes well.
    #[default]
    Success,
    /// Once per pause, doubt or abort.
    Failure,
    /// When the run ends, however it ends.
    Always,
}

/// One step.
#[derive(Debug)]
pub struct Step {
    /// Where it stands.
    pub span: Span,
    /// Its fields that could not be read as they stand.
    pub unread: BTreeSet<String>,
    /// Unique in the runbook.
    pub id: Spanned<String>,
    /// The group it stands in.
    pub phase: Phase,
    /// For people.
    pub title: Option<Box<Templated>>,
    /// Who to ask about it.
    pub owner: Option<Box<str>>,
    /// What it does.
    pub action: ActionUse,
    /// Outputs the step itself declares.
    pub outputs: Box<[OutputDeclaration]>,
    /// What must be met before it starts.
    pub needs: Box<[Spanned<String>]>,
    /// A condition: false means not applicable.
    pub when: Option<ExprId>,
    /// Whether it belongs to success, failure or the end.
    pub run_if: RunIf,
    /// Repeats until another step starts.
    pub repeat: Option<Box<Repeat>>,
    /// One instance for each item.
    pub for_each: Option<Box<ForEach>>,
    /// Who must agree before it starts.
    pub approval: Option<Box<Approval>>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How a failed attempt is tried again.
    pub retry: Option<Box<Retry>>,
    /// What must hold after it.
    pub verify: Option<Box<Verify>>,
    /// What undoes it.
    pub rollback: Option<Box<ActionUse>>,
    /// What happens when it failed for good.
    pub on_failure: Option<OnFailure>,
    /// What happens when its end was not recorded.
    pub on_interrupt: Option<OnInterrupt>,
    /// How long it takes.
    pub estimate: Option<Box<Estimate>>,
    /// Whether nothing after it can be undone.
    pub point_of_no_return: bool,
    /// How a dry run or a rehearsal stands in for it.
    pub simulate: Option<Box<Simulate>>,
}

/// An action with its parameters.
#[derive(Debug)]
pub struct ActionUse {
    /// The action's name.
    pub name: Spanned<String>,
    /// Its parameters: a mapping.
    pub with: Spanned<Templated>,
    /// Where its parameters stand.
    pub places: Box<[ParameterPlace]>,
}

/// Where a parameter stands.
#[derive(Debug)]
pub struct ParameterPlace {
    /// The parameter's name, and its place.
    pub name: Spanned<Box<str>>,
    /// The place of its value.
    pub value: Span,
}

impl ActionUse {
    /// Where the parameter's value stands; the action's name where there is none.
    #[must_use]
    pub fn place(&self, parameter: &str) -> Span {
        self.parameter(parameter).map_or(self.name.span, |place| place.value)
    }

    /// Where the parameter's name stands; the action's where there is none.
    #[must_use]
    pub fn name_place(&self, parameter: &str) -> Span {
        self.parameter(parameter).map_or(self.name.span, |place| place.name.span)
    }

    fn parameter(&self, name: &str) -> Option<&ParameterPlace> {
        self.places.iter().find(|place| *place.name.value == *name)
    }
}

/// `outputs: { incident: string }`, or `outputs: { lag: { type: number, measures: rpo } }`.
#[derive(Clone, Debug)]
pub struct OutputDeclaration {
    /// Its name.
    pub name: Spanned<String>,
    /// Its type.
    pub kind: Type,
    /// Whether it says how much data would be lost, as a duration or in seconds: what the RPO is compared with.
    pub measures_loss: bool,
}

/// `every` and `until`.
#[derive(Debug)]
pub struct Repeat {
    /// The time from one instance to the next.
    pub every: Duration,
    /// The step that ends it.
    pub until: Option<Spanned<String>>,
}

/// `for_each` and `max_parallel`.
#[derive(Debug)]
pub struct ForEach {
    /// A list of text or numbers, or a mapping.
    pub items: Templated,
    /// Where it stands.
    pub span: Span,
    /// How many instances run at a time; all where nothing is said.
    pub max_parallel: Option<u32>,
}

/// A gate.
#[derive(Debug)]
pub struct Approval {
    /// Roles of the workspace; anybody where there is none.
    pub by: Box<[Spanned<String>]>,
    /// How many different people.
    pub quorum: u32,
    /// Whether the person who started the run may approve.
    pub requester_may_approve: Option<bool>,
    /// How long it waits before `on_timeout`.
    pub timeout: Option<Duration>,
    /// What then.
    pub on_timeout: OnTimeout,
    /// Roles that are asked too, once the time is over.
    pub escalate_to: Box<[Spanned<String>]>,
    /// The policy by which people are called; the workspace's where there is none.
    pub escalation: Option<Spanned<String>>,
    /// How long people take to open it.
    pub estimate: Option<Estimate>,
    /// What is asked.
    pub prompt: Option<Templated>,
    /// Where it stands.
    pub span: Span,
}

/// What a gate does when its time is over. It never approves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnTimeout {
    /// More people are asked, and the gate stays.
    #[default]
    Escalate,
    /// The step fails.
    Reject,
}

/// A read-only action that must hold after the step.
#[derive(Debug)]
pub struct Verify {
    /// The check.
    pub action: ActionUse,
    /// How long it may take to hold.
    pub within: Duration,
    /// The time between two looks.
    pub every: Duration,
}

/// How long a step takes, by its author's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Usually.
    pub typical: Duration,
    /// At worst.
    pub worst: Option<Duration>,
}

/// How a step is stood in for where it does not run.
#[derive(Clone, Debug, Default)]
pub struct Simulate {
    /// How long it takes there.
    pub duration: Option<Duration>,
    /// What it gives back there.
    pub outputs: Map<String, Value>,
    /// The sentence it fails with there.
    pub fail: Option<String>,
}

impl Step {
    /// How long one attempt may take: the step's word, the runbook's, or ten minutes.
    #[must_use]
    pub fn timeout(&self, defaults: &Defaults) -> Duration {
        self.timeout.or(defaults.timeout).unwrap_or(Duration::from_mins(10))
    }

    /// Whether it tells somebody something, and nobody is asked before: a gate that says no is no delivery that failed.
    #[must_use]
    pub fn is_notice(&self) -> bool {
        self.action.name.value == "notify" && self.approval.is_none()
    }

    /// What happens when it failed for good, as far as its runbook says it: a call may say something else. A notice that
    /// cannot be delivered is owed, and keeps nobody from recovering: only the step's own word makes it stop a run.
    #[must_use]
    pub fn on_failure(&self, defaults: &Defaults) -> OnFailure {
        let usual = if self.is_notice() { Some(OnFailure::Continue) } else { defaults.on_failure };
        self.on_failure.or(usual).unwrap_or_default()
    }

    /// Its action, and those that check and undo it.
    pub fn actions(&self) -> impl Iterator<Item = &ActionUse> {
        let verify = self.verify.as_ref().map(|verify| &verify.action);
        std::iter::once(&self.action).chain(verify).chain(self.rollback.as_deref())
    }

    /// As [`Self::actions`], to be changed.
    pub fn actions_mut(&mut self) -> impl Iterator<Item = &mut ActionUse> {
        let verify = self.verify.as_mut().map(|verify| &mut verify.action);
        std::iter::once(&mut self.action).chain(verify).chain(self.rollback.as_deref_mut())
    }

    /// Every expression in the step.
    #[must_use]
    pub fn expressions(&self) -> Vec<ExprId> {
        let mut found: Vec<ExprId> = self.when.into_iter().collect();
        if let Some(title) = &self.title {
            title.expressions(&mut found);
        }
        self.action.with.value.expressions(&mut found);
        if let Some(for_each) = &self.for_each {
            for_each.items.expressions(&mut found);
        }
        if let Some(prompt) = self.approval.as_ref().and_then(|approval| approval.prompt.as_ref()) {
            prompt.expressions(&mut found);
        }
        if let Some(verify) = &self.verify {
            verify.action.with.value.expressions(&mut found);
        }
        if let Some(rollback) = &self.rollback {
            rollback.with.value.expressions(&mut found);
        }
        found
    }
}
