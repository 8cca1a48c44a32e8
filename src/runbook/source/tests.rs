use super::*;
use crate::diag::Sources;

fn read(text: &str) -> (Option<Document>, Vec<String>) {
    let mut sources = Sources::default();
    let source = match decode(&mut sources, "t.yaml", text.as_bytes()) {
        Ok(source) => source,
        Err(found) => return (None, said(&sources, &found)),
    };
    let (document, found) = parse(&sources, source);
    let said = said(&sources, &found);
    (document, said)
}

fn said(sources: &Sources, found: &[crate::diag::Diagnostic]) -> Vec<String> {
    found
        .iter()
        .map(|finding| format!("{} {}: {}", sources.place(finding.primary), finding.code, finding.message))
        .collect()
}

fn json(text: &str) -> Value {
    let (document, said) = read(text);
    assert_eq!(said, Vec::<String>::new(), "{text}");
    document.map(|document| document.to_json(document.root())).unwrap()
}

#[test]
fn values_are_what_the_core_schema_says() {
    let text = "{a: 1, b: -2.5e3, c: true, d: ~, e: yes, f: 1.10.1, g: 0x1F, h: 0o17, i: '1', j: 2026-11-20}";
    let wanted = serde_json::json!({"a": 1, "b": -2500.0, "c": true, "d": null, "e": "yes", "f": "1.10.1", "g": 31, "h": 15, "i": "1", "j": "2026-11-20"});
    assert_eq!(json(text), wanted);
    assert_eq!(json("a: &x [1, 2]\nb: *x\n"), serde_json::json!({"a": [1, 2], "b": [1, 2]}));
}

#[test]
fn every_trap_is_named_with_its_place() {
    let cases = [
        ("", "t.yaml:1:1 empty: the file is empty"),
        ("a: 0755\n", "t.yaml:1:4 leading-zero: `0755` could mean two things"),
        ("a: .nan\n", "t.yaml:1:4 number: `.nan` could mean two things"),
        ("a: 99999999999999999999\n", "t.yaml:1:4 number: `99999999999999999999` could mean two things"),
        ("a: 1\nb:\n  a: 2\n  a: 3\n", "t.yaml:4:3 duplicate-key: duplicate key `a`"),
        ("? [a]\n: b\n", "t.yaml:1:3 key: a key is text, a number or a bool"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "t.yaml:3:3 merge-key: merge keys are not supported"),
        ("a: 1\n---\nb: 2\n", "t.yaml:2:1 documents: a second document: a file holds one"),
        (
            "a: !ruby/object 1\n",
            "t.yaml:1:17 tag: tags are not supported here; only `!!str`, `!!int`, `!!float`, `!!bool` and `!!null` are",
        ),
        ("a: &x [*x]\n", "t.yaml:1:8 alias: an alias inside of what it stands for: it would never end"),
        ("a: \"\\e[31m\"\n", "t.yaml:1:4 control-character: the control character U+001B has no place in a runbook"),
        ("a: \u{202e}b\n", "t.yaml:1:4 control-character: the control character U+202E has no place in a runbook"),
    ];
    for (text, wanted) in cases {
        assert_eq!(read(text).1, [wanted], "{text:?}");
    }
}

#[test]
fn a_part_of_a_scalar_is_found_in_the_file() {
    let text = "a: plain {{ x }}\nb: \"quoted {{ x }}\"\nc: |\n  line one\n  then {{ x }}\n";
    let (document, _) = read(text);
    let document = document.unwrap();
    let Node::Mapping(pairs) = document.get(document.root()) else { panic!() };
    for (_, value) in pairs {
        let at = document.scalar_text(*value).unwrap().find("{{").unwrap();
        let span = document.inner_span(*value, at, at + 7);
        assert_eq!(&text[span.start as usize..span.end as usize], "{{ x }}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the time a verdict takes is what is tested")]
fn hostile_files_are_judged_quickly() {
    let line = |n: u32| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", "));
    let laughs: String =
        std::iter::once("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned()).chain((1..17).map(line)).collect();
    let long = format!("a: &x {}\nb: [{}]\n", "x".repeat(100_000), vec!["*x"; 20_000].join(", "));
    let cases = [
        (laughs, "alias"),
        (long, "alias"),
        ("[".repeat(100_000), "depth"),
        ("- a\n".repeat(LARGEST_FILE / 4), "size"),
        ("a:\n".to_owned() + &" ".repeat(LARGEST_FILE), "size"),
    ];
    for (text, code) in cases {
        let start = std::time::Instant::now();
        let (_, said) = read(&text);
        assert!(said.iter().any(|said| said.contains(&format!(" {code}: "))), "{code}: {said:?}");
        assert!(start.elapsed().as_secs() < 20, "{code} took {:?}", start.elapsed());
    }
}
