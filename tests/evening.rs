//! One evening from start to end, as the people and the servers in it see it: an alert comes in, nobody answers at first,
//! the failover runs on a simulated Azure that outlives drctl, drctl is killed twice, and everybody is told once.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]
#![expect(unreachable_pub, reason = "a test is a crate of its own: `pub` says what its modules offer")]

#[path = "evening/azure.rs"]
mod azure;
#[path = "support/http.rs"]
#[expect(dead_code, reason = "other tests ask more of it")]
mod http;
#[path = "support/smtp.rs"]
mod smtp;
#[path = "support/until.rs"]
mod until;
#[path = "evening/workspace.rs"]
mod workspace;

use std::process::Child;
use std::time::Duration;

use drctl::sim::azure::Logged;
use serde_json::{Value, json};

use azure::AzureServer;
use http::{Server, answer};
use smtp::{Mail, MailServer, Protection, Strike};
use until::until;
use workspace::{Ran, Workspace, ran};

const GOLD: [&str; 2] = ["gold1@customer.example", "gold2@customer.example"];
const SILVER: [&str; 2] = ["silver1@customer.example", "silver2@customer.example"];

/// Everything outside of drctl.
struct Town {
    azure: AzureServer,
    mail: MailServer,
    pager: Server,
    chat: Server,
    /// The shop in the region that is lost, in the other one, and what says how far the replica is behind.
    shop: [Server; 3],
}

impl Town {
    async fn build() -> Self {
        let azure = AzureServer::without("centralus").await;
        let group = json!({ "server": "shop-sql-eastus2", "group": "shop-orders", "mode": "forced" });
        azure.has("azure.sql.failover_group", group);
        azure.has("azure.app_service.start", json!({ "app": "shop-web-eastus2" }));
        let endpoint = json!({ "profile": "shop", "endpoint": "eastus2", "status": "enabled" });
        azure.has("azure.traffic_manager.set_endpoint", endpoint);
        let lost = Server::start(vec![answer(503, "")]).await;
        let other = Server::start(vec![answer(200, "order placed")]).await;
        let lag = Server::start(vec![answer(200, json!({ "seconds": 4 }).to_string())]).await;
        Self {
            azure,
            mail: MailServer::start(Protection::Starttls, Some(("drctl", "sesame"))).await,
            pager: Server::start(vec![answer(202, json!({ "status": "success" }).to_string())]).await,
            chat: Server::start(vec![answer(200, "ok")]).await,
            shop: [lost, other, lag],
        }
    }

    fn workspace(&self) -> Workspace {
        let [lost, other, lag] = &self.shop;
        let workspace = Workspace::at(&[
            ("AZURE", self.azure.url()),
            ("MAIL", self.mail.port.to_string()),
            ("PAGER", self.pager.url("/v2/enqueue")),
            ("CHAT", self.chat.url("/services/T0/B0/X")),
            ("CENTRAL", lost.url("/health")),
            ("SMOKE", other.url("/smoke")),
            ("LAG", lag.url("/lag")),
        ]);
        self.azure.trust(&workspace.path("azure.pem"));
        workspace.write("mail.pem", &self.mail.certificate);
        workspace
    }

    /// The mails to somebody, by what they tell.
    fn told(&self, to: &str) -> Vec<&'static str> {
        self.mail.mails().iter().filter(|mail| mail.to == to).map(kind).collect()
    }

    /// The calls that were sent to who is second.
    fn told_calls(&self) -> Vec<String> {
        let calls = self.mail.mails().into_iter().filter(|mail| mail.to == "grace@shop.example");
        calls.map(|mail| mail.data.replace("=\r\n", "").replace("=3D", "=")).collect()
    }

    fn told_all(&self) -> Vec<Vec<&'static str>> {
        GOLD.iter().chain(&SILVER).map(|to| self.told(to)).collect()
    }
}

/// What a mail tells: in German to customers of the tier gold.
fn kind(mail: &Mail) -> &'static str {
    let subject = mail.header("Subject").unwrap();
    let is_german = GOLD.contains(&mail.to.as_str());
    match (is_german, subject) {
        (true, subject) if subject.contains("utf-8") && mail.data.contains("behoben") => "over",
        (true, subject) if subject.contains("utf-8") => "incident",
        (false, "Service Disruption - Shop") => "incident",
        (false, "Service Restored - Shop") => "over",
        _ => panic!("{subject}: {}", mail.data),
    }
}

