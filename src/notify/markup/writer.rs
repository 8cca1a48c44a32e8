//! Writes the events of a body as text of some kind: which blocks there are and how they nest is the same for all,
//! how each is marked is for the [`Target`] to say.

use pulldown_cmark::{Event, Tag, TagEnd};

use super::events::events;

/// Quotes and lists deeper than this are no longer moved in: no notice means them, and each level costs a copy.
const DEEPEST: usize = 16;

/// How a kind of reader marks what Markdown means.
pub(super) trait Target {
    /// Between two lines of a paragraph.
    const BREAK: &'static str = "\n";
    /// Before an item of a list.
    const BULLET: &'static str = "- ";
    /// Before each line of a quote.
    const QUOTE: &'static str = "> ";
    /// Between two parts.
    const RULE: &'static str;

    /// A text that means nothing but itself, at the start of a line or within one.
    fn text(text: &str, is_start: bool) -> String;
    /// Code within a line.
    fn code(code: &str) -> String;
    /// Code of its own lines.
    fn code_block(code: &str) -> String;
    /// What stands out.
    fn strong(text: &str) -> String;
    /// What is stressed.
    fn emphasis(text: &str) -> String;
    /// What no longer holds.
    fn strikethrough(text: &str) -> String;
    /// A label that leads to a URL.
    fn link(label: &str, url: &str) -> String;
    /// A heading; 1 is the largest.
    fn heading(text: &str, level: usize) -> String;
    /// A table: the first row names the columns.
    fn table(rows: &[Vec<String>]) -> String;
}

/// The body as the target takes it.
pub(super) fn write<T: Target>(body: &str) -> String {
    let mut open = vec![Frame::default()];
    for event in events(body) {
        match event {
            Event::Start(tag) => open.push(Frame { tag: Some(tag), ..Frame::default() }),
            Event::End(end) => close::<T>(&mut open, end),
            other => inline::<T>(&mut open, &other),
        }
    }
    open.into_iter().next().unwrap_or_default().text.trim_end().to_owned()
}

/// What is open: a paragraph, a list, a cell.
#[derive(Default)]
struct Frame<'b> {
    tag: Option<Tag<'b>>,
    text: String,
    /// The items of a list, the cells of a row.
    parts: Vec<String>,
    rows: Vec<Vec<String>>,
    /// An item with paragraphs: a list with empty lines between its items.
    is_loose: bool,
}

impl Frame<'_> {
    /// Adds a block, apart from what stands before it.
    fn block(&mut self, text: String) {
        if self.text.is_empty() {
            self.text = text;
            return;
        }
        let is_tight = matches!(self.tag, Some(Tag::Item)) && !self.is_loose;
        self.text.push_str(if is_tight { "\n" } else { "\n\n" });
        self.text.push_str(&text);
    }

    fn is_marked_already(&self) -> bool {
        matches!(self.tag, Some(Tag::Heading { .. } | Tag::TableHead))
    }
}

fn inline<T: Target>(open: &mut [Frame<'_>], event: &Event<'_>) {
    let Some(frame) = open.last_mut() else { return };
    let is_code = matches!(frame.tag, Some(Tag::CodeBlock(_)));
    match event {
        Event::Text(code) if is_code => frame.text.push_str(code),
        Event::Text(text) => {
            let is_start = frame.text.is_empty() || frame.text.ends_with('\n');
            let lines = text.trim_end_matches('\n').split('\n').enumerate();
            let lines: Vec<String> = lines.map(|(at, line)| T::text(line, is_start || at > 0)).collect();
            frame.text.push_str(&lines.join(T::BREAK));
        }
        Event::Code(code) => frame.text.push_str(&T::code(code)),
        Event::HardBreak => frame.text.push_str(T::BREAK),
        Event::Rule => frame.block(T::RULE.to_owned()),
        _ => {}
    }
}

fn close<T: Target>(open: &mut Vec<Frame<'_>>, end: TagEnd) {
    let depth = open.len();
    let Some(Frame { tag, text, parts, rows, is_loose }) = open.pop() else { return };
    let is_marked = open.iter().any(Frame::is_marked_already);
    let Some(parent) = open.last_mut() else { return };
    match end {
        TagEnd::Paragraph => {
            parent.is_loose = true;
            parent.block(text);
        }
        TagEnd::Heading(level) => parent.block(T::heading(&text, level as usize)),
        TagEnd::BlockQuote(_) if depth <= DEEPEST => parent.block(moved_in(&text, T::QUOTE, T::QUOTE)),
        TagEnd::CodeBlock => parent.block(T::code_block(text.trim_end_matches('\n'))),
        TagEnd::Item => {
            parent.is_loose |= is_loose;
            parent.parts.push(text);
        }
        TagEnd::List(_) => {
            let first = match tag {
                Some(Tag::List(first)) if depth <= DEEPEST => Some(first),
                _ => None,
            };
            parent.block(list::<T>(&parts, first, is_loose));
        }
        TagEnd::TableCell => parent.parts.push(text.replace(T::BREAK, " ")),
        TagEnd::TableHead | TagEnd::TableRow => parent.rows.push(parts),
        TagEnd::Table => parent.block(T::table(&rows)),
        TagEnd::Strong if !is_marked => parent.text.push_str(&T::strong(&text)),
        TagEnd::Emphasis => parent.text.push_str(&T::emphasis(&text)),
        TagEnd::Strikethrough => parent.text.push_str(&T::strikethrough(&text)),
        TagEnd::Link => {
            let url = match &tag {
                Some(Tag::Link { dest_url, .. }) => dest_url.as_ref(),
                _ => "",
            };
            parent.text.push_str(&T::link(&text, url));
        }
        TagEnd::BlockQuote(_) => parent.block(text),
        _ => parent.text.push_str(&text),
    }
}

/// A list whose items begin with a bullet, or with numbers from `first`; too deep, and its items are lines.
fn list<T: Target>(items: &[String], first: Option<Option<u64>>, is_loose: bool) -> String {
    let marked = (0u64..).zip(items).map(|(at, item)| match first {
        None => item.clone(),
        Some(None) => moved_in(item, T::BULLET, "  "),
        Some(Some(first)) => {
            let marker = format!("{}. ", first.saturating_add(at));
            moved_in(item, &marker, &" ".repeat(marker.len()))
        }
    });
    marked.collect::<Vec<_>>().join(if is_loose { "\n\n" } else { "\n" })
}

/// The text behind a marker, its further lines below it.
fn moved_in(text: &str, first: &str, further: &str) -> String {
    let mut out = String::from(first);
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
            // An empty line of a list has nothing behind it; one of a quote has its mark.
            out.push_str(if line.is_empty() { further.trim_end() } else { further });
        }
        out.push_str(line);
    }
    out
}
