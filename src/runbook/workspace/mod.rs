//! Reads `drctl.yaml`: who decides and who is told, where notices go, what is recovered and when that is tried. What
//! stands there holds for every runbook.

mod calendar;
mod channels;
mod people;
mod services;

use std::collections::BTreeMap;

pub use calendar::{Drill, Every, Window};
pub use channels::{CHANNELS, Channel};
pub use people::{Audience, Contact, Level, Role};
pub use services::{Service, Tier};

use super::allow::{Allowance, allowances};
use super::ast::Defaults;
use super::decode::{Decoder, Fields};
use super::fields::{DEFAULTS, LanguageField, Shape};
use super::source::{self, NodeId};
use crate::diag::{Diagnostic, SourceId, Sources, Spanned};
use people::{ByName, Known};

const fn may(name: &'static str, shape: Shape, doc: &'static str) -> LanguageField {
    LanguageField { name, required: false, shape, doc }
}

const fn must(name: &'static str, shape: Shape, doc: &'static str) -> LanguageField {
    LanguageField { name, required: true, shape, doc }
}

/// The top of `drctl.yaml`.
pub const WORKSPACE: &[LanguageField] = &[
    must("drctl", Shape::Count, "the version of the format: 1"),
    may("contacts", Shape::Named(people::CONTACT), "how people are reached, by the names of their OS users"),
    may("roles", Shape::NamedLists(people::ROLE), "role -> the people who have it, by the name of their OS user"),
    may("approvals", Shape::Fields(people::APPROVALS), "what holds for every gate that does not say otherwise"),
    may(
        "escalation_policies",
        Shape::NamedItems(people::LEVEL),
        "who is called when a gate waits, level by level; a policy is often called by a severity, such as `critical`",
    ),
    may("channels", Shape::Kinds(CHANNELS), "where notices go, by name"),
    may("audiences", Shape::NamedLists(people::AUDIENCE), "audience -> the channels that reach it"),
    may("azure", Shape::Fields(super::azure::SETTINGS), "where Azure resources are, and as whom to go there"),
    may("tiers", Shape::Named(services::TIER), "what is promised of services, by tier"),
    may("region_pairs", Shape::NamedTexts, "region -> the one it fails over to, and back"),
    may("services", Shape::Named(services::SERVICE), "what is recovered, and what it depends on"),
    may("maintenance_windows", Shape::Named(calendar::WINDOW), "when changes may be tried"),
    may("drills", Shape::Named(calendar::DRILL), "the drills that are to be held, and how often"),
    may("defaults", Shape::Fields(DEFAULTS), "what holds for steps of runbooks that do not say otherwise"),
];

/// The workspace's settings.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// How people are reached, by the names of their OS users.
    pub contacts: BTreeMap<String, Contact>,
    /// Who has which role.
    pub roles: BTreeMap<String, Role>,
    /// Whether who started a run may approve its gates.
    pub requester_may_approve: bool,
    /// Roles asked too once a gate's time is over.
    pub escalate_to: Vec<String>,
    /// The policy of gates that name none.
    pub escalation: Option<String>,
    /// The channels that roles are called through which name none.
    pub call_channels: Vec<String>,
    /// Who is called when a gate waits, by the policy's name.
    pub escalation_policies: BTreeMap<String, Vec<Level>>,
    /// Where notices go.
    pub channels: BTreeMap<String, Channel>,
    /// Who is told.
    pub audiences: BTreeMap<String, Audience>,
    /// Where Azure resources are, and as whom to go there.
    pub azure: super::azure::Settings,
    /// What is promised of services.
    pub tiers: BTreeMap<String, Tier>,
    /// Each region and the one it is paired with, both ways.
    pub region_pairs: BTreeMap<String, String>,
    /// What is recovered.
    pub services: BTreeMap<String, Service>,
    /// When changes may be tried.
    pub maintenance_windows: BTreeMap<String, Window>,
    /// The drills that are to be held.
    pub drills: BTreeMap<String, Drill>,
    /// What holds for steps of runbooks that do not say otherwise.
    pub defaults: Defaults,
    /// Findings that its author allows.
    pub allowances: Vec<Allowance>,
}

