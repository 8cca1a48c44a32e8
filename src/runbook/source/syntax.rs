//! The YAML parser's errors in words that help.

use granit_parser::{ErrorKind, ScanError};

use super::build::offset;
use super::limits::MAX_DEPTH;
use super::mistakes;
use crate::diag::{Diagnostic, Fix, SourceId, Span};

/// A syntax error with its place: the character where reading went wrong.
pub(super) fn explain(error: &ScanError, text: &str, source: SourceId) -> Diagnostic {
    let at = text.floor_char_boundary(error.marker().byte_offset().unwrap_or(text.len()));
    let width = text[at..].chars().next().filter(|next| !next.is_control()).map_or(0, char::len_utf8);
    let span = Span::new(source, offset(at), offset(at + width));
    if *error.kind() == ErrorKind::RecursionLimitExceeded {
        return too_deep(span);
    }
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let before = &text[line_start..at];
    if let Some(start) = bare_template_start(before) {
        return bare_template(text, source, line_start + start);
    }
    if let Some(mistake) = mistakes::find(text, at, error.kind()) {
        let span = Span::new(source, offset(mistake.at.start), offset(mistake.at.end));
        return Diagnostic::error("syntax", span, mistake.message).note(mistake.note);
    }
    let (message, note) = words_by_line(error.kind(), before).unwrap_or_else(|| words(error.kind()));
    let diagnostic = Diagnostic::error("syntax", span, message);
    let diagnostic = match mistakes::still_open(error.kind(), &text[..at]) {
        Some(open) => diagnostic.other(Span::new(source, offset(open), offset(open + 1)), "still open"),
        None => diagnostic,
    };
    match note {
        Some(note) => diagnostic.note(note),
        None => diagnostic,
    }
}

/// `url: {{ inputs.url }}` is a mapping in a mapping to YAML, and never what was meant.
pub(super) fn bare_template(text: &str, source: SourceId, start: usize) -> Diagnostic {
    let span = Span::new(source, offset(start), offset(start + 2));
    let diagnostic = Diagnostic::error("unquoted-template", span, "a value that starts with `{{` must be in quotes")
        .note("without quotes, YAML reads `{` as the start of a mapping");
    match in_quotes(text, source, start) {
        Some(fix) => diagnostic.fix(fix),
        None => diagnostic,
    }
}

/// The expression in quotes, where it is the whole value.
fn in_quotes(text: &str, source: SourceId, start: usize) -> Option<Fix> {
    let line = text[start..].lines().next()?;
    let value = &line[..line.find("}}")? + 2];
    let rest = line[value.len()..].trim_start();
    let is_whole = rest.is_empty() || rest.starts_with([',', ']', '}']) || line[value.len()..].starts_with(" #");
    let quote = ['"', '\''].into_iter().find(|quote| !value.contains(*quote) && !value.contains('\\'))?;
    let replacement = format!("{quote}{value}{quote}");
    let span = Span::new(source, offset(start), offset(start + value.len()));
    is_whole.then(|| Fix { span, say: format!("write `{replacement}`"), replacement, safe: true })
}

/// What most often breaks a line of a runbook, in the line up to the error.
fn bare_template_start(before: &str) -> Option<usize> {
    let starts =
        [": {{", "- {{", "[{{", ", {{"].iter().filter_map(|start| before.find(start).map(|at| at + start.len() - 2));
    starts.min().filter(|start| !before[..*start].contains(['"', '\'', '#']))
}

/// The error for nesting that has no end in sight.
pub(super) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("too-deep", span, format!("nested deeper than {MAX_DEPTH} levels"))
}

type Words = (String, Option<&'static str>);

/// Errors that mean one thing at the start of a line and another further on.
fn words_by_line(kind: &ErrorKind, before: &str) -> Option<Words> {
    let (message, note) = match kind {
        ErrorKind::MappingValueNotAllowed if before.contains(": ") => {
            ("found a second `:` on this line", "write a text that holds `: ` in quotes")
        }
        ErrorKind::MappingValueNotAllowed => (
            "found a `:` in what goes on with the text of the line before",
            "align the keys; write a space after each `:`",
        ),
        ErrorKind::ExpectedBlockMappingKey if !before.trim().is_empty() => {
            ("found more text behind a value", "write the whole value in quotes")
        }
        _ => return None,
    };
    Some((message.to_owned(), Some(note)))
}

/// A sentence, and what to do about it.
fn words(kind: &ErrorKind) -> Words {
    use ErrorKind as E;
    let (message, note) = match kind {
        E::UnclosedFlowCollection { open } => {
            let close = if *open == '[' { ']' } else { '}' };
            return (format!("this `{open}` is not closed: wanted a `{close}`"), None);
        }
        E::MismatchedFlowCollectionEnd { open, close } => {
            return (format!("found `{close}`, but it was `{open}` that was opened"), None);
        }
        E::UnclosedQuotedScalar => ("this quote is not closed", "add the closing quote"),
        E::DocumentIndicatorInQuotedScalar => ("the file goes on with `---` or `...` inside a quoted text", UNCLOSED),
        E::InvalidQuotedScalarIndent => ("this line belongs to a quoted text, but is not indented", UNCLOSED),
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabAtBlockScalarStart
        | E::TabInPlainScalar => ("found a tab where only spaces may stand", "indent with spaces"),
        E::InvalidColonPlacement => ("found a `:` inside of brackets", "see whether a bracket before it is not closed"),
        E::MappingKeyNotAllowed => ("found a key where none can start", INDENT),
        E::SimpleKeyExpected | E::InvalidSimpleKey => ("wanted `key: value`, found no `:` behind this", KEY),
        E::ExpectedBlockMappingKey => ("wanted a key, indented like the keys before it", INDENT),
        E::ExpectedBlockSequenceEntry => ("wanted the next `- ` of this list", INDENT),
        E::BlockEntryInFlowCollection => {
            ("found `- ` inside of brackets", "close the bracket before it; a text that starts with `-` needs quotes")
        }
        E::BlockSequenceEntryNotAllowed => (
            "a list cannot start here",
            "start it on a line of its own: `- item`; a text that starts with `-` needs quotes",
        ),
        E::InvalidIndentation | E::InvalidFlowScalarIndent | E::InvalidBlockScalarIndent => {
            ("this line is indented too little or too much", INDENT)
        }
        E::ExpectedFlowSequenceSeparator => ("wanted `,` or `]`", "close the list with `]`"),
        E::ExpectedFlowMappingSeparator => ("wanted `,` or `}`", "close the mapping with `}`"),
        E::MisplacedFlowCollectionEnd => ("found a closing bracket, but none is open", "write the text in quotes"),
        E::UnknownQuotedScalarEscape => {
            ("this text holds an unknown escape", "write `\\\\` for a backslash, or use single quotes")
        }
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => {
            ("found more text behind the closing quote", "put all of it in one pair of quotes")
        }
        E::MissingAnchorOrAliasName => ("wanted a name behind `*` or `&`", "write the text in quotes"),
        E::CommentNotSeparated => ("wanted a space before `#`", "write the text in quotes if `#` belongs to it"),
        E::UndeclaredTagHandle => ("this tag was not declared", "text that starts with `!` must be in quotes"),
        E::UnexpectedEof => ("the file ends too early", "see whether its end is missing"),
        other => return (other.to_string(), None),
    };
    (message.to_owned(), Some(note))
}

const UNCLOSED: &str = "see whether a quote before this line is not closed";
const INDENT: &str = "align it with the lines it belongs to";
const KEY: &str = "write a space after `:`; or indent the line if it goes on with the text before it";
