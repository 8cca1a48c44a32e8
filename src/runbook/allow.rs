//! `# drctl: allow(CODE) reason`: an author says why a finding does not hold where it stands.
//!
//! A comment, because what it is about may be any line, and because it changes nothing in a run.

use crate::diag::{Diagnostic, Span, Spanned};

/// What a comment that is meant for drctl begins with.
const MARK: &str = "drctl:";

/// A finding is allowed on a line.
#[derive(Clone, Debug)]
pub struct Allowance {
    /// The finding's code.
    pub code: Spanned<String>,
    /// The line it is about: the comment's own or, where that holds nothing else, the next one that holds something.
    pub line: Span,
    /// Whether somebody wrote why.
    pub has_reason: bool,
}

impl Allowance {
    /// Whether a finding of that code and place is allowed.
    #[must_use]
    pub fn covers(&self, finding: &Diagnostic) -> bool {
        let Span { source, start, end } = self.line;
        let at = finding.primary;
        finding.code == self.code.value && at.source == source && (start..end).contains(&at.start)
    }
}

/// What the comments of a file with that text allow, and those that cannot be understood.
#[must_use]
pub fn allowances(text: &str, comments: &[Span]) -> (Vec<Allowance>, Vec<Diagnostic>) {
    let (mut allowed, mut found) = (Vec::new(), Vec::new());
    for comment in comments {
        let behind = &text[comment.start as usize + 1..comment.end as usize];
        let Some(meant) = behind.trim_start().strip_prefix(MARK) else { continue };
        match codes(meant, *comment) {
            Some((codes, has_reason)) => {
                let line = line_of(text, *comment);
                allowed.extend(codes.into_iter().map(|code| Allowance { code, line, has_reason }));
            }
            None => {
                let message = "wanted `# drctl: allow(CODE) REASON`";
                found.push(Diagnostic::warning("allow", *comment, message).note("it allows nothing as it stands"));
            }
        }
    }
    (allowed, found)
}

/// The codes between the brackets, and whether words follow. `meant` ends where the comment does.
fn codes(meant: &str, comment: Span) -> Option<(Vec<Spanned<String>>, bool)> {
    let inside = meant.trim_start().strip_prefix("allow(")?;
    let (inside, reason) = inside.split_once(')')?;
    let length = (comment.end - comment.start) as usize;
    let at = |part: &str| length - meant.len() + (part.as_ptr().addr() - meant.as_ptr().addr());
    let code = |part: &str| {
        let part = part.trim();
        let from = at(part);
        Spanned { value: part.to_owned(), span: comment.slice(from, from + part.len()) }
    };
    let is_word = |character: char| character.is_alphanumeric();
    Some((inside.split(',').map(code).collect(), reason.contains(is_word)))
}

fn line_of(text: &str, comment: Span) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let span = |from: usize, line: &str| Span::new(comment.source, offset(from), offset(from + line.len()));
    let start = text[..comment.start as usize].rfind('\n').map_or(0, |newline| newline + 1);
    if !text[start..comment.start as usize].trim().is_empty() {
        return span(start, text[start..].split('\n').next().unwrap_or_default());
    }
    let mut from = start;
    for line in text[start..].split_inclusive('\n') {
        let shown = line.trim();
        if !shown.is_empty() && !shown.starts_with('#') {
            return span(from, line);
        }
        from += line.len();
    }
    span(from, "")
}
