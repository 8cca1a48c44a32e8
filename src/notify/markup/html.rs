//! Markdown as a fragment of HTML.

use pulldown_cmark::{Event, Tag, TagEnd};

use super::events::events;

/// The body as HTML: a fragment without styles, scripts or anything fetched. `<`, `>`, `&` and `"` of texts are escaped.
#[must_use]
pub fn html(body: &str) -> String {
    let mut out = String::new();
    let mut is_code = false;
    let lines = events(body).flat_map(|event| {
        match event {
            Event::Start(Tag::CodeBlock(_)) => is_code = true,
            Event::End(TagEnd::CodeBlock) => is_code = false,
            _ => {}
        }
        match event {
            Event::Text(text) if !is_code && text.contains('\n') => broken(&text),
            other => vec![other],
        }
    });
    pulldown_cmark::html::push_html(&mut out, lines);
    out
}

/// A text of several lines, as a value may be, with its breaks.
fn broken<'b>(text: &str) -> Vec<Event<'b>> {
    let mut events = Vec::new();
    for line in text.trim_end_matches('\n').split('\n') {
        if !events.is_empty() {
            events.push(Event::HardBreak);
        }
        events.push(Event::Text(line.to_owned().into()));
    }
    events
}
