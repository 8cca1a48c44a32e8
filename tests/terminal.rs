//! Scenarios of a person at a terminal: what is asked, what is typed, what is left behind.

#![allow(clippy::unwrap_used, reason = "a scenario that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "scenarios wait with deadlines")]
#![allow(dead_code, reason = "the workspace has more than these scenarios use")]

#[path = "support/pty.rs"]
mod pty;
#[path = "support/until.rs"]
mod until;
#[path = "scenarios/workspace.rs"]
mod workspace;

use std::time::Duration;

use pty::Terminal;
use until::until;
use workspace::Workspace;

const GATED: &str = r#"
execution:
  - id: go
    title: Go
    action: shell
    approval: { by: [commander] }
    with: { script: "echo go >> log" }
"#;

const NOTHING: [&str; 0] = [];

/// Runs the only runbook of the workspace before somebody.
fn run(workspace: &Workspace, arguments: &[&str]) -> Terminal {
    let all = [&["failover", "r", "--as", "ada"], arguments].concat();
    Terminal::start(workspace.command(&all), 120)
}

#[test]
fn a_gate_is_approved_by_typing_yes() {
    let workspace = Workspace::of(GATED);
    let mut terminal = run(&workspace, &[]);
    terminal.sees("asks commander: ada, grace");
    terminal.sees("approve go? [yes/no/later] ");
    assert_eq!(workspace.lines("log"), NOTHING);
    terminal.types("y");
    terminal.sees("wanted one of: yes, no, later\n");
    terminal.sees("approve go? [yes/no/later] ");
    terminal.types("yes");
    terminal.sees("reason (enter for none): ");
    terminal.types("seen it");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(workspace.lines("log"), ["go"]);
    let journal = workspace.journal();
    let decided = journal.lines().find(|line| line.contains("\"decided\"")).unwrap();
    for part in ["\"name\":\"ada\"", "\"from\":\"prompt\"", "\"reason\":\"seen it\""] {
        assert!(decided.contains(part), "{part}: {decided}");
    }
}

#[test]
fn an_approval_from_another_terminal_ends_the_question_at_once() {
    let slow = "echo go >> log; while test ! -e end; do sleep 0.02; done";
    let workspace = Workspace::of(&GATED.replace("echo go >> log", slow));
    let mut terminal = run(&workspace, &[]);
    terminal.sees("approve go? [yes/no/later] ");
    let approved = workspace.drctl(&["approve", &workspace.run(), "go", "--as", "grace"]);
    assert_eq!(approved.code, 0, "{approved:?}");
    terminal.sees_within("approved by grace", Duration::from_secs(2));
    terminal.sees_within("go: running", Duration::from_secs(2));
    workspace.write("end", "");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(workspace.lines("log"), ["go"]);
}

#[test]
fn a_gate_is_rejected_with_a_reason() {
    let workspace = Workspace::of(GATED);
    let mut terminal = run(&workspace, &[]);
    terminal.sees("approve go? [yes/no/later] ");
    terminal.types("no");
    terminal.sees("reason (enter for none): ");
    terminal.types("not yet");
    terminal.sees("rejected by ada: not yet");
    terminal.sees("go: what now? [retry/skip/abort/leave] ");
    terminal.types("leave");
    assert_eq!(terminal.ends(), 1);
    assert_eq!(workspace.lines("log"), NOTHING);
}

