//! Makes every name that is read have a value: Tera itself takes one that is not there for false, or for unequal.
//!
//! In each loop of a notice stands a function of ours that counts its rounds.
//!
//! Behind each name that the text does not guard by `default` or `is defined` stands a filter of ours, which refuses
//! what is undefined. Tera binds filters closer than any operator, so nothing else changes its meaning.

use super::scan::{KEYWORDS, Placed, Token, close, next_code, tokens};

/// The filter's name.
pub(super) const THERE: &str = "drctl_there__";

/// The function that counts the rounds of loops.
pub(super) const ROUND: &str = "drctl_round__";

/// An expression in which no name may be without a value.
pub(super) fn expression(text: &str) -> String {
    insert(text, guards(text, found(text, &tokens(text, 0, text.len()).0)))
}

/// A notice, the same way: what it prints, tests, loops over and sets.
pub(super) fn notice(text: &str) -> String {
    let (mut all, mut at) = (Vec::new(), 0);
    while let Some((open, closing)) = next_code(text, at) {
        let Some(end) = close(text, open + 2, closing) else { break };
        let (tokens, _) = tokens(text, open + 2, end);
        let signs = tokens.iter().take_while(|token| token.0 == Token::Sign("-")).count();
        let reads = match (closing, tokens.get(signs).map(|token| token.0)) {
            ("}}", first) => first != Some(Token::Sign("<")),
            ("%}", Some(Token::Name(word))) => matches!(word, "if" | "elif" | "for" | "set" | "set_global"),
            _ => false,
        };
        let is_loop = tokens.get(signs).is_some_and(|token| token.0 == Token::Name("for"));
        let bound = tokens.iter().position(|token| is_loop && token.0 == Token::Name("in")).unwrap_or(0);
        if reads {
            all.extend(guards(text, found(text, &tokens[bound..])));
        }
        at = end + 2;
        if closing == "%}" && is_loop {
            // What takes the space away behind the loop's sign does so behind ours.
            let sign = if text[..end].ends_with('-') { "-" } else { "" };
            all.push((at, format!("{{{{ {ROUND}() {sign}}}}}")));
        }
    }
    insert(text, all)
}

/// A name, with all that is looked up in it: where it begins and ends.
type Lookup = (usize, usize);

/// What is put behind each of these names, and where.
fn guards(text: &str, lookups: Vec<Lookup>) -> Vec<(usize, String)> {
    let guard = |(from, to): Lookup| {
        let name = text[from..to].replace('\\', "\\\\").replace('"', "\\\"");
        (to, format!(" | {THERE}(name=\"{name}\")"))
    };
    lookups.into_iter().map(guard).collect()
}

fn insert(text: &str, insertions: Vec<(usize, String)>) -> String {
    let (mut out, mut at) = (String::new(), 0);
    for (to, inserted) in insertions {
        out.push_str(&text[at..to]);
        out.push_str(&inserted);
        at = to;
    }
    out + &text[at..]
}

