//! Times and words as people read them at night: short, in UTC, to the second.

use std::time::Duration;

use crate::catalogue::Timestamp;
pub(super) use crate::catalogue::to_the_second as span;
use crate::engine::Person;

/// The time of day in UTC: `03:12:07`.
#[must_use]
pub(super) fn time_of_day(at: Timestamp) -> String {
    let day = 86_400_000;
    let seconds = at.0.rem_euclid(day) / 1000;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Date and time in UTC, to the minute: `2026-11-20 23:37`.
#[must_use]
pub(super) fn date_and_time(at: Timestamp) -> String {
    let text = at.to_string();
    match text.split_once('T') {
        Some((date, time)) => format!("{date} {}", time.get(..5).unwrap_or(time)),
        None => text,
    }
}

/// Time since the clock began: `+00:41`, `+1:02:41`.
#[must_use]
pub(super) fn elapsed(span: Duration) -> String {
    let seconds = span.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 { format!("+{minutes:02}:{seconds:02}") } else { format!("+{hours}:{minutes:02}:{seconds:02}") }
}

/// Who: `alice on host`, and whether they only said so.
#[must_use]
pub(super) fn person(person: &Person) -> String {
    let claimed = if person.claimed { " (by `--as`)" } else { "" };
    format!("{}{claimed} on {}", person.name, person.host)
}

/// `Move Orders to East US 2; owner: team_orders`: what is there of it.
#[must_use]
pub(super) fn title_and_owner(title: Option<String>, owner: Option<&str>) -> Option<String> {
    let parts: Vec<String> = title.into_iter().chain(owner.map(|owner| format!("owner: {owner}"))).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Text of others on one line.
#[must_use]
pub(super) fn one_line(text: &str) -> String {
    super::sanitise(text).replace('\n', " ")
}

/// `1 step`, `2 steps`.
#[must_use]
pub(super) fn count(number: usize, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {word}{plural}")
}

/// `list` at most `most` long, then how many more there are.
#[must_use]
pub(super) fn names(list: &[String], most: usize) -> String {
    let shown = list.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    match list.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short_and_in_utc() {
        let at = Timestamp::parse("2026-11-20T23:37:05.900Z").unwrap();
        assert_eq!(time_of_day(at), "23:37:05");
        assert_eq!(time_of_day(Timestamp(-1)), "23:59:59");
        assert_eq!(date_and_time(at), "2026-11-20 23:37");
        assert_eq!(elapsed(Duration::from_secs(41)), "+00:41");
        assert_eq!(elapsed(Duration::from_secs(3761)), "+1:02:41");
        assert_eq!(span(Duration::from_millis(250_900)), "4m10s");
        assert_eq!(span(Duration::from_millis(900)), "<1s");
        assert_eq!(span(Duration::ZERO), "0s");
    }
}
