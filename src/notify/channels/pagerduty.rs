//! Notices as events, which call who is on duty: PagerDuty's Events API v2.
//!
//! The request, its limits and which answers ask for another try:
//! github.com/PagerDuty/api-schema, `reference/events-v2/openapiv3.json`. Events with one `dedup_key` belong to one
//! alert, so that the same event may be sent again: a run is one alert.

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{ask, json_post, judge, url, words};
use super::{Letter, Outside, Undelivered, shortened};
use crate::notify::markup;

const EVENTS: &str = "https://events.pagerduty.com/v2/enqueue";
/// What PagerDuty calls as we do.
const SEVERITIES: [&str; 3] = ["critical", "warning", "info"];
/// The most characters of a summary.
const MOST_SUMMARY: usize = 1024;
/// The most characters of the text: an event may have 512 KB.
const MOST_TEXT: usize = 20_000;

/// An integration of a service of PagerDuty.
#[derive(Clone, Deserialize)]
pub struct PagerDutyChannel {
    /// The channel's name.
    pub name: String,
    /// The integration key, which is a secret: never shown.
    pub routing_key: String,
    /// Where events go.
    #[serde(default = "events")]
    pub url: String,
}

fn events() -> String {
    EVENTS.to_owned()
}

impl PagerDutyChannel {
    pub(super) async fn deliver(&self, outside: Outside<'_>, letter: Letter<'_>) -> Result<(), Undelivered> {
        let answer = ask(outside, json_post(url(&self.url)?, HeaderMap::new(), &self.event(letter))).await?;
        if answer.status >= 500 {
            let why = format!("answered {}{}", answer.status, words(&answer));
            return Err(Undelivered::put_off(why, answer.retry_after));
        }
        judge(&answer)
    }

    fn event(&self, letter: Letter<'_>) -> Value {
        let notice = letter.notice;
        let dedup_key = format!("drctl/{}", notice.run);
        if notice.is_all_clear {
            return json!({ "routing_key": self.routing_key, "event_action": "resolve", "dedup_key": dedup_key });
        }
        let severity = notice.severity.as_deref().filter(|severity| SEVERITIES.contains(severity)).unwrap_or("error");
        let text = shortened(&markup::text(&notice.body), MOST_TEXT);
        json!({
            "routing_key": self.routing_key,
            "event_action": "trigger",
            "dedup_key": dedup_key,
            "client": "drctl",
            "payload": {
                "summary": shortened(&notice.subject, MOST_SUMMARY),
                "source": notice.run,
                "severity": severity,
                "custom_details": { "text": text, "step": notice.step, "template": notice.template },
            },
        })
    }
}
