//! The runbook language, as a run understands it.

use crate::workspace::Workspace;

#[test]
fn phases_are_barriers_and_needs_order_what_is_inside() {
    let steps = r#"
detection:
  - { id: a, action: shell, with: { script: "sleep 0.2; echo a >> log" } }
  - { id: b, action: shell, needs: [a], with: { script: "echo b >> log" } }
execution:
  - { id: c, action: shell, with: { script: "echo c >> log" } }
communication:
  - { id: early, action: shell, needs: [a], with: { script: "echo early >> log" } }
  - { id: late, action: shell, with: { script: "echo late >> log" } }
"#;
    let workspace = Workspace::of(steps);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
    let log = workspace.lines("log");
    let at = |name: &str| log.iter().position(|line| line == name).unwrap();
    assert!(at("a") < at("b") && at("b") < at("c") && at("c") < at("late") && at("a") < at("early"), "{log:?}");
}

#[test]
fn a_condition_that_is_false_makes_a_step_not_applicable_and_meets_what_needs_it() {
    let steps = r#"
inputs: { mode: { type: enum, values: [planned, unplanned], default: unplanned } }
execution:
  - { id: maybe, action: shell, when: 'inputs.mode == "planned"', with: { script: "echo maybe >> log" } }
  - { id: after, action: shell, needs: [maybe], with: { script: "echo after >> log" } }
"#;
    let workspace = Workspace::of(steps);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
    assert_eq!(workspace.states(), ["maybe=not_applicable", "after=succeeded"]);
    assert_eq!(workspace.drctl(&["failover", "r", "--set", "mode=planned"]).code, 0);
    assert_eq!(workspace.lines("log"), ["after", "maybe", "after"]);
}

#[test]
fn outputs_are_typed_and_read_by_later_steps() {
    let steps = r#"
execution:
  - id: measure
    action: shell
    with: { script: "echo '{\"lag\": 12, \"names\": [\"a\", \"b\"]}' > $DRCTL_OUTPUT" }
    outputs: { lag: int, names: list }
  - id: use
    action: exec
    needs: [measure]
    when: steps.measure.outputs.lag < 30
    with: { argv: [sh, -c, "echo $1 >> log", x, "{{ steps.measure.outputs.names[1] }}-{{ steps.measure.outputs.lag + 1 }}"] }
"#;
    let workspace = Workspace::of(steps);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
    assert_eq!(workspace.lines("log"), ["b-13"]);
}

#[test]
fn for_each_runs_an_instance_an_item_at_most_so_many_at_a_time() {
    let steps = r#"
inputs: { shards: { type: list, default: [a, b, c, d, e, f] } }
execution:
  - id: shard
    for_each: "{{ inputs.shards }}"
    max_parallel: 2
    action: shell
    with:
      script: |
        mkdir -p busy; touch "busy/$SHARD"; ls busy | wc -l >> seen; sleep 0.1; rm "busy/$SHARD"
        echo "{\"done\": \"$SHARD\"}" > "$DRCTL_OUTPUT"
      env: { SHARD: "{{ item }}" }
    outputs: { done: string }
  - id: sum
    action: exec
    needs: [shard]
    with: { argv: [sh, -c, "echo $1 >> log", x, "{{ steps.shard.outputs.c.done }}"] }
"#;
    let workspace = Workspace::of(steps);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
    assert_eq!(workspace.lines("log"), ["c"]);
    let seen: Vec<u32> = workspace.lines("seen").iter().map(|line| line.trim().parse().unwrap()).collect();
    assert_eq!((seen.len(), seen.iter().max()), (6, Some(&2)), "{seen:?}");
    let twice = workspace.drctl(&["failover", "r", "--set", "shards=a,b,a"]);
    assert!(twice.stderr.contains("error[repeat]: `for_each` of `shard`: the key `a` stands there twice"), "{twice:?}");
    let none = workspace.drctl(&["failover", "r", "--set", "shards=[]"]);
    assert_eq!(none.code, 1, "its outputs are missing then: {none:?}");
}

