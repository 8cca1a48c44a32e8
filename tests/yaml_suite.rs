//! The YAML reader against the YAML Test Suite, against another reader, and against noise.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "support/yaml_suite.rs"]
#[expect(unreachable_pub, reason = "a test is a crate of its own: `pub` says what its modules offer")]
mod suite;

use drctl::diag::{Diagnostic, Severity, Sources};
use drctl::runbook::source::{Node, decode, parse};
use proptest::prelude::*;
use serde_json::Value;
use suite::{Case, cases};

/// What is wrong with a file, in the order of the file; or its value.
fn read(bytes: &[u8]) -> (Sources, Result<Value, Vec<Diagnostic>>) {
    let mut sources = Sources::default();
    let (document, problems) = match decode(&mut sources, "file", bytes) {
        Ok(source) => parse(&sources, source),
        Err(problems) => (None, problems),
    };
    let is_refused = problems.iter().any(|problem| problem.severity == Severity::Error);
    let value = match document {
        Some(document) if !is_refused => Ok(document.to_json(document.root())),
        _ => Err(problems),
    };
    (sources, value)
}

/// How we differ from the suite in a case: the code of our first error, `accepted` or `value`.
fn difference(case: &Case) -> Option<&'static str> {
    let documents = case.json.as_deref().map(|json| {
        let documents = serde_json::Deserializer::from_str(json).into_iter::<Value>();
        documents.collect::<Result<Vec<_>, _>>().unwrap()
    });
    match read(case.yaml.as_bytes()).1 {
        _ if case.skip => None,
        Ok(_) if case.fail => Some("accepted"),
        Err(_) if case.fail => None,
        Ok(value) => documents.filter(|documents| *documents != [value]).map(|_| "value"),
        Err(problems) => Some(problems[0].code),
    }
}

/// Where we differ from the suite on purpose: how, why, and in which cases.
const DIFFERENCES: &[(&str, &str, &[&str])] = &[
    (
        "several-documents",
        "a runbook is one document: what follows would be ignored",
        &[
            "35KP", "6ZKB", "7Z25", "9DXL", "9KAX", "JHB9", "KSS4", "L383", "M7A3", "PUW8", "RZT7", "U9NS", "UT92",
            "W4TN",
        ],
    ),
    (
        "empty-file",
        "a file that holds nothing is a mistake",
        &["6XDY", "8G76", "98YD", "AVM7", "DK95-7", "HWV9", "MUS6-2", "MUS6-3", "MUS6-4", "MUS6-5", "MUS6-6", "QT73"],
    ),
    (
        "complex-key",
        "no field of ours has a list or a mapping for a name",
        &[
            "4FJ6", "6BFJ", "6PBE", "9MMW", "KK5P", "LX3P", "M2N8-1", "M5DY", "Q9WF", "RZP5", "SBG9", "V9D5", "X38W",
            "XW4D",
        ],
    ),
    (
        "empty-key",
        "a key that was forgotten is a mistake",
        &[
            "2JQS", "6M2F", "CFD4", "DFF7", "FH7J", "FRK4", "M2N8-0", "NHX8", "NKF9", "PW8X", "S3PD", "SM9W-1",
            "UKK6-0", "WZ62",
        ],
    ),
    (
        "tag",
        "only the tags of the core schema mean something to us",
        &[
            "2XXW", "565N", "5TYM", "6CK3", "6WLZ", "7FWL", "9WXW", "C4HZ", "CC74", "CUP7", "J7PZ", "M5C3", "P76L",
            "UGM3", "Z67P", "Z9M4",
        ],
    ),
    ("hidden-character", "escapes may not bring in control characters", &["G4RS"]),
    ("accepted", "a flow list may end at the indentation of its key, as people write it", &["9C9N"]),
];

#[test]
fn the_reader_agrees_with_the_suite_but_for_the_listed_cases() {
    let listed = DIFFERENCES.iter().flat_map(|(how, _, ids)| ids.iter().map(|id| (*id, *how)));
    let mut listed: Vec<(&str, &str)> = listed.collect();
    listed.sort_unstable();
    let Some(cases) = cases() else { return };
    let found: Vec<(&str, &str)> = cases.iter().filter_map(|case| Some((&*case.id, difference(case)?))).collect();
    assert_eq!(found, listed);
    // Fewer would be a part of the suite, or another folder.
    assert_eq!(cases.len(), 406);
}

