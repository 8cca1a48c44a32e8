//! `drctl fmt`: only white space changes, what a file means stays, and a second time nothing changes.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "support/yaml_suite.rs"]
#[expect(unreachable_pub, reason = "a test is a crate of its own: `pub` says what its modules offer")]
mod suite;

use std::path::{Path, PathBuf};

use drctl::diag::{Severity, Sources};
use drctl::runbook::format::format;
use drctl::runbook::source::{decode, parse};
use proptest::prelude::*;
use serde_json::Value;

/// What a text means, where it can be read.
fn meaning(text: &str) -> Option<Value> {
    let mut sources = Sources::default();
    let source = decode(&mut sources, "file", text.as_bytes()).ok()?;
    let (document, found) = parse(&sources, source);
    let document = document.filter(|_| !found.iter().any(|finding| finding.severity == Severity::Error))?;
    Some(document.to_json(document.root()))
}

fn formatted(text: &str) -> Option<String> {
    let mut sources = Sources::default();
    let source = decode(&mut sources, "file", text.as_bytes()).ok()?;
    format(&sources, source).ok()
}

/// What holds for every text: the text as it should be, where it can be read.
fn holds(name: &str, text: &str) -> Option<String> {
    let once = formatted(text);
    assert_eq!(once.is_some(), meaning(text).is_some(), "{name}: what can be read is formatted, nothing else");
    let once = once?;
    assert_eq!(meaning(&once), meaning(text), "{name} means something else:\n{once}");
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '\u{feff}').collect::<String>();
    assert_eq!(letters(&once), letters(text), "{name}: more than white space has changed");
    assert_eq!(formatted(&once).as_ref(), Some(&once), "{name} changes once more");
    Some(once)
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(yaml_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_shipped_file_and_every_bad_one_keeps_its_meaning() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<PathBuf> = ["runbooks", "tests"].iter().flat_map(|folder| yaml_files(&root.join(folder))).collect();
    let read = |file: &PathBuf| Some((file.display().to_string(), String::from_utf8(std::fs::read(file).ok()?).ok()?));
    let texts: Vec<(String, String)> = files.iter().filter_map(read).collect();
    assert!(texts.len() > 100, "only {} files were found", texts.len());
    let formatted = texts.iter().filter(|(name, text)| holds(name, text).is_some()).count();
    assert!(formatted > 100, "only {formatted} could be read");
}

#[test]
fn a_file_that_was_shifted_comes_back_as_it_was() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut came_back = 0;
    for file in yaml_files(&root.join("runbooks")) {
        let name = file.display().to_string();
        let text = formatted(&std::fs::read_to_string(&file).unwrap()).unwrap();
        // Every level twice as deep.
        let wider: String = text
            .lines()
            .map(|line| format!("{}{}\n", " ".repeat(line.len() - line.trim_start().len()), line))
            .collect();
        // What is in flow brackets or goes on over lines stays as wide as it was made.
        if text.lines().any(|line| line.ends_with(['{', '[', ','])) {
            holds(&name, &wider);
        } else if meaning(&wider) == meaning(&text) {
            assert_eq!(holds(&name, &wider).unwrap(), text, "{name}");
            came_back += 1;
        }
    }
    assert!(came_back > 150, "only {came_back} files keep their meaning when they are shifted");
}

#[test]
fn the_yaml_test_suite_keeps_its_meaning() {
    let Some(cases) = suite::cases() else { return };
    let read = cases.iter().filter(|case| holds(&case.id, &case.yaml).is_some()).count();
    assert!(read > 150, "only {read} cases could be read");
}

#[test]
fn levels_are_two_spaces_and_comments_stand_with_what_they_are_about() {
    let text = "

# The head.


drctl: 1   
inputs:
    a:   { type: string,
           default: x }   # aligned
        # about nothing below
    b: { type: int }

detection:
# about the first
-   id: probe
      
    with:
            script: |
                     one
                       two
                     

                     # no comment
            more: >2
              folded
    # the last of the step
-   id: other
    list:
    - a

    -
        b: 1
    text: \"one
          two\"

";
    let wanted = "\
# The head.

drctl: 1
inputs:
  a:   { type: string,
         default: x }   # aligned
  # about nothing below
  b: { type: int }

detection:
  # about the first
  - id: probe

    with:
      script: |
        one
          two


        # no comment
      more: >2
        folded
    # the last of the step
  - id: other
    list:
      - a

      -
        b: 1
    text: \"one
          two\"
";
    assert_eq!(holds("text", text).unwrap(), wanted);
}

#[test]
fn what_cannot_be_moved_safely_is_left_where_it_is() {
    for text in ["? a\n:   b\n? c\n:   d\n", "--- {a: 1}\n", "- &x a\n-   *x\n", "a: |\n  no newline at the end"] {
        holds(text, text).unwrap();
    }
    assert_eq!(formatted("? a\n:   b  \n").unwrap(), "? a\n:   b\n");
    assert_eq!(formatted("a: [1\n"), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn noise_keeps_its_meaning(lines in proptest::collection::vec("( {0,6})(- ){0,2}([a-c]: ?)?(\\||>-|\"x|x\"|'|\\[|\\]|#|[a-z]{0,3}| ){0,3}", 0..12)) {
        holds("noise", &(lines.join("\n") + "\n"));
    }
}
