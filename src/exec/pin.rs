//! A run keeps the files it was started with, and goes by them; an edit is shown step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::load::Loaded;
use crate::catalogue::HumanDuration;
use crate::engine::{State, StepState};
use crate::plan::definition::{definition, written};
use crate::plan::{Plan, digest};
use crate::runbook::ast::Runbook;

/// The runbook's name within the pinned files.
const RUNBOOK: &str = "runbook.yaml";

/// Writes the files a run stands on; their names and digests. They are still there after a power loss.
///
/// # Errors
/// The folder cannot be written.
pub fn pin(folder: &Path, loaded: &Loaded) -> std::io::Result<Vec<(String, String)>> {
    let mut pinned = Vec::new();
    let mut folders: BTreeSet<PathBuf> = folder.parent().map(Path::to_owned).into_iter().collect();
    for (index, (name, bytes)) in loaded.files.iter().enumerate() {
        let kept = if index == 0 { RUNBOOK } else { name.as_str() };
        let path = folder.join(kept);
        write(&path, bytes).map_err(about(&path))?;
        folders.extend(path.ancestors().skip(1).take_while(|above| above.starts_with(folder)).map(Path::to_owned));
        pinned.push((kept.to_owned(), digest::of_bytes(bytes)));
    }
    // A file's name is durable with the folder it stands in: from the inside out.
    for folder in folders.iter().rev() {
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(about(folder))?;
    }
    Ok(pinned)
}

/// What the system says names no path.
fn about(path: &Path) -> impl Fn(std::io::Error) -> std::io::Error {
    move |error| std::io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Reads the files a run stands on; `path` is what people know the runbook by.
///
/// # Errors
/// A file is gone or is not what was pinned.
pub fn read(folder: &Path, pinned: &[(String, String)], path: &str) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut files = Vec::new();
    for (name, wanted) in pinned {
        let place = folder.join(name);
        let bytes = fs::read(&place).map_err(|error| format!("cannot read `{}`: {error}", place.display()))?;
        if digest::of_bytes(&bytes) != *wanted {
            return Err(format!("`{}` is not what the run was started with: restore it from a copy", place.display()));
        }
        files.push((if name == RUNBOOK { path.to_owned() } else { name.clone() }, bytes));
    }
    Ok(files)
}

/// How the files of today differ from those a run stands on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// Steps that are new, gone or different, with a line for each difference.
    pub steps: BTreeMap<String, Vec<String>>,
    /// Settings and templates that differ.
    pub files: Vec<String>,
    /// Anything else of the runbook.
    pub head: Vec<String>,
}

impl Edit {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.files.is_empty() && self.head.is_empty()
    }

    /// The differences, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let steps =
            self.steps.iter().flat_map(|(step, lines)| lines.iter().map(move |line| format!("step `{step}`: {line}")));
        let files = self.files.iter().map(|file| format!("`{file}` differs"));
        self.head.iter().cloned().chain(steps).chain(files).collect()
    }
}

/// Compares what a run stands on with what is there today.
#[must_use]
pub fn compare(then: &Loaded, now: &Loaded) -> Edit {
    let mut edit = Edit::default();
    if let (Some(old), Some(new)) = (&then.runbook, &now.runbook) {
        let steps = |loaded: &Loaded, runbook| -> BTreeMap<String, Value> {
            let steps = loaded.runbooks.steps(runbook).into_iter();
            steps.map(|(path, runbook, step)| (path, definition(runbook, step))).collect()
        };
        compare_steps(&steps(then, old), &steps(now, new), &mut edit);
        edit.head = compare_heads(old, new, "");
    }
    for old in then.runbooks.iter().filter(|old| !is_main(then, old)) {
        if let Some(new) = now.runbooks.get(&old.name.value, old.kind) {
            edit.head.extend(compare_heads(old, new, &format!(" of {} `{}`", old.kind.name(), old.name.value)));
        }
    }
    // Called runbooks are compared step by step.
    let called = |loaded: &Loaded| -> std::collections::BTreeSet<String> {
        let called = loaded.runbooks.iter().filter(|runbook| !is_main(loaded, runbook));
        called.map(|runbook| loaded.sources.name(runbook.source).to_owned()).collect()
    };
    let others = |loaded: &Loaded| {
        let called = called(loaded);
        let files = loaded.files.iter().skip(1).filter(|(name, _)| !called.contains(name));
        files.cloned().collect::<BTreeMap<_, _>>()
    };
    let (old, new) = (others(then), others(now));
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    edit.files = names.into_iter().filter(|name| old.get(*name) != new.get(*name)).cloned().collect();
    edit
}

