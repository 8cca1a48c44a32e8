//! A short way to write what a body holds, for the tables made by hand.
//!
//! `"string"`, `"integer"`, `"boolean"`, `"object"` name a type, `"any"` none, `"=A|B"` the words it may be;
//! `[x]` is a list of x; `{"a*": x, "b": y}` has `a` and may have `b` and nothing else; `{"*": x}` has any keys.

use serde_json::{Map, Value, json};

/// The JSON Schema of what is written in that way.
pub fn schema(shape: &Value) -> Value {
    match shape {
        Value::String(word) => match (word.as_str(), word.strip_prefix('=')) {
            (_, Some(words)) => json!({"enum": words.split('|').collect::<Vec<_>>()}),
            ("any", None) => json!({}),
            (kind, None) => json!({"type": kind}),
        },
        Value::Array(items) => json!({"type": "array", "items": schema(&items[0])}),
        Value::Object(keys) => match keys.get("*") {
            Some(value) => json!({"type": "object", "additionalProperties": schema(value)}),
            None => object(keys),
        },
        other => panic!("not a shape: {other}"),
    }
}

/// The JSON Schema of an object that has these keys and no others.
pub fn object(keys: &Map<String, Value>) -> Value {
    let bare = |key: &String| key.trim_end_matches('*').to_owned();
    let properties: Map<String, Value> = keys.iter().map(|(key, shape)| (bare(key), schema(shape))).collect();
    let required: Vec<String> = keys.keys().filter(|key| key.ends_with('*')).map(bare).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}
