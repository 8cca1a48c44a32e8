//! The runbooks that ship, against a real HAProxy and real web servers. Needs `haproxy`, `socat` and `python3`.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

#[path = "support/haproxy.rs"]
mod haproxy;
#[path = "support/tool.rs"]
mod tool;

use std::fs;
use std::process::{Command, Stdio};

use haproxy::{Process, Ran, Site, until};
use tool::installed;

impl Site {
    /// `failover api-load-balancer` with everything it asks for.
    fn switch<'w>(&self, words: &'w mut Vec<String>, level: &str) -> Vec<&'w str> {
        let inputs = [
            ("main_url", self.main_url()),
            ("backup_url", self.backup_url()),
            ("service_url", self.service_url()),
            ("haproxy_socket", self.socket(level)),
            ("probe_interval", "50ms".to_owned()),
        ];
        words.extend(["failover", "api-load-balancer", "--as", "dave"].map(str::to_owned));
        words.extend(inputs.iter().flat_map(|(name, value)| ["--set".to_owned(), format!("{name}={value}")]));
        words.iter().map(String::as_str).collect()
    }
}

const DISRUPTION: &str = "\
Subject: Service Disruption - Orders API

We are currently experiencing an issue with Orders API that began at TIME.

Impact: Requests may fail or take longer than usual.
Current Status: We are moving the service to a backup server.
Next Update: Within 15 minutes

We apologize for any inconvenience and are working to resolve this as quickly as possible.
";

const RESTORED: &str = "\
Subject: Service Restored - Orders API

The issue with Orders API has been resolved as of TIME.

Root Cause: Our main server stopped answering as it should.
Resolution: Requests are answered by our backup server.

We will conduct a post-incident review and share findings within 48 hours.
";

#[test]
fn a_dead_main_server_is_replaced_by_its_backup() {
    if !installed(&["haproxy", "socat", "python3"]) {
        return;
    }
    let mut site = Site::start();
    assert_eq!(site.ask("/health"), (200, "main".to_owned()));
    site.main.kill();
    assert_eq!(site.ask("/health").0, 503);

    let run = site.start_run(&site.switch(&mut Vec::new(), "admin"));
    let status = site.status_with("asks incident_commander");
    for finding in [
        "`MAIN` is down: 0 of 3 samples good, wanted 2; sample 3: Connection refused",
        "`SERVICE` is down: 0 of 3 samples good, wanted 2; sample 3: answered 503, wanted a status from 200 to 299",
        "`BACKUP` is healthy: 3 of 3 samples good",
        "Take main out of service (down) and send the traffic of Orders API to backup (healthy)?",
    ] {
        assert!(status.contains(finding), "{finding}\n{status}");
    }
    assert!(!site.main_is_in_maintenance());
    assert_eq!(site.drctl(&["approve", "switch_traffic", "--as", "dave"]).code, Some(1), "dave is no commander");
    let approved = site.drctl(&["approve", "switch_traffic", "--as", "alice"]);
    let taken = "taken: approve `switch_traffic` by alice, a name given with `--as` and not authenticated\n";
    assert_eq!((approved.code, approved.stdout.as_str()), (Some(0), taken), "{}", approved.stderr);

    let ran = site.end(run);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.starts_with("run RUN: succeeded\n") && ran.stdout.contains("restored after "), "{}", ran.stdout);
    assert!((0..10).all(|_| site.ask("/health") == (200, "backup".to_owned())));
    let staff = "--- staff/RUN-tell_staff.txt\nSubject: Orders API: main is out of service, backup has the traffic\n\n\
        Run: RUN (api-load-balancer, failover)\nStarted by: dave\nBegan: TIME\n\n\
        main was down: 0 of 3 samples good, wanted 2; sample 3: Connection refused (os error 111).\n\n\
        To see where it stands: drctl status RUN\n";
    let [mail, page] = ["customers", "status_page"].map(|channel| {
        format!(
            "--- {channel}/RUN-tell_customers.txt\n{DISRUPTION}\
             --- {channel}/RUN-tell_customers_it_is_over.txt\n{RESTORED}"
        )
    });
    assert_eq!(site.notices(), format!("{mail}{staff}{page}"));
}

