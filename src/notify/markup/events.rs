//! Markdown, read: what a body says, without what no notice may do.

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream};

use crate::runbook::markdown;

/// Where a link may lead. Others, as `javascript:`, are no place a reader of a notice wants to be.
const SCHEMES: [&str; 4] = ["http://", "https://", "mailto:", "tel:"];

/// The events of a body; texts that follow each other are one.
pub(super) fn events(body: &str) -> impl Iterator<Item = Event<'_>> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut links = Links::default();
    let mut is_block = false;
    let read = Parser::new_ext(body, options).filter_map(move |event| {
        match event {
            Event::Start(Tag::CodeBlock(_)) => is_block = true,
            Event::End(TagEnd::CodeBlock) => is_block = false,
            _ => {}
        }
        links.kept(match plain(event) {
            Event::Code(code) => Event::Code(unescaped(code)),
            Event::Text(text) if is_block => Event::Text(unescaped(text)),
            other => other,
        })
    });
    TextMergeStream::new(read)
}

/// Code as it was meant: what a value brings is escaped in code, too, and Markdown shows that as it is.
fn unescaped(code: CowStr<'_>) -> CowStr<'_> {
    if code.contains(['\\', '&']) { markdown::unescaped(&code).into() } else { code }
}

/// HTML is text, and a line break in the source is one for the reader.
fn plain(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::SoftBreak => Event::HardBreak,
        other => other,
    }
}

/// Which link is open: they do not nest.
#[derive(Default)]
struct Links {
    is_kept: bool,
}

impl Links {
    fn kept<'b>(&mut self, event: Event<'b>) -> Option<Event<'b>> {
        match event {
            Event::Start(Tag::Link { link_type, dest_url, .. }) => {
                let url = match link_type {
                    LinkType::Email => CowStr::from(format!("mailto:{dest_url}")),
                    _ => dest_url,
                };
                self.is_kept = leads_somewhere(&url);
                let (title, id) = (CowStr::from(""), CowStr::from(""));
                let link = Tag::Link { link_type: LinkType::Inline, dest_url: url, title, id };
                self.is_kept.then_some(Event::Start(link))
            }
            Event::End(TagEnd::Link) => self.is_kept.then_some(Event::End(TagEnd::Link)),
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
            other => Some(other),
        }
    }
}

fn leads_somewhere(url: &str) -> bool {
    let begins = |scheme: &&str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    SCHEMES.iter().any(begins) && !url.chars().any(char::is_control)
}
