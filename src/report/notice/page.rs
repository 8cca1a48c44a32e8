//! Notices as one page: no network, no script, side by side as their readers see them.

use serde_json::{Value, json};
use tera::{Context, Tera};

use super::{Preview, views};
use crate::notify::markup;
use crate::runbook::sms;

const PAGE: &str = include_str!("page.html");

/// One page with each notice in every channel.
///
/// # Errors
/// Never, but for a mistake in the page's own template.
pub fn page(previews: &[Preview]) -> Result<String, String> {
    let mut tera = Tera::default();
    tera.autoescape_on([".html"]);
    tera.add_raw_template("page.html", PAGE).map_err(|error| error.to_string())?;
    let notices: Vec<Value> = previews.iter().map(notice).collect();
    let mut context = Context::new();
    context.insert("notices", &notices);
    tera.render("page.html", &context).map_err(|error| error.to_string())
}

/// What the page's template reads of a notice. Fragments of HTML are those of [`markup::html`], which escapes.
fn notice(preview: &Preview) -> Value {
    let message = &preview.message;
    let has = |kind: &str| preview.shows(kind);
    let short = message.short();
    let sources: Vec<Value> =
        views(preview).iter().map(|view| json!({ "title": view.title, "text": view.text })).collect();
    json!({
        "title": preview.name,
        "language": preview.language,
        "audience": preview.audience,
        "severity": message.severity.map(crate::plan::Severity::word),
        "claims_recovery": message.claims_recovery,
        "subject": message.subject,
        "html": markup::html(&message.body),
        // Cards show neither headings nor tables: what Teams gets, read as Markdown.
        "chat": markup::html(&markup::teams(&message.body)),
        "text": markup::text(&message.body),
        "short": short,
        "length": sms::length(short).to_string(),
        "is_long": sms::length(short).segments > sms::MOST_SEGMENTS,
        "mail": has("email"), "slack": has("slack"), "teams": has("teams"), "status_page": has("statuspage"),
        "sms": has("sms"), "file": has("file") || has("webhook"), "pager": has("pagerduty"),
        "through": {
            "mail": preview.through(&["email"]), "slack": preview.through(&["slack"]),
            "teams": preview.through(&["teams"]), "status_page": preview.through(&["statuspage"]),
            "sms": preview.through(&["sms"]), "file": preview.through(&["file", "webhook"]),
            "pager": preview.through(&["pagerduty"]),
        },
        "sources": sources,
    })
}
