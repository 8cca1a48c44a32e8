//! YAML text as a tree whose every node knows its place.
//!
//! Knows YAML 1.2 and its dangers; what a runbook is, is not its business. Anchors share nodes
//! instead of copying them, and what they would expand to is bounded.

mod build;
mod scalar;
mod text;

pub use build::parse;
pub use text::{LARGEST_FILE, decode};

use serde_json::{Map, Number, Value};

use crate::diag::{SourceId, Span};
use scalar::Scalar;

/// A node of a [`Document`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeId(u32);

/// A parsed file.
#[derive(Debug)]
pub struct Document {
    source: SourceId,
    source_text: std::sync::Arc<str>,
    nodes: Vec<Stored>,
    /// The decoded text of all scalars, one after the other.
    text: String,
    items: Vec<NodeId>,
    pairs: Vec<(NodeId, NodeId)>,
    root: NodeId,
}

/// A node, 20 bytes: a big runbook has millions.
#[derive(Clone, Copy, Debug)]
struct Stored {
    start: u32,
    end: u32,
    /// Where its text, items or pairs begin and end.
    from: u32,
    to: u32,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Null,
    Bool,
    Int,
    Float,
    Plain,
    Quoted,
    Sequence,
    Mapping,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Node<'d> {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// Text.
    String(&'d str),
    /// A list.
    Sequence(&'d [NodeId]),
    /// A mapping; its keys are scalars.
    Mapping(&'d [(NodeId, NodeId)]),
}

impl Document {
    /// The outermost node.
    #[must_use]
    pub fn root(&self) -> NodeId {
        self.root
    }

    fn stored(&self, node: NodeId) -> Stored {
        self.nodes[node.0 as usize]
    }

    /// What a node is.
    #[must_use]
    pub fn get(&self, node: NodeId) -> Node<'_> {
        let Stored { from, to, kind, .. } = self.stored(node);
        let (from, to) = (from as usize, to as usize);
        match kind {
            Kind::Null => Node::Null,
            Kind::Sequence => Node::Sequence(&self.items[from..to]),
            Kind::Mapping => Node::Mapping(&self.pairs[from..to]),
            Kind::Plain | Kind::Quoted => Node::String(&self.text[from..to]),
            Kind::Bool | Kind::Int | Kind::Float => match scalar::plain(&self.text[from..to]) {
                Ok(Scalar::Bool(flag)) => Node::Bool(flag),
                Ok(Scalar::Int(number)) => Node::Int(number),
                Ok(Scalar::Float(number)) => Node::Float(number),
                _ => Node::String(&self.text[from..to]),
            },
        }
    }

    /// Where a node stands.
    #[must_use]
    pub fn span(&self, node: NodeId) -> Span {
        let Stored { start, end, .. } = self.stored(node);
        Span::new(self.source, start, end)
    }

    /// The text of a scalar as it was written, so that `1.10` read as a string stays `1.10`.
    #[must_use]
    pub fn scalar_text(&self, node: NodeId) -> Option<&str> {
        let Stored { from, to, kind, .. } = self.stored(node);
        let has_text = !matches!(kind, Kind::Null | Kind::Sequence | Kind::Mapping);
        has_text.then(|| &self.text[from as usize..to as usize])
    }

    /// Whether a plain scalar was a boolean before YAML 1.2, and is text today.
    #[must_use]
    pub fn looks_like_old_bool(&self, node: NodeId) -> bool {
        let old = ["yes", "no", "on", "off", "y", "n"];
        let text = self.scalar_text(node).unwrap_or_default();
        self.stored(node).kind == Kind::Plain && old.iter().any(|word| word.eq_ignore_ascii_case(text))
    }

    /// A node as JSON.
    #[must_use]
    pub fn to_json(&self, node: NodeId) -> Value {
        match self.get(node) {
            Node::Null => Value::Null,
            Node::Bool(flag) => Value::Bool(flag),
            Node::Int(number) => number.into(),
            Node::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
            Node::String(text) => text.into(),
            Node::Sequence(items) => items.iter().map(|item| self.to_json(*item)).collect(),
            Node::Mapping(pairs) => {
                let key = |key: NodeId| self.scalar_text(key).unwrap_or("null").to_owned();
                Value::Object(
                    pairs.iter().map(|(name, value)| (key(*name), self.to_json(*value))).collect::<Map<_, _>>(),
                )
            }
        }
    }

    /// Where a part of a scalar's decoded text stands in the file: exact for scalars on one line
    /// without escapes and for block scalars, the whole scalar otherwise.
    #[must_use]
    pub fn inner_span(&self, node: NodeId, from: usize, to: usize) -> Span {
        let span = self.span(node);
        let Some(text) = self.scalar_text(node) else { return span };
        let raw = self.source_text.get(span.start as usize..span.end as usize).unwrap_or_default();
        let lead = match raw.as_bytes().first() {
            Some(b'"' | b'\'') if raw.get(1..raw.len() - 1) == Some(text) => 1,
            _ if raw == text || raw.trim_end() == text.trim_end() => 0,
            _ => return block_line(raw, text, from).map_or(span, |at| span.slice(at, at + (to - from))),
        };
        span.slice(lead + from, lead + to)
    }
}

/// The offset in `raw`, a block scalar, of the offset `from` in its decoded text.
fn block_line(raw: &str, text: &str, from: usize) -> Option<usize> {
    let line_start = text.get(..from)?.rfind('\n').map_or(0, |at| at + 1);
    let number = text.get(..line_start)?.matches('\n').count();
    let wanted = text[line_start..].lines().next()?;
    let mut at = 0;
    let mut seen = 0;
    for line in raw.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        if let Some(indent) = body.strip_suffix(wanted)
            && indent.chars().all(|c| c == ' ')
        {
            if seen == text.lines().take(number).filter(|line| *line == wanted).count() {
                return Some(at + indent.len() + (from - line_start));
            }
            seen += 1;
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests;
