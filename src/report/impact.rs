//! What a lost region or service hits, as people and programs read it.

mod back;
mod graph;

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::history::{Freshness, History};
use super::words::{count, one_line as plain};
use crate::catalogue::{HumanDuration, Timestamp};
use crate::plan::impact::{Hit, Impact, Lost};
use crate::plan::service_inputs;
use crate::runbook::ast::Kind;
use crate::runbook::workspace::{Service, Workspace};

pub use back::back;
pub use graph::{dot, mermaid, picture};

/// What is told of.
#[derive(Clone, Copy, Debug)]
pub struct Told<'t> {
    /// What is hit.
    pub impact: &'t Impact,
    /// The services.
    pub workspace: &'t Workspace,
    /// When their runbooks were rehearsed and run.
    pub history: &'t History,
    /// The present.
    pub now: Timestamp,
}

impl<'t> Told<'t> {
    fn services(self) -> impl Iterator<Item = (&'t Hit, &'t Service)> {
        self.impact.hit.iter().filter_map(move |hit| Some((hit, self.workspace.services.get(&hit.service)?)))
    }

    /// Those that are lost, run nowhere else, and that no runbook recovers.
    fn without_runbook(self) -> impl Iterator<Item = (&'t Hit, &'t Service)> {
        self.services().filter(|(hit, service)| hit.is_lost() && service.runbook.is_none())
    }

    fn freshness(self, service: &Service) -> Option<Freshness> {
        Some(self.history.of(&service.runbook.as_ref()?.value, Kind::Failover))
    }

    fn lost(self) -> &'t str {
        match &self.impact.lost {
            Lost::Region(name) | Lost::Service(name) => name,
        }
    }
}

const HEAD: [&str; 8] = ["SERVICE", "IS", "TIER", "RTO", "RPO", "OWNER", "RUNBOOK", "LAST TRIED"];

/// A table in the order of recovery, and what nothing recovers.
#[must_use]
pub fn text(told: Told<'_>) -> String {
    let lost = plain(told.lost());
    let hit = &told.impact.hit;
    if hit.is_empty() {
        return format!("{lost} is lost: no service is hit\n") + &exposed(told);
    }
    let direct = hit.iter().filter(|hit| hit.moves.is_some()).count();
    let mut out = format!(
        "{lost} is lost: {} hit, {direct} directly; in the order of recovery:\n\n",
        count(hit.len(), "service")
    );
    let rows: Vec<[String; 8]> = std::iter::once(HEAD.map(str::to_owned))
        .chain(told.services().map(|(hit, service)| row(told, hit, service)))
        .collect();
    let widths: [usize; 8] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let line = |row: &[String; 8]| {
        row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect::<Vec<_>>().join("  ")
    };
    writeln!(out, "    {}", line(&rows[0]).trim_end()).ok();
    for (number, ((hit, service), row)) in (1..).zip(told.services().zip(&rows[1..])) {
        writeln!(out, "{number:>2}  {}", line(row).trim_end()).ok();
        if !hit.through.is_empty() {
            writeln!(out, "      through {}", plain(&hit.through.join(", "))).ok();
        }
        if !service.processes.is_empty() {
            writeln!(out, "      stops: {}", plain(&service.processes.join(", "))).ok();
        }
    }
    out + &unserved(told) + &exposed(told)
}

fn row(told: Told<'_>, hit: &Hit, service: &Service) -> [String; 8] {
    let time = |time: Option<std::time::Duration>| time.map_or("-".to_owned(), |time| HumanDuration(time).to_string());
    let to = hit.moves.as_ref().and_then(|moves| moves.to.as_ref()).map(|to| format!(", to {to}"));
    let runbook = match (&service.runbook, &hit.moves) {
        (Some(runbook), Some(_)) => format!("{}{}", runbook.value, to.unwrap_or_default()),
        (None, Some(_)) if hit.is_lost() => "NONE".to_owned(),
        (None, Some(_)) => format!("none{}", to.map(|to| to.replace(", to", ", goes on in")).unwrap_or_default()),
        (_, None) => "-".to_owned(),
    };
    let tried = told.freshness(service).filter(|_| hit.moves.is_some());
    [
        plain(&hit.service),
        hit.harm.word().to_owned(),
        plain(service.tier.as_deref().unwrap_or("-")),
        time(service.rto),
        time(service.rpo),
        plain(&service.owner),
        plain(&runbook),
        tried.map_or("-".to_owned(), |fresh| plain(&fresh.words(told.now))),
    ]
}

