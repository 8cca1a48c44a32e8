//! Called runbooks exist, get what they take, and do not call each other in a circle.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Subject, Use, actions, actions_of};
use crate::catalogue::Type;
use crate::diag::{Diagnostic, Span};
use crate::plan::runbooks::{CALL, Call, DEEPEST, MOST_CALLS, Runbooks, call, handed, is_call};
use crate::runbook::ast::{ActionUse, OnFailure, RunIf, Runbook, Step};
use crate::runbook::expr::Templated;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    if subject.has_too_many_calls {
        let message = format!("`{}` comes to more than {MOST_CALLS} calls in all", subject.runbook.name.value);
        let note = "each call counts, those within what is called too; in a circle they never end";
        found.push(Diagnostic::error("call", subject.runbook.name.span, message).note(note));
        return;
    }
    for (_, step) in subject.steps() {
        let others = actions_of(step).filter(|(action, used)| *used != Use::Step && action.name.value == CALL);
        found.extend(others.map(|(action, used)| elsewhere(action, used)));
        if !is_call(step) {
            continue;
        }
        found.extend(fields(step));
        let Some(called) = runbook(subject, step, found) else { continue };
        inputs(subject, step, called, found);
        let mut names = vec![subject.runbook];
        found.extend(circle(subject.runbooks, called, &mut names).map(|message| at(step, message)));
    }
}

fn at(step: &Step, message: String) -> Diagnostic {
    Diagnostic::error("call", step.action.place("runbook"), message)
}

fn elsewhere(action: &ActionUse, used: Use) -> Diagnostic {
    let what = if used == Use::Verify { "verify" } else { "roll back" };
    let message = format!("`{CALL}` cannot {what}: only a step can run another runbook");
    Diagnostic::error("call", action.name.span, message)
}

/// Fields that the steps of the called runbook have to say themselves.
fn fields(step: &Step) -> Vec<Diagnostic> {
    let written = [
        ("retry", step.retry.is_some()),
        ("timeout", step.timeout.is_some()),
        ("verify", step.verify.is_some()),
        ("rollback", step.rollback.is_some()),
        ("on_interrupt", step.on_interrupt.is_some()),
        ("estimate", step.estimate.is_some()),
        ("point_of_no_return", step.point_of_no_return),
        ("outputs", !step.outputs.is_empty()),
        ("run_if", step.run_if != RunIf::Success),
        ("every", step.repeat.is_some()),
        ("simulate", step.simulate.is_some()),
    ];
    let id = &step.id;
    let told = |name: &str| {
        let message = format!("`{}` runs another runbook and cannot have `{name}`", id.value);
        Diagnostic::error("call", id.span, message).note("the steps of the called runbook say that themselves")
    };
    let goes_on = step.on_failure.filter(|wanted| matches!(wanted, OnFailure::Continue | OnFailure::Rollback));
    let goes_on = goes_on.map(|_| {
        let message = format!("`on_failure` of the call `{}` is `ask` or `stop`", id.value);
        let note = "whether a run goes on after a failure, or undoes what it did, the called runbook says itself";
        Diagnostic::error("call", id.span, message).note(note)
    });
    written.into_iter().filter(|(_, there)| *there).map(|(name, _)| told(name)).chain(goes_on).collect()
}

/// The called runbook; what is wrong with its name.
fn runbook<'s>(subject: &Subject<'s>, step: &Step, found: &mut Vec<Diagnostic>) -> Option<&'s Runbook> {
    for name in ["runbook", "kind", "communication"] {
        let value = step.action.with.value.entry(name);
        if value.is_some_and(|value| value.plain().is_none()) {
            let message = format!("the `{name}` of a call is fixed, so that it can be checked and pinned");
            found.push(Diagnostic::error("call", step.action.place(name), message));
        }
    }
    let Call { name, kind, .. } = call(subject.runbook.kind, step)?;
    if let Some(runbook) = subject.runbooks.get(&name, kind) {
        return Some(runbook);
    }
    let known = &subject.runbooks.known;
    // One that is there and cannot be read is told of in its own file.
    if !known.contains(&(name.clone(), kind)) {
        let mut finding = at(step, format!("no {} runbook is called `{name}`", kind.name()));
        let others = known.iter().filter(|(other, _)| *other == name).map(|(_, kind)| kind.name());
        let others: Vec<&str> = others.collect();
        finding = match others.as_slice() {
            [] => finding.note("called runbooks lie in the folder `runbooks`"),
            others => finding.note(format!("there is one of kind {}: say so in `kind`", others.join(", "))),
        };
        let of_kind = known.iter().filter(|(_, other)| *other == kind).map(|(name, _)| name.as_str());
        found.push(subject.suggest(finding, &name, of_kind));
    }
    None
}

