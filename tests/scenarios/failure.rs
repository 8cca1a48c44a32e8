//! What a failure does: stop, continue, ask, rollback; then retry, skip, abort.

use crate::until::until;
use crate::workspace::{Workspace, ran};

const CHAIN: &str = r#"
execution:
  - id: one
    action: shell
    with: { script: "echo one >> log" }
    rollback: { action: shell, with: { script: "echo undo-one >> log" } }
  - id: two
    action: shell
    needs: [one]
    with: { script: "echo two >> log; test -e ok" }
  - id: beside
    action: shell
    with: { script: "echo beside >> log" }
    needs: [one]
  - id: three
    action: shell
    needs: [two]
    with: { script: "echo three >> log" }
communication:
  - id: on_failure
    run_if: failure
    action: shell
    with: { script: "echo failed >> log" }
  - id: at_the_end
    run_if: always
    action: shell
    with: { script: "echo always >> log" }
"#;

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

#[test]
fn a_failed_step_pauses_the_run_and_says_what_to_type() {
    let workspace = Workspace::of(CHAIN);
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(sorted(workspace.lines("log")), ["beside", "failed", "one", "two"]);
    let run = workspace.run();
    for command in ["retry {} two", "skip {} two --reason \"...\"", "abort {} --reason \"...\""] {
        let command = format!("next: drctl {}", command.replace("{}", &run));
        assert!(ran.stdout.contains(&command), "{command}: {}", ran.stdout);
    }
    assert!(ran.stderr.contains("execution     two FAILED: the script exited with code 1"), "{}", ran.stderr);
}

#[test]
fn retry_after_the_cause_was_mended_finishes_the_run() {
    let workspace = Workspace::of(CHAIN);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 1);
    workspace.write("ok", "");
    assert_eq!(workspace.drctl(&["retry", "two"]).code, 0);
    let ran = workspace.drctl(&["resume"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(workspace.lines("log")[4..], ["two", "three", "always"]);
}

#[test]
fn each_pause_runs_the_failure_steps_once() {
    let workspace = Workspace::of(CHAIN);
    workspace.drctl(&["failover", "r"]);
    workspace.drctl(&["resume"]);
    assert_eq!(workspace.lines("log").iter().filter(|line| *line == "failed").count(), 1);
    workspace.drctl(&["retry", "two"]);
    workspace.drctl(&["resume"]);
    assert_eq!(workspace.lines("log").iter().filter(|line| *line == "failed").count(), 2);
}

#[test]
fn skip_needs_a_reason_and_somebody_who_says_yes_and_is_an_exception() {
    let workspace = Workspace::of(CHAIN);
    workspace.drctl(&["failover", "r"]);
    assert_eq!(workspace.drctl(&["skip", "two"]).code, 2);
    let unasked = workspace.drctl(&["skip", "two", "--reason", "done by hand"]);
    assert_eq!((unasked.code, unasked.stderr.contains("add `--yes`")), (2, true), "{unasked:?}");
    let skipped = workspace.drctl(&["skip", "two", "--reason", "done by hand", "--yes"]);
    assert!(skipped.stderr.contains("these depend on `two` and will start as if it were done: three"), "{skipped:?}");
    let ran = workspace.drctl(&["resume"]);
    assert_eq!(ran.code, 10, "{ran:?}");
    assert!(ran.stdout.contains("exception: `two` skipped: skipped by "), "{}", ran.stdout);
    assert!(ran.stdout.contains(": done by hand"), "{}", ran.stdout);
}

#[test]
fn abort_shows_its_plan_undoes_and_runs_the_last_steps() {
    let workspace = Workspace::of(CHAIN);
    workspace.drctl(&["failover", "r"]);
    let plan = workspace.drctl(&["abort", "--plan"]);
    let wanted = "will be undone, in this order: one\n\
        cannot be undone: `two`: it failed, may have done half its work, and has no `rollback`\n\
        cannot be undone: `beside`: it has no `rollback`\n";
    let mut lines: Vec<&str> = plan.stdout.lines().collect();
    let mut expected: Vec<&str> = wanted.lines().collect();
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines, expected);
    assert_eq!(workspace.drctl(&["abort", "--reason", "wrong region", "--yes"]).code, 0);
    let ran = workspace.drctl(&["resume"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains(": aborted\n"), "{}", ran.stdout);
    let last = workspace.lines("log");
    assert_eq!(sorted(last[4..last.len() - 1].to_vec()), ["failed", "undo-one"]);
    assert_eq!(last.last().unwrap(), "always");
    assert_eq!(workspace.states()[0], "one=rolled_back");
    let again = workspace.drctl(&["resume", &workspace.run()]);
    assert!(again.stderr.contains("has ended: aborted"), "{again:?}");
}

#[test]
fn a_failure_that_may_be_passed_over_is_an_exception() {
    let steps = CHAIN.replace(
        "    needs: [one]\n    with: { script: \"echo two",
        "    needs: [one]\n    on_failure: continue\n    with: { script: \"echo two",
    );
    let workspace = Workspace::of(&steps);
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 10, "{ran:?}");
    assert_eq!(sorted(workspace.lines("log")), ["always", "beside", "one", "three", "two"]);
}