/// Prometheus Alertmanager's webhook, about what began three minutes ago.
fn alert() -> String {
    let began = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(3);
    json!({
        "receiver": "drctl", "status": "firing", "version": "4", "truncatedAlerts": 0,
        "groupKey": "{}:{alertname=\"ShopDown\"}", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "alerts": [{
            "status": "firing",
            "labels": { "alertname": "ShopDown", "instance": "shop", "severity": "critical" },
            "annotations": { "summary": "The shop cannot be reached" },
            "startsAt": began.to_string(), "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "1a30ba71cca2921f",
        }],
    })
    .to_string()
}

async fn within<T>(what: &str, happens: impl Future<Output = T>) -> T {
    let happened = tokio::time::timeout(Duration::from_secs(60), happens).await;
    happened.unwrap_or_else(|_| panic!("{what} did not happen"))
}

fn kill(mut child: Child) -> Ran {
    child.kill().unwrap();
    ran(child.wait_with_output().unwrap())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The state of a step, as `drctl status --json` says it.
fn step<'s>(status: &'s Value, name: &str) -> &'s str {
    let steps = status["steps"].as_array().unwrap();
    let found = steps.iter().find(|step| step["path"] == name || step["step"] == name);
    text(&found.unwrap_or_else(|| panic!("{name}: {status}"))["state"])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_evening_from_the_alert_to_the_evidence() {
    let town = Town::build().await;
    let workspace = town.workspace();
    workspace.write("alert.json", &alert());

    // An alert comes in: a run opens and waits at its gate. Who is called first does not answer, so the next one is.
    let watching = workspace.start(&["watch-for", "shop", "--alert", "alert.json", "--as", "monitor", "--wait"]);
    within("the call of the first level", town.pager.was_asked(1)).await;
    until("the call of the second level", || !town.told_calls().is_empty());
    let calls = town.told_calls();
    let run = workspace.run();
    let paged: Value = serde_json::from_str(&town.pager.asked()[0].body).unwrap();
    assert_eq!(paged["event_action"], "trigger");
    assert_eq!((step(&workspace.status(), "declare"), calls.len()), ("awaiting_approval", 1));
    assert_eq!(town.told_all(), [[""; 0]; 4], "no customer is told before somebody has declared");
    assert_eq!(town.azure.changes(), [""; 0]);

    // She approves from another terminal, with the command that she was sent.
    let command = calls[0].lines().find(|line| line.trim().starts_with("drctl approve")).unwrap();
    let approved = workspace.typed(command, "grace");
    assert_eq!(approved.code, Some(0), "{approved:?}");

    // The customers of both tiers know, and the database is on its way, when drctl is killed.
    let is_failover = |logged: &Logged| logged.was_done && logged.url.contains("failoverGroups");
    within("the failover of the database", town.azure.was_asked(is_failover)).await;
    until("the first notices", || {
        let status = workspace.status();
        step(&status, "tell_gold") == "succeeded" && step(&status, "tell_silver") == "succeeded"
    });
    assert_eq!(step(&workspace.status(), "database"), "running");
    assert_eq!(kill(watching).code, None);
    assert_eq!(town.told_all(), [["incident"]; 4]);

    // It is taken up, and killed again, in the middle of telling that it is over.
    town.mail.strike(Strike::Taken(town.mail.mails().len() + 1));
    let resumed = workspace.start(&["resume", &run, "--wait", "--as", "monitor"]);
    town.mail.victim(resumed.id());
    let died = ran(resumed.wait_with_output().unwrap());
    assert_eq!(died.code, None, "{died:?}");
    let so_far: usize = town.told_all().iter().map(|told| told.len() - 1).sum();
    assert!((1..4).contains(&so_far), "{:?}", town.told_all());
    assert_eq!(town.shop[1].lines(), ["GET /smoke"], "nobody is told that it is over before the smoke test");
    let moved =
        ["POST shop-orders/forceFailoverAllowDataLoss", "POST shop-web-eastus2/start", "PATCH AzureEndpoints/eastus2"];
    assert_eq!(town.azure.changes(), moved);

    let ended = workspace.drctl(&["resume", &run, "--as", "monitor"]);
    assert!(matches!(ended.code, Some(0 | 10)), "{ended:?}");
    let doubts = settle_doubts(&workspace, &town);
    assert_eq!(workspace.status()["owed"], json!([]));
    assert_eq!(town.told_all(), [["incident", "over"]; 4], "everybody is told both, once");
    assert_eq!((town.pager.asked().len(), town.told_calls().len()), (1, 1), "nobody is called twice");
    assert_eq!(town.azure.changes(), moved, "nothing is done twice");

    vouched_for(&workspace, &town, &run, doubts);
}

