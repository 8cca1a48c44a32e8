//! What goes wrong in a rehearsal, and how long things take there: a fault strikes, or it is said that it did not.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::Path;

use program::{drctl, text};
use serde_json::Value;

const HEAD: &str = "kind: failover\nowner: t\n\
    azure: { subscription: 00000000-0000-0000-0000-000000000001, resource_group: rg }\n";

/// A workspace of runbooks, each by its name and what follows its head.
fn workspace(runbooks: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("runbooks")).unwrap();
    fs::write(folder.path().join("drctl.yaml"), "drctl: 1\n").unwrap();
    for (name, steps) in runbooks {
        let runbook = format!("drctl: 1\nname: {name}\n{HEAD}{steps}");
        fs::write(folder.path().join(format!("runbooks/{name}.yaml")), runbook).unwrap();
    }
    folder
}

/// Rehearses `shop` with a scenario, as JSON.
fn rehearsed(folder: &Path, scenario: &str, more: &[&str]) -> (Value, Option<i32>) {
    fs::write(folder.join("one.yaml"), format!("drctl: 1\nscenario: one\nrunbook: shop\n{scenario}")).unwrap();
    let arguments = [&["rehearse", "shop", "--scenario", "one.yaml", "--output", "json"], more].concat();
    let output = drctl(folder, &arguments);
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)));
    (json, output.status.code())
}

/// The state and the reason of a step.
fn step<'j>(json: &'j Value, path: &str) -> (&'j str, &'j str) {
    let found = json["steps"].as_array().unwrap().iter().find(|step| step["step"] == path).unwrap();
    (found["state"].as_str().unwrap(), found["reason"].as_str().unwrap_or_default())
}

const SHOP: &str = r#"inputs: { url: { type: string, default: "https://shop.example.com" } }
detection:
  - { id: probe, action: azure.traffic_manager.endpoint, with: { profile: shop, endpoint: eastus2 } }
assessment:
  - { id: declare, action: manual, with: { instructions: Declare it. } }
execution:
  - id: switch_on
    action: azure.traffic_manager.set_endpoint
    with: { profile: shop, endpoint: eastus2, status: enabled }
    timeout: 5m
    estimate: { typical: 45s }
  - { id: stop, action: assert, needs: [switch_on], with: { that: true } }
  - id: switch_off
    action: azure.traffic_manager.set_endpoint
    needs: [stop]
    with: { profile: shop, endpoint: centralus, status: disabled }
    estimate: { typical: 1s }
  - { id: answers, action: probe.http, needs: [switch_off], with: { url: "{{ inputs.url }}" } }
  - { id: inner, action: runbook, needs: [answers], with: { runbook: inner } }
communication:
  - { id: never, action: wait, run_if: failure, with: { for: 1s } }
"#;
const INNER: &str = "execution:\n  - { id: rest, action: wait, with: { for: 1s } }\n";

fn shop() -> tempfile::TempDir {
    workspace(&[("shop", SHOP), ("inner", INNER)])
}

#[test]
fn a_fault_that_can_never_strike_is_refused_before_anything_is_rehearsed() {
    let folder = shop();
    let refused = [
        ("declare:hang", "`hang` cannot strike `declare`: a person does it, and `people` says how they answer"),
        (
            "inner:fail",
            "`failed_operation` cannot strike `inner`: it calls a runbook; name one of its steps, as `inner.STEP`",
        ),
        (
            "stop:lost-response",
            "`lost_response` cannot strike `stop`: `assert` sends nothing whose answer could be lost",
        ),
        (
            "inner.rest:lost-response",
            "`lost_response` cannot strike `inner.rest`: `wait` sends nothing whose answer could be lost",
        ),
        ("switch_onn:fail", "no step of the runbook is called `switch_onn`; did you mean `switch_on`?"),
        (
            "inner.rest[eu]:fail",
            "`rest` has no instance `eu`: it has no `for_each`, and runs once; did you mean `inner.rest`?",
        ),
        ("inner[eu:fail", "`inner[eu` is no name of a step: wanted `STEP`, `STEP[KEY]` or `CALL[KEY].STEP`"),
    ];
    for (fault, why) in refused {
        let output = drctl(folder.path(), &["rehearse", "shop", "--inject", fault]);
        assert_eq!((text(&output), output.status.code()), (format!("error: `--inject`: {why}\n"), Some(2)));
    }
    let scenario = "drctl: 1\nscenario: one\nrunbook: shop\nfaults: [ { hang: { step: declare } }, { busy: { step: stop, for: 1m } } ]\n";
    fs::create_dir_all(folder.path().join("runbooks/scenarios")).unwrap();
    fs::write(folder.path().join("runbooks/scenarios/one.yaml"), scenario).unwrap();
    let output = drctl(folder.path(), &["validate", "--format", "short"]);
    let found = "runbooks/scenarios/one.yaml:4:13: error[fault]: `hang` cannot strike `declare`: a person does it, and `people` says how they answer\n\
        runbooks/scenarios/one.yaml:4:42: error[fault]: `busy` cannot strike `stop`: `assert` does not reach Azure\n";
    assert!(text(&output).starts_with(found), "{}", text(&output));
}

