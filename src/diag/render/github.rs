//! Workflow commands of GitHub Actions: `::error file=..,line=..,col=..::message`.

use super::{details, visible};
use crate::diag::{Diagnostic, Position, Sources};

pub(super) fn render(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    diagnostics.iter().map(|diagnostic| command(diagnostic, sources)).collect()
}

fn command(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let span = diagnostic.primary;
    let Position { line, column } = sources.position(span.source, span.start);
    let lines: Vec<&str> = std::iter::once(diagnostic.message.as_str()).chain(details(diagnostic)).collect();
    format!(
        "::{} file={},line={line},col={column},title={}::{}\n",
        diagnostic.severity.word(),
        property(sources.name(span.source)),
        property(diagnostic.code),
        data(&lines.join("\n")),
    )
}

fn data(text: &str) -> String {
    visible(text).replace('%', "%25").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
