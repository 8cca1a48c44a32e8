use serde_json::json;

use super::*;
use crate::diag::{Format, Sources, render};

/// Reads a text; the problems in their short form.
fn read(text: &str) -> (Option<Document>, String) {
    read_bytes(text.as_bytes())
}

fn read_bytes(bytes: &[u8]) -> (Option<Document>, String) {
    let mut sources = Sources::default();
    let (document, problems) = match decode(&mut sources, "f", bytes) {
        Ok(source) => parse(&sources, source),
        Err(problems) => (None, problems),
    };
    (document, render(&problems, &sources, Format::Short, false))
}

/// The document of a text without problems.
#[track_caller]
fn sound(text: &str) -> Document {
    let (document, problems) = read(text);
    assert_eq!(problems, "");
    document.unwrap()
}

/// The part of the text that a place in a scalar's text comes from; the scalar is the root's first value.
#[track_caller]
fn written<'t>(text: &'t str, part: &str) -> &'t str {
    let document = sound(text);
    let Node::Mapping([(_, value), ..]) = document.get(document.root()) else { panic!("no mapping") };
    let at = document.scalar_text(*value).unwrap().find(part).unwrap();
    let span = document.inner_span(*value, at, at + part.len());
    &text[span.start as usize..span.end as usize]
}

#[track_caller]
fn assert_refused(text: &str, problems: &str) {
    assert_eq!(read(text).1, problems, "{text}");
}

#[test]
fn a_file_becomes_a_tree_with_the_place_of_every_node() {
    let text = "name: pay\nsteps:\n  - id: 'a'\n    on: [1.10, yes, 0x1F, ~]\n\n# the end\nlast: true\n";
    let document = sound(text);
    let expected = json!({"name": "pay", "steps": [{"id": "a", "on": [1.1, "yes", 31, null]}], "last": true});
    assert_eq!(document.to_json(document.root()), expected);

    let part = |id| &text[document.span(id).start as usize..document.span(id).end as usize];
    let Node::Mapping([_, (key, steps), _]) = document.get(document.root()) else { panic!("no mapping") };
    assert_eq!(part(*key), "steps");
    assert_eq!(part(*steps), "- id: 'a'\n    on: [1.10, yes, 0x1F, ~]");
    let Node::Sequence([step]) = document.get(*steps) else { panic!("no list") };
    let Node::Mapping([(_, id), (on, list)]) = document.get(*step) else { panic!("no mapping") };
    assert_eq!((part(*id), document.is_quoted(*id)), ("'a'", true));
    assert_eq!((part(*list), document.looks_like_old_bool(*on)), ("[1.10, yes, 0x1F, ~]", true));
    let Node::Sequence([version, yes, hex, null]) = document.get(*list) else { panic!("no list") };
    assert_eq!((document.get(*version), document.scalar_text(*version)), (Node::Float(1.1), Some("1.10")));
    assert_eq!((document.get(*yes), document.looks_like_old_bool(*yes)), (Node::String("yes"), true));
    assert_eq!((document.get(*hex), document.is_quoted(*hex)), (Node::Int(31), false));
    assert_eq!((document.get(*null), document.scalar_text(*list)), (Node::Null, None));
}

#[test]
fn an_alias_is_the_node_of_its_anchor() {
    let document = sound("a: &x {k: 1}\nb: *x\n*y : 2\n".replace("*y", "&y c").as_str());
    let Node::Mapping([(_, a), (_, b), _]) = document.get(document.root()) else { panic!("no mapping") };
    assert_eq!(a, b);
    assert_eq!(document.to_json(document.root()), json!({"a": {"k": 1}, "b": {"k": 1}, "c": 2}));
}

#[test]
fn keys_are_text_whatever_they_look_like() {
    let document = sound("1: a\ntrue: b\n007: c\n1.10: d\n~: e\n");
    let expected = json!({"1": "a", "true": "b", "007": "c", "1.10": "d", "~": "e"});
    assert_eq!(document.to_json(document.root()), expected);
}

