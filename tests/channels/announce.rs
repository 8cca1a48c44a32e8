//! `drctl notify announce`: a notice outside of any recovery is a run of its own, so that it goes out once.

use std::fs;

use serde_json::{Value, json};

use super::http::{Server, answer};
use super::office::{Office, Ran};
use super::tool::installed;

const TEMPLATE: &str = "\
---
audience: customers
subject: Planned maintenance of {{ vars.service }}
---
From {{ vars.starts | time }} on. {{ vars.note }}
";

const ANNOUNCE: [&str; 10] = [
    "notify",
    "announce",
    "maintenance",
    "--yes",
    "--var",
    "service=Orders",
    "--var",
    "starts=2026-11-22T22:00:00Z",
    "--var",
    "note=Not {{ inputs.a }} drill",
];

/// Audiences that an announcement does not reach, or only with something that stays open.
const MORE: &str = "  mail: { type: email, host: localhost, from: ops@example.com }
  pager: { type: pagerduty, routing_key: { env: KEY } }
  page: { type: statuspage, page: p, token: { env: KEY } }
audiences:
  customers: [hook]
  nobody: []
  mailed: [mail]
  paged: [hook, pager]
  public: [hook, page]
drills:
  announce: { runbook: announcement, every: month, since: 2026-01-01 }
";