fn unserved(told: Told<'_>) -> String {
    let lines: String = told
        .without_runbook()
        .map(|(hit, service)| {
            let rto = service.rto.map(|rto| format!("RTO {}, ", HumanDuration(rto))).unwrap_or_default();
            format!("  {}: {rto}owner {}\n", plain(&hit.service), plain(&service.owner))
        })
        .collect();
    if lines.is_empty() { lines } else { format!("\nNO RUNBOOK RECOVERS:\n{lines}") }
}

fn exposed(told: Told<'_>) -> String {
    let Some(names) = Some(&told.impact.exposed).filter(|names| !names.is_empty()) else { return String::new() };
    let lost = plain(told.lost());
    format!("\nnot hit, but without a standby while {lost} is lost: {}\n", plain(&names.join(", ")))
}

/// The version of the document.
const FORMAT: u32 = 1;

/// One versioned document, for programs.
#[must_use]
pub fn document(told: Told<'_>) -> String {
    let lost = match &told.impact.lost {
        Lost::Region(name) => json!({ "region": name }),
        Lost::Service(name) => json!({ "service": name }),
    };
    let hit: Vec<Value> = told.services().map(|(hit, service)| one(told, hit, service)).collect();
    let none: Vec<&str> = told.without_runbook().map(|(hit, _)| hit.service.as_str()).collect();
    let document = json!({
        "drctl": FORMAT, "lost": lost, "hit": hit, "without_runbook": none, "exposed": told.impact.exposed,
    });
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.lines().map(|line| super::json::visible(line) + "\n").collect()
}

fn one(told: Told<'_>, hit: &Hit, service: &Service) -> Value {
    let seconds = |time: Option<std::time::Duration>| time.map(|time| time.as_secs_f64());
    let inputs = hit.moves.as_ref().and_then(|moves| service_inputs(service, moves).ok());
    let runbook = service.runbook.as_ref().map(|runbook| {
        json!({
            "name": runbook.value, "kind": "failover", "inputs": inputs,
            "tried": told.freshness(service).map(|fresh| fresh.json()),
        })
    });
    json!({
        "service": hit.service, "title": service.title, "is": hit.harm.word(), "direct": hit.moves.is_some(),
        "through": hit.through, "from": hit.moves.as_ref().map(|moves| &moves.from),
        "to": hit.moves.as_ref().and_then(|moves| moves.to.as_ref()), "owner": service.owner, "tier": service.tier,
        "priority": service.priority, "rto_seconds": seconds(service.rto), "rpo_seconds": seconds(service.rpo),
        "depends_on": service.depends_on, "processes": service.processes, "runbook": runbook,
    })
}

/// What to type next: the failover of what is hit; nothing where nothing recovers it.
#[must_use]
pub fn next(told: Told<'_>) -> Option<String> {
    let recovers = |(hit, service): &(&Hit, &Service)| hit.moves.is_some() && service.runbook.is_some();
    let (_, service) = told.services().find(recovers)?;
    Some(match &told.impact.lost {
        Lost::Region(name) => format!("drctl failover --region {} --plan-only", shell_words::quote(name)),
        Lost::Service(_) => format!("drctl plan {}", service.runbook.as_ref()?.value),
    })
}

/// A line about a runbook: `last tried: ..`.
#[must_use]
pub fn tried(fresh: &Freshness, now: Timestamp) -> String {
    plain(&format!("last tried: {}", fresh.words(now)))
}
