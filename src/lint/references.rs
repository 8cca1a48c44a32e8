//! Every name an expression reads is there, and is there in time.

use super::{Subject, may_be_missing};
use crate::catalogue::Type;
use crate::diag::{Diagnostic, Fix, MOST_FOUND, Patience, Span, listed};
use crate::plan::StepIndex;
use crate::plan::runbooks::is_call;
use crate::runbook::ast::{RunIf, Step};
use crate::runbook::expr::{ExprId, Path};

const ROOTS: [&str; 6] = ["inputs", "objectives", "run", "steps", "item", "vars"];
const RUN: [&str; 10] =
    ["id", "runbook", "kind", "operator", "started_at", "since", "now", "head", "aborted", "failed"];

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (index, step) in subject.steps() {
        let (own, whole) = (own_reads(step), of_the_whole(step));
        for id in step.expressions() {
            let expression = subject.runbook.expressions.get(id);
            let has_item = step.for_each.is_some() && !whole.contains(&id);
            let reader = Reader { step: Some(index), may_read_itself: own.contains(&id), has_item, vars: None };
            let place = |path: &Path| expression.span.slice(path.from, path.to);
            let problems = expression.scan.paths.iter().filter_map(|path| reader.problem(subject, path, place(path)));
            found.extend(problems.take(MOST_FOUND));
        }
    }
    let mut outputs = Vec::new();
    subject.runbook.outputs.iter().for_each(|(_, value)| value.expressions(&mut outputs));
    if let Some(title) = &subject.runbook.title {
        title.expressions(&mut outputs);
    }
    for id in outputs {
        let expression = subject.runbook.expressions.get(id);
        let reader = Reader { step: None, may_read_itself: false, has_item: false, vars: None };
        let place = |path: &Path| expression.span.slice(path.from, path.to);
        let problems = expression.scan.paths.iter().filter_map(|path| reader.problem(subject, path, place(path)));
        found.extend(problems.take(MOST_FOUND));
    }
}

/// The expressions of a step that are evaluated after its action: they may read its outputs.
fn own_reads(step: &Step) -> Vec<ExprId> {
    let mut own = Vec::new();
    if let Some(verify) = &step.verify {
        verify.action.with.value.expressions(&mut own);
    }
    if let Some(rollback) = &step.rollback {
        rollback.with.value.expressions(&mut own);
    }
    own
}

/// The expressions of a step that are evaluated before there are items: what is asked of all of them, and the list itself.
fn of_the_whole(step: &Step) -> Vec<ExprId> {
    let mut whole = Vec::new();
    if let Some(for_each) = &step.for_each {
        for_each.items.expressions(&mut whole);
    }
    if let Some(prompt) = step.approval.as_ref().and_then(|approval| approval.prompt.as_ref()) {
        prompt.expressions(&mut whole);
    }
    whole
}

/// Who reads: what it may read follows from where it stands.
pub(super) struct Reader<'r> {
    /// The step; none for the runbook as a whole.
    pub(super) step: Option<StepIndex>,
    /// Whether the step's own outputs are there.
    pub(super) may_read_itself: bool,
    /// Whether it is evaluated for one item of many.
    pub(super) has_item: bool,
    /// The variables a notice is given; none outside of notices.
    pub(super) vars: Option<&'r [String]>,
}

