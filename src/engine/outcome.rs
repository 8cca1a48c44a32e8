//! What comes of an attempt: its end, what it gave back, what a look at the world says.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::catalogue::Timestamp;

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It did its work.
    Succeeded {
        /// What it gave back.
        outputs: Outputs,
        /// The wanted state already held: nothing was done.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        already: bool,
        /// One line for people.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
        /// What a dry run can say of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<Label>,
    },
    /// It is known that it did not.
    Failed {
        /// Why.
        reason: String,
        /// When it is tried again; for good where there is nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    /// It may or may not have happened.
    Ambiguous {
        /// What is known.
        evidence: String,
    },
    /// It was stopped before it had any effect.
    Cancelled,
}

/// What a dry run can say of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// Its own read ran.
    Checked,
    /// The state was read and the exact write shown.
    Simulated,
    /// A value from `simulate`.
    Assumed,
    /// It touches an unknown: a value, a state that nobody has read, or whether it runs at all.
    Unknown,
}

impl Label {
    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Checked => "checked",
            Self::Simulated => "simulated",
            Self::Assumed => "assumed",
            Self::Unknown => "unknown",
        }
    }
}

/// What a step gave back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outputs {
    /// Nothing.
    #[default]
    None,
    /// The values themselves.
    Inline(Arc<Map<String, Value>>),
    /// In the run's folder, by digest. A reader loads it before it folds the record.
    Stored {
        /// SHA-256 of the JSON.
        digest: String,
        /// The values, once loaded.
        #[serde(skip)]
        loaded: Option<Arc<Map<String, Value>>>,
    },
    /// A dry run cannot know.
    Unknown,
}

impl Outputs {
    /// The values; nothing where they are unknown or not loaded.
    #[must_use]
    pub fn values(&self) -> Option<&Arc<Map<String, Value>>> {
        match self {
            Self::Inline(values) => Some(values),
            Self::Stored { loaded, .. } => loaded.as_ref(),
            Self::None | Self::Unknown => None,
        }
    }

    /// Of a mapping, which may be empty.
    #[must_use]
    pub fn of(values: Map<String, Value>) -> Self {
        if values.is_empty() { Self::None } else { Self::Inline(Arc::new(values)) }
    }
}

/// What a look at the world said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// It happened.
    Applied {
        /// What it gave back.
        outputs: Outputs,
    },
    /// It did not.
    NotApplied {
        /// How that is known.
        reason: String,
    },
    /// What the attempt began goes on.
    UnderWay {
        /// How that is known.
        reason: String,
    },
    /// Nothing can tell.
    Unknown {
        /// Why.
        reason: String,
    },
}
