//! Runbooks that call others: one run, one journal, one way to decide.

use rustix::process::Signal;

use crate::until::until;
use crate::workspace::{Workspace, ran, signal};

const POSTGRES: &str = r#"
inputs:
  region: { type: string }
  mode: { type: enum, values: [planned, forced], default: planned }
execution:
  - id: promote
    action: shell
    with: { script: "echo promote $R $M >> log; echo '{\"host\": \"pg-west\"}' > $DRCTL_OUTPUT", env: { R: "{{ inputs.region }}", M: "{{ inputs.mode }}" } }
    outputs: { host: string }
    rollback: { action: shell, with: { script: "echo demote $R >> log", env: { R: "{{ inputs.region }}" } } }
communication:
  - { id: tell, action: shell, with: { script: echo tell >> log } }
outputs:
  host: "{{ steps.promote.outputs.host }}"
"#;

const CALLER: &str = r#"
execution:
  - { id: before, action: shell, with: { script: echo before >> log } }
  - id: database
    action: runbook
    needs: [before]
    with: { runbook: postgres, inputs: { region: west } }
  - id: after
    action: shell
    needs: [database]
    with: { script: "echo after $H >> log", env: { H: "{{ steps.database.outputs.host }}" } }
outputs:
  host: "{{ steps.database.outputs.host }}"
  skipped: "{{ steps.before.outputs.exit_code | default(value='none') }}"
"#;

fn workspace(caller: &str, called: &str) -> Workspace {
    Workspace::of(caller).runbook("postgres", called)
}

#[test]
fn a_called_runbook_runs_in_its_place_and_gives_its_outputs_back() {
    let workspace = workspace(CALLER, POSTGRES);
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(
        (ran.code, workspace.lines("log")),
        (0, ["before", "promote west planned", "after pg-west"].map(str::to_owned).into()),
        "{ran:?}"
    );
    assert_eq!(
        workspace.states(),
        ["before=succeeded", "database=succeeded", "database.promote=succeeded", "after=succeeded"]
    );
    assert!(ran.stdout.contains("output: host: pg-west\n"), "{ran:?}");
    let status = workspace.drctl(&["status", &workspace.run()]).stdout;
    assert!(status.contains("    database.promote "), "{status}");
    assert!(status.contains("outputs\n  host: pg-west\n"), "{status}");
}

#[test]
fn its_communication_phase_runs_where_the_call_asks_for_it() {
    let workspace = workspace(&CALLER.replace("region: west }", "region: west }, communication: true"), POSTGRES);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
    assert_eq!(workspace.lines("log"), ["before", "promote west planned", "tell", "after pg-west"]);
}

#[test]
fn a_gate_on_a_call_shows_all_that_is_called_and_a_gate_within_waits_by_its_path() {
    let gated = CALLER.replace("    needs: [before]\n", "    needs: [before]\n    approval: {}\n");
    let inner = POSTGRES.replace("  - id: promote\n", "  - id: promote\n    approval: { by: [commander] }\n");
    let workspace = workspace(&gated, &inner);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 3);
    let status = workspace.drctl(&["status"]).stdout;
    assert!(status.contains("does: database.promote: shell\n"), "{status}");
    assert_eq!(workspace.drctl(&["approve", "database"]).code, 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 3);
    assert_eq!(
        workspace.states(),
        ["before=succeeded", "database=running", "database.promote=awaiting_approval", "after=pending"]
    );
    let run = workspace.run();
    let stranger = workspace.drctl(&["approve", &run, "database.promote", "--as", "eve"]);
    assert_eq!(stranger.code, 1, "{stranger:?}");
    assert_eq!(workspace.drctl(&["approve", &run, "database.promote", "--as", "ada"]).code, 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 0);
}

#[test]
fn a_gate_before_a_call_guards_the_point_of_no_return_within() {
    let gated = CALLER.replace("  - { id: before, action", "  - { id: before, approval: {}, action");
    let inner = POSTGRES.replace("  - id: promote\n", "  - id: promote\n    point_of_no_return: true\n");
    let workspace = workspace(&gated, &inner.replace("    rollback:", "    x-rollback:"));
    workspace.drctl(&["failover", "r"]);
    let status = workspace.drctl(&["status"]).stdout;
    assert!(status.contains("does: guards the point of no return `database.promote`\n"), "{status}");
}

