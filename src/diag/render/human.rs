//! For people: the source line with the place marked, notes, and the fix.

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Patch, Renderer, Snippet};

use super::excerpt::{Excerpt, excerpts};
use super::{on_one_line, visible};
use crate::diag::{Diagnostic, Fix, Severity, SourceId, Sources, Span};

/// So many further places of one finding are shown.
const MOST_ALIKE: usize = 8;

pub(super) fn render(diagnostics: &[Diagnostic], sources: &Sources, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let reports: Vec<String> =
        diagnostics.iter().map(|diagnostic| tidy(&renderer.render(&report(diagnostic, sources)))).collect();
    reports.join("\n")
}

/// Without the line that would name the file of an excerpt whose place was named already.
fn tidy(report: &str) -> String {
    let says = |line: &&str| console::strip_ansi_codes(line).trim() != ":::";
    report.lines().filter(says).map(|line| format!("{line}\n")).collect()
}

fn report(diagnostic: &Diagnostic, sources: &Sources) -> Vec<Group<'static>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(on_one_line(&diagnostic.message)).id(diagnostic.code);
    let more = diagnostic.alike.len().checked_sub(MOST_ALIKE).filter(|more| *more > 0);
    let more = more.map(|more| format!("and {more} more like it"));
    let notes = diagnostic.notes.iter().chain(&more).map(|note| Level::NOTE.message(visible(note).into_owned()));
    let group = title.elements(snippets(diagnostic, sources)).elements(notes);
    let mut groups = vec![group];
    groups.extend(diagnostic.fix.as_ref().map(|fix| help(fix, sources)));
    groups
}

/// The places of a diagnostic, the file of the primary one first.
fn snippets(diagnostic: &Diagnostic, sources: &Sources) -> Vec<Element<'static>> {
    let primary = (diagnostic.primary, diagnostic.label.as_str());
    let alike = diagnostic.alike.iter().take(MOST_ALIKE);
    let others = diagnostic.others.iter().chain(alike).map(|(span, label)| (*span, label.as_str()));
    let places: Vec<(Span, &str)> = std::iter::once(primary).chain(others).collect();
    let mut files: Vec<SourceId> = Vec::new();
    for (span, _) in &places {
        if !files.contains(&span.source) {
            files.push(span.source);
        }
    }
    let mut elements = Vec::new();
    for file in files {
        let spans = places.iter().enumerate().filter(|(_, (span, _))| span.source == file);
        let spans: Vec<(usize, Span)> = spans.map(|(index, (span, _))| (index, *span)).collect();
        let mut parts = excerpts(&spans, sources);
        // The part with the primary place comes first, whatever its line.
        parts.sort_by_key(|part| part.places.iter().map(|(index, _)| *index).min());
        for part in parts {
            let first = part.places.iter().map(|(index, _)| *index).min().unwrap_or_default();
            let snippet = snippet(&part, &places);
            if part.is_cut {
                // The renderer would count columns in what is shown, so it is told the place.
                elements.push(origin(places[first].0, sources).into());
                elements.push(snippet.into());
            } else {
                elements.push(snippet.path(on_one_line(sources.name(file))).into());
            }
        }
    }
    elements
}

fn origin(span: Span, sources: &Sources) -> Origin<'static> {
    let position = sources.position(span.source, span.start);
    let name = on_one_line(sources.name(span.source));
    Origin::path(name).line(position.line as usize).char_column(position.column as usize)
}

fn snippet(part: &Excerpt, places: &[(Span, &str)]) -> Snippet<'static, annotate_snippets::Annotation<'static>> {
    let annotations = part.places.iter().map(|(index, range)| {
        let kind = if *index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let label = Some(places[*index].1).filter(|label| !label.is_empty()).map(on_one_line);
        kind.span(range.clone()).label(label)
    });
    Snippet::source(part.text.clone()).line_start(part.first_line as usize).annotations(annotations)
}

/// The fix as an edit of its line; in words only where it spans lines.
fn help(fix: &Fix, sources: &Sources) -> Group<'static> {
    let title = Level::HELP.secondary_title(on_one_line(&fix.say));
    let is_one_line = |text: &str| !text.contains(['\n', '\r']);
    let old = sources.text(fix.span.source).get(fix.span.start as usize..fix.span.end as usize);
    if !is_one_line(&fix.replacement) || !old.is_some_and(is_one_line) || old == Some(&*fix.replacement) {
        return Group::with_title(title);
    }
    let patches = excerpts(&[(0, fix.span)], sources).into_iter().map(|part| {
        let ranges = part.places.into_iter().map(|(_, range)| range);
        let patches = ranges.map(|range| Patch::new(range, visible(&fix.replacement).into_owned()));
        Snippet::source(part.text).line_start(part.first_line as usize).patches(patches)
    });
    title.elements(patches)
}
