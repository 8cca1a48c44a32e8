//! A template of a notice: a subject line, an empty line, a text.

use crate::diag::{Diagnostic, SourceId, Sources, Span};
use crate::runbook::expr::{LARGEST_NOTICE, Notice, compile_notice};

/// A template, compiled.
#[derive(Debug)]
pub struct Template {
    /// The file.
    pub source: SourceId,
    /// The subject line.
    pub subject: Notice,
    /// The text.
    pub body: Notice,
    subject_at: usize,
    body_at: usize,
}

const SUBJECT: &str = "Subject:";

impl Template {
    /// Reads a template: `Subject: ...`, an empty line, the text.
    ///
    /// # Errors
    /// The subject is missing, or Tera refuses a part.
    pub fn parse(sources: &Sources, source: SourceId) -> Result<Self, Box<Diagnostic>> {
        let text = sources.text(source);
        if text.len() > LARGEST_NOTICE {
            let message = format!("the template is larger than {} MiB, as no notice may be", LARGEST_NOTICE >> 20);
            return Err(Box::new(Diagnostic::error("template", Span::new(source, 0, 0), message)));
        }
        let line_end = text.find('\n').unwrap_or(text.len());
        let line = text[..line_end].trim_end();
        let Some(subject) = line.strip_prefix(SUBJECT) else {
            let span = Span::new(source, 0, u32::try_from(line.len()).unwrap_or(0));
            let note = "a template is a line `Subject: ...`, an empty line, and the text";
            return Err(Box::new(Diagnostic::error("template", span, "a template begins with `Subject:`").note(note)));
        };
        let body_at = (line_end + 1).min(text.len());
        let lead = text[body_at..].len() - text[body_at..].trim_start_matches(['\n', '\r']).len();
        let body_at = body_at + lead;
        let compiled = |text: &str, at: usize| {
            compile_notice(text).map_err(|(message, from, to)| {
                Box::new(Diagnostic::error("template", place(source, at + from, at + to), message))
            })
        };
        Ok(Self {
            source,
            subject: compiled(subject, SUBJECT.len())?,
            body: compiled(&text[body_at..], body_at)?,
            subject_at: SUBJECT.len(),
            body_at,
        })
    }

    /// Everything the template reads, with its place in the file.
    pub fn reads(&self) -> impl Iterator<Item = (&crate::runbook::expr::Path, Span)> {
        let parts = [(&self.subject, self.subject_at), (&self.body, self.body_at)];
        parts.into_iter().flat_map(move |(notice, at)| {
            notice.scan.paths.iter().map(move |path| (path, place(self.source, at + path.from, at + path.to)))
        })
    }
}

fn place(source: SourceId, from: usize, to: usize) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(source, offset(from), offset(to))
}
