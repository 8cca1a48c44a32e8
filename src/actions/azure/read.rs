//! Reading what Azure answered. An absent field is empty: nobody answers with all of them.

use serde_json::Value;

/// The text at a JSON pointer; empty where there is none.
#[must_use]
pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Whether the text at a JSON pointer is this word, in whatever case.
#[must_use]
pub(super) fn is(value: &Value, pointer: &str, word: &str) -> bool {
    text(value, pointer).eq_ignore_ascii_case(word)
}

/// The number at a JSON pointer.
#[must_use]
pub(super) fn int(value: &Value, pointer: &str) -> Option<i64> {
    value.pointer(pointer).and_then(Value::as_i64)
}

/// The yes or no at a JSON pointer.
#[must_use]
pub(super) fn flag(value: &Value, pointer: &str) -> Option<bool> {
    value.pointer(pointer).and_then(Value::as_bool)
}

/// The items of a list at a JSON pointer.
#[must_use]
pub(super) fn items<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// What Azure writes as `Enabled` or `Disabled`.
#[must_use]
pub(super) fn enabled(yes: bool) -> &'static str {
    if yes { "Enabled" } else { "Disabled" }
}

/// The word as Azure writes it: `secondary` is `Secondary`, `primary_not_replicating` is `PrimaryNotReplicating`.
#[must_use]
pub(super) fn pascal(word: &str) -> String {
    word.split('_')
        .map(|part| {
            let mut letters = part.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
        })
        .collect()
}

/// Azure's word as runbooks write it: `PrimaryNotReplicating` is `primary_not_replicating`.
#[must_use]
pub(super) fn snake(word: &str) -> String {
    let mut out = String::new();
    for (at, letter) in word.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 && !out.ends_with('_') {
            out.push('_');
        }
        out.push(if letter == ' ' { '_' } else { letter.to_ascii_lowercase() });
    }
    out
}
