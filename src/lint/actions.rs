//! Actions exist, get the parameters they take, and are used for what they can do.

use serde_json::Value;

use super::{Subject, Use, actions_of, types};
use crate::catalogue::{ActionSpec, Effect, Field, Type};
use crate::diag::Diagnostic;
use crate::plan::too_long;
use crate::runbook::ast::{ActionUse, OnInterrupt, Step};
use crate::runbook::expr::Templated;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (_, step) in subject.steps() {
        for (action, used) in actions_of(step) {
            let name = &action.name.value;
            let Some(spec) = subject.catalogue.get(name) else {
                // That there is none was told.
                if name.is_empty() {
                    continue;
                }
                let names = subject.catalogue.iter().map(|spec| spec.name);
                let diagnostic = Diagnostic::error("action", action.name.span, format!("unknown action `{name}`"));
                found.push(subject.suggest(diagnostic.note("`drctl actions` lists them"), name, names));
                continue;
            };
            parameters(subject, action, spec, found);
            found.extend(misuse(step, action, spec, used));
            found.extend(long_wait(subject, step, action));
        }
    }
}

fn parameters(subject: &Subject<'_>, action: &ActionUse, spec: &ActionSpec, found: &mut Vec<Diagnostic>) {
    let names: Vec<&str> = match &action.with.value {
        Templated::Plain(Value::Object(entries)) => entries.keys().map(String::as_str).collect(),
        Templated::Map(entries) => entries.iter().map(|(name, _)| name.as_str()).collect(),
        _ => return,
    };
    for name in &names {
        let Some(field) = spec.parameter(name) else {
            let message = format!("`{}` takes no `{name}`", spec.name);
            let known = spec.parameters.iter().map(|field| field.name);
            let diagnostic = Diagnostic::error("action", action.name_place(name), message)
                .note(format!("`drctl actions {}` lists what it takes", spec.name));
            let near = subject.suggest(diagnostic, name, known);
            found.push(near.unsafe_where(|field| names.contains(&field)));
            continue;
        };
        found.extend(value_problem(subject, action, spec, field));
    }
    for field in spec.parameters.iter().filter(|field| field.required && !names.contains(&field.name)) {
        let message = format!("`{}` needs `{}`: {}", spec.name, field.name, field.doc);
        found.push(Diagnostic::error("action", action.name.span, message));
    }
    if let (Some(rule), Templated::Plain(Value::Object(with))) = (spec.rule, &action.with.value)
        && spec.check(with).is_err()
        && let Err(problem) = rule(with)
    {
        found.push(Diagnostic::error("action", action.with.span, format!("`{}`: {problem}", spec.name)));
    }
}

fn value_problem(subject: &Subject<'_>, action: &ActionUse, spec: &ActionSpec, field: &Field) -> Option<Diagnostic> {
    let value = action.with.value.entry(field.name)?;
    if spec.code.contains(&field.name) && value.plain().is_none() {
        let message =
            format!("nothing can be interpolated into `{}` of `{}`: data never becomes code", field.name, spec.name);
        let note = "hand the value over in `env`, and write `\"$NAME\"` in the script";
        return Some(Diagnostic::error("code", action.place(field.name), message).note(note));
    }
    if spec.name == "exec" && field.name == "argv" && runs_text(&value) {
        let message =
            "this program runs what it is given as a script, and `{{ }}` stands in it: data never becomes code";
        let note = "hand the value over in `env`, or as an argument of its own behind the script";
        return Some(Diagnostic::error("code", action.place(field.name), message).note(note));
    }
    let problem = check_templated(subject, &(field.kind)(), &value).err()?;
    Some(Diagnostic::error("type", action.place(field.name), format!("`{}` of `{}`: {problem}", field.name, spec.name)))
}

/// Programs that run a text they are given behind one of these words.
const INTERPRETERS: [&str; 13] =
    ["sh", "bash", "dash", "zsh", "ksh", "fish", "su", "python", "python3", "perl", "ruby", "node", "pwsh"];
const SCRIPT_FOLLOWS: [&str; 6] = ["-c", "-lc", "-ec", "-e", "--eval", "-Command"];
/// The options of `ssh` that have a value of their own.
const VALUE_FOLLOWS: &str = "-B -b -c -D -E -e -F -I -i -J -L -l -m -O -o -P -p -Q -R -S -W -w";

/// Whether the argument list makes a script of a value that is known only in the run. Other programs, such as `timeout` or
/// `sudo`, may stand before the one that runs it.
fn runs_text(argv: &Templated) -> bool {
    let Templated::List(items) = argv else { return false };
    let is_program =
        |item: &Templated, names: &[&str]| names.contains(&word(item).rsplit('/').next().unwrap_or_default());
    let is_script = |pair: &[Templated]| SCRIPT_FOLLOWS.contains(&word(&pair[0])) && pair[1].plain().is_none();
    (0..items.len()).any(|at| match &items[at] {
        item if is_program(item, &INTERPRETERS) => items[at..].windows(2).any(is_script),
        item if is_program(item, &["ssh"]) => remote(&items[at + 1..]).iter().any(|part| part.plain().is_none()),
        _ => false,
    })
}