#[test]
fn a_question_put_off_is_answered_elsewhere() {
    let workspace = Workspace::of(GATED);
    let mut terminal = run(&workspace, &[]);
    terminal.sees("approve go? [yes/no/later] ");
    terminal.types("later");
    terminal.sees("put off: answer with the commands below, from any terminal");
    terminal.sees("needs you: drctl approve");
    assert_eq!(workspace.drctl(&["approve", "go", "--as", "ada"]).code, 0);
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn a_manual_step_asks_again_until_an_answer_has_its_type() {
    let workspace = Workspace::of(
        r#"
execution:
  - id: count
    action: manual
    with: { instructions: "Count the servers" }
    outputs: { servers: int, name: string }
  - id: use
    action: shell
    needs: [count]
    with: { script: "echo $SERVERS >> log", env: { SERVERS: "{{ steps.count.outputs.servers }}" } }
"#,
    );
    let mut terminal = run(&workspace, &[]);
    terminal.sees("Count the servers");
    terminal.sees("is count done? [yes/no/later] ");
    terminal.types("yes");
    terminal.sees("servers (an int): ");
    terminal.types("many");
    terminal.sees("wanted an int, found `many`\n");
    terminal.sees("servers (an int): ");
    terminal.types("7");
    terminal.sees("name (a string): ");
    terminal.types("");
    terminal.sees("an answer is needed\n");
    terminal.sees("name (a string): ");
    terminal.types("zürich");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(workspace.lines("log"), ["7"]);
    assert!(workspace.journal().contains("zürich"));
}

/// `first` can be undone, `bad` fails until there is a file `ok`, `after` depends on it.
const FAILING: &str = r#"
execution:
  - id: first
    action: shell
    with: { script: "echo first >> log" }
    rollback: { action: shell, with: { script: "echo undo-first >> log" } }
  - { id: kept, action: shell, needs: [first], with: { script: "echo kept >> log" } }
  - { id: bad, action: shell, needs: [kept], with: { script: "test -e ok" } }
  - { id: after, action: shell, needs: [bad], point_of_no_return: true, with: { script: "echo after >> log" } }
"#;

fn run_until_the_failure(workspace: &Workspace) -> Terminal {
    let mut terminal = run(workspace, &[]);
    terminal.sees("bad FAILED: the script exited with code 1");
    terminal.sees("bad: what now? [retry/skip/abort/leave] ");
    terminal
}

#[test]
fn a_failed_step_is_retried_as_often_as_one_likes() {
    let workspace = Workspace::of(FAILING);
    let mut terminal = run_until_the_failure(&workspace);
    terminal.types("retry");
    terminal.sees("bad FAILED: the script exited with code 1");
    terminal.sees("bad: what now? [retry/skip/abort/leave] ");
    workspace.write("ok", "");
    terminal.types("retry");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(workspace.lines("log"), ["first", "kept", "after"]);
}

#[test]
fn skipping_a_failed_step_demands_a_reason() {
    let workspace = Workspace::of(FAILING);
    let mut terminal = run_until_the_failure(&workspace);
    terminal.types("skip");
    terminal.sees("these depend on `bad` and will start as if it were done: after; of no return: after\n");
    terminal.sees("reason (enter to go back): ");
    terminal.types("  ");
    terminal.sees("bad: what now? [retry/skip/abort/leave] ");
    terminal.types("skip");
    terminal.sees("reason (enter to go back): ");
    terminal.types("done by hand");
    terminal.sees("skipped by ada");
    assert_eq!(terminal.ends(), 10);
    assert!(terminal.text().contains(": done by hand"), "{}", terminal.text());
    assert_eq!(workspace.lines("log"), ["first", "kept", "after"]);
}

#[test]
fn an_abort_shows_first_what_it_undoes_and_what_it_cannot() {
    let workspace = Workspace::of(FAILING);
    let mut terminal = run_until_the_failure(&workspace);
    terminal.types("abort");
    terminal.sees("an abort undoes, in this order:\n  first: shell\nwhat stays:\n");
    terminal.sees("  kept: it has no `rollback`\n");
    terminal.sees("reason (enter to go back): ");
    assert_eq!(workspace.lines("log"), ["first", "kept"]);
    terminal.types("wrong region");
    assert_eq!(terminal.ends(), 1);
    assert_eq!(workspace.lines("log"), ["first", "kept", "undo-first"]);
    assert_eq!(workspace.states(), ["first=rolled_back", "kept=succeeded", "bad=failed", "after=cancelled"]);
}

#[test]
fn leaving_a_failed_step_leaves_the_run_as_it_is() {
    let workspace = Workspace::of(FAILING);
    let mut terminal = run_until_the_failure(&workspace);
    terminal.types("leave");
    assert_eq!(terminal.ends(), 1);
    let run = workspace.run();
    for next in ["retry {} bad", "skip {} bad --reason \"...\"", "abort {} --reason \"...\"", "resume {}"] {
        let line = format!("next: drctl {}\n", next.replace("{}", &run));
        assert!(terminal.text().contains(&line), "{line}: {}", terminal.text());
    }
    assert_eq!(workspace.states(), ["first=succeeded", "kept=succeeded", "bad=failed", "after=pending"]);
}

#[test]
fn a_step_in_doubt_is_settled_by_who_looked() {
    let workspace = Workspace::of(
        r#"
execution:
  - { id: vague, action: shell, timeout: 200ms, with: { script: "echo vague >> log; sleep 60" } }
  - { id: after, action: shell, needs: [vague], with: { script: "echo after >> log" } }
"#,
    );
    let mut terminal = run(&workspace, &[]);
    terminal.sees("did vague happen? [happened/did-not-happen/retry/leave] ");
    terminal.types("happened");
    terminal.sees("reason (enter to go back): ");
    terminal.types("");
    terminal.sees("did vague happen? [happened/did-not-happen/retry/leave] ");
    terminal.types("happened");
    terminal.sees("reason (enter to go back): ");
    terminal.types("it is in the console");
    let code = terminal.ends();
    assert_eq!(workspace.lines("log"), ["vague", "after"]);
    assert_eq!(code, 10, "{}", terminal.text());
    assert!(workspace.journal().contains("it is in the console"));
}

/// `slow` runs until there is a file `go`, whatever it is told.
const SLOW: &str = r#"
execution:
  - id: slow
    action: shell
    with: { script: "trap '' TERM; echo start >> log; while test ! -e go; do sleep 0.02; done; echo end >> log" }
  - { id: after, action: shell, needs: [slow], with: { script: "echo after >> log" } }
"#;

fn run_until_slow_runs(workspace: &Workspace) -> Terminal {
    let mut terminal = run(workspace, &[]);
    terminal.sees("slow: running");
    until("the step", || workspace.lines("log") == ["start"]);
    terminal
}

#[test]
fn the_first_ctrl_c_lets_what_runs_finish() {
    let workspace = Workspace::of(SLOW);
    let mut terminal = run_until_slow_runs(&workspace);
    terminal.presses_ctrl_c();
    terminal.sees("still running: slow. Ctrl-C again cancels them");
    workspace.write("go", "");
    assert_eq!(terminal.ends(), 130);
    assert_eq!(workspace.lines("log"), ["start", "end"]);
    assert!(terminal.text().contains(&format!("next: drctl resume {}\n", workspace.run())), "{}", terminal.text());
}

#[test]
fn the_second_ctrl_c_cancels_what_runs() {
    let workspace = Workspace::of(&SLOW.replace("trap '' TERM; ", ""));
    let mut terminal = run_until_slow_runs(&workspace);
    terminal.presses_ctrl_c();
    terminal.sees("Ctrl-C again cancels them");
    terminal.presses_ctrl_c();
    terminal.sees("cancelling: slow");
    assert_eq!(terminal.ends(), 130);
    assert_eq!(workspace.states(), ["slow=in_doubt", "after=pending"]);
}

#[test]
fn the_third_ctrl_c_leaves_at_once() {
    let workspace = Workspace::of(SLOW);
    let mut terminal = run_until_slow_runs(&workspace);
    terminal.presses_ctrl_c();
    terminal.sees("Ctrl-C again cancels them");
    terminal.presses_ctrl_c();
    terminal.sees("Ctrl-C again leaves at once");
    terminal.presses_ctrl_c();
    assert_eq!(terminal.ends(), 130);
    let_slow_end(&workspace);
}

/// Nothing of the scenario outlives it.
fn let_slow_end(workspace: &Workspace) {
    workspace.write("go", "");
    until("the end of the step", || workspace.lines("log") == ["start", "end"]);
}

#[test]
fn ctrl_c_at_a_question_leaves_the_run_as_it_is() {
    let workspace = Workspace::of(GATED);
    let mut terminal = run(&workspace, &[]);
    terminal.sees("approve go? [yes/no/later] ");
    terminal.presses_ctrl_c();
    assert_eq!(terminal.ends(), 130);
    assert_eq!(workspace.states(), ["go=awaiting_approval"]);
    assert!(terminal.text().contains(&format!("next: drctl resume {}\n", workspace.run())), "{}", terminal.text());
}

#[test]
fn ctrl_c_at_a_reason_forgets_the_word_before_it() {
    let workspace = Workspace::of(GATED);
    let mut terminal = run(&workspace, &[]);
    terminal.sees("approve go? [yes/no/later] ");
    terminal.types("yes");
    terminal.sees("reason (enter for none): ");
    terminal.presses_ctrl_c();
    assert_eq!(terminal.ends(), 130);
    assert!(!workspace.journal().contains("\"decided\""), "{}", workspace.journal());
    assert_eq!(workspace.lines("log"), NOTHING);
}

#[test]
fn ctrl_c_twice_and_thrice_at_a_question_cancel_and_leave_what_runs_beside_it() {
    let beside = format!("{GATED}{}", SLOW.trim_start().strip_prefix("execution:\n").unwrap());
    for presses in [2, 3] {
        let script = if presses == 2 { beside.replace("trap '' TERM; ", "") } else { beside.clone() };
        let workspace = Workspace::of(&script);
        let mut terminal = run(&workspace, &[]);
        terminal.sees("approve go? [yes/no/later] ");
        until("the step", || workspace.lines("log") == ["start"]);
        terminal.presses_ctrl_c();
        terminal.sees("still running: slow. Ctrl-C again cancels them");
        terminal.presses_ctrl_c();
        terminal.sees("cancelling: slow");
        if presses == 3 {
            terminal.presses_ctrl_c();
        }
        assert_eq!(terminal.ends(), 130);
        if presses == 3 {
            let_slow_end(&workspace);
        }
        assert_eq!(workspace.states()[0], "go=awaiting_approval");
    }
}

#[test]
fn where_several_runs_are_open_one_is_chosen_by_its_number() {
    let workspace = Workspace::of(GATED);
    for _ in 0..2 {
        assert_eq!(workspace.drctl(&["failover", "r"]).code, 3);
    }
    let ask = || {
        let mut terminal = Terminal::start(workspace.command(&["status"]), 120);
        terminal.sees("several runs are open:\n  1  r-");
        terminal.sees("which run (its number): ");
        terminal
    };
    for (answer, code) in [("2", 3), ("0", 2), ("3", 2), ("x", 2)] {
        let mut terminal = ask();
        terminal.types(answer);
        assert_eq!(terminal.ends(), code, "{answer}: {}", terminal.text());
    }
    let mut interrupted = ask();
    interrupted.presses_ctrl_c();
    assert_ne!(interrupted.ends(), 0);
}

#[test]
fn a_runbook_is_chosen_with_the_arrows_and_leaving_starts_nothing() {
    let steps = "execution:\n  - { id: go, action: shell, with: { script: \"echo NAME >> log\" } }\n";
    let workspace = ["amber", "blue", "coral"]
        .iter()
        .fold(Workspace::new(), |workspace, name| workspace.runbook(name, &steps.replace("NAME", name)));
    let ask = || {
        let mut terminal = Terminal::start(workspace.command(&["failover", "--as", "ada"]), 120);
        terminal.sees("which failover runbook? (arrows, then enter; esc leaves):\n> amber\n  blue\n  coral\n");
        terminal
    };
    for leave in ["\u{3}", "\u{1b}"] {
        let mut terminal = ask();
        terminal.presses(leave);
        assert_eq!(terminal.ends(), 130, "{}", terminal.text());
    }
    assert_eq!(workspace.drctl(&["runs"]).stdout, "no runs yet\n");

    let mut terminal = ask();
    terminal.presses("\u{1b}[B");
    terminal.sees("  amber\n> blue\n");
    terminal.presses("\r");
    assert_eq!(terminal.ends(), 0, "{}", terminal.text());
    assert_eq!(workspace.lines("log"), ["blue"]);
}

#[test]
fn a_run_to_resume_is_chosen_with_the_arrows_and_then_takes_ctrl_c_as_ever() {
    let workspace = Workspace::of(GATED);
    for _ in 0..2 {
        assert_eq!(workspace.drctl(&["failover", "r"]).code, 3);
    }
    let ask = || {
        let mut terminal = Terminal::start(workspace.command(&["resume", "--as", "ada"]), 120);
        terminal.sees("several runs are open: which one? (arrows, then enter; esc leaves):\n> r-");
        terminal.sees("\n  r-");
        terminal
    };
    let mut left = ask();
    left.presses_ctrl_c();
    assert_eq!(left.ends(), 130, "{}", left.text());

    let mut resumed = ask();
    resumed.presses("\r");
    resumed.sees("approve go? [yes/no/later] ");
    resumed.presses_ctrl_c();
    assert_eq!(resumed.ends(), 130);

    let mut resumed = ask();
    resumed.presses("\r");
    resumed.sees("approve go? [yes/no/later] ");
    resumed.types("yes");
    resumed.sees("reason (enter for none): ");
    resumed.types("");
    assert_eq!(resumed.ends(), 0);
    assert_eq!(workspace.lines("log"), ["go"]);
}

#[test]
fn who_is_no_person_is_told_what_to_type_instead_of_choosing() {
    let workspace = Workspace::of(GATED);
    let unnamed = workspace.drctl(&["failover"]);
    let wanted = "error: which failover runbook? name one\n  next: drctl failover r\n";
    assert_eq!((unnamed.code, unnamed.stderr.as_str()), (2, wanted));
    for _ in 0..2 {
        assert_eq!(workspace.drctl(&["failover", "r"]).code, 3);
    }
    let resumed = workspace.drctl(&["resume"]);
    assert!(
        resumed.stderr.starts_with("error: several runs are open: which one? name one\n  next: drctl resume r-"),
        "{resumed:?}"
    );
    assert_eq!((resumed.code, resumed.stderr.lines().count()), (2, 3));
}

#[test]
fn what_cannot_be_taken_back_is_confirmed_by_the_whole_word() {
    let workspace = Workspace::of(FAILING);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 1);
    let ask = || {
        let mut terminal = Terminal::start(workspace.command(&["abort", "--reason", "x"]), 120);
        terminal.sees("will be undone, in this order: first\n");
        terminal.sees("cannot be undone: `kept`: it has no `rollback`\n");
        terminal.sees("up? [yes/no]: ");
        terminal
    };
    for answer in ["no", "y"] {
        let mut terminal = ask();
        terminal.types(answer);
        terminal.sees("nothing was changed");
        assert_eq!(terminal.ends(), 1);
    }
    let mut interrupted = ask();
    interrupted.presses_ctrl_c();
    assert_ne!(interrupted.ends(), 0);
    let mut terminal = ask();
    terminal.types("yes");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 1);
    assert_eq!(workspace.lines("log"), ["first", "kept", "undo-first"]);
}

