//! Reads `drctl.yaml`: people and roles, channels and audiences. What stands there holds for every runbook.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::decode::Decoder;
use super::fields::{LanguageField, Shape};
use super::source;
use crate::diag::{Diagnostic, SourceId, Sources, Spanned};

const fn may(name: &'static str, shape: Shape, doc: &'static str) -> LanguageField {
    LanguageField { name, required: false, shape, doc }
}

/// The top of `drctl.yaml`.
pub const WORKSPACE: &[LanguageField] = &[
    LanguageField { name: "drctl", required: true, shape: Shape::Count, doc: "the version of the format: 1" },
    may("roles", Shape::Any, "role -> the people who have it, by the name of their OS user"),
    may("approvals", Shape::Fields(APPROVALS), "what holds for every gate that does not say otherwise"),
    may("channels", Shape::Named(CHANNEL), "where notices go, by name"),
    may("audiences", Shape::Any, "audience -> the channels that reach it"),
    may("azure", Shape::Fields(super::azure::SETTINGS), "where Azure resources are, and as whom to go there"),
    may("services", Shape::Any, "the services and what they depend on"),
];

const APPROVALS: &[LanguageField] = &[
    may("requester_may_approve", Shape::Bool, "whether who started a run may approve its gates (true)"),
    may("escalate_to", Shape::Texts, "roles that are asked too once a gate's time is over"),
];

const CHANNEL: &[LanguageField] = &[
    LanguageField {
        name: "type",
        required: true,
        shape: Shape::Words(&["file", "webhook"]),
        doc: "the kind of channel",
    },
    may("path", Shape::Text, "file: the folder notices are written to"),
    may("url", Shape::Text, "webhook: where notices are posted"),
    may("headers", Shape::Any, "webhook: further headers"),
    may("deduplicates", Shape::Bool, "webhook: the receiver drops a second notice with the same `Idempotency-Key`"),
];

/// The workspace's settings.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// Role -> people.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Whether who started a run may approve its gates.
    pub requester_may_approve: bool,
    /// Roles asked too once a gate's time is over.
    pub escalate_to: Vec<String>,
    /// Where notices go.
    pub channels: BTreeMap<String, Channel>,
    /// Audience -> names of channels.
    pub audiences: BTreeMap<String, Vec<String>>,
    /// Where Azure resources are, and as whom to go there.
    pub azure: super::azure::Settings,
}

/// Where notices go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Channel {
    /// Into a folder.
    File {
        /// The folder; relative to the workspace.
        path: String,
    },
    /// To a receiver on the network.
    Webhook {
        /// Where notices are posted.
        url: String,
        /// Further headers.
        headers: Map<String, Value>,
        /// The receiver drops a second notice with the same `Idempotency-Key`.
        deduplicates: bool,
    },
}

impl Workspace {
    /// What holds where there is no `drctl.yaml`.
    #[must_use]
    pub fn empty() -> Self {
        Self { requester_may_approve: true, ..Self::default() }
    }

    /// The people who have one of these roles.
    #[must_use]
    pub fn people<'a>(&self, roles: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let mut people: Vec<String> =
            roles.into_iter().filter_map(|role| self.roles.get(role)).flatten().cloned().collect();
        people.sort();
        people.dedup();
        people
    }

    /// Reads `drctl.yaml`.
    #[must_use]
    pub fn parse(sources: &Sources, source: SourceId) -> (Self, Vec<Diagnostic>) {
        let (document, mut found) = source::parse(sources, source);
        let Some(document) = document else {
            return (Self::empty(), found);
        };
        let mut decoder = Decoder::new(&document);
        let workspace = decoder.workspace(document.root()).unwrap_or_else(Self::empty);
        found.append(&mut decoder.found);
        (workspace, found)
    }
}

