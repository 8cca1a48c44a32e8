//! What a rehearsal says: the run in virtual time, the clock, the verdict, and what to type next.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::everywhere::Everywhere;
use super::facts::Facts;
use super::judge::Difference;
use super::runs::{Spread, percentile, word};
use super::{Kill, Rehearsed};
use crate::catalogue::{HumanDuration, Timestamp};
use crate::diag::Sources;
use crate::engine::{Event, NodeId, State, StepState};
use crate::plan::Plan;
use crate::report::{clock_words, sanitise};
use crate::runbook::ast::Phase;
use crate::sim::stand_in::Source;

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

fn steps(text: &mut String, plan: &Plan, state: &State, phase: Phase) {
    let inside = |node: &NodeId| plan.step(state.node(*node).step).phase == phase;
    let shown = state.iter().map(|(id, _)| id).filter(inside).filter(|id| !state.children.contains_key(id));
    let mut nodes: Vec<NodeId> = shown.collect();
    if nodes.is_empty() {
        return;
    }
    sort(&mut nodes, state);
    writeln!(text, "\n{phase}").ok();
    for id in nodes {
        writeln!(text, "  {}", step_line(state, id)).ok();
    }
}

/// In the order in which they started; those that did not come last.
fn sort(nodes: &mut [NodeId], state: &State) {
    nodes.sort_by_key(|id| (state.node(*id).started.is_none(), state.node(*id).started, *id));
}

/// When a step started, and what became of it.
fn step_line(state: &State, id: NodeId) -> String {
    let node = state.node(id);
    let started = node.started.map_or_else(|| " ".repeat(8), |at| clock(state.started_at.until(at)));
    let took = node.started.zip(node.ended).map(|(from, to)| format!(" after {}", seconds(from.until(to))));
    let attempts = if node.attempt > 1 { format!(", {} attempts", node.attempt) } else { String::new() };
    let why = node.reason().and_then(|why| why.lines().next()).map(|why| format!(": {why}")).unwrap_or_default();
    let (path, words) = (node.path.to_string(), node.state.words());
    format!("{started}  {path:<28}  {words}{}{attempts}{why}", took.unwrap_or_default())
}

