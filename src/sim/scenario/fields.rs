//! The fields of scenario files: one table that the reader, the suggestions and the docs share.

use crate::runbook::fields::{LanguageField, SIMULATE, Shape};

use Shape::{Any, Bool, Count, Duration, Fields, Items, Mapping, Named, NamedWords, Text, Whole, Words};

const fn must(name: &'static str, shape: Shape, doc: &'static str) -> LanguageField {
    LanguageField { name, required: true, shape, doc }
}

const fn may(name: &'static str, shape: Shape, doc: &'static str) -> LanguageField {
    LanguageField { name, required: false, shape, doc }
}

/// The top of a scenario.
pub const SCENARIO: &[LanguageField] = &[
    must("drctl", Count, "the version of the format: 1"),
    must("scenario", Text, "its name, unique for the runbook"),
    must("runbook", Text, "the name of the runbook it rehearses"),
    may("kind", Words(&["failover", "failback", "drill"]), "the kind of that runbook (failover)"),
    may("title", Text, "one line for people"),
    may("inputs", Mapping, "the inputs of the run, by name"),
    may("seed", Whole, "where the randomness starts: a whole number (0)"),
    may(
        "resources",
        Any,
        "simulated resources: added to what the steps imply, changing it, or taking it away with `absent: true`",
    ),
    may("endpoints", Items(ENDPOINT), "who answers at which URL"),
    may("steps", Named(SIMULATE), "how steps are stood in for; comes before the runbook's `simulate`"),
    may("faults", Any, "what goes wrong: a list of mappings with one fault each"),
    may("people", Any, "how people answer: by step, and `default`, `operator`, `resume_after`, `on_failure`"),
    may("expect", Fields(EXPECT), "what must have come of it"),
];

/// One entry of `endpoints:`.
pub const ENDPOINT: &[LanguageField] = &[
    must("url", Text, "the URL, or the beginning of URLs"),
    may("served_by", Text, "the simulated resource behind it: its name or its id"),
    may("region", Text, "the region it is in: it does not answer while that is down"),
    may("moved_by", Text, "the step whose effect moves it to `moved_to`"),
    may("moved_to", Text, "the region it is in after that"),
    may("status", Count, "the status it answers with, whatever else holds"),
];

/// A reply of `people:`.
pub const REPLY: &[LanguageField] = &[
    may("approve", Bool, "`true`: a gate is approved, a manual step is done; `false`: nobody ever replies"),
    may("reject", Text, "the reason it is refused for"),
    may("after", Duration, "how long it takes (2m)"),
    may("answers", Mapping, "the answers of a manual step, by name"),
];

/// An entry of `on_failure:`.
pub const REMEDY: &[LanguageField] = &[
    may("step", Text, "the step; any where nothing is said"),
    may("retry", Bool, "it is tried again"),
    may("skip", Bool, "it is left out"),
    may("abort", Bool, "the run is given up"),
    may("resolve", Words(&["happened", "did_not_happen", "retry"]), "what somebody says of a step in doubt"),
    may("after", Duration, "how long it takes until somebody does it (2m)"),
];

/// `expect:`.
pub const EXPECT: &[LanguageField] = &[
    may("state", Words(RUN_STATES), "the state of the run at its end"),
    may("rto", Fields(AT_MOST), "how long recovery may take"),
    may("rpo", Fields(AT_MOST), "how much data may be lost, by what the steps measured"),
    may("steps", NamedWords(STEP_WORDS), "step -> its state, `never` or `ran`"),
    may("world", Items(WORLD), "what simulated resources hold"),
    may("messages", Items(MESSAGE), "the notices that were sent"),
];

/// The words of a run's state.
pub const RUN_STATES: &[&str] =
    &["succeeded", "completed_with_exceptions", "failed", "aborted", "paused", "awaiting_approval", "in_doubt"];

/// What may be expected of a step: its state, or whether it ran at all.
pub const STEP_WORDS: &[&str] = &[
    "never",
    "ran",
    "succeeded",
    "failed",
    "skipped",
    "not_applicable",
    "in_doubt",
    "pending",
    "awaiting_approval",
    "awaiting_person",
    "rolled_back",
    "rollback_failed",
    "cancelled",
    "running",
    "retry_wait",
    "verifying",
    "rolling_back",
];