#[test]
fn a_fault_that_never_struck_is_a_difference_however_it_is_rehearsed() {
    let folder = shop();
    let (json, code) = rehearsed(folder.path(), "", &["--inject", "never:fail"]);
    let differs = "expected the fault `failed_operation` in `never` to strike, found that it never did";
    assert_eq!((&json["differences"], code), (&serde_json::json!([differs]), Some(1)));
    for many in [&["--runs", "3"][..], &["--crash-everywhere"]] {
        let (json, code) = rehearsed(folder.path(), "", &[&["--inject", "never:fail"], many].concat());
        assert_eq!((&json["never_struck"], code), (&serde_json::json!(["`failed_operation` in `never`"]), Some(1)));
    }
}

#[test]
fn whatever_may_strike_a_step_on_azure_strikes_it_whether_it_reads_or_writes() {
    let folder = shop();
    for step in ["probe", "switch_on"] {
        for fault in ["fail", "hang", "timeout", "lost-response", "crash-after-effect"] {
            let (json, _) = rehearsed(folder.path(), "", &["--inject", &format!("{step}:{fault}")]);
            assert_eq!(json["differences"], serde_json::json!([]), "{step}:{fault}");
        }
    }
}

/// Why the client gives up reading the endpoint `eastus2`.
fn unread(why: &str) -> String {
    let path = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/\
        Microsoft.Network/trafficManagerProfiles/shop/AzureEndpoints/eastus2";
    format!("cannot read `{path}`: {why}")
}

#[test]
fn a_change_on_azure_that_hangs_sends_nothing_and_one_that_times_out_has_its_effect_and_says_what_was_sent() {
    let folder = shop();
    let url = "https://management.azure.com/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/\
        Microsoft.Network/trafficManagerProfiles/shop/AzureEndpoints/eastus2?api-version=2022-04-01";
    let sent = unread(&format!(
        "no answer within 30 s (tried for 1m30s); set the endpoint `eastus2`: enabled was sent as PATCH {url}, no answer came, and it may \
         have happened"
    ));
    for (fault, status, why) in [("hang", "Disabled", "timed out after 5m"), ("timeout", "Enabled", &*sent)] {
        let world = format!(
            "expect:\n  world:\n    - {{ resource: Microsoft.Network/trafficManagerProfiles/shop/AzureEndpoints/eastus2, \
             at: /properties/endpointStatus, is: {status} }}\n"
        );
        let (json, _) = rehearsed(folder.path(), &world, &["--inject", &format!("switch_on:{fault}")]);
        assert_eq!(
            (step(&json, "switch_on"), &json["differences"]),
            (("failed", why), &serde_json::json!([])),
            "{fault}"
        );
    }
}

#[test]
fn of_a_step_that_only_reads_the_requests_are_struck_and_the_client_asks_again() {
    let folder = shop();
    let (json, code) = rehearsed(folder.path(), "", &["--inject", "probe:lost-response"]);
    assert_eq!((step(&json, "probe").0, code), ("succeeded", Some(0)), "{json}");
    let silent = unread("no answer within 30 s (tried for 1m30s)");
    let given_up = [
        ("lost_response: { step: probe, times: 40 }", unread("connection reset by peer (tried for 1m30s)")),
        ("hang: { step: probe }", "timed out after 10m".to_owned()),
        ("timeout: { step: probe }", silent.clone()),
        ("stuck_operation: { step: probe }", silent),
        ("failed_operation: { step: probe }", unread("400 `BadRequest`: The request cannot be carried out. (request ")),
        (
            "failed_operation: { step: probe, code: AuthorizationFailed, message: Ask them }",
            unread("403 `AuthorizationFailed`: Ask them (request "),
        ),
    ];
    for (fault, why) in given_up {
        let (json, _) = rehearsed(folder.path(), &format!("faults: [ {fault} ]\n"), &[]);
        let (state, reason) = step(&json, "probe");
        assert!(state == "failed" && reason.starts_with(&why), "{fault}: {reason}");
    }
}