/// What the run did around a step, in order; without a step, around what stands in its way, or at its end.
pub(super) fn around(plan: &Plan, state: &State, step: Option<&str>) -> Vec<String> {
    let mut nodes: Vec<NodeId> = state.iter().map(|(id, _)| id).collect();
    nodes.retain(|id| !state.children.contains_key(id));
    // A manual step has no start of its own.
    let began = |id: &NodeId| state.node(*id).started.or(state.node(*id).ended);
    nodes.sort_by_key(|id| (began(id).is_none(), began(id), *id));
    let stands = |id: &NodeId| state.node(*id).reason().is_some() && state.node(*id).state != StepState::NotApplicable;
    let meant = step.and_then(|step| state.find(plan, step));
    let last = nodes.iter().rposition(|id| began(id).is_some());
    let at = match meant {
        Some(meant) => nodes.iter().position(|id| *id == meant || state.node(*id).parent == Some(meant)),
        None => nodes.iter().position(stands).or(last),
    };
    let at = at.unwrap_or(0);
    let near = nodes.iter().skip(at.saturating_sub(2)).take(if at < 2 { at + 3 } else { 5 });
    near.map(|id| step_line(state, *id)).collect()
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

/// Many rehearsals, for people.
#[must_use]
pub fn spread(plan: &Plan, scenario: &str, spread: &Spread) -> String {
    let (name, runs, last) = (&plan.runbook.name.value, spread.runs, spread.seed + spread.runs.saturating_sub(1));
    let mut text = format!("`{name}`, {scenario}: {runs} rehearsals, seeds {} to {last}\n\n", spread.seed);
    let ended = spread.ended.iter().map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>();
    writeln!(text, "ended      {}", ended.join(", ")).ok();
    let (at_the_end, ever) = spread.in_doubt;
    writeln!(text, "in doubt   at the end {}, at any time {}", share(at_the_end, runs), share(ever, runs)).ok();
    writeln!(text, "recovered  {}", share(spread.times.len() as u64, runs)).ok();
    let at = |percent| percentile(&spread.times, percent);
    if let (Some(median), Some(ninety), Some(worst), Some(longest)) = (at(50), at(90), at(95), spread.times.last()) {
        let [median, ninety, worst] = [median, ninety, worst].map(|(span, _)| seconds(span));
        let (longest, seed) = (seconds(longest.0), longest.1);
        writeln!(text, "RTO        median {median}, 90th {ninety}, 95th {worst}, longest {longest} (seed {seed})").ok();
    }
    if let Some(objective) = spread.objective {
        let met = spread.times.iter().filter(|(span, _)| *span <= objective).count() as u64;
        writeln!(text, "objective  {} met by {}", HumanDuration(objective), share(met, runs)).ok();
    }
    writeln!(
        text,
        "\n{:<28}  {:>11}  {:>11}  {:>8}  {:>8}",
        "critical path", "on the path", "the longest", "median", "95th"
    )
    .ok();
    for weight in spread.steps.iter().filter(|weight| weight.times.last().is_some_and(|span| !span.is_zero())) {
        let [median, worst] =
            [50, 95].map(|percent| percentile(&weight.times, percent).map(seconds).unwrap_or_default());
        let (on_path, longest) = (share(weight.on_path, runs), share(weight.longest, runs));
        let id = &plan.step(weight.step).id.value;
        writeln!(text, "{id:<28}  {on_path:>11}  {longest:>11}  {median:>8}  {worst:>8}").ok();
    }
    let whole: Duration = spread.sources.iter().map(|(_, span)| *span).sum();
    let sources = spread.sources.iter().map(|(source, span)| format!("{} {}", source.name(), percent(*span, whole)));
    writeln!(text, "\nwhere the times come from: {}", sources.collect::<Vec<_>>().join(", ")).ok();
    never_struck(&mut text, &spread.never_struck);
    sanitise(&text)
}

/// Many rehearsals, for programs.
#[must_use]
pub fn spread_json(plan: &Plan, scenario: &str, spread: &Spread) -> Value {
    let at = |percent| percentile(&spread.times, percent).map(|(span, _)| span.as_secs_f64());
    let met = spread.objective.map(|objective| spread.times.iter().filter(|(span, _)| *span <= objective).count());
    let whole: f64 = spread.sources.iter().map(|(_, span)| span.as_secs_f64()).sum();
    let sources = spread.sources.iter().map(|(source, span)| {
        (source.name().to_owned(), json!(if whole > 0.0 { span.as_secs_f64() / whole } else { 0.0 }))
    });
    let steps = spread.steps.iter().map(|weight| {
        let at = |percent| percentile(&weight.times, percent).map(|span| span.as_secs_f64());
        json!({
            "step": plan.step(weight.step).id.value,
            "on_path": weight.on_path,
            "longest": weight.longest,
            "median": at(50),
            "p95": at(95),
        })
    });
    json!({
        "drctl": 1,
        "type": "rehearsals",
        "runbook": plan.runbook.name.value,
        "kind": plan.runbook.kind,
        "scenario": scenario,
        "seed": spread.seed,
        "runs": spread.runs,
        "ended": spread.ended,
        "in_doubt": spread.in_doubt.0,
        "in_doubt_at_any_time": spread.in_doubt.1,
        "recovered": spread.times.len(),
        "rto": spread.objective.map(|span| span.as_secs_f64()),
        "met": met,
        "median": at(50),
        "p90": at(90),
        "p95": at(95),
        "longest": spread.times.last().map(|(span, _)| span.as_secs_f64()),
        "longest_seed": spread.times.last().map(|(_, seed)| seed),
        "steps": steps.collect::<Vec<_>>(),
        "sources": sources.collect::<serde_json::Map<_, _>>(),
        "never_struck": spread.never_struck,
    })
}

/// Crashes everywhere, for people.
#[must_use]
pub fn everywhere(told: &Everywhere) -> String {
    let mut text = format!(
        "undisturbed, the run ends: {}\ndrctl was killed before and after each of its {} records: {} crashes, each taken up again\n",
        word(&told.undisturbed),
        told.records,
        told.crashes
    );
    for (step, count) in &told.doubts {
        writeln!(text, "in doubt: `{step}` after {count} of them; a person has to look").ok();
    }
    if told.wrong.is_empty() {
        writeln!(text, "nothing was lost, and nothing that may not be repeated happened twice").ok();
    }
    for (kill, what) in &told.wrong {
        writeln!(text, "killed {}: {what}", place(kill)).ok();
    }
    never_struck(&mut text, &told.never_struck);
    sanitise(&text)
}

fn never_struck(text: &mut String, faults: &[String]) {
    for fault in faults {
        writeln!(text, "the fault {fault} never struck: this proves nothing about it").ok();
    }
}

/// Crashes everywhere, for programs.
#[must_use]
pub fn everywhere_json(told: &Everywhere) -> Value {
    let doubts = told.doubts.iter().map(|(step, count)| (step.to_string(), json!(count)));
    let wrong = told.wrong.iter().map(|(kill, what)| json!({ "killed": place(kill), "wrong": what }));
    json!({
        "drctl": 1,
        "type": "crashes",
        "undisturbed": word(&told.undisturbed),
        "records": told.records,
        "crashes": told.crashes,
        "in_doubt": doubts.collect::<serde_json::Map<_, _>>(),
        "wrong": wrong.collect::<Vec<_>>(),
        "never_struck": told.never_struck,
    })
}

fn place(kill: &Kill) -> String {
    match kill {
        Kill::After(seq) => format!("after record {seq}"),
        Kill::Before(seq) => format!("before record {seq}"),
        Kill::Step { step, .. } => format!("in `{step}`"),
    }
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

fn share(part: u64, whole: u64) -> String {
    let share = if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    format!("{:.1} %", share * 100.0)
}

fn times(number: u64) -> String {
    if number == 1 { "once".to_owned() } else { format!("{number} times") }
}
