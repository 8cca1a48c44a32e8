//! Notices as people get them: their language, their clocks, and nothing in a value that becomes markup.

use std::fs;

use crate::workspace::Workspace;

const SETTINGS: &str = "drctl: 1
channels:
  board: { type: file, path: board }
  archive: { type: file, path: archive }
audiences:
  all: [board, archive]
  berlin: { channels: [board], language: de-AT, zone: Europe/Berlin }
";

/// A workspace with these templates and one runbook whose communication is this.
fn telling(templates: &[(&str, &str)], communication: &str) -> Workspace {
    let execution = "execution:\n  - { id: work, action: shell, with: { script: \"true\" } }\n";
    let workspace = Workspace::of(&format!("{execution}communication:\n{communication}")).file("drctl.yaml", SETTINGS);
    with(workspace, templates)
}

fn with(workspace: Workspace, templates: &[(&str, &str)]) -> Workspace {
    fs::create_dir_all(workspace.path("templates/parts")).unwrap();
    templates.iter().for_each(|(name, text)| workspace.write(&format!("templates/{name}"), text));
    workspace
}

/// What stands in the files of a channel.
fn sent(workspace: &Workspace, channel: &str) -> Vec<String> {
    let Ok(folder) = fs::read_dir(workspace.path(channel)) else { return Vec::new() };
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).unwrap().trim_end().to_owned()).collect()
}

const MOVED: &str = "---
subject: \"{{ vars.service }} is back\"
audience: all
channels: [board]
---
**{{ vars.service }}** is back since {{ vars.since | time }}.

