//! The YAML Test Suite (<https://github.com/yaml/yaml-test-suite>). It does not ship: `DRCTL_YAML_TEST_SUITE` names the
//! folder of its files.

use std::fs;
use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};
use std::sync::Once;

use serde::Deserialize;

const VARIABLE: &str = "DRCTL_YAML_TEST_SUITE";

/// One case of the suite. Neither `json` nor `fail`: the YAML is good, but JSON cannot say what it means.
#[derive(Deserialize)]
#[allow(dead_code, reason = "some tests go by the text alone")]
pub struct Case {
    /// The name of its file, and its number where that has several.
    #[serde(skip)]
    pub id: String,
    pub yaml: String,
    /// What it means: one document after another.
    pub json: Option<String>,
    /// It is an error.
    #[serde(default)]
    pub fail: bool,
    /// The suite itself tells readers not to go by it.
    #[serde(default)]
    pub skip: bool,
}

/// Every case, in the order of their names. `None` where the variable is not set: it says then, past the silence that a
/// passing test keeps, that nothing is checked.
pub fn cases() -> Option<Vec<Case>> {
    static SAY: Once = Once::new();
    #[expect(clippy::explicit_write, reason = "what `eprintln!` says is not heard of a test that passes")]
    let say = || writeln!(stderr(), "{VARIABLE} is not set: nothing is tried with the YAML test suite").unwrap();
    #[expect(clippy::disallowed_methods, reason = "the test is told by its environment where the suite is")]
    let Some(folder) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        SAY.call_once(say);
        return None;
    };
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{VARIABLE}={}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "yaml"));
    files.sort();
    Some(files.iter().flat_map(|file| read(file)).collect())
}

/// The cases of a file: what holds for its first holds for all.
fn read(file: &Path) -> Vec<Case> {
    let text = fs::read_to_string(file).unwrap();
    let mut cases: Vec<Case> =
        serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let (name, several, skip) = (file.file_stem().unwrap().display(), cases.len() > 1, cases[0].skip);
    for (number, case) in cases.iter_mut().enumerate() {
        case.id = if several { format!("{name}-{number}") } else { name.to_string() };
        case.yaml = without_signs(&case.yaml);
        case.json = case.json.as_deref().map(without_signs);
        case.skip = skip;
    }
    cases
}

/// The suite writes signs for what cannot be seen: spaces, tabs (as wide as they are shown), line ends, no end of the
/// last line.
fn without_signs(text: &str) -> String {
    let seen = text.replace("∎\n", "").replace(['—', '↵'], "");
    seen.replace('␣', " ").replace('»', "\t").replace('←', "\r").replace('⇔', "\u{feff}")
}
