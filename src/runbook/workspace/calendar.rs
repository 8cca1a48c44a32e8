//! When things may be tried: maintenance windows, and the drills that are to be held.
//!
//! Reads what is written. Which date that is, and what of it is due, is for others to say.

use std::time::Duration;

use jiff::civil::{Date, Time, Weekday};

use super::{may, must};
use crate::diag::{Diagnostic, Span, Spanned};
use crate::runbook::ast::Kind;
use crate::runbook::decode::{Decoder, Fields};
use crate::runbook::fields::{LanguageField, Shape};
use crate::runbook::source::NodeId;

/// One of `maintenance_windows`.
pub(super) const WINDOW: &[LanguageField] = &[
    must(
        "day",
        Shape::Words(&["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]),
        "the day of the week",
    ),
    may("week", Shape::Words(&["first", "second", "third", "fourth", "last"]), "which of the month; each if absent"),
    must("at", Shape::Text, "when it begins, such as `\"02:00\"`"),
    must("lasts", Shape::SomeTime, "how long it is open"),
    may("zone", Shape::Text, "the time zone of `at` (UTC)"),
    may("audience", Shape::Text, "who is told of maintenance in it"),
];

/// One of `drills`.
pub(super) const DRILL: &[LanguageField] = &[
    must("runbook", Shape::Text, "the runbook that is tried"),
    may("kind", Shape::Words(&["failover", "failback", "drill"]), "which of that name (drill)"),
    must("every", Shape::Words(&["month", "quarter", "half-year", "year"]), "how often"),
    must("since", Shape::Text, "the first day of the calendar, such as `2026-01-01`"),
    may("window", Shape::Text, "the maintenance window it stays within"),
    may("lasts", Shape::SomeTime, "the longest it may take"),
    may("scope", Shape::Text, "what is tried"),
    may("validation", Shape::Text, "what shows that it worked"),
    may("rollback", Shape::Text, "how things get back"),
    may("audience", Shape::Text, "who is told before and after"),
];

/// A time in which changes may be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The day of the week.
    pub day: Weekday,
    /// Which of the month: 1 to 4, or -1 for the last; each week if absent.
    pub week: Option<i8>,
    /// When it begins, in its zone.
    pub at: Time,
    /// How long it is open.
    pub lasts: Duration,
    /// The IANA name of its time zone.
    pub zone: String,
    /// Who is told of maintenance in it.
    pub audience: Option<String>,
}

/// How often a drill is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Every {
    /// Twelve times a year.
    Month,
    /// Four times a year.
    Quarter,
    /// Twice a year.
    HalfYear,
    /// Once a year.
    Year,
}

impl Every {
    /// Its name in the settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::HalfYear => "half-year",
            Self::Year => "year",
        }
    }

    /// Its length in months.
    #[must_use]
    pub fn months(self) -> i32 {
        match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::HalfYear => 6,
            Self::Year => 12,
        }
    }
}

/// A drill that is to be held again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drill {
    /// Where it is named.
    pub span: Span,
    /// The runbook that is tried, and where that is said.
    pub runbook: Spanned<String>,
    /// Which of that name.
    pub kind: Kind,
    /// How often.
    pub every: Every,
    /// The first day of the calendar.
    pub since: Date,
    /// The maintenance window it stays within.
    pub window: Option<String>,
    /// The longest it may take.
    pub lasts: Option<Duration>,
    /// What is tried.
    pub scope: Option<String>,
    /// What shows that it worked.
    pub validation: Option<String>,
    /// How things get back.
    pub rollback: Option<String>,
    /// Who is told before and after.
    pub audience: Option<String>,
}

impl Decoder<'_> {
    pub(super) fn window(&mut self, name: &Spanned<String>, node: NodeId, audiences: &[String]) -> Option<Window> {
        let fields = self.fields(node, &format!("maintenance window `{}`", name.value), WINDOW)?;
        let day: Option<String> = self.word(&fields, "day");
        let week: Option<String> = self.word(&fields, "week");
        let at = self.parsed(&fields, "at", "a time such as `02:00`");
        let lasts = self.some_time_of(&fields, "lasts");
        let zone = self.zone(&fields).map_or_else(|| "UTC".to_owned(), |zone| zone.value);
        let audience = self.one_of(&fields, "audience", "audience", audiences);
        Some(Window { day: weekday(&day?), week: week.as_deref().map(nth), at: at?, lasts: lasts?, zone, audience })
    }

    pub(super) fn drill(
        &mut self,
        name: &Spanned<String>,
        node: NodeId,
        windows: &[String],
        audiences: &[String],
    ) -> Option<Drill> {
        let fields = self.fields(node, &format!("drill `{}`", name.value), DRILL)?;
        let every = self.word(&fields, "every");
        let since = self.parsed(&fields, "since", "a day such as `2026-01-01`");
        let mut text = |name: &str| self.text_of(&fields, name).map(|text| text.value);
        let (scope, validation, rollback) = (text("scope"), text("validation"), text("rollback"));
        let window = self.one_of(&fields, "window", "maintenance window", windows);
        let audience = self.one_of(&fields, "audience", "audience", audiences);
        Some(Drill {
            span: name.span,
            runbook: self.text_of(&fields, "runbook")?,
            kind: self.word(&fields, "kind").unwrap_or(Kind::Drill),
            every: every?,
            since: since?,
            window,
            lasts: self.some_time_of(&fields, "lasts"),
            scope,
            validation,
            rollback,
            audience,
        })
    }

    fn parsed<T: std::str::FromStr>(&mut self, fields: &Fields<'_>, name: &str, wanted: &str) -> Option<T> {
        let text = self.text_of(fields, name)?;
        let parsed = text.value.parse().ok();
        if parsed.is_none() {
            let message = format!("wanted {wanted}, found `{}`", text.value);
            self.report(Diagnostic::error("calendar", text.span, message));
        }
        parsed
    }
}

fn weekday(word: &str) -> Weekday {
    match word {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        _ => Weekday::Sunday,
    }
}

fn nth(word: &str) -> i8 {
    match word {
        "first" => 1,
        "second" => 2,
        "third" => 3,
        "fourth" => 4,
        _ => -1,
    }
}
