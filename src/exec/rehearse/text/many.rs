//! What many rehearsals say together: how times spread, and what crashes everywhere came to.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::{percent, seconds};
use crate::catalogue::HumanDuration;
use crate::exec::rehearse::Kill;
use crate::exec::rehearse::everywhere::Everywhere;
use crate::exec::rehearse::runs::{Spread, percentile, word};
use crate::plan::Plan;
use crate::report::sanitise;

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
    let wrong = told
        .wrong
        .iter()
        .map(|(kill, what)| json!({ "killed": place(kill), "crash": kill.to_string(), "wrong": what }));
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

fn share(part: u64, whole: u64) -> String {
    let share = if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    format!("{:.1} %", share * 100.0)
}