/// The notice to management, with what failed.
fn needs_help(number: u32, service: &str, failed: &str, given_up: &str) -> String {
    format!(
        "--- management/RUN-tell_management_it_failed[{number}].txt\nSubject: {service}: recovery needs help\n\n\
         The recovery of {service} has stopped; the service may still be down.\n\nWhat failed:\n\n- {failed}\n{given_up}\n\
         To see what can be done: drctl status RUN\n"
    )
}

#[test]
fn a_rejected_switch_changes_nothing() {
    if !installed(&["haproxy", "socat", "python3"]) {
        return;
    }
    let mut site = Site::start();
    site.main.kill();
    let run = site.start_run(&site.switch(&mut Vec::new(), "admin"));
    site.status_with("asks incident_commander");
    let rejected = site.drctl(&["reject", "switch_traffic", "--as", "bob", "--reason", "it is being restarted"]);
    assert_eq!(rejected.code, Some(0), "{rejected:?}");
    let failed = "switch_traffic (failed): rejected by bob: it is being restarted";
    let told = needs_help(1, "Orders API", failed, "");
    until("management was told", || (site.notices_of("management/") == told).then_some(()));
    let aborted = site.drctl(&["abort", "--as", "bob", "--reason", "no need", "--yes"]);
    assert!(aborted.stdout.starts_with("nothing will be undone\n"), "{aborted:?}");
    let ran = site.end(run);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.starts_with("run RUN: aborted\n"), "{}", ran.stdout);
    assert!(!site.main_is_in_maintenance());
}

#[test]
fn a_wrong_socket_is_found_before_anybody_is_asked() {
    if !installed(&["haproxy", "socat", "python3"]) {
        return;
    }
    let mut site = Site::start();
    site.main.kill();
    let ran = site.drctl(&site.switch(&mut Vec::new(), "no"));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.starts_with("run RUN: paused\n"), "{}", ran.stdout);
    assert!(!ran.stderr.contains("waits for approval"), "{}", ran.stderr);
    let told = site.notices_of("management/");
    let cause =
        "- haproxy_knows_both (failed): the script exited with code 1, wanted exit code 0; its last lines on stderr:\n";
    assert!(told.contains(cause) && told.contains("FOLDER/no.sock") && told.contains("No such file"), "{told}");
}

#[test]
fn an_answer_of_haproxy_is_a_failure_though_socat_succeeds() {
    if !installed(&["haproxy", "socat", "python3"]) {
        return;
    }
    let mut site = Site::start();
    site.main.kill();
    let run = site.start_run(&site.switch(&mut Vec::new(), "user"));
    site.status_with("asks incident_commander");
    site.drctl(&["approve", "switch_traffic", "--as", "alice"]);
    site.status_with("switch_traffic               failed");
    let failed = "switch_traffic (failed): the script exited with code 1, wanted exit code 0; its last lines on stderr:\n\x20 \
        told 'set server api/backup state ready', HAProxy says: Permission denied";
    let told = needs_help(1, "Orders API", failed, "");
    until("management was told", || (site.notices_of("management/") == told).then_some(()));
    site.drctl(&["abort", "--as", "alice", "--reason", "wrong socket", "--yes"]);
    let ran = site.end(run);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let given_up = "\nThe run is being given up: alice: wrong socket\n";
    assert_eq!(site.notices_of("management/"), told + &needs_help(2, "Orders API", failed, given_up));
}

#[test]
fn giving_up_a_switch_that_did_not_help_puts_the_main_server_back() {
    if !installed(&["haproxy", "socat", "python3"]) {
        return;
    }
    let mut site = Site::start();
    site.main.kill();
    let run = site.start_run(&site.switch(&mut Vec::new(), "admin"));
    site.status_with("asks incident_commander");
    site.backup.kill();
    site.drctl(&["approve", "switch_traffic", "--as", "alice"]);
    let status = site.status_with("switch_traffic               failed");
    assert!(status.contains("verify: "), "{status}");
    assert!(site.main_is_in_maintenance());
    let aborted = site.drctl(&["abort", "--as", "alice", "--reason", "both are down", "--yes"]);
    assert!(aborted.stdout.starts_with("will be undone, in this order: switch_traffic\n"), "{aborted:?}");
    let ran = site.end(run);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(!site.main_is_in_maintenance());
    site.revive_main();
    assert_eq!(site.ask("/health"), (200, "main".to_owned()));
}

