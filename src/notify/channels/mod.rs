//! The channels. A new one is a file here and a variant of [`Channel`].

mod file;
mod webhook;

use std::path::Path;

use serde::Deserialize;

use crate::edge::Act;
use crate::edge::clock::Clock;

pub use file::FileChannel;
pub use webhook::WebhookChannel;

/// A way to an audience, as the workspace describes it. Secrets are resolved: never printed.
#[derive(Clone, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Channel {
    /// One file a notice, in a folder.
    File(FileChannel),
    /// A POST to a URL.
    Webhook(WebhookChannel),
}

/// A notice, rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// One line.
    pub subject: String,
    /// The text.
    pub body: String,
    /// Who it is for.
    pub audience: String,
    /// The template it was rendered from.
    pub template: String,
    /// The path of the step that sends it.
    pub step: String,
    /// The same whenever this notice is sent: what a receiver may deduplicate by.
    pub key: String,
}

/// What a channel may use of the outside.
#[derive(Clone, Copy)]
pub struct Outside<'a> {
    /// The client for all requests.
    pub http: &'a reqwest::Client,
    /// The clock all waiting goes through.
    pub clock: &'a dyn Clock,
    /// Where relative paths start.
    pub workspace: &'a Path,
}

/// Why a notice was not delivered, as far as anybody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// It was not.
    #[error("{0}")]
    Refused(String),
    /// It may have been.
    #[error("{0}")]
    InDoubt(String),
}

/// Delivers notices. There is one way, and what stands in for it in a rehearsal.
pub trait Post: Send + Sync {
    /// Delivers the notice through the channel, once; see [`Channel::deliver`].
    fn deliver<'a>(
        &'a self,
        channel: &'a Channel,
        outside: Outside<'a>,
        notice: &'a Notice,
    ) -> Act<'a, Result<(), Undelivered>>;
}

/// The channels themselves.
pub struct Direct;

impl Post for Direct {
    fn deliver<'a>(
        &'a self,
        channel: &'a Channel,
        outside: Outside<'a>,
        notice: &'a Notice,
    ) -> Act<'a, Result<(), Undelivered>> {
        Box::pin(channel.deliver(outside, notice))
    }
}

impl Channel {
    /// Its name in the workspace.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::File(file) => &file.name,
            Self::Webhook(webhook) => &webhook.name,
        }
    }

    /// Its kind and name, for messages.
    #[must_use]
    pub fn title(&self) -> String {
        let kind = match self {
            Self::File(_) => "file",
            Self::Webhook(_) => "webhook",
        };
        format!("{kind} `{}`", self.name())
    }

    /// Whether delivering the same notice twice is delivering it once.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        match self {
            Self::File(_) => true,
            Self::Webhook(webhook) => webhook.deduplicates,
        }
    }

    /// Delivers the notice, once. Whoever stops waiting drops the future; then it may have been delivered or not.
    ///
    /// # Errors
    /// It was not delivered, or nothing tells.
    pub async fn deliver(&self, outside: Outside<'_>, notice: &Notice) -> Result<(), Undelivered> {
        match self {
            Self::File(file) => file.deliver(outside, notice).await,
            Self::Webhook(webhook) => webhook.deliver(outside, notice).await,
        }
    }
}