/// What `ssh` hands to the shell of the other machine: all that stands behind the host.
fn remote(arguments: &[Templated]) -> &[Templated] {
    let mut at = 0;
    while let Some(option) = arguments.get(at).map(word).filter(|word| word.starts_with('-')) {
        at += if VALUE_FOLLOWS.split(' ').any(|it| it == option) { 2 } else { 1 };
    }
    arguments.get(at + 1..).unwrap_or_default()
}

/// The text of an argument without expressions.
fn word(argument: &Templated) -> &str {
    argument.plain().and_then(Value::as_str).unwrap_or_default()
}

/// Checks as much of a value as is known before the run.
pub(super) fn check_templated(subject: &Subject<'_>, kind: &Type, value: &Templated) -> Result<(), String> {
    let check = |kind: &Type, value: &Templated| check_templated(subject, kind, value);
    match (kind, value) {
        (_, Templated::Plain(value)) if has_float(value) => kind.check(value),
        (_, Templated::Plain(value)) => kind.check(&kind.settle(value.clone())),
        (Type::Any, _) => Ok(()),
        (kind, Templated::Expression(id)) => match types::kind(subject, *id) {
            Some(found) if !found.fits(kind) => Err(format!("wanted {kind}, found {found}")),
            _ => Ok(()),
        },
        (Type::List(of), Templated::List(items)) => items.iter().try_for_each(|item| check(of, item)),
        (Type::Map(of), Templated::Map(entries)) => entries
            .iter()
            .try_for_each(|(name, item)| check(of, item).map_err(|problem| format!("at `{name}`: {problem}"))),
        (Type::Record(fields), Templated::Map(entries)) => entries.iter().try_for_each(|(name, item)| {
            let field =
                fields.iter().find(|field| field.name == name).ok_or_else(|| format!("unknown field `{name}`"))?;
            check(&(field.kind)(), item).map_err(|problem| format!("at `{name}`: {problem}"))
        }),
        (
            Type::String | Type::Duration | Type::Moment | Type::Enum(_) | Type::Secret,
            Templated::Text(_) | Templated::Secret(_),
        ) => Ok(()),
        (kind, Templated::Text(_) | Templated::Secret(_)) => {
            Err(format!("wanted {kind}, found text with `{{{{ }}}}` in it"))
        }
        (kind, Templated::List(_)) => Err(format!("wanted {kind}, found a list")),
        (kind, Templated::Map(_)) => Err(format!("wanted {kind}, found a mapping")),
    }
}

/// Whether a value may have been written otherwise than it reads: `1.10` is the number 1.1.
fn has_float(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_float),
        Value::Object(entries) => entries.values().any(has_float),
        _ => false,
    }
}

fn misuse(step: &Step, action: &ActionUse, spec: &ActionSpec, used: Use) -> Option<Diagnostic> {
    let name = spec.name;
    match used {
        Use::Verify if !spec.is_check => {
            let message = format!("`{name}` cannot verify: it is not a check");
            Some(Diagnostic::error("action", action.name.span, message).note("checks say yes or no and change nothing"))
        }
        Use::Verify if !reads(action, spec) => {
            let message = format!("`{name}` cannot verify with these parameters: it may change something");
            let note = match spec.parameter("reads") {
                Some(_) => "add `reads: true` to its `with` if it changes nothing",
                None => "checks say yes or no and change nothing",
            };
            Some(Diagnostic::error("action", action.name.span, message).note(note))
        }
        Use::Rollback if name == "manual" => Some(Diagnostic::error(
            "action",
            action.name.span,
            "a rollback cannot wait for a person: `manual` cannot undo",
        )),
        Use::Step => {
            if reads(action, spec) && step.rollback.is_some() {
                let message = format!("`{name}` changes nothing: there is nothing to roll back");
                return Some(Diagnostic::warning("action", action.name.span, message));
            }
            interrupt(step, action)
        }
        _ => None,
    }
}

/// A wait that its step's timeout ends each time.
fn long_wait(subject: &Subject<'_>, step: &Step, action: &ActionUse) -> Option<Diagnostic> {
    let wait = action.with.value.entry("for").filter(|_| action.name.value == "wait")?;
    let problem = too_long(wait.plain()?.as_str()?, step.timeout(&subject.runbook.defaults))?;
    let note = format!("raise the `timeout` of `{}`", step.id.value);
    Some(Diagnostic::error("action", action.place("for"), problem).note(note))
}

/// Whether the action changes nothing, as far as its parameters are known before the run.
fn reads(action: &ActionUse, spec: &ActionSpec) -> bool {
    action.with.value.known().is_some_and(|known| (spec.effect)(&known) == Effect::Reads)
}

fn interrupt(step: &Step, action: &ActionUse) -> Option<Diagnostic> {
    let wants_verify = step.on_interrupt == Some(OnInterrupt::Verify) && step.verify.is_none();
    wants_verify.then(|| Diagnostic::error("action", action.name.span, "`on_interrupt: verify` needs a `verify`"))
}
