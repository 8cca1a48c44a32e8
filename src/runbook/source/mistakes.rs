//! The usual mistakes of YAML, told where they were made: the parser often stops a line or more behind them.

use std::ops::Range;

use granit_parser::ErrorKind;

/// What was done wrong, where, and what to write instead.
#[derive(Debug)]
pub(super) struct Mistake {
    /// Bytes of the file.
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) note: String,
}

/// Where the parser stopped, and why.
pub(super) struct Stop<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) kind: &'t ErrorKind,
}

/// The first that fits is told.
const MISTAKES: [fn(&Stop<'_>) -> Option<Mistake>; 8] =
    [tab, percent, missing_space, open_quote, open_bracket, second_colon, reserved, indentation];

/// The mistake behind an error of the parser, where it is one of the usual ones.
pub(super) fn find(text: &str, at: usize, kind: &ErrorKind) -> Option<Mistake> {
    let stop = Stop { text, at, kind };
    MISTAKES.iter().find_map(|mistake| mistake(&stop))
}

/// A line of the file and where it begins.
#[derive(Clone, Copy)]
struct Line<'t> {
    start: usize,
    text: &'t str,
}

impl<'t> Line<'t> {
    fn around(text: &'t str, at: usize) -> Self {
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
        Self { start, text: text[start..end].trim_end() }
    }

    /// The last line before this one that says anything.
    fn before(self, text: &'t str) -> Option<Self> {
        let said = text[..self.start].trim_end().len();
        (said > 0).then(|| Self::around(text, text.floor_char_boundary(said - 1)))
    }

    /// Where its first character that is no white space stands, in bytes of the line.
    fn indent(self) -> usize {
        self.text.len() - self.text.trim_start().len()
    }

    /// Its text behind the `- ` of lists, and where that stands in the line.
    fn content(self) -> (usize, &'t str) {
        let content = self.text.trim_start_matches(' ').trim_start_matches("- ").trim_start();
        (self.text.len() - content.len(), content)
    }

    /// The key of `key: ...` or `key:...`, and what follows its colon.
    fn key(self) -> Option<(&'t str, &'t str)> {
        let (key, rest) = self.content().1.split_once(':')?;
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        (!key.is_empty() && key.chars().all(is_word)).then_some((key, rest))
    }
}

impl<'t> Stop<'t> {
    fn line(&self) -> Line<'t> {
        Line::around(self.text, self.at)
    }

    fn line_before(&self) -> Option<Line<'t>> {
        self.line().before(self.text)
    }

    fn is_at_start_of_line(&self) -> bool {
        self.at == self.line().start + self.line().indent()
    }
}

fn mistake(at: Range<usize>, message: impl Into<String>, note: impl Into<String>) -> Option<Mistake> {
    Some(Mistake { at, message: message.into(), note: note.into() })
}

/// Longer texts are not written out again in a note.
const LONGEST: usize = 80;

/// The value as it would have to be written.
fn quoted(value: &str) -> String {
    if value.contains(['"', '\\']) { format!("'{}'", value.replace('\'', "''")) } else { format!("\"{value}\"") }
}

fn tab(stop: &Stop<'_>) -> Option<Mistake> {
    use ErrorKind as E;
    let is_tab = matches!(
        stop.kind,
        E::TabNotAllowed
            | E::TabInBlockIndentation
            | E::TabInIndentation
            | E::TabAtBlockScalarStart
            | E::TabInPlainScalar
    );
    let line = stop.line();
    let next = stop.text[stop.at..].find('\n').map(|newline| Line::around(stop.text, stop.at + newline + 1));
    let in_indent = |line: Line<'_>| Some(line.start + line.text[..line.indent()].find('\t')?);
    let at = in_indent(line).or_else(|| next.filter(|_| is_tab).and_then(in_indent))?;
    mistake(at..at + 1, "found a tab where only spaces may stand", "write spaces: two for each level")
}

fn percent(stop: &Stop<'_>) -> Option<Mistake> {
    let starts = |line: &Line<'_>| line.text.starts_with('%');
    let line = Some(stop.line()).filter(starts).or_else(|| stop.line_before().filter(starts))?;
    mistake(line.start..line.start + 1, "a line cannot start with `%`", "write a text that starts with `%` in quotes")
}

/// `key:value` and `-item`: a text for YAML, which it goes on reading.
fn missing_space(stop: &Stop<'_>) -> Option<Mistake> {
    if !matches!(stop.kind, ErrorKind::SimpleKeyExpected | ErrorKind::MappingValueNotAllowed) {
        return None;
    }
    let is_here = *stop.kind == ErrorKind::SimpleKeyExpected;
    let lines = [is_here.then(|| stop.line()), stop.line_before()];
    lines.into_iter().flatten().take(1).find_map(key_without_space).or_else(|| {
        let lines = [Some(stop.line()), stop.line_before()];
        lines.into_iter().flatten().find_map(dash_without_space)
    })
}

fn key_without_space(line: Line<'_>) -> Option<Mistake> {
    let (key, rest) = line.key()?;
    if rest.is_empty() || rest.starts_with([' ', '\t', '/']) || rest.len() > LONGEST {
        return None;
    }
    let colon = line.start + line.content().0 + key.len();
    mistake(colon..colon + 1, "wanted a space behind this `:`", format!("write `{key}: {rest}`"))
}

