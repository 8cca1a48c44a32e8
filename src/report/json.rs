//! JSON events: one versioned document a line.

use serde_json::{Value, json};

use super::Fold;
use super::timeline::Timeline;
use crate::catalogue::Timestamp;
use crate::engine::event::Event;
use crate::engine::{Seq, StepState};

/// The version of the events.
const VERSION: u32 = 1;

/// The first line.
pub(super) fn version(run: &str) -> String {
    json!({ "drctl": VERSION, "type": "version", "payload": { "drctl": env!("CARGO_PKG_VERSION"), "run": run } })
        .to_string()
}

/// A record of the journal.
pub(super) fn record(run: &str, seq: Seq, at: Timestamp, event: &Event) -> String {
    let event = serde_json::to_value(event).unwrap_or_default();
    let part = |name: &str| event.get(name).cloned().unwrap_or(Value::Null);
    json!({ "drctl": VERSION, "run": run, "seq": seq, "time": at, "type": part("type"), "payload": part("payload") })
        .to_string()
}

/// The last line.
pub(super) fn summary(run: &str, fold: &Fold) -> String {
    let (plan, state, timeline) = (&fold.plan, &fold.state, &fold.timeline);
    let seconds = |span: std::time::Duration| span.as_secs_f64();
    let total = timeline.start.until(state.last_at);
    let waiting = timeline.waiting_until(state.last_at);
    let doubts: Vec<&str> =
        state.nodes.iter().filter(|node| node.state == StepState::InDoubt).map(|node| &*node.path.0).collect();
    json!({
        "drctl": VERSION, "run": run, "type": "summary",
        "payload": {
            "state": state.run_state(plan),
            "rto_seconds": plan.runbook.objectives.rto.map(seconds),
            "restored_after_seconds": Timeline::restored_at(plan, state).map(|at| seconds(timeline.start.until(at))),
            "machine_seconds": seconds(total.checked_sub(waiting).unwrap_or_default()),
            "waiting_for_people_seconds": seconds(waiting),
            "exceptions": super::summary::exceptions(state),
            "in_doubt": doubts,
            "next": super::next_commands(plan, state, run),
        },
    })
    .to_string()
}
