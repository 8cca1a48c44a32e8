//! The schemas of the file, compiled when they are first needed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Registry, ValidationError, Validator};
use serde_json::{Map, Value, json};

use super::subtypes;

const BASE: &str = "https://drctl.invalid/azure";
const COMPONENTS: &str = "#/components/schemas/";

/// All of them, with the open bases closed where `subtypes.rs` knows how.
pub struct Schemas {
    components: Map<String, Value>,
    registry: Registry<'static>,
    compiled: Mutex<BTreeMap<String, Arc<Validator>>>,
}

impl Schemas {
    /// Reads `components.schemas`.
    pub fn read(schemas: Value) -> Self {
        let Value::Object(mut components) = schemas else { panic!("the file has no schemas") };
        subtypes::close(&mut components);
        let document = json!({"components": {"schemas": &components}});
        let registry = Registry::new().add(BASE, document).unwrap().prepare().unwrap();
        Self { components, registry, compiled: Mutex::default() }
    }

    /// Whether a body has to hold anything.
    pub fn requires(&self, schema: &Value) -> bool {
        self.resolve(schema).1.get("required").is_some()
    }

    /// Whether it is an object that may have this key.
    pub fn has_key(&self, schema: &Value, key: &str) -> bool {
        self.resolve(schema).1.pointer(&format!("/properties/{key}")).is_some()
    }

    /// Judges a request's body: valid, and without a part that the file leaves open.
    pub fn check_request(&self, schema: &Value, body: &Value) -> Result<(), String> {
        self.check(schema, body)?;
        self.open_part(schema, body, "").map_or(Ok(()), |(at, name)| {
            Err(format!("body `{at}`: `{name}` is open in the file: wanted its subtypes in subtypes.rs, found none"))
        })
    }

    /// Judges a body.
    pub fn check(&self, schema: &Value, body: &Value) -> Result<(), String> {
        judge(&self.validator(schema), body)
    }

    /// Compiles it.
    pub fn compile(&self, schema: &Value) {
        self.validator(schema);
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let schema = schema.to_string().replace(&format!("\"{COMPONENTS}"), &format!("\"{BASE}{COMPONENTS}"));
        let mut compiled = self.compiled.lock().unwrap();
        let compile = || {
            let schema = serde_json::from_str(&schema).unwrap();
            Arc::new(jsonschema::options().with_registry(&self.registry).build(&schema).unwrap())
        };
        Arc::clone(compiled.entry(schema.clone()).or_insert_with(compile))
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> (&'a str, &'a Value) {
        let name = schema["$ref"].as_str().and_then(|target| target.strip_prefix(COMPONENTS));
        name.map_or(("", schema), |name| (name, &self.components[name]))
    }

    /// The first part of a body whose keys the file leaves open, and the schema's name.
    fn open_part(&self, schema: &Value, body: &Value, at: &str) -> Option<(String, String)> {
        let (name, schema) = self.resolve(schema);
        match body {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .find_map(|(n, item)| self.open_part(&schema["items"], item, &format!("{at}/{n}"))),
            Value::Object(keys) => {
                let closes = |word: &str| schema.get(word).is_some();
                if closes("properties") && !closes("additionalProperties") {
                    return Some((at.to_owned(), name.to_owned()));
                }
                let schema_of = |key: &str| schema["properties"].get(key).unwrap_or(&schema["additionalProperties"]);
                keys.iter().find_map(|(key, value)| self.open_part(schema_of(key), value, &format!("{at}/{key}")))
            }
            _ => None,
        }
    }
}

/// Judges a body by a schema that refers to no other.
pub fn check_alone(schema: &Value, body: &Value) -> Result<(), String> {
    judge(&jsonschema::options().build(schema).unwrap(), body)
}

fn judge(validator: &Validator, body: &Value) -> Result<(), String> {
    let mut wrong: Vec<String> = validator.iter_errors(body).map(|error| sentence(&error)).collect();
    wrong.sort();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// Where, what was wanted, what was found.
fn sentence(error: &ValidationError<'_>) -> String {
    let found = error.instance();
    let said = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            format!("wanted no such key, found `{}`", unexpected.join("`, `"))
        }
        ValidationErrorKind::Required { property } => format!("wanted the key {property}, found {}", keys(found)),
        ValidationErrorKind::Enum { options } => format!("wanted one of {options}, found {found}"),
        ValidationErrorKind::Type { kind: TypeKind::Single(kind) } => format!("wanted {kind}, found {found}"),
        _ => error.to_string(),
    };
    match error.instance_path().as_str() {
        "" => format!("body: {said}"),
        pointer => format!("body `{pointer}`: {said}"),
    }
}

fn keys(found: &Value) -> String {
    let names: Vec<&String> = found.as_object().into_iter().flat_map(Map::keys).collect();
    format!("{names:?}")
}
