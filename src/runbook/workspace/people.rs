//! Who is asked and who is told: contacts, roles, audiences, and whom an unanswered gate goes on to.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Workspace, may, must};
use crate::diag::{Diagnostic, Spanned};
use crate::runbook::decode::{Decoder, Fields};
use crate::runbook::fields::{LanguageField, Shape};
use crate::runbook::source::NodeId;

/// One of `contacts`.
pub(super) const CONTACT: &[LanguageField] = &[
    may("name", Shape::Text, "how people call them"),
    may("email", Shape::Text, "their address"),
    may("phone", Shape::Text, "their number, such as `+441632960000`"),
    may("language", Shape::Text, "the language they read, such as `de`"),
    may("zone", Shape::Text, "the time zone they live in, such as `Europe/Berlin`"),
];

/// A role that says more than who has it.
pub(super) const ROLE: &[LanguageField] = &[
    must("people", Shape::Texts, "who has the role, by the names of their OS users; who is called first stands first"),
    may("channels", Shape::Texts, "the channels they are called through"),
];

/// An audience that says more than its channels.
pub(super) const AUDIENCE: &[LanguageField] = &[
    must("channels", Shape::Texts, "the channels that reach it"),
    may("contacts", Shape::Texts, "the contacts it is made of"),
    may("roles", Shape::Texts, "the roles whose people belong to it"),
    may("to", Shape::Texts, "further addresses and numbers: each channel takes those of its kind"),
    may("language", Shape::Text, "the language it reads, such as `de`: templates have a variant for it"),
    may("zone", Shape::Text, "the time zone its notices tell times in (UTC)"),
];

/// `approvals:`.
pub(super) const APPROVALS: &[LanguageField] = &[
    may("requester_may_approve", Shape::Bool, "whether who started a run may approve its gates (true)"),
    may("escalate_to", Shape::Texts, "roles that are asked too once a gate's time is over"),
    may("escalation", Shape::Text, "the policy of `escalation_policies` that gates follow which name none"),
    may("channels", Shape::Texts, "the channels a role is called through that names none of its own"),
];

/// One level of a policy: `level_N` names whom it calls.
pub(super) const LEVEL: &[LanguageField] = &[
    may("level_1", Shape::Text, "called when the gate opens: a role, an audience or a channel"),
    may("level_2", Shape::Text, "called when the time of the first level is over"),
    may("level_3", Shape::Text, "called after the second"),
    may("level_4", Shape::Text, "called after the third"),
    may("level_5", Shape::Text, "called after the fourth"),
    must("timeout", Shape::SomeTime, "how long this level has before the next is called"),
];

/// Somebody who can be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// How people call them.
    pub name: Option<String>,
    /// Where mail reaches them.
    pub email: Option<String>,
    /// Where text messages reach them.
    pub phone: Option<String>,
    /// The language they read, such as `de`.
    pub language: Option<String>,
    /// The time zone they live in, by its IANA name.
    pub zone: Option<String>,
}

/// Who may be asked for something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Role {
    /// By the names of their OS users; who is called first stands first.
    pub people: Vec<String>,
    /// The channels they are called through.
    pub channels: Vec<String>,
}

/// Who is told something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// The channels that reach it.
    pub channels: Vec<String>,
    /// Names of contacts.
    pub contacts: Vec<String>,
    /// Names of roles.
    pub roles: Vec<String>,
    /// Further addresses and numbers.
    pub to: Vec<String>,
    /// The language it reads, such as `de`.
    pub language: Option<String>,
    /// The time zone it is told times in, by its IANA name.
    pub zone: Option<String>,
}

/// A level of an escalation policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// A role, an audience or a channel.
    pub calls: String,
    /// How long it has before the next level is called.
    pub timeout: Duration,
}