impl Site {
    /// The backup server is a cold standby site: it is up, and has neither a health check nor data.
    fn prepare_recovery(&self, server_to_leave: &str) {
        fs::remove_file(self.path("backup/health")).unwrap();
        fs::write(self.path("orders"), "42 orders").unwrap();
        let socket = self.socket("admin");
        let tell = |state: &str| {
            let command = format!("set server api/{server_to_leave} state {state}");
            format!(r#"[sh, -c, 'answer=$(echo "{command}" | socat - {socket}); echo "$answer"; test -z "$answer"']"#)
        };
        let vars = format!(
            "health_url: {}\nstandby_url: {}\nservice_url: {}\nhealth_interval: 50ms\n\
             recovery_point: [sh, -c, 'echo \"{{\\\"age_seconds\\\": 42}}\" > \"$DRCTL_OUTPUT\"']\n\
             activate: [cp, main/health, backup/health]\ndeactivate: [rm, backup/health]\n\
             restore: [cp, orders, backup/orders]\nredirect: {}\nredirect_back: {}\n",
            self.main_url(),
            self.backup_url(),
            self.service_url(),
            tell("maint"),
            tell("ready"),
        );
        fs::write(self.path("platform.yaml"), vars).unwrap();
    }

    fn recover(&self, trigger: &str) -> Process {
        let trigger = format!("trigger={trigger}");
        let words = ["failover", "platform-recovery", "--as", "dave", "--vars", "platform.yaml", "--set", &trigger];
        self.start_run(&words)
    }

    /// Answers a manual step from another terminal, once it is asked.
    fn answer(&self, step: &str, outputs: &[&str]) -> Ran {
        self.status_with(&format!(" {step} --output "));
        let mut words = vec!["approve", step, "--as", "erin"];
        words.extend(outputs.iter().flat_map(|output| ["--output", output]));
        let ran = self.drctl(&words);
        assert_eq!((ran.code, ran.stdout.starts_with("taken: answer ")), (Some(0), true), "{ran:?}");
        ran
    }

    /// Answers everything up to the declaration, and declares.
    fn declare(&self) -> String {
        self.answer("evaluate_scope", &["scope=Everything in us-east-1, all users"]);
        self.answer("analyse_impact", &["impact_description=Nobody can place an order.", "regulator=yes"]);
        self.answer("choose_strategy", &["strategy=Recover in us-west-2"]);
        let status = self.status_with("asks incident_commander");
        assert_eq!(self.drctl(&["approve", "declare", "--as", "alice"]).code, Some(0));
        status
    }
}

const PLATFORM_DISRUPTION: &str = "\
Subject: Service Disruption - Data Platform

We are currently experiencing an issue with Data Platform that began at TIME.

Impact: Nobody can place an order.
Current Status: We are moving the service to our standby site.
Next Update: Within 30 minutes

We apologize for any inconvenience and are working to resolve this as quickly as possible.
";

const PLATFORM_RESTORED: &str = "\
Subject: Service Restored - Data Platform

The issue with Data Platform has been resolved as of TIME.

Root Cause: A power outage in us-east-1.
Resolution: The platform runs in us-west-2.

We will conduct a post-incident review and share findings within 48 hours.
";

const ACTIVATION: &str = "\
--- recovery_team/RUN-declare.txt
Subject: Disaster declared: Data Platform

A disaster has been declared for Data Platform. You are on the recovery team.

Scope: Everything in us-east-1, all users
Impact: Nobody can place an order.
Strategy: Recover in us-west-2

Join the incident channel now. To look on: drctl watch RUN
";

const STAFF: &str = "\
--- staff/RUN-tell_staff.txt
Subject: Data Platform: a disaster was declared

Run: RUN (platform-recovery, failover)
Started by: dave
Began: TIME

Scope: Everything in us-east-1, all users
Strategy: Recover in us-west-2

To see where it stands: drctl status RUN
";

#[test]
fn a_platform_is_recovered_at_its_standby_site_and_everybody_hears_of_it() {
    if !installed(&["haproxy", "socat", "python3"]) {
        return;
    }
    let mut site = Site::start();
    site.prepare_recovery("main");
    site.main.kill();
    let run = site.recover("health_check");
    let status = site.declare();
    for finding in [
        "`MAIN` is down: 0 of 3 samples good, wanted 1; sample 3: Connection refused",
        "`BACKUP` is down: 0 of 3 samples good, wanted 2; sample 3: answered 404",
        "Declare a disaster for Data Platform?",
        "Accepts the loss of 42 s of data (RPO 5m).",
        "guards the point of no return `restore_data`",
    ] {
        assert!(status.contains(finding), "{finding}\n{status}");
    }
    // The regulator's report and the summary wait for people; the recovery does not wait for them.
    site.status_with(" summarise --output ");
    assert_eq!(site.ask("/orders"), (200, "42 orders".to_owned()));
    site.answer("report_to_regulator", &["evidence=REG-2026-7"]);
    let words =
        ["root_cause_summary=A power outage in us-east-1.", "resolution_summary=The platform runs in us-west-2."];
    site.answer("summarise", &words);
    let ran = site.end(run);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.starts_with("run RUN: succeeded\n") && ran.stdout.contains("restored after "), "{}", ran.stdout);
    let [mail, page] = ["customers", "status_page"].map(|channel| {
        format!(
            "--- {channel}/RUN-tell_customers.txt\n{PLATFORM_DISRUPTION}\
             --- {channel}/RUN-tell_customers_it_is_over.txt\n{PLATFORM_RESTORED}"
        )
    });
    assert_eq!(site.notices(), format!("{mail}{ACTIVATION}{STAFF}{page}"));
}

