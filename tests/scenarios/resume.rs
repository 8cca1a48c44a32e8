//! A run that was killed, edited under way, damaged, or is driven by somebody else.

use std::net::TcpListener;
use std::time::Duration;

use rustix::process::Signal;

use crate::until::until;
use crate::workspace::{Workspace, ran, signal};

const SLOW: &str = r#"
execution:
  - id: slow
    action: shell
    with: { script: "echo start >> log; while test ! -e go; do sleep 0.02; done; echo end >> log; echo '{\"n\": 7}' > $DRCTL_OUTPUT; exit $(cat go)" }
    outputs: { n: int }
  - id: after
    action: exec
    needs: [slow]
    with: { argv: [sh, -c, "echo $1 >> log", x, "{{ steps.slow.outputs.n }}"] }
"#;

fn killed_while_slow_runs() -> Workspace {
    let workspace = Workspace::of(SLOW);
    let child = workspace.start(&["failover", "r"]);
    until("the step", || workspace.lines("log") == ["start"]);
    signal(&child, Signal::KILL);
    assert_eq!(ran(child.wait_with_output().unwrap()).code, -9);
    workspace
}

#[test]
fn a_process_that_outlives_drctl_is_found_and_its_real_outcome_counts() {
    let workspace = killed_while_slow_runs();
    workspace.write("go", "0");
    until("its end", || workspace.lines("log").len() == 2);
    let resumed = workspace.drctl(&["resume"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert_eq!(workspace.lines("log"), ["start", "end", "7"]);
}

#[test]
fn a_process_that_outlives_drctl_and_fails_is_a_failure() {
    let workspace = killed_while_slow_runs();
    workspace.write("go", "3");
    let resumed = workspace.drctl(&["resume"]);
    assert_eq!(resumed.code, 1, "{resumed:?}");
    assert!(resumed.stderr.contains("exited with code 3"), "{}", resumed.stderr);
}

/// What is said of the process of `slow`, which outlived its drctl, with its numbers and times taken out.
fn surviving(line: &str) -> String {
    let mut numbers = false;
    let kept = |digit: &char| !std::mem::replace(&mut numbers, digit.is_ascii_digit()) || !digit.is_ascii_digit();
    let line: String = line.chars().filter(kept).collect();
    line.chars()
        .map(|found| if found.is_ascii_digit() { '#' } else { found })
        .collect::<String>()
        .replace("<#s", "#s")
        .replace("processes #, #", "process #")
}

#[test]
fn a_process_that_outlives_drctl_is_named_at_once_with_what_waits_for_it_and_what_ends_it() {
    let workspace = killed_while_slow_runs();
    let wanted = "slow: still runs since #:#:# UTC, #s: process #, started by a drctl that is gone; who resumes waits for \
                  its end, at most #m; to end it: kill #";
    let said = |text: &str| text.lines().find(|line| line.contains("still runs")).map(|line| surviving(line.trim()));
    let status = workspace.drctl(&["status"]).stdout;
    assert_eq!(said(&status).as_deref(), Some(wanted), "{status}");
    let json: serde_json::Value = serde_json::from_str(&workspace.drctl(&["status", "--json"]).stdout).unwrap();
    let (found, pid) = (&json["still_running"][0], &json["still_running"][0]["processes"][0]);
    assert!(found["step"] == "slow" && pid.is_u64() && found["waits_at_most_seconds"].is_u64(), "{json}");

    let mut resumed = workspace.start(&["resume", "--output", "json"]);
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(resumed.stdout.take().unwrap()));
    let told = lines.find(|line| line.as_ref().unwrap().contains("still_running")).unwrap().unwrap();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["type"], &told["payload"]["processes"][0]), (&"still_running".into(), pid), "{told}");
    assert_eq!(workspace.lines("log"), ["start"], "it is said while it is waited for");
    signal(&resumed, Signal::KILL);
    resumed.wait().unwrap();

    let mut resumed = workspace.start(&["resume"]);
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(resumed.stderr.take().unwrap()));
    let told = lines.find_map(|line| said(&line.unwrap())).unwrap();
    assert_eq!(told, wanted);
    // What it says ends it does: the shell that drctl names is asked.
    let end = found["end_with"].as_str().unwrap();
    assert!(std::process::Command::new("sh").args(["-c", end]).status().unwrap().success(), "{end}");
    assert_eq!(resumed.wait().unwrap().code(), Some(4), "what was stopped in the middle is in doubt");
    assert!(!workspace.drctl(&["status"]).stdout.contains("still running"));
}

