//! The time of a run as a picture: a band for the whole, a row for each step, people apart from machines.
//!
//! The page's style sheet colours it; patterns tell the bars apart without colours, too.

use std::fmt::Write as _;
use std::time::Duration;

use super::super::words;
use super::model::{Bar, RunReport, Spent, StepRow};
use crate::catalogue::Timestamp;
use crate::engine::StepState;
use crate::report::sanitise::sanitise;

const WIDTH: f64 = 960.0;
/// Where the bars begin: names stand before it.
const LEFT: f64 = 236.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 30.0;
const ROW: f64 = 19.0;
const HEADING: f64 = 24.0;
/// A bar is at least as wide, so that short steps are seen.
const THINNEST: f64 = 2.5;
/// How many characters of a name have room.
const LONGEST: usize = 33;
/// How many rows are drawn; the table holds all.
const MOST_ROWS: usize = 150;
/// How many ticks there are at most.
const TICKS: u32 = 8;
const STEPS: [u64; 18] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/// What the time is measured along.
struct Axis {
    from: Timestamp,
    span: Duration,
}

impl Axis {
    /// From the begin of the clock to the last record; to the RTO where that is near.
    fn of(report: &RunReport) -> Self {
        let from = report.run.since.min(report.run.started_at);
        let ran = from.until(report.run.last_record_at).max(Duration::from_secs(1));
        let near = report.clock.objective.map(|rto| rto.0).filter(|rto| *rto > ran && *rto <= ran * 3 / 2);
        Self { from, span: near.map_or(ran, |rto| rto + rto / 50) }
    }

