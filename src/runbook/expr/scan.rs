//! Finds the names an expression or a notice reads, without evaluating it.
//!
//! A small reader of Tera's tokens: it knows strings, names, brackets and keywords, and nothing of
//! precedence. Tera itself judges the grammar; this finds `steps.check.outputs.lag` and where it stands.

/// A dotted name an expression reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// `["steps", "check", "outputs", "lag"]`. Ends before the first part that is computed.
    pub parts: Vec<String>,
    /// Where it stands in the text, in bytes.
    pub from: usize,
    /// Its end.
    pub to: usize,
    /// Whether the text says what to do when it is not there: `default` or `is defined`.
    pub guarded: bool,
    /// Whether anything but the bare name follows or leads: a filter, an operator, a call.
    pub bare: bool,
}

impl Path {
    /// The name as written, with dots.
    #[must_use]
    pub fn dotted(&self) -> String {
        self.parts.join(".")
    }
}

/// What a text reads and binds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Every name read, in order.
    pub paths: Vec<Path>,
    /// Names the text binds itself: loop variables and `set`.
    pub locals: Vec<String>,
    /// The place of a delimiter (`{{`, `}}`, `{%`, ...) inside an expression, where none may stand.
    pub delimiter: Option<usize>,
    /// A bracket or quote of an expression without its other half: what is wrong, and where.
    pub unbalanced: Option<(usize, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'t> {
    Name(&'t str),
    Text(&'t str),
    Sign(&'t str),
    Number,
}

/// Scans one expression.
#[must_use]
pub fn expression(text: &str) -> Scan {
    let (tokens, delimiter) = tokens(text, 0, text.len());
    let mut scan = Scan { delimiter, unbalanced: unbalanced(&tokens, text), ..Scan::default() };
    collect(&tokens, &mut scan);
    finish(&mut scan);
    scan
}

/// Scans the code parts of a notice: `{{ }}` and `{% %}`.
#[must_use]
pub fn notice(text: &str) -> Scan {
    let mut scan = Scan::default();
    let mut at = 0;
    while let Some((open, code)) = next_code(text, at) {
        let Some(end) = close(text, open + 2, code) else { break };
        if code != "#}" {
            collect(&tokens(text, open + 2, end).0, &mut scan);
        }
        at = end + 2;
    }
    finish(&mut scan);
    scan
}

/// The next `{{`, `{%` or `{#` from `at`, with the delimiter that closes it.
pub(crate) fn next_code(text: &str, at: usize) -> Option<(usize, &'static str)> {
    let rest = text.get(at..)?;
    rest.match_indices('{').find_map(|(index, _)| {
        let closing = match rest.as_bytes().get(index + 1)? {
            b'{' => "}}",
            b'%' => "%}",
            b'#' => "#}",
            _ => return None,
        };
        Some((at + index, closing))
    })
}

/// Where `closing` stands from `at` on, outside of strings.
pub(crate) fn close(text: &str, at: usize, closing: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut index = at;
    while index < bytes.len() {
        match bytes[index] {
            quote @ (b'"' | b'\'' | b'`') if closing != "#}" => index = end_of_string(bytes, index, quote),
            _ if bytes[index..].starts_with(closing.as_bytes()) => return Some(index),
            _ => index += 1,
        }
    }
    None
}

fn end_of_string(bytes: &[u8], open: usize, quote: u8) -> usize {
    let mut index = open + 1;
    while index < bytes.len() && bytes[index] != quote {
        index += if bytes[index] == b'\\' { 2 } else { 1 };
    }
    index + 1
}

/// An expression is compiled within parentheses of ours: `a) == (b` would close them and mean something else.
fn unbalanced(tokens: &[Placed<'_>], text: &str) -> Option<(usize, String)> {
    let mut open: Vec<(&str, usize)> = Vec::new();
    for (token, at, end) in tokens {
        match token {
            Token::Text(_) if end_of_string(text.as_bytes(), *at, text.as_bytes()[*at]) > *end => {
                return Some((*at, "this quote is not closed".to_owned()));
            }
            Token::Sign("(") => open.push((")", *at)),
            Token::Sign("[" | "?[") => open.push(("]", end - 1)),
            Token::Sign("{") => open.push(("}", *at)),
            Token::Sign(close @ (")" | "]" | "}")) => match open.pop() {
                Some((wanted, _)) if wanted == *close => {}
                Some((wanted, _)) => return Some((*at, format!("wanted `{wanted}`, found `{close}`"))),
                None => return Some((*at, format!("this `{close}` closes nothing"))),
            },
            _ => {}
        }
    }
    open.last().map(|(_, at)| (*at, format!("this `{}` is not closed", &text[*at..=*at])))
}

/// A token, where it begins and where it ends.
pub(super) type Placed<'t> = (Token<'t>, usize, usize);

pub(super) fn tokens(text: &str, from: usize, to: usize) -> (Vec<Placed<'_>>, Option<usize>) {
    let bytes = &text.as_bytes()[..to];
    let (mut found, mut delimiter, mut at) = (Vec::new(), None, from);
    while at < to {
        let start = at;
        let token = match bytes[at] {
            quote @ (b'"' | b'\'' | b'`') => {
                at = end_of_string(bytes, at, quote).min(to);
                Token::Text(text.get(start + 1..at.saturating_sub(1).max(start + 1)).unwrap_or_default())
            }
            byte if byte == b'_' || byte.is_ascii_alphabetic() => {
                at += bytes[at..].iter().take_while(|byte| **byte == b'_' || byte.is_ascii_alphanumeric()).count();
                Token::Name(&text[start..at])
            }
            byte if byte.is_ascii_digit() => {
                at += bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                Token::Number
            }
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => {
                let pair = bytes.get(at..at + 2).unwrap_or_default();
                if delimiter.is_none() && matches!(pair, b"{{" | b"}}" | b"{%" | b"%}" | b"{#" | b"#}") {
                    delimiter = Some(at);
                }
                let two = matches!(pair, b"?." | b"==" | b"!=" | b"?[");
                let width = if two { 2 } else { text[at..].chars().next().map_or(1, char::len_utf8) };
                at += width;
                Token::Sign(text.get(start..at).unwrap_or_default())
            }
        };
        found.push((token, start, at));
    }
    (found, delimiter)
}

pub(super) const KEYWORDS: [&str; 36] = [
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "elif",
    "true",
    "false",
    "True",
    "False",
    "none",
    "None",
    "null",
    "for",
    "endfor",
    "endif",
    "set",
    "endset",
    "set_global",
    "break",
    "continue",
    "include",
    "extends",
    "block",
    "endblock",
    "filter",
    "endfilter",
    "raw",
    "endraw",
    "component",
    "endcomponent",
    "loop",
    "__tera_context",
    "body",
];

fn collect(tokens: &[Placed<'_>], scan: &mut Scan) {
    let sign =
        |index: usize, wanted: &str| matches!(tokens.get(index), Some((Token::Sign(text), _, _)) if *text == wanted);
    let name = |index: usize| match tokens.get(index) {
        Some((Token::Name(name), _, _)) => Some(*name),
        _ => None,
    };
    let mut at = 0;
    while at < tokens.len() {
        let Some(word) = name(at) else {
            at += 1;
            continue;
        };
        let before = at.checked_sub(1);
        if matches!(word, "for" | "set" | "set_global") && before.is_none() {
            at = bind(tokens, at + 1, scan);
            continue;
        }
        // After a pipe stands a filter; after a dot, a part of something computed.
        let after_pipe = before.is_some_and(|index| ["|", ".", "?."].iter().any(|wanted| sign(index, wanted)));
        let is_test = before.and_then(name) == Some("is")
            || (before.and_then(name) == Some("not") && at >= 2 && name(at - 2) == Some("is"));
        let is_argument = sign(at + 1, "=");
        if after_pipe || is_test || is_argument || sign(at + 1, "(") || KEYWORDS.contains(&word) {
            at += 1;
            continue;
        }
        at = path(tokens, at, scan);
    }
}

/// Notes the names that a `for` or `set` binds; stops at `in` or `=`.
fn bind(tokens: &[Placed<'_>], mut at: usize, scan: &mut Scan) -> usize {
    while let Some((token, _, _)) = tokens.get(at) {
        at += 1;
        match token {
            Token::Name("in") | Token::Sign("=") => break,
            Token::Name(local) => scan.locals.push((*local).to_owned()),
            _ => {}
        }
    }
    at
}

/// Reads one dotted name from `at`; the index of the token behind it.
fn path(tokens: &[Placed<'_>], first: usize, scan: &mut Scan) -> usize {
    let mut parts = Vec::new();
    let (mut at, mut to) = (first, 0);
    if let Some((Token::Name(root), _, end)) = tokens.get(at) {
        parts.push((*root).to_owned());
        to = *end;
        at += 1;
    }
    loop {
        match (tokens.get(at), tokens.get(at + 1), tokens.get(at + 2)) {
            (Some((Token::Sign("." | "?."), ..)), Some((Token::Name(part), _, end)), _) => {
                parts.push((*part).to_owned());
                (at, to) = (at + 2, *end);
            }
            (Some((Token::Sign("[" | "?["), ..)), Some((Token::Text(part), ..)), Some((Token::Sign("]"), _, end))) => {
                parts.push((*part).to_owned());
                (at, to) = (at + 3, *end);
            }
            _ => break,
        }
    }
    let word = |index: usize| match tokens.get(index) {
        Some((Token::Name(name), ..)) => *name,
        Some((Token::Sign(sign), ..)) => *sign,
        _ => "",
    };
    let defaulted = word(at) == "|" && word(at + 1) == "default";
    let tested = word(at) == "is"
        && (matches!(word(at + 1), "defined" | "undefined") || (word(at + 1) == "not" && word(at + 2) == "defined"));
    let from = tokens.get(first).map_or(0, |token| token.1);
    let bare = tokens.len() == at - first;
    scan.paths.push(Path { parts, from, to, guarded: defaulted || tested, bare });
    at
}

/// A name tested with `is defined` once is guarded wherever the same text reads it; locals are no reads.
fn finish(scan: &mut Scan) {
    let guarded: Vec<Vec<String>> =
        scan.paths.iter().filter(|path| path.guarded).map(|path| path.parts.clone()).collect();
    for path in &mut scan.paths {
        path.guarded |= guarded.contains(&path.parts);
    }
    let locals = &scan.locals;
    scan.paths.retain(|path| !locals.contains(&path.parts[0]));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        expression(text)
            .paths
            .iter()
            .map(|path| format!("{}{}", path.dotted(), if path.guarded { "?" } else { "" }))
            .collect()
    }

    #[test]
    fn names_are_found_and_strings_filters_tests_and_arguments_are_not() {
        assert_eq!(
            read(
                "steps.check.outputs.lag < 30 and inputs['mode'] == 'steps.x' and not run.id is starting_with(pat=item)"
            ),
            ["steps.check.outputs.lag", "inputs.mode", "run.id", "item"]
        );
        assert_eq!(read("steps.a.outputs.n | default(value=inputs.n) | int"), ["steps.a.outputs.n?", "inputs.n"]);
        assert_eq!(
            read("steps.a.outputs.n is defined and steps.a.outputs.n > 1"),
            ["steps.a.outputs.n?", "steps.a.outputs.n?"]
        );
        assert_eq!(read("inputs.names[item].x"), ["inputs.names", "item"]);
        assert_eq!(read("true"), Vec::<String>::new());
    }

    #[test]
    fn a_delimiter_inside_an_expression_is_seen_but_not_inside_its_strings() {
        assert_eq!(expression("true) }}{{ (1").delimiter, Some(6));
        assert_eq!(expression("'}}{{' == inputs.x").delimiter, None);
    }

    #[test]
    fn brackets_and_quotes_come_in_pairs_outside_of_strings() {
        let unbalanced = |text: &str| expression(text).unbalanced;
        let told = |at: usize, message: &str| Some((at, message.to_owned()));
        assert_eq!(unbalanced("a) == (b"), told(1, "this `)` closes nothing"));
        assert_eq!(unbalanced("f(a] == b)"), told(3, "wanted `)`, found `]`"));
        assert_eq!(unbalanced("a in [1, (2]"), told(11, "wanted `)`, found `]`"));
        assert_eq!(unbalanced("a?[0"), told(2, "this `[` is not closed"));
        assert_eq!(unbalanced("(a and (b)"), told(0, "this `(` is not closed"));
        assert_eq!(unbalanced("a == 'x"), told(5, "this quote is not closed"));
        assert_eq!(unbalanced("a == 'x\\'"), told(5, "this quote is not closed"));
        for sound in ["a == ')'", "[\"(\", 'it\\'s ('] | length", "(a) == (b)", "{'k': [1]}.k[0]", "é == '('"] {
            assert_eq!(unbalanced(sound), None, "{sound}");
        }
    }

    #[test]
    fn a_notice_binds_loop_variables() {
        let scan = notice(
            "Hi {{ vars.name }}\n{% for row in inputs.rows %}{{ row.x }}{{ loop.index }}{% endfor %}{# {{ no }} #}",
        );
        assert_eq!(scan.paths.iter().map(Path::dotted).collect::<Vec<_>>(), ["vars.name", "inputs.rows"]);
        assert_eq!(scan.locals, ["row"]);
    }
}
