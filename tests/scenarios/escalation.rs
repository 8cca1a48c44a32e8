//! Gates that call people: who is reached and how often, who answers from where, whatever is killed meanwhile.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};

use rustix::process::Signal;
use serde_json::Value;

use crate::clock::WallClock;
use crate::tool::installed;
use crate::until::until;
use crate::workspace::{BINARY, Workspace, ran, signal};

const GATED: &str = r#"
objectives: { rto: 45m }
execution:
  - id: go
    title: Go
    action: shell
    approval: { by: [commander], escalation: critical, prompt: "Go on?" }
    with: { script: "echo went >> log" }
"#;

/// A workspace that calls the commander, then the deputy, through these channels.
fn calling(channels: &str, (first, second): (&str, &str)) -> Workspace {
    let settings = format!(
        "drctl: 1\nroles:\n  commander: {{ people: [ada, grace], channels: [pager] }}\n  \
         deputy: {{ people: [linus], channels: [mail] }}\n\
         channels:\n{channels}escalation_policies:\n  critical:\n    \
         - {{ level_1: commander, timeout: {first} }}\n    - {{ level_2: deputy, timeout: {second} }}\n"
    );
    Workspace::of(GATED).file("drctl.yaml", &settings)
}

const FILES: &str = "  pager: { type: file, path: pager }\n  mail: { type: file, path: mail }\n";

/// The notices in a folder, each once, by the name of its file.
fn notices(workspace: &Workspace, folder: &str) -> Vec<String> {
    let files = std::fs::read_dir(workspace.path(folder)).into_iter().flatten();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

/// A receiver of webhooks that counts by key, and may strike before it answers.
struct Receiver {
    url: String,
    keys: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    fn start(status: u16, mut strike: impl FnMut() + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let keys = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&keys);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let (mut length, mut line) = (0, String::new());
                while stream.read_line(&mut line).unwrap_or(0) > 2 {
                    let (name, value) = line.split_once(':').unwrap_or((&line, ""));
                    if name.eq_ignore_ascii_case("content-length") {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                let body: Value = serde_json::from_slice(&body).unwrap();
                kept.lock().unwrap().push(body["idempotency_key"].as_str().unwrap().to_owned());
                strike();
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.get_mut().write_all(answer.as_bytes()).ok();
            }
        });
        Self { url, keys }
    }

    /// How often the call of that number came, in all runs of this workspace.
    fn count(&self, call: &str) -> usize {
        self.keys.lock().unwrap().iter().filter(|key| key.contains(call)).count()
    }
}

fn webhook(receiver: &Receiver, more: &str) -> String {
    format!("  pager: {{ type: webhook, url: \"{}\"{more} }}\n  mail: {{ type: file, path: mail }}\n", receiver.url)
}

#[test]
fn a_gate_calls_its_first_level_and_status_says_what_was_done_and_what_comes() {
    let workspace = calling(FILES, ("5m", "15m"));
    let left = workspace.drctl(&["failover", "r", "--as", "ada"]);
    assert_eq!(left.code, 3, "{left:?}");
    let run = workspace.run();
    assert_eq!(notices(&workspace, "pager"), [format!("{run}-go%21call_1.txt")]);
    assert_eq!(notices(&workspace, "mail"), [""; 0]);
    let told = |from: &str| {
        let line = left.stderr.lines().find(|line| line.contains(from));
        line.unwrap_or_else(|| panic!("{from}: {}", left.stderr)).trim().to_owned()
    };
    assert!(told("calls commander now").contains("calls commander now, deputy at "), "{}", left.stderr);
    assert!(told("level 1 of 2").ends_with("level 1 of 2 calls commander through `pager`"), "{}", left.stderr);
    assert!(told("was called").ends_with("commander was called: delivered to `pager`"), "{}", left.stderr);
    let status = workspace.drctl(&["status"]).stdout;
    let lines: Vec<&str> = status.lines().map(str::trim).filter(|line| line.starts_with("level ")).collect();
    assert_eq!(lines.len(), 2, "{status}");
    assert!(lines[0].starts_with("level 1 called commander at "), "{status}");
    assert!(lines[0].ends_with(" UTC: delivered to `pager`"), "{status}");
    assert!(lines[1].starts_with("level 2 calls deputy at ") && lines[1].contains(" UTC, in "), "{status}");
    let json: Value = serde_json::from_str(&workspace.drctl(&["status", "--json"]).stdout).unwrap();
    let call = &json["steps"][0]["gate"]["calls"][0];
    assert_eq!((&call["state"], &call["calls"], &call["level"]), (&"delivered".into(), &"commander".into(), &1.into()));
    let text = std::fs::read_to_string(workspace.path(&format!("pager/{run}-go%21call_1.txt"))).unwrap();
    assert!(text.contains(&format!("drctl approve {run} go --reason")), "{text}");
    let logs = workspace.drctl(&["logs", &run]).stdout;
    let names = ["gate_opened", "level_called", "call_handle", "call_handle", "call_ended", "executor_left"];
    let records = logs.lines().skip(1).filter_map(|line| line.split_whitespace().nth(2));
    assert_eq!(records.collect::<Vec<_>>(), names, "{logs}");
}

