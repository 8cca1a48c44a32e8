//! What a rehearsal says: the run in virtual time, the clock, the verdict, and what to type next.

mod many;
mod steps;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::Rehearsed;
use super::facts::Facts;
use super::judge::Difference;
use super::runs::word;
use crate::catalogue::{HumanDuration, Timestamp};
use crate::diag::Sources;
use crate::engine::Event;
use crate::plan::Plan;
use crate::report::{clock_words, sanitise};
use crate::runbook::ast::Phase;
use crate::sim::stand_in::Source;

pub use many::{everywhere, everywhere_json, spread, spread_json};
pub(super) use steps::around;
use steps::steps;

/// One rehearsal, for people.
#[must_use]
pub fn rehearsal(rehearsed: &Rehearsed, facts: &Facts, differences: &[String]) -> String {
    let setting = &rehearsed.stage.setting;
    let runbook = &setting.plan.runbook;
    let (kind, name) = (runbook.kind.name(), &runbook.name.value);
    let mut text = format!("rehearsal of {kind} `{name}`: {}, seed {}\n", setting.scenario.name.value, facts.seed);
    if let Some(title) = &setting.scenario.title {
        writeln!(text, "  {title}").ok();
    }
    let state = rehearsed.state();
    for phase in Phase::ALL {
        steps(&mut text, &setting.plan, &state, phase);
    }
    people(&mut text, rehearsed, state.started_at);
    let faults = &setting.scenario.faults;
    if !faults.is_empty() {
        writeln!(text, "\nfaults").ok();
        let unused = rehearsed.unused_faults();
        for (index, fault) in faults.iter().enumerate() {
            let never = if unused.contains(&index) { ": never struck" } else { "" };
            writeln!(text, "  {}{never}", fault.value.words()).ok();
        }
    }
    if rehearsed.deaths > 0 {
        writeln!(text, "\ndrctl was killed {} and taken up again", times(u64::from(rehearsed.deaths))).ok();
    }
    let split = &facts.clock.split;
    let (machine, waiting) = (seconds(split.machine), seconds(split.people));
    let gone = if split.unattended.is_zero() {
        String::new()
    } else {
        format!(", nobody executing {}", seconds(split.unattended))
    };
    writeln!(text, "\n{}", clock_words(&facts.clock)).ok();
    writeln!(text, "  machine {machine}, waiting for people {waiting}{gone}").ok();
    if let Some(words) = facts.loss.words() {
        writeln!(text, "{words}").ok();
    }
    critical(&mut text, &setting.plan, facts);
    let assumed = rehearsed.stage.assumed();
    if !assumed.is_empty() {
        writeln!(text, "\nassumed, because nothing says it").ok();
        for (step, what) in &assumed {
            writeln!(text, "  {step}: {what}").ok();
        }
    }
    verdict(&mut text, &facts.ended, differences);
    sanitise(&text)
}

/// Who was waited for, and how long.
fn people(text: &mut String, rehearsed: &Rehearsed, start: Timestamp) {
    let mut since = BTreeMap::new();
    let mut lines = Vec::new();
    for record in &rehearsed.records {
        match &record.event {
            Event::Decided(decided) => {
                let step = decided.step.as_ref().map(ToString::to_string).unwrap_or_default();
                let asked = since.get(&step).map(|at: &Timestamp| seconds(at.until(record.at)));
                let waited = asked.map(|span| format!(", waited {span}")).unwrap_or_default();
                let (who, what) = (&decided.person.name, decided.decision.name());
                lines.push(format!("  {}  {who}: {what} {step}{waited}", clock(start.until(record.at))));
            }
            Event::DecisionRefused { reason, .. } => {
                lines.push(format!("  {}  refused: {reason}", clock(start.until(record.at))));
            }
            Event::LevelCalled(called) => {
                let (level, calls, step) = (called.level, &called.calls, &called.step);
                lines.push(format!("  {}  level {level} calls {calls}: {step}", clock(start.until(record.at))));
            }
            // A gate waits since it opened.
            Event::GateEscalated { .. } | Event::CallHandle { .. } | Event::CallEnded { .. } => {}
            event => {
                if let Some(step) = event.step() {
                    since.insert(step.to_string(), record.at);
                }
            }
        }
    }
    if !lines.is_empty() {
        writeln!(text, "\npeople\n{}", lines.join("\n")).ok();
    }
}

