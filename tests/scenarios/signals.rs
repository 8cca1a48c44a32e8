//! Ctrl-C: once, twice, three times.

use rustix::process::Signal;

use crate::until::until;
use crate::workspace::{Workspace, ran, signal};

const STEPS: &str = r#"
execution:
  - id: slow
    action: shell
    with: { script: "trap '' TERM; echo start >> log; while test ! -e go; do sleep 0.02; done; echo end >> log" }
  - { id: after, action: shell, needs: [slow], with: { script: "echo after >> log" } }
"#;

#[test]
fn the_first_lets_running_steps_finish_and_starts_nothing_new() {
    let workspace = Workspace::of(STEPS);
    let child = workspace.start(&["failover", "r"]);
    until("the step", || workspace.lines("log") == ["start"]);
    signal(&child, Signal::INT);
    until("the word", || workspace.journal().contains("\"stopping\""));
    workspace.write("go", "");
    let ended = ran(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 130, "{ended:?}");
    assert!(ended.stderr.contains("still running: slow. Ctrl-C again cancels them"), "{}", ended.stderr);
    assert_eq!(workspace.lines("log"), ["start", "end"]);
    assert_eq!(workspace.drctl(&["resume"]).code, 0);
    assert_eq!(workspace.lines("log"), ["start", "end", "after"]);
}

#[test]
fn the_second_cancels_what_runs() {
    let workspace = Workspace::of(&STEPS.replace("trap '' TERM; ", ""));
    let child = workspace.start(&["failover", "r"]);
    until("the step", || workspace.lines("log") == ["start"]);
    signal(&child, Signal::TERM);
    until("the word", || workspace.journal().contains("\"stopping\""));
    signal(&child, Signal::TERM);
    let ended = ran(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 143, "{ended:?}");
    assert_eq!(workspace.states()[0], "slow=in_doubt");
}

#[test]
fn the_third_leaves_at_once_and_the_journal_makes_it_safe() {
    let workspace = Workspace::of(STEPS);
    let child = workspace.start(&["failover", "r"]);
    until("the step", || workspace.lines("log") == ["start"]);
    signal(&child, Signal::INT);
    until("the word", || workspace.journal().contains("\"stopping\""));
    signal(&child, Signal::INT);
    signal(&child, Signal::INT);
    // Two signals that come together may be seen as one.
    let mut child = child;
    until("its end", || {
        signal(&child, Signal::INT);
        child.try_wait().unwrap().is_some()
    });
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
