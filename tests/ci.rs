//! The files for CI: their steps do what they say, in a workspace that is right and in one that is not.
//!
//! The services themselves are not here: what they run is run as they run it, but for the step that installs drctl.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]
#![expect(clippy::disallowed_methods, reason = "the steps find their programs where this test does")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_yaml::Value;
use tempfile::TempDir;

/// A step of a pipeline that runs a script.
struct Step {
    name: String,
    script: String,
}

/// The steps of a file, which has to be YAML, under these keys; that which installs drctl left out. Before each script
/// stands what the service sets.
fn steps(file: &str, [name, script]: [&str; 2], set: &str) -> Vec<Step> {
    let text = fs::read_to_string(root().join("docs/ci").join(file)).unwrap();
    let pipeline: Value = serde_yaml::from_str(&text).unwrap();
    let steps = pipeline.get("steps").unwrap_or_else(|| &pipeline["jobs"]["runbooks"]["steps"]);
    let word = |step: &Value, key: &str| step.get(key).and_then(Value::as_str).map(str::to_owned);
    let all = steps.as_sequence().unwrap().iter();
    let steps: Vec<Step> = all
        .filter_map(|step| Some(Step { name: word(step, name)?, script: format!("{set}{}", word(step, script)?) }))
        .filter(|step| step.name != "Install drctl")
        .collect();
    let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["Validate", "Layout", "Findings", "Rehearse", "Plan"], "{file}");
    steps
}

fn github() -> Vec<Step> {
    steps("github.yml", ["name", "run"], "set -e\n")
}

fn azure_pipelines() -> Vec<Step> {
    steps("azure-pipelines.yml", ["displayName", "script"], "")
}

/// The script of a step.
fn step(steps: &[Step], name: &str) -> String {
    steps.iter().find(|step| step.name == name).unwrap().script.clone()
}

/// Runs a script as the services do: by bash.
fn run(script: &str, folder: &Path) -> Output {
    let drctl = Path::new(env!("CARGO_BIN_EXE_drctl")).parent().unwrap();
    let path = format!("{}:{}", drctl.display(), std::env::var("PATH").unwrap());
    Command::new("bash")
        .args(["--noprofile", "--norc", "-c", script])
        .current_dir(folder)
        .env_remove("DRCTL_WORKSPACE")
        .env_remove("DRCTL_STATE")
        .envs([("PATH", path.as_str()), ("CI", "true"), ("GITHUB_STEP_SUMMARY", "summary.md")])
        .output()
        .unwrap()
}

fn workspace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    assert!(run("drctl init", folder.path()).status.success());
    folder
}

/// Changes a file of the workspace.
fn replace(folder: &TempDir, file: &str, [old, new]: [&str; 2]) {
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{file} has no `{old}`");
    fs::write(path, text.replace(old, new)).unwrap();
}

#[test]
fn the_pipelines_pass_where_the_runbooks_are_right_and_leave_plans_and_verdicts() {
    for steps in [github(), azure_pipelines()] {
        let folder = workspace();
        for step in steps {
            let output = run(&step.script, folder.path());
            assert!(output.status.success(), "{}: {output:?}", step.name);
        }
        let made = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(made("plans/orders.txt").starts_with("failover `orders`: "));
        assert!(made("plans/orders-failback.svg").starts_with("<svg"));
        let verdicts = made("drctl.xml");
        assert!(verdicts.contains("<testsuite") && verdicts.contains("region_down"), "{verdicts}");
    }
}

#[test]
fn the_pipelines_do_the_same_for_a_workspace_below_the_root() {
    for steps in [github(), azure_pipelines()] {
        let folder = tempfile::tempdir().unwrap();
        assert!(run("mkdir dr && cd dr && drctl init", folder.path()).status.success());
        for step in steps {
            let output = run(&format!("export DRCTL_WORKSPACE=dr\n{}", step.script), folder.path());
            assert!(output.status.success(), "{}: {output:?}", step.name);
        }
        let made = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(made("plans/orders.txt").starts_with("failover `orders`: "));
        assert!(made("drctl.xml").contains("<testsuite"));
    }
}

#[test]
fn github_shows_the_plans_beside_the_change() {
    let folder = workspace();
    assert!(run(&step(&github(), "Plan"), folder.path()).status.success());
    let summary = fs::read_to_string(folder.path().join("summary.md")).unwrap();
    assert!(summary.starts_with("## orders-failback\n```text\nfailback `orders`: "), "{summary}");
    assert!(summary.contains("\n```\n## orders\n```text\nfailover `orders`: "), "{summary}");
}

