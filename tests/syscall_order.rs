//! The order of system calls: nothing starts before its intent is durable. And disks that fail.
//!
//! `kill -9` cannot see a missing fsync; a log of system calls can.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

#[expect(dead_code, reason = "the sweep of kills uses the rest")]
#[path = "support/crash/mod.rs"]
mod crash;
#[path = "support/tool.rs"]
mod tool;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crash::mutant::mutant;
use crash::scene::{Scene, Story};
use tool::installed;

const STEPS: usize = 6;

fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("runbooks")).unwrap();
    fs::write(folder.path().join("drctl.yaml"), "drctl: 1\n").unwrap();
    let mut text = "drctl: 1\nname: r\nkind: failover\nowner: t\nexecution:\n".to_owned();
    for step in 0..STEPS {
        let needs = if step == 0 { String::new() } else { format!("s{}", step - 1) };
        let script = format!("echo effect-{step} >> effects");
        text.extend([
            format!("  - {{ id: s{step}, action: exec, needs: [{needs}], on_interrupt: retry, "),
            format!("with: {{ argv: [sh, -c, {script:?}] }} }}\n"),
        ]);
    }
    fs::write(folder.path().join("runbooks/r.yaml"), text).unwrap();
    folder
}

fn run(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(folder).stdin(Stdio::null()).env_remove("DRCTL_STATE").output().unwrap()
}

const DRCTL: &str = env!("CARGO_BIN_EXE_drctl");

/// What a log of system calls shows, in order.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// A write of the journal has ended: what was written.
    Written(String),
    /// A sync of the journal begins.
    SyncBegins,
    /// It has ended, well.
    Synced,
    /// Something else begins: the line.
    Other(String),
}

/// Reads a log of `strace -f -y`, where a call that takes its time has a line for its begin and one for its end.
fn read_log(log: &str) -> Vec<Seen> {
    let mut writing = String::new();
    let mut seen = Vec::new();
    for line in log.lines() {
        let (_, call) = line.split_once(char::is_whitespace).unwrap_or(("", line));
        let call = call.trim_start();
        let (begins, ends) = (!call.starts_with("<... "), !call.ends_with("<unfinished ...>"));
        let is_journal = call.contains("journal.jsonl>");
        if begins && is_journal && call.starts_with("write(") {
            writing = call.replace("\\\"", "\"");
        } else if begins && is_journal && call.starts_with("fdatasync(") {
            seen.push(Seen::SyncBegins);
        } else if begins {
            seen.push(Seen::Other(call.to_owned()));
        }
        // Only the journal's thread syncs, and it does one thing at a time.
        let is_sync = call.starts_with("fdatasync(") || call.starts_with("<... fdatasync resumed");
        if ends && is_sync && call.ends_with("= 0") {
            seen.push(Seen::Synced);
        }
        let is_write = is_journal || call.starts_with("<... write resumed");
        if ends && is_write && !writing.is_empty() && !is_sync {
            seen.push(Seen::Written(std::mem::take(&mut writing)));
        }
    }
    seen
}

/// An effect in the log, and the record that must be durable before it.
struct Rule {
    effect: String,
    record: String,
}

/// The effects that were begun, and those of them that were begun too early.
fn judge<'r>(log: &str, rules: &'r [Rule]) -> (Vec<&'r str>, Vec<&'r str>) {
    let (mut written, mut synced, mut durable) = (String::new(), 0, 0);
    let (mut begun, mut early) = (Vec::new(), Vec::new());
    for seen in read_log(log) {
        match seen {
            Seen::Written(text) => written += &text,
            Seen::SyncBegins => synced = written.len(),
            Seen::Synced => durable = synced,
            Seen::Other(call) => {
                for Rule { effect, record } in rules.iter().filter(|rule| call.contains(&rule.effect)) {
                    begun.push(effect.as_str());
                    if !written[..durable].contains(record) {
                        early.push(effect.as_str());
                    }
                }
            }
        }
    }
    (begun, early)
}

