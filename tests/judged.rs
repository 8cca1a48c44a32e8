//! `drctl test`: what it says where a scenario does not come out as expected, and how much the scenarios reach.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::process::Output;

use program::drctl;
use serde_json::{Value, json};

const RUNBOOK: &str = r#"drctl: 1
name: orders
kind: failover
owner: t
objectives: { rto: 30m }
inputs: { small: { type: bool, default: true } }
assessment:
  - { id: declare, action: manual, with: { instructions: Declare it. }, approval: { timeout: 10m } }
execution:
  - id: scale
    action: shell
    when: not inputs.small
    with: { script: scale }
    rollback: { action: shell, with: { script: unscale } }
  - { id: promote, action: shell, needs: [scale], with: { script: promote }, simulate: { duration: 4m } }
communication:
  - { id: tell, action: notify, needs: [promote], with: { template: over, audience: customers } }
  - { id: tell_it_failed, action: wait, run_if: failure, with: { for: 1s } }
"#;

const GOOD: &str = "drctl: 1\nscenario: good\nrunbook: orders\nexpect:\n  state: succeeded\n";

const WRONG: &str = r#"drctl: 1
scenario: wrong
runbook: orders
seed: 3
faults:
  - fail: { step: promote }
expect:
  state: succeeded
  rto: { at_most: 5m }
  steps: { promote: succeeded }
  messages: [ { template: over, contains: INC-2 } ]
"#;

/// A workspace with the runbook and these scenarios.
fn workspace(scenarios: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    write("drctl.yaml", "drctl: 1\nchannels: { file: { type: file, path: out } }\naudiences: { customers: [file] }\n");
    write("runbooks/orders.yaml", RUNBOOK);
    write("templates/over.txt", "Subject: over\n\nIt is over.\n");
    for (number, scenario) in scenarios.iter().enumerate() {
        write(&format!("runbooks/scenarios/orders/{number}.yaml"), scenario);
    }
    folder
}

