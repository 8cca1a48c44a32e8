//! Reads the tree of a YAML file into values: collects every problem, never stops at the first.
//!
//! Knows the shapes of the language's fields, not their meaning.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::expr::{Expressions, Segment, Templated, scan};
use super::fields::{LanguageField, Shape};
use super::source::{Document, Node, NodeId};
use crate::catalogue::HumanDuration;
use crate::diag::{Diagnostic, MOST_FOUND, Span, Spanned};

/// The longest expression that is read, in bytes.
const LONGEST_EXPRESSION: usize = 64 << 10;

/// The fields that a mapping may have.
type Table = &'static [LanguageField];

/// The fields that a mapping may have, by what its `type` is.
type Kinds = &'static [(&'static str, Table)];

/// Reads one document.
pub(crate) struct Decoder<'d> {
    pub(crate) document: &'d Document,
    pub(crate) found: Vec<Diagnostic>,
    pub(crate) expressions: Expressions,
    /// The inputs that are secret: known before any value that may name them is read.
    pub(crate) secrets: BTreeSet<String>,
}

/// The fields of one mapping, checked against their table.
pub(crate) struct Fields<'d> {
    table: &'static [LanguageField],
    entries: Vec<(&'d str, NodeId)>,
}

impl Fields<'_> {
    pub(crate) fn get(&self, name: &str) -> Option<NodeId> {
        debug_assert!(self.table.iter().any(|field| field.name == name), "`{name}` is not in the table");
        self.entries.iter().find(|(key, _)| *key == name).map(|(_, node)| *node)
    }

    fn words(&self, name: &str) -> &'static [&'static str] {
        match self.table.iter().find(|field| field.name == name).map(|field| field.shape) {
            Some(Shape::Words(words)) => words,
            _ => &[],
        }
    }
}

impl<'d> Decoder<'d> {
    pub(crate) fn new(document: &'d Document) -> Self {
        Self { document, found: Vec::new(), expressions: Expressions::default(), secrets: BTreeSet::new() }
    }

    pub(crate) fn span(&self, node: NodeId) -> Span {
        self.document.span(node)
    }

