//! Notices as JSON in a POST.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Notice, Outside, Undelivered};
use crate::edge::http::{Lost, Request, exchange, merge_headers, refuses};

/// A URL that takes notices.
#[derive(Clone, Deserialize)]
pub struct WebhookChannel {
    /// The channel's name.
    pub name: String,
    /// Where to. Often a secret by itself: never shown.
    pub url: String,
    /// Further headers.
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// Whether the receiver takes requests with the same `Idempotency-Key` for one.
    #[serde(default)]
    pub deduplicates: bool,
}

impl WebhookChannel {
    pub(super) async fn deliver(&self, outside: Outside<'_>, notice: &Notice) -> Result<(), Undelivered> {
        let request = self.request(notice).map_err(Undelivered::Refused)?;
        let answer = match exchange(outside.http, outside.clock, request).await {
            Ok(answer) => answer,
            Err(Lost::NeverSent(why)) => return Err(Undelivered::Refused(format!("not sent: {why}"))),
            Err(Lost::MaybeSent(why)) => return Err(Undelivered::InDoubt(why)),
        };
        match answer.status {
            200..=299 => Ok(()),
            status if refuses(status) => Err(Undelivered::Refused(format!("refused with {status}"))),
            status => Err(Undelivered::InDoubt(format!("answered {status}"))),
        }
    }

    fn request(&self, notice: &Notice) -> Result<Request, String> {
        // Two webhooks of one notice may end at the same receiver.
        let key = format!("{}/{}", notice.key, self.name);
        let body = json!({
            "subject": notice.subject,
            "body": notice.body,
            "audience": notice.audience,
            "template": notice.template,
            "step": notice.step,
            "idempotency_key": key,
        });
        let key = HeaderValue::from_bytes(key.as_bytes()).map_err(|_| "the idempotency key is no header".to_owned())?;
        let mut ours = HeaderMap::new();
        ours.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        ours.insert("idempotency-key", key);
        Ok(Request {
            method: Method::POST,
            url: Url::parse(&self.url).map_err(|error| format!("not sent: the URL cannot be read: {error}"))?,
            headers: merge_headers(&self.headers, ours).map_err(|why| format!("not sent: {why}"))?,
            body: Some(body.to_string().into_bytes()),
        })
    }
}
