//! Which drills are due, overdue and done: by the calendar, and by the runs that were drills.
//!
//! A drill is held once in each period, of the length that `every` says, from `since` on. Days are those of the zone of
//! its window. What is overdue was missed in a whole period, and has not been made up for in this one.

use jiff::Span;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::windows::{Opening, opening};
use crate::catalogue::Timestamp;
use crate::runbook::ast::Kind;
use crate::runbook::workspace::{Drill, Window, Workspace};

/// A run that was a drill, and ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The run's id.
    pub run: String,
    /// When it started.
    pub at: Timestamp,
    /// The drill it was started as.
    pub drill: Option<String>,
    /// Its runbook's name.
    pub runbook: String,
    /// Its runbook's kind.
    pub kind: Kind,
}

impl Held {
    /// Whether it is that drill: it was started as it, or is a drill of its runbook by kind.
    #[must_use]
    pub fn is_of(&self, name: &str, drill: &Drill) -> bool {
        let is_same = self.runbook == drill.runbook.value && self.kind == drill.kind;
        match &self.drill {
            Some(started_as) => started_as == name,
            None => is_same && self.kind == Kind::Drill,
        }
    }
}

/// How a drill stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It was missed.
    Overdue,
    /// It is to be held in this period.
    Due,
    /// It was held in this period.
    Done,
    /// Its calendar has not begun.
    Planned,
}

impl Standing {
    /// For people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Due => "due",
            Self::Done => "done",
            Self::Planned => "planned",
        }
    }
}

/// A drill of the calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillStatus<'w> {
    /// Its name.
    pub name: &'w str,
    /// What is written of it.
    pub drill: &'w Drill,
    /// Its window.
    pub window: Option<&'w Window>,
    /// How it stands.
    pub standing: Standing,
    /// When it was held last.
    pub last: Option<Held>,
    /// The next time its window is open in the period in which it is to be held next; now, if it is open.
    pub next: Option<Opening>,
    /// The last day of that period.
    pub by: Date,
}

/// How the drills of the workspace stand then: the worst first, then by the day they are to be held by, then by name.
#[must_use]
pub fn drills<'w>(workspace: &'w Workspace, held: &[Held], now: Timestamp) -> Vec<DrillStatus<'w>> {
    let status = |(name, drill): (&'w String, &'w Drill)| status(workspace, name, drill, (held, now));
    let mut all: Vec<_> = workspace.drills.iter().filter_map(status).collect();
    all.sort_by_key(|status| (status.standing, status.by, status.name));
    all
}

fn status<'w>(
    workspace: &'w Workspace,
    name: &'w str,
    drill: &'w Drill,
    (held, now): (&[Held], Timestamp),
) -> Option<DrillStatus<'w>> {
    let window = drill.window.as_ref().and_then(|window| workspace.maintenance_windows.get(window));
    let periods = Periods::of(drill, window)?;
    let own = || held.iter().filter(|held| held.is_of(name, drill));
    let is_held = |period: i32| {
        let within = |at: Timestamp| Some(periods.begin(period)? <= at && at < periods.begin(period + 1)?);
        own().any(|held| within(held.at) == Some(true))
    };
    let current = periods.current(now);
    let standing = match current {
        None => Standing::Planned,
        Some(current) if is_held(current) => Standing::Done,
        Some(current) if current > 0 && !is_held(current - 1) => Standing::Overdue,
        Some(_) => Standing::Due,
    };
    let period = current.unwrap_or(0) + i32::from(standing == Standing::Done);
    let from = periods.begin(period)?.max(now);
    Some(DrillStatus {
        name,
        drill,
        window,
        standing,
        last: own().max_by_key(|held| held.at).cloned(),
        next: window.and_then(|window| opening(window, from)),
        by: periods.first_day(period + 1)?.yesterday().ok()?,
    })
}

/// When a drill is to be held next, and in the periods after that: an opening of its window, or the last day.
#[must_use]
pub fn dates(status: &DrillStatus<'_>, now: Timestamp, count: usize) -> Vec<(Date, Option<Opening>)> {
    let Some(periods) = Periods::of(status.drill, status.window) else { return Vec::new() };
    let first = periods.current(now).map_or(0, |current| current + i32::from(status.standing == Standing::Done));
    let later = (first + 1..).take(count.saturating_sub(1)).filter_map(|period| {
        let by = periods.first_day(period + 1)?.yesterday().ok()?;
        Some((by, status.window.and_then(|window| opening(window, periods.begin(period)?))))
    });
    std::iter::once((status.by, status.next)).chain(later).take(count).collect()
}

/// The periods of a drill, counted from 0.
struct Periods {
    since: Date,
    months: i32,
    zone: TimeZone,
}

impl Periods {
    fn of(drill: &Drill, window: Option<&Window>) -> Option<Self> {
        let zone = window.map_or(Some(TimeZone::UTC), |window| TimeZone::get(&window.zone).ok())?;
        Some(Self { since: drill.since, months: drill.every.months(), zone })
    }

    /// From the first day on, so that a period that begins on a 31st does not move through the year.
    fn first_day(&self, period: i32) -> Option<Date> {
        let span = Span::new().try_months(i64::from(period) * i64::from(self.months)).ok()?;
        self.since.checked_add(span).ok()
    }

    fn begin(&self, period: i32) -> Option<Timestamp> {
        let begin = self.first_day(period)?.to_zoned(self.zone.clone()).ok()?;
        Some(Timestamp(begin.timestamp().as_millisecond()))
    }

