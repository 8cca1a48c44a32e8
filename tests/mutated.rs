//! Bad input: files that ship and files that are meant to be wrong, as they are and after damage. Whatever comes in, drctl
//! does not panic, comes to an end, and points at a place in the file for all it says.
//!
//! What is held is in `fuzz/src/lib.rs`; the fuzz targets go on from here, for as long as one lets them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail anywhere, its helpers too")]

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library for the fuzz targets")]
mod fuzz;
#[path = "support/yaml_suite.rs"]
#[expect(unreachable_pub, reason = "a test is a crate of its own: `pub` says what its modules offer")]
mod suite;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use drctl::exec::rehearse::in_parallel;

/// In a debug build, on a busy machine. The release build takes some milliseconds.
const LIMIT: Duration = Duration::from_secs(20);
const MUTANTS: usize = 1_000;

type Target = fn(&[u8]) -> usize;

/// Feeds each input to the target; how many had findings, and what went wrong. What did is kept, to be tried again.
#[expect(clippy::disallowed_methods, reason = "that it comes to an end is what is tested")]
fn fed(target: Target, inputs: &[(String, Vec<u8>)]) -> (usize, Vec<String>) {
    let results = in_parallel(inputs, |(name, bytes)| {
        let begun = Instant::now();
        let found = catch_unwind(|| target(bytes));
        let problem = match &found {
            Ok(_) if begun.elapsed() > LIMIT => Some(format!("took {:?}", begun.elapsed())),
            Ok(_) => None,
            Err(panic) => {
                let said = panic.downcast_ref::<String>().cloned();
                Some(said.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default())
            }
        };
        let problem = problem.map(|problem| {
            let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name.replace('/', "-"));
            fs::write(&kept, bytes).unwrap();
            format!("{}: {problem}", kept.display())
        });
        (found.unwrap_or_default(), problem)
    });
    let refused = results.iter().filter(|(found, _)| *found > 0).count();
    (refused, results.into_iter().filter_map(|(_, problem)| problem).collect())
}

#[test]
fn every_file_that_ships_or_is_meant_to_be_wrong_is_judged_without_a_panic() {
    let (scenarios, others): (Vec<_>, Vec<_>) =
        files("yaml").into_iter().partition(|(name, _)| name.contains("/scenarios/"));
    let (settings, runbooks): (Vec<_>, Vec<_>) = others.into_iter().partition(|(name, _)| name.ends_with("drctl.yaml"));
    assert!(scenarios.len() > 50 && settings.len() > 2 && runbooks.len() > 80);
    for (target, inputs) in [
        (fuzz::scenario as Target, &scenarios),
        (fuzz::settings, &settings),
        (fuzz::runbook, &runbooks),
        (fuzz::reader, &runbooks),
        (fuzz::reader, &yaml_suite()),
        (fuzz::expression, &expressions()),
        // Each is nothing but wrong for the others.
        (fuzz::runbook, &scenarios),
        (fuzz::settings, &runbooks),
        (fuzz::template, &files("txt")),
        (fuzz::template, &files("md")),
    ] {
        assert_eq!(fed(target, inputs).1, [""; 0]);
    }
}

#[test]
fn a_thousand_damaged_copies_of_the_runbooks_that_ship_are_judged_without_a_panic() {
    let shipped = shipped();
    let inputs: Vec<_> = (0..MUTANTS).map(|seed| mutant(&shipped, seed as u64)).collect();
    let (refused, problems) = fed(fuzz::runbook, &inputs);
    assert_eq!(problems, [""; 0]);
    // Damage that changes nothing would prove nothing: most of it is found.
    assert!(refused > MUTANTS / 2, "only {refused} were refused");
}

#[test]
fn damaged_scenarios_settings_and_templates_are_judged_without_a_panic() {
    let of = |ending: &str, word: &str| -> Vec<(String, Vec<u8>)> {
        files(ending).into_iter().filter(|(name, _)| name.contains(word)).collect()
    };
    for (target, whole) in [
        (fuzz::scenario as Target, of("yaml", "/scenarios/")),
        (fuzz::settings, of("yaml", "drctl.yaml")),
        (fuzz::template, of("md", "templates/")),
    ] {
        let inputs: Vec<_> = (0..300).map(|seed| mutant(&whole, seed)).collect();
        let (refused, problems) = fed(target, &inputs);
        assert_eq!(problems, [""; 0]);
        assert!(refused > 30, "only {refused} were refused");
    }
}

#[test]
fn damaged_expressions_are_judged_without_a_panic() {
    let expressions = expressions();
    assert!(expressions.len() > 300, "{}", expressions.len());
    let inputs: Vec<_> = (0..MUTANTS).map(|seed| mutant(&expressions, seed as u64)).collect();
    let (refused, problems) = fed(fuzz::expression, &inputs);
    assert_eq!(problems, [""; 0]);
    assert!(refused > MUTANTS / 10, "only {refused} were refused");
}

