//! Scenarios: what goes wrong in a rehearsal, how people answer, and what must have come of it at the end.

mod check;
pub mod fields;
mod inject;
mod instances;
mod parse;

use std::time::Duration;

use serde_json::{Map, Value};

use crate::diag::{Span, Spanned};
use crate::engine::{Resolution, RunState, StepState};
use crate::plan::path::{named, names};
use crate::runbook::ast::{Kind, Simulate};

pub use check::{Against, cannot_be_injected, check};
pub use inject::{injected, injection};
pub use parse::parse;

/// How long a person takes where nothing is said: long enough to read what is asked.
pub const DELAY: Duration = Duration::from_mins(2);

/// One scenario file.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Unique for its runbook.
    pub name: Spanned<String>,
    /// The name of the runbook it rehearses.
    pub runbook: Spanned<String>,
    /// The kind of that runbook.
    pub kind: Kind,
    /// One line for people.
    pub title: Option<String>,
    /// The inputs of the run.
    pub inputs: Map<String, Value>,
    /// Where the randomness of a rehearsal starts.
    pub seed: u64,
    /// Simulated resources, added to what the steps imply or changing it.
    pub resources: Vec<Spanned<Value>>,
    /// Who answers at which URL.
    pub endpoints: Vec<Endpoint>,
    /// How steps are stood in for; comes before the runbook's own `simulate`.
    pub steps: Vec<(Spanned<String>, Simulate)>,
    /// What goes wrong.
    pub faults: Vec<Spanned<Fault>>,
    /// How people answer.
    pub people: People,
    /// What must have come of it.
    pub expect: Expect,
}

/// Who answers at a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The URL, or the beginning of URLs.
    pub url: String,
    /// The simulated resource behind it.
    pub served_by: Option<String>,
    /// The region it is in.
    pub region: Option<String>,
    /// The step whose effect moves it, and the region it is in after that.
    pub moved: Option<(Spanned<String>, String)>,
    /// The status it answers with, whatever else holds.
    pub status: Option<u16>,
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A region does not answer.
    RegionDown {
        /// Which.
        region: String,
        /// How long after the start of the run.
        at: Duration,
        /// For how long; for good where nothing is said.
        lasts: Option<Duration>,
    },
    /// Azure refuses requests because there were too many.
    Throttled {
        /// The part of a resource type, such as `Microsoft.Sql`; all where nothing is said.
        service: Option<String>,
        /// For how long after the first request; for good where nothing is said.
        lasts: Option<Duration>,
        /// When to come back, as Azure says.
        retry_after: Duration,
    },
    /// Something else is being done to the resource: requests are refused for the moment.
    Busy {
        /// The step whose requests are refused.
        step: Option<String>,
        /// Or the part of a resource type.
        service: Option<String>,
        /// For how long.
        lasts: Duration,
    },
    /// What the step starts fails.
    FailedOperation {
        /// The step.
        step: String,
        /// Azure's code.
        code: Option<String>,
        /// What is said.
        message: Option<String>,
        /// How many attempts fail; all where nothing is said.
        times: Option<u32>,
    },
    /// What the step starts never ends.
    StuckOperation {
        /// The step.
        step: String,
    },
    /// The answer to what the step sends is lost.
    LostResponse {
        /// The step.
        step: String,
        /// Whether it had its effect.
        effect: Lost,
        /// How many attempts; one where nothing is said.
        times: Option<u32>,
    },
    /// Replicas lag behind.
    SlowReplication {
        /// The resource; all where nothing is said.
        resource: Option<String>,
        /// By how much.
        lag: Duration,
    },
    /// Tokens are refused once.
    ExpiredToken {
        /// How long after the start of the run.
        at: Duration,
    },
    /// drctl is killed.
    Crash {
        /// In which step.
        step: String,
        /// Where in it.
        point: CrashPoint,
    },
    /// The step does nothing and never answers.
    Hang {
        /// The step.
        step: String,
    },
    /// The step has its effect, but takes longer than it may.
    Timeout {
        /// The step.
        step: String,
    },
}

impl Fault {
    /// What it is called in messages.
    #[must_use]
    pub fn words(&self) -> String {
        if let Self::RegionDown { region, .. } = self {
            return format!("`region_down` of {region}");
        }
        let word = self.word();
        self.step().map_or_else(|| format!("`{word}`"), |step| format!("`{word}` in `{step}`"))
    }

    /// Its word in a scenario.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::RegionDown { .. } => "region_down",
            Self::Throttled { .. } => "throttled",
            Self::Busy { .. } => "busy",
            Self::FailedOperation { .. } => "failed_operation",
            Self::StuckOperation { .. } => "stuck_operation",
            Self::LostResponse { .. } => "lost_response",
            Self::SlowReplication { .. } => "slow_replication",
            Self::ExpiredToken { .. } => "expired_token",
            Self::Crash { .. } => "crash",
            Self::Hang { .. } => "hang",
            Self::Timeout { .. } => "timeout",
        }
    }

    /// Whether it is of the step of a path.
    #[must_use]
    pub fn is_of(&self, path: &str) -> bool {
        self.step().is_some_and(|step| names(step, path))
    }

    /// The step it names.
    #[must_use]
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::FailedOperation { step, .. }
            | Self::StuckOperation { step }
            | Self::LostResponse { step, .. }
            | Self::Crash { step, .. }
            | Self::Hang { step }
            | Self::Timeout { step } => Some(step),
            Self::Busy { step, .. } => step.as_deref(),
            _ => None,
        }
    }
}

