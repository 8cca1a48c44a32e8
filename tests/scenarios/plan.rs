//! `drctl plan`: what is told before a run, and that a plan is run as it was reviewed or not at all.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::workspace::{Ran, Workspace};

const ORDERS: &str = r#"title: Move Orders to {{ inputs.to }}
objectives: { rto: 30m }
inputs:
  to: { type: string, default: west }
  mode: { type: enum, values: [planned, forced], default: forced }
  token: { type: secret, from: { env: TOKEN } }
detection:
  - id: lag
    title: Measure the lag
    action: shell
    with: { script: "echo '{\"seconds\": 4}' > $DRCTL_OUTPUT" }
    outputs: { seconds: int }
    estimate: { typical: 10s, worst: 20s }
execution:
  - id: drain
    title: Let the queue run dry
    when: inputs.mode == "planned"
    action: wait
    timeout: 1h
    with: { for: 25m }
    estimate: { typical: 25m }
  - id: database
    title: Move the database, {{ steps.lag.outputs.seconds }} s behind
    action: runbook
    with: { runbook: postgres, inputs: { region: "{{ inputs.to }}", lag: "{{ steps.lag.outputs.seconds }}" } }
  - id: start
    action: azure.app_service.start
    with: { subscription: 00000000-0000-0000-0000-000000000001, resource_group: "rg-{{ inputs.to }}", app: shop }
  - id: switch
    title: Send the users to {{ inputs.to }}
    action: http
    needs: [drain, database, start]
    with:
      method: PUT
      url: "https://dns.example.com/{{ inputs.to }}"
      headers: { authorization: "Bearer {{ inputs.token }}" }
    approval: { by: [commander], quorum: 2, timeout: 15m, escalate_to: [deputy] }
    verify: { action: probe.tcp, with: { host: "{{ inputs.to }}.example.com", port: 443 }, within: 2m }
    rollback: { action: http, with: { method: PUT, url: https://dns.example.com/east } }
    on_failure: rollback
    estimate: { typical: 1m, worst: 1m30s }
communication:
  - { id: tell, action: notify, needs: [switch], with: { template: done, audience: all } }
"#;

const POSTGRES: &str = r#"
inputs:
  region: { type: string }
  lag: { type: int }
execution:
  - id: promote
    title: Promote the replica in {{ inputs.region }}
    action: shell
    approval: { by: [commander], prompt: "Lose {{ inputs.lag }} s?" }
    with: { script: "echo $LAG >> log", env: { LAG: "{{ inputs.lag }}", REGION: "{{ inputs.region }}" } }
    point_of_no_return: true
"#;

fn orders() -> Workspace {
    Workspace::of(ORDERS).runbook("postgres", POSTGRES).file("templates/done.txt", "Subject: Done\n\nAll is well.\n")
}

#[test]
fn a_plan_tells_all_that_a_reviewer_asks() {
    let plan = orders().drctl(&["plan", "r"]);
    assert_eq!(
        plan.stdout,
        r#"failover `r`: 7 steps, 2 gates, 1 point of no return
Move Orders to west; owner: team

inputs
  to     west
  mode   forced
  token  (secret from the environment variable `TOKEN`)

detection
   1 * lag                  10s  Measure the lag
        shell script="echo '{\"seconds\": 4}' > $DRCTL_OUTPUT"

execution
   1   drain                25m  Let the queue run dry
        wait for=25m
        only where inputs.mode == "planned": it does not
   1 * database              2m  Move the database, (known after lag) s behind
        runbook runbook=postgres inputs={"region":"west","lag":"(known after lag)"}
         1 * database.promote       -  Promote the replica in west
              shell script="echo $LAG >> log" env={"LAG":"(known after lag)","REGION":"west"}
              POINT OF NO RETURN: nothing before it can be undone once it has run
              GATE commander (ada, grace); waits for as long as it takes
                Lose (known after lag) s?
                no approval ahead: what its runbook is called with is not known before
   1   start                10s
        azure.app_service.start app=shop in rg-west
   2 * switch                1m  Send the users to west
        http method=PUT url=https://dns.example.com/west headers={"authorization":"Bearer <secret token>"}
        after drain, database, start; after a failure: rollback
        GATE commander (ada, grace), 2 of them; after 15m also deputy (linus)
          --approve switch=27b9ca03a1f9
        verified by probe.tcp host=west.example.com port=443; within 2m
        undone by http method=PUT url=https://dns.example.com/east

communication
   1   tell                   -
        notify template=done audience=all
        after switch

critical path * 5m10s usually, 12m20s at worst; RTO 30m: 17m40s to spare at worst
  lag -> database -> switch
  with mode=planned: 28m10s usually, 32m20s at worst (the worst)
  with mode=forced: 5m10s usually, 12m20s at worst (this plan)
  counted as nothing, for want of an `estimate`: database.promote

permissions beyond reading
  subscription 00000000-0000-0000-0000-000000000001, resource group rg-west
    Microsoft.Web/sites/start/Action  start
"#
    );
    assert_eq!(plan.code, 0);
}

#[test]
fn in_full_a_plan_has_a_line_for_every_parameter() {
    let plan = orders().drctl(&["plan", "r", "--full", "--set", "mode=planned"]).stdout;
    let wanted = r#"
   1 * drain                25m  Let the queue run dry
        wait
          for: 25m
        only where inputs.mode == "planned": it does; reads; 1 attempt of 1h each; takes 25m, at worst 25m
   1   database              2m  Move the database, (known after lag) s behind
        runbook
          runbook: postgres
          inputs:
            region: west
            lag: (known after lag)
        unsafe to repeat; 1 attempt of 10m each; takes 2m, at worst 5m
         1   database.promote       -  Promote the replica in west
              shell
                script: echo $LAG >> log
                env:
                  LAG: (known after lag)
                  REGION: west
"#;
    assert!(plan.contains(wanted), "{plan}");
    assert!(plan.contains("RTO 30m: at worst 2m20s over it"), "{plan}");
}

#[test]
fn the_head_counts_nothing_of_a_call_that_is_not_made() {
    let steps = ORDERS.replace("  - id: database\n", "  - id: database\n    when: inputs.mode == \"planned\"\n");
    let workspace =
        Workspace::of(&steps).runbook("postgres", POSTGRES).file("templates/done.txt", "Subject: Done\n\nWell.\n");
    let head = |more: &[&str]| {
        let plan = workspace.drctl(&[&["plan", "r"], more].concat()).stdout;
        plan.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(head(&[]), "failover `r`: 6 steps, 1 gate");
    assert_eq!(head(&["--set", "mode=planned"]), "failover `r`: 7 steps, 2 gates, 1 point of no return");
}

#[test]
fn a_program_reads_one_versioned_document() {
    let plan: Value = serde_json::from_str(&orders().drctl(&["plan", "r", "--output", "json"]).stdout).unwrap();
    assert_eq!((&plan["drctl"], &plan["runbook"], &plan["kind"]), (&1.into(), &"r".into(), &"failover".into()));
    let execution = &plan["phases"][1];
    assert_eq!(execution["phase"], "execution");
    let promote = &execution["waves"][0][1]["calls"]["phases"][0]["waves"][0][0];
    assert_eq!(promote["path"], "database.promote");
    assert_eq!(promote["point_of_no_return"], true);
    assert_eq!(
        promote["with"][1],
        serde_json::json!({
            "name": "env",
            "value": { "LAG": "(known after lag)", "REGION": "west" },
            "known_after": ["lag"],
        })
    );
    assert_eq!(promote["approval"]["people"], serde_json::json!(["ada", "grace"]));
    let times = &plan["critical_path"];
    assert_eq!((&times["typical"], &times["worst"], &times["rto"]), (&310.0.into(), &740.0.into(), &1800.0.into()));
    assert_eq!(times["choices"][0]["inputs"]["mode"], "planned");
    assert_eq!(times["choices"][0]["planned"], false);
}

#[test]
fn only_a_terminal_gets_colours_and_a_secret_is_never_shown() {
    let plan = orders().drctl(&["plan", "r", "--full"]);
    assert!(!plan.stdout.contains('\u{1b}') && plan.stdout.contains("Bearer <secret token>"), "{plan:?}");
}

#[test]
fn a_step_that_does_not_run_is_not_critical_and_the_way_leads_past_it() {
    let steps = "inputs: { planned: { type: bool, default: false } }\nassessment:\n  \
        - { id: drain, action: wait, when: inputs.planned, with: { for: 1s }, estimate: { typical: 10m } }\n  \
        - { id: look, action: wait, with: { for: 1s } }\nexecution:\n  \
        - { id: stop, action: wait, with: { for: 1s }, estimate: { typical: 1m } }\n  \
        - { id: copy, action: wait, needs: [stop], when: inputs.planned, with: { for: 1s }, estimate: { typical: 10m } }\n  \
        - { id: start, action: wait, needs: [copy], with: { for: 1s }, estimate: { typical: 2m } }\n  \
        - { id: undo, action: wait, run_if: failure, with: { for: 1s }, estimate: { typical: 1h } }\n";
    let workspace = Workspace::of(steps);
    let path = |more: &[&str]| {
        let plan = workspace.drctl(&[&["plan", "r"], more].concat()).stdout;
        let steps = plan.lines().filter(|line| line.starts_with(' '));
        let starred = steps.filter_map(|line| line.split_once(" * ")?.1.split(' ').next());
        starred.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(path(&[]), "look stop start");
    assert_eq!(path(&["--set", "planned=true"]), "drain stop copy start");
}

#[test]
fn gates_count_at_their_estimate_and_verify_at_what_it_may_take() {
    let critical = |steps: &str| {
        let plan = Workspace::of(&format!("execution:\n  - {steps}\n")).drctl(&["plan", "r"]).stdout;
        let line = plan.lines().find(|line| line.starts_with("critical path")).unwrap_or_else(|| panic!("{plan}"));
        line["critical path * ".len()..].split("; ").next().unwrap().to_owned()
    };
    let step = |more: &str| {
        format!(
            "{{ id: a, action: shell, with: {{ script: \"true\" }}, estimate: {{ typical: 1m, worst: 2m }}{more} }}"
        )
    };
    assert_eq!(critical(&step("")), "1m usually, 2m at worst");
    assert_eq!(critical(&step(", approval: {}")), "3m usually, 7m at worst");
    assert_eq!(critical(&step(", approval: { timeout: 1m }")), "2m usually, 3m at worst");
    assert_eq!(critical(&step(", approval: { estimate: { typical: 4m, worst: 8m } }")), "5m usually, 10m at worst");
    let verify = ", verify: { action: probe.tcp, with: { host: h, port: 1 }, within: 9m }";
    assert_eq!(critical(&step(verify)), "1m usually, 9m at worst");
    assert_eq!(critical(&step(", for_each: [a, b, c], max_parallel: 2")), "2m usually, 4m at worst");
}

#[test]
fn inputs_that_make_too_many_combinations_are_named() {
    let names: Vec<String> = (0..8).map(|number| format!("part_{number}")).collect();
    let inputs: String = names.iter().map(|name| format!("  {name}: {{ type: bool, default: true }}\n")).collect();
    let step = |name: &String| {
        let what = "action: wait, with: { for: 1m }, estimate: { typical: 1m }";
        format!("  - {{ id: do_{name}, when: inputs.{name}, {what} }}\n")
    };
    let steps: String = names.iter().map(step).collect();
    let workspace = Workspace::of(&format!("inputs:\n{inputs}execution:\n{steps}"));
    let plan = workspace.drctl(&["plan", "r"]).stdout;
    let said = "\n  each with part_6, part_7 as in this plan: there are too many combinations to try all\n";
    assert!(plan.contains(said), "{plan}");
    let told: Value = serde_json::from_str(&workspace.drctl(&["plan", "r", "--output", "json"]).stdout).unwrap();
    let times = &told["critical_path"];
    assert_eq!(times["not_told_apart"], serde_json::json!(["part_6", "part_7"]));
    assert_eq!(times["choices"].as_array().map(Vec::len), Some(64));
}

#[test]
fn what_is_called_for_each_item_is_told_once_and_counted_in_rounds() {
    let calls = r#"
execution:
  - { id: probe, action: wait, with: { for: 1s }, approval: {}, for_each: [a, b], estimate: { typical: 1s } }
  - { id: late, action: wait, with: { for: 1s }, approval: { prompt: "Begun at {{ run.started_at }}" } }
  - id: move
    action: runbook
    needs: [probe, late]
    for_each: [a, b, c]
    max_parallel: 2
    with: { runbook: called, inputs: { region: "{{ item }}", mode: planned } }
  - { id: nothing, action: wait, needs: [move], with: { for: 5m }, for_each: [], estimate: { typical: 5m } }
"#;
    let called = r#"
inputs: { region: { type: string }, mode: { type: string }, by: { type: string, default: nobody } }
execution:
  - id: drain
    when: inputs.mode == 'planned'
    action: shell
    with: { script: drain, env: { WHICH: "{{ inputs.region }} {{ inputs.mode }} {{ inputs.by }}" } }
    estimate: { typical: 10m }
    approval: {}
"#;
    let plan = Workspace::of(calls).runbook("called", called).drctl(&["plan", "r"]);
    let wanted = r#"
   1 * probe             1s
        wait for=1s
        for each of ["a","b"]
        GATE anybody; waits for as long as it takes
          no approval ahead: it asks for the instances of `for_each`, which the run makes
   1   late               -
        wait for=1s
        GATE anybody; waits for as long as it takes
          Begun at (known in the run)
          no approval ahead: it reads what only the run itself knows
   2 * move             24m
        runbook runbook=called inputs={"region":"(of each item)","mode":"planned"}
        after probe, late; for each of ["a","b","c"]
         1 * move.drain       10m
              shell script=drain env={"WHICH":"(of each item) planned nobody"}
              only where inputs.mode == 'planned': it does
              GATE anybody; waits for as long as it takes
                no approval ahead: its runbook is called for each item, which the run does
   3   nothing           0s
        wait for=5m
        after move; for each of []

critical path * 26m1s usually, 35m1s at worst; no RTO is set
  probe -> move
"#;
    assert!(plan.stdout.contains(wanted), "{plan:?}");
}

fn saved(workspace: &Workspace, more: &[&str]) -> Ran {
    let saved = workspace.drctl(&[&["plan", "r", "--out", "plan.json"], more].concat());
    assert_eq!(saved.code, 0, "{saved:?}");
    saved
}

const GATED: &str = r#"
inputs: { target: { type: string, default: east }, mode: { type: enum, values: [a, b], default: a } }
execution:
  - id: go
    action: shell
    approval: { by: [commander] }
    with: { script: "echo $TARGET >> log", env: { TARGET: "{{ inputs.target }}" } }
  - { id: inner, action: runbook, needs: [go], with: { runbook: called } }
"#;
const CALLED: &str = "execution:\n  - { id: work, action: shell, with: { script: echo inner >> log } }\n";

fn gated() -> Workspace {
    Workspace::of(GATED).runbook("called", CALLED).file("templates/t.txt", "Subject: a\n\nb\n")
}

#[test]
fn a_saved_plan_is_run_by_itself_with_the_inputs_it_was_made_with() {
    let workspace = gated();
    let told = saved(&workspace, &["--set", "target=north"]);
    assert!(told.stderr.contains("next: drctl run --plan plan.json"), "{told:?}");
    let ran = workspace.drctl(&["run", "--plan", "plan.json", "--approve", "go", "--as", "ada"]);
    assert_eq!((ran.code, workspace.lines("log")), (0, vec!["north".to_owned(), "inner".to_owned()]), "{ran:?}");
}

/// What a stale plan says has changed.
fn refused(workspace: &Workspace, more: &[&str]) -> Vec<String> {
    refused_next(workspace, more, "drctl plan r --out plan.json")
}

/// What a stale plan says has changed; it says what to type for another.
fn refused_next(workspace: &Workspace, more: &[&str], next: &str) -> Vec<String> {
    let ran = workspace.drctl(&[&["run", "--plan", "plan.json", "--approve", "go", "--as", "ada"], more].concat());
    assert_eq!((ran.code, workspace.lines("log")), (5, Vec::<String>::new()), "{ran:?}");
    let next = format!("\nnothing was started\n  next: {next}   (then have it reviewed again)\n");
    let changes =
        ran.stderr.strip_prefix("error: the plan is stale: since `plan.json` was written, this has changed:\n");
    let changes = changes.and_then(|rest| rest.strip_suffix(&next)).unwrap_or_else(|| panic!("{}", ran.stderr));
    changes.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn a_stale_plan_names_what_has_changed_and_starts_nothing() {
    let changed = |file: &str, text: &str| {
        let workspace = gated();
        saved(&workspace, &[]);
        let before = std::fs::read_to_string(workspace.path(file)).unwrap_or_default();
        workspace.write(file, &text.replace("@", &before));
        refused(&workspace, &[])
    };
    let head = |name: &str| format!("drctl: 1\nname: {name}\nkind: failover\nowner: team\n");
    assert_eq!(
        changed("runbooks/r.yaml", &(head("r") + &GATED.replace("echo $TARGET >> log", "echo $TARGET >> other"))),
        [
            "`runbooks/r.yaml` differs",
            "step `go`: `with` was {\"script\":\"echo $TARGET >> log\",\"env\":{\"TARGET\":\"{{ inputs.target }}\"}}, \
             is {\"script\":\"echo $TARGET >> other\",\"env\":{\"TARGET\":\"{{ inputs.target }}\"}}",
        ]
    );
    let gate = "approval: { by: [commander], timeout: 30m }\n    timeout: 1h";
    assert_eq!(
        changed("runbooks/r.yaml", &(head("r") + &GATED.replace("approval: { by: [commander] }", gate))),
        [
            "`runbooks/r.yaml` differs",
            "step `go`: `approval.timeout` was nothing, is 30m",
            "step `go`: `timeout` was nothing, is 1h",
        ]
    );
    assert_eq!(changed("runbooks/r.yaml", "@# a comment\n"), ["`runbooks/r.yaml` differs"]);
    assert_eq!(
        changed("runbooks/called.yaml", &(head("called") + &CALLED.replace("inner >>", "outer >>"))),
        [
            "`runbooks/called.yaml` differs",
            "step `inner.work`: `with` was {\"script\":\"echo inner >> log\"}, is {\"script\":\"echo outer >> log\"}",
        ]
    );
    assert_eq!(changed("templates/t.txt", "Subject: other\n\nb\n"), ["`templates/t.txt` differs"]);
    assert_eq!(changed("templates/new.txt", "Subject: x\n\ny\n"), ["`templates/new.txt` is new"]);
    assert_eq!(changed("drctl.yaml", "@services: {}\n"), ["`drctl.yaml` differs"]);
}

#[test]
fn permissions_are_those_of_the_slot_and_of_the_type_of_endpoint_that_a_step_is_about() {
    let steps = r#"
azure: { subscription: 00000000-0000-0000-0000-000000000001, resource_group: rg }
execution:
  - { id: app, action: azure.app_service.start, with: { app: shop } }
  - { id: slot, action: azure.app_service.start, with: { app: shop, slot: staging } }
  - { id: swap, action: azure.app_service.swap, with: { app: shop, slot: staging } }
  - { id: own, action: azure.traffic_manager.set_endpoint, with: { profile: p, endpoint: e, status: enabled } }
  - { id: other, action: azure.traffic_manager.set_endpoint, with: { profile: p, endpoint: e, type: external, status: enabled } }
"#;
    let told = Workspace::of(steps).drctl(&["plan", "r", "--output", "json"]);
    let plan: Value = serde_json::from_str(&told.stdout).unwrap_or_else(|_| panic!("{told:?}"));
    let needed = plan["permissions"].as_array().unwrap().iter();
    let needed: Vec<String> = needed
        .map(|needed| format!("{} {}", needed["permission"].as_str().unwrap(), needed["steps"][0].as_str().unwrap()))
        .collect();
    assert_eq!(
        needed,
        [
            "Microsoft.Network/trafficManagerProfiles/azureEndpoints/write own",
            "Microsoft.Network/trafficManagerProfiles/externalEndpoints/write other",
            "Microsoft.Web/sites/slots/slotsswap/Action swap",
            "Microsoft.Web/sites/slots/start/Action slot",
            "Microsoft.Web/sites/start/Action app",
        ]
    );
}

#[test]
fn a_plan_is_stale_where_a_program_that_a_step_starts_has_changed() {
    let steps = "execution:\n  \
                 - { id: go, action: exec, approval: { by: [commander] }, with: { argv: [./bin/promote, staging] } }\n  \
                 - { id: two, action: shell, needs: [go], with: { dir: bin, script: 'sh check.sh > ../told' } }\n";
    let workspace = Workspace::of(steps);
    std::fs::create_dir(workspace.path("bin")).unwrap();
    let programs = ["bin/promote", "bin/check.sh"];
    for program in programs {
        workspace.write(program, "#!/bin/sh\necho done\n");
        std::fs::set_permissions(workspace.path(program), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    workspace.write("told", "what a step writes is no program\n");
    saved(&workspace, &[]);
    workspace.write("told", "it may change\n");
    for program in programs {
        let before = std::fs::read_to_string(workspace.path(program)).unwrap();
        workspace.write(program, "#!/bin/sh\necho other\n");
        assert_eq!(refused(&workspace, &[]), [format!("`{program}` differs")]);
        workspace.write(program, &before);
    }
    std::fs::remove_file(workspace.path("bin/check.sh")).unwrap();
    assert_eq!(refused(&workspace, &[]), ["`bin/check.sh` is gone"]);
    workspace.write("bin/check.sh", "#!/bin/sh\necho done\n");
    assert_eq!(workspace.drctl(&["run", "--plan", "plan.json", "--approve", "go", "--as", "ada"]).code, 0);
}

#[test]
fn a_plan_is_refused_with_other_inputs_or_without_its_files() {
    let workspace = gated();
    saved(&workspace, &["--set", "target=north"]);
    assert_eq!(
        refused_next(
            &workspace,
            &["--set", "target=south", "--set", "mode=b"],
            "drctl plan r --set target=north --out plan.json"
        ),
        ["input `mode` was \"a\", is \"b\"", "input `target` was \"north\", is \"south\"",]
    );
    saved(&workspace, &[]);
    std::fs::remove_file(workspace.path("templates/t.txt")).unwrap();
    assert_eq!(refused(&workspace, &[]), ["`templates/t.txt` is gone"]);
    let other = workspace.drctl(&["failover", "called", "--plan", "plan.json"]);
    assert_eq!(other.code, 2, "{other:?}");
    assert!(
        other.stderr.contains("the plan `plan.json` is one of `runbooks/r.yaml`, not of `runbooks/called.yaml`"),
        "{other:?}"
    );
    std::fs::remove_file(workspace.path("runbooks/r.yaml")).unwrap();
    assert!(refused(&workspace, &[])[0].starts_with("`runbooks/r.yaml` is gone from `"));
}

/// Changes a saved plan, and its digest with it: as if another drctl had written it.
fn rewrite(workspace: &Workspace, change: impl FnOnce(&mut Value)) {
    let mut plan: Value = serde_json::from_str(&std::fs::read_to_string(workspace.path("plan.json")).unwrap()).unwrap();
    change(&mut plan);
    let mut said = plan.clone();
    said.as_object_mut().unwrap().remove("digest");
    for file in said["files"].as_array_mut().unwrap() {
        file[1] = drctl::plan::digest::of_bytes(file[1].as_str().unwrap().as_bytes()).into();
    }
    plan["digest"] = drctl::plan::digest::of_value(&said).into();
    workspace.write("plan.json", &plan.to_string());
}

#[test]
fn a_plan_is_refused_where_drctl_s_actions_are_others() {
    let workspace = gated();
    saved(&workspace, &[]);
    rewrite(&workspace, |_| {});
    let ran = workspace.drctl(&["run", "--plan", "plan.json", "--dry-run"]);
    assert_eq!(ran.code, 0, "written anew, it is the same plan: {ran:?}");
    rewrite(&workspace, |plan| {
        plan["version"] = "0.0.1".into();
        plan["actions"]["shell"] = "0".into();
    });
    assert_eq!(
        refused(&workspace, &[]),
        [
            concat!("drctl was 0.0.1, is ", env!("CARGO_PKG_VERSION"), ": its actions may do something else"),
            "the action `shell` is another one in this drctl",
        ]
    );
}

#[test]
fn what_is_no_plan_is_said_to_be_none() {
    let workspace = gated();
    saved(&workspace, &[]);
    let good = std::fs::read_to_string(workspace.path("plan.json")).unwrap();
    let told = |text: &str| {
        workspace.write("plan.json", text);
        let ran = workspace.drctl(&["run", "--plan", "plan.json"]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.ends_with("\n  next: drctl plan NAME --out FILE   (writes one)\n"), "{ran:?}");
        ran.stderr["error: `plan.json` ".len()..].lines().next().unwrap().to_owned()
    };
    assert_eq!(told("drctl: 1\n"), "is no plan of `drctl plan --out`");
    assert_eq!(told("{}"), "is no plan of `drctl plan --out`");
    assert_eq!(told(""), "is no plan of `drctl plan --out`");
    assert_eq!(told(&good[..good.len() / 2]), "ends too early: it is only a part of a plan");
    let newer = good.replacen("\"drctl\": 3", "\"drctl\": 9", 1);
    assert_eq!(told(&newer), "was written by a newer drctl: found format 9, wanted 3");
    let older = good.replacen("\"drctl\": 3", "\"drctl\": 2", 1);
    assert_eq!(told(&older), "was written by an older drctl: found format 2, wanted 3");
    let edited = good.replacen("east", "west", 1);
    assert_eq!(told(&edited), "was changed after it was written: what was reviewed is not known");
    let ran = workspace.drctl(&["run", "--plan", "nowhere.json"]);
    assert!(ran.code == 2 && ran.stderr.contains("`nowhere.json` cannot be read: No such file"), "{ran:?}");
    let ran = workspace.drctl(&["run"]);
    assert!(ran.code == 2 && ran.stderr.contains("<FILE>"), "{ran:?}");
}

#[test]
fn a_graph_is_written_for_markdown_for_graphviz_and_for_the_eye() {
    let workspace = orders();
    let graph = |kind| workspace.drctl(&["plan", "r", "--graph", kind]).stdout;
    assert_eq!(
        graph("mermaid"),
        r#"flowchart TD
  subgraph detection["detection"]
    s_lag["Measure the lag<br/>lag<br/>10s, at worst 20s"]
  end
  subgraph execution["execution"]
    s_drain["Let the queue run dry<br/>drain<br/>25m, at worst 25m"]
    subgraph s_database["Move the database, (known after lag) s behind<br/>database<br/>2m, at worst 5m"]
      s_database_DOT_promote{{"Promote the replica in west<br/>database.promote<br/>gate: commander<br/>point of no return"}}
    end
    s_start["start<br/>10s, at worst 1m"]
    s_switch{{"Send the users to west<br/>switch<br/>1m, at worst 1m30s<br/>gate: commander"}}
  end
  subgraph communication["communication"]
    s_tell["tell"]
  end
  s_drain --> s_switch
  s_database --> s_switch
  s_start --> s_switch
  s_switch --> s_tell
  detection ==> execution
  classDef critical stroke:#0b5cad,stroke-width:3px
  classDef gate fill:#fff6d6,color:#1f2328
  classDef final fill:#ffe9e7,color:#1f2328
  classDef tells fill:#e6f4ea,color:#1f2328
  classDef out stroke-dasharray:4 3
  class s_lag critical
  class s_drain out
  class s_database_DOT_promote gate
  class s_database_DOT_promote final
  class s_database_DOT_promote critical
  class s_database critical
  class s_switch gate
  class s_switch critical
  class s_tell tells
"#
    );
    let dot = graph("dot");
    assert!(dot.starts_with("digraph \"failover r\" {\n"), "{dot}");
    let out = r##""drain" [label="Let the queue run dry\ndrain\n25m, at worst 25m", style="rounded,filled,dashed", fontcolor="#8c959f"];"##;
    let gate = r##""switch" [label="Send the users to west\nswitch\n1m, at worst 1m30s\ngate: commander", fillcolor="#fff6d6""##;
    assert!(dot.contains(out) && dot.contains(gate) && dot.contains(r"\npoint of no return"), "{dot}");
    assert!(graph("svg").starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" "), "{}", graph("svg"));
    let wrong = workspace.drctl(&["plan", "r", "--graph", "png"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("possible values: mermaid, dot, svg"), "{wrong:?}");
}
