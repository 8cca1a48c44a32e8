//! Notices as messages in a Slack channel, through an incoming webhook.
//!
//! The request: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks; its blocks, and how long each may
//! be: docs.slack.dev/reference/block-kit/blocks. Slack answers 200 with `ok`. It does not deduplicate.

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{ask, json_post, judge, url};
use super::{Letter, Notice, Outside, Undelivered, shortened};
use crate::notify::markup;

/// The most characters of a header block.
const MOST_HEADER: usize = 150;
/// The most characters of a section block.
const MOST_SECTION: usize = 3000;
/// The most blocks of a message, but for the header.
const MOST_SECTIONS: usize = 49;

/// An incoming webhook of Slack.
#[derive(Clone, Deserialize)]
pub struct SlackChannel {
    /// The channel's name.
    pub name: String,
    /// The webhook, which is a secret: never shown.
    pub url: String,
}

impl SlackChannel {
    pub(super) async fn deliver(&self, outside: Outside<'_>, letter: Letter<'_>) -> Result<(), Undelivered> {
        let request = json_post(url(&self.url)?, HeaderMap::new(), &message(letter.notice));
        judge(&ask(outside, request).await?)
    }
}

/// The blocks, and what is shown where there is no room for them.
fn message(notice: &Notice) -> Value {
    let subject = json!({ "type": "plain_text", "text": shortened(&notice.subject, MOST_HEADER), "emoji": false });
    let mut blocks = vec![json!({ "type": "header", "text": subject })];
    let sections = sections(&markup::slack(&notice.body));
    let section = |text: String| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    blocks.extend(sections.into_iter().take(MOST_SECTIONS).map(section));
    json!({ "text": escaped(&notice.subject), "blocks": blocks })
}

/// The text in parts that a section holds, cut between lines where that is possible.
fn sections(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut room = 0;
    for line in text.trim().lines().map(|line| shortened(line, MOST_SECTION)) {
        let length = line.chars().count() + 1;
        match parts.last_mut() {
            Some(part) if length <= room => {
                part.push('\n');
                part.push_str(&line);
                room -= length;
            }
            _ => {
                room = MOST_SECTION + 1 - length;
                parts.push(line);
            }
        }
    }
    // A section of nothing is refused.
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// docs.slack.dev/messaging/formatting-message-text: what would be markup, or call somebody.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_lines_into_parts_that_slack_takes() {
        let line = "x".repeat(1000);
        let text = [line.as_str(); 7].join("\n");
        let lengths: Vec<usize> = sections(&text).iter().map(String::len).collect();
        assert_eq!(lengths, [2001, 2001, 2001, 1000]);
        assert_eq!(sections(&"y".repeat(4000)).iter().map(|part| part.chars().count()).collect::<Vec<_>>(), [3000]);
        assert_eq!(sections("\n \n"), Vec::<String>::new());
    }

    #[test]
    fn a_subject_calls_nobody() {
        let notice = Notice { subject: "<!channel> & all".to_owned(), body: "Hello".to_owned(), ..Notice::default() };
        assert_eq!(
            message(&notice),
            json!({
                "text": "&lt;!channel&gt; &amp; all",
                "blocks": [
                    { "type": "header", "text": { "type": "plain_text", "text": "<!channel> & all", "emoji": false } },
                    { "type": "section", "text": { "type": "mrkdwn", "text": "Hello" } },
                ],
            })
        );
    }
}