#[test]
fn the_pipelines_fail_where_a_runbook_has_an_error_and_keep_what_was_found() {
    for steps in [github(), azure_pipelines()] {
        let folder = workspace();
        replace(&folder, "runbooks/orders.yaml", ["needs: [database]", "needs: [databse]"]);
        let validated = run(&step(&steps, "Validate"), folder.path());
        assert_eq!(validated.status.code(), Some(5));
        let told = String::from_utf8_lossy(&validated.stdout).into_owned();
        let places = ["::error file=runbooks/orders.yaml,line=", "runbooks/orders.yaml:"];
        assert!(places.iter().any(|place| told.starts_with(place)), "{told}");
        assert_eq!(run(&step(&steps, "Rehearse"), folder.path()).status.code(), Some(5));
        assert!(run(&step(&steps, "Findings"), folder.path()).status.success());
        let sarif = fs::read_to_string(folder.path().join("drctl.sarif")).unwrap();
        let sarif: serde_json::Value = serde_json::from_str(&sarif).unwrap();
        let runs = sarif["runs"].as_array().unwrap();
        assert_eq!((runs.len(), &runs[0]["results"][0]["ruleId"]), (1, &"needs".into()), "{sarif}");
    }
}

#[test]
fn the_pipelines_fail_where_a_runbook_is_laid_out_otherwise() {
    let folder = workspace();
    replace(&folder, "runbooks/orders.yaml", ["name: orders\n", "name: orders   \n"]);
    for steps in [github(), azure_pipelines()] {
        assert!(!run(&step(&steps, "Layout"), folder.path()).status.success());
    }
}

#[test]
fn the_pipelines_fail_where_a_scenario_comes_out_differently() {
    let folder = workspace();
    replace(&folder, "runbooks/scenarios/orders/region_down.yaml", ["at_most: 45m", "at_most: 1m"]);
    for steps in [github(), azure_pipelines()] {
        assert!(run(&step(&steps, "Validate"), folder.path()).status.success());
        assert_eq!(run(&step(&steps, "Rehearse"), folder.path()).status.code(), Some(1));
        let verdicts = fs::read_to_string(folder.path().join("drctl.xml")).unwrap();
        assert!(verdicts.contains("<failure"), "{verdicts}");
    }
}

#[test]
fn the_hook_looks_at_what_is_committed_and_not_at_what_lies_beside_it() {
    let folder = workspace();
    let git =
        |script: &str| run(&format!("git config user.name a; git config user.email a@b; {script}"), folder.path());
    run("git init --quiet", folder.path());
    fs::copy(root().join("docs/ci/pre-commit"), folder.path().join(".git/hooks/pre-commit")).unwrap();
    let first = git("git add . && git commit --quiet -m first");
    assert!(first.status.success(), "{first:?}");

    replace(&folder, "runbooks/orders.yaml", ["needs: [database]", "needs: [databse]"]);
    let refused = git("git commit --quiet -a -m broken");
    assert!(!refused.status.success());
    let told = String::from_utf8_lossy(&[refused.stdout, refused.stderr].concat()).into_owned();
    assert!(
        told.starts_with("runbooks/orders.yaml:")
            && told.contains("error[needs]: step `send_users` needs unknown step"),
        "{told}"
    );
    assert!(told.contains("nothing was committed"), "{told}");

    // The mistake lies in the folder, and is not part of the commit.
    let other = git("git reset --quiet && echo x >notes && git add notes && git commit --quiet -m notes");
    assert!(other.status.success(), "{other:?}");
    let log = String::from_utf8(git("git log --format=%s").stdout).unwrap();
    assert_eq!(log, "notes\nfirst\n");
}

#[test]
fn the_hooks_for_pre_commit_run_what_they_name() {
    let hooks: Value =
        serde_yaml::from_str(&fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap()).unwrap();
    let folder = workspace();
    let hooks = hooks.as_sequence().unwrap();
    assert_eq!(hooks.len(), 2);
    for hook in hooks {
        let entry = hook["entry"].as_str().unwrap();
        assert!(run(entry, folder.path()).status.success(), "{entry}");
    }
    replace(&folder, "runbooks/orders.yaml", ["needs: [database]", "needs: [databse]"]);
    for hook in hooks {
        assert_eq!(run(hook["entry"].as_str().unwrap(), folder.path()).status.code(), Some(5));
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
