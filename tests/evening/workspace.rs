//! The workspace of the evening, and the built binary in it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// Who is told and called; `@..@` stands for what the servers of the evening chose.
const WORKSPACE: &str = r#"
drctl: 1
contacts:
  ada: { name: Ada, email: ada@shop.example }
  grace: { name: Grace, email: grace@shop.example }
roles:
  incident_commander: { people: [ada], channels: [pager] }
  head_of_operations: { people: [grace], channels: [mail] }
approvals: { requester_may_approve: false, escalation: night }
escalation_policies:
  night:
    - { level_1: incident_commander, timeout: 2s }
    - { level_2: head_of_operations, timeout: 10m }
channels:
  pager: { type: pagerduty, routing_key: { env: PAGER_KEY }, url: "@PAGER@" }
  mail: { type: email, host: 127.0.0.1, port: @MAIL@, ca_file: mail.pem, from: Shop <status@shop.example>, user: drctl, password: { env: MAIL_PASSWORD } }
  chat: { type: slack, url: "@CHAT@" }
audiences:
  customers_gold: { channels: [mail], to: [gold1@customer.example, gold2@customer.example], language: de, zone: Europe/Berlin }
  customers_silver: { channels: [mail], to: [silver1@customer.example, silver2@customer.example] }
  staff: [chat]
tiers:
  gold: { rto: 45m, rpo: 5m, audience: customers_gold }
  silver: { rto: 2h, rpo: 15m, audience: customers_silver }
region_pairs: { centralus: eastus2 }
services:
  shop: { title: Shop, owner: team_shop, tier: gold, priority: 1, regions: [centralus], runbook: shop }
