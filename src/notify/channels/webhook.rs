//! Notices as JSON in a POST.
//!
//! With a `secret`, the header `X-Drctl-Signature: t=SECONDS,v1=HEX` says that the notice comes from who knows it, and
//! when: HEX is the HMAC-SHA256 of `SECONDS.BODY`. A receiver that refuses old times and known keys cannot be fed the
//! same notice again. It is the scheme of Stripe's `Stripe-Signature` (docs.stripe.com/webhooks/signature).

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{ask, header, url};
use super::signature::{hex, sign};
use super::{Letter, Outside, Undelivered};
use crate::catalogue::Timestamp;
use crate::edge::http::{Request, merge_headers, refuses};

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
    /// What notices are signed with.
    #[serde(default)]
    pub secret: Option<String>,
}

impl WebhookChannel {
    pub(super) async fn deliver(&self, outside: Outside<'_>, letter: Letter<'_>) -> Result<(), Undelivered> {
        let answer = ask(outside, self.request(letter, outside.clock.now())?).await?;
        match answer.status {
            200..=299 => Ok(()),
            429 => Err(Undelivered::put_off("refused with 429".to_owned(), answer.retry_after)),
            // What it says besides is whatever stands there: not for the eyes of everybody who reads the journal.
            status if refuses(status) => Err(Undelivered::Refused(format!("refused with {status}"))),
            status => Err(Undelivered::InDoubt(format!("answered {status}"))),
        }
    }

    fn request(&self, letter: Letter<'_>, now: Timestamp) -> Result<Request, Undelivered> {
        let notice = letter.notice;
        // Two webhooks of one notice may end at the same receiver.
        let key = letter.key(&self.name);
        let body = json!({
            "subject": notice.subject,
            "body": notice.body,
            "audience": notice.audience,
            "template": notice.template,
            "step": notice.step,
            "idempotency_key": key,
        });
        let body = body.to_string().into_bytes();
        let refused = |why: &str| Undelivered::Refused(why.to_owned());
        let key = HeaderValue::from_bytes(key.as_bytes()).map_err(|_| refused("the idempotency key is no header"))?;
        let mut ours = HeaderMap::new();
        ours.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        ours.insert("idempotency-key", key);
        if let Some(secret) = &self.secret {
            ours.insert("x-drctl-signature", header(&signature(secret, &body, now)?)?);
        }
        let headers = merge_headers(&self.headers, ours).map_err(|why| refused(&format!("not sent: {why}")))?;
        Ok(Request { method: Method::POST, url: url(&self.url)?, headers, body: Some(body) })
    }
}

fn signature(secret: &str, body: &[u8], now: Timestamp) -> Result<String, Undelivered> {
    let seconds = now.0.div_euclid(1000);
    let mut signed = format!("{seconds}.").into_bytes();
    signed.extend_from_slice(body);
    Ok(format!("t={seconds},v1={}", hex(&sign(secret.as_bytes(), &signed)?)))
}
