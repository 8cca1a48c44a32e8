//! The inputs of a run: from `--set`, `--vars`, defaults. Secrets are read elsewhere.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use crate::actions::manual::parse_answer;
use crate::catalogue::Type;
use crate::diag::{Sources, closest};
use crate::runbook::ast::{Input, Runbook};
use crate::runbook::source;

/// Resolves the inputs of a runbook: `given` (`--set`) wins over `vars` (`--vars`), which wins over defaults.
///
/// # Errors
/// All problems, a sentence each.
pub fn resolve(
    runbook: &Runbook,
    given: &[(String, String)],
    vars: &Map<String, Value>,
) -> Result<Map<String, Value>, Vec<String>> {
    resolve_among(runbook, &runbook.inputs.iter().collect::<Vec<_>>(), given, vars)
}

/// The inputs as far as they are known before a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Those given, and the defaults of the others.
    pub values: Map<String, Value>,
    /// The names of those that are needed and not given.
    pub missing: Vec<String>,
}

/// The inputs of a runbook as far as they are known.
///
/// # Errors
/// What is wrong with what was given, a sentence each.
pub fn known(runbook: &Runbook, given: &[(String, String)]) -> Result<Known, Vec<String>> {
    let is_given = |input: &Input| given.iter().any(|(name, _)| *name == input.name.value);
    let is_known = |input: &&Input| input.kind == Type::Secret || input.default.is_some() || is_given(input);
    let (known, missing): (Vec<&Input>, Vec<&Input>) = runbook.inputs.iter().partition(is_known);
    let values = resolve_among(runbook, &known, given, &Map::new())?;
    Ok(Known { values, missing: missing.into_iter().map(|input| input.name.value.clone()).collect() })
}

fn resolve_among(
    runbook: &Runbook,
    among: &[&Input],
    given: &[(String, String)],
    vars: &Map<String, Value>,
) -> Result<Map<String, Value>, Vec<String>> {
    let mut inputs = Map::new();
    let mut problems = Vec::new();
    let known: Vec<&str> = runbook.inputs.iter().map(|input| input.name.value.as_str()).collect();
    let names = given.iter().map(|(name, _)| name).chain(vars.keys());
    for name in names.filter(|name| !known.contains(&name.as_str())) {
        let meant =
            closest(name, known.iter().copied()).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        problems.push(format!("runbook `{}` has no input `{name}`{meant}", runbook.name.value));
    }
    for input in among {
        match value_of(input, given, vars) {
            Ok(Some(value)) => drop(inputs.insert(input.name.value.clone(), value)),
            // A secret: where it is read, the plan knows.
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(inputs) } else { Err(problems) }
}

fn value_of(input: &Input, given: &[(String, String)], vars: &Map<String, Value>) -> Result<Option<Value>, String> {
    let name = &input.name.value;
    let text = given.iter().rev().find(|(key, _)| key == name).map(|(_, text)| text);
    if input.kind == Type::Secret {
        let set = text.is_some() || vars.contains_key(name);
        let problem = format!(
            "`{name}` is a secret: it comes from where the runbook says, never from the command line or a file of values"
        );
        return if set { Err(problem) } else { Ok(None) };
    }
    let value = match (text, vars.get(name), &input.default) {
        (Some(text), ..) => from_text(&input.kind, text),
        (None, Some(value), _) | (None, None, Some(value)) => value.clone(),
        (None, None, None) => {
            return Err(format!("input `{name}` ({}) is needed: give it with `--set {name}=VALUE`", input.kind));
        }
    };
    input.kind.check(&value).map_err(|problem| format!("input `{name}`: {problem}"))?;
    refuse_control_characters(name, &value)?;
    Ok(Some(value))
}

/// What was typed, as a value of the type; what does not fit stays text, for the check to name.
#[must_use]
pub fn from_text(kind: &Type, text: &str) -> Value {
    let parsed = || serde_json::from_str(text).ok();
    let typed = match kind {
        Type::Int | Type::Between(..) | Type::Number | Type::Bool | Type::Map(_) | Type::Record(_) => parsed(),
        Type::List(of) if !text.trim_start().starts_with('[') => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(items.map(|item| from_text(of, item)).collect())
        }
        Type::List(_) => parsed(),
        Type::Any => Some(parsed().unwrap_or_else(|| Value::String(text.to_owned()))),
        Type::String | Type::Duration | Type::Moment | Type::Enum(_) | Type::Secret => None,
    };
    typed.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn refuse_control_characters(name: &str, value: &Value) -> Result<(), String> {
    match value {
        Value::String(text) if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') => {
            Err(format!("input `{name}` has a control character in it"))
        }
        Value::Array(items) => items.iter().try_for_each(|item| refuse_control_characters(name, item)),
        _ => Ok(()),
    }
}

/// Reads a file of values (`--vars`): a YAML mapping.
///
/// # Errors
/// The file's problems, rendered.
pub fn read_vars(file: &Path) -> Result<Map<String, Value>, String> {
    let bytes = std::fs::read(file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
    let mut sources = Sources::default();
    let rendered = |sources: &Sources, found: &[crate::diag::Diagnostic]| {
        crate::diag::render(found, sources, crate::diag::Format::Human, false)
    };
    let source = source::decode(&mut sources, &file.display().to_string(), &bytes)
        .map_err(|found| rendered(&Sources::default(), &found))?;
    let (document, found) = source::parse(&sources, source);
    match document.map(|document| document.to_json(document.root())) {
        Some(Value::Object(values)) if found.is_empty() => Ok(values),
        _ if !found.is_empty() => Err(rendered(&sources, &found)),
        _ => Err(format!("`{}`: wanted a mapping from inputs to values", file.display())),
    }
}

/// Reads `NAME=VALUE`.
///
/// # Errors
/// A sentence that says what was wanted.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("wanted `NAME=VALUE`, found `{text}`"))?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// Answers given by name, read as at a prompt where the type of a name is known.
#[must_use]
pub fn typed(given: &[(String, String)], kinds: &BTreeMap<String, Type>) -> Map<String, Value> {
    let value = |name, text: &str| match kinds.get(name) {
        Some(kind) => parse_answer(text, kind).unwrap_or_else(|_| from_text(kind, text)),
        None => Value::from(text),
    };
    given.iter().map(|(name, text)| (name.clone(), value(name, text))).collect()
}
