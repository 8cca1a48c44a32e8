//! Compiles expressions and notices with Tera, and evaluates them to typed values.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tera::{Context, Kwargs, State, Tera};

use super::scan::{self, Scan};
use super::strict::{self, ROUND, THERE};
use super::{ExprId, Part, Rendered, Segment, Templated};
use crate::diag::{MOST_FOUND, Span};

/// The most rounds that the loops of a notice make in all: those that print nothing end, too.
const MOST_ROUNDS: usize = 10_000;
/// The most different expressions of a file: each takes kilobytes, and what people write needs far fewer.
const MOST_DIFFERENT: usize = 20_000;
const CAPTURE: &str = "drctl_capture__";
const PREFIX: &str = "{{ (";

thread_local! {
    static CAPTURED: RefCell<Option<tera::Value>> = const { RefCell::new(None) };
    /// The rounds that the notice being rendered has made.
    pub(super) static ROUNDS: Cell<usize> = const { Cell::new(0) };
}

/// What the names in an expression stand for.
pub trait Scope {
    /// The value of a root other than `steps`: `inputs`, `objectives`, `run`, `item`, `vars`.
    fn root(&self, name: &str) -> Option<tera::Value>;
    /// `steps.<id>`: its `status` and `outputs`. `Err` says that they are unknown in this dry run.
    fn step(&self, id: &str) -> Option<Result<tera::Value, Undefined>>;
    /// Whether a root other than `steps`, or its entry of that name, is not known before the run, or in this dry run.
    fn is_unknown(&self, _root: &str, _name: Option<&str>) -> bool {
        false
    }
    /// What the secret input of that name is called in the run.
    fn secret(&self, name: &str) -> String {
        name.to_owned()
    }
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undefined {
    /// It touches something that a dry run cannot know: the name.
    #[error("`{0}` is not known before the run")]
    Unknown(String),
    /// It is wrong for the values it met.
    #[error("{0}")]
    Wrong(String),
}

/// An expression of a runbook.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// As written, without the braces.
    pub text: Box<str>,
    /// Where it stands.
    pub span: Span,
    /// What it reads.
    pub scan: Box<Scan>,
}

/// The expressions of a runbook.
#[derive(Debug, Default)]
pub struct Expressions {
    list: Vec<Compiled>,
    interned: BTreeMap<Box<str>, usize>,
    template: Vec<usize>,
    /// Stands for all that are too many.
    beyond: Option<ExprId>,
    /// None before they are compiled, or where one of them is refused.
    tera: Option<Tera>,
}

/// A problem Tera found in an expression: which, what, and where in its text.
pub(crate) type Problem = (ExprId, String, usize, usize);

impl Expressions {
    /// Adds an expression; [`Self::compile`] judges it.
    pub fn add(&mut self, text: &str, span: Span) -> ExprId {
        let next = self.interned.len();
        let is_beyond = next >= MOST_DIFFERENT && !self.interned.contains_key(text);
        if let Some(beyond) = self.beyond.filter(|_| is_beyond) {
            return beyond;
        }
        if is_beyond {
            self.beyond = Some(ExprId(u32::try_from(self.list.len()).unwrap_or(u32::MAX)));
        }
        self.template.push(*self.interned.entry(text.into()).or_insert(next));
        self.list.push(Compiled { text: text.into(), span, scan: Box::new(scan::expression(text)) });
        ExprId(u32::try_from(self.list.len() - 1).unwrap_or(u32::MAX))
    }

    /// The expression of that id.
    #[must_use]
    pub fn get(&self, id: ExprId) -> &Compiled {
        &self.list[id.0 as usize]
    }

