//! What came of all scenarios, for people and for programs: a line each, what differs, and a table of the runbooks.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Shown, Suite, Verdict};
use crate::catalogue::HumanDuration;
use crate::exec::rehearse::word;
use crate::report::{Count, Group, percent, sanitise};

/// One scenario: a line, and a block for each difference.
#[must_use]
pub fn line(verdict: &Verdict) -> String {
    let mark = if verdict.is_good() { "ok  " } else { "FAIL" };
    let name = verdict.name();
    let found = match &verdict.result {
        Ok(found) => found,
        Err(problem) => return sanitise(&format!("{mark}  {name:<50}  {}: {problem}", verdict.file)),
    };
    let clock = &found.facts.clock;
    let took = HumanDuration(Duration::from_secs(clock.elapsed.as_secs()));
    let took = if clock.restored { format!(", restored after {took}") } else { String::new() };
    let mut text = format!("{mark}  {name:<50}  {}{took}", word(&found.facts.ended));
    blocks(&mut text, &found.differences);
    if !verdict.is_good() {
        write!(text, "\n      again: {}", verdict.again).ok();
    }
    sanitise(&text)
}

/// Expected and found below each other, and what the run did around it, where that was not just shown.
pub(super) fn blocks(text: &mut String, differences: &[Shown]) {
    let mut before = None;
    for shown in differences {
        let around = Some(&shown.around).filter(|around| before.replace(*around) != Some(*around));
        block(text, shown, &around.map(|lines| lines.join("\n")).unwrap_or_default());
    }
}

fn block(text: &mut String, shown: &Shown, around: &str) {
    let difference = &shown.difference;
    write!(text, "\n      {}", shown.place.as_deref().unwrap_or("in every rehearsal")).ok();
    let parts = [("expected", difference.expected.as_str()), ("found", &difference.found), ("around", around)];
    for (word, what) in parts.into_iter().filter(|(_, what)| !what.is_empty()) {
        let mut lines = what.trim_end().lines();
        write!(text, "\n        {word:<8}  {}", lines.next().unwrap_or_default()).ok();
        lines.for_each(|line| {
            write!(text, "\n                  {line}").ok();
        });
    }
}

/// The table: a row for each runbook, and one for all.
#[must_use]
pub fn table(suite: &Suite) -> String {
    let mut rows = vec![vec!["runbook".to_owned(), "as expected".to_owned(), "took".to_owned()]];
    rows[0].extend(Group::ALL.map(|group| group.name().to_owned()));
    rows[0].push("coverage".to_owned());
    rows.extend(suite.runbooks().into_iter().map(|runbook| row(suite, Some(runbook))));
    rows.push(row(suite, None));
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).enumerate().map(|(at, (cell, width))| match at {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ")
    });
    sanitise(&lines.collect::<Vec<_>>().join("\n"))
}

/// The row of a runbook, or of all of them.
fn row(suite: &Suite, runbook: Option<&str>) -> Vec<String> {
    let (good, all, took) = suite.tally(runbook);
    let of = |(reached, all): Count| if all == 0 { "-".to_owned() } else { format!("{reached}/{all}") };
    let mut cells = vec![runbook.unwrap_or("all").to_owned(), of((good, all)), span(took)];
    cells.extend(Group::ALL.map(|group| of(suite.coverage.count(runbook, Some(group)))));
    cells.push(format!("{} %", percent(suite.coverage.count(runbook, None))));
    cells
}

fn span(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

/// What no scenario reaches, a line each.
#[must_use]
pub fn missing(suite: &Suite) -> String {
    let lines =
        suite.coverage.missing().map(|(point, place)| format!("{place}: `{}` {}", point.step, point.reach.never()));
    sanitise(&lines.collect::<Vec<_>>().join("\n"))
}

/// One scenario, for programs.
#[must_use]
pub fn json(verdict: &Verdict) -> Value {
    let (state, differences) = match &verdict.result {
        Ok(found) => (word(&found.facts.ended), found.differences.iter().map(Shown::text).collect()),
        Err(problem) => ("invalid", vec![problem.clone()]),
    };
    let facts = verdict.result.as_ref().ok().map(|found| &found.facts);
    json!({
        "drctl": 1,
        "type": "scenario",
        "name": verdict.name(),
        "file": verdict.file,
        "good": verdict.is_good(),
        "state": state,
        "seed": facts.map(|facts| facts.seed),
        "elapsed": facts.map(|facts| facts.clock.elapsed.as_secs_f64()),
        "differences": differences,
        "again": verdict.again,
    })
}

/// All of them, for programs: the table, and what no scenario reaches.
#[must_use]
pub fn summary(suite: &Suite) -> Value {
    let row = |runbook: Option<&str>| {
        let (good, all, took) = suite.tally(runbook);
        let counts = Group::ALL.map(|group| {
            let (reached, all) = suite.coverage.count(runbook, Some(group));
            (group.name().to_owned(), json!({ "reached": reached, "all": all }))
        });
        json!({
            "runbook": runbook,
            "scenarios": all,
            "as_expected": good,
            "took": took.as_secs_f64(),
            "coverage": percent(suite.coverage.count(runbook, None)),
            "counts": counts.into_iter().collect::<serde_json::Map<_, _>>(),
        })
    };
    let missing = suite.coverage.missing().map(|(point, place)| {
        json!({ "runbook": point.runbook, "step": point.step, "place": place, "what": point.reach.never() })
    });
    json!({
        "drctl": 1,
        "type": "summary",
        "all": row(None),
        "runbooks": suite.runbooks().into_iter().map(|runbook| row(Some(runbook))).collect::<Vec<_>>(),
        "missing": missing.collect::<Vec<_>>(),
    })
}
