//! The files that are made from the program are those it makes now. `docs/regenerate.sh` makes them anew.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The files that are made: what stands in these places, and nothing else.
const MADE: [&str; 9] = [
    "completions",
    "docs/man",
    "docs/runbook.schema.json",
    "docs/workspace.schema.json",
    "docs/scenario.schema.json",
    "docs/template.schema.json",
    "docs/fields.md",
    "docs/actions.md",
    "docs/findings.md",
];

#[test]
fn completions_manual_pages_schema_and_the_list_of_actions_are_up_to_date() {
    let fresh = tempfile::tempdir().unwrap();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = Command::new(repository.join("docs/regenerate.sh"))
        .arg(fresh.path())
        .env("DRCTL", env!("CARGO_BIN_EXE_drctl"))
        .env_remove("DRCTL_WORKSPACE")
        .env_remove("DRCTL_STATE")
        .output()
        .unwrap();
    assert!(made.status.success(), "docs/regenerate.sh: {}", String::from_utf8_lossy(&made.stderr));
    let (kept, now) = (files(repository), files(fresh.path()));
    assert!(now.len() > 25, "only {:?} were made", now.keys());
    let names = kept.keys().chain(now.keys());
    let stale: Vec<&String> = names.filter(|name| kept.get(*name) != now.get(*name)).collect();
    assert!(stale.is_empty(), "not as drctl makes them now: {stale:?}\nto make them anew: docs/regenerate.sh");
}

/// The files that are made, by their path in the repository.
fn files(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for place in MADE {
        let path = root.join(place);
        if path.is_dir() {
            for entry in fs::read_dir(&path).unwrap() {
                let entry = entry.unwrap();
                let name = format!("{place}/{}", entry.file_name().display());
                found.insert(name, fs::read_to_string(entry.path()).unwrap());
            }
        } else {
            found.insert(place.to_owned(), fs::read_to_string(&path).unwrap());
        }
    }
    found
}