/// What is printed; the time that it took here is another one each time.
fn timeless(output: &Output) -> String {
    let text = program::text(output);
    let is_time = |word: &str| word.contains('.') && word.parse::<f64>().is_ok();
    let lines = text
        .lines()
        .map(|line| line.split(' ').map(|word| if is_time(word) { "N.N" } else { word }).collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_differs_is_shown_beside_what_was_expected_with_what_the_run_did_and_how_to_see_it_again() {
    let wrong = WRONG.replace("  - fail:", "  - failed_operation:");
    let folder = workspace(&[GOOD, &wrong]);
    let output = drctl(folder.path(), &["test"]);
    assert_eq!(timeless(&output), include_str!("rehearse/judged.txt").trim_end());
    assert_eq!(output.status.code(), Some(1));

    let again = "rehearse orders --kind failover --scenario runbooks/scenarios/orders/1.yaml --seed 3";
    let output = drctl(folder.path(), &again.split(' ').collect::<Vec<_>>());
    assert!(timeless(&output).contains("expected recovery within 5m, found no recovery"), "{}", timeless(&output));
}

#[test]
fn what_is_seen_again_is_found_from_where_one_stands() {
    let wrong = WRONG.replace("  - fail:", "  - failed_operation:");
    let folder = workspace(&[GOOD, &wrong]);
    let (above, name) = (folder.path().parent().unwrap(), folder.path().file_name().unwrap().to_str().unwrap());
    let text = timeless(&drctl(above, &["test", "--workspace", name]));
    let again = text.lines().find_map(|line| line.trim().strip_prefix("again: drctl ")).unwrap();
    let file = format!("{name}/runbooks/scenarios/orders/1.yaml");
    assert_eq!(again, format!("--workspace {name} rehearse orders --kind failover --scenario {file} --seed 3"));
    let output = drctl(above, &again.split(' ').collect::<Vec<_>>());
    assert!(timeless(&output).contains("expected recovery within 5m, found no recovery"), "{}", timeless(&output));
}

#[test]
fn programs_get_each_scenario_and_the_table() {
    let folder = workspace(&[GOOD]);
    let output = drctl(folder.path(), &["test", "--output", "json"]);
    let lines: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [scenario, summary] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(
        (&scenario["type"], &scenario["good"], &scenario["seed"]),
        (&json!("scenario"), &json!(true), &json!(0))
    );
    let mut all = summary["all"].clone();
    all.as_object_mut().unwrap().remove("took");
    let counts = json!({
        "steps": { "reached": 3, "all": 4 },
        "branches": { "reached": 1, "all": 3 },
        "rollbacks": { "reached": 0, "all": 1 },
        "gates": { "reached": 1, "all": 3 },
    });
    assert_eq!(all, json!({ "runbook": null, "scenarios": 1, "as_expected": 1, "coverage": 45, "counts": counts }));
    let first = json!({ "runbook": "failover orders", "step": "declare", "place": "runbooks/orders.yaml:8:11",
        "what": "its gate is never rejected" });
    assert_eq!(summary["missing"][0], first);
}

#[test]
fn too_little_coverage_fails_and_names_what_no_scenario_reaches() {
    let folder = workspace(&[GOOD]);
    assert_eq!(drctl(folder.path(), &["test", "--min-coverage", "45"]).status.code(), Some(0));
    let output = drctl(folder.path(), &["test", "--min-coverage", "46"]);
    let shown = String::from_utf8(output.stderr.clone()).unwrap();
    let wanted = "\
1 scenario: 1 as expected, 0 not
runbooks/orders.yaml:8:11: `declare` its gate is never rejected
runbooks/orders.yaml:8:11: `declare` its gate never times out
runbooks/orders.yaml:10:9: `scale` never runs
runbooks/orders.yaml:10:9: `scale` its `when` is never true
runbooks/orders.yaml:10:9: `scale` is never undone
runbooks/orders.yaml:18:11: `tell_it_failed` never runs: what its `run_if` waits for never comes
the scenarios reach 45 % of the runbooks, wanted at least 46 %
";
    assert_eq!((shown.as_str(), output.status.code()), (wanted, Some(1)));
    assert_eq!(drctl(folder.path(), &["test", "--min-coverage", "101"]).status.code(), Some(2));
}

#[test]
fn a_runbook_that_nobody_rehearses_counts_unless_only_some_are_meant() {
    let folder = workspace(&[GOOD]);
    let other = RUNBOOK.replace("name: orders", "name: other");
    fs::write(folder.path().join("runbooks/other.yaml"), other).unwrap();
    let all = timeless(&drctl(folder.path(), &["test"]));
    assert!(all.contains("failover other             -  N.N s    0/4       0/3        0/1    0/3       0 %"), "{all}");
    let some = timeless(&drctl(folder.path(), &["test", "--filter", "orders"]));
    assert!(!some.contains("failover other"), "{some}");
    let none = drctl(folder.path(), &["test", "--filter", "nobody"]);
    let wanted = "error: no scenario has `nobody` in its name, such as `failover orders / region_down`\n";
    assert_eq!((String::from_utf8_lossy(&none.stderr), none.status.code()), (wanted.into(), Some(2)));
}

#[test]
fn ci_servers_read_the_verdicts_as_junit_and_invalid_scenarios_are_errors() {
    let wrong = WRONG.replace("  - fail:", "  - failed_operation:");
    let invalid = GOOD.replace("scenario: good", "scenario: bad").replace("state: succeeded", "state: suceeded");
    let folder = workspace(&[GOOD, &wrong, &invalid]);
    let output = drctl(folder.path(), &["test", "--junit", "report.xml"]);
    assert_eq!(output.status.code(), Some(5), "{}", timeless(&output));
    let xml = fs::read_to_string(folder.path().join("report.xml")).unwrap();
    for part in [
        "<testsuites name=\"drctl test\" tests=\"3\" skipped=\"0\" failures=\"1\" errors=\"1\"",
        "<testcase name=\"good\" classname=\"failover orders\"",
        "<failure message=\"runbooks/scenarios/orders/1.yaml:8:10: expected the run to be succeeded, found paused\" type=\"difference\">",
        "        expected  recovery within 5m\n        found     no recovery\n",
        "<error message=\"invalid: ",
        "value=\"drctl rehearse orders --kind failover --scenario runbooks/scenarios/orders/1.yaml --seed 3\"",
    ] {
        assert!(xml.contains(part), "`{part}` is not in:\n{xml}");
    }
    let output = drctl(folder.path(), &["test", "--junit", "no/folder/report.xml"]);
    assert!(timeless(&output).contains("error: `no/folder/report.xml`: "), "{}", timeless(&output));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_scenario_with_which_a_run_would_be_refused_is_not_rehearsed() {
    let folder = workspace(&[GOOD]);
    let write = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
    let steps = "execution:\n  - { id: rest, action: wait, with: { for: \"{{ inputs.pause }}\" } }\n";
    let inputs = "inputs: { pause: { type: duration, default: 1m } }\n";
    write("runbooks/rest.yaml", &format!("drctl: 1\nname: rest\nkind: failover\nowner: t\n{inputs}{steps}"));
    let scenario = "drctl: 1\nscenario: long\nrunbook: rest\ninputs: { pause: 1h }\nexpect: { state: succeeded }\n";
    write("runbooks/scenarios/orders/long.yaml", scenario);
    let why =
        "no run begins with these inputs: `wait` of `rest`: the wait of 1h must be shorter than the timeout of 10m";
    let tested = drctl(folder.path(), &["test", "--filter", "rest"]);
    assert!(timeless(&tested).contains(&format!("invalid: {why}")), "{}", timeless(&tested));
    let validated = drctl(folder.path(), &["validate", "--format", "short", "runbooks/scenarios/orders/long.yaml"]);
    let told = format!("runbooks/scenarios/orders/long.yaml:3:10: error[input]: {why}\n");
    assert_eq!(String::from_utf8(validated.stdout).unwrap(), told);
}

#[test]
fn what_the_run_did_is_shown_around_the_step_that_is_meant() {
    let folder = workspace(&[]);
    let write = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
    let each = "execution:\n  - { id: first, action: wait, with: { for: 1m } }\n  \
        - { id: each, action: runbook, needs: [first], for_each: [a, b], with: { runbook: inner } }\n  \
        - { id: last, action: wait, needs: [each], with: { for: 1m } }\n  \
        - { id: end, action: assert, needs: [last], with: { that: false } }\n";
    let inner = "execution:\n  - { id: one, action: wait, with: { for: 1s } }\n  \
        - { id: two, action: wait, needs: [one], with: { for: 1s } }\n  \
        - { id: three, action: wait, needs: [two], with: { for: 1s } }\n";
    for (name, steps) in [("shop", each), ("inner", inner)] {
        write(&format!("runbooks/{name}.yaml"), &format!("drctl: 1\nname: {name}\nkind: failover\nowner: t\n{steps}"));
    }
    fs::create_dir_all(folder.path().join("runbooks/scenarios")).unwrap();
    let around = |step: &str| {
        let scenario =
            format!("drctl: 1\nscenario: s\nrunbook: shop\nexpect: {{ steps: {{ \"{step}\": skipped }} }}\n");
        write("runbooks/scenarios/s.yaml", &scenario);
        let output = drctl(folder.path(), &["test"]);
        let told = String::from_utf8(output.stdout).unwrap();
        let lines = told.lines().skip_while(|line| !line.contains("around"));
        let lines = lines.take_while(|line| !line.contains("again:"));
        let is_step = |word: &&str| word.starts_with(|first: char| first.is_ascii_lowercase()) && *word != "around";
        lines.filter_map(|line| line.split_whitespace().find(is_step).map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(around("each[b].two"), ["each[b].one", "each[a].two", "each[b].two", "each[a].three", "each[b].three"]);
    assert_eq!(around("each"), ["first", "each[a]", "each[a].one", "each[b]"]);
    assert_eq!(around("each.three"), ["each[a].two", "each[b].two", "each[a].three", "each[b].three", "last"]);
}
