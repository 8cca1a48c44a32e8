//! The words that names are compared with in an expression: `inputs.mode == "planned"`, `steps.lag.status in ["failed"]`.
//!
//! What is computed, filtered or looked up on the way is left out: nothing is said of it.

use super::scan::{KEYWORDS, Placed, Token, tokens};

/// A word that a name is compared with.
#[derive(Debug, PartialEq, Eq)]
pub struct Compared<'t> {
    /// The name, by its parts.
    pub parts: Vec<&'t str>,
    /// The word that stands for it where it has no value.
    pub default: Option<&'t str>,
    /// The word.
    pub word: &'t str,
    /// Where the word begins, without its quotes.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
}

/// What binds closer than a comparison: beside it, a name or a word is a part of something else.
const CLOSER: [&str; 9] = ["~", "+", "-", "*", "/", "%", "|", "[", "?["];

/// So many parentheses around a name or a word are looked through.
const DEEPEST: usize = 8;

/// All words that names are compared with.
#[must_use]
pub fn compared(text: &str) -> Vec<Compared<'_>> {
    let tokens = tokens(text, 0, text.len()).0;
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let before = at.checked_sub(1);
        if is_closer(&tokens, before) || is_inside(&tokens, at) {
            continue;
        }
        let Some(Name { parts, default, end }) = name(&tokens, at, DEEPEST) else { continue };
        let mut words = words_behind(&tokens[end..]);
        let is_compared = matches!(sign(&tokens, before), "==" | "!=") && !is_closer(&tokens, Some(end));
        if let Some(word) = at.checked_sub(2).filter(|word| is_compared && !is_closer(&tokens, word.checked_sub(1))) {
            words.extend(text_at(&tokens, word));
        }
        let of_name = |(word, from, to)| Compared { parts: parts.clone(), default, word, from, to };
        found.extend(words.into_iter().map(of_name));
    }
    found
}

fn sign<'t>(tokens: &[Placed<'t>], at: Option<usize>) -> &'t str {
    match at.and_then(|at| tokens.get(at)) {
        Some((Token::Sign(sign), ..)) => sign,
        _ => "",
    }
}

fn is_closer(tokens: &[Placed<'_>], at: Option<usize>) -> bool {
    CLOSER.contains(&sign(tokens, at))
}

/// Whether what begins there is a part of a name, or what a function is given.
fn is_inside(tokens: &[Placed<'_>], at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return false };
    let is_called = matches!(tokens[before].0, Token::Name(name) if !KEYWORDS.contains(&name));
    matches!(sign(tokens, Some(before)), "." | "?.") || sign(tokens, Some(at)) == "(" && is_called
}

/// A name in an expression.
struct Name<'t> {
    parts: Vec<&'t str>,
    /// The word that stands for it where it has no value.
    default: Option<&'t str>,
    /// The token behind it.
    end: usize,
}

/// The name that begins there, in parentheses too.
fn name<'t>(tokens: &[Placed<'t>], at: usize, deep: usize) -> Option<Name<'t>> {
    if sign(tokens, Some(at)) == "(" {
        let inner = name(tokens, at + 1, deep.checked_sub(1)?)?;
        let is_all = sign(tokens, Some(inner.end)) == ")";
        return is_all.then(|| defaulted(tokens, Name { end: inner.end + 1, ..inner }));
    }
    let Token::Name(root) = tokens.get(at)?.0 else { return None };
    if KEYWORDS.contains(&root) {
        return None;
    }
    let (mut parts, mut end) = (vec![root], at + 1);
    loop {
        match tokens.get(end..).unwrap_or_default() {
            [(Token::Sign("."), ..), (Token::Name(part), ..), ..] => {
                parts.push(*part);
                end += 2;
            }
            [(Token::Sign("["), ..), (Token::Text(_), ..), (Token::Sign("]"), ..), ..] => {
                parts.push(text_at(tokens, end + 1)?.0);
                end += 3;
            }
            _ => return Some(defaulted(tokens, Name { parts, default: None, end })),
        }
    }
}

/// The name with the `default` behind it, where that is a word.
fn defaulted<'t>(tokens: &[Placed<'t>], name: Name<'t>) -> Name<'t> {
    let behind = tokens.get(name.end..).unwrap_or_default();
    let [
        (Token::Sign("|"), ..),
        (Token::Name("default"), ..),
        (Token::Sign("("), ..),
        (Token::Name("value"), ..),
        (Token::Sign("="), ..),
        (Token::Text(_), ..),
        (Token::Sign(")"), ..),
        ..,
    ] = behind
    else {
        return name;
    };
    match text_at(behind, 5) {
        Some((word, ..)) if name.default.is_none() => Name { default: Some(word), end: name.end + 7, ..name },
        _ => name,
    }
}

