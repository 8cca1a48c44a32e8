//! What `drctl validate` says about runbooks with mistakes: `tests/runbooks-bad/NAME.yaml` beside `NAME.out`.
//!
//! A new case is a new file. `tests/runbooks-bad/say` writes all outputs anew; read what it changed.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use drctl::lint::RULES;

#[test]
fn every_mistake_is_told_as_it_was_when_somebody_last_read_it() {
    let mut wrong = Vec::new();
    for case in cases() {
        let (said, code) = validate(&case);
        let kept = fs::read_to_string(case.with_extension("out")).unwrap_or_default();
        let wanted = if said.contains(": 0 errors") { 0 } else { 5 };
        if said != kept || code != Some(wanted) {
            wrong.push(format!("--- {}: exit code {code:?}, wanted {wanted}; it says\n{said}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "not as it was kept; `tests/runbooks-bad/say` keeps it\n{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_a_runbook_that_breaks_it() {
    let said: String = outputs().iter().map(|output| fs::read_to_string(output).unwrap()).collect();
    let unbroken: Vec<&str> =
        RULES.iter().map(|rule| rule.name).filter(|name| !said.contains(&format!("[{name}]: "))).collect();
    assert_eq!(unbroken, [""; 0]);
}

#[test]
fn every_output_belongs_to_a_runbook() {
    let cases: BTreeSet<PathBuf> = cases().iter().map(|case| case.with_extension("out")).collect();
    assert_eq!(outputs(), cases);
    assert!(cases.len() >= 30, "{cases:?}");
}

/// What drctl says about a runbook, in its own workspace, and how it ends.
fn validate(case: &Path) -> (String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_drctl"))
        .arg("validate")
        .arg(case.file_name().unwrap())
        .current_dir(case.parent().unwrap())
        .env_remove("DRCTL_WORKSPACE")
        .env_remove("DRCTL_STATE")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (said, output.status.code())
}

fn cases() -> BTreeSet<PathBuf> {
    files("yaml").into_iter().filter(|file| !file.ends_with("drctl.yaml")).collect()
}

fn outputs() -> BTreeSet<PathBuf> {
    files("out")
}

/// The files of that ending, of all workspaces with mistakes.
fn files(ending: &str) -> BTreeSet<PathBuf> {
    let bad = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runbooks-bad");
    let workspaces = [bad.clone(), bad.join("bad-workspace"), bad.join("bad-template")];
    let entries = workspaces.iter().flat_map(|workspace| fs::read_dir(workspace).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|found| found == ending)).collect()
}