/// Kills the supervisor of the slow step too, and the step: nothing can tell any more.
fn doubtful() -> Workspace {
    let workspace = killed_while_slow_runs();
    let started = workspace.path(&format!(".drctl/runs/{}/steps/slow.1/started.json", workspace.run()));
    let started: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(started).unwrap()).unwrap();
    let pid = i32::try_from(started["pid"].as_i64().unwrap()).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    workspace.write("go", "0");
    let resumed = workspace.drctl(&["resume"]);
    assert_eq!(resumed.code, 4, "{resumed:?}");
    assert!(resumed.stdout.contains("in doubt: `slow`"), "{}", resumed.stdout);
    workspace
}

#[test]
fn a_doubt_is_named_and_stays_until_a_person_says_what_happened() {
    let workspace = doubtful();
    assert_eq!(workspace.drctl(&["resume"]).code, 4);
    assert_eq!(workspace.drctl(&["status"]).code, 4);
    let undecided = workspace.drctl(&["resolve", "slow", "--reason", "x"]);
    assert_eq!(undecided.code, 2, "{undecided:?}");
    let without = workspace.drctl(&["resolve", "slow", "--happened", "--reason", "seen"]);
    assert!(without.stderr.contains("`after` reads `n` of it: add `--output n=VALUE`"), "{without:?}");
    let unknown = workspace.drctl(&["resolve", "slow", "--happened", "--reason", "seen", "--output", "m=3"]);
    assert!(unknown.stderr.contains("`slow` has no output `m`"), "{unknown:?}");
    assert_eq!(workspace.drctl(&["resolve", "slow", "--happened", "--reason", "seen", "--output", "n=9"]).code, 0);
    let resumed = workspace.drctl(&["resume"]);
    assert_eq!(resumed.code, 10, "{resumed:?}");
    assert_eq!(workspace.lines("log").last().unwrap(), "9");
}

#[test]
fn a_doubt_that_did_not_happen_is_run_again() {
    let workspace = doubtful();
    let log = workspace.lines("log").iter().filter(|line| *line == "start").count();
    assert_eq!(workspace.drctl(&["resolve", "slow", "--did-not-happen", "--reason", "looked"]).code, 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 0);
    assert_eq!(workspace.lines("log").iter().filter(|line| *line == "start").count(), log + 1);
}

#[test]
fn an_edited_runbook_is_shown_step_by_step_and_refused() {
    let workspace = Workspace::of(
        &SLOW.replace("exit $(cat go)", "exit 0").replace("while test ! -e go; do sleep 0.02; done;", "test -e go;"),
    );
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 1);
    let text = std::fs::read_to_string(workspace.path("runbooks/r.yaml")).unwrap();
    workspace.write("runbooks/r.yaml", &text.replace("echo $1 >> log", "echo new-$1 >> log"));
    workspace.write("go", "");
    workspace.drctl(&["retry", "slow"]);
    let refused = workspace.drctl(&["resume"]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(refused.stderr.contains("step `after`: `with` was "), "{}", refused.stderr);
    assert!(refused.stderr.contains("--pinned") && refused.stderr.contains("--adopt"), "{}", refused.stderr);
    let adopted = workspace.drctl(&["resume", "--adopt"]);
    assert_eq!(adopted.code, 0, "{adopted:?}");
    assert_eq!(workspace.lines("log").last().unwrap(), "new-7");
}

#[test]
fn an_edit_of_a_step_that_started_cannot_be_adopted_but_the_run_goes_on_as_pinned() {
    let workspace = Workspace::of(
        &SLOW.replace("exit $(cat go)", "exit 0").replace("while test ! -e go; do sleep 0.02; done;", "test -e go;"),
    );
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 1);
    let text = std::fs::read_to_string(workspace.path("runbooks/r.yaml")).unwrap();
    workspace.write("runbooks/r.yaml", &text.replace("echo start", "echo other"));
    workspace.write("go", "");
    let refused = workspace.drctl(&["resume", "--adopt"]);
    assert_eq!(refused.code, 5);
    assert!(refused.stderr.contains("cannot adopt: `slow` started before the edit"), "{}", refused.stderr);
    for refused in [refused, workspace.drctl(&["resume"])] {
        assert!(refused.stderr.contains("--pinned") && !refused.stderr.contains("--adopt"), "{}", refused.stderr);
    }
    workspace.drctl(&["retry", "slow"]);
    let pinned = workspace.drctl(&["resume", "--pinned"]);
    assert_eq!(pinned.code, 0, "{pinned:?}");
    assert_eq!(workspace.lines("log"), ["start", "start", "end", "7"]);
}