/// When an answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The request never arrived.
    BeforeEffect,
    /// The request was carried out.
    AfterEffect,
}

/// Where drctl is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// The intent is durable, nothing has been done.
    BeforeEffect,
    /// It was done, and nothing of that is recorded.
    AfterEffect,
    /// While it waits for the end of what it started.
    Polling,
}

/// How people answer.
#[derive(Clone, Debug)]
pub struct People {
    /// Who starts the run, and takes it up after a crash.
    pub operator: Option<String>,
    /// How long it takes until somebody takes the run up after a crash.
    pub resume_after: Duration,
    /// What holds for gates and manual steps that are not named.
    pub default: Reply,
    /// By step.
    pub replies: Vec<(Spanned<String>, Reply)>,
    /// What is done about failures and doubts, in this order, each once.
    pub on_failure: Vec<Remedy>,
}

impl Default for People {
    fn default() -> Self {
        Self {
            operator: None,
            resume_after: DELAY,
            default: Reply::default(),
            replies: Vec::new(),
            on_failure: Vec::new(),
        }
    }
}

impl People {
    /// The reply to what the step of a path asks.
    #[must_use]
    pub fn reply(&self, step: &str) -> &Reply {
        let replies = self.replies.iter().map(|(name, reply)| (name.value.as_str(), reply));
        named(replies, step).unwrap_or(&self.default)
    }
}

/// The reply to a gate or a manual step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// Nobody ever replies.
    pub silent: bool,
    /// Why not; approved where there is nothing.
    pub reject: Option<String>,
    /// How long it takes; [`DELAY`] where nothing is said.
    pub after: Option<Duration>,
    /// The answers of a manual step.
    pub answers: Map<String, Value>,
}

/// What is done about a failure or a doubt.
#[derive(Clone, Debug, PartialEq)]
pub struct Remedy {
    /// The step; any where nothing is said.
    pub step: Option<Spanned<String>>,
    /// What.
    pub act: RemedyAct,
    /// How long it takes until somebody does it.
    pub after: Duration,
}

/// What can be done about a failure or a doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemedyAct {
    /// The step is tried again.
    Retry,
    /// It is left out.
    Skip,
    /// Somebody says what happened.
    Resolve(Resolution),
    /// The run is given up.
    Abort,
}

/// What must have come of it.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// The state of the run at its end.
    pub state: Option<Spanned<RunState>>,
    /// How long recovery may take.
    pub rto: Option<Spanned<Duration>>,
    /// How much data may be lost.
    pub rpo: Option<Spanned<Duration>>,
    /// What became of steps.
    pub steps: Vec<(Spanned<String>, StepExpected)>,
    /// What the simulated world looks like.
    pub world: Vec<WorldExpected>,
    /// What was sent.
    pub messages: Vec<MessageExpected>,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepExpected {
    /// It never began.
    Never,
    /// It began at least once.
    Ran,
    /// It is in this state.
    In(StepState),
}

/// What a simulated resource holds.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldExpected {
    /// The resource.
    pub resource: String,
    /// A JSON pointer into it; the whole where it is empty.
    pub at: String,
    /// What stands there.
    pub is: Value,
    /// Where this is written.
    pub span: Span,
}

/// What was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageExpected {
    /// The template.
    pub template: String,
    /// The audience; any where nothing is said.
    pub audience: Option<String>,
    /// How many notices; at least one where nothing is said.
    pub times: Option<u32>,
    /// A part of the text of each.
    pub contains: Option<String>,
    /// Where this is written.
    pub span: Span,
}

impl Scenario {
    /// The scenario of a rehearsal without one: nothing goes wrong and everybody agrees.
    #[must_use]
    pub fn healthy(runbook: &str, kind: Kind) -> Self {
        let spanned = |value: &str| Spanned { value: value.to_owned(), span: Span::default() };
        Self {
            name: spanned("healthy"),
            runbook: spanned(runbook),
            kind,
            title: None,
            inputs: Map::new(),
            seed: 0,
            resources: Vec::new(),
            endpoints: Vec::new(),
            steps: Vec::new(),
            faults: Vec::new(),
            people: People::default(),
            expect: Expect::default(),
        }
    }

    /// How the scenario stands in for a step, by its path.
    #[must_use]
    pub fn simulate(&self, step: &str) -> Option<&Simulate> {
        named(self.steps.iter().map(|(name, simulate)| (name.value.as_str(), simulate)), step)
    }
}