azure:
  subscription: 00000000-0000-0000-0000-000000000001
  resource_group: rg-shop
  cloud: evening
  clouds: { evening: { authority: "@AZURE@", management: "@AZURE@", audience: https://management.azure.com } }
  credentials: { principal: { kinds: [client_secret], tenant: shop.example, client: drctl, secret: { env: AZURE_SECRET } } }
  credential: principal
"#;

const RUNBOOK: &str = r#"
drctl: 1
name: shop
kind: failover
title: Move the shop to eastus2
owner: team_shop
objectives: { rto: 45m, rpo: 5m }
defaults: { timeout: 2m }
detection:
  - id: probe
    title: Probe the shop
    action: probe.http
    with: { url: "@CENTRAL@", samples: 1 }
assessment:
  - id: lag
    title: Read how far the replica is behind
    action: http
    with: { url: "@LAG@", extract: { seconds: $.seconds } }
    outputs: { seconds: { type: number, measures: rpo } }
  - id: declare
    title: Declare the disaster
    action: assert
    needs: [lag]
    approval:
      by: [incident_commander]
      prompt: |-
        Move the shop to eastus2?
        The shop: {{ steps.probe.outputs.reason }}
    with: { that: "{{ not steps.probe.outputs.healthy }}", message: the shop is well }
execution:
  - id: database
    title: Make the database in eastus2 the primary
    action: azure.sql.failover_group
    with: { server: shop-sql-eastus2, group: shop-orders, mode: forced }
    point_of_no_return: true
    verify: { action: azure.sql.failover_group_state, with: { server: shop-sql-eastus2, group: shop-orders, is: primary }, within: 1m, every: 1s }
  - id: start
    title: Start the shop in eastus2
    action: azure.app_service.start
    needs: [database]
    with: { app: shop-web-eastus2 }
  - id: smoke_test
    title: See that orders can be placed
    action: probe.http
    needs: [start]
    with: { url: "@SMOKE@", samples: 1 }
  - id: smoke_test_passed
    title: Stop here if they cannot
    action: assert
    needs: [smoke_test]
    with: { that: "{{ steps.smoke_test.outputs.healthy }}", message: "{{ steps.smoke_test.outputs.reason }}" }
  - id: traffic
    title: Send users to eastus2
    action: azure.traffic_manager.set_endpoint
    needs: [smoke_test_passed]
    with: { profile: shop, endpoint: eastus2, status: enabled }
    verify: { action: azure.traffic_manager.endpoint, with: { profile: shop, endpoint: eastus2, is: online }, within: 1m, every: 1s }
communication:
  - id: tell_gold
    title: Tell customers of the tier gold
    action: notify
    needs: [declare]
    with: { template: incident_notification, audience: customers_gold, vars: &incident { service_name: Shop, start_time: "{{ run.since }}", impact_description: The shop cannot be reached., current_status: We move it., next_update_time: in 30 minutes } }
  - id: tell_silver
    title: Tell customers of the tier silver
    action: notify
    needs: [declare]
    with: { template: incident_notification, audience: customers_silver, vars: *incident }
  - id: over_gold
    title: Tell customers of the tier gold that it is over
    action: notify
    needs: [traffic]
    with: { template: resolution_notification, audience: customers_gold, vars: &over { service_name: Shop, resolution_time: "{{ run.now }}", root_cause_summary: A region was down., resolution_summary: The shop is served from eastus2. } }
  - id: over_silver
    title: Tell customers of the tier silver that it is over
    action: notify
    needs: [traffic]
    with: { template: resolution_notification, audience: customers_silver, vars: *over }
  - id: hand_over
    title: Hand over to staff
    action: notify
    needs: [over_gold, over_silver]
    with: { template: night_is_over, audience: staff }
"#;

const NIGHT_IS_OVER: &str = "\
---
subject: The shop is served from eastus2
---
The run {{ run.id }} is over; its journal up to here is {{ run.head }}.
";

/// The templates that ship, of which the runbook makes use.
const SHIPPED: [&str; 4] = [
    "incident_notification.md",
    "incident_notification.de.md",
    "resolution_notification.md",
    "resolution_notification.de.md",
];

pub struct Workspace {
    folder: tempfile::TempDir,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Workspace {
    /// With the addresses of the servers, by their names.
    pub fn at(addresses: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let filled = |text: &str| {
            let fill = |text: String, (name, address): &(&str, String)| text.replace(&format!("@{name}@"), address);
            addresses.iter().fold(text.to_owned(), fill)
        };
        std::fs::create_dir(path.join("runbooks")).unwrap();
        std::fs::write(path.join("drctl.yaml"), filled(WORKSPACE)).unwrap();
        std::fs::write(path.join("runbooks/shop.yaml"), filled(RUNBOOK)).unwrap();
        std::fs::create_dir(path.join("templates")).unwrap();
        for name in SHIPPED {
            // Who is told, the runbook says: customers of one tier.
            let text = std::fs::read_to_string(Path::new("templates").join(name)).unwrap();
            std::fs::write(path.join("templates").join(name), text.replace("audience: customers\n", "")).unwrap();
        }
        std::fs::write(path.join("templates/night_is_over.md"), NIGHT_IS_OVER).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drctl"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_remove("CI").env_remove("DRCTL_STATE").env_remove("DRCTL_WORKSPACE").env("NO_COLOR", "1");
        command.env("SSL_CERT_FILE", self.path("azure.pem")).env("AZURE_SECRET", "sesame");
        command.env("MAIL_PASSWORD", "sesame").env("PAGER_KEY", "key-0123456789");
        command
    }

    /// A drctl that works while the evening goes on.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub fn drctl(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments).output().unwrap())
    }

    /// The same, where all must be well.
    pub fn well(&self, arguments: &[&str]) -> String {
        let ran = self.drctl(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran.stdout
    }

    /// A command line as it was sent to somebody, with a name and a reason.
    pub fn typed(&self, line: &str, by: &str) -> Ran {
        let words: Vec<String> =
            line.split_whitespace().take_while(|word| *word != "--reason").map(str::to_owned).collect();
        assert_eq!(words[0], "drctl", "{line}");
        let mut words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        words.extend(["--as", by, "--reason", "seen the dashboards"]);
        self.drctl(&words)
    }

    /// The only run there is.
    pub fn run(&self) -> String {
        let runs = std::fs::read_dir(self.path(".drctl/runs")).unwrap();
        let mut names: Vec<String> = runs.map(|run| run.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(names.len(), 1, "{names:?}");
        names.remove(0)
    }

    pub fn status(&self) -> Value {
        serde_json::from_str(&self.drctl(&["status", &self.run(), "--json"]).stdout).unwrap()
    }
}

pub fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
