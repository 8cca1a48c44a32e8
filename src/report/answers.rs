//! Reads what a person types as a value of the type that was asked for.

use serde_json::Value;

use crate::catalogue::Type;

/// `text` as a value of type `wanted`.
///
/// Words stand for themselves; a list is items with commas between them, or JSON; mappings are JSON.
///
/// # Errors
/// A fragment: what was wanted, what was found.
pub fn parse_answer(text: &str, wanted: &Type) -> Result<Value, String> {
    let text = text.trim();
    let value = match wanted {
        Type::String | Type::Secret | Type::Enum(_) | Type::Duration | Type::Moment => Value::String(text.to_owned()),
        Type::Bool => truth(text),
        Type::List(of) if !text.starts_with('[') => list(text, of)?,
        Type::Any => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
        _ => serde_json::from_str(text).map_err(|_| format!("wanted {wanted}, found `{text}`"))?,
    };
    wanted.check(&value)?;
    Ok(value)
}

fn truth(text: &str) -> Value {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "y" | "true" => Value::Bool(true),
        "no" | "n" | "false" => Value::Bool(false),
        _ => Value::String(text.to_owned()),
    }
}

fn list(text: &str, of: &Type) -> Result<Value, String> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(|item| parse_answer(item, of)).collect()
}

/// An example of what to type, for the question.
#[must_use]
pub(super) fn hint(wanted: &Type) -> String {
    match wanted {
        Type::Bool => "yes or no".to_owned(),
        Type::Duration => "a duration such as `5m`".to_owned(),
        Type::List(_) => format!("{wanted}, with commas between"),
        Type::Map(_) | Type::Record(_) => format!("{wanted}, as JSON"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn typed_text_becomes_a_value_of_the_type_asked_for() {
        let words = Type::Enum(vec!["planned".to_owned(), "unplanned".to_owned()]);
        for (text, wanted, value) in [
            (" INC-42 ", Type::String, json!("INC-42")),
            ("42", Type::String, json!("42")),
            ("42", Type::Int, json!(42)),
            ("4.5", Type::Number, json!(4.5)),
            ("Yes", Type::Bool, json!(true)),
            ("false", Type::Bool, json!(false)),
            ("1h30m", Type::Duration, json!("1h30m")),
            ("planned", words, json!("planned")),
            ("a, b,", Type::strings(), json!(["a", "b"])),
            ("", Type::strings(), json!([])),
            ("[\"a,b\"]", Type::strings(), json!(["a,b"])),
            ("1, 2", Type::List(Box::new(Type::Int)), json!([1, 2])),
            ("{\"a\": 1}", Type::Map(Box::new(Type::Int)), json!({"a": 1})),
            ("free", Type::Any, json!("free")),
        ] {
            assert_eq!(parse_answer(text, &wanted), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_says_what_was_wanted() {
        for (text, wanted, problem) in [
            ("many", Type::Int, "wanted an int, found `many`"),
            ("4.5", Type::Int, "wanted an int, found the number `4.5`"),
            ("maybe", Type::Bool, "wanted a bool, found the string `maybe`"),
            ("soon", Type::Duration, "wanted a duration such as `30s`, `5m` or `1h30m`, found `soon`"),
            ("x", Type::List(Box::new(Type::Int)), "wanted an int, found `x`"),
        ] {
            assert_eq!(parse_answer(text, &wanted), Err(problem.to_owned()), "{text}");
        }
    }
}
