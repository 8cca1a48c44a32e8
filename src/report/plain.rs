//! Plain lines for logs, pipes and simple terminals: one a record that matters to people.

use std::sync::Arc;

use super::from_here::FromHere;
use super::sanitise::Cleaner;
use super::story::{Story, tell};
use super::view::View;
use super::words;
use crate::catalogue::Timestamp;
use crate::engine::{Event, Seq, State};
use crate::plan::Plan;

/// A run as lines, record by record.
#[derive(Debug)]
pub struct Lines {
    view: View,
}

impl Lines {
    /// Of a run of `plan`.
    #[must_use]
    pub fn new(plan: Arc<Plan>, run: &str, from_here: FromHere) -> Self {
        Self { view: View { from_here, ..View::new(plan, run.to_owned(), Cleaner::default()) } }
    }

    /// The state after the last record.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.view.state
    }

    /// The lines of a record; none where it is of no interest to people.
    pub fn record(&mut self, _seq: Seq, at: Timestamp, event: &Event) -> Vec<String> {
        if let Err(problem) = self.view.apply(at, event) {
            return vec![self.view.cleaner.line(&format!("cannot show what follows: {problem}"))];
        }
        tell(&self.view, at, event).map(|story| lines(&self.view, at, &story)).unwrap_or_default()
    }
}

