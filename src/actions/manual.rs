//! `manual`: something a person does. The engine asks and waits; this knows only what to ask and how to
//! read an answer.

use serde_json::{Map, Value};

use super::{Action, Call, Context, Done, Failure, params};
use crate::catalogue::{ActionSpec, Effect, Field, HumanDuration, Outputs, Type};
use crate::edge::Act;

static SPEC: ActionSpec = ActionSpec {
    name: "manual",
    summary: "asks a person to do something",
    docs: "Shows the instructions and waits until somebody says that it is done, or that it failed. What the step \
        declares under `outputs` is asked for, each as its type. In a rehearsal, `simulate` stands in for the \
        person.",
    parameters: &[
        Field {
            name: "instructions",
            kind: || Type::String,
            required: true,
            doc: "what to do, and how to tell that it is done",
        },
        Field {
            name: "evidence",
            kind: || Type::Bool,
            required: false,
            doc: "whether to ask for evidence, such as a ticket or a link, for the report",
        },
    ],
    outputs: Outputs::Declared(&[Field {
        name: "evidence",
        kind: || Type::String,
        required: false,
        doc: "the evidence the person gave, if `evidence` asked for it",
    }]),
    effect: |_| Effect::UnsafeToRepeat,
    code: &[],
    is_check: false,
    rule: Some(rule),
    takes: |_| None,
    loss: None,
    permissions: &[],
};

fn rule(with: &Map<String, Value>) -> Result<(), String> {
    match with.get("instructions").and_then(Value::as_str) {
        Some(text) if text.trim().is_empty() => Err("at `instructions`: wanted what to do, found nothing".to_owned()),
        _ => Ok(()),
    }
}

/// The action `manual`.
pub struct Manual;

impl Action for Manual {
    fn spec(&self) -> &'static ActionSpec {
        &SPEC
    }

    fn preview(&self, with: &Map<String, Value>) -> Vec<String> {
        let instructions = with.get("instructions").map_or_else(String::new, params::plain);
        let mut lines = vec!["ask a person:".to_owned()];
        lines.extend(instructions.lines().map(|line| format!("  {line}")));
        if with.get("evidence") == Some(&Value::Bool(true)) {
            lines.push("and for evidence".to_owned());
        }
        lines
    }

    fn apply<'a>(&'a self, _context: &'a Context, _call: &'a Call) -> Act<'a, Result<Done, Failure>> {
        Box::pin(async { Err(Failure::Failed("a person answers this step".to_owned())) })
    }
}

/// What a person typed, as a value of that type: `yes` for a bool, `a, b` for a list, JSON for anything nested.
///
/// # Errors
/// A fragment saying what was wanted and what was found.
pub fn parse_answer(text: &str, kind: &Type) -> Result<Value, String> {
    let text = text.trim();
    let string = || Value::String(text.to_owned());
    if text.is_empty() {
        return Err(format!("wanted {kind}, found nothing"));
    }
    let json = || serde_json::from_str(text).ok();
    let value = match kind {
        Type::String | Type::Secret => string(),
        Type::Bool => yes_or_no(text).unwrap_or_else(string),
        Type::Duration => HumanDuration::parse(text).map(|span| Value::String(span.to_string()))?,
        Type::Enum(words) => words
            .iter()
            .find(|word| word.eq_ignore_ascii_case(text))
            .map_or_else(string, |word| Value::String(word.clone())),
        Type::List(of) if !text.starts_with('[') => {
            text.split(',').map(|item| parse_answer(item, of)).collect::<Result<_, _>>()?
        }
        _ => json().unwrap_or_else(string),
    };
    kind.check(&value).map(|()| value)
}

fn yes_or_no(text: &str) -> Option<Value> {
    match text.to_ascii_lowercase().as_str() {
        "y" | "yes" | "true" => Some(Value::Bool(true)),
        "n" | "no" | "false" => Some(Value::Bool(false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_becomes_a_value_of_the_type_asked_for() {
        let word = Type::Enum(vec!["planned".to_owned(), "forced".to_owned()]);
        for (text, kind, value) in [
            (" INC-7 \n", Type::String, json!("INC-7")),
            ("42", Type::String, json!("42")),
            ("42", Type::Int, json!(42)),
            ("4.5", Type::Number, json!(4.5)),
            ("Yes", Type::Bool, json!(true)),
            ("n", Type::Bool, json!(false)),
            ("5m", Type::Duration, json!("5m")),
            ("Forced", word, json!("forced")),
            ("a, b", Type::strings(), json!(["a", "b"])),
            (r#"["a, b"]"#, Type::strings(), json!(["a, b"])),
            ("1, 2", Type::List(Box::new(Type::Int)), json!([1, 2])),
            (r#"{"a": 1}"#, Type::Map(Box::new(Type::Int)), json!({"a": 1})),
            ("west", Type::Any, json!("west")),
        ] {
            assert_eq!(parse_answer(text, &kind), Ok(value), "{text}");
        }
    }

    #[test]
    fn an_answer_of_another_type_is_refused() {
        for (text, kind, problem) in [
            ("", Type::String, "wanted a string, found nothing"),
            ("many", Type::Int, "wanted an int, found the string `many`"),
            ("4.5", Type::Int, "wanted an int, found the number `4.5`"),
            ("maybe", Type::Bool, "wanted a bool, found the string `maybe`"),
            ("5", Type::Duration, "wanted a duration such as `30s`, `5m` or `1h30m`, found `5`"),
            ("1, x", Type::List(Box::new(Type::Int)), "wanted an int, found the string `x`"),
            ("a,,b", Type::strings(), "wanted a string, found nothing"),
            ("x", Type::Enum(vec!["a".to_owned()]), "wanted one of `a`, found the string `x`"),
        ] {
            assert_eq!(parse_answer(text, &kind), Err(problem.to_owned()), "{text}");
        }
    }
}