#[test]
fn each_of_two_hundred_steps_has_its_line() {
    let step = |n: usize| format!("  - {{ id: s{n}, action: shell, with: {{ script: \"exit 0\" }} }}\n");
    let workspace = Workspace::of(&format!("execution:\n{}", (0..200).map(step).collect::<String>()));
    let mut terminal = run(&workspace, &[]);
    assert_eq!(terminal.ends(), 0);
    let text = terminal.text();
    for n in 0..200 {
        let line = format!("  s{n} done in ");
        assert_eq!(text.matches(&line).count(), 1, "{line}");
    }
    assert!(text.contains("steps: 200 succeeded"), "{text}");
}

#[test]
fn a_narrow_terminal_is_wide_enough() {
    let long = "a_step_with_a_name_that_is_longer_than_the_terminal_is_wide";
    let workspace = Workspace::of(&FAILING.replace("bad", long));
    for columns in [40, 5, 1] {
        let command = workspace.command(&["failover", "r", "--as", "ada"]);
        let mut terminal = Terminal::start(command, columns);
        terminal.sees("what now? [retry/skip/abort/leave] ");
        terminal.types("leave");
        assert_eq!(terminal.ends(), 1);
        let text = terminal.text();
        assert!(text.contains(&format!("{long} FAILED: ")) && !text.contains("panicked"), "{text}");
    }
}