    fn after(&self, span: Duration) -> f64 {
        let share = span.as_secs_f64() / self.span.as_secs_f64();
        LEFT + share.min(1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn at(&self, time: Timestamp) -> f64 {
        self.after(self.from.until(time))
    }

    /// The time between two ticks.
    fn tick(&self) -> Duration {
        let fits = |seconds: &&u64| Duration::from_secs(**seconds) * TICKS >= self.span;
        let days = || self.span.as_secs().div_ceil(86_400 * u64::from(TICKS)).max(1) * 86_400;
        Duration::from_secs(STEPS.iter().find(fits).copied().unwrap_or_else(days))
    }
}

/// The picture as a fragment of HTML.
pub(super) fn picture(report: &RunReport) -> String {
    let axis = Axis::of(report);
    let timed: Vec<&StepRow> = report.steps.iter().filter(|row| !row.bars.is_empty()).collect();
    let (rows, y) = rows(&axis, &timed[..timed.len().min(MOST_ROWS)]);
    let mut height = y;
    let mut more = String::new();
    if timed.len() > MOST_ROWS {
        height += ROW;
        let text = format!("and {} more: the table below has all", timed.len() - MOST_ROWS);
        write!(more, "<text class=\"tick\" x=\"{LEFT:.0}\" y=\"{:.1}\">{text}</text>", height - 6.0).ok();
    }
    let mut svg = format!(
        "<svg class=\"time\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" role=\"img\" aria-labelledby=\"time-title time-text\">\
         <title id=\"time-title\">Where the time went</title><desc id=\"time-text\">{}</desc>{DEFINITIONS}",
        escaped(&described(report))
    );
    svg.push_str(&ticks(&axis, height));
    svg.push_str(&band(&axis, report));
    svg.push_str(&rows);
    svg.push_str(&more);
    svg.push_str(&marks(&axis, report, height));
    svg.push_str("</svg>");
    svg
}

/// Hatches: people, and nobody.
const DEFINITIONS: &str = "<defs>\
<pattern id=\"people\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
<rect class=\"people-ground\" width=\"6\" height=\"6\"/><rect class=\"people-line\" width=\"2\" height=\"6\"/></pattern>\
<pattern id=\"nobody\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">\
<rect class=\"nobody-ground\" width=\"5\" height=\"5\"/><circle class=\"nobody-dot\" cx=\"2.5\" cy=\"2.5\" r=\"1\"/></pattern>\
</defs>";

/// The picture in words, for who does not see it.
fn described(report: &RunReport) -> String {
    let clock = &report.clock;
    format!(
        "{}. Steps worked {}, people were waited for {}, nobody executed the run {}. The table of steps has the same times.",
        clock.words,
        words::span(clock.machine.0),
        words::span(clock.people.0),
        words::span(clock.unattended.0)
    )
}

fn ticks(axis: &Axis, height: f64) -> String {
    let every = axis.tick();
    let mut out = String::new();
    let mut at = Duration::ZERO;
    while at <= axis.span {
        let x = axis.after(at);
        let (anchor, label) = if at.is_zero() { ("start", "0".to_owned()) } else { ("middle", words::span(at)) };
        let anchor = if x > WIDTH - 40.0 { "end" } else { anchor };
        write!(out, "<line class=\"tick\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.0}\" y2=\"{height:.0}\"/>", TOP - 8.0)
            .ok();
        write!(out, "<text class=\"tick\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"14\">{}</text>", escaped(&label))
            .ok();
        at += every;
    }
    out
}

/// The whole run: what its time was spent on.
fn band(axis: &Axis, report: &RunReport) -> String {
    let mut out = format!("<text class=\"whole\" x=\"0\" y=\"{:.1}\">the whole run</text>", TOP + 12.0);
    for stretch in &report.stretches {
        out.push_str(&bar(axis, stretch, TOP, 16.0, "the whole run"));
    }
    out
}

/// The rows below headings of their phases, and where they end.
fn rows(axis: &Axis, timed: &[&StepRow]) -> (String, f64) {
    let (mut out, mut y) = (String::new(), TOP + 22.0);
    let mut phase = "";
    for row in timed {
        if row.depth == 0 && row.phase != phase {
            phase = row.phase;
            y += HEADING;
            write!(out, "<text class=\"phase\" x=\"0\" y=\"{:.1}\">{}</text>", y - 7.0, phase.to_uppercase()).ok();
        }
        let class = if row.critical { "name critical" } else { "name" };
        let x = 6.0 + 10.0 * row.depth.min(4) as f64;
        let name = shortened(&sanitise(&row.step), LONGEST - 2 * row.depth.min(4));
        write!(out, "<text class=\"{class}\" x=\"{x:.0}\" y=\"{:.1}\">{}</text>", y + 12.0, escaped(&name)).ok();
        for part in &row.bars {
            out.push_str(&bar(axis, part, y + 2.0, ROW - 6.0, &row.step));
        }
        if let Some(end) = row.bars.last().filter(|_| is_bad(row.state)) {
            let (x, y) = (axis.at(end.to) + 3.0, y + 4.5);
            write!(out, "<path class=\"bad\" d=\"M{x:.1} {y:.1} l8 8 m0 -8 l-8 8\"/>").ok();
        }
        y += ROW;
    }
    (out, y + 4.0)
}

fn is_bad(state: StepState) -> bool {
    matches!(state, StepState::Failed | StepState::InDoubt | StepState::RollbackFailed | StepState::RolledBack)
}

fn bar(axis: &Axis, bar: &Bar, y: f64, height: f64, what: &str) -> String {
    let (class, words) = match bar.spent {
        Spent::Machine => ("machine", "worked"),
        Spent::People => ("people", "waited for people"),
        Spent::Unattended => ("nobody", "nobody executed the run"),
        Spent::Retry => ("retry", "waited to try again"),
    };
    let x = axis.at(bar.from);
    let width = (axis.at(bar.to) - x).max(THINNEST);
    let span = escaped(&words::span(bar.from.until(bar.to)));
    format!(
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"2\">\
         <title>{}: {words} {span}</title></rect>",
        escaped(&sanitise(what))
    )
}

/// The RTO, and when service was restored.
fn marks(axis: &Axis, report: &RunReport, height: f64) -> String {
    let mut out = String::new();
    let mut mark = |class: &str, span: Duration, text: &str| {
        let x = axis.after(span);
        let (anchor, dx) = if x > WIDTH - 120.0 { ("end", -4.0) } else { ("start", 4.0) };
        write!(out, "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"20\" y2=\"{height:.0}\"/>").ok();
        write!(
            out,
            "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{:.1}\" y=\"27\">{}</text>",
            x + dx,
            escaped(text)
        )
        .ok();
    };
    if let Some(rto) = report.clock.objective.filter(|rto| rto.0 <= axis.span) {
        mark("rto", rto.0, &format!("RTO {}", words::span(rto.0)));
    }
    if report.clock.restored {
        mark("restored", report.clock.elapsed.0, "restored");
    }
    out
}

/// The end of a name, which tells more than its beginning.
fn shortened(name: &str, most: usize) -> String {
    let length = name.chars().count();
    if length <= most {
        return name.to_owned();
    }
    format!("…{}", name.chars().skip(length + 1 - most).collect::<String>())
}

/// Text as XML takes it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
