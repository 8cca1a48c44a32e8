//! `drctl validate` as a whole: many files in one pass, every format, `--deny`, `--fix`.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

#[allow(dead_code, reason = "not every test compares all that is printed")]
#[path = "support/program.rs"]
mod program;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

const SETTINGS: &str = "drctl: 1\nroles: { operators: [alice] }\nchannels: { page: { type: file, path: page } }\n\
                        audiences: { staff: [pgae] }\n";
const ORDERS: &str = "drctl: 1\nname: orders\nkind: drill\nowner: team\nexecution:\n  - { id: wait_a_moment, action: wait, \
                      with: { for: 1s } }\n";

/// A workspace with these files.
fn workspace(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// What drctl says on stdout and on stderr, and its exit code.
fn validate(folder: &Path, arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = program::drctl(folder, &[&["validate"], arguments].concat());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[test]
fn what_many_files_share_is_told_once_and_all_is_sorted_by_file() {
    let caller = ORDERS.replace("orders", "caller").replace("action: wait, with: { for: 1s }", "action: wiat");
    let twin = ORDERS.replace("{ for: 1s }", "{ fro: 1s }");
    let files = [
        ("drctl.yaml", SETTINGS),
        ("runbooks/b.yaml", &twin),
        ("runbooks/c.yaml", &caller),
        ("runbooks/a.yaml", ORDERS),
    ];
    let (said, summary, code) = validate(workspace(&files).path(), &["--format", "short"]);
    assert_eq!(
        said,
        "drctl.yaml:4:22: error[channel]: no channel is called `pgae` (did you mean `page`?)\n\
         runbooks/b.yaml:2:7: error[duplicate-name]: two drill runbooks are called `orders`\n\
         runbooks/b.yaml:6:46: error[action]: `wait`: wanted `for` or `until`, found neither\n\
         runbooks/b.yaml:6:48: error[action]: `wait` takes no `fro` (did you mean `for`?)\n\
         runbooks/c.yaml:6:34: error[action]: unknown action `wiat` (did you mean `wait`?)\n"
    );
    assert_eq!(
        summary,
        "3 runbooks: 5 errors, 0 warnings; `drctl explain CODE` says more\n\
         once the errors are mended, more may be found of `no-timeout`, `no-verify`, `no-way-back`\n"
    );
    assert_eq!(code, Some(5));
}

#[test]
fn a_broken_runbook_is_told_of_once_and_of_its_scenario_where_that_alone_is_checked() {
    let broken = ORDERS.replace("{ for: 1s }", "{ for: 1s, fro: 1s }");
    let scenario = "drctl: 1\nscenario: one\nrunbook: orders\nkind: drill\n";
    let files = [
        ("runbooks/orders.yaml", broken.as_str()),
        ("runbooks/scenarios/orders/one.yaml", scenario),
        ("runbooks/scenarios/orders/two.yaml", &scenario.replace("one", "two")),
    ];
    let workspace = workspace(&files);
    let (said, _, code) = validate(workspace.path(), &["--format", "short"]);
    assert_eq!(said, "runbooks/orders.yaml:6:57: error[action]: `wait` takes no `fro` (did you mean `for`?)\n");
    assert_eq!(code, Some(5));
    let (said, _, code) = validate(workspace.path(), &["--format", "short", "runbooks/scenarios/orders/one.yaml"]);
    assert_eq!(
        said,
        "runbooks/scenarios/orders/one.yaml:3:10: error[runbook]: runbook `orders` has errors: `drctl validate` shows them\n"
    );
    assert_eq!(code, Some(5));
}

#[test]
fn files_are_named_from_where_one_stands() {
    let wrong = ORDERS.replace("owner:", "ownre:");
    let folder = workspace(&[("site/drctl.yaml", "drctl: 1\n"), ("site/runbooks/orders.yaml", &wrong)]);
    let (said, ..) = validate(folder.path(), &["--workspace", "site", "--format", "github"]);
    assert!(said.starts_with("::error file=site/runbooks/orders.yaml,line=4,col=1,"), "{said}");
    let (_, changes, code) = validate(&folder.path().join("site/runbooks"), &["--fix"]);
    assert_eq!(changes, "mended orders.yaml:4:1: `ownre` is now `owner`\n1 runbook: 0 errors, 0 warnings\n");
    assert_eq!(code, Some(0));
}

#[test]
fn roles_that_gates_escalate_to_are_there() {
    let settings = "drctl: 1\nroles: { managers: [carol] }\napprovals: { escalate_to: [manager] }\n";
    let folder = workspace(&[("drctl.yaml", settings)]);
    let (said, _, code) = validate(folder.path(), &["drctl.yaml", "--format", "short"]);
    assert_eq!(said, "drctl.yaml:3:28: error[gate]: no role is called `manager` (did you mean `managers`?)\n");
    assert_eq!(code, Some(5));
}

#[test]
fn settings_and_templates_are_checked_where_no_runbook_reads_them() {
    let folder = workspace(&[("drctl.yaml", SETTINGS), ("templates/never_sent.txt", "no subject\n")]);
    let (said, summary, code) = validate(folder.path(), &["drctl.yaml", "--format", "short"]);
    assert_eq!(
        said,
        "drctl.yaml:4:22: error[channel]: no channel is called `pgae` (did you mean `page`?)\n\
         templates/never_sent.txt:1:1: error[template]: a template begins with `---` and its front matter, or with `Subject:`\n"
    );
    assert_eq!(
        (summary.as_str(), code),
        (
            "1 settings file: 2 errors, 0 warnings; `drctl explain CODE` says more\n\
             once the errors are mended, more may be found of `notice`, `reference`\n",
            Some(5)
        )
    );
}

#[test]
fn a_name_that_no_step_could_give_is_told_once_of_its_template() {
    let unsent = "---
subject: \"{{ service_name }}\"
---
{{ run.ido }} {{ varz.b }} {{ steps.q.outputs.z }} {{ vars.c }} {{ inputs.d }} {{ item.e }}
{% for one in vars.all %}{{ one }}{{ loop.index }}{% endfor %} {% include \"parts/end.md\" %}
";
    let sent = "Subject: {{ vasr.c }}\n\n{{ vars.c }} {% include \"parts/end.md\" %}\n";
    let send = "{ action: notify, with: { template: sent, audience: staff, vars: { c: 1 } }";
    let steps = ["one", "two"].map(|id| format!("  - {send}, id: {id} }}\n"));
    let runbook = format!("{ORDERS}communication:\n{}", steps.concat());
    let folder = workspace(&[
        ("drctl.yaml", &SETTINGS.replace("pgae", "page")),
        ("runbooks/orders.yaml", &runbook),
        ("templates/parts/end.md", "{{ run.hed }}\n"),
        ("templates/sent.txt", sent),
        ("templates/unsent.md", unsent),
    ]);
    let (said, _, code) = validate(folder.path(), &["--format", "short"]);
    assert_eq!(
        said,
        "templates/parts/end.md:1:4: error[reference]: `run` field `hed` does not exist (did you mean `head`?)\n\
         templates/sent.txt:1:13: error[reference]: unknown name `vasr` (did you mean `vars`?)\n\
         templates/unsent.md:2:14: error[reference]: unknown name `service_name`\n\
         templates/unsent.md:4:4: error[reference]: `run` field `ido` does not exist (did you mean `id`?)\n\
         templates/unsent.md:4:18: error[reference]: unknown name `varz` (did you mean `vars`?)\n"
    );
    assert_eq!(code, Some(5));
}

#[test]
fn templates_are_checked_where_they_or_their_folder_are_named() {
    let part = ("templates/parts/greeting.txt", "Hello\n");
    let folder = workspace(&[("drctl.yaml", "drctl: 1\n"), ("templates/never_sent.txt", "no subject\n"), part]);
    let wrong = "templates/never_sent.txt:1:1: error[template]: a template begins with `---` and its front matter, or with \
                 `Subject:`\n";
    for named in ["templates", "templates/never_sent.txt", "templates/parts"] {
        let (said, summary, code) = validate(folder.path(), &[named, "--format", "short"]);
        let told = "1 template: 1 error, 0 warnings; `drctl explain CODE` says more\n\
                    once the errors are mended, more may be found of `notice`, `reference`\n";
        assert_eq!((said.as_str(), summary.as_str(), code), (wrong, told, Some(5)), "{named}");
    }
}

#[test]
fn a_part_is_checked_once_whether_a_template_includes_it_or_not() {
    let part = ("templates/parts/footer.md", "\nStay {{ safe\n");
    let including = ("templates/sent.md", "---\nsubject: Moved\n---\n{% include \"parts/footer.md\" %}\n");
    let settings = ("drctl.yaml", "drctl: 1\n");
    let alone = validate(workspace(&[settings, part]).path(), &["drctl.yaml", "--format", "short"]);
    assert!(alone.0.starts_with("templates/parts/footer.md:2:"), "{}", alone.0);
    let included = validate(workspace(&[settings, part, including]).path(), &["drctl.yaml", "--format", "short"]);
    assert_eq!((included.0, included.2), (alone.0, Some(5)));
}

#[test]
fn what_a_call_hands_over_and_no_step_can_begin_with_is_told_of_the_caller() {
    let inputs = "inputs: { port: { type: int, default: 70000 } }\n";
    let outer = format!(
        "drctl: 1\nname: outer\nkind: drill\nowner: team\n{inputs}execution:\n  - {{ id: go, action: runbook, with: {{ runbook: \
         inner, inputs: {{ port: \"{{{{ inputs.port }}}}\" }} }} }}\n"
    );
    let inner = format!(
        "drctl: 1\nname: inner\nkind: drill\nowner: team\n{}execution:\n  - {{ id: look, action: probe.tcp, with: {{ host: h, \
         port: \"{{{{ inputs.port }}}}\" }} }}\n",
        inputs.replace("70000", "80")
    );
    let files = [("drctl.yaml", "drctl: 1\n"), ("runbooks/outer.yaml", &outer), ("runbooks/inner.yaml", &inner)];
    let folder = workspace(&files);
    let place = "runbooks/outer.yaml:7:64: error[type]: `probe.tcp` of `go.look`: at `port`: wanted a number from 1 to 65535, \
                 found `70000`\n";
    for named in ["runbooks", "runbooks/outer.yaml"] {
        let (said, _, code) = validate(folder.path(), &[named, "--format", "short"]);
        let errors: String = said.split_inclusive('\n').filter(|line| line.contains(" error[")).collect();
        assert_eq!((errors.as_str(), code), (place, Some(5)), "{named}: {said}");
    }
}

#[test]
fn each_format_for_programs_is_one_document_whatever_the_number_of_files() {
    let files = [("drctl.yaml", SETTINGS), ("runbooks/a.yaml", ORDERS), ("runbooks/b.yaml", "drctl: 2\n")];
    let folder = workspace(&files);
    let (json, ..) = validate(folder.path(), &["--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let codes = |list: &Value, name: &str| {
        let list = list.as_array().unwrap();
        list.iter().map(|finding| finding[name].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let wanted = ["channel", "steps", "missing-field", "missing-field", "version"];
    assert_eq!(codes(&json["diagnostics"], "code"), wanted);
    let (sarif, ..) = validate(folder.path(), &["--format", "sarif"]);
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!(codes(&sarif["runs"][0]["results"], "ruleId"), wanted);
    let rules = &sarif["runs"][0]["tool"]["driver"]["rules"];
    assert_eq!(codes(rules, "id"), ["channel", "missing-field", "steps", "version"]);
    assert_eq!(rules[1]["shortDescription"]["text"], "What is needed is there.");
    assert!(rules[1]["help"]["markdown"].as_str().unwrap().contains("## Good"), "{}", rules[1]);
}

#[test]
fn warnings_end_with_0_unless_they_are_denied() {
    let folder = workspace(&[("drctl.yaml", "drctl: 1\n"), ("runbooks/a.yaml", &ORDERS.replace("owner: team\n", ""))]);
    let said = "runbooks/a.yaml:2:7: warning[owner]: runbook `orders` has no `owner`\n";
    for (arguments, code) in [(&["--format=short"][..], 0), (&["--format=short", "--deny=warnings"], 5)] {
        let (found, _, ended) = validate(folder.path(), arguments);
        assert_eq!((found.as_str(), ended), (said, Some(code)));
    }
}

#[test]
fn a_fix_mends_what_is_meant_without_doubt_and_touches_nothing_else() {
    let wrong = "\u{FEFF}drctl: 1\r\nname: orders # the shop\r\nkind: drill\r\nowner:   team\r\nexecution:\r\n\
                 \x20 - id: first_wait\r\n    action:  wiat   # a moment\r\n    with: { for: 1s }\r\n    timout: 5m\r\n    timout: 5m\r\n\
                 \x20 - { id: last, action: assert, needs: [first_wiat, db2], with: { that: false, message: {{ run.id }} } }\r\n";
    let folder = workspace(&[
        ("drctl.yaml", "drctl: 1\n"),
        ("runbooks/orders.yaml", wrong),
        ("runbooks/a.yaml", &ORDERS.replace("orders", "other")),
    ]);
    let file = folder.path().join("runbooks/orders.yaml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let untouched = fs::metadata(folder.path().join("runbooks/a.yaml")).unwrap().modified().unwrap();

    let (said, changes, code) = validate(folder.path(), &["--fix", "--format", "short"]);
    assert_eq!(
        changes,
        "mended runbooks/orders.yaml:7:14: `wiat` is now `wait`\n\
         mended runbooks/orders.yaml:9:5: `timout` is now `timeout`\n\
         mended runbooks/orders.yaml:10:1: removed `timout: 5m`\n\
         mended runbooks/orders.yaml:11:41: `first_wiat` is now `first_wait`\n\
         mended runbooks/orders.yaml:11:89: `{{ run.id }}` is now `\"{{ run.id }}\"`\n\
         2 runbooks: 1 error, 0 warnings; `drctl explain CODE` says more\n"
    );
    assert_eq!(said, "runbooks/orders.yaml:10:53: error[needs]: step `last` needs unknown step `db2`\n");
    assert_eq!(code, Some(5));
    let mended = wrong
        .replace("wiat ", "wait ")
        .replace("first_wiat", "first_wait")
        .replace("    timout: 5m\r\n    timout", "    timeout")
        .replace("{{ run.id }}", "\"{{ run.id }}\"");
    assert_eq!(fs::read_to_string(&file).unwrap(), mended);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::metadata(folder.path().join("runbooks/a.yaml")).unwrap().modified().unwrap(), untouched);
    assert_eq!(fs::read_dir(folder.path().join("runbooks")).unwrap().count(), 2);
}

#[test]
fn a_file_behind_a_link_is_mended_where_it_is() {
    let wrong = ORDERS.replace("owner:", "ownre:");
    let folder = workspace(&[("drctl.yaml", "drctl: 1\n"), ("kept/orders.yaml", &wrong)]);
    fs::create_dir(folder.path().join("runbooks")).unwrap();
    let link = folder.path().join("runbooks/orders.yaml");
    symlink("../kept/orders.yaml", &link).unwrap();
    let (said, _, code) = validate(folder.path(), &["--fix"]);
    assert_eq!((said.as_str(), code), ("", Some(0)));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(folder.path().join("kept/orders.yaml")).unwrap(), ORDERS);
}

#[test]
fn a_folder_of_runbooks_that_cannot_be_read_is_said_where_one_is_called() {
    let calls = "drctl: 1\nname: orders\nkind: drill\nowner: team\nexecution:\n  \
                 - { id: inner, action: runbook, with: { runbook: other } }\n";
    let folder = workspace(&[("drctl.yaml", "drctl: 1\n"), ("orders.yaml", calls), ("runbooks", "no folder")]);
    let (said, _, code) = validate(folder.path(), &["orders.yaml", "--format", "short"]);
    let shown = folder.path().join("runbooks");
    let wanted =
        format!("orders.yaml:6:52: error[call]: cannot read `{}`: Not a directory (os error 20)\n", shown.display());
    assert!(said.contains(&wanted), "{said}");
    assert_eq!(code, Some(5));
}

#[test]
fn a_fix_in_doubt_is_only_suggested() {
    let near_two = "drctl: 1\nname: orders\nkind: drill\nowner: team\nexecution:\n  - { id: wait_a, action: wait, with: \
                    { for: 1s } }\n  - { id: wait_b, action: wait, needs: [wait_c], with: { for: 1s } }\n";
    let folder = workspace(&[("drctl.yaml", "drctl: 1\n"), ("runbooks/orders.yaml", near_two)]);
    let (said, summary, code) = validate(folder.path(), &["--fix"]);
    assert!(said.contains("did you mean `wait_a`?"), "{said}");
    assert_eq!((summary.as_str(), code), ("1 runbook: 1 error, 0 warnings; `drctl explain CODE` says more\n", Some(5)));
    assert_eq!(fs::read_to_string(folder.path().join("runbooks/orders.yaml")).unwrap(), near_two);
}

#[test]
fn a_file_is_judged_in_its_own_workspace_wherever_one_stands() {
    let gated = ORDERS.replace("with: {", "approval: { by: [operators] }, with: {");
    let folder = workspace(&[
        ("here/drctl.yaml", "drctl: 1\nroles: { operators: [alice] }\n"),
        ("here/runbooks/orders.yaml", &gated),
        ("there/drctl.yaml", "drctl: 1\nroles: { operator: [alice] }\n"),
        ("there/runbooks/orders.yaml", &gated),
    ]);
    let (said, summary, code) = validate(folder.path(), &["here/runbooks/orders.yaml"]);
    let own = "in the file's own workspace: `--workspace here`\n";
    assert_eq!((said, summary, code), (String::new(), format!("{own}1 runbook: 0 errors, 0 warnings\n"), Some(0)));
    let both = ["--format", "short", "here/runbooks", "there"];
    let (said, summary, code) = validate(folder.path(), &both);
    assert_eq!(
        said,
        "there/runbooks/orders.yaml:6:57: error[gate]: `drctl.yaml` has no role `operators` (did you mean `operator`?)\n"
    );
    let there = "in the file's own workspace: `--workspace there`\n";
    assert_eq!(summary, format!("{own}{there}2 runbooks: 1 error, 0 warnings; `drctl explain CODE` says more\n"));
    assert_eq!(code, Some(5));
    let named = ["--workspace", "there", "--format", "short", "here/runbooks/orders.yaml"];
    assert_eq!(validate(folder.path(), &named).2, Some(5));
}

#[test]
fn a_file_is_planned_rehearsed_and_run_in_its_own_workspace_also_behind_a_link() {
    let role = "drctl: 1\nroles: { operators: [alice] }\n";
    let gated = ORDERS.replace("with: {", "approval: { by: [operators] }, with: {");
    let folder = workspace(&[
        ("here/drctl.yaml", "drctl: 1\n"),
        ("there/drctl.yaml", role),
        ("there/runbooks/orders.yaml", &gated),
    ]);
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    let link = folder.path().join("link.yaml");
    std::os::unix::fs::symlink(there.join("runbooks/orders.yaml"), &link).unwrap();
    let taken = format!("in the file's own workspace: `--workspace {}`\n", there.display());
    for command in [&["validate"][..], &["plan"], &["rehearse"], &["run", "--simulate", "--speed", "100000"]] {
        for file in ["../there/runbooks/orders.yaml", link.to_str().unwrap()] {
            let output = program::drctl(&here, &[command, &[file]].concat());
            let said = String::from_utf8(output.stderr.clone()).unwrap();
            assert!(said.starts_with(&taken) && !said.contains("no role"), "{command:?} {file}: {said}");
            let named = program::drctl(&here, &[&["--workspace", "."], command, &[file]].concat());
            let said = program::text(&named);
            assert!(said.contains("`drctl.yaml` has no role `operators`"), "{command:?} {file}: {said}");
        }
    }
    let kept = |folder: &Path| folder.join(".drctl").exists();
    assert_eq!((kept(&here), kept(&there)), (false, true));
}

/// A drill in which nothing is wrong.
const MOVED: &str = "\
drctl: 1
name: orders
kind: drill
owner: team
objectives: { rto: 3m }
inputs: { fast: { type: bool } }
assessment:
  - id: declare
    action: manual
    with: { instructions: Agree. }
    approval: { by: [operators], estimate: { typical: 1m } }
    estimate: { typical: 1m }
execution:
  - id: move
    action: shell
    with: { script: ./move }
    when: inputs.fast
    timeout: 10m
    retry: { attempts: 1 }
    estimate: { typical: 1m }
    verify: { action: shell, with: { script: ./look, reads: true }, within: 1m }
    rollback: { action: shell, with: { script: ./back } }
";

/// The codes of the warnings, and the rules that may say more, of [`MOVED`] with one change.
fn doubts(from: &str, to: &str) -> (Vec<String>, Vec<String>) {
    assert!(MOVED.contains(from), "{from}");
    let role = "drctl: 1\nroles: { operators: [alice] }\n";
    let folder = workspace(&[("drctl.yaml", role), ("runbooks/orders.yaml", &MOVED.replacen(from, to, 1))]);
    let (said, summary, _) = validate(folder.path(), &["--format", "json"]);
    let json: Value = serde_json::from_str(&said).unwrap();
    let (sarif, ..) = validate(folder.path(), &["--format", "sarif"]);
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!(sarif["runs"][0]["properties"]["waiting"], json["waiting"]);
    let waiting: Vec<String> = serde_json::from_value(json["waiting"].clone()).unwrap();
    assert!(waiting.iter().all(|name| summary.contains(&format!("`{name}`"))), "{summary}");
    let found = json["diagnostics"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "warning");
    (found.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect(), waiting)
}

#[test]
fn an_error_starts_no_false_alarm_and_what_it_may_hide_is_named() {
    let of_a_step = "early-all-clear never-runs no-estimate no-gate no-timeout no-verify no-way-back rto unsafe-retry";
    for (from, to, waiting) in [
        ("owner: team", "owner: team", ""),
        ("[operators], estimate: { typical: 1m }", "[operators], estimate: { typical: soon }", "rto"),
        ("[operators], estimate", "[operators], estimat", "rto"),
        ("within: 1m", "withn: 1m", "rto"),
        ("- id: move", "- idd: move", of_a_step),
        ("execution:", "exection:", &format!("{of_a_step} unused-input")),
        ("attempts: 1", "atempts: 3", "unsafe-retry"),
        ("when:", "whn:", "never-runs rto unused-input"),
        ("    rollback:", "    # drctl: allow(no-way-back) it only adds\n    rolback:", "no-way-back"),
        (
            "  - id: move\n    action: shell",
            "  # drctl: allow(no-way-back) it adds\n  - id: move\n    action: shel",
            "rto",
        ),
    ] {
        let waiting = waiting.split_whitespace().map(str::to_owned).collect();
        assert_eq!(doubts(from, to), (Vec::<String>::new(), waiting), "{from} -> {to}");
    }
    let gate = "    action: manual\n    with: { instructions: Agree. }\n    \
                approval: { by: [operators], estimate: { typical: 1m } }\n";
    let ungated = "    action: wait\n    with: { for: 1s }\n    point_of_no_retrun: true\n";
    let (found, waiting) = doubts(gate, ungated);
    assert_eq!((found, waiting), (vec![], vec!["no-gate".to_owned()]));
}

#[test]
fn what_an_unreadable_file_may_hide_is_named() {
    let tells = "drctl: 1\nname: orders\nkind: drill\nowner: team\ncommunication:\n  \
                 - { id: tell, action: notify, with: { template: t, audience: all, vars: { a: 1 } } }\n";
    let waiting = |runbook: &str, template: &str| {
        let files = [("drctl.yaml", "drctl: 1\n"), ("runbooks/orders.yaml", runbook), ("templates/t.md", template)];
        let (said, summary, _) = validate(workspace(&files).path(), &["--format", "json"]);
        let json: Value = serde_json::from_str(&said).unwrap();
        let last = summary.lines().last().unwrap_or_default().to_owned();
        (serde_json::from_value::<Vec<String>>(json["waiting"].clone()).unwrap(), last)
    };
    let template = "---\nsubject: Down\n---\n{{ vars.b }} {% include \"parts/none.md\" %}\n";
    let (of_template, said) = waiting(tells, template);
    assert_eq!(of_template, ["notice", "reference"]);
    assert_eq!(said, "once the errors are mended, more may be found of `notice`, `reference`");
    let (of_runbook, said) = waiting(&tells.replace("owner: team", "owner: team: a"), "---\nsubject: Down\n---\nb\n");
    assert!(of_runbook.len() > 25 && of_runbook.is_sorted(), "{of_runbook:?}");
    assert_eq!(said, "once the errors are mended, more may be found of every rule");
}

#[test]
fn the_rto_says_which_steps_it_counts_that_may_not_run() {
    let runbook = "drctl: 1\nname: orders\nkind: drill\nowner: team\nobjectives: { rto: 1m }\n\
                   inputs: { count: { type: int, default: 2 } }\nexecution:\n  \
                   - { id: move, action: wait, with: { for: 1s }, when: inputs.count > 3, estimate: { typical: 5m } }\n";
    let folder = workspace(&[("drctl.yaml", "drctl: 1\n"), ("runbooks/orders.yaml", runbook)]);
    let (said, ..) = validate(folder.path(), &[]);
    let wanted = "warning[rto]: the critical path takes 5m usually, the RTO is 1m\n --> runbooks/orders.yaml:2:7\n  |\n\
                  2 | name: orders\n  |       ^^^^^^\n  |\n  = note: it is move\n  \
                  = note: whether these run is not known here, and they count: move; `drctl plan` says it for given inputs\n";
    assert_eq!(said, wanted);
}
