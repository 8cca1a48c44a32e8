//! What no case has: parameters, values of parameters, calls.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use drctl::actions::azure::{Request, all};
use drctl::catalogue::{ActionSpec, Effect, Type};
use serde_json::{Map, Value};

use crate::played::Case;

/// What every case is played with: see [`Case::parameters`]; a credential only says whose token goes along.
const OF_ALL: [&str; 4] = ["subscription", "resource_group", "cloud", "credential"];

/// What no request shows: by its end, and why.
const UNSEEN: [(&str, &str); 5] = [
    (".is: ", "what was read is compared with it"),
    ("azure.waf_policy.state.mode: ", "what was read is compared with it"),
    ("azure.postgres.restore.point_in_time absent", "its rule wants it; the spec is MySQL's, too"),
    ("azure.deployment.what_if.template_file", "the runbook's reader puts what the file holds into `template`"),
    ("azure.deployment.deploy.template_file", "the runbook's reader puts what the file holds into `template`"),
];

/// What a case has to show of every action: each parameter, each word of those that take few, and each parameter that
/// may be absent, absent. A case of a change counts only where the change is sent.
pub(crate) fn shown_by_none(cases: &[Case]) -> Vec<String> {
    let mut shown = BTreeSet::new();
    for case in cases {
        let spec = crate::played::operation(&case.action).spec();
        if case.sends.is_some() || (spec.effect)(&case.with) == Effect::Reads {
            shown.extend(shows(spec, &case.with));
        }
    }
    let is_seen = |one: &String| !UNSEEN.iter().any(|(part, _)| one.contains(part));
    all()
        .iter()
        .flat_map(|operation| wanted(operation.spec()))
        .filter(|one| is_seen(one) && !shown.contains(one))
        .collect()
}

fn wanted(spec: &ActionSpec) -> Vec<String> {
    let fields = spec.parameters.iter().filter(|field| !OF_ALL.contains(&field.name));
    let of_field = |field: &drctl::catalogue::Field| {
        let place = format!("{}.{}", spec.name, field.name);
        let words = match (field.kind)() {
            Type::Enum(words) => words,
            Type::Bool => vec!["true".to_owned(), "false".to_owned()],
            _ => Vec::new(),
        };
        let absent = (!field.required).then(|| format!("{place} absent"));
        let words = words.iter().map(|word| format!("{place}: {word}"));
        words.chain([place.clone()]).chain(absent).collect::<Vec<_>>()
    };
    fields.flat_map(of_field).collect()
}

fn shows(spec: &ActionSpec, with: &Map<String, Value>) -> Vec<String> {
    let of_field = |field: &drctl::catalogue::Field| {
        let place = format!("{}.{}", spec.name, field.name);
        match with.get(field.name) {
            None => vec![format!("{place} absent")],
            Some(Value::String(word)) => vec![format!("{place}: {word}"), place],
            Some(value) => vec![format!("{place}: {value}"), place],
        }
    };
    spec.parameters.iter().flat_map(of_field).collect()
}

/// What a service spells a part of a path with.
const SPELLS: [&str; 7] = [
    ".child(\"",
    ".list(\"",
    ".post(\"",
    ".request(Method::Get, \"",
    "there(with, \"",
    "workspace.get(\"",
    "workspace.post(\"",
];

/// The parts of paths that services spell, and no request of any case has: in its own path, or in an id in its body.
pub(crate) fn spelled_for_none(requests: &[Request]) -> Vec<String> {
    let text = |request: &Request| format!("{}/{}", request.path, request.body.as_ref().unwrap_or(&Value::Null));
    let texts: Vec<String> = requests.iter().map(text).collect();
    let asked: BTreeSet<&str> = texts.iter().flat_map(|text| text.split(['/', '?', '"'])).collect();
    let mut unasked = Vec::new();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/actions/azure/services")) {
        // What `with` lists are parameters.
        let text = fs::read_to_string(&file).unwrap().replace("with.list(", "");
        let spelled =
            SPELLS.iter().flat_map(|spells| text.split(spells).skip(1)).filter_map(|rest| rest.split('"').next());
        let parts = spelled.flat_map(|spelled| spelled.split('/')).filter(|part| !part.is_empty());
        unasked.extend(parts.filter(|part| !asked.contains(part)).map(|part| format!("{}: {part}", file.display())));
    }
    unasked
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}