#[test]
fn an_edit_that_is_invalid_is_shown_and_cannot_be_adopted() {
    let workspace = Workspace::of("execution:\n  - { id: a, action: shell, with: { script: \"exit 1\" } }\n");
    workspace.drctl(&["failover", "r"]);
    let text = std::fs::read_to_string(workspace.path("runbooks/r.yaml")).unwrap();
    workspace.write("runbooks/r.yaml", &text.replace("script", "scirpt"));
    let refused = workspace.drctl(&["resume"]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(refused.stderr.contains("is invalid now:\n") && refused.stderr.contains("`scirpt`"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("\n:"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--pinned") && !refused.stderr.contains("--adopt"), "{}", refused.stderr);
}

#[test]
fn a_second_process_is_told_who_drives_the_run() {
    let workspace = Workspace::of(SLOW);
    let child = workspace.start(&["failover", "r", "--as", "ada"]);
    until("the step", || workspace.lines("log") == ["start"]);
    let second = workspace.drctl(&["resume"]);
    assert_eq!(second.code, 6, "{second:?}");
    assert!(second.stderr.contains("the run is driven by ada"), "{}", second.stderr);
    assert!(second.stderr.contains(&format!("next: drctl watch {} ", workspace.run())), "{}", second.stderr);
    workspace.write("go", "0");
    assert_eq!(ran(child.wait_with_output().unwrap()).code, 0);
}

#[test]
fn of_fifty_that_resume_at_once_one_drives_and_the_others_name_it() {
    let workspace = killed_while_slow_runs();
    let mut racing: Vec<_> = (0..50).map(|_| workspace.start(&["resume", "--as", "ada"])).collect();
    until("all but one to give up", || {
        racing.iter_mut().map(|child| child.try_wait().unwrap()).filter(Option::is_none).count() <= 1
    });
    let driver = racing.iter_mut().position(|child| child.try_wait().unwrap().is_none()).unwrap();
    let driver = racing.swap_remove(driver);
    let named = format!("(process {}) since", driver.id());
    for other in racing {
        let other = ran(other.wait_with_output().unwrap());
        assert_eq!(other.code, 6, "{other:?}");
        assert!(other.stderr.contains("the run is driven by ada@") && other.stderr.contains(&named), "{other:?}");
    }
    workspace.write("go", "0");
    assert_eq!(ran(driver.wait_with_output().unwrap()).code, 0);
    assert_eq!(workspace.lines("log"), ["start", "end", "7"]);
    assert_eq!(workspace.journal().matches("\"type\":\"run_resumed\"").count(), 1);
}

#[test]
fn a_damaged_journal_is_refused_with_the_line() {
    let workspace = Workspace::of("execution:\n  - { id: a, action: shell, with: { script: \"exit 1\" } }\n");
    workspace.drctl(&["failover", "r"]);
    let path = workspace.path(&format!(".drctl/runs/{}/journal.jsonl", workspace.run()));
    let journal = std::fs::read_to_string(&path).unwrap();
    let damaged: Vec<String> = journal
        .lines()
        .enumerate()
        .map(|(at, line)| if at == 1 { line.replace("shell", "shelf") } else { line.to_owned() })
        .collect();
    std::fs::write(&path, damaged.join("\n") + "\n").unwrap();
    for arguments in [&["resume", &workspace.run()][..], &["status", &workspace.run()], &["verify", &workspace.run()]] {
        let refused = workspace.drctl(arguments);
        assert_eq!((refused.code, refused.stderr.contains("line 2")), (8, true), "{refused:?}");
    }
}

#[test]
fn a_run_that_cannot_be_read_may_be_the_one_that_is_meant() {
    let workspace = Workspace::of("execution:\n  - { id: a, action: shell, with: { script: \"exit 1\" } }\n");
    workspace.drctl(&["failover", "r"]);
    let run = workspace.run();
    std::fs::remove_dir_all(workspace.path(&format!(".drctl/runs/{run}/pinned"))).unwrap();
    for command in ["status", "resume", "watch"] {
        let refused = workspace.drctl(&[command]);
        assert_eq!(
            (refused.code, refused.stderr.contains(&format!("{run}/pinned/runbook.yaml"))),
            (8, true),
            "{command}: {refused:?}"
        );
    }
    workspace.drctl(&["failover", "r"]);
    for command in ["status", "resume", "watch"] {
        let refused = workspace.drctl(&[command]);
        let named = refused.stderr.contains(&format!("run `{run}` cannot be read, and may be open: "));
        assert_eq!((refused.code, named), (8, true), "{command}: {refused:?}");
        assert!(refused.stderr.contains("name the run that is meant: one of r-"), "{refused:?}");
    }
}

#[test]
fn a_run_without_a_record_never_started_and_is_in_nobodys_way() {
    let workspace = Workspace::of("execution:\n  - { id: a, action: shell, with: { script: \"exit 1\" } }\n");
    workspace.drctl(&["failover", "r"]);
    std::fs::remove_file(workspace.path(&format!(".drctl/runs/{}/journal.jsonl", workspace.run()))).unwrap();
    std::fs::remove_dir_all(workspace.path(&format!(".drctl/runs/{}/steps", workspace.run()))).unwrap();
    let runs = workspace.drctl(&["runs"]).stdout;
    assert!(runs.contains("never started") && runs.contains("it has no record: nothing was done"), "{runs}");
    assert_eq!(workspace.drctl(&["runs", "--open"]).stdout, "no runs yet\n");
    let none = workspace.drctl(&["status"]);
    assert!(none.code == 2 && none.stderr.contains("no run is open"), "{none:?}");
    let run = workspace.run();
    let folder = workspace.path(&format!(".drctl/runs/{run}"));
    // Killed within the first record.
    workspace.write(&format!(".drctl/runs/{run}/journal.jsonl"), r#"{"v":1,"seq":1,"time":"2026-11-22T08"#);
    let never = format!(
        "error: run `{run}` never started: drctl ended before its first record, and nothing was done\n\
         type again what was to start it; the folder it left is in nobody's way, and may be removed\n  \
         next: rm -r {}\n",
        folder.display()
    );
    for command in [["status", &run].as_slice(), &["resume", &run], &["logs", &run], &["abort", &run, "--reason", "x"]]
    {
        let refused = workspace.drctl(command);
        assert_eq!((refused.code, &refused.stderr), (8, &never));
    }
    let cleared = format!("rm -r {}", folder.display());
    assert!(std::process::Command::new("sh").args(["-c", &cleared]).status().unwrap().success());
    assert_eq!(workspace.drctl(&["runs"]).stdout, "no runs yet\n");
}

#[test]
fn a_doubt_about_a_request_says_what_was_sent_when_and_what_the_look_said() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let steps = r#"
inputs: { token: { type: secret, from: { file: token } } }
execution:
  - { id: blind, action: http, with: { method: POST, url: "URL/on", query: { to: east }, headers: { authorization: "{{ inputs.token }}" }, json: { on: true } } }
  - { id: asked, action: http, on_interrupt: ask, with: { method: POST, url: "URL/off" } }
"#;
    let workspace = Workspace::of(&steps.replace("URL", &url)).file("token", "hunter22");
    let (sender, requests) = std::sync::mpsc::channel();
    std::thread::spawn(move || listener.incoming().try_for_each(|request| sender.send(request)));
    let child = workspace.start(&["failover", "r"]);
    // Each is taken, and never answered.
    let taken = [(); 2].map(|()| requests.recv_timeout(Duration::from_secs(30)).unwrap());
    signal(&child, Signal::KILL);
    ran(child.wait_with_output().unwrap());
    let resumed = workspace.drctl(&["resume", "--output", "plain"]);
    drop(taken);
    assert_eq!(resumed.code, 4, "{resumed:?}");
    let journal = workspace.journal();
    let began = |step: &str| {
        let lines = journal.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let mut intents = lines.filter(|line| line["type"] == "intent" && line["payload"]["step"] == step);
        intents.next().unwrap()["time"].as_str().unwrap().to_owned()
    };
    let wanted = [
        format!(
            "  blind: in doubt: drctl stopped during attempt 1, which began at {}: POST {url}/on?to=east; \
             its state could not be read: the step has no `observe` that would tell\n",
            began("blind")
        ),
        format!(
            "  asked: in doubt: drctl stopped during attempt 1, which began at {}: POST {url}/off\n",
            began("asked")
        ),
    ];
    let run = workspace.run();
    let status = workspace.drctl(&["status"]).stdout;
    for (step, line) in ["blind", "asked"].into_iter().zip(wanted) {
        assert!(status.contains(&line), "`{line}` is not in:\n{status}");
        assert!(status.contains(&format!("\n  drctl logs {run} {step}\n")), "{status}");
        assert!(resumed.stderr.contains(line.split_once("in doubt: ").unwrap().1.trim_end()), "{resumed:?}");
    }
}

#[test]
fn where_nothing_has_run_yet_it_is_said_what_could_be_tried_first() {
    let workspace = Workspace::of("execution:\n  - { id: a, action: wait, with: { for: 1s } }\n");
    for command in ["status", "resume", "report"] {
        let none = workspace.drctl(&[command]);
        let wanted = "error: there are no runs yet\n  next: drctl failover NAME --simulate\n";
        assert_eq!((none.code, none.stderr.as_str()), (2, wanted), "{command}");
    }
}

#[test]
fn who_asks_for_a_run_on_a_simulated_world_is_told_where_it_is() {
    let workspace = Workspace::of("execution:\n  - { id: a, action: wait, with: { for: 1s } }\n");
    let simulated = workspace.drctl(&["failover", "r", "--simulate"]);
    assert_eq!(simulated.code, 0, "{simulated:?}");
    let mut runs = std::fs::read_dir(workspace.path(".drctl/simulated/runs")).unwrap();
    let run = runs.next().unwrap().unwrap().file_name().into_string().unwrap();
    let none = workspace.drctl(&["status"]);
    let wanted = format!(
        "error: no run is open: name one; of those on a simulated world, `{run}` is the latest\n  \
         next: drctl status {run}\n  next: drctl runs --state .drctl/simulated\n"
    );
    assert_eq!((none.code, none.stderr), (2, wanted));
    assert!(workspace.drctl(&["status", &run]).stdout.starts_with(&format!("run {run} (simulated): ")));
    assert!(workspace.drctl(&["runs", "--state", ".drctl/simulated"]).stdout.contains(&run));
}

#[test]
fn a_runbook_that_is_gone_is_said_to_be_and_the_run_goes_on_as_it_was_started() {
    let workspace = Workspace::of("execution:\n  - { id: a, action: shell, with: { script: \"test -e ok\" } }\n");
    workspace.drctl(&["failover", "r"]);
    std::fs::remove_file(workspace.path("runbooks/r.yaml")).unwrap();
    workspace.write("ok", "");
    workspace.drctl(&["retry", "a"]);
    let adopted = workspace.drctl(&["resume", "--adopt"]);
    assert_eq!(
        (adopted.code, adopted.stderr.contains("cannot adopt: `runbooks/r.yaml` is gone")),
        (2, true),
        "{adopted:?}"
    );
    let resumed = workspace.drctl(&["resume"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert!(resumed.stderr.contains("`runbooks/r.yaml` is gone: the run goes on as it was started"), "{resumed:?}");
}

#[test]
fn a_step_that_closed_what_it_inherited_is_found_and_waited_for() {
    let workspace = Workspace::of(
        "execution:\n  - id: go\n    action: shell\n    on_interrupt: retry\n    with:\n      script: |\n        exec </dev/null\n        \
         echo begun >> log\n        until test -e open; do sleep 0.05; done\n        echo ended >> log\n",
    );
    let mut child = workspace.start(&["failover", "r"]);
    until("the script", || workspace.lines("log") == ["begun"]);
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    let status = workspace.drctl(&["status"]);
    assert!(status.stdout.contains("go: still runs since "), "{}", status.stdout);
    let resumed = workspace.start(&["resume"]);
    until("the resume", || workspace.journal().contains("run_resumed"));
    workspace.write("open", "");
    let resumed = ran(resumed.wait_with_output().unwrap());
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert_eq!(workspace.lines("log"), ["begun", "ended", "begun", "ended"]);
}