impl Decoder<'_> {
    fn workspace(&mut self, root: source::NodeId) -> Option<Workspace> {
        let fields = self.fields(root, "the workspace", WORKSPACE)?;
        let approvals = fields.get("approvals").and_then(|node| self.fields(node, "approvals", APPROVALS));
        let approval = |name| approvals.as_ref().and_then(|fields| fields.get(name));
        let roles = fields.get("roles").map(|node| self.lists(node, "roles")).unwrap_or_default();
        let channels = fields.get("channels").map(|node| self.channels(node)).unwrap_or_default();
        let audiences = fields.get("audiences").map(|node| self.lists(node, "audiences")).unwrap_or_default();
        let named = fields.get("channels").map(|node| self.entries(node, "channels")).unwrap_or_default();
        for channel in audiences.values().flatten() {
            // A channel that is there and wrong was told already.
            if !named.iter().any(|(name, _)| name.value == channel.value) {
                let names = named.iter().map(|(name, _)| name.value.as_str());
                let diagnostic =
                    Diagnostic::error("channel", channel.span, format!("no channel is called `{}`", channel.value));
                self.report(diagnostic.suggest(&channel.value, names));
            }
        }
        let escalate_to = approval("escalate_to").map(|node| self.roles(node, &roles)).unwrap_or_default();
        let plain = |lists: BTreeMap<String, Vec<Spanned<String>>>| {
            lists.into_iter().map(|(name, items)| (name, items.into_iter().map(|item| item.value).collect())).collect()
        };
        Some(Workspace {
            roles: plain(roles),
            requester_may_approve: approval("requester_may_approve")
                .and_then(|node| self.boolean(node))
                .unwrap_or(true),
            escalate_to,
            channels,
            audiences: plain(audiences),
            azure: fields.get("azure").map(|node| self.azure(node)).unwrap_or_default(),
        })
    }

    /// Roles that are there.
    fn roles(&mut self, node: source::NodeId, roles: &BTreeMap<String, Vec<Spanned<String>>>) -> Vec<String> {
        let named: Vec<_> = self.items(node, "a list of strings").iter().filter_map(|item| self.text(*item)).collect();
        for role in named.iter().filter(|role| !roles.contains_key(&role.value)) {
            let message = format!("no role is called `{}`", role.value);
            let note = "roles stand under `roles`: `ROLE: [PERSON, ..]`";
            let diagnostic = Diagnostic::error("gate", role.span, message).note(note);
            self.report(diagnostic.suggest(&role.value, roles.keys().map(String::as_str)));
        }
        named.into_iter().map(|role| role.value).collect()
    }

    fn lists(&mut self, node: source::NodeId, what: &str) -> BTreeMap<String, Vec<Spanned<String>>> {
        let entries = self.entries(node, what);
        entries
            .into_iter()
            .map(|(name, node)| {
                let items = self.items(node, "a list of strings").iter().filter_map(|item| self.text(*item)).collect();
                (name.value, items)
            })
            .collect()
    }

    fn channels(&mut self, node: source::NodeId) -> BTreeMap<String, Channel> {
        let entries = self.entries(node, "channels");
        entries.into_iter().filter_map(|(name, node)| Some((name.value.clone(), self.channel(&name, node)?))).collect()
    }

    fn channel(&mut self, name: &Spanned<String>, node: source::NodeId) -> Option<Channel> {
        let fields = self.fields(node, &format!("channel `{}`", name.value), CHANNEL)?;
        let kind: String = self.word(&fields, "type")?;
        let wanted = if kind == "file" { "path" } else { "url" };
        let Some(place) = fields.get(wanted).and_then(|node| self.text(node)) else {
            self.report(Diagnostic::error("channel", name.span, format!("a {kind} channel needs `{wanted}`")));
            return None;
        };
        if kind == "file" {
            return Some(Channel::File { path: place.value });
        }
        let headers = fields.get("headers").map(|node| self.entries(node, "headers")).unwrap_or_default();
        let text = |(name, node)| self.text(node).map(|text: Spanned<String>| (name, text));
        let headers: Vec<(Spanned<String>, Spanned<String>)> = headers.into_iter().filter_map(text).collect();
        let headers = headers.into_iter().map(|(name, text)| (name.value, Value::String(text.value))).collect();
        let deduplicates = fields.get("deduplicates").and_then(|node| self.boolean(node)).unwrap_or(false);
        Some(Channel::Webhook { url: place.value, headers, deduplicates })
    }
}
