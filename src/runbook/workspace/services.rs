//! What the workspace recovers: services, how much each matters, where it runs and what it needs.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::people::ByName;
use super::{may, must};
use crate::diag::{Diagnostic, Span, Spanned};
use crate::runbook::decode::{Decoder, Fields};
use crate::runbook::fields::{LanguageField, Shape};
use crate::runbook::source::NodeId;

/// One of `tiers`.
pub(super) const TIER: &[LanguageField] = &[
    may("rto", Shape::SomeTime, "recovery time objective of its services"),
    may("rpo", Shape::Duration, "recovery point objective of its services"),
    may("availability", Shape::Text, "what is promised, such as `99.99%`"),
    may("support", Shape::Text, "who helps and when, such as `24x7`"),
    may("audience", Shape::Text, "who is told when one of its services is hit"),
];

/// One of `services`.
pub(super) const SERVICE: &[LanguageField] = &[
    may("title", Shape::Text, "how people call it"),
    must("owner", Shape::Text, "the team that keeps it"),
    may("tier", Shape::Text, "one of `tiers`"),
    may("rto", Shape::SomeTime, "recovery time objective (its tier's)"),
    may("rpo", Shape::Duration, "recovery point objective (its tier's)"),
    may("priority", Shape::Count, "1 is recovered first (100)"),
    must("regions", Shape::Texts, "where it runs: one region, or all that are active"),
    may(
        "standby",
        Shape::Texts,
        "where it can go (the pair of its region, by `region_pairs`, if it runs in one alone)",
    ),
    may("depends_on", Shape::Texts, "services it does not work without"),
    may("runbook", Shape::Text, "the failover runbook that recovers it"),
    may(
        "inputs",
        Shape::Mapping,
        "what the runbook is given; `{{ region }}` and `{{ standby }}` stand for the regions",
    ),
    may("processes", Shape::Texts, "the critical business processes that stop without it"),
];

/// How much a service matters, and what follows from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tier {
    /// Recovery time objective.
    pub rto: Option<Duration>,
    /// Recovery point objective.
    pub rpo: Option<Duration>,
    /// What is promised.
    pub availability: Option<String>,
    /// Who helps and when.
    pub support: Option<String>,
    /// Who is told.
    pub audience: Option<String>,
}

/// Something that is recovered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Service {
    /// Where it is named.
    pub span: Span,
    /// How people call it.
    pub title: Option<String>,
    /// The team that keeps it.
    pub owner: String,
    /// One of the tiers.
    pub tier: Option<String>,
    /// Recovery time objective: its own, else its tier's.
    pub rto: Option<Duration>,
    /// Recovery point objective: its own, else its tier's.
    pub rpo: Option<Duration>,
    /// 1 is recovered first.
    pub priority: u32,
    /// Where it runs.
    pub regions: Vec<String>,
    /// Where it can go: its own, else the pair of its region; what runs in several has them.
    pub standby: Vec<String>,
    /// Names of services.
    pub depends_on: Vec<String>,
    /// The name of the failover runbook that recovers it, and where that is said.
    pub runbook: Option<Spanned<String>>,
    /// What the runbook is given, as written: `{{ region }}` and `{{ standby }}` stand in it.
    pub inputs: Vec<(Spanned<String>, Value)>,
    /// The business processes that stop without it.
    pub processes: Vec<String>,
}

/// What a service that says nothing is recovered after.
const LAST: u32 = 100;

