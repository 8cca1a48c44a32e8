//! The schemas and drctl agree on every file there is, good or bad, as far as a schema can tell.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use drctl::diag::{Severity, Sources};
use drctl::runbook::source::{decode, parse};
use jsonschema::Validator;
use serde_json::Value;

/// What is found wrong in a file by its shape alone: what a schema can say, too.
const BY_SHAPE: &[&str] = &["unknown-field", "missing-field", "type", "name", "action"];

/// Where the two differ, and why a schema cannot say it.
const DIFFERENCES: &[(&str, &str)] = &[
    ("expression-type.yaml", "a schema knows nothing of what an expression gives"),
    ("deployment.yaml", "a schema reads no other file"),
];

fn validator(of: &str) -> Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/{of}.schema.json"));
    jsonschema::draft7::new(&serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()).unwrap()
}

/// The file as a value, where it is YAML.
fn value(file: &Path) -> Option<Value> {
    let mut sources = Sources::default();
    let source = decode(&mut sources, "file", &fs::read(file).unwrap()).ok()?;
    let (document, found) = parse(&sources, source);
    let document = document.filter(|_| found.iter().all(|finding| finding.severity != Severity::Error))?;
    Some(document.to_json(document.root()))
}

/// The codes of the errors that drctl finds in a file.
fn errors(file: &Path) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_drctl"))
        .args(["validate", "--format", "json"])
        .arg(file.file_name().unwrap())
        .current_dir(file.parent().unwrap())
        .env_remove("DRCTL_WORKSPACE")
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let is_of_file =
        |finding: &&Value| finding["severity"] == "error" && finding["file"].as_str().unwrap().ends_with(name);
    let of_file = told["diagnostics"].as_array().unwrap().iter().filter(is_of_file);
    of_file.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

fn yaml_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(yaml_below(&path));
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn schema_of(file: &Path) -> &'static str {
    let is_scenario = file.components().any(|part| part.as_os_str() == "scenarios");
    match file.file_name().unwrap().to_str() {
        Some("drctl.yaml") => "workspace",
        _ if is_scenario => "scenario",
        _ => "runbook",
    }
}

#[test]
fn everything_that_ships_is_good_by_its_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = yaml_below(&root.join("runbooks"));
    files.extend(yaml_below(&root.join("src/cli/init")));
    files.push(root.join("drctl.yaml"));
    let schemas = ["runbook", "workspace", "scenario"].map(|of| (of, validator(of)));
    let mut wrong = Vec::new();
    for file in &files {
        let (_, schema) = schemas.iter().find(|(of, _)| *of == schema_of(file)).unwrap();
        let value = value(file).unwrap();
        wrong.extend(schema.iter_errors(&value).map(|error| format!("{}: {error}", file.display())));
    }
    assert!(files.len() > 200, "{}", files.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_schema_refuses_what_drctl_refuses_for_its_shape_and_nothing_else() {
    let schema = validator("runbook");
    let mut differences = Vec::new();
    let mut judged = 0;
    for file in yaml_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runbooks-bad")) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(value) = value(&file).filter(|_| schema_of(&file) == "runbook") else { continue };
        let by_shape = errors(&file).iter().any(|code| BY_SHAPE.contains(&code.as_str()));
        let problems: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        judged += 1;
        if by_shape == problems.is_empty() && !DIFFERENCES.iter().any(|(excused, _)| *excused == name) {
            differences.push(format!("{name}: drctl refuses its shape: {by_shape}; the schema: {problems:?}"));
        }
    }
    assert!(judged > 25, "{judged}");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
