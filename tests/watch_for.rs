//! `drctl watch-for`, run by the built binary against a server that goes bad and good, and alerts as others send them.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

#[path = "support/until.rs"]
mod until;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use until::until;

/// A service that is well or not, as the test says, and counts who looked.
struct Service {
    url: String,
    is_well: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    /// What it does next, before that: well or not, one look each.
    script: Arc<Mutex<Vec<bool>>>,
}

impl Service {
    fn start(is_well: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/health", listener.local_addr().unwrap());
        let service =
            Self { url, is_well: Arc::new(AtomicBool::new(is_well)), asked: Arc::default(), script: Arc::default() };
        let (well, asked, script) =
            (Arc::clone(&service.is_well), Arc::clone(&service.asked), Arc::clone(&service.script));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = [0; 4096];
                if stream.read(&mut head).unwrap_or(0) == 0 {
                    continue;
                }
                asked.fetch_add(1, Ordering::SeqCst);
                let mut script = script.lock().unwrap();
                let is_well = if script.is_empty() { well.load(Ordering::SeqCst) } else { script.remove(0) };
                let status = if is_well { "200 OK" } else { "503 Unavailable" };
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).ok();
            }
        });
        service
    }
}

struct Workspace {
    folder: tempfile::TempDir,
}

#[derive(Debug)]
struct Ran {
    stdout: String,
    stderr: String,
    code: i32,
}

fn ran(output: Output) -> Ran {
    use std::os::unix::process::ExitStatusExt as _;
    Ran {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().unwrap_or_else(|| -output.status.signal().unwrap()),
    }
}

const STEPS: &str = r#"
detection:
  - id: probe
    action: probe.http
    with: { url: "URL", samples: 1 }
  - id: sure
    action: assert
    needs: [probe]
    with: { that: "{{ 1 == 1 }}" }
execution:
  - id: go
    action: shell
    approval: { by: [commander], prompt: "Go on?" }
    with: { script: "echo went >> log" }
"#;

impl Workspace {
    fn of(steps: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("drctl.yaml"), "drctl: 1\nroles: { commander: [ada, grace] }\n").unwrap();
        std::fs::create_dir(folder.path().join("runbooks")).unwrap();
        let head = "drctl: 1\nname: orders\nkind: failover\nowner: team\nobjectives: { rto: 1h }\n";
        std::fs::write(folder.path().join("runbooks/orders.yaml"), format!("{head}{steps}")).unwrap();
        Self { folder }
    }

    fn watching(service: &Service) -> Self {
        Self::of(&STEPS.replace("URL", &service.url))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drctl"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_remove("CI").env_remove("DRCTL_STATE").env_remove("DRCTL_WORKSPACE").env("RUST_BACKTRACE", "0");
        command
    }

    fn drctl(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments).output().unwrap())
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// An alert on standard input.
    fn alerted(&self, alert: &[u8], more: &[&str]) -> Ran {
        let mut command = self.command(&["watch-for", "orders", "--alert", "-"]);
        let mut child =
            command.args(more).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // What drctl does not want to read is lost.
        child.stdin.take().unwrap().write_all(alert).ok();
        ran(child.wait_with_output().unwrap())
    }

    fn runs(&self) -> Vec<String> {
        let runs = std::fs::read_dir(self.path(".drctl/runs")).into_iter().flatten();
        runs.map(|run| run.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn journal(&self) -> String {
        let run = self.runs().first().cloned().unwrap_or_default();
        std::fs::read_to_string(self.path(&format!(".drctl/runs/{run}/journal.jsonl"))).unwrap_or_default()
    }

    /// Since when the clock of the RTO runs, in the only run.
    fn since(&self) -> Value {
        let first: Value = serde_json::from_str(self.journal().lines().next().unwrap()).unwrap();
        first["payload"]["since"].clone()
    }
}

fn interrupt(child: &Child) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
}

