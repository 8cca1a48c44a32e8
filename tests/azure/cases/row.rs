//! The rows of the table: an action with parameters, and what is special about it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use drctl::actions::azure::all;
use drctl::catalogue::Effect;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Who is asked in all rows.
pub(crate) const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";

/// An action with its parameters.
pub(crate) struct Row {
    /// What it is called in the table: the action, and what tells it from its other rows.
    pub(crate) label: String,
    /// The action.
    pub(crate) action: String,
    /// All its parameters.
    pub(crate) with: Map<String, Value>,
    /// What repeating it does.
    pub(crate) effect: Effect,
    /// What is special about it.
    pub(crate) special: Special,
}

/// What is special about a row.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Special {
    /// Parameters in place of the example's.
    pub(crate) with: Map<String, Value>,
    /// What is there, beside what the action implies.
    pub(crate) resources: Vec<Value>,
    /// The side that may not be asked.
    pub(crate) wrong_side: Option<WrongSide>,
    /// Cases that it does not pass, and why.
    pub(crate) excused: BTreeMap<String, String>,
}

/// The side that may not be asked.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrongSide {
    /// What makes the resource that the action names the wrong side.
    pub(crate) resources: Vec<Value>,
    /// What the action says then.
    pub(crate) says: String,
    /// The code with which the service refuses what the action would have sent.
    pub(crate) code: String,
}

/// An example of `requests/*.yaml`, as far as it is of use here.
#[derive(Deserialize)]
struct Example {
    action: String,
    with: Map<String, Value>,
}

/// Every example of an action that changes something.
pub(crate) fn rows() -> Vec<Row> {
    let mut special: BTreeMap<String, Special> = serde_yaml::from_str(include_str!("../cases.yaml")).unwrap();
    let examples = examples();
    let mut rows: Vec<Row> = examples.iter().filter_map(|example| row(example, &examples, &mut special)).collect();
    assert!(special.is_empty(), "`cases.yaml` names rows that are none: {:?}", special.keys());
    rows.sort_by(|one, other| one.label.cmp(&other.label));
    rows
}

fn row(example: &Example, all: &[Example], special: &mut BTreeMap<String, Special>) -> Option<Row> {
    let effect = effect(&example.action, &example.with);
    if effect == Effect::Reads {
        return None;
    }
    let siblings: Vec<&Example> = all
        .iter()
        .filter(|other| other.action == example.action && self::effect(&other.action, &other.with) != Effect::Reads)
        .collect();
    let label = label(example, &siblings);
    let special = special.remove(&label).unwrap_or_default();
    let mut with = json!({ "subscription": SUBSCRIPTION, "resource_group": "rg" }).as_object().unwrap().clone();
    with.extend(example.with.clone());
    with.extend(special.with.clone());
    Some(Row { label, action: example.action.clone(), with, effect, special })
}

/// The action, and the parameters that tell the example from others of the same action.
fn label(example: &Example, siblings: &[&Example]) -> String {
    let names: BTreeSet<&String> = siblings.iter().flat_map(|one| one.with.keys()).collect();
    let differing =
        names.into_iter().filter(|name| siblings.iter().any(|one| one.with.get(*name) != example.with.get(*name)));
    let scalars = differing.filter_map(|name| match example.with.get(name)? {
        Value::String(text) if !text.contains('/') => Some(format!("{name} {text}")),
        value @ (Value::Bool(_) | Value::Number(_)) => Some(format!("{name} {value}")),
        _ => None,
    });
    let told: Vec<String> = scalars.collect();
    if told.is_empty() { example.action.clone() } else { format!("{} ({})", example.action, told.join(", ")) }
}

fn effect(action: &str, with: &Map<String, Value>) -> Effect {
    let operation = all().into_iter().find(|operation| operation.spec().name == action);
    (operation.unwrap_or_else(|| panic!("no `{action}`")).spec().effect)(with)
}

fn examples() -> Vec<Example> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/azure/requests");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: &std::path::PathBuf| -> Vec<Example> {
        serde_yaml::from_str(&fs::read_to_string(file).unwrap()).unwrap_or_else(|error| panic!("{file:?}: {error}"))
    };
    files.iter().flat_map(read).collect()
}
