//! Every finding has a page, and what the pages show is true: `src/lint/pages/CODE.md`.
//!
//! A page's bad example has the finding, its good one has not, nor any error. An example is a block of code; the words
//! behind its language name its file, without them it is the rest of `runbooks/example.yaml`.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use drctl::diag::{Diagnostic, Severity};
use drctl::exec::check::check;
use drctl::exec::files::Files;
use drctl::exec::run::registry;
use drctl::lint::RULES;
use drctl::lint::pages::{PAGES, Page, page};

/// What stands before an example that is a part of a runbook.
const HEAD: &str = "drctl: 1\nname: example\nkind: failover\nowner: team_orders\n";
/// Where an example brings no file of its own.
const FILES: [(&str, &str); 4] = [
    (
        "drctl.yaml",
        "drctl: 1\nroles: { incident_commander: [alice] }\nchannels: { page: { type: file, path: page } }\n\
         audiences: { customers: [page], staff: [page] }\n",
    ),
    ("templates/incident.txt", "Subject: {{ vars.service }} is moving\n\nWe are at it.\n"),
    ("templates/resolved.txt", "Subject: {{ vars.service }} is back\n\nIt is over.\n"),
    (
        "runbooks/example.yaml",
        "drctl: 1\nname: example\nkind: failover\nowner: team_orders\nassessment:\n  - id: declare\n    action: manual\n    \
         with: { instructions: Declare it. }\n    outputs: { incident: string }\nexecution:\n  - { id: move, action: exec, \
         with: { argv: [move] } }\ncommunication:\n  - { id: tell, action: notify, needs: [declare], with: { template: \
         incident, audience: customers, vars: { service: Orders } } }\n",
    ),
];
/// What no example on a page can show: it would be too long, or could not be seen.
const WITHOUT_EXAMPLE: [&str; 6] =
    ["alias-expansion", "hidden-character", "not-utf8", "too-deep", "too-large", "too-many"];

#[test]
fn every_code_a_finding_can_have_has_a_page() {
    let used = codes();
    assert!(used.len() > 50, "{used:?}");
    let pages: BTreeSet<String> = PAGES.iter().map(|page| page.code.to_owned()).collect();
    assert_eq!(pages, used, "pages on the left, codes in the program on the right");
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.name).filter(|name| page(name).is_none()).collect();
    assert_eq!(rules, [""; 0]);
}

#[test]
fn a_page_says_in_one_line_what_it_is_about_and_then_why() {
    let fits = |page: &&Page| {
        let mut lines = page.text.lines();
        let short = lines.next().unwrap();
        short.len() <= 100 && short.ends_with('.') && lines.next() == Some("") && page.text.ends_with('\n')
    };
    let wrong: Vec<&str> = PAGES.iter().filter(|page| !fits(page)).map(|page| page.code).collect();
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn the_bad_example_of_a_page_has_the_finding_and_the_good_one_has_not() {
    let mut wrong = Vec::new();
    for page in PAGES.iter().filter(|page| !WITHOUT_EXAMPLE.contains(&page.code)) {
        let (bad, good) = (found(&section(page, "Bad")), found(&section(page, "Good")));
        if !bad.iter().any(|finding| finding.code == page.code) {
            wrong.push(format!("{}: the bad example has {}", page.code, told(&bad)));
        }
        let is_bad = |finding: &&Diagnostic| finding.code == page.code || finding.severity == Severity::Error;
        if good.iter().any(|finding| is_bad(&finding)) {
            wrong.push(format!("{}: the good example has {}", page.code, told(&good)));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn the_pages_without_examples_are_those_that_can_have_none() {
    let without: Vec<&str> = PAGES.iter().filter(|page| !page.text.contains("## Bad")).map(|page| page.code).collect();
    assert_eq!(without, WITHOUT_EXAMPLE);
}

/// Every code that stands in the program where a finding is made.
fn codes() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("render/tests.rs") {
                found.extend(codes_in(
                    &fs::read_to_string(&path).unwrap(),
                    path.to_string_lossy().contains("sim/scenario"),
                ));
            }
        }
    }
    found
}

/// The first word in quotes behind what makes a finding. Scenarios hand their codes on through functions of their own.
fn codes_in(text: &str, of_scenarios: bool) -> Vec<String> {
    let makers: &[&str] = &["Diagnostic::error(", "Diagnostic::warning(", "self.finding("];
    let own: &[&str] = if of_scenarios { &["judge.name(", "self.name(", ".report(", "self.wrong("] } else { &[] };
    let calls = makers.iter().chain(own).flat_map(|maker| text.split(maker).skip(1));
    let code = |call: &str| {
        let (before, rest) = call.split_once('"')?;
        // A name of a node may come first; anything else says that the code is not written here.
        let is_first = before.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "_*,".contains(c));
        let code = rest.split('"').next()?;
        let is_code = code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        (is_first && is_code && before.len() < 40).then(|| code.to_owned())
    };
    calls.filter_map(code).collect()
}

/// The blocks of code under a heading: the file of each, and its text.
fn section(page: &Page, heading: &str) -> Vec<(String, String)> {
    let text = page.text.split(&format!("## {heading}\n")).nth(1).unwrap_or_default();
    let text = text.split("\n## ").next().unwrap();
    let blocks = text.split("```").skip(1).step_by(2);
    let block = |block: &str| {
        let (info, body) = block.split_once('\n').unwrap();
        match info.split_once(' ') {
            Some((_, file)) => (file.to_owned(), body.to_owned()),
            None => ("runbooks/example.yaml".to_owned(), format!("{HEAD}{body}")),
        }
    };
    blocks.map(block).collect()
}

/// What is found in a workspace with these files.
fn found(files: &[(String, String)]) -> Vec<Diagnostic> {
    assert!(!files.is_empty());
    let folder = tempfile::tempdir().unwrap();
    let given = FILES.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned()));
    for (file, text) in given.chain(files.iter().cloned()) {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let files = Files::of(folder.path(), &[folder.path().join("runbooks")]).unwrap();
    check(folder.path(), &files, &registry().catalogue()).unwrap().found
}

fn told(found: &[Diagnostic]) -> String {
    let said: Vec<String> = found.iter().map(|finding| format!("[{}] {}", finding.code, finding.message)).collect();
    said.join("; ")
}