    /// Every expression, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (ExprId, &Compiled)> {
        (0..).map(ExprId).zip(&self.list)
    }

    /// Compiles all expressions; what Tera refuses.
    pub fn compile(&mut self) -> Vec<Problem> {
        if let Some(beyond) = self.beyond {
            let message = format!("this is one of more than {MOST_DIFFERENT} different expressions: none is compiled");
            return vec![(beyond, message, 0, self.get(beyond).text.len())];
        }
        let wrapped: Vec<(String, String)> =
            self.interned.iter().map(|(text, index)| (index.to_string(), wrap(&strict::expression(text)))).collect();
        let mut tera = engine();
        if tera.add_raw_templates(borrowed(&wrapped)).is_ok() {
            self.tera = Some(tera);
            return Vec::new();
        }
        // One bad expression fails the whole batch.
        let mut bad = BTreeSet::new();
        refused(&wrapped, &mut bad);
        let is_bad = |expression: &Compiled| bad.contains(&self.interned[&expression.text].to_string());
        let suspects = self.iter().filter(|(_, expression)| is_bad(expression)).take(MOST_FOUND);
        suspects.filter_map(|(id, expression)| judge(id, &expression.text)).collect()
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// [`Undefined`], where a name has no value or an operation does not fit the values.
    pub fn evaluate(&self, id: ExprId, scope: &dyn Scope) -> Result<Value, Undefined> {
        let value = self.value(id, scope)?;
        serde_json::to_value(&value).map_err(|error| Undefined::Wrong(error.to_string()))
    }

    fn value(&self, id: ExprId, scope: &dyn Scope) -> Result<tera::Value, Undefined> {
        let expression = self.get(id);
        let context = context(&expression.scan, scope)?;
        CAPTURED.with_borrow_mut(Option::take);
        let wrong = |why: &str| Undefined::Wrong(format!("`{}`: {why}", expression.text));
        let tera = self.tera.as_ref().ok_or_else(|| wrong("it was refused"))?;
        tera.render(&self.template[id.0 as usize].to_string(), &context).map_err(|error| wrong(&reason(&error)))?;
        CAPTURED
            .with_borrow_mut(Option::take)
            .ok_or_else(|| Undefined::Wrong(format!("`{}` has no value", expression.text)))
    }

    /// Evaluates a condition, which must be a bool.
    ///
    /// # Errors
    /// As [`Self::evaluate`]; also when the value is no bool.
    pub fn condition(&self, id: ExprId, scope: &dyn Scope) -> Result<bool, Undefined> {
        let value = self.evaluate(id, scope)?;
        value.as_bool().ok_or_else(|| {
            let found = crate::catalogue::found(&value);
            Undefined::Wrong(format!("`{}`: wanted a bool, found {found}", self.get(id).text))
        })
    }

    /// Renders a value; secrets stay references.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn render(&self, value: &Templated, scope: &dyn Scope) -> Result<Rendered, Undefined> {
        Ok(match value {
            Templated::Plain(value) => Rendered::Plain(value.clone()),
            Templated::Expression(id) => Rendered::Plain(self.evaluate(*id, scope)?),
            Templated::Secret(name) => Rendered::Text(vec![Part::Secret(scope.secret(name))]),
            Templated::Text(segments) => self.text(segments, scope)?,
            Templated::List(items) => {
                list(items.iter().map(|item| self.render(item, scope)).collect::<Result<_, _>>()?)
            }
            Templated::Map(entries) => map(entries
                .iter()
                .map(|(key, item)| Ok((key.clone(), self.render(item, scope)?)))
                .collect::<Result<_, Undefined>>()?),
        })
    }

    fn text(&self, segments: &[Segment], scope: &dyn Scope) -> Result<Rendered, Undefined> {
        let mut parts: Vec<Part> = Vec::new();
        for segment in segments {
            let text = match segment {
                Segment::Text(text) => text.clone(),
                Segment::Expression(id) => self.value(*id, scope)?.to_string(),
                Segment::Secret(name) => {
                    parts.push(Part::Secret(scope.secret(name)));
                    continue;
                }
            };
            match parts.last_mut() {
                Some(Part::Text(before)) => before.push_str(&text),
                _ => parts.push(Part::Text(text)),
            }
        }
        Ok(match parts.as_mut_slice() {
            [] => Rendered::Plain(Value::String(String::new())),
            [Part::Text(text)] => Rendered::Plain(Value::String(std::mem::take(text))),
            _ => Rendered::Text(parts),
        })
    }
}

fn list(items: Vec<Rendered>) -> Rendered {
    if items.iter().all(|item| matches!(item, Rendered::Plain(_))) {
        let rendered = Rendered::List(items);
        return Rendered::Plain(rendered.shown());
    }
    Rendered::List(items)
}

fn map(entries: Vec<(String, Rendered)>) -> Rendered {
    if entries.iter().all(|(_, item)| matches!(item, Rendered::Plain(_))) {
        let rendered = Rendered::Map(entries);
        return Rendered::Plain(rendered.shown());
    }
    Rendered::Map(entries)
}

/// Only what the text reads goes into the context, so that its cost does not grow with the runbook.
pub(super) fn context(scan: &Scan, scope: &dyn Scope) -> Result<Context, Undefined> {
    let mut context = Context::new();
    let mut steps: BTreeMap<String, tera::Value> = BTreeMap::new();
    for path in &scan.paths {
        let root = path.parts[0].as_str();
        if root == "steps" {
            let Some(id) = path.parts.get(1) else { continue };
            if let Some(step) = scope.step(id)
                && !steps.contains_key(id)
            {
                steps.insert(id.clone(), step?);
            }
        } else if scope.is_unknown(root, path.parts.get(1).map(String::as_str)) {
            return Err(Undefined::Unknown(path.dotted()));
        } else if let Some(value) = scope.root(root) {
            context.insert_value(root.to_owned(), value);
        }
    }
    context.insert_value("steps", steps.into());
    Ok(context)
}