/// What the story does to the world, as it looks in the log.
fn rules() -> Vec<Rule> {
    let intent = |step: &str| format!(r#""type":"intent","payload":{{"step":"{step}""#);
    let process = |step: &str| Rule { effect: format!(r#""effect.sh", "{step}""#), record: intent(step) };
    let request = |words: &str, step: &str| Rule { effect: format!(r#""{words} HTTP/1.1"#), record: intent(step) };
    let shell = |step: &str| Rule { effect: format!(r#""exec sh effect.sh {step}""#), record: intent(step) };
    let notice = r#""handle":{"deliveries":{"delivered":["board"],"sending":"hook"}}"#.to_owned();
    vec![
        shell("switch"),
        shell("script"),
        process("program"),
        request("POST /order", "order"),
        request("POST /ticket", "ticket"),
        request("PUT /setting", "setting"),
        shell("second"),
        Rule { effect: r#""POST /notice HTTP/1.1"#.to_owned(), record: notice },
    ]
}

/// The log of a run from its beginning to its end.
fn log_of(binary: &Path, mistake: Option<&'static str>) -> String {
    let scene = Scene::new(binary, Story::Succeeds).with_mutant(mistake);
    assert_eq!(scene.drctl(&["plan", "orders", "--out", "plan.json"]).code, 0);
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-y", "-s", "100000", "-o", "log"]);
    traced.args(["-e", "trace=write,writev,sendto,sendmsg,fdatasync,execve"]).arg(binary);
    let start = ["failover", "orders", "--plan", "plan.json", "--approve", "switch", "--as", "ada"];
    let ran = scene.run_command(traced.args(start));
    assert_eq!(ran.code, 0, "{ran:?}");
    fs::read_to_string(scene.path("log")).unwrap()
}

#[test]
fn nothing_starts_and_nothing_is_sent_before_its_intent_is_durable() {
    if !installed(&["strace"]) {
        return;
    }
    let log = log_of(Path::new(DRCTL), None);
    let rules = rules();
    let all: BTreeSet<&str> = rules.iter().map(|rule| rule.effect.as_str()).collect();
    let (begun, early) = judge(&log, &rules);
    assert_eq!((BTreeSet::from_iter(begun), early), (all.clone(), Vec::new()));
    let without: Vec<&str> = log.lines().filter(|line| !line.contains("fdatasync")).collect();
    let (_, early) = judge(&without.join("\n"), &rules);
    assert_eq!(BTreeSet::from_iter(early), all, "a sync that is missing is seen");
}

#[test]
fn a_drctl_that_acts_before_it_has_written_is_found_by_the_order_of_its_calls() {
    if !installed(&["strace"]) {
        return;
    }
    let log = log_of(mutant(), Some("effect_before_intent"));
    let rules = rules();
    let (_, early) = judge(&log, &rules);
    assert!(!early.is_empty());
}

#[test]
fn a_log_is_read_in_the_order_of_begins_and_ends() {
    let journal = "3</r/journal.jsonl>";
    let log = format!(
        "1 write({journal}, \"{{\\\"a\\\"\", 4 <unfinished ...>\n2 execve(\"x\", []) = 0\n1 <... write resumed>) = 4\n\
         1 fdatasync({journal} <unfinished ...>\n2 execve(\"y\", []) = 0\n1 <... fdatasync resumed>) = 0\n\
         1 fdatasync({journal}) = -1 EIO (Input/output error)\n"
    );
    let write = format!("write({journal}, \"{{\"a\"\", 4 <unfinished ...>");
    let other = |name: &str| Seen::Other(format!("execve(\"{name}\", []) = 0"));
    let wanted = [other("x"), Seen::Written(write), Seen::SyncBegins, other("y"), Seen::Synced, Seen::SyncBegins];
    assert_eq!(read_log(&log), wanted);
}

fn effects(folder: &Path) -> Vec<String> {
    fs::read_to_string(folder.join("effects")).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Judges a run whose journal could not be written, and takes it up.
fn stopped_and_taken_up(folder: &Path, ran: &Output) {
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(8), "{said}");
    assert!(said.contains("the journal cannot be written"), "{said}");
    assert!(
        said.contains("\"type\":\"outcome\"") || said.contains("\"type\":\"intent\""),
        "what is not saved is printed: {said}"
    );
    let before = effects(folder).len();
    assert!(before < STEPS, "nothing new starts: {before}");
    let resumed = run(folder, &[DRCTL, "resume"]);
    assert!(resumed.status.success(), "{resumed:?}");
    let mut all = effects(folder);
    all.dedup();
    assert_eq!(all, (0..STEPS).map(|step| format!("effect-{step}")).collect::<Vec<_>>());
}

#[test]
fn a_failed_sync_is_final_and_the_run_goes_on_from_what_is_durable() {
    if !installed(&["strace"]) {
        return;
    }
    for when in [3, 4, 5, 6] {
        let folder = workspace();
        let inject = format!("inject=fdatasync:error=EIO:when={when}");
        let traced =
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", &inject, DRCTL, "failover", "r"];
        let ran = run(folder.path(), &traced);
        stopped_and_taken_up(folder.path(), &ran);
    }
}

#[test]
fn a_full_disk_stops_the_run_and_loses_nothing() {
    if !installed(&["strace"]) {
        return;
    }
    let folder = workspace();
    // A file may have at most this many blocks: a real short write, and then none at all.
    let limited = format!("trap '' XFSZ; ulimit -f 3; exec {DRCTL} failover r");
    let ran = run(folder.path(), &["bash", "-c", &limited]);
    stopped_and_taken_up(folder.path(), &ran);
}
