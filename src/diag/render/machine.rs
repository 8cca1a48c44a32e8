//! Findings for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::diag::{Diagnostic, Severity, Sources, Span};

pub(super) fn short(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    diagnostics.iter().fold(String::new(), |mut text, diagnostic| {
        let (place, word) = (sources.place(diagnostic.primary), diagnostic.severity.word());
        let meant = diagnostic.fix.as_ref().map(|fix| format!(" ({})", fix.say)).unwrap_or_default();
        let message = diagnostic.message.replace('\n', " ");
        writeln!(text, "{place}: {word}[{}]: {message}{meant}", diagnostic.code).ok();
        text
    })
}

fn place(sources: &Sources, span: Span) -> Value {
    let (start, end) = (sources.position(span.source, span.start), sources.position(span.source, span.end));
    json!({
        "file": sources.name(span.source),
        "line": start.line, "column": start.column, "end_line": end.line, "end_column": end.column,
        "start_byte": span.start, "end_byte": span.end,
    })
}

pub(super) fn json(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let found: Vec<Value> = diagnostics
        .iter()
        .map(|diagnostic| {
            let mut value = place(sources, diagnostic.primary);
            let fix = diagnostic.fix.as_ref().map(
                |fix| json!({ "place": place(sources, fix.span), "replacement": fix.replacement, "say": fix.say }),
            );
            let others: Vec<Value> = diagnostic
                .others
                .iter()
                .map(|(span, text)| json!({ "place": place(sources, *span), "text": text }))
                .collect();
            let rest = json!({
                "code": diagnostic.code, "severity": diagnostic.severity.word(), "message": diagnostic.message,
                "label": diagnostic.label, "notes": diagnostic.notes, "others": others, "fix": fix,
            });
            if let (Value::Object(value), Value::Object(rest)) = (&mut value, rest) {
                value.extend(rest);
            }
            value
        })
        .collect();
    pretty(&json!({ "version": 1, "diagnostics": found }))
}

/// SARIF 2.1.0 (OASIS): one run, one rule for each code.
pub(super) fn sarif(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mut codes: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| json!({ "id": code })).collect();
    let results: Vec<Value> = diagnostics.iter().map(|diagnostic| result(diagnostic, sources)).collect();
    pretty(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": { "name": "drctl", "version": env!("CARGO_PKG_VERSION"), "rules": rules } }, "results": results }],
    }))
}

fn result(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let mut text = diagnostic.message.clone();
    diagnostic.notes.iter().for_each(|note| text.extend(["\n", note]));
    let fixes: Vec<Value> = diagnostic
        .fix
        .iter()
        .map(|fix| {
            json!({
                "description": { "text": fix.say },
                "artifactChanges": [{
                    "artifactLocation": { "uri": sources.name(fix.span.source) },
                    "replacements": [{ "deletedRegion": region(sources, fix.span), "insertedContent": { "text": fix.replacement } }],
                }],
            })
        })
        .collect();
    let level = if diagnostic.severity == Severity::Error { "error" } else { "warning" };
    let location = json!({
        "artifactLocation": { "uri": sources.name(diagnostic.primary.source) },
        "region": region(sources, diagnostic.primary),
    });
    json!({
        "ruleId": diagnostic.code, "level": level, "message": { "text": text },
        "locations": [{ "physicalLocation": location }], "fixes": fixes,
    })
}

fn region(sources: &Sources, span: Span) -> Value {
    let (start, end) = (sources.position(span.source, span.start), sources.position(span.source, span.end));
    json!({ "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column })
}

pub(super) fn github(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    diagnostics.iter().fold(String::new(), |mut text, diagnostic| {
        let place = sources.position(diagnostic.primary.source, diagnostic.primary.start);
        let (word, file) = (diagnostic.severity.word(), property(sources.name(diagnostic.primary.source)));
        let (line, column, code) = (place.line, place.column, property(diagnostic.code));
        writeln!(text, "::{word} file={file},line={line},col={column},title={code}::{}", data(&diagnostic.message))
            .ok();
        text
    })
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
