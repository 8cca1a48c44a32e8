//! What the runbook of a service is given: its `inputs`, with the regions they stand for.

use serde_json::{Map, Value};

use super::impact::Move;
use crate::diag::{Span, closest};
use crate::runbook::workspace::Service;

/// The words that stand for a region.
const WORDS: [&str; 2] = ["region", "standby"];

/// What the runbook of a service is given when it moves.
///
/// # Errors
/// What is wrong, with the place of the input.
pub fn service_inputs(service: &Service, moves: &Move) -> Result<Map<String, Value>, Vec<(Span, String)>> {
    let (mut inputs, mut problems) = (Map::new(), Vec::new());
    for (name, written) in &service.inputs {
        match filled(written, moves) {
            Ok(value) => drop(inputs.insert(name.value.clone(), value)),
            Err(problem) => problems.push((name.span, format!("`{}`: {problem}", name.value))),
        }
    }
    if problems.is_empty() { Ok(inputs) } else { Err(problems) }
}

fn filled(value: &Value, moves: &Move) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(filled_text(text, moves)?),
        Value::Array(items) => items.iter().map(|item| filled(item, moves)).collect::<Result<_, _>>()?,
        Value::Object(entries) => {
            let entries = entries.iter().map(|(name, value)| Ok((name.clone(), filled(value, moves)?)));
            Value::Object(entries.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

fn filled_text(text: &str, moves: &Move) -> Result<String, String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once("{{") {
        let (word, after) = behind.split_once("}}").ok_or("`{{` is not closed by `}}`")?;
        out.push_str(before);
        out.push_str(meant(word.trim(), moves)?);
        rest = after;
    }
    Ok(out + rest)
}

fn meant<'m>(word: &str, moves: &'m Move) -> Result<&'m str, String> {
    match word {
        "region" => Ok(&moves.from),
        "standby" => moves.to.as_deref().ok_or_else(|| {
            format!(
                "nothing says where the service goes from `{}`: give it a `standby`, or the region a pair",
                moves.from
            )
        }),
        other => {
            let meant = closest(other, WORDS).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
            Err(format!(
                "here stand `{{{{ region }}}}` and `{{{{ standby }}}}` and nothing else, found `{other}`{meant}"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diag::Spanned;

    fn given(value: Value, to: Option<&str>) -> Result<Value, String> {
        let name = Spanned { value: "where".to_owned(), span: Span::default() };
        let service = Service { inputs: vec![(name, value)], ..Service::default() };
        let moves = Move { from: "centralus".to_owned(), to: to.map(str::to_owned) };
        let given = service_inputs(&service, &moves).map_err(|problems| problems[0].1.clone());
        given.map(|mut inputs| inputs.remove("where").unwrap())
    }

    #[test]
    fn regions_stand_in_texts_lists_and_mappings() {
        let written = json!({ "groups": ["rg-{{region}}", "rg-{{ standby }}-x"], "count": 4 });
        let wanted = json!({ "groups": ["rg-centralus", "rg-eastus2-x"], "count": 4 });
        assert_eq!(given(written, Some("eastus2")), Ok(wanted));
    }

    #[test]
    fn what_is_no_region_is_told() {
        let told = |text: &str| given(json!(text), None).unwrap_err();
        assert_eq!(
            told("{{ regoin }}"),
            "`where`: here stand `{{ region }}` and `{{ standby }}` and nothing else, found `regoin`; did you mean `region`?"
        );
        assert_eq!(told("{{ region"), "`where`: `{{` is not closed by `}}`");
        assert_eq!(
            told("to {{ standby }}"),
            "`where`: nothing says where the service goes from `centralus`: give it a `standby`, or the region a pair"
        );
    }
}
