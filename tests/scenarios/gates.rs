//! Gates: who may approve, what an approval binds to, what time does.

use crate::until::until;
use crate::workspace::{Workspace, ran};

const GATED: &str = r#"
inputs: { target: { type: string, default: east } }
execution:
  - id: go
    title: Go
    action: shell
    approval: { by: [commander] }
    with: { script: "echo $TARGET >> log", env: { TARGET: "{{ inputs.target }}" } }
"#;

#[test]
fn a_gate_waits_and_says_who_is_asked_and_what_to_type() {
    let workspace = Workspace::of(GATED);
    let ran = workspace.drctl(&["failover", "r", "--yes"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(workspace.lines("log"), Vec::<String>::new());
    assert!(ran.stderr.contains("go waits for approval: Go"), "{}", ran.stderr);
    assert!(ran.stderr.contains("asks commander"), "{}", ran.stderr);
    assert!(ran.stdout.contains(&format!("next: drctl approve {} go --reason", workspace.run())), "{}", ran.stdout);
}

/// What is shown after `next: ` or by itself, without the `drctl` in front.
fn typed(shown: &str, word: &str) -> Vec<String> {
    let command = shown.lines().map(|line| line.trim().trim_start_matches("next: ")).find(|line| line.contains(word));
    let words = shell_words::split(command.unwrap_or_else(|| panic!("no `{word}` in {shown}"))).unwrap();
    assert_eq!(words[0], "drctl");
    words[1..].to_vec()
}

#[test]
fn what_to_type_is_what_works_where_one_stands() {
    let workspace = Workspace::of(GATED);
    let (folder, above) = (workspace.path(""), std::env::temp_dir());
    let from_above = |arguments: &[String]| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        ran(workspace.command(&arguments).current_dir(&above).output().unwrap())
    };
    let file = folder.join("runbooks/r.yaml").display().to_string();
    let left = from_above(&["run".to_owned(), file]);
    assert_eq!(left.code, 3, "{left:?}");
    let examined = from_above(&[&typed(&left.stdout, "approve")[..2], &["doctor".to_owned()]].concat());
    assert_eq!(from_above(&typed(&examined.stdout, "drctl --workspace")).code, 3, "{examined:?}");
    let status = from_above(
        &typed(&left.stdout, "approve").as_slice()[..2]
            .iter()
            .cloned()
            .chain(["status".to_owned()])
            .collect::<Vec<_>>(),
    );
    let mut approve = typed(&status.stdout, "approve");
    assert_eq!(typed(&left.stdout, "approve"), approve);
    assert_eq!(typed(&left.stderr, "approve"), approve);
    approve.extend(["--as".to_owned(), "ada".to_owned()]);
    let approved = from_above(&approve);
    assert_eq!(approved.code, 0, "{approved:?}");
    assert_eq!(typed(&approved.stdout.replace('`', "\n"), "resume"), typed(&left.stdout, "resume"));
    assert_eq!(from_above(&typed(&left.stdout, "resume")).code, 0);
    assert_eq!(workspace.lines("log"), ["east"]);
    let saved = workspace.path("saved.json").display().to_string();
    let file = workspace.path("runbooks/r.yaml").display().to_string();
    let planned = from_above(&["plan".to_owned(), file, "--out".to_owned(), saved]);
    let dry = from_above(&[typed(&planned.stderr, "--plan"), vec!["--dry-run".to_owned()]].concat());
    assert_eq!(dry.code, 0, "{planned:?}: {dry:?}");
    let warned = planned.stderr.lines().find(|line| line.contains("` shows them")).unwrap();
    let validated = from_above(&typed(&warned.replace('`', "\n"), "validate"));
    assert!(validated.stdout.contains("warning[no-failback]"), "{validated:?}");
    // In the workspace itself there is nothing to add.
    let here = workspace.drctl(&["status"]);
    assert!(!here.stdout.contains("--workspace"), "{here:?}");
}

#[test]
fn a_gate_that_the_start_of_the_run_approves_asks_nobody_to_type_anything() {
    let anybody = Workspace::of(&GATED.replace("by: [commander]", ""));
    let yes = anybody.drctl(&["failover", "r", "--yes"]);
    assert_eq!(yes.code, 0, "{yes:?}");
    assert!(yes.stderr.contains("go waits for approval: Go") && yes.stderr.contains("digest: "), "{}", yes.stderr);
    assert!(!yes.stderr.contains("drctl approve") && !yes.stdout.contains("drctl approve"), "{yes:?}");

    let two_people = Workspace::of(&GATED.replace("by: [commander]", "quorum: 2"));
    let yes = two_people.drctl(&["failover", "r", "--yes"]);
    assert_eq!(yes.code, 3, "{yes:?}");
    assert!(yes.stderr.contains("drctl approve") && yes.stdout.contains("next: drctl approve"), "{yes:?}");
}

#[test]
fn a_gate_shows_what_undoes_and_what_verifies_the_step_as_it_shows_the_step() {
    let workspace = Workspace::of(
        r#"
inputs: { target: { type: string, default: east } }
execution:
  - id: go
    action: exec
    approval: {}
    with: { argv: [go, "{{ inputs.target }}"] }
    rollback: { action: shell, with: { script: "undo one\nundo two", env: { TARGET: "{{ inputs.target }}" } } }
    verify: { action: probe.tcp, with: { host: "{{ inputs.target }}", port: 80 } }
"#,
    );
    workspace.drctl(&["failover", "r"]);
    let status = workspace.drctl(&["status"]).stdout;
    let does: Vec<&str> = status.lines().filter_map(|line| line.trim_start().strip_prefix("does: ")).collect();
    let wanted = [
        "go: exec",
        "  argv: [\"go\",\"east\"]",
        "go: undone by shell",
        "  script: undo one",
        "    undo two",
        "  env: {\"TARGET\":\"east\"}",
        "go: verified by probe.tcp",
        "  host: east",
        "  port: 80",
    ];
    assert_eq!(does, wanted, "{status}");
}

const ON_AZURE: &str = r#"
azure: { subscription: 00000000-0000-0000-0000-000000000001, resource_group: rg, credential: client_secret }
execution:
  - id: move
    action: azure.storage.failover
    approval: { by: [commander] }
    with: { account: orders, to: eastus2 }
  - id: grow
    action: azure.vmss.scale
    needs: [move]
    with: { scale_set: web, capacity: 5 }
    point_of_no_return: true
"#;

/// What the gate of the storage account shows by its parameters: the defaults, and the request itself.
const MOVES: [&str; 16] = [
    "move: azure.storage.failover",
    "  account: orders",
    "  to: eastus2",
    "  subscription: 00000000-0000-0000-0000-000000000001",
    "  resource_group: rg",
    "  credential: client_secret",
    "  cloud: public (not given)",
    "  mode: unplanned (not given)",
    "  sends POST https://management.azure.com/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg\
     /providers/Microsoft.Storage/storageAccounts/orders/failover?api-version=2025-06-01",
    "guards the point of no return `grow`",
    "grow: azure.vmss.scale",
    "  scale_set: web",
    "  capacity: 5",
    "  subscription: 00000000-0000-0000-0000-000000000001",
    "  resource_group: rg",
    "  credential: client_secret",
];

fn told<'t>(text: &'t str, label: &str) -> Vec<&'t str> {
    text.lines().filter_map(|line| line.trim_start().strip_prefix(label)).collect()
}

