//! The programs of a workspace that a plan's processes name: what they do is part of what is reviewed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::plan::{Plan, digest};

/// Scripts that are started by naming them to what reads them.
const SCRIPTS: [&str; 7] = ["sh", "bash", "py", "ps1", "rb", "pl", "js"];

/// The programs and scripts below the workspace that `exec` and `shell` steps name, by their names within it, each with
/// the digest of what is in it. What those start in their turn is not looked for.
#[must_use]
pub(super) fn programs(workspace: &Path, plan: &Plan) -> BTreeMap<String, String> {
    let Ok(workspace) = workspace.canonicalize() else { return BTreeMap::new() };
    let used = plan.steps().flat_map(|(_, step)| step.actions());
    let mut found = BTreeMap::new();
    for action in used.filter(|action| matches!(action.name.value.as_str(), "exec" | "shell")) {
        let Some(with) = action.with.value.known() else { continue };
        let folder = workspace.join(with.get("dir").and_then(Value::as_str).unwrap_or_default());
        let texts = ["argv", "script"].into_iter().filter_map(|name| with.get(name)).flat_map(texts);
        for word in texts.flat_map(words) {
            let file = folder.join(word).canonicalize().ok().filter(|file| is_program(file));
            let named = file.as_deref().and_then(|file| file.strip_prefix(&workspace).ok());
            if let Some((name, digest)) = named.and_then(|name| Some((name, digest_of(&workspace, name)?))) {
                found.insert(name.display().to_string(), digest);
            }
        }
    }
    found
}

/// Those that are not what they were, in words.
pub(super) fn changed(workspace: &Path, then: &BTreeMap<String, String>) -> Vec<String> {
    let change = |(name, digest): (&String, &String)| match digest_of(workspace, Path::new(name)) {
        Some(now) if now == *digest => None,
        Some(_) => Some(format!("`{name}` differs")),
        None => Some(format!("`{name}` is gone")),
    };
    then.iter().filter_map(change).collect()
}

fn digest_of(workspace: &Path, name: &Path) -> Option<String> {
    Some(digest::of_bytes(&fs::read(workspace.join(name)).ok()?))
}

/// Whether a file is there to be run. What processes only read or write may change between a plan and its run.
fn is_program(file: &Path) -> bool {
    let is_script = || file.extension().and_then(|ending| ending.to_str()).is_some_and(|it| SCRIPTS.contains(&it));
    fs::metadata(file).is_ok_and(|it| it.is_file() && (it.permissions().mode() & 0o111 != 0 || is_script()))
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// The parts of a command line that may be names of files.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let ends = |character: char| character.is_whitespace() || "'\"`;|&()<>=".contains(character);
    text.split(ends).filter(|word| !word.is_empty())
}
