//! What holds for many steps alike is told once, with all its places.

use std::collections::BTreeMap;

use crate::diag::Diagnostic;

/// Findings that a runbook has for most of its steps, or for none.
const GATHERED: [&str; 4] = ["no-estimate", "no-timeout", "no-verify", "no-way-back"];
/// So many further places are shown.
const MOST_SHOWN: usize = 8;

/// The findings, those that differ only in their step made one.
pub(super) fn gather(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut gathered: Vec<(Diagnostic, usize)> = Vec::new();
    let mut first_of: BTreeMap<(&str, Vec<String>), usize> = BTreeMap::new();
    for finding in found {
        let alike = (finding.code, finding.notes.clone());
        let first = first_of.get(&alike).and_then(|first| gathered.get_mut(*first));
        let Some((first, others)) = first else {
            if GATHERED.contains(&finding.code) {
                first_of.insert(alike, gathered.len());
            }
            gathered.push((finding, 0));
            continue;
        };
        *others += 1;
        if *others <= MOST_SHOWN {
            first.others.push((finding.primary, finding.message));
        }
    }
    let told = |(finding, others): (Diagnostic, usize)| match others.saturating_sub(MOST_SHOWN) {
        0 => finding,
        rest => finding.note(format!("and {rest} more like it")),
    };
    gathered.into_iter().map(told).collect()
}