impl Workspace {
    /// The people who have one of these roles.
    #[must_use]
    pub fn people<'a>(&self, roles: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let roles = roles.into_iter().filter_map(|role| self.roles.get(role));
        let mut people: Vec<String> = roles.flat_map(|role| &role.people).cloned().collect();
        people.sort();
        people.dedup();
        people
    }

    /// The addresses and numbers of an audience: its own, then its contacts', then those of who has its roles.
    #[must_use]
    pub fn addresses(&self, audience: &Audience) -> Vec<String> {
        let people = audience.roles.iter().filter_map(|role| self.roles.get(role)).flat_map(|role| &role.people);
        let contacts = audience.contacts.iter().chain(people).filter_map(|name| self.contacts.get(name));
        let of_contacts = contacts.flat_map(|contact| contact.email.iter().chain(&contact.phone));
        let mut found: Vec<String> = Vec::new();
        for address in audience.to.iter().chain(of_contacts) {
            if !found.contains(address) {
                found.push(address.clone());
            }
        }
        found
    }

    /// The levels of the policy that a gate names, or, where it names none, of the workspace's own.
    #[must_use]
    pub fn escalation(&self, own: Option<&str>) -> &[Level] {
        let policy = own.or(self.escalation.as_deref());
        policy.and_then(|name| self.escalation_policies.get(name)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whom a level of that name reaches, and how: the people of a role, an audience, or whoever is behind a channel.
    #[must_use]
    pub fn called(&self, name: &str) -> Audience {
        if let Some(role) = self.roles.get(name) {
            let channels = if role.channels.is_empty() { &self.call_channels } else { &role.channels };
            return Audience { channels: channels.clone(), roles: vec![name.to_owned()], ..Audience::default() };
        }
        let channel = || Audience {
            channels: self.channels.contains_key(name).then(|| name.to_owned()).into_iter().collect(),
            ..Audience::default()
        };
        self.audiences.get(name).cloned().unwrap_or_else(channel)
    }
}

/// Whether this can be an address of e-mail; the server has the last word.
pub(super) fn is_email(text: &str) -> bool {
    let is_part = |part: &str| part.split('.').all(|word| !word.is_empty() && !word.contains(['@', '<', '>', ',']));
    !text.contains(char::is_whitespace)
        && text.split_once('@').is_some_and(|(user, host)| is_part(user) && is_part(host))
}

/// Whether this is a number as E.164 writes it.
pub(super) fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.starts_with('0')
}

