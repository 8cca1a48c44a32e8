use super::*;
use crate::diag::{Span, sort};

fn example() -> (Sources, Vec<Diagnostic>) {
    let mut sources = Sources::default();
    let text = "name: päy\nsteps:\n  - id: failover\n  - id: verify\n    needs: [failovr]\n";
    let source = sources.add("pay.yaml", text);
    let at = |wanted: &str| {
        let start = u32::try_from(text.find(wanted).unwrap()).unwrap();
        Span::new(source, start, start + u32::try_from(wanted.len()).unwrap())
    };
    let unknown = Diagnostic::error("needs", at("failovr]").slice(0, 7), "step `verify` needs unknown step `failovr`")
        .label("no step has this id")
        .other(at("failover"), "a step with a similar id")
        .suggest("failovr", ["verify", "failover"]);
    let owner = Diagnostic::warning("owner", at("päy"), "runbook `päy` has no `owner`").note("write `owner: TEAM`");
    let mut found = vec![unknown.clone(), owner, unknown];
    sort(&mut found);
    (sources, found)
}

#[test]
fn people_see_the_line_the_place_and_what_to_write() {
    let (sources, found) = example();
    let wanted = r"warning[owner]: runbook `päy` has no `owner`
 --> pay.yaml:1:7
  |
1 | name: päy
  |       ^^^
  |
  = note: write `owner: TEAM`

error[needs]: step `verify` needs unknown step `failovr`
 --> pay.yaml:5:13
  |
5 |     needs: [failovr]
  |             ^^^^^^^ no step has this id
  |
 ::: pay.yaml:3:9
  |
3 |   - id: failover
  |         -------- a step with a similar id
  |
help: did you mean `failover`?
  |
5 |     needs: [failover]
  |                   +
";
    assert_eq!(render(&found, &sources, Format::Human, false), wanted);
}

#[test]
fn programs_get_one_line_or_one_document() {
    let (sources, found) = example();
    let short = "pay.yaml:1:7: warning[owner]: runbook `päy` has no `owner`\npay.yaml:5:13: error[needs]: step `verify` needs unknown step `failovr` (did you mean `failover`?)\n";
    assert_eq!(render(&found, &sources, Format::Short, false), short);
    let github = "::warning file=pay.yaml,line=1,col=7,title=owner::runbook `päy` has no `owner`\n::error file=pay.yaml,line=5,col=13,title=needs::step `verify` needs unknown step `failovr`\n";
    assert_eq!(render(&found, &sources, Format::Github, false), github);
    let json: serde_json::Value = serde_json::from_str(&render(&found, &sources, Format::Json, false)).unwrap();
    assert_eq!(json["diagnostics"][1]["fix"]["replacement"], "failover");
    assert_eq!(json["diagnostics"][0]["end_column"], 10);
    let sarif: serde_json::Value = serde_json::from_str(&render(&found, &sources, Format::Sarif, false)).unwrap();
    assert_eq!(sarif["runs"][0]["results"][1]["locations"][0]["physicalLocation"]["region"]["startLine"], 5);
}

#[test]
fn a_line_of_megabytes_is_clipped_and_control_characters_are_not_shown() {
    let mut sources = Sources::default();
    let text = format!("{}\u{1b}[31mbad{}", "x".repeat(2_000_000), "y".repeat(2_000_000));
    let source = sources.add("long.yaml", text);
    let found = [Diagnostic::error("syntax", Span::new(source, 2_000_000, 2_000_008), "odd \u{1b}[2J")];
    let shown = render(&found, &sources, Format::Human, false);
    assert!(shown.len() < 1_000 && !shown.contains('\u{1b}'), "{shown}");
    assert!(shown.contains("?[31mbad"), "{shown}");
}

#[test]
fn the_end_of_a_file_has_a_place() {
    let mut sources = Sources::default();
    let source = sources.add("short.yaml", "a: 1\r\n");
    let found = [Diagnostic::error("missing-field", Span::new(source, 6, 6), "missing")];
    assert_eq!(render(&found, &sources, Format::Short, false), "short.yaml:2:1: error[missing-field]: missing\n");
    assert!(render(&found, &sources, Format::Human, false).contains("--> short.yaml:2:1"));
}
