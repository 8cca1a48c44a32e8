//! A finding: what is wrong, where, and what to write instead.

use super::{Span, near};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// It can, but somebody should look.
    Warning,
}

/// What to write instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fix {
    /// What is replaced.
    pub span: Span,
    /// By what.
    pub replacement: String,
    /// How it is said: ``did you mean `failover`? ``
    pub say: String,
    /// Whether it can be applied without asking: nothing else can have been meant.
    pub safe: bool,
}

/// A finding about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its kind, such as `unknown-field`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence: what was wanted, what was found.
    pub message: String,
    /// Where.
    pub primary: Span,
    /// What stands at the carets; may be empty.
    pub label: String,
    /// Other places that matter, and why.
    pub others: Vec<(Span, String)>,
    /// Further places of which the same holds, each in its own words.
    pub alike: Vec<(Span, String)>,
    /// More for the tired reader.
    pub notes: Vec<String>,
    /// What to write instead.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// An error.
    #[must_use]
    pub fn error(code: &'static str, primary: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            primary,
            label: String::new(),
            others: Vec::new(),
            alike: Vec::new(),
            notes: Vec::new(),
            fix: None,
        }
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: &'static str, primary: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, primary, message) }
    }

    /// One for each of its places, where it holds for many: what programs want to know.
    pub fn each(&self) -> impl Iterator<Item = Self> {
        // Field by field: there may be a hundred thousand places, and each is cloned alone.
        let own = Self {
            code: self.code,
            severity: self.severity,
            message: self.message.clone(),
            primary: self.primary,
            label: self.label.clone(),
            others: self.others.clone(),
            alike: Vec::new(),
            notes: self.notes.clone(),
            fix: self.fix.clone(),
        };
        let like = Self { fix: None, ..own.clone() };
        let of_place =
            move |(span, message): &(Span, String)| Self { primary: *span, message: message.clone(), ..like.clone() };
        std::iter::once(own).chain(self.alike.iter().map(of_place))
    }

    /// With a fix that is only shown, not applied, where what it would write is such.
    #[must_use]
    pub fn unsafe_where(mut self, is_such: impl Fn(&str) -> bool) -> Self {
        if let Some(fix) = self.fix.as_mut().filter(|fix| is_such(&fix.replacement)) {
            fix.safe = false;
        }
        self
    }

    /// With words at the carets.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// With another place.
    #[must_use]
    pub fn other(mut self, span: Span, text: impl Into<String>) -> Self {
        self.others.push((span, text.into()));
        self
    }

    /// With one more sentence.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// With a fix.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// All of it but its place, on one line: where nothing was written in a file.
    #[must_use]
    pub fn sentence(&self) -> String {
        let say = self.fix.iter().map(|fix| fix.say.as_str());
        let parts = std::iter::once(self.message.as_str()).chain(self.notes.iter().map(String::as_str)).chain(say);
        parts.collect::<Vec<_>>().join("; ")
    }

    /// Every place it names.
    pub(super) fn places(&self) -> impl Iterator<Item = Span> {
        let further = self.others.iter().chain(&self.alike).map(|(span, _)| *span);
        std::iter::once(self.primary).chain(further).chain(self.fix.as_ref().map(|fix| fix.span))
    }

    /// The same, with every place put where `to` says.
    #[must_use]
    pub(super) fn moved(mut self, to: impl Fn(Span) -> Span) -> Self {
        self.primary = to(self.primary);
        self.others.iter_mut().chain(&mut self.alike).for_each(|(span, _)| *span = to(*span));
        if let Some(fix) = &mut self.fix {
            fix.span = to(fix.span);
        }
        self
    }

    /// With "did you mean", where a candidate is close to what was found at the primary place.
    #[must_use]
    pub fn suggest<'a>(self, found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match Fix::meant(self.primary, found, candidates) {
            Some(fix) => self.fix(fix),
            None => self,
        }
    }
}

impl Fix {
    /// "Did you mean", where a candidate is close to what was found.
    #[must_use]
    pub fn meant<'a>(span: Span, found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let near = near(found, candidates);
        let meant = *near.first()?;
        // `db2` is not meant by `db3`, and of two letters nobody can tell.
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let safe = near.len() == 1 && found.len() >= 4 && digits(found) == digits(meant);
        Some(Self { span, replacement: meant.to_owned(), say: format!("did you mean `{meant}`?"), safe })
    }
}

/// Sorts by place, and drops what was said twice.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| (a.primary, a.code, &a.message).cmp(&(b.primary, b.code, &b.message)));
    diagnostics.dedup();
}
