//! A page for every code a finding can have: what it means, why it matters, how it is mended, an example of each.

/// What `drctl explain CODE` shows.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The code.
    pub code: &'static str,
    /// The page, in Markdown: its first line is what it says in short.
    pub text: &'static str,
}

macro_rules! pages {
    ($($code:literal)*) => { &[$(Page { code: $code, text: include_str!(concat!("pages/", $code, ".md")) }),*] };
}

/// All pages, by code.
pub const PAGES: &[Page] = pages! {
    "action" "alias-expansion" "allow" "audience" "azure" "calendar" "call" "channel" "code" "complex-key" "contact"
    "cycle" "cyclic-alias" "duplicate-id" "duplicate-key" "duplicate-name" "early-all-clear" "empty-file" "empty-key"
    "endpoint" "escalation" "expression" "failed-region" "fault" "file" "gate" "hidden-character" "input"
    "leading-zero" "may-be-missing" "merge-key" "missing-field" "name" "needs" "never-runs" "no-estimate" "no-failback"
    "no-gate" "no-timeout" "no-verify" "no-way-back" "not-utf8" "notice" "number-range" "output" "outputs" "owner" "people"
    "reference" "repeat" "resource" "rpo" "rto" "runbook" "secret" "service" "several-documents" "silence" "step"
    "steps" "syntax" "tag" "template" "too-deep" "too-large" "too-many" "type" "unknown-alias" "unknown-field"
    "unquoted-template" "unsafe-retry" "unused-input" "version"
};

/// The page of a code.
#[must_use]
pub fn page(code: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.code == code)
}

impl Page {
    /// What it says in short.
    #[must_use]
    pub fn short(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default()
    }
}
