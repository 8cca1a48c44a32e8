//! Findings that the file allows are left out; what is allowed in vain is a finding.

use std::collections::BTreeSet;

use super::pages;
use crate::diag::{Diagnostic, Fix, Severity};
use crate::runbook::allow::Allowance;

/// The findings without those that the file's comments allow, and what is wrong with the comments. Where errors hide
/// what else there is, nobody knows what is allowed in vain.
pub(super) fn without_allowed(allowances: &[Allowance], found: Vec<Diagnostic>, is_sound: bool) -> Vec<Diagnostic> {
    if allowances.is_empty() {
        return found;
    }
    let mut used = BTreeSet::new();
    let mut left: Vec<Diagnostic> = Vec::new();
    for finding in found {
        let covers = |allowance: &Allowance| allowance.has_reason && allowance.covers(&finding);
        let covering = allowances.iter().position(covers);
        used.extend(covering);
        if covering.is_none() || finding.severity == Severity::Error {
            left.push(finding);
        }
    }
    for (index, allowance) in allowances.iter().enumerate() {
        left.extend(problem(allowance, is_sound && !used.contains(&index)));
    }
    left
}

fn problem(allowance: &Allowance, is_vain: bool) -> Option<Diagnostic> {
    let code = &allowance.code.value;
    let warning = |message: String| Diagnostic::warning("allow", allowance.code.span, message);
    if pages::page(code).is_none() {
        let finding = warning(format!("no finding is called `{code}`")).note("`drctl explain` lists them");
        let meant = Fix::meant(finding.primary, code, pages::PAGES.iter().map(|page| page.code));
        // Comments are their author's.
        return Some(meant.map(|fix| Fix { safe: false, ..fix }).into_iter().fold(finding, Diagnostic::fix));
    }
    if !allowance.has_reason {
        let note = format!("write why: `# drctl: allow({code}) REASON`");
        return Some(warning(format!("`{code}` is allowed without a reason, and so it is not")).note(note));
    }
    let note = "delete the comment; what it allows must stand on its line or, where it has one for itself, on the next";
    is_vain.then(|| warning(format!("there is no `{code}` here to allow")).note(note))
}
