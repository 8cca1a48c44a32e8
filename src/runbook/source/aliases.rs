//! Anchors and aliases: an alias is the node of its anchor, shared.

use std::ops::ControlFlow;

use granit_parser::Span as Place;

use super::build::Builder;
use super::limits::{MAX_ANCHORS, MAX_DEPTH, Size, grouped};
use super::syntax;
use super::tree::{Kind, NodeId};
use crate::diag::Diagnostic;

/// A node with a name.
#[derive(Clone, Copy)]
pub(super) struct Anchor {
    node: NodeId,
    /// `None` while the collection is open.
    size: Option<Size>,
}

impl Builder {
    /// Keeps the node of an anchor; its number counts from one, zero is none. Called twice for a
    /// collection: when it begins, and with its size when it ends.
    pub(super) fn anchor(&mut self, number: usize, node: NodeId, size: Option<Size>) -> ControlFlow<()> {
        let Some(index) = number.checked_sub(1) else {
            return ControlFlow::Continue(());
        };
        if index >= MAX_ANCHORS {
            let message = format!("the file holds more than {} anchors", grouped(MAX_ANCHORS as u64));
            return self.stop(Diagnostic::error("too-large", self.document.span(node), message));
        }
        if self.anchors.len() <= index {
            self.anchors.resize(index + 1, None);
        }
        self.anchors[index] = Some(Anchor { node, size });
        ControlFlow::Continue(())
    }

    /// Puts the node of an anchor where the alias stands.
    pub(super) fn alias(&mut self, number: usize, place: &Place) -> ControlFlow<()> {
        let span = self.span(place);
        let anchor = number.checked_sub(1).and_then(|index| *self.anchors.get(index)?);
        let Some(Anchor { node, size }) = anchor else {
            return self.unknown_alias("", place);
        };
        let Some(size) = size else {
            let around = self.document.span(node);
            let problem = Diagnostic::error("cyclic-alias", span, "this alias stands inside what it stands for");
            return self.stop(problem.other(around, "what it stands for starts here"));
        };
        if self.depth() + size.height > MAX_DEPTH {
            return self.stop(syntax::too_deep(span));
        }
        self.place(node, size, span)
    }

    /// Reports an alias without an anchor, and goes on with nothing in its place.
    pub(super) fn unknown_alias(&mut self, name: &str, place: &Place) -> ControlFlow<()> {
        let span = self.span(place);
        self.problems.add(|| {
            let short: String = name.chars().take(80).collect();
            Diagnostic::error("unknown-alias", span, format!("no anchor `&{short}` stands before this alias"))
                .note("text that starts with `*` must be in quotes")
        });
        let id = self.push(Kind::Null, place)?;
        self.place(id, Size::scalar(0), span)
    }
}