#[test]
fn a_dumb_terminal_and_a_build_server_get_plain_lines_and_no_question() {
    for (name, value) in [("TERM", "dumb"), ("CI", "1")] {
        let workspace = Workspace::of(GATED);
        let mut command = workspace.command(&["failover", "r", "--as", "ada"]);
        command.env(name, value);
        let mut terminal = Terminal::start(command, 120);
        assert_eq!(terminal.ends(), 3, "{name}={value}");
        let text = terminal.text();
        assert!(text.contains("+00:00 execution     go waits for approval: Go\n"), "{text}");
        assert!(!text.contains("[yes/no/later]") && !terminal.raw().contains('\u{1b}'), "{:?}", terminal.raw());
    }
}

#[test]
fn what_was_decided_meanwhile_is_not_asked_when_a_run_is_taken_up() {
    let workspace = Workspace::of(GATED);
    assert_eq!(workspace.drctl(&["failover", "r", "--as", "ada"]).code, 3);
    assert_eq!(workspace.drctl(&["approve", "go", "--as", "grace"]).code, 0);
    let mut terminal = Terminal::start(workspace.command(&["resume", "--as", "ada"]), 120);
    terminal.sees("approved by grace");
    assert_eq!(terminal.ends(), 0);
    assert!(!terminal.text().contains("approve go?"), "{}", terminal.text());
    assert_eq!(workspace.lines("log"), ["go"]);
}

