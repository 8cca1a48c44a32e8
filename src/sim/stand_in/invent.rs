//! Outputs for which nobody gave a value: one of their type, always the same.

use serde_json::{Map, Value, json};

use crate::catalogue::Type;

/// A value of the type.
fn value(name: &str, kind: &Type) -> Value {
    match kind {
        Type::Any | Type::String | Type::Secret => json!(format!("simulated {name}")),
        Type::Int | Type::Number => json!(1),
        Type::Between(from, _) => json!(from),
        Type::Moment => json!("2026-01-01T00:00:00Z"),
        Type::Bool => json!(true),
        Type::Duration => json!("1m"),
        Type::Enum(words) => json!(words.first()),
        Type::List(_) => json!([]),
        Type::Map(_) | Type::Record(_) => json!({}),
    }
}

/// The outputs declared, from those `given`; the rest is invented, and named.
pub(crate) fn outputs(declared: &[(String, Type)], given: &Map<String, Value>) -> (Map<String, Value>, Vec<String>) {
    let (mut outputs, mut invented) = (Map::new(), Vec::new());
    for (name, kind) in declared {
        let value = given.get(name).cloned().unwrap_or_else(|| {
            invented.push(name.clone());
            value(name, kind)
        });
        outputs.insert(name.clone(), value);
    }
    (outputs, invented)
}
