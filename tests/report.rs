//! The report of a run, checked against what the raw lines of its journal say, read in another way.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]
#![allow(dead_code, reason = "the workspace offers more than these scenarios use")]

#[path = "report/arithmetic.rs"]
mod arithmetic;
#[path = "report/metrics.rs"]
mod metrics;
#[path = "support/until.rs"]
mod until;
#[path = "scenarios/workspace.rs"]
mod workspace;

use serde_json::Value;

use arithmetic::Facts;
use until::until;
use workspace::{Workspace, signal};

fn report(workspace: &Workspace) -> Value {
    let run = workspace.run();
    let ran = workspace.drctl(&["report", &run, "--format", "json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Compares what the report says with what the raw journal says.
fn agrees(workspace: &Workspace, execution: &[&str], communication: &[&str], measure: Option<&str>) -> Facts {
    let journal = workspace.journal();
    let facts = arithmetic::facts(&journal, execution, communication, measure);
    let report = report(workspace);
    let clock = &report["clock"];
    let found = Facts {
        elapsed: milliseconds(&clock["elapsed"]).unwrap(),
        restored: clock["restored"].as_bool().unwrap(),
        machine: milliseconds(&clock["machine"]).unwrap(),
        people: milliseconds(&clock["people"]).unwrap(),
        unattended: milliseconds(&clock["unattended"]).unwrap(),
        lost: objective(&report, "RPO").and_then(|rpo| milliseconds(&rpo["achieved"])),
        gates: report["approvals"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|gate| milliseconds(&gate["waited"]))
            .collect(),
    };
    assert_eq!(found, facts, "{journal}");
    facts
}

fn milliseconds(seconds: &Value) -> Option<i64> {
    Some((seconds.as_f64()? * 1000.0).round() as i64)
}

fn objective<'r>(report: &'r Value, kind: &str) -> Option<&'r Value> {
    report["objectives"].as_array().unwrap().iter().find(|found| found["of"] == "runbook" && found["kind"] == kind)
}

const GATED: &str = r#"
objectives: { rto: 1h, rpo: 5s }
detection:
  - id: look
    action: shell
    with: { script: "sleep 0.1; echo '{\"lag\": 7.5}' > $DRCTL_OUTPUT" }
    outputs: { lag: { type: number, measures: rpo } }
execution:
  - id: move
    action: shell
    approval: { by: [commander], prompt: "Move?" }
    retry: { attempts: 3, initial: 200ms }
    with: { script: "test -e ready || { touch ready; exit 1; }; sleep 0.1" }
  - id: check
    action: shell
    needs: [move]
    with: { script: "sleep 0.1" }
communication:
  - id: tell
    action: shell
    with: { script: "sleep 0.2" }
"#;

#[test]
fn a_gate_and_retries_add_up_as_the_journal_says() {
    let workspace = Workspace::of(GATED);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 3);
    std::thread::sleep(std::time::Duration::from_millis(300));
    let run = workspace.run();
    workspace.drctl(&["--as", "ada", "approve", &run, "move", "--reason", "go"]);
    assert_eq!(workspace.drctl(&["resume", &run]).code, 0);
    let facts = agrees(&workspace, &["move", "check"], &["tell"], Some("lag"));
    assert!(facts.restored && facts.people >= 300 && facts.machine >= 300 && facts.lost == Some(7500), "{facts:?}");

    let report = report(&workspace);
    let rpo = objective(&report, "RPO").unwrap();
    assert_eq!((&rpo["target"], &rpo["achieved"], &rpo["met"]), (&5.0.into(), &7.5.into(), &false.into()));
    let gate = &report["approvals"][0];
    assert_eq!(
        (&gate["step"], &gate["prompt"], &gate["outcome"]),
        (&"move".into(), &"Move?".into(), &"approved".into())
    );
    let vote = &gate["votes"][0];
    assert_eq!(
        (&vote["who"]["name"], &vote["who"]["claimed"], &vote["comment"]),
        (&"ada".into(), &true.into(), &"go".into())
    );
    let kinds: Vec<&str> =
        report["issues"].as_array().unwrap().iter().map(|issue| issue["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["interruption", "retry"]);
    let rules: Vec<&str> =
        report["recommendations"].as_array().unwrap().iter().map(|advice| advice["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["rpo-missed", "claimed-identity", "never-rehearsed"]);
}

const FAILING: &str = r"
objectives: { rto: 1h }
execution:
  - id: move
    action: shell
    with: { script: 'sleep 0.1; test -e ready' }
  - id: beside
    action: shell
    with: { script: 'sleep 0.3' }
  - id: last
    action: shell
    needs: [move, beside]
    with: { script: 'sleep 0.1' }
";

#[test]
fn a_pause_and_a_resume_add_up_as_the_journal_says() {
    let workspace = Workspace::of(FAILING);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 1);
    let run = workspace.run();
    let unfinished = report(&workspace);
    assert_eq!((&unfinished["run"]["ended"], &unfinished["run"]["state"]), (&false.into(), &"paused".into()));
    assert_eq!(unfinished["next"][0], format!("drctl retry {run} move").as_str());
    agrees(&workspace, &["move", "beside", "last"], &[], None);

    std::thread::sleep(std::time::Duration::from_millis(300));
    workspace.write("ready", "");
    workspace.drctl(&["retry", &run, "move"]);
    assert_eq!(workspace.drctl(&["resume", &run]).code, 0);
    let facts = agrees(&workspace, &["move", "beside", "last"], &[], None);
    assert!(facts.restored && facts.people >= 300 && facts.machine >= 400, "{facts:?}");
}

#[test]
fn a_time_in_which_nobody_executed_the_run_adds_up_as_the_journal_says() {
    let workspace = Workspace::of("execution:\n  - id: wait\n    action: shell\n    with: { script: 'sleep 0.8' }\n");
    let mut child = workspace.start(&["failover", "r"]);
    until("the step starts", || workspace.journal().contains("\"type\":\"handle\""));
    signal(&child, rustix::process::Signal::KILL);
    child.wait().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(workspace.drctl(&["resume", &workspace.run()]).code, 0);
    let facts = agrees(&workspace, &["wait"], &[], None);
    assert!(facts.restored && facts.unattended >= 500, "{facts:?}");
}

#[test]
fn a_manual_step_a_skip_and_an_abort_add_up_as_the_journal_says() {
    let workspace = Workspace::of(
        "objectives: { rto: 1h }\nassessment:\n  - id: ask\n    action: manual\n    with: { instructions: Look. }\n    outputs: { number: string }\n\
         execution:\n  - id: broken\n    action: shell\n    with: { script: 'exit 3' }\n  - id: later\n    action: shell\n    needs: [broken]\n    with: { script: 'exit 0' }\n",
    );
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 3);
    let run = workspace.run();
    agrees(&workspace, &["broken", "later"], &[], None);
    workspace.drctl(&["approve", &run, "ask", "--output", "number=7"]);
    assert_eq!(workspace.drctl(&["resume", &run]).code, 1);
    workspace.drctl(&["abort", &run, "--reason", "wrong region", "--yes"]);
    workspace.drctl(&["resume", &run]);
    let facts = agrees(&workspace, &["broken", "later"], &[], None);
    assert!(!facts.restored, "{facts:?}");
    let report = report(&workspace);
    assert_eq!((&report["run"]["state"], &report["run"]["ended"]), (&"aborted".into(), &true.into()));
    let decided: Vec<String> = report["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|decision| format!("{} {}", decision["what"].as_str().unwrap(), decision["reason"]))
        .collect();
    assert_eq!(decided, ["answered null", "aborted \"wrong region\""]);
}

/// Text that would be markup in a page, in Markdown, or on a terminal.
const HOSTILE: &str = r#"
objectives: { rto: 1h }
execution:
  - id: evil
    title: "<script>alert(1)</script> | <b>bold</b> [link](http://evil.example) `code`"
    action: shell
    approval: { by: [commander], prompt: "</p><img src=x onerror=alert(1)>\n# heading\n| a | b |" }
    with: { script: "printf '\\033]0;title\\007<script>alert(2)</script>\\n' >&2; exit 3" }
"#;

#[test]
fn what_steps_and_people_wrote_is_text_on_the_page_and_in_markdown() {
    let workspace = Workspace::of(HOSTILE);
    workspace.drctl(&["failover", "r"]);
    let run = workspace.run();
    let reason = "\" onload=\"alert(3) <script>alert(4)</script> [click](javascript:alert(5))";
    workspace.drctl(&["--as", "ada", "approve", &run, "evil", "--reason", reason]);
    assert_eq!(workspace.drctl(&["resume", &run]).code, 1);
    let page = workspace.drctl(&["report", "--format", "html"]).stdout;
    let markup = page.strip_prefix("<!DOCTYPE html>\n").unwrap();
    let parsed = roxmltree::Document::parse(markup).unwrap_or_else(|error| panic!("{error}: {page}"));
    let known = ["script", "img", "b", "iframe", "object", "link"];
    assert_eq!(parsed.descendants().filter(|node| known.contains(&node.tag_name().name())).count(), 0, "{page}");
    let calls = |name: &str| name.starts_with("on") || name == "href" || name == "src";
    let attributes = parsed.descendants().flat_map(|node| node.attributes());
    assert_eq!(attributes.filter(|attribute| calls(attribute.name())).count(), 0, "{page}");
    assert!(page.contains("&lt;script&gt;alert(4)&lt;/script&gt;") && !page.contains('\u{1b}'), "{page}");
    let loads = ["http://www", "https://", "url(http", "@import", "//cdn"];
    assert_eq!(loads.iter().filter(|load| page.contains(**load)).count(), 0, "the page needs nothing but itself");

    let text = workspace.drctl(&["report"]).stdout;
    let (_, below) = text.split_once('\n').unwrap();
    let unescaped = below.replace("\\<", "").replace("\\[", "");
    assert!(!unescaped.contains(['<', '[', '\u{1b}']) && !below.contains("\n# heading"), "{text}");
    assert!(below.contains("\\<script\\>alert(2)\\</script\\>") && below.contains("\\[click\\](javascript:"), "{text}");
}

#[test]
fn a_report_is_a_function_of_the_journal_and_is_compared_with_runs_before() {
    let workspace = Workspace::of(
        "objectives: { rto: 1h }\nexecution:\n  - id: go\n    action: shell\n    with: { script: 'test -e fast || sleep 1.2' }\n",
    );
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
    let first = workspace.run();
    let again = |format: &str| workspace.drctl(&["report", &first, "--format", format]).stdout;
    for format in ["html", "markdown", "json"] {
        assert_eq!(again(format), again(format));
    }
    workspace.write("fast", "");
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
    let latest: Value = serde_json::from_str(&workspace.drctl(&["report", "--format", "json"]).stdout).unwrap();
    let before = latest["comparison"]["runs"].as_array().unwrap();
    assert_eq!(before.iter().map(|run| run["run"].as_str().unwrap()).collect::<Vec<_>>(), [first.as_str()]);
    assert_eq!(latest["comparison"]["steps"][0]["step"], "go");
    let of_first: Value = serde_json::from_str(&again("json")).unwrap();
    assert_eq!(of_first["comparison"]["runs"], Value::Array(Vec::new()), "a later run is none before it");
}

#[test]
fn a_report_says_how_it_was_rehearsed_before() {
    let workspace = Workspace::of(
        "objectives: { rto: 1h }\nexecution:\n  - id: go\n    action: shell\n    with: { script: 'exit 0' }\n    simulate: { duration: 9m }\n",
    );
    assert_eq!(workspace.drctl(&["rehearse", "r"]).code, 0);
    assert_eq!(workspace.drctl(&["rehearse", "r", "--inject", "go:fail"]).code, 1);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
    let told = report(&workspace);
    let rehearsals = told["comparison"]["rehearsals"].as_array().unwrap();
    let shown: Vec<String> =
        rehearsals.iter().map(|one| format!("{} {} {}", one["ended"], one["as_expected"], one["recovery"])).collect();
    assert_eq!(shown, ["\"succeeded\" true 540.0"], "{told:#}");
    assert_eq!(told["comparison"]["freshness"], "rehearsed today (1 scenario as expected)");
    assert!(!told["recommendations"].to_string().contains("never-rehearsed"), "{told:#}");
    let text = workspace.drctl(&["report"]).stdout;
    assert!(text.contains("When it began, this runbook was rehearsed today"), "{text}");
    let run = workspace.run();
    assert_eq!(workspace.drctl(&["rehearse", "r"]).code, 0);
    let again: Value = serde_json::from_str(&workspace.drctl(&["report", &run, "--format", "json"]).stdout).unwrap();
    assert_eq!(again, told, "a later rehearsal is none before it");
}

#[test]
fn of_services_that_share_a_runbook_the_one_that_was_recovered_is_told() {
    let workspace = Workspace::of(
        "inputs: { service: { type: string }, to: { type: string } }\nexecution:\n  - id: go\n    action: shell\n    with: { script: 'exit 0' }\n",
    );
    let settings = std::fs::read_to_string(workspace.path("drctl.yaml")).unwrap();
    let services = "services:\n  shop: { owner: team, rto: 1h, regions: [west], standby: [east], runbook: r, inputs: { service: shop, to: \"{{ standby }}\" } }\n  mail: { owner: team, rto: 1h, regions: [west], standby: [east], runbook: r, inputs: { service: mail, to: \"{{ standby }}\" } }\n";
    workspace.write("drctl.yaml", &(settings + services));
    let ran = workspace.drctl(&["failover", "r", "--set", "service=mail", "--set", "to=east"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let report = report(&workspace);
    let objectives = report["objectives"].as_array().unwrap().iter();
    let named: Vec<String> = objectives.map(|found| format!("{} {}", found["of"], found["name"])).collect();
    assert_eq!(named, ["\"runbook\" \"r\"", "\"service\" \"mail\""]);
}

#[test]
fn services_and_called_runbooks_have_objectives_of_their_own() {
    let workspace = Workspace::new()
        .runbook("db", "objectives: { rto: 1h }\nexecution:\n  - id: move\n    action: shell\n    with: { script: 'sleep 0.1' }\n")
        .runbook(
            "r",
            "objectives: { rto: 2h }\nexecution:\n  - id: base\n    action: runbook\n    with: { runbook: db }\n  - id: after\n    action: shell\n    needs: [base]\n    with: { script: 'sleep 0.2' }\n",
        );
    let settings = std::fs::read_to_string(workspace.path("drctl.yaml")).unwrap();
    let services = "services:\n  data: { owner: team, rto: 50ms, regions: [west], runbook: db }\n  shop: { owner: team, rto: 1h, regions: [west], runbook: r }\n";
    workspace.write("drctl.yaml", &(settings + services));
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let report = report(&workspace);
    let shown: Vec<String> = report["objectives"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| format!("{} {} {} {} {}", found["of"], found["name"], found["step"], found["kind"], found["met"]))
        .collect();
    assert_eq!(
        shown,
        [
            "\"runbook\" \"r\" null \"RTO\" true",
            "\"service\" \"shop\" null \"RTO\" true",
            "\"called runbook\" \"db\" \"base\" \"RTO\" true",
            "\"service\" \"data\" \"base\" \"RTO\" false",
        ]
    );
    let journal = workspace.journal();
    let [begin, end] =
        [("run_started", ""), ("outcome", "base.move")].map(|(kind, step)| arithmetic::time_of(&journal, kind, step));
    assert_eq!(milliseconds(&report["objectives"][2]["achieved"]), Some(end - begin));
}

#[test]
fn notices_and_checks_are_told_with_what_became_of_them() {
    let steps = "execution:\n  - id: fit\n    action: assert\n    with: { that: true }\n  - id: go\n    action: shell\n    with: { script: 'exit 0' }\n    verify: { action: probe.tcp, with: { host: 127.0.0.1, port: 1 }, within: 100ms, every: 50ms }\n    on_failure: continue\ncommunication:\n  - id: tell\n    action: notify\n    with: { template: news, audience: all }\n  - id: tell_others\n    action: notify\n    on_failure: continue\n    with: { template: news, audience: others }\n";
    let workspace = Workspace::of(steps).file("templates/news.txt", "Subject: News\n\nIt is over.\n");
    let settings = std::fs::read_to_string(workspace.path("drctl.yaml")).unwrap();
    let hook =
        "channels: { board: { type: file, path: notices }, hook: { type: webhook, url: 'http://127.0.0.1:1/x' } }";
    let settings = settings.replace("channels: { board: { type: file, path: notices } }", hook);
    workspace.write("drctl.yaml", &settings.replace("{ all: [board] }", "{ all: [board], others: [hook] }"));
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 10, "{ran:?}");
    let report = report(&workspace);
    let told: Vec<String> = report["notices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|notice| format!("{} {} {}", notice["step"], notice["state"], notice["deliveries"]))
        .collect();
    assert_eq!(
        told,
        [
            "\"tell\" \"sent\" [{\"to\":\"board\",\"state\":\"delivered\"}]",
            "\"tell_others\" \"owed\" [{\"to\":\"hook\",\"state\":\"owed\"}]",
        ]
    );
    let checks: Vec<String> = report["validations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| format!("{} {} {}", check["step"], check["check"], check["holds"]))
        .collect();
    assert_eq!(checks, ["\"fit\" \"assert\" true", "\"go\" \"verify probe.tcp\" false"]);
    let rules = report["recommendations"].to_string();
    assert!(rules.contains("notice-owed") && rules.contains("check-failed"), "{rules}");
}

#[test]
fn what_cannot_be_reported_says_why() {
    let workspace = Workspace::of("execution:\n  - id: go\n    action: shell\n    with: { script: 'exit 0' }\n");
    let none = workspace.drctl(&["report"]);
    assert_eq!(
        (none.code, none.stderr.as_str()),
        (2, "error: there are no runs yet\n  next: drctl failover NAME --simulate\n")
    );
    assert_eq!(workspace.drctl(&["report", "nope"]).code, 2);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
    let folder = workspace.drctl(&["report", "--out", "templates"]);
    assert_eq!((folder.code, folder.stderr.as_str()), (2, "error: `templates` is a folder: wanted a file to write\n"));
    let lost = workspace.drctl(&["report", "--out", "gone/r.html"]);
    assert!(lost.code == 1 && lost.stderr.starts_with("error: cannot write `gone/r.html`: "), "{lost:?}");
    let written = workspace.drctl(&["report", "--out", "r.html"]);
    assert_eq!(written.code, 0, "{written:?}");
    assert!(std::fs::read_to_string(workspace.path("r.html")).unwrap().starts_with("<!DOCTYPE html>"));
    let dry = workspace.drctl(&["failover", "r", "--dry-run"]);
    assert_eq!(dry.code, 0, "{dry:?}");
}