/// The names without a guard, by their ends.
fn found(text: &str, tokens: &[Placed<'_>]) -> Vec<Lookup> {
    let sign = |index: usize| match tokens.get(index) {
        Some((Token::Sign(sign), ..)) => *sign,
        _ => "",
    };
    let word = |index: usize| match tokens.get(index) {
        Some((Token::Name(name), ..)) => *name,
        _ => "",
    };
    let before = |index: usize| index.checked_sub(1);
    let is_part = |index: usize| before(index).is_some_and(|before| matches!(sign(before), "." | "?."));
    let mut lookups = Vec::new();
    // The first token of what the last one ends; the same for every bracket that is open.
    let (mut first, mut open) = (0, Vec::new());
    for (index, (token, _, end)) in tokens.iter().enumerate() {
        let is_lookup = match token {
            Token::Name(_) if is_part(index) => true,
            Token::Name(name) => {
                first = index;
                let filter = before(index).is_some_and(|before| sign(before) == "|");
                let test = before(index).is_some_and(|at| {
                    word(at) == "is" || word(at) == "not" && at.checked_sub(1).is_some_and(|at| word(at) == "is")
                });
                !(filter || test || matches!(sign(index + 1), "=" | "(") || KEYWORDS.contains(name))
            }
            Token::Sign("[" | "?[" | "(" | "{") => {
                let follows = before(index).is_some_and(|at| match tokens[at].0 {
                    Token::Name(name) => is_part(at) || !KEYWORDS.contains(&name),
                    Token::Sign(sign) => matches!(sign, ")" | "]" | "}"),
                    Token::Text(_) | Token::Number => true,
                });
                open.push((if follows { first } else { index }, follows));
                first = index;
                false
            }
            Token::Sign(")" | "]" | "}") => {
                let (began, follows) = open.pop().unwrap_or((index, false));
                first = began;
                follows && sign(index) == "]"
            }
            Token::Sign("." | "?.") => false,
            _ => {
                first = index;
                false
            }
        };
        let goes_on = matches!(sign(index + 1), "." | "?." | "[" | "?[");
        if is_lookup && !goes_on && !is_guarded((first, index + 1), sign, word) {
            lookups.push((tokens[first].1, *end));
        }
    }
    lookups.retain(|(from, to)| text.get(*from..*to).is_some());
    lookups
}

/// Whether the text says what to do when it has no value, parentheses around it aside.
fn is_guarded<'t>(
    (mut first, mut next): (usize, usize),
    sign: impl Fn(usize) -> &'t str,
    word: impl Fn(usize) -> &'t str,
) -> bool {
    while first > 0 && sign(first - 1) == "(" && sign(next) == ")" {
        (first, next) = (first - 1, next + 1);
    }
    let tested = if word(next + 1) == "not" { word(next + 2) } else { word(next + 1) };
    sign(next) == "|" && word(next + 1) == "default" || word(next) == "is" && matches!(tested, "defined" | "undefined")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        found(text, &tokens(text, 0, text.len()).0).into_iter().map(|(from, to)| &text[from..to]).collect()
    }

    #[test]
    fn every_name_without_a_guard_is_found_with_all_that_is_looked_up_in_it() {
        assert_eq!(names("not a.b['c'].d == \"x\""), ["a.b['c'].d"]);
        assert_eq!(names("a.b[item.n + 1][0].c in [x, 'y']"), ["item.n", "a.b[item.n + 1][0].c", "x"]);
        assert_eq!(names("(a)[9] | round(method=m) > -n"), ["a", "(a)[9]", "m", "n"]);
        assert_eq!(names("a | split(pat=',')[9] is starting_with(pat=p)"), ["a", "split(pat=',')[9]", "p"]);
        assert_eq!(names("a?.b?[0] if range(end=3) else {'k': v}"), ["a?.b?[0]", "v"]);
        assert_eq!(names("a.b | default(value=c) ~ (d) | default(value=1)"), ["c"]);
        assert_eq!(names("a is defined and b is not defined or c is undefined or d is odd"), ["d"]);
        assert_eq!(names("true and none == 1"), [""; 0]);
    }

    #[test]
    fn a_notice_keeps_what_it_binds() {
        let text = "{{ a }}{% for k, v in b.c %}{{- v -}}{{ loop.index }}{% endfor %}{% set x = d %}{# e #}{% raw %}";
        let there = |name: &str| format!("{name} | {THERE}(name=\"{name}\")");
        let wanted = format!(
            "{{{{ {} }}}}{{% for k, v in {} %}}{{{{ {ROUND}() }}}}{{{{- {} -}}}}{{{{ {} }}}}{{% endfor %}}{{% set x = {} %}}{{# e #}}{{% raw %}}",
            there("a"),
            there("b.c"),
            there("v"),
            there("loop.index"),
            there("d")
        );
        assert_eq!(notice(text), wanted);
    }

    #[test]
    fn quotes_and_signs_of_a_name_stand_in_its_message() {
        assert_eq!(expression(r#"a["b\"c"]"#), format!(r#"a["b\"c"] | {THERE}(name="a[\"b\\\"c\"]")"#));
    }
}
