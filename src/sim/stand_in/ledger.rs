//! What happened in the simulated world outside Azure: counted where drctl cannot reach.

use serde_json::{Map, Value};

use crate::catalogue::{Effect, Timestamp};

/// What a stand-in did.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// The same for all attempts of a side of a step.
    pub key: String,
    /// The path of the step.
    pub step: String,
    /// Whether it undoes the step.
    pub undo: bool,
    /// The attempt.
    pub attempt: u32,
    /// The action.
    pub action: &'static str,
    /// What repeating it would do.
    pub effect: Effect,
    /// Whether the step says that it may be repeated.
    pub repeatable: bool,
    /// When.
    pub at: Timestamp,
    /// When it is over.
    pub ends: Timestamp,
    /// What it gives back.
    pub outputs: Map<String, Value>,
    /// Why it fails, if it does.
    pub fails: Option<String>,
}

/// A notice that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When.
    pub at: Timestamp,
    /// The path of the step that sent it.
    pub step: String,
    /// The template.
    pub template: String,
    /// The audience.
    pub audience: String,
    /// The channel.
    pub channel: String,
    /// The recipient, where the channel has several.
    pub to: Option<String>,
    /// Whether a second one is dropped, or is the same.
    pub repeatable: bool,
    /// One line.
    pub subject: String,
    /// The text.
    pub body: String,
    /// The same whenever this notice is sent.
    pub key: String,
}

impl Sent {
    /// The delivery's name, such as `mail/ada@example.com`.
    #[must_use]
    pub fn delivery(&self) -> String {
        let to = self.to.as_ref().map(|to| format!("/{to}")).unwrap_or_default();
        format!("{}{to}", self.channel)
    }
}

/// All of it, in order.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Effects.
    pub done: Vec<Done>,
    /// Notices.
    pub sent: Vec<Sent>,
}

impl Ledger {
    /// What an attempt did.
    #[must_use]
    pub fn attempt(&self, key: &str, attempt: u32) -> Option<&Done> {
        self.done.iter().find(|done| done.key == key && done.attempt == attempt)
    }

    /// What any attempt did that went well.
    #[must_use]
    pub fn succeeded(&self, key: &str) -> Option<&Done> {
        self.done.iter().find(|done| done.key == key && done.fails.is_none())
    }
}
