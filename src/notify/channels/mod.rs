//! The channels. A new one is a file here, a variant of [`Channel`], and its settings in `runbook/workspace/channels.rs`.

mod answer;
mod email;
mod file;
mod pagerduty;
mod signature;
mod slack;
mod sms;
mod statuspage;
mod teams;
mod webhook;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Deserialize;

use crate::catalogue::Timestamp;
use crate::edge::Act;
use crate::edge::clock::Clock;

pub use email::{EmailChannel, Tls};
pub use file::FileChannel;
pub use pagerduty::PagerDutyChannel;
pub use slack::SlackChannel;
pub use sms::SmsChannel;
pub use statuspage::StatuspageChannel;
pub use teams::TeamsChannel;
pub use webhook::WebhookChannel;

/// A way to an audience, as the workspace describes it. Secrets are resolved: never printed.
#[derive(Clone, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Channel {
    /// One file a notice, in a folder.
    File(FileChannel),
    /// A POST to a URL.
    Webhook(WebhookChannel),
    /// A mail to each recipient.
    Email(EmailChannel),
    /// A message in a Slack channel.
    Slack(SlackChannel),
    /// A card in a Microsoft Teams channel.
    Teams(TeamsChannel),
    /// An event, which calls who is on duty.
    PagerDuty(PagerDutyChannel),
    /// An incident on an Atlassian Statuspage.
    Statuspage(StatuspageChannel),
    /// A text message to each recipient.
    Sms(SmsChannel),
}

/// A notice, rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// One line.
    pub subject: String,
    /// The text, in Markdown.
    pub body: String,
    /// The text where there is room for little; else the subject.
    pub short: Option<String>,
    /// `critical`, `warning` or `info`.
    pub severity: Option<String>,
    /// Whether it says that all is well again.
    pub is_all_clear: bool,
    /// Who it is for.
    pub audience: String,
    /// The template it was rendered from.
    pub template: String,
    /// The run that sends it.
    pub run: String,
    /// The path of the step that sends it.
    pub step: String,
    /// The same whenever this notice is sent.
    pub key: String,
}

impl Notice {
    /// What a text message says.
    fn brief(&self) -> &str {
        self.short.as_deref().unwrap_or(&self.subject)
    }
}

/// A notice on its way to one recipient.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// What it says.
    pub notice: &'a Notice,
    /// The recipient, where the channel has several.
    pub to: Option<&'a str>,
    /// What the receiver called what it made of an earlier notice of the run.
    pub receipt: Option<&'a str>,
    /// When this was first sent; now, unless it may have been taken before.
    pub first_sent: Timestamp,
}

impl Letter<'_> {
    /// The same whenever this is sent through the channel: what a receiver may deduplicate by.
    #[must_use]
    pub fn key(&self, channel: &str) -> String {
        let to = self.to.map(|to| format!("/{to}")).unwrap_or_default();
        format!("{}/{channel}{to}", self.notice.key)
    }
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
    /// Set from the moment on when the receiver may have taken the notice.
    pub begun: &'a AtomicBool,
}

impl Outside<'_> {
    fn begin(&self) {
        self.begun.store(true, Ordering::SeqCst);
    }
}

/// Why a notice was not delivered, as far as anybody knows. Never holds a secret that stands in a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// It was not, and would not be if it were sent again.
    #[error("{0}")]
    Refused(String),
    /// It was not, for the time being.
    #[error("{why}")]
    NotNow {
        /// Why.
        why: String,
        /// How long the receiver wants to be left alone.
        after: Option<Duration>,
        /// Nobody answered at all: nor would they if it were for somebody else.
        is_unreachable: bool,
    },
    /// It may have been.
    #[error("{0}")]
    InDoubt(String),
}

impl Undelivered {
    /// The receiver answered, and may take it later.
    fn put_off(why: String, after: Option<Duration>) -> Self {
        Self::NotNow { why, after, is_unreachable: false }
    }

    /// Nobody answered.
    pub(crate) fn unreachable(why: impl std::fmt::Display) -> Self {
        Self::NotNow { why: format!("not sent: {why}"), after: None, is_unreachable: true }
    }
}

/// What the receiver calls what it made of the notice, where later notices of the run want to know.
pub type Receipt = Option<String>;

/// Delivers notices. There is one way, and what stands in for it in a rehearsal.
pub trait Post: Send + Sync {
    /// Delivers the notice through the channel, once; see [`Channel::deliver`].
    fn deliver<'a>(
        &'a self,
        channel: &'a Channel,
        outside: Outside<'a>,
        letter: Letter<'a>,
    ) -> Act<'a, Result<Receipt, Undelivered>>;
}

