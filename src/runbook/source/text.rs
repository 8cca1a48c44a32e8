//! From bytes to text: size, encoding, and characters that have no place in a file people read.

use crate::diag::{Diagnostic, SourceId, Sources, Span};

/// The largest file that is read, in bytes.
pub const LARGEST_FILE: usize = 16 * 1024 * 1024;

/// Adds the text of a file to the sources. A byte order mark is skipped.
///
/// # Errors
/// The file is too large, is not UTF-8, or has control characters in it.
pub fn decode(sources: &mut Sources, name: &str, bytes: &[u8]) -> Result<SourceId, Vec<Diagnostic>> {
    let refused = |sources: &mut Sources, shown: &str, at: usize, code, message: String| {
        let source = sources.add(name, shown);
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        vec![Diagnostic::error(code, Span::new(source, at, at), message)]
    };
    if bytes.len() > LARGEST_FILE {
        let message = format!("the file is larger than {} MiB, the most that is read", LARGEST_FILE / 1024 / 1024);
        return Err(refused(sources, "", 0, "size", message));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            let before = String::from_utf8_lossy(&bytes[..at]);
            let shown = before.into_owned() + "\u{fffd}";
            return Err(refused(sources, &shown, at, "encoding", format!("byte {at} is not UTF-8")));
        }
    };
    let bad: Vec<(usize, char)> = text.char_indices().filter(|(_, c)| is_refused(*c)).take(20).collect();
    let source = sources.add(name, text);
    if bad.is_empty() {
        return Ok(source);
    }
    let found = bad.into_iter().map(|(at, c)| {
        let from = u32::try_from(at).unwrap_or(u32::MAX);
        let span = Span::new(source, from, from + u32::try_from(c.len_utf8()).unwrap_or(1));
        Diagnostic::error(
            "control-character",
            span,
            format!("the control character U+{:04X} has no place in a runbook", u32::from(c)),
        )
    });
    Err(found.collect())
}

/// Characters that drive a terminal, or hide what a reader sees.
pub(super) fn is_refused(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    }
}