{% include \"parts/footer.md\" %}
";
const MOVED_DE: &str = "---
subject: \"{{ vars.service }} ist wieder da\"
---
**{{ vars.service }}** ist seit {{ vars.since | time }} wieder da.
";
const FOOTER: &str = "To look on: `drctl status {{ run.id }}`\n";
const VARS: &str = "vars: { service: Orders, since: \"2026-11-21T03:12:45Z\" }";

fn moved() -> Vec<(&'static str, &'static str)> {
    vec![("moved.md", MOVED), ("moved.de.md", MOVED_DE), ("parts/footer.md", FOOTER)]
}

#[test]
fn readers_get_their_language_and_the_time_of_their_clocks() {
    let tell = format!(
        "  - {{ id: here, action: notify, with: {{ template: moved, {VARS} }} }}\n  \
           - {{ id: there, action: notify, needs: [here], with: {{ template: moved, audience: berlin, {VARS} }} }}\n"
    );
    let workspace = telling(&moved(), &tell);
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let run = workspace.run();
    assert_eq!(
        sent(&workspace, "board"),
        [
            format!(
                "Subject: Orders is back\n\nOrders is back since 2026-11-21 03:12 UTC.\n\nTo look on: drctl status {run}"
            ),
            "Subject: Orders ist wieder da\n\nOrders ist seit 2026-11-21 04:12 CET (UTC+01:00) wieder da.".to_owned(),
        ]
    );
    // The template says `channels: [board]`.
    assert_eq!(sent(&workspace, "archive"), [""; 0]);
}

#[test]
fn nothing_in_a_value_becomes_markup() {
    let tell = "  - id: tell\n    action: notify\n    with:\n      template: why\n      audience: all\n      vars:\n        \
        why: \"<!channel> [x](https://evil.example) *now*\\n\\n# And\\n- this\"\n";
    let why = "---\nsubject: Down\n---\n- Why: {{ vars.why }}\n- `{{ vars.why }}`\n- next\n";
    let workspace = telling(&[("why.md", why)], tell);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
    let shown = workspace.drctl(&["notify", "preview", "why", "--run", &workspace.run()]);
    let wanted = "--- why to all

Mail, status page and file (board, archive):

  Subject: Down

  - Why: <!channel> [x](https://evil.example) *now*

    # And
    - this
  - <!channel> [x](https://evil.example) *now*

    # And
    - this
  - next

Slack:

  Subject: Down

  • Why: &lt;!channel&gt; [x](https://evil.example) \u{2217}now\u{2217}

    # And
    - this
  • `&lt;!channel&gt; [x](https://evil.example) *now*  # And - this`
  • next

Teams:

  Subject: Down

  - Why: \\<!channel\\> \\[x\\](https://evil.example) \\*now\\*



    \\# And

    \\- this
  - \\<!channel\\> \\[x\\](https://evil.example) \\*now\\*&#10;&#10;\\# And&#10;- this
  - next

Webhook:

  Subject: Down

  - Why: \\<!channel\\> \\[x\\](https://evil.example) \\*now\\*&#10;&#10;\\# And&#10;- this
  - `\\<!channel\\> \\[x\\](https://evil.example) \\*now\\*&#10;&#10;\\# And&#10;- this`
  - next

PagerDuty:

  Subject: Down

Text message (4 characters of GSM-7, 1 segment):

  Down
";
    assert_eq!(shown.stdout, wanted);
}

#[test]
fn a_subject_of_two_lines_and_a_time_that_is_none_fail_the_notice_and_say_so() {
    let tell = "  - { id: lines, action: notify, on_failure: continue, with: { template: told, audience: all, \
                vars: { what: \"down\\nBcc: all@example.com\", at: \"2026-11-21T03:12:00Z\" } } }\n  \
                - { id: time, action: notify, on_failure: continue, with: { template: told, audience: all, \
                vars: { what: down, at: soon } } }\n";
    let told = "---\nsubject: \"It is {{ vars.what }}\"\n---\nSince {{ vars.at | time }}.\n";
    let workspace = telling(&[("told.md", told)], tell);
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 10, "{ran:?}");
    assert_eq!(workspace.states(), ["work=succeeded", "lines=failed", "time=failed"]);
    let journal = workspace.journal();
    for said in [
        r"the subject has a line break or a control character in it: \",
        "`time` wants a time such as `2026-11-21T03:12:00Z`, found `soon`",
    ] {
        assert!(journal.contains(said), "{said}\n{journal}");
    }
    assert_eq!(sent(&workspace, "board"), [""; 0]);
}

const RESTORED: &str = "---\nsubject: It works again\naudience: all\nclaims: recovery\n---\nIt works.\n";

#[test]
fn recovery_is_not_claimed_before_the_checks_have_passed() {
    let steps = "
execution:
  - { id: move, action: shell, with: { script: \"true\" } }
  - { id: smoke_test, action: assert, needs: [move], on_failure: continue, with: { that: false, message: it does not answer } }
communication:
  - { id: over, action: notify, with: { template: restored } }
";
    let workspace = with(Workspace::of(steps).file("drctl.yaml", SETTINGS), &[("restored.md", RESTORED)]);
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 10, "{ran:?}");
    assert_eq!(workspace.states(), ["move=succeeded", "smoke_test=failed", "over=failed"]);
    workspace.drctl(&["notify", "send", "--owed"]);
    let why = "a template cannot claim recovery before the validation steps have passed: `smoke_test` (failed)";
    assert!(workspace.journal().contains(why), "{}", workspace.journal());
    assert_eq!(sent(&workspace, "board"), [""; 0]);

    // Nobody can send it: a person says that nobody has to.
    let run = workspace.run();
    let next = format!("next: drctl notify send --owed {run} over --give-up --reason \"...\"\n");
    assert!(ran.stdout.ends_with(&next), "{ran:?}");
    let give_up = ["notify", "send", "--owed", &run, "over", "--give-up"];
    assert_eq!(workspace.drctl(&give_up).code, 2, "no reason was given");
    let given_up = workspace.drctl(&[&give_up[..], &["--reason", "told them by telephone"]].concat());
    let said = format!("given up: `over`\nrun {run} owes nothing\n");
    assert_eq!((given_up.code, given_up.stdout), (0, said));
    let report = workspace.drctl(&["report", &run, "--format", "markdown"]).stdout;
    assert!(report.contains("- Notices: 1 given up.") && report.contains("told them by telephone"), "{report}");
}

#[test]
fn recovery_is_not_claimed_where_a_probe_finds_the_service_down() {
    let steps = "
execution:
  - { id: move, action: shell, with: { script: \"true\" } }
  - { id: smoke_test, action: probe.tcp, needs: [move], with: { host: 127.0.0.1, port: 1, samples: 1 } }
communication:
  - { id: over, action: notify, with: { template: restored } }
";
    let workspace = with(Workspace::of(steps).file("drctl.yaml", SETTINGS), &[("restored.md", RESTORED)]);
    let ran = workspace.drctl(&["failover", "r"]);
    assert_eq!(ran.code, 10, "{ran:?}");
    assert_eq!(workspace.states(), ["move=succeeded", "smoke_test=succeeded", "over=failed"]);
    let why = "a template cannot claim recovery before the validation steps have passed: `smoke_test` (not healthy)";
    assert!(workspace.journal().contains(why), "{}", workspace.journal());
    assert_eq!(sent(&workspace, "board"), [""; 0]);
    let report = workspace.drctl(&["report", &workspace.run(), "--format", "markdown"]).stdout;
    assert!(report.contains("Nothing was sent by") && !report.contains("delivers it"), "{report}");
}

#[test]
fn recovery_is_not_claimed_on_the_word_of_somebody_who_skipped_the_check() {
    let steps = "
execution:
  - { id: move, action: shell, with: { script: \"true\" } }
  - { id: smoke_test, action: assert, needs: [move], with: { that: false, message: it does not answer } }
communication:
  - { id: over, action: notify, needs: [smoke_test], on_failure: continue, with: { template: restored } }
";
    let workspace = with(Workspace::of(steps).file("drctl.yaml", SETTINGS), &[("restored.md", RESTORED)]);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 1);
    let run = workspace.run();
    let skipped = workspace.drctl(&["skip", &run, "smoke_test", "--as", "ada", "--reason", "no time", "--yes"]);
    assert_eq!(skipped.code, 0, "{skipped:?}");
    workspace.drctl(&["resume", &run]);
    let why = "a template cannot claim recovery before the validation steps have passed: `smoke_test` (skipped by ada: no time)";
    assert!(workspace.journal().contains(why), "{}", workspace.journal());
    assert_eq!(sent(&workspace, "board"), [""; 0]);
}

#[test]
fn a_resumed_run_sends_what_it_was_started_with_parts_included() {
    let tell = format!("  - {{ id: here, action: notify, with: {{ template: moved, {VARS} }} }}\n");
    let workspace = telling(&moved(), &tell);
    let steps = format!(
        "drctl: 1\nname: r\nkind: failover\nowner: team\nexecution:\n  - {{ id: work, action: shell, with: {{ script: \"test -e ready\" }} }}\n\
         communication:\n{tell}"
    );
    workspace.write("runbooks/r.yaml", &steps);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 1);
    workspace.write("ready", "");
    workspace.write("templates/parts/footer.md", "Something else.\n");
    let run = workspace.run();
    let refused = workspace.drctl(&["resume", &run]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(refused.stderr.contains("`templates/parts/footer.md` differs"), "{refused:?}");
    workspace.drctl(&["retry", &run, "work", "--reason", "it is ready"]);
    let ran = workspace.drctl(&["resume", &run, "--pinned"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let wanted = format!(
        "Subject: Orders is back\n\nOrders is back since 2026-11-21 03:12 UTC.\n\nTo look on: drctl status {run}"
    );
    assert_eq!(sent(&workspace, "board"), [wanted]);
}

#[test]
fn a_preview_takes_what_is_given_and_names_what_is_not() {
    let workspace = telling(&moved(), "  - { id: here, action: wait, with: { for: 1ms } }\n");
    let shown = workspace.drctl(&["notify", "preview", "moved", "--audience", "berlin", "--var", "service=Ord*rs"]);
    let wanted = "--- moved.de-AT to berlin

Mail, status page and file (board):

  Subject: Ord*rs ist wieder da

  Ord*rs ist seit [vars.since] wieder da.
";
    assert_eq!((shown.stdout.as_str(), shown.code), (wanted, 0), "{shown:?}");

    let refused = |arguments: &[&str]| {
        let ran = workspace.drctl(&[&["notify", "preview"], arguments].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        ran.stderr
    };
    assert_eq!(refused(&["movd"]), "error: no template is called `movd`; did you mean `moved`?\n");
    assert_eq!(
        refused(&["moved", "--audience", "paris"]),
        "error: `drctl.yaml` has no audience `paris`; it has `all`, `berlin`\n"
    );
    let time = workspace.drctl(&["notify", "preview", "moved", "--var", "since=noon"]);
    let wanted = "error: template `moved`: `time` wants a time such as `2026-11-21T03:12:00Z`, found `noon`\n";
    assert_eq!((time.stderr.as_str(), time.code), (wanted, 5));
}

#[test]
fn a_preview_shows_what_is_known_of_names_that_are_read_as_a_whole() {
    let head = "---\nsubject: Down\naudience: all\nchannels: [board]\n---\n";
    let whole = "{{ vars }} of {{ item }} {% for name, value in inputs %}{{ name }}{% endfor %}{{ steps }} {{ run }}\n";
    let part = "{{ item }} and {{ item.key }}\n";
    let (whole, part) = (format!("{head}{whole}"), format!("{head}{part}"));
    let tell = "  - { id: stay, action: wait, with: { for: 1ms } }\n";
    let workspace = telling(&[("whole.md", &whole), ("part.md", &part)], tell);
    let shown = |arguments: &[&str]| {
        let ran = workspace.drctl(&[&["notify", "preview"], arguments].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.stdout.split("\n\n").nth(3).unwrap().trim().to_owned()
    };
    let failed = "{\"failed\": [{\"step\": \"[step]\", \"state\": \"[state]\", \"reason\": \"[reason]\"}]}";
    assert_eq!(shown(&["whole", "--var", "a=b"]), format!("{{\"a\": \"b\"}} of [item] {{}} {failed}"));
    assert_eq!(shown(&["part"]), "{\"key\": \"[item.key]\"} and [item.key]");
}

#[test]
fn the_page_of_a_preview_fetches_nothing_and_escapes_what_it_shows() {
    let workspace = telling(&moved(), "  - { id: here, action: wait, with: { for: 1ms } }\n");
    let evil = "service=<script>alert(1)</script>";
    let ran = workspace.drctl(&["notify", "preview", "moved", "--html", "page.html", "--var", evil]);
    assert_eq!((ran.stdout.as_str(), ran.code), ("wrote page.html\n", 0), "{ran:?}");
    let page = fs::read_to_string(workspace.path("page.html")).unwrap();
    assert!(page.matches("alert(1)").count() > 8, "{page}");
    for fetches in ["<script", "<link", "<img", "src=", "url(", "@import"] {
        assert!(!page.contains(fetches), "{fetches}");
    }
    let unwritten = workspace.drctl(&["notify", "preview", "moved", "--html", "no/such/folder.html"]);
    assert!(unwritten.stderr.starts_with("error: cannot write `no/such/folder.html`: "), "{unwritten:?}");
}

/// What the templates that ship read, as a runbook would give it; a new variable is shown by its name.
const GIVEN: [&str; 23] = [
    "service_name=Orders",
    "start_time=2026-11-21T03:12:00Z",
    "starts=2026-11-28T02:00:00Z",
    "ends=2026-11-28T04:00:00Z",
    "resolution_time=2026-11-21T03:58:00Z",
    "impact_description=Orders cannot be placed.",
    "current_status=We are moving Orders to another region.",
    "next_update_time=Within 30 minutes",
    "root_cause_summary=Central US lost power.",
    "resolution_summary=Orders is served from East US 2.",
    "what=a disaster was declared",
    "details=Scope: all users",
    "scope=All users",
    "strategy=Fail over to East US 2",
    "scenario=Central US is lost",
    "measures_of_success=Orders can be placed within 45 minutes.",
    "lead=Ada",
    "result=passed",
    "recovery_time=31m",
    "data_loss=12s",
    "lessons=The gate waited longest.",
    "measures=We moved Orders to East US 2.",
    "clients_affected=1,200",
];

#[test]
fn every_template_that_ships_is_rendered_in_every_language() {
    let mut arguments = vec!["--workspace", env!("CARGO_MANIFEST_DIR"), "notify", "preview"];
    GIVEN.iter().for_each(|given| arguments.extend(["--var", given]));
    let ran = Workspace::new().drctl(&arguments);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.stdout, include_str!("shipped_notices.txt"), "what it shows now, if right, is to be kept there");
}
