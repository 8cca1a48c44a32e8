//! What kind of value an expression gives, as far as the kinds of the names in it and its literals decide that.
//!
//! Reads the tokens of [`super::scan`] by the precedence of Tera. What is not understood, or may be of several kinds,
//! is of no known kind: nothing is said of it.

use std::fmt;

use super::scan::{Placed, Token, tokens};
use crate::catalogue::Type;

/// The kind of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// Text; a duration too.
    Text,
    /// A list.
    List,
    /// A mapping.
    Map,
}

impl Kind {
    /// The kind of the values of a type, where there is only one.
    #[must_use]
    pub fn of(kind: &Type) -> Option<Self> {
        match kind {
            Type::Bool => Some(Self::Bool),
            Type::Int | Type::Between(..) | Type::Number => Some(Self::Number),
            Type::String | Type::Duration | Type::Moment | Type::Enum(_) => Some(Self::Text),
            Type::List(_) => Some(Self::List),
            Type::Map(_) | Type::Record(_) => Some(Self::Map),
            Type::Any | Type::Secret => None,
        }
    }

    /// Whether some value of this kind can be given where the type is wanted.
    #[must_use]
    pub fn fits(self, wanted: &Type) -> bool {
        match wanted {
            // Numbers and bools become text.
            Type::String => matches!(self, Self::Text | Self::Number | Self::Bool),
            Type::Any => true,
            Type::Secret => self == Self::Text,
            other => Self::of(other) == Some(self),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "a bool",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::List => "a list",
            Self::Map => "a mapping",
        })
    }
}

/// An operation that fails whatever the values are: where it stands, and why.
pub type Mistake = (usize, usize, String);

/// The kind of a text's value, and the first operation in it that cannot work. `name` gives the kind of a dotted name.
#[must_use]
pub fn infer(text: &str, name: &dyn Fn(&[&str]) -> Option<Kind>) -> (Option<Kind>, Option<Mistake>) {
    let tokens = tokens(text, 0, text.len()).0;
    let mut reader = Reader { text, tokens: &tokens, at: 0, depth: 0, name, mistake: None };
    match reader.expression(0) {
        Some(kind) if reader.at == tokens.len() => (kind, reader.mistake),
        _ => (None, None),
    }
}

/// Reads one expression. `None` says that it is not understood; a kind of `None`, that it is not known.
struct Reader<'r> {
    text: &'r str,
    tokens: &'r [Placed<'r>],
    at: usize,
    /// How many expressions are open: Tera refuses more than a few.
    depth: u8,
    name: &'r dyn Fn(&[&str]) -> Option<Kind>,
    mistake: Option<Mistake>,
}

/// How deep an expression may be, for something to be said of it.
const DEEPEST: u8 = 64;
/// How close the operators bind, as in Tera.
const UNARY_NOT: u8 = 5;
const UNARY_MINUS: u8 = 20;
const ADD: u8 = 11;
const POWER: u8 = 16;
const PIPE: u8 = 17;