impl Reader<'_> {
    /// What is wrong with reading `path`.
    pub(super) fn problem(&self, subject: &Subject<'_>, path: &Path, span: Span) -> Option<Diagnostic> {
        let second = path.parts.get(1).map(String::as_str);
        match (path.parts[0].as_str(), second) {
            ("inputs", Some(name)) if self.vars.is_some() && is_secret(subject, name) => {
                let message = format!("a notice cannot show the secret `{name}`");
                Some(Diagnostic::error("secret", span, message).note("notices are read by everybody they reach"))
            }
            ("inputs", Some(name)) if subject.inputs.contains_key(name) => None,
            ("inputs", Some(_)) => {
                Some(among(&subject.patience, ("input", path), subject.inputs.keys().copied(), span))
            }
            ("objectives", Some(name)) if !path.guarded => {
                let objectives = subject.runbook.objectives;
                let set = [("rto", objectives.rto), ("rpo", objectives.rpo)];
                let known: Vec<&str> = set.into_iter().filter(|(_, set)| set.is_some()).map(|(name, _)| name).collect();
                (!known.contains(&name)).then(|| among(&subject.patience, ("objective", path), known.into_iter(), span))
            }
            ("run", Some("now" | "head") | None) if self.vars.is_none() => self.now_problem(subject, path, span),
            ("run", Some(name)) if RUN.contains(&name) => None,
            ("run", Some(_)) => Some(unknown(&subject.patience, path, span)),
            ("item", _) if self.has_item => None,
            ("item", _) => Some(no_item(self.step.is_some_and(|step| subject.step(step).for_each.is_some()), span)),
            ("vars", Some(name)) if self.vars.is_some() => {
                let vars = self.vars.unwrap_or_default();
                let missing = !path.guarded && !vars.iter().any(|var| var == name);
                let message = format!("the template reads `vars.{name}`, which is not given");
                let note = "give it in the step's `vars`";
                missing.then(|| Diagnostic::error("reference", span, message).note(note))
            }
            ("steps", Some(id)) => self.step_problem(subject, path, id, span),
            ("inputs" | "objectives" | "run" | "steps" | "vars", _) => None,
            (root, _) => {
                let names = "names are `inputs`, `objectives`, `run`, `steps`, and `item` within `for_each`";
                let is_step = subject.by_id.contains_key(root);
                let outputs = is_step.then(|| format!("what step `{root}` gave is `steps.{root}.outputs.NAME`"));
                Some(outputs.into_iter().fold(unknown(&subject.patience, path, span).note(names), Diagnostic::note))
            }
        }
    }

    /// An approval binds to what was shown: what differs from one look to the next would void it each time.
    fn now_problem(&self, subject: &Subject<'_>, path: &Path, span: Span) -> Option<Diagnostic> {
        let step = self.step.map(|step| subject.step(step));
        if step.is_some_and(|step| step.approval.is_none()) {
            return None;
        }
        let name = path.parts.get(1).map_or("now", String::as_str);
        let message = format!(
            "`run.{name}` cannot stand in a title, or in a step with `approval`: it differs each time it is read"
        );
        let note = "what is approved must stay as it was shown; a notice's template may read it";
        Some(Diagnostic::error("reference", span, message).note(note))
    }

    fn step_problem(&self, subject: &Subject<'_>, path: &Path, id: &str, span: Span) -> Option<Diagnostic> {
        let Some(index) = subject.by_id.get(id).copied() else {
            let diagnostic = Diagnostic::error("reference", span, format!("unknown step `{id}`"));
            return Some(subject.similar(meant(&subject.patience, diagnostic, path, 1, subject.ids())));
        };
        let read = subject.step(index);
        if let Some(problem) = self.order_problem(subject, index, read, span) {
            return Some(problem);
        }
        match path.parts.get(2).map(String::as_str) {
            None | Some("status") => None,
            Some("outputs") => self.output_problem(subject, path, read, span),
            Some(other) => {
                let message = format!("`steps.{id}` has `outputs` and `status`, not `{other}`");
                Some(meant(
                    &subject.patience,
                    Diagnostic::error("reference", span, message),
                    path,
                    2,
                    ["outputs", "status"],
                ))
            }
        }
    }

    fn order_problem(&self, subject: &Subject<'_>, index: StepIndex, read: &Step, span: Span) -> Option<Diagnostic> {
        let reader = self.step?;
        let (own, id) = (subject.step(reader), &read.id.value);
        if reader == index {
            let message = format!("`{id}` reads its own outputs before it has run");
            return (!self.may_read_itself).then(|| Diagnostic::error("reference", span, message));
        }
        // Most read what they need, which is cheaper to see than all they wait for.
        if own.run_if != RunIf::Success || subject.graph.needs(reader).contains(&index) {
            return None;
        }
        let in_time = (read.phase as usize) < subject.phases_before(reader) && read.run_if == RunIf::Success;
        if in_time || subject.graph.ancestors(reader).binary_search(&index).is_ok() {
            return None;
        }
        let message = format!("`{}` reads `{id}` without waiting for it", own.id.value);
        let note = format!("add `{id}` to its `needs`");
        let diagnostic = Diagnostic::error("reference", span, message).other(read.id.span, "defined here");
        Some(if read.phase <= own.phase {
            diagnostic.note(note)
        } else {
            diagnostic.note(format!("{} comes after {}", read.phase, own.phase))
        })
    }

    fn output_problem(&self, subject: &Subject<'_>, path: &Path, read: &Step, span: Span) -> Option<Diagnostic> {
        let id = &read.id.value;
        let name = path.parts.get(3)?;
        if read.for_each.is_none() {
            let known = subject.outputs(read)?;
            if !known.iter().any(|(known, _)| known == name) {
                let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
                let message = format!("step `{id}` has no output `{name}`");
                let note = match names.as_slice() {
                    [] if is_call(read) => "the runbook it calls has no `outputs`".to_owned(),
                    [] => "it has no outputs; declare them with `outputs: { NAME: TYPE }`".to_owned(),
                    names => format!("it has {}", listed(names.iter().copied())),
                };
                return Some(meant(
                    &subject.patience,
                    Diagnostic::error("reference", span, message).note(note),
                    path,
                    3,
                    names,
                ));
            }
            let deeper = path.parts.len() > 4;
            let kind = known.iter().find(|(known, _)| known == name).map(|(_, kind)| kind);
            let plain = [Type::String, Type::Int, Type::Number, Type::Bool, Type::Duration];
            if deeper && kind.is_some_and(|kind| plain.contains(kind)) {
                let message = format!("output `{name}` of `{id}` is {}, which has nothing inside", kind?);
                return Some(Diagnostic::error("reference", span, message));
            }
        }
        may_be_missing::problem(subject, self.step, read, path, span)
    }
}

