//! What a report says, apart from how it looks.
//!
//! Spans are in seconds, times are RFC 3339 in UTC. Fields are added, never changed: programs read this.

use serde::Serialize;
use serde_json::{Map, Value};

use super::super::plan::Seconds;
use crate::catalogue::Timestamp;
use crate::engine::{Person, RunState, StepState};

/// A report.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// The version of this document.
    pub drctl: u32,
    /// The last record of the journal it was made from and its hash: `14:<64 hex>`. `drctl verify --report` looks for it.
    pub chain_head: String,
    /// How many records that journal has.
    pub records: usize,
    /// Which run.
    pub run: RunFacts,
    /// At most ten lines for who reads nothing else.
    pub summary: Vec<String>,
    /// The clock of the RTO.
    pub clock: ClockFacts,
    /// What was promised and what was achieved.
    pub objectives: Vec<Objective>,
    /// Where the time of the whole run went, without a gap.
    pub stretches: Vec<Stretch>,
    /// Every step, instances and called steps below theirs.
    pub steps: Vec<StepRow>,
    /// Every gate that opened.
    pub approvals: Vec<Approval>,
    /// What else people decided: answers, retries, skips, resolutions, the abort.
    pub decisions: Vec<Decision>,
    /// Skipped, overridden, failed and continued.
    pub exceptions: Vec<Entry>,
    /// Steps of which nobody knew whether they happened, and who said so in the end.
    pub doubts: Vec<Doubt>,
    /// Who was told what.
    pub notices: Vec<Notice>,
    /// What was checked: `verify`, `assert`, probes.
    pub validations: Vec<Validation>,
    /// What went wrong on the way.
    pub issues: Vec<Issue>,
    /// The same runbook before.
    pub comparison: Comparison,
    /// What the facts suggest.
    pub recommendations: Vec<Recommendation>,
    /// What the runbook's `outputs` came to.
    pub outputs: Map<String, Value>,
    /// The files it stood on.
    pub pinned: Vec<Pinned>,
    /// What to type next, of a run that has not ended.
    pub next: Vec<String>,
}

/// Which run it was.
#[derive(Clone, Debug, Serialize)]
pub struct RunFacts {
    /// Its id.
    pub id: String,
    /// The runbook's name.
    pub runbook: String,
    /// `failover`, `failback` or `drill`.
    pub kind: &'static str,
    /// The runbook's title.
    pub title: Option<String>,
    /// The team that keeps the runbook.
    pub owner: Option<String>,
    /// The version of drctl that started it.
    pub drctl: String,
    /// Who started it.
    pub operator: Option<Who>,
    /// Its state as of the last record.
    pub state: RunState,
    /// The state in words.
    pub state_words: &'static str,
    /// Whether nothing more can happen.
    pub ended: bool,
    /// `real`, `simulated` or `dry run`.
    pub world: &'static str,
    /// Whether it is an exercise.
    pub drill: bool,
    /// When the clock of the RTO began.
    pub since: Timestamp,
    /// When the run began.
    pub started_at: Timestamp,
    /// When the last record was written: what the report is as of.
    pub last_record_at: Timestamp,
    /// The inputs; secrets are not among them.
    pub inputs: Map<String, Value>,
}

/// A person. Not authenticated: the operating system's or `--as`'s word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Who {
    /// The name.
    pub name: String,
    /// The machine they sat at.
    pub host: String,
    /// Whether the name was only claimed, with `--as`.
    pub claimed: bool,
}

impl Who {
    /// Of the person in a record.
    #[must_use]
    pub fn of(person: &Person) -> Self {
        Self { name: person.name.clone(), host: person.host.clone(), claimed: person.claimed }
    }
}

/// The clock of the RTO.
#[derive(Clone, Debug, Serialize)]
pub struct ClockFacts {
    /// What was promised.
    pub objective: Option<Seconds>,
    /// How long it ran.
    pub elapsed: Seconds,
    /// Whether service was restored: then `elapsed` is what was achieved.
    pub restored: bool,
    /// Steps ran, or could have.
    pub machine: Seconds,
    /// Only a person could bring the run on.
    pub people: Seconds,
    /// Nobody executed the run.
    pub unattended: Seconds,
    /// As a sentence.
    pub words: String,
}

