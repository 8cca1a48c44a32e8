//! What a failing disk and a killed process leave of a journal. Runs this test program again, under `strace`
//! or with a limit on the size of files, so that the real system calls fail.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

#[path = "support/tool.rs"]
mod tool;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use drctl::catalogue::Timestamp;
use drctl::journal::{Durability, FileJournal, Journal, Record, Seq, read, recover, verify_chain};
use serde::{Deserialize, Serialize};
use tool::installed;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "payload", rename_all = "snake_case")]
enum Event {
    Note(String),
}

fn record(number: u64) -> Record<Event> {
    Record {
        seq: Seq(number),
        at: Timestamp(1_795_218_000_000),
        event: Event::Note(format!("{number}: {}", "x".repeat(300))),
    }
}

fn records(count: u64) -> Vec<Record<Event>> {
    (1..=count).map(record).collect()
}

/// Names the folder that the process under test works in.
const FOLDER: &str = "DRCTL_TEST_FOLDER";

/// Appends record after record, each once the one before is durable, and notes that beside the journal.
/// After a failure appends two more and saves what is unsaved.
#[test]
#[ignore = "not a test: the process that the tests here start"]
fn process_under_test() {
    #[expect(clippy::disallowed_methods, reason = "how the tests here speak to the process they start")]
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let mut journal = FileJournal::create(&folder.join("journal.jsonl")).unwrap();
    let mut durability = Journal::durability(&journal);
    let waiting = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for number in 1..=20 {
        journal.append(vec![record(number)]);
        let reached = |durability: &Durability| match durability {
            Durability::UpTo(seq, _) => *seq == Seq(number),
            Durability::Failed(_) => true,
        };
        // What the wait gives holds a lock that the writer needs.
        let state = waiting.block_on(durability.wait_for(reached)).unwrap().clone();
        if let Durability::Failed(error) = state {
            journal.append(vec![record(number + 1)]);
            journal.append(vec![record(number + 2)]);
            fs::write(folder.join("unsaved"), journal.unsaved().join("\n") + "\n").unwrap();
            fs::write(folder.join("error"), error.to_string()).unwrap();
            assert_eq!(Box::new(journal).close().unwrap_err().to_string(), error.to_string());
            return;
        }
        fs::write(folder.join("durable"), number.to_string()).unwrap();
    }
    Box::new(journal).close().unwrap();
}

/// A folder in which the process under test ran.
struct Scene {
    _guard: tempfile::TempDir,
    folder: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let folder = guard.path().canonicalize().unwrap();
        Self { _guard: guard, folder }
    }

    fn journal(&self) -> PathBuf {
        self.folder.join("journal.jsonl")
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    /// The last record that the process saw durable.
    fn durable(&self) -> u64 {
        self.text("durable").parse().unwrap_or(0)
    }

    /// Runs the process under test as the arguments of `wrapper`.
    fn run(&self, mut wrapper: Command) -> ExitStatus {
        let program = std::env::current_exe().unwrap();
        wrapper.arg(program).args(["--exact", "process_under_test", "--ignored"]);
        let output = wrapper.env(FOLDER, &self.folder).output().unwrap();
        output.status
    }

    /// Runs it under `strace`, which spoils system calls on the journal; gives what was called on it and its folder.
    fn run_traced(&self, inject: &str) -> (ExitStatus, Vec<String>) {
        let mut strace = Command::new("strace");
        let calls = "--trace=write,pwrite64,fsync,fdatasync,ftruncate,fallocate";
        strace
            .args(["-f", "-o"])
            .arg(self.folder.join("calls"))
            .arg("-P")
            .arg(self.journal())
            .arg("-P")
            .arg(&self.folder);
        strace.args([calls, &format!("--inject={inject}")]);
        let status = self.run(strace);
        let calls = self.text("calls");
        let names = calls.lines().filter_map(|line| line.split_once(' ')?.1.trim().split_once('('));
        (status, names.map(|(name, _)| name.to_owned()).collect())
    }

    /// What must hold after any failure of the disk, whatever failed.
    fn assert_failed_after(&self, durable: u64, error: &str) {
        assert_eq!((self.durable(), self.text("error").as_str()), (durable, error));
        let all = records(durable + 3);
        let found = read::<Event>(&self.journal()).unwrap().records;
        assert_eq!(found, all[..found.len()]);
        // The record that failed may stand in the file; those appended later do not.
        assert!((durable..=durable + 1).contains(&(found.len() as u64)), "{}", found.len());
        // What is durable and what is unsaved are together the whole journal, chain and all.
        let file = self.text("journal.jsonl");
        let durable_lines: String = file.split_inclusive('\n').take(usize::try_from(durable).unwrap()).collect();
        let whole = durable_lines + &self.text("unsaved");
        assert_eq!(recover::<Event>(whole.as_bytes()).unwrap().records, all);
    }

    /// The journal can be written on, and then holds these records.
    fn assert_goes_on(&self, path: &Path) {
        let reopened = FileJournal::<Event>::recover_and_open(path, |_| ()).unwrap();
        let next = reopened.end.seq.next();
        let mut journal = reopened.journal;
        journal.append(vec![record(next.0)]);
        assert_eq!(Box::new(journal).close().unwrap(), next);
        assert_eq!(read::<Event>(path).unwrap().records, records(next.0));
        assert_eq!(verify_chain(path).unwrap().torn, None);
    }
}

