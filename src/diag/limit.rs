//! Bounds on what is found and looked for: of a file made to harm, a part of what is wrong tells enough.

use std::cell::Cell;

use super::{Diagnostic, sort};

/// The most findings that are told of one file, or of one runbook, before it is said that there are more.
pub const MOST_FOUND: usize = 1_000;

/// So many names are compared to what was found, about a tenth of a second. What people write needs far fewer.
const MOST_COMPARISONS: usize = 300_000;

/// The findings by place, at most [`MOST_FOUND`] and one that says how many more there are, as bad as the worst of them.
#[must_use]
pub fn limited(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    sort(&mut found);
    let rest = found.split_off(found.len().min(MOST_FOUND));
    if let (Some(first), Some(worst)) = (rest.first(), rest.iter().map(|finding| finding.severity).min()) {
        let message = format!("{} more findings: mend what is told first", rest.len());
        found.push(Diagnostic { severity: worst, ..Diagnostic::error("too-many", first.primary, message) });
    }
    found
}

/// How long "did you mean" is asked: nobody reads the thousandth suggestion, and each looks at every name.
#[derive(Debug)]
pub struct Patience(Cell<usize>);

impl Default for Patience {
    fn default() -> Self {
        Self(Cell::new(MOST_COMPARISONS))
    }
}

impl Patience {
    /// The names, each counted as it is looked at; none any more once that has come to too many.
    pub fn with<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
        let is_left = self.0.get() > 0;
        let count = || self.0.set(self.0.get().saturating_sub(1));
        names.into_iter().take_while(move |_| is_left).inspect(move |_| count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Severity, SourceId, Span};

    #[test]
    fn of_too_many_findings_the_first_are_told_and_how_many_more_there_are() {
        let at = |at: u32| Span::new(SourceId::default(), at, at + 1);
        let found = |count: u32| (0..count).map(|start| Diagnostic::warning("rto", at(start), "slow")).collect();
        assert_eq!(limited(found(1_000)), found(1_000));
        let told = limited(found(1_234));
        let more = Diagnostic::warning("too-many", at(1_000), "234 more findings: mend what is told first");
        assert_eq!((told.len(), told.last()), (1_001, Some(&more)));
        let worst: Vec<Diagnostic> = [found(1_001), vec![Diagnostic::error("needs", at(5_000), "unknown")]].concat();
        assert_eq!(limited(worst).last().map(|finding| finding.severity), Some(Severity::Error));
    }

    #[test]
    fn a_million_names_are_not_compared_again_and_again() {
        let names = vec!["name"; 200_000];
        let patience = Patience::default();
        let looked_at = (0..100).map(|_| patience.with(names.iter().copied()).count()).sum::<usize>();
        assert_eq!(looked_at, 400_000);
    }
}
