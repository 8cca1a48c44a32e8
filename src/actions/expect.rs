//! What an HTTP answer is wanted to be.

use serde::Deserialize;
use serde_json::{Map, Value};
use serde_json_path::JsonPath;

use super::params::masked;
use crate::catalogue::{Field, HumanDuration, Type, found};
use crate::edge::http::Answer;
use crate::edge::secrets::Secrets;

pub(super) const CONTAINS: Field =
    Field { name: "contains", kind: || Type::String, required: false, doc: "text the answer's body must contain" };
pub(super) const JSON: Field = Field {
    name: "json",
    kind: || Type::Map(Box::new(Type::Any)),
    required: false,
    doc: "what the body must say as JSON: from a JSON path to the value it must have, as in `$.status: ok`",
};
pub(super) const LATENCY: Field = Field {
    name: "latency",
    kind: || Type::Duration,
    required: false,
    doc: "the longest the whole answer may take; a slower one is not good",
};
pub(super) const STATUSES: Field = Field {
    name: "status",
    kind: || Type::List(Box::new(Type::Int)),
    required: false,
    doc: "the status codes that are good; any from 200 to 299 if absent",
};

/// The wishes. Those that are absent hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Expect {
    pub(super) status: Vec<u16>,
    pub(super) contains: Option<String>,
    pub(super) json: Map<String, Value>,
    pub(super) latency: Option<HumanDuration>,
}

impl Expect {
    pub(super) fn accepts(&self, status: u16) -> bool {
        match self.status.as_slice() {
            [] => (200..300).contains(&status),
            wanted => wanted.contains(&status),
        }
    }

    fn status(&self) -> String {
        match self.status.as_slice() {
            [] => "a status from 200 to 299".to_owned(),
            wanted => wanted.iter().map(u16::to_string).collect::<Vec<_>>().join(" or "),
        }
    }

    /// Whether everything holds; if not, the first thing that does not.
    pub(super) fn judge(&self, answer: &Answer, secrets: &Secrets) -> Result<(), String> {
        if !self.accepts(answer.status) {
            return Err(format!("answered {}, wanted {}", answer.status, self.status()));
        }
        self.judge_body(answer, secrets)?;
        match self.latency {
            Some(limit) if answer.latency > limit.0 => {
                Err(format!("answered in {}, wanted at most {limit}", HumanDuration(answer.latency)))
            }
            _ => Ok(()),
        }
    }

    fn judge_body(&self, answer: &Answer, secrets: &Secrets) -> Result<(), String> {
        if let Some(text) = &self.contains
            && !String::from_utf8_lossy(&answer.body).contains(text.as_str())
        {
            return Err(format!("the body does not contain `{text}`{}", cut(answer)));
        }
        if self.json.is_empty() {
            return Ok(());
        }
        let body = json(answer)?;
        self.json.iter().try_for_each(|(path, wanted)| {
            let value = select(&body, path)?;
            if same(value, wanted) {
                return Ok(());
            }
            // Masked here: of a long text only the beginning is shown, which nobody would know for a secret's.
            let [wanted, found] = [wanted, value].map(|value| found(&masked(secrets, value.clone())));
            Err(format!("at `{path}`: wanted {wanted}, found {found}"))
        })
    }
}

/// The body as JSON.
pub(super) fn json(answer: &Answer) -> Result<Value, String> {
    serde_json::from_slice(&answer.body).map_err(|error| format!("the body is no JSON: {error}{}", cut(answer)))
}

fn cut(answer: &Answer) -> String {
    answer.cut.as_ref().map_or_else(String::new, |why| format!(" ({why})"))
}

/// The one value at `path`.
pub(super) fn select<'a>(body: &'a Value, path: &str) -> Result<&'a Value, String> {
    let nodes = parse(path)?.query(body).all();
    match nodes.as_slice() {
        [value] => Ok(value),
        [] => Err(format!("the body has nothing at `{path}`")),
        many => Err(format!("the body has {} values at `{path}`, wanted one", many.len())),
    }
}

fn parse(path: &str) -> Result<JsonPath, String> {
    JsonPath::parse(path).map_err(|error| format!("`{path}` is no JSON path such as `$.status`: {error}"))
}

/// The rule for a mapping from JSON paths, or to them.
pub(super) fn paths_rule<'a>(place: &str, mut paths: impl Iterator<Item = &'a str>) -> Result<(), String> {
    paths.try_for_each(|path| parse(path).map(drop).map_err(|problem| format!("at `{place}`: {problem}")))
}

/// The rule for a list of status codes.
pub(super) fn status_rule(place: &str, statuses: Option<&Value>) -> Result<(), String> {
    let codes = statuses.and_then(Value::as_array).into_iter().flatten();
    match codes.chain(statuses.filter(|value| value.is_number())).find(|code| !is_status(code)) {
        Some(code) => Err(format!("at `{place}`: wanted status codes from 100 to 599, found `{code}`")),
        None => Ok(()),
    }
}

fn is_status(code: &Value) -> bool {
    code.as_u64().is_some_and(|code| (100..600).contains(&code))
}

/// Equal, whether a number was written `1` or `1.0`.
fn same(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => value == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judged(wanted: Value, status: u16, body: &str) -> Result<(), String> {
        let answer = Answer {
            status,
            body: body.as_bytes().to_vec(),
            cut: None,
            latency: std::time::Duration::from_millis(80),
            retry_after: None,
        };
        Expect::deserialize(wanted).unwrap().judge(&answer, &Secrets::default())
    }

    #[test]
    fn an_answer_as_wanted_is_good() {
        let wanted =
            json!({"status": [200, 404], "contains": "up", "json": {"$.up": true, "$.n": 1}, "latency": "80ms"});
        assert_eq!(judged(wanted, 404, r#"{"up": true, "n": 1.0}"#), Ok(()));
        assert_eq!(judged(json!({}), 204, ""), Ok(()));
    }

    #[test]
    fn what_is_wrong_with_an_answer_is_said() {
        for (wanted, problem) in [
            (json!({"status": [201, 202]}), "answered 200, wanted 201 or 202"),
            (json!({"contains": "up"}), "the body does not contain `up`"),
            (json!({"json": {"$.a": "x"}}), "at `$.a`: wanted the string `x`, found the number `1`"),
            (json!({"json": {"$.b": 1}}), "the body has nothing at `$.b`"),
            (json!({"json": {"$.*": 1}}), "the body has 2 values at `$.*`, wanted one"),
            (json!({"latency": "79ms"}), "answered in 80ms, wanted at most 79ms"),
        ] {
            assert_eq!(judged(wanted, 200, r#"{"a": 1, "c": 2}"#), Err(problem.to_owned()));
        }
        assert_eq!(judged(json!({}), 301, ""), Err("answered 301, wanted a status from 200 to 299".to_owned()));
        let problem = judged(json!({"json": {"$.a": 1}}), 200, "<html>").unwrap_err();
        assert!(problem.starts_with("the body is no JSON: "), "{problem}");
    }
}