#[test]
fn what_the_run_is_given_and_no_step_can_begin_with_is_refused_before_it_runs() {
    let steps = r#"
inputs:
  sites: { type: list, default: [east, west] }
  mode: { type: string, default: planned }
  port: { type: int, default: 80 }
detection:
  - { id: look, action: probe.tcp, with: { host: h, port: "{{ inputs.port }}" }, when: inputs.mode == "look" }
execution:
  - { id: each, for_each: "{{ inputs.sites }}", action: shell, with: { script: "echo $S >> log", env: { S: "{{ item }}" } } }
"#;
    let workspace = Workspace::of(steps);
    let many = (0..1_001).map(|at| at.to_string()).collect::<Vec<_>>().join(",");
    let place = "runbooks/r.yaml:13:27";
    for (sites, problem) in [
        ("east,west,east".to_owned(), "the key `east` stands there twice"),
        (many, "1001 items, at most 1000 are allowed"),
        ("a[1]".to_owned(), "`a[1]` cannot be a key: 1 to 100 characters, none of `[ ] / \\`"),
    ] {
        let given = format!("sites={sites}");
        for command in [["failover", "r"].as_slice(), &["failover", "r", "--dry-run"], &["plan", "r"]] {
            let refused = workspace.drctl(&[command, &["--set", &given]].concat());
            assert_eq!(refused.code, 2, "{refused:?}");
            let said = format!("error[repeat]: `for_each` of `each`: {problem}\n");
            assert!(refused.stderr.contains(&said) && refused.stderr.contains(place), "{refused:?}");
            let next = "= note: it comes from what the run is given: --set sites=VALUE\n";
            assert!(
                refused.stderr.contains(next) && refused.stderr.ends_with("\nnothing was started\n"),
                "{refused:?}"
            );
        }
    }
    let port = workspace.drctl(&["failover", "r", "--set", "mode=look", "--set", "port=70000"]);
    let said = "error[type]: `probe.tcp` of `look`: ";
    assert!(port.code == 2 && port.stderr.contains(said) && port.stderr.contains("--set port=VALUE"), "{port:?}");
    assert!(!workspace.path(".drctl/runs").exists(), "no run was made");
    // What the conditions leave out may be anything.
    assert_eq!(workspace.drctl(&["failover", "r", "--set", "port=70000"]).code, 0);
    assert_eq!(workspace.lines("log").len(), 2);
}