#[test]
fn tags_of_the_core_schema_apply() {
    let document =
        sound("a: !!str 1.10\nb: !!int \"3\"\nc: !!float 1\nd: ! 12\ne: !!null ''\nf: !!bool 'true'\ng: !!seq []\n");
    let expected = json!({"a": "1.10", "b": 3, "c": 1.0, "d": "12", "e": null, "f": true, "g": []});
    assert_eq!(document.to_json(document.root()), expected);
}

#[test]
fn a_place_in_a_text_is_found_in_the_file() {
    assert_eq!(written("a: x {{ y }} z\n", "{{ y }}"), "{{ y }}");
    assert_eq!(written("a: 'x {{ y }} z'\n", "{{ y }}"), "{{ y }}");
    assert_eq!(written("a: 'it''s {{ y == ''b'' }} z'\n", "{{ y == 'b' }}"), "{{ y == ''b'' }}");
    assert_eq!(written("a: \"\\u00e9\\t{{ y == \\\"b\\\" }} \\x41z\"\n", "{{ y == \"b\" }}"), "{{ y == \\\"b\\\" }}");
    assert_eq!(written("a: \"\\u00e9\\t{{ y }} \\x41z\"\n", "Az"), "\\x41z");
    assert_eq!(written("a: |\n  one\n\n    two {{ y }}\n  three\n", "{{ y }}"), "{{ y }}");
    assert_eq!(written("a: |\n  one\n    two\n  three\n", "two\nthree"), "two\n  three");
    assert_eq!(written("a: >-\n  one\n  two {{ y }}\n", "{{ y }}"), "{{ y }}");
    assert_eq!(written("a: one\n   two {{ y\n   }} three\n", "{{ y }}"), "{{ y\n   }}");
    assert_eq!(written("a: 'one\n   two'\n", "e tw"), "e\n   tw");
}

#[test]
fn a_place_that_cannot_be_found_is_the_whole_scalar() {
    assert_eq!(written("a: \"one\\\n  two \\\" {{ y }}\"\n", "{{ y }}"), "\"one\\\n  two \\\" {{ y }}\"");
    assert_eq!(written("a: \"\\ud83d\\ude00 y\"\n", "y"), "\"\\ud83d\\ude00 y\"");
}

#[test]
fn all_problems_of_a_file_are_found_at_once() {
    assert_refused(
        "mode: 0755\nbig: 99999999999999999999\nmode: .inf\n<<: *base\n? [a]\n: 1\n: x\nt: !!int x\nu: !env HOME\nv: {{ w }}\n\"q\": \"\\e\"\n",
        "\
f:1:7: error[leading-zero]: `0755` may be text, octal or decimal (write `\"0755\"` or `0o755`)
f:2:6: error[number-range]: the number `99999999999999999999` is too large: wanted at most 64 bits with a sign (write it in quotes if it is text)
f:3:1: error[duplicate-key]: the key `mode` is there twice
f:3:7: error[number-range]: `.inf` is not a finite number (write it in quotes if it is text)
f:4:1: error[merge-key]: merge keys are not supported; use `defaults`
f:4:5: error[unknown-alias]: no anchor `&base` stands before this alias
f:5:3: error[complex-key]: wanted text as a key, found a list or a mapping
f:7:1: error[empty-key]: wanted a key before `:`, found nothing
f:8:4: error[tag]: the text does not fit the tag `!!int`
f:9:4: error[tag]: the tag `!env` is not supported here
f:10:4: error[unquoted-template]: a value that starts with `{{` must be in quotes (write `\"{{ w }}\"`)
f:11:6: error[hidden-character]: the escaped character U+001B is not allowed
",
    );
}

