//! A dry run reads, writes nothing, and says of each step how far it was checked.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

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
        ("unknown", "change"),
        ("unknown", "uses"),
        ("assumed", "sees"),
        ("assumed", "holds"),
        ("simulated", "pause"),
        ("unknown", "looks"),
        ("unknown", "tell"),
    ];
    assert_eq!(labels, wanted, "{}", ran.stdout);
    assert!(
        ran.stdout
            .ends_with("10 steps: 2 checked, 1 simulated, 3 assumed, 4 unknown: 20 % of the plan was really checked\n"),
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
    let steps = STEPS
        .replace("stdout == 'x'", "stdout == 'y'")
        .replace("{ id: pause, ", "{ id: pause, needs: [sees], when: steps.sees.outputs.stdout == 'z', ");
    let workspace = Workspace::of(&steps).file("templates/t.txt", "Subject: {{ vars.incident }}\n\nBody\n");
    let ran = workspace.drctl(&["failover", "r", "--dry-run", "--output", "plain"]);
    let told = "the condition does not hold; that rests on what `simulate` of `sees` says";
    assert!(ran.stdout.contains(told), "{}", ran.stdout);
    let told = "`steps.sees.outputs.stdout == 'z'` is false; that rests on what `simulate` of `sees` says\n";
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
    assert!(ran.stdout.contains("2 steps: 0 checked, 0 simulated, 0 assumed, 2 unknown"), "{}", ran.stdout);
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
            "unknown        detection     look",
            "                             not tried, as a dry run starts no process; would run:",
            "                             sh -eu -c",
            "                               cat state",
            "unknown        execution     go",
            "                             not tried, as a dry run starts no process; would run:",
            "                             move it",
            "",
            "2 steps: 0 checked, 0 simulated, 0 assumed, 2 unknown: 0 % of the plan was really checked",
        ]
    );
}

/// What a dry run of the steps prints, without the spaces at the ends of its lines, and how it ends.
fn shown(workspace: &Workspace) -> (String, i32) {
    let ran = workspace.drctl(&["failover", "r", "--dry-run"]);
    (ran.stdout.lines().map(|line| format!("{}\n", line.trim_end())).collect(), ran.code)
}

/// A server that has nothing: where it is.
fn empty_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let read = stream.read(&mut [0; 4096]);
            let answer = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            read.and_then(|_| stream.write_all(answer.as_bytes())).ok();
        }
    });
    url
}

#[test]
fn a_read_behind_an_unsent_write_is_not_made_whatever_is_left_out_between_them() {
    let steps = r#"
inputs: { mode: { type: string, default: forced }, stamps: { type: list, default: [] } }
execution:
  - { id: promote, action: shell, with: { script: "true" } }
  - { id: drain, action: shell, needs: [promote], when: inputs.mode == 'planned', with: { script: "true" } }
  - { id: each, action: shell, needs: [promote], for_each: "{{ inputs.stamps }}", with: { script: "true" } }
  - { id: writable, action: http, needs: [drain], with: { url: "URL/a" } }
  - { id: stamped, action: http, needs: [each], with: { url: "URL/b" } }
"#;
    let url = empty_server();
    let (told, code) = shown(&Workspace::of(&steps.replace("URL", &url)));
    assert_eq!(code, 0, "{told}");
    for read in ["writable", "stamped"] {
        let line = format!("unknown        execution     {read}\n");
        let why = "                             not read: it comes after a write that was not sent";
        assert!(told.contains(&(line + why)), "{told}");
    }
}