#[test]
fn what_the_defaults_give_is_tried_by_all_that_begin_and_nobody_blames_the_command_line() {
    let steps = r#"
inputs:
  method: { type: string, default: GE T }
  pause: { type: duration, default: 20m }
  sites: { type: list, default: [{ key: a, port: 1 }, { key: b, port: 70000 }, { key: c, port: 70000 }] }
  names: { type: list, default: [x] }
execution:
  - { id: ask, action: exec, with: { argv: [echo] }, outputs: { path: string } }
  - { id: call, action: http, needs: [ask], with: { url: "http://h/{{ steps.ask.outputs.path }}", method: "{{ inputs.method }}" } }
  - { id: pause, action: wait, with: { for: "{{ inputs.pause }}" } }
  - { id: each, for_each: "{{ inputs.sites }}", action: probe.tcp, with: { host: h, port: "{{ item.port }}" } }
  - { id: nth, action: exec, with: { argv: [echo, "{{ inputs.names[3] }}"] } }
  - { id: when, action: exec, when: "inputs.names[3] == 'x'", with: { argv: [echo] } }
  - { id: may_fail, on_failure: continue, action: exec, with: { argv: [echo, "{{ inputs.names[3] }}"] } }
"#;
    let workspace = Workspace::of(steps);
    let validated = workspace.drctl(&["validate", "--format", "short"]);
    let told: Vec<&str> = validated.stdout.lines().filter(|line| line.contains(" error[")).collect();
    let wanted = [
        "13:107: error[type]: `http` of `call`: at `method`: wanted one of `GET`, `HEAD`, `OPTIONS`, `PUT`, `DELETE`, \
         `POST`, `PATCH`, found the string `GE T`",
        "14:45: error[type]: `wait` of `pause`: the wait of 20m must be shorter than the timeout of 10m",
        "15:91: error[type]: `probe.tcp` of `each[b]`: at `port`: wanted a number from 1 to 65535, found `70000`",
        "16:55: error[type]: `exec` of `nth`: at `argv`: `inputs.names[3]` has no value",
        "17:38: error[type]: `when` of `when`: `inputs.names[3]` has no value",
    ];
    assert_eq!(told, wanted.map(|line| format!("runbooks/r.yaml:{line}")));
    assert_eq!(validated.code, 5);
    let mended = ["--set", "method=GET", "--set", "pause=1s", "--set", "names=a,b,c,x"];
    for command in [["failover", "r"].as_slice(), &["plan", "r"], &["rehearse", "r"]] {
        let refused = workspace.drctl(&[command, &mended].concat());
        assert_eq!(refused.code, 5, "{refused:?}");
        let note = "= note: mend the default of `sites`, or give another value: --set sites=VALUE\n";
        assert!(refused.stderr.contains(note) && !refused.stderr.contains("what the run is given"), "{refused:?}");
    }
    assert!(!workspace.path(".drctl/runs").exists(), "no run was made");
    let all = [mended.as_slice(), &["--set", r#"sites=[{"key":"a","port":1}]"#]].concat();
    assert_eq!(workspace.drctl(&[["rehearse", "r"].as_slice(), &all].concat()).code, 0);
}

#[test]
fn inputs_are_judged_before_anything_runs() {
    let steps = r#"
inputs:
  count: { type: int }
  when_at: { type: duration, default: 5m }
  on: { type: bool, default: false }
execution:
  - { id: a, action: shell, with: { script: "echo $C >> log", env: { C: "{{ inputs.count }}" } } }
"#;
    let workspace = Workspace::of(steps);
    let missing = workspace.drctl(&["failover", "r"]);
    assert_eq!(missing.code, 2);
    assert_eq!(missing.stderr, "error: input `count` (an int) is needed: give it with `--set count=VALUE`\n");
    let wrong = workspace.drctl(&["failover", "r", "--set", "count=many", "--set", "cuont=1", "--set", "when_at=soon"]);
    let wanted = "error: runbook `r` has no input `cuont`; did you mean `count`?\n\
        input `count`: wanted an int, found the string `many`\n\
        input `when_at`: wanted a duration such as `30s`, `5m` or `1h30m`, found `soon`\n";
    assert_eq!((wrong.code, wrong.stderr.as_str()), (2, wanted));
    workspace.write("vars.yaml", "count: 3\n\"on\": true\n");
    assert_eq!(workspace.drctl(&["failover", "r", "--vars", "vars.yaml"]).code, 0);
    assert_eq!(workspace.drctl(&["failover", "r", "--vars", "vars.yaml", "--set", "count=4"]).code, 0);
    assert_eq!(workspace.lines("log"), ["3", "4"]);
}

#[test]
fn a_step_that_repeats_tells_until_the_step_named_and_never_delays_the_end() {
    let steps = r#"
execution:
  - { id: work, action: shell, with: { script: "sleep 0.5" } }
communication:
  - id: first
    action: shell
    needs: []
    with: { script: "echo first >> log" }
  - id: keep
    action: shell
    needs: [said]
    every: 100ms
    until: first
    with: { script: "echo keep >> log" }
assessment:
  - { id: said, action: shell, with: { script: "echo said >> log" } }
"#;
    let workspace = Workspace::of(steps);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
    let log = workspace.lines("log");
    let (before, after) = log.split_at(log.iter().position(|line| line == "first").unwrap());
    // One that had begun when `first` ended may still say so.
    assert!(before.len() >= 3 && after.len() <= 2, "{log:?}");
    assert_eq!(workspace.states(), ["said=succeeded", "work=succeeded", "first=succeeded", "keep=succeeded"]);
}

#[test]
fn a_script_that_only_reads_may_verify_steps_beside_each_other_whatever_outputs_they_declare() {
    let workspace = Workspace::of(
        r#"
execution:
  - id: east
    action: shell
    with: { script: "echo '{\"n\": 1}' > $DRCTL_OUTPUT; touch east" }
    outputs: { n: int }
    verify: { every: 10ms, action: shell, with: { script: "echo look >> looks.east; test $(wc -l < looks.east) -ge 3", reads: true } }
  - id: west
    action: exec
    with: { argv: [touch, west] }
    verify: { every: 10ms, action: exec, with: { argv: [test, -e, west], reads: true } }
  - id: never
    action: exec
    with: { argv: ["true"] }
    verify: { every: 10ms, within: 50ms, action: shell, with: { script: "echo still there >&2; exit 3", reads: true } }
"#,
    );
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(workspace.lines("looks.east").len(), 3);
    let failed: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("does not hold")).collect();
    let wanted =
        "never verify does not hold: the script exited with code 3, wanted exit code 0; its last lines on stderr:";
    assert!(failed.len() == 1 && failed[0].ends_with(wanted), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("{wanted}\n                | still there\n")), "{}", ran.stderr);
}

