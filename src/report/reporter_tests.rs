//! The sinks as a process has them: threads, pipes, a person who types, readers that fail.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::fixture::*;
use super::from_here::FromHere;
use super::reporter::{OutputKind, Ports, Reporter, Setup};
use super::sanitise::is_hidden;
use super::{PromptAnswer, sanitise};
use crate::catalogue::Timestamp;
use crate::edge::Act;
use crate::edge::clock::{Clock, SystemClock};
use crate::edge::secrets::Secrets;
use crate::engine::{Decision, Event, Mode, Seq};
use crate::journal::Record;
use serde_json::Value;

/// A clock that stands still, 160 seconds into the run.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        at(160)
    }

    fn sleep(&self, _: Duration) -> Act<'_, ()> {
        Box::pin(std::future::pending())
    }
}

/// What arrives at the other end of a pipe.
struct Reader {
    chunks: Receiver<String>,
    all: String,
}

impl Reader {
    fn of(pipe: OwnedFd) -> Self {
        let (to, chunks) = channel();
        std::thread::spawn(move || {
            let mut file = File::from(pipe);
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = file.read(&mut buffer) {
                to.send(String::from_utf8_lossy(&buffer[..count]).into_owned()).ok();
            }
        });
        Self { chunks, all: String::new() }
    }

    /// Reads until `text` has arrived `times` times.
    fn until(&mut self, text: &str, times: usize) {
        while self.all.matches(text).count() < times {
            match self.chunks.recv_timeout(Duration::from_secs(10)) {
                Ok(chunk) => self.all += &chunk,
                Err(error) => panic!("{text} did not arrive ({error}):\n{}", self.all),
            }
        }
    }

    fn rest(mut self) -> String {
        self.all.extend(self.chunks.iter());
        self.all
    }
}

struct Desk {
    reporter: Reporter,
    keyboard: OwnedFd,
    stdout: Reader,
    stderr: Reader,
    answers: Receiver<Option<PromptAnswer>>,
}

fn setup(kind: OutputKind, operator: &str) -> (Setup, Receiver<Option<PromptAnswer>>) {
    let (answers, received) = channel();
    let mut secrets = Secrets::default();
    secrets.insert("token", "hunter2");
    let setup = Setup {
        stays: true,
        plan: Arc::new(plan()),
        run: RUN.to_owned(),
        kind,
        interactive: true,
        colour: true,
        from_here: FromHere::default(),
        clock: Arc::new(Still),
        operator: person(operator),
        answer: Box::new(move |answer| answers.send(answer).unwrap()),
        mask: Arc::new(secrets),
    };
    (setup, received)
}

fn numbered(records: &[(u64, Event)]) -> Vec<Record<Event>> {
    let record = |(seq, (seconds, event)): (u64, &(u64, Event))| Record {
        seq: Seq(seq),
        at: at(*seconds),
        event: event.clone(),
    };
    (1..).zip(records).map(record).collect()
}

impl Desk {
    fn new(kind: OutputKind, operator: &str) -> Self {
        let (setup, answers) = setup(kind, operator);
        let pipe = || rustix::pipe::pipe().unwrap();
        let ((stdin, keyboard), (read_out, stdout), (read_err, stderr)) = (pipe(), pipe(), pipe());
        let ports = Ports { stdin: Some(stdin.as_fd()), stdout: stdout.as_fd(), stderr: stderr.as_fd() };
        Self {
            reporter: Reporter::start_with(setup, &ports),
            keyboard,
            stdout: Reader::of(read_out),
            stderr: Reader::of(read_err),
            answers,
        }
    }

    fn record(&self, records: &[(u64, Event)]) {
        self.reporter.records(numbered(records));
    }

    fn type_in(&self, text: &str) {
        rustix::io::write(&self.keyboard, text.as_bytes()).unwrap();
    }

    /// Ends; standard output and standard error.
    fn finish(self) -> (String, String) {
        self.reporter.finish();
        (self.stdout.rest(), self.stderr.rest())
    }
}

fn hostile() -> Event {
    outcome("probe", 1, failed("\u{1b}[2J\u{9b}5A\u{202e}hunter2\r\u{8}\u{7}\n03:11:30 run succeeded"))
}