impl<'r> Reader<'r> {
    fn word(&self, ahead: usize) -> &'r str {
        self.tokens.get(self.at + ahead).map_or("", |(token, ..)| match token {
            Token::Name(word) | Token::Sign(word) => word,
            Token::Text(_) | Token::Number => "",
        })
    }

    fn take(&mut self, word: &str) -> Option<()> {
        (self.word(0) == word).then(|| self.at += 1)
    }

    /// The operator that comes next, how close it binds, and how many tokens it has.
    fn operator(&self) -> Option<(&'r str, u8, usize)> {
        let doubled = |sign| self.word(0) == sign && self.word(1) == sign;
        Some(match self.word(0) {
            word @ "if" => (word, 0, 1),
            word @ "or" => (word, 1, 1),
            word @ "and" => (word, 3, 1),
            word @ ("in" | "is") => (word, 5, 1),
            "not" if self.word(1) == "in" => ("in", 5, 2),
            word @ ("==" | "!=") => (word, 7, 1),
            word @ ("<" | ">") => (word, 7, 1 + usize::from(self.word(1) == "=")),
            word @ ("+" | "-") => (word, ADD, 1),
            "*" if doubled("*") => ("**", POWER, 2),
            "/" if doubled("/") => ("//", 13, 2),
            word @ ("*" | "/" | "%" | "~") => (word, 13, 1),
            word @ "|" => (word, PIPE, 1),
            word @ "[" => (word, u8::MAX, 1),
            _ => return None,
        })
    }

    fn expression(&mut self, least: u8) -> Option<Option<Kind>> {
        self.depth = self.depth.checked_add(1).filter(|depth| *depth <= DEEPEST)?;
        let kind = self.operation(least);
        self.depth -= 1;
        kind
    }

    fn operation(&mut self, least: u8) -> Option<Option<Kind>> {
        let began = self.at;
        let mut left = self.operand()?;
        while let Some((operator, binds, length)) = self.operator() {
            if binds < least {
                break;
            }
            self.at += length;
            left = match operator {
                "if" => self.ternary(left)?,
                "is" => self.test()?,
                "|" => self.filter(left)?,
                "[" => self.subscript()?,
                _ => {
                    let zero = matches!(operator, "/" | "//" | "%") && self.is_zero();
                    let right = self.expression(if operator == "**" { POWER - 1 } else { binds + 1 })?;
                    let problem = if zero { Some("divides by 0".to_owned()) } else { problem(operator, left, right) };
                    self.note(began, problem);
                    result(operator, left, right)
                }
            };
        }
        Some(left)
    }

    fn operand(&mut self) -> Option<Option<Kind>> {
        let token = self.tokens.get(self.at)?.0;
        self.at += 1;
        match token {
            Token::Text(_) => Some(Some(Kind::Text)),
            Token::Number => {
                if self.word(0) == "." {
                    self.at += 2;
                }
                Some(Some(Kind::Number))
            }
            Token::Name("true" | "false" | "True" | "False") => Some(Some(Kind::Bool)),
            Token::Name("none" | "None" | "null") => Some(None),
            Token::Name("not") => self.expression(UNARY_NOT).map(|_| Some(Kind::Bool)),
            Token::Sign("-") => {
                let began = self.at - 1;
                let kind = self.expression(UNARY_MINUS)?;
                self.note(began, problem("-", kind, None));
                Some(Some(Kind::Number))
            }
            Token::Name(word) => self.path(word),
            Token::Sign("(") => {
                let kind = self.expression(0)?;
                self.take(")")?;
                Some(kind)
            }
            Token::Sign("[") => self.items("]", |_| Some(())).map(|()| Some(Kind::List)),
            Token::Sign("{") => self.items("}", Self::key).map(|()| Some(Kind::Map)),
            Token::Sign(_) => None,
        }
    }

    /// What stands between brackets, each item behind what `before` reads.
    fn items(&mut self, close: &str, before: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        while self.word(0) != close {
            before(self)?;
            self.expression(0)?;
            if self.word(0) != close {
                self.take(",")?;
            }
        }
        self.take(close)
    }

    fn key(&mut self) -> Option<()> {
        self.at += 1;
        self.take(":")
    }

    /// A name or a call of a function, with what is looked up in it.
    fn path(&mut self, root: &'r str) -> Option<Option<Kind>> {
        if self.word(0) == "(" {
            self.arguments()?;
            return Some((root == "range").then_some(Kind::List));
        }
        let (mut parts, mut known) = (vec![root], true);
        loop {
            match (self.word(0), self.tokens.get(self.at + 1).map(|token| token.0), self.word(2)) {
                (sign @ ("." | "?."), Some(Token::Name(part)), _) => {
                    known &= sign == ".";
                    parts.push(part);
                    self.at += 2;
                }
                ("[", Some(Token::Text(part)), "]") => {
                    parts.push(part);
                    self.at += 3;
                }
                ("[" | "?[", ..) => {
                    self.at += 1;
                    self.subscript()?;
                    known = false;
                }
                _ => break,
            }
        }
        Some(known.then(|| (self.name)(&parts)).flatten())
    }

    /// What stands behind a `[` that looks something up. A slice is not understood.
    fn subscript(&mut self) -> Option<Option<Kind>> {
        self.expression(0)?;
        self.take("]")?;
        Some(None)
    }

    fn ternary(&mut self, left: Option<Kind>) -> Option<Option<Kind>> {
        self.expression(0)?;
        self.take("else")?;
        let right = self.expression(0)?;
        Some(either(left, right))
    }

    fn test(&mut self) -> Option<Option<Kind>> {
        self.take("not");
        self.at += 1;
        if self.word(0) == "(" {
            self.arguments()?;
        }
        Some(Some(Kind::Bool))
    }

    fn filter(&mut self, left: Option<Kind>) -> Option<Option<Kind>> {
        let name = self.word(0);
        self.at += 1;
        let arguments = if self.word(0) == "(" { self.arguments()? } else { Vec::new() };
        Some(match name {
            "default" => {
                let value = arguments.into_iter().find(|(name, _)| *name == "value");
                either(left, value.and_then(|(_, kind)| kind))
            }
            "length" | "wordcount" | "int" | "float" | "abs" | "round" => Some(Kind::Number),
            "split" | "unique" | "sort" | "keys" | "values" | "pairs" => Some(Kind::List),
            "upper" | "lower" | "trim" | "trim_start" | "trim_end" | "replace" | "capitalize" | "title"
            | "truncate" | "indent" | "str" | "join" | "escape" | "escape_html" | "escape_xml" | "pluralize" => {
                Some(Kind::Text)
            }
            _ => None,
        })
    }

    /// The arguments of a filter, a test or a function, by name.
    fn arguments(&mut self) -> Option<Vec<(&'r str, Option<Kind>)>> {
        self.take("(")?;
        let mut arguments = Vec::new();
        while self.word(0) != ")" {
            let name = self.word(0);
            self.at += 1;
            self.take("=")?;
            arguments.push((name, self.expression(0)?));
            if self.word(0) != ")" {
                self.take(",")?;
            }
        }
        self.take(")")?;
        Some(arguments)
    }

    /// Whether the next operand is the number 0.
    fn is_zero(&self) -> bool {
        let text = self.tokens.get(self.at).and_then(|(_, from, to)| self.text.get(*from..*to));
        let alone = self.tokens.get(self.at + 1).is_none_or(|next| !matches!(next.0, Token::Sign("." | "*")));
        text == Some("0") && alone
    }

    fn note(&mut self, began: usize, problem: Option<String>) {
        let place = |index: usize| self.tokens.get(index).map(|token| (token.1, token.2));
        if let (None, Some(problem), Some((from, _)), Some((_, to))) =
            (&self.mistake, problem, place(began), self.at.checked_sub(1).and_then(place))
        {
            let text = self.text.get(from..to).unwrap_or_default();
            self.mistake = Some((from, to, format!("`{text}` {problem}")));
        }
    }
}

