//! A step as it was written, as one value: what approvals bind to, and what an edit is compared by.

use serde_json::{Map, Value, json};

use crate::runbook::ast::{ActionUse, Approval, Runbook, Step};
use crate::runbook::expr::{ExprId, Segment, Templated};

/// The value with its expressions as text.
#[must_use]
pub fn written(runbook: &Runbook, value: &Templated) -> Value {
    let expression = |id: ExprId| format!("{{{{ {} }}}}", runbook.expressions.get(id).text);
    match value {
        Templated::Plain(value) => value.clone(),
        Templated::Expression(id) => Value::String(expression(*id)),
        Templated::Secret(name) => Value::String(format!("{{{{ inputs.{name} }}}}")),
        Templated::Text(segments) => Value::String(
            segments
                .iter()
                .map(|segment| match segment {
                    Segment::Text(text) => text.clone(),
                    Segment::Expression(id) => expression(*id),
                    Segment::Secret(name) => format!("{{{{ inputs.{name} }}}}"),
                })
                .collect(),
        ),
        Templated::List(items) => Value::Array(items.iter().map(|item| written(runbook, item)).collect()),
        Templated::Map(entries) => {
            Value::Object(entries.iter().map(|(key, item)| (key.clone(), written(runbook, item))).collect())
        }
    }
}

/// The step as one value; fields that were not written are not there.
#[must_use]
pub fn definition(runbook: &Runbook, step: &Step) -> Value {
    let mut fields = Map::new();
    let mut add = |name: &str, value: Value| {
        if !matches!(&value, Value::Null | Value::Bool(false)) && value != json!([]) {
            fields.insert(name.to_owned(), value);
        }
    };
    let action =
        |action: &ActionUse| json!({ "action": action.name.value, "with": written(runbook, &action.with.value) });
    let millis = |span: std::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    add("phase", json!(step.phase));
    add("title", step.title.as_ref().map_or(Value::Null, |title| written(runbook, title)));
    add("action", Value::from(step.action.name.value.as_str()));
    add("with", written(runbook, &step.action.with.value));
    let outputs = step.outputs.iter().map(|output| {
        let kind = output.kind.to_string();
        let declared = if output.measures_loss { json!({ "type": kind, "measures": "rpo" }) } else { json!(kind) };
        (output.name.value.clone(), declared)
    });
    add("outputs", Value::Object(outputs.collect()));
    add("needs", step.needs.iter().map(|need| Value::from(need.value.as_str())).collect());
    add("when", step.when.map_or(Value::Null, |when| Value::from(&*runbook.expressions.get(when).text)));
    add("run_if", json!(step.run_if));
    if let Some(repeat) = &step.repeat {
        add("every", json!(millis(repeat.every)));
        add("until", json!(repeat.until.as_ref().map(|until| &until.value)));
    }
    if let Some(for_each) = &step.for_each {
        add("for_each", written(runbook, &for_each.items));
        add("max_parallel", json!(for_each.max_parallel));
    }
    add("approval", step.approval.as_ref().map_or(Value::Null, |gate| approval(runbook, gate)));
    add("timeout", json!(step.timeout.map(millis)));
    add("retry", json!(step.retry));
    if let Some(verify) = &step.verify {
        add(
            "verify",
            json!({ "check": action(&verify.action), "within": millis(verify.within), "every": millis(verify.every) }),
        );
    }
    add("rollback", step.rollback.as_ref().map_or(Value::Null, |rollback| action(rollback)));
    add("on_failure", json!(step.on_failure));
    add("on_interrupt", json!(step.on_interrupt));
    add("point_of_no_return", json!(step.point_of_no_return));
    Value::Object(fields)
}

fn approval(runbook: &Runbook, gate: &Approval) -> Value {
    let mut value = json!({
        "by": gate.by.iter().map(|role| &role.value).collect::<Vec<_>>(),
        "quorum": gate.quorum,
        "requester_may_approve": gate.requester_may_approve,
        "timeout": gate.timeout,
        "on_timeout": gate.on_timeout,
        "prompt": gate.prompt.as_ref().map(|prompt| written(runbook, prompt)),
    });
    if let Some(policy) = &gate.escalation {
        value["escalation"] = json!(policy.value);
    }
    value
}
