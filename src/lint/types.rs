//! Expressions give what is wanted where they stand, as far as their types are known before the run.

use super::Subject;
use crate::catalogue::{Field, Type};
use crate::diag::Diagnostic;
use crate::runbook::ast::Step;
use crate::runbook::expr::infer::{Kind, infer};
use crate::runbook::expr::{ExprId, Templated};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (_, expression) in subject.runbook.expressions.iter() {
        if let (_, Some((from, to, message))) = infer(&expression.text, &|parts| kind_of_name(subject, parts)) {
            found.push(Diagnostic::error("type", expression.span.slice(from, to), message));
        }
    }
    for (_, step) in subject.steps() {
        found.extend(when(subject, step));
        found.extend(for_each(subject, step));
    }
}

fn when(subject: &Subject<'_>, step: &Step) -> Option<Diagnostic> {
    let when = step.when?;
    let kind = kind(subject, when).filter(|kind| *kind != Kind::Bool)?;
    let message = format!("`when` of `{}`: wanted a bool, found {kind}", step.id.value);
    Some(Diagnostic::error("type", subject.runbook.expressions.get(when).span, message))
}

fn for_each(subject: &Subject<'_>, step: &Step) -> Option<Diagnostic> {
    let for_each = step.for_each.as_ref()?;
    let kind = match &for_each.items {
        Templated::Expression(id) => kind(subject, *id)?,
        Templated::Text(_) => Kind::Text,
        _ => return None,
    };
    let message = format!("`for_each` of `{}`: wanted a list or a mapping, found {kind}", step.id.value);
    (!matches!(kind, Kind::List | Kind::Map)).then(|| Diagnostic::error("type", for_each.span, message))
}

/// The kind of an expression's value, where it is known.
pub(super) fn kind(subject: &Subject<'_>, id: ExprId) -> Option<Kind> {
    infer(&subject.runbook.expressions.get(id).text, &|parts| kind_of_name(subject, parts)).0
}

fn kind_of_name(subject: &Subject<'_>, parts: &[&str]) -> Option<Kind> {
    match parts {
        ["inputs", name] => Kind::of(&subject.inputs.get(name)?.kind),
        ["objectives", _]
        | ["run", "id" | "runbook" | "kind" | "operator" | "started_at" | "since" | "now" | "head"] => Some(Kind::Text),
        ["run", "failed"] => Some(Kind::List),
        ["steps", _, "status"] => Some(Kind::Text),
        ["steps", id, "outputs", name, inside @ ..] => {
            let step = subject.step(*subject.by_id.get(*id)?);
            let outputs = subject.outputs(step).filter(|_| step.for_each.is_none())?;
            let (_, kind) = outputs.into_iter().find(|(output, _)| output == name)?;
            Kind::of(&inside.iter().try_fold(kind, |kind, part| entry(&kind, part))?)
        }
        _ => None,
    }
}

/// The type of what is looked up in a value.
fn entry(kind: &Type, name: &str) -> Option<Type> {
    match kind {
        Type::Map(of) => Some((**of).clone()),
        Type::Record(fields) => fields.iter().find(|field: &&Field| field.name == name).map(|field| (field.kind)()),
        _ => None,
    }
}
