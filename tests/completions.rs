//! Completions in the shells themselves: what a tab makes of a line. Needs bash, zsh and fish.

#![allow(clippy::unwrap_used, reason = "a scenario that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "scenarios wait with deadlines")]
#![allow(dead_code, reason = "the workspace has more than these scenarios use")]

#[path = "support/pty.rs"]
mod pty;
#[path = "support/tool.rs"]
mod tool;
#[path = "scenarios/workspace.rs"]
mod workspace;

use std::path::Path;
use std::process::Command;

use pty::Terminal;
use tool::installed;
use workspace::{BINARY, Workspace};

const GATED: &str = r#"
inputs: { region: { type: string, default: east } }
assessment:
  - { id: look, action: shell, with: { script: "true" } }
execution:
  - { id: move_database, action: shell, approval: { by: [commander] }, with: { script: "true" } }
"#;

/// A workspace with two runbooks, and a run that waits at its gate.
fn waiting() -> Workspace {
    let workspace = Workspace::new().runbook("orders", GATED).runbook("billing", GATED);
    let ran = workspace.drctl(&["failover", "orders", "--as", "ada"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    workspace
}

/// A shell of the workspace that finds drctl by its name.
fn shell(workspace: &Workspace, program: &str, arguments: &[&str]) -> Command {
    let own = Path::new(BINARY).parent().unwrap().display().to_string();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace.path("")).env("HOME", workspace.path(""));
    command.env("PATH", format!("{own}:/usr/local/bin:/usr/bin:/bin"));
    command.env_remove("DRCTL_STATE").env_remove("DRCTL_WORKSPACE").env("LC_ALL", "C.UTF-8");
    command
}

/// A terminal with that shell, once it has taken in what it needs.
fn terminal(workspace: &Workspace, program: &str, arguments: &[&str], setup: &str) -> Terminal {
    let mut terminal = Terminal::start(shell(workspace, program, arguments), 200);
    terminal.types(&format!("{setup}; echo set''tled"));
    terminal.sees("settled\n");
    terminal
}

/// Types each line, presses tab, and sees what became of it.
fn completes(terminal: &mut Terminal, cases: &[(&str, &str)]) {
    for (typed, line) in cases {
        terminal.presses(&format!("{typed}\t"));
        // To the start of the line, so that it is printed and not run.
        terminal.presses("\u{1}echo line: ");
        terminal.types("");
        terminal.sees(&format!("\nline: {line}\n"));
    }
}

const STATIC: &[(&str, &str)] = &[("drctl valid", "drctl validate"), ("drctl plan --from", "drctl plan --from-run")];

const DYNAMIC: &[(&str, &str)] = &[
    ("drctl valid", "drctl validate"),
    ("drctl failover or", "drctl failover orders"),
    ("drctl plan bil", "drctl plan billing"),
    ("drctl approve mo", "drctl approve move_database"),
    ("drctl actions azure.storage.fail", "drctl actions azure.storage.failover"),
];

#[test]
fn bash_completes_commands_and_what_is_in_the_workspace() {
    let workspace = waiting();
    let arguments = ["--norc", "--noprofile", "-i"];
    let mut dynamic = terminal(&workspace, "bash", &arguments, "source <(drctl completions bash --dynamic)");
    completes(&mut dynamic, DYNAMIC);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/completions/drctl.bash");
    completes(&mut terminal(&workspace, "bash", &arguments, &format!("source {file}")), STATIC);
}

#[test]
fn zsh_completes_commands_and_what_is_in_the_workspace() {
    if !installed(&["zsh"]) {
        return;
    }
    let workspace = waiting();
    let start = "bindkey -e; PROMPT=; autoload -Uz compinit; compinit -u -D";
    let with_static = format!("{start}; source {}/completions/_drctl", env!("CARGO_MANIFEST_DIR"));
    let with_dynamic = format!("{start}; source <(drctl completions zsh --dynamic)");
    completes(&mut terminal(&workspace, "zsh", &["-f", "-i"], &with_dynamic), DYNAMIC);
    completes(&mut terminal(&workspace, "zsh", &["-f", "-i"], &with_static), STATIC);
}

#[test]
fn fish_completes_commands_and_what_is_in_the_workspace() {
    if !installed(&["fish"]) {
        return;
    }
    let workspace = waiting();
    let offers = |setup: &str, typed: &str| {
        let script = format!("{setup}; complete -C '{typed}'");
        let output = shell(&workspace, "fish", &["--no-config", "-c", &script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let dynamic = "drctl completions fish --dynamic | source";
    assert_eq!(offers(dynamic, "drctl failover or"), "orders\n");
    assert_eq!(offers(dynamic, "drctl approve mo"), "move_database\n");
    let run = workspace.run();
    assert_eq!(offers(dynamic, "drctl status or"), format!("{run}\tawaiting approval\n"));
    assert_eq!(offers(dynamic, "drctl plan orders --set reg"), "region=\n");
    let file = format!("source {}/completions/drctl.fish", env!("CARGO_MANIFEST_DIR"));
    assert_eq!(offers(&file, "drctl valid"), "validate\tCheck runbooks: every problem of every file, with its place\n");
}

/// What a shell is offered for the last of these words.
fn offered(workspace: &Workspace, folder: &str, words: &[&str]) -> Vec<String> {
    let output = Command::new(BINARY)
        .args(["--", "drctl"])
        .args(words)
        .current_dir(workspace.path(folder))
        .env_remove("DRCTL_STATE")
        .env_remove("DRCTL_WORKSPACE")
        .env("DRCTL_COMPLETE", "fish")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[test]
fn inputs_and_scenarios_are_those_of_the_runbook_that_is_meant() {
    let scenario = |runbook: &str, name: &str| format!("drctl: 1\nscenario: {name}\nrunbook: {runbook}\n");
    let back = "drctl: 1\nname: orders\nkind: failback\nowner: team\ninputs: { back: { type: string } }\nexecution:\n  - { id: a, action: wait, with: { for: 1s } }\n";
    let workspace = waiting()
        .file("runbooks/orders-failback.yaml", back)
        .file("runbooks/scenarios/orders/down.yaml", &scenario("orders", "down"))
        .file("runbooks/scenarios/orders-failback/return.yaml", &(scenario("orders", "return") + "kind: failback\n"))
        .file("runbooks/scenarios/billing/late.yaml", &scenario("billing", "late"));
    let offered = |words: &[&str]| offered(&workspace, "", words);
    assert_eq!(offered(&["failover", "orders", "--simulate", "--scenario", ""]), ["down"]);
    assert_eq!(offered(&["failback", "orders", "--simulate", "--scenario", ""]), ["return"]);
    assert_eq!(offered(&["run", "runbooks/orders-failback.yaml", "--scenario", ""]), ["return"]);
    assert_eq!(offered(&["run", "runbooks/orders-failback.yaml", "--set", ""]), ["back="]);
    assert_eq!(offered(&["rehearse", "orders", "--kind=failback", "--scenario", ""]), ["return"]);
    assert_eq!(offered(&["rehearse", "--scenario", ""]), ["down", "late", "return"]);
}

#[test]
fn the_workspace_is_the_one_that_is_named_however_that_is_written() {
    let workspace = waiting().file("elsewhere/x", "");
    let own = workspace.path("").display().to_string();
    let offered = |words: &[&str]| offered(&workspace, "elsewhere", words);
    assert_eq!(offered(&["--workspace", &own, "failover", "or"]), ["orders"]);
    assert_eq!(offered(&[&format!("--workspace={own}"), "failover", "or"]), ["orders"]);
    assert_eq!(offered(&[&format!("--workspace={own}"), "approve", "mo"]), ["move_database"]);
}

#[test]
fn a_tab_where_nothing_can_be_read_offers_nothing_and_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(BINARY)
        .args(["--", "drctl", "failover", "or"])
        .current_dir(folder.path())
        .env("DRCTL_COMPLETE", "fish")
        .output()
        .unwrap();
    assert_eq!(
        (output.status.code(), output.stdout.as_slice(), output.stderr.as_slice()),
        (Some(0), &b""[..], &b""[..])
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
