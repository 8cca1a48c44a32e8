//! What a plain scalar means: the core schema of YAML 1.2, without its traps.

use granit_parser::Tag;

use super::tree::Kind;

/// Why a plain scalar is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// `0755`: text, octal or decimal?
    LeadingZero,
    /// A whole number beyond 64 bits.
    TooLarge,
    /// `.inf`, `.nan`, or a number that overflows to them.
    NotFinite,
}

/// The kind of a plain scalar.
pub(super) fn resolve(text: &str) -> Result<Kind, Refusal> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Kind::Null),
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => return Ok(Kind::Bool),
        _ => {}
    }
    // Most text starts with a letter: that is enough to know it.
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.')) {
        return Ok(Kind::String);
    }
    if is_int(text) {
        let digits = text.trim_start_matches(['-', '+']);
        let is_decimal = digits.bytes().all(|byte| byte.is_ascii_digit());
        return match int(text) {
            _ if is_decimal && digits.len() > 1 && digits.starts_with('0') => Err(Refusal::LeadingZero),
            None => Err(Refusal::TooLarge),
            Some(_) => Ok(Kind::Int),
        };
    }
    if is_infinite(text) {
        return Err(Refusal::NotFinite);
    }
    if !is_float(text) {
        return Ok(Kind::String);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Kind::Float),
        _ => Err(Refusal::NotFinite),
    }
}

/// The kind of a scalar with a tag.
///
/// # Errors
/// A sentence: an unknown tag, or a text that the tag does not fit.
pub(super) fn tagged(text: &str, tag: &Tag) -> Result<Kind, String> {
    if tag.original() == "!" {
        return Ok(Kind::String);
    }
    let plain = resolve(text);
    match tag.core_suffix() {
        Some("str") => Ok(Kind::String),
        Some("null") if plain == Ok(Kind::Null) => Ok(Kind::Null),
        Some("bool") if plain == Ok(Kind::Bool) => Ok(Kind::Bool),
        Some("int") if plain == Ok(Kind::Int) => Ok(Kind::Int),
        Some("float") if plain.is_ok() && text.parse::<f64>().is_ok_and(f64::is_finite) => Ok(Kind::Float),
        Some("null" | "bool" | "int" | "float") => Err(format!("the text does not fit the tag `{}`", tag.original())),
        _ => Err(format!("the tag `{}` is not supported here", tag.original())),
    }
}

/// Whether a tag may stand before a list or a mapping.
pub(super) fn fits_collection(tag: &Tag, kind: Kind) -> bool {
    let name = if kind == Kind::Sequence { "seq" } else { "map" };
    tag.original() == "!" || tag.core_suffix() == Some(name)
}

/// The value of a whole number; `None` if it is none or does not fit.
pub(super) fn int(text: &str) -> Option<i64> {
    if let Some(digits) = text.strip_prefix("0o") {
        return i64::from_str_radix(digits, 8).ok();
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok();
    }
    text.parse().ok()
}

fn is_int(text: &str) -> bool {
    let all = |digits: &str, allowed: fn(char) -> bool| !digits.is_empty() && digits.chars().all(allowed);
    if let Some(digits) = text.strip_prefix("0o") {
        return all(digits, |digit| digit.is_digit(8));
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return all(digits, |digit| digit.is_ascii_hexdigit());
    }
    all(unsigned(text), |digit| digit.is_ascii_digit())
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let text = unsigned(text);
    let whole = digits(text);
    let mut rest = &text[whole..];
    let mut fraction = 0;
    if let Some(tail) = rest.strip_prefix('.') {
        fraction = digits(tail);
        rest = &tail[fraction..];
    }
    if whole + fraction == 0 {
        return false;
    }
    match rest.strip_prefix(['e', 'E']) {
        Some(exponent) => {
            let exponent = unsigned(exponent);
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
        None => rest.is_empty(),
    }
}

fn is_infinite(text: &str) -> bool {
    matches!(unsigned(text), ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_the_core_schema_says() {
        for (text, kind) in [
            ("", Kind::Null),
            ("~", Kind::Null),
            ("null", Kind::Null),
            ("nULL", Kind::String),
            ("True", Kind::Bool),
            ("yes", Kind::String),
            ("0", Kind::Int),
            ("-0", Kind::Int),
            ("+12", Kind::Int),
            ("0o17", Kind::Int),
            ("0o18", Kind::String),
            ("0xfF", Kind::Int),
            ("0x", Kind::String),
            ("-9223372036854775808", Kind::Int),
            ("1.10", Kind::Float),
            ("1.", Kind::Float),
            (".5", Kind::Float),
            ("-1e3", Kind::Float),
            ("1e", Kind::String),
            (".", Kind::String),
            ("-", Kind::String),
            ("1.2.3", Kind::String),
            ("12:30", Kind::String),
            ("1_000", Kind::String),
            ("30s", Kind::String),
        ] {
            assert_eq!(resolve(text), Ok(kind), "{text}");
        }
    }

    #[test]
    fn numbers_that_would_surprise_are_refused() {
        for (text, refusal) in [
            ("0755", Refusal::LeadingZero),
            ("-007", Refusal::LeadingZero),
            ("9223372036854775808", Refusal::TooLarge),
            ("0x8000000000000000", Refusal::TooLarge),
            (".inf", Refusal::NotFinite),
            ("-.INF", Refusal::NotFinite),
            (".NaN", Refusal::NotFinite),
            ("1e999", Refusal::NotFinite),
        ] {
            assert_eq!(resolve(text), Err(refusal), "{text}");
        }
    }
}
