//! The order of system calls: nothing starts before its intent is durable. And disks that fail.
//!
//! `kill -9` cannot see a missing fsync; a log of system calls can.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

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

/// Steps whose process started before their intent was durable.
fn too_early(log: &str) -> Vec<usize> {
    let (mut written, mut durable) = ([false; STEPS], [false; STEPS]);
    let mut early = Vec::new();
    for line in log.lines() {
        let journal = line.contains("journal.jsonl>");
        if journal && line.contains("write(") {
            for (step, written) in written.iter_mut().enumerate() {
                *written |= line.contains(&format!(r#"\"type\":\"intent\",\"payload\":{{\"step\":\"s{step}\""#));
            }
        }
        let synced = line.contains("fdatasync(") || line.contains("fdatasync resumed");
        if synced && line.trim_end().ends_with("= 0") {
            durable = written;
        }
        if line.contains("execve(") {
            early.extend((0..STEPS).filter(|step| line.contains(&format!("effect-{step} ")) && !durable[*step]));
        }
    }
    early
}

#[test]
fn no_process_starts_before_its_intent_is_durable() {
    let folder = workspace();
    let traced =
        ["strace", "-f", "-qq", "-y", "-s", "100000", "-o", "log", "-e", "trace=write,fdatasync,execve", DRCTL];
    let ran = run(folder.path(), &[&traced[..], &["failover", "r"]].concat());
    assert!(ran.status.success(), "{ran:?}");
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert_eq!(log.lines().filter(|line| line.contains("execve(") && line.contains("effect-")).count(), STEPS);
    assert_eq!(too_early(&log), Vec::<usize>::new());
    let without: Vec<&str> = log.lines().filter(|line| !line.contains("fdatasync")).collect();
    assert_eq!(too_early(&without.join("\n")), [0, 1, 2, 3, 4, 5], "the test sees a sync that is missing");
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
    let folder = workspace();
    // A file may have at most this many blocks: a real short write, and then none at all.
    let limited = format!("trap '' XFSZ; ulimit -f 3; exec {DRCTL} failover r");
    let ran = run(folder.path(), &["bash", "-c", &limited]);
    stopped_and_taken_up(folder.path(), &ran);
}
