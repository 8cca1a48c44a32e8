//! Rehearsals by the built binary: what is printed, what is judged, and that a seed gives the same each time.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

#[path = "support/program.rs"]
mod program;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use drctl::sim::scenario::fields::{ENDPOINT, EXPECT, FAULTS, MESSAGE, PEOPLE, REMEDY, REPLY, SCENARIO, WORLD};
use program::{drctl, text};
use proptest::prelude::*;

const RUNBOOK: &str = r#"drctl: 1
name: orders
kind: failover
owner: t
objectives: { rto: 30m, rpo: 10s }
inputs:
  token: { type: secret, from: { env: NOBODY_HAS_SET_THIS } }
detection:
  - { id: probe, action: probe.http, with: { url: "https://orders.example.com/health", samples: 3, every: 10s } }
assessment:
  - id: declare
    action: manual
    with: { instructions: Declare it. }
    outputs: { incident: string }
  - id: lag
    action: shell
    with: { script: "lag" }
    outputs: { behind: { type: duration, measures: rpo } }
    simulate: { duration: 1s, outputs: { behind: 12s } }
execution:
  - id: promote
    action: shell
    with: { script: "promote", env: { TOKEN: "{{ inputs.token }}" } }
    approval: { by: [commander], quorum: 2 }
    timeout: 20m
    point_of_no_return: true
    on_interrupt: ask
    estimate: { typical: 4m, worst: 12m }
  - id: switch
    action: http
    needs: [promote]
    with: { method: PUT, url: "https://dns.example.com/orders" }
    verify: { action: probe.http, with: { url: "https://orders.example.com/health", every: 1s } }
    retry: { attempts: 3, initial: 2s }
    estimate: { typical: 10s }
communication:
  - id: tell
    action: notify
    needs: [switch]
    with: { template: over, audience: customers, vars: { incident: "{{ steps.declare.outputs.incident }}" } }
  - id: tell_it_failed
    action: notify
    run_if: failure
    with: { template: failed, audience: customers }
"#;

const REGION_DOWN: &str = r#"drctl: 1
scenario: region_down
runbook: orders
title: The region goes down and stays down
seed: 7
endpoints:
  - { url: "https://orders.example.com", region: centralus, moved_by: switch, moved_to: eastus2 }
  - { url: "https://dns.example.com", status: 200 }
faults:
  - region_down: { region: Central US }
people:
  declare: { answers: { incident: INC-1 }, after: 1m }
  promote: { approve: true, after: 2m }
expect:
  state: succeeded
  rto: { at_most: 30m }
  steps: { promote: succeeded, tell_it_failed: never }
  messages: [ { template: over, audience: customers, times: 1, contains: INC-1 } ]
"#;

/// A workspace with the runbook and one scenario.
fn workspace(scenario: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    let settings = "drctl: 1\nroles: { commander: [alice, bob, carol] }\n\
                    channels: { hook: { type: webhook, url: \"https://hook.example.com\" }, file: { type: file, path: out } }\n\
                    audiences: { customers: [hook, file] }\n";
    write("drctl.yaml", settings);
    write("runbooks/orders.yaml", RUNBOOK);
    write("runbooks/scenarios/orders/one.yaml", scenario);
    write("templates/over.txt", "Subject: over\n\n{{ vars.incident }} is over.\n");
    write("templates/failed.txt", "Subject: failed\n\nIt failed.\n");
    folder
}

