//! A wall clock that is set while a run goes on, or while it waits to be taken up. Needs Debian's `faketime`.

use std::process::{Command, Stdio};
use std::time::Duration;

use drctl::catalogue::Timestamp;

use crate::tool::installed;
use crate::until::until;
use crate::workspace::{Ran, Workspace, ran};

const HOUR: Duration = Duration::from_secs(3600);

/// A run that waits for approval for so long, and then rejects.
fn gated(timeout: &str) -> Workspace {
    Workspace::of(&format!(
        "execution:\n  - id: go\n    action: shell\n    approval: {{ by: [commander], timeout: {timeout}, \
         on_timeout: reject }}\n    with: {{ script: \"echo moved >> log\" }}\n"
    ))
}

/// A wall clock that is off by what stands in the file `clock`, read anew whenever somebody looks at it.
pub(crate) struct WallClock {
    library: String,
}

impl WallClock {
    /// None where `faketime` is not installed, which is said.
    pub(crate) fn find() -> Option<Self> {
        if !installed(&["faketime"]) {
            return None;
        }
        let found = Command::new("faketime").args(["-f", "+0", "sh", "-c", "echo $LD_PRELOAD"]).output().unwrap();
        Some(Self { library: String::from_utf8(found.stdout).unwrap().trim().to_owned() })
    }

    fn command(&self, workspace: &Workspace, arguments: &[&str]) -> Command {
        let mut command = workspace.command(arguments);
        command.env("LD_PRELOAD", &self.library).env("FAKETIME_TIMESTAMP_FILE", workspace.path("clock"));
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        command
    }

    pub(crate) fn drctl(&self, workspace: &Workspace, arguments: &[&str]) -> Ran {
        ran(self.command(workspace, arguments).output().unwrap())
    }
}

/// The times in the journal, which must never go back.
fn times(workspace: &Workspace) -> Vec<Timestamp> {
    let journal = workspace.journal();
    let texts = journal.lines().map(|line| line.split("\"time\":\"").nth(1).unwrap().split('"').next().unwrap());
    let times: Vec<Timestamp> = texts.map(|text| Timestamp::parse(text).unwrap()).collect();
    assert!(times.is_sorted(), "{journal}");
    times
}

/// From the first record to the last.
fn span(workspace: &Workspace) -> Duration {
    let times = times(workspace);
    times[0].until(times[times.len() - 1])
}

#[test]
fn a_clock_that_is_set_while_a_gate_waits_changes_nothing() {
    let Some(clock) = WallClock::find() else { return };
    for offset in ["+1h", "-1h"] {
        let workspace = gated("30m").file("clock", "+0");
        let mut waiting = clock.command(&workspace, &["failover", "r", "--wait"]);
        let waiting = waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        until("the gate", || workspace.journal().contains("gate_opened"));
        workspace.write("clock", offset);
        assert_eq!(clock.drctl(&workspace, &["approve", "go", "--as", "ada"]).code, 0);
        let ended = ran(waiting.wait_with_output().unwrap());
        assert_eq!(ended.code, 0, "{offset}: {ended:?}");
        assert_eq!(workspace.lines("log"), ["moved"]);
        assert!(span(&workspace) < HOUR / 2, "{offset}: {}", workspace.journal());
    }
}

#[test]
fn a_run_taken_up_by_a_clock_that_was_set_keeps_its_order_and_its_approval() {
    let Some(clock) = WallClock::find() else { return };
    for offset in ["+1h", "-1h"] {
        let workspace = gated("3h").file("clock", "+0");
        assert_eq!(clock.drctl(&workspace, &["failover", "r"]).code, 3);
        workspace.write("clock", offset);
        assert_eq!(clock.drctl(&workspace, &["resume"]).code, 3, "{offset}: it still waits");
        assert_eq!(clock.drctl(&workspace, &["approve", "go", "--as", "ada"]).code, 0);
        assert_eq!(clock.drctl(&workspace, &["resume"]).code, 0);
        assert_eq!(workspace.lines("log"), ["moved"]);
        let passed = span(&workspace);
        assert_eq!(passed >= HOUR, offset == "+1h", "{offset}: {passed:?}");
    }
}

