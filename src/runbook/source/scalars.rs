//! Scalars: what they are, and where their text is kept.

use std::ops::ControlFlow;

use granit_parser::ScalarStyle;

use super::build::{Builder, Properties, offset};
use super::decode::{code_point, is_hidden};
use super::limits::Size;
use super::schema::{self, Refusal};
use super::tree::{Kind, NodeId, Style};
use crate::diag::{Diagnostic, Fix, Span};

impl Builder {
    /// Adds a scalar.
    pub(super) fn scalar(&mut self, text: &str, style: ScalarStyle, properties: &Properties<'_>) -> ControlFlow<()> {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let id = self.push(Kind::String, &properties.place)?;
        let span = self.document.span(id);
        // The parser says `~` where nothing is written.
        let text = if style == Style::Plain && span.start == span.end { "" } else { text };
        if style == Style::DoubleQuoted {
            self.refuse_escaped_characters(text, span);
        }
        let kind = self.kind_of(text, style, properties);
        self.store(id, text, kind, style);
        self.anchor(properties.anchor, id, Some(Size::scalar(text.len())))?;
        self.place(id, Size::scalar(text.len()), span)
    }

    /// What is refused as it is in a file is refused as an escape, too.
    fn refuse_escaped_characters(&mut self, text: &str, span: Span) {
        if let Some(hidden) = text.chars().find(|character| is_hidden(*character)) {
            let message = format!("the escaped character {} is not allowed", code_point(hidden));
            self.problems.add(|| Diagnostic::error("hidden-character", span, message));
        }
    }

    /// What a scalar is. A key is always text, whatever it looks like.
    fn kind_of(&mut self, text: &str, style: Style, properties: &Properties<'_>) -> Kind {
        let is_key = self.is_key();
        let kind = match properties.tag {
            Some(tag) => schema::tagged(text, tag).map_err(|message| {
                let span = self.tag_span(&properties.place);
                self.problems.add(|| Diagnostic::error("tag", span, message));
            }),
            None if style != Style::Plain || is_key => Ok(Kind::String),
            None => schema::resolve(text).map_err(|refusal| {
                let span = self.span(&properties.place);
                self.problems.add(|| refused(refusal, text, span));
            }),
        };
        kind.ok().filter(|_| !is_key).unwrap_or(Kind::String)
    }

    /// Keeps the text: by reference where the file holds it just so.
    fn store(&mut self, id: NodeId, text: &str, kind: Kind, style: Style) {
        let document = &mut self.document;
        let entry = &mut document.entries[id.0 as usize];
        let is_quoted = matches!(style, Style::SingleQuoted | Style::DoubleQuoted);
        let start = entry.start + u32::from(is_quoted);
        let written = document.text.get(start as usize..start as usize + text.len());
        entry.is_decoded = written != Some(text);
        entry.at = if entry.is_decoded { offset(document.decoded.len()) } else { start };
        entry.length = offset(text.len());
        (entry.kind, entry.style) = (kind, style);
        if entry.is_decoded {
            document.decoded.push_str(text);
        }
    }
}

/// Why a plain scalar is refused, and what to write instead.
fn refused(refusal: Refusal, text: &str, span: Span) -> Diagnostic {
    let short: String = text.chars().take(80).collect();
    let fix = Fix {
        span,
        replacement: format!("\"{text}\""),
        say: "write it in quotes if it is text".to_owned(),
        safe: false,
    };
    match refusal {
        Refusal::LeadingZero => {
            let message = format!("`{short}` may be text, octal or decimal");
            let octal = text.trim_start_matches(['-', '+']).trim_start_matches('0');
            let is_octal = !octal.is_empty() && text.bytes().all(|digit| matches!(digit, b'0'..=b'7'));
            let say = if is_octal {
                format!("write `\"{short}\"` or `0o{octal}`")
            } else {
                format!("write `\"{short}\"`, or the number without zeros before it")
            };
            Diagnostic::error("leading-zero", span, message).fix(Fix { say, ..fix })
        }
        Refusal::TooLarge => {
            let message = format!("the number `{short}` is too large: wanted at most 64 bits with a sign");
            Diagnostic::error("number-range", span, message).fix(fix)
        }
        Refusal::NotFinite => {
            Diagnostic::error("number-range", span, format!("`{short}` is not a finite number")).fix(fix)
        }
    }
}
