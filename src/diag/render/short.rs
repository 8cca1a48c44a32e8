//! `file:line:column: error[code]: message (did you mean ...)`.

use super::on_one_line;
use crate::diag::{Diagnostic, Sources};

pub(super) fn render(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    diagnostics.iter().map(|diagnostic| line(diagnostic, sources)).collect()
}

fn line(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let place = on_one_line(&sources.place(diagnostic.primary));
    let message = on_one_line(&diagnostic.message);
    let fix = diagnostic.fix.as_ref().map_or(String::new(), |fix| format!(" ({})", on_one_line(&fix.say)));
    format!("{place}: {}[{}]: {message}{fix}\n", diagnostic.severity.word(), diagnostic.code)
}