fn inputs(subject: &Subject<'_>, step: &Step, called: &Runbook, found: &mut Vec<Diagnostic>) {
    let (action, name) = (&step.action, &called.name.value);
    let place = action.place("inputs");
    let given: Vec<String> = match action.with.value.entry("inputs").as_deref() {
        None => Vec::new(),
        Some(Templated::Plain(Value::Object(entries))) => entries.keys().cloned().collect(),
        Some(Templated::Map(entries)) => entries.iter().map(|(name, _)| name.clone()).collect(),
        Some(Templated::Plain(_)) => return,
        Some(_) => {
            let message = "the `inputs` of a call are written one by one, so that they can be checked";
            found.push(Diagnostic::error("call", place, message));
            return;
        }
    };
    for given in &given {
        if !called.inputs.iter().any(|input| input.name.value == *given) {
            let message = format!("runbook `{name}` has no input `{given}`");
            let known = called.inputs.iter().map(|input| input.name.value.as_str());
            // Where the mapping stands is known, not where its names do: nothing can be replaced.
            let meant = crate::diag::closest(given, subject.patience.with(known))
                .map(|meant| format!("did you mean `{meant}`?"));
            let finding = Diagnostic::error("call", place, message);
            found.push(meant.into_iter().fold(finding, Diagnostic::note));
        }
    }
    for input in &called.inputs {
        let input_name = &input.name.value;
        let written = handed(action, input_name);
        let needed = input.default.is_none() && input.kind != Type::Secret;
        if written.is_none() && needed {
            let message = format!("runbook `{name}` needs the input `{input_name}` ({})", input.kind);
            found.push(at(step, message).other(input.name.span, "declared here"));
        }
        found.extend(written.and_then(|value| value_problem(subject, &input.kind, &value, input_name, place)));
    }
}

fn value_problem(subject: &Subject<'_>, kind: &Type, value: &Templated, name: &str, place: Span) -> Option<Diagnostic> {
    let problem = |message: String| Some(Diagnostic::error("call", place, message));
    match (kind, value) {
        (Type::Secret, Templated::Secret(_)) => None,
        (Type::Secret, _) => problem(format!(
            "the input `{name}` is a secret: it takes `{{{{ inputs.NAME }}}}` of one, and nothing else"
        )),
        (_, value) if holds_secret(value) => {
            problem(format!("the input `{name}` is no secret: a secret would be journaled and shown"))
        }
        (kind, Templated::Plain(value)) => {
            kind.check(&kind.settle(value.clone())).err().and_then(|why| problem(format!("the input `{name}`: {why}")))
        }
        (kind, value) => {
            let why = actions::check_templated(subject, kind, value).err()?;
            problem(format!("the input `{name}`: {why}"))
        }
    }
}

fn holds_secret(value: &Templated) -> bool {
    super::secrets::secret_in(value).is_some()
}

/// The names of runbooks that call each other in a circle, or deeper than they may.
fn circle<'r>(runbooks: &'r Runbooks, called: &'r Runbook, callers: &mut Vec<&'r Runbook>) -> Option<String> {
    let same = |a: &Runbook, b: &Runbook| a.name.value == b.name.value && a.kind == b.kind;
    let names = |callers: &[&Runbook]| {
        let names = callers.iter().chain([&called]).map(|runbook| runbook.name.value.as_str());
        names.collect::<Vec<_>>().join(" -> ")
    };
    if same(callers.first()?, called) {
        return Some(format!("runbooks call each other in a circle: {}", names(callers)));
    }
    if callers.iter().any(|caller| same(caller, called)) {
        // Told of in the files of those that stand in the circle.
        return None;
    }
    if callers.len() >= DEEPEST {
        return Some(format!("runbooks call each other more than {DEEPEST} deep: {}", names(callers)));
    }
    callers.push(called);
    let mut seen = BTreeSet::new();
    let inner = called.steps.iter().filter_map(|step| runbooks.called(called, step));
    let inner = inner.filter(|inner| seen.insert((inner.name.value.as_str(), inner.kind)));
    let problem = inner.collect::<Vec<_>>().into_iter().find_map(|inner| circle(runbooks, inner, callers));
    callers.pop();
    problem
}
