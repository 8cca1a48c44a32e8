//! How findings are shown: to people, to editors, to CI.

mod human;
mod machine;

use super::{Diagnostic, Severity, Sources};

/// The ways to show findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// With the source line, for people.
    Human,
    /// One line each.
    Short,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// GitHub's annotations.
    Github,
}

/// Shows findings, in the order given.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, format: Format, colour: bool) -> String {
    match format {
        Format::Human => human::render(diagnostics, sources, colour),
        Format::Short => machine::short(diagnostics, sources),
        Format::Json => machine::json(diagnostics, sources),
        Format::Sarif => machine::sarif(diagnostics, sources),
        Format::Github => machine::github(diagnostics, sources),
    }
}

impl Severity {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

#[cfg(test)]
mod tests;