#[test]
fn a_step_that_asks_holds_only_what_depends_on_it() {
    let steps = r#"
execution:
  - { id: bad, action: shell, on_failure: ask, with: { script: "exit 3" } }
  - { id: after, action: shell, needs: [bad], with: { script: "echo after >> log" } }
  - { id: slow, action: shell, with: { script: "sleep 0.3" } }
  - { id: beside, action: shell, needs: [slow], with: { script: "echo beside >> log" } }
communication:
  - { id: later, action: shell, with: { script: "echo later >> log" } }
"#;
    let workspace = Workspace::of(steps);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 1);
    assert_eq!(workspace.lines("log"), ["beside"]);
    assert_eq!(
        workspace.states(),
        ["bad=failed", "after=pending", "slow=succeeded", "beside=succeeded", "later=pending"]
    );
}

const UNDO: &str = r#"
execution:
  - id: before
    action: shell
    with: { script: "echo before >> log" }
    rollback: { action: shell, with: { script: "echo undo-before >> log" } }
  - id: point
    action: shell
    needs: [before]
    approval: {}
    point_of_no_return: true
    with: { script: "echo point >> log" }
  - id: first
    action: shell
    needs: [point]
    with: { script: "echo first >> log" }
    rollback: { action: shell, with: { script: "echo undo-first >> log" } }
  - id: second
    action: shell
    needs: [first]
    with: { script: "echo second >> log" }
    rollback: { action: shell, with: { script: "echo undo-second >> log; test ! -e stuck" } }
  - id: bad
    action: shell
    needs: [second]
    on_failure: rollback
    with: { script: "exit 1" }
"#;

