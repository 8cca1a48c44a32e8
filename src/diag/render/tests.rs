use super::*;
use crate::diag::{Fix, Span};

const TEXT: &str =
    "name: pay\nsteps:\n  - id: failover\n    title: Schwenk über\n  - id: verify\n    needs: [failovr]\n";

/// Two problems in one file: a wrong name with a fix, and a warning that points at a second file.
fn example() -> (Sources, Vec<Diagnostic>) {
    let mut sources = Sources::default();
    let pay = sources.add("runbooks/pay.yaml", TEXT);
    let common = sources.add("runbooks/common, old.yaml", "name: common\n");
    let at = |source, text: &str, part: &str| {
        let start = u32::try_from(text.find(part).unwrap()).unwrap();
        Span::new(source, start, start + u32::try_from(part.len()).unwrap())
    };
    let wrong =
        Diagnostic::error("unknown-step", at(pay, TEXT, "failovr"), "step `verify` needs the unknown step `failovr`")
            .label("no step has this id")
            .other(at(pay, TEXT, "failover"), "a step with a similar id")
            .note("`needs` takes ids of this runbook: 100% of them")
            .suggest("failovr", ["verify", "failover"]);
    let umlaut = Diagnostic::warning("title", at(pay, TEXT, "ber"), "the title is not English")
        .other(at(common, "name: common\n", "common"), "");
    (sources, vec![wrong, umlaut])
}

#[track_caller]
fn assert_shown(format: Format, expected: &str) {
    let (sources, diagnostics) = example();
    assert_eq!(render(&diagnostics, &sources, format, false), expected);
}

#[test]
fn people_see_the_lines_the_notes_and_the_fix() {
    assert_shown(
        Format::Human,
        "\
error[unknown-step]: step `verify` needs the unknown step `failovr`
 --> runbooks/pay.yaml:6:13
  |
3 |   - id: failover
  |         -------- a step with a similar id
...
6 |     needs: [failovr]
  |             ^^^^^^^ no step has this id
  |
  = note: `needs` takes ids of this runbook: 100% of them
help: did you mean `failover`?
  |
6 |     needs: [failover]
  |                   +

warning[title]: the title is not English
 --> runbooks/pay.yaml:4:21
  |
4 |     title: Schwenk über
  |                     ^^^
  |
 ::: runbooks/common, old.yaml:1:7
  |
1 | name: common
  |       ------
",
    );
}

#[test]
fn the_short_form_takes_one_line_each() {
    assert_shown(
        Format::Short,
        "\
runbooks/pay.yaml:4:21: warning[title]: the title is not English
runbooks/pay.yaml:6:13: error[unknown-step]: step `verify` needs the unknown step `failovr` (did you mean `failover`?)
",
    );
}

#[test]
fn github_gets_escaped_workflow_commands() {
    assert_shown(
        Format::Github,
        "\
::warning file=runbooks/pay.yaml,line=4,col=21,title=title::the title is not English
::error file=runbooks/pay.yaml,line=6,col=13,title=unknown-step::step `verify` needs the unknown step `failovr`\
%0A`needs` takes ids of this runbook: 100%25 of them%0Adid you mean `failover`?
",
    );
}

#[test]
fn programs_get_json_with_lines_columns_and_bytes() {
    assert_shown(Format::Json, include_str!("testdata/example.json"));
}

#[test]
fn code_scanning_gets_sarif_with_fixes() {
    assert_shown(Format::Sarif, include_str!("testdata/example.sarif"));
}

#[test]
fn nothing_to_say_is_nothing_for_people_and_an_empty_list_for_programs() {
    let nothing = |format| render(&[], &Sources::default(), format, true);
    assert_eq!(nothing(Format::Human), "");
    assert_eq!(nothing(Format::Short), "");
    assert_eq!(nothing(Format::Github), "");
    assert_eq!(nothing(Format::Json), "{\n  \"version\": 1,\n  \"diagnostics\": [],\n  \"waiting\": []\n}\n");
}

