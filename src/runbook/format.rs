//! The layout of a file: two spaces for each level, no space at the ends of lines, no more than one empty line.
//!
//! Only white space changes, and never what the file means: where moving lines would, they stay where they are.
//! Which lines hold keys, text or brackets is taken from the tree that the reader makes.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Document, Node, NodeId, parse};
use crate::diag::{Diagnostic, Severity, SourceId, Sources};

/// The spaces of one level.
const STEP: usize = 2;

/// The text of a source as it should be.
///
/// # Errors
/// What keeps the source from being read.
pub fn format(sources: &Sources, source: SourceId) -> Result<String, Vec<Diagnostic>> {
    let (document, found) = parse(sources, source);
    let is_refused = found.iter().any(|finding| finding.severity == Severity::Error);
    let Some(document) = document.filter(|_| !is_refused) else { return Err(found) };
    let text = sources.text(source);
    let means_the_same = |other: &String| {
        let mut sources = Sources::default();
        let source = sources.add("", other.as_str());
        let (again, found) = parse(&sources, source);
        let is_read = !found.iter().any(|finding| finding.severity == Severity::Error);
        let same = |again: Document| again.to_json(again.root()) == document.to_json(document.root());
        is_read && again.is_some_and(same) && letters(text).eq(letters(other))
    };
    let layout = Layout::of(&document, text);
    let tries = [true, false].into_iter().map(|moves| layout.written(moves));
    let formatted = tries.into_iter().find(means_the_same);
    Ok(formatted.unwrap_or_else(|| text.to_owned()))
}

/// Everything but white space.
fn letters(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(|character| !character.is_whitespace())
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// A key, an item, or whatever else begins something.
    Begins,
    /// Nothing, or a comment.
    Between,
    /// It goes on with text or brackets of a line above: white space at its end may be content.
    GoesOn,
    /// It belongs to a `|` or `>` block whose text stands at this column; nothing else is known of it.
    Block(usize),
}

/// A collection that lines stand in.
#[derive(Clone, Copy, Debug)]
struct Level {
    is_list: bool,
    /// Where it stands.
    old: usize,
    /// Where it should.
    new: usize,
}

struct Layout<'t> {
    lines: Vec<(&'t str, Line)>,
    /// The columns of keys of block mappings, by line.
    keys: BTreeMap<usize, BTreeSet<usize>>,
}

impl<'t> Layout<'t> {
    fn of(document: &Document, text: &'t str) -> Self {
        let ended = text.strip_suffix('\n').unwrap_or(text);
        let lines: Vec<&str> = ended.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
        let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let is_empty = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
        let kinds = lines.iter().map(|line| if is_empty(line) { Line::Between } else { Line::Begins });
        let mut layout = Self { lines: lines.iter().copied().zip(kinds).collect(), keys: BTreeMap::new() };
        let mut seen = BTreeSet::new();
        layout.visit(document, document.root(), text, &starts, &mut seen);
        layout
    }

    fn visit(&mut self, document: &Document, id: NodeId, text: &str, starts: &[usize], seen: &mut BTreeSet<NodeId>) {
        // What an alias stands for is visited where it is written.
        if !seen.insert(id) {
            return;
        }
        let span = document.span(id);
        let place = |at: usize| {
            let line = starts.partition_point(|start| *start <= at).saturating_sub(1);
            (line, at - starts[line])
        };
        let ((first, _), (last, _)) = (place(span.start as usize), place((span.end as usize).max(1) - 1));
        let is_flow = text[span.start as usize..].starts_with(['{', '[']);
        match document.get(id) {
            Node::Mapping(_) | Node::Sequence(_) if is_flow => self.goes_on(first + 1..=last),
            Node::Mapping(pairs) => {
                for (key, value) in pairs {
                    let (line, column) = place(document.span(*key).start as usize);
                    self.keys.entry(line).or_default().insert(column);
                    self.visit(document, *value, text, starts, seen);
                }
            }
            Node::Sequence(items) => {
                items.iter().for_each(|item| self.visit(document, *item, text, starts, seen));
            }
            _ if document.is_block(id) => self.block(first),
            _ => self.goes_on(first + 1..=last),
        }
    }

    fn goes_on(&mut self, lines: std::ops::RangeInclusive<usize>) {
        for (_, kind) in self.lines.get_mut(lines).into_iter().flatten() {
            *kind = Line::GoesOn;
        }
    }

    /// The lines of a block of text that begins at this line, or whose `|` or `>` stands there.
    fn block(&mut self, first: usize) {
        let above = (0..=first).rev().find_map(|line| Some((line, block_header(self.lines.get(line)?.0)?)));
        let Some((head, header)) = above else { return };
        let head_text = self.lines[head].0;
        let (keeps, said) = (header.contains('+'), header.contains(|c: char| c.is_ascii_digit()));
        let rest = &self.lines[head + 1..];
        let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let filled = |(line, _): &&(&str, Line)| !line.trim_start_matches(' ').is_empty();
        let Some((first, _)) = rest.iter().find(filled) else { return };
        // Where the column is said, it is counted from the block around: all lines move with that.
        let column = if said { 0 } else { indent(first) };
        let outer = indent(head_text);
        let inside = |line: &str| if said { indent(line) > outer } else { indent(line) >= column };
        let count = rest.iter().take_while(|(line, _)| line.trim_start_matches(' ').is_empty() || inside(line)).count();
        let trailing =
            rest[..count].iter().rev().take_while(|(line, _)| line.trim_start_matches(' ').is_empty()).count();
        let count = if keeps { count } else { count - trailing };
        for (_, kind) in &mut self.lines[head + 1..head + 1 + count] {
            *kind = Line::Block(column);
        }
    }

