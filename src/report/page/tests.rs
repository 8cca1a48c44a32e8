//! The report of the fixture's run, whose times are known.

use std::time::Duration;

use serde_json::json;

use super::super::fixture::*;
use super::model::{ChannelState, Delivery, Spent, Stretch};
use super::{Source, html, json, markdown, report};
use crate::engine::{Event, Intent, Seq, Side};
use crate::journal::Record;

fn records(events: Vec<(u64, Event)>) -> Vec<Record<Event>> {
    let record = |(seq, (second, event))| Record { seq: Seq(seq), at: at(second), event };
    (1..).zip(events).map(record).collect()
}

fn reported(events: Vec<(u64, Event)>) -> super::RunReport {
    let (plan, records) = (plan(), records(events));
    let (earlier, rehearsals) = (Vec::new(), Vec::new());
    report(&Source { plan: &plan, records: &records, head: "14:aa".to_owned(), earlier, rehearsals })
}

#[test]
fn ten_lines_say_what_a_run_came_to() {
    let report = reported(to_the_end());
    assert_eq!(
        report.summary,
        [
            "Failover orders: succeeded.",
            "Started 2026-11-20 03:11 UTC by alice on ops1; ended 2026-11-20 03:19 UTC.",
            "RTO 45m: restored after 7m40s, 37m20s to spare.",
            "Of that, steps worked 5m40s (74 %), people were waited for 2m (26 %).",
            "1 gate; the longest wait was 1m at promote, approved by bob.",
            "Nothing failed, was skipped, overridden or left in doubt.",
            "1 of 1 check held. First: No earlier run or rehearsal of it is kept here: rehearse it.",
        ]
    );
    let paused = reported(to_the_gate());
    let gate = paused.summary.iter().find(|line| line.starts_with("1 gate; "));
    assert!(gate.is_some_and(|line| line.ends_with(" at promote, still open.")), "{:?}", paused.summary);
    assert_eq!(
        paused.summary[0],
        "Failover orders: awaiting approval, not ended. Next: drctl approve orders-20261120-0311-k3f promote --reason \"...\""
    );
}

#[test]
fn the_time_of_the_run_and_of_its_steps_is_told_without_a_gap() {
    let report = reported(to_the_end());
    let part = |spent, from, to| Stretch { spent, from: at(from), to: at(to) };
    let (machine, people) = (Spent::Machine, Spent::People);
    assert_eq!(
        report.stretches,
        [
            part(machine, 0, 30),
            part(people, 30, 90),
            part(machine, 90, 100),
            part(people, 100, 160),
            part(machine, 160, 470),
        ]
    );
    let seconds = |span: Option<super::super::plan::Seconds>| span.map(|span| span.0.as_secs());
    let steps: Vec<_> = report
        .steps
        .iter()
        .map(|row| (row.step.as_str(), seconds(row.took), seconds(row.waited), row.critical))
        .collect();
    assert_eq!(
        steps,
        [
            ("probe", Some(30), None, true),
            ("declare", None, Some(60), true),
            ("promote", Some(240), Some(60), true),
            ("switch", Some(60), None, true),
            ("tell", Some(10), None, false),
        ]
    );
    assert_eq!(report.approvals[0].waited.0, Duration::from_secs(60));
}

#[test]
fn every_form_carries_the_head_and_says_the_same_each_time() {
    let forms = || {
        let report = reported(to_the_end());
        [html(&report).unwrap(), markdown(&report).unwrap(), json(&report)]
    };
    assert_eq!(forms(), forms());
    for form in forms() {
        assert!(form.contains("14:aa") && form.contains("7m40s"), "{form}");
    }
    assert!(html(&reported(to_the_gate())).unwrap().contains("<strong>The run has not ended.</strong>"));
    assert!(markdown(&reported(to_the_gate())).unwrap().contains("**The run has not ended.**"));
}

#[test]
fn a_run_of_which_nothing_is_known_yet_has_a_report() {
    let report = reported(Vec::new());
    assert!(html(&report).is_ok() && markdown(&report).is_ok());
}

#[test]
fn a_notice_tells_what_became_of_it_at_each_recipient() {
    let mut records = to_the_end();
    records.truncate(11);
    let with = json!({
        "template": "over", "audience": "all", "message": { "subject": "Over", "body": "It is over." },
        "channels": [{ "type": "email", "name": "mail" }, { "type": "file", "name": "board" }],
    });
    let (step, side, action) = (path("tell"), Side::Apply, "notify".to_owned());
    records.push((460, Event::Intent(Box::new(Intent { step: step.clone(), side, attempt: 1, action, with }))));
    let handle = json!({
        "delivered": ["board", "mail/ada@example.com"], "in_doubt": ["mail/bob@example.com"],
        "why": { "mail/bob@example.com": "no answer", "mail/eve@example.com": "refused" },
    });
    records.push((465, Event::Handle { step, side, attempt: 1, handle }));
    records.push((470, outcome("tell", 1, failed("not all were told"))));
    let report = reported(records);
    let delivery = |to: &str, state| Delivery { to: to.to_owned(), state };
    let notice = &report.notices[0];
    assert_eq!((notice.state, notice.subject.as_deref()), ("in doubt", Some("Over")));
    assert_eq!(
        notice.deliveries,
        [
            delivery("board", ChannelState::Delivered),
            delivery("mail/bob@example.com", ChannelState::InDoubt),
            delivery("mail/eve@example.com", ChannelState::Owed),
            delivery("mail/ada@example.com", ChannelState::Delivered),
        ]
    );
}
