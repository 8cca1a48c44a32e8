//! The items of a `for_each`: what may stand there, and the key of each.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// The most items a `for_each` may have.
const MOST_ITEMS: usize = 1_000;

/// The key and the `item` of each instance: of a list of text or numbers, of a list of mappings with `key`, or of a
/// mapping.
///
/// # Errors
/// What cannot be an item or a key, or that there are too many.
pub fn items(value: &Value) -> Result<Vec<(String, Value)>, String> {
    let items: Vec<(String, Value)> = match value {
        Value::Array(items) => {
            items.iter().map(|item| Ok((key_of(item)?, item.clone()))).collect::<Result<_, String>>()?
        }
        Value::Object(entries) => {
            entries.iter().map(|(key, value)| (key.clone(), json!({ "key": key, "value": value }))).collect()
        }
        other => {
            return Err(format!("wanted a list or a mapping, found {}", crate::catalogue::found(other)));
        }
    };
    if items.len() > MOST_ITEMS {
        return Err(format!("{} items, at most {MOST_ITEMS} are allowed", items.len()));
    }
    let mut seen = BTreeSet::new();
    for (key, _) in &items {
        check(key)?;
        if !seen.insert(key) {
            return Err(format!("the key `{key}` stands there twice"));
        }
    }
    Ok(items)
}

/// An instance is called `step[key]`, and has a folder of that name.
fn check(key: &str) -> Result<(), String> {
    let cannot = |c: char| c.is_control() || "[]/\\".contains(c);
    if key.is_empty() || key.len() > 100 || key.chars().any(cannot) {
        let key: String = key.chars().take(100).flat_map(char::escape_default).collect();
        return Err(format!("`{key}` cannot be a key: 1 to 100 characters, none of `[ ] / \\`"));
    }
    Ok(())
}

fn key_of(item: &Value) -> Result<String, String> {
    match item {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Object(entries) => match entries.get("key") {
            Some(Value::String(key)) => Ok(key.clone()),
            Some(other) => {
                Err(format!("wanted text as the `key` of an item, found {}", crate::catalogue::found(other)))
            }
            None => Err("an item that is a mapping needs a `key`".to_owned()),
        },
        other => Err(format!("wanted items with a name, found {}", crate::catalogue::found(other))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_have_keys_that_differ_and_can_be_names() {
        let keys = |value: Value| items(&value).map(|items| items.into_iter().map(|(key, _)| key).collect::<Vec<_>>());
        let keys_of = |keys: &[&str]| Ok(keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
        assert_eq!(keys(json!(["a", 1, { "key": "c" }])), keys_of(&["a", "1", "c"]));
        assert_eq!(keys(json!({ "a": 1, "b": 2 })), keys_of(&["a", "b"]));
        assert_eq!(items(&json!({ "a": 1 })), Ok(vec![("a".to_owned(), json!({ "key": "a", "value": 1 }))]));
        assert_eq!(keys(json!(vec![0; 1_001])), Err("1001 items, at most 1000 are allowed".to_owned()));
        assert_eq!(keys(json!(["1", 1])), Err("the key `1` stands there twice".to_owned()));
        assert_eq!(
            keys(json!(["a[0]"])),
            Err("`a[0]` cannot be a key: 1 to 100 characters, none of `[ ] / \\`".to_owned())
        );
        assert_eq!(keys(json!([{ "name": "a" }])), Err("an item that is a mapping needs a `key`".to_owned()));
        assert_eq!(keys(json!([[]])), Err("wanted items with a name, found a list".to_owned()));
        assert_eq!(
            keys(json!([{ "key": 1 }])),
            Err("wanted text as the `key` of an item, found the number `1`".to_owned())
        );
        assert_eq!(keys(json!(3)), Err("wanted a list or a mapping, found the number `3`".to_owned()));
    }
}
