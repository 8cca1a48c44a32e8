//! Renders notices without sending them: with the values of a run, or with names that stand for themselves.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::surroundings::Surroundings;
use super::view::Run;
use crate::diag::{Format, Severity, render};
use crate::engine::event::Event;
use crate::engine::{NodeScope, State};
use crate::error::{Error, Exit};
use crate::plan::{Message, StepIndex, Template, Templates, message, variant};
use crate::report::notice::Preview;
use crate::runbook::expr::{Path as Name, Scope, Undefined};
use crate::runbook::workspace::{Audience, Workspace};

/// What is to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'w> {
    /// The template; all, if there is none.
    pub template: Option<&'w str>,
    /// The audience, instead of the template's.
    pub audience: Option<&'w str>,
    /// The language, instead of the audience's.
    pub language: Option<&'w str>,
    /// `vars` that are given.
    pub vars: &'w Map<String, Value>,
}

/// Renders templates of a workspace. Names that only a run knows stand as themselves.
///
/// # Errors
/// A template cannot be read, there is none of that name, or Tera refuses its values.
pub fn notices(workspace: &Path, wanted: Wanted<'_>) -> Result<Vec<Preview>, Error> {
    let surroundings = Surroundings::read(workspace).map_err(|error| Error::usage(error.to_string()))?;
    let errors: Vec<_> =
        surroundings.found.iter().filter(|finding| finding.severity == Severity::Error).cloned().collect();
    if !errors.is_empty() {
        return Err(Error::new(Exit::Invalid, render(&errors, &surroundings.sources, Format::Human, false)));
    }
    let desk = Desk { workspace: &surroundings.workspace, templates: &surroundings.templates, wanted, run: None };
    match wanted.template {
        Some(name) => Ok(vec![desk.preview(name, wanted.language, None)?]),
        None => surroundings.templates.keys().map(|name| desk.one_of_all(name)).collect(),
    }
}

/// Renders what a run sent, or would send now: as it is in the journal where it was sent, else with what is known by now.
///
/// # Errors
/// No step of the run sends the template, or Tera refuses its values.
pub fn notices_of(run: &Run, wanted: Wanted<'_>) -> Result<Vec<Preview>, Error> {
    let state = run.state(&run.plan)?;
    let (workspace, templates) = (&run.plan.workspace, &run.plan.templates);
    let desk = Desk { workspace, templates, wanted, run: Some((run, &state)) };
    let mut shown = Vec::new();
    for (index, step) in run.plan.steps() {
        let action = &step.action;
        let sends = action.with.value.entry("template").and_then(|name| name.plain()?.as_str().map(str::to_owned));
        let Some(name) = sends.filter(|_| action.name.value == "notify") else { continue };
        if wanted.template.is_none_or(|wanted| wanted == name) {
            let language = wanted.language;
            let sent = desk.sent(index).filter(|_| language.is_none() && wanted.audience.is_none());
            shown.push(sent.map_or_else(|| desk.preview(&name, language, Some(index)), Ok)?);
        }
    }
    shown.dedup();
    match wanted.template {
        _ if !shown.is_empty() => Ok(shown),
        Some(name) => Err(Error::usage(format!("no step of run `{}` sends the template `{name}`", run.id()))),
        None => Err(Error::usage(format!("no step of run `{}` sends a notice", run.id()))),
    }
}

/// Where notices are written.
struct Desk<'d> {
    workspace: &'d Workspace,
    templates: &'d Templates,
    wanted: Wanted<'d>,
    run: Option<(&'d Run, &'d State)>,
}

