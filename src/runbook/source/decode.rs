//! Bytes to text: nothing that hides from a reader or drives a terminal gets further than here.

use std::str::Utf8Error;

use super::limits::LARGEST_FILE;
use crate::diag::{Diagnostic, SourceId, Sources, Span};

/// How many hidden characters are pointed at.
const MAX_SHOWN: usize = 20;

/// Adds a file's bytes to `sources`, without a byte order mark. The caller need not read more than
/// [`LARGEST_FILE`] and one more.
///
/// # Errors
/// The file is too large, not UTF-8, or holds control characters.
pub fn decode(sources: &mut Sources, name: &str, bytes: &[u8]) -> Result<SourceId, Vec<Diagnostic>> {
    if bytes.len() > LARGEST_FILE {
        let span = Span::new(sources.add(name, ""), 0, 0);
        let message = format!("the file is larger than {} MiB, the most that is read", LARGEST_FILE >> 20);
        return Err(vec![Diagnostic::error("too-large", span, message)]);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| vec![not_utf8(sources, name, bytes, error)])?;
    let source = sources.add(name, text.strip_prefix('\u{FEFF}').unwrap_or(text));
    let hidden = hidden_characters(sources.text(source), source);
    if hidden.is_empty() { Ok(source) } else { Err(hidden) }
}

/// Whether a character has no business in a text that people read: it drives a terminal, or cannot be seen.
pub(super) fn is_hidden(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => false,
        '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => true,
        _ => character.is_control(),
    }
}

/// `U+202E`.
pub(super) fn code_point(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

fn hidden_characters(text: &str, source: SourceId) -> Vec<Diagnostic> {
    let hidden = text.char_indices().filter(|(_, character)| is_hidden(*character));
    hidden.take(MAX_SHOWN).map(|(at, character)| hidden_character(source, at, character)).collect()
}

fn hidden_character(source: SourceId, at: usize, character: char) -> Diagnostic {
    let start = u32::try_from(at).unwrap_or(u32::MAX);
    let span = Span::new(source, start, start.saturating_add(character.len_utf8() as u32));
    let message = format!("the character {} is not allowed in a file", code_point(character));
    Diagnostic::error("hidden-character", span, message).note(match character {
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => "it makes text look different from what it is: delete it",
        '\u{FEFF}' => "it is a byte order mark in the middle of a file: delete it",
        _ => "it is a control character: delete it",
    })
}

fn not_utf8(sources: &mut Sources, name: &str, bytes: &[u8], error: Utf8Error) -> Diagnostic {
    let at = error.valid_up_to();
    // Only what can be read is kept; the mark before the text is not part of it, as in a good file.
    let readable = String::from_utf8_lossy(&bytes[..at]);
    let readable = readable.strip_prefix('\u{FEFF}').unwrap_or(&readable);
    let end = u32::try_from(readable.len()).unwrap_or(u32::MAX);
    let span = Span::new(sources.add(name, readable), end, end);
    let message = format!("the file is not UTF-8: found the byte 0x{:02X}", bytes[at]);
    Diagnostic::error("not-utf8", span, message).note(match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "it looks like UTF-16: save it as UTF-8",
        _ => "save it as UTF-8",
    })
}
