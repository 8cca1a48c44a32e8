//! A notice's template and audience exist, and the template gets every variable it reads.

use serde_json::Value;

use super::references::{Reader, is_nowhere};
use super::{Subject, actions_of};
use crate::diag::{Diagnostic, MOST_FOUND};
use crate::plan::{REQUEST, REQUEST_VARS, StepIndex, Template, variants};
use crate::runbook::ast::ActionUse;
use crate::runbook::expr::{Path, Templated};
use crate::runbook::sms;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (index, step) in subject.steps() {
        for (action, _) in actions_of(step).filter(|(action, _)| action.name.value == "notify") {
            let template = variables(subject, index, action, found);
            audience(subject, action, template, found);
        }
        request(subject, index, found);
    }
}

/// What the workspace says to who is called to a gate reads what there is.
fn request(subject: &Subject<'_>, index: StepIndex, found: &mut Vec<Diagnostic>) {
    let Some(approval) = &subject.step(index).approval else { return };
    let policy = approval.escalation.as_ref().map(|policy| policy.value.as_str());
    let Some(Some(template)) = subject.templates.get(REQUEST) else { return };
    if subject.workspace.escalation(policy).is_empty() {
        return;
    }
    let vars = REQUEST_VARS.map(str::to_owned);
    let reader = Reader { step: Some(index), may_read_itself: false, has_item: false, vars: Some(&vars) };
    let reads = template.reads().filter(|(path, _)| !is_nowhere(path));
    let problems = reads.filter_map(|(path, span)| reader.problem(subject, path, span));
    let called = format!("it is said to who is called to `{}`", subject.step(index).id.value);
    found.extend(problems.take(MOST_FOUND).map(|problem| problem.other(approval.span, called.as_str())));
}

fn named(action: &ActionUse, parameter: &str) -> Option<String> {
    match action.with.value.entry(parameter)?.as_ref() {
        Templated::Plain(Value::String(name)) => Some(name.clone()),
        _ => None,
    }
}

/// The step's audience, or its template's, is there and is reached.
fn audience(subject: &Subject<'_>, action: &ActionUse, template: Option<&Template>, found: &mut Vec<Diagnostic>) {
    let own = action.with.value.entry("audience").is_some();
    let of_template = || template?.audience.as_ref().map(|audience| audience.value.clone());
    let Some(name) = named(action, "audience").or_else(|| of_template().filter(|_| !own)) else {
        if !own && template.is_some() {
            let message = "who is told? Neither the step nor its template names an audience";
            let note = "give the step an `audience`, or the template's front matter";
            found.push(Diagnostic::error("notice", action.place("template"), message).note(note));
        }
        return;
    };
    let Some(audience) = subject.workspace.audiences.get(&name) else {
        if own {
            let message = format!("`drctl.yaml` has no audience `{name}`");
            let note = "audiences stand there as `audiences: { NAME: [CHANNEL, ..] }`";
            let known = subject.workspace.audiences.keys().map(String::as_str);
            let diagnostic = Diagnostic::error("notice", action.place("audience"), message).note(note);
            found.push(subject.suggest(diagnostic, &name, known));
        }
        return;
    };
    let Some(template) = template else { return };
    let mut used = template.channels_of(subject.workspace, audience).peekable();
    if used.peek().is_none() && !audience.channels.is_empty() {
        let message = format!("no channel of `{name}` is among the `channels` of its template");
        found.push(Diagnostic::error("notice", action.place("template"), message));
    }
    if used.any(|(_, channel)| channel.kind == "sms") {
        text_message(action, template, found);
    }
}

/// The template that a notice is made from.
pub(super) fn template(action: &ActionUse) -> Option<String> {
    named(action, "template").filter(|_| action.name.value == "notify")
}

/// A text message that is too long by what is known of it.
fn text_message(action: &ActionUse, template: &Template, found: &mut Vec<Diagnostic>) {
    let (short, span) = template.short();
    let length = sms::length(short.fixed_text());
    if length.segments > sms::MOST_SEGMENTS {
        let message = format!("this text message is too long: {length}, more than {}", sms::MOST_SEGMENTS);
        let note = "say it shorter in `short`";
        let problem = Diagnostic::warning("notice", span, message).note(note);
        found.push(problem.other(action.place("template"), "it is sent here"));
    }
}

/// The template that the step names; what it reads is there.
fn variables<'s>(
    subject: &Subject<'s>,
    index: StepIndex,
    action: &ActionUse,
    found: &mut Vec<Diagnostic>,
) -> Option<&'s Template> {
    let Some(name) = named(action, "template") else {
        if action.with.value.entry("template").is_some() {
            let message = "the template of a notice is a fixed name, so that it can be checked";
            found.push(Diagnostic::error("notice", action.place("template"), message));
        }
        return None;
    };
    let Some(template) = subject.templates.get(&name) else {
        let known = subject.templates.keys().map(String::as_str);
        let diagnostic =
            Diagnostic::error("notice", action.place("template"), format!("no template is called `{name}`"));
        let diagnostic = diagnostic.note(format!("it would be `templates/{name}.md`"));
        found.push(subject.suggest(diagnostic, &name, known));
        return None;
    };
    let template = template.as_ref()?;
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
    // What no step could give is told of the template by itself.
    let is_known = |path: &Path| !is_nowhere(path) && (path.parts[0] != "vars" || vars.is_some());
    let sends = format!("`{}` sends it", subject.step(index).id.value);
    let all = std::iter::once(template).chain(variants(subject.templates, &name).map(|(_, variant)| variant));
    for template in all {
        let reads = template.reads().filter(|(path, _)| is_known(path));
        let problems = reads.filter_map(|(path, span)| reader.problem(subject, path, span));
        found.extend(problems.take(MOST_FOUND).map(|problem| problem.other(action.place("template"), sends.as_str())));
    }
    for given in vars.iter().flatten() {
        let read = template
            .reads()
            .any(|(path, _)| path.parts[0] == "vars" && path.parts.get(1).is_none_or(|name| name == given));
        if !read {
            let message = format!("the template `{name}` does not read `vars.{given}`");
            found.push(Diagnostic::warning("notice", action.place("vars"), message));
        }
    }
    Some(template)
}
