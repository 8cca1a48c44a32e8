//! Files made to harm: each is accepted or refused as it should be, and soon. The release build takes
//! under a second for each; the limit here leaves room for a debug build on a busy machine.
//!
//! What a user types is tried too: the binary, with as much memory as it may take and no more.

use std::process::Command;
use std::time::{Duration, Instant};

use drctl::catalogue::Catalogue;
use drctl::diag::{Format, Sources, render};
use drctl::lint;
use drctl::plan::{Runbooks, Templates};
use drctl::runbook::source::{LARGEST_FILE, decode, parse};
use drctl::runbook::workspace::Workspace;

const LIMIT: Duration = Duration::from_secs(60);

/// The verdict on a file: the code of its first problem, and how many there are.
#[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
fn verdict(text: &str) -> (Option<&'static str>, usize) {
    let begun = Instant::now();
    let mut sources = Sources::default();
    let problems = match decode(&mut sources, "file", text.as_bytes()) {
        Ok(source) => parse(&sources, source).1,
        Err(problems) => problems,
    };
    let shown = render(&problems, &sources, Format::Human, false);
    let taken = begun.elapsed();
    assert!(taken < LIMIT, "took {taken:?}");
    assert!(shown.len() < 100_000, "{} bytes of output", shown.len());
    (problems.first().map(|problem| problem.code), problems.len())
}

/// What is shown of a runbook with these steps, and how many findings there are.
#[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
fn judged(steps: impl Iterator<Item = String>) -> (String, usize) {
    let steps: String = steps.collect();
    let text = format!("drctl: 1\nname: r\nkind: failover\nowner: t\nexecution:\n{steps}");
    let begun = Instant::now();
    let mut sources = Sources::default();
    let source = decode(&mut sources, "r.yaml", text.as_bytes()).expect("it is small enough");
    let (runbook, mut found) = drctl::runbook::parse(&sources, source);
    let runbook = runbook.expect("it is a mapping");
    let (runbooks, templates) = (Runbooks::default(), Templates::new());
    found.extend(lint::check(&runbook, &runbooks, &Workspace::empty(), &templates, &Catalogue::default()).found);
    let shown = render(&found, &sources, Format::Human, false);
    let taken = begun.elapsed();
    assert!(taken < LIMIT, "took {taken:?}");
    (shown, found.len())
}

#[test]
fn thousands_of_names_that_are_not_there() {
    let step = |at| {
        format!("  - {{ id: q{at}, action: a, needs: [zz{at}], with: {{ that: \"{{{{ steps.w{at}.status }}}}\" }} }}\n")
    };
    let (shown, found) = judged((0..6_000).map(step));
    // The action too is unknown.
    assert_eq!(found, 1_000 + 1);
    assert!(shown.ends_with("\nand 901 more: `--format short` lists them all\n"), "{shown}");
}

#[test]
fn a_hundred_thousand_steps_with_unknown_fields() {
    let (shown, found) = judged((0..100_000).map(|at| format!("  - {{ id: q{at}, foo: 1, action: a, bar: 2 }}\n")));
    // What was found in the file, the unknown actions, and each time that there is more.
    assert_eq!(found, 2 * (1_000 + 1));
    assert!(shown.ends_with("more: `--format short` lists them all\n"), "{shown}");
}

#[test]
fn a_chain_of_thousands_each_reading_the_one_before() {
    let before = |at: u32| at.saturating_sub(1);
    let step =
        |at| format!("  - {{ id: q{at}, action: a, needs: [q{0}], when: steps.q{0}.status == 'x' }}\n", before(at));
    let (_, found) = judged((0..10_000).map(step));
    // Each action is unknown.
    assert_eq!(found, 1_000 + 1);
}

#[test]
fn an_expression_of_megabytes() {
    for unit in ["1+", "(", "a.b+", "not ", "a[0]", "'"] {
        let that = unit.repeat(4_000_000 / unit.len());
        let (shown, found) =
            judged(std::iter::once(format!("  - {{ id: q, action: a, with: {{ that: \"{{{{ {that} }}}}\" }} }}\n")));
        // The action is unknown too.
        assert_eq!(found, 2);
        assert!(shown.starts_with("error[expression]: the expression is longer than 64 KiB\n"), "{shown}");
    }
}

