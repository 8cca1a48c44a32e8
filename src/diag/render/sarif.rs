//! SARIF 2.1.0, the format of code scanning.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{details, json_text, place_by_place};
use crate::diag::{Diagnostic, Fix, Sources, Span};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// What a code means: in short, and in full as Markdown.
pub type Help = (&'static str, &'static str);

/// SARIF, with what `help` knows of each code; `waiting` are those of which more may be found once the errors are mended.
#[must_use]
pub fn sarif(
    diagnostics: &[Diagnostic],
    sources: &Sources,
    waiting: &[&str],
    help: &dyn Fn(&str) -> Option<Help>,
) -> String {
    let codes: BTreeSet<&str> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    let rules: Vec<Value> = codes.iter().map(|code| rule(code, help(code))).collect();
    let results: Vec<Value> =
        place_by_place(diagnostics, sources).iter().map(|diagnostic| result(diagnostic, sources)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "drctl", "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
            "properties": { "waiting": waiting },
        }],
    });
    json_text(&log)
}

fn rule(code: &str, help: Option<Help>) -> Value {
    match help {
        None => json!({ "id": code }),
        Some((short, full)) => json!({
            "id": code,
            "shortDescription": { "text": short },
            "help": { "text": full, "markdown": full },
        }),
    }
}

fn result(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let lines: Vec<&str> = std::iter::once(diagnostic.message.as_str()).chain(details(diagnostic)).collect();
    let mut result = json!({
        "ruleId": diagnostic.code,
        "level": diagnostic.severity.word(),
        "message": { "text": lines.join("\n") },
        "locations": [location(diagnostic.primary, &diagnostic.label, sources)],
    });
    if !diagnostic.others.is_empty() {
        let others = diagnostic.others.iter().map(|(span, label)| location(*span, label, sources));
        result["relatedLocations"] = others.collect();
    }
    if let Some(fix) = &diagnostic.fix {
        result["fixes"] = json!([change(fix, sources)]);
    }
    result
}

fn location(span: Span, label: &str, sources: &Sources) -> Value {
    let mut location = json!({
        "physicalLocation": { "artifactLocation": file(span, sources), "region": region(span, sources) },
    });
    if !label.is_empty() {
        location["message"] = json!({ "text": label });
    }
    location
}

fn change(fix: &Fix, sources: &Sources) -> Value {
    let replacement = json!({
        "deletedRegion": region(fix.span, sources),
        "insertedContent": { "text": fix.replacement },
    });
    json!({
        "description": { "text": fix.say },
        "artifactChanges": [{ "artifactLocation": file(fix.span, sources), "replacements": [replacement] }],
    })
}

fn region(span: Span, sources: &Sources) -> Value {
    let (start, end) = (sources.position(span.source, span.start), sources.position(span.source, span.end));
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
        "byteOffset": span.start,
        "byteLength": span.end - span.start,
    })
}

/// A file's name as a relative URI.
fn file(span: Span, sources: &Sources) -> Value {
    let encoded = |byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    let uri: String = sources.name(span.source).bytes().map(encoded).collect();
    json!({ "uri": uri })
}
