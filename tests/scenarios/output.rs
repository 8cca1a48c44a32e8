//! What is printed, and that nothing that is not can harm a run.

use std::fs::File;
use std::process::Stdio;

use serde_json::Value;

use crate::until::until;
use crate::workspace::{Workspace, ran};

const STEPS: &str = "execution:\n  - { id: a, action: shell, with: { script: \"echo a >> log\" } }\n";

#[test]
fn json_is_one_versioned_event_a_line_from_the_version_to_the_summary() {
    let workspace = Workspace::of(STEPS);
    let ran = workspace.drctl(&["failover", "r", "--output", "json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let events: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["version", "run_started", "intent", "handle", "outcome", "run_ended", "summary"]);
    assert!(events.iter().all(|event| event["drctl"] == 1));
    assert_eq!(events.last().unwrap()["payload"]["state"], "succeeded");
}

#[test]
fn an_output_that_is_closed_full_or_never_read_harms_no_run() {
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    for json in ["json", "plain"] {
        let workspace = Workspace::of(STEPS);
        let mut command = workspace.command(&["failover", "r", "--output", json]);
        let ended = ran(command.stdout(full()).stderr(full()).output().unwrap());
        assert_eq!((ended.code, workspace.lines("log")), (0, vec!["a".to_owned()]), "full, {json}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = workspace.command(&["failover", "r", "--output", json]);
        let ended = ran(command.stdout(writer.try_clone().unwrap()).stderr(writer).output().unwrap());
        assert_eq!((ended.code, workspace.lines("log").len()), (0, 2), "closed, {json}");
    }
    let many: String = (0..400)
        .map(|n| format!("  - {{ id: s{n}, action: assert, with: {{ that: true, message: {} }} }}\n", "x".repeat(300)))
        .collect();
    let workspace = Workspace::of(&format!("execution:\n{many}"));
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = workspace.command(&["failover", "r", "--output", "json"]);
    let status = command.stdout(writer).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(0), "never read");
    drop(reader);
}

#[test]
fn what_a_step_prints_cannot_drive_the_terminal() {
    let workspace = Workspace::of(
        "execution:\n  - { id: a, action: shell, with: { script: \"printf '\\\\033[2Jevil\\\\007\\\\n' >&2; exit 1\" } }\n",
    );
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("evil"), "{}", ran.stderr);
    let logs = workspace.drctl(&["logs", &workspace.run(), "a"]);
    for text in [ran.stderr, ran.stdout, logs.stdout] {
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    }
}

#[test]
fn runs_status_logs_watch_and_verify_read_the_same_journal() {
    let workspace = Workspace::of(STEPS);
    workspace.drctl(&["failover", "r"]);
    let run = workspace.run();
    let runs = workspace.drctl(&["runs"]);
    assert!(runs.stdout.starts_with(&format!("{run}  succeeded")), "{runs:?}");
    assert!(workspace.drctl(&["status", &run]).stdout.contains("  a                            succeeded"));
    assert!(workspace.drctl(&["watch", &run]).stdout.contains("execution     a done in "));
    assert!(workspace.drctl(&["verify", &run]).stdout.starts_with("the chain holds: 5 records"));
    assert_eq!(workspace.drctl(&["status", "nothing"]).code, 2);
}

#[test]
fn a_state_folder_that_cannot_be_written_starts_nothing_and_says_where_else() {
    let workspace = Workspace::of("execution:\n  - { id: a, action: shell, with: { script: \"echo a >> log\" } }\n");
    workspace.write("file", "");
    let ran = workspace.drctl(&["failover", "r", "--state", "file/state"]);
    let file = workspace.path("file");
    let wanted = format!(
        "error: `{0}/state`: Not a directory (os error 20)\nnothing was started\n  next: drctl failover r --state DIR\n",
        file.display()
    );
    assert_eq!((ran.code, ran.stderr, workspace.lines("log").len()), (8, wanted, 0));
    let looked = workspace.drctl(&["runs", "--state", "file"]);
    let told = format!("error: `{}/runs`: Not a directory (os error 20)\n", file.display());
    assert_eq!((looked.code, looked.stderr), (8, told));
}

#[test]
fn what_is_shown_of_a_step_that_runs_is_said_to_be_the_beginning() {
    let script = "printf '%01500000d' 0; touch ready; while test ! -e go; do sleep 0.02; done";
    let steps = format!("execution:\n  - {{ id: big, action: shell, with: {{ script: \"{script}\" }} }}\n");
    let workspace = Workspace::of(&steps);
    let mut child = workspace.start(&["failover", "r"]);
    until("the step", || workspace.path("ready").exists());
    let logs = || workspace.drctl(&["logs", &workspace.run(), "big"]).stdout;
    let note = "[drctl: only the beginning; the end is kept when the step has ended]\n";
    until("its beginning", || logs().ends_with(note));
    workspace.write("go", "");
    assert!(child.wait().unwrap().success());
    let all = logs();
    assert!(!all.contains(note) && all.trim_end().rsplit('\n').next().unwrap().len() == 1_500_000);
}

#[test]
fn titles_and_owners_stand_beside_the_names_in_the_plan_the_story_and_the_status() {
    let steps = r#"title: Move Orders to {{ inputs.to }}
inputs: { to: { type: string, default: East US 2 } }
execution:
  - { id: promote, title: "Promote the replica in {{ inputs.to }}", owner: dba, action: shell, with: { script: "true" } }
  - { id: plain, action: shell, needs: [promote], with: { script: "true" } }
  - id: late
    title: Say {{ steps.promote.outputs.exit_code }}, and then so much more that no line of a terminal has room for it
    action: shell
    needs: [plain]
    with: { script: "exit 1" }
"#;
    let workspace = Workspace::of(steps);
    let plan = workspace.drctl(&["plan", "r"]).stdout;
    assert_eq!(
        plan.lines().take(15).collect::<Vec<_>>(),
        [
            "failover `r`: 3 steps",
            "Move Orders to East US 2; owner: team",
            "",
            "inputs",
            "  to  \"East US 2\"",
            "",
            "execution",
            "   1 * promote            -  Promote the replica in East US 2; owner: dba",
            "        shell script=true",
            "   2   plain              -",
            "        shell script=true",
            "        after promote",
            "   3   late               -  Say (known after promote), and then so much more that no ...",
            "        shell script=\"exit 1\"",
            "        after plain",
        ]
    );
    let story = workspace.drctl(&["failover", "r"]).stderr;
    for told in [
        "promote running: shell (attempt 1): Promote the replica in East US 2\n",
        "plain running: shell (attempt 1)\n",
        "late running: shell (attempt 1): Say 0, and then so much more that no line of a terminal has ...\n",
    ] {
        assert!(story.contains(told), "{story}");
    }
    let status = workspace.drctl(&["status"]).stdout;
    assert_eq!(status.lines().nth(1), Some("Move Orders to East US 2; owner: team"));
    let promote =
        "  promote                      succeeded, <1s (Promote the replica in East US 2; owner: dba): the script";
    assert!(status.contains(promote), "{status}");
}

#[test]
fn what_a_failed_step_printed_is_shown_line_by_line_and_marked_as_its_own() {
    let workspace = Workspace::of(
        "execution:\n  - { id: a, action: shell, with: { script: \"printf 'one\\\\nrun succeeded\\\\n' >&2; exit 1\" } }\n",
    );
    let ran = workspace.drctl(&["failover", "r"]);
    let said = "failed: the script exited with code 1, wanted exit code 0; its last lines on stderr:\n";
    let plain =
        format!("a {}                | one\n                | run succeeded\n", said.replace("failed", "FAILED"));
    assert!(ran.stderr.contains(&plain), "{ran:?}");
    assert!(ran.stdout.contains(&format!("exception: `a` {said}    | one\n    | run succeeded\nnext: ")), "{ran:?}");
    let status = workspace.drctl(&["status"]).stdout;
    assert!(status.contains(&format!("  a: {said}      | one\n      | run succeeded\nnext\n")), "{status}");
}

#[test]
fn who_knows_a_part_of_an_actions_name_is_told_how_to_find_it() {
    let workspace = Workspace::of("execution:\n  - { id: a, action: wait, with: { for: 1s } }\n");
    let told = |name: &str| workspace.drctl(&["actions", name]).stderr;
    assert_eq!(told("postgres"), "error: no action is called `postgres`\n  next: drctl actions | grep postgres\n");
    assert_eq!(told("exek"), "error: no action is called `exek`; did you mean `exec`?\n  next: drctl actions\n");
}
