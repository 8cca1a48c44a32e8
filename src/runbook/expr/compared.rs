//! The words that names are compared with in an expression: `inputs.mode == "planned"`, `steps.lag.status in ["failed"]`.
//!
//! What is computed, filtered or looked up on the way is left out: nothing is said of it.

use super::scan::{KEYWORDS, Placed, Token, tokens};

/// A word that a name is compared with.
#[derive(Debug, PartialEq, Eq)]
pub struct Compared<'t> {
    /// The name, by its dotted parts.
    pub parts: Vec<&'t str>,
    /// The word.
    pub word: &'t str,
    /// Where the word begins, without its quotes.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
}

/// What binds closer than a comparison: beside it, a name or a word is a part of something else.
const CLOSER: [&str; 9] = ["~", "+", "-", "*", "/", "%", "|", "[", "?["];

/// All words that names are compared with.
#[must_use]
pub fn compared(text: &str) -> Vec<Compared<'_>> {
    let tokens = tokens(text, 0, text.len()).0;
    let sign = |at: Option<usize>| match at.and_then(|at| tokens.get(at)) {
        Some((Token::Sign(sign), ..)) => *sign,
        _ => "",
    };
    let is_closer = |at: Option<usize>| CLOSER.contains(&sign(at));
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let before = at.checked_sub(1);
        // A part of a name is none by itself.
        let is_part = matches!(sign(before), "." | "?.");
        let Some((parts, end)) = (if is_part { None } else { path(&tokens, at) }) else { continue };
        let mut words = Vec::new();
        if !is_closer(before) {
            words = words_behind(&tokens[end..], |ahead| is_closer(Some(end + ahead)));
        }
        let is_compared = matches!(sign(before), "==" | "!=") && !is_closer(Some(end));
        if let Some(word) = at.checked_sub(2).filter(|word| is_compared && !is_closer(word.checked_sub(1))) {
            words.extend(text_at(&tokens, word));
        }
        let of_path = |(word, from, to)| Compared { parts: parts.clone(), word, from, to };
        found.extend(words.into_iter().map(of_path));
    }
    found
}

/// The name that begins there, and the token behind it.
fn path<'t>(tokens: &[Placed<'t>], at: usize) -> Option<(Vec<&'t str>, usize)> {
    let Token::Name(root) = tokens.get(at)?.0 else { return None };
    if KEYWORDS.contains(&root) {
        return None;
    }
    let (mut parts, mut end) = (vec![root], at + 1);
    while let (Some((Token::Sign("."), ..)), Some((Token::Name(part), ..))) = (tokens.get(end), tokens.get(end + 1)) {
        parts.push(*part);
        end += 2;
    }
    Some((parts, end))
}

/// The words that stand behind `==`, `!=`, `in` or `not in`.
fn words_behind<'t>(tokens: &[Placed<'t>], is_closer: impl Fn(usize) -> bool) -> Vec<(&'t str, usize, usize)> {
    let word = |at: usize| match tokens.get(at) {
        Some((Token::Name(word) | Token::Sign(word), ..)) => *word,
        _ => "",
    };
    match (word(0), word(1), word(2)) {
        ("==" | "!=", ..) if !is_closer(2) => text_at(tokens, 1).into_iter().collect(),
        ("in", "[", _) => list(&tokens[2..]),
        ("not", "in", "[") => list(&tokens[3..]),
        _ => Vec::new(),
    }
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