/// The lines of a story: time in UTC, time on the clock of the RTO, phase, step, what happened.
#[must_use]
pub(super) fn lines(view: &View, at: Timestamp, story: &Story) -> Vec<String> {
    let since = view.timeline.since().unwrap_or(at);
    let clock = format!("{} {}", words::time_of_day(at), words::elapsed(since.until(at)));
    let head = match &story.step {
        Some((phase, path)) => format!("{clock} {:<13} {path} {}", phase.name(), story.text),
        None => format!("{clock} {}", story.text),
    };
    let details = story.details.iter().flat_map(|detail| view.cleaner.lines(detail));
    let details = details.map(|detail| format!("{:16}{detail}", ""));
    view.cleaner.quoted(&head, 0, 16).into_iter().chain(details).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use crate::edge::secrets::Secrets;
    use crate::engine::{Decision, End, Mode, Side};
    use serde_json::json;

    fn said(records: &[(u64, Event)]) -> String {
        let mut secrets = Secrets::default();
        secrets.insert("token", "hunter2");
        let mut view = View::new(Arc::new(plan()), RUN.to_owned(), Cleaner::new(&secrets));
        let mut said = Vec::new();
        for (seconds, event) in records {
            view.apply(at(*seconds), event).unwrap();
            if let Some(story) = tell(&view, at(*seconds), event) {
                said.extend(lines(&view, at(*seconds), &story));
            }
        }
        said.join("\n")
    }

    #[test]
    fn a_run_reads_as_one_line_an_event_with_everything_to_decide_and_type() {
        assert_eq!(
            said(&to_the_end()),
            "\
03:11:26 +00:00 run orders-20261120-0311-k3f started: failover `orders` by alice on ops1, RTO 45m
03:11:26 +00:00 detection     probe running: probe.http (attempt 1)
03:11:56 +00:30 detection     probe done in 30s: 3 of 3 samples failed
03:11:56 +00:30 assessment    declare waits for a person: Declare the disaster.
                Then note its number.
                wanted: incident (a string)
                wanted: affected (an int)
                drctl approve orders-20261120-0311-k3f declare --output incident=VALUE --output affected=VALUE
                drctl reject orders-20261120-0311-k3f declare --reason \"...\"
03:12:56 +01:30 assessment    declare answered by alice on ops1
03:13:06 +01:40 execution     promote waits for approval: Accepts 12 s of loss
                does: promote: azure.postgres.promote_replica {\"server\":\"orders-pg-eastus2\"}
                digest: 9f86d081884c
                asks incident_commander: alice, bob
                deadline: 03:28:06 UTC, in 15m; then it is overdue, and nobody else is asked
                drctl approve orders-20261120-0311-k3f promote --reason \"...\"
                drctl reject orders-20261120-0311-k3f promote --reason \"...\"
03:14:06 +02:40 execution     promote approved by bob on ops1
03:14:06 +02:40 execution     promote running: azure.postgres.promote_replica (attempt 1)
03:18:06 +06:40 execution     promote done in 4m
03:18:06 +06:40 execution     switch running: azure.traffic_manager.set_endpoint (attempt 1)
03:19:06 +07:40 execution     switch done in 1m: centralus disabled
03:19:06 +07:40 communication tell running: notify (attempt 1)
03:19:16 +07:50 communication tell done in 10s
03:19:16 +07:50 run succeeded"
        );
    }

    #[test]
    fn trouble_says_what_is_known_and_what_to_type() {
        let gave_up =
            |attempt| outcome("probe", attempt, failed("exit code 1: hunter2\u{1b}[2J\n03:11:30 run succeeded"));
        let doubt =
            Event::InDoubt { step: path("probe"), side: Side::Apply, evidence: "no answer to the request".to_owned() };
        let again = End::Failed { reason: "connection refused".to_owned(), retry_at: Some(at(5)) };
        let ambiguous = End::Ambiguous { evidence: "timed out after 10m".to_owned() };
        let paused = Event::Paused { number: 1, reason: "`probe` is failed".to_owned() };
        let stopping = Event::Stopping { reason: "Ctrl-C".to_owned() };
        let refused = Event::DecisionRefused { id: "1".to_owned(), reason: "a reason is needed".to_owned() };
        let handle = Event::Handle { step: path("probe"), side: Side::Apply, attempt: 3, handle: json!("noise") };
        assert_eq!(
            said(&[
                (0, started(Mode::Real)),
                (0, intent("probe", 1, "probe.http")),
                (1, outcome("probe", 1, again)),
                (5, intent("probe", 2, "probe.http")),
                (6, gave_up(2)),
                (6, paused),
                (7, refused),
                (8, decided(Some("probe"), Decision::Retry, "bob", Some(" "))),
                (8, Event::Continued {}),
                (9, intent("probe", 3, "probe.http")),
                (9, handle),
                (10, stopping),
                (11, outcome("probe", 3, ambiguous)),
                (12, doubt),
            ]),
            "\
03:11:26 +00:00 run orders-20261120-0311-k3f started: failover `orders` by alice on ops1, RTO 45m
03:11:26 +00:00 detection     probe running: probe.http (attempt 1)
03:11:27 +00:01 detection     probe failed: connection refused; tried again in 4s
03:11:31 +00:05 detection     probe running: probe.http (attempt 2)
03:11:32 +00:06 detection     probe FAILED: exit code 1: ***
                | 03:11:30 run succeeded
                drctl retry orders-20261120-0311-k3f probe
                drctl skip orders-20261120-0311-k3f probe --reason \"...\"
03:11:32 +00:06 run paused: `probe` is failed
                drctl abort orders-20261120-0311-k3f --reason \"...\"
03:11:33 +00:07 decision refused: a reason is needed
03:11:34 +00:08 detection     probe tried again by bob on ops1
03:11:34 +00:08 run goes on
03:11:35 +00:09 detection     probe running: probe.http (attempt 3)
03:11:36 +00:10 stopping: Ctrl-C; nothing new starts
03:11:37 +00:11 detection     probe has no clear end: timed out after 10m
03:11:38 +00:12 detection     probe IN DOUBT: no answer to the request
                drctl resolve orders-20261120-0311-k3f probe --happened --reason \"...\"
                drctl resolve orders-20261120-0311-k3f probe --did-not-happen --reason \"...\"
                drctl resolve orders-20261120-0311-k3f probe --retry --reason \"...\"
                drctl logs orders-20261120-0311-k3f probe"
        );
    }
}
