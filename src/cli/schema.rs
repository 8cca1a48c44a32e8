//! `drctl schema`: JSON schemas for editors, and tables for people, from the tables that the reader itself goes by.
//!
//! A schema says less than `drctl validate`: nothing of names that must be there, of expressions, of other files.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::common::console_line;
use super::fields::Tables;
use crate::catalogue::{ActionSpec, Field, Type};
use crate::error::{Error, Exit};
use crate::exec::run::registry;
use crate::runbook::azure;
use crate::runbook::fields::{LanguageField, RUNBOOK, SECRET, STEP, Shape, TEMPLATE};
use crate::runbook::workspace::WORKSPACE;
use crate::sim::scenario::fields::{FAULTS, PEOPLE, REPLY, SCENARIO};

/// Prints a schema.
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// What the file is
    #[arg(default_value = "runbook")]
    of: Of,
    /// Print the fields as tables for people, in Markdown
    #[arg(long)]
    markdown: bool,
}

/// The files drctl reads.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Of {
    /// A runbook: `runbooks/*.yaml`
    Runbook,
    /// The workspace: `drctl.yaml`
    Workspace,
    /// A scenario: `runbooks/scenarios/**/*.yaml`
    Scenario,
    /// The front matter of a template: `templates/*.md`
    Template,
}

impl Schema {
    pub(super) fn run(self) -> Result<Exit, Error> {
        if self.markdown {
            console_line(&self.of.page())?;
            return Ok(Exit::Done);
        }
        let document = match self.of {
            Of::Runbook => runbook(),
            Of::Workspace => titled("drctl workspace", object(WORKSPACE)),
            Of::Scenario => scenario(),
            Of::Template => titled("drctl template", object(TEMPLATE)),
        };
        let text =
            serde_json::to_string_pretty(&document).map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
        console_line(&text)?;
        Ok(Exit::Done)
    }
}

impl Of {
    /// The fields of the file, and of all mappings within it, for people.
    fn page(self) -> String {
        let mut tables = Tables::default();
        let heading = match self {
            Self::Runbook => {
                tables.add("runbook", RUNBOOK);
                tables.add("step", STEP);
                "A runbook: `runbooks/*.yaml`"
            }
            Self::Workspace => {
                tables.add("workspace", WORKSPACE);
                "The workspace: `drctl.yaml`"
            }
            Self::Scenario => {
                tables.add("scenario", SCENARIO);
                tables.add("scenario.people", PEOPLE);
                tables.add("scenario.people.STEP", REPLY);
                for fault in FAULTS {
                    tables.add_one(&format!("scenario.faults[].{}", fault.name), fault.doc, fault.fields);
                }
                "A scenario: `runbooks/scenarios/**/*.yaml`"
            }
            Self::Template => {
                tables.add("template", TEMPLATE);
                "The front matter of a template: `templates/*.md`"
            }
        };
        format!("## {heading}\n\n{}", tables.text().trim_end())
    }
}

fn titled(title: &str, mut schema: Value) -> Value {
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = title.into();
    schema
}

fn runbook() -> Value {
    let catalogue = registry().catalogue();
    let with = catalogue.iter().map(|spec| (spec.name.to_owned(), record(spec.parameters, &defaulted(spec))));
    let with: Map<String, Value> = with.collect();
    let mut schema = titled("drctl runbook", object(RUNBOOK));
    schema["definitions"] =
        json!({ "step": object(STEP), "with_by_action": { "allOf": with_by_action() }, "with": with });
    schema
}

fn scenario() -> Value {
    let mut schema = titled("drctl scenario", object(SCENARIO));
    let fault = |fault: &crate::sim::scenario::fields::FaultFields| {
        let mut schema = object(fault.fields);
        schema["description"] = fault.doc.into();
        (fault.name.to_owned(), schema)
    };
    let faults: Map<String, Value> = FAULTS.iter().map(fault).collect();
    schema["properties"]["faults"]["items"] = json!({
        "type": "object", "properties": faults, "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
    });
    schema["properties"]["faults"]["type"] = json!(["array", "null"]);
    schema["properties"]["resources"]["type"] = json!(["array", "null"]);
    let text = json!({ "type": "string" });
    schema["properties"]["resources"]["items"] =
        json!({ "type": "object", "properties": { "type": text, "name": text }, "required": ["type", "name"] });
    let mut people = object(PEOPLE);
    people["additionalProperties"] = object(REPLY);
    people["description"] = schema["properties"]["people"]["description"].take();
    schema["properties"]["people"] = people;
    schema
}