/// What is wrong with a name of a template, whichever step sends it.
pub(super) fn problem_of_template(path: &Path, span: Span, patience: &Patience) -> Option<Diagnostic> {
    let names =
        "names are `vars`, which the step gives, `inputs`, `objectives`, `run`, `steps`, and `item` within `for_each`";
    is_nowhere(path).then(|| match path.parts[0].as_str() {
        "run" => unknown(patience, path, span),
        _ => unknown(patience, path, span).note(names),
    })
}

/// Whether no step has that name, wherever it stands.
pub(super) fn is_nowhere(path: &Path) -> bool {
    match path.parts[0].as_str() {
        "run" => path.parts.get(1).is_some_and(|field| !RUN.contains(&field.as_str())),
        root => !ROOTS.contains(&root),
    }
}

/// A name that nothing has, or a field that no run has.
fn unknown(patience: &Patience, path: &Path, span: Span) -> Diagnostic {
    match path.parts[0].as_str() {
        "run" => among(patience, ("`run` field", path), RUN.into_iter(), span),
        root => {
            let diagnostic = Diagnostic::error("reference", span, format!("unknown name `{root}`"));
            meant(patience, diagnostic, path, 0, ROOTS)
        }
    }
}

fn is_secret(subject: &Subject<'_>, input: &str) -> bool {
    subject.inputs.get(input).is_some_and(|input| input.kind == Type::Secret)
}

fn no_item(is_for_each: bool, span: Span) -> Diagnostic {
    let message = match is_for_each {
        true => "`item` has no value here: the items are asked for, and listed, as one",
        false => "`item` is there only in a step with `for_each`",
    };
    Diagnostic::error("reference", span, message)
}

/// A name that is not among those that there are.
fn among<'a>(
    patience: &Patience,
    (what, path): (&str, &Path),
    known: impl ExactSizeIterator<Item = &'a str> + Clone,
    span: Span,
) -> Diagnostic {
    let message = format!("{what} `{}` does not exist", path.parts[1]);
    let note = match known.len() {
        0 => "there is none".to_owned(),
        _ => format!("those that exist: {}", listed(known.clone())),
    };
    meant(patience, Diagnostic::error("reference", span, message).note(note), path, 1, known)
}

/// With "did you mean" for one part of the path: the fix is the whole path, as that is what is pointed at.
fn meant<'a>(
    patience: &Patience,
    diagnostic: Diagnostic,
    path: &Path,
    part: usize,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    let Some(meant) = Fix::meant(diagnostic.primary, &path.parts[part], patience.with(candidates)) else {
        return diagnostic;
    };
    let mut parts: Vec<&str> = path.parts.iter().map(String::as_str).collect();
    parts[part] = &meant.replacement;
    let replacement = parts.join(".");
    // `steps["check"]` is not written with dots.
    let safe = meant.safe && (diagnostic.primary.end - diagnostic.primary.start) as usize == path.dotted().len();
    diagnostic.fix(Fix { replacement, safe, ..meant })
}
