//! Notices as text messages, through Azure Communication Services.
//!
//! The request: learn.microsoft.com/rest/api/communication/dataplane/sms/send, version 2021-03-07; how it is signed:
//! learn.microsoft.com/azure/communication-services/tutorials/hmac-header-tutorial. A message that is sent again with
//! its `repeatabilityRequestId` and `repeatabilityFirstSent` is taken for the first one, or rejected where that is too
//! long ago (learn.microsoft.com/rest/api/communication/repeatable-requests).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::answer::{ask, header, json_post, judge, url, words};
use super::signature::{hex, sign};
use super::{Letter, Outside, Undelivered};
use crate::catalogue::Timestamp;
use crate::edge::http::{Answer, Request};

const VERSION: &str = "2021-03-07";

/// A number of a resource of Azure Communication Services.
#[derive(Clone, Deserialize)]
pub struct SmsChannel {
    /// The channel's name.
    pub name: String,
    /// The resource.
    pub endpoint: String,
    /// Its access key, which is a secret: never shown.
    pub key: String,
    /// The number to send from.
    pub from: String,
    /// Who gets a message.
    #[serde(default)]
    pub to: Vec<String>,
}

/// What is said of one recipient.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Item {
    http_status_code: u16,
    successful: bool,
    error_message: Option<String>,
    repeatability_result: Option<String>,
}

impl SmsChannel {
    pub(super) async fn deliver(&self, outside: Outside<'_>, letter: Letter<'_>) -> Result<(), Undelivered> {
        let answer = ask(outside, self.request(letter, outside.clock.now())?).await?;
        if answer.status >= 500 {
            let why = format!("answered {}{}", answer.status, words(&answer));
            return Err(Undelivered::InDoubt(why));
        }
        judge(&answer)?;
        taken(&answer)
    }

    fn request(&self, letter: Letter<'_>, now: Timestamp) -> Result<Request, Undelivered> {
        let mut place = url(&self.endpoint)?;
        place.set_path("/sms");
        place.set_query(Some(&format!("api-version={VERSION}")));
        let message = json!({
            "from": self.from,
            "smsRecipients": [{
                "to": letter.to.unwrap_or_default(),
                "repeatabilityRequestId": request_id(&letter.key(&self.name)),
                "repeatabilityFirstSent": http_date(letter.first_sent),
            }],
            "message": letter.notice.brief(),
            "smsSendOptions": { "enableDeliveryReport": false },
        });
        let headers = self.signed(&place, &message, &http_date(now))?;
        Ok(json_post(place, headers, &message))
    }

    fn signed(&self, place: &Url, message: &Value, date: &str) -> Result<HeaderMap, Undelivered> {
        let key = STANDARD.decode(self.key.trim());
        let key = key.map_err(|_| Undelivered::Refused("not sent: its `key` is no base64".to_owned()))?;
        let hash = STANDARD.encode(Sha256::digest(message.to_string()));
        let host = place.host_str().unwrap_or_default();
        let host = place.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let query = place.query().unwrap_or_default();
        let signed = format!("POST\n{}?{query}\n{date};{host};{hash}", place.path());
        let signature = STANDARD.encode(sign(&key, signed.as_bytes())?);
        let proof = format!("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}");
        let mut headers = HeaderMap::new();
        headers.insert("x-ms-date", header(date)?);
        headers.insert("x-ms-content-sha256", header(&hash)?);
        headers.insert(AUTHORIZATION, header(&proof)?);
        Ok(headers)
    }
}

/// What the answer says of the one recipient.
fn taken(answer: &Answer) -> Result<(), Undelivered> {
    #[derive(Deserialize)]
    struct Items {
        value: Vec<Item>,
    }
    let items: Option<Items> = serde_json::from_slice(&answer.body).ok();
    let Some(item) = items.and_then(|items| items.value.into_iter().next()) else {
        return Err(Undelivered::InDoubt("the answer says nothing of the recipient".to_owned()));
    };
    if item.successful {
        return Ok(());
    }
    let said = item.error_message.map(|text| format!(": {text}")).unwrap_or_default();
    let why = format!("refused with {}{said}", item.http_status_code);
    if item.repeatability_result.as_deref().is_some_and(|result| result.eq_ignore_ascii_case("rejected")) {
        return Err(Undelivered::InDoubt(format!("{why}: it was first sent too long ago to be sent again")));
    }
    match item.http_status_code {
        429 => Err(Undelivered::put_off(why, answer.retry_after)),
        400..=499 => Err(Undelivered::Refused(why)),
        _ => Err(Undelivered::InDoubt(why)),
    }
}

/// A GUID made of the key: the same for the same message.
fn request_id(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    let mut bytes: Vec<u8> = digest.iter().copied().take(16).collect();
    // The bits that say how a GUID was made: of something else, as one likes (RFC 9562, version 8).
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex(&bytes);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

/// `Sat, 21 Nov 2026 22:00:00 GMT`.
fn http_date(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    jiff::fmt::strtime::format("%a, %d %b %Y %H:%M:%S GMT", time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_one_id_and_one_date() {
        assert_eq!(request_id("run-1/tell/sms/+44"), request_id("run-1/tell/sms/+44"));
        assert_ne!(request_id("run-1/tell/sms/+44"), request_id("run-1/tell/sms/+45"));
        assert_eq!(request_id("x"), "2d711642-b726-8044-8162-7ca9fbac32f5");
        assert_eq!(http_date(Timestamp(1_554_099_723_000)), "Mon, 01 Apr 2019 06:22:03 GMT");
    }
}