#[test]
fn of_a_repeated_key_the_first_counts_and_both_are_shown() {
    let mut sources = Sources::default();
    let source = decode(&mut sources, "pay.yaml", b"id: a\nx: 1\n'id': b\nid: c\n").unwrap();
    let (document, problems) = parse(&sources, source);
    let document = document.unwrap();
    assert_eq!(document.to_json(document.root()), json!({"id": "a", "x": 1}));
    assert_eq!(
        render(&problems[..1], &sources, Format::Human, false),
        "\
error[duplicate-key]: the key `id` is there twice
 --> pay.yaml:3:1
  |
1 | id: a
  | -- first here
2 | x: 1
3 | 'id': b
  | ^^^^ again here
"
    );
    assert_eq!(problems.len(), 2);
}

#[test]
fn more_problems_than_people_read_are_counted() {
    let (_, shown) = read(&"- 01\n".repeat(1_000));
    assert_eq!(shown.lines().count(), 100);
    let mut sources = Sources::default();
    let source = sources.add("f", "- 01\n".repeat(1_000));
    let (_, problems) = parse(&sources, source);
    assert_eq!(problems[99].notes, ["900 more problems in this file are not shown"]);
}

const TAB: &str = "found a tab where only spaces may stand";

/// A text, and the place, message and note of its one problem.
const SYNTAX_ERRORS: &[(&str, &str, &str, &str)] = &[
    ("a: \"x", "1:4", "this quote is not closed", "add the closing quote"),
    (
        "a: 'x\nb: 1\n",
        "1:4",
        "this quote is not closed",
        "add the closing quote; a quote inside is written twice in `'..'`, and as `\\\"` in `\"..\"`",
    ),
    ("a: [1, 2\nb: 3\n", "1:4", "this `[` is not closed before the next line", "close it with `]`"),
    ("a: {x: 1\n  y: 2}\n", "2:4", "wanted `,` or `}`", "close the mapping with `}`"),
    ("a: {b: 1\n", "1:4", "this `{` is not closed: wanted a `}`", ""),
    ("a: [x}\n", "1:4", "found `}`, but it was `[` that was opened", ""),
    ("a:\n\tb: 1\n", "2:1", TAB, "write spaces: two for each level"),
    ("a: 1\n\tb: 1\n", "2:1", TAB, "write spaces: two for each level"),
    ("a: b: c\n", "1:5", "found a second `:` on this line", "write the value in quotes: `a: \"b: c\"`"),
    ("name:x\nfoo: y\n", "1:5", "wanted a space behind this `:`", "write `name: x`"),
    ("- id: a\n  of:x\n", "2:5", "wanted a space behind this `:`", "write `of: x`"),
    ("-id: 1\n b: 2\n", "1:1", "wanted a space behind this `-`", "write `- id: 1`"),
    (
        "name\nfoo: y\n",
        "1:1",
        "wanted `key: value`, found no `:` on this line",
        "write a `:` and a space behind the key",
    ),
    (
        "a:\n  - id: x\n     b: 1\n",
        "3:6",
        "this line is indented deeper than `id` above, which has a value already",
        "write 4 spaces before it, as many as stand before `id`",
    ),
    (
        "a:\n    b: 1\n  c: 2\n",
        "3:3",
        "wanted a key, indented like the keys before it",
        "align it with the lines it belongs to",
    ),
    (
        "- a\nb: 1\n",
        "2:1",
        "found a key where the next item of the list is wanted",
        "write `- ` before it, or indent it like the keys of the item above",
    ),
    (
        "b: 1\n- a\n",
        "2:1",
        "found an item of a list where the next key is wanted",
        "a list stands below a key of its own, as `needs:` and then `- item`",
    ),
    ("a: @x\n", "1:4", "a text cannot start with `@`", "write it in quotes: \"@x\""),
    ("a: `x \"y\"`\n", "1:4", "a text cannot start with a backtick", "write it in quotes: '`x \"y\"`'"),
    ("a: [%x]\n", "1:5", "a text cannot start with `%`", "write the text in quotes"),
    ("%a: x\n", "1:1", "a line cannot start with `%`", "write a text that starts with `%` in quotes"),
    ("x: 1\n%a: x\n", "2:1", "a line cannot start with `%`", "write a text that starts with `%` in quotes"),
    ("a: \"\\q\"\n", "1:4", "this text holds an unknown escape", "write `\\\\` for a backslash, or use single quotes"),
    ("a: \"{{ x }}\" y\n", "1:14", "found more text behind the closing quote", "put all of it in one pair of quotes"),
    (
        "a: {{ x }}/y\n",
        "1:4",
        "a value that starts with `{{` must be in quotes",
        "without quotes, YAML reads `{` as the start of a mapping",
    ),
    (
        "key: x\nfoo\n",
        "2:1",
        "wanted `key: value`, found no `:` behind this",
        "write a space after `:`; or indent the line if it goes on with the text before it",
    ),
    (
        "a: 1\n--- # next\nb: 2\n",
        "2:1",
        "a second document starts here; a file may hold one only",
        "delete this line, or put what follows into a file of its own",
    ),
    ("", "1:1", "the file holds nothing but space and comments", ""),
    ("# only this\n---\n", "1:1", "the file holds nothing but space and comments", ""),
];