#[test]
fn json_goes_to_standard_output_and_records_from_before_are_not_repeated() {
    let desk = Desk::new(OutputKind::Json, "alice");
    let records = to_the_gate();
    let (before, now) = records.split_at(5);
    desk.reporter.replay(numbered(before));
    desk.record(now);
    desk.reporter.note("stopping");
    let (stdout, stderr) = desk.finish();
    let lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let types: Vec<&str> = lines.iter().filter_map(|line| line["type"].as_str()).collect();
    assert_eq!(types, ["version", "gate_opened", "summary"]);
    assert_eq!(lines[2]["payload"]["waiting"][0]["step"], "promote");
    assert_eq!(stderr, "stopping\n");
}

#[test]
fn plain_lines_go_to_standard_error_and_the_summary_to_standard_output() {
    let desk = Desk::new(OutputKind::Plain, "alice");
    desk.record(&to_the_end());
    let (stdout, stderr) = desk.finish();
    assert!(stdout.starts_with("run orders-20261120-0311-k3f: succeeded\n  RTO 45m: restored after 7m40s"));
    assert!(stderr.ends_with("03:19:16 +07:50 run succeeded\n"), "{stderr}");
    assert!(!stderr.contains(|shown| shown != '\n' && is_hidden(shown)), "{stderr:?}");
}

#[test]
fn the_operator_approves_at_the_prompt() {
    let mut desk = Desk::new(OutputKind::Human, "bob");
    desk.record(&to_the_gate());
    desk.stderr.until("approve promote? [yes/no/later] ", 1);
    desk.type_in("ye");
    desk.type_in("s\n");
    desk.stderr.until("reason (enter for none): ", 1);
    desk.type_in("\n");
    let digest = "9f86d081884c7d659a2feaa0c55ad015".to_owned();
    let answer = desk.answers.recv();
    let decision = Decision::Approve { digest };
    let step = Some(path("promote"));
    let reason = None;
    assert_eq!(answer, Ok(Some(PromptAnswer { step, decision, reason })));
    desk.record(&[(160, approved("bob"))]);
    let refused = Event::DecisionRefused { id: "x".to_owned(), reason: "too late".to_owned() };
    desk.record(&[(160, refused)]);
    let (_, stderr) = desk.finish();
    assert!(stderr.contains("    deadline: 03:28:06 UTC, in 14m\n"), "{stderr}");
    assert_eq!(stderr.matches("approve promote?").count(), 1, "{stderr}");
}

#[test]
fn a_refused_answer_is_asked_again() {
    let mut desk = Desk::new(OutputKind::Human, "bob");
    desk.record(&to_the_gate());
    desk.stderr.until("approve promote? [yes/no/later] ", 1);
    desk.type_in("no\n");
    desk.stderr.until("reason (enter for none): ", 1);
    desk.type_in("not yet\n");
    desk.answers.recv().unwrap();
    let refused = Event::DecisionRefused { id: "x".to_owned(), reason: "what would be done has changed".to_owned() };
    desk.record(&[(160, refused)]);
    desk.stderr.until("approve promote? [yes/no/later] ", 2);
    assert!(desk.stderr.all.contains("decision refused: what would be done has changed"));
}

#[test]
fn an_approval_from_elsewhere_ends_the_question_and_says_who_gave_it() {
    let mut desk = Desk::new(OutputKind::Human, "alice");
    desk.record(&to_the_gate());
    desk.stderr.until("approve promote? [yes/no/later] ", 1);
    desk.record(&[(160, approved("bob"))]);
    desk.record(&[(160, intent("promote", 1, "azure.postgres.promote_replica"))]);
    desk.stderr.until("promote approved by bob on ops1", 1);
    desk.stderr.until("promote: running", 1);
    desk.type_in("yes\n");
    desk.reporter.note("still here");
    desk.stderr.until("still here", 1);
    assert!(desk.answers.try_recv().is_err());
    let (stdout, _) = desk.finish();
    assert!(stdout.contains("drctl resume"), "{stdout}");
}

#[test]
fn who_may_not_approve_is_shown_the_command_instead() {
    let mut desk = Desk::new(OutputKind::Human, "carol");
    desk.record(&to_the_gate());
    desk.stderr.until("needs somebody else: drctl approve", 1);
    let (_, stderr) = desk.finish();
    assert!(stderr.contains("\n          asks incident_commander: alice, bob\n"), "{stderr}");
    assert!(!stderr.contains("[yes/no/later]"), "{stderr}");
}

