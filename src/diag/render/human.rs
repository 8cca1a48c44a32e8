//! Findings for people: the source line, the place, what to write instead.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};

use crate::diag::{Diagnostic, Severity, Sources, Span};

/// How much of a long line is shown, in bytes, before and behind the place.
const BEFORE: usize = 60;
const BEHIND: usize = 100;

/// A stretch of a source, short enough to show: never more than one line.
struct Window {
    text: String,
    line: usize,
    place: Range<usize>,
}

pub(super) fn render(diagnostics: &[Diagnostic], sources: &Sources, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
    let shown: Vec<String> = diagnostics.iter().map(|diagnostic| one(diagnostic, sources, &renderer)).collect();
    let mut text = shown.join("\n\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn one(diagnostic: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = clean(&diagnostic.message);
    let mut group = level.primary_title(message).id(diagnostic.code).element(snippet(
        sources,
        diagnostic.primary,
        &diagnostic.label,
        AnnotationKind::Primary,
    ));
    for (span, text) in &diagnostic.others {
        group = group.element(snippet(sources, *span, text, AnnotationKind::Context));
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(clean(note)));
    }
    let mut report = vec![group];
    if let Some(fix) = &diagnostic.fix {
        let window = window(sources, fix.span);
        let patch = Patch::new(window.place.clone(), clean(&fix.replacement));
        let snippet = Snippet::source(window.text)
            .line_start(window.line)
            .path(sources.name(fix.span.source).to_owned())
            .patch(patch);
        report.push(Group::with_title(Level::HELP.secondary_title(clean(&fix.say))).element(snippet));
    }
    renderer.render(&report)
}

fn snippet<'s>(
    sources: &Sources,
    span: Span,
    label: &str,
    kind: AnnotationKind,
) -> Snippet<'s, annotate_snippets::Annotation<'s>> {
    let window = window(sources, span);
    let annotation = kind.span(window.place.clone());
    let annotation = if label.is_empty() { annotation } else { annotation.label(clean(label)) };
    Snippet::source(window.text)
        .line_start(window.line)
        .path(sources.name(span.source).to_owned())
        .annotation(annotation)
}

/// The line of the place; of a very long line only what is near it.
fn window(sources: &Sources, span: Span) -> Window {
    let text = sources.text(span.source);
    let at = floor(text, span.start as usize);
    let line_start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    let from = if at - line_start > BEFORE + BEHIND { floor(text, at - BEFORE) } else { line_start };
    let to = if line_end - at > BEHIND + BEFORE { floor(text, at + BEHIND) } else { line_end };
    let end = floor(text, (span.end as usize).clamp(at, to));
    let line = sources.position(span.source, span.start).line as usize;
    let shown = text[from..to].trim_end_matches('\r');
    let limit = |at: usize| at.min(shown.len());
    Window { text: clean(shown), line, place: limit(at - from)..limit(end - from) }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Without anything that drives a terminal; every byte keeps its place.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && !matches!(c, '\n' | '\t') { if c.len_utf8() == 1 { '?' } else { '\u{a4}' } } else { c }
        })
        .collect()
}
