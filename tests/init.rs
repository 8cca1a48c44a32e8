//! `drctl init`: what it makes is whole at once, and nothing of anybody's is lost.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

#[allow(dead_code, reason = "not every test compares all that is printed")]
#[path = "support/program.rs"]
mod program;

use program::drctl;
use std::fs;
use std::process::Output;

/// What it printed, where it ended well.
fn printed(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_new_workspace_validates_plans_rehearses_and_passes_its_scenarios() {
    let folder = tempfile::tempdir().unwrap();
    let told = printed(drctl(folder.path(), &["init", "dr"]));
    let workspace = folder.path().join("dr");
    assert!(told.starts_with("made\n  dr/drctl.yaml\n"), "{told}");
    assert!(told.contains("next\n  cd dr\n  drctl validate "), "{told}");
    assert_eq!(fs::read_to_string(workspace.join(".gitignore")).unwrap(), ".drctl/\n");
    printed(drctl(&workspace, &["validate", "--deny", "warnings"]));
    assert!(printed(drctl(&workspace, &["plan", "orders"])).contains("critical path"));
    let rehearsal = printed(drctl(&workspace, &["rehearse", "orders", "--scenario", "region_down"]));
    assert!(rehearsal.contains("\nthe run ended: succeeded\n"), "{rehearsal}");
    printed(drctl(&workspace, &["test"]));
    printed(drctl(&workspace, &["failover", "orders", "--dry-run", "--output", "plain"]));
}

#[test]
fn what_is_there_already_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("templates/incident.md");
    fs::create_dir(folder.path().join("templates")).unwrap();
    fs::write(&mine, "mine").unwrap();
    let refused = drctl(folder.path(), &["init"]);
    assert_eq!(refused.status.code(), Some(2));
    let told = "error: `./templates/incident.md` is there already: nothing was written\n  next: drctl init FOLDER\n";
    assert_eq!(String::from_utf8(refused.stderr).unwrap(), told);
    assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");
    assert!(!folder.path().join("drctl.yaml").exists());

    fs::remove_file(&mine).unwrap();
    fs::write(folder.path().join(".gitignore"), "target").unwrap();
    printed(drctl(folder.path(), &["init"]));
    assert_eq!(fs::read_to_string(folder.path().join(".gitignore")).unwrap(), "target\n.drctl/\n");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let refused = drctl(folder.path(), &["init", "file/dr"]);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.starts_with("error: cannot write `file/dr/drctl.yaml`: "), "{told}");
}