impl Workspace {
    /// What holds where there is no `drctl.yaml`.
    #[must_use]
    pub fn empty() -> Self {
        Self { requester_may_approve: true, ..Self::default() }
    }

    /// Whether the receiver behind the channel of that name takes a notice that is sent twice for one.
    #[must_use]
    pub fn deduplicates(&self, channel: &str) -> bool {
        self.channels.get(channel).is_some_and(Channel::deduplicates)
    }

    /// Reads `drctl.yaml`.
    #[must_use]
    pub fn parse(sources: &Sources, source: SourceId) -> (Self, Vec<Diagnostic>) {
        let (document, mut found) = source::parse(sources, source);
        let Some(document) = document else {
            return (Self::empty(), found);
        };
        let mut decoder = Decoder::new(&document);
        let mut workspace = decoder.workspace(document.root()).unwrap_or_else(Self::empty);
        found.append(&mut decoder.found);
        let (allowed, problems) = allowances(sources.text(source), document.comments());
        workspace.allowances = allowed;
        found.extend(problems);
        (workspace, found)
    }
}

impl<'d> Decoder<'d> {
    fn workspace(&mut self, root: NodeId) -> Option<Workspace> {
        let fields = self.fields(root, "the workspace", WORKSPACE)?;
        let known = Known {
            contacts: self.names_of(&fields, "contacts"),
            roles: self.names_of(&fields, "roles"),
            channels: self.names_of(&fields, "channels"),
            audiences: self.names_of(&fields, "audiences"),
        };
        let mut workspace = Workspace::empty();
        self.approvals(&fields, &known, &mut workspace);
        workspace.contacts = self.by_name(&fields, "contacts", |it, name, node| it.contact(name, node));
        workspace.roles = self.by_name(&fields, "roles", |it, name, node| it.role(name, node, &known));
        workspace.escalation_policies =
            self.by_name(&fields, "escalation_policies", |it, name, node| Some(it.policy(name, node, &known)));
        workspace.channels = self.by_name(&fields, "channels", |it, name, node| it.channel(name, node));
        workspace.audiences = self.by_name(&fields, "audiences", |it, name, node| it.audience(name, node, &known));
        self.reached(&fields, &workspace);
        workspace.azure = fields.get("azure").map(|node| self.azure(node)).unwrap_or_default();
        workspace.tiers = self.by_name(&fields, "tiers", |it, name, node| it.tier(name, node, &known.audiences));
        workspace.region_pairs = fields.get("region_pairs").map(|node| self.region_pairs(node)).unwrap_or_default();
        let services =
            fields.get("services").map(|node| self.services(node, &workspace.tiers, &workspace.region_pairs));
        workspace.services = services.unwrap_or_default();
        self.calendar(&fields, &known, &mut workspace);
        workspace.defaults = fields.get("defaults").map(|node| self.defaults(node)).unwrap_or_default();
        Some(workspace)
    }

    /// Somebody of each audience gets what goes through each of its channels.
    fn reached(&mut self, top: &Fields<'d>, workspace: &Workspace) {
        let node = top.get("audiences").filter(|node| self.is_mapping(*node));
        let entries = node.map(|node| self.entries(node, "audiences")).unwrap_or_default();
        for (name, _) in entries {
            let Some(audience) = workspace.audiences.get(&name.value) else { continue };
            let addresses = workspace.addresses(audience);
            for (channel, of) in audience.channels.iter().filter_map(|name| workspace.channels.get_key_value(name)) {
                if of.recipients(&addresses).is_some_and(|to| to.is_empty()) {
                    let (name, span, kind) = (&name.value, name.span, of.kind);
                    let message = format!("nobody of the audience `{name}` can be reached through {kind} `{channel}`");
                    let has = if kind == "sms" { "phone" } else { "email" };
                    let note = format!("give it `to`, or `contacts` or `roles` whose people have `{has}`");
                    self.report(Diagnostic::warning("audience", span, message).note(note));
                }
            }
        }
    }

