//! Where notices go: what each kind of channel has to say of itself.
//!
//! Knows the settings of a channel, not how a notice gets through it.

use serde_json::{Map, Value};

use super::{may, must};
use crate::diag::{Diagnostic, Spanned};
use crate::runbook::ast::SecretSource;
use crate::runbook::decode::{Decoder, Fields};
use crate::runbook::fields::{LanguageField, Shape};
use crate::runbook::source::NodeId;

/// The kinds of channels, and the settings each takes besides `type`.
pub const CHANNELS: &[(&str, &[LanguageField])] = &[
    ("file", FILE),
    ("webhook", WEBHOOK),
    ("email", EMAIL),
    ("slack", CHAT),
    ("teams", CHAT),
    ("pagerduty", PAGERDUTY),
    ("statuspage", STATUSPAGE),
    ("sms", SMS),
];

const FILE: &[LanguageField] = &[must("path", Shape::Text, "the folder notices are written to")];

const WEBHOOK: &[LanguageField] = &[
    must("url", Shape::Secret, "where notices are posted"),
    may("headers", Shape::Any, "further headers, by name: text or a secret each"),
    may("deduplicates", Shape::Bool, "the receiver drops a second notice with the same `Idempotency-Key`"),
    may("secret", Shape::Secret, "signs each notice: HMAC-SHA256 in the header `X-Drctl-Signature`"),
];

const EMAIL: &[LanguageField] = &[
    must("host", Shape::Text, "the SMTP server"),
    may("port", Shape::Count, "its port (587)"),
    may("tls", Shape::Words(&["starttls", "implicit", "none"]), "how the connection is protected (starttls)"),
    may("ca_file", Shape::Text, "a certificate to trust besides the system's, as PEM"),
    may("user", Shape::Text, "the name to log in with"),
    may("password", Shape::Secret, "the password to log in with"),
    must("from", Shape::Text, "the sender: `status@example.com` or `Example Status <status@example.com>`"),
    may("to", Shape::Texts, "who gets every notice of this channel, besides the audience's addresses"),
];

const CHAT: &[LanguageField] = &[must("url", Shape::Secret, "the incoming webhook, which is a secret")];

const PAGERDUTY: &[LanguageField] = &[
    must("routing_key", Shape::Secret, "the integration key of the service"),
    may("url", Shape::Text, "where events go (https://events.pagerduty.com/v2/enqueue)"),
];

const STATUSPAGE: &[LanguageField] = &[
    must("page", Shape::Text, "the page's id"),
    must("token", Shape::Secret, "the API key"),
    may("components", Shape::Texts, "the ids of the components an incident is about"),
    may("url", Shape::Text, "the API (https://api.statuspage.io/v1)"),
];

const SMS: &[LanguageField] = &[
    must(
        "endpoint",
        Shape::Text,
        "the resource of Azure Communication Services: `https://NAME.communication.azure.com`",
    ),
    must("key", Shape::Secret, "its access key"),
    must("from", Shape::Text, "the number to send from, such as `+441632960000`"),
    may("to", Shape::Texts, "numbers that get every notice of this channel, besides the audience's"),
];

/// Where notices go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// One of [`CHANNELS`].
    pub kind: &'static str,
    /// Its settings, by the names of its table.
    pub settings: Map<String, Value>,
    /// The settings that are secret, by a path such as `url` or `headers.authorization`, and where they are read.
    pub secrets: Vec<(String, SecretSource)>,
}

/// A setting that is text, or read from a secret place.
enum Setting {
    /// It stands in the file.
    Text(String),
    /// It is read just before it is used.
    Secret(SecretSource),
}

/// How a setting that is text is written.
struct Wanted {
    words: &'static str,
    fits: fn(&str) -> bool,
}

impl Wanted {
    fn of(kind: &str, name: &str) -> Option<Self> {
        Some(match (kind, name) {
            (_, "url") => Self { words: "a URL such as `https://example.com/hook`", fits: is_url },
            (_, "endpoint") => Self { words: "a URL such as `https://NAME.communication.azure.com`", fits: is_url },
            (_, "host") => Self { words: "the name of a server, such as `mail.example.com`", fits: is_host },
            ("email", "from") => Self { words: "an address such as `status@example.com`", fits: is_sender },
            ("sms", "from") => Self { words: "a number such as `+441632960000`", fits: is_caller },
            (_, "page") => Self { words: "the page's id", fits: |text| !text.trim().is_empty() },
            (_, "path") => Self { words: "a folder", fits: |text| !text.trim().is_empty() },
            _ => return None,
        })
    }
}

/// Whether this is a URL of the web with a host in it; whether anybody answers there is for `drctl doctor` to say.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    host.is_some_and(|host| !host.is_empty())
        && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
}

/// Whether this is a name or an address, without a port or a scheme.
fn is_host(text: &str) -> bool {
    let colons = text.matches(':').count();
    !text.is_empty() && colons != 1 && !text.contains(['/', '@']) && !text.contains(char::is_whitespace)
}

/// Whether this is an address, alone or as `Name <address>`.
fn is_sender(text: &str) -> bool {
    let text = text.trim();
    let address = text.strip_suffix('>').map_or(Some(text), |rest| Some(rest.rsplit_once('<')?.1));
    address.is_some_and(super::people::is_email)
}

/// Whether text messages can come from it: a number, a short code, or a name of eleven letters and digits at most.
fn is_caller(text: &str) -> bool {
    let is_short = (1..=11).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_short || super::people::is_phone(text)
}

