//! The texts that diagnostics point into.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Diagnostic, Span};

/// A source among [`Sources`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(u32);

/// A place as people count: both from one; columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// All texts that were read, by id.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: Arc<str>,
    line_starts: Arc<[u32]>,
}

impl Sources {
    /// Adds a text; `name` is what people know the file by.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> SourceId {
        let text: Arc<str> = text.into();
        let breaks = text.bytes().zip(1_u32..).filter(|(byte, _)| *byte == b'\n').map(|(_, next)| next);
        let line_starts = std::iter::once(0).chain(breaks).collect();
        self.files.push(Source { name: name.into(), text, line_starts });
        SourceId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    /// Moves here what was found elsewhere, with the texts that it is about: there may be many more. What is here already,
    /// under the same name, is not taken twice.
    pub fn absorb(&mut self, others: &Self, found: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let named: BTreeSet<SourceId> = found.iter().flat_map(Diagnostic::places).map(|place| place.source).collect();
        let own = |id: SourceId| Some((id, self.id_of(others.files.get(id.0 as usize)?)));
        let ids: BTreeMap<SourceId, SourceId> = named.into_iter().filter_map(own).collect();
        let moved = |span: Span| Span { source: ids.get(&span.source).copied().unwrap_or(span.source), ..span };
        found.into_iter().map(|diagnostic| diagnostic.moved(moved)).collect()
    }

    fn id_of(&mut self, file: &Source) -> SourceId {
        let same = |known: &Source| known.name == file.name && known.text == file.text;
        let known = self.files.iter().position(same).and_then(|index| u32::try_from(index).ok());
        known.map_or_else(|| self.add(file.name.clone(), Arc::clone(&file.text)), SourceId)
    }

    /// Gives every source the name that `to` makes of its own.
    pub fn rename(&mut self, to: impl Fn(&str) -> String) {
        self.files.iter_mut().for_each(|file| file.name = to(&file.name));
    }

    /// Sorts findings by the names of their files and their places, and drops what was said twice.
    pub fn sort(&self, found: &mut Vec<Diagnostic>) {
        super::sort(found);
        found.sort_by(|a, b| self.name(a.primary.source).cmp(self.name(b.primary.source)));
        found.dedup();
    }

    /// The name of a source.
    #[must_use]
    pub fn name(&self, source: SourceId) -> &str {
        self.files.get(source.0 as usize).map_or("", |file| &file.name)
    }

    /// The text of a source.
    #[must_use]
    pub fn text(&self, source: SourceId) -> &str {
        self.files.get(source.0 as usize).map_or("", |file| &file.text)
    }

    /// The text of a source, shared instead of copied.
    #[must_use]
    pub fn shared(&self, source: SourceId) -> Arc<str> {
        self.files.get(source.0 as usize).map_or_else(|| Arc::from(""), |file| Arc::clone(&file.text))
    }

    /// The place of a byte.
    #[must_use]
    pub fn position(&self, source: SourceId, offset: u32) -> Position {
        let Some(file) = self.files.get(source.0 as usize) else {
            return Position { line: 1, column: 1 };
        };
        let line = file.line_starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let before = file.text.get(file.line_starts[line] as usize..offset as usize).unwrap_or_default();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1);
        Position { line: count(line), column: count(before.chars().count()) }
    }

    /// `file:line:column` of a span's start.
    #[must_use]
    pub fn place(&self, span: Span) -> String {
        let Position { line, column } = self.position(span.source, span.start);
        format!("{}:{line}:{column}", self.name(span.source))
    }
}