#[test]
fn verify_is_polled_and_must_hold() {
    let steps = r#"
execution:
  - id: open
    action: shell
    with: { script: "(sleep 0.4; echo late >> log) > /dev/null 2>&1 &" }
    verify:
      action: assert
      with: { that: "{{ steps.open.outputs.exit_code == 0 }}" }
  - id: never
    action: shell
    needs: [open]
    with: { script: "true" }
    verify:
      action: probe.tcp
      with: { host: 127.0.0.1, port: 1, samples: 1, timeout: 100ms }
      within: 200ms
      every: 50ms
"#;
    let workspace = Workspace::of(steps);
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("never verify does not hold: "), "{}", ran.stderr);
    assert_eq!(workspace.states(), ["open=succeeded", "never=failed"]);
}

#[test]
fn a_timeout_of_what_may_not_be_repeated_is_a_doubt_and_of_what_may_a_failure() {
    let steps = r#"
execution:
  - { id: unsafe_one, action: shell, timeout: 200ms, with: { script: "sleep 60" } }
  - { id: safe, action: shell, timeout: 200ms, on_interrupt: retry, on_failure: continue, with: { script: "sleep 60" } }
"#;
    let workspace = Workspace::of(steps);
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(workspace.states(), ["unsafe_one=in_doubt", "safe=failed"]);
    assert!(ran.stderr.contains("unsafe_one IN DOUBT"), "{}", ran.stderr);
    assert!(ran.stderr.contains("timed out after 200ms"), "{}", ran.stderr);
}

#[test]
fn a_runbook_with_mistakes_runs_nothing_and_names_them_all() {
    let workspace = Workspace::of(
        "execution:\n  - { id: a, action: shel, with: {} }\n  - { id: b, action: shell, needs: [aa], with: { script: \"{{ inputs.x }}\" } }\n",
    );
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 5);
    for wanted in [
        "unknown action `shel`",
        "did you mean `shell`?",
        "needs unknown step `aa`",
        "input `x` does not exist",
        "nothing can be interpolated into `script`",
        "runbooks/r.yaml:6:",
    ] {
        assert!(ran.stderr.contains(wanted), "{wanted}: {}", ran.stderr);
    }
    assert!(!workspace.path(".drctl").exists());
    let unknown = workspace.drctl(&["failover", "rr"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("did you mean `r`?"), "{unknown:?}");
}