#[test]
fn as_many_inputs_as_fit_and_none_that_is_read() {
    let inputs: String = (0..10_000).map(|at| format!("  a{at}: {{ type: bool, default: true }}\n")).collect();
    let step = |at| format!("  - {{ id: q{at}, action: a, when: inputs.a{at}x }}\n");
    let steps = format!("  - {{ id: q, action: a }}\ninputs:\n{inputs}");
    let (shown, found) = judged((0..10_000).map(step).chain([steps]));
    assert_eq!(found, 1_000 + 1);
    assert!(shown.contains("= note: those that exist: a0, a1, a10, ") && shown.contains(" and 9980 more"), "{shown}");
}

fn filled(unit: &str) -> String {
    unit.repeat(LARGEST_FILE / unit.len())
}

#[test]
fn a_hundred_thousand_open_brackets() {
    assert_eq!(verdict(&"[".repeat(100_000)), (Some("too-deep"), 1));
    assert_eq!(verdict(&filled("{a: ")), (Some("too-deep"), 1));
}

#[test]
fn a_billion_laughs() {
    let lists = (1..20).map(|at| format!("a{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 9].join(",")));
    let text = format!("a0: &a0 [ha,ha,ha]\n{}", lists.collect::<String>());
    assert_eq!(verdict(&text), (Some("alias-expansion"), 1));
}

#[test]
fn a_large_text_behind_many_aliases() {
    let text = format!("- &a {}\n{}", "x".repeat(100_000), "- *a\n".repeat(20_000));
    assert_eq!(verdict(&text), (Some("alias-expansion"), 1));
}

#[test]
fn an_alias_inside_what_it_stands_for() {
    assert_eq!(verdict("a: &a [{b: *a}]\n"), (Some("cyclic-alias"), 1));
}

#[test]
fn aliases_nested_by_name() {
    let lists = (1..90_000).map(|at| format!("- &a{at} [*a{}]\n", at - 1));
    assert_eq!(verdict(&format!("- &a0 x\n{}", lists.collect::<String>())), (Some("too-deep"), 1));
}

#[test]
fn duplicate_keys_at_every_level() {
    let levels = (0..60).map(|depth| " ".repeat(depth)).map(|indent| format!("{indent}a: 1\n{indent}a:\n"));
    assert_eq!(verdict(&levels.collect::<String>()), (Some("duplicate-key"), 60));
}

#[test]
fn a_mapping_of_one_key_many_times() {
    assert_eq!(verdict(&"key: 1\n".repeat(300_000)), (Some("duplicate-key"), 100));
    assert_eq!(verdict(&format!("{{{}}}\n", "k: 1, ".repeat(300_000))), (Some("duplicate-key"), 100));
}

#[test]
fn as_many_items_as_fit() {
    assert_eq!(verdict(&filled("- a\n")), (Some("too-large"), 1));
    assert_eq!(verdict(&format!("[{}]", "[],".repeat(5_000_000))), (Some("too-large"), 1));
}

#[test]
fn as_many_anchors_as_fit() {
    let items = (0..1_000_000).map(|at| format!("- &a{at} x\n"));
    assert_eq!(verdict(&items.collect::<String>()), (Some("too-large"), 1));
}

#[test]
fn one_line_and_one_text_of_the_whole_size() {
    assert_eq!(verdict(&filled("a")), (None, 0));
    assert_eq!(verdict(&format!("a: |\n{}", " x\n".repeat(5_000_000))), (None, 0));
}

#[test]
fn nothing_but_control_characters() {
    assert_eq!(verdict(&filled("\u{1}")), (Some("hidden-character"), 20));
}

#[test]
fn one_byte_too_many() {
    assert_eq!(verdict(&(filled("a") + "a")), (Some("too-large"), 1));
}

/// How `drctl validate` ends for this runbook, with 256 MiB for its data, its stacks among them: its exit code, and what it
/// says. A debug build gets a minute of a processor, for what takes a release build under a second.
fn validated(file: &[u8]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("it is written");
    std::fs::create_dir(folder.path().join("runbooks")).expect("a folder");
    write("drctl.yaml", b"drctl: 1\n");
    write("runbooks/r.yaml", file);
    let bounded = "ulimit -d 262144; ulimit -t 60; exec \"$0\" validate --format short";
    let ran = Command::new("sh")
        .args(["-c", bounded, env!("CARGO_BIN_EXE_drctl")])
        .current_dir(folder.path())
        .env_remove("DRCTL_WORKSPACE")
        .output()
        .expect("it starts");
    let said = [ran.stdout, ran.stderr].concat();
    (ran.status.code(), String::from_utf8_lossy(&said).into_owned())
}

fn with_steps(count: u32, step: impl Fn(u32) -> String) -> Vec<u8> {
    let steps: String = (0..count).map(step).collect();
    format!("drctl: 1\nname: r\nkind: failover\nowner: t\nexecution:\n{steps}").into_bytes()
}

#[test]
fn the_binary_refuses_each_in_bounded_memory_and_says_why() {
    let laughs = (1..20).map(|at| format!("a{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 9].join(",")));
    let laughs = format!("a0: &a0 [ha,ha,ha]\n{}", laughs.collect::<String>());
    let script = "action: shell, with: { script: x }";
    let cycle =
        |at| format!("  - {{ id: {}, {script}, needs: [{}] }}\n", ["a", "b"][at as usize], ["b", "a"][at as usize]);
    for (what, file, said) in [
        ("no YAML", with_steps(1, |_| "  - { id: a\n".to_owned()), "syntax"),
        ("a key many times", b"key: 1\n".repeat(100_000), "duplicate-key"),
        ("a key many times on one line", format!("{{{}}}\n", "k: 1, ".repeat(100_000)).into_bytes(), "duplicate-key"),
        (
            "unknown fields",
            with_steps(30_000, |at| format!("  - {{ id: q{at}, foo: 1, {script} }}\n")),
            "unknown-field",
        ),
        ("wrong types", with_steps(30_000, |at| format!("  - {{ id: [q{at}], action: 3 }}\n")), "type"),
        ("a cycle", with_steps(2, cycle), "a -> b -> a"),
        ("a billion laughs", laughs.into_bytes(), "alias-expansion"),
        ("open brackets", b"[".repeat(100_000), "too-deep"),
        ("a file of 100 MB", b"a".repeat(100_000_000), "too-large"),
        ("no text", b"a: \xff\n".repeat(1_000_000), "not-utf8"),
        ("control characters", b"\x01".repeat(5_000_000), "hidden-character"),
    ] {
        let (code, told) = validated(&file);
        let shown: String = told.chars().take(400).collect();
        assert!(code == Some(5) && told.contains(said), "{what}: {code:?}: {shown}");
    }
}

#[test]
fn the_binary_refuses_a_hundred_thousand_expressions_in_bounded_memory() {
    let variables: String = (0..100_000).map(|at| format!("        A{at}: \"{{{{ {at} + inputs.a }}}}\"\n")).collect();
    let step = |_| format!("  - id: a\n    action: shell\n    with:\n      script: x\n      env:\n{variables}");
    let file = [with_steps(1, step).as_slice(), b"inputs: { a: { type: int, default: 1 } }\n"].concat();
    let (code, told) = validated(&file);
    let shown: String = told.chars().take(400).collect();
    let many = "this is one of more than 20000 different expressions: none is compiled";
    assert!(code == Some(5) && told.contains(many), "{code:?}: {shown}");
}

#[test]
fn more_different_expressions_than_anybody_writes_are_not_compiled() {
    let step = |at| format!("  - {{ id: q{at}, action: a, when: {at} == 20000 }}\n");
    // Each action is unknown; one finding more says that there are too many.
    for (count, more) in [(20_000, 0), (20_001, 1), (40_000, 1)] {
        let (_, found) = judged((0..count).map(step));
        assert_eq!(found, 1_000 + 1 + more, "{count}");
    }
}
