//! `drctl doctor`: what runs stand on is looked at before an outage asks for it, and nothing is changed.

#![allow(dead_code, reason = "what tests share serves several of them")]
#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

mod support;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use drctl::catalogue::Timestamp;
use drctl::edge::clock::{Clock as _, SystemClock};
use drctl::exec::doctor::{Verdict, compared};
use serde_json::Value;
use support::http::{Reply, Server};

const SETTINGS: &str = "\
drctl: 1
roles: { incident_commander: [alice] }
channels: { status_page: { type: file, path: notices } }
audiences: { customers: [status_page] }
";

const RUNBOOK: &str = "\
drctl: 1
name: orders
kind: failover
title: Move Orders
owner: team_orders
objectives: { rto: 45m, rpo: 5m }
inputs:
  primary: { type: string, default: centralus }
  token: { type: secret, from: { env: DOCTOR_TEST_TOKEN } }
execution:
  - { id: tell, action: exec, with: { argv: [no-such-program, x], env: { TOKEN: \"{{ inputs.token }}\" } } }
  - { id: note, action: shell, with: { script: \"true\" } }
";

/// A workspace with that runbook, or none.
struct Workspace(tempfile::TempDir);

impl Workspace {
    fn new(settings: &str, runbook: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("drctl.yaml"), settings).unwrap();
        fs::create_dir(folder.path().join("runbooks")).unwrap();
        fs::write(folder.path().join("runbooks/orders.yaml"), runbook).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn doctor(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        doctor(self.path(), arguments, variables)
    }

    /// The exit code, and each thing that was looked at but where runs are kept, as a line.
    fn told(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
        let (code, lines) = self.lines(arguments, variables);
        let lines = lines.into_iter().filter(|line| !line.starts_with("state: "));
        (code, lines.map(|line| line + "\n").collect())
    }

    fn lines(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, Vec<String>) {
        let output = self.doctor(&[&["--json"], arguments].concat(), variables);
        (output.status.code(), lines(&output, self.path()))
    }
}

fn doctor(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_drctl"))
        .args(["doctor", "--as", "alice"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn lines(output: &Output, folder: &Path) -> Vec<String> {
    assert!(output.stderr.is_empty(), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let line = |section: &str, check: &Value| {
        let text = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
        let next = check["next"].as_str().map(|next| format!(" -> {next}")).unwrap_or_default();
        let line = format!("{section}: {}: {}: {}{next}", text("subject"), text("verdict"), text("found"));
        line.replace(&folder.display().to_string(), "HERE").replace(&format!("@{}", host.trim()), "@HOST")
    };
    let sections = document["sections"].as_array().unwrap().iter();
    let of_section = |section: &Value| {
        let checks = section["checks"].as_array().unwrap();
        checks.iter().map(|check| line(section["name"].as_str().unwrap(), check)).collect::<Vec<_>>()
    };
    sections.flat_map(of_section).collect()
}

#[test]
fn what_is_missing_is_named_with_who_needs_it_and_what_to_type() {
    let workspace = Workspace::new(SETTINGS, RUNBOOK);
    let (code, told) = workspace.told(&["orders"], &[]);
    assert_eq!(code, Some(1));
    assert_eq!(
        told,
        "\
workspace: drctl.yaml: fine: in `HERE`
workspace: runbooks: fine: 1 runbook without errors
workspace: you: fine: alice@HOST, incident_commander
tools: no-such-program: broken: is not in the PATH; needed by tell of failover orders -> install `no-such-program`, or correct what names it
tools: sh: fine: `/usr/bin/sh`, for note of failover orders
secrets: token (the environment variable `DOCTOR_TEST_TOKEN`): broken: is not set -> export DOCTOR_TEST_TOKEN=...
channels: status_page: fine: `HERE/notices` is made with the first notice
"
    );
}

#[test]
fn nothing_is_left_behind_and_no_value_of_a_secret_is_shown() {
    let workspace = Workspace::new(SETTINGS, &RUNBOOK.replace("no-such-program, x", "echo"));
    fs::create_dir(workspace.path().join(".drctl")).unwrap();
    let before = files(workspace.path());
    let output = workspace.doctor(&[], &[("DOCTOR_TEST_TOKEN", "hunter2-hunter2")]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!((output.status.code(), told.contains("hunter2")), (Some(0), false), "{told}");
    assert!(
        told.contains("\nsecrets\n  fine         token (the environment variable `DOCTOR_TEST_TOKEN`)  is set\n"),
        "{told}"
    );
    assert!(told.ends_with("fine\n") && told.contains("\n0 broken, "), "{told}");
    assert_eq!(files(workspace.path()), before);
}

/// Every path below the folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path.clone());
            }
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_folder_that_is_no_workspace_yet_is_told_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let output = doctor(folder.path(), &["--json"], &[]);
    assert_eq!(output.status.code(), Some(0));
    let told = lines(&output, folder.path());
    assert_eq!(
        told[..3],
        [
            "workspace: drctl.yaml: warning: there is none in `HERE` or above: no roles, no channels -> drctl init",
            "workspace: runbooks: warning: there is none -> drctl init",
            "workspace: you: fine: alice@HOST; the workspace has no roles: anybody may approve",
        ]
    );
    assert!(files(folder.path()).is_empty());
}

#[test]
fn settings_and_runbooks_with_errors_are_broken() {
    let workspace = Workspace::new("drctl: 1\nrolls: {}\n", "drctl: 1\nname: orders\nkind: failover\n");
    let (code, told) = workspace.told(&[], &[]);
    assert_eq!(code, Some(1));
    let told: Vec<&str> = told.lines().collect();
    assert!(told[0].starts_with("workspace: drctl.yaml: broken: drctl.yaml:2:1: "), "{told:?}");
    let wanted = "workspace: runbooks: broken: 1 runbook, with errors in failover orders -> drctl validate";
    assert_eq!(told[1], wanted);
}

#[test]
fn a_file_in_the_place_of_the_state_folder_is_broken() {
    let workspace = Workspace::new(SETTINGS, RUNBOOK);
    fs::write(workspace.path().join("state"), "").unwrap();
    let (code, lines) = workspace.lines(&["--state", "state"], &[("DOCTOR_TEST_TOKEN", "x")]);
    assert_eq!(code, Some(1));
    let of_state: Vec<&String> = lines.iter().filter(|line| line.starts_with("state: ")).collect();
    assert!(of_state[0].starts_with("state: folder: broken: `HERE/state`: wanted a folder"), "{of_state:?}");
    assert!(of_state[0].ends_with(" -> drctl doctor --state DIR"), "{of_state:?}");
}

#[test]
fn runs_kept_in_memory_are_a_warning() {
    let state = tempfile::tempdir_in("/dev/shm").unwrap();
    let workspace = Workspace::new(SETTINGS, RUNBOOK);
    let (_, lines) = workspace.lines(&["--state", state.path().to_str().unwrap()], &[]);
    let wanted = "state: file system: warning: tmpfs: gone with this machine or container, and the runs with it";
    assert!(lines.contains(&format!("{wanted} -> drctl doctor --state DIR")), "{lines:#?}");
    assert!(lines.contains(&"state: locks: fine: keep a second drctl out".to_owned()), "{lines:#?}");
    assert!(files(state.path()).is_empty());
}

#[test]
fn a_run_that_nobody_drives_is_named() {
    let waits = "execution:\n  - { id: ask, action: manual, with: { instructions: look } }\n";
    let runbook = format!("{}{waits}", RUNBOOK.split("execution:").next().unwrap());
    let workspace = Workspace::new(SETTINGS, &runbook);
    let variables = [("DOCTOR_TEST_TOKEN", "hunter2-hunter2")];
    let started = Command::new(env!("CARGO_BIN_EXE_drctl"))
        .args(["failover", "orders", "--output", "plain"])
        .current_dir(workspace.path())
        .envs(variables)
        .env_remove("DRCTL_STATE")
        .env_remove("DRCTL_WORKSPACE")
        .output()
        .unwrap();
    assert_eq!(started.status.code(), Some(3), "{started:?}");
    let run = fs::read_dir(workspace.path().join(".drctl/runs")).unwrap().next().unwrap().unwrap().file_name();
    let run = run.to_str().unwrap();
    let (code, lines) = workspace.lines(&[], &variables);
    assert_eq!(code, Some(0));
    let wanted = format!("state: {run}: warning: is open, and nobody drives it -> drctl status {run}");
    assert!(lines.contains(&wanted), "{lines:#?}");
    assert!(lines.last().unwrap().starts_with("clock: journals: fine: stands after the newest record"), "{lines:#?}");

    let journal = workspace.path().join(".drctl/runs").join(run).join("journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replacen("orders", "orderz", 1)).unwrap();
    let (code, lines) = workspace.lines(&[], &variables);
    assert_eq!(code, Some(1));
    assert!(lines.iter().any(|line| line.starts_with(&format!("state: {run}: broken: "))), "{lines:#?}");
}

#[test]
fn a_webhook_is_connected_to_and_sent_nothing() {
    let open = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let ports = [&open, &closed].map(|listener| listener.local_addr().unwrap().port());
    drop(closed);
    let channel =
        |name: &str, port| format!("  {name}: {{ type: webhook, url: \"http://127.0.0.1:{port}/s3cret\" }}\n");
    let settings = format!("drctl: 1\nchannels:\n{}{}", channel("chat", ports[0]), channel("pager", ports[1]));
    let workspace = Workspace::new(&settings, RUNBOOK);
    let (code, told) = workspace.told(&[], &[]);
    let of_channels: String =
        told.lines().filter(|line| line.starts_with("channels: ")).map(|line| format!("{line}\n")).collect();
    let wanted = format!(
        "channels: chat: fine: `127.0.0.1` answers on port {}; nothing was sent\n\
         channels: pager: broken: `127.0.0.1` does not answer on port {}: Connection refused (os error 111)\n",
        ports[0], ports[1]
    );
    assert_eq!((code, of_channels), (Some(1), wanted));
    let (mut stream, _) = open.accept().unwrap();
    assert_eq!(std::io::copy(&mut stream, &mut std::io::sink()).unwrap(), 0);
    let (_, told) = workspace.told(&[], &[("HTTP_PROXY", "http://127.0.0.1:1")]);
    assert!(told.contains("chat: not_checked: `127.0.0.1` is reached through the proxy of `HTTP_PROXY`\n"), "{told}");
    let proxies = [("HTTP_PROXY", "http://127.0.0.1:1"), ("NO_PROXY", "127.0.0.0/8")];
    let (_, told) = workspace.told(&[], &proxies);
    assert!(told.contains("chat: fine: `127.0.0.1` answers on port "), "{told}");
}

#[test]
fn secrets_in_files_are_there_not_empty_and_not_for_everybody() {
    let input = |name: &str| format!("  {name}: {{ type: secret, from: {{ file: {name} }} }}\n");
    let inputs: String = ["absent", "empty", "open", "own"].map(input).concat();
    let command = "  made: { type: secret, from: { command: [no-such-vault, read] } }\n";
    let head = "drctl: 1\nname: orders\nkind: failover\nobjectives: { rto: 45m }\ninputs:\n";
    let steps = "execution:\n  - { id: note, action: shell, with: { script: \"true\" } }\n";
    let workspace = Workspace::new(SETTINGS, &format!("{head}{inputs}{command}{steps}"));
    for (name, content, mode) in [("empty", "\n", 0o600), ("open", "value-value", 0o644), ("own", "value-value", 0o600)]
    {
        let file = workspace.path().join(name);
        fs::write(&file, content).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    }
    let (_, told) = workspace.told(&[], &[]);
    let wanted = "\
tools: no-such-vault: broken: is not in the PATH; needed by secret made of failover orders -> install `no-such-vault`, or correct what names it
tools: sh: fine: `/usr/bin/sh`, for note of failover orders
secrets: absent (the file `absent`): broken: cannot read `HERE/absent`: No such file or directory (os error 2)
secrets: empty (the file `empty`): broken: `HERE/empty` is empty
secrets: made (the command `no-such-vault read`): not_checked: is started only by a run
secrets: open (the file `open`): warning: everybody on this machine may read `HERE/open` -> chmod 600 HERE/open
secrets: own (the file `own`): fine: `HERE/own` can be read
";
    assert!(told.contains(wanted), "{told}");
}

/// A workspace on a cloud that is not there, whose credential has no secret.
const NOWHERE: &str = "\
drctl: 1
azure:
  subscription: 00000000-0000-0000-0000-000000000001
  resource_group: rg
  cloud: stack
  credential: principal
  credentials: { principal: { kinds: [client_secret], tenant: t, client: c, secret: { env: DOCTOR_TEST_PRINCIPAL } } }
  clouds: { stack: { authority: \"https://127.0.0.1:1\", management: \"https://127.0.0.1:1\" } }
";

const ON_AZURE: &str = "\
drctl: 1
name: orders
kind: failover
objectives: { rto: 45m, rpo: 5m }
inputs:
  primary: { type: string, default: centralus }
  secondary: { type: string, default: eastus2 }
  token: { type: secret, from: { file: /mnt/share-centralus/token } }
detection:
  - { id: probe, action: probe.http, with: { url: \"https://orders-{{ inputs.primary }}.example.com/\" } }
assessment:
  - { id: lag, action: azure.postgres.replication_lag, on_failure: continue, with: { server: \"pg-{{ inputs.primary }}\" } }
  - { id: other, action: azure.postgres.replication_lag, when: inputs.secondary == 'x', with: { server: pg-centralus } }
execution:
  - { id: say, action: manual, with: { instructions: \"Leave {{ inputs.primary }}.\" } }
  - { id: stop, action: azure.vm.deallocate, with: { resource_group: rg-centralus, vm: \"vm{{ inputs.primary }}\" } }
  - id: promote
    action: azure.postgres.promote_replica
    with: { server: \"pg-{{ inputs.secondary }}\", mode: forced }
    rollback: { action: shell, with: { script: \"true\", dir: old-Central US } }
  - { id: traffic, action: azure.traffic_manager.set_endpoint, with: { profile: orders, endpoint: \"{{ inputs.primary }}\", status: disabled } }
  - { id: call, action: http, with: { url: \"https://northcentralus.example.com\", headers: { auth: \"{{ inputs.token }}\" } } }
";

#[test]
fn a_credential_that_gives_no_token_says_what_was_tried() {
    let workspace = Workspace::new(NOWHERE, ON_AZURE);
    let (code, told) = workspace.told(&[], &[]);
    assert_eq!(code, Some(1));
    let tail: String = told.lines().filter(|line| line.starts_with("c")).map(|line| format!("{line}\n")).collect();
    assert_eq!(
        tail,
        "\
credentials: principal at 127.0.0.1:1: broken: no token by the credential `principal`; tried client_secret: the environment variable `DOCTOR_TEST_PRINCIPAL` is not set; for 4 uses -> correct `azure.credentials` of drctl.yaml
clock: 127.0.0.1:1: not_checked: gives no date: Connection refused (os error 111)
"
    );
}

#[test]
fn what_names_a_region_that_is_down_is_listed_with_what_it_means() {
    let workspace = Workspace::new(NOWHERE, ON_AZURE);
    let of_region = |arguments: &[&str]| {
        let (_, told) = workspace.told(arguments, &[]);
        told.lines()
            .filter_map(|line| line.strip_prefix("region: "))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    let listed = "\
secret token: warning: drctl itself needs it, and it names the region
probe of failover orders: fine: `probe.http` with url `https://orders-centralus.example.com/`: needs nothing there
lag of failover orders: fine: `azure.postgres.replication_lag` with server `pg-centralus`: may fail within 10m, and the run goes on
stop of failover orders: warning: `azure.vm.deallocate` with resource_group `rg-centralus`, vm `vmcentralus`: changes it, waits up to 10m for a dead region, and stops the run -> add `on_failure: continue` to the step, if the run can do without it
promote of failover orders: fine: rollback `shell` with dir `old-Central US`: only where the step is undone
traffic of failover orders: fine: `azure.traffic_manager.set_endpoint` with endpoint `centralus`: needs nothing there
";
    assert_eq!(of_region(&["--assume-down", "Central US"]), listed);
    let other = of_region(&["orders", "--assume-down", "westus", "--set", "primary=westus"]);
    assert!(
        other.starts_with("probe of failover orders: fine: `probe.http` with url `https://orders-westus."),
        "{other}"
    );
    let slip =
        "centrlus: warning: nothing names it; did you mean `centralus`? -> drctl doctor --assume-down centralus\n";
    assert_eq!(of_region(&["--assume-down", "centrlus"]), slip);
    let none = "westeurope: fine: no runbook, no channel and no source of a secret names it\n";
    assert_eq!(of_region(&["--assume-down", "westeurope"]), none);
}

#[test]
fn what_is_called_for_each_item_is_looked_at_for_each() {
    let workspace = Workspace::new(NOWHERE, "");
    fs::remove_file(workspace.path().join("runbooks/orders.yaml")).unwrap();
    let head = |name: &str| format!("drctl: 1\nname: {name}\nkind: failover\nobjectives: {{ rto: 45m }}\n");
    let orders = "\
inputs:
  mode: { type: string, default: forced }
execution:
  - { id: ask, action: manual, with: { instructions: Which? }, outputs: { regions: list } }
  - { id: left, action: runbook, for_each: [centralus, eastus2], with: { runbook: leave, inputs: { region: \"{{ item }}\" } } }
  - { id: found, action: runbook, needs: [ask], for_each: \"{{ steps.ask.outputs.regions }}\", with: { runbook: leave, inputs: { region: \"{{ item }}\" } } }
  - { id: never, action: runbook, when: inputs.mode == 'planned', with: { runbook: leave, inputs: { region: centralus } } }
";
    let leave = "\
inputs:
  region: { type: string }
execution:
  - { id: stop, action: azure.vm.deallocate, with: { resource_group: shop, vm: \"vm-{{ inputs.region }}\" } }
  - { id: note, action: exec, with: { argv: [no-such-program] } }
  - { id: clean, action: exec, with: { argv: [\"clean-{{ inputs.region }}\"] } }
";
    for (name, steps) in [("orders", orders), ("leave", leave)] {
        fs::write(workspace.path().join(format!("runbooks/{name}.yaml")), head(name) + steps).unwrap();
    }
    let (_, told) = workspace.told(&["orders", "--assume-down", "centralus"], &[]);
    let of_section = |section: &str| {
        told.lines().filter(|line| line.starts_with(section)).map(|line| format!("{line}\n")).collect::<String>()
    };
    let tools = "\
tools: clean-centralus: broken: is not in the PATH; needed by left[centralus].clean of failover orders -> install `clean-centralus`, or correct what names it
tools: clean-eastus2: broken: is not in the PATH; needed by left[eastus2].clean of failover orders -> install `clean-eastus2`, or correct what names it
tools: no-such-program: broken: is not in the PATH; needed by found.note of failover orders, left[centralus].note of failover orders, left[eastus2].note of failover orders -> install `no-such-program`, or correct what names it
tools: found.clean of failover orders: not_checked: its program is known only in the run
";
    assert_eq!(of_section("tools: "), tools, "{told}");
    let region = "\
region: left[centralus].stop of failover orders: warning: `azure.vm.deallocate` with vm `vm-centralus`: changes it, waits up to 10m for a dead region, and stops the run -> add `on_failure: continue` to the step, if the run can do without it
region: left[centralus].clean of failover orders: warning: `exec` with argv[0] `clean-centralus`: changes it, waits up to 10m for a dead region, and stops the run -> add `on_failure: continue` to the step, if the run can do without it
";
    assert_eq!(of_section("region: "), region, "{told}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let workspace = Workspace::new(SETTINGS, RUNBOOK);
    let refused = |arguments: &[&str]| {
        let output = workspace.doctor(arguments, &[]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let wanted = "error: `--assume-down`: wanted a region such as `centralus`, found ``\n";
    assert_eq!(refused(&["--assume-down", ""]), wanted);
    assert!(refused(&["ordes"]).contains("did you mean `orders`?"));
    assert!(refused(&["orders", "--set", "primry=x"]).contains("has no input `primry`; did you mean `primary`?"));
    assert!(refused(&["--set", "primary=x"]).contains("required"));
}

#[tokio::test]
async fn the_clock_is_compared_with_the_date_of_an_answer() {
    let clock = SystemClock::start(Timestamp(0));
    let http = drctl::edge::http::http_client().unwrap();
    let dated = |shift: i64| {
        let moment = jiff::Timestamp::from_millisecond(clock.now().0 + shift * 1000).unwrap();
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&moment).unwrap();
        Reply::Raw(format!("HTTP/1.1 400 Bad Request\r\ndate: {date}\r\ncontent-length: 0\r\n\r\n"))
    };
    let undated = Reply::Raw("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned());
    for (reply, wanted) in [
        (dated(0), Verdict::Fine),
        (dated(60), Verdict::Warning),
        (dated(-60), Verdict::Warning),
        (dated(3600), Verdict::Broken),
        (undated, Verdict::NotChecked),
        (Reply::Hangup, Verdict::NotChecked),
    ] {
        let server = Server::start(vec![reply]).await;
        let check = compared(&http, &clock, "the cloud", &server.url("/")).await;
        assert_eq!(check.verdict, wanted, "{check:?}");
    }
}

/// A workspace on a cloud that is not there, whose runbook reads a secret in a key vault.
fn with_vault() -> Workspace {
    let settings = NOWHERE.replace("management: ", "key_vault: vault.invalid, management: ");
    let vault = "{ key_vault: { vault: kv-centralus, secret: pg-token } }";
    Workspace::new(
        &settings,
        &RUNBOOK.replace("{ env: DOCTOR_TEST_TOKEN }", vault).replace("no-such-program, x", "echo"),
    )
}

#[test]
fn a_key_vault_is_looked_for_and_its_credential_is_tried() {
    let (code, told) = with_vault().told(&["--assume-down", "centralus"], &[]);
    assert_eq!(code, Some(1));
    let secret = "secrets: token (`pg-token` of the key vault `kv-centralus`): broken: `kv-centralus.vault.invalid` does not answer on port 443: ";
    assert!(told.contains(secret), "{told}");
    let credential = "credentials: principal at 127.0.0.1:1: broken: no token by the credential `principal`; tried client_secret: the environment variable `DOCTOR_TEST_PRINCIPAL` is not set; for 1 use";
    assert!(told.contains(credential), "{told}");
    let region = "region: secret token: warning: drctl itself needs it, and it names the region\n";
    assert!(told.contains(region), "{told}");
}

#[test]
fn a_run_names_the_key_vault_that_gives_nothing_and_a_rehearsal_asks_none() {
    let workspace = with_vault();
    let drctl = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drctl"));
        command.args(arguments).current_dir(workspace.path()).env_clear().env("PATH", "/usr/bin:/bin").output().unwrap()
    };
    for arguments in [&["failover", "orders"][..], &["failover", "orders", "--dry-run"]] {
        let refused = drctl(arguments);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        let told = String::from_utf8(refused.stderr).unwrap();
        let wanted = "error: secret `token`: `pg-token` of key vault `kv-centralus` cannot be read: no token by the credential `principal`; tried client_secret: ";
        assert!(told.starts_with(wanted), "{told}");
    }
    let rehearsed = drctl(&["rehearse", "orders"]);
    assert!(rehearsed.status.success(), "{rehearsed:?}");
}

#[test]
fn a_key_vault_that_cannot_be_meant_is_found_before_a_run() {
    let validate = |settings: &str, vault: &str| {
        let source = format!("{{ key_vault: {{ {vault} }} }}");
        let workspace = Workspace::new(settings, &RUNBOOK.replace("{ env: DOCTOR_TEST_TOKEN }", &source));
        let mut command = Command::new(env!("CARGO_BIN_EXE_drctl"));
        let output = command.args(["validate", "--format", "short"]).current_dir(workspace.path()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for (settings, vault, wanted) in [
        (
            SETTINGS,
            "vault: evil.example/, secret: x",
            "`vault`: wanted at most 24 letters, digits and hyphens, found `evil.example/`",
        ),
        (
            SETTINGS,
            "vault: kv, secret: ../keys",
            "`secret`: wanted at most 127 letters, digits and hyphens, found `../keys`",
        ),
        (SETTINGS, "vault: kv", "`secret`"),
        (
            NOWHERE,
            "vault: kv, secret: x",
            "the secret `token` is in a key vault: `stack` of `azure.clouds` in `drctl.yaml` needs `key_vault`",
        ),
    ] {
        let told = validate(settings, vault);
        let errors = told.lines().filter(|line| line.contains("error[")).count();
        assert!(told.contains(wanted) && errors == 1, "{told}");
    }
    let told = validate(SETTINGS, "vault: kv, secret: x, version: 0a1b");
    assert!(!told.contains("error["), "{told}");
}