/// Where the other reader differs from us: each time ours reads what the suite and its event trees say.
const OTHER_READER: &[(&str, &str)] = &[
    ("652Z", "it takes `?foo` in a flow mapping for a key indicator"),
    ("HM87-1", "it takes `?x` in a flow sequence for a key indicator"),
    ("JEF9-2", "it drops a line break before spaces at the end of the file"),
    ("L24T-1", "it drops a line break before spaces at the end of the file"),
    ("Y2GN", "it ends an anchor's name at a colon"),
];

#[test]
fn another_reader_reads_the_same_but_for_the_listed_cases() {
    let Some(cases) = cases() else { return };
    let mut compared = 0;
    let mut differ = Vec::new();
    for case in cases.iter().filter(|case| !case.skip) {
        let (_, ours) = read(case.yaml.as_bytes());
        if let (Ok(ours), Ok(theirs)) = (ours, serde_yaml::from_str::<Value>(&case.yaml)) {
            compared += 1;
            if ours != theirs {
                differ.push(&*case.id);
            }
        }
    }
    assert_eq!(differ, OTHER_READER.iter().map(|(id, _)| *id).collect::<Vec<_>>());
    assert!(compared > 200, "only {compared} cases were compared");
}

/// Every place of every problem must be inside its file, on whole characters.
fn check_places(sources: &Sources, problems: &[Diagnostic]) -> Result<(), TestCaseError> {
    for problem in problems {
        let others = problem.others.iter().map(|(span, _)| *span);
        let fix = problem.fix.iter().map(|fix| fix.span);
        for span in std::iter::once(problem.primary).chain(others).chain(fix) {
            let text = sources.text(span.source);
            prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{problem:?} in {text:?}");
        }
    }
    Ok(())
}

/// Pieces that mean something to YAML, so that noise made of them gets past the first token.
fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b",
        "é",
        "- ",
        "? ",
        ": ",
        ":",
        ", ",
        "[",
        "]",
        "{",
        "}",
        "{{ x }}",
        "\n",
        "\n  ",
        "\n    ",
        "\t",
        "\r\n",
        "\"",
        "'",
        "''",
        "\\",
        "\\x41",
        "\\e",
        "&a ",
        "*a",
        "*b",
        "!!int ",
        "!x ",
        "<<: ",
        "|\n",
        ">-\n",
        "|2\n",
        "# c\n",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "007",
        "1e999",
        "0x1F",
        ".inf",
        "~",
        "true",
        "@",
        "`",
        "\u{feff}",
        "\u{202e}",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_never_panics_and_is_refused_inside_the_file(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (sources, value) = read(&bytes);
        check_places(&sources, &value.err().unwrap_or_default())?;
    }

    #[test]
    fn noise_that_looks_like_yaml_never_panics_either(text in yaml_like()) {
        let (sources, value) = read(text.as_bytes());
        check_places(&sources, &value.err().unwrap_or_default())?;
    }

    #[test]
    fn every_place_in_every_text_is_inside_its_scalar(text in yaml_like(), from in 0_usize..30, length in 0_usize..30) {
        let mut sources = Sources::default();
        let source = sources.add("file", text.as_str());
        let Some(document) = parse(&sources, source).0 else { return Ok(()) };
        let mut nodes = vec![document.root()];
        while let Some(id) = nodes.pop() {
            match document.get(id) {
                Node::Sequence(items) => nodes.extend(items),
                Node::Mapping(pairs) => nodes.extend(pairs.iter().flat_map(|(key, value)| [*key, *value])),
                _ => {}
            }
            let (whole, inner) = (document.span(id), document.inner_span(id, from, from + length));
            prop_assert!(text.get(whole.start as usize..whole.end as usize).is_some());
            prop_assert!(text.get(inner.start as usize..inner.end as usize).is_some());
            prop_assert!(whole.start <= inner.start && inner.start <= inner.end && inner.end <= whole.end, "{text:?}");
        }
    }
}