/// The channels themselves.
pub struct Direct;

impl Post for Direct {
    fn deliver<'a>(
        &'a self,
        channel: &'a Channel,
        outside: Outside<'a>,
        letter: Letter<'a>,
    ) -> Act<'a, Result<Receipt, Undelivered>> {
        Box::pin(channel.deliver(outside, letter))
    }
}

impl Channel {
    /// Its name in the workspace.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::File(it) => &it.name,
            Self::Webhook(it) => &it.name,
            Self::Email(it) => &it.name,
            Self::Slack(it) => &it.name,
            Self::Teams(it) => &it.name,
            Self::PagerDuty(it) => &it.name,
            Self::Statuspage(it) => &it.name,
            Self::Sms(it) => &it.name,
        }
    }

    /// Its kind, as the workspace calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Webhook(_) => "webhook",
            Self::Email(_) => "email",
            Self::Slack(_) => "slack",
            Self::Teams(_) => "teams",
            Self::PagerDuty(_) => "pagerduty",
            Self::Statuspage(_) => "statuspage",
            Self::Sms(_) => "sms",
        }
    }

    /// Its kind and name, for messages.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} `{}`", self.kind(), self.name())
    }

    /// Who gets a message of their own; nothing where the channel is one place.
    #[must_use]
    pub fn recipients(&self) -> Option<&[String]> {
        match self {
            Self::Email(email) => Some(&email.to),
            Self::Sms(sms) => Some(&sms.to),
            _ => None,
        }
    }

    /// Whether delivering the same notice twice is delivering it once.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        match self {
            Self::File(_) | Self::PagerDuty(_) | Self::Sms(_) => true,
            Self::Webhook(webhook) => webhook.deduplicates,
            Self::Email(_) | Self::Slack(_) | Self::Teams(_) | Self::Statuspage(_) => false,
        }
    }

    /// Whether the receiver wants to know when a message was first sent that is sent again.
    #[must_use]
    pub fn wants_first_sent(&self) -> bool {
        matches!(self, Self::Sms(_))
    }

    /// Whether the receiver keeps one incident for all notices of a run: the first opens it, and tells the others its name.
    #[must_use]
    pub fn keeps_incident(&self) -> bool {
        matches!(self, Self::Statuspage(_))
    }

    /// The time between two messages that the receiver asks for.
    #[must_use]
    pub fn pace(&self) -> Duration {
        match self {
            // "No more than one message per second": docs.slack.dev/apis/web-api/rate-limits, of incoming webhooks.
            // The same by the introduction of the Statuspage API: sixty requests a minute for a token.
            Self::Slack(_) | Self::Statuspage(_) => Duration::from_secs(1),
            // Four requests a second: learn.microsoft.com, on webhooks of Teams.
            Self::Teams(_) => Duration::from_millis(250),
            _ => Duration::ZERO,
        }
    }

    /// How long one delivery may take. A mail server may look into a mail before it answers.
    #[must_use]
    pub fn patience(&self) -> Duration {
        if matches!(self, Self::Email(_)) { Duration::from_secs(90) } else { Duration::from_secs(30) }
    }

    /// Delivers the notice, once. Whoever stops waiting drops the future; then `outside.begun` tells whether it may
    /// have been delivered.
    ///
    /// # Errors
    /// It was not delivered, or nothing tells.
    pub async fn deliver(&self, outside: Outside<'_>, letter: Letter<'_>) -> Result<Receipt, Undelivered> {
        match self {
            Self::File(file) => file.deliver(outside, letter.notice).await.map(|()| None),
            Self::Webhook(webhook) => webhook.deliver(outside, letter).await.map(|()| None),
            Self::Email(email) => Box::pin(email.deliver(outside, letter)).await.map(|()| None),
            Self::Slack(slack) => slack.deliver(outside, letter).await.map(|()| None),
            Self::Teams(teams) => teams.deliver(outside, letter).await.map(|()| None),
            Self::PagerDuty(pager) => pager.deliver(outside, letter).await.map(|()| None),
            Self::Statuspage(page) => page.deliver(outside, letter).await.map(Some),
            Self::Sms(sms) => sms.deliver(outside, letter).await.map(|()| None),
        }
    }
}

/// The beginning of a text that fits, cut between characters.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}\u{2026}")
}