fn critical(text: &mut String, plan: &Plan, facts: &Facts) {
    let whole: Duration = facts.path.iter().map(super::facts::Part::took).sum();
    if whole.is_zero() {
        return;
    }
    writeln!(text, "\ncritical path").ok();
    for part in facts.path.iter().filter(|part| !part.took().is_zero()) {
        let mut parts = Vec::new();
        for (span, source, what) in
            [(part.machine.0, part.machine.1, "working"), (part.people.0, part.people.1, "waiting for people")]
        {
            if !span.is_zero() {
                parts.push(format!("{} {what} ({})", seconds(span), source.name()));
            }
        }
        let (id, share) = (&plan.step(part.step).id.value, percent(part.took(), whole));
        writeln!(text, "  {id:<28}  {:>8}  {share:>5}  {}", seconds(part.took()), parts.join(", ")).ok();
    }
    let unsourced: Duration = facts
        .path
        .iter()
        .flat_map(|part| [part.machine, part.people])
        .filter(|(_, source)| *source == Source::Assumed)
        .map(|(span, _)| span)
        .sum();
    if !unsourced.is_zero() {
        writeln!(text, "  nobody says how long {} of this takes", percent(unsourced, whole)).ok();
    }
}

fn verdict(text: &mut String, ended: &super::Ended, differences: &[String]) {
    if differences.is_empty() {
        writeln!(text, "\nthe run ended: {}", word(ended)).ok();
        return;
    }
    writeln!(text, "\nthe run ended: {}, not as expected", word(ended)).ok();
    for difference in differences {
        writeln!(text, "  {}", difference.replace('\n', "\n    ")).ok();
    }
}

/// The differences, each with its place.
#[must_use]
pub fn placed(differences: &[Difference], sources: &Sources) -> Vec<String> {
    let placed = |difference: &Difference| match difference.span {
        Some(span) => format!("{}: {}", sources.place(span), difference.text()),
        None => difference.text(),
    };
    differences.iter().map(placed).collect()
}

/// One rehearsal, for programs.
#[must_use]
pub fn json(rehearsed: &Rehearsed, facts: &Facts, differences: &[String]) -> Value {
    let setting = &rehearsed.stage.setting;
    let state = rehearsed.state();
    let steps =
        state.iter().map(|(_, node)| json!({ "step": node.path, "state": node.state, "reason": node.reason() }));
    json!({
        "drctl": 1,
        "type": "rehearsal",
        "runbook": setting.plan.runbook.name.value,
        "kind": setting.plan.runbook.kind,
        "scenario": setting.scenario.name.value,
        "seed": facts.seed,
        "state": word(&facts.ended),
        "restored": facts.clock.restored,
        "rto": facts.clock.objective.map(|span| span.as_secs_f64()),
        "elapsed": facts.clock.elapsed.as_secs_f64(),
        "machine_time": facts.clock.split.machine.as_secs_f64(),
        "waiting_for_people": facts.clock.split.people.as_secs_f64(),
        "loss": facts.loss.json(),
        "crashes": rehearsed.deaths,
        "steps": steps.collect::<Vec<_>>(),
        "critical_path": path_json(&setting.plan, facts),
        "assumed": rehearsed.stage.assumed(),
        "differences": differences,
    })
}

fn path_json(plan: &Plan, facts: &Facts) -> Value {
    let part = |part: &super::facts::Part| {
        json!({
            "step": plan.step(part.step).id.value,
            "machine": part.machine.0.as_secs_f64(),
            "machine_source": part.machine.1.name(),
            "people": part.people.0.as_secs_f64(),
            "people_source": part.people.1.name(),
        })
    };
    facts.path.iter().map(part).collect()
}

/// `+00:41`, `+1:02:41`.
fn clock(span: Duration) -> String {
    let seconds = span.as_secs();
    format!("+{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn seconds(span: Duration) -> String {
    match span.as_secs() {
        0 if !span.is_zero() => "<1s".to_owned(),
        seconds => HumanDuration(Duration::from_secs(seconds)).to_string(),
    }
}

fn percent(part: Duration, whole: Duration) -> String {
    let share = if whole.is_zero() { 0.0 } else { part.as_secs_f64() / whole.as_secs_f64() };
    format!("{:.0} %", share * 100.0)
}

fn times(number: u64) -> String {
    if number == 1 { "once".to_owned() } else { format!("{number} times") }
}
