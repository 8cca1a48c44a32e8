//! Events of the YAML parser to a tree.

use std::ops::{ControlFlow, Range};

use granit_parser::{Event, Parser, Span as Place, Tag};

use super::aliases::Anchor;
use super::limits::{MAX_DEPTH, MAX_NODES, Size, grouped};
use super::problems::Problems;
use super::tree::{Document, Entry, Kind, NodeId, Style};
use super::{schema, syntax};
use crate::diag::{Diagnostic, SourceId, Sources, Span};

/// Reads a source as YAML. The document is there unless the text cannot be read to its end; it is
/// complete and sound only if there are no errors: refused pairs are left out, refused scalars are text.
#[must_use]
pub fn parse(sources: &Sources, source: SourceId) -> (Option<Document>, Vec<Diagnostic>) {
    parse_to(sources, source, sources.text(source).len())
}

/// Reads the first `end` bytes of a source as YAML: what follows is something else. As [`parse`] otherwise.
#[must_use]
pub fn parse_to(sources: &Sources, source: SourceId, end: usize) -> (Option<Document>, Vec<Diagnostic>) {
    let mut builder = Builder::new(sources, source);
    let text = sources.text(source).get(..end).unwrap_or_default();
    let options = granit_parser::options! {
        emit_comments: text.contains('#'),
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let flow = match event {
            Ok((event, place)) => builder.event(event, place),
            Err(error) => builder.stop(syntax::explain(&error, text, source)),
        };
        if flow.is_break() {
            break;
        }
    }
    builder.finish()
}

/// A tree in the making.
pub(super) struct Builder {
    pub(super) document: Document,
    pub(super) problems: Problems,
    /// Finished nodes whose collection is still open.
    pub(super) waiting: Vec<NodeId>,
    open: Vec<Open>,
    /// By the parser's anchor number, which counts from one.
    pub(super) anchors: Vec<Option<Anchor>>,
    root: Option<NodeId>,
    /// Where the last token with any text ended; a block collection ends there.
    last_end: u32,
    is_broken: bool,
}

/// A collection that has begun.
struct Open {
    node: NodeId,
    /// Its first child in `waiting`.
    first: usize,
    anchor: usize,
    size: Size,
}

/// The places and properties a node event brings.
pub(super) struct Properties<'p> {
    pub(super) place: Place,
    /// Zero if there is none.
    pub(super) anchor: usize,
    pub(super) tag: Option<&'p Tag>,
}

impl<'p> Properties<'p> {
    fn new(place: Place, anchor: usize, tag: Option<&'p Tag>) -> Self {
        Self { place, anchor, tag }
    }
}

impl Builder {
    fn new(sources: &Sources, source: SourceId) -> Self {
        let document = Document {
            source,
            text: sources.shared(source),
            decoded: String::new(),
            entries: Vec::new(),
            items: Vec::new(),
            pairs: Vec::new(),
            comments: Vec::new(),
            root: NodeId(0),
        };
        Self {
            document,
            problems: Problems::default(),
            waiting: Vec::new(),
            open: Vec::new(),
            anchors: Vec::new(),
            root: None,
            last_end: 0,
            is_broken: false,
        }
    }

    fn finish(mut self) -> (Option<Document>, Vec<Diagnostic>) {
        let root = self.root.filter(|_| !self.is_broken);
        let is_empty = root.is_none_or(|root| {
            let entry = self.document.entry(root);
            entry.kind == Kind::Null && entry.length == 0
        });
        if is_empty && !self.is_broken {
            let span = Span::new(self.document.source, 0, 0);
            self.problems
                .add(|| Diagnostic::error("empty-file", span, "the file holds nothing but space and comments"));
            return (None, self.problems.finish());
        }
        let document = root.map(|root| Document { root, ..self.document });
        (document, self.problems.finish())
    }

    fn event(&mut self, event: Event<'_>, place: Place) -> ControlFlow<()> {
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                let span = self.span(&place);
                self.problems.add(|| second_document(span));
                return ControlFlow::Break(());
            }
            Event::Scalar(text, style, anchor, tag) => {
                return self.scalar(&text, style, &Properties::new(place, anchor, tag.as_deref()));
            }
            Event::SequenceStart(_, anchor, tag) => {
                return self.start(Kind::Sequence, &Properties::new(place, anchor, tag.as_deref()));
            }
            Event::MappingStart(_, anchor, tag) => {
                return self.start(Kind::Mapping, &Properties::new(place, anchor, tag.as_deref()));
            }
            Event::SequenceEnd | Event::MappingEnd => return self.end(&place),
            Event::Alias(anchor) => return self.alias(anchor, &place),
            Event::UnresolvedAlias(name) => return self.unknown_alias(&name, &place),
            Event::Comment(..) => self.comment(&place),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn comment(&mut self, place: &Place) {
        let span = self.span(place);
        self.document.comments.push(span);
    }

