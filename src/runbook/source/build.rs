//! Builds the tree from the parser's events, without recursion, within budgets.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use super::scalar::{Scalar, plain};
use super::text::is_refused;
use super::{Document, Kind, NodeId, Stored};
use crate::diag::{Diagnostic, SourceId, Sources, Span};

/// How deep lists and mappings may be nested.
const DEEPEST: usize = 64;
/// How many nodes a file may have.
const MOST_NODES: usize = 4_000_000;
/// How much aliases may add: nodes, with sixteen bytes of text as one more.
const MOST_EXPANDED: u64 = 2_000_000;
/// After so many problems the rest is not worth reading.
const MOST_PROBLEMS: usize = 100;

/// Parses a source. A document with duplicate keys is returned beside its problems; the first of two wins.
#[must_use]
pub fn parse(sources: &Sources, source: SourceId) -> (Option<Document>, Vec<Diagnostic>) {
    let text = sources.text(source);
    let mut builder = Builder::new(source, text);
    for event in Parser::new_from_str(text) {
        let stop = match event {
            Ok((event, span)) => builder.take(event, place(source, &span, text)).is_none(),
            Err(error) => {
                builder.found.push(syntax(source, text, &error));
                true
            }
        };
        if stop || builder.found.len() >= MOST_PROBLEMS {
            return (None, builder.found);
        }
    }
    builder.finish(text)
}

fn place(source: SourceId, span: &granit_parser::Span, text: &str) -> Span {
    let offset = |at: Option<usize>| u32::try_from(at.unwrap_or(text.len()).min(text.len())).unwrap_or(u32::MAX);
    Span::new(source, offset(span.start.byte_offset()), offset(span.end.byte_offset()))
}

/// The parser's problem in our words, with the note that helps most often.
fn syntax(source: SourceId, text: &str, error: &ScanError) -> Diagnostic {
    let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let width = text[at..].chars().next().map_or(0, char::len_utf8);
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let message = error.info().to_lowercase();
    let line_start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let indent = text[line_start..].bytes().take_while(|byte| matches!(byte, b' ' | b'\t'));
    let span = Span::new(source, offset(at), offset(at + width));
    if message.contains("recursion limit") {
        return Diagnostic::error("depth", span, format!("nested deeper than {DEEPEST} levels"));
    }
    let diagnostic = Diagnostic::error("syntax", span, message.clone());
    if indent.into_iter().any(|byte| byte == b'\t') {
        diagnostic.note("indentation is spaces; here is a tab")
    } else if message.contains("flow") || message.contains("']'") || message.contains("'}'") {
        diagnostic.note("a `[` or `{` may not be closed")
    } else if message.contains("quote") {
        diagnostic.note("a quotation mark may not be closed")
    } else if message.contains("mapping values") || message.contains("simple key") || message.contains("':'") {
        diagnostic.note("a key is followed by `: `, with a space; text with `: ` in it needs quotes")
    } else if message.contains("indent") || message.contains("expected") {
        diagnostic.note("items of one list or mapping start in the same column")
    } else {
        diagnostic
    }
}

struct Builder<'t> {
    source: SourceId,
    source_text: &'t str,
    nodes: Vec<Stored>,
    text: String,
    items: Vec<NodeId>,
    pairs: Vec<(NodeId, NodeId)>,
    /// Finished nodes of all open lists and mappings, innermost last.
    pending: Vec<NodeId>,
    open: Vec<Frame>,
    anchors: BTreeMap<usize, NodeId>,
    /// What each node expands to; zero while it is open.
    sizes: Vec<u32>,
    expanded: u64,
    root: Option<NodeId>,
    documents: usize,
    found: Vec<Diagnostic>,
}

struct Frame {
    node: NodeId,
    first: usize,
    size: u64,
    is_mapping: bool,
}