/// An objective, and what was achieved.
#[derive(Clone, Debug, Serialize)]
pub struct Objective {
    /// `runbook`, `service` or `called runbook`.
    pub of: &'static str,
    /// Its name.
    pub name: String,
    /// The step that called it, where one did.
    pub step: Option<String>,
    /// `RTO` or `RPO`.
    pub kind: &'static str,
    /// What was promised.
    pub target: Option<Seconds>,
    /// What was achieved, once it is known.
    pub achieved: Option<Seconds>,
    /// Whether that is enough; nothing where either is not known.
    pub met: Option<bool>,
    /// As a sentence.
    pub words: String,
}

/// What a stretch of time was spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Spent {
    /// Steps ran, or could have.
    Machine,
    /// Only people could go on.
    People,
    /// Nobody executed the run.
    Unattended,
    /// A failed attempt was to be tried again.
    Retry,
}

/// A stretch of the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// Spent on what.
    pub spent: Spent,
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

/// A stretch of one step.
pub type Bar = Stretch;

/// A step, or an instance of one.
#[derive(Clone, Debug, Serialize)]
pub struct StepRow {
    /// What people type.
    pub step: String,
    /// Its title.
    pub title: Option<String>,
    /// `detection`, `assessment`, `execution` or `communication`.
    pub phase: &'static str,
    /// How deep it lies in what it is called by.
    pub depth: usize,
    /// Its action.
    pub action: String,
    /// Its state.
    pub state: StepState,
    /// The state in words.
    pub state_words: &'static str,
    /// When its first attempt began.
    pub started: Option<Timestamp>,
    /// When it reached the state it stayed in.
    pub ended: Option<Timestamp>,
    /// How long it worked, retries included, people not.
    pub took: Option<Seconds>,
    /// How long it waited for people.
    pub waited: Option<Seconds>,
    /// How long it was to take: usually and at worst.
    pub estimate: Option<(Seconds, Seconds)>,
    /// How many attempts were begun.
    pub attempts: u32,
    /// Whether recovery waited for it: it stands on the way that took longest.
    pub critical: bool,
    /// How it ended, in a line.
    pub note: Option<String>,
    /// Its time.
    pub bars: Vec<Bar>,
}

/// A gate.
#[derive(Clone, Debug, Serialize)]
pub struct Approval {
    /// The step.
    pub step: String,
    /// What was asked.
    pub prompt: String,
    /// Exactly what would be done.
    pub preview: Vec<String>,
    /// What an approval bound to.
    pub digest: String,
    /// The roles asked; anybody where there is none.
    pub by: Vec<String>,
    /// How many different people.
    pub quorum: u32,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When its time was over.
    pub deadline: Option<Timestamp>,
    /// When it was settled.
    pub settled_at: Option<Timestamp>,
    /// How long it waited, until it was settled or the last record.
    pub waited: Seconds,
    /// Whether it was settled after its time was over, or is open beyond it.
    pub late: bool,
    /// When more people were asked, and which roles.
    pub escalated: Vec<(Timestamp, Vec<String>)>,
    /// `approved`, `rejected`, `void`, `never answered`, `open`.
    pub outcome: &'static str,
    /// Who said what.
    pub votes: Vec<Vote>,
}

/// A word on a gate.
#[derive(Clone, Debug, Serialize)]
pub struct Vote {
    /// `approve` or `reject`.
    pub word: &'static str,
    /// Who.
    pub who: Who,
    /// When the person said so.
    pub at: Timestamp,
    /// When drctl took it.
    pub taken_at: Timestamp,
    /// Where: `prompt`, `inbox`, `ahead`.
    pub from: String,
    /// Why.
    pub comment: Option<String>,
}

/// A decision that is no vote on a gate.
#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    /// When the person said so.
    pub at: Timestamp,
    /// The step; none for the whole run.
    pub step: Option<String>,
    /// Such as `skip`.
    pub what: String,
    /// Who.
    pub who: Who,
    /// Why.
    pub reason: Option<String>,
    /// Where: `prompt`, `inbox`, `ahead`.
    pub from: String,
}

/// A step, and what is to be said of it.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// The step.
    pub step: String,
    /// What.
    pub what: String,
}