    /// The one that holds now; nothing before the first.
    fn current(&self, now: Timestamp) -> Option<i32> {
        let today = jiff::Timestamp::from_millisecond(now.0).ok()?.to_zoned(self.zone.clone()).date();
        let months = (i32::from(today.year()) - i32::from(self.since.year())) * 12 + i32::from(today.month())
            - i32::from(self.since.month());
        let guess = months.div_euclid(self.months);
        let current = if self.first_day(guess)? <= today { guess } else { guess - 1 };
        (current >= 0).then_some(current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Sources;

    const SETTINGS: &str = "\
drctl: 1
maintenance_windows:
  monthly: { day: sunday, week: first, at: \"02:00\", lasts: 4h, zone: Europe/London }
drills:
  orders: { runbook: orders, kind: failover, every: half-year, since: 2025-01-01, window: monthly }
  tabletop: { runbook: tabletop, every: quarter, since: 2025-01-31 }
  coming: { runbook: coming, every: year, since: 2027-01-01 }
";

    fn workspace() -> Workspace {
        let mut sources = Sources::default();
        let source = sources.add("drctl.yaml", SETTINGS);
        let (workspace, found) = Workspace::parse(&sources, source);
        assert_eq!(found, []);
        workspace
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn held(drill: Option<&str>, (runbook, kind): (&str, Kind), when: &str) -> Held {
        let (run, at) = (format!("{runbook}-{when}"), at(when));
        Held { run, at, drill: drill.map(str::to_owned), runbook: runbook.to_owned(), kind }
    }

    fn told(held: &[Held], now: &str) -> Vec<String> {
        let workspace = workspace();
        let told = |status: &DrillStatus<'_>| {
            let next = status.next.map(|next| format!(", next {}", next.from)).unwrap_or_default();
            let last = status.last.as_ref().map(|last| format!(", last {}", last.at)).unwrap_or_default();
            format!("{} {}{last}{next}, by {}", status.name, status.standing.word(), status.by)
        };
        drills(&workspace, held, at(now)).iter().map(told).collect()
    }

    #[test]
    fn what_was_missed_is_overdue_until_it_is_made_up_for() {
        let now = "2026-11-21T22:00:00Z";
        let failover = ("orders", Kind::Failover);
        assert_eq!(
            told(&[], now),
            [
                "orders overdue, next 2026-12-06T02:00:00.000Z, by 2026-12-31",
                "tabletop overdue, by 2027-01-30",
                "coming planned, by 2027-12-31",
            ]
        );
        // In the period before this one: due, and no more than that.
        let spring = held(Some("orders"), failover, "2026-03-01T02:00:00Z");
        assert_eq!(
            told(std::slice::from_ref(&spring), now)[1],
            "orders due, last 2026-03-01T02:00:00.000Z, next 2026-12-06T02:00:00.000Z, by 2026-12-31"
        );
        let autumn = held(Some("orders"), failover, "2026-09-06T01:00:00Z");
        assert_eq!(
            told(&[autumn, spring], now)[1],
            "orders done, last 2026-09-06T01:00:00.000Z, next 2027-01-03T02:00:00.000Z, by 2027-06-30"
        );
    }

    #[test]
    fn a_real_failover_is_no_drill_and_a_drill_runbook_always_is() {
        let now = "2026-11-21T22:00:00Z";
        let real = held(None, ("orders", Kind::Failover), "2026-10-01T02:00:00Z");
        let other = held(Some("another"), ("tabletop", Kind::Drill), "2026-11-01T02:00:00Z");
        let told_of = told(&[real, other], now);
        assert!(told_of[0].starts_with("orders overdue") && told_of[1].starts_with("tabletop overdue"), "{told_of:?}");
        let drill = held(None, ("tabletop", Kind::Drill), "2026-11-01T02:00:00Z");
        assert!(
            told(&[drill], now).contains(&"tabletop done, last 2026-11-01T02:00:00.000Z, by 2027-04-29".to_owned())
        );
    }

    #[test]
    fn days_are_those_of_the_window_s_zone_and_a_period_of_a_31st_stays_where_it_is() {
        // 23:30 in UTC is the next day in London's summer.
        let summer = held(Some("orders"), ("orders", Kind::Failover), "2026-06-30T23:30:00Z");
        assert!(told(&[summer], "2026-11-21T22:00:00Z")[1].starts_with("orders done"));
        let workspace = workspace();
        let periods = Periods::of(&workspace.drills["tabletop"], None).unwrap();
        let days: Vec<String> = (0..5).map(|period| periods.first_day(period).unwrap().to_string()).collect();
        assert_eq!(days, ["2025-01-31", "2025-04-30", "2025-07-31", "2025-10-31", "2026-01-31"]);
        assert_eq!(periods.current(at("2025-04-29T12:00:00Z")), Some(0));
        assert_eq!(periods.current(at("2025-04-30T12:00:00Z")), Some(1));
        assert_eq!(periods.current(at("2025-01-30T12:00:00Z")), None);
    }

    #[test]
    fn the_dates_of_the_periods_to_come_are_openings_of_the_window() {
        let (workspace, now) = (workspace(), at("2026-11-21T22:00:00Z"));
        let all = drills(&workspace, &[], now);
        let dates = |name: &str, count| {
            let status = all.iter().find(|status| status.name == name).unwrap();
            let told = |(by, opening): &(Date, Option<Opening>)| {
                opening.map_or_else(|| by.to_string(), |opening| opening.from.to_string())
            };
            dates(status, now, count).iter().map(told).collect::<Vec<_>>()
        };
        assert_eq!(
            dates("orders", 3),
            ["2026-12-06T02:00:00.000Z", "2027-01-03T02:00:00.000Z", "2027-07-04T01:00:00.000Z"]
        );
        assert_eq!(dates("coming", 2), ["2027-12-31", "2028-12-31"]);
    }
}
