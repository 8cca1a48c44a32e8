//! One JSON document: `{"version":1,"diagnostics":[..],"waiting":[..]}`.

use serde_json::{Value, json};

use super::{json_text, place_by_place};
use crate::diag::{Diagnostic, Fix, Sources, Span};

/// JSON; `waiting` are the codes of which more may be found once the errors are mended.
#[must_use]
pub fn json(diagnostics: &[Diagnostic], sources: &Sources, waiting: &[&str]) -> String {
    let each = place_by_place(diagnostics, sources);
    let diagnostics: Vec<Value> = each.iter().map(|diagnostic| object(diagnostic, sources)).collect();
    json_text(&json!({ "version": 1, "diagnostics": diagnostics, "waiting": waiting }))
}

fn object(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let others = diagnostic.others.iter().map(|(span, label)| with(place(*span, sources), json!({ "label": label })));
    let rest = json!({
        "code": diagnostic.code,
        "severity": diagnostic.severity.word(),
        "message": diagnostic.message,
        "label": diagnostic.label,
        "others": others.collect::<Vec<Value>>(),
        "notes": diagnostic.notes,
        "fix": diagnostic.fix.as_ref().map(|fix| fix_object(fix, sources)),
    });
    with(place(diagnostic.primary, sources), rest)
}

fn fix_object(fix: &Fix, sources: &Sources) -> Value {
    with(place(fix.span, sources), json!({ "replacement": fix.replacement, "message": fix.say }))
}

/// Lines and columns count from one, columns in characters; bytes count from zero. Ends are exclusive.
fn place(span: Span, sources: &Sources) -> Value {
    let (start, end) = (sources.position(span.source, span.start), sources.position(span.source, span.end));
    json!({
        "file": sources.name(span.source),
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "start_byte": span.start,
        "end_byte": span.end,
    })
}

fn with(mut object: Value, more: Value) -> Value {
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}