#[test]
fn a_rollback_goes_back_in_reverse_to_the_last_point_of_no_return() {
    let workspace = Workspace::of(UNDO);
    let ran = workspace.drctl(&["failover", "r", "--yes"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(workspace.lines("log"), ["before", "point", "first", "second", "undo-second", "undo-first"]);
    assert!(ran.stdout.contains(": failed\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("not undone: `point`: it is a point of no return"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("not undone: `before`: it lies before the point of no return `point`"),
        "{}",
        ran.stdout
    );
}

#[test]
fn an_undo_that_fails_waits_for_a_person_and_is_tried_again() {
    let workspace = Workspace::of(UNDO);
    workspace.write("stuck", "");
    assert_eq!(workspace.drctl(&["failover", "r", "--yes"]).code, 1);
    assert_eq!(workspace.states()[3], "second=rollback_failed");
    assert_eq!(workspace.lines("log").last().unwrap(), "undo-second");
    std::fs::remove_file(workspace.path("stuck")).unwrap();
    assert_eq!(workspace.drctl(&["retry", "second"]).code, 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 1);
    assert_eq!(workspace.lines("log")[5..], ["undo-second", "undo-first"]);
    assert_eq!(workspace.states()[2..4], ["first=rolled_back", "second=rolled_back"]);
}

#[test]
fn a_failed_attempt_is_tried_again_as_the_step_says() {
    let steps = r#"
execution:
  - id: flaky
    action: shell
    retry: { attempts: 3, initial: 10ms, max: 20ms }
    with: { script: "echo try >> log; test $DRCTL_ATTEMPT = 3" }
"#;
    let workspace = Workspace::of(steps);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
    assert_eq!(workspace.lines("log").len(), 3);
}

#[test]
fn the_default_retry_never_repeats_what_is_unsafe_to_repeat() {
    let steps = r#"
defaults: { retry: { attempts: 3, initial: 10ms } }
execution:
  - { id: unsafe_one, action: shell, on_failure: continue, with: { script: "echo unsafe >> log; exit 1" } }
  - { id: safe, action: shell, on_interrupt: retry, on_failure: continue, with: { script: "echo safe >> log; exit 1" } }
"#;
    let workspace = Workspace::of(steps);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 10);
    assert_eq!(sorted(workspace.lines("log")), ["safe", "safe", "safe", "unsafe"]);
}

#[test]
fn a_rollback_waits_until_nothing_is_in_doubt_and_undoes_what_has_happened() {
    let workspace = Workspace::of(
        r#"
execution:
  - id: moved
    action: shell
    timeout: 1s
    on_interrupt: ask
    with: { script: "echo moved >> log; sleep 30" }
    rollback: { action: shell, with: { script: "echo undo-moved >> log" } }
  - { id: fails, action: exec, on_failure: rollback, with: { argv: ["false"] } }
"#,
    );
    let told = workspace.drctl(&["failover", "r"]);
    assert_eq!(told.code, 4, "{told:?}");
    let run = workspace.run();
    let happened = ["resolve", &run, "moved", "--happened", "--reason", "seen at the console"];
    workspace.drctl(&happened);
    assert_eq!(workspace.drctl(&["resume", &run]).code, 1);
    assert_eq!(workspace.lines("log"), ["moved", "undo-moved"]);
}

#[test]
fn a_notice_that_takes_a_notice_back_is_sent_too() {
    let workspace = Workspace::of(
        r#"
execution:
  - id: announce
    action: notify
    with: { template: moving, audience: all }
    rollback: { action: notify, with: { template: not_moving, audience: all } }
  - { id: fails, action: exec, needs: [announce], on_failure: rollback, with: { argv: ["false"] } }
"#,
    )
    .file("templates/moving.txt", "Subject: we move\n\nSoon.\n")
    .file("templates/not_moving.txt", "Subject: we do not move\n\nSorry.\n");
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 1);
    let notices = std::fs::read_dir(workspace.path("notices")).unwrap();
    let mut texts: Vec<String> = notices.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    texts.sort();
    assert_eq!(texts, ["Subject: we do not move\n\nSorry.\n", "Subject: we move\n\nSoon.\n"]);
}

#[test]
fn an_abort_shows_what_it_stops_and_what_stays_because_of_that() {
    let workspace = Workspace::of(
        r#"
execution:
  - id: before
    action: shell
    with: { script: "echo before >> log" }
    rollback: { action: shell, with: { script: "echo undo-before >> log" } }
  - id: big
    action: shell
    needs: [before]
    point_of_no_return: true
    with: { script: "echo big >> log; while test ! -e go; do sleep 0.02; done" }
"#,
    );
    let child = workspace.start(&["failover", "r"]);
    until("the step", || workspace.lines("log") == ["before", "big"]);
    let planned = workspace.drctl(&["abort", "--plan"]).stdout;
    let wanted = "nothing will be undone\n\
        cannot be undone: `big`: it is running: giving up stops it, and it is a point of no return\n\
        cannot be undone: `before`: it lies before the point of no return `big`\n";
    assert_eq!(planned, wanted);
    assert_eq!(workspace.drctl(&["abort", "--reason", "x", "--yes"]).code, 0);
    let ended = ran(child.wait_with_output().unwrap());
    assert!(ended.stderr.contains("stays: `before`: it lies before the point of no return `big`"), "{ended:?}");
    assert_eq!(workspace.lines("log"), ["before", "big"]);
}

/// `after` cannot do without an output of `first`, which fails; `beside` can.
const READ: &str = r#"
execution:
  - { id: first, action: shell, with: { script: "exit 1" }, outputs: { x: int, y: int } }
  - id: after
    action: shell
    needs: [first]
    with: { script: "echo $X >> log", env: { X: "{{ steps.first.outputs.x }}" } }
  - id: beside
    action: shell
    needs: [first]
    with: { script: "true", env: { Y: "{{ steps.first.outputs.y | default(value=1) }}" } }
"#;

#[test]
fn a_step_is_not_called_done_without_the_outputs_that_others_need() {
    let workspace = Workspace::of(READ);
    workspace.drctl(&["failover", "r"]);
    let refused = workspace.drctl(&["skip", "first", "--reason", "by hand", "--yes"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    let why = "cannot skip: `after` reads `x` of it: add `--output x=VALUE`\n";
    assert!(refused.stderr.contains(why), "{refused:?}");
    assert_eq!(workspace.drctl(&["skip", "first", "--reason", "by hand", "--yes", "--output", "x=5"]).code, 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 10);
    assert_eq!(workspace.lines("log"), ["5"]);
}

#[test]
fn after_a_rollback_the_reason_of_the_failure_is_still_told() {
    let workspace = Workspace::of(
        r#"
execution:
  - id: a
    action: shell
    on_failure: rollback
    with: { script: "true" }
    verify: { action: shell, with: { script: "echo no; exit 7", reads: true }, within: 1ms }
    rollback: { action: shell, with: { script: "true" } }
"#,
    );
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout.contains("exception: `a` failed and was undone: verify: the script exited with code 7"),
        "{ran:?}"
    );
    let status = workspace.drctl(&["status", &workspace.run()]).stdout;
    assert!(status.contains("a                            rolled back, "), "{status}");
    assert!(status.contains(": it failed: verify: the script exited with code 7"), "{status}");

    let stuck = Workspace::of(UNDO);
    stuck.write("stuck", "");
    let ran = stuck.drctl(&["failover", "r", "--yes"]);
    for line in
        ["`second` failed: undoing it: the script exited with code 1", "`bad` failed: the script exited with code 1"]
    {
        assert!(ran.stdout.contains(&format!("exception: {line}")), "{line}: {}", ran.stdout);
    }
    let status = stuck.drctl(&["status"]).stdout;
    assert!(status.contains("being undone: `bad` failed\n"), "{status}");
}

#[test]
fn steps_that_stand_for_others_run_only_while_one_of_them_does() {
    let workspace = Workspace::of(
        r#"
execution:
  - { id: many, action: shell, for_each: [a, b], max_parallel: 1, with: { script: "exit 3" } }
communication:
  - { id: onfail, run_if: failure, action: shell, with: { script: "true" } }
"#,
    );
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("  steps: 1 succeeded, 1 failed\n"), "{}", ran.stdout);
    assert_eq!(workspace.states(), ["many=failed", "onfail=succeeded"]);
    let status = workspace.drctl(&["status"]).stdout;
    assert!(!status.contains(" running"), "{status}");
}

#[test]
fn a_rollback_that_cannot_be_rendered_waits_for_a_person_who_may_leave_it_out() {
    let workspace = Workspace::of(
        r#"
execution:
  - id: first
    action: shell
    with: { script: "echo '{\"hosts\": [\"one\"]}' > $DRCTL_OUTPUT" }
    outputs: { hosts: list }
    rollback: { action: exec, with: { argv: [echo, "{{ steps.first.outputs.hosts[3] }}"] } }
  - { id: fails, action: exec, needs: [first], on_failure: rollback, with: { argv: ["false"] } }
"#,
    );
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 1);
    assert_eq!(workspace.states(), ["first=rollback_failed", "fails=failed"]);
    assert_eq!(workspace.drctl(&["retry", "first"]).code, 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 1, "it cannot be rendered this time either");
    let skipped = workspace.drctl(&["skip", "first", "--reason", "undone by hand", "--yes"]);
    assert!(skipped.stderr.contains("what `first` did stays: nothing undoes it"), "{skipped:?}");
    let ended = workspace.drctl(&["resume"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stdout.contains("exception: `first` not undone: skipped by"), "{}", ended.stdout);
}

#[test]
fn who_says_that_a_step_happened_gives_what_its_rollback_reads() {
    let workspace = Workspace::of(
        r#"
execution:
  - id: make
    action: shell
    on_interrupt: ask
    timeout: 300ms
    outputs: { name: string }
    with: { script: "sleep 9" }
    rollback: { action: shell, with: { script: "echo $NAME >> log", env: { NAME: "{{ steps.make.outputs.name }}" } } }
"#,
    );
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 4);
    let refused = workspace.drctl(&["resolve", "make", "--happened", "--reason", "seen"]);
    assert!(refused.stderr.contains("`make` reads `name` of it: add `--output name=VALUE`"), "{refused:?}");
    let taken = workspace.drctl(&["resolve", "make", "--happened", "--reason", "seen", "--output", "name=it"]);
    assert_eq!(taken.code, 0, "{taken:?}");
}