/// The states that were told, in order, without their times.
fn states(stdout: &str) -> Vec<String> {
    let heads = stdout.lines().filter(|line| line.contains(" orders is "));
    heads.map(|line| line.split(" orders is ").nth(1).unwrap().split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn a_service_that_goes_down_opens_one_run_that_waits_at_its_gate_and_passes_none() {
    let service = Service::start(true);
    let workspace = Workspace::watching(&service);
    let watch = ["watch-for", "orders", "--every", "20ms", "--as", "grace"];
    let child = workspace.start(&watch);
    until("three looks", || service.asked.load(Ordering::SeqCst) >= 3);
    assert_eq!(workspace.runs(), [""; 0]);
    service.is_well.store(false, Ordering::SeqCst);
    until("the gate", || workspace.journal().contains("gate_opened"));
    // A second one sees that a run is open.
    let second = workspace.drctl(&["watch-for", "orders", "--once", "--every", "10ms"]);
    assert_eq!(second.code, 3, "{second:?}");
    assert!(second.stdout.contains("no second run is opened: "), "{second:?}");
    assert_eq!(workspace.runs().len(), 1);
    assert!(!workspace.path("log").exists());
    let approved = workspace.drctl(&["approve", "go", "--as", "ada"]);
    assert_eq!(approved.code, 0, "{approved:?}");
    let ended = ran(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(std::fs::read_to_string(workspace.path("log")).unwrap(), "went\n");
    assert_eq!(states(&ended.stdout)[..4], ["healthy", "degraded", "degraded", "down"], "{ended:?}");
    assert!(ended.stdout.contains("  probe: down: "), "{}", ended.stdout);
    // The clock of the RTO runs since the first bad look.
    let down = ended.stdout.lines().find(|line| line.contains("is down since")).unwrap();
    assert_eq!(workspace.since(), down.split("since ").nth(1).unwrap());
}

#[test]
fn looks_once_until_they_are_clear_and_says_so_by_its_exit_code() {
    let service = Service::start(true);
    let workspace = Workspace::watching(&service);
    let once = ["watch-for", "orders", "--once", "--every", "1ms"];
    let well = workspace.drctl(&once);
    assert_eq!((well.code, states(&well.stdout)), (0, vec!["healthy".to_owned()]), "{well:?}");
    // Now and then: neither an outage nor health.
    *service.script.lock().unwrap() = vec![false, true, false, true, true];
    let now_and_then = workspace.drctl(&["watch-for", "orders", "--once", "--every", "1ms", "--recover", "3"]);
    assert_eq!((now_and_then.code, workspace.runs().len()), (1, 0), "{now_and_then:?}");
    assert_eq!(states(&now_and_then.stdout), ["degraded", "degraded"]);
    // Flapping is one.
    *service.script.lock().unwrap() = vec![false, true, false, true, false];
    let flapping = workspace.drctl(&once);
    assert_eq!((flapping.code, workspace.runs().len()), (3, 1), "{flapping:?}");
    assert_eq!(states(&flapping.stdout), ["degraded", "degraded", "down"]);
    assert!(flapping.stdout.contains("next: drctl approve "), "{flapping:?}");
}

#[test]
fn ctrl_c_ends_it_and_nothing_is_opened() {
    let service = Service::start(false);
    let workspace = Workspace::watching(&service);
    let child = workspace.start(&["watch-for", "orders", "--every", "1h", "--output", "json"]);
    until("a look", || service.asked.load(Ordering::SeqCst) >= 1);
    std::thread::sleep(Duration::from_millis(50));
    interrupt(&child);
    let ended = ran(child.wait_with_output().unwrap());
    assert_eq!((ended.code, workspace.runs().len()), (130, 0), "{ended:?}");
    let told: Value = serde_json::from_str(ended.stdout.lines().next().unwrap()).unwrap();
    assert_eq!((&told["state"], &told["runbook"]), (&json!("degraded"), &json!("orders")));
    assert_eq!(told["since"], told["at"]);
}

/// Sample payloads, as the documentation of each has them.
fn azure(condition: &str, severity: &str) -> Value {
    json!({
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": {
                "alertId": "/subscriptions/1/providers/Microsoft.AlertsManagement/alerts/2",
                "alertRule": "WCUS-R2-Gen2", "severity": severity, "signalType": "Metric",
                "monitorCondition": condition, "monitoringService": "Platform",
                "alertTargetIDs": ["/subscriptions/1/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm"],
                "configurationItems": ["wcus-r2-gen2"], "originAlertId": "3",
                "firedDateTime": "2019-03-22T13:58:24.3713213Z", "resolvedDateTime": "2019-03-22T14:03:16.2246313Z",
                "description": "", "essentialsVersion": "1.0", "alertContextVersion": "1.0",
            },
            "alertContext": { "properties": null },
        },
    })
}

fn pagerduty(kind: &str, status: &str, urgency: &str) -> Value {
    json!({ "event": {
        "id": "5ac64822-4adc-4fda-ade0-410becf0de4f", "event_type": kind, "resource_type": "incident",
        "occurred_at": "2020-10-02T18:45:22.169Z", "client": { "name": "PagerDuty" },
        "data": {
            "id": "PGR0VU2", "type": "incident", "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2", "number": 2,
            "status": status, "created_at": "2020-04-09T15:16:27Z", "title": "A little bump in the road",
            "service": { "id": "PF9KMXH", "summary": "API Service", "type": "service_reference" },
            "priority": { "summary": "P1" }, "urgency": urgency, "resolve_reason": null,
        },
    } })
}

fn alertmanager(status: &str, severity: &str) -> Value {
    let alert = |instance: &str, starts: &str| {
        json!({
            "status": status,
            "labels": { "alertname": "ProbeFailure", "instance": instance, "severity": severity },
            "annotations": { "summary": "BlackBox Probe Failure" },
            "startsAt": starts, "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "1a30ba71cca2921f",
        })
    };
    json!({
        "receiver": "drctl", "status": status, "version": "4", "truncatedAlerts": 0,
        "groupKey": "{}:{alertname=\"ProbeFailure\"}", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "alerts": [alert("b", "2018-08-03T09:53:26.739266876+02:00"), alert("a", "2018-08-03T09:52:26.739266876+02:00")],
    })
}

#[test]
fn an_alert_of_an_outage_opens_a_run_whose_clock_began_with_it() {
    for (alert, since, evidence) in [
        (
            azure("Fired", "Sev1"),
            "2019-03-22T13:58:24.371Z",
            "  Azure Monitor: `WCUS-R2-Gen2` fired (Sev1)\n  Azure Monitor: of `wcus-r2-gen2`\n",
        ),
        (
            pagerduty("incident.triggered", "triggered", "high"),
            "2020-04-09T15:16:27.000Z",
            "  PagerDuty: incident.triggered: A little bump in the road\n  PagerDuty: of `API Service`\n  \
             PagerDuty: https://acme.pagerduty.com/incidents/PGR0VU2\n",
        ),
        (
            alertmanager("firing", "critical"),
            "2018-08-03T07:52:26.739Z",
            "  Alertmanager: ProbeFailure firing b: BlackBox Probe Failure\n  \
             Alertmanager: ProbeFailure firing a: BlackBox Probe Failure\n",
        ),
    ] {
        let service = Service::start(false);
        let workspace = Workspace::watching(&service);
        let opened = workspace.alerted(alert.to_string().as_bytes(), &[]);
        assert_eq!((opened.code, workspace.runs().len()), (3, 1), "{opened:?}");
        assert_eq!(workspace.since(), since);
        let (head, rest) = opened.stdout.split_once('\n').unwrap();
        assert!(head.ends_with(&format!(" orders is down since {since}")), "{head}");
        assert!(rest.starts_with(evidence), "{rest}");
        assert!(!workspace.path("log").exists());
        // The same alert again, as senders do.
        let again = workspace.alerted(alert.to_string().as_bytes(), &[]);
        assert_eq!((again.code, workspace.runs().len()), (3, 1), "{again:?}");
        assert!(again.stdout.contains("no second run is opened: "), "{again:?}");
        let report = workspace.drctl(&["report", &workspace.runs()[0], "--format", "markdown"]).stdout;
        assert!(!report.contains("let an alert open it"), "one did: {report}");
    }
}

#[test]
fn an_alert_that_is_resolved_or_less_than_an_outage_opens_nothing() {
    let service = Service::start(true);
    let workspace = Workspace::watching(&service);
    for (alert, state, code) in [
        (azure("Resolved", "Sev3"), "healthy", 0),
        (azure("Fired", "Sev3"), "degraded", 1),
        (pagerduty("incident.resolved", "resolved", "high"), "healthy", 0),
        (pagerduty("incident.triggered", "triggered", "low"), "degraded", 1),
        (alertmanager("resolved", "critical"), "healthy", 0),
        (alertmanager("firing", "warning"), "degraded", 1),
    ] {
        let told = workspace.alerted(alert.to_string().as_bytes(), &[]);
        assert_eq!((states(&told.stdout), told.code), (vec![state.to_owned()], code), "{told:?}");
    }
    assert_eq!(workspace.runs(), [""; 0]);
}

#[test]
fn the_exit_code_of_a_nagios_plugin_is_an_alert() {
    let service = Service::start(false);
    let workspace = Workspace::watching(&service);
    let nagios = |code: &str| workspace.drctl(&["watch-for", "orders", "--nagios-exit", code]);
    assert_eq!((nagios("0").code, nagios("1").code, workspace.runs().len()), (0, 1, 0));
    let unknown = nagios("3");
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("the plugin's exit code 3 is UNKNOWN: it could not tell"), "{unknown:?}");
    assert!(nagios("4").stderr.contains("wanted the exit code of a Nagios plugin, 0 to 3, found 4"));
    let down = workspace.alerted(b"CRITICAL - Socket timeout\n", &["--nagios-exit", "2"]);
    assert_eq!((down.code, workspace.runs().len()), (3, 1), "{down:?}");
    let wanted = "  Nagios: the plugin ended with 2 (CRITICAL)\n  Nagios: CRITICAL - Socket timeout\n";
    assert!(down.stdout.contains(wanted), "{down:?}");
}

