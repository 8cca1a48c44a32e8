//! What a scalar without quotes is, by the core schema of YAML 1.2.

/// A plain scalar's meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text,
}

/// A plain scalar that is a trap: what is wrong, and what to write.
pub(super) type Trap = (&'static str, String);

pub(super) fn plain(text: &str) -> Result<Scalar, Trap> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Scalar::Null),
        "true" | "True" | "TRUE" => return Ok(Scalar::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Scalar::Bool(false)),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return Ok(Scalar::Text);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return radix(text, octal, 8);
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return radix(text, hex, 16);
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        if digits.len() > 1 && digits.starts_with('0') {
            return Err((
                "leading-zero",
                format!("write `\"{text}\"` for text, or `0o{}` for an octal number", digits.trim_start_matches('0')),
            ));
        }
        return text.parse().map(Scalar::Int).map_err(|_| too_large(text));
    }
    float(text, digits)
}

fn radix(text: &str, digits: &str, radix: u32) -> Result<Scalar, Trap> {
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Ok(Scalar::Text);
    }
    i64::from_str_radix(digits, radix).map(Scalar::Int).map_err(|_| too_large(text))
}

fn float(text: &str, digits: &str) -> Result<Scalar, Trap> {
    if matches!(digits, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return Err(("number", format!("`{text}` is not a finite number; write `\"{text}\"` for text")));
    }
    let (mantissa, exponent) =
        digits.split_once(['e', 'E']).map_or((digits, None), |(mantissa, exponent)| (mantissa, Some(exponent)));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = !whole.is_empty() || !part.is_empty();
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    if !(has_digits && all_digits(whole) && all_digits(part) && exponent_fits) {
        return Ok(Scalar::Text);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Scalar::Float(number)),
        _ => Err(too_large(text)),
    }
}

fn too_large(text: &str) -> Trap {
    ("number", format!("`{text}` is too large a number; write `\"{text}\"` for text"))
}
