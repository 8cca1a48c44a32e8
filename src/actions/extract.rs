//! Outputs that a step declares and `http` reads from an answer.

use serde_json::{Map, Value};

use super::expect;
use super::params::masked;
use crate::catalogue::Type;
use crate::edge::http::Answer;
use crate::edge::secrets::Secrets;

/// Whether `extract` gives what the step declares, no more and no less. `fixed` are outputs there anyway.
pub(super) fn check(
    paths: &Map<String, Value>,
    declared: &[(String, Type)],
    fixed: impl Fn(&str) -> bool,
) -> Result<(), String> {
    if let Some((name, _)) = declared.iter().find(|(name, _)| !fixed(name) && !paths.contains_key(name)) {
        return Err(format!("the step declares the output `{name}`, which `extract` does not name"));
    }
    match paths.keys().find(|name| !declared.iter().any(|(declared, _)| declared == *name)) {
        Some(name) => {
            Err(format!("`extract` names the output `{name}`, which the step does not declare under `outputs`"))
        }
        None => Ok(()),
    }
}

/// The outputs, each of its declared type, secrets masked.
pub(super) fn outputs(
    paths: &Map<String, Value>,
    declared: &[(String, Type)],
    (answer, secrets): (&Answer, &Secrets),
) -> Result<Map<String, Value>, String> {
    if paths.is_empty() {
        return Ok(Map::new());
    }
    let body = expect::json(answer)?;
    let mut outputs = Map::new();
    for (name, path) in paths {
        let of = |problem| format!("of the output `{name}`: {problem}");
        let value = expect::select(&body, path.as_str().unwrap_or_default()).map_err(of)?;
        let value = masked(secrets, value.clone());
        if let Some((_, kind)) = declared.iter().find(|(declared, _)| declared == name) {
            kind.check(&value).map_err(of)?;
        }
        outputs.insert(name.clone(), value);
    }
    Ok(outputs)
}
