//! The comments of a file, for the few readers who want them.

use granit_parser::{Event, Parser};

use super::build::offset;
use super::limits::MAX_DEPTH;
use crate::diag::{SourceId, Sources, Span, Spanned};

/// The comments of a source, each with its text behind `#`, in order; as many as stand before what cannot be read.
#[must_use]
pub fn comments(sources: &Sources, source: SourceId) -> Vec<Spanned<String>> {
    let options = granit_parser::options! {
        emit_comments: true,
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let events = Parser::new_from_str_with_options(sources.text(source), options).map_while(Result::ok);
    let comment = |(event, place): (Event<'_>, granit_parser::Span)| match event {
        Event::Comment(text, _) => {
            let range = place.byte_range()?;
            let span = Span::new(source, offset(range.start), offset(range.end));
            Some(Spanned { value: text.into_owned(), span })
        }
        _ => None,
    };
    events.filter_map(comment).collect()
}