#[test]
fn a_message_does_not_wait_for_later_phases_by_its_place_but_by_its_needs() {
    let workspace = Workspace::of(
        r#"
assessment:
  - { id: look, action: shell, with: { script: "true" } }
execution:
  - { id: fails, action: exec, with: { argv: ["false"] } }
communication:
  - { id: begin, action: shell, needs: [look], with: { script: "true" } }
  - { id: over, action: shell, with: { script: "true" } }
"#,
    );
    workspace.drctl(&["failover", "r"]);
    let skipped = workspace.drctl(&["skip", "fails", "--reason", "by hand", "--yes"]);
    let said = "these depend on `fails` and will start as if it were done: over\n";
    assert!(skipped.stderr.starts_with(said), "{skipped:?}");
}

#[test]
fn a_doubt_about_an_undoing_is_told_as_one() {
    let workspace = Workspace::of(
        r#"
execution:
  - id: first
    action: shell
    with: { script: "true" }
    rollback: { action: shell, with: { script: "kill -9 $PPID; sleep 0.2" } }
  - { id: fails, action: exec, needs: [first], on_failure: rollback, with: { argv: ["false"] } }
"#,
    );
    let ended = workspace.drctl(&["failover", "r"]);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(ended.stdout.contains("in doubt: `first`: undoing it: "), "{}", ended.stdout);
    let status = workspace.drctl(&["status"]).stdout;
    assert!(status.contains("first: undoing in doubt: "), "{status}");
}
