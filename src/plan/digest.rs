//! Digests that approvals and pins bind to: SHA-256 over a canonical JSON.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of some bytes, as 64 hex digits.
#[must_use]
pub fn of_bytes(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").ok();
        text
    })
}

/// The digest of a value; the order of a mapping's keys does not matter.
#[must_use]
pub fn of_value(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    of_bytes(text.as_bytes())
}

/// How much of a digest a person is shown and may type.
#[must_use]
pub fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(entries) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by_key(|(key, _)| key.as_str());
            text.push('{');
            for (key, value) in sorted {
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_keys_does_not_matter_and_everything_else_does() {
        assert_eq!(of_value(&json!({"a": 1, "b": [2]})), of_value(&json!({"b": [2], "a": 1})));
        for other in [json!({"a": 1, "b": [3]}), json!({"a": "1", "b": [2]}), json!({"a": 1}), json!([{"a": 1}])] {
            assert_ne!(of_value(&json!({"a": 1, "b": [2]})), of_value(&other));
        }
    }
}