fn wrap(text: &str) -> String {
    format!("{PREFIX}{text}) | {CAPTURE} }}}}")
}

fn borrowed(batch: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    batch.iter().map(|(name, text)| (name.as_str(), text.as_str()))
}

/// The names of those that Tera refuses, as many as are told: where a batch is refused, each half is asked for by itself.
fn refused(batch: &[(String, String)], bad: &mut BTreeSet<String>) {
    if bad.len() >= MOST_FOUND || engine().add_raw_templates(borrowed(batch)).is_ok() {
        return;
    }
    match batch {
        [(name, _)] => drop(bad.insert(name.clone())),
        _ => {
            let (first, second) = batch.split_at(batch.len() / 2);
            refused(first, bad);
            refused(second, bad);
        }
    }
}

/// As written, so that what Tera says is of the text people know; what only ours breaks is too long or too deep.
fn judge(id: ExprId, text: &str) -> Option<Problem> {
    let refused = |text: &str| engine().add_raw_template("expression", &wrap(text)).err();
    if let Some(error) = refused(text) {
        let (message, from, to) = place(&error, PREFIX.len(), text);
        return Some((id, message, from, to));
    }
    let error = refused(&strict::expression(text))?;
    Some((id, reason(&error), 0, text.len()))
}

pub(super) fn engine() -> Tera {
    let mut tera = Tera::default();
    tera.register_filter(CAPTURE, |value: tera::Value, _: Kwargs, _: &State<'_>| -> tera::TeraResult<&'static str> {
        if value.is_undefined() {
            return Err(tera::Error::message("a name in it has no value"));
        }
        CAPTURED.with_borrow_mut(|captured| *captured = Some(value));
        Ok("")
    });
    tera.register_filter(THERE, |value: tera::Value, kwargs: Kwargs, _: &State<'_>| -> tera::TeraResult<tera::Value> {
        if value.is_undefined() {
            let name: String = kwargs.must_get("name")?;
            return Err(tera::Error::message(format!("`{name}` has no value")));
        }
        Ok(value)
    });
    tera.register_function(ROUND, |_: Kwargs, _: &State<'_>| -> tera::TeraResult<&'static str> {
        ROUNDS.set(ROUNDS.get() + 1);
        if ROUNDS.get() > MOST_ROUNDS {
            return Err(tera::Error::message(format!("its loops make more than {MOST_ROUNDS} rounds")));
        }
        Ok("")
    });
    tera.autoescape_on(Vec::<String>::new());
    tera
}

/// Tera's message in our words, and where it points, moved back by the `prefix` that is ours and clamped to the text.
pub(super) fn place(error: &tera::Error, prefix: usize, text: &str) -> (String, usize, usize) {
    use tera::ErrorKind::{RenderingError, SyntaxError};
    match error.kind() {
        SyntaxError(report) | RenderingError(report) => {
            let range = report.span().range.clone();
            let from = range.start.saturating_sub(prefix).min(text.len());
            let message = in_words(report.message(), prefix > 0 && from == text.len());
            (message, from, range.end.saturating_sub(prefix).clamp(from, text.len()))
        }
        _ => {
            let message = reason(error);
            let named = message.split('`').nth(1).and_then(|name| Some((text.find(name)?, name.len())));
            let (from, length) = named.unwrap_or((0, text.len()));
            (message, from, from + length)
        }
    }
}

/// The sentence of an error, without the picture Tera draws around it.
pub(super) fn reason(error: &tera::Error) -> String {
    use tera::ErrorKind::{RenderingError, SyntaxError};
    match error.kind() {
        SyntaxError(report) | RenderingError(report) => in_words(report.message(), false),
        _ => in_words(error.to_string().lines().next().unwrap_or_default(), false),
    }
}

