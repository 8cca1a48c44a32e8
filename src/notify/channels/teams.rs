//! Notices as cards in a Microsoft Teams channel, through the webhook of a workflow.
//!
//! The request: learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using, with an
//! Adaptive Card (adaptivecards.io/explorer/TextBlock.html), of 28 KB at most. A workflow answers 202. It does not
//! deduplicate.

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{ask, json_post, judge, url};
use super::{Letter, Notice, Outside, Undelivered, shortened};
use crate::notify::markup;

/// The most characters of the text: four bytes each, and the card around it, come to less than 28 KB.
const MOST_TEXT: usize = 6000;
/// The most characters of the subject.
const MOST_SUBJECT: usize = 300;

/// The webhook of a workflow of Teams.
#[derive(Clone, Deserialize)]
pub struct TeamsChannel {
    /// The channel's name.
    pub name: String,
    /// The webhook, which is a secret: never shown.
    pub url: String,
}

impl TeamsChannel {
    pub(super) async fn deliver(&self, outside: Outside<'_>, letter: Letter<'_>) -> Result<(), Undelivered> {
        let request = json_post(url(&self.url)?, HeaderMap::new(), &message(letter.notice));
        judge(&ask(outside, request).await?)
    }
}

fn message(notice: &Notice) -> Value {
    let colour = match notice.severity.as_deref() {
        _ if notice.is_all_clear => "Good",
        Some("critical") => "Attention",
        Some("warning") => "Warning",
        _ => "Default",
    };
    let subject = shortened(&notice.subject, MOST_SUBJECT);
    let text = shortened(markup::teams(&notice.body).trim(), MOST_TEXT);
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": { "width": "Full" },
        "body": [
            { "type": "TextBlock", "text": subject, "size": "Large", "weight": "Bolder", "wrap": true, "color": colour },
            { "type": "TextBlock", "text": text, "wrap": true },
        ],
    });
    let attachment =
        json!({ "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card });
    json!({ "type": "message", "attachments": [attachment] })
}