#[test]
fn a_recovery_that_stops_behind_its_point_of_no_return_says_what_stays() {
    if !installed(&["haproxy", "socat", "python3"]) {
        return;
    }
    let mut site = Site::start();
    site.prepare_recovery("nobody");
    site.main.kill();
    let run = site.recover("provider_notice");
    site.answer("provider_notice", &["announcement=us-east-1 is down", "evidence=https://status.example.com/1"]);
    site.declare();
    let status = site.status_with("redirect_traffic             failed");
    assert!(status.contains("No such server."), "{status}");
    let failed = "redirect_traffic (failed): `sh` exited with code 1, wanted exit code 0; its last lines on stdout:\n\x20 \
        No such server.";
    let told = needs_help(1, "Data Platform", failed, "");
    until("management was told", || (site.notices_of("management/") == told).then_some(()));
    let aborted = site.drctl(&["abort", "--as", "alice", "--reason", "go on by hand", "--yes"]);
    for kept in [
        "nothing will be undone\n",
        "cannot be undone: `restore_data`: it is a point of no return\n",
        "cannot be undone: `activate_infrastructure`: it lies before the point of no return `restore_data`\n",
    ] {
        assert!(aborted.stdout.contains(kept), "{kept}\n{aborted:?}");
    }
    assert_eq!(site.end(run).code, Some(1));
    assert!(site.path("backup/orders").exists() && site.path("backup/health").exists());
    assert!(!site.notices().contains("Service Restored"));
}

#[test]
fn a_healthy_platform_is_not_recovered() {
    if !installed(&["haproxy", "socat", "python3"]) {
        return;
    }
    let site = Site::start();
    site.prepare_recovery("main");
    let ran = site.drctl(&["failover", "platform-recovery", "--vars", "platform.yaml"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let why = "exception: `outage_is_real` failed: the primary site is healthy. \
        To move away from it all the same, start again with `--set trigger=manual`\n";
    assert!(ran.stdout.contains(why), "{}", ran.stdout);
    assert!(!site.path("backup/orders").exists());
}

#[test]
fn the_runbooks_that_ship_have_no_findings() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drctl"));
    let output =
        command.args(["validate", "--format", "short"]).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let [found, count] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!((output.status.code(), found.as_str()), (Some(0), ""), "{count}");
    assert!(count.ends_with(": 0 errors, 0 warnings\n"), "{count}");
}

#[test]
fn the_demo_moves_its_traffic_to_the_standby() {
    if !installed(&["haproxy", "socat", "python3"]) {
        return;
    }
    let site = Site::start();
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--example", "demo"]).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command.env("CI", "1").env_remove("DRCTL_STATE").env("DRCTL_WORKSPACE", site.path(""));
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.starts_with("demo: started a primary, a standby and a load balancer, http://127.0.0.1:"), "{text}");
    assert!(text.contains(": succeeded\n") && text.contains("restored after "), "{text}");
    let notice = site.notices();
    assert!(notice.contains("Subject: Demo: the standby server has the traffic\n"), "{notice}");
}