/// The words that stand behind `==`, `!=`, `in` or `not in`.
fn words_behind<'t>(tokens: &[Placed<'t>]) -> Vec<(&'t str, usize, usize)> {
    let word = |at: usize| match tokens.get(at) {
        Some((Token::Name(word) | Token::Sign(word), ..)) => *word,
        _ => "",
    };
    match (word(0), word(1), word(2)) {
        ("==" | "!=", ..) => {
            let found = word_at(tokens, 1, DEEPEST).filter(|(_, end)| !is_closer(tokens, Some(*end)));
            found.map(|(word, _)| word).into_iter().collect()
        }
        ("in", "[", _) => list(&tokens[2..]),
        ("not", "in", "[") => list(&tokens[3..]),
        _ => Vec::new(),
    }
}

/// The word that stands there, in parentheses too, and the token behind it.
fn word_at<'t>(tokens: &[Placed<'t>], at: usize, deep: usize) -> Option<((&'t str, usize, usize), usize)> {
    if sign(tokens, Some(at)) == "(" {
        let (word, end) = word_at(tokens, at + 1, deep.checked_sub(1)?)?;
        return (sign(tokens, Some(end)) == ")").then_some((word, end + 1));
    }
    text_at(tokens, at).map(|word| (word, at + 1))
}

/// The words of a list that has nothing else in it.
fn list<'t>(tokens: &[Placed<'t>]) -> Vec<(&'t str, usize, usize)> {
    let is_other = |(token, ..): &Placed<'_>| !matches!(token, Token::Text(_) | Token::Sign(","));
    let Some(end) = tokens.iter().position(is_other) else { return Vec::new() };
    let is_whole = tokens[end].0 == Token::Sign("]");
    if is_whole { (0..end).filter_map(|at| text_at(tokens, at)).collect() } else { Vec::new() }
}

/// A text that stands for itself, and its place within its quotes.
fn text_at<'t>(tokens: &[Placed<'t>], at: usize) -> Option<(&'t str, usize, usize)> {
    match tokens.get(at)? {
        (Token::Text(text), from, to) if !text.contains('\\') => Some((text, from + 1, to - 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names and words of an expression; that each stands where it is said to stand.
    fn seen(text: &str) -> Vec<String> {
        let each = |it: Compared<'_>| {
            assert_eq!(&text[it.from..it.to], it.word, "{text}");
            format!("{} {}", it.parts.join("."), it.word)
        };
        compared(text).into_iter().map(each).collect()
    }

    #[test]
    fn names_are_seen_with_the_words_they_are_compared_with() {
        for (text, wanted) in [
            ("inputs.mode == 'planned'", &["inputs.mode planned"][..]),
            ("\"failed\" != steps.lag.status", &["steps.lag.status failed"]),
            ("not a == 'x' or b.c in [\"y\", 'z']", &["a x", "b.c y", "b.c z"]),
            ("a not in ['x',] and 'y' == b", &["a x", "b y"]),
            ("'x' if a == 'y' else 'z'", &["a y"]),
            ("not (a == 'x') and ((b)) != ('y')", &["a x", "b y"]),
            ("inputs[\"m\"] == 'x' or 'y' == a['b'].c", &["inputs.m x", "a.b.c y"]),
            ("a | default(value='x') == 'y' and (b | default(value='z')) in ['w']", &["a y", "b w"]),
        ] {
            assert_eq!(seen(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_computed_is_left_out() {
        for text in [
            "a | upper == 'X'",
            "b ~ a == 'x'",
            "a == 'x' ~ b",
            "a in ['x', b]",
            "a in b",
            "a[0] == 'x'",
            "f(a) == 'x'",
            "a | default(value=b) == 'x'",
            "a | default(value='x') | upper == 'x'",
            "(a ~ b) == 'x'",
            "a == ('x' ~ b)",
            "a?.b == 'x'",
            "'x' ~ 'y' == a",
            "'x' == a | lower",
            "a == 1",
            "a == 'it\\'s'",
            "a in ['x'",
            "a ==",
        ] {
            assert_eq!(seen(text), [""; 0], "{text}");
        }
    }
}
