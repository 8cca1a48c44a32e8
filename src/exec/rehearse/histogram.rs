//! The distribution of the RTO as a picture: an SVG without scripts, fonts or links.

use std::fmt::Write as _;
use std::time::Duration;

use super::runs::{Spread, percentile};
use crate::catalogue::HumanDuration;

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 20.0;
const TOP: f64 = 50.0;
const FLOOR: f64 = 270.0;
const BARS: usize = 40;

/// The histogram of the times to recovery, with the objective and the percentiles.
#[must_use]
pub fn histogram(spread: &Spread, title: &str) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{}</text>\n",
        escaped(title)
    );
    let seconds: Vec<f64> = spread.times.iter().map(|(span, _)| span.as_secs_f64()).collect();
    let (Some(first), Some(last)) = (seconds.first().copied(), seconds.last().copied()) else {
        return svg + "<text x=\"20\" y=\"60\">no rehearsal recovered</text>\n</svg>\n";
    };
    let objective = spread.objective.map(|objective| objective.as_secs_f64());
    let low = objective.map_or(first, |objective| objective.min(first));
    let high = objective.map_or(last, |objective| objective.max(last)).max(low + 1.0);
    let width = (WIDTH - 2.0 * LEFT) / BARS as f64;
    let x = |second: f64| LEFT + (second - low) / (high - low) * (WIDTH - 2.0 * LEFT);
    let mut counts = [0_u32; BARS];
    for second in &seconds {
        let bar = ((second - low) / (high - low) * BARS as f64) as usize;
        counts[bar.min(BARS - 1)] += 1;
    }
    let most = f64::from(counts.iter().copied().max().unwrap_or(1).max(1));
    for (bar, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let tall = f64::from(*count) / most * (FLOOR - TOP);
        let (left, top) = (LEFT + bar as f64 * width, FLOOR - tall);
        writeln!(
            svg,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{tall:.1}\" fill=\"#4c78a8\"><title>{count}</title></rect>",
            width - 1.0
        )
        .ok();
    }
    writeln!(svg, "<line x1=\"{LEFT}\" y1=\"{FLOOR}\" x2=\"{}\" y2=\"{FLOOR}\" stroke=\"black\"/>", WIDTH - LEFT).ok();
    let mut marks: Vec<(String, Duration, &str)> = Vec::new();
    marks.extend(spread.objective.map(|objective| ("RTO".to_owned(), objective, "#d62728")));
    let at = |percent| percentile(&spread.times, percent).map(|(span, _)| span);
    for (name, percent) in [("median", 50), ("90th", 90), ("95th", 95)] {
        marks.extend(at(percent).map(|span| (name.to_owned(), span, "#333333")));
    }
    for (row, (name, span, colour)) in marks.iter().enumerate() {
        let x = x(span.as_secs_f64());
        let (anchor, y) = (if x > WIDTH / 2.0 { "end" } else { "start" }, FLOOR + 16.0 + 10.0 * row as f64);
        let span = HumanDuration(Duration::from_secs(span.as_secs()));
        writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{y:.1}\" stroke=\"{colour}\" stroke-dasharray=\"4 3\"/>\n\
             <text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"10\" fill=\"{colour}\"> {name} {span} </text>"
        )
        .ok();
    }
    svg + "</svg>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
