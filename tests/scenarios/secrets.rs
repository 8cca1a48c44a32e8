//! Secrets reach the step and nothing else.

use std::path::Path;

use crate::until::until;
use crate::workspace::Workspace;

const CANARY: &str = "k4n4ry-9Zq!x7";

const STEPS: &str = r#"
inputs:
  token: { type: secret, from: { env: TOKEN } }
execution:
  - id: use
    action: shell
    with:
      script: |
        test "$T" = "$WANTED" && echo matched >> log
        echo "$T"; echo "$T" >&2; printf '{"seen": "%s"}' "$T" > "$DRCTL_OUTPUT"
        touch running; while test ! -e go; do sleep 0.02; done; exit 1
      env: { T: "{{ inputs.token }}", WANTED: k4n4ry-9Zq!x7 }
    outputs: { seen: string }
"#;

fn holds(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            holds(&entry.path(), found);
        } else if std::fs::read(entry.path()).unwrap().windows(CANARY.len()).any(|window| window == CANARY.as_bytes()) {
            found.push(entry.path().display().to_string());
        }
    }
}

fn command_lines() -> String {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok()).collect()
}

#[test]
fn a_secret_is_in_no_file_of_the_run_no_output_and_no_process_list() {
    let steps = STEPS.replace(", WANTED: k4n4ry-9Zq!x7", "").replace("\"$WANTED\"", "\"$(cat wanted)\"");
    let workspace = Workspace::of(&steps).file("wanted", CANARY);
    let mut command = workspace.command(&["failover", "r"]);
    let child = command
        .env("TOKEN", CANARY)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    until("the step", || workspace.path("running").exists());
    assert!(!command_lines().contains(CANARY));
    workspace.write("go", "");
    let ended = crate::workspace::ran(child.wait_with_output().unwrap());
    assert_eq!((ended.code, workspace.lines("log")), (1, vec!["matched".to_owned()]));
    assert!(!ended.stdout.contains(CANARY) && !ended.stderr.contains(CANARY), "{ended:?}");
    assert!(ended.stderr.contains("***"), "{ended:?}");
    let mut found = Vec::new();
    holds(&workspace.path(".drctl"), &mut found);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_secret_that_cannot_be_read_is_named_before_anything_runs() {
    let workspace = Workspace::of(STEPS);
    let mut command = workspace.command(&["failover", "r"]);
    let ran = crate::workspace::ran(command.env_remove("TOKEN").output().unwrap());
    assert_eq!(ran.stderr, "error: secret `token`: the environment variable `TOKEN` is not set\n");
    assert_eq!((ran.code, workspace.path(".drctl").exists()), (2, false));
    let given = workspace.drctl(&["failover", "r", "--set", "token=x"]);
    assert_eq!((given.code, given.stderr.contains("never from the command line")), (2, true));
}

#[test]
fn a_secret_comes_from_a_file_or_a_command_too() {
    let steps = r#"
inputs:
  one: { type: secret, from: { file: secret.txt } }
  two: { type: secret, from: { command: [printf, second] } }
execution:
  - { id: a, action: shell, with: { script: "test \"$A-$B\" = first-second", env: { A: "{{ inputs.one }}", B: "{{ inputs.two }}" } } }
"#;
    let workspace = Workspace::of(steps).file("secret.txt", "first\n");
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
}

#[test]
fn a_secret_in_hexadecimal_is_masked_too() {
    let steps = r#"
inputs: { token: { type: secret, from: { env: TOKEN } } }
execution:
  - id: use
    action: shell
    with: { script: "printf %s \"$T\" | od -An -v -tx1 | tr -d ' \\n'; echo .; exit 1", env: { T: "{{ inputs.token }}" } }
"#;
    let workspace = Workspace::of(steps);
    let ran = crate::workspace::ran(workspace.command(&["failover", "r"]).env("TOKEN", CANARY).output().unwrap());
    let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert!(!workspace.journal().contains(&hex) && !ran.stderr.contains(&hex), "{ran:?}");
    assert!(ran.stderr.contains("***."), "{ran:?}");
}

#[test]
fn a_channel_that_no_notice_goes_through_wants_no_secret() {
    let settings = "drctl: 1\nchannels:\n  board: { type: file, path: notices }\n  mail: { type: webhook, url: { env: HOOK } }\n\
                    audiences: { all: [board], outside: [mail] }\n";
    for (audience, warned) in [("all", false), ("outside", true)] {
        let template = format!("---\nsubject: done\naudience: {audience}\n---\nDone.\n");
        let workspace = Workspace::of("communication:\n  - { id: tell, action: notify, with: { template: t } }\n")
            .file("drctl.yaml", settings)
            .file("templates/t.md", &template);
        let ran = workspace.drctl(&["failover", "r"]);
        assert_eq!(ran.stderr.contains("what would be sent with it will be owed"), warned, "{audience}: {ran:?}");
    }
}
