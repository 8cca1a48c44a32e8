//! When a maintenance window is open, in its own zone, whatever the clocks there do.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};

use crate::catalogue::Timestamp;
use crate::runbook::workspace::Window;

/// A time in which a window is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// From then on.
    pub from: Timestamp,
    /// Until then.
    pub until: Timestamp,
}

impl Opening {
    /// Whether it is open then.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// The days in which a window opens at least once: two months, and the longest way to a day of the week.
const MOST_DAYS: i64 = 75;

/// The opening that is open then, else the next one. A window whose beginning does not exist on a day on which clocks are
/// set forward opens as much later; one whose beginning comes twice opens with the first.
#[must_use]
pub fn opening(window: &Window, at: Timestamp) -> Option<Opening> {
    let zone = TimeZone::get(&window.zone).ok()?;
    let lasts = SignedDuration::try_from(window.lasts).ok()?;
    let now = jiff::Timestamp::from_millisecond(at.0).ok()?;
    // The opening that is open now may have begun on an earlier day.
    let first = now.checked_sub(lasts).ok()?.to_zoned(zone.clone()).date().checked_sub(1.day()).ok()?;
    let days = 0..MOST_DAYS + lasts.as_hours() / 24;
    days.filter_map(|day| first.checked_add(day.days()).ok()).filter(|date| opens_on(window, *date)).find_map(|date| {
        let from = date.to_datetime(window.at).to_zoned(zone.clone()).ok()?.timestamp();
        let until = from.checked_add(lasts).ok()?;
        let opening = Opening { from: Timestamp(from.as_millisecond()), until: Timestamp(until.as_millisecond()) };
        (opening.until > at).then_some(opening)
    })
}

fn opens_on(window: &Window, date: Date) -> bool {
    let is_week = |week| date.nth_weekday_of_month(week, window.day).is_ok_and(|nth| nth == date);
    date.weekday() == window.day && window.week.is_none_or(is_week)
}

/// When it opens, for people: `first sunday, 02:00 Europe/London, for 4h`.
#[must_use]
pub fn window_words(window: &Window) -> String {
    let week = match window.week {
        None => "each",
        Some(1) => "first",
        Some(2) => "second",
        Some(3) => "third",
        Some(4) => "fourth",
        Some(_) => "last",
    };
    let day = window.day.to_monday_zero_offset();
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let day = usize::try_from(day).ok().and_then(|day| days.get(day)).copied().unwrap_or_default();
    let at = window.at.strftime("%H:%M");
    format!("{week} {day}, {at} {}, for {}", window.zone, crate::catalogue::HumanDuration(window.lasts))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::civil::{Weekday, time};

    use super::*;

    fn window(week: Option<i8>, zone: &str) -> Window {
        Window {
            day: Weekday::Sunday,
            week,
            at: time(2, 0, 0, 0),
            lasts: Duration::from_hours(4),
            zone: zone.to_owned(),
            audience: None,
        }
    }

    fn told(window: &Window, at: &str) -> String {
        let opening = opening(window, Timestamp::parse(at).unwrap()).unwrap();
        format!("{} to {}", opening.from, opening.until)
    }

    #[test]
    fn a_window_is_found_while_it_is_open_and_before_it_opens() {
        let first = window(Some(1), "UTC");
        let december = "2026-12-06T02:00:00.000Z to 2026-12-06T06:00:00.000Z";
        assert_eq!(told(&first, "2026-11-21T22:00:00Z"), december);
        assert_eq!(told(&first, "2026-12-06T02:00:00Z"), december);
        assert_eq!(told(&first, "2026-12-06T05:59:59Z"), december);
        assert_eq!(told(&first, "2026-12-06T06:00:00Z"), "2027-01-03T02:00:00.000Z to 2027-01-03T06:00:00.000Z");
        assert_eq!(
            told(&window(Some(-1), "UTC"), "2026-11-21T22:00:00Z"),
            "2026-11-29T02:00:00.000Z to 2026-11-29T06:00:00.000Z"
        );
        assert_eq!(
            told(&window(None, "UTC"), "2026-11-21T22:00:00Z"),
            "2026-11-22T02:00:00.000Z to 2026-11-22T06:00:00.000Z"
        );
        assert_eq!(window_words(&first), "first sunday, 02:00 UTC, for 4h");
    }

    #[test]
    fn a_window_that_lasts_over_midnight_is_open_on_the_next_day() {
        let late = Window { at: time(23, 0, 0, 0), ..window(None, "UTC") };
        let opening = opening(&late, Timestamp::parse("2026-11-23T01:00:00Z").unwrap()).unwrap();
        assert!(opening.holds(Timestamp::parse("2026-11-23T01:00:00Z").unwrap()));
        assert_eq!(opening.from, Timestamp::parse("2026-11-22T23:00:00Z").unwrap());
    }

    /// In Berlin clocks go from 2 to 3 on 2026-03-29, and from 3 back to 2 on 2026-10-25.
    #[test]
    fn a_window_lasts_as_long_on_the_days_when_clocks_change() {
        let last = window(Some(-1), "Europe/Berlin");
        assert_eq!(told(&last, "2026-03-01T00:00:00Z"), "2026-03-29T01:00:00.000Z to 2026-03-29T05:00:00.000Z");
        assert_eq!(told(&last, "2026-10-01T00:00:00Z"), "2026-10-25T00:00:00.000Z to 2026-10-25T04:00:00.000Z");
        assert_eq!(told(&last, "2026-11-01T00:00:00Z"), "2026-11-29T01:00:00.000Z to 2026-11-29T05:00:00.000Z");
    }
}
