//! What holds for the project as a whole: which module may use which, what code may not say, and that the
//! documents are true.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]
#![allow(dead_code, reason = "pages hold more than what is looked at here")]

#[path = "support/markdown.rs"]
mod markdown;
#[path = "support/program.rs"]
mod program;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use drctl::runbook::fields::{LanguageField, RUNBOOK, STEP, Shape, TEMPLATE};
use drctl::runbook::workspace::WORKSPACE;
use drctl::sim::scenario::fields::SCENARIO;
use markdown::blocks;

/// A module uses only modules that stand before it.
const ORDER: [&str; 16] = [
    "diag",
    "catalogue",
    "runbook",
    "plan",
    "lint",
    "engine", // these decide, and do nothing
    "journal",
    "edge",
    "notify",
    "actions",
    "sim",
    "report",
    "evidence",
    "error",
    "exec",
    "cli",
];
/// The modules that know no world: they are given what they need, and give back what is to be done.
const PURE: usize = 6;
/// Machinery that knows nothing of runbooks; of the engine, the journal knows its sequence numbers.
const KNOWS_ONLY: [(&str, &[&str]); 2] = [("journal", &["catalogue", "engine"]), ("edge", &["catalogue"])];

#[test]
fn every_module_uses_only_the_modules_before_it() {
    let found: Vec<String> = sources().iter().flat_map(against_order).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn pure_modules_know_neither_files_nor_clocks_nor_processes() {
    let pure = |source: &&Source| ORDER[..PURE].contains(&source.module());
    let found: Vec<String> = sources().iter().filter(pure).flat_map(impurities).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn no_unfinished_code_ships() {
    let forbidden = ["todo!", "unimplemented!", "dbg!", "FIXME", "XXX"];
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|source| {
            let said = forbidden.iter().filter(|word| source.text.contains(**word));
            said.map(|word| format!("{} says {word}", source.path)).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn no_source_file_is_longer_than_800_lines() {
    let long: Vec<String> =
        sources().into_iter().filter(|source| source.text.lines().count() > 800).map(|source| source.path).collect();
    assert_eq!(long, [""; 0]);
}

#[test]
fn the_readme_s_runbook_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    for block in blocks(&read("README.md")) {
        if let Some(path) = block.file() {
            let file = folder.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, &block.text).unwrap();
        }
    }
    assert_eq!(printed(folder.path(), &["validate"]), "1 runbook: 0 errors, 0 warnings\n");
}

#[test]
fn the_readme_names_every_command() {
    let help = printed(root(), &["--help"]);
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 15, "{help}");
    let readme = read("README.md");
    let table = readme.split("## Commands").nth(1).unwrap().split("\n## ").next().unwrap();
    let words: BTreeSet<&str> = table.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
    let missing: Vec<&str> = commands.into_iter().filter(|command| !words.contains(command)).collect();
    assert_eq!(missing, [""; 0], "commands that the README's table does not name");
}

#[test]
fn every_promise_names_tests_that_exist() {
    let named = named_tests(&read("docs/guarantees.md"));
    assert!(named.len() > 40, "only {} tests are named", named.len());
    let missing: Vec<String> = named
        .into_iter()
        .filter(|(file, test)| !fs::read_to_string(root().join(file)).is_ok_and(|text| has_test(&text, test)))
        .map(|(file, test)| format!("{file}::{test}"))
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn the_documents_of_the_language_name_every_field() {
    assert_eq!(unnamed("docs/language.md", RUNBOOK), BTreeSet::new());
    assert_eq!(unnamed("docs/language.md", TEMPLATE), BTreeSet::new());
    assert_eq!(unnamed("docs/workspace.md", WORKSPACE), BTreeSet::new());
    for fields in [RUNBOOK, TEMPLATE, WORKSPACE, SCENARIO] {
        assert_eq!(unnamed("docs/fields.md", fields), BTreeSet::new());
    }
}

/// The fields that a document does not name.
fn unnamed(document: &str, fields: &'static [LanguageField]) -> BTreeSet<&'static str> {
    let document = read(document);
    let quoted = document.split('`').skip(1).step_by(2);
    let words: BTreeSet<&str> =
        quoted.flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_')).collect();
    all_fields(fields).into_iter().filter(|field| !words.contains(field)).collect()
}

// --- the checks, and that they can fail

/// The names of these fields and of those within them.
fn all_fields(fields: &'static [LanguageField]) -> BTreeSet<&'static str> {
    let inner = fields.iter().flat_map(|field| match field.shape {
        Shape::Fields(inner) | Shape::Named(inner) | Shape::Items(inner) => all_fields(inner),
        Shape::Steps => all_fields(STEP),
        Shape::NamedItems(inner) | Shape::NamedLists(inner) => all_fields(inner),
        Shape::Kinds(kinds) => kinds.iter().flat_map(|(_, inner)| all_fields(inner)).collect(),
        _ => BTreeSet::new(),
    });
    fields.iter().map(|field| field.name).chain(inner).collect()
}

/// The tests that a document names as `tests/FILE.rs::NAME`.
fn named_tests(document: &str) -> Vec<(String, String)> {
    let quoted = document.split('`').skip(1).step_by(2);
    quoted
        .filter(|text| text.starts_with("tests/"))
        .filter_map(|text| text.split_once("::"))
        .map(|(file, test)| (file.to_owned(), test.to_owned()))
        .collect()
}

/// Whether the text has a test of that name.
fn has_test(text: &str, name: &str) -> bool {
    text.match_indices(&format!("fn {name}(")).any(|(at, _)| {
        let before: Vec<&str> = text[..at].lines().rev().take(4).collect();
        before.iter().any(|line| line.trim_start().starts_with("#[") && line.contains("test"))
    })
}

#[test]
fn a_promise_without_a_test_is_found() {
    let document = "It holds: `tests/a.rs::it_holds` and `tests/b/c.rs::so_does_this`; see `tests/a.rs` and `fn::it`.";
    let owned = |file: &str, test: &str| (file.to_owned(), test.to_owned());
    assert_eq!(named_tests(document), [owned("tests/a.rs", "it_holds"), owned("tests/b/c.rs", "so_does_this")]);
    assert!(has_test("#[test]\nfn it_holds() {}", "it_holds"));
    assert!(!has_test("#[test]\nfn other() {}\n\n\n\n\nfn it_holds() {}", "it_holds"));
    assert!(!has_test("#[test]\nfn it_holds_too() {}", "it_holds"));
}

/// One file of `src`.
struct Source {
    /// From the repository's root.
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The module right under the crate's root that the file belongs to.
    fn module(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
    }

    /// How many `super` lead from the file's module to the crate's root.
    fn depth(&self) -> usize {
        let names = self.path.trim_end_matches("/mod.rs").split('/').count();
        names - 1
    }

    /// The text without comments, the insides of strings, and the tests at its end.
    fn code(&self) -> String {
        let code = without_comments_and_strings(&self.text);
        code.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned()
    }

    /// The modules right under the crate's root that it names.
    fn uses(&self) -> BTreeSet<String> {
        let code = self.code();
        let from_root = "super::".repeat(self.depth());
        names_after(&code, "crate::").into_iter().chain(names_after(&code, &from_root)).collect()
    }
}

fn against_order(source: &Source) -> Vec<String> {
    let place = |module: &str| ORDER.iter().position(|known| *known == module);
    let own = source.module();
    if ["main", "lib"].contains(&own) {
        return Vec::new();
    }
    let Some(here) = place(own) else {
        return vec![format!("{}: `{own}` has no place in ORDER of tests/project.rs", source.path)];
    };
    let only = KNOWS_ONLY.iter().find(|(module, _)| *module == own).map(|(_, only)| *only);
    let is_wrong = |used: &String| {
        let below = place(used).is_none_or(|there| there < here);
        used != own && place(used).is_some() && !only.map_or(below, |only| only.contains(&used.as_str()))
    };
    let wrong = source.uses().into_iter().filter(is_wrong);
    wrong.map(|used| format!("{}: `{own}` may not use `{used}`", source.path)).collect()
}

fn impurities(source: &Source) -> Vec<String> {
    let code = source.code();
    let words: BTreeSet<&str> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let named = ["tokio", "SystemTime", "Instant"].into_iter().filter(|word| words.contains(word));
    let library = names_after(&code, "std::");
    let worldly = ["fs", "env", "process", "net"].into_iter().filter(|name| library.contains(*name));
    let worldly = worldly.map(|name| format!("std::{name}"));
    named.map(str::to_owned).chain(worldly).map(|word| format!("{} names {word}", source.path)).collect()
}

/// The names right after a path's beginning, also those of a group: `crate::{a, b::c}` gives a and b.
fn names_after(code: &str, beginning: &str) -> BTreeSet<String> {
    let name = |text: &str| text.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned);
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(beginning) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = code[at + beginning.len()..].trim_start();
        match rest.strip_prefix('{') {
            Some(group) => names.extend(top_level(group).iter().filter_map(|item| name(item))),
            None => names.extend(name(rest)),
        }
    }
    names
}

/// The items of a group that was opened, up to where it closes.
fn top_level(group: &str) -> Vec<String> {
    let (mut items, mut depth) = (vec![String::new()], 0);
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(String::new()),
            c if depth == 0 => items.last_mut().unwrap().push(c),
            _ => {}
        }
    }
    items
}