/// What a person does about mails of which drctl cannot know whether they arrived: looks, and says so. How many.
fn settle_doubts(workspace: &Workspace, town: &Town) -> usize {
    let run = workspace.run();
    let status = workspace.status();
    let doubts = status["owed"].as_array().unwrap();
    for owed in doubts {
        assert_eq!(owed["in_doubt"], true, "{owed}");
        let (step, to) = (text(&owed["step"]), text(&owed["to"]));
        let arrived = if town.told(to).contains(&"over") { "--arrived" } else { "--doubtful" };
        let delivery = format!("mail/{to}");
        let said = ["notify", "send", "--owed", &run, step, arrived, &delivery, "--reason", "asked the mail server"];
        workspace.well(&said);
    }
    doubts.len()
}

/// The report says what happened, and the evidence and the journal stand against all that was said on the way.
fn vouched_for(workspace: &Workspace, town: &Town, run: &str, doubts: usize) {
    let report: Value = serde_json::from_str(&workspace.well(&["report", run, "--format", "json"])).unwrap();
    let summary: Vec<&str> = report["summary"].as_array().unwrap().iter().map(text).collect();
    for wanted in [
        "Failover shop (Move the shop to eastus2): completed",
        "RPO 5m: up to 4s of data lost, measured by lag.",
        "Services, within its RTO: Shop.",
        "at declare, approved by grace.",
        // Five to customers and staff, two calls to the gate.
        "Notices: 7 sent.",
    ] {
        assert!(summary.iter().any(|line| line.contains(wanted)), "{wanted}: {summary:#?}");
    }
    let achieved = report["clock"]["elapsed"].as_f64().unwrap();
    assert!((180.0..240.0).contains(&achieved), "since the alert says that it began: {achieved}");
    let interruptions = report["issues"].as_array().unwrap().iter().filter(|issue| issue["kind"] == "interruption");
    assert_eq!(interruptions.count(), 2);
    let decisions = report["decisions"].as_array().unwrap().iter();
    let settled = decisions.filter(|decision| decision["reason"] == "asked the mail server");
    assert_eq!(settled.count(), doubts, "what a person said of mails in doubt");
    let calls = report["notices"].as_array().unwrap().iter().filter(|notice| notice["template"] == "approval_request");
    let called: Vec<(&str, &str)> = calls.map(|call| (text(&call["audience"]), text(&call["state"]))).collect();
    assert_eq!(called, [("incident_commander", "sent"), ("head_of_operations", "sent")]);
    workspace.well(&["report", run, "--out", "report.html"]);
    workspace.write("chat.json", &town.chat.asked().last().unwrap().body);
    workspace.well(&["evidence", run, "--out", "evidence.tar"]);
    workspace.well(&["verify", "evidence.tar"]);
    workspace.well(&["verify", run, "--report", "report.html", "--notice", "chat.json"]);

    // Somebody cuts off what happened after the approval.
    let journal = workspace.path(&format!(".drctl/runs/{run}/journal.jsonl"));
    let lines = std::fs::read_to_string(&journal).unwrap();
    let kept: Vec<&str> = lines.lines().take(12).collect();
    std::fs::write(&journal, format!("{}\n", kept.join("\n"))).unwrap();
    assert_eq!(workspace.drctl(&["verify", run]).code, Some(0), "what is left is sound");
    let cut = workspace.drctl(&["verify", run, "--notice", "chat.json"]);
    assert_eq!(cut.code, Some(8), "{cut:?}");
    assert!(cut.stderr.contains("its end was cut"), "{cut:?}");
}