    /// Ends the reading: what follows cannot be read, or must not be.
    pub(super) fn stop(&mut self, problem: Diagnostic) -> ControlFlow<()> {
        self.problems.add(|| problem);
        self.is_broken = true;
        ControlFlow::Break(())
    }

    fn start(&mut self, kind: Kind, properties: &Properties<'_>) -> ControlFlow<()> {
        if self.open.len() >= MAX_DEPTH {
            return self.stop(syntax::too_deep(self.span(&properties.place)));
        }
        if let Some(tag) = properties.tag.filter(|tag| !schema::fits_collection(tag, kind)) {
            let span = self.tag_span(&properties.place);
            self.problems.add(|| unsupported_tag(span, tag));
        }
        let node = self.push(kind, &properties.place)?;
        self.anchor(properties.anchor, node, None)?;
        let open = Open { node, first: self.waiting.len(), anchor: properties.anchor, size: Size::collection() };
        self.open.push(open);
        ControlFlow::Continue(())
    }

    fn end(&mut self, place: &Place) -> ControlFlow<()> {
        let Some(open) = self.open.pop() else {
            return ControlFlow::Continue(());
        };
        self.see(self.span(place));
        let mut entry = *self.document.entry(open.node);
        let children = match entry.kind {
            Kind::Mapping => self.take_pairs(open.node, open.first),
            _ => self.take_items(open.first),
        };
        entry.end = entry.end.max(self.last_end);
        (entry.at, entry.length) = (offset(children.start), offset(children.len()));
        // An expression without quotes is told as that, and read as the text that was meant.
        let written = &self.document.text[entry.start as usize..entry.end as usize];
        if entry.kind == Kind::Mapping && written.starts_with("{{") && written.ends_with("}}") {
            (entry.kind, entry.at, entry.length) = (Kind::String, entry.start, entry.end - entry.start);
        }
        self.document.entries[open.node.0 as usize] = entry;
        self.anchor(open.anchor, open.node, Some(open.size))?;
        self.place(open.node, open.size, self.document.span(open.node))
    }

    fn take_items(&mut self, first: usize) -> Range<usize> {
        let start = self.document.items.len();
        self.document.items.extend(self.waiting.drain(first..));
        start..self.document.items.len()
    }

    /// Adds a node of that kind, its text and children still to come.
    pub(super) fn push(&mut self, kind: Kind, place: &Place) -> ControlFlow<(), NodeId> {
        let span = self.span(place);
        let entries = &mut self.document.entries;
        if entries.len() >= MAX_NODES {
            let most = grouped(MAX_NODES as u64);
            let message = format!("the file holds more than {most} values, the most that are read");
            self.stop(Diagnostic::error("too-large", span, message))?;
            return ControlFlow::Break(());
        }
        let id = NodeId(offset(entries.len()));
        let Span { start, end, .. } = span;
        entries.push(Entry { start, end, at: start, length: 0, kind, style: Style::Plain, is_decoded: false });
        self.see(span);
        ControlFlow::Continue(id)
    }

    /// Puts a finished node where it belongs: into the open collection, or at the root.
    pub(super) fn place(&mut self, id: NodeId, size: Size, span: Span) -> ControlFlow<()> {
        let total = if let Some(open) = self.open.last_mut() {
            self.waiting.push(id);
            open.size.add(size);
            open.size
        } else {
            self.root = Some(id);
            size
        };
        match total.excess(self.document.entries.len()) {
            Some(message) => self.stop(Diagnostic::error("alias-expansion", span, message)),
            None => ControlFlow::Continue(()),
        }
    }

    /// How many collections are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Whether the next node is a key.
    pub(super) fn is_key(&self) -> bool {
        self.open.last().is_some_and(|open| {
            let is_mapping = self.document.entry(open.node).kind == Kind::Mapping;
            is_mapping && (self.waiting.len() - open.first).is_multiple_of(2)
        })
    }

    fn see(&mut self, span: Span) {
        if span.start < span.end {
            self.last_end = self.last_end.max(span.end);
        }
    }

    /// A place of the parser, without the space it may end with.
    pub(super) fn span(&self, place: &Place) -> Span {
        let text = &*self.document.text;
        let range = place.byte_range().unwrap_or_default();
        let start = text.floor_char_boundary(range.start);
        let end = start + text.get(start..range.end).unwrap_or_default().trim_end().len();
        Span::new(self.document.source, offset(start), offset(end))
    }

    /// The place of a node's tag.
    pub(super) fn tag_span(&self, place: &Place) -> Span {
        self.span(&place.tag_span().unwrap_or(*place))
    }
}

/// An offset in a file, which is far smaller than 4 GiB.
pub(super) fn offset(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn second_document(span: Span) -> Diagnostic {
    Diagnostic::error("several-documents", span, "a second document starts here; a file may hold one only")
        .note("delete this line, or put what follows into a file of its own")
}

fn unsupported_tag(span: Span, tag: &Tag) -> Diagnostic {
    Diagnostic::error("tag", span, format!("the tag `{}` is not supported here", tag.original()))
}
