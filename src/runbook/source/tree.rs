//! The tree: nodes in one arena, each with its kind, its place and its text.

use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::schema;
use crate::diag::{SourceId, Span};

/// A node of one [`Document`]. Using it with another document gives another node or panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u32);

/// What a node holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Node<'d> {
    /// Nothing: `null`, `~`, or no text at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number; always finite.
    Float(f64),
    /// Text.
    String(&'d str),
    /// A list.
    Sequence(&'d [NodeId]),
    /// Keys and values in the order of the file. Every key is a scalar, no two have the same text.
    Mapping(&'d [(NodeId, NodeId)]),
}

/// A parsed file. Nodes behind an alias are shared, not copied.
#[derive(Debug)]
pub struct Document {
    pub(super) source: SourceId,
    pub(super) text: Arc<str>,
    /// The texts that differ from how they are written, one after the other.
    pub(super) decoded: String,
    pub(super) entries: Vec<Entry>,
    pub(super) items: Vec<NodeId>,
    pub(super) pairs: Vec<(NodeId, NodeId)>,
    pub(super) comments: Vec<Span>,
    pub(super) root: NodeId,
}

/// A node as it is stored. There may be millions, so it is small: a number is read again when asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// The place in the source, in bytes.
    pub(super) start: u32,
    pub(super) end: u32,
    /// The scalar's text (in the source or in `decoded`), or the collection's children.
    pub(super) at: u32,
    pub(super) length: u32,
    pub(super) kind: Kind,
    pub(super) style: Style,
    pub(super) is_decoded: bool,
}

const _: () = assert!(size_of::<Entry>() <= 20, "16 MiB of nodes must fit in 256 MiB");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool,
    Int,
    Float,
    String,
    Sequence,
    Mapping,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Block,
}

impl Document {
    /// The outermost node.
    #[must_use]
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// The comments, each from its `#` on, in order.
    #[must_use]
    pub fn comments(&self) -> &[Span] {
        &self.comments
    }

    /// What a node holds.
    #[must_use]
    pub fn get(&self, id: NodeId) -> Node<'_> {
        let entry = self.entry(id);
        let range = entry.at as usize..(entry.at + entry.length) as usize;
        match entry.kind {
            Kind::Null => Node::Null,
            Kind::Bool => Node::Bool(self.stored_text(entry).starts_with(['t', 'T'])),
            Kind::Int => schema::int(self.stored_text(entry)).map_or(Node::Null, Node::Int),
            Kind::Float => self.stored_text(entry).parse().map_or(Node::Null, Node::Float),
            Kind::String => Node::String(self.stored_text(entry)),
            Kind::Sequence => Node::Sequence(&self.items[range]),
            Kind::Mapping => Node::Mapping(&self.pairs[range]),
        }
    }

    /// Where a node is written. What an alias stands for is where its anchor is.
    #[must_use]
    pub fn span(&self, id: NodeId) -> Span {
        let entry = self.entry(id);
        Span::new(self.source, entry.start, entry.end)
    }

    /// A scalar's text as written, with quotes and escapes undone: `1.10` stays `1.10`.
    #[must_use]
    pub fn scalar_text(&self, id: NodeId) -> Option<&str> {
        let entry = self.entry(id);
        (!matches!(entry.kind, Kind::Sequence | Kind::Mapping)).then(|| self.stored_text(entry))
    }

    /// Whether a node is a scalar in quotes.
    #[must_use]
    pub fn is_quoted(&self, id: NodeId) -> bool {
        matches!(self.entry(id).style, Style::SingleQuoted | Style::DoubleQuoted)
    }

    /// Whether a node is text below a `|` or `>`.
    #[must_use]
    pub fn is_block(&self, id: NodeId) -> bool {
        self.entry(id).style == Style::Block
    }

    /// Whether a node is text that older YAML took for a bool: a plain `yes`, `no`, `on`, `off`, `y` or `n`.
    #[must_use]
    pub fn looks_like_old_bool(&self, id: NodeId) -> bool {
        let entry = self.entry(id);
        let text = self.stored_text(entry);
        entry.kind == Kind::String
            && entry.style == Style::Plain
            && ["yes", "no", "on", "off", "y", "n"].iter().any(|word| text.eq_ignore_ascii_case(word))
    }

    /// The node as JSON, with aliases replaced by what they stand for.
    #[must_use]
    pub fn to_json(&self, id: NodeId) -> Value {
        match self.get(id) {
            Node::Null => Value::Null,
            Node::Bool(flag) => Value::Bool(flag),
            Node::Int(number) => Value::from(number),
            Node::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
            Node::String(text) => Value::from(text),
            Node::Sequence(items) => items.iter().map(|item| self.to_json(*item)).collect(),
            Node::Mapping(pairs) => {
                let name = |key: NodeId| self.scalar_text(key).unwrap_or_default().to_owned();
                let pairs = pairs.iter().map(|(key, value)| (name(*key), self.to_json(*value)));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }

    pub(super) fn entry(&self, id: NodeId) -> &Entry {
        &self.entries[id.0 as usize]
    }

    /// A scalar's text; nothing for a collection.
    pub(super) fn stored_text(&self, entry: &Entry) -> &str {
        let text = if entry.is_decoded { &self.decoded } else { &*self.text };
        match entry.kind {
            Kind::Sequence | Kind::Mapping => "",
            _ => &text[entry.at as usize..(entry.at + entry.length) as usize],
        }
    }
}