#[test]
fn syntax_errors_say_what_to_do() {
    for (text, place, message, note) in SYNTAX_ERRORS {
        let mut sources = Sources::default();
        let source = sources.add("f", *text);
        let (_, problems) = parse(&sources, source);
        let [problem] = problems.as_slice() else { panic!("{text}: {problems:?}") };
        let found = (sources.place(problem.primary), &*problem.message, problem.notes.join("\n"));
        assert_eq!(found, (format!("f:{place}"), *message, (*note).to_owned()), "{text}");
    }
}

#[test]
fn nesting_and_aliases_are_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    sound(&nested(MAX_DEPTH));
    assert_refused(&nested(MAX_DEPTH + 1), "f:1:65: error[too-deep]: nested deeper than 64 levels\n");
    let block: String = (0..65).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_refused(&block, "f:65:65: error[too-deep]: nested deeper than 64 levels\n");
    let chain: String = (1..80).map(|at| format!("- &a{at} [*a{}]\n", at - 1)).collect();
    assert_refused(&format!("- &a0 x\n{chain}"), "f:65:9: error[too-deep]: nested deeper than 64 levels\n");
    assert_refused("a: &a [*a]\n", "f:1:8: error[cyclic-alias]: this alias stands inside what it stands for\n");
}

#[test]
fn bytes_that_hide_something_are_refused_with_their_place() {
    for (bytes, problem) in [
        (&b"a: \x1b[31m\n"[..], "f:1:4: error[hidden-character]: the character U+001B is not allowed in a file\n"),
        (b"\xEF\xBB\xBFa: \x7f", "f:1:4: error[hidden-character]: the character U+007F is not allowed in a file\n"),
        ("é: \u{85}".as_bytes(), "f:1:4: error[hidden-character]: the character U+0085 is not allowed in a file\n"),
        ("# \u{202e}x".as_bytes(), "f:1:3: error[hidden-character]: the character U+202E is not allowed in a file\n"),
        ("a: \u{feff}".as_bytes(), "f:1:4: error[hidden-character]: the character U+FEFF is not allowed in a file\n"),
        (b"a: 1\nb: \xff\n", "f:2:4: error[not-utf8]: the file is not UTF-8: found the byte 0xFF\n"),
        (b"\xff\xfea\0", "f:1:1: error[not-utf8]: the file is not UTF-8: found the byte 0xFF\n"),
    ] {
        assert_eq!(read_bytes(bytes).1, problem);
    }
    let too_large = vec![b' '; LARGEST_FILE + 1];
    assert_eq!(
        read_bytes(&too_large).1,
        "f:1:1: error[too-large]: the file is larger than 16 MiB, the most that is read\n"
    );
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_fine() {
    let (document, problems) = read_bytes(b"\xEF\xBB\xBFa: |\r\n  x\r\n  y\r\nb: 1\r\n");
    assert_eq!(problems, "");
    let document = document.unwrap();
    assert_eq!(document.to_json(document.root()), json!({"a": "x\ny\n", "b": 1}));
}
