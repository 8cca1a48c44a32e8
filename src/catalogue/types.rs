//! The types of values in a runbook: inputs, parameters and outputs share one small language.

use std::fmt;

use serde_json::Value;

use super::{HumanDuration, Timestamp};

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Any value at all.
    Any,
    /// Text.
    String,
    /// A whole number.
    Int,
    /// A whole number from the first to the second.
    Between(i64, i64),
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// A length of time, such as `5m`.
    Duration,
    /// A point in time, such as `2026-11-20T23:37:00Z`.
    Moment,
    /// One of these words.
    Enum(Vec<String>),
    /// A list whose items have this type.
    List(Box<Self>),
    /// A mapping from text to values of this type.
    Map(Box<Self>),
    /// A mapping with these fields and no others.
    Record(&'static [super::Field]),
    /// A value that is never shown: only its name travels.
    Secret,
}

impl Type {
    /// A list of text.
    #[must_use]
    pub fn strings() -> Self {
        Self::List(Box::new(Self::String))
    }

    /// Reads the name of a simple type, as in `outputs: { incident: string }`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "any" => Self::Any,
            "string" => Self::String,
            "int" => Self::Int,
            "number" => Self::Number,
            "bool" => Self::Bool,
            "duration" => Self::Duration,
            "list" => Self::List(Box::new(Self::Any)),
            "map" => Self::Map(Box::new(Self::Any)),
            _ => return None,
        })
    }

    /// Whether `value` is of this type; if not, what was wanted and what was found, as a fragment
    /// such as ``wanted an int, found the string `many` ``. A nested place is named: `` at `headers.x` ``.
    ///
    /// # Errors
    /// The fragment.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        let wanted = || Err(format!("wanted {self}, found {}", found(value)));
        match (self, value) {
            (Self::Any, _)
            | (Self::String, Value::String(_))
            | (Self::Number, Value::Number(_))
            | (Self::Bool, Value::Bool(_))
            | (Self::Secret, Value::String(_)) => Ok(()),
            (Self::Int, Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(()),
            (Self::Between(from, to), Value::Number(number))
                if number.as_i64().is_some_and(|number| (*from..=*to).contains(&number)) =>
            {
                Ok(())
            }
            (Self::Duration, Value::String(text)) => HumanDuration::parse(text).map(drop),
            (Self::Moment, Value::String(text)) => Timestamp::parse(text).map(drop),
            (Self::Enum(words), Value::String(text)) if words.contains(text) => Ok(()),
            (Self::List(of), Value::Array(items)) => (0..).zip(items).try_for_each(|(index, item)| {
                of.check(item).map_err(|problem: String| at(&format!("[{index}]"), &problem))
            }),
            (Self::Map(of), Value::Object(entries)) => {
                entries.iter().try_for_each(|(key, item)| of.check(item).map_err(|problem| at(key, &problem)))
            }
            (Self::Record(fields), Value::Object(entries)) => super::spec::check_fields(fields, entries),
            _ => wanted(),
        }
    }
}

impl Type {
    /// The value as this type takes it: where text is wanted, numbers and bools become text.
    #[must_use]
    pub fn settle(&self, value: Value) -> Value {
        match (self, value) {
            (Self::String, Value::Number(number)) => Value::String(number.to_string()),
            (Self::String, Value::Bool(flag)) => Value::String(flag.to_string()),
            (Self::List(of), Value::Array(items)) => items.into_iter().map(|item| of.settle(item)).collect(),
            (Self::Map(of), Value::Object(entries)) => {
                Value::Object(entries.into_iter().map(|(key, item)| (key, of.settle(item))).collect())
            }
            (Self::Record(fields), Value::Object(entries)) => {
                let settled = entries.into_iter().map(|(key, item)| {
                    let kind = fields.iter().find(|field| field.name == key).map(|field| (field.kind)());
                    let item = kind.map_or_else(|| item.clone(), |kind| kind.settle(item.clone()));
                    (key, item)
                });
                Value::Object(settled.collect())
            }
            (_, value) => value,
        }
    }
}