#[test]
fn a_failure_within_pauses_the_run_and_is_retried_by_its_path() {
    let inner = POSTGRES.replace("echo promote $R $M >> log;", "test -e ok || exit 7; echo promote $R $M >> log;");
    let workspace = workspace(CALLER, &inner);
    let failed = workspace.drctl(&["failover", "r"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    let next = format!("next: drctl retry {} database.promote\n", workspace.run());
    assert!(failed.stdout.contains(&next), "{failed:?}");
    let whole = workspace.drctl(&["skip", "database", "--reason", "x", "--yes"]);
    assert!(whole.stderr.contains("name one of them, such as `database.promote`"), "{whole:?}");
    workspace.write("ok", "");
    assert_eq!(workspace.drctl(&["retry"]).code, 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 0);
    assert_eq!(workspace.lines("log"), ["before", "promote west planned", "after pg-west"]);
}

#[test]
fn a_step_within_is_skipped_with_what_stands_in_for_its_outputs() {
    let workspace = workspace(CALLER, &POSTGRES.replace("echo promote $R $M >> log;", "exit 7;"));
    workspace.drctl(&["failover", "r"]);
    let skip = ["skip", "database.promote", "--reason", "by hand", "--yes", "--output", "host=pg-hand"];
    assert_eq!(workspace.drctl(&skip).code, 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 10);
    assert_eq!(workspace.lines("log"), ["before", "after pg-hand"]);
}

#[test]
fn an_abort_undoes_what_was_called_too_and_runs_the_failure_steps_of_what_had_begun() {
    let inner = POSTGRES.replace(
        "communication:\n",
        "  - { id: cry, run_if: failure, action: shell, with: { script: echo cry >> log } }\n\
         \x20 - { id: never, run_if: always, action: shell, with: { script: echo always >> log } }\ncommunication:\n",
    );
    let caller = CALLER.replace("echo after $H >> log", "exit 3");
    let workspace = workspace(&caller, &inner);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 1);
    assert_eq!(workspace.drctl(&["abort", "--reason", "no", "--yes"]).code, 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 1);
    let lines = workspace.lines("log");
    assert_eq!(lines[..3], ["before", "promote west planned", "cry"]);
    assert!(lines.contains(&"demote west".to_owned()) && lines.contains(&"always".to_owned()), "{lines:?}");
    assert!(workspace.states().contains(&"database=rolled_back".to_owned()), "{:?}", workspace.states());
}

#[test]
fn a_process_that_is_killed_within_a_call_is_taken_up_there() {
    let slow = "echo start >> log; while test ! -e go; do sleep 0.02; done; echo promote $R $M >> log;";
    let workspace = workspace(CALLER, &POSTGRES.replace("echo promote $R $M >> log;", slow));
    let child = workspace.start(&["failover", "r"]);
    until("the step", || workspace.lines("log").last().is_some_and(|line| line == "start"));
    signal(&child, Signal::KILL);
    assert_eq!(ran(child.wait_with_output().unwrap()).code, -9);
    workspace.write("go", "");
    until("its end", || workspace.lines("log").len() == 3);
    let resumed = workspace.drctl(&["resume"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert_eq!(workspace.lines("log"), ["before", "start", "promote west planned", "after pg-west"]);
}

const EACH: &str = r#"
execution:
  - id: database
    action: runbook
    for_each: [eu, us.1]
    max_parallel: 1
    with: { runbook: postgres, inputs: { region: "{{ item }}", mode: forced } }
  - id: after
    action: shell
    needs: [database]
    with: { script: "echo after $H >> log", env: { H: "{{ steps.database.outputs.eu.host }}" } }
"#;

#[test]
fn a_call_for_each_item_is_a_run_of_the_runbook_for_each() {
    let inner =
        POSTGRES.replace("echo promote $R $M >> log;", "test $R = eu || test -e ok || exit 7; echo $R $M >> log;");
    let workspace = workspace(EACH, &inner);
    let failed = workspace.drctl(&["failover", "r"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.stdout.contains("drctl retry") && failed.stdout.contains("'database[us.1].promote'"), "{failed:?}");
    workspace.write("ok", "");
    assert_eq!(workspace.drctl(&["retry", "database[us.1].promote"]).code, 0);
    let resumed = workspace.drctl(&["resume"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert_eq!(workspace.lines("log"), ["eu forced", "us.1 forced", "after pg-west"]);
    let logs = workspace.drctl(&["logs", &workspace.run(), "database[eu].promote"]);
    assert_eq!(logs.code, 0, "{logs:?}");
}

#[test]
fn a_call_that_does_not_apply_leaves_all_its_steps_out() {
    let never = CALLER.replace("    needs: [before]\n", "    needs: [before]\n    when: 1 == 2\n");
    let never = never.replace("outputs.host }}", "outputs.host | default(value='none') }}");
    let workspace = workspace(&never, POSTGRES);
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!((ran.code, workspace.lines("log")), (0, vec!["before".to_owned(), "after none".to_owned()]), "{ran:?}");
    assert_eq!(
        workspace.states(),
        ["before=succeeded", "database=not_applicable", "database.promote=not_applicable", "after=succeeded"]
    );
}

#[test]
fn an_input_that_does_not_fit_in_the_run_fails_the_call_before_it_begins() {
    let caller = CALLER.replace("{ region: west }", "{ region: west, mode: \"{{ run.id }}\" }");
    let workspace = workspace(&caller, POSTGRES);
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stderr.contains("database FAILED: input `mode` of `postgres`: wanted one of `planned`, `forced`"),
        "{ran:?}"
    );
    assert_eq!(workspace.lines("log"), ["before"]);
    assert_eq!(workspace.drctl(&["skip", "database", "--reason", "x", "--yes", "--output", "host=h"]).code, 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 10);
    assert_eq!(workspace.lines("log"), ["before", "after h"]);
}

#[test]
fn a_secret_is_handed_over_as_it_is_and_one_of_the_called_runbook_is_read_where_that_says() {
    let caller = r#"
inputs: { mine: { type: secret, from: { env: MINE } } }
execution:
  - { id: call, action: runbook, with: { runbook: inner, inputs: { token: "{{ inputs.mine }}" } } }
"#;
    let inner = r#"
inputs:
  token: { type: secret, from: { env: NOT_SET } }
  own: { type: secret, from: { env: OWN } }
execution:
  - { id: use, action: shell, with: { script: "test \"$T-$O\" = \"$(cat wanted)\"", env: { T: "{{ inputs.token }}", O: "{{ inputs.own }}" } } }
"#;
    let workspace = Workspace::of(caller).runbook("inner", inner).file("wanted", "canary-mine-canary-own");
    let mut command = workspace.command(&["failover", "r"]);
    let ended = ran(command.env("MINE", "canary-mine").env("OWN", "canary-own").output().unwrap());
    assert_eq!(ended.code, 0, "{ended:?}");
    let journal = workspace.journal();
    assert!(!journal.contains("canary"), "{journal}");
    assert!(journal.contains("<secret mine>") && journal.contains("<secret call.own>"), "{journal}");
    let missing = ran(workspace.command(&["failover", "r"]).env("MINE", "x").output().unwrap());
    assert_eq!(missing.stderr, "error: secret `call.own`: the environment variable `OWN` is not set\n");
}

#[test]
fn a_dry_run_walks_through_a_call_and_what_it_gives_back_stays_unknown() {
    let workspace = workspace(CALLER, POSTGRES);
    let ran = workspace.drctl(&["failover", "r", "--dry-run"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let steps: Vec<&str> =
        ran.stdout.lines().filter_map(|line| line.split_once(" execution     ")).map(|(_, step)| step).collect();
    assert_eq!(steps, ["before", "database.promote", "after"], "{ran:?}");
    assert!(ran.stdout.contains("\n3 steps: "), "{ran:?}");
    assert_eq!(workspace.lines("log"), Vec::<String>::new());
}

#[test]
fn an_edit_of_a_called_runbook_is_shown_by_its_steps_path() {
    let workspace = workspace(&CALLER.replace("echo before >> log", "test -e go"), POSTGRES);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 1);
    workspace.write("go", "");
    workspace.drctl(&["retry"]);
    let text = std::fs::read_to_string(workspace.path("runbooks/postgres.yaml")).unwrap();
    workspace.write("runbooks/postgres.yaml", &text.replace("echo promote", "echo newly"));
    let refused = workspace.drctl(&["resume"]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(refused.stderr.contains("  step `database.promote`: `with` was "), "{refused:?}");
    assert!(!refused.stderr.contains("postgres.yaml` differs"), "{refused:?}");
    let adopted = workspace.drctl(&["resume", "--adopt"]);
    assert_eq!(adopted.code, 0, "{adopted:?}");
    assert_eq!(workspace.lines("log")[0], "newly west planned");
}

#[test]
fn a_run_goes_by_the_called_runbook_as_it_was_pinned() {
    let workspace = workspace(&CALLER.replace("echo before >> log", "test -e go"), POSTGRES);
    workspace.drctl(&["failover", "r"]);
    workspace.write("go", "");
    workspace.drctl(&["retry"]);
    std::fs::remove_file(workspace.path("runbooks/postgres.yaml")).unwrap();
    let pinned = workspace.drctl(&["resume", "--pinned"]);
    assert_eq!(pinned.code, 0, "{pinned:?}");
    assert_eq!(workspace.lines("log"), ["promote west planned", "after pg-west"]);
}

#[test]
fn the_outputs_of_a_run_become_inputs_of_another() {
    let back = "drctl: 1\nname: r\nkind: failback\nowner: team\ninputs: { host: { type: string }, skipped: { type: int, default: 3 } }\n\
        execution:\n  - { id: a, action: shell, with: { script: \"echo back $H >> log\", env: { H: \"{{ inputs.host }}\" } } }\n";
    let workspace = workspace(&CALLER.replace("  skipped", "  other"), POSTGRES).file("runbooks/back.yaml", back);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
    let run = workspace.run();
    let ran = workspace.drctl(&["failback", "r", "--from-run", &run]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains(&format!("with `host` from run {run}")), "{ran:?}");
    assert_eq!(workspace.lines("log").last().unwrap(), "back pg-west");
    let said = workspace.drctl(&["failback", "r", "--from-run", &run, "--set", "host=h"]);
    assert_eq!((said.code, workspace.lines("log").last().unwrap().as_str()), (0, "back h"), "{said:?}");
    let unknown = workspace.drctl(&["failback", "r", "--from-run", "q"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
}

#[test]
fn an_output_that_does_not_fit_the_input_of_its_name_is_named() {
    let back = "drctl: 1\nname: r\nkind: failback\nowner: team\ninputs: { host: { type: int } }\n\
        execution:\n  - { id: a, action: shell, with: { script: \"true\" } }\n";
    let workspace = workspace(CALLER, POSTGRES).file("runbooks/back.yaml", back);
    workspace.drctl(&["failover", "r"]);
    let run = workspace.run();
    let ran = workspace.drctl(&["failback", "r", "--from-run", &run]);
    let wanted =
        format!("input `host`: the output of run `{run}` does not fit: wanted an int, found the string `pg-west`");
    assert!(ran.code == 2 && ran.stderr.contains(&wanted), "{ran:?}");
}

#[test]
fn a_plan_shows_what_is_called_below_the_call() {
    let inner =
        POSTGRES.replace("  - id: promote\n", "  - id: promote\n    approval: {}\n    estimate: { typical: 4m }\n");
    let workspace = workspace(CALLER, &inner);
    let plan = workspace.drctl(&["plan", "r"]);
    assert!(plan.stdout.contains("\n         1 * database.promote      4m\n              shell script=\""), "{plan:?}");
    assert!(plan.stdout.contains("critical path * 6m usually"), "2m for the gate: {plan:?}");
    let gate = plan.stdout.split("--approve ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let ran = workspace.drctl(&["failover", "r", "--approve", &gate]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_rehearsal_that_is_killed_everywhere_loses_and_repeats_nothing_of_what_is_called() {
    let inner = POSTGRES.replace("  - id: promote\n", "  - id: promote\n    approval: {}\n");
    let workspace = workspace(EACH, &inner);
    let rehearsed = workspace.drctl(&["rehearse", "r", "--crash-everywhere"]);
    assert_eq!(rehearsed.code, 0, "{rehearsed:?}");
    assert!(
        rehearsed.stdout.contains("nothing was lost, and nothing that may not be repeated happened twice"),
        "{rehearsed:?}"
    );
    assert!(rehearsed.stdout.contains("undisturbed, the run ends: succeeded"), "{rehearsed:?}");
}
