//! The runbooks that ship: each is rehearsed under what goes wrong in its kind of failover.

#![allow(clippy::unwrap_used, reason = "a scenario that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use drctl::catalogue::HumanDuration;
use drctl::exec::load::{Loaded, load};
use drctl::exec::rehearse::{Attempt, Library, crash_around, rehearse, subject};
use drctl::exec::run::registry;
use drctl::sim::scenario::{Fault, Scenario};
use serde_json::Map;

/// What every runbook is rehearsed under, besides the answers that are lost.
const ALWAYS: [&str; 5] = ["drctl_crashed", "gate_rejected", "healthy_drill", "region_down", "throttled"];

/// Points of no return that a runbook calls and never reaches: its call says that the old region is well.
const NEVER_REACHED: [(&str, &str); 2] =
    [("failback kubernetes-stamp", "cosmos.take_offline"), ("failback multi-tenant-saas", "write_back.take_offline")];

#[test]
fn every_scenario_ends_as_expected() {
    let output = Command::new(env!("CARGO_BIN_EXE_drctl")).arg("test").current_dir(workspace()).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let wrong: Vec<&str> = shown.lines().filter(|line| !line.starts_with("ok ")).collect();
    assert!(output.status.success(), "{}", wrong.join("\n"));
}

#[test]
fn every_runbook_is_rehearsed_under_all_that_is_to_be_expected() {
    let scenarios = scenarios();
    let missing: Vec<String> = runbooks()
        .iter()
        .flat_map(|loaded| {
            let name = name(loaded);
            let own = scenarios.iter().filter(|scenario| scenario_of(scenario) == name);
            let own: BTreeSet<&str> = own.map(|scenario| scenario.name.value.as_str()).collect();
            ALWAYS
                .into_iter()
                .filter(|wanted| !own.contains(wanted))
                .map(|wanted| format!("{name}: {wanted}"))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn an_answer_is_lost_at_every_point_of_no_return() {
    let scenarios = scenarios();
    let missing: Vec<(String, String)> = runbooks()
        .iter()
        .flat_map(|loaded| {
            let name = name(loaded);
            let own = scenarios.iter().filter(|scenario| scenario_of(scenario) == name);
            let faults = own.flat_map(|scenario| &scenario.faults).map(|fault| &fault.value);
            let lost: BTreeSet<&str> =
                faults.filter(|fault| matches!(fault, Fault::LostResponse { .. })).filter_map(Fault::step).collect();
            assert!(!lost.is_empty(), "{name}: no answer is ever lost");
            let steps = loaded.runbooks.steps(loaded.runbook.as_ref().unwrap());
            let points = steps.into_iter().filter(|(_, _, step)| step.point_of_no_return).map(|(path, ..)| path);
            points.filter(|path| !lost.contains(path.as_str())).map(|path| (name.clone(), path)).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(missing, NEVER_REACHED.map(|(runbook, step)| (runbook.to_owned(), step.to_owned())));
}

/// A rehearsal draws none that is longer than four times what is published as the worst: cut off before, a step is in
/// doubt though all is well.
#[test]
fn no_step_is_cut_off_that_takes_as_long_as_was_published() {
    let catalogue = registry().catalogue();
    let mut short = BTreeSet::new();
    for loaded in runbooks() {
        for (_, runbook, step) in loaded.runbooks.steps(loaded.runbook.as_ref().unwrap()) {
            let (name, timeout) = (step.action.name.value.as_str(), step.timeout(&runbook.defaults));
            let takes = catalogue.get(name).and_then(|spec| (spec.takes)(&Map::new()));
            if takes.is_some_and(|takes| takes.source.is_some() && timeout < takes.worst * 4) {
                short.insert(format!("{} {}: {}", runbook.name.value, step.id.value, HumanDuration(timeout)));
            }
        }
    }
    assert_eq!(short, BTreeSet::new());
}

#[test]
fn in_other_clouds_runbooks_reach_its_own_hosts_and_come_to_the_same() {
    let described = "stack: { authority: \"https://login.stack.example\", management: \"https://arm.stack.example:8443\", \
        key_vault: vault.stack.example, batch: batch.stack.example }";
    let clouds = [
        ("government", "management.usgovcloudapi.net/", "centralus.batch.usgovcloudapi.net/"),
        ("china", "management.chinacloudapi.cn/", "centralus.batch.chinacloudapi.cn/"),
        ("stack", "arm.stack.example:8443/", "centralus.batch.stack.example/"),
    ];
    for (cloud, manager, batch) in clouds {
        let folder = tempfile::tempdir().unwrap();
        let settings = std::fs::read_to_string(workspace().join("drctl.yaml")).unwrap();
        let settings =
            settings.replace("\nazure:\n", &format!("\nazure:\n  cloud: {cloud}\n  clouds: {{ {described} }}\n"));
        std::fs::write(folder.path().join("drctl.yaml"), settings).unwrap();
        for name in ["runbooks", "templates"] {
            std::os::unix::fs::symlink(workspace().join(name), folder.path().join(name)).unwrap();
        }
        for runbook in ["multi-tenant-saas", "web-stamp"] {
            let arguments = ["rehearse", runbook, "--scenario", "healthy_drill", "--journal", "journal"];
            let output =
                Command::new(env!("CARGO_BIN_EXE_drctl")).args(arguments).current_dir(folder.path()).output().unwrap();
            assert!(output.status.success(), "{cloud}: {}", String::from_utf8_lossy(&output.stdout));
            let journal = std::fs::read_to_string(folder.path().join("journal")).unwrap();
            assert!(journal.contains(manager) && !journal.contains("management.azure.com"), "{cloud}: {journal}");
            assert!(runbook != "multi-tenant-saas" || journal.contains(batch), "{cloud}: {journal}");
        }
    }
}

/// Every record of the long ones would take minutes: of them those are looked at that cannot be undone.
#[test]
fn drctl_may_die_anywhere_in_the_short_runbooks_and_around_every_point_of_no_return_of_the_long_ones() {
    let catalogue = registry().catalogue();
    let mut library = Library::new(workspace(), catalogue.clone());
    let (mut wrong, mut crashes) = (Vec::new(), 0);
    for file in library.files().unwrap() {
        let judged = library.scenario(&file).unwrap();
        let scenario = judged.scenario.filter(|scenario| scenario.name.value == "healthy_drill");
        let Some(scenario) = scenario else { continue };
        let name = scenario_of(&scenario);
        let subject = subject(&judged.runbook.unwrap(), scenario, &[], (&catalogue, 64)).unwrap();
        let plan = &subject.plan;
        let is_short = rehearse(&subject, Attempt { steady: true, ..Attempt::default() }).records.len() < SHORT;
        let told = crash_around(&subject, 0, |record| {
            let step = record.event.step().and_then(|path| plan.find(&path.0));
            is_short || step.is_some_and(|step| plan.step(step).point_of_no_return)
        });
        crashes += told.crashes;
        wrong.extend(told.wrong.into_iter().map(|(kill, what)| format!("{name}: killed {kill:?}: {what}")));
    }
    assert_eq!(wrong, [""; 0]);
    assert!(crashes > 1_000, "{crashes}");
}

/// The records of a short rehearsal are fewer.
const SHORT: usize = 50;

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The runbooks that are started by people; those in `runbooks/shared` are called.
fn runbooks() -> Vec<Loaded> {
    let catalogue = registry().catalogue();
    let files = std::fs::read_dir(workspace().join("runbooks")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")).collect();
    files.sort();
    assert!(files.len() > 20, "{files:?}");
    files.iter().map(|file| load(workspace(), file, &catalogue).unwrap()).collect()
}

fn scenarios() -> Vec<Arc<Scenario>> {
    let mut library = Library::new(workspace(), registry().catalogue());
    let files = library.files().unwrap();
    files.iter().map(|file| Arc::new(library.scenario(file).unwrap().scenario.unwrap())).collect()
}

fn name(loaded: &Loaded) -> String {
    let runbook = loaded.runbook.as_ref().unwrap();
    format!("{} {}", runbook.kind.name(), runbook.name.value)
}

fn scenario_of(scenario: &Scenario) -> String {
    format!("{} {}", scenario.kind.name(), scenario.runbook.value)
}
