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
    ("compared.yaml", "a schema does not read expressions"),
];

fn validator(of: &str) -> Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/{of}.schema.json"));
    jsonschema::draft7::new(&serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()).unwrap()
}

/// The file as a value, where it is YAML: of a template its front matter.
fn value(file: &Path) -> Option<Value> {
    let mut sources = Sources::default();
    let bytes = fs::read(file).unwrap();
    let text = str::from_utf8(&bytes).ok().filter(|_| file.extension().is_some_and(|ending| ending == "md"));
    let fields = text.map(|text| text.split("---\n").nth(1).unwrap().as_bytes());
    let source = decode(&mut sources, "file", fields.unwrap_or(&bytes)).ok()?;
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

fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path, ending));
        } else if path.extension().is_some_and(|it| it == ending) {
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
        Some(name) if name.ends_with(".md") => "template",
        _ if is_scenario => "scenario",
        _ => "runbook",
    }
}

#[test]
fn everything_that_ships_is_good_by_its_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = files_below(&root.join("runbooks"), "yaml");
    files.extend(files_below(&root.join("src/cli/init"), "yaml"));
    files.push(root.join("drctl.yaml"));
    let templates = ["templates", "src/cli/init"].map(|folder| files_below(&root.join(folder), "md"));
    let is_part = |file: &PathBuf| file.components().any(|part| part.as_os_str() == "parts");
    files.extend(templates.into_iter().flatten().filter(|file| !is_part(file)));
    let schemas = ["runbook", "workspace", "scenario", "template"].map(|of| (of, validator(of)));
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
    for file in files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runbooks-bad"), "yaml") {
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

/// What may stand in a workspace, besides its version.
const WORKSPACES: &[&str] = &[
    "role: { operators: [alice] }",
    "roles: { operators: [alice], managers: { people: [bob] } }",
    "roles: { operators: alice }",
    "roles: { operators: { peple: [alice] } }",
    "roles: [operators]",
    "contacts: { alice: { phone: { home: 1 } } }",
    "azure: { subscriptions: { prod: 00000000-0000-0000-0000-000000000001 } }",
    "azure: { subscriptions: { prod: { id: one } } }",
    "azure: { subscriptions: [prod] }",
    "azure: { clouds: { own: { authority: 'https://a.example.com' } } }",
    "azure: { resource_group: [a] }",
    "region_pairs: { centralus: eastus2 }",
    "region_pairs: { centralus: [eastus2] }",
    "region_pairs: centralus",
    "tiers: { gold: { rto: 15m } }",
    "tiers: { gold: { rto: soon } }",
    "tiers: { gold: { rto: 0s } }",
    "tiers: { gold: { rto: 10m, rpo: 0s } }",
    "services: { a: { owner: team, regions: [centralus], priority: 0 } }",
    "services: { a: { owner: team } }",
    "services: { a: { owner: team, regions: [centralus], inputs: [x] } }",
    "maintenance_windows: { night: { day: sonntag, at: \"02:00\", lasts: 4h } }",
    "drills: { yearly: { runbook: orders, every: decade, since: 2026-01-01 } }",
    "channels: { outbox: { type: file, path: outbox } }",
    "channels: { outbox: { type: fil, path: outbox } }",
    "channels: { outbox: { type: file } }",
    "channels: { outbox: { path: outbox } }",
    "channels: { outbox: { type: file, path: outbox, parth: x } }",
    "approvals: { requester_may_approve: never }",
    "defaults: { timeout: 5m, retry: { attempts: 3 } }",
    "defaults: { timeout: 5 }",
    "defaults: { timeout: 0s }",
    "defaults: { retry: { attempts: 0 } }",
    "defaults: { retry: { attempts: 2000000 } }",
    "defaults: { on_failure: shrug }",
];

