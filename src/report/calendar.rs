//! The drills of the calendar, as people, programs and calendars read them.

use std::fmt::Write as _;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::words::one_line as plain;
use crate::catalogue::{HumanDuration, Timestamp};
use crate::plan::calendar::{DrillStatus, dates};
use crate::plan::windows::{Opening, window_words};

const HEAD: [&str; 6] = ["DRILL", "STATE", "RUNBOOK", "EVERY", "LAST", "NEXT"];

/// A table, the worst first.
#[must_use]
pub fn text(drills: &[DrillStatus<'_>], now: Timestamp) -> String {
    if drills.is_empty() {
        return "`drctl.yaml` names no drills\n".to_owned();
    }
    let rows: Vec<[String; 6]> =
        std::iter::once(HEAD.map(str::to_owned)).chain(drills.iter().map(|drill| row(drill, now))).collect();
    let widths: [usize; 6] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    rows.iter().fold(String::new(), |mut text, row| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(text, "{}", cells.join("  ").trim_end()).ok();
        text
    })
}

fn row(status: &DrillStatus<'_>, now: Timestamp) -> [String; 6] {
    let drill = status.drill;
    let last = status.last.as_ref().map_or("never".to_owned(), |last| day(zone(status), last.at));
    [
        plain(status.name),
        status.standing.word().to_owned(),
        format!("{} {}", drill.kind.name(), plain(&drill.runbook.value)),
        drill.every.name().to_owned(),
        last,
        next(status, now),
    ]
}

fn next(status: &DrillStatus<'_>, now: Timestamp) -> String {
    let by = format!("by {}", status.by);
    let (Some(opening), Some(window)) = (status.next, status.window) else { return by };
    let name = status.drill.window.as_deref().map(plain).unwrap_or_default();
    if opening.holds(now) {
        return format!("now: window {name} is open until {}", moment(zone(status), opening.until));
    }
    let lasts = HumanDuration(window.lasts);
    format!("{} {}, for {lasts} (window {name}), {by}", moment(zone(status), opening.from), window.zone)
}

fn zone(status: &DrillStatus<'_>) -> TimeZone {
    let zone = status.window.and_then(|window| TimeZone::get(&window.zone).ok());
    zone.unwrap_or(TimeZone::UTC)
}

fn moment(zone: TimeZone, at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    at.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string()
}

fn day(zone: TimeZone, at: Timestamp) -> String {
    moment(zone, at).split(' ').next().unwrap_or_default().to_owned()
}

/// The version of the document.
const FORMAT: u32 = 1;

/// One versioned document, for programs.
#[must_use]
pub fn document(drills: &[DrillStatus<'_>], now: Timestamp) -> String {
    let one = |status: &DrillStatus<'_>| -> Value {
        let drill = status.drill;
        let last = status.last.as_ref().map(|last| json!({ "run": last.run, "at": last.at }));
        let opening =
            status.next.map(|next| json!({ "from": next.from, "until": next.until, "open": next.holds(now) }));
        json!({
            "drill": status.name, "state": status.standing.word(), "runbook": drill.runbook.value,
            "kind": drill.kind.name(), "every": drill.every.name(), "since": drill.since.to_string(),
            "last": last, "next": opening, "by": status.by.to_string(), "window": drill.window,
            "window_opens": status.window.map(window_words),
            "lasts_seconds": drill.lasts.map(|lasts| lasts.as_secs_f64()), "scope": drill.scope,
            "validation": drill.validation, "rollback": drill.rollback, "audience": drill.audience,
        })
    };
    let drills: Vec<Value> = drills.iter().map(one).collect();
    let text =
        serde_json::to_string_pretty(&json!({ "drctl": FORMAT, "at": now, "drills": drills })).unwrap_or_default();
    text.lines().map(|line| super::json::visible(line) + "\n").collect()
}

/// How many dates of each drill a calendar gets.
const DATES: usize = 4;

/// An iCalendar file (RFC 5545): the next dates of each drill, in UTC, so that no zone has to travel with it.
#[must_use]
pub fn ics(drills: &[DrillStatus<'_>], now: Timestamp) -> String {
    let mut out = String::new();
    for text in ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//drctl//drills//EN", "X-WR-CALNAME:Drills"] {
        line(&mut out, text);
    }
    for status in drills {
        for (number, (by, opening)) in dates(status, now, DATES).into_iter().enumerate() {
            event(&mut out, status, (by, opening), now, number == 0);
        }
    }
    line(&mut out, "END:VCALENDAR");
    out
}

fn event(
    out: &mut String,
    status: &DrillStatus<'_>,
    (by, opening): (Date, Option<Opening>),
    now: Timestamp,
    is_next: bool,
) {
    line(out, "BEGIN:VEVENT");
    // Of a period there is one event, wherever in it the drill is put: a calendar that reads the file again moves it.
    line(out, &format!("UID:{}-{by}@drctl", escaped(status.name)));
    line(out, &format!("DTSTAMP:{}", stamp(now)));
    match opening {
        Some(opening) => {
            line(out, &format!("DTSTART:{}", stamp(opening.from)));
            line(out, &format!("DTEND:{}", stamp(opening.until)));
        }
        None => line(out, &format!("DTSTART;VALUE=DATE:{}", by.strftime("%Y%m%d"))),
    }
    let state = if is_next { format!(" ({})", status.standing.word()) } else { String::new() };
    line(out, &format!("SUMMARY:{}", escaped(&format!("Drill {}{state}", plain(status.name)))));
    line(out, &format!("DESCRIPTION:{}", escaped(&description(status, by))));
    line(out, "END:VEVENT");
}

fn description(status: &DrillStatus<'_>, by: Date) -> String {
    let drill = status.drill;
    let (name, runbook) = (shell_words::quote(status.name), shell_words::quote(&drill.runbook.value));
    let command = match drill.kind {
        crate::runbook::ast::Kind::Drill => format!("drctl run FILE --drill {name}   (drill {runbook})"),
        kind => format!("drctl {} {runbook} --drill {name}", kind.name()),
    };
    let lasts = drill.lasts.map(|lasts| HumanDuration(lasts).to_string());
    let fields = [
        ("scope", &drill.scope),
        ("validation", &drill.validation),
        ("rollback", &drill.rollback),
        ("lasts", &lasts),
        ("audience", &drill.audience),
    ];
    let fields = fields.into_iter().filter_map(|(name, text)| Some(format!("{name}: {}", plain(text.as_deref()?))));
    [command, format!("by {by}")].into_iter().chain(fields).collect::<Vec<_>>().join("\n")
}

fn stamp(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or_default().strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Text as a value of RFC 5545, 3.3.11.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
    text.replace('\n', "\\n")
}

/// A content line, folded where it is longer than 75 octets (RFC 5545, 3.1), never within a character.
fn line(out: &mut String, text: &str) {
    let mut width = 0;
    for character in text.chars() {
        if width + character.len_utf8() > 75 {
            out.push_str("\r\n ");
            width = 1;
        }
        out.push(character);
        width += character.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_within_75_octets_and_between_characters() {
        let mut out = String::new();
        line(&mut out, &format!("SUMMARY:{}", "ä".repeat(60)));
        let lines: Vec<&str> = out.split_terminator("\r\n").collect();
        assert!(lines.len() == 2 && lines.iter().all(|line| line.len() <= 75), "{lines:?}");
        assert_eq!(out.replace("\r\n ", ""), format!("SUMMARY:{}\r\n", "ä".repeat(60)));
        assert_eq!(escaped("a;b,c\\d\ne"), "a\\;b\\,c\\\\d\\ne");
    }
}
