//! From a place in a scalar's text back to the file.

use super::tree::{Document, Entry, NodeId, Style};
use crate::diag::Span;

impl Document {
    /// Where the bytes `from..to` of a scalar's text stand in the file.
    ///
    /// Exact where the text is written as it is, in quotes on one line with or without escapes, or
    /// over several lines without escapes (block scalars too); else the whole scalar.
    #[must_use]
    pub fn inner_span(&self, id: NodeId, from: usize, to: usize) -> Span {
        let entry = self.entry(id);
        let (whole, decoded) = (self.span(id), self.stored_text(entry));
        let from = decoded.floor_char_boundary(from);
        let to = decoded.ceil_char_boundary(to).max(from);
        if decoded.is_empty() {
            return whole;
        }
        let inside = self.between_quotes(entry);
        let place = |at: usize, is_end: bool| {
            if !entry.is_decoded {
                return Some(at);
            }
            match entry.style {
                Style::DoubleQuoted if inside.contains('\\') => past_escapes(inside, at, double_quoted),
                Style::SingleQuoted if inside.contains('\'') => past_escapes(inside, at, single_quoted),
                _ => past_folding(inside, decoded, at, is_end),
            }
        };
        let before = inside.as_ptr().addr() - self.text.as_ptr().addr() - whole.start as usize;
        match (place(from, false), place(to, to > from)) {
            (Some(from), Some(to)) => whole.slice(before + from, before + to),
            _ => whole,
        }
    }

    /// What is written, without its quotes.
    fn between_quotes(&self, entry: &Entry) -> &str {
        let written = &self.text[entry.start as usize..entry.end as usize];
        match entry.style {
            Style::Plain | Style::Block => written,
            Style::SingleQuoted | Style::DoubleQuoted => written.get(1..written.len() - 1).unwrap_or_default(),
        }
    }
}

/// The place in `written` of the byte `at` of the text it stands for. `step` gives the bytes that
/// the first character or escape takes, and those it stands for. `None` if lines are folded.
fn past_escapes(written: &str, at: usize, step: fn(&str) -> Option<(usize, usize)>) -> Option<usize> {
    let (mut place, mut text) = (0, 0);
    while text < at {
        let (taken, stands_for) = step(&written[place..])?;
        (place, text) = (place + taken, text + stands_for);
    }
    Some(place)
}

fn single_quoted(written: &str) -> Option<(usize, usize)> {
    match written.chars().next()? {
        '\n' | '\r' => None,
        '\'' => Some((2, 1)),
        other => Some((other.len_utf8(), other.len_utf8())),
    }
}

fn double_quoted(written: &str) -> Option<(usize, usize)> {
    let mut characters = written.chars();
    let digits = match characters.next()? {
        '\n' | '\r' => return None,
        '\\' => match characters.next()? {
            '\n' | '\r' => return None,
            'x' => 2,
            'u' => 4,
            'U' => 8,
            'N' | '_' => return Some((2, 2)),
            'L' | 'P' => return Some((2, 3)),
            _ => return Some((2, 1)),
        },
        other => return Some((other.len_utf8(), other.len_utf8())),
    };
    // A surrogate pair takes two escapes and is no character by halves: the caller gets the whole scalar.
    let number = u32::from_str_radix(written.get(2..2 + digits)?, 16).ok()?;
    Some((2 + digits, char::from_u32(number)?.len_utf8()))
}

/// Folding and indentation change only the space between words, so the words stand in the same order.
fn past_folding(written: &str, decoded: &str, at: usize, is_end: bool) -> Option<usize> {
    let mut written_words = words(written);
    let mut last_end = 0;
    for (start, word) in words(decoded) {
        let (place, same) = written_words.next()?;
        if word != same {
            return None;
        }
        let is_before = if is_end { at <= start } else { at < start };
        if is_before {
            return Some(if is_end { last_end } else { place });
        }
        if at < start + word.len() || (is_end && at == start + word.len()) {
            return Some(place + at - start);
        }
        last_end = place + word.len();
    }
    Some(last_end)
}

/// The words of a text and where they start.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_ascii_whitespace().map(|word| (word.as_ptr().addr() - text.as_ptr().addr(), word))
}