/// Rust code with comments and the insides of strings left out.
fn without_comments_and_strings(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("r\"") || rest.starts_with("r#") {
            let hashes = "#".repeat(rest[1..].chars().take_while(|c| *c == '#').count());
            let end = format!("\"{hashes}");
            let start = 1 + end.len();
            rest.get(start..).and_then(|inside| inside.find(&end)).map_or(1, |at| start + at + end.len())
        } else if c == '"' {
            string_length(rest)
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
            rest[1..].find('\'').unwrap_or_default() + 2
        } else {
            code.push(c);
            c.len_utf8()
        };
        rest = &rest[skipped..];
    }
    code
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn a_use_upwards_is_found_however_it_is_written() {
    let wrong = |path: &str, text: &str| against_order(&Source::new(path, text));
    let found = ["src/lint/x.rs: `lint` may not use `exec`"];
    assert_eq!(wrong("src/lint/x.rs", "use crate::exec::run;"), found);
    assert_eq!(wrong("src/lint/x.rs", "use crate::{diag::{Span, Spanned},\n    exec::run};"), found);
    assert_eq!(wrong("src/lint/x.rs", "fn f() { crate::exec::run::start(); }"), found);
    assert_eq!(wrong("src/lint/x.rs", "use super::super::exec::run;"), found);
    assert_eq!(wrong("src/lint/mod.rs", "use super::exec;"), ["src/lint/mod.rs: `lint` may not use `exec`"]);
    assert_eq!(wrong("src/edge/x.rs", "use crate::engine::Seq;"), ["src/edge/x.rs: `edge` may not use `engine`"]);
    let nowhere = ["src/new.rs: `new` has no place in ORDER of tests/project.rs"];
    assert_eq!(wrong("src/new.rs", ""), nowhere);
}