#[test]
fn a_gate_on_azure_shows_every_request_and_default_and_opens_though_nothing_can_be_read() {
    let workspace = Workspace::of(ON_AZURE);
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let status = workspace.drctl(&["status"]).stdout;
    let does = told(&status, "does: ");
    assert_eq!(does[..MOVES.len()], MOVES, "{status}");
    assert!(does.last().unwrap().contains("body: {\"sku\":{\"capacity\":5}}"), "{status}");
    let now = told(&status, "now: ");
    let why = "its state could not be read: no token by the credential `client_secret`; tried client_secret: it needs \
               `secret`: the environment variable `AZURE_CLIENT_SECRET` is not set";
    assert_eq!(now, [why], "{status}");

    let json: serde_json::Value = serde_json::from_str(&workspace.drctl(&["status", "--json"]).stdout).unwrap();
    let gate = &json["steps"][0]["gate"];
    assert_eq!((&gate["preview"][8], &gate["foreseen"][0]), (&does[8].into(), &why.into()), "{gate}");
    let plan = workspace.drctl(&["plan", "r", "--full"]).stdout;
    assert_eq!(told(&plan, "does: "), does, "{plan}");
    assert!(plan.contains(&format!("--approve move={}", &gate["digest"].as_str().unwrap()[..12])), "{plan}");
}

