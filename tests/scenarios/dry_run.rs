//! A dry run reads, writes nothing, and says of each step how far it was checked.

use crate::tool::installed;
use crate::workspace::Workspace;

const STEPS: &str = r#"
detection:
  - { id: read, action: probe.tcp, with: { host: 127.0.0.1, port: 1, samples: 1, timeout: 1s } }
assessment:
  - { id: ask, action: manual, with: { instructions: "Declare." }, outputs: { incident: string }, simulate: { outputs: { incident: INC-1 } } }
  - { id: still, title: See it after the declaration, owner: team_a, action: probe.tcp, needs: [ask], with: { host: 127.0.0.1, port: 1, samples: 1, timeout: 1s } }
execution:
  - { id: change, action: shell, with: { script: "echo change >> log; echo '{\"n\": 1}' > $DRCTL_OUTPUT" }, outputs: { n: int } }
  - { id: uses, action: exec, needs: [change], when: steps.change.outputs.n == 1, with: { argv: [touch, "x{{ steps.change.outputs.n }}"] } }
  - { id: sees, action: shell, with: { script: "touch seen", reads: true }, simulate: { outputs: { stdout: x } } }
  - { id: holds, action: assert, needs: [sees], with: { that: "{{ steps.sees.outputs.stdout == 'x' }}" } }
  - { id: pause, action: wait, with: { for: 1m } }
  - { id: looks, action: probe.tcp, needs: [change], with: { host: 127.0.0.1, port: 1, samples: 1 } }
communication:
  - { id: tell, action: notify, with: { template: t, audience: all, vars: { incident: "{{ steps.ask.outputs.incident }}" } } }
"#;