/// The kind of one of two values, where both are of the same.
fn either(left: Option<Kind>, right: Option<Kind>) -> Option<Kind> {
    left.filter(|_| left == right)
}

fn result(operator: &str, left: Option<Kind>, right: Option<Kind>) -> Option<Kind> {
    match operator {
        "and" | "or" => either(left, right),
        "in" | "==" | "!=" | "<" | ">" => Some(Kind::Bool),
        "~" => Some(Kind::Text),
        _ => Some(Kind::Number),
    }
}

/// Why an operator cannot work with these.
fn problem(operator: &str, left: Option<Kind>, right: Option<Kind>) -> Option<String> {
    match operator {
        "<" | ">" => {
            let (left, right) = (left?, right?);
            let ordered = left == right && left != Kind::Map;
            (!ordered).then(|| format!("compares {left} with {right}"))
        }
        "in" => {
            let container = right.filter(|kind| matches!(kind, Kind::Bool | Kind::Number))?;
            Some(format!("looks into {container}: wanted a list, a mapping or a string"))
        }
        "and" | "or" | "==" | "!=" | "~" => None,
        operator => {
            let other = left.into_iter().chain(right).find(|kind| *kind != Kind::Number)?;
            let join = if operator == "+" && other == Kind::Text { "; to join text, write `~`" } else { "" };
            Some(format!("computes with {other}: wanted numbers{join}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(parts: &[&str]) -> Option<Kind> {
        match parts {
            ["n"] => Some(Kind::Number),
            ["t"] => Some(Kind::Text),
            ["b"] => Some(Kind::Bool),
            ["l"] => Some(Kind::List),
            ["m"] => Some(Kind::Map),
            _ => None,
        }
    }

    fn kind(text: &str) -> Option<Kind> {
        let (kind, mistake) = infer(text, &name);
        assert_eq!(mistake, None, "{text}");
        kind
    }

    fn mistake(text: &str) -> String {
        infer(text, &name).1.map_or_else(String::new, |mistake| mistake.2)
    }

    #[test]
    fn the_kind_follows_from_names_literals_and_operators() {
        for (text, wanted) in [
            ("n + 1.5 * -2 ** n", Kind::Number),
            ("\"yes\"", Kind::Text),
            ("t ~ n", Kind::Text),
            ("n < 3 and not l or t in l", Kind::Bool),
            ("n is not divisible_by(divisor=n + 1) == b", Kind::Bool),
            ("b if n >= 2 else n != 3", Kind::Bool),
            ("[n, 'x',]", Kind::List),
            ("{'a': n, 'b': [1]}", Kind::Map),
            ("(l) | length - 1", Kind::Number),
            ("t | default(value='x') | upper", Kind::Text),
            ("t | split(pat=',')", Kind::List),
            ("not n not in l", Kind::Bool),
        ] {
            assert_eq!(kind(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn nothing_is_said_of_what_may_be_of_several_kinds_or_is_not_understood() {
        for text in [
            "x",
            "m.a",
            "m?.a",
            "l[0]",
            "l[0:2]",
            "(l)[n]",
            "n or t",
            "t if b else n",
            "x | default(value=1)",
            "l | first",
            "none",
            "...l",
            "f(x=1)",
            "n +",
            "x + 1 < y",
            "t < x",
            "-x | int + x[0] - l[1]",
        ] {
            let known = matches!(text, "x + 1 < y" | "t < x" | "-x | int + x[0] - l[1]");
            assert_eq!(kind(text).is_some(), known, "{text}");
        }
        assert_eq!(kind(&"(".repeat(100_000)), None);
    }

    #[test]
    fn what_cannot_work_whatever_the_values_are_is_named() {
        assert_eq!(mistake("1/0"), "`1/0` divides by 0");
        assert_eq!(mistake("b and n % 0 == 1"), "`n % 0` divides by 0");
        assert_eq!(mistake("1 / 0.5"), "");
        assert_eq!(mistake("t + 'x'"), "`t + 'x'` computes with a string: wanted numbers; to join text, write `~`");
        assert_eq!(mistake("n < t"), "`n < t` compares a number with a string");
        assert_eq!(mistake("t in n"), "`t in n` looks into a number: wanted a list, a mapping or a string");
        assert_eq!(mistake("-l"), "`-l` computes with a list: wanted numbers");
        assert_eq!(mistake("t <= '5m'"), "");
    }
}
