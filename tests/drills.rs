//! Drills: what is due and overdue, calendar files, and that none is held outside its window without a reason.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::Path;

use drctl::catalogue::Timestamp;
use drctl::diag::Sources;
use drctl::plan::calendar::{Held, drills};
use drctl::report::calendar::{document, ics, text as table};
use drctl::runbook::ast::Kind;
use drctl::runbook::workspace::Workspace;
use jiff::{ToSpan as _, Zoned};
use program::{drctl, text};
use serde_json::Value;
use tempfile::TempDir;

const CALENDAR: &str = "\
drctl: 1
maintenance_windows:
  monthly: { day: sunday, week: first, at: \"02:00\", lasts: 4h, zone: America/Chicago }
drills:
  orders_failover:
    runbook: orders
    kind: failover
    every: half-year
    since: 2026-01-01
    window: monthly
    lasts: 1h
    scope: orders move, in production
    rollback: drctl failback orders; in the next window, at the latest
  tabletop: { runbook: tabletop, every: quarter, since: 2026-07-01 }
  coming: { runbook: orders, kind: failback, every: year, since: 2027-01-01, window: monthly }
";

fn calendar() -> Workspace {
    let mut sources = Sources::default();
    let source = sources.add("drctl.yaml", CALENDAR);
    let (workspace, found) = Workspace::parse(&sources, source);
    assert_eq!(found, []);
    workspace
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn tabletop() -> Held {
    let (run, runbook) = ("tabletop-1".to_owned(), "tabletop".to_owned());
    Held { run, at: at("2026-11-03T15:00:00Z"), drill: None, runbook, kind: Kind::Drill }
}

#[test]
fn what_is_overdue_due_and_done_is_a_table() {
    let (workspace, now) = (calendar(), at("2026-11-21T22:00:00Z"));
    assert_eq!(
        table(&drills(&workspace, &[tabletop()], now), now),
        "\
DRILL            STATE    RUNBOOK          EVERY      LAST        NEXT
orders_failover  overdue  failover orders  half-year  never       2026-12-06 02:00 America/Chicago, for 4h (window monthly), by 2026-12-31
tabletop         done     drill tabletop   quarter    2026-11-03  by 2027-03-31
coming           planned  failback orders  year       never       2027-01-03 02:00 America/Chicago, for 4h (window monthly), by 2027-12-31
"
    );
    let open = at("2026-12-06T09:00:00Z");
    let told = table(&drills(&workspace, &[], open), open);
    assert!(told.contains("now: window monthly is open until 2026-12-06 06:00\n"), "{told}");
    assert_eq!(table(&[], now), "`drctl.yaml` names no drills\n");
}

#[test]
fn programs_read_the_same() {
    let (workspace, now) = (calendar(), at("2026-11-21T22:00:00Z"));
    let told: Value = serde_json::from_str(&document(&drills(&workspace, &[tabletop()], now), now)).unwrap();
    let orders = &told["drills"][0];
    assert_eq!((&told["at"], &orders["state"]), (&"2026-11-21T22:00:00.000Z".into(), &"overdue".into()));
    assert_eq!(orders["window_opens"], "first sunday, 02:00 America/Chicago, for 4h");
    assert_eq!(
        orders["next"],
        serde_json::json!({ "from": "2026-12-06T08:00:00.000Z", "until": "2026-12-06T12:00:00.000Z", "open": false })
    );
    assert_eq!(told["drills"][1]["last"], serde_json::json!({ "run": "tabletop-1", "at": "2026-11-03T15:00:00.000Z" }));
}

#[test]
fn a_calendar_file_holds_the_next_dates_in_utc() {
    let (workspace, now) = (calendar(), at("2026-11-21T22:00:00Z"));
    let all = drills(&workspace, &[tabletop()], now);
    let file = ics(&all[..2], now);
    assert!(file.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')), "{file}");
    let unfolded = file.replace("\r\n ", "");
    let events: Vec<&str> = unfolded.split("BEGIN:VEVENT\r\n").collect();
    assert_eq!(events.len(), 9);
    assert_eq!(events[0], "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//drctl//drills//EN\r\nX-WR-CALNAME:Drills\r\n");
    assert_eq!(
        events[1].lines().collect::<Vec<_>>(),
        [
            "UID:orders_failover-2026-12-31@drctl",
            "DTSTAMP:20261121T220000Z",
            "DTSTART:20261206T080000Z",
            "DTEND:20261206T120000Z",
            "SUMMARY:Drill orders_failover (overdue)",
            "DESCRIPTION:drctl failover orders --drill orders_failover\\nby 2026-12-31\\nscope: orders move\\, in production\\n\
             rollback: drctl failback orders\\; in the next window\\, at the latest\\nlasts: 1h",
            "END:VEVENT",
        ]
    );
    // Clocks in Chicago are an hour ahead in July.
    let starts: Vec<&str> = unfolded.lines().filter(|line| line.starts_with("DTSTART")).collect();
    assert_eq!(
        starts,
        [
            "DTSTART:20261206T080000Z",
            "DTSTART:20270103T080000Z",
            "DTSTART:20270704T070000Z",
            "DTSTART:20280102T080000Z",
            "DTSTART;VALUE=DATE:20270331",
            "DTSTART;VALUE=DATE:20270630",
            "DTSTART;VALUE=DATE:20270930",
            "DTSTART;VALUE=DATE:20271231",
        ]
    );
    assert!(unfolded.ends_with("END:VEVENT\r\nEND:VCALENDAR\r\n"));
}

const ORDERS: &str = "\
drctl: 1
name: orders
kind: failover
owner: team_orders
execution:
  - { id: move, action: shell, with: { script: echo moved >> moved }, timeout: 1m }
";

/// A workspace whose window opens on that day of each week.
fn workspace(day: &str, lasts: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("runbooks")).unwrap();
    let settings = format!(
        "\
drctl: 1
maintenance_windows: {{ weekly: {{ day: {day}, at: \"00:00\", lasts: {lasts} }} }}
drills:
  yearly: {{ runbook: orders, kind: failover, every: year, since: 2020-01-01, window: weekly, lasts: 30d }}
  tabletop: {{ runbook: tabletop, every: year, since: 2020-01-01, window: weekly }}
"
    );
    fs::write(folder.path().join("drctl.yaml"), settings).unwrap();
    fs::write(folder.path().join("runbooks/orders.yaml"), ORDERS).unwrap();
    let tabletop = ORDERS.replace("name: orders\nkind: failover", "name: tabletop\nkind: drill");
    fs::write(folder.path().join("runbooks/tabletop.yaml"), tabletop).unwrap();
    folder
}

fn closed() -> TempDir {
    let day = Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).checked_add(3.days()).unwrap();
    workspace(&day.strftime("%A").to_string().to_lowercase(), "1h")
}

fn told(folder: &Path, arguments: &[&str]) -> (String, Option<i32>) {
    let output = drctl(folder, arguments);
    (text(&output), output.status.code())
}

fn moved(folder: &Path) -> usize {
    fs::read_to_string(folder.join("moved")).unwrap_or_default().lines().count()
}

#[test]
fn a_drill_outside_its_window_wants_a_reason_which_is_journaled() {
    let folder = closed();
    for arguments in [&["failover", "orders", "--drill", "yearly"][..], &["run", "runbooks/tabletop.yaml"]] {
        let (said, code) = told(folder.path(), arguments);
        assert!(said.contains("is held within its maintenance window `weekly` (each"), "{said}");
        assert!(said.contains("add `--reason \"...\"`, which is journaled") && code == Some(2), "{said}");
        let (said, code) = told(folder.path(), &[arguments, &["--reason", " "]].concat());
        assert!(said.contains("is held within its maintenance window") && code == Some(2), "{said}");
    }
    assert_eq!(moved(folder.path()), 0);
    assert!(!folder.path().join(".drctl").exists());
    let reason = ["--drill", "yearly", "--reason", "the auditor is here", "--output", "plain"];
    let (said, code) = told(folder.path(), &[&["failover", "orders"][..], &reason].concat());
    assert!(said.contains(", as drill `yearly`, outside its window: the auditor is here"), "{said}");
    assert_eq!((moved(folder.path()), code), (1, Some(0)));
    let (drills, _) = told(folder.path(), &["drills"]);
    assert!(drills.lines().any(|line| line.starts_with("yearly    done     failover orders")), "{drills}");
    let (report, _) = told(folder.path(), &["report", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let decision = &report["decisions"][0];
    assert_eq!(decision["what"], "hold the drill yearly, outside its maintenance window", "{report:#}");
    assert_eq!(decision["reason"], "the auditor is here");
}

#[test]
fn what_is_no_drill_or_changes_nothing_needs_no_window() {
    let folder = closed();
    for arguments in [
        &["failover", "orders", "--output", "plain"][..],
        &["failover", "orders", "--dry-run", "--output", "plain"],
        &["run", "runbooks/tabletop.yaml", "--dry-run", "--output", "plain"],
        &["run", "runbooks/tabletop.yaml", "--simulate", "--speed", "100000", "--output", "plain"],
    ] {
        let (said, code) = told(folder.path(), arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
    }
    // A real failover is no drill.
    let (drills, code) = told(folder.path(), &["drills", "--check"]);
    assert!(drills.ends_with("overdue: 2 of 2\n") && code == Some(1), "{drills}");
    assert_eq!(told(folder.path(), &["drills"]).1, Some(0));
}

#[test]
fn within_its_window_a_drill_is_held_and_said_to_be_too_long_where_it_is() {
    let folder = workspace("monday", "8d");
    let (said, code) = told(folder.path(), &["failover", "orders", "--drill", "yearly", "--output", "plain"]);
    assert!(said.contains("drill `yearly` may last 30d, and its window `weekly` closes in "), "{said}");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(told(folder.path(), &["run", "runbooks/tabletop.yaml", "--output", "plain"]).1, Some(0));
    let (drills, code) = told(folder.path(), &["drills", "--check"]);
    assert!(drills.matches(" done ").count() == 2 && code == Some(0), "{drills}");
}

#[test]
fn a_drill_that_is_none_is_refused() {
    let folder = closed();
    let refused = [
        (
            &["failover", "orders", "--drill", "yaerly"][..],
            "no drill is called `yaerly`: there are tabletop, yearly; did you mean `yearly`?",
        ),
        (
            &["failover", "orders", "--drill", "tabletop"],
            "drill `tabletop` tries the drill `tabletop`, and this is the failover `orders`",
        ),
        (&["failover", "orders", "--drill", "yearly", "--simulate"], "cannot be used with"),
    ];
    for (arguments, why) in refused {
        let (said, code) = told(folder.path(), arguments);
        assert!(said.contains(why) && code == Some(2), "{said}");
    }
}

#[test]
fn an_overdue_drill_is_a_warning_only_where_runs_are_kept() {
    let folder = closed();
    let clean = told(folder.path(), &["validate", "--deny", "warnings"]);
    assert!(!clean.0.contains("overdue"), "{}", clean.0);
    // A rehearsal is kept, and is neither a run nor a drill.
    assert_eq!(told(folder.path(), &["rehearse", "orders"]).1, Some(0));
    assert!(!told(folder.path(), &["validate"]).0.contains("overdue"));
    assert_eq!(told(folder.path(), &["failover", "orders", "--output", "plain"]).1, Some(0));
    let (said, _) = told(folder.path(), &["validate", "--format", "short"]);
    let found: Vec<&str> = said.lines().filter(|line| line.contains("overdue")).collect();
    assert_eq!(
        found,
        [
            "drctl.yaml:4:3: warning[calendar]: the drill `yearly` is overdue: no run here was one",
            "drctl.yaml:5:3: warning[calendar]: the drill `tabletop` is overdue: no run here was one",
        ]
    );
}

#[test]
fn what_rehearsals_came_to_is_kept_and_told_and_nothing_breaks_where_it_cannot_be() {
    let folder = closed();
    let (plan, _) = told(folder.path(), &["plan", "orders"]);
    assert!(plan.contains("last tried: never rehearsed; never run\n"), "{plan}");
    assert_eq!(told(folder.path(), &["rehearse", "orders"]).1, Some(0));
    assert_eq!(told(folder.path(), &["rehearse", "orders", "--inject", "move:fail"]).1, Some(1));
    let kept = fs::read_to_string(folder.path().join(".drctl/rehearsals.jsonl")).unwrap();
    let kept: Vec<Value> = kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (&kept[0]["runbook"], &kept[0]["kind"], &kept[0]["as_expected"]),
        (&"orders".into(), &"failover".into(), &true.into())
    );
    let (plan, _) = told(folder.path(), &["plan", "orders"]);
    assert!(plan.contains("last tried: rehearsed today (1 scenario as expected); never run\n"), "{plan}");
    let plan = drctl(folder.path(), &["plan", "orders", "--output", "json"]).stdout;
    let plan: Value = serde_json::from_slice(&plan).unwrap();
    assert_eq!((&plan["tried"]["scenarios"], &plan["tried"]["run"]), (&1.into(), &Value::Null));
    // A line that a power loss cut short, or a state folder that is a file, is in nobody's way.
    fs::write(folder.path().join(".drctl/rehearsals.jsonl"), "{\"at\":").unwrap();
    assert!(told(folder.path(), &["plan", "orders"]).0.contains("never rehearsed"));
    fs::write(folder.path().join("state"), "").unwrap();
    assert_eq!(told(folder.path(), &["rehearse", "orders", "--state", "state"]).1, Some(0));
}