#[test]
fn a_notice_is_rendered_and_written() {
    let steps = r#"
execution:
  - { id: work, action: shell, with: { script: "echo '{\"n\": 2}' > $DRCTL_OUTPUT" }, outputs: { n: int } }
communication:
  - { id: tell, action: notify, with: { template: done, audience: all, vars: { service: Orders } } }
"#;
    let workspace = Workspace::of(steps)
        .file("templates/done.txt", "Subject: {{ vars.service }} is back\n\n{{ steps.work.outputs.n }} nodes.\n");
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
    let notices: Vec<_> =
        std::fs::read_dir(workspace.path("notices")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(notices.len(), 1);
    assert_eq!(std::fs::read_to_string(&notices[0]).unwrap().trim_end(), "Subject: Orders is back\n\n2 nodes.");
}

#[test]
fn a_plan_says_what_takes_longest_usually_and_how_long_it_takes_at_worst() {
    let workspace = Workspace::of(
        r#"
execution:
  - { id: slow, action: shell, with: { script: "true" }, estimate: { typical: 5m, worst: 6m } }
  - { id: fickle, action: shell, with: { script: "true" }, estimate: { typical: 1m, worst: 20m } }
  - { id: after, action: wait, needs: [slow, fickle], with: { for: 1m }, estimate: { typical: 1m } }
  - id: start
    action: azure.app_service.start
    needs: [after]
    with: { subscription: 00000000-0000-0000-0000-000000000001, resource_group: rg, app: shop }
"#,
    );
    let plan = workspace.drctl(&["plan", "r"]).stdout;
    let wanted = "critical path * 6m10s usually, 22m at worst; no RTO is set
  slow -> after -> start
  at worst fickle -> after -> start
";
    assert!(plan.contains(wanted), "10 s and 1 m are known of the action; the worst is that of `fickle`: {plan}");
}

#[test]
fn a_runbook_of_another_kind_is_named_with_what_runs_it() {
    let workspace = Workspace::new().file(
        "runbooks/x.yaml",
        "drctl: 1\nname: x\nkind: drill\nowner: t\nexecution:\n  - { id: a, action: exec, with: { argv: [\"true\"] } }\n",
    );
    let other = workspace.drctl(&["failover", "x"]);
    assert_eq!(other.code, 2, "{other:?}");
    assert!(other.stderr.contains("did you mean `drctl run runbooks/x.yaml`?"), "{other:?}");
}

#[test]
fn a_step_without_a_value_to_begin_with_is_passed_over_where_the_run_may_continue() {
    let workspace = Workspace::of(
        r#"
inputs: { hosts: { type: list, default: [a, a] } }
execution:
  - { id: many, action: exec, on_failure: continue, for_each: "{{ inputs.hosts }}", with: { argv: ["true"] } }
"#,
    );
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 10, "{ran:?}");
    assert!(ran.stderr.contains("many failed and continued: for_each: "), "{ran:?}");
}

#[test]
fn a_field_that_an_answer_lacks_fails_a_condition_instead_of_being_false() {
    let steps = r#"
execution:
  - id: ask
    action: shell
    with: { script: "echo '{\"json\": {\"status\": \"ok\", \"hosts\": [\"a\"]}}' > $DRCTL_OUTPUT" }
    outputs: { json: map }
  - id: promote
    action: shell
    needs: [ask]
    on_failure: ask
    when: steps.ask.outputs.json.role == "primary"
    with: { script: "echo promote >> log" }
  - { id: demote, action: shell, needs: [ask], on_failure: ask, when: not steps.ask.outputs.json.role, with: { script: "echo demote >> log" } }
  - { id: check, action: assert, needs: [ask], on_failure: ask, with: { that: "{{ steps.ask.outputs.json.hosts[9] != 'q' }}" } }
  - id: guarded
    action: shell
    needs: [ask]
    when: steps.ask.outputs.json.role | default(value='primary') == "primary"
    with: { script: "echo guarded >> log" }
"#;
    let workspace = Workspace::of(steps);
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 1);
    let failed = ["ask=succeeded", "promote=failed", "demote=failed", "check=failed", "guarded=succeeded"];
    assert_eq!(workspace.states(), failed);
    assert_eq!(workspace.lines("log"), ["guarded"]);
    for said in ["`steps.ask.outputs.json.role` has no value", "`steps.ask.outputs.json.hosts[9]` has no value"] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}