#[test]
fn a_rehearsal_shows_the_run_in_virtual_time_and_does_nothing_outside() {
    let folder = workspace(REGION_DOWN);
    let output = drctl(folder.path(), &["rehearse", "orders", "--scenario", "region_down"]);
    assert_eq!(text(&output), include_str!("rehearse/region_down.txt"));
    assert_eq!(output.status.code(), Some(0));
    assert!(!folder.path().join("out").exists());
    // All that it leaves is a line about itself.
    let kept: Vec<_> =
        fs::read_dir(folder.path().join(".drctl")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(kept, ["rehearsals.jsonl"]);
}

#[test]
fn a_scenario_that_names_what_is_not_there_is_refused_with_places() {
    let wrong = REGION_DOWN
        .replace("faults:\n", "faults:\n  - hang: { step: promot }\n  - regoin_down: { region: x }\n")
        .replace("  promote: { approve", "  switch: { approve")
        .replace("incident: INC-1", "incdent: INC-1")
        .replace("state: succeeded", "state: suceeded");
    let folder = workspace(&wrong);
    let output = drctl(folder.path(), &["validate", "--format", "short", "runbooks/scenarios"]);
    assert_eq!(text(&output), include_str!("rehearse/invalid.txt"));
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(drctl(folder.path(), &["test"]).status.code(), Some(5));
}

#[test]
fn a_doubt_at_the_point_of_no_return_waits_for_the_operator_s_word() {
    let folder = workspace(REGION_DOWN);
    let lost = ["rehearse", "orders", "--scenario", "region_down", "--inject", "promote:lost-response"];
    let output = drctl(folder.path(), &lost);
    let shown = text(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("expected the run to be succeeded, found in doubt"), "{shown}");
    assert!(shown.contains("promote                       in doubt"), "{shown}");
}

#[test]
fn the_document_of_rehearsals_names_every_field_and_every_fault() {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rehearsal.md")).unwrap();
    let words: BTreeSet<&str> = document.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let tables = [SCENARIO, ENDPOINT, REPLY, REMEDY, EXPECT, WORLD, MESSAGE, PEOPLE];
    let fields = tables.iter().flat_map(|table| table.iter()).map(|field| field.name);
    let faults = FAULTS.iter().flat_map(|fault| fault.fields.iter().map(|field| field.name).chain([fault.name]));
    let missing: BTreeSet<&str> = fields.chain(faults).filter(|name| !words.contains(name)).collect();
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn the_scenarios_that_ship_come_out_as_they_expect() {
    let output = drctl(Path::new(env!("CARGO_MANIFEST_DIR")), &["test"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn whatever_fails_wherever_the_rehearsal_ends_and_says_how() {
    let folder = workspace(REGION_DOWN);
    for step in ["probe", "promote", "switch", "tell"] {
        for fault in ["fail", "hang", "timeout", "lost-response", "crash-after-effect"] {
            let fault = format!("{step}:{fault}");
            let arguments = ["rehearse", "orders", "--scenario", "region_down", "--inject", &fault, "--output", "json"];
            let output = drctl(folder.path(), &arguments);
            let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let state = json["state"].as_str().unwrap();
            let good = output.status.code() == Some(0);
            let ends = ["succeeded", "completed with exceptions", "paused", "in doubt"];
            assert!(ends.contains(&state) && good == (state == "succeeded"), "{fault}: {json}");
        }
    }
}

#[test]
fn what_to_type_next_keeps_the_faults_that_were_injected() {
    let folder = workspace(REGION_DOWN);
    let faults = ["--inject", "probe:hang", "--inject", "switch:lost-response"];
    let next = |more: &[&str]| {
        let shown = text(&drctl(folder.path(), &[&["rehearse", "orders"], &faults[..], more].concat()));
        shown.lines().last().unwrap_or_default().to_owned()
    };
    let again = "next: drctl rehearse orders --inject probe:hang --inject switch:lost-response --seed";
    assert_eq!(next(&[]), format!("{again} 0 --runs 1000"));
    let folder_name = folder.path().canonicalize().unwrap().display().to_string();
    assert_eq!(
        next(&["--parallel", "2", "--workspace", &folder_name]),
        format!("{again} 0 --runs 1000")
            .replace("drctl ", &format!("drctl --workspace {folder_name} "))
            .replace(" --seed", " --parallel 2 --seed")
    );
    // After many, the slowest: it can be looked at.
    assert_eq!(next(&["--runs", "1"]), format!("{again} 0"));
}

#[test]
fn nobody_is_asked_who_may_not_answer_and_the_run_waits() {
    let alone = REGION_DOWN.replace("  promote: { approve: true", "  promote: { approve: false");
    let folder = workspace(&alone.replace("state: succeeded", "state: awaiting_approval"));
    let output = drctl(folder.path(), &["rehearse", "orders", "--scenario", "region_down"]);
    let shown = text(&output);
    assert!(shown.contains("promote                       awaiting approval\n"), "{shown}");
    assert!(shown.contains("expected `promote` to be succeeded, found awaiting approval"), "{shown}");
    assert!(!shown.contains("expected the run to be"), "{shown}");
}

#[test]
fn drctl_may_die_anywhere_and_nothing_is_lost_or_done_twice() {
    let folder = workspace(REGION_DOWN);
    let output = drctl(folder.path(), &["rehearse", "orders", "--scenario", "region_down", "--crash-everywhere"]);
    assert_eq!(text(&output), include_str!("rehearse/everywhere.txt"));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn many_rehearsals_say_how_the_times_are_spread() {
    let folder = workspace(REGION_DOWN);
    let svg = folder.path().join("rto.svg");
    let arguments =
        ["rehearse", "orders", "--scenario", "region_down", "--runs", "200", "--svg", svg.to_str().unwrap()];
    assert_eq!(text(&drctl(folder.path(), &arguments)), include_str!("rehearse/runs.txt"));
    let svg = fs::read_to_string(&svg).unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>") && svg.contains("RTO 30m"), "{svg}");
    let json = drctl(folder.path(), &[&arguments[..6], &["--output", "json"]].concat());
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((json["runs"].as_u64(), json["recovered"].as_u64()), (Some(200), Some(200)));
    let of = |name: &str| json[name].as_f64().unwrap();
    assert!(of("median") < of("p90") && of("p90") <= of("p95") && of("p95") <= of("longest"), "{json}");
}

#[test]
fn a_simulated_run_asks_real_people_and_cannot_be_taken_up() {
    let folder = workspace(REGION_DOWN);
    let arguments = ["failover", "orders", "--simulate", "--speed", "1000", "--scenario", "region_down"];
    let output = drctl(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("started on a simulated world"), "{}", text(&output));
    assert!(text(&output).contains("simulation: the fault `region_down` of Central US strikes"), "{}", text(&output));
    assert!(text(&output).contains("declare"), "{}", text(&output));
    assert!(text(&drctl(folder.path(), &["runs"])).contains("no runs yet"));
    let resumed = drctl(folder.path(), &["--state", ".drctl/simulated", "resume"]);
    assert_eq!(resumed.status.code(), Some(2));
    assert!(text(&resumed).contains("its world is gone"), "{}", text(&resumed));
}

const ON_AZURE: &str = r#"drctl: 1
name: shop
kind: failover
owner: t
azure: { subscription: 00000000-0000-0000-0000-000000000001, resource_group: rg-shop }
detection:
  - { id: probe, action: probe.http, with: { url: "https://shop.example.com/health" } }
execution:
  - id: promote
    action: azure.postgres.promote_replica
    with: { server: shop-pg-eastus2, mode: forced }
    timeout: 1h
    verify: { action: azure.postgres.role, with: { server: shop-pg-eastus2, is: primary }, within: 5m }
  - id: switch_off
    action: azure.traffic_manager.set_endpoint
    needs: [promote]
    with: { profile: shop, endpoint: centralus, status: disabled }
  - id: switch_on
    action: azure.traffic_manager.set_endpoint
    needs: [switch_off]
    with: { profile: shop, endpoint: eastus2, status: enabled }
    verify: { action: probe.http, with: { url: "https://shop.example.com/health" }, within: 2m, every: 10s }
  - id: answers
    action: probe.http
    needs: [switch_on]
    with: { url: "https://shop.example.com/health" }
  - { id: judge, action: assert, needs: [answers], with: { that: "{{ steps.answers.outputs.healthy }}" } }
"#;

const AZURE_DOWN: &str = r#"drctl: 1
scenario: region_down
runbook: shop
endpoints:
  - { url: "https://shop.example.com", served_by: Microsoft.Network/trafficManagerProfiles/shop }
faults:
  - region_down: { region: Central US }
  - lost_response: { step: promote }
expect:
  state: succeeded
  steps: { promote: succeeded, judge: succeeded }
  world:
    - resource: Microsoft.Network/trafficManagerProfiles/shop/AzureEndpoints/centralus
      at: /properties/endpointStatus
      is: Disabled
"#;

#[test]
fn traffic_of_a_simulated_azure_goes_where_the_failover_sends_it() {
    let folder = workspace(REGION_DOWN);
    fs::write(folder.path().join("runbooks/shop.yaml"), ON_AZURE).unwrap();
    fs::create_dir_all(folder.path().join("runbooks/scenarios/shop")).unwrap();
    fs::write(folder.path().join("runbooks/scenarios/shop/region_down.yaml"), AZURE_DOWN).unwrap();
    let run =
        |more: &[&str]| drctl(folder.path(), &[&["rehearse", "shop", "--scenario", "region_down"], more].concat());
    let first = run(&["--journal", "first"]);
    assert_eq!(first.status.code(), Some(0), "{}", text(&first));
    run(&["--journal", "second"]);
    let journal = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
    assert_eq!(journal("first"), journal("second"));
    assert!(journal("first").contains("no answer: `centralus` is down"), "{}", journal("first"));
    let everywhere = run(&["--crash-everywhere"]);
    assert!(text(&everywhere).contains("nothing was lost, and nothing that may not"), "{}", text(&everywhere));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn the_same_seed_gives_the_same_journal(seed in any::<u64>(), crash in any::<bool>()) {
        let scenario = if crash {
            REGION_DOWN.replace("faults:\n", "faults:\n  - crash: { step: promote, point: polling }\n")
        } else {
            REGION_DOWN.to_owned()
        };
        let folder = workspace(&scenario);
        let seed = seed.to_string();
        let run = |file: &str| {
            let arguments = ["rehearse", "orders", "--scenario", "region_down", "--seed", &seed, "--journal", file];
            let output = drctl(folder.path(), &arguments);
            (text(&output), fs::read_to_string(folder.path().join(file)).unwrap())
        };
        prop_assert_eq!(run("first"), run("second"));
    }
}

#[test]
fn a_deployment_sends_the_file_that_its_step_names_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    write("templates/shop.json", r#"{ "contentVersion": "1.0.0.0", "resources": [], "outputs": "{{ not ours }}" }"#);
    write(
        "runbooks/shop.yaml",
        "drctl: 1\nname: shop\nkind: failover\nowner: t\n\
         azure: { subscription: 00000000-0000-0000-0000-000000000001, resource_group: rg }\n\
         execution:\n  - id: deploy\n    action: azure.deployment.deploy\n    \
         with: { name: shop, template_file: templates/shop.json, parameters: { size: 3 } }\n",
    );
    write(
        "runbooks/scenarios/shop/sent.yaml",
        "drctl: 1\nscenario: sent\nrunbook: shop\nexpect:\n  state: succeeded\n  world:\n    \
         - { resource: Microsoft.Resources/deployments/shop, at: /properties/template/outputs, is: \"{{ not ours }}\" }\n",
    );
    let output = drctl(folder.path(), &["test"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}