    /// Keeps a finding, until there are so many that nobody would read the next.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        match self.found.len() {
            0..MOST_FOUND => self.found.push(diagnostic),
            MOST_FOUND => {
                let message = "more is wrong with this file: mend what is told first";
                self.found.push(Diagnostic::error("too-many", diagnostic.primary, message));
            }
            _ => {}
        }
    }

    /// As [`Self::report`], with "did you mean", which is looked for as long as somebody may read it.
    fn report_near<'a>(&mut self, diagnostic: Diagnostic, found: &str, names: impl IntoIterator<Item = &'a str>) {
        let told = if self.found.len() < MOST_FOUND { diagnostic.suggest(found, names) } else { diagnostic };
        self.report(told);
    }

    fn wanted(&mut self, node: NodeId, wanted: &str) {
        let found = describe(self.document.get(node));
        let mut diagnostic = Diagnostic::error("type", self.span(node), format!("wanted {wanted}, found {found}"));
        if wanted.contains("true") && self.document.looks_like_old_bool(node) {
            diagnostic = diagnostic.note("YAML 1.2 booleans are `true` and `false`");
        }
        if ["a list of names", "a list of strings"].contains(&wanted)
            && let Some(text) = self.document.scalar_text(node).filter(|text| text.len() <= 64)
        {
            diagnostic = diagnostic.note(format!("a list of one is `[{text}]`"));
        }
        self.report(diagnostic);
    }

    /// The entries of a mapping; its keys are text.
    pub(crate) fn entries(&mut self, node: NodeId, what: &str) -> Vec<(Spanned<String>, NodeId)> {
        let document = self.document;
        let Node::Mapping(entries) = document.get(node) else {
            self.wanted(node, &format!("a mapping ({what})"));
            return Vec::new();
        };
        let key = |key: NodeId| Spanned {
            value: document.scalar_text(key).unwrap_or_default().to_owned(),
            span: document.span(key),
        };
        entries.iter().map(|(name, value)| (key(*name), *value)).collect()
    }

    /// A mapping with the fields of `table`: unknown and missing ones are reported.
    pub(crate) fn fields(&mut self, node: NodeId, what: &str, table: Table) -> Option<Fields<'d>> {
        self.fields_but(node, what, table, None)
    }

    fn fields_but(&mut self, node: NodeId, what: &str, table: Table, but: Option<&str>) -> Option<Fields<'d>> {
        let document = self.document;
        let Node::Mapping(entries) = document.get(node) else {
            self.wanted(node, &format!("a mapping ({what})"));
            return None;
        };
        let mut known = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let name = document.scalar_text(*key).unwrap_or_default();
            if table.iter().any(|field| field.name == name) {
                known.push((name, *value));
            } else if !name.starts_with("x-") && but != Some(name) {
                let names = table.iter().map(|field| field.name);
                let is_there = |field: &str| entries.iter().any(|(key, _)| document.scalar_text(*key) == Some(field));
                let diagnostic =
                    Diagnostic::error("unknown-field", self.span(*key), format!("unknown field `{name}` in {what}"));
                let near = if self.found.len() < MOST_FOUND { diagnostic.suggest(name, names) } else { diagnostic };
                // Two of one name would be the next mistake.
                self.report(near.unsafe_where(is_there));
            }
        }
        for field in table.iter().filter(|field| field.required) {
            if !known.iter().any(|(name, _)| *name == field.name) {
                let at = entries.first().map_or(self.span(node), |(key, _)| self.span(*key));
                let message = format!("missing field `{}` in {what}: {}", field.name, field.doc);
                self.report(Diagnostic::error("missing-field", at, message));
            }
        }
        Some(Fields { table, entries: known })
    }

    /// What the `type` of a mapping names among `kinds`, and the fields such a one has besides.
    pub(crate) fn kind_of(&mut self, node: NodeId, what: &str, kinds: Kinds) -> Option<(&'static str, Table)> {
        let entries = self.entries(node, what);
        let given = entries.iter().find(|(name, _)| name.value == "type");
        let Some((_, of)) = given else {
            let words: Vec<String> = kinds.iter().map(|(word, _)| format!("`{word}`")).collect();
            if self.is_mapping(node) {
                let message = format!("missing field `type` in {what}: one of {}", words.join(", "));
                let at = entries.first().map_or(self.span(node), |(key, _)| key.span);
                self.report(Diagnostic::error("missing-field", at, message));
            }
            return None;
        };
        let text = self.text(*of)?;
        let found = kinds.iter().find(|(word, _)| *word == text.value);
        if found.is_none() {
            self.unknown_word(&text, kinds.iter().map(|(word, _)| *word));
        }
        found.copied()
    }

    /// As [`Self::fields`], of a mapping whose `type` was read before.
    pub(crate) fn fields_of_kind(&mut self, node: NodeId, what: &str, table: Table) -> Option<Fields<'d>> {
        self.fields_but(node, what, table, Some("type"))
    }

    /// Whether it is a mapping.
    pub(crate) fn is_mapping(&self, node: NodeId) -> bool {
        matches!(self.document.get(node), Node::Mapping(_))
    }

    /// The items of a list; nothing but a list is one.
    pub(crate) fn items(&mut self, node: NodeId, what: &str) -> &'d [NodeId] {
        let document = self.document;
        match document.get(node) {
            Node::Sequence(items) => items,
            Node::Null => &[],
            _ => {
                self.wanted(node, what);
                &[]
            }
        }
    }

    /// Text: any scalar but a mapping, a list or nothing; numbers keep the text they were written with.
    pub(crate) fn text(&mut self, node: NodeId) -> Option<Spanned<String>> {
        match (self.document.get(node), self.document.scalar_text(node)) {
            (Node::Null, _) | (_, None) => {
                self.wanted(node, "a string");
                None
            }
            (_, Some(text)) => Some(Spanned { value: text.to_owned(), span: self.span(node) }),
        }
    }

    /// A name: `[a-z][a-z0-9_]*`, at most 64 characters.
    pub(crate) fn name(&mut self, node: NodeId) -> Option<Spanned<String>> {
        let text = self.text(node)?;
        if is_name(&text.value) {
            return Some(text);
        }
        let message = format!("`{}` is not a name", text.value);
        let note = "names are small letters, digits and `_`, start with a letter and have at most 64 characters";
        self.report(Diagnostic::error("name", text.span, message).note(note));
        None
    }

    pub(crate) fn names(&mut self, node: NodeId) -> Box<[Spanned<String>]> {
        self.items(node, "a list of names").iter().filter_map(|item| self.name(*item)).collect()
    }

    pub(crate) fn texts(&mut self, node: NodeId) -> Vec<String> {
        self.items(node, "a list of strings")
            .iter()
            .filter_map(|item| self.text(*item))
            .map(|text| text.value)
            .collect()
    }

    pub(crate) fn boolean(&mut self, node: NodeId) -> Option<bool> {
        if let Node::Bool(flag) = self.document.get(node) {
            return Some(flag);
        }
        self.wanted(node, "`true` or `false`");
        None
    }

    /// A whole number from 1 to a million.
    pub(crate) fn count(&mut self, node: NodeId) -> Option<u32> {
        if let Node::Int(number @ 1..=1_000_000) = self.document.get(node) {
            return u32::try_from(number).ok();
        }
        self.wanted(node, "a whole number from 1 to 1000000");
        None
    }

    pub(crate) fn duration(&mut self, node: NodeId) -> Option<Duration> {
        let text = self.text(node)?;
        match HumanDuration::parse(&text.value) {
            Ok(span) => Some(span.0),
            Err(problem) => {
                self.report(Diagnostic::error("type", text.span, problem));
                None
            }
        }
    }

    /// A duration in which something can happen: nothing ends before it begins.
    pub(crate) fn some_time(&mut self, node: NodeId) -> Option<Duration> {
        let span = self.duration(node)?;
        if span.is_zero() {
            let found = self.text(node).map(|text| text.value).unwrap_or_default();
            let message = format!("wanted a time longer than nothing, such as `5m`, found `{found}`");
            self.report(Diagnostic::error("type", self.span(node), message));
            return None;
        }
        Some(span)
    }

    /// One of the words that the table names for the field.
    pub(crate) fn word<T: DeserializeOwned>(&mut self, fields: &Fields<'d>, name: &str) -> Option<T> {
        let node = fields.get(name)?;
        let text = self.text(node)?;
        let words = fields.words(name);
        if words.contains(&text.value.as_str()) {
            return serde_json::from_value(Value::String(text.value)).ok();
        }
        self.unknown_word(&text, words.iter().copied());
        None
    }

    fn unknown_word(&mut self, text: &Spanned<String>, words: impl Iterator<Item = &'static str> + Clone) {
        let ticked: Vec<String> = words.clone().map(|word| format!("`{word}`")).collect();
        let message = format!("wanted one of {}, found `{}`", ticked.join(", "), text.value);
        self.report_near(Diagnostic::error("type", text.span, message), &text.value, words);
    }

    /// Any value, without expressions.
    pub(crate) fn json(&mut self, node: NodeId) -> Value {
        self.document.to_json(node)
    }

    /// A bare expression, as in `when`.
    pub(crate) fn expression(&mut self, node: NodeId) -> Option<super::expr::ExprId> {
        let text = match self.document.get(node) {
            Node::Bool(flag) => flag.to_string(),
            _ => self.text(node)?.value,
        };
        if text.trim_start().starts_with("{{") {
            let note = "write the expression alone: `when: inputs.mode == \"planned\"`";
            self.report(
                Diagnostic::error("expression", self.span(node), "`when` takes a bare expression, without `{{ }}`")
                    .note(note),
            );
            return None;
        }
        self.add(node, &text, 0, text.len())
    }

    /// A value that may hold `{{ }}`.
    pub(crate) fn templated(&mut self, node: NodeId) -> Templated {
        let document = self.document;
        match document.get(node) {
            Node::String(text) if text.contains("{{") || text.contains("{%") || text.contains("{#") => {
                self.templated_text(node, text)
            }
            Node::Sequence(items) => {
                let items: Vec<Templated> = items.iter().map(|item| self.templated(*item)).collect();
                if items.iter().all(|item| item.plain().is_some()) {
                    return Templated::Plain(self.json(node));
                }
                Templated::List(items)
            }
            Node::Mapping(entries) => {
                let key = |key: NodeId| document.scalar_text(key).unwrap_or_default().to_owned();
                let entries: Vec<_> =
                    entries.iter().map(|(name, value)| (key(*name), self.templated(*value))).collect();
                if entries.iter().all(|(_, item)| item.plain().is_some()) {
                    return Templated::Plain(self.json(node));
                }
                Templated::Map(entries)
            }
            _ => Templated::Plain(self.json(node)),
        }
    }

    fn templated_text(&mut self, node: NodeId, text: &str) -> Templated {
        let (mut segments, mut at) = (Vec::new(), 0);
        while let Some((open, closing)) = scan::next_code(text, at) {
            let end = scan::close(text, open + 2, closing);
            if closing != "}}" || end.is_none() {
                let span = self.document.inner_span(node, open, open + 2);
                let message = if closing == "}}" {
                    "this `{{` is never closed"
                } else {
                    "a value allows `{{ expression }}` only"
                };
                self.report(Diagnostic::error("expression", span, message));
                return Templated::Plain(Value::Null);
            }
            let end = end.unwrap_or(text.len());
            if open > at {
                segments.push(Segment::Text(text[at..open].to_owned()));
            }
            if let Some(segment) = self.segment(node, text, open + 2, end) {
                segments.push(segment);
            }
            at = end + 2;
        }
        if at < text.len() {
            segments.push(Segment::Text(text[at..].to_owned()));
        }
        match segments.as_slice() {
            [Segment::Expression(id)] => Templated::Expression(*id),
            [Segment::Secret(name)] => Templated::Secret(name.clone()),
            _ => Templated::Text(segments),
        }
    }

    fn segment(&mut self, node: NodeId, text: &str, from: usize, to: usize) -> Option<Segment> {
        if self.is_too_long(node, from, to) {
            return None;
        }
        let seen = scan::expression(&text[from..to]);
        let secret = seen.paths.iter().find(|path| self.is_secret(path));
        match secret {
            None => self.add(node, text, from, to).map(Segment::Expression),
            Some(path) if path.bare && path.parts.len() == 2 => Some(Segment::Secret(path.parts[1].clone())),
            Some(path) => {
                let span = self.document.inner_span(node, from + path.from, from + path.to);
                self.report(secret_problem(span, &path.parts[1]));
                None
            }
        }
    }

    fn is_secret(&self, path: &scan::Path) -> bool {
        path.parts[0] == "inputs" && path.parts.get(1).is_some_and(|name| self.secrets.contains(name))
    }

    /// Whether an expression is longer than any that people write; that is told.
    fn is_too_long(&mut self, node: NodeId, from: usize, to: usize) -> bool {
        let is_too_long = to - from > LONGEST_EXPRESSION;
        if is_too_long {
            let message = format!("the expression is longer than {} KiB", LONGEST_EXPRESSION >> 10);
            let span = self.document.inner_span(node, from, to);
            self.report(Diagnostic::error("expression", span, message));
        }
        is_too_long
    }

    /// Adds the expression that stands at `from..to` of a scalar's text.
    fn add(&mut self, node: NodeId, text: &str, from: usize, to: usize) -> Option<super::expr::ExprId> {
        if self.is_too_long(node, from, to) {
            return None;
        }
        let body = &text[from..to];
        let lead = body.len() - body.trim_start().len();
        let (from, body) = (from + lead, body.trim());
        let span = self.document.inner_span(node, from, from + body.len());
        let seen = scan::expression(body);
        if body.is_empty() {
            self.report(Diagnostic::error("expression", span, "an empty expression"));
            return None;
        }
        if let Some(at) = seen.delimiter {
            let span = self.document.inner_span(node, from + at, from + at + 2);
            self.report(Diagnostic::error(
                "expression",
                span,
                "no `{{`, `}}`, `{%` or `%}` may stand inside an expression",
            ));
            return None;
        }
        if let Some((at, message)) = seen.unbalanced {
            let span = self.document.inner_span(node, from + at, from + at + 1);
            self.report(Diagnostic::error("expression", span, message));
            return None;
        }
        if let Some(path) = seen.paths.iter().find(|path| self.is_secret(path)) {
            let span = self.document.inner_span(node, from + path.from, from + path.to);
            self.report(secret_problem(span, &path.parts[1]));
            return None;
        }
        Some(self.expressions.add(body, span))
    }
}

fn secret_problem(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error(
        "secret",
        span,
        format!("the secret `{name}` can only be handed on, as `{{{{ inputs.{name} }}}}`"),
    )
    .note("filters, comparisons, conditions and notices would show something of its value")
}

/// Whether `text` is a name of the language.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn describe(node: Node<'_>) -> String {
    match node {
        Node::Null => "nothing".to_owned(),
        Node::Bool(flag) => format!("the bool `{flag}`"),
        Node::Int(number) => format!("the number `{number}`"),
        Node::Float(number) => format!("the number `{number}`"),
        Node::String(text) => crate::catalogue::found(&Value::String(text.to_owned())),
        Node::Sequence(_) => "a list".to_owned(),
        Node::Mapping(_) => "a mapping".to_owned(),
    }
}
