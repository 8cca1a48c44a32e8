//! Answers: the status is one of the file's, and the body is valid.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::Schemas;

/// Judges an answer. A long operation may always say 202: some list only what they say in the end.
pub fn check(operation: &Operation, status: u16, body: &Value, schemas: &Schemas) -> Result<(), String> {
    let listed = operation.answers.iter().find(|(listed, _)| *listed == status);
    match listed {
        Some((_, Some(schema))) => {
            let schema = if is_page(operation, schema, schemas) { &page_of(schema) } else { schema };
            schemas.check(schema, body).map_err(|e| format!("answer {status}: {e}"))
        }
        // The file keeps the body of the answer to few long operations: what it does not know, it cannot judge.
        Some((204, None)) if !body.is_null() => Err(format!("answer 204: body: wanted none, found {body}")),
        Some((_, None)) => Ok(()),
        None if status == 202 && operation.long_running => Ok(()),
        None => {
            let statuses: Vec<u16> = operation.answers.iter().map(|(status, _)| *status).collect();
            Err(format!("status: wanted one of {statuses:?}, found {status}"))
        }
    }
}

/// Lists hold the schema of one item, but for those that have their own `value`.
fn is_page(operation: &Operation, schema: &Value, schemas: &Schemas) -> bool {
    let name = operation.id.rsplit('_').next().unwrap_or_default();
    (operation.method_is("GET") && name.contains("List") || name.ends_with("List")) && !schemas.has_key(schema, "value")
}

fn page_of(item: &Value) -> Value {
    json!({
        "type": "object",
        "properties": {"value": {"type": "array", "items": item}, "nextLink": {"type": ["string", "null"]}},
        "required": ["value"],
        "additionalProperties": false,
    })
}
