//! A picture as SVG: complete in itself, light or dark as its reader likes it.

use std::fmt::Write as _;

use super::picture::{Edge, Keys, Label, Picture, Rect, StepBox, Words};
use super::style::{SHEET, entry_width};

/// The text of an SVG file.
#[must_use]
pub fn svg(picture: &Picture) -> String {
    let Picture { width, height, .. } = picture;
    let mut lines = vec![
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">"
        ),
        format!("<title>{}</title>", escaped(picture.heading.first().map_or("", |label| &label.text))),
        format!("<style>\n{SHEET}</style>"),
        format!("<rect class=\"page\" width=\"{width:.0}\" height=\"{height:.0}\"/>"),
    ];
    lines.extend(picture.heading.iter().map(label));
    for band in &picture.bands {
        lines.push(format!("<g class=\"band\">{}{}</g>", rect(&band.rect, 10), label(&band.label)));
    }
    // Boxes that hold others lie below the lines, and the lines below all other boxes.
    lines.extend(picture.boxes.iter().filter(|step| step.holds).map(step));
    let (critical, others): (Vec<&Edge>, Vec<&Edge>) = picture.edges.iter().partition(|edge| edge.critical);
    lines.extend(others.into_iter().chain(critical).map(edge));
    lines.extend(picture.boxes.iter().filter(|step| !step.holds).map(step));
    lines.extend(legend(picture.legend, picture.keys));
    lines.push("</svg>\n".to_owned());
    lines.join("\n")
}

/// Text as XML takes it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn rect(rect: &Rect, radius: u8) -> String {
    let Rect { x, y, width, height } = rect;
    format!("<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{radius}\"/>")
}

fn label(label: &Label) -> String {
    let class = match label.words {
        Words::Heading => "heading",
        Words::Band => "name",
        Words::Title => "title",
        Words::Code => "code",
        Words::Note => "note",
        Words::Gate => "gate-text",
        Words::Final => "final-text",
    };
    let Label { x, y, text, .. } = label;
    format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(text))
}

fn step(step: &StepBox) -> String {
    // What comes later wins where two want the same colour.
    let classes = [
        (step.holds, " holds"),
        (step.tells, " tells"),
        (step.gate, " gate"),
        (step.point_of_no_return, " final"),
        (step.left_out, " out"),
        (step.critical, " critical"),
    ];
    let classes: String = classes.into_iter().filter(|(is, _)| *is).map(|(_, class)| class).collect();
    let labels: String = step.labels.iter().map(label).collect();
    let path = escaped(&step.path);
    format!("<g class=\"step{classes}\" data-step=\"{path}\">{}{labels}</g>", rect(&step.rect, 6))
}

/// A line that leaves downwards and arrives from above, whatever lies between.
fn edge(edge: &Edge) -> String {
    let class = if edge.critical { " critical" } else { "" };
    let mut way = String::new();
    let end = edge.points.len().saturating_sub(1);
    for (at, (x, y)) in edge.points.iter().enumerate() {
        // The tip of the arrow covers the end of the line.
        let y = if at == end { y - 6.0 } else { *y };
        match at.checked_sub(1).map(|before| edge.points[before]) {
            None => write!(way, "M{x:.1} {y:.1}").ok(),
            Some((before, _)) if (before - x).abs() < 0.5 => write!(way, " L{x:.1} {y:.1}").ok(),
            Some((before, top)) => {
                let middle = (top + y) / 2.0;
                write!(way, " C{before:.1} {middle:.1} {x:.1} {middle:.1} {x:.1} {y:.1}").ok()
            }
        };
    }
    let (x, y) = edge.points.last().copied().unwrap_or_default();
    let tip = format!("M{:.1} {:.1} L{:.1} {:.1} L{x:.1} {y:.1} Z", x - 4.0, y - 8.0, x + 4.0, y - 8.0);
    let ends = format!("data-from=\"{}\" data-to=\"{}\"", escaped(&edge.from), escaped(&edge.to));
    format!("<path class=\"edge{class}\" {ends} d=\"{way}\"/><path class=\"tip{class}\" d=\"{tip}\"/>")
}

fn legend((x, y): (f64, f64), keys: Keys) -> Vec<String> {
    let mut left = x;
    let mut lines = Vec::new();
    for (class, meaning) in keys {
        let swatch = Rect { x: left, y, width: 22.0, height: 14.0 };
        let text = Label { x: left + 30.0, y: y + 11.0, words: Words::Note, text: (*meaning).to_owned() };
        lines.push(format!("<g class=\"key {class}\">{}{}</g>", rect(&swatch, 3), label(&text)));
        left += entry_width(meaning);
    }
    lines
}
