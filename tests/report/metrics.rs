//! The metrics of a run, read by a reader of their format.

use std::collections::{BTreeMap, BTreeSet};

use crate::workspace::Workspace;

/// A sample's labels and value, by the metric's name.
type Samples = BTreeMap<String, Vec<(BTreeMap<String, String>, f64)>>;

/// Reads the text format of Prometheus, as strictly as its description: help and type before the samples of a metric, all
/// of them together, no series twice, escapes in labels.
fn read(text: &str) -> Samples {
    assert!(text.ends_with('\n'));
    let (mut samples, mut typed, mut seen) = (Samples::new(), Vec::new(), BTreeSet::new());
    let mut helped = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            helped = rest.split_once(' ').unwrap().0;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!((name, kind), (helped, "gauge"));
            assert!(!typed.contains(&name), "{name} comes twice");
            typed.push(name);
        } else {
            assert!(seen.insert(line.rsplit_once(' ').unwrap().0), "twice: {line}");
            let (name, labels, value) = sample(line);
            assert_eq!(typed.last(), Some(&name), "{line}");
            samples.entry(name.to_owned()).or_default().push((labels, value));
        }
    }
    samples
}

fn sample(line: &str) -> (&str, BTreeMap<String, String>, f64) {
    let (name, mut rest) = line.split_once('{').unwrap();
    assert!(name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'), "{line}");
    let mut labels = BTreeMap::new();
    while !rest.starts_with('}') {
        let (label, after) = rest.trim_start_matches(',').split_once("=\"").unwrap();
        let mut value = String::new();
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next().unwrap() {
                (end, '"') => break end,
                (_, '\\') => value.push(match letters.next().unwrap().1 {
                    'n' => '\n',
                    escaped @ ('"' | '\\') => escaped,
                    other => panic!("`\\{other}` is no escape: {line}"),
                }),
                (_, letter) => value.push(letter),
            }
        };
        assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
        rest = &after[end + 1..];
    }
    (name, labels, rest.strip_prefix("} ").unwrap().parse().unwrap())
}

fn value(samples: &Samples, name: &str, label: &str, wanted: &str) -> f64 {
    let found = samples.get(name).unwrap_or_else(|| panic!("no {name}"));
    let found = found.iter().find(|(labels, _)| label.is_empty() || labels.get(label).is_some_and(|is| is == wanted));
    found.unwrap_or_else(|| panic!("no {name} of {wanted}")).1
}

const RUNBOOK: &str = r#"drctl: 1
name: r
kind: failover
owner: 'the "a\b" team'
objectives: { rto: 1h }
execution:
  - id: each
    for_each: ['a"b', c]
    action: shell
    with: { script: "test -e ready || { touch ready; exit 1; }" }
    max_parallel: 1
    retry: { attempts: 2, initial: 10ms }
  - id: gate
    action: shell
    needs: [each]
    approval: { by: [commander] }
    with: { script: "exit 0" }
"#;

#[test]
fn metrics_are_what_prometheus_reads() {
    let workspace = Workspace::new().file("runbooks/r.yaml", RUNBOOK);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 3);
    let samples = read(&workspace.drctl(&["metrics"]).stdout);
    assert_eq!(value(&samples, "drctl_run_state", "state", "awaiting_approval"), 1.0);
    assert_eq!(value(&samples, "drctl_run_state", "state", "succeeded"), 0.0);
    assert_eq!(value(&samples, "drctl_rto_objective_seconds", "of", "runbook"), 3600.0);
    assert_eq!(value(&samples, "drctl_gates_open", "", ""), 1.0);
    assert_eq!(value(&samples, "drctl_step_attempts", "step", "each[a\"b]"), 2.0);
    assert_eq!(value(&samples, "drctl_step_attempts", "step", "each[c]"), 1.0);
    assert_eq!(value(&samples, "drctl_run_info", "owner", "the \"a\\b\" team"), 1.0);
    assert_eq!(value(&samples, "drctl_rto_restored", "", ""), 0.0);
    let run = workspace.run();
    workspace.drctl(&["--as", "ada", "approve", &run, "gate"]);
    assert_eq!(workspace.drctl(&["resume", &run]).code, 0);
    let written = workspace.drctl(&["metrics", &run, "--out", "run.prom"]);
    assert_eq!((written.code, written.stdout.as_str()), (0, ""));
    let samples = read(&std::fs::read_to_string(workspace.path("run.prom")).unwrap());
    assert_eq!(value(&samples, "drctl_run_state", "state", "succeeded"), 1.0);
    assert_eq!(value(&samples, "drctl_rto_restored", "", ""), 1.0);
    assert!(value(&samples, "drctl_rto_clock_seconds", "", "") > 0.0);
}

#[test]
fn a_run_writes_its_metrics_as_it_goes() {
    let workspace = Workspace::of(
        "execution:\n  - id: go\n    action: shell\n    with: { script: 'until test -e ready; do sleep 0.05; done' }\n",
    );
    let mut child = workspace.start(&["failover", "r", "--metrics", "run.prom"]);
    let written = || std::fs::read_to_string(workspace.path("run.prom")).unwrap_or_default();
    crate::until::until("the metrics say that the step runs", || written().contains("state=\"running\"} 1"));
    assert_eq!(value(&read(&written()), "drctl_run_state", "state", "running"), 1.0);
    workspace.write("ready", "");
    child.wait().unwrap();
    assert_eq!(value(&read(&written()), "drctl_run_state", "state", "succeeded"), 1.0);

    let lost = workspace.drctl(&["failover", "r", "--metrics", "gone/run.prom"]);
    assert_eq!(lost.code, 0, "metrics that cannot be written harm no run: {lost:?}");
    assert!(lost.stderr.contains("cannot write `gone/run.prom`"), "{}", lost.stderr);
}
