//! The fields of the runbook language: one table that the reader, the suggestions, the JSON schema
//! and the docs share.

/// A field that a mapping of the language may have.
#[derive(Clone, Copy, Debug)]
pub struct LanguageField {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it holds.
    pub shape: Shape,
    /// One line for people.
    pub doc: &'static str,
}

/// What a field of the language holds, as the schema says it.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Text.
    Text,
    /// Text that is not empty.
    SomeText,
    /// Such text on one line.
    Line,
    /// A name: `[a-z][a-z0-9_]*`.
    Name,
    /// A whole number from one on.
    Count,
    /// `true` or `false`.
    Bool,
    /// `30s`, `1h30m`.
    Duration,
    /// One longer than nothing.
    SomeTime,
    /// One of these.
    Words(&'static [&'static str]),
    /// A list of text.
    Texts,
    /// A list of names.
    Names,
    /// A mapping from names to text.
    NamedTexts,
    /// A mapping from names to one of these.
    NamedWords(&'static [&'static str]),
    /// A whole number from nothing on.
    Whole,
    /// Anything.
    Any,
    /// A mapping with any entries.
    Mapping,
    /// A mapping from names to one of these words, or to a mapping with these fields.
    Declared(&'static [&'static str], &'static [LanguageField]),
    /// A mapping with these fields.
    Fields(&'static [LanguageField]),
    /// A mapping from names to mappings with these fields.
    Named(&'static [LanguageField]),
    /// A list of mappings with these fields.
    Items(&'static [LanguageField]),
    /// A list of steps: see [`STEP`].
    Steps,
    /// A mapping from names to such lists.
    NamedItems(&'static [LanguageField]),
    /// A mapping from names to lists of text, or to mappings with these fields.
    NamedLists(&'static [LanguageField]),
    /// A mapping from names to mappings whose `type` is one of these words and says which fields they have.
    Kinds(&'static [(&'static str, &'static [LanguageField])]),
    /// Text, or where a secret is read.
    Secret,
}

const fn must(name: &'static str, shape: Shape, doc: &'static str) -> LanguageField {
    LanguageField { name, required: true, shape, doc }
}

const fn may(name: &'static str, shape: Shape, doc: &'static str) -> LanguageField {
    LanguageField { name, required: false, shape, doc }
}

use Shape::{
    Any, Bool, Count, Declared, Duration, Fields, Line, Mapping, Name, Named, Names, SomeText, SomeTime, Steps, Text,
    Texts, Words,
};

/// The top of a runbook.
pub const RUNBOOK: &[LanguageField] = &[
    must("drctl", Count, "the version of the format: 1"),
    must("name", Text, "unique in the workspace together with `kind`"),
    must("kind", Words(&["failover", "failback", "drill"]), "what the runbook is for"),
    may("title", Text, "one line for people"),
    may("owner", Text, "the team that keeps it"),
    may("objectives", Fields(OBJECTIVES), "how long recovery may take, and how much data may be lost"),
    may("azure", Fields(super::azure::DEFAULTS), "where its Azure resources are, unless a step says otherwise"),
    may("inputs", Named(INPUT), "what a run is given, by name"),
    may("defaults", Fields(DEFAULTS), "what holds for steps that do not say otherwise"),
    may("detection", Steps, "is it down?"),
    may("assessment", Steps, "how bad is it, and do we act?"),
    may("execution", Steps, "the failover itself"),
    may("communication", Steps, "who is told what"),
    may("outputs", Mapping, "what a caller or a failback may read"),
];

/// `objectives:`.
pub const OBJECTIVES: &[LanguageField] = &[
    may("rto", SomeTime, "recovery time objective: from detection to service restored"),
    may("rpo", Duration, "recovery point objective: how much of the last data may be lost"),
];

/// One input.
pub const INPUT: &[LanguageField] = &[
    must("type", Words(&["string", "int", "bool", "duration", "enum", "list", "secret"]), "the type of its value"),
    may("default", Any, "its value when a run gives none"),
    may("values", Texts, "the words of an enum"),
    may("from", Fields(SECRET), "where a secret is read"),
    may("description", Text, "one line for people"),
];

/// `from:` of a secret.
pub const SECRET: &[LanguageField] = &[
    may("env", Text, "an environment variable"),
    may("file", Text, "a file; its last newline is cut off"),
    may("command", Texts, "a command as an argument list; its output, without the last newline"),
    may("key_vault", Fields(VAULT_SECRET), "a secret of a key vault, read with the workspace's credential and cloud"),
];

/// `key_vault:` of a secret.
pub const VAULT_SECRET: &[LanguageField] = &[
    must("vault", Text, "the vault's name"),
    must("secret", Text, "the secret's name in the vault"),
    may("version", Text, "its version; the current one if absent"),
];

/// `defaults:`.
pub const DEFAULTS: &[LanguageField] = &[
    may(
        "timeout",
        SomeTime,
        "how long one attempt of a step may take (10m; more where the action is known to take longer)",
    ),
    may(
        "retry",
        Fields(RETRY),
        "how a failed step is tried again; never applies to an action that is unsafe to repeat",
    ),
    may("on_failure", Words(ON_FAILURE), "what happens when a step failed for good (stop)"),
];

/// `retry:`.
pub const RETRY: &[LanguageField] = &[
    must("attempts", Count, "all attempts, the first included"),
    may("initial", Duration, "the wait before the second attempt; doubles from there (1s)"),
    may("max", Duration, "the longest wait (1m)"),
];

const ON_FAILURE: &[&str] = &["stop", "continue", "rollback", "ask"];

/// One step.
pub const STEP: &[LanguageField] = &[
    must("id", Name, "unique in the runbook"),
    may("title", Text, "one line for people"),
    may("owner", Text, "who to ask about it"),
    must("action", Text, "the action it does: `drctl actions` lists them"),
    may("with", Mapping, "the action's parameters"),
    may("outputs", Declared(TYPES, OUTPUT), "outputs the step declares: a type each, or `type` and `measures: rpo`"),
    may("needs", Names, "the steps that must be met before it starts"),
    may("when", Text, "a condition; false means not applicable"),
    may(
        "run_if",
        Words(&["success", "failure", "always"]),
        "whether it belongs to success, failure or the end (success)",
    ),
    may("every", Duration, "repeats the notice at this distance"),
    may("until", Name, "the step that ends the repetition"),
    may("for_each", Any, "one instance for each item of a list or mapping"),
    may("max_parallel", Count, "how many instances run at a time (all)"),
    may("approval", Fields(APPROVAL), "who must agree before it starts"),
    may(
        "timeout",
        SomeTime,
        "how long one attempt may take (as `defaults` says, else 10m; more where the action is known to take longer)",
    ),
    may("retry", Fields(RETRY), "how a failed attempt is tried again (as `defaults` says, else not at all)"),
    may("verify", Fields(VERIFY), "a read-only action that must hold after the step"),
    may("rollback", Fields(ACTION), "the action that undoes the step"),
    may(
        "on_failure",
        Words(ON_FAILURE),
        "what happens when it failed for good (as `defaults` says, else stop; of a notice, continue)",
    ),
    may("on_interrupt", Words(&["retry", "verify", "ask"]), "what happens when its end was not recorded"),
    may("estimate", Fields(ESTIMATE), "how long it takes"),
    may("point_of_no_return", Bool, "nothing before it can be undone once it has run (false)"),
    may("simulate", Fields(SIMULATE), "how a dry run or a rehearsal stands in for it"),
];

/// The types an output may have.
pub const TYPES: &[&str] = &["any", "string", "int", "number", "bool", "duration", "list", "map"];

/// An output that a step declares, where it has more than a type.
pub const OUTPUT: &[LanguageField] = &[
    must("type", Words(TYPES), "its type, such as `number`"),
    may("measures", Words(&["rpo"]), "it says how much data would be lost: seconds or a duration"),
];

/// `approval:`.
pub const APPROVAL: &[LanguageField] = &[
    may("by", Names, "roles of the workspace; anybody where there is none"),
    may("quorum", Count, "how many different people (1)"),
    may("requester_may_approve", Bool, "whether the person who started the run may approve (as the workspace says)"),
    may("timeout", SomeTime, "how long it waits before `on_timeout`"),
    may("on_timeout", Words(&["escalate", "reject"]), "what then (escalate); a gate never approves by itself"),
    may("escalate_to", Names, "roles that are asked too once the time is over"),
    may("escalation", Text, "the policy of the workspace by which people are called, level by level"),
    may("estimate", Fields(ESTIMATE), "how long people take to open it (2m, at worst 5m)"),
    may("prompt", Text, "what is asked"),
];

/// `verify:`.
pub const VERIFY: &[LanguageField] = &[
    must("action", Text, "a read-only action"),
    may("with", Mapping, "its parameters"),
    may("within", Duration, "how long it may take to hold (1m)"),
    may("every", Duration, "the time between two looks (2s)"),
];

/// `rollback:`.
pub const ACTION: &[LanguageField] =
    &[must("action", Text, "the action that undoes the step"), may("with", Mapping, "its parameters")];

/// `estimate:`.
pub const ESTIMATE: &[LanguageField] = &[must("typical", Duration, "usually"), may("worst", Duration, "at worst")];

/// `simulate:`.
pub const SIMULATE: &[LanguageField] = &[
    may("duration", Duration, "how long it takes in a rehearsal"),
    may("outputs", Mapping, "what it gives back there"),
    may("fail", Text, "the sentence it fails with there"),
];

/// The front matter of a template.
pub const TEMPLATE: &[LanguageField] = &[
    must("subject", Line, "what mails and chats show first"),
    may("audience", Text, "who is told, where the step does not say"),
    may("channels", Texts, "types or names of channels: of the audience's, only these are used"),
    may("severity", Words(&["critical", "warning", "info"]), "how much it matters, for channels that ask"),
    may("short", SomeText, "what a text message says (the subject)"),
    may("claims", Words(&["recovery"]), "what it says has come true: it is sent only when the checks have passed"),
];