#[test]
fn a_write_is_simulated_only_where_its_state_was_read() {
    let url = empty_server();
    let steps = r#"
azure: { subscription: 00000000-0000-0000-0000-000000000001, resource_group: rg, credential: client_secret }
execution:
  - { id: put, action: http, with: { method: PUT, url: "URL/a", observe: { status: [200] } } }
  - { id: post, action: http, with: { method: POST, url: "URL/b", json: { on: true } }, simulate: { outputs: { status: 200 } } }
  - { id: blind, action: http, with: { method: POST, url: "URL/c" } }
  - { id: tag, action: azure.request, with: { method: PATCH, path: /providers/x, api_version: "2024-01-01", json: { on: true } } }
  - { id: late, action: http, needs: [put], with: { method: PUT, url: "URL/d", observe: { status: [200] } } }
  - { id: pause, action: wait, needs: [late], with: { for: 1m } }
communication:
  - { id: tell, action: notify, with: { template: t, audience: all } }
"#;
    let template = "Subject: Down\n\nOrders is down.\n";
    let workspace = Workspace::of(&steps.replace("URL", &url)).file("templates/t.txt", template);
    let (told, code) = shown(&workspace);
    assert_eq!(code, 0, "{told}");
    assert_eq!(
        told.replace(&url, "URL"),
        "\
simulated      execution     put
                             not done yet (answered 404, wanted 200); would do:
                             PUT URL/a
                             sent only if this does not hold: {\"status\":[200]}
assumed        execution     post
                             its state could not be read: the step has no `observe` that would tell; would do:
                             POST URL/b
                             body: {\"on\":true}
                             its outputs are those of `simulate`
unknown        execution     blind
                             its state could not be read: the step has no `observe` that would tell; would do:
                             POST URL/c
unknown        execution     tag
                             no state is read before it is sent; would do:
                             PATCH https://management.azure.com/providers/x?api-version=2024-01-01
                             body: {\"on\":true}
                             as `client_secret`
unknown        execution     late
                             not read: it comes after a write that was not sent; would do:
                             PUT URL/d
                             sent only if this does not hold: {\"status\":[200]}
simulated      execution     pause
                             would wait for 1m
unknown        communication tell
                             not sent: no channel tells before whether it takes it; would:
                             tell all what the template t says
                             through file `board`
                             Subject: Down
                               Orders is down.

7 steps: 0 checked, 2 simulated, 1 assumed, 4 unknown: 0 % of the plan was really checked
"
    );
}

#[test]
fn what_may_not_run_says_so_and_is_never_taken_for_checked() {
    let workspace = Workspace::of(
        r#"
detection:
  - { id: look, action: shell, with: { script: "true" }, outputs: { n: int, hosts: list } }
  - { id: sure, action: assert, with: { that: true } }
  - { id: maybe, action: assert, needs: [look], when: steps.look.outputs.n == 1, with: { that: true } }
  - { id: rests, action: assert, needs: [maybe], with: { that: "{{ steps.maybe.status == 'succeeded' }}" } }
  - { id: not, action: assert, needs: [maybe], when: steps.maybe.status == "failed", with: { that: true } }
  - { id: each, action: assert, needs: [look], for_each: "{{ steps.look.outputs.hosts }}", with: { that: true } }
  - { id: fails, action: assert, needs: [look], when: steps.look.outputs.n == 2, with: { that: false } }
  - { id: call, action: runbook, needs: [look], when: steps.look.outputs.n == 3, with: { runbook: inner } }
"#,
    )
    .runbook("inner", "detection:\n  - { id: within, action: assert, with: { that: true } }\n");
    let (told, code) = shown(&workspace);
    assert_eq!(code, 10, "what fails may not run at all: {told}");
    assert_eq!(
        told,
        "\
unknown        detection     look
                             not tried, as a dry run starts no process; would run:
                             sh -eu -c
                               true
checked        detection     sure
                             the condition holds
unknown        detection     maybe
                             whether it runs is not known before the run: its `when` touches `steps.look`; if so:
                             the condition holds
unknown        detection     rests
                             it reads `maybe`, and whether that runs is not known before the run; if so:
                             the condition holds
not applicable detection     not
                             `steps.maybe.status == \"failed\"` is false; it reads `maybe`, and whether that runs is not known before the run
unknown        detection     each[?]
                             whether it runs is not known before the run: its `for_each` touches `steps.look`; if so:
                             the condition holds
failed         detection     fails
                             whether it runs is not known before the run: its `when` touches `steps.look`; if so:
                             the condition does not hold
unknown        detection     call.within
                             whether it runs is not known before the run: the `when` of `call` touches `steps.look`; if so:
                             the condition holds

8 steps: 1 checked, 0 simulated, 0 assumed, 5 unknown, 1 failed, 1 not applicable: 14 % of the plan was really checked
"
    );
}