#[test]
fn what_azure_does_at_once_takes_as_long_as_the_step_says() {
    let (json, _) = rehearsed(shop().path(), "", &[]);
    let path = json["critical_path"].as_array().unwrap();
    let part = path.iter().find(|part| part["step"] == "switch_on").unwrap();
    assert_eq!((part["machine"].as_f64(), &part["machine_source"]), (Some(45.0), &serde_json::json!("runbook")));
}

#[test]
fn a_timeout_that_is_shorter_than_what_azure_takes_is_found_and_the_change_has_happened() {
    let folder = workspace(&[("shop", &SHOP.replace("timeout: 5m", "timeout: 30s")), ("inner", INNER)]);
    let enabled = "expect:\n  world:\n    - { resource: Microsoft.Network/trafficManagerProfiles/shop/AzureEndpoints/eastus2, \
        at: /properties/endpointStatus, is: Enabled }\n";
    let (json, _) = rehearsed(folder.path(), enabled, &[]);
    let wanted = (("failed", "timed out after 30s"), &serde_json::json!([]));
    assert_eq!((step(&json, "switch_on"), &json["differences"]), wanted);
}

/// The reason that the probe `answers` gives, where the step before it waits as long.
fn seen_after(wait: &str, scenario: &str) -> String {
    let steps = SHOP.replace(
        "id: answers, action: probe.http, needs: [switch_off]",
        "id: answers, action: probe.http, needs: [a_while]",
    );
    let wait = format!(
        "  - {{ id: a_while, action: wait, needs: [switch_off], with: {{ for: {wait} }} }}\n  - {{ id: answers"
    );
    let folder = workspace(&[("shop", &steps.replace("  - { id: answers", &wait)), ("inner", INNER)]);
    fs::write(folder.path().join("one.yaml"), format!("drctl: 1\nscenario: one\nrunbook: shop\n{scenario}")).unwrap();
    let arguments = ["rehearse", "shop", "--scenario", "one.yaml", "--journal", "journal"];
    drctl(folder.path(), &arguments);
    let journal = fs::read_to_string(folder.path().join("journal")).unwrap();
    let outcome = journal.lines().find(|line| line.contains(r#""step":"answers""#) && line.contains("reason")).unwrap();
    outcome.split(r#""reason":""#).nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[test]
fn users_reach_the_new_region_when_resolvers_have_forgotten_the_old_one() {
    // The profile says 30 s, from the change that comes first.
    let scenario = "endpoints: [ { url: \"https://shop.example.com\", served_by: Microsoft.Network/trafficManagerProfiles/shop } ]\n\
        resources:\n  - { type: Microsoft.Network/trafficManagerProfiles, name: shop/AzureEndpoints/centralus, properties: { priority: 1 } }\n  \
        - { type: Microsoft.Network/trafficManagerProfiles, name: shop/AzureEndpoints/eastus2, properties: { priority: 2 } }\n  \
        - { type: Microsoft.Network/trafficManagerProfiles, name: shop, properties: { dnsConfig: { ttl: 120 } } }\n\
        faults: [ { region_down: { region: centralus } } ]\n";
    assert_eq!(seen_after("30s", scenario), "0 of 3 samples good, wanted 2; sample 3: no answer: `centralus` is down");
    assert_eq!(seen_after("80s", scenario), "3 of 3 samples good");
    let moved = "endpoints: [ { url: \"https://shop.example.com\", region: centralus, moved_by: switch_on, moved_to: eastus2 } ]\n\
        resources: [ { type: Microsoft.Network/trafficManagerProfiles, name: shop, properties: { dnsConfig: { ttl: 120 } } } ]\n\
        faults: [ { region_down: { region: centralus } } ]\n";
    assert_eq!(seen_after("30s", moved), "0 of 3 samples good, wanted 2; sample 3: no answer: `centralus` is down");
    assert_eq!(seen_after("80s", moved), "3 of 3 samples good");
}

#[test]
fn what_a_call_names_for_each_of_its_items_is_there() {
    let each = "execution:\n  - id: each\n    action: runbook\n    for_each: [one, two]\n    \
        with: { runbook: server, inputs: { name: \"shop-{{ item }}\" } }\n";
    let server = "inputs: { name: { type: string } }\nexecution:\n  - id: promote\n    \
        action: azure.postgres.promote_replica\n    with: { server: \"{{ inputs.name }}\", mode: forced }\n    timeout: 1h\n";
    let folder = workspace(&[("shop", each), ("server", server)]);
    let promoted = "expect:\n  state: succeeded\n  world:\n    \
        - { resource: Microsoft.DBforPostgreSQL/flexibleServers/shop-two, at: /properties/replicationRole, is: None }\n";
    assert_eq!(rehearsed(folder.path(), promoted, &[]).0["differences"], serde_json::json!([]));
}

#[test]
fn what_a_request_makes_has_the_same_name_however_often_drctl_dies() {
    let steps = "execution:\n  - { id: sync, action: azure.data_factory.run_pipeline, with: { factory: f, pipeline: p }, timeout: 3h }\n  \
        - { id: load, action: azure.data_factory.run_pipeline, with: { factory: f, pipeline: q }, timeout: 3h }\n";
    let folder = workspace(&[("shop", steps)]);
    let (json, code) = rehearsed(folder.path(), "", &["--crash-everywhere"]);
    assert_eq!((&json["wrong"], code), (&serde_json::json!([]), Some(0)));
}

#[test]
fn a_crash_that_harms_nothing_is_no_alarm() {
    // Whoever of two comes first starts the machine; what Azure began and failed to do may be begun once more; and what
    // struck the attempt that was killed need not strike the next one.
    let same = "execution:\n  - { id: start, action: azure.vm.start, for_each: [one, two], with: { vm: same } }\n";
    let sql = "execution:\n  - { id: move, action: azure.sql.failover_group, with: { server: s2, group: g, mode: forced }, timeout: 5m }\n";
    let look = "  - { id: look, action: azure.traffic_manager.endpoint, with: { profile: shop, endpoint: eastus2 } }\n";
    let looked =
        sql.replace("execution:\n", &format!("execution:\n{look}")).replace("id: move,", "id: move, needs: [look],");
    for (steps, fault) in [
        (same, ""),
        (sql, "faults: [ { failed_operation: { step: move } } ]\n"),
        (&looked, "faults: [ { timeout: { step: look } } ]\n"),
    ] {
        let folder = workspace(&[("shop", steps)]);
        let (json, code) = rehearsed(folder.path(), fault, &["--crash-everywhere"]);
        assert_eq!((&json["wrong"], code), (&serde_json::json!([]), Some(0)), "{steps}");
    }
}

#[test]
fn a_crash_that_harms_is_rehearsed_by_itself() {
    let put = |id: &str| {
        format!(
            "  - {{ id: {id}, action: azure.request, with: {{ method: PUT, path: /resourceGroups/rg/providers/Microsoft.Kusto/clusters/one, \
             api_version: \"2024-04-13\", json: {{ tags: {{ by: {id} }} }} }} }}\n"
        )
    };
    let folder = workspace(&[("shop", &format!("execution:\n{}{}", put("one"), put("two")))]);
    let shown = text(&drctl(folder.path(), &["rehearse", "shop", "--crash-everywhere"]));
    let wrong = shown.lines().find_map(|line| line.strip_prefix("killed ")?.split_once(": ")).unwrap();
    let next = shown.lines().find_map(|line| line.strip_prefix("next: drctl ")).unwrap();
    let output = drctl(folder.path(), &next.split(' ').collect::<Vec<_>>());
    let shown = text(&output);
    assert!(
        shown.contains("\ndrctl was killed once and taken up again\n") && shown.contains(wrong.1),
        "{next}: {shown}"
    );
    assert_eq!(output.status.code(), Some(1));
    for (point, told) in [
        ("before:99", "error: `--crash before:99`: the journal of this rehearsal has the records 1 to 8\n"),
        ("8", "wanted `before:RECORD` or `after:RECORD`, as `--crash-everywhere` names it, found `8`"),
    ] {
        let output = drctl(folder.path(), &["rehearse", "shop", "--crash", point]);
        assert!(text(&output).contains(told) && output.status.code() == Some(2), "{}", text(&output));
    }
}

#[test]
fn what_a_request_of_any_kind_is_about_is_there_and_does_what_is_asked() {
    let steps = "execution:\n  \
        - { id: restart, action: azure.request, with: { method: POST, path: /resourceGroups/rg/providers/Microsoft.Kusto/clusters/one/start, api_version: \"2024-04-13\" } }\n  \
        - { id: sync, action: azure.request, with: { method: POST, path: /resourceGroups/rg/providers/Microsoft.Web/sites/shop/syncfunctiontriggers, api_version: \"2024-11-01\" } }\n  \
        - { id: check, action: azure.request, with: { method: POST, path: /subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Cdn/checkNameAvailability, api_version: \"2025-04-15\" } }\n  \
        - { id: change, action: azure.request, with: { method: PATCH, path: /resourceGroups/rg/providers/Microsoft.Kusto/clusters/two, api_version: \"2024-04-13\", json: { tags: { a: b } } } }\n  \
        - { id: make, action: azure.request, with: { method: PUT, path: /resourceGroups/rg/providers/Microsoft.Kusto/clusters/three, api_version: \"2024-04-13\", json: {} } }\n  \
        - { id: remove, action: azure.request, with: { method: DELETE, path: /resourceGroups/rg/providers/Microsoft.Kusto/clusters/four, api_version: \"2024-04-13\" } }\n";
    let folder = workspace(&[("shop", steps)]);
    let (json, code) = rehearsed(folder.path(), "expect: { state: succeeded }\n", &[]);
    assert_eq!((&json["differences"], code), (&serde_json::json!([]), Some(0)), "{json}");
    let absent = "resources: [ { type: Microsoft.Kusto/clusters, name: one, absent: true } ]\n";
    let (json, _) = rehearsed(folder.path(), absent, &[]);
    assert!(step(&json, "restart").1.contains("404 `ResourceNotFound`"), "{json}");
}

#[test]
fn a_request_of_any_kind_fails_a_database_over_to_the_server_it_is_sent_to_in_any_api_version() {
    let group = "Microsoft.Sql/servers/shop-sql-eastus2/failoverGroups/shop";
    let instances = "Microsoft.Sql/locations/eastus2/instanceFailoverGroups/shop";
    let ask = |id: &str, path: &str, version: &str| {
        format!(
            "  - {{ id: {id}, action: azure.request, with: {{ method: POST, path: /resourceGroups/rg/providers/{path}/failover, \
             api_version: \"{version}\" }} }}\n"
        )
    };
    let steps = [ask("group", group, "2021-11-01"), ask("instances", instances, "2022-05-01-preview")];
    let folder = workspace(&[("shop", &format!("execution:\n{}", steps.concat()))]);
    let holds = |resource: &str, role: &str| {
        format!("    - {{ resource: {resource}, at: /properties/replicationRole, is: {role} }}\n")
    };
    let other = group.replace("eastus2", "centralus");
    let world = [holds(group, "Primary"), holds(&other, "Secondary"), holds(instances, "Primary")].concat();
    let (json, code) = rehearsed(folder.path(), &format!("expect:\n  state: succeeded\n  world:\n{world}"), &[]);
    assert_eq!((&json["differences"], code), (&serde_json::json!([]), Some(0)), "{json}");
    // A scenario knows better.
    let primary = "resources:\n  - { type: Microsoft.Sql/servers, name: shop-sql-eastus2/failoverGroups/shop, properties: { replicationRole: Primary } }\n";
    let (json, _) = rehearsed(folder.path(), primary, &[]);
    assert!(step(&json, "group").1.contains("`FailoverGroupFailoverRequestOnPrimary`"), "{json}");
    let malformed = steps.concat().replace("2021-11-01", "2021-13-01");
    let folder = workspace(&[("shop", &format!("execution:\n{malformed}"))]);
    let (json, _) = rehearsed(folder.path(), "", &[]);
    assert!(step(&json, "group").1.contains("400 `InvalidApiVersionParameter`"), "{json}");
}

#[test]
fn a_request_of_any_kind_fails_a_namespace_over() {
    let ask = |id: &str, path: &str, version: &str, json: &str| {
        format!(
            "  - {{ id: {id}, action: azure.request, with: {{ method: POST, path: /resourceGroups/rg/providers/{path}, \
             api_version: \"{version}\"{json} }} }}\n"
        )
    };
    let (bus, hubs) = ("Microsoft.ServiceBus/namespaces/shop-eastus2", "Microsoft.EventHub/namespaces/shop-eastus2");
    let (alias, other) =
        (format!("{bus}/disasterRecoveryConfigs/shop"), format!("{hubs}/disasterRecoveryConfigs/shop"));
    let geo = "Microsoft.EventHub/namespaces/events";
    let to = ", json: { properties: { primaryLocation: eastus2 } }";
    let steps = [
        ask("alias", &format!("{alias}/failover"), "2024-01-01", ""),
        ask("apart", &format!("{other}/breakPairing"), "2024-01-01", ""),
        ask("geo", &format!("{geo}/failover"), "2026-01-01", to),
    ];
    let folder = workspace(&[("shop", &format!("execution:\n{}", steps.concat()))]);
    let holds = |resource: &str, at: &str, is: &str| format!("    - {{ resource: {resource}, at: {at}, is: {is} }}\n");
    let role = "/properties/role";
    let world = [
        holds(&alias, role, "PrimaryNotReplicating"),
        holds(&other, role, "PrimaryNotReplicating"),
        holds(geo, "/properties/geoDataReplication/locations/1/roleType", "Primary"),
    ];
    let (json, code) =
        rehearsed(folder.path(), &format!("expect:\n  state: succeeded\n  world:\n{}", world.concat()), &[]);
    assert_eq!((&json["differences"], code), (&serde_json::json!([]), Some(0)), "{json}");
    // A scenario knows better.
    let primary = "resources:\n  - { type: Microsoft.ServiceBus/namespaces, name: shop-eastus2/disasterRecoveryConfigs/shop, properties: { role: Primary } }\n";
    let (json, _) = rehearsed(folder.path(), primary, &[]);
    assert!(step(&json, "alias").1.contains("has to be requested on the secondary namespace"), "{json}");
}

#[test]
fn whatever_may_strike_a_request_of_any_kind_strikes_it() {
    let asks = |method: &str, path: &str| {
        format!(
            "execution:\n  - {{ id: ask, action: azure.request, with: {{ method: {method}, path: /resourceGroups/rg/providers/{path}, \
             api_version: \"2024-04-13\", json: {{ tags: {{ a: b }} }} }} }}\n"
        )
    };
    for (method, path) in [
        ("PUT", "Microsoft.Kusto/clusters/one"),
        ("PATCH", "Microsoft.Kusto/clusters/one"),
        ("POST", "Microsoft.Kusto/clusters/one/start"),
        ("DELETE", "Microsoft.Kusto/clusters/one"),
    ] {
        let folder = workspace(&[("shop", &asks(method, path))]);
        for fault in ["fail", "hang", "timeout", "lost-response", "crash-after-effect"] {
            let (json, _) = rehearsed(folder.path(), "", &["--inject", &format!("ask:{fault}")]);
            assert_eq!(json["differences"], serde_json::json!([]), "{method}: {fault}");
        }
        let fault = "faults: [ { failed_operation: { step: ask, code: QuotaExceeded, message: No more } } ]\n";
        let (json, _) = rehearsed(folder.path(), fault, &[]);
        let (state, reason) = step(&json, "ask");
        assert!(state == "failed" && reason.contains("refused: 400 `QuotaExceeded`: No more"), "{method}: {json}");
    }
}

/// A workspace whose only step asks for a failover on Azure, rehearsed with a fault.
fn failover_with(fault: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("runbooks")).unwrap();
    let runbook = "drctl: 1\nname: sql\nkind: failover\nowner: t\n\
        azure: { subscription: 00000000-0000-0000-0000-000000000001, resource_group: rg }\nexecution:\n  \
        - { id: move, action: azure.sql.failover_group, with: { server: s2, group: g, mode: forced }, timeout: 5m }\n";
    fs::write(folder.path().join("runbooks/sql.yaml"), runbook).unwrap();
    let scenario = format!("drctl: 1\nscenario: fault\nrunbook: sql\nfaults:\n  - {fault}\n");
    fs::write(folder.path().join("fault.yaml"), scenario).unwrap();
    let output = drctl(folder.path(), &["rehearse", "sql", "--scenario", "fault.yaml", "--journal", "journal"]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
    let journal = fs::read_to_string(folder.path().join("journal")).unwrap();
    (folder, journal)
}

#[test]
fn a_failover_that_is_never_seen_is_asked_for_twice_and_then_a_person_looks() {
    let (_folder, journal) = failover_with("lost_response: { step: move, effect: before, times: 60 }");
    assert_eq!(journal.matches("\"intent\"").count(), 2, "{journal}");
    assert!(journal.contains("asked for 2 times, and nothing of it is to be seen"), "{journal}");
}

#[test]
fn a_failover_that_goes_on_past_its_time_is_not_asked_for_again() {
    let (_folder, journal) = failover_with("stuck_operation: { step: move }");
    assert_eq!(journal.matches("\"intent\"").count(), 1, "{journal}");
    assert!(journal.contains("still under way: https://"), "{journal}");
}

#[test]
fn what_may_be_repeated_is_not_begun_again_while_it_goes_on() {
    let steps = "execution:\n  \
        - { id: start, action: azure.vm.start, with: { vm: one }, timeout: 5m }\n";
    let folder = workspace(&[("shop", steps)]);
    let (json, code) = rehearsed(folder.path(), "faults:\n  - stuck_operation: { step: start }\n", &[]);
    assert_eq!((step(&json, "start").0, code), ("in_doubt", Some(4)), "{json}");
    assert!(step(&json, "start").1.contains("followed at https://"), "{json}");
}

const SERVERS: &str = "inputs: { regions: { type: list, default: [eu, us] } }\nexecution:\n  \
    - { id: each, action: runbook, for_each: \"{{ inputs.regions }}\", with: { runbook: server, inputs: { name: \"{{ item }}\" } } }\n  \
    - { id: after, action: wait, needs: [each], with: { for: 1s } }\n";
const SERVER: &str = "inputs: { name: { type: string } }\nexecution:\n  \
    - { id: ask, action: manual, with: { instructions: \"Look at {{ inputs.name }}.\" }, outputs: { answer: string } }\n  \
    - { id: go, action: shell, needs: [ask], with: { script: 'true' }, on_failure: ask, simulate: { duration: 5s } }\n";

#[test]
fn people_stand_ins_and_remedies_are_for_one_instance_of_a_called_runbook_where_they_name_it() {
    let folder = workspace(&[("shop", SERVERS), ("server", SERVER)]);
    let scenario = "people:\n  each.ask: { answers: { answer: all } }\n  \
        \"each[us].ask\": { answers: { answer: us }, after: 7m }\n  on_failure: [ { step: each.go, skip: true, after: 1m } ]\n\
        steps:\n  \"each[eu].go\": { fail: no }\n\
        expect:\n  steps: { \"each[eu].go\": skipped, \"each[us].go\": succeeded }\n";
    fs::write(folder.path().join("one.yaml"), format!("drctl: 1\nscenario: one\nrunbook: shop\n{scenario}")).unwrap();
    let output = drctl(folder.path(), &["rehearse", "shop", "--scenario", "one.yaml", "--journal", "journal"]);
    assert_eq!(output.status.code(), Some(10), "{}", text(&output));
    let journal = fs::read_to_string(folder.path().join("journal")).unwrap();
    let answer = |step: &str| {
        let line =
            journal.lines().find(|line| line.contains("\"answer\"") && line.contains(step) && line.contains("outputs"));
        line.unwrap().split(r#""outputs":{"answer":""#).nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    assert_eq!((answer("each[eu].ask"), answer("each[us].ask")), ("all".to_owned(), "us".to_owned()));
}

#[test]
fn an_instance_that_cannot_be_is_found_before_anything_is_rehearsed() {
    let folder = workspace(&[("shop", SERVERS), ("server", SERVER)]);
    let scenario = "drctl: 1\nscenario: one\nrunbook: shop\nfaults: [ { hang: { step: \"each[eu].go[1]\" } } ]\n\
        people: { \"each[uk].ask\": {} }\nexpect: { steps: { \"after[eu]\": succeeded, \"each[us].go\": ran, each: succeeded } }\n";
    fs::create_dir_all(folder.path().join("runbooks/scenarios")).unwrap();
    let file = folder.path().join("runbooks/scenarios/one.yaml");
    fs::write(&file, scenario).unwrap();
    let output = drctl(folder.path(), &["validate", "--format", "short"]);
    let file_name = "runbooks/scenarios/one.yaml";
    let found = format!(
        "{file_name}:4:13: error[step]: `go` has no instance `1`: it has no `for_each`, and runs once (did you mean `each[eu].go`?)\n\
         {file_name}:5:11: error[step]: `each` has no instance `uk` (did you mean `each[us].ask`?)\n\
         {file_name}:6:20: error[step]: `after` has no instance `eu`: it has no `for_each`, and runs once\n"
    );
    assert!(text(&output).starts_with(&found), "{}", text(&output));
    let output = drctl(folder.path(), &["rehearse", "shop", "--inject", "each[uk].go:fail"]);
    let told = "error: `--inject`: `each` has no instance `uk`; there are eu, us; did you mean `each[us].go`?\n";
    assert_eq!((text(&output), output.status.code()), (told.to_owned(), Some(2)));
    let output =
        drctl(folder.path(), &["rehearse", "shop", "--set", "regions=[\"uk\"]", "--inject", "each[uk].go:fail"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    // The scenario's own inputs say what the items are.
    fs::write(&file, scenario.replace("faults:", "inputs: { regions: [uk] }\nfaults:")).unwrap();
    let output = drctl(folder.path(), &["validate", "--format", "short"]);
    let found = [
        format!("{file_name}:5:13: error[step]: `each` has no instance `eu`"),
        format!("{file_name}:7:20: error[step]: `after` has no instance `eu`"),
        format!("{file_name}:7:44: error[step]: `each` has no instance `us`"),
    ];
    let told: Vec<String> = text(&output).lines().filter(|line| line.contains("error")).map(str::to_owned).collect();
    assert!(told.iter().zip(&found).all(|(told, found)| told.starts_with(found)), "{}", text(&output));
}

#[test]
fn a_step_is_expected_of_all_instances_of_a_call_that_no_key_tells_apart() {
    let folder = workspace(&[("shop", SERVERS), ("server", SERVER)]);
    let people = "people:\n  on_failure: [ { step: each.go, skip: true, after: 1m } ]\n";
    let expected = |state: &str| format!("{people}expect: {{ steps: {{ each.go: {state} }} }}\n");
    for state in ["succeeded", "ran"] {
        let (json, code) = rehearsed(folder.path(), &expected(state), &[]);
        assert_eq!((&json["differences"], code), (&serde_json::json!([]), Some(0)), "{state}");
    }
    let (json, _) = rehearsed(folder.path(), &expected("never"), &[]);
    let differs = "one.yaml:6:20: expected `each[eu].go` never to run, found that it did";
    assert_eq!(json["differences"], serde_json::json!([differs]));
    let one = format!("{}steps: {{ \"each[us].go\": {{ fail: no }} }}\n", expected("succeeded"));
    let (json, _) = rehearsed(folder.path(), &one, &[]);
    let differs = "one.yaml:6:20: expected `each[us].go` to be succeeded, found skipped: no";
    assert_eq!(json["differences"], serde_json::json!([differs]));
}

#[test]
fn what_nobody_gives_a_time_fails_no_healthy_rehearsal() {
    let steps = "execution:\n  \
        - { id: ask, action: http, timeout: 5s, with: { url: \"https://shop.example.com\" } }\n  \
        - { id: run, action: shell, timeout: 5s, with: { script: 'true' } }\n";
    let folder = workspace(&[("shop", steps)]);
    let output = drctl(folder.path(), &["rehearse", "shop", "--runs", "50", "--output", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["ended"], serde_json::json!({ "succeeded": 50 }));
}

#[test]
fn a_region_that_nothing_is_in_is_a_slip_of_the_pen() {
    let folder = shop();
    for (fault, told) in [
        ("region_down: { region: cenralus }", "region_down"),
        ("slow_replication: { resource: nowhere, lag: 5m }", "slow_replication"),
    ] {
        let (json, code) = rehearsed(folder.path(), &format!("faults:\n  - {fault}\n"), &[]);
        assert!(code == Some(1) && json["differences"][0].as_str().is_some_and(|words| words.contains(told)), "{json}");
    }
}

#[test]
fn a_region_is_down_for_what_its_servers_say_they_are_in() {
    let steps = "execution:\n  \
        - { id: move, action: azure.sql.failover_group, with: { server: s2, group: g, mode: planned } }\n";
    let folder = workspace(&[("shop", steps)]);
    let server = |name: &str, location: &str| {
        format!("  - {{ type: Microsoft.Sql/servers, name: {name}, location: {location} }}\n")
    };
    let scenario = format!(
        "resources:\n{}{}faults:\n  - region_down: {{ region: japanwest }}\n",
        server("s2", "japaneast"),
        server("s2-partner", "japanwest")
    );
    let (json, _) = rehearsed(folder.path(), &scenario, &[]);
    assert!(step(&json, "move").1.contains("PlannedFailoverTimedOut"), "{json}");
}