#[test]
fn what_is_allowed_is_not_found() {
    let text = "//! [`crate::exec`] does it.\nuse crate::plan::{Plan, exec};\nuse super::cycles;\nlet x = \"crate::exec\"; \
                // crate::cli\nuse crate::lint;\n#[cfg(test)]\nmod tests { use crate::exec; use std::fs; }";
    let source = Source::new("src/lint/x.rs", text);
    assert_eq!(against_order(&source), [""; 0]);
    assert_eq!(impurities(&source), [""; 0]);
}

#[test]
fn a_pure_module_that_touches_the_world_is_found() {
    let found = |text: &str| impurities(&Source::new("src/plan/x.rs", text));
    assert_eq!(found("use std::fs;"), ["src/plan/x.rs names std::fs"]);
    assert_eq!(found("use std::{collections::BTreeMap,\n net::IpAddr};"), ["src/plan/x.rs names std::net"]);
    assert_eq!(found("let c = '\"'; std::env::var(\"A\")"), ["src/plan/x.rs names std::env"]);
    assert_eq!(found("let s = r#\"a \" b\"#; std::process::exit(1)"), ["src/plan/x.rs names std::process"]);
    assert_eq!(found("use std::time::{Duration, Instant};"), ["src/plan/x.rs names Instant"]);
    assert_eq!(found("/* a */ tokio::spawn(f)"), ["src/plan/x.rs names tokio"]);
    assert_eq!(found("use std::time::Duration; let url = \"http://a\"; let fs = 1;"), [""; 0]);
}

// --- files

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files of `src`, without those that hold tests only.
fn sources() -> Vec<Source> {
    let (mut folders, mut files) = (vec![root().join("src")], Vec::<PathBuf>::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("tests.rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(files.len() > 100, "only {} files in src", files.len());
    let relative = |file: &PathBuf| file.strip_prefix(root()).unwrap().display().to_string();
    files.iter().map(|file| Source::new(&relative(file), &fs::read_to_string(file).unwrap())).collect()
}

/// What drctl prints, stderr after stdout.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    program::text(&program::drctl(folder, arguments))
}
