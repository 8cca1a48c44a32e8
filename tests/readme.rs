//! The README's first commands, typed by somebody who follows it.

#![allow(clippy::unwrap_used, reason = "a scenario that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "scenarios wait with deadlines")]
#![allow(dead_code, reason = "the terminal can do more than these scenarios need")]

#[path = "support/pty.rs"]
mod pty;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pty::Terminal;
use tempfile::TempDir;

/// A minute on the simulated clock is a second: a failover of less than an hour.
const PATIENCE: Duration = Duration::from_mins(1);

/// The arguments of every `cargo run -- ..` of the README, in order.
fn commands() -> Vec<Vec<String>> {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let lines = readme.lines().filter_map(|line| line.strip_prefix("cargo run -- "));
    let words = |line: &str| line.split(" #").next().unwrap().split_whitespace().map(str::to_owned).collect();
    lines.map(words).collect()
}

/// The built binary in the repository, which keeps its runs elsewhere.
fn drctl(arguments: &[String], state: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drctl"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env("DRCTL_STATE", state.path());
    // A build server's environment says that nobody sits there.
    command.env_remove("CI").env("TERM", "xterm");
    command
}

/// Somebody fails over, and holds both gates.
fn fail_over(arguments: &[String]) -> Terminal {
    let state = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(drctl(arguments, &state), 120);
    terminal.sees_within("approve declare? [yes/no/later] ", PATIENCE);
    terminal.types("yes");
    terminal.sees("reason (enter for none): ");
    terminal.types("");
    terminal.sees("is declare done? [yes/no/later] ");
    terminal.types("yes");
    terminal.sees("incident (a string): ");
    terminal.types("INC-7");
    terminal.sees("impact (a string): ");
    terminal.types("The shop cannot be reached.");
    terminal.sees_within("approve database.fail_over? [yes/no/later] ", PATIENCE);
    terminal.types("yes");
    terminal.sees("reason (enter for none): ");
    terminal.types("agreed with the owner of the data");
    terminal.sees_within("run succeeded", PATIENCE);
    terminal.sees("output: serving: eastus2");
    assert_eq!(terminal.ends(), 0);
    terminal
}

#[test]
fn the_first_command_is_a_region_failover_with_two_approvals() {
    let terminal = fail_over(&commands()[0]);
    let text = terminal.text();
    assert!(text.contains("started on a simulated world"), "{text}");
    assert!(text.contains("RTO 45m: restored after"), "{text}");
}

#[test]
fn it_copes_with_a_region_that_is_down_and_with_an_answer_that_is_lost() {
    let commands = commands();
    for scenario in ["region_down", "response_lost"] {
        let command = commands.iter().find(|words| words[0] == "failover" && words.contains(&scenario.to_owned()));
        let terminal = fail_over(command.unwrap());
        let text = terminal.text();
        assert!(text.contains("shop-centralus.example.com/health` is down"), "{text}");
    }
}

#[test]
fn nobody_is_asked_by_the_rehearsals() {
    let state = tempfile::tempdir().unwrap();
    let rehearsals: Vec<_> = commands().into_iter().filter(|words| words[0] == "rehearse").collect();
    assert!(rehearsals.len() > 2, "{rehearsals:?}");
    for words in rehearsals {
        let output = drctl(&words, &state).output().unwrap();
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        // What fails leaves the run paused, which is what it shows.
        let wanted = i32::from(words.contains(&"start_app:fail".to_owned()));
        assert_eq!(output.status.code(), Some(wanted), "{words:?}: {shown}");
    }
}
