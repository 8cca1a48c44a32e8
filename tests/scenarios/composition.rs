//! Runbooks that call others: one run, one journal, one way to decide.

use rustix::process::Signal;

use crate::workspace::{Workspace, ran, signal, until};

const POSTGRES: &str = r#"
inputs:
  region: { type: string }
  mode: { type: enum, values: [planned, forced], default: planned }
execution:
  - id: promote
    action: shell
    with: { script: "echo promote $R $M >> log; echo '{\"host\": \"pg-west\"}' > $DRCTL_OUTPUT", env: { R: "{{ inputs.region }}", M: "{{ inputs.mode }}" } }
    outputs: { host: string }
    rollback: { action: shell, with: { script: "echo demote $R >> log", env: { R: "{{ inputs.region }}" } } }
communication:
  - { id: tell, action: shell, with: { script: echo tell >> log } }
outputs:
  host: "{{ steps.promote.outputs.host }}"
"#;

const CALLER: &str = r#"
execution:
  - { id: before, action: shell, with: { script: echo before >> log } }
  - id: database
    action: runbook
    needs: [before]
    with: { runbook: postgres, inputs: { region: west } }
  - id: after
    action: shell
    needs: [database]
    with: { script: "echo after $H >> log", env: { H: "{{ steps.database.outputs.host }}" } }
outputs:
  host: "{{ steps.database.outputs.host }}"
  skipped: "{{ steps.before.outputs.exit_code | default(value='none') }}"
"#;

fn workspace(caller: &str, called: &str) -> Workspace {
    Workspace::of(caller).runbook("postgres", called)
}

#[test]
fn a_called_runbook_runs_in_its_place_and_gives_its_outputs_back() {
    let workspace = workspace(CALLER, POSTGRES);
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!((ran.code, workspace.lines("log")), (0, ["before", "promote west planned", "after pg-west"].map(str::to_owned).into()), "{ran:?}");
    assert_eq!(
        workspace.states(),
        ["before=succeeded", "database=succeeded", "after=succeeded", "database.promote=succeeded"]
    );
    assert!(ran.stdout.contains("output: host: pg-west\n"), "{ran:?}");
    let status = workspace.drctl(&["status", &workspace.run()]).stdout;
    assert!(status.contains("    database.promote "), "{status}");
    assert!(status.contains("outputs\n  host: pg-west\n"), "{status}");
}

#[test]
fn its_communication_phase_runs_where_the_call_asks_for_it() {
    let workspace = workspace(&CALLER.replace("region: west }", "region: west }, communication: true"), POSTGRES);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
    assert_eq!(workspace.lines("log"), ["before", "promote west planned", "tell", "after pg-west"]);
}
