//! Reading parameters and saying things about them.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Failure;
use crate::edge::secrets::Secrets;

/// The parameters as a struct. They were checked against the spec, so that it fails only if the two disagree.
pub(crate) fn read<T: DeserializeOwned>(with: &Map<String, Value>) -> Result<T, Failure> {
    T::deserialize(with).map_err(|error| Failure::Failed(format!("the parameters cannot be read: {error}")))
}

/// How messages name a URL: as it was written, without its query, secrets masked.
pub(crate) fn shown_url(secrets: &Secrets, url: &str) -> String {
    let masked = secrets.mask(url);
    masked.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// `value` with the secrets in all its texts masked.
pub(crate) fn masked(secrets: &Secrets, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(secrets.mask(&text)),
        Value::Array(items) => items.into_iter().map(|item| masked(secrets, item)).collect(),
        Value::Object(entries) => {
            entries.into_iter().map(|(key, item)| (secrets.mask(&key), masked(secrets, item))).collect()
        }
        other => other,
    }
}

/// A value as a preview shows it: text bare, everything else as JSON.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// ` name: value` for each entry of the mapping `name`.
pub(crate) fn entries<'a>(
    with: &'a Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    with.get(name).and_then(Value::as_object).into_iter().flatten()
}

/// A URL that names a scheme other than http and https. Whatever names none may be a reference to a secret.
pub(crate) fn url_rule(with: &Map<String, Value>, name: &str) -> Result<(), String> {
    let text = with.get(name).and_then(Value::as_str).unwrap_or_default();
    match text.split_once("://") {
        Some((scheme, _)) if !matches!(scheme, "http" | "https") => {
            Err(format!("at `{name}`: wanted a URL that starts with `http://` or `https://`, found `{text}`"))
        }
        _ if text.is_empty() && with.contains_key(name) => Err(format!("at `{name}`: wanted a URL, found nothing")),
        _ => Ok(()),
    }
}