impl<'t> Builder<'t> {
    fn new(source: SourceId, source_text: &'t str) -> Self {
        Self {
            source,
            source_text,
            nodes: Vec::new(),
            text: String::new(),
            items: Vec::new(),
            pairs: Vec::new(),
            pending: Vec::new(),
            open: Vec::new(),
            anchors: BTreeMap::new(),
            sizes: Vec::new(),
            expanded: 0,
            root: None,
            documents: 0,
            found: Vec::new(),
        }
    }

    fn problem(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.found.push(Diagnostic::error(code, span, message));
    }

    /// Takes one event; nothing when it is not worth going on.
    fn take(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.problem("documents", span, "a second document: a file holds one");
                    return None;
                }
            }
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, tag, anchor, span),
            Event::SequenceStart(_, anchor, tag) => self.begin(false, anchor, tag.as_deref(), span)?,
            Event::MappingStart(_, anchor, tag) => self.begin(true, anchor, tag.as_deref(), span)?,
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(anchor) => self.alias(anchor, span)?,
            _ => {}
        }
        if self.nodes.len() > MOST_NODES {
            self.problem("size", span, format!("more than {MOST_NODES} values in one file"));
            return None;
        }
        Some(())
    }

    fn add(&mut self, stored: Stored, anchor: usize, size: u32) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(stored);
        self.sizes.push(size);
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        id
    }

    fn place_node(&mut self, id: NodeId, size: u64) {
        match self.open.last_mut() {
            Some(frame) => {
                frame.size = frame.size.saturating_add(size);
                self.pending.push(id);
            }
            None => self.root = Some(id),
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<Cow<'_, Tag>>, anchor: usize, span: Span) {
        if let Some(bad) = text.chars().find(|c| is_refused(*c)) {
            let message = format!("the control character U+{:04X} has no place in a runbook", u32::from(bad));
            self.problem("control-character", span, message);
        }
        let kind = self.kind(text, style, tag.as_deref(), span);
        let from = self.text.len();
        self.text.push_str(text);
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let stored = Stored { start: span.start, end: span.end, from: offset(from), to: offset(self.text.len()), kind };
        let size = 1 + text.len() / 16;
        let id = self.add(stored, anchor, offset(size));
        self.place_node(id, size as u64);
    }

    fn kind(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Kind {
        let tagged = tag.map(|tag| if tag.is_yaml_core_schema() { tag.suffix().to_owned() } else { "?".to_owned() });
        let wanted = match tagged.as_deref() {
            None if style == ScalarStyle::Plain => None,
            None | Some("str" | "") => return Kind::Quoted,
            Some(wanted @ ("int" | "float" | "bool" | "null")) => Some(wanted),
            Some(_) => {
                self.problem(
                    "tag",
                    span,
                    "tags are not supported here; only `!!str`, `!!int`, `!!float`, `!!bool` and `!!null` are",
                );
                return Kind::Quoted;
            }
        };
        let kind = match plain(text) {
            Ok(Scalar::Null) => Kind::Null,
            Ok(Scalar::Bool(_)) => Kind::Bool,
            Ok(Scalar::Int(_)) => Kind::Int,
            Ok(Scalar::Float(_)) => Kind::Float,
            Ok(Scalar::Text) => Kind::Plain,
            Err((code, note)) => {
                self.found.push(Diagnostic::error(code, span, format!("`{text}` could mean two things")).note(note));
                Kind::Plain
            }
        };
        let fits = match wanted {
            None => true,
            Some("int") => kind == Kind::Int,
            Some("float") => matches!(kind, Kind::Float | Kind::Int),
            Some("bool") => kind == Kind::Bool,
            Some(_) => kind == Kind::Null,
        };
        if !fits {
            self.problem("tag", span, format!("`{text}` is not what its tag says"));
        }
        kind
    }

    fn begin(&mut self, is_mapping: bool, anchor: usize, tag: Option<&Tag>, span: Span) -> Option<()> {
        let core = |tag: &Tag| tag.is_yaml_core_schema() && matches!(tag.suffix(), "map" | "seq");
        if tag.is_some_and(|tag| !core(tag)) {
            self.problem("tag", span, "tags are not supported on lists and mappings");
        }
        if self.open.len() >= DEEPEST {
            self.problem("depth", span, format!("nested deeper than {DEEPEST} levels"));
            return None;
        }
        let kind = if is_mapping { Kind::Mapping } else { Kind::Sequence };
        let stored = Stored { start: span.start, end: span.end, from: 0, to: 0, kind };
        let node = self.add(stored, anchor, 0);
        self.open.push(Frame { node, first: self.pending.len(), size: 1, is_mapping });
        Some(())
    }

    fn end(&mut self, span: Span) {
        let Some(frame) = self.open.pop() else { return };
        let children = self.pending.split_off(frame.first);
        let (from, to) = if frame.is_mapping { self.keep_pairs(&children) } else { self.keep_items(&children) };
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        // A block ends where the next token begins; what people see ends with its last value.
        let closed = self.source_text.as_bytes().get((span.end as usize).saturating_sub(1));
        let last = children.last().map(|last| self.nodes[last.0 as usize].end);
        let end = if matches!(closed, Some(b']' | b'}')) { span.end } else { last.unwrap_or(span.end) };
        let stored = &mut self.nodes[frame.node.0 as usize];
        (stored.from, stored.to, stored.end) = (offset(from), offset(to), end.max(stored.start));
        self.sizes[frame.node.0 as usize] = u32::try_from(frame.size).unwrap_or(u32::MAX);
        self.place_node(frame.node, frame.size);
    }

    fn keep_items(&mut self, children: &[NodeId]) -> (usize, usize) {
        let from = self.items.len();
        self.items.extend_from_slice(children);
        (from, self.items.len())
    }

    fn keep_pairs(&mut self, children: &[NodeId]) -> (usize, usize) {
        let from = self.pairs.len();
        let mut seen: BTreeMap<String, NodeId> = BTreeMap::new();
        for pair in children.chunks_exact(2) {
            let (key, value) = (pair[0], pair[1]);
            let stored = self.nodes[key.0 as usize];
            let span = Span::new(self.source, stored.start, stored.end);
            if matches!(stored.kind, Kind::Sequence | Kind::Mapping | Kind::Null) {
                self.problem("key", span, "a key is text, a number or a bool");
                continue;
            }
            let name = self.text[stored.from as usize..stored.to as usize].to_owned();
            if name == "<<" && stored.kind == Kind::Plain {
                let note = "write the values out, or put what all steps share under `defaults`";
                self.found.push(Diagnostic::error("merge-key", span, "merge keys are not supported").note(note));
                continue;
            }
            if let Some(first) = seen.get(&name) {
                let first = self.nodes[first.0 as usize];
                let first = Span::new(self.source, first.start, first.end);
                self.found.push(
                    Diagnostic::error("duplicate-key", span, format!("duplicate key `{name}`"))
                        .other(first, "the first is here"),
                );
                continue;
            }
            seen.insert(name, key);
            self.pairs.push((key, value));
        }
        (from, self.pairs.len())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Option<()> {
        let Some(target) = self.anchors.get(&anchor).copied() else {
            self.problem("alias", span, "no anchor of this name stands before it");
            return None;
        };
        let size = self.sizes[target.0 as usize];
        if size == 0 {
            self.problem("alias", span, "an alias inside of what it stands for: it would never end");
            return None;
        }
        self.expanded = self.expanded.saturating_add(u64::from(size));
        if self.expanded > MOST_EXPANDED {
            self.problem("alias", span, "aliases expand to more than a runbook may hold");
            return None;
        }
        self.place_node(target, u64::from(size));
        Some(())
    }

    fn finish(mut self, text: &str) -> (Option<Document>, Vec<Diagnostic>) {
        let Some(root) = self.root else {
            self.problem("empty", Span::new(self.source, 0, 0), "the file is empty");
            return (None, self.found);
        };
        let document = Document {
            source: self.source,
            source_text: Arc::from(text),
            nodes: self.nodes,
            text: self.text,
            items: self.items,
            pairs: self.pairs,
            root,
        };
        (Some(document), self.found)
    }
}