#[test]
fn what_is_no_alert_is_refused_with_what_would_be_one_and_opens_nothing() {
    let service = Service::start(true);
    let workspace = Workspace::watching(&service);
    let huge = vec![b'['; 3 << 20];
    let deep = [vec![b'['; 5000], vec![b']'; 5000]].concat();
    let mut bad = azure("Fired", "Sev1");
    bad["data"]["essentials"]["firedDateTime"] = json!("yesterday");
    let note = json!({ "event": { "event_type": "incident.annotated", "data": { "type": "incident_note" } } });
    for (alert, why) in [
        (b"".to_vec(), "the alert is no JSON: EOF while parsing"),
        (b"down!".to_vec(), "Prometheus Alertmanager's webhook of version 4"),
        (b"{\"version\":\"3\",\"alerts\":[]}".to_vec(), "known are Azure Monitor's common alert schema"),
        (huge, "the alert is larger than 1 MiB"),
        (deep, "recursion limit exceeded"),
        (azure("Paused", "Sev1").to_string().into_bytes(), "wanted `Fired` or `Resolved`, found \"Paused\""),
        (azure("Fired", "Sev9").to_string().into_bytes(), "wanted `Sev0` to `Sev4`, found \"Sev9\""),
        (bad.to_string().into_bytes(), "at `firedDateTime`: wanted a time such as"),
        (note.to_string().into_bytes(), "subscribe to `incident.triggered` and `incident.resolved`"),
        (
            alertmanager("suppressed", "x").to_string().into_bytes(),
            "wanted `firing` or `resolved`, found \"suppressed\"",
        ),
    ] {
        let refused = workspace.alerted(&alert, &[]);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains(why) && refused.stderr.contains("no run was opened"), "{why}: {refused:?}");
    }
    let gone = workspace.drctl(&["watch-for", "orders", "--alert", "gone.json"]);
    assert!(gone.code == 2 && gone.stderr.contains("`--alert gone.json`: No such file"), "{gone:?}");
    assert_eq!(workspace.runs(), [""; 0]);
}

