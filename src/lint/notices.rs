//! A notice's template and audience exist, and the template gets every variable it reads.

use serde_json::Value;

use super::references::Reader;
use super::{Subject, actions_of};
use crate::diag::{Diagnostic, MOST_FOUND};
use crate::plan::StepIndex;
use crate::runbook::ast::ActionUse;
use crate::runbook::expr::{Path, Templated};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (index, step) in subject.steps() {
        for (action, _) in actions_of(step).filter(|(action, _)| action.name.value == "notify") {
            audience(subject, action, found);
            variables(subject, index, action, found);
        }
    }
}

fn named(action: &ActionUse, parameter: &str) -> Option<String> {
    match action.with.value.entry(parameter)?.as_ref() {
        Templated::Plain(Value::String(name)) => Some(name.clone()),
        _ => None,
    }
}

fn audience(subject: &Subject<'_>, action: &ActionUse, found: &mut Vec<Diagnostic>) {
    let Some(name) = named(action, "audience") else { return };
    if !subject.workspace.audiences.contains_key(&name) {
        let message = format!("`drctl.yaml` has no audience `{name}`");
        let note = "audiences stand there as `audiences: { NAME: [CHANNEL, ..] }`";
        let known = subject.workspace.audiences.keys().map(String::as_str);
        let diagnostic = Diagnostic::error("notice", action.place("audience"), message).note(note);
        found.push(subject.suggest(diagnostic, &name, known));
    }
}

/// The template that a notice is made from.
pub(super) fn template(action: &ActionUse) -> Option<String> {
    named(action, "template").filter(|_| action.name.value == "notify")
}

fn variables(subject: &Subject<'_>, index: StepIndex, action: &ActionUse, found: &mut Vec<Diagnostic>) {
    let Some(name) = named(action, "template") else {
        if action.with.value.entry("template").is_some() {
            let message = "the template of a notice is a fixed name, so that it can be checked";
            found.push(Diagnostic::error("notice", action.place("template"), message));
        }
        return;
    };
    let Some(template) = subject.templates.get(&name) else {
        let known = subject.templates.keys().map(String::as_str);
        let diagnostic =
            Diagnostic::error("notice", action.place("template"), format!("no template is called `{name}`"));
        let diagnostic = diagnostic.note(format!("it would be `templates/{name}.txt`"));
        found.push(subject.suggest(diagnostic, &name, known));
        return;
    };
    let Some(template) = template else { return };
    let vars = match action.with.value.entry("vars").as_deref() {
        None => Some(Vec::new()),
        Some(Templated::Plain(Value::Object(entries))) => Some(entries.keys().cloned().collect()),
        Some(Templated::Map(entries)) => Some(entries.iter().map(|(name, _)| name.clone()).collect()),
        _ => None,
    };
    let reader = Reader {
        step: Some(index),
        may_read_itself: false,
        has_item: subject.step(index).for_each.is_some(),
        vars: vars.as_deref(),
    };
    let is_known = |path: &Path| path.parts[0] != "vars" || vars.is_some();
    let reads = template.reads().filter(|(path, _)| is_known(path));
    let problems = reads.filter_map(|(path, span)| reader.problem(subject, path, span));
    let sends = format!("`{}` sends it", subject.step(index).id.value);
    found.extend(problems.take(MOST_FOUND).map(|problem| problem.other(action.place("template"), sends.as_str())));
    for given in vars.iter().flatten() {
        let read = template
            .reads()
            .any(|(path, _)| path.parts[0] == "vars" && path.parts.get(1).is_none_or(|name| name == given));
        if !read {
            let message = format!("the template `{name}` does not read `vars.{given}`");
            found.push(Diagnostic::warning("notice", action.place("vars"), message));
        }
    }
}
