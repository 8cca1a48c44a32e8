//! The operations of the file.

use serde_json::Value;

use super::address::Address;
use super::plane::ARM;
use super::schema::Schemas;
use super::template::Template;
use super::{Sent, query};

/// What may stand for a placeholder: the file leaves these two open.
const WORDS: [(&str, &[&str]); 2] = [
    ("endpointType", &["AzureEndpoints", "ExternalEndpoints", "NestedEndpoints"]),
    ("recordType", &["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"]),
];

/// One method on one path.
pub struct Operation {
    pub id: String,
    method: String,
    path: String,
    template: Template,
    version: String,
    /// Name, and whether it has to be there.
    query: Vec<(String, bool)>,
    headers: Vec<String>,
    /// The schema of its body; none where it takes none.
    pub body: Option<Value>,
    /// Statuses, each with the schema of the answer where there is one.
    pub answers: Vec<(u16, Option<Value>)>,
    /// Whether it may go on after the answer.
    pub long_running: bool,
}

/// All of them.
pub struct Operations(Vec<Operation>);

impl Operations {
    /// Reads `paths`.
    pub fn read(paths: Value) -> Self {
        let Value::Object(paths) = paths else { panic!("the file has no `paths`") };
        let methods = |(path, methods): (String, Value)| {
            let Value::Object(methods) = methods else { panic!("{path} has no methods") };
            methods.into_iter().map(move |(method, operation)| Operation::read(&path, &method, operation))
        };
        Self(paths.into_iter().flat_map(methods).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The schemas of all requests and answers.
    pub fn schemas(&self) -> impl Iterator<Item = &Value> {
        let answers =
            self.0.iter().flat_map(|operation| operation.answers.iter().filter_map(|(_, schema)| schema.as_ref()));
        self.0.iter().filter_map(|operation| operation.body.as_ref()).chain(answers)
    }

    /// The one with this id.
    pub fn named(&self, id: &str) -> &Operation {
        self.0.iter().find(|operation| operation.id == id).unwrap_or_else(|| panic!("the file has no `{id}`"))
    }

    /// The one that is meant: of those whose path and method fit, the most literal.
    pub fn find(&self, address: &Address) -> Result<&Operation, String> {
        let fits = |operation: &&Operation| operation.template.fit(&address.segments).is_some();
        let fitting: Vec<&Operation> = self.0.iter().filter(fits).collect();
        let meant = fitting.iter().filter(|operation| operation.method == address.method);
        if let Some(operation) = meant.max_by_key(|operation| operation.template.literals()) {
            return Ok(operation);
        }
        match fitting.iter().max_by_key(|operation| operation.template.literals()) {
            None => Err(format!("{address}: wanted a path of the file, and found none that fits")),
            Some(nearest) => {
                let there = fitting.iter().filter(|operation| operation.path == nearest.path);
                let methods: Vec<&str> = there.map(|operation| operation.method.as_str()).collect();
                Err(format!("{address}: method: wanted {}, found {}", methods.join(" or "), address.method))
            }
        }
    }
}

impl Operation {
    fn read(path: &str, method: &str, mut operation: Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let schema_of = |value: &mut Value| value.pointer_mut("/content/application~1json/schema").map(Value::take);
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let within = |place: &'static str| parameters.iter().filter(move |parameter| parameter["in"] == place);
        let query = within("query").map(|found| (text(&found["name"]), found["required"] == true));
        let answers = operation["responses"].as_object_mut().into_iter().flatten();
        let answers = answers.map(|(status, answer)| (status.parse().unwrap(), schema_of(answer))).collect();
        Self {
            method: method.to_uppercase(),
            path: path.to_owned(),
            template: Template::read(path),
            query: query.filter(|(name, _)| name != "api-version").collect(),
            headers: within("header").map(|found| text(&found["name"])).collect(),
            body: operation.get_mut("requestBody").and_then(schema_of),
            answers,
            id: text(&operation["operationId"]),
            version: text(&operation["x-api-version"]),
            long_running: operation["x-lro"] == true,
        }
    }

    /// Whether it is sent with this method.
    pub fn method_is(&self, method: &str) -> bool {
        self.method == method
    }

    /// The schema of what it answers in the end.
    pub fn answer(&self) -> &Value {
        let schemas = self.answers.iter().filter_map(|(_, schema)| schema.as_ref());
        schemas.take(1).next().unwrap_or_else(|| panic!("`{}` answers nothing", self.id))
    }

    /// Judges all of a request but its path and method.
    pub fn check(&self, sent: &Sent, address: &Address, schemas: &Schemas) -> Result<(), String> {
        if address.version != self.version {
            return Err(format!("api-version: wanted `{}`, found `{}`", self.version, address.version));
        }
        ARM.check(sent, address)?;
        for (placeholder, found) in self.template.fit(&address.segments).unwrap_or_default() {
            let words = WORDS.iter().find(|(name, _)| *name == placeholder).map_or(&[][..], |(_, words)| words);
            if !words.is_empty() && !words.iter().any(|word| word.eq_ignore_ascii_case(found)) {
                return Err(format!("path `{{{placeholder}}}`: wanted one of {words:?}, found `{found}`"));
            }
        }
        let allowed: Vec<(&str, bool)> = self.query.iter().map(|(name, needed)| (name.as_str(), *needed)).collect();
        query::check(&self.id, address, &allowed)?;
        query::check_conditions(sent, &self.headers)?;
        self.check_body(sent.body.as_ref(), schemas)
    }

    /// Judges a body.
    pub fn check_body(&self, body: Option<&Value>, schemas: &Schemas) -> Result<(), String> {
        match (&self.body, body) {
            (None, None) => Ok(()),
            (None, Some(body)) => Err(format!("body: wanted none, found {body}")),
            // A change without a word of what to change is no change, even where the schema asks for nothing.
            (Some(schema), None) if self.method != "POST" || schemas.requires(schema) => {
                Err("body: wanted one, found none".to_owned())
            }
            (Some(_), None) => Ok(()),
            (Some(schema), Some(body)) => schemas.check_request(schema, body),
        }
    }
}
