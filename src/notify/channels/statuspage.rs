//! Notices as an incident on an Atlassian Statuspage: the first of a run opens it, later ones update it.
//!
//! The requests: developer.statuspage.io, `POST /pages/{page_id}/incidents` (201, with the incident's `id`) and
//! `PATCH /pages/{page_id}/incidents/{incident_id}` (200). Either tells every subscriber, and neither deduplicates.

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{ask, header, json_post, judge, url};
use super::{Letter, Notice, Outside, Undelivered};
use crate::notify::markup;

const API: &str = "https://api.statuspage.io/v1";

/// A page.
#[derive(Clone, Deserialize)]
pub struct StatuspageChannel {
    /// The channel's name.
    pub name: String,
    /// The page's id.
    pub page: String,
    /// The API key, which is a secret: never shown.
    pub token: String,
    /// The components an incident is about.
    #[serde(default)]
    pub components: Vec<String>,
    /// The API.
    #[serde(default = "api")]
    pub url: String,
}

fn api() -> String {
    API.to_owned()
}

impl StatuspageChannel {
    /// The incident's id.
    pub(super) async fn deliver(&self, outside: Outside<'_>, letter: Letter<'_>) -> Result<String, Undelivered> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, header(&format!("OAuth {}", self.token))?);
        let mut request = json_post(self.place(letter.receipt)?, headers, &self.incident(letter));
        if letter.receipt.is_some() {
            request.method = Method::PATCH;
        }
        let answer = ask(outside, request).await?;
        judge(&answer)?;
        let incident: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let id = incident.as_ref().and_then(|incident| incident.get("id")?.as_str()).or(letter.receipt);
        id.map(str::to_owned).ok_or_else(|| Undelivered::InDoubt("the answer names no incident".to_owned()))
    }

    fn place(&self, incident: Option<&str>) -> Result<Url, Undelivered> {
        let mut place = url(&self.url)?;
        let no_base = || Undelivered::Refused("not sent: its `url` is no place for an API".to_owned());
        place
            .path_segments_mut()
            .map_err(|()| no_base())?
            .pop_if_empty()
            .extend(["pages", &self.page, "incidents"])
            .extend(incident);
        Ok(place)
    }

    fn incident(&self, letter: Letter<'_>) -> Value {
        let notice = letter.notice;
        let status = match letter.receipt {
            _ if notice.is_all_clear => "resolved",
            None => "investigating",
            Some(_) => "identified",
        };
        let mut incident = json!({ "status": status, "body": markup::text(&notice.body) });
        if letter.receipt.is_none() {
            incident["name"] = json!(notice.subject);
            incident["metadata"] = json!({ "drctl": { "run": notice.run } });
        }
        if !notice.is_all_clear {
            incident["impact_override"] = json!(impact(notice));
        }
        if !self.components.is_empty() {
            incident["component_ids"] = json!(self.components);
        }
        json!({ "incident": incident })
    }
}

fn impact(notice: &Notice) -> &'static str {
    match notice.severity.as_deref() {
        Some("critical") => "critical",
        Some("warning") => "minor",
        Some("info") => "none",
        _ => "major",
    }
}