#[test]
fn what_two_people_let_pass_is_run_again_when_one_at_the_prompt_and_one_elsewhere_say_so() {
    let workspace = Workspace::of(
        r#"
execution:
  - id: go
    for_each: [east]
    action: shell
    approval: { by: [commander], quorum: 2 }
    with: { script: "echo go >> log; test -e ok" }
"#,
    );
    let mut terminal = run(&workspace, &[]);
    terminal.sees("approve go? [yes/no/later] ");
    assert_eq!(workspace.drctl(&["approve", "go", "--as", "grace"]).code, 0);
    terminal.sees("approve go? [yes/no/later] ");
    terminal.types("yes");
    terminal.sees("reason (enter for none): ");
    terminal.types("");
    terminal.sees("go[east]: what now? [retry/skip/abort/leave] ");
    workspace.write("ok", "");
    terminal.types("retry");
    terminal.sees("retry approved by ada");
    terminal.sees("; 1 more person has to say the same");
    terminal.sees("needs somebody else: drctl retry");
    assert_eq!(workspace.lines("log"), ["go"]);
    let other = workspace.drctl(&["retry", &workspace.run(), "go[east]", "--as", "grace"]);
    assert!(other.stdout.starts_with("taken: retry `go[east]` by grace"), "{other:?}");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(workspace.lines("log"), ["go", "go"]);
}