impl Decoder<'_> {
    pub(super) fn contact(&mut self, name: &Spanned<String>, node: NodeId) -> Option<Contact> {
        let fields = self.fields(node, &format!("contact `{}`", name.value), CONTACT)?;
        let plain = |text: Option<Spanned<String>>| text.map(|text| text.value);
        Some(Contact {
            name: plain(self.text_of(&fields, "name")),
            email: plain(self.checked(&fields, "email", "an address such as `a@example.com`", is_email)),
            phone: plain(self.checked(&fields, "phone", "a number such as `+441632960000`", is_phone)),
            language: plain(self.language(&fields)),
            zone: plain(self.zone(&fields)),
        })
    }

    fn checked(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        wanted: &str,
        fits: impl Fn(&str) -> bool,
    ) -> Option<Spanned<String>> {
        let text = self.text_of(fields, name)?;
        if !fits(&text.value) {
            let message = format!("wanted {wanted}, found `{}`", text.value);
            self.report(Diagnostic::error("contact", text.span, message));
        }
        Some(text)
    }

    fn language(&mut self, fields: &Fields<'_>) -> Option<Spanned<String>> {
        let is_language = |text: &str| {
            (2..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        self.checked(fields, "language", "a language such as `en` or `de`", is_language)
    }

    pub(super) fn zone(&mut self, fields: &Fields<'_>) -> Option<Spanned<String>> {
        let is_zone = |text: &str| jiff::tz::TimeZone::get(text).is_ok();
        self.checked(fields, "zone", "a time zone such as `Europe/Berlin`", is_zone)
    }

    /// The people, or a mapping that names them.
    pub(super) fn role(&mut self, name: &Spanned<String>, node: NodeId, known: &Known) -> Option<Role> {
        if !self.is_mapping(node) {
            return Some(Role { people: self.texts(node), channels: Vec::new() });
        }
        let fields = self.fields(node, &format!("role `{}`", name.value), ROLE)?;
        Some(Role {
            people: fields.get("people").map(|node| self.texts(node)).unwrap_or_default(),
            channels: self.named(&fields, "channels", "channel", &known.channels),
        })
    }

    /// Who is told, which is somebody.
    pub(super) fn audience(&mut self, name: &Spanned<String>, node: NodeId, known: &Known) -> Option<Audience> {
        let before = self.found.len();
        let audience = self.audience_as_written(name, node, known)?;
        if audience.channels.is_empty() && self.found.len() == before {
            let message = format!("the audience `{}` has no channel: nobody of it is told anything", name.value);
            self.report(Diagnostic::warning("audience", name.span, message));
        }
        Some(audience)
    }

    /// The channels, or a mapping that names them.
    fn audience_as_written(&mut self, name: &Spanned<String>, node: NodeId, known: &Known) -> Option<Audience> {
        if !self.is_mapping(node) {
            let channels = self.known_names(node, "channel", &known.channels);
            return Some(Audience { channels, ..Audience::default() });
        }
        let fields = self.fields(node, &format!("audience `{}`", name.value), AUDIENCE)?;
        let plain = |text: Option<Spanned<String>>| text.map(|text| text.value);
        Some(Audience {
            channels: self.named(&fields, "channels", "channel", &known.channels),
            contacts: self.named(&fields, "contacts", "contact", &known.contacts),
            roles: self.named(&fields, "roles", "role", &known.roles),
            to: self.further_addresses(&fields),
            language: plain(self.language(&fields)),
            zone: plain(self.zone(&fields)),
        })
    }

    fn further_addresses(&mut self, fields: &Fields<'_>) -> Vec<String> {
        let Some(node) = fields.get("to") else { return Vec::new() };
        let texts: Vec<_> = self.items(node, "a list of strings").iter().filter_map(|item| self.text(*item)).collect();
        for text in texts.iter().filter(|text| !is_email(&text.value) && !is_phone(&text.value)) {
            let message = format!("wanted `a@example.com` or `+441632960000`, found `{}`", text.value);
            self.report(Diagnostic::error("contact", text.span, message));
        }
        texts.into_iter().map(|text| text.value).collect()
    }

    /// The levels of a policy, from the first.
    pub(super) fn policy(&mut self, name: &Spanned<String>, node: NodeId, known: &Known) -> Vec<Level> {
        let what = format!("escalation policy `{}`", name.value);
        let items = self.items(node, "a list of levels");
        if items.is_empty() {
            let message = format!("the {what} has no level");
            self.report(
                Diagnostic::error("escalation", name.span, message).note("such as `- { level_1: ROLE, timeout: 5m }`"),
            );
        }
        let levels = items.iter().zip(1..).filter_map(|(item, number)| self.level(*item, &what, number, known));
        levels.collect()
    }

    fn level(&mut self, node: NodeId, what: &str, number: usize, known: &Known) -> Option<Level> {
        let fields = self.fields(node, &format!("level {number} of {what}"), LEVEL)?;
        let own = LEVEL.iter().map(|field| field.name).filter(|name| *name != "timeout");
        let given: Vec<&str> = own.filter(|name| fields.get(name).is_some()).collect();
        let wanted = format!("level_{number}");
        let (&[one], true) = (given.as_slice(), number < LEVEL.len()) else {
            let message = format!("wanted `{wanted}` and `timeout`, found {} levels in one item", given.len());
            self.report(Diagnostic::error("escalation", self.span(node), message));
            return None;
        };
        let calls = self.text_of(&fields, one)?;
        if one != wanted {
            let message = format!("the levels of {what} count from one: wanted `{wanted}`, found `{one}`");
            self.report(Diagnostic::error("escalation", calls.span, message));
        }
        if ![&known.roles, &known.audiences, &known.channels].iter().any(|names| names.contains(&calls.value)) {
            let message = format!("no role, audience or channel is called `{}`", calls.value);
            let names = known.roles.iter().chain(&known.audiences).chain(&known.channels).map(String::as_str);
            self.report(Diagnostic::error("escalation", calls.span, message).suggest(&calls.value, names));
        }
        let timeout = fields.get("timeout").and_then(|node| self.some_time(node))?;
        Some(Level { calls: calls.value, timeout })
    }
}

/// The names that others may use.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) contacts: Vec<String>,
    pub(super) roles: Vec<String>,
    pub(super) channels: Vec<String>,
    pub(super) audiences: Vec<String>,
}

/// What is read of the people, by name.
pub(super) type ByName<T> = BTreeMap<String, T>;
