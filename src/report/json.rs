//! One JSON object a line for programs: a version, the records as the journal holds them, a summary.

use serde_json::{Value, json};
use std::fmt::Write as _;

use super::sanitise::is_hidden;
use super::survivor::Survivor;
use super::view::View;
use crate::catalogue::Timestamp;
use crate::engine::{Event, Seq};

/// The version of this format.
const FORMAT: u32 = 1;

/// The first line: what writes the others.
#[must_use]
pub(super) fn version(run: &str) -> String {
    let line = json!({
        "drctl": FORMAT, "run": run, "type": "version", "payload": { "version": env!("CARGO_PKG_VERSION") },
    });
    visible(&line.to_string())
}

/// A record: its type and payload are the journal's own.
#[must_use]
pub(super) fn record(view: &View, seq: Seq, at: Timestamp, event: &Event) -> String {
    let mut line = json!({ "drctl": FORMAT, "run": view.run, "seq": seq.0, "time": at });
    if let (Value::Object(line), Ok(Value::Object(event))) = (&mut line, serde_json::to_value(event)) {
        line.extend(event);
    }
    finished(view, line)
}

/// What still runs of what the process before started. In no journal: it is how it is found.
#[must_use]
pub(super) fn survivor(view: &View, survivor: &Survivor) -> String {
    let line = json!({ "drctl": FORMAT, "run": view.run, "type": "still_running", "payload": survivor.json() });
    finished(view, line)
}

/// The last line: what the run came to.
#[must_use]
pub(super) fn summary(view: &View, now: Timestamp) -> String {
    let payload = view.summary(now).json();
    let line = json!({ "drctl": FORMAT, "run": view.run, "type": "summary", "payload": payload });
    finished(view, line)
}

fn finished(view: &View, mut line: Value) -> String {
    if !view.cleaner.masks_nothing() {
        mask(view, &mut line);
    }
    visible(&line.to_string())
}

fn mask(view: &View, value: &mut Value) {
    match value {
        Value::String(text) => *text = view.cleaner.mask(text),
        Value::Array(items) => items.iter_mut().for_each(|item| mask(view, item)),
        Value::Object(entries) => {
            let masked = std::mem::take(entries).into_iter().map(|(key, mut item)| {
                mask(view, &mut item);
                (view.cleaner.mask(&key), item)
            });
            *entries = masked.collect();
        }
        _ => {}
    }
}

/// The same JSON with everything hidden written as an escape, so that it drives no terminal either.
pub(super) fn visible(line: &str) -> String {
    if !line.contains(is_hidden) {
        return line.to_owned();
    }
    let mut shown = String::with_capacity(line.len());
    for character in line.chars() {
        if !is_hidden(character) {
            shown.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(shown, "\\u{unit:04x}").ok();
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::fixture::*;
    use super::super::sanitise::Cleaner;
    use super::*;
    use crate::edge::secrets::Secrets;
    use crate::engine::Mode;

    #[test]
    fn a_record_is_the_journals_own_with_secrets_masked_and_nothing_hidden() {
        let mut secrets = Secrets::default();
        secrets.insert("token", "hunter2");
        let mut view = View::new(Arc::new(plan()), "r".to_owned(), Cleaner::new(&secrets));
        let events = [
            started(Mode::Real),
            intent("probe", 1, "probe.http"),
            outcome("probe", 1, failed("\u{1b}[2J hunter2 \u{9b}x \u{202e}\u{e0041}")),
        ];
        for event in &events {
            view.apply(at(0), event).unwrap();
        }
        let line = record(&view, Seq(3), at(1), &events[2]);
        assert_eq!(
            line,
            "{\"drctl\":1,\"run\":\"r\",\"seq\":3,\"time\":\"2026-11-20T03:11:27.000Z\",\"type\":\"outcome\",\
             \"payload\":{\"step\":\"probe\",\"side\":\"apply\",\"attempt\":1,\
             \"end\":{\"failed\":{\"reason\":\"\\u001b[2J *** \\u009bx \\u202e\\udb40\\udc41\"}}}}"
        );
        let read: Value = serde_json::from_str(&line).unwrap();
        let event: Event = serde_json::from_value(json!({ "type": read["type"], "payload": read["payload"] })).unwrap();
        assert_eq!(event, outcome("probe", 1, failed("\u{1b}[2J *** \u{9b}x \u{202e}\u{e0041}")));
    }

    #[test]
    fn the_first_and_the_last_line_say_what_they_are() {
        let view = View::new(Arc::new(plan()), "r".to_owned(), Cleaner::default());
        let read = |line: String| serde_json::from_str::<Value>(&line).unwrap();
        let first = read(version("r"));
        assert_eq!(
            first,
            json!({ "drctl": 1, "run": "r", "type": "version", "payload": { "version": env!("CARGO_PKG_VERSION") } })
        );
        let last = read(summary(&view, at(0)));
        assert_eq!(
            [&last["drctl"], &last["type"], &last["payload"]["state"]],
            [&json!(1), &json!("summary"), &json!("running")]
        );
    }
}
