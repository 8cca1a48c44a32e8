//! Expressions give what is wanted where they stand, as far as their types are known before the run.

use super::Subject;
use crate::catalogue::{Field, Type};
use crate::diag::{Diagnostic, listed};
use crate::runbook::ast::Step;
use crate::runbook::expr::compared::{Compared, compared};
use crate::runbook::expr::infer::{Kind, infer};
use crate::runbook::expr::{Compiled, ExprId, Templated};

/// The states of a step, as conditions read them.
pub const STATES: [&str; 15] = [
    "pending",
    "awaiting_approval",
    "awaiting_person",
    "running",
    "retry_wait",
    "verifying",
    "succeeded",
    "not_applicable",
    "failed",
    "skipped",
    "in_doubt",
    "cancelled",
    "rolling_back",
    "rolled_back",
    "rollback_failed",
];

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (_, expression) in subject.runbook.expressions.iter() {
        if let (_, Some((from, to, message))) = infer(&expression.text, &|parts| kind_of_name(subject, parts)) {
            found.push(Diagnostic::error("type", expression.span.slice(from, to), message));
        }
        found.extend(compared(&expression.text).iter().filter_map(|it| never_equal(subject, expression, it)));
    }
    for (_, step) in subject.steps() {
        found.extend(when(subject, step));
        found.extend(for_each(subject, step));
    }
}

/// A comparison with a word that the name never is.
fn never_equal(subject: &Subject<'_>, expression: &Compiled, compared: &Compared<'_>) -> Option<Diagnostic> {
    let words: Vec<&str> = match compared.parts.as_slice() {
        ["inputs", name] => match &subject.inputs.get(name)?.kind {
            Type::Enum(words) => words.iter().map(String::as_str).collect(),
            _ => return None,
        },
        ["steps", _, "status"] => STATES.to_vec(),
        _ => return None,
    };
    let word = compared.word;
    if words.contains(&word) || compared.default == Some(word) {
        return None;
    }
    let message = format!("`{}` is never `{word}`", compared.parts.join("."));
    let note = format!("it is one of {}", listed(words.iter().copied()));
    let span = expression.span.slice(compared.from, compared.to);
    // Behind an escape, places in the text are not those in the file.
    let is_as_written = (expression.span.end - expression.span.start) as usize == expression.text.len();
    Some(match is_as_written {
        true => subject.suggest(Diagnostic::error("type", span, message).note(note), word, words),
        false => Diagnostic::error("type", expression.span, message).note(note),
    })
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
