//! `drctl schema`, `completions`, `man`: files made from the same tables the program reads by.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::common::console_line;
use crate::catalogue::{Field, Type};
use crate::error::{Error, Exit};
use crate::exec::run::registry;
use crate::runbook::fields::{LanguageField, RUNBOOK, Shape};

pub(super) fn completions(shell: clap_complete::Shell, command: &mut clap::Command) -> Result<Exit, Error> {
    let mut text = Vec::new();
    clap_complete::generate(shell, command, "drctl", &mut text);
    console_line(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done)
}

pub(super) fn man(folder: &Path, command: clap::Command) -> Result<Exit, Error> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)?;
    Ok(Exit::Done)
}

pub(super) fn schema() -> Result<Exit, Error> {
    let text =
        serde_json::to_string_pretty(&document()).map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
    console_line(&text)?;
    Ok(Exit::Done)
}

/// The JSON schema (draft-07) of a runbook.
fn document() -> Value {
    let mut schema = object(RUNBOOK);
    if let Value::Object(fields) = &mut schema {
        fields.insert("$schema".to_owned(), "http://json-schema.org/draft-07/schema#".into());
        fields.insert("title".to_owned(), "drctl runbook".into());
        fields.insert("definitions".to_owned(), json!({ "with": parameters() }));
    }
    schema
}

fn object(fields: &[LanguageField]) -> Value {
    let properties: Map<String, Value> = fields.iter().map(|field| (field.name.to_owned(), described(field))).collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({
        "type": "object",
        "properties": properties,
        "patternProperties": { "^x-": true },
        "required": required,
        "additionalProperties": false,
    })
}

fn described(field: &LanguageField) -> Value {
    let mut schema = if field.name == "action" { action_names() } else { shape(field.shape) };
    if let Value::Object(fields) = &mut schema {
        fields.insert("description".to_owned(), field.doc.into());
    }
    schema
}

fn shape(shape: Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": ["string", "number", "boolean"] }),
        Shape::Name => json!({ "type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 64 }),
        Shape::Count => json!({ "type": "integer", "minimum": 1 }),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Duration => json!({ "type": "string", "pattern": DURATION }),
        Shape::Words(words) => json!({ "enum": words }),
        Shape::Texts => json!({ "type": "array", "items": { "type": ["string", "number"] } }),
        Shape::Any => json!({}),
        Shape::Fields(fields) => object(fields),
        Shape::Named(fields) => json!({ "type": "object", "additionalProperties": object(fields) }),
        Shape::Items(fields) => {
            let mut item = object(fields);
            if let Value::Object(item) = &mut item {
                item.insert("allOf".to_owned(), by_action());
            }
            json!({ "type": ["array", "null"], "items": item })
        }
    }
}

const DURATION: &str = "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";

fn action_names() -> Value {
    let names: Vec<&str> = registry().catalogue().iter().map(|spec| spec.name).collect();
    json!({ "enum": names })
}

/// `with` by action: what each takes.
fn by_action() -> Value {
    registry()
        .catalogue()
        .iter()
        .map(|spec| {
            json!({
                "if": { "properties": { "action": { "const": spec.name } }, "required": ["action"] },
                "then": { "properties": { "with": { "$ref": format!("#/definitions/with/{}", spec.name) } } },
            })
        })
        .collect()
}

fn parameters() -> Value {
    let schemas = registry().catalogue().iter().map(|spec| (spec.name.to_owned(), record(spec.parameters))).collect();
    Value::Object(schemas)
}

fn record(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| {
            let mut schema = kind(&(field.kind)());
            if let Value::Object(schema) = &mut schema {
                schema.insert("description".to_owned(), field.doc.into());
            }
            (field.name.to_owned(), schema)
        })
        .collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// A parameter's type, or an expression in its place.
fn kind(of: &Type) -> Value {
    let expression = json!({ "type": "string", "pattern": "\\{\\{" });
    let schema = match of {
        Type::Any => return json!({}),
        Type::String | Type::Secret => return json!({ "type": "string" }),
        Type::Int => json!({ "type": "integer" }),
        Type::Between(from, i64::MAX) => json!({ "type": "integer", "minimum": from }),
        Type::Between(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Type::Number => json!({ "type": "number" }),
        Type::Bool => json!({ "type": "boolean" }),
        Type::Duration => json!({ "type": "string", "pattern": DURATION }),
        Type::Moment => json!({ "type": "string", "format": "date-time" }),
        Type::Enum(words) => json!({ "enum": words }),
        Type::List(of) => json!({ "type": "array", "items": kind(of) }),
        Type::Map(of) => json!({ "type": "object", "additionalProperties": kind(of) }),
        Type::Record(fields) => record(fields),
    };
    json!({ "anyOf": [schema, expression] })
}
