//! A template, rendered: the message that channels take.

use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::{Claim, Severity, Templates, variant};
use crate::runbook::expr::{Notice, Scope, Teller, Undefined};
use crate::runbook::workspace::Audience;

/// What a notice says, before a channel writes it its own way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One line.
    pub subject: String,
    /// Markdown.
    pub body: String,
    /// What a text message says, where it is not the subject.
    pub short: Option<String>,
    /// How much it matters: `critical`, `warning` or `info`.
    pub severity: Option<Severity>,
    /// Whether it says that the service is back.
    pub claims_recovery: bool,
    /// The template.
    pub template: String,
}

impl Message {
    /// As it is journaled and handed to the action.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut fields = Map::new();
        let mut add = |name: &str, text: Option<&str>| {
            if let Some(text) = text {
                fields.insert(name.to_owned(), text.into());
            }
        };
        add("subject", Some(&self.subject));
        add("body", Some(&self.body));
        add("short", self.short.as_deref());
        add("severity", self.severity.map(Severity::word));
        add("claims", self.claims_recovery.then_some("recovery"));
        add("template", Some(&self.template));
        Value::Object(fields)
    }

    /// As [`Self::to_json`] wrote it; `None` where it is no message.
    #[must_use]
    pub fn from_json(fields: &Value) -> Option<Self> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            subject: text("subject")?,
            body: text("body")?,
            short: text("short"),
            severity: fields.get("severity").and_then(|word| Severity::deserialize(word).ok()),
            claims_recovery: text("claims").is_some(),
            template: text("template").unwrap_or_default(),
        })
    }

    /// What a text message says.
    #[must_use]
    pub fn short(&self) -> &str {
        self.short.as_deref().unwrap_or(&self.subject)
    }
}

/// Renders the template of that name in the language and the time zone of an audience.
///
/// # Errors
/// There is no such template, a name has no value, or a line has several.
pub fn message(
    templates: &Templates,
    name: &str,
    scope: &dyn Scope,
    (audience, stands_in): (&Audience, bool),
) -> Result<Message, Undefined> {
    let missing = || Undefined::Wrong(format!("no template is called `{name}`"));
    let base = templates.get(name).and_then(Option::as_ref).ok_or_else(missing)?;
    let said = variant(templates, name, audience.language.as_deref()).ok_or_else(missing)?;
    let teller = Teller { zone: audience.zone.as_deref(), stands_in };
    Ok(Message {
        subject: line("subject", &said.subject, scope, teller)?,
        body: said.body.render(scope, teller)?.trim_end().to_owned(),
        short: said.short.as_ref().map(|short| Ok(short.render(scope, teller)?.trim().to_owned())).transpose()?,
        severity: base.severity,
        claims_recovery: base.claims == Some(Claim::Recovery),
        template: name.to_owned(),
    })
}

/// One line: a second one would be another header of a mail.
fn line(what: &str, notice: &Notice, scope: &dyn Scope, teller: Teller<'_>) -> Result<String, Undefined> {
    let text = notice.render(scope, teller)?.trim().to_owned();
    if text.contains(['\n', '\r']) || text.contains(char::is_control) {
        let message = format!("the {what} has a line break or a control character in it: {text:?}");
        return Err(Undefined::Wrong(message));
    }
    Ok(text)
}