/// A drill of the workspace's own that has the name of what announcements are made of.
const DRILL: &str = "\
drctl: 1
name: announcement
kind: drill
owner: ops
execution:
  - { id: look, action: assert, with: { that: true, message: \"it is there\" } }
";

async fn office() -> (Server, Office) {
    let server = Server::start(vec![answer(204, "")]).await;
    let settings = format!("channels:\n  hook: {{ type: webhook, url: \"{}\" }}\n{MORE}", server.url("/hook"));
    let office = Office::new(&settings);
    fs::write(office.path().join("templates/maintenance.md"), TEMPLATE).unwrap();
    fs::write(office.path().join("runbooks/announcement.yaml"), DRILL).unwrap();
    (server, office)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_is_shown_and_sent_once_and_its_run_keeps_what_was_said() {
    let (server, office) = office().await;
    let dry: Vec<&str> = ANNOUNCE.into_iter().filter(|word| *word != "--yes").chain(["--dry-run"]).collect();
    let shown = office.drctl(&dry);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(shown.stdout.contains("Planned maintenance of Orders"), "{}", shown.stdout);
    assert_eq!((server.connections(), office.run()), (0, None), "nothing was sent");
    let unasked: Vec<&str> = ANNOUNCE.into_iter().filter(|word| *word != "--yes").collect();
    let unasked = office.drctl(&unasked);
    assert_eq!((unasked.code, server.connections(), office.run()), (Some(2), 0, None));
    assert!(unasked.stderr.contains("tell `customers` this? nobody is here to answer: add `--yes`"), "{unasked:?}");

    let sent = office.drctl(&ANNOUNCE);
    assert_eq!(sent.code, Some(0), "{sent:?}");
    assert!(sent.stderr.contains("Planned maintenance of Orders"), "{}", sent.stderr);
    let said: Value = serde_json::from_str(&server.asked()[0].body).unwrap();
    let run = office.run().unwrap();
    assert_eq!(
        said,
        json!({
            "subject": "Planned maintenance of Orders",
            "body": "From 2026-11-22 22:00 UTC on. Not {{ inputs.a }} drill",
            "audience": "customers", "template": "maintenance", "step": "announcement",
            "idempotency_key": format!("{run}-announcement/hook"),
        })
    );
    assert_eq!(server.lines().len(), 1);
    let report = office.drctl(&["report", &run, "--format", "json"]).stdout;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!((&report["notices"][0]["state"], &report["notices"][0]["body"]), (&json!("sent"), &said["body"]));
    assert_eq!(office.drctl(&["verify", &run]).code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_is_no_drill_of_a_runbook_with_its_name_and_restores_nothing() {
    let (_server, office) = office().await;
    let announced = office.drctl(&ANNOUNCE);
    assert_eq!(announced.code, Some(0), "{announced:?}");
    let run = office.run().unwrap();
    let drills = office.drctl(&["drills", "--output", "json"]).stdout;
    let drills: Value = serde_json::from_str(&drills).unwrap();
    assert_eq!(drills["drills"][0]["last"], Value::Null, "{drills}");
    let report = office.drctl(&["report", &run, "--format", "markdown"]).stdout;
    assert!(!report.contains("restored") && !report.contains("rehearse it"), "{report}");
    assert!(announced.stdout.contains("\n  took ") && !announced.stdout.contains("restored"), "{announced:?}");
    office.drctl(&["run", "runbooks/announcement.yaml"]);
    let drill = office.drctl(&["runs"]).stdout;
    let drill = drill.split_whitespace().find(|word| word.starts_with("announcement-") && *word != run);
    let report = office.drctl(&["report", drill.unwrap(), "--format", "json"]).stdout;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["comparison"]["runs"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_record_of_an_announcement_sends_it_at_most_once_and_says_what_is_owed() {
    if !installed(&["strace"]) {
        return;
    }
    for number in 1.. {
        let (server, office) = office().await;
        let died = office.killed_at_sync(number, &ANNOUNCE);
        let survived = died.code.is_some();
        let Some(run) = office.run() else { continue };
        if !survived {
            let Ran { code, stderr, .. } = office.drctl(&["resume", &run]);
            if stderr.contains("the run never started") {
                assert!(stderr.contains("drctl notify announce maintenance"), "{stderr}");
                assert_eq!(server.connections(), 0, "{number}");
                continue;
            }
            assert!(matches!(code, Some(0 | 10)), "{number}: {stderr}");
        }
        let owed = office.owed();
        let known = if owed.is_empty() { 1 } else { 0 };
        assert_eq!(server.lines().len(), known, "{number}: {owed:?}");
        assert!(owed.iter().all(|owed| *owed == ("hook".to_owned(), true)), "{number}: {owed:?}");
        if survived {
            assert!(number > 4, "{number}");
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_that_cannot_be_made_says_why_and_starts_nothing() {
    let (server, office) = office().await;
    fs::write(office.path().join("templates/back.md"), "---\nsubject: Back\nclaims: recovery\n---\nAll is well.\n")
        .unwrap();
    let cases: [(&[&str], i32, &str); 11] = [
        (&["maintenanc"], 2, "no template is called `maintenanc`; did you mean `maintenance`?"),
        (&["maintenance", "--audience", "custmers"], 2, "has no audience `custmers`; did you mean `customers`?"),
        (&["incident"], 2, "`incident` names no audience: add `--audience NAME`"),
        (&["maintenance", "--var", "A b=c"], 2, "`--var`: wanted a name such as `starts`, found `A b`"),
        (
            &["maintenance", "--var", "service=Orders"],
            2,
            "reads `vars.note` and `vars.starts`: add `--var note=VALUE --var starts=VALUE`",
        ),
        (
            &[&ANNOUNCE[2..3], &ANNOUNCE[4..], &["--var", "stats=1"]].concat(),
            2,
            "`maintenance` does not read `stats`; did you mean `starts`?",
        ),
        (
            &[&ANNOUNCE[2..3], &ANNOUNCE[4..], &["--audience", "nobody"]].concat(),
            2,
            "nobody would be told: the audience `nobody` has no channel",
        ),
        (
            &[&ANNOUNCE[2..3], &ANNOUNCE[4..], &["--audience", "mailed"]].concat(),
            2,
            "nobody of the audience `mailed` can be reached through email `mail`",
        ),
        (
            &[&ANNOUNCE[2..3], &ANNOUNCE[4..], &["--audience", "paged"]].concat(),
            2,
            "cannot go through pagerduty `pager`: it would call people with an alert that stays open",
        ),
        (
            &[&ANNOUNCE[2..3], &ANNOUNCE[4..], &["--audience", "public"]].concat(),
            2,
            "cannot go through statuspage `page`: it would open an incident that stays open",
        ),
        (
            &["back", "--audience", "customers"],
            2,
            "`back` claims recovery: only a run whose checks have passed may send it",
        ),
    ];
    for (words, code, why) in cases {
        let refused = office.drctl(&[&["notify", "announce", "--yes"], words].concat());
        assert_eq!(refused.code, Some(code), "{words:?}: {refused:?}");
        assert!(refused.stderr.contains(why), "{words:?}: {}", refused.stderr);
    }
    assert_eq!((server.connections(), office.run()), (0, None));
}
