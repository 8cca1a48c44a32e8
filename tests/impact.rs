//! A region is lost: what that hits, and one command that recovers it.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::Path;

use program::{drctl, text};
use serde_json::{Value, json};
use tempfile::TempDir;

const SETTINGS: &str = "\
drctl: 1
roles: { commander: [ada] }
region_pairs: { centralus: eastus2 }
tiers: { gold: { rto: 15m, rpo: 1m }, silver: { rto: 2h } }
services:
  identity: { owner: team_identity, tier: gold, priority: 1, regions: [centralus], runbook: identity }
  orders:
    title: Orders
    owner: team_orders
    tier: gold
    priority: 1
    regions: [centralus]
    depends_on: [identity]
    runbook: orders
    inputs: { from: \"{{ region }}\", to: \"{{ standby }}\" }
    processes: [taking orders, invoicing]
  search: { owner: team_search, tier: silver, priority: 2, regions: [centralus, westeurope], runbook: search }
  billing: { owner: team_billing, regions: [centralus] }
  mail: { owner: team_mail, regions: [westeurope], depends_on: [orders] }
  archive: { owner: team_archive, regions: [eastus2] }
";

const IDENTITY: &str = "\
drctl: 1
name: identity
kind: failover
owner: team_identity
objectives: { rto: 10m }
execution:
  - { id: move, action: shell, with: { script: \"echo identity >> moved; test ! -e broken\" }, timeout: 1m, estimate: { typical: 1m } }
";

const ORDERS: &str = "\
drctl: 1
name: orders
kind: failover
owner: team_orders
objectives: { rto: 10m }
inputs: { from: { type: string }, to: { type: string } }
execution:
  - id: move
    action: shell
    with: { script: \"echo orders from $FROM to $TO >> moved\", env: { FROM: \"{{ inputs.from }}\", TO: \"{{ inputs.to }}\" } }
    timeout: 5m
    estimate: { typical: 2m }
";

const SEARCH: &str = "\
drctl: 1
name: search
kind: failover
owner: team_search
execution:
  - { id: move, action: shell, with: { script: \"echo search >> moved\" }, timeout: 1m, estimate: { typical: 1m } }
";

fn workspace(settings: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("runbooks")).unwrap();
    write("drctl.yaml", settings);
    write("runbooks/identity.yaml", IDENTITY);
    write("runbooks/orders.yaml", ORDERS);
    write("runbooks/search.yaml", SEARCH);
    folder
}

fn told(folder: &Path, arguments: &[&str]) -> (String, Option<i32>) {
    let output = drctl(folder, arguments);
    (text(&output), output.status.code())
}

fn moved(folder: &Path) -> String {
    fs::read_to_string(folder.join("moved")).unwrap_or_default()
}

#[test]
fn a_lost_region_is_told_in_the_order_of_recovery_with_what_nothing_recovers() {
    let folder = workspace(SETTINGS);
    let (said, code) = told(folder.path(), &["impact", "--region", "centralus"]);
    assert_eq!(
        said,
        "\
centralus is lost: 5 services hit, 4 directly; in the order of recovery:

    SERVICE   IS       TIER    RTO  RPO  OWNER          RUNBOOK                LAST TRIED
 1  identity  down     gold    15m  1m   team_identity  identity, to eastus2   never rehearsed; never run
 2  orders    down     gold    15m  1m   team_orders    orders, to eastus2     never rehearsed; never run
      stops: taking orders, invoicing
 3  search    reduced  silver  2h   -    team_search    search, to westeurope  never rehearsed; never run
 4  billing   down     -       -    -    team_billing   NONE                   -
 5  mail      down     -       -    -    team_mail      -                      -
      through orders

NO RUNBOOK RECOVERS:
  billing: owner team_billing

not hit, but without a standby while centralus is lost: archive
next: drctl failover --region centralus --plan-only
"
    );
    assert_eq!(code, Some(0));
}

#[test]
fn programs_read_the_same_and_when_it_was_tried() {
    let folder = workspace(SETTINGS);
    assert_eq!(told(folder.path(), &["rehearse", "orders", "--set", "from=a", "--set", "to=b"]).1, Some(0));
    let (said, _) = told(folder.path(), &["impact", "--service", "orders", "--output", "json"]);
    let mut document: Value = serde_json::from_str(&said).unwrap();
    let rehearsed = document["hit"][0]["runbook"]["tried"]["rehearsed"].take();
    assert!(rehearsed.as_str().unwrap().ends_with('Z'), "{rehearsed}");
    let orders = json!({
        "service": "orders", "title": "Orders", "is": "down", "direct": true, "through": [], "from": "centralus",
        "to": "eastus2", "owner": "team_orders", "tier": "gold", "priority": 1, "rto_seconds": 900.0,
        "rpo_seconds": 60.0, "depends_on": ["identity"], "processes": ["taking orders", "invoicing"],
        "runbook": {
            "name": "orders", "kind": "failover", "inputs": { "from": "centralus", "to": "eastus2" },
            "tried": { "rehearsed": null, "scenarios": 1, "not_as_expected": [], "run": null },
        },
    });
    let mail = json!({
        "service": "mail", "title": null, "is": "down", "direct": false, "through": ["orders"], "from": null,
        "to": null, "owner": "team_mail", "tier": null, "priority": 100, "rto_seconds": null, "rpo_seconds": null,
        "depends_on": ["orders"], "processes": [], "runbook": null,
    });
    let wanted = json!({
        "drctl": 1, "lost": { "service": "orders" }, "hit": [orders, mail], "without_runbook": [], "exposed": [],
    });
    assert_eq!(document, wanted);
}

#[test]
fn what_is_hit_is_drawn() {
    let folder = workspace(SETTINGS);
    let (mermaid, _) = told(folder.path(), &["impact", "--service", "orders", "--graph", "mermaid"]);
    assert_eq!(
        mermaid,
        "\
flowchart TD
  s0[\"Orders<br/>orders<br/>down, gold, RTO 15m<br/>orders to eastus2\"]
  s1[\"mail<br/>down\"]
  classDef final fill:#ffe9e7,color:#1f2328
  classDef gate fill:#fff6d6,color:#1f2328
  classDef out stroke-dasharray:4 3
  class s0 final
  class s1 out
  s0 --> s1
"
    );
    let (said, _) = told(folder.path(), &["impact", "--region", "centralus", "--graph", "svg", "--out", "impact.svg"]);
    assert_eq!(said, "written to `impact.svg`\n");
    let svg = fs::read_to_string(folder.path().join("impact.svg")).unwrap();
    let boxes: Vec<&str> = svg.lines().filter_map(|line| line.strip_prefix("<g class=\"step")).collect();
    let boxes: Vec<&str> = boxes.iter().map(|line| line.split("\"><rect").next().unwrap()).collect();
    assert_eq!(
        boxes,
        [
            " final\" data-step=\"identity",
            " final\" data-step=\"orders",
            " gate\" data-step=\"search",
            " final\" data-step=\"billing",
            " out\" data-step=\"mail",
        ]
    );
    assert!(svg.contains("data-from=\"identity\" data-to=\"orders\"") && svg.contains(">no runbook<"), "{svg}");
    assert!(svg.contains(">reduced<") && !svg.contains("critical path"), "{svg}");
    let (dot, _) = told(folder.path(), &["impact", "--service", "orders", "--graph", "dot"]);
    assert!(dot.starts_with("digraph \"orders is lost\" {\n") && dot.contains("  \"orders\" -> \"mail\";\n"), "{dot}");
}

#[test]
fn what_is_not_there_is_refused_with_what_may_be_meant() {
    let folder = workspace(SETTINGS);
    let refused = [
        (
            &["impact", "--region", "centralsu"][..],
            2,
            "no region is called `centralsu`: there are centralus, eastus2, westeurope; did you mean `centralus`?",
        ),
        (&["impact", "--service", "mial"], 2, "did you mean `mail`?"),
        (&["failover", "--region", "mars", "--plan-only"], 2, "no region is called `mars`"),
        (
            &["failover", "--region", "eastus2", "--plan-only"],
            2,
            "no service that runs in `eastus2` has a runbook: archive",
        ),
        (&["failover", "orders", "--region", "centralus"], 2, "cannot be used with"),
        (
            &["failover", "--region", "centralus", "--set", "from=eastus2", "--plan-only"],
            2,
            "`--set` does not go with `--region`: what its runbooks are given stands in `inputs` of the services",
        ),
        (&["failover", "orders", "--plan-only"], 2, "cannot be used with"),
        (
            &["failover", "--region", "centralus"],
            2,
            "recover 3 services that run in centralus? nobody is here to answer: add `--yes`",
        ),
    ];
    for (arguments, wanted, why) in refused {
        let (said, code) = told(folder.path(), arguments);
        assert!(code == Some(wanted) && said.contains(why), "{arguments:?}: {said}");
    }
    assert!(!folder.path().join(".drctl").exists());
}

#[test]
fn one_command_recovers_a_region_in_order_and_says_what_nothing_recovers() {
    let folder = workspace(SETTINGS);
    let (said, code) = told(folder.path(), &["failover", "--region", "centralus", "--yes", "--output", "plain"]);
    assert!(
        said.contains("NO RUNBOOK RECOVERS `billing`\n") && said.contains("failover `region-centralus`: 6 steps"),
        "{said}"
    );
    assert_eq!(
        (moved(folder.path()).as_str(), code),
        ("identity\norders from centralus to eastus2\nsearch\n", Some(0))
    );
    let (impact, _) = told(folder.path(), &["impact", "--region", "centralus"]);
    assert!(impact.contains("orders, to eastus2     never rehearsed; run today (succeeded)"), "{impact}");
    let run = fs::read_dir(folder.path().join(".drctl/runs")).unwrap().next().unwrap().unwrap();
    assert!(run.file_name().to_str().unwrap().starts_with("region-centralus-"));
    assert!(told(folder.path(), &["verify", run.file_name().to_str().unwrap()]).0.contains("the chain holds"));
}

#[test]
fn what_ships_is_back_in_time_even_at_worst() {
    let (said, code) =
        told(Path::new(env!("CARGO_MANIFEST_DIR")), &["failover", "--region", "centralus", "--plan-only"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("; RTO 8h: ") && said.contains("\nback after\n"), "{said}");
    let late: Vec<&str> = said.lines().filter(|line| line.ends_with(" over it")).collect();
    assert_eq!(late, [""; 0]);
}

#[test]
fn after_a_failure_only_what_depends_on_it_waits_and_the_run_is_taken_up_again() {
    let folder = workspace(SETTINGS);
    fs::write(folder.path().join("broken"), "").unwrap();
    let failover = ["failover", "--region", "centralus", "--at-once", "--yes", "--output", "plain"];
    let (said, code) = told(folder.path(), &failover);
    let mut lines: Vec<String> = moved(folder.path()).lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!((lines, code), (vec!["identity".to_owned(), "search".to_owned()], Some(1)), "{said}");
    fs::remove_file(folder.path().join("broken")).unwrap();
    assert_eq!(told(folder.path(), &["retry", "identity.move"]).1, Some(0));
    let (said, code) = told(folder.path(), &["resume", "--output", "plain"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        !said.contains("is gone") && moved(folder.path()).ends_with("orders from centralus to eastus2\n"),
        "{said}"
    );
}

#[test]
fn a_runbook_that_a_region_s_failover_calls_and_that_was_edited_is_noticed() {
    let folder = workspace(SETTINGS);
    fs::write(folder.path().join("broken"), "").unwrap();
    assert_eq!(told(folder.path(), &["failover", "--region", "centralus", "--yes", "--output", "plain"]).1, Some(1));
    fs::write(folder.path().join("runbooks/orders.yaml"), ORDERS.replace("echo orders", "echo ORDERS")).unwrap();
    let (said, code) = told(folder.path(), &["resume"]);
    assert!(said.contains("the runbook was edited since the run started") && code == Some(5), "{said}");
    fs::remove_file(folder.path().join("broken")).unwrap();
    assert_eq!(told(folder.path(), &["retry", "identity.move"]).1, Some(0));
    assert_eq!(told(folder.path(), &["resume", "--adopt", "--output", "plain"]).1, Some(0));
    assert!(moved(folder.path()).contains("ORDERS from centralus"));
}

#[test]
fn the_runbook_of_a_region_is_written_for_review_and_run_by_its_name() {
    let folder = workspace(SETTINGS);
    let write = ["failover", "--region", "centralus", "--write", "runbooks/region-centralus.yaml"];
    let (said, code) = told(folder.path(), &write);
    assert!(said.ends_with("  next: drctl failover region-centralus\n") && code == Some(0), "{said}");
    let (again, code) = told(folder.path(), &write);
    assert!(again.contains("`runbooks/region-centralus.yaml`: File exists") && code == Some(2), "{again}");
    assert_eq!(told(folder.path(), &["plan", "region-centralus"]).1, Some(0));
    assert_eq!(told(folder.path(), &["failover", "region-centralus", "--output", "plain"]).1, Some(0));
    assert_eq!(moved(folder.path()), "identity\norders from centralus to eastus2\nsearch\n");
}

#[test]
fn a_region_s_failover_is_tried_without_being_asked_where_nothing_changes() {
    let folder = workspace(SETTINGS);
    for option in ["--dry-run", "--simulate"] {
        let arguments = ["failover", "--region", "centralus", option, "--output", "plain", "--speed", "100000"];
        let (said, code) = told(folder.path(), if option == "--simulate" { &arguments } else { &arguments[..6] });
        assert_eq!(code, Some(0), "{said}");
    }
    assert_eq!(moved(folder.path()), "");
}

#[test]
fn gates_of_the_runbooks_that_are_called_hold() {
    let folder = workspace(SETTINGS);
    let gated =
        ORDERS.replace("    timeout: 5m\n", "    timeout: 5m\n    approval: { by: [commander], prompt: \"Move?\" }\n");
    fs::write(folder.path().join("runbooks/orders.yaml"), gated).unwrap();
    let (_, code) = told(folder.path(), &["failover", "--region", "centralus", "--yes", "--output", "plain"]);
    assert_eq!((moved(folder.path()).as_str(), code), ("identity\n", Some(3)));
    assert_eq!(told(folder.path(), &["approve", "orders.move", "--as", "ada"]).1, Some(0));
    assert_eq!(told(folder.path(), &["resume", "--output", "plain"]).1, Some(0));
    assert!(moved(folder.path()).ends_with("orders from centralus to eastus2\nsearch\n"));
}

#[test]
fn what_the_settings_say_of_runbooks_is_checked_against_these() {
    let settings = SETTINGS
        .replace("runbook: orders\n", "runbook: order\n")
        .replace("runbook: search }", "runbook: search, inputs: { mode: fast } }")
        .replace("runbook: identity }", "runbook: orders, inputs: { from: \"{{ regoin }}\" } }")
        + "\x20 slow: { owner: a, tier: gold, rto: 5m, regions: [westus], runbook: identity }
  # drctl: allow(service) its provider keeps it
  kept: { owner: a, tier: gold, regions: [westus] }
  bare: { owner: a, tier: gold, regions: [westus] }
  # drctl: allow(service) nothing is wrong here
  fine: { owner: a, tier: gold, regions: [westus], runbook: identity }
maintenance_windows: { short: { day: sunday, at: \"02:00\", lasts: 1h } }
drills:
  one: { runbook: identity, every: year, since: 2026-01-01 }
  two: { runbook: identity, kind: failover, every: year, since: 2026-01-01, window: short, lasts: 2h }
";
    let folder = workspace(&settings);
    let (said, code) = told(folder.path(), &["validate", "--format", "short"]);
    let found: Vec<&str> = said.lines().filter(|line| line.starts_with("drctl.yaml")).collect();
    assert_eq!(
        found,
        [
            "drctl.yaml:6:93: error[service]: service `identity`: runbook `orders` needs the input `to` (a string)",
            "drctl.yaml:6:111: error[service]: service `identity`: `from`: here stand `{{ region }}` and `{{ standby }}` and nothing else, found `regoin`; did you mean `region`?",
            "drctl.yaml:14:14: error[service]: service `orders`: no failover runbook is called `order` (did you mean `orders`?)",
            "drctl.yaml:17:121: error[service]: service `search`: runbook `search` has no input `mode`",
            "drctl.yaml:21:70: warning[service]: the RTO of service `slow` is 5m, that of its runbook `identity` 10m",
            "drctl.yaml:24:3: warning[service]: no runbook recovers service `bare`, which is to be back in 15m (tier `gold`)",
            "drctl.yaml:29:19: error[calendar]: drill `one`: no drill runbook is called `identity`",
            "drctl.yaml:30:3: warning[calendar]: drill `two` may last 2h, its window `short` is open for 1h",
        ],
        "{said}"
    );
    assert_eq!(code, Some(5));
    let vain = SETTINGS.replace("  archive:", "  # drctl: allow(service) nothing is wrong here\n  archive:");
    let (said, _) = told(workspace(&vain).path(), &["validate", "--format", "short"]);
    let found: Vec<&str> = said.lines().filter(|line| line.starts_with("drctl.yaml")).collect();
    assert_eq!(found, ["drctl.yaml:20:18: warning[allow]: there is no `service` here to allow"]);
    // What is wrong with a service is in the way of recovering that, and of no other run.
    let (said, code) = told(folder.path(), &["failover", "--region", "centralus", "--plan-only"]);
    assert!(said.contains("what `drctl.yaml` says of these services is wrong") && code == Some(5), "{said}");
    assert_eq!(told(folder.path(), &["failover", "search", "--output", "plain"]).1, Some(0));
}