fn object(fields: &[LanguageField]) -> Value {
    let properties: Map<String, Value> = fields.iter().map(|field| (field.name.to_owned(), described(field))).collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "patternProperties": { "^x-": true },
        "required": required,
        "additionalProperties": false,
    });
    if ["action", "with"].iter().all(|name| fields.iter().any(|field| field.name == *name)) {
        schema["allOf"] = json!([{ "$ref": "#/definitions/with_by_action" }]);
    }
    schema
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
        Shape::SomeText => text_like("\\S"),
        Shape::Line => text_like("^\\s*\\S[^\\n]*\\s*$"),
        Shape::Name => json!({ "type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 64 }),
        Shape::Count => json!({ "type": "integer", "minimum": 1, "maximum": 1_000_000 }),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Duration => json!({ "type": "string", "pattern": DURATION }),
        Shape::SomeTime => json!({ "type": "string", "pattern": DURATION.replace("(?=.)", "(?=.*[1-9])") }),
        Shape::Words(words) => json!({ "enum": words }),
        Shape::Texts => json!({ "type": ["array", "null"], "items": { "type": ["string", "number", "boolean"] } }),
        Shape::Names => json!({ "type": ["array", "null"], "items": self::shape(Shape::Name) }),
        Shape::NamedTexts => json!({ "type": "object", "additionalProperties": self::shape(Shape::Text) }),
        Shape::NamedWords(words) => json!({ "type": "object", "additionalProperties": { "enum": words } }),
        Shape::Whole => json!({ "type": "integer", "minimum": 0 }),
        Shape::Any => json!({}),
        Shape::Mapping => json!({ "type": "object" }),
        Shape::Declared(types, fields) => {
            json!({ "type": "object", "additionalProperties": { "anyOf": [{ "enum": types }, object(fields)] } })
        }
        Shape::Fields(fields) => object(fields),
        Shape::Named(fields) => json!({ "type": "object", "additionalProperties": object(fields) }),
        Shape::Steps => json!({ "type": ["array", "null"], "items": { "$ref": "#/definitions/step" } }),
        Shape::Items(fields) => json!({ "type": ["array", "null"], "items": object(fields) }),
        Shape::NamedItems(fields) => {
            json!({ "type": "object", "additionalProperties": { "type": "array", "items": object(fields), "minItems": 1 } })
        }
        Shape::NamedLists(fields) => {
            json!({ "type": "object", "additionalProperties": { "anyOf": [self::shape(Shape::Texts), object(fields)] } })
        }
        Shape::Kinds(kinds) => json!({ "type": "object", "additionalProperties": of_kind(kinds) }),
        Shape::Secret => json!({ "anyOf": [self::shape(Shape::Text), object(SECRET)] }),
    }
}

fn text_like(pattern: &str) -> Value {
    json!({ "type": ["string", "number", "boolean"], "pattern": pattern })
}

/// A mapping whose `type` says which fields it has.
fn of_kind(kinds: &[(&str, &[LanguageField])]) -> Value {
    let words: Vec<&str> = kinds.iter().map(|(word, _)| *word).collect();
    let one = |(word, fields): &(&str, &[LanguageField])| {
        let mut schema = object(fields);
        schema["properties"]["type"] = json!({ "const": word });
        json!({ "if": { "properties": { "type": { "const": word } }, "required": ["type"] }, "then": schema })
    };
    json!({
        "type": "object",
        "properties": { "type": { "enum": words } },
        "required": ["type"],
        "allOf": kinds.iter().map(one).collect::<Value>(),
    })
}

const DURATION: &str = "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";

fn action_names() -> Value {
    let catalogue = registry().catalogue();
    let (names, docs): (Vec<&str>, Vec<&str>) = catalogue.iter().map(|spec| (spec.name, spec.summary)).unzip();
    json!({ "enum": names, "enumDescriptions": docs })
}

/// `with` by action: what each takes, and whether it takes nothing.
fn with_by_action() -> Value {
    let with_of = |spec: &ActionSpec| {
        let defaulted = defaulted(spec);
        let needed = spec.parameters.iter().any(|field| field.required && !defaulted.contains(&field.name));
        let required: &[&str] = if needed { &["with"] } else { &[] };
        let with = json!({ "$ref": format!("#/definitions/with/{}", spec.name) });
        json!({
            "if": { "properties": { "action": { "const": spec.name } }, "required": ["action"] },
            "then": { "properties": { "with": with }, "required": required },
        })
    };
    registry().catalogue().iter().map(with_of).collect()
}

/// The parameters that need not stand in the step: they come from the runbook or the workspace, too.
fn defaulted(spec: &ActionSpec) -> Vec<&'static str> {
    let shared = azure::DEFAULTS.iter().map(|field| field.name);
    if spec.name.starts_with("azure.") { shared.collect() } else { Vec::new() }
}

fn record(fields: &[Field], defaulted: &[&str]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| {
            let mut schema = kind(&(field.kind)());
            schema["description"] = field.doc.into();
            (field.name.to_owned(), schema)
        })
        .collect();
    let required = fields.iter().filter(|field| field.required && !defaulted.contains(&field.name));
    let required: Vec<&str> = required.map(|field| field.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// A parameter's type, or an expression in its place.
fn kind(of: &Type) -> Value {
    let expression = json!({ "type": "string", "pattern": "\\{\\{" });
    let schema = match of {
        Type::Any => return json!({}),
        Type::String => return json!({ "type": ["string", "number", "boolean"] }),
        Type::Secret => return json!({ "type": "string" }),
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
        Type::Record(fields) => record(fields, &[]),
    };
    json!({ "anyOf": [schema, expression] })
}