impl Decoder<'_> {
    pub(super) fn tier(&mut self, name: &Spanned<String>, node: NodeId, audiences: &[String]) -> Option<Tier> {
        let fields = self.fields(node, &format!("tier `{}`", name.value), TIER)?;
        let (rto, rpo) = (self.some_time_of(&fields, "rto"), self.duration_of(&fields, "rpo"));
        let plain = |text: Option<Spanned<String>>| text.map(|text| text.value);
        Some(Tier {
            rto,
            rpo,
            availability: plain(self.text_of(&fields, "availability")),
            support: plain(self.text_of(&fields, "support")),
            audience: self.one_of(&fields, "audience", "audience", audiences),
        })
    }

    /// Each region and the one it is paired with, both ways.
    pub(super) fn region_pairs(&mut self, node: NodeId) -> BTreeMap<String, String> {
        let mut pairs: BTreeMap<String, String> = BTreeMap::new();
        for (one, node) in self.entries(node, "region_pairs") {
            let Some(other) = self.text(node) else { continue };
            if one.value == other.value {
                let message = format!("`{}` is paired with itself: nothing could go there once it is lost", one.value);
                self.report(Diagnostic::error("service", other.span, message));
                continue;
            }
            for (from, to) in [(&one, &other), (&other, &one)] {
                match pairs.get(&from.value) {
                    Some(before) if *before != to.value => {
                        let message = format!("`{}` is paired with `{before}` already", from.value);
                        self.report(Diagnostic::error("service", from.span, message));
                    }
                    _ => drop(pairs.insert(from.value.clone(), to.value.clone())),
                }
            }
        }
        pairs
    }

    pub(super) fn services(
        &mut self,
        node: NodeId,
        tiers: &ByName<Tier>,
        pairs: &BTreeMap<String, String>,
    ) -> ByName<Service> {
        let entries = self.entries(node, "services");
        let names: Vec<String> = entries.iter().map(|(name, _)| name.value.clone()).collect();
        let mut services = ByName::new();
        for (name, node) in &entries {
            if let Some(service) = self.service(name, *node, &names, tiers) {
                services.insert(name.value.clone(), with_pairs(service, pairs));
            }
        }
        if let Some(circle) = circle(&services) {
            let at = entries.iter().find(|(name, _)| name.value == circle[0]);
            let message = format!("services depend on each other in a circle: {}", circle.join(" -> "));
            let span = at.map_or(self.span(node), |(name, _)| name.span);
            self.report(Diagnostic::error("service", span, message).note("then none of them can be recovered first"));
        }
        services
    }

    fn service(
        &mut self,
        name: &Spanned<String>,
        node: NodeId,
        names: &[String],
        tiers: &ByName<Tier>,
    ) -> Option<Service> {
        let fields = self.fields(node, &format!("service `{}`", name.value), SERVICE)?;
        let known: Vec<String> = tiers.keys().cloned().collect();
        let tier = self.one_of(&fields, "tier", "tier", &known);
        let of_tier = tier.as_ref().and_then(|tier| tiers.get(tier)).cloned().unwrap_or_default();
        let rto = self.some_time_of(&fields, "rto").or(of_tier.rto);
        let rpo = self.duration_of(&fields, "rpo").or(of_tier.rpo);
        Some(Service {
            span: name.span,
            title: self.text_of(&fields, "title").map(|text| text.value),
            owner: self.text_of(&fields, "owner").map(|text| text.value)?,
            tier,
            rto,
            rpo,
            priority: fields.get("priority").and_then(|node| self.count(node)).unwrap_or(LAST),
            regions: fields.get("regions").map(|node| self.texts(node)).unwrap_or_default(),
            standby: fields.get("standby").map(|node| self.texts(node)).unwrap_or_default(),
            depends_on: self.named(&fields, "depends_on", "service", names),
            runbook: self.text_of(&fields, "runbook"),
            inputs: self.mapping_of(&fields, "inputs"),
            processes: fields.get("processes").map(|node| self.texts(node)).unwrap_or_default(),
        })
    }

    fn mapping_of(&mut self, fields: &Fields<'_>, name: &str) -> Vec<(Spanned<String>, Value)> {
        let entries = fields.get(name).map(|node| self.entries(node, name)).unwrap_or_default();
        entries.into_iter().map(|(name, node)| (name, self.json(node))).collect()
    }
}

fn with_pairs(mut service: Service, pairs: &BTreeMap<String, String>) -> Service {
    if let ([], [region]) = (service.standby.as_slice(), service.regions.as_slice()) {
        service.standby = pairs.get(region).into_iter().cloned().collect();
    }
    service
}

/// The first circle of dependencies, its first service twice.
fn circle(services: &ByName<Service>) -> Option<Vec<String>> {
    let mut settled: Vec<&str> = Vec::new();
    for name in services.keys() {
        // Those on the way here, each with how many of its dependencies were looked at.
        let mut path: Vec<(&str, usize)> = vec![(name, 0)];
        while let Some((at, looked)) = path.last_mut() {
            let next = services.get(*at).and_then(|service| service.depends_on.get(*looked));
            *looked += 1;
            match next.map(String::as_str) {
                None => settled.extend(path.pop().map(|(done, _)| done)),
                Some(next) if settled.contains(&next) => {}
                Some(next) => {
                    if let Some(from) = path.iter().position(|(on_way, _)| *on_way == next) {
                        let circle = path[from..].iter().map(|(name, _)| (*name).to_owned());
                        return Some(circle.chain([next.to_owned()]).collect());
                    }
                    path.push((next, 0));
                }
            }
        }
    }
    None
}