    /// The text; `moves` says whether lines are moved to where they should begin.
    fn written(&self, moves: bool) -> String {
        let mut out: Vec<String> = Vec::new();
        let mut levels: Vec<Level> = Vec::new();
        let mut kept_blank = false;
        for (number, (line, kind)) in self.lines.iter().enumerate() {
            let indent = line.len() - line.trim_start_matches(' ').len();
            let level = levels.last().copied();
            let written = match kind {
                Line::Between if line.trim().is_empty() => {
                    kept_blank = !out.is_empty();
                    continue;
                }
                Line::Between if moves => " ".repeat(self.comment(number, indent, &levels)) + line.trim(),
                Line::Begins if moves => self.begins(number, line.trim_end(), indent, &mut levels),
                Line::Between | Line::Begins => line.trim_end().to_owned(),
                Line::Block(0) if moves => moved(line, level),
                Line::Block(column) if moves => {
                    let base = level.map_or(0, |level| level.new + STEP);
                    line.get(*column..)
                        .filter(|rest| !rest.is_empty())
                        .map_or_else(String::new, |rest| " ".repeat(base) + rest)
                }
                Line::GoesOn if moves => moved(line, level),
                Line::Block(_) | Line::GoesOn => (*line).to_owned(),
            };
            if std::mem::take(&mut kept_blank) {
                out.push(String::new());
            }
            out.push(written);
        }
        out.join("\n") + "\n"
    }

    /// A line with its dashes and what follows them, where they should stand.
    fn begins(&self, number: usize, line: &str, indent: usize, levels: &mut Vec<Level>) -> String {
        let mut column = indent;
        let mut written: Option<(usize, String)> = None;
        loop {
            let rest = line.get(column..).unwrap_or_default();
            let is_list = rest == "-" || rest.starts_with("- ");
            let is_key = self.keys.get(&number).is_some_and(|keys| keys.contains(&column));
            if !is_list && !is_key {
                let (start, dashes) = written.unwrap_or_else(|| (shift(indent, levels.last().copied()), String::new()));
                return (" ".repeat(start) + &dashes + rest).trim_end().to_owned();
            }
            let new = enter(levels, is_list, column);
            let (start, mut dashes) = written.unwrap_or((new, String::new()));
            if !is_list {
                return " ".repeat(start) + &dashes + rest;
            }
            dashes += "- ";
            written = Some((start, dashes));
            column += rest.len() - rest[1..].trim_start_matches(' ').len();
        }
    }

    /// Where a comment should stand: as what follows it, or as what it stands in.
    fn comment(&self, number: usize, indent: usize, levels: &[Level]) -> usize {
        let follows = self.lines.iter().enumerate().skip(number).find(|(_, (_, kind))| *kind == Line::Begins);
        let next = follows.map(|(number, (line, _))| (number, line.len() - line.trim_start_matches(' ').len()));
        let within = levels.iter().rev().find(|level| level.old == indent).map(|level| level.new);
        match (next, within) {
            (Some((_, column)), Some(within)) if indent > column => within,
            (None, within) => within.unwrap_or(0),
            (Some((number, column)), _) => {
                let mut levels = levels.to_vec();
                let line = self.lines[number].0;
                let written = self.begins(number, line.trim_end(), column, &mut levels);
                written.len() - written.trim_start_matches(' ').len()
            }
        }
    }
}

/// `|+2`, at the end of a line, but for a comment.
fn block_header(line: &str) -> Option<&str> {
    let mut signs = line.rmatch_indices(['|', '>']);
    signs.find_map(|(at, _)| {
        let said = line[at..].split(" #").next()?.trim_end();
        said[1..].chars().all(|sign| matches!(sign, '+' | '-' | '1'..='9')).then_some(said)
    })
}

/// Comes to a key or a dash at that column: where it should stand.
fn enter(levels: &mut Vec<Level>, is_list: bool, column: usize) -> usize {
    // A list may stand at the column of its key.
    let is_over = |level: &Level| level.old > column || (level.old == column && level.is_list && !is_list);
    while levels.last().is_some_and(is_over) {
        levels.pop();
    }
    if let Some(level) = levels.last().filter(|level| level.old == column && level.is_list == is_list) {
        return level.new;
    }
    let new = levels.last().map_or(0, |level| level.new + STEP);
    levels.push(Level { is_list, old: column, new });
    new
}

fn shift(indent: usize, level: Option<Level>) -> usize {
    level.map_or(indent, |level| (indent + level.new).saturating_sub(level.old))
}

/// A line that moves with the collection it stands in.
fn moved(line: &str, level: Option<Level>) -> String {
    let rest = line.trim_start_matches(' ');
    if rest.is_empty() {
        return String::new();
    }
    " ".repeat(shift(line.len() - rest.len(), level)) + rest
}