/// Prefixes the place of a nested problem.
pub(super) fn at(place: &str, problem: &str) -> String {
    match problem.strip_prefix("at `") {
        Some(rest) if rest.starts_with('[') => format!("at `{place}{rest}"),
        Some(rest) => format!("at `{place}.{rest}"),
        None => format!("at `{place}`: {problem}"),
    }
}

/// Names a value for a message: ``the string `many` ``, `a list`.
#[must_use]
pub fn found(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(flag) => format!("the bool `{flag}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) => {
            let short: String = text.chars().take(40).collect();
            let dots = if short.len() < text.len() { "..." } else { "" };
            format!("the string `{short}{dots}`")
        }
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any value"),
            Self::String => f.write_str("a string"),
            Self::Int => f.write_str("an int"),
            Self::Between(from, i64::MAX) => write!(f, "an int of at least {from}"),
            Self::Between(from, to) => write!(f, "an int from {from} to {to}"),
            Self::Number => f.write_str("a number"),
            Self::Bool => f.write_str("a bool"),
            Self::Duration => f.write_str("a duration"),
            Self::Moment => f.write_str("a time such as `2026-11-20T23:37:00Z`"),
            Self::Enum(words) => {
                let ticked: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                write!(f, "one of {}", ticked.join(", "))
            }
            Self::List(of) if **of == Self::Any => f.write_str("a list"),
            Self::List(of) => write!(f, "a list of {}", plural(of)),
            Self::Map(_) | Self::Record(_) => f.write_str("a mapping"),
            Self::Secret => f.write_str("a secret"),
        }
    }
}

fn plural(of: &Type) -> String {
    match of {
        Type::String => "strings".to_owned(),
        Type::Int => "ints".to_owned(),
        Type::Record(_) | Type::Map(_) => "mappings".to_owned(),
        other => format!("({other})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_become_text_where_text_is_wanted() {
        let of = Type::Map(Box::new(Type::strings()));
        assert_eq!(of.settle(json!({"a": [1, true, "x"]})), json!({"a": ["1", "true", "x"]}));
        assert_eq!(Type::strings().settle(json!("x")), json!("x"));
    }

    #[test]
    fn a_number_lies_within_its_range_and_a_moment_is_one() {
        let (place, count) = (Type::Between(1, 1000), Type::Between(0, i64::MAX));
        assert_eq!(
            [place.check(&json!(1)), place.check(&json!(1000)), count.check(&json!(0))],
            [Ok(()), Ok(()), Ok(())]
        );
        for (kind, value, problem) in [
            (&place, json!(0), "wanted an int from 1 to 1000, found the number `0`"),
            (&place, json!(1001), "wanted an int from 1 to 1000, found the number `1001`"),
            (&place, json!(1.5), "wanted an int from 1 to 1000, found the number `1.5`"),
            (&count, json!(-1), "wanted an int of at least 0, found the number `-1`"),
            (&Type::Moment, json!("yesterday"), "wanted a time such as `2026-11-20T23:37:00Z`, found `yesterday`"),
            (&Type::Moment, json!(7), "wanted a time such as `2026-11-20T23:37:00Z`, found the number `7`"),
        ] {
            assert_eq!(kind.check(&value), Err(problem.to_owned()));
        }
        assert_eq!(Type::Moment.check(&json!("2026-11-20T23:37:00.1234567+01:00")), Ok(()));
    }

    #[test]
    fn a_nested_mismatch_names_its_place() {
        let of = Type::Map(Box::new(Type::strings()));
        assert_eq!(of.check(&json!({"a": ["x"]})), Ok(()));
        assert_eq!(
            of.check(&json!({"a": ["x", 3]})),
            Err("at `a[1]`: wanted a string, found the number `3`".to_owned())
        );
    }
}