impl Desk<'_> {
    /// A template among all: a variant is shown as one.
    fn one_of_all(&self, name: &str) -> Result<Preview, Error> {
        match name.split_once('.') {
            Some((base, language)) => self.preview(base, Some(language), None),
            None => self.preview(name, self.wanted.language, None),
        }
    }

    fn preview(&self, name: &str, language: Option<&str>, step: Option<StepIndex>) -> Result<Preview, Error> {
        let template = self.templates.get(name).and_then(Option::as_ref).ok_or_else(|| self.missing(name))?;
        let of_step = step.and_then(|step| self.given(step, "audience")?.as_str().map(str::to_owned));
        let of_template = template.audience.as_ref().map(|audience| audience.value.clone());
        let audience = self.wanted.audience.map(str::to_owned).or(of_step).or(of_template);
        let mut told = match &audience {
            Some(name) => self.audience(name)?.clone(),
            None => Audience::default(),
        };
        told.language = language.map(str::to_owned).or(told.language);
        let said = variant(self.templates, name, told.language.as_deref()).unwrap_or(template);
        let known = self.known(step, said);
        let scope = StandIns { names: said.reads().map(|(path, _)| path).collect(), known };
        let message = message(self.templates, name, &scope, (&told, true))
            .map_err(|undefined| Error::new(Exit::Invalid, format!("template `{name}`: {undefined}")))?;
        let channels = template.channels_of(self.workspace, &told);
        Ok(Preview {
            name: name.to_owned(),
            language: told.language.clone().filter(|_| !std::ptr::eq(said, template)),
            channels: channels.map(|(name, channel)| (name.to_owned(), channel.kind.to_owned())).collect(),
            only_theirs: self.wanted.audience.is_some(),
            audience,
            message,
        })
    }

    fn missing(&self, name: &str) -> Error {
        let message = format!("no template is called `{name}`");
        match crate::diag::closest(name, self.templates.keys().map(String::as_str)) {
            Some(meant) => Error::usage(format!("{message}; did you mean `{meant}`?")),
            None => Error::usage(message),
        }
    }

    fn audience(&self, name: &str) -> Result<&Audience, Error> {
        self.workspace.audiences.get(name).ok_or_else(|| {
            let known: Vec<String> = self.workspace.audiences.keys().map(|name| format!("`{name}`")).collect();
            Error::usage(format!("`drctl.yaml` has no audience `{name}`; it has {}", known.join(", ")))
        })
    }

    /// What is known for certain: the values of the run, then the variables that a person gives.
    fn known(&self, step: Option<StepIndex>, said: &Template) -> Value {
        let mut known = json!({});
        if let Some(((run, state), step)) = self.run.zip(step)
            && let Some(node) = state.nodes_of(&run.plan, step).next()
        {
            let head = run.head();
            let scope = NodeScope::of(&run.plan, state, node).at(run.last_at()).resting_on(&head);
            for path in said.reads().map(|(path, _)| path).filter(|path| path.parts[0] != "vars") {
                let value = match (path.parts[0].as_str(), path.parts.get(1)) {
                    ("steps", Some(id)) => {
                        let step = scope.step(id).and_then(Result::ok);
                        step.map(|step| json!({ "steps": { id: serde_json::to_value(&step).unwrap_or_default() } }))
                    }
                    (root, _) => {
                        let root_value = scope.root(root);
                        root_value.map(|value| json!({ root: serde_json::to_value(&value).unwrap_or_default() }))
                    }
                };
                lay(&mut known, value.unwrap_or_default());
            }
            let vars = step_vars(run, state, step);
            lay(&mut known, json!({ "vars": vars }));
        }
        lay(&mut known, json!({ "vars": self.wanted.vars }));
        known
    }

    /// A parameter of a step, as far as it is known.
    fn given(&self, step: StepIndex, name: &str) -> Option<Value> {
        let (run, state) = self.run?;
        let node = state.nodes_of(&run.plan, step).next()?;
        let scope = NodeScope::of(&run.plan, state, node);
        let value = run.plan.step(step).action.with.value.entry(name)?;
        Some(run.plan.expressions(step).render(&value, &scope).ok()?.shown())
    }

    /// What the step sent last, by the journal.
    fn sent(&self, step: StepIndex) -> Option<Preview> {
        let (run, state) = self.run?;
        let intent = run.records.iter().rev().find_map(|record| match &record.event {
            Event::Intent(intent) if intent.action == "notify" => {
                let node = state.find(&run.plan, &intent.step.0)?;
                (state.node(node).step == step).then_some(intent)
            }
            _ => None,
        })?;
        let message = Message::from_json(intent.with.get("message")?)?;
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let channels = intent.with.get("channels").and_then(Value::as_array).into_iter().flatten();
        Some(Preview {
            name: text(&intent.with, "template")?,
            audience: text(&intent.with, "audience"),
            language: None,
            only_theirs: false,
            channels: channels.filter_map(|channel| Some((text(channel, "name")?, text(channel, "type")?))).collect(),
            message,
        })
    }
}

/// The variables that a step gives, as far as they are known.
fn step_vars(run: &Run, state: &State, step: StepIndex) -> Map<String, Value> {
    let Some(node) = state.nodes_of(&run.plan, step).next() else { return Map::new() };
    let head = run.head();
    let scope = NodeScope::of(&run.plan, state, node).at(run.last_at()).resting_on(&head);
    let vars = run.plan.step(step).action.with.value.entry("vars");
    let (plain, further) = match vars.as_deref() {
        Some(crate::runbook::expr::Templated::Map(entries)) => (Map::new(), entries.as_slice()),
        Some(other) => (other.plain().and_then(Value::as_object).cloned().unwrap_or_default(), &[][..]),
        None => (Map::new(), &[][..]),
    };
    let rendered = further.iter().filter_map(|(name, value)| {
        let value = run.plan.expressions(step).render(value, &scope).ok()?.shown();
        Some((name.clone(), value))
    });
    plain.into_iter().chain(rendered).collect()
}

/// Lays what is known over what stands in: mappings entry by entry.
fn lay(under: &mut Value, over: Value) {
    match (under, over) {
        (_, Value::Null) => {}
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                lay(under.entry(name).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

/// Every name stands for itself, in brackets, unless its value is known.
struct StandIns<'n> {
    names: Vec<&'n Name>,
    known: Value,
}

impl StandIns<'_> {
    fn tree(&self, root: &str) -> Value {
        let mut inner = self.names.iter().filter(|path| path.parts[0] == root && path.parts.len() > 1).peekable();
        // What is read as a whole has what is known of it; of an item, nothing is.
        let mut tree = if root == "item" && inner.peek().is_none() { json!("[item]") } else { json!({}) };
        for path in inner {
            let mut at = &mut tree;
            for part in &path.parts[1..path.parts.len() - 1] {
                at = match at {
                    Value::Object(entries) => entries.entry(part.clone()).or_insert_with(|| json!({})),
                    other => other,
                };
            }
            let last = path.parts.last().cloned().unwrap_or_default();
            if let Value::Object(entries) = at {
                entries.entry(last).or_insert_with(|| Value::String(format!("[{}]", path.dotted())));
            }
        }
        if let ("run", Value::Object(entries)) = (root, &mut tree) {
            let failure = json!({ "step": "[step]", "state": "[state]", "reason": "[reason]" });
            entries.insert("failed".to_owned(), json!([failure]));
        }
        lay(&mut tree, self.known.get(root).cloned().unwrap_or_default());
        tree
    }
}

impl Scope for StandIns<'_> {
    fn root(&self, name: &str) -> Option<tera::Value> {
        tera::Value::try_from_serializable(&self.tree(name)).ok()
    }

    fn step(&self, id: &str) -> Option<Result<tera::Value, Undefined>> {
        let tree = self.tree("steps");
        tera::Value::try_from_serializable(tree.get(id)?).ok().map(Ok)
    }
}