/// `rto` and `rpo` of `expect:`.
pub(super) const AT_MOST: &[LanguageField] = &[must("at_most", Duration, "no more than this")];

/// An entry of `expect.world`.
pub const WORLD: &[LanguageField] = &[
    must("resource", Text, "type and name, such as `Microsoft.Network/trafficManagerProfiles/orders`"),
    may("at", Text, "a JSON pointer into it"),
    must("is", Any, "what stands there"),
];

/// An entry of `expect.messages`.
pub const MESSAGE: &[LanguageField] = &[
    must("template", Text, "the template"),
    may("audience", Text, "the audience; of `approval_request`, whom the level calls"),
    may("times", Whole, "how many notices; at least one where nothing is said"),
    may("contains", Text, "a part of the text of each"),
];

/// A fault and its fields.
pub struct FaultFields {
    /// Its word.
    pub name: &'static str,
    /// One line for people.
    pub doc: &'static str,
    /// Its fields.
    pub fields: &'static [LanguageField],
}

const STEP: LanguageField = must("step", Text, "the step");
const TIMES: LanguageField = may("times", Count, "how many attempts");

/// All faults.
pub const FAULTS: &[FaultFields] = &[
    FaultFields {
        name: "region_down",
        doc: "a region does not answer",
        fields: &[
            must("region", Text, "the region"),
            may("at", Duration, "how long after the start of the run (0s)"),
            may("for", Duration, "for how long; for good where nothing is said"),
        ],
    },
    FaultFields {
        name: "throttled",
        doc: "Azure refuses requests because there were too many",
        fields: &[
            may("service", Text, "a part of the resource type, such as `Microsoft.Sql`; all where nothing is said"),
            may("for", Duration, "for how long after the first request; for good where nothing is said"),
            may("retry_after", Duration, "when to come back, as Azure says (10s)"),
        ],
    },
    FaultFields {
        name: "busy",
        doc: "something else is being done to the resource",
        fields: &[
            may("step", Text, "the step whose requests are refused"),
            may("service", Text, "or a part of the resource type"),
            must("for", Duration, "for how long after the first request"),
        ],
    },
    FaultFields {
        name: "failed_operation",
        doc: "what the step does fails",
        fields: &[
            STEP,
            may("code", Text, "the code Azure gives"),
            may("message", Text, "what is said"),
            may("times", Count, "how many attempts fail; all where nothing is said"),
        ],
    },
    FaultFields { name: "stuck_operation", doc: "what the step starts never ends", fields: &[STEP] },
    FaultFields {
        name: "lost_response",
        doc: "the answer to what the step sends is lost",
        fields: &[
            STEP,
            may("effect", Words(&["before", "after"]), "whether it was lost before or after it had its effect (after)"),
            TIMES,
        ],
    },
    FaultFields {
        name: "slow_replication",
        doc: "replicas lag behind",
        fields: &[
            may("resource", Text, "the resource; all where nothing is said"),
            must("lag", Duration, "by how much"),
        ],
    },
    FaultFields {
        name: "expired_token",
        doc: "tokens are refused once",
        fields: &[may("at", Duration, "how long after the start of the run (0s)")],
    },
    FaultFields {
        name: "crash",
        doc: "drctl is killed, and taken up by the operator",
        fields: &[
            STEP,
            may("point", Words(&["before_effect", "after_effect", "polling"]), "where in the step (after_effect)"),
        ],
    },
    FaultFields { name: "hang", doc: "the step does nothing and never answers", fields: &[STEP] },
    FaultFields { name: "timeout", doc: "the step has its effect, but takes longer than it may", fields: &[STEP] },
];

/// The words that `people:` takes besides the steps.
pub const PEOPLE: &[LanguageField] = &[
    may("default", Fields(REPLY), "what holds for gates and manual steps that are not named"),
    may("operator", Text, "who starts the run, and takes it up after a crash"),
    may("resume_after", Duration, "how long it takes until somebody takes the run up after a crash (2m)"),
    may("on_failure", Items(REMEDY), "what is done about failures and doubts, in this order, each once"),
];
