//! Every rule is proven on a runbook that ships: one change to it, and exactly that finding is there.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use drctl::catalogue::Timestamp;
use drctl::exec::check::check_with;
use drctl::exec::files::Files;
use drctl::exec::load::{Loaded, load};
use drctl::exec::run::registry;
use drctl::lint::RULES;
use tempfile::TempDir;

/// A change: what is found, in which runbook, and pieces of its text with what takes their place.
struct Mutation(&'static str, &'static str, &'static [(&'static str, &'static str)]);

const SHOP: &str = "active-passive";
const POSTGRES: &str = "shared/postgres-database";
const BALANCER: &str = "api-load-balancer";
const DEMO: &str = "demo";
const TENANTS: &str = "multi-tenant-saas-failback";

/// One for each rule, and for each code of an error that a rule of another name finds.
const MUTATIONS: &[Mutation] = &[
    Mutation("duplicate-id", SHOP, &[("id: tell_management_it_failed", "id: tell_customers")]),
    Mutation("needs", SHOP, &[("needs: [database, scale]", "needs: [database, scael]")]),
    Mutation("cycle", SHOP, &[("    action: runbook\n", "    action: runbook\n    needs: [start_app]\n")]),
    Mutation("action", SHOP, &[("azure.app_service.start\n", "azure.app_service.strat\n")]),
    Mutation("call", SHOP, &[("runbook: sql-database", "runbook: sql-databse")]),
    Mutation("reference", SHOP, &[("inputs.secondary }}.example.com/smoke", "inputs.secondry }}.example.com/smoke")]),
    Mutation("may-be-missing", SHOP, &[(" | default(value=\"not known\")", "")]),
    Mutation("type", SHOP, &[("capacity: 2 }", "capacity: two }")]),
    Mutation("azure", SHOP, &[("subscription: prod,", "subscription: prd,")]),
    Mutation("outputs", SHOP, &[("outputs: { incident: INC-1", "outputs: { incidnt: INC-1")]),
    Mutation("notice", SHOP, &[("audience: management", "audience: managment")]),
    Mutation("gate", SHOP, &[("by: [incident_commander]", "by: [incident_comander]")]),
    Mutation("repeat", SHOP, &[("    run_if: failure\n", "    run_if: failure\n    every: 5m\n")]),
    Mutation(
        "secret",
        SHOP,
        &[
            ("\ninputs:\n", "\ninputs:\n  token: { type: secret, from: { env: TOKEN } }\n"),
            ("served from {{ inputs.secondary }}", "served from {{ inputs.token }}"),
        ],
    ),
    Mutation("code", BALANCER, &[("> \"$DRCTL_OUTPUT\"", "> \"{{ inputs.backend }}\"")]),
    Mutation("owner", SHOP, &[("owner: team_shop\n", "")]),
    Mutation("rto", SHOP, &[("rto: 45m", "rto: 5m")]),
    Mutation("no-estimate", SHOP, &[("    estimate: { typical: 15s, worst: 40s }\n", "")]),
    Mutation("no-timeout", DEMO, &[("    timeout: 10s\n", "")]),
    Mutation(
        "no-way-back",
        SHOP,
        &[(
            "    rollback: { action: azure.app_service.stop, with: { app: \"shop-web-{{ inputs.secondary }}\" } }\n",
            "",
        )],
    ),
    Mutation(
        "no-verify",
        TENANTS,
        &[("  # drctl: allow(no-verify) the action reads the triggers back, and nothing waits for them\n", "")],
    ),
    Mutation(
        "unsafe-retry",
        BALANCER,
        &[("    on_interrupt: retry\n    timeout: 10s\n", "    retry: { attempts: 3 }\n    timeout: 10s\n")],
    ),
    Mutation(
        "never-runs",
        SHOP,
        &[(
            "    needs: [database, scale]\n",
            "    needs: [database, scale]\n    when: inputs.mode == \"planned\" and inputs.mode != \"planned\"\n",
        )],
    ),
    Mutation("unused-input", SHOP, &[("\ninputs:\n", "\ninputs:\n  spare: { type: string, default: none }\n")]),
    Mutation(
        "failed-region",
        SHOP,
        &[(
            "azure.app_service.state, with: { app: \"shop-web-{{ inputs.secondary }}\" }",
            "azure.app_service.state, with: { app: \"shop-web-{{ inputs.primary }}\" }",
        )],
    ),
    Mutation(
        "failed-region",
        SHOP,
        &[(
            "azure.app_service.state, with: { app: \"shop-web-{{ inputs.secondary }}\" }",
            "azure.app_service.state, with: { app: shop-web-centralus }",
        )],
    ),
    Mutation(
        "rpo",
        POSTGRES,
        &[
            (
                " if inputs.mode == \"planned\" else steps.lag.outputs.seconds | default(value=\"an unknown number of\")",
                "",
            ),
            (" if inputs.mode == 'planned' else steps.lag.outputs.seconds | default(value='unknown')", ""),
        ],
    ),
    Mutation("early-all-clear", SHOP, &[("needs: [disable_primary]", "needs: [start_app]")]),
    Mutation("no-failback", SHOP, &[("name: active-passive\n", "name: active\n")]),
    Mutation("allow", SHOP, &[("rto: 45m, rpo: 5s }", "rto: 45m, rpo: 5s } # drctl: allow(rto) it was once too long")]),
];

/// Changes that take out what stands between two texts.
const CUTS: &[(&str, &str, &str, &str)] = &[
    ("steps", POSTGRES, "assessment:\n", ""),
    ("no-gate", POSTGRES, "    approval:\n", "    timeout: 20m\n"),
    ("silence", SHOP, "  - id: tell_customers\n", "  - id: tell_management_it_failed\n"),
];

/// What is found is advice, not an error.
const ADVICE: [&str; 11] = [
    "owner",
    "rto",
    "no-estimate",
    "no-way-back",
    "never-runs",
    "unused-input",
    "failed-region",
    "early-all-clear",
    "no-failback",
    "silence",
    "rpo",
];

#[test]
fn what_ships_has_no_finding_before_it_is_changed() {
    let workspace = workspace();
    for runbook in [SHOP, POSTGRES, BALANCER, DEMO, TENANTS] {
        assert_eq!(codes(&workspace, runbook), BTreeSet::new(), "{runbook}");
    }
}

#[test]
fn one_change_to_a_runbook_that_ships_brings_exactly_one_finding() {
    let mut wrong = Vec::new();
    let replaced = MUTATIONS.iter().map(|Mutation(code, runbook, pieces)| {
        let text = pieces.iter().fold(read(runbook), |text, (old, new)| {
            assert!(text.contains(old), "`{old}` is not in {runbook}");
            text.replacen(old, new, 1)
        });
        (*code, *runbook, text)
    });
    let cut = CUTS.iter().map(|(code, runbook, from, to)| (*code, *runbook, without(&read(runbook), from, to)));
    for (code, runbook, text) in replaced.chain(cut) {
        let workspace = workspace();
        fs::write(file(workspace.path(), runbook), text).unwrap();
        let found = codes(&workspace, runbook);
        if found != BTreeSet::from([code]) {
            wrong.push(format!("{code}: found {found:?}"));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// What is found besides an error waits for it only where the error may be about the same.
#[test]
fn an_error_hides_nothing_that_is_wrong_elsewhere() {
    let of_shop = |Mutation(code, runbook, pieces): &Mutation| (*runbook == SHOP).then_some((*code, *pieces));
    let (errors, advice): (Vec<_>, Vec<_>) = MUTATIONS
        .iter()
        .filter_map(of_shop)
        .filter(|(code, _)| *code != "allow")
        .partition(|(code, _)| !ADVICE.contains(code));
    let misread = [
        ("unknown-field", &[("    estimate: {", "    estimte: {")][..]),
        ("missing-field", &[("    action: azure.app_service.start\n", "")][..]),
    ];
    let (mut wrong, mut waits) = (Vec::new(), Vec::new());
    for (error, broken) in errors.into_iter().chain(misread) {
        for (code, pieces) in &advice {
            let text = broken
                .iter()
                .chain(*pieces)
                .try_fold(read(SHOP), |text, (old, new)| text.contains(old).then(|| text.replacen(old, new, 1)));
            let Some(text) = text else { continue };
            let workspace = workspace();
            fs::write(file(workspace.path(), SHOP), text).unwrap();
            let loaded = load(workspace.path(), &file(workspace.path(), SHOP), &registry().catalogue()).unwrap();
            let found = own_codes(&loaded, SHOP);
            match (found.contains(code), loaded.waiting.contains(code)) {
                _ if !found.is_subset(&BTreeSet::from([error, *code])) => wrong.push((error, *code, found)),
                (true, _) => {}
                (false, true) => waits.push(format!("{code} for {error}")),
                (false, false) => wrong.push((error, *code, found)),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    // Nobody knows what an unknown action does, or whether a name that is misspelt is that of the input.
    let about_the_same = [
        "no-way-back for needs",
        "failed-region for needs",
        "early-all-clear for needs",
        "rto for cycle",
        "no-way-back for action",
        "never-runs for action",
        "failed-region for action",
        "no-estimate for reference",
        "unused-input for reference",
        "unused-input for type",
        "unused-input for notice",
        "unused-input for secret",
        "early-all-clear for secret",
        "rto for unknown-field",
        "no-way-back for missing-field",
        "never-runs for missing-field",
        "unused-input for missing-field",
        "failed-region for missing-field",
    ];
    waits.dedup();
    assert_eq!(waits, about_the_same);
}

#[test]
fn a_calendar_that_begins_half_a_year_earlier_has_a_drill_out_of_date() {
    let workspace = workspace();
    let found = || {
        let now = Timestamp::parse("2026-09-01T12:00:00.000Z").unwrap();
        let nothing = Files::default();
        let checked = check_with(workspace.path(), &nothing, &registry().catalogue(), Some((&[], now))).unwrap();
        checked.found.iter().map(|finding| format!("{}: {}", finding.code, finding.message)).collect::<Vec<_>>()
    };
    assert_eq!(found(), [""; 0]);
    let settings = workspace.path().join("drctl.yaml");
    let text = fs::read_to_string(&settings).unwrap();
    let (from, to) = ("since: 2026-07-01", "since: 2026-01-01");
    assert!(text.contains(from));
    fs::write(&settings, text.replacen(from, to, 1)).unwrap();
    assert_eq!(found(), ["calendar: the drill `shop_failover` is overdue: no run here was one"]);
}

#[test]
fn every_rule_is_proven() {
    let proven: BTreeSet<&str> =
        MUTATIONS.iter().map(|mutation| mutation.0).chain(CUTS.iter().map(|cut| cut.0)).collect();
    let unproven: Vec<&str> = RULES.iter().map(|rule| rule.name).filter(|name| !proven.contains(name)).collect();
    assert_eq!(unproven, [""; 0]);
}

/// The text without what stands from the last `from` to the `to` behind it, or to its end.
fn without(text: &str, from: &str, to: &str) -> String {
    let start = text.rfind(from).unwrap();
    let end = if to.is_empty() { text.len() } else { start + text[start..].find(to).unwrap() };
    format!("{}{}", &text[..start], &text[end..])
}

/// A copy of the workspace that ships.
fn workspace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["drctl.yaml", "templates", "templates/parts", "runbooks", "runbooks/shared"] {
        let from = repository().join(name);
        if from.is_file() {
            fs::copy(&from, folder.path().join(name)).unwrap();
            continue;
        }
        fs::create_dir(folder.path().join(name)).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
            fs::copy(entry.path(), folder.path().join(name).join(entry.file_name())).unwrap();
        }
    }
    folder
}

/// What is found in a runbook itself, not in what it calls.
fn codes(workspace: &TempDir, runbook: &str) -> BTreeSet<&'static str> {
    let file = file(workspace.path(), runbook);
    own_codes(&load(workspace.path(), &file, &registry().catalogue()).unwrap(), runbook)
}

fn own_codes(loaded: &Loaded, runbook: &str) -> BTreeSet<&'static str> {
    let own = format!("runbooks/{runbook}.yaml");
    let own = loaded.found.iter().filter(|finding| loaded.sources.name(finding.primary.source) == own);
    own.map(|finding| finding.code).collect()
}

fn read(runbook: &str) -> String {
    fs::read_to_string(file(repository(), runbook)).unwrap()
}

fn file(workspace: &Path, runbook: &str) -> PathBuf {
    workspace.join(format!("runbooks/{runbook}.yaml"))
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