/// Tera's sentence as ours are: what was wanted, what was found. At the end of an expression of a runbook, Tera
/// finds what we put behind it, which means nothing to people.
fn in_words(message: &str, at_end: bool) -> String {
    let message = message.trim_start_matches("error: ").trim_end_matches('.');
    let Some((found, wanted)) = message.strip_prefix("Found ").and_then(|rest| rest.split_once(" but expected "))
    else {
        let mut rest = message.chars();
        return rest.next().map_or_else(String::new, |first| first.to_lowercase().chain(rest).collect());
    };
    match (found, wanted) {
        _ if at_end => "the expression ends too early: wanted a value behind its last sign".to_owned(),
        ("`=`", _) => "found `=`: to compare, write `==`".to_owned(),
        (_, ")") => format!("wanted an operator or the end of the expression, found {found}"),
        _ => format!("wanted {wanted}, found {found}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    struct Fixed;

    impl Scope for Fixed {
        fn root(&self, name: &str) -> Option<tera::Value> {
            (name == "inputs").then(|| tera::Value::from_serializable(&json!({ "n": 3, "name": "orders", "on": true })))
        }
        fn step(&self, id: &str) -> Option<Result<tera::Value, Undefined>> {
            match id {
                "lag" => Some(Ok(tera::Value::from_serializable(
                    &json!({ "outputs": { "seconds": 12.5 }, "status": "succeeded" }),
                ))),
                "later" => Some(Err(Undefined::Unknown("steps.later".to_owned()))),
                _ => None,
            }
        }
    }

    fn value(text: &str) -> Result<Value, Undefined> {
        let mut expressions = Expressions::default();
        let id = expressions.add(text, Span::default());
        assert_eq!(expressions.compile(), []);
        expressions.evaluate(id, &Fixed)
    }

    #[test]
    fn a_value_keeps_its_type() {
        assert_eq!(value("inputs.n"), Ok(json!(3)));
        assert_eq!(value("inputs.n < steps.lag.outputs.seconds and inputs.on"), Ok(json!(true)));
        assert_eq!(value("[inputs.name, 1]"), Ok(json!(["orders", 1])));
        assert_eq!(value("steps.lag.outputs.none | default(value='unknown')"), Ok(json!("unknown")));
    }

    #[test]
    fn an_undefined_name_is_an_error_and_an_unknown_one_says_so() {
        assert!(matches!(value("inputs.m"), Err(Undefined::Wrong(_))), "{:?}", value("inputs.m"));
        assert!(matches!(value("missing"), Err(Undefined::Wrong(_))));
        assert_eq!(value("steps.later.outputs.x"), Err(Undefined::Unknown("steps.later".to_owned())));
        assert!(matches!(value("inputs.n < inputs.name"), Err(Undefined::Wrong(_))));
    }

    #[test]
    fn a_name_without_a_value_is_an_error_wherever_it_stands() {
        let refused = |text: &str, name: &str| {
            let wanted = Err(Undefined::Wrong(format!("`{text}`: `{name}` has no value")));
            assert_eq!(value(text), wanted);
        };
        refused("steps.lag.outputs.role == 'primary'", "steps.lag.outputs.role");
        refused("steps.lag.outputs.role != 'standby'", "steps.lag.outputs.role");
        refused("not steps.lag.outputs.role", "steps.lag.outputs.role");
        refused("inputs.name == 'x' or inputs['m'] ~ 'q' == ''", "inputs['m']");
        refused("[1, 2][inputs.n] != 3", "[1, 2][inputs.n]");
        refused("'b' in [inputs.m]", "inputs.m");
        assert_eq!(value("inputs.m is defined and inputs.m.x == 1"), Ok(json!(false)));
        assert_eq!(value("(inputs.m) | default(value=inputs.n) == 3"), Ok(json!(true)));
        assert_eq!(value("inputs.name == 'orders' or inputs.m"), Ok(json!(true)));
    }

    #[test]
    fn what_tera_refuses_is_named_with_its_place() {
        let mut expressions = Expressions::default();
        expressions.add("inputs.n", Span::default());
        expressions.add("inputs.n |", Span::default());
        expressions.add("inputs.n | nofilter", Span::default());
        let problems = expressions.compile();
        assert_eq!(problems.iter().map(|problem| problem.0).collect::<Vec<_>>(), [ExprId(1), ExprId(2)]);
    }

    #[test]
    fn text_around_secrets_keeps_them_as_references() {
        let mut expressions = Expressions::default();
        let id = expressions.add("inputs.name", Span::default());
        assert_eq!(expressions.compile(), []);
        let text = Templated::Text(vec![
            Segment::Expression(id),
            Segment::Text(": ".to_owned()),
            Segment::Secret("token".to_owned()),
        ]);
        let rendered = expressions.render(&text, &Fixed);
        assert_eq!(rendered.as_ref().map(Rendered::shown), Ok(json!("orders: <secret token>")));
        assert_eq!(rendered.map(|value| value.resolve(&|_| "s3".to_owned())), Ok(json!("orders: s3")));
    }
}