fn is_main(loaded: &Loaded, runbook: &Arc<Runbook>) -> bool {
    loaded.runbook.as_ref().is_some_and(|main| Arc::ptr_eq(main, runbook))
}

/// Anything of a runbook that is no step.
fn compare_heads(old: &Runbook, new: &Runbook, of: &str) -> Vec<String> {
    let head = |runbook: &Runbook| {
        let inputs: Vec<String> = runbook.inputs.iter().map(|input| format!("{input:?}")).map(without_spans).collect();
        let outputs = runbook.outputs.iter().map(|(name, value)| (name.value.clone(), written(runbook, value)));
        let outputs: Vec<(String, Value)> = outputs.collect();
        (format!("{:?}", runbook.defaults), format!("{:?}", runbook.objectives), inputs, outputs)
    };
    let (a, b) = (head(old), head(new));
    let parts = [("defaults", a.0 != b.0), ("objectives", a.1 != b.1), ("inputs", a.2 != b.2), ("outputs", a.3 != b.3)];
    parts.iter().filter(|(_, differs)| *differs).map(|(name, _)| format!("`{name}`{of} differ")).collect()
}

/// A debug text without the places in it, which move with every edit.
fn without_spans(text: String) -> String {
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("span: Span {") {
        out.push_str(&rest[..at]);
        rest = rest[at..].find('}').map_or("", |end| &rest[at + end + 1..]);
    }
    out + rest
}

fn compare_steps(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>, edit: &mut Edit) {
    for (id, definition) in before {
        match after.get(id) {
            None => drop(edit.steps.insert(id.clone(), vec!["removed".to_owned()])),
            Some(other) if other != definition => drop(edit.steps.insert(id.clone(), fields(definition, other))),
            Some(_) => {}
        }
    }
    for id in after.keys().filter(|id| !before.contains_key(*id)) {
        edit.steps.insert(id.clone(), vec!["added".to_owned()]);
    }
}

/// The fields of a step of which only what differs within is told.
const OF_FIELDS: [&str; 3] = ["approval", "retry", "verify"];
/// The fields that hold a time in milliseconds.
const TIMES: [&str; 3] = ["every", "timeout", "within"];

fn fields(old: &Value, new: &Value) -> Vec<String> {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return Vec::new() };
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change = |name: &String| match (old.get(name), new.get(name)) {
        (old, new) if old == new => Vec::new(),
        (Some(old @ Value::Object(_)), Some(new @ Value::Object(_))) if OF_FIELDS.contains(&name.as_str()) => {
            fields(old, new).into_iter().map(|line| line.replacen('`', &format!("`{name}."), 1)).collect()
        }
        (old, new) => vec![format!("`{name}` was {}, is {}", told(name, old), told(name, new))],
    };
    names.into_iter().flat_map(change).collect()
}

/// A field's value as people write it. A time is a mapping of its seconds, or milliseconds by the field's name.
fn told(name: &str, value: Option<&Value>) -> String {
    let time = match value {
        None | Some(Value::Null) => return "nothing".to_owned(),
        Some(value @ Value::Object(_)) => serde_json::from_value(value.clone()).ok(),
        Some(value) => value.as_u64().filter(|_| TIMES.contains(&name)).map(Duration::from_millis),
    };
    let whole = value.map(Value::to_string).unwrap_or_default();
    time.map_or(whole, |time| HumanDuration(time).to_string())
}

/// Why an edit cannot be adopted: only steps that have not started may differ.
#[must_use]
pub fn started_steps(edit: &Edit, plan: &Plan, state: &State) -> Vec<String> {
    let started = |id: &&String| {
        let nodes = plan.find(id).map(|index| state.nodes_of(plan, index));
        nodes.into_iter().flatten().map(|node| state.node(node)).any(|node| {
            !matches!(node.state, StepState::Pending | StepState::AwaitingApproval) || node.started.is_some()
        })
    };
    edit.steps.keys().filter(started).cloned().collect()
}