/// A source, and one error at a part of it.
fn one(text: &str, part: &str) -> (Sources, Diagnostic) {
    let mut sources = Sources::default();
    let source = sources.add("a.yaml", text);
    let start = u32::try_from(text.find(part).unwrap()).unwrap();
    let span = Span::new(source, start, start + u32::try_from(part.len()).unwrap());
    (sources, Diagnostic::error("code", span, "no"))
}

#[test]
fn a_line_of_a_megabyte_is_shown_around_the_place() {
    let text = format!("a: 1\n{}needle{}\n", "é".repeat(300_000), "z".repeat(600_000));
    let (sources, diagnostic) = one(&text, "needle");
    let fix =
        Fix { span: diagnostic.primary, replacement: "pin".to_owned(), say: "a pin will do".to_owned(), safe: false };
    let shown = render(&[diagnostic.fix(fix)], &sources, Format::Human, false);
    assert!(shown.contains(" --> a.yaml:2:300001\n"), "{shown}");
    assert!(shown.contains("éneedlez") && shown.contains("épinz"), "{shown}");
    assert!(shown.len() < 2_000, "{} bytes", shown.len());
}

#[test]
fn places_far_apart_do_not_show_what_lies_between() {
    let text = format!("first: 1\n{}second: 2\n", "x: 1\n".repeat(500));
    let (sources, diagnostic) = one(&text, "second");
    let first = Span::new(diagnostic.primary.source, 0, 5);
    assert_eq!(
        render(&[diagnostic.other(first, "before")], &sources, Format::Human, false),
        "\
error[code]: no
   --> a.yaml:502:1
    |
502 | second: 2
    | ^^^^^^
    |
   ::: a.yaml:1:1
    |
  1 | first: 1
    | ----- before
"
    );
}

#[test]
fn nothing_in_a_file_or_a_message_drives_the_terminal() {
    let (mut sources, diagnostic) = one("a: \u{1b}[31mred\u{9b}\u{202e}\r\n", "[31mred");
    let odd_name = sources.add("\u{1b}]0;x\u{7}.yaml", "text\n");
    let diagnostic = Diagnostic { message: "a\u{8}\nb".to_owned(), ..diagnostic }
        .label("\u{85}")
        .other(Span::new(odd_name, 0, 4), "\r")
        .note("\u{1b}c");
    for format in Format::ALL {
        let shown = render(std::slice::from_ref(&diagnostic), &sources, format, false);
        let raw = ['\u{1b}', '\u{8}', '\u{7}', '\r', '\u{9b}', '\u{85}', '\u{202e}'];
        assert!(!shown.contains(raw), "{}: {shown:?}", format.name());
    }
    let human = render(&[diagnostic], &sources, Format::Human, false);
    assert!(human.contains("1 | a: ␛[31mred��\n  |     ^^^^^^^ �\n"), "{human}");
}

#[test]
fn the_end_of_a_file_and_spans_beyond_it_can_be_shown() {
    let mut sources = Sources::default();
    let source = sources.add("a.yaml", "a: é");
    let empty = sources.add("empty.yaml", "");
    let at = |source, start, end| Diagnostic::error("code", Span::new(source, start, end), "no");
    let diagnostics = [at(source, 5, 5), at(source, 4, 99), at(source, 90, 99), at(empty, 0, 0)];
    for format in Format::ALL {
        assert!(!render(&diagnostics, &sources, format, false).is_empty());
    }
}

#[test]
fn a_format_is_known_by_its_name() {
    for format in Format::ALL {
        assert_eq!(format.name().parse(), Ok(format));
    }
    let expected = "wanted one of `human`, `short`, `json`, `sarif`, `github`, found `xml`";
    assert_eq!("xml".parse::<Format>(), Err(expected.to_owned()));
}

#[test]
fn findings_are_sorted_by_place_and_said_once() {
    let (sources, diagnostics) = example();
    let mut twice = [diagnostics.clone(), diagnostics].concat();
    crate::diag::sort(&mut twice);
    let places: Vec<String> = twice.iter().map(|diagnostic| sources.place(diagnostic.primary)).collect();
    assert_eq!(places, ["runbooks/pay.yaml:4:21", "runbooks/pay.yaml:6:13"]);
}