#[test]
fn a_damaged_journal_is_refused_with_its_line_or_read_as_a_crash_left_it() {
    let whole = vec![("journal".to_owned(), journal_of_a_run())];
    assert_eq!(fuzz::journal(&whole[0].1), 0);
    let inputs: Vec<_> = (0..MUTANTS).map(|seed| mutant(&whole, seed as u64)).collect();
    let (refused, problems) = fed(fuzz::journal, &inputs);
    assert_eq!(problems, [""; 0]);
    assert!(refused > MUTANTS / 2, "only {refused} were refused");
}

// --- damage

/// The generator of Steele, Lea and Flood: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end.max(1) as u64).unwrap()
    }
}

/// What takes a value's place: other types, other meanings, what is meant for a terminal, what is too much.
const VALUES: [&str; 20] = [
    "",
    "~",
    "[]",
    "{}",
    "yes",
    "-1",
    "1e999",
    "99999999999999999999",
    "0s",
    "9999999999h",
    "\"{{ \"",
    "\"{{ inputs.x }}\"",
    "\"{{ steps.a.outputs.b | default(value=steps) }}\"",
    "*a",
    "&a [*a]",
    "!!binary x",
    "'\u{202e}é\u{1f600}'",
    "\"\\x1b[2J\"",
    "|",
    "[[[[[[]]]]]]",
];

/// One of the files, with one to three kinds of damage.
fn mutant(files: &[(String, Vec<u8>)], seed: u64) -> (String, Vec<u8>) {
    let mut random = Random(seed);
    let (name, bytes) = &files[random.below(files.len())];
    let other = &files[random.below(files.len())].1;
    let mut bytes = bytes.clone();
    for _ in 0..=random.below(3) {
        bytes = match random.below(8) {
            0 => flipped(bytes, &mut random),
            1 => bytes[..random.below(bytes.len())].to_vec(),
            2 => [&bytes[..random.below(bytes.len())], &other[random.below(other.len())..]].concat(),
            kind => relined(&bytes, kind, &mut random),
        };
    }
    (format!("{seed}-{name}"), bytes)
}

fn flipped(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << random.below(8);
        }
    }
    bytes
}

fn relined(bytes: &[u8], kind: usize, random: &mut Random) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let (at, other) = (random.below(lines.len()), random.below(lines.len()));
    match kind {
        3 => drop(lines.remove(at)),
        4 => lines.insert(other, lines[at].clone()),
        5 => lines.swap(at, other),
        6 => {
            let spaces = lines[at].iter().take_while(|byte| **byte == b' ').count();
            let kept = lines[at].split_off(spaces);
            lines[at] = [vec![b' '; random.below(2 * spaces + 3)], kept].concat();
        }
        _ => {
            let value = VALUES[random.below(VALUES.len())].as_bytes();
            let start = lines[at].windows(2).position(|pair| pair == b": ").map_or(0, |colon| colon + 2);
            lines[at].truncate(start);
            lines[at].extend(value);
        }
    }
    lines.join(&b'\n')
}

// --- what is damaged

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn shipped() -> Vec<(String, Vec<u8>)> {
    let is_runbook = |name: &str| name.starts_with("runbooks/") && !name.contains("/scenarios/");
    files("yaml").into_iter().filter(|(name, _)| is_runbook(name)).collect()
}

/// Each expression in the runbooks that ship.
fn expressions() -> Vec<(String, Vec<u8>)> {
    let runbooks = shipped().into_iter().map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap()));
    let inside = |(name, text): (String, String)| {
        let inside = text.split("{{ ").skip(1).filter_map(|rest| Some(rest.split_once(" }}")?.0.to_owned()));
        inside.map(move |expression| (name.clone(), expression.into_bytes())).collect::<Vec<_>>()
    };
    runbooks.flat_map(inside).collect()
}

/// The cases of the YAML test suite, where it is there.
fn yaml_suite() -> Vec<(String, Vec<u8>)> {
    suite::cases().unwrap_or_default().into_iter().map(|case| (case.id, case.yaml.into_bytes())).collect()
}

/// The files of the repository with that ending, by name.
fn files(ending: &str) -> Vec<(String, Vec<u8>)> {
    let folders = ["runbooks", "templates", "src/cli/init", "tests/runbooks-bad", "tests/demo"];
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut found = vec![root().join("drctl.yaml")];
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.retain(|path| path.extension().is_some_and(|other| other == ending));
    found.sort();
    let named = |path: &PathBuf| path.strip_prefix(root()).unwrap().display().to_string();
    found.iter().map(|path| (named(path), fs::read(path).unwrap())).collect()
}

/// What a short run leaves.
fn journal_of_a_run() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let text = "drctl: 1\nname: short\nkind: drill\nowner: t\ndetection:\n  - id: first\n    action: wait\n    \
        with: { for: 1ms }\nexecution:\n  - id: check\n    action: assert\n    with: { that: true, message: no }\n";
    fs::write(folder.path().join("short.yaml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_drctl"));
    command.args(["run", "short.yaml", "--output", "plain"]).current_dir(folder.path());
    let output = command.env_remove("DRCTL_WORKSPACE").env("DRCTL_STATE", "state").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = fs::read_dir(folder.path().join("state/runs")).unwrap().next().unwrap().unwrap();
    fs::read(run.path().join("journal.jsonl")).unwrap()
}