/// A doubt.
#[derive(Clone, Debug, Serialize)]
pub struct Doubt {
    /// The step.
    pub step: String,
    /// Since when.
    pub at: Timestamp,
    /// What was known.
    pub evidence: String,
    /// What a person said of it.
    pub resolved: Option<Decision>,
}

/// A notice, or a call to a gate.
#[derive(Clone, Debug, Serialize)]
pub struct Notice {
    /// The step.
    pub step: String,
    /// The template.
    pub template: String,
    /// Who it is for.
    pub audience: String,
    /// Its subject.
    pub subject: Option<String>,
    /// Its text, as it was sent.
    pub body: Option<String>,
    /// When it was begun.
    pub at: Timestamp,
    /// `sent`, `owed`, `in doubt`, `under way`, `skipped`, `given up`; `lapsed`: a call to a gate that was answered without it.
    pub state: &'static str,
    /// Why it is not simply sent.
    pub reason: Option<String>,
    /// Through what.
    pub deliveries: Vec<Delivery>,
}

/// A notice on one channel, or to one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// The channel, with the recipient where it has several.
    pub to: String,
    /// What became of it.
    pub state: ChannelState,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelState {
    /// It was taken.
    Delivered,
    /// Nothing tells whether it was.
    InDoubt,
    /// It was not.
    Owed,
}

/// Something that was checked.
#[derive(Clone, Debug, Serialize)]
pub struct Validation {
    /// The step.
    pub step: String,
    /// How: `verify`, or the step's action.
    pub check: String,
    /// When.
    pub at: Timestamp,
    /// Whether it held.
    pub holds: bool,
    /// What was seen.
    pub what: String,
}

/// Something that went wrong on the way.
#[derive(Clone, Debug, Serialize)]
pub struct Issue {
    /// When.
    pub at: Timestamp,
    /// The step; none for the whole run.
    pub step: Option<String>,
    /// Such as `failure`, `retry`, `escalation`, `doubt`.
    pub kind: &'static str,
    /// What.
    pub what: String,
}

/// The same runbook before.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Comparison {
    /// Earlier runs, the latest first.
    pub runs: Vec<EarlierRow>,
    /// Steps that took another time than before, the largest change first.
    pub steps: Vec<StepChange>,
    /// How fresh its rehearsals were when the run began, in words.
    pub freshness: String,
    /// The last rehearsal of each scenario before the run, those that were not as expected first.
    pub rehearsals: Vec<RehearsalRow>,
}

/// A rehearsal.
#[derive(Clone, Debug, Serialize)]
pub struct RehearsalRow {
    /// The scenario.
    pub scenario: String,
    /// When.
    pub at: Timestamp,
    /// How it ended.
    pub ended: String,
    /// Whether that was expected.
    pub as_expected: bool,
    /// How long recovery took there; nothing where it did not come to that.
    pub recovery: Option<Seconds>,
}

/// An earlier run.
#[derive(Clone, Debug, Serialize)]
pub struct EarlierRow {
    /// Its id.
    pub run: String,
    /// `real`, `simulated` or `rehearsal`.
    pub world: &'static str,
    /// When it began.
    pub at: Timestamp,
    /// How it ended.
    pub state: &'static str,
    /// Whether service was restored: then `elapsed` is what was achieved.
    pub restored: bool,
    /// How long the clock of the RTO ran.
    pub elapsed: Seconds,
    /// How much of that it waited for people.
    pub people: Seconds,
}

/// How a step's time changed.
#[derive(Clone, Debug, Serialize)]
pub struct StepChange {
    /// The step.
    pub step: String,
    /// How long it worked in this run.
    pub now: Seconds,
    /// How long it usually worked before: the median.
    pub before: Seconds,
    /// How many earlier runs that is known of.
    pub runs: usize,
}

/// Something the facts suggest.
#[derive(Clone, Debug, Serialize)]
pub struct Recommendation {
    /// The rule: stable, for programs.
    pub rule: &'static str,
    /// What to do, and why.
    pub what: String,
}

/// A file the run stood on.
#[derive(Clone, Debug, Serialize)]
pub struct Pinned {
    /// Its name.
    pub name: String,
    /// Its SHA-256.
    pub digest: String,
}
