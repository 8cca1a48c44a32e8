//! Notices as an incident on an Atlassian Statuspage: the first of a run opens it, later ones update it.
//!
//! The requests: developer.statuspage.io, `POST /pages/{page_id}/incidents` (201, with the incident's `id`) and
//! `PATCH /pages/{page_id}/incidents/{incident_id}` (200). Either tells every subscriber, and neither deduplicates. So
//! before one is opened, `GET /pages/{page_id}/incidents` (200, the latest 100) tells whether the run has one already: the
//! answer may have been lost that named it.

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{ask, header, json_post, judge, look, url};
use super::{Letter, Notice, Outside, Undelivered, shortened};
use crate::edge::http::Request;
use crate::notify::markup;

const API: &str = "https://api.statuspage.io/v1";
/// The most characters of an incident's name.
const MOST_NAME: usize = 255;

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
        let known = match letter.receipt {
            Some(incident) => Some(incident.to_owned()),
            None => self.opened_before(outside, &letter.notice.run).await?,
        };
        let incident = self.incident(letter.notice, known.is_none());
        let mut request = json_post(self.place(known.as_deref())?, self.headers()?, &incident);
        if known.is_some() {
            request.method = Method::PATCH;
        }
        let answer = ask(outside, request).await?;
        judge(&answer)?;
        let incident: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let id = incident.as_ref().and_then(|incident| incident.get("id")?.as_str()).map(str::to_owned);
        id.or(known).ok_or_else(|| Undelivered::InDoubt("the answer names no incident".to_owned()))
    }

    /// The incident that an earlier notice of the run opened, by the metadata it was given.
    async fn opened_before(&self, outside: Outside<'_>, run: &str) -> Result<Option<String>, Undelivered> {
        let request = Request { method: Method::GET, url: self.place(None)?, headers: self.headers()?, body: None };
        let incidents = look(outside, request).await?;
        let incidents = incidents.as_array().map(Vec::as_slice).unwrap_or_default();
        let own = incidents
            .iter()
            .find(|incident| incident.pointer("/metadata/drctl/run").and_then(Value::as_str) == Some(run));
        Ok(own.and_then(|incident| incident.get("id")?.as_str()).map(str::to_owned))
    }

    fn headers(&self) -> Result<HeaderMap, Undelivered> {
        Ok(HeaderMap::from_iter([(AUTHORIZATION, header(&format!("OAuth {}", self.token))?)]))
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

    fn incident(&self, notice: &Notice, is_new: bool) -> Value {
        let status = match is_new {
            _ if notice.is_all_clear => "resolved",
            true => "investigating",
            false => "identified",
        };
        let mut incident = json!({ "status": status, "body": markup::text(&notice.body) });
        if is_new {
            incident["name"] = json!(shortened(&notice.subject, MOST_NAME));
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