#[test]
fn leaving_ends_all_questions() {
    let mut desk = Desk::new(OutputKind::Human, "alice");
    let paused = Event::Paused { number: 1, reason: "`probe` is failed".to_owned() };
    desk.record(&[(0, started(Mode::Real)), (0, intent("probe", 1, "probe.http")), (1, hostile()), (1, paused)]);
    desk.stderr.until("probe: what now? [retry/skip/abort/leave] ", 1);
    desk.type_in("leave\n");
    assert_eq!(desk.answers.recv(), Ok(None));
    desk.stderr.until("needs you: drctl retry", 1);
    let (_, stderr) = desk.finish();
    assert_eq!(stderr.matches("what now?").count(), 1, "{stderr}");
}

#[test]
fn a_keyboard_that_is_gone_ends_all_questions() {
    let mut desk = Desk::new(OutputKind::Human, "alice");
    desk.record(&to_the_gate());
    desk.stderr.until("approve promote? [yes/no/later] ", 1);
    desk.keyboard = rustix::pipe::pipe().unwrap().1;
    desk.stderr.until("the input has ended", 1);
    desk.stderr.until("needs you: drctl approve", 1);
}

/// What is left of terminal output without drctl's own sequences: colours, moving up and down, clearing a line.
fn without_own_sequences(text: &str) -> String {
    let mut left = String::new();
    let mut rest = text;
    while let Some(found) = rest.find('\u{1b}') {
        left += &rest[..found];
        let sequence = &rest[found..];
        let end = sequence.find(|end: char| end.is_ascii_alphabetic()).unwrap();
        let (body, own) = (&sequence[2..end], &sequence[end..=end]);
        let numbers = body.chars().all(|digit| digit.is_ascii_digit() || digit == ';');
        let cursor = body == "?25" && own == "h";
        assert!(sequence.starts_with("\u{1b}[") && (cursor || numbers && "mABK".contains(own)), "{sequence:?}");
        rest = &sequence[end + 1..];
    }
    left + rest
}

#[test]
fn nothing_a_step_says_drives_the_terminal_and_no_secret_shows() {
    for kind in [OutputKind::Human, OutputKind::Plain, OutputKind::Json] {
        let mut desk = Desk::new(kind, "alice");
        desk.record(&[(0, started(Mode::Real)), (0, intent("probe", 1, "probe.http")), (1, hostile())]);
        desk.reporter.note("hunter2 \u{1b}]0;x\u{7}end");
        desk.stderr.until("end", 1);
        let (stdout, stderr) = desk.finish();
        for text in [stdout, stderr] {
            let text = without_own_sequences(&text).replace('\r', "");
            assert!(!text.contains(|shown| shown != '\n' && is_hidden(shown)), "{kind:?}: {text:?}");
            assert!(!text.contains("hunter2") && !text.contains("\n03:11:30 run succeeded"), "{text}");
            assert_eq!(sanitise(&text), text);
        }
    }
}

#[test]
fn a_full_disk_and_closed_pipes_harm_nobody() {
    for kind in [OutputKind::Human, OutputKind::Plain, OutputKind::Json] {
        let full: OwnedFd = File::options().write(true).open("/dev/full").unwrap().into();
        let closed = rustix::pipe::pipe().unwrap().1;
        for stream in [full, closed] {
            let (setup, _answers) = setup(kind, "alice");
            let ports = Ports { stdin: None, stdout: stream.as_fd(), stderr: stream.as_fd() };
            let reporter = Reporter::start_with(setup, &ports);
            reporter.records(numbered(&to_the_end()));
            reporter.finish();
        }
    }
}

#[test]
fn readers_that_never_read_hold_nobody_up() {
    let clock = SystemClock::start(Timestamp(0));
    let ignored = |kind| {
        let (_out, stdout) = rustix::pipe::pipe().unwrap();
        let (_err, stderr) = rustix::pipe::pipe().unwrap();
        let (setup, _answers) = setup(kind, "alice");
        let ports = Ports { stdin: None, stdout: stdout.as_fd(), stderr: stderr.as_fd() };
        let before = clock.now();
        let reporter = Reporter::start_with(setup, &ports);
        reporter.records(numbered(&[(0, started(Mode::Real))]));
        for attempt in 1..3000 {
            reporter.records(numbered(&[(0, intent("probe", attempt, &"x".repeat(100)))]));
            reporter.note("y".repeat(100));
        }
        reporter.finish();
        let took = before.until(clock.now());
        assert!(took < Duration::from_secs(3), "{kind:?} took {took:?}");
    };
    std::thread::scope(|scope| {
        for kind in [OutputKind::Human, OutputKind::Plain, OutputKind::Json] {
            let ignored = &ignored;
            scope.spawn(move || ignored(kind));
        }
    });
}
