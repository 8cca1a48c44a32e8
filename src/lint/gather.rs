//! What holds for many steps alike is told once, with all its places.

use std::collections::BTreeMap;

use crate::diag::Diagnostic;

/// Findings that a runbook has for most of its steps, or for none.
const GATHERED: [&str; 4] = ["no-estimate", "no-timeout", "no-verify", "no-way-back"];

/// The findings, those that differ only in their step made one.
pub(super) fn gather(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut gathered: Vec<Diagnostic> = Vec::new();
    let mut first_of: BTreeMap<(&str, Vec<String>), usize> = BTreeMap::new();
    for finding in found {
        let alike = (finding.code, finding.notes.clone());
        match first_of.get(&alike).and_then(|first| gathered.get_mut(*first)) {
            Some(first) => first.alike.push((finding.primary, finding.message)),
            None => {
                if GATHERED.contains(&finding.code) {
                    first_of.insert(alike, gathered.len());
                }
                gathered.push(finding);
            }
        }
    }
    gathered
}