#[test]
fn a_gate_on_azure_shows_what_would_be_sent_by_the_state_that_was_read() {
    let read = &ON_AZURE
        .replace("    approval: { by: [commander] }\n", "")
        .replace("point_of_no_return: true", "approval: { by: [commander] }\n    estimate: { typical: 1m, worst: 2m }");
    let ran = Workspace::of(read).drctl(&["failover", "r", "--simulate", "--speed", "1000"]);
    let now = told(&ran.stderr, "now: ");
    assert_eq!(now[0], "still to be done: scale `web` from 2 to 5 machines; would send first", "{ran:?}");
    assert!(now[1].starts_with("  PATCH https://management.azure.com/") && now.len() == 3, "{ran:?}");
    assert_eq!(now[2], "  body: {\"sku\":{\"name\":\"Standard_D2s_v5\",\"capacity\":5}}");
}

#[test]
fn only_those_asked_may_approve_and_a_kept_approval_is_taken_by_the_next_resume() {
    let workspace = Workspace::of(GATED);
    workspace.drctl(&["failover", "r"]);
    let refused = workspace.drctl(&["approve", "go", "--as", "linus"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("`linus` has none of the roles `commander`; those who do: ada, grace"),
        "{refused:?}"
    );
    assert_eq!(workspace.drctl(&["approve", "go", "--as", "ada", "--reason", "seen"]).code, 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 0);
    assert_eq!(workspace.lines("log"), ["east"]);
    let approved: Vec<String> =
        workspace.journal().lines().filter(|line| line.contains("\"decided\"")).map(str::to_owned).collect();
    assert_eq!(approved.len(), 1);
    for part in ["\"name\":\"ada\"", "\"claimed\":true", "\"from\":\"inbox\"", "\"reason\":\"seen\""] {
        assert!(approved[0].contains(part), "{part}: {}", approved[0]);
    }
}

#[test]
fn a_rejected_gate_fails_its_step() {
    let workspace = Workspace::of(GATED);
    workspace.drctl(&["failover", "r"]);
    assert_eq!(workspace.drctl(&["reject", "go", "--as", "ada", "--reason", "not yet"]).code, 0);
    let ran = workspace.drctl(&["resume"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("exception: `go` failed: rejected by ada: not yet"), "{}", ran.stdout);
    workspace.drctl(&["retry", "go"]);
    assert_eq!(workspace.drctl(&["resume"]).code, 3, "an operator's retry asks again");
}

#[test]
fn two_different_people_are_needed_where_the_quorum_is_two() {
    let workspace = Workspace::of(&GATED.replace("by: [commander]", "by: [commander], quorum: 2"));
    workspace.drctl(&["failover", "r"]);
    assert_eq!(workspace.drctl(&["approve", "go", "--as", "ada"]).code, 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 3);
    let twice = workspace.drctl(&["approve", "go", "--as", "ada"]);
    assert!(twice.stderr.contains("`ada` has approved already; 2 different people are needed"), "{twice:?}");
    assert_eq!(workspace.drctl(&["approve", "go", "--as", "grace"]).code, 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 0);
}

#[test]
fn who_started_the_run_may_be_kept_from_approving_it() {
    let workspace = Workspace::of(&GATED.replace("by: [commander]", "by: [commander], requester_may_approve: false"));
    workspace.drctl(&["failover", "r", "--as", "ada"]);
    let refused = workspace.drctl(&["approve", "go", "--as", "ada"]);
    assert!(refused.stderr.contains("`ada` started the run and may not approve this gate"), "{refused:?}");
    assert_eq!(workspace.drctl(&["approve", "go", "--as", "grace"]).code, 0);
}

fn digest(workspace: &Workspace, more: &[&str]) -> String {
    let planned = workspace.drctl(&[&["plan", "r"], more].concat());
    let line =
        planned.stdout.lines().find(|line| line.contains("--approve go=")).unwrap_or_else(|| panic!("{planned:?}"));
    line.split_once("go=").unwrap().1.to_owned()
}

#[test]
fn an_approval_ahead_holds_for_exactly_what_was_planned() {
    let workspace = Workspace::of(GATED);
    let given = format!("go={}", digest(&workspace, &[]));
    let other = workspace.drctl(&["failover", "r", "--as", "ada", "--approve", &given, "--set", "target=west"]);
    assert_eq!(other.code, 3, "{other:?}");
    let same = workspace.drctl(&["failover", "r", "--as", "ada", "--approve", &given]);
    assert!(!same.stderr.contains("drctl approve"), "{same:?}");
    assert_eq!(same.code, 0, "{same:?}");
    assert_eq!(workspace.lines("log"), ["east"]);
}

#[test]
fn a_plan_that_was_written_is_run_as_it_was_or_not_at_all() {
    let workspace = Workspace::of(GATED);
    workspace.drctl(&["plan", "r", "--out", "plan.json"]);
    let start = ["failover", "r", "--as", "ada", "--plan", "plan.json", "--approve", "go"];
    assert_eq!(workspace.drctl(&start).code, 0);
    workspace.write("templates/new.txt", "Subject: x\n\ny\n");
    let stale = workspace.drctl(&start);
    assert_eq!(stale.code, 5);
    assert!(stale.stderr.contains("the plan is stale"), "{stale:?}");
    assert_eq!(workspace.lines("log"), ["east"]);
}

#[test]
fn a_gate_whose_time_is_over_may_reject_but_never_approves() {
    let workspace =
        Workspace::of(&GATED.replace("by: [commander]", "by: [commander], timeout: 50ms, on_timeout: reject"));
    let child = workspace.start(&["failover", "r", "--wait"]);
    until("the rejection", || workspace.path(".drctl/runs").exists() && workspace.journal().contains("step_failed"));
    assert!(workspace.journal().contains("nobody approved it in time"));
    crate::workspace::signal(&child, rustix::process::Signal::INT);
    assert_eq!(ran(child.wait_with_output().unwrap()).code, 130);
    assert_eq!(workspace.lines("log"), Vec::<String>::new());
}

#[test]
fn an_approval_from_another_terminal_lets_a_waiting_run_go_on() {
    let workspace = Workspace::of(GATED);
    let child = workspace.start(&["failover", "r", "--wait"]);
    until("the gate", || workspace.path(".drctl/runs").exists() && workspace.journal().contains("gate_opened"));
    let approved = workspace.drctl(&["approve", "go", "--as", "grace"]);
    assert!(approved.stdout.starts_with("taken: approve `go` by grace"), "{approved:?}");
    let ended = ran(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn time_escalates_a_gate_to_further_roles() {
    let gate = "by: [commander], timeout: 50ms, escalate_to: [deputy]";
    let workspace = Workspace::of(&GATED.replace("by: [commander]", gate));
    let child = workspace.start(&["failover", "r", "--wait"]);
    until("the escalation", || {
        workspace.path(".drctl/runs").exists() && workspace.journal().contains("gate_escalated")
    });
    assert_eq!(workspace.lines("log"), Vec::<String>::new());
    assert_eq!(workspace.drctl(&["approve", "go", "--as", "linus"]).code, 0);
    assert_eq!(ran(child.wait_with_output().unwrap()).code, 0);
}

#[test]
fn those_asked_once_its_time_is_over_answer_though_nobody_drives_the_run() {
    let gate = "by: [commander], timeout: 1ms, escalate_to: [deputy]";
    let workspace = Workspace::of(&GATED.replace("by: [commander]", gate));
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 3);
    let status = workspace.drctl(&["status"]).stdout;
    assert!(status.contains("    asks commander, deputy: ada, grace, linus\n"), "{status}");
    let approved = workspace.drctl(&["approve", "go", "--as", "linus"]);
    assert_eq!(approved.code, 0, "{approved:?}");
    assert_eq!(workspace.drctl(&["resume"]).code, 0);
    assert_eq!(workspace.lines("log"), ["east"]);
}

#[test]
fn what_was_decided_while_nobody_drove_the_run_is_shown_and_not_asked_again() {
    let workspace = Workspace::of(&GATED.replace("by: [commander]", "by: [commander], quorum: 2"));
    workspace.drctl(&["failover", "r"]);
    let run = workspace.run();
    assert_eq!(workspace.drctl(&["approve", "go", "--as", "ada", "--reason", "seen"]).code, 0);
    let status = workspace.drctl(&["status"]).stdout;
    assert!(status.contains("kept, to be taken by who drives the run\n  go: approved at "), "{status}");
    assert!(status.contains(" UTC by ada (by `--as`) on ") && status.contains(": seen\n"), "{status}");
    assert!(status.contains("2 different people, 1 so far"), "{status}");
    assert!(status.contains(&format!("drctl approve {run} go ")), "{status}");
    let twice = workspace.drctl(&["approve", "go", "--as", "ada"]);
    assert!(twice.stderr.contains("`ada` has approved already"), "{twice:?}");
    assert_eq!(workspace.drctl(&["approve", "go", "--as", "grace"]).code, 0);
    let status = workspace.drctl(&["status"]).stdout;
    assert!(!status.contains("drctl approve") && !status.contains("needs people"), "{status}");
    assert!(status.ends_with(&format!("next\n  drctl resume {run}\n")), "{status}");
    assert_eq!(workspace.drctl(&["resume"]).code, 0);
}

#[test]
fn a_simulated_run_that_nobody_drives_takes_no_decision() {
    let workspace = Workspace::of(GATED);
    let left = workspace.drctl(&["failover", "r", "--simulate", "--as", "ada"]);
    assert_eq!(left.code, 3, "{left:?}");
    assert!(!left.stderr.contains("drctl approve") && !left.stdout.contains("drctl approve"), "{left:?}");
    let runs = std::fs::read_dir(workspace.path(".drctl/simulated/runs")).unwrap();
    let run = runs.map(|run| run.unwrap().file_name().into_string().unwrap()).next().unwrap();
    let refused = workspace.drctl(&["approve", &run, "go", "--as", "ada"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("its world is gone with the process that drove it"), "{refused:?}");
}

#[test]
fn a_gate_shows_the_points_of_no_return_that_it_guards() {
    let workspace = Workspace::of(
        r#"
execution:
  - { id: ask, action: exec, approval: {}, with: { argv: ["true"] } }
  - { id: big, action: exec, needs: [ask], point_of_no_return: true, with: { argv: [destroy, it] } }
"#,
    );
    workspace.drctl(&["failover", "r"]);
    let status = workspace.drctl(&["status"]).stdout;
    let does: Vec<&str> = status.lines().filter_map(|line| line.trim_start().strip_prefix("does: ")).collect();
    let wanted = [
        "ask: exec",
        "  argv: [\"true\"]",
        "guards the point of no return `big`",
        "big: exec",
        "  argv: [\"destroy\",\"it\"]",
    ];
    assert_eq!(does, wanted, "{status}");
}

#[test]
fn an_approval_ahead_that_does_not_count_is_refused_or_says_why() {
    let workspace = Workspace::of(&format!("{GATED}  - {{ id: free, action: exec, with: {{ argv: [\"true\"] }} }}\n"));
    let digest = digest(&workspace, &[]);
    for (step, why) in
        [("og", "has no step `og`; did you mean `go`?"), ("free", "`free` has no gate; those with one: go")]
    {
        let refused = workspace.drctl(&["failover", "r", "--approve", &format!("{step}={digest}")]);
        assert_eq!((refused.code, refused.stderr.contains(why)), (2, true), "{why}: {refused:?}");
    }
    let other = "0123456789ab";
    let wrong = workspace.drctl(&["failover", "r", "--as", "ada", "--approve", &format!("go={other}")]);
    assert_eq!(wrong.code, 3, "{wrong:?}");
    let why = format!("`--approve` does not count: it was given for {other}, the gate asks for {digest}");
    assert!(wrong.stderr.contains(&why), "{why}: {wrong:?}");
    let nobody = workspace.drctl(&["failover", "r", "--as", "linus", "--approve", &format!("go={digest}")]);
    let why = "`--approve` does not count: `linus` has none of the roles `commander`";
    assert!(nobody.stderr.contains(why), "{nobody:?}");
}

#[test]
fn a_gate_without_anybody_to_escalate_to_says_so() {
    let workspace = Workspace::of(&GATED.replace("by: [commander]", "by: [commander], timeout: 50ms"));
    let child = workspace.start(&["failover", "r", "--wait"]);
    until("the escalation", || workspace.journal().contains("gate_escalated"));
    crate::workspace::signal(&child, rustix::process::Signal::INT);
    let ended = ran(child.wait_with_output().unwrap());
    assert!(ended.stderr.contains("nobody approved it in time, and there is nobody else to ask"), "{ended:?}");
}

/// One gate for two items.
const GATED_ITEMS: &str = r#"
execution:
  - id: go
    for_each: [east, west]
    action: shell
    approval: { by: [commander] }
    with: { script: "echo $TARGET >> log", env: { TARGET: "{{ item }}" } }
"#;

#[test]
fn behind_the_gate_of_a_step_for_many_items_all_of_them_run() {
    let workspace = Workspace::of(GATED_ITEMS);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 3);
    assert_eq!(workspace.drctl(&["approve", "go", "--as", "ada"]).code, 0);
    let resumed = workspace.drctl(&["resume"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    let mut done = workspace.lines("log");
    done.sort();
    assert_eq!(done, ["east", "west"]);
}

#[test]
fn the_rejected_gate_of_a_step_for_many_items_is_asked_again_or_left_out_as_one() {
    let workspace = Workspace::of(GATED_ITEMS);
    workspace.drctl(&["failover", "r"]);
    workspace.drctl(&["reject", "go", "--reason", "not yet", "--as", "ada"]);
    assert_eq!(workspace.drctl(&["resume"]).code, 1);
    assert_eq!(workspace.drctl(&["retry", "go", "--as", "ada"]).code, 0);
    assert_eq!(workspace.drctl(&["resume"]).code, 3, "it is asked again");
    workspace.drctl(&["reject", "go", "--reason", "never", "--as", "ada"]);
    workspace.drctl(&["resume"]);
    assert_eq!(workspace.drctl(&["skip", "go", "--reason", "never", "--yes"]).code, 0);
    let skipped = workspace.drctl(&["resume"]);
    assert_eq!(skipped.code, 10, "{skipped:?}");
    assert_eq!(workspace.lines("log"), Vec::<String>::new());
}

#[test]
fn who_may_not_pass_a_gate_does_not_run_again_what_stands_behind_it() {
    let workspace =
        Workspace::of(&GATED_ITEMS.replace("echo $TARGET >> log", "echo $TARGET >> log; test $TARGET = west"));
    workspace.drctl(&["failover", "r"]);
    workspace.drctl(&["approve", "go", "--as", "ada"]);
    assert_eq!(workspace.drctl(&["resume"]).code, 1);
    let before = workspace.lines("log").len();
    let refused = workspace.drctl(&["retry", "go[east]", "--as", "eve"]);
    let why = "the gate of `go` holds for it: `eve` has none of the roles `commander`";
    assert!(refused.code == 1 && refused.stderr.contains(why), "{refused:?}");
    assert_eq!(workspace.drctl(&["retry", "go[east]", "--as", "ada"]).code, 0);
    workspace.drctl(&["resume"]);
    assert_eq!(workspace.lines("log").len(), before + 1);
}

/// One gate of two people for two items, of which the first fails until there is a file `ok`.
fn two_people_for_items() -> Workspace {
    let failing = "echo $TARGET >> log; test $TARGET = west -o -e ok";
    let gated = GATED_ITEMS.replace("by: [commander]", "by: [commander], quorum: 2");
    let workspace = Workspace::of(&gated.replace("echo $TARGET >> log", failing));
    workspace.drctl(&["failover", "r"]);
    for name in ["ada", "grace"] {
        assert_eq!(workspace.drctl(&["approve", "go", "--as", name]).code, 0);
    }
    assert_eq!(workspace.drctl(&["resume"]).code, 1);
    assert_eq!(workspace.lines("log").len(), 2);
    workspace.write("ok", "");
    workspace
}

#[test]
fn what_two_people_let_pass_is_run_again_when_two_people_say_so() {
    let workspace = two_people_for_items();
    let run = workspace.run();
    let status = workspace.drctl(&["status"]).stdout;
    assert!(status.contains("    a retry asks commander: ada, grace; 2 different people, 0 so far\n"), "{status}");
    let first = workspace.drctl(&["retry", "go[east]", "--as", "ada"]);
    let said = "kept: retry `go[east]` by ada, a name given with `--as` and not authenticated; 1 more person has to say \
                the same. Nobody drives the run";
    assert!(first.code == 0 && first.stdout.starts_with(said), "{first:?}");
    let status = workspace.drctl(&["status"]).stdout;
    assert!(status.contains("  go[east]: retry approved at ") && status.contains(", 1 so far\n"), "{status}");
    assert!(status.contains(&format!("  drctl retry {run} 'go[east]'\n")), "{status}");

    let alone = workspace.drctl(&["resume"]);
    assert_eq!((alone.code, workspace.lines("log").len()), (1, 2), "one alone runs nothing: {alone:?}");
    assert!(alone.stderr.contains("go[east] retry approved by ada (by `--as`) on "), "{alone:?}");
    assert!(alone.stderr.contains("; 1 more person has to say the same\n"), "{alone:?}");
    let twice = workspace.drctl(&["retry", "go[east]", "--as", "ada"]);
    let why = "`ada` has asked for this retry already; 2 different people are needed";
    assert!(twice.code == 1 && twice.stderr.contains(why), "{twice:?}");
    let other = workspace.drctl(&["retry", "go[east]", "--as", "linus"]);
    assert!(other.code == 1 && other.stderr.contains("the gate of `go` holds for it: `linus` has none"), "{other:?}");

    assert_eq!(workspace.drctl(&["retry", "go[east]", "--as", "grace"]).code, 0);
    let both = workspace.drctl(&["resume"]);
    assert_eq!((both.code, workspace.lines("log").len()), (0, 3), "{both:?}");
    let named = both.stderr.lines().find(|line| line.contains("go[east] tried again by grace (by `--as`) on "));
    assert!(named.is_some_and(|line| line.ends_with(", as ada said before")), "{both:?}");
    assert_eq!(workspace.lines("log")[2], "east");
}

#[test]
fn who_says_how_many_have_to_is_drctl_and_not_what_is_delivered() {
    let workspace = two_people_for_items();
    let kept = workspace.drctl(&["retry", "go[east]", "--as", "ada"]);
    assert_eq!(kept.code, 0, "{kept:?}");
    let inbox = workspace.path(&format!(".drctl/runs/{}/inbox", workspace.run()));
    for file in std::fs::read_dir(&inbox).unwrap().map(|file| file.unwrap().path()).filter(|path| path.is_file()) {
        let text = std::fs::read_to_string(&file).unwrap();
        let forged = text.replacen("\"reason\"", "\"others\":0,\"reason\"", 1);
        assert_ne!(forged, text);
        std::fs::write(&file, forged).unwrap();
    }
    assert_eq!(workspace.drctl(&["resume"]).code, 1);
    assert_eq!(workspace.lines("log").len(), 2);
    assert!(workspace.journal().contains("\"others\":1"));
}

#[test]
fn behind_the_gate_of_a_call_one_cannot_run_a_step_again_alone() {
    let workspace = Workspace::new()
        .runbook(
            "r",
            "execution:\n  - { id: call, action: runbook, approval: { quorum: 2 }, with: { runbook: inner } }\n",
        )
        .runbook(
            "inner",
            "execution:\n  - { id: go, action: shell, with: { script: \"echo go >> log; test -e ok\" } }\n",
        );
    workspace.drctl(&["failover", "r"]);
    for name in ["ada", "linus"] {
        assert_eq!(workspace.drctl(&["approve", "call", "--as", name]).code, 0);
    }
    assert_eq!(workspace.drctl(&["resume"]).code, 1);
    workspace.write("ok", "");
    for (name, code, times) in [("ada", 1, 1), ("linus", 0, 2)] {
        let said = workspace.drctl(&["retry", "call.go", "--as", name]);
        assert_eq!(said.code, 0, "{said:?}");
        let resumed = workspace.drctl(&["resume"]);
        assert_eq!((resumed.code, workspace.lines("log").len()), (code, times), "{resumed:?}");
    }
}