#[test]
fn each_step_has_an_honest_label_and_the_coverage_is_counted() {
    let workspace = Workspace::of(STEPS).file("templates/t.txt", "Subject: {{ vars.incident }}\n\nBody\n");
    let ran = workspace.drctl(&["failover", "r", "--dry-run", "--output", "plain"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let labels: Vec<(&str, &str)> = ran
        .stdout
        .lines()
        .filter(|line| !line.starts_with(' ') && !line.is_empty() && !line.contains(" steps: "))
        .map(|line| (line.split_whitespace().next().unwrap(), line.split_whitespace().nth(2).unwrap()))
        .collect();
    let wanted = [
        ("checked", "read"),
        ("assumed", "ask"),
        ("checked", "still"),
        ("simulated", "change"),
        ("unknown", "uses"),
        ("assumed", "sees"),
        ("assumed", "holds"),
        ("simulated", "pause"),
        ("unknown", "looks"),
        ("simulated", "tell"),
    ];
    assert_eq!(labels, wanted, "{}", ran.stdout);
    assert!(
        ran.stdout
            .ends_with("10 steps: 2 checked, 3 simulated, 3 assumed, 2 unknown: 20 % of the plan was really checked\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("still (See it after the declaration; owner: team_a)\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Subject: INC-1"), "{}", ran.stdout);
    assert!(ran.stdout.contains("it touches `steps.change`, which is not known before the run"), "{}", ran.stdout);
    assert!(ran.stdout.contains("its outputs are those of `simulate`"), "{}", ran.stdout);
    assert!(ran.stdout.contains("the condition holds; that rests on what `simulate` of `sees` says"), "{}", ran.stdout);
    assert!(ran.stdout.contains("would wait for 1m"), "{}", ran.stdout);
    assert!(ran.stdout.contains("not read: it comes after a write that was not sent"), "{}", ran.stdout);
}

#[test]
fn a_condition_that_an_assumption_breaks_says_so() {
    let steps = STEPS.replace("stdout == 'x'", "stdout == 'y'");
    let workspace = Workspace::of(&steps).file("templates/t.txt", "Subject: {{ vars.incident }}\n\nBody\n");
    let ran = workspace.drctl(&["failover", "r", "--dry-run", "--output", "plain"]);
    let told = "the condition does not hold; that rests on what `simulate` of `sees` says";
    assert!(ran.stdout.contains(told), "{}", ran.stdout);
}

#[test]
fn a_command_that_gives_a_secret_is_not_started_and_what_reads_with_it_is_unknown() {
    let steps = r#"
inputs: { token: { type: secret, from: { command: [sh, -c, "touch started; echo hunter22"] } } }
detection:
  - { id: ask, action: http, with: { url: "http://127.0.0.1:1", headers: { authorization: "{{ inputs.token }}" } } }
execution:
  - { id: change, action: shell, with: { script: "true", env: { T: "{{ inputs.token }}" } } }
"#;
    let workspace = Workspace::of(steps);
    let ran = workspace.drctl(&["failover", "r", "--dry-run", "--output", "plain"]);
    assert!(!workspace.path("started").exists());
    let why = "not read: the secret `token` comes from a command, which a dry run does not start";
    assert!(ran.stdout.contains(why), "{}", ran.stdout);
    assert!(ran.stdout.contains("2 steps: 0 checked, 1 simulated, 0 assumed, 1 unknown"), "{}", ran.stdout);
    assert_eq!(ran.code, 0);
}

#[test]
fn nothing_is_started_written_or_told() {
    if !installed(&["strace"]) {
        return;
    }
    let workspace = Workspace::of(STEPS).file("templates/t.txt", "Subject: {{ vars.incident }}\n\nBody\n");
    let mut before: Vec<_> =
        std::fs::read_dir(workspace.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let traced = std::process::Command::new("strace")
        .args([
            "-f",
            "-qq",
            "-e",
            "trace=execve",
            "-o",
            "trace",
            crate::workspace::BINARY,
            "failover",
            "r",
            "--dry-run",
        ])
        .current_dir(workspace.path("."))
        .output()
        .unwrap();
    assert!(traced.status.success(), "{traced:?}");
    assert_eq!(workspace.lines("trace").iter().filter(|line| line.contains("execve")).count(), 1);
    let mut after: Vec<_> =
        std::fs::read_dir(workspace.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    before.push("trace".into());
    before.sort();
    after.sort();
    assert_eq!(before, after);
}

#[test]
fn a_write_on_azure_whose_state_cannot_be_read_is_unknown_and_still_shown() {
    let workspace = Workspace::of(
        r#"
azure: { subscription: 00000000-0000-0000-0000-000000000001, resource_group: rg, credential: client_secret }
execution:
  - { id: grow, action: azure.vmss.scale, with: { scale_set: web, capacity: 5 } }
"#,
    );
    let ran = workspace.drctl(&["failover", "r", "--dry-run"]);
    let shown = ran.stdout;
    for part in [
        "unknown        execution     grow",
        "its state could not be read: no token by the credential `client_secret`; tried client_secret: it needs `secret`:",
        "would do:\n                             reads GET https://management.azure.com/subscriptions/",
        "body: {\"sku\":{\"capacity\":5}}",
        "1 step: 0 checked, 0 simulated, 0 assumed, 1 unknown: 0 % of the plan was really checked",
    ] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
}

#[test]
fn items_that_a_dry_run_cannot_know_make_what_reads_them_unknown() {
    let workspace = Workspace::of(
        r#"
assessment:
  - { id: list, action: shell, with: { script: "echo '{\"hosts\": [\"a\"]}' > $DRCTL_OUTPUT" }, outputs: { hosts: list } }
execution:
  - id: move
    for_each: "{{ steps.list.outputs.hosts }}"
    action: shell
    with: { script: "echo $HOST", env: { HOST: "{{ item }}" } }
"#,
    );
    let ran = workspace.drctl(&["failover", "r", "--dry-run", "--output", "plain"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("it touches `item`, which is not known before the run"), "{}", ran.stdout);
}

#[test]
fn of_a_process_it_says_that_none_is_started_and_what_would_be() {
    let workspace = Workspace::of(
        "detection:\n  - { id: look, action: shell, with: { script: cat state, reads: true } }\nexecution:\n  - { id: go, action: exec, with: { argv: [move, it] } }\n",
    );
    let ran = workspace.drctl(&["failover", "r", "--dry-run"]);
    assert_eq!(
        ran.stdout.lines().map(str::trim_end).collect::<Vec<_>>(),
        [
            "simulated      detection     look",
            "                             not tried, as a dry run starts no process; would run:",
            "                             sh -eu -c",
            "                               cat state",
            "simulated      execution     go",
            "                             not tried, as a dry run starts no process; would run:",
            "                             move it",
            "",
            "2 steps: 0 checked, 2 simulated, 0 assumed, 0 unknown: 0 % of the plan was really checked",
        ]
    );
}