fn dash_without_space(line: Line<'_>) -> Option<Mistake> {
    let item = line.text.trim_start().strip_prefix('-').filter(|item| item.starts_with(char::is_alphanumeric))?;
    let dash = line.start + line.indent();
    mistake(dash..dash + 1, "wanted a space behind this `-`", format!("write `- {item}`"))
}

fn open_quote(stop: &Stop<'_>) -> Option<Mistake> {
    if !matches!(stop.kind, ErrorKind::InvalidQuotedScalarIndent | ErrorKind::DocumentIndicatorInQuotedScalar) {
        return None;
    }
    let before = &stop.text[..stop.at];
    let opens = |at: &usize| before[..*at].ends_with([' ', '\n', '[', '{', ',']);
    let note = "add the closing quote; a quote inside is written twice in `'..'`, and as `\\\"` in `\"..\"`";
    let at = before.rmatch_indices(['"', '\'']).map(|(at, _)| at).find(opens)?;
    mistake(at..at + 1, "this quote is not closed", note)
}

/// A bracket that is open where a line begins that cannot belong to it.
fn open_bracket(stop: &Stop<'_>) -> Option<Mistake> {
    let at = still_open(stop.kind, &stop.text[..stop.at])?;
    let (line, here) = (Line::around(stop.text, at), stop.line());
    if here.start == line.start || here.indent() > line.indent() {
        return None;
    }
    let (open, close) = if stop.text[at..].starts_with('[') { ('[', ']') } else { ('{', '}') };
    mistake(at..at + 1, format!("this `{open}` is not closed before the next line"), format!("close it with `{close}`"))
}

/// The bracket that is open where the parser, within brackets, could not go on.
pub(super) fn still_open(kind: &ErrorKind, before: &str) -> Option<usize> {
    use ErrorKind as E;
    let is_within = matches!(
        kind,
        E::BlockEntryInFlowCollection
            | E::InvalidColonPlacement
            | E::ExpectedFlowMappingSeparator
            | E::ExpectedFlowSequenceSeparator
    );
    let mut closed = 0_usize;
    let mut brackets = before.bytes().enumerate().rev().filter(|_| is_within);
    let open = brackets.find(|(_, byte)| match byte {
        b'}' | b']' => {
            closed += 1;
            false
        }
        b'{' | b'[' if closed > 0 => {
            closed -= 1;
            false
        }
        byte => matches!(byte, b'{' | b'['),
    });
    open.map(|(at, _)| at)
}

fn second_colon(stop: &Stop<'_>) -> Option<Mistake> {
    let (key, value) = stop.line().key()?;
    let value = value.trim();
    let is_second = stop.text[stop.line().start..stop.at].contains(": ");
    if *stop.kind != ErrorKind::MappingValueNotAllowed
        || !is_second
        || value.contains(['"', '\'', '#'])
        || value.len() > LONGEST
    {
        return None;
    }
    let message = "found a second `:` on this line";
    mistake(stop.at..stop.at + 1, message, format!("write the value in quotes: `{key}: {}`", quoted(value)))
}

/// A text that starts with a character that YAML keeps for itself.
fn reserved(stop: &Stop<'_>) -> Option<Mistake> {
    let ErrorKind::UnexpectedCharacter { character } = stop.kind else { return None };
    let line = stop.line();
    let value = &line.text[(stop.at - line.start).min(line.text.len())..];
    let is_all =
        !line.text[..stop.at - line.start].contains(['[', '{']) && !value.contains(": ") && !value.contains(" #");
    let note = if is_all && value.len() <= LONGEST {
        &format!("write it in quotes: {}", quoted(value))
    } else {
        "write the text in quotes"
    };
    let shown = if *character == '`' { "a backtick".to_owned() } else { format!("`{}`", character.escape_default()) };
    mistake(stop.at..stop.at + character.len_utf8(), format!("a text cannot start with {shown}"), note)
}

/// A line that belongs to none of those above it.
fn indentation(stop: &Stop<'_>) -> Option<Mistake> {
    let (line, above) = (stop.line(), stop.line_before()?);
    let first = line.start + line.indent();
    let here = first..first + stop.text[first..].chars().next().map_or(0, char::len_utf8);
    let is_item = line.text.trim_start().starts_with("- ");
    match stop.kind {
        ErrorKind::MappingValueNotAllowed if above.key().is_some() && above.content().0 < line.indent() => {
            let (key, spaces) = (above.key()?.0, above.content().0);
            let message = format!("this line is indented deeper than `{key}` above, which has a value already");
            mistake(here, message, format!("write {spaces} spaces before it, as many as stand before `{key}`"))
        }
        ErrorKind::MappingValueNotAllowed if !above.text.contains([':', '?', '"', '\'', '[', '{']) => {
            let at = above.start + above.content().0..above.start + above.text.len();
            let message = "wanted `key: value`, found no `:` on this line";
            mistake(at, message, "write a `:` and a space behind the key")
        }
        ErrorKind::ExpectedBlockSequenceEntry if stop.is_at_start_of_line() => {
            let message = "found a key where the next item of the list is wanted";
            mistake(here, message, "write `- ` before it, or indent it like the keys of the item above")
        }
        ErrorKind::ExpectedBlockMappingKey if is_item => {
            let message = "found an item of a list where the next key is wanted";
            mistake(here, message, "a list stands below a key of its own, as `needs:` and then `- item`")
        }
        _ => None,
    }
}