fn io_error(scene: &Scene, doing: &str, error: &str) -> String {
    format!("could not {doing} the journal `{}`: {error}", scene.journal().display())
}

/// The calls that make a journal: its file and its place in the folder are synced.
const CREATE: &[&str] = &["fallocate", "fsync", "fsync"];
/// The calls that make a batch durable.
const ONE: &[&str] = &["write", "fdatasync"];

#[test]
fn after_a_failed_sync_nothing_more_is_written() {
    if !installed(&["strace"]) {
        return;
    }
    let scene = Scene::new();
    let (status, calls) = scene.run_traced("fdatasync:error=EIO:when=3");
    assert!(status.success());
    scene.assert_failed_after(2, &io_error(&scene, "sync", "Input/output error (os error 5)"));
    assert_eq!(calls, [CREATE, ONE, ONE, ONE].concat());
    scene.assert_goes_on(&scene.journal());
}

#[test]
fn after_a_failed_write_nothing_more_is_written() {
    if !installed(&["strace"]) {
        return;
    }
    let scene = Scene::new();
    let (status, calls) = scene.run_traced("write:error=ENOSPC:when=4");
    assert!(status.success());
    scene.assert_failed_after(3, &io_error(&scene, "write to", "No space left on device (os error 28)"));
    assert_eq!(calls, [CREATE, ONE, ONE, ONE, &["write"]].concat());
    scene.assert_goes_on(&scene.journal());
}

#[test]
fn a_line_that_was_written_in_part_is_cut_off_and_kept_aside() {
    if !installed(&["strace"]) {
        return;
    }
    let scene = Scene::new();
    let mut shell = Command::new("sh");
    // Eight blocks of 512 bytes; the signal that comes with the error is not wanted.
    shell.args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""]);
    assert!(scene.run(shell).success());
    scene.assert_failed_after(8, &io_error(&scene, "write to", "File too large (os error 27)"));
    let file = scene.text("journal.jsonl");
    assert_eq!(file.len(), 4096);
    let torn = file.split('\n').next_back().unwrap();
    assert_ne!(torn, "");
    scene.assert_goes_on(&scene.journal());
    assert_eq!(scene.text("journal.torn-1"), torn);
}

#[test]
fn killed_at_any_call_the_journal_keeps_every_record_that_was_durable() {
    if !installed(&["strace"]) {
        return;
    }
    for call in ["write", "fdatasync"] {
        for number in 1..=5 {
            let scene = Scene::new();
            let (status, _) = scene.run_traced(&format!("{call}:signal=KILL:when={number}"));
            assert!(!status.success(), "{call} {number}");
            assert_eq!(scene.durable(), number - 1, "{call} {number}");
            let found = read::<Event>(&scene.journal()).unwrap().records;
            assert_eq!(found, records(found.len() as u64), "{call} {number}");
            assert!(found.len() as u64 >= number - 1, "{call} {number}");
            scene.assert_goes_on(&scene.journal());
        }
    }
}