/// What may stand in a scenario, besides its name and its runbook.
const SCENARIOS: &[&str] = &[
    "title: [One]",
    "seed: 7",
    "seed: -7",
    "seed: seven",
    "inputs: { mode: planned }",
    "inputs: planned",
    "resources: [{ type: Microsoft.Sql/servers, name: one, regoin: east }]",
    "resources: servers",
    "endpoints: [{ url: 'https://a.example.com', status: 503 }]",
    "endpoints: [{ region: east }]",
    "steps: { first: { duration: 5s } }",
    "steps: { first: { duration: soon } }",
    "steps: { first: { outputs: [1] } }",
    "faults: [{ region_down: { region: east, for: 5m } }]",
    "faults: [{ region_down: { regoin: east } }]",
    "faults: { region_down: { region: east } }",
    "people: { default: { after: 1m }, operator: alice }",
    "people: { default: { after: soon } }",
    "people: { first: { answers: { incident: INC-1 } } }",
    "people: { first: { answers: INC-1 } }",
    "people: { on_failure: [{ step: first, retry: yes }] }",
    "expect: { state: succeeded, rto: { at_most: 5m } }",
    "expect: { state: suceeded }",
    "expect: { rto: 5m }",
    "expect: { steps: { first: never, last: rolled_back } }",
    "expect: { steps: { first: nevr } }",
    "expect: { steps: [first] }",
    "expect: { messages: [{ template: incident, times: 0 }] }",
    "expect: { messages: [{ template: incident, times: some }] }",
    "expect: { world: [{ resource: Microsoft.Sql/servers/one }] }",
];

/// What may stand in a runbook, besides what it must have.
const RUNBOOKS: &[&str] = &[
    "title: Move it",
    "title: { text: Move it }",
    "execution: [{ id: one, action: wait, with: { for: 1s }, title: [Wait] }]",
    "execution: [{ id: one, action: wait, with: { for: 1s }, needs: [Two-Three] }]",
    "execution: [{ id: one, action: wait, with: { for: 1s }, approval: { prompt: { ask: it } } }]",
    "execution: [{ id: one, action: wait, with: { for: 1s }, approval: { by: [Operators!] } }]",
];

/// What may stand in the front matter of a template.
const TEMPLATES: &[&str] = &[
    "subject: One",
    "subject: 5",
    "subject: One\nx-own: 1",
    "subject: |\n  One",
    "subject: \"a\\nb\"",
    "subject: ' '",
    "subject: [One]",
    "subject:",
    "title: One",
    "- subject",
    "subject",
    "subject: One\nsubjct: Two",
    "subject: One\naudience: staff",
    "subject: One\naudience: [staff]",
    "subject: One\nchannels: [outbox, file]",
    "subject: One\nchannels:",
    "subject: One\nchannels: outbox",
    "subject: One\nchannels: [{ name: outbox }]",
    "subject: One\nseverity: info",
    "subject: One\nseverity: high",
    "subject: One\nseverity: \"{{ inputs.severity }}\"",
    "subject: One\nshort: |\n  a\n  b",
    "subject: One\nshort: ''",
    "subject: One\nshort: { text: a }",
    "subject: One\nclaims: recovery",
    "subject: One\nclaims: drill",
];

/// What the cases of scenarios, runbooks and templates name.
const NAMED: &str = "drctl: 1\nchannels: { outbox: { type: file, path: outbox } }\naudiences: { staff: [outbox] }\n";

#[test]
fn every_field_of_each_kind_of_file_is_judged_alike() {
    let scenario = "drctl: 1\nscenario: one\nrunbook: orders\nkind: drill\n";
    let kinds = [
        ("workspace", "drctl.yaml", "drctl: 1\n", WORKSPACES),
        ("scenario", "runbooks/scenarios/one.yaml", scenario, SCENARIOS),
        ("runbook", "runbooks/orders.yaml", "drctl: 1\nname: orders\nkind: drill\nowner: team\n", RUNBOOKS),
        ("template", "templates/one.md", "", TEMPLATES),
    ];
    let (mut differences, mut refused) = (Vec::new(), 0);
    for (kind, file, base, cases) in kinds {
        let schema = validator(kind);
        for case in cases {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(folder.path().join("drctl.yaml"), NAMED).unwrap();
            // A template has its fields between two lines; what these cases can get wrong has a code of templates.
            let is_template = kind == "template";
            let fence = if is_template { "---\n" } else { "" };
            fs::write(&file, format!("{fence}{base}{case}\n{fence}")).unwrap();
            let is_of_shape = |code: &String| BY_SHAPE.contains(&code.as_str()) || is_template && code == "template";
            let by_shape = errors(&file).iter().any(is_of_shape);
            let problems: Vec<String> = schema.iter_errors(&value(&file).unwrap()).map(|it| it.to_string()).collect();
            refused += usize::from(by_shape);
            if by_shape == problems.is_empty() {
                differences.push(format!("{kind}: {case}: drctl refuses it: {by_shape}; the schema: {problems:?}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(refused, 68);
}