#[test]
fn the_second_level_is_called_and_its_people_approve_from_another_terminal() {
    let workspace = calling(FILES, ("50ms", "15m"));
    let child = workspace.start(&["failover", "r", "--as", "ada", "--wait"]);
    until("the second call", || workspace.journal().matches("call_ended").count() == 2);
    assert_eq!((notices(&workspace, "pager").len(), notices(&workspace, "mail").len()), (1, 1));
    assert_eq!(workspace.lines("log"), [""; 0]);
    let approved = workspace.drctl(&["approve", "go", "--as", "linus", "--reason", "woken up"]);
    assert!(approved.stdout.starts_with("taken: approve `go` by linus"), "{approved:?}");
    let ended = ran(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(workspace.lines("log"), ["went"]);
}

#[test]
fn after_the_last_level_nobody_is_called_and_the_gate_stays_open() {
    let workspace = calling(FILES, ("30ms", "30ms"));
    let child = workspace.start(&["failover", "r", "--as", "ada", "--wait"]);
    until("the end of the policy", || workspace.journal().contains("gate_escalated"));
    let status = workspace.drctl(&["status"]);
    assert_eq!(status.code, 3);
    assert!(status.stdout.contains("nobody is left to call: the gate stays open"), "{}", status.stdout);
    assert!(status.stdout.contains("asks commander, deputy: ada, grace, linus"), "{}", status.stdout);
    signal(&child, Signal::INT);
    let ended = ran(child.wait_with_output().unwrap());
    assert!(ended.stderr.contains("its policy has no further level: the gate stays open"), "{ended:?}");
    assert_eq!(workspace.lines("log"), [""; 0]);
}

#[test]
fn a_run_that_was_left_calls_the_level_that_is_due_and_tells_who_was_missed() {
    let Some(clock) = WallClock::find() else { return };
    let workspace = calling(FILES, ("15m", "15m")).file("clock", "+0");
    let settings = std::fs::read_to_string(workspace.path("drctl.yaml")).unwrap();
    workspace.write("drctl.yaml", &format!("{settings}    - {{ level_3: pager, timeout: 2h }}\n"));
    let left = clock.drctl(&workspace, &["failover", "r", "--as", "ada"]);
    assert_eq!(left.code, 3, "{left:?}");
    workspace.write("clock", "+1h");
    let resumed = clock.drctl(&workspace, &["resume", "--as", "ada"]);
    assert_eq!(resumed.code, 3, "{resumed:?}");
    let journal = workspace.journal();
    assert!(journal.contains("\"level\":3"), "{journal}");
    assert!(resumed.stderr.contains("missed, as nobody executed the run: level 2 (deputy)"), "{resumed:?}");
}

/// Kills drctl when the receiver has got the first call: it never learns that it did.
fn killed_at_the_receiver(more: &str) -> (Workspace, Receiver) {
    let target: Arc<Mutex<Option<u32>>> = Arc::default();
    let shared = Arc::clone(&target);
    let receiver = Receiver::start(200, move || {
        if let Some(pid) = shared.lock().unwrap().take() {
            let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
            rustix::process::kill_process(pid, Signal::KILL).unwrap();
        }
    });
    let workspace = calling(&webhook(&receiver, more), ("5m", "15m"));
    let held = target.lock().unwrap();
    let mut child: Child = workspace.start(&["failover", "r", "--as", "ada", "--wait"]);
    let mut held = held;
    *held = Some(child.id());
    drop(held);
    child.wait().unwrap();
    (workspace, receiver)
}

#[test]
fn killed_between_a_call_and_its_record_the_call_is_doubtful_and_never_made_again() {
    let (workspace, receiver) = killed_at_the_receiver("");
    assert_eq!(receiver.count("call_1"), 1);
    for _ in 0..2 {
        assert_eq!(workspace.drctl(&["resume", "--as", "ada"]).code, 3);
    }
    assert_eq!(receiver.count("call_1"), 1);
    let status = workspace.drctl(&["status"]).stdout;
    assert!(status.contains("level 1 may not have reached commander at "), "{status}");
    assert!(status.contains("in doubt: delivered to nobody; webhook `pager`: it may have been delivered"), "{status}");
    assert_eq!(workspace.drctl(&["approve", "go", "--as", "grace"]).code, 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 0);
    assert_eq!(workspace.lines("log"), ["went"]);
}

#[test]
fn killed_between_a_call_and_its_record_a_receiver_that_drops_the_second_gets_the_same_key() {
    let (workspace, receiver) = killed_at_the_receiver(", deduplicates: true");
    assert_eq!(workspace.drctl(&["resume", "--as", "ada"]).code, 3);
    let mut keys = receiver.keys.lock().unwrap().clone();
    assert_eq!(keys.len(), 2);
    keys.dedup();
    assert_eq!(keys, [format!("{}-go!call_1/pager", workspace.run())]);
    assert!(workspace.drctl(&["status"]).stdout.contains(" UTC: delivered to `pager`"));
}

#[test]
fn killed_at_any_write_each_level_is_called_once() {
    if !installed(&["strace"]) {
        return;
    }
    let mut met = 0;
    for number in 1.. {
        let receiver = Receiver::start(200, || {});
        let channels = webhook(&receiver, "");
        let workspace = calling(&channels, ("1s", "15m"));
        let mut traced = Command::new("strace");
        let inject = format!("--inject=fdatasync:signal=KILL:when={number}");
        traced.args(["-D", "-f", "-qq", "-o", "trace", "-e", "trace=fdatasync", &inject, BINARY]);
        traced.args(["failover", "r", "--as", "ada"]).current_dir(workspace.path("")).env_remove("CI");
        let killed = traced.output().unwrap();
        let met_it = ran(killed).code == -9;
        if workspace.journal().is_empty() {
            assert!(met_it);
            continue;
        }
        met += usize::from(met_it);
        for _ in 0..2 {
            let resumed = workspace.drctl(&["resume", "--as", "ada"]);
            assert_eq!(resumed.code, 3, "killed at {number}: {resumed:?}");
        }
        until("the second level", || {
            let resumed = workspace.drctl(&["resume", "--as", "ada"]);
            assert_eq!(resumed.code, 3, "killed at {number}: {resumed:?}");
            notices(&workspace, "mail").len() == 1
        });
        let journal = workspace.journal();
        let first = journal.matches("\"level\":1,").count();
        assert!(receiver.count("call_") <= 1, "killed at {number}: {:?}", receiver.keys.lock().unwrap());
        assert!(first <= 1, "killed at {number}: {journal}");
        assert_eq!(notices(&workspace, "mail").len(), 1, "killed at {number}");
        if !met_it {
            assert_eq!(receiver.count("call_1"), 1);
            break;
        }
    }
    assert!(met >= 4, "the fault was met only {met} times");
}

#[test]
fn a_call_that_fails_is_owed_and_blocks_nobody() {
    let receiver = Receiver::start(404, || {});
    let workspace = calling(&webhook(&receiver, ""), ("5m", "15m"));
    let left = workspace.drctl(&["failover", "r", "--as", "ada"]);
    assert_eq!(left.code, 3, "{left:?}");
    let why = "commander was not reached, the call is owed: delivered to nobody; webhook `pager`: refused with 404";
    assert!(left.stderr.contains(why), "{left:?}");
    let status = workspace.drctl(&["status"]).stdout;
    assert!(status.contains(", owed: delivered to nobody; webhook `pager`: refused with 404"), "{status}");
    assert!(workspace.drctl(&["runs"]).stdout.contains("owes 1 delivery"));
    assert_eq!(workspace.drctl(&["approve", "go", "--as", "grace"]).code, 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 0);
    assert_eq!(workspace.drctl(&["notify", "send", "--owed"]).stdout, "no run owes anything\n");
    let report: Value = serde_json::from_str(&workspace.drctl(&["report", "--format", "json"]).stdout).unwrap();
    assert_eq!(report["notices"][0]["state"], "lapsed", "{report}");
}

#[test]
fn a_call_that_is_owed_is_delivered_on_demand_and_once() {
    let receiver = Receiver::start(200, || {});
    let channels = "  pager: { type: webhook, url: { env: HOOK } }\n  mail: { type: file, path: mail }\n";
    let workspace = calling(channels, ("5m", "15m"));
    // Nobody can read where it goes.
    assert_eq!(workspace.drctl(&["failover", "r", "--as", "ada"]).code, 3);
    let run = workspace.run();
    let status = workspace.drctl(&["status"]).stdout;
    let why = "secret `channels.pager.url`: the environment variable `HOOK` is not set";
    assert!(status.contains(&format!("\nowed\n  `go`: `call_1/pager`: not sent: {why}\n")), "{status}");
    assert!(status.contains(&format!("\n  drctl notify send --owed {run}\n")), "{status}");
    assert!(workspace.drctl(&["runs"]).stdout.contains("owes 1 delivery"));
    let report: Value = serde_json::from_str(&workspace.drctl(&["report", "--format", "json"]).stdout).unwrap();
    let notice = &report["notices"][0];
    assert_eq!((&notice["template"], &notice["state"]), (&"approval_request".into(), &"owed".into()), "{report}");

    let send = || {
        let mut command = workspace.command(&["notify", "send", "--owed", &run]);
        ran(command.env("HOOK", &receiver.url).output().unwrap())
    };
    let sent = send();
    let text = format!("delivered: `go`: `call_1/pager`\nrun {run} owes nothing\n");
    assert_eq!((sent.code, sent.stdout), (0, text), "{}", sent.stderr);
    assert_eq!(send().stdout, format!("run {run} owes nothing\n"));
    assert_eq!(*receiver.keys.lock().unwrap(), [format!("{run}-go!call_1/pager")]);
    assert_eq!(workspace.drctl(&["resume", "--as", "ada"]).code, 3);
    assert_eq!(receiver.count("call_1"), 1, "who takes the run up does not call again");
    let status = workspace.drctl(&["status"]).stdout;
    assert!(status.contains("level 1 called commander at ") && status.contains("delivered to `pager`"), "{status}");
    assert!(!status.contains("owed"), "{status}");
    assert_eq!(workspace.drctl(&["verify", &run]).code, 0);
}

#[test]
fn a_call_in_doubt_is_made_again_only_when_a_person_says_so() {
    let (workspace, receiver) = killed_at_the_receiver("");
    assert_eq!(workspace.drctl(&["resume", "--as", "ada"]).code, 3);
    let run = workspace.run();
    let status = workspace.drctl(&["status"]).stdout;
    let command = format!("drctl notify send --owed {run} go --doubtful call_1/pager --reason \"...\"");
    assert!(status.contains(&format!("\n  {command}\n")), "{status}");
    assert_eq!(workspace.drctl(&["notify", "send", "--owed", &run]).code, 4);
    assert_eq!(receiver.count("call_1"), 1);
    let mistyped = ["notify", "send", "--owed", &run, "go", "--doubtful", "pager", "--reason", "x"];
    let refused = workspace.drctl(&mistyped);
    assert!(refused.code == 2 && refused.stderr.contains("those that are: `call_1/pager`"), "{refused:?}");
    let again = ["notify", "send", "--owed", &run, "go", "--doubtful", "call_1/pager", "--reason", "she slept on"];
    let sent = workspace.drctl(&again);
    assert_eq!((sent.code, receiver.count("call_1")), (0, 2), "{sent:?}");
    assert!(workspace.journal().contains("she slept on"));
    assert_eq!(workspace.drctl(&["resume", "--as", "ada"]).code, 3);
    assert_eq!(receiver.count("call_1"), 2);
}

#[test]
fn dry_and_simulated_runs_call_nobody() {
    let workspace = calling(FILES, ("5m", "15m"));
    assert_eq!(workspace.drctl(&["failover", "r", "--dry-run"]).code, 0);
    let simulated = workspace.drctl(&["failover", "r", "--simulate", "--as", "ada"]);
    assert!(simulated.stderr.contains("calls commander through `pager`"), "{simulated:?}");
    let rehearsed = workspace.drctl(&["rehearse", "r"]);
    assert_eq!(rehearsed.code, 0, "{rehearsed:?}");
    assert_eq!((notices(&workspace, "pager").len(), notices(&workspace, "mail").len()), (0, 0));
}

#[test]
fn in_a_rehearsal_people_who_answer_late_are_called_level_by_level() {
    let workspace = calling(FILES, ("5m", "15m"));
    let scenario = "drctl: 1\nscenario: late\nrunbook: r\npeople: { go: { after: 12m } }\n\
        expect: { state: succeeded, messages: [{ template: approval_request, audience: deputy, times: 1 }] }\n";
    std::fs::create_dir_all(workspace.path("runbooks/scenarios/r")).unwrap();
    workspace.write("runbooks/scenarios/r/late.yaml", scenario);
    let tested = workspace.drctl(&["test"]);
    assert_eq!(tested.code, 0, "{tested:?}");
    let told = workspace.drctl(&["rehearse", "r", "--scenario", "late"]);
    let people = told.stdout.split("people\n").nth(1).and_then(|text| text.split("\n\n").next()).unwrap();
    assert_eq!(
        people,
        "  +0:00:00  level 1 calls commander: go\n  +0:05:00  level 2 calls deputy: go\n  \
         +0:12:00  ada: approve go, waited 12m"
    );
}

#[test]
fn a_workspace_says_it_in_its_own_words_and_a_secret_of_a_channel_is_read() {
    let receiver = Receiver::start(200, || {});
    let channels = "  pager: { type: file, path: pager }\n  mail: { type: webhook, url: { env: HOOK } }\n";
    let workspace = calling(channels, ("300ms", "15m")).file(
        "templates/approval_request.txt",
        "Subject: {{ vars.step }} of {{ vars.run }}, level {{ vars.level }}\n\n{{ vars.prompt }} {{ vars.approve }}\n",
    );
    let mut command = workspace.command(&["failover", "r", "--as", "ada"]);
    let left = ran(command.env("HOOK", &receiver.url).output().unwrap());
    assert_eq!(left.code, 3, "{left:?}");
    let run = workspace.run();
    let text = std::fs::read_to_string(workspace.path(&format!("pager/{run}-go%21call_1.txt"))).unwrap();
    assert_eq!(text, format!("Subject: go of {run}, level 1\n\nGo on? drctl approve {run} go --reason \"...\"\n"));
    until("the second call", || {
        ran(workspace.command(&["resume", "--as", "ada"]).env("HOOK", &receiver.url).output().unwrap());
        receiver.count("call_2") == 1
    });
    assert!(!workspace.journal().contains(&receiver.url));
}

#[test]
fn words_of_a_workspace_that_read_what_is_not_there_are_found_before_the_run() {
    let words = "Subject: {{ vars.step }}\n\n{{ vars.prmopt }} {{ steps.gone.outputs.x }}\n";
    let workspace = calling(FILES, ("5m", "15m")).file("templates/approval_request.txt", words);
    let found = workspace.drctl(&["validate"]);
    assert_eq!(found.code, 5, "{found:?}");
    for place in ["templates/approval_request.txt:3:4", "templates/approval_request.txt:3:22"] {
        assert!(found.stdout.contains(place), "{place}: {found:?}");
    }
}

#[test]
fn a_policy_that_is_not_there_or_leads_nowhere_is_told_before_the_run() {
    let workspace = calling(FILES, ("5m", "15m"));
    let gated = std::fs::read_to_string(workspace.path("runbooks/r.yaml")).unwrap();
    workspace.write("runbooks/r.yaml", &gated.replace("escalation: critical", "escalation: critcal"));
    let found = workspace.drctl(&["validate"]);
    assert!(found.stdout.contains("`drctl.yaml` has no escalation policy `critcal`"), "{found:?}");
    assert!(found.stdout.contains("did you mean `critical`?"), "{found:?}");
    workspace.write(
        "runbooks/r.yaml",
        &gated.replace("escalation: critical", "escalation: critical, timeout: 4m, on_timeout: reject"),
    );
    let settings = std::fs::read_to_string(workspace.path("drctl.yaml")).unwrap();
    workspace.write("drctl.yaml", &settings.replace("people: [linus], channels: [mail]", "people: [linus]"));
    let found = workspace.drctl(&["validate"]);
    assert!(found.stdout.contains("no channel leads to `deputy`, level 2 of the gate's escalation"), "{found:?}");
    assert!(found.stdout.contains("the gate is rejected after 4m, before `deputy` is called"), "{found:?}");
}
