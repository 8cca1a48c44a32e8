//! The lines of a source around some places: few enough and short enough to show, with nothing in
//! them that drives a terminal.

use std::ops::Range;

use super::visible;
use crate::diag::{Sources, Span};

/// The most characters of a line that are shown.
const WIDTH: usize = 120;
/// How many of them may stand before the place that matters.
const BEFORE: usize = 50;
/// Places further apart than this many lines get excerpts of their own.
const MAX_GAP: u32 = 20;

/// A run of lines.
pub(super) struct Excerpt {
    /// The lines, joined with line breaks.
    pub(super) text: String,
    /// The number of the first.
    pub(super) first_line: u32,
    /// Whether the start of a line is missing.
    pub(super) is_cut: bool,
    /// The places in `text`, each with its index among those asked for.
    pub(super) places: Vec<(usize, Range<usize>)>,
}

/// Excerpts that show these places, all of one source. A place of several lines is shown by its first.
pub(super) fn excerpts(spans: &[(usize, Span)], sources: &Sources) -> Vec<Excerpt> {
    let mut places: Vec<Place> = spans.iter().map(|(index, span)| Place::new(*index, *span, sources)).collect();
    places.sort_by_key(|place| place.line);
    places.chunk_by(|a, b| b.line - a.line <= MAX_GAP).map(excerpt).collect()
}

struct Place<'s> {
    index: usize,
    line: u32,
    /// The text from its line on.
    text: &'s str,
    /// In bytes of that line.
    range: Range<usize>,
}

impl<'s> Place<'s> {
    fn new(index: usize, span: Span, sources: &'s Sources) -> Self {
        let text = sources.text(span.source);
        let start = text.floor_char_boundary(span.start as usize);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let text = &text[line_start..];
        let line = text.split('\n').next().unwrap_or_default();
        let end = line.floor_char_boundary(span.end as usize - line_start);
        let start = start - line_start;
        Self { index, line: sources.position(span.source, span.start).line, text, range: start..end.max(start) }
    }
}

/// The excerpt of places that stand close together, in the order of their lines.
fn excerpt(places: &[Place<'_>]) -> Excerpt {
    let mut excerpt = Excerpt { text: String::new(), first_line: places[0].line, is_cut: false, places: Vec::new() };
    let last = places[places.len() - 1].line;
    for (number, line) in (places[0].line..=last).zip(places[0].text.split('\n')) {
        let mut here = places.iter().filter(|place| place.line == number).peekable();
        let window = window(line, here.peek().map_or(0, |place| place.range.start));
        excerpt.is_cut |= window.start > 0;
        let base = excerpt.text.len() + if window.start > 0 { "...".len() } else { 0 };
        for place in here {
            // A replaced character has another length, so the place is measured in what is shown.
            let shown = |at: usize| base + visible(&line[window.start..at.clamp(window.start, window.end)]).len();
            excerpt.places.push((place.index, shown(place.range.start)..shown(place.range.end)));
        }
        push_line(&mut excerpt.text, line, &window);
        if number < last {
            excerpt.text.push('\n');
        }
    }
    excerpt
}

/// The bytes of a line that are shown, where `place` matters most.
fn window(line: &str, place: usize) -> Range<usize> {
    let back =
        |characters: usize| line[..place].char_indices().rev().take(characters).last().map_or(place, |(at, _)| at);
    let start = if line[..place].char_indices().rev().nth(WIDTH - BEFORE).is_some() { back(BEFORE) } else { 0 };
    let end = line[start..].char_indices().nth(WIDTH).map_or(line.len(), |(at, _)| start + at);
    start..end
}

fn push_line(text: &mut String, line: &str, window: &Range<usize>) {
    if window.start > 0 {
        text.push_str("...");
    }
    text.push_str(visible(&line[window.clone()]).trim_end_matches('\u{240D}'));
    if window.end < line.len() {
        text.push_str("...");
    }
    // The renderer points at no line that is empty.
    if line.is_empty() {
        text.push(' ');
    }
}