impl Channel {
    /// Who gets a message of their own: of these addresses those that the channel can reach, then its own `to`.
    /// Nothing where a channel is one place.
    #[must_use]
    pub fn recipients(&self, addresses: &[String]) -> Option<Vec<String>> {
        let fits: fn(&str) -> bool = match self.kind {
            "email" => super::people::is_email,
            "sms" => super::people::is_phone,
            _ => return None,
        };
        let own = self.settings.get("to").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let mut found: Vec<String> = Vec::new();
        for address in addresses.iter().map(String::as_str).filter(|address| fits(address)).chain(own) {
            if !found.iter().any(|known| known == address) {
                found.push(address.to_owned());
            }
        }
        Some(found)
    }

    /// Whether the receiver takes a notice that is sent twice for one.
    #[must_use]
    pub fn deduplicates(&self) -> bool {
        let says_so = self.settings.get("deduplicates").and_then(Value::as_bool) == Some(true);
        says_so || matches!(self.kind, "file" | "pagerduty" | "sms")
    }

    /// Whether a notice opens something there that stays open until a later one of the same run resolves it.
    #[must_use]
    pub fn keeps_open(&self) -> bool {
        matches!(self.kind, "pagerduty" | "statuspage")
    }

    /// A setting that is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.settings.get(name).and_then(Value::as_str)
    }
}

impl Decoder<'_> {
    pub(super) fn channel(&mut self, name: &Spanned<String>, node: NodeId) -> Option<Channel> {
        let what = format!("channel `{}`", name.value);
        if name.value.contains('/') {
            // A delivery is called `CHANNEL/RECIPIENT`.
            self.report(Diagnostic::error("channel", name.span, format!("the name of the {what} holds a `/`")));
        }
        let (kind, table) = self.kind_of(node, &what, CHANNELS)?;
        let before = self.found.len();
        let fields = self.fields_of_kind(node, &what, table)?;
        let mut channel = Channel { kind, settings: Map::new(), secrets: Vec::new() };
        for field in table {
            let Some(node) = fields.get(field.name) else { continue };
            match field.shape {
                Shape::Secret => self.setting(field.name, node, &mut channel),
                Shape::Count => channel.settings.extend(self.count(node).map(|it| (field.name.to_owned(), it.into()))),
                Shape::Bool => channel.settings.extend(self.boolean(node).map(|it| (field.name.to_owned(), it.into()))),
                Shape::Texts => drop(channel.settings.insert(field.name.to_owned(), self.texts(node).into())),
                Shape::Words(_) => {
                    let word: Option<String> = self.word(&fields, field.name);
                    channel.settings.extend(word.map(|word| (field.name.to_owned(), word.into())));
                }
                Shape::Any => self.headers(field.name, node, &mut channel),
                _ => channel.settings.extend(self.text(node).map(|it| (field.name.to_owned(), it.value.into()))),
            }
        }
        self.addresses(&fields, kind);
        if self.found.len() == before {
            self.places(&fields, kind, table);
        }
        (self.found.len() == before).then_some(channel)
    }

    /// Text, or where a secret is read.
    fn setting(&mut self, name: &str, node: NodeId, channel: &mut Channel) {
        match self.secret_setting(node) {
            Some(Setting::Text(text)) => drop(channel.settings.insert(name.to_owned(), text.into())),
            Some(Setting::Secret(source)) => channel.secrets.push((name.to_owned(), source)),
            None => {}
        }
    }

    fn secret_setting(&mut self, node: NodeId) -> Option<Setting> {
        if self.is_mapping(node) {
            return self.secret_source(node).map(Setting::Secret);
        }
        self.text(node).map(|text| Setting::Text(text.value))
    }

    fn headers(&mut self, name: &str, node: NodeId, channel: &mut Channel) {
        let mut headers = Map::new();
        for (header, node) in self.entries(node, name) {
            match self.secret_setting(node) {
                Some(Setting::Text(text)) => drop(headers.insert(header.value, text.into())),
                Some(Setting::Secret(source)) => channel.secrets.push((format!("{name}.{}", header.value), source)),
                None => {}
            }
        }
        channel.settings.insert(name.to_owned(), Value::Object(headers));
    }

    /// Where notices go, and who they come from, is written so that it can be used. What is read elsewhere is seen there.
    fn places(&mut self, fields: &Fields<'_>, kind: &str, table: &[LanguageField]) {
        for name in table.iter().map(|field| field.name) {
            let Some(node) = fields.get(name) else { continue };
            if name == "port" && self.count(node).is_some_and(|port| port == 0 || port > u32::from(u16::MAX)) {
                self.report(Diagnostic::error("channel", self.span(node), "`port`: wanted a number from 1 to 65535"));
            }
            let Some(wanted) = Wanted::of(kind, name) else { continue };
            if self.is_mapping(node) {
                continue;
            }
            if let Some(text) = self.text(node).filter(|text| !(wanted.fits)(&text.value)) {
                let message = format!("`{name}`: wanted {}, found `{}`", wanted.words, text.value);
                self.report(Diagnostic::error("channel", text.span, message));
            }
        }
    }

    /// Who an e-mail or a text message goes to is an address of that kind.
    fn addresses(&mut self, fields: &Fields<'_>, kind: &str) {
        let is_address = match kind {
            "email" => super::people::is_email,
            "sms" => super::people::is_phone,
            _ => return,
        };
        let Some(node) = fields.get("to") else { return };
        for item in self.items(node, "a list of strings") {
            let Some(text) = self.text(*item).filter(|text| !is_address(&text.value)) else { continue };
            let wanted =
                if kind == "email" { "an address such as `a@example.com`" } else { "a number such as `+441632960000`" };
            let message = format!("wanted {wanted}, found `{}`", text.value);
            self.report(Diagnostic::error("contact", text.span, message));
        }
    }
}