    fn approvals(&mut self, top: &Fields<'d>, known: &Known, workspace: &mut Workspace) {
        let Some(fields) = top.get("approvals").and_then(|node| self.fields(node, "approvals", people::APPROVALS))
        else {
            return;
        };
        let may_approve = fields.get("requester_may_approve").and_then(|node| self.boolean(node));
        workspace.requester_may_approve = may_approve.unwrap_or(true);
        workspace.escalate_to = self.named(&fields, "escalate_to", "role", &known.roles);
        let policies = self.names_of(top, "escalation_policies");
        workspace.escalation = self.one_of(&fields, "escalation", "escalation policy", &policies);
        workspace.call_channels = self.named(&fields, "channels", "channel", &known.channels);
    }

    fn calendar(&mut self, top: &Fields<'d>, known: &Known, workspace: &mut Workspace) {
        let windows = self.names_of(top, "maintenance_windows");
        workspace.maintenance_windows =
            self.by_name(top, "maintenance_windows", |it, name, node| it.window(name, node, &known.audiences));
        workspace.drills =
            self.by_name(top, "drills", |it, name, node| it.drill(name, node, &windows, &known.audiences));
    }

    /// The names of the entries of a field; what is wrong with it is told where it is read.
    fn names_of(&mut self, fields: &Fields<'d>, name: &str) -> Vec<String> {
        let Some(node) = fields.get(name).filter(|node| self.is_mapping(*node)) else { return Vec::new() };
        self.entries(node, name).into_iter().map(|(name, _)| name.value).collect()
    }

    fn by_name<T>(
        &mut self,
        fields: &Fields<'d>,
        name: &str,
        read: impl Fn(&mut Self, &Spanned<String>, NodeId) -> Option<T>,
    ) -> ByName<T> {
        let entries = fields.get(name).map(|node| self.entries(node, name)).unwrap_or_default();
        entries.into_iter().filter_map(|(name, node)| Some((name.value.clone(), read(self, &name, node)?))).collect()
    }

    fn text_of(&mut self, fields: &Fields<'_>, name: &str) -> Option<Spanned<String>> {
        fields.get(name).and_then(|node| self.text(node))
    }

    fn duration_of(&mut self, fields: &Fields<'_>, name: &str) -> Option<std::time::Duration> {
        fields.get(name).and_then(|node| self.duration(node))
    }

    fn some_time_of(&mut self, fields: &Fields<'_>, name: &str) -> Option<std::time::Duration> {
        fields.get(name).and_then(|node| self.some_time(node))
    }

    /// A list of names of a kind of thing: those that are not there are reported.
    fn named(&mut self, fields: &Fields<'_>, name: &str, what: &str, known: &[String]) -> Vec<String> {
        fields.get(name).map(|node| self.known_names(node, what, known)).unwrap_or_default()
    }

    fn known_names(&mut self, node: NodeId, what: &str, known: &[String]) -> Vec<String> {
        let names: Vec<_> = self.items(node, "a list of strings").iter().filter_map(|item| self.text(*item)).collect();
        names.iter().for_each(|name| self.known(name, what, known));
        names.into_iter().map(|name| name.value).collect()
    }

    /// The name of a thing; one that is not there is reported.
    fn one_of(&mut self, fields: &Fields<'_>, name: &str, what: &str, known: &[String]) -> Option<String> {
        let text = self.text_of(fields, name)?;
        self.known(&text, what, known);
        Some(text.value)
    }

    fn known(&mut self, name: &Spanned<String>, what: &str, known: &[String]) {
        if known.contains(&name.value) {
            return;
        }
        let message = format!("no {what} is called `{}`", name.value);
        let diagnostic = match what {
            "role" => {
                let note = "roles stand under `roles`: `ROLE: [PERSON, ..]`";
                Diagnostic::error("gate", name.span, message).note(note)
            }
            "escalation policy" => Diagnostic::error("escalation", name.span, message),
            "tier" | "service" => Diagnostic::error("service", name.span, message),
            "maintenance window" => Diagnostic::error("calendar", name.span, message),
            "contact" => Diagnostic::error("contact", name.span, message),
            "audience" => Diagnostic::error("audience", name.span, message),
            _ => Diagnostic::error("channel", name.span, message),
        };
        self.report(diagnostic.suggest(&name.value, known.iter().map(String::as_str)));
    }
}