#[test]
fn a_clock_that_was_set_ahead_may_end_a_gate_but_never_approves() {
    let Some(clock) = WallClock::find() else { return };
    let workspace = gated("30m").file("clock", "+0");
    assert_eq!(clock.drctl(&workspace, &["failover", "r"]).code, 3);
    workspace.write("clock", "+1h");
    let resumed = clock.drctl(&workspace, &["resume"]);
    assert_eq!(resumed.code, 1, "{resumed:?}");
    assert!(workspace.journal().contains("nobody approved it in time"));
    assert_eq!(workspace.lines("log"), Vec::<String>::new());
    times(&workspace);
}

#[test]
fn a_clock_that_was_set_back_does_not_keep_a_gate_open() {
    let Some(clock) = WallClock::find() else { return };
    let workspace = gated("2s").file("clock", "+0");
    assert_eq!(clock.drctl(&workspace, &["failover", "r"]).code, 3);
    workspace.write("clock", "-1h");
    let mut waiting = clock.command(&workspace, &["resume", "--wait"]);
    let waiting = waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the rejection", || workspace.journal().contains("nobody approved it in time"));
    crate::workspace::signal(&waiting, rustix::process::Signal::INT);
    assert_eq!(ran(waiting.wait_with_output().unwrap()).code, 130);
    assert_eq!(workspace.lines("log"), Vec::<String>::new());
    assert!(span(&workspace) < HOUR / 2, "{}", workspace.journal());
}

#[test]
fn an_approval_given_in_time_counts_however_late_the_run_is_taken_up() {
    let Some(clock) = WallClock::find() else { return };
    for then in ["reject", "escalate"] {
        let workspace = gated("30m").file("clock", "+0");
        let runbook = std::fs::read_to_string(workspace.path("runbooks/r.yaml")).unwrap();
        workspace.write(
            "runbooks/r.yaml",
            &runbook.replace("on_timeout: reject", &format!("on_timeout: {then}, quorum: 2")),
        );
        assert_eq!(clock.drctl(&workspace, &["failover", "r"]).code, 3);
        for name in ["ada", "grace"] {
            assert_eq!(clock.drctl(&workspace, &["approve", "go", "--as", name]).code, 0);
        }
        workspace.write("clock", "+1h");
        let resumed = clock.drctl(&workspace, &["resume"]);
        assert_eq!(resumed.code, 0, "{then}: {resumed:?}");
        assert!(!resumed.stderr.contains("in time") && !resumed.stderr.contains("asked too"), "{resumed:?}");
        assert_eq!(workspace.lines("log"), ["moved"]);
    }
}

#[test]
fn an_approval_after_the_time_of_a_gate_that_rejects_is_refused_at_once() {
    let Some(clock) = WallClock::find() else { return };
    let workspace = gated("30m").file("clock", "+0");
    assert_eq!(clock.drctl(&workspace, &["failover", "r"]).code, 3);
    workspace.write("clock", "+1h");
    let late = clock.drctl(&workspace, &["approve", "go", "--as", "ada"]);
    assert_eq!(late.code, 1, "{late:?}");
    assert!(late.stderr.contains("cannot approve: the time to approve `go` was over at 20"), "{late:?}");
    assert!(late.stderr.contains("after a `retry` it is asked again"), "{late:?}");
    assert_eq!(clock.drctl(&workspace, &["resume"]).code, 1);
    assert_eq!(clock.drctl(&workspace, &["retry", "go"]).code, 0);
    assert_eq!(clock.drctl(&workspace, &["resume"]).code, 3);
    assert_eq!(clock.drctl(&workspace, &["approve", "go", "--as", "ada"]).code, 0);
    assert_eq!(clock.drctl(&workspace, &["resume"]).code, 0);
}

#[test]
fn an_outage_began_on_a_day_that_is_shown_and_not_in_the_future() {
    let workspace = Workspace::of("execution:\n  - { id: a, action: exec, with: { argv: [\"true\"] } }\n");
    let early = workspace.drctl(&["failover", "r", "--since", "2130-01-02T03:04:05Z"]);
    assert_eq!(early.code, 2, "{early:?}");
    assert!(early.stderr.contains("`--since 2130-01-02T03:04:05.000Z` has not come yet: it is 20"), "{early:?}");
    assert!(!workspace.path(".drctl").exists());
    let late = workspace.drctl(&["failover", "r", "--since", "2020-01-02T03:04:05Z"]);
    assert!(late.stderr.contains("counted from 2020-01-02 03:04 UTC"), "{late:?}");
}
