//! The calls to a gate: who was called and what became of it, who is called next.

use serde_json::{Value, json};

use super::words;
use crate::catalogue::Timestamp;
use crate::engine::event::LevelCalled;
use crate::engine::{End, Gate, LevelCall, Node};

/// What is said of the calls to an open gate; raw.
#[must_use]
pub(super) fn call_lines(node: &Node, gate: &Gate, now: Timestamp) -> Vec<String> {
    let mut lines: Vec<String> = node.calls().flat_map(|call| made(gate, call)).collect();
    let next = gate.opened.levels.iter().zip(1..).nth(gate.level as usize);
    let since = gate.opened.levels.get((gate.level as usize).wrapping_sub(1)).map(|level| level.until);
    if let (Some((level, number)), Some(at)) = (next, since) {
        let time = words::time_of_day(at);
        let when = if at > now {
            format!("calls {} at {time} UTC, in {}", level.calls, words::span(now.until(at)))
        } else {
            format!("was to call {} at {time} UTC, {} ago", level.calls, words::span(at.until(now)))
        };
        lines.push(format!("level {number} {when}"));
    }
    lines.extend(gate.is_exhausted.then(|| "nobody is left to call: the gate stays open".to_owned()));
    lines
}

fn made(gate: &Gate, call: &LevelCall) -> Vec<String> {
    let LevelCalled { level, calls, at, .. } = &call.called;
    let time = words::time_of_day(*at);
    let line = match &call.end {
        None => format!("level {level} is calling {calls} {}", through(&call.called)),
        Some(End::Succeeded { note, .. }) => format!("level {level} called {calls} at {time} UTC: {note}"),
        Some(End::Ambiguous { evidence }) => {
            format!("level {level} may not have reached {calls} at {time} UTC, in doubt: {evidence}")
        }
        Some(End::Failed { reason, .. }) => {
            format!("level {level} did not reach {calls} at {time} UTC, owed: {reason}")
        }
        Some(End::Cancelled) => format!("level {level} was stopped before it called {calls}"),
    };
    missed(gate, &call.called).into_iter().chain([line]).collect()
}

/// ``through `pager`, `mail` ``; what to do where no channel leads there.
pub(super) fn through(called: &LevelCalled) -> String {
    if called.channels.is_empty() {
        return "through no channel".to_owned();
    }
    format!("through `{}`", called.channels.join("`, `"))
}

/// The levels whose time passed while nobody executed the run.
pub(super) fn missed(gate: &Gate, called: &LevelCalled) -> Option<String> {
    let levels = called.missed.iter().map(|number| {
        let calls = gate.opened.levels.get(*number as usize - 1).map_or("", |level| level.calls.as_str());
        format!("level {number} ({calls})")
    });
    let levels: Vec<String> = levels.collect();
    (!levels.is_empty()).then(|| format!("missed, as nobody executed the run: {}", levels.join(", ")))
}

/// The calls to a gate for programs.
#[must_use]
pub(super) fn calls_json(node: &Node) -> Value {
    let calls = node.calls().map(|call| {
        let (state, note) = match &call.end {
            None => ("under_way", None),
            Some(End::Succeeded { note, .. }) => ("delivered", Some(note)),
            Some(End::Ambiguous { evidence }) => ("in_doubt", Some(evidence)),
            Some(End::Failed { reason, .. }) => ("owed", Some(reason)),
            Some(End::Cancelled) => ("under_way", None),
        };
        let LevelCalled { level, calls, at, channels, missed, .. } = &call.called;
        json!({
            "level": level, "calls": calls, "at": at, "channels": channels, "missed": missed,
            "state": state, "note": note,
        })
    });
    calls.collect()
}