#[test]
fn a_runbook_that_cannot_be_watched_is_refused_before_the_first_look() {
    let service = Service::start(true);
    let looked = |steps: &str, more: &[&str]| {
        let workspace = Workspace::of(&steps.replace("URL", &service.url));
        let refused = workspace.drctl(&[&["watch-for", "orders", "--once"], more].concat());
        (refused.code, refused.stderr)
    };
    for (steps, more, code, why) in [
        (
            STEPS.replace("action: assert", "action: shell"),
            &[][..],
            5,
            "`sure` is `shell`: nothing tells that it only reads",
        ),
        (STEPS.replace("action: assert", "action: manual"), &[], 5, "`sure` asks people"),
        (
            STEPS.replace("    approval: { by: [commander], prompt: \"Go on?\" }\n", ""),
            &[],
            5,
            "nobody is asked before `go`",
        ),
        (STEPS.replace("detection:", "assessment:"), &[], 5, "no step of the detection phase says whether"),
        (STEPS.to_owned(), &["--step", "prob"], 2, "the steps that say so are probe; did you mean `probe`?"),
        (STEPS.to_owned(), &["--of", "2"], 2, "3 bad looks (`--threshold`) can never be among 2"),
        (STEPS.to_owned(), &["--every", "0s"], 2, "wanted some time, found `0s`"),
        (STEPS.to_owned(), &["--set", "regoin=x"], 2, "has no input `regoin`"),
    ] {
        let steps = steps
            .replace(
                "action: shell\n    needs: [probe]\n    with: { that: \"{{ 1 == 1 }}\" }",
                "action: shell\n    needs: [probe]\n    with: { script: x }",
            )
            .replace(
                "action: manual\n    needs: [probe]\n    with: { that: \"{{ 1 == 1 }}\" }",
                "action: manual\n    needs: [probe]\n    with: { instructions: x }",
            );
        let (found, stderr) = looked(&steps, more);
        assert!(found == code && stderr.contains(why), "{why}: {found} {stderr}");
    }
    assert_eq!(service.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_probe_that_cannot_tell_is_no_outage_and_no_health() {
    let steps = STEPS.replace(
        "    with: { url: \"URL\", samples: 1 }",
        "    timeout: 50ms\n    with: { url: \"URL\", samples: 2, every: 10s }",
    );
    let service = Service::start(true);
    let workspace = Workspace::of(&steps.replace("URL", &service.url));
    let unknown =
        workspace.drctl(&["watch-for", "orders", "--once", "--every", "1ms", "--threshold", "1", "--of", "1"]);
    assert_eq!((unknown.code, workspace.runs().len()), (1, 0), "{unknown:?}");
    assert!(unknown.stdout.contains(" nothing tells how orders is\n  probe: unknown: "), "{unknown:?}");
}
