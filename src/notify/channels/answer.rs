//! What an answer to a POST says of the notice in it: taken, not taken, or nobody knows.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;

use super::{Outside, Undelivered, shortened};
use crate::edge::http::{Answer, Lost, Request, exchange, refuses};

/// How much of what a receiver says is shown.
const MOST_WORDS: usize = 200;

/// Reads a URL. What is wrong with it is told without it: it is often a secret.
pub(super) fn url(text: &str) -> Result<Url, Undelivered> {
    Url::parse(text).map_err(|error| Undelivered::Refused(format!("not sent: the URL cannot be read: {error}")))
}

/// POSTs JSON.
pub(super) fn json_post(url: Url, mut headers: HeaderMap, body: &Value) -> Request {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Request { method: Method::POST, url, headers, body: Some(body.to_string().into_bytes()) }
}

/// A header whose value may be secret: what is wrong with it is told without it.
pub(super) fn header(value: &str) -> Result<HeaderValue, Undelivered> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| Undelivered::Refused("not sent: a secret of the channel is no text of a header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Sends the request once; whatever the receiver answers.
pub(super) async fn ask(outside: Outside<'_>, request: Request) -> Result<Answer, Undelivered> {
    outside.begin();
    exchange(outside.http, outside.clock, request).await.map_err(|lost| match lost {
        Lost::NeverSent(why) => Undelivered::unreachable(why),
        Lost::MaybeSent(why) => Undelivered::InDoubt(why),
    })
}

/// Reads JSON, which leaves no doubt whatever comes of it: nothing was sent.
pub(super) async fn look(outside: Outside<'_>, request: Request) -> Result<Value, Undelivered> {
    let answer = exchange(outside.http, outside.clock, request).await.map_err(|lost| match lost {
        Lost::NeverSent(why) | Lost::MaybeSent(why) => Undelivered::unreachable(why),
    })?;
    let why = || format!("not sent: asked what is there, it answered {}{}", answer.status, words(&answer));
    match answer.status {
        200..=299 => serde_json::from_slice(&answer.body)
            .map_err(|error| Undelivered::put_off(format!("not sent: the answer is no JSON: {error}"), None)),
        420 | 429 => Err(Undelivered::put_off(why(), answer.retry_after)),
        status if refuses(status) => Err(Undelivered::Refused(why())),
        _ => Err(Undelivered::put_off(why(), answer.retry_after)),
    }
}

/// Whether the answer says that the notice was taken. A server that failed may have taken it before.
pub(super) fn judge(answer: &Answer) -> Result<(), Undelivered> {
    match answer.status {
        200..=299 => Ok(()),
        // 420 is what Statuspage says instead of 429.
        status @ (420 | 429) => Err(Undelivered::put_off(format!("refused with {status}"), answer.retry_after)),
        status if refuses(status) => Err(Undelivered::Refused(format!("refused with {status}{}", words(answer)))),
        status => Err(Undelivered::InDoubt(format!("answered {status}{}", words(answer)))),
    }
}

/// What the receiver says of it, on one line.
pub(super) fn words(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let text: Vec<&str> = text.split_whitespace().collect();
    if text.is_empty() || text[0].starts_with('<') {
        return String::new();
    }
    format!(": {}", shortened(&text.join(" "), MOST_WORDS))
}
