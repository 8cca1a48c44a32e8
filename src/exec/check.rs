//! Judges many files at once: what `drctl validate` tells, each thing once, by file and place.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::path::Path;

use super::files::Files;
use super::load::{self, Loaded};
use super::rehearse::Library;
use crate::catalogue::Catalogue;
use crate::diag::{Diagnostic, Severity, Sources, Span};
use crate::runbook::ast::Kind;

/// What was found in many files.
#[derive(Default)]
pub struct Checked {
    /// All texts, for showing findings.
    pub sources: Sources,
    /// What was found, by file and place.
    pub found: Vec<Diagnostic>,
}

impl Checked {
    /// How many findings are that bad.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.found.iter().filter(|finding| finding.severity == severity).count()
    }

    fn add(&mut self, sources: &Sources, found: Vec<Diagnostic>) {
        let found = self.sources.absorb(sources, found);
        self.found.extend(found);
    }

    /// Two runbooks of one name and kind: nobody could say which is meant.
    fn name(&mut self, loaded: &Loaded, names: &mut BTreeMap<(String, Kind), Span>) {
        let Some(runbook) = &loaded.runbook else { return };
        let (name, kind) = (&runbook.name.value, runbook.kind);
        let message = format!("two {} runbooks are called `{name}`", kind.name());
        let here = vec![Diagnostic::error("duplicate-name", runbook.name.span, message)];
        for finding in self.sources.absorb(&loaded.sources, here) {
            match names.entry((name.clone(), kind)) {
                Entry::Vacant(entry) => drop(entry.insert(finding.primary)),
                Entry::Occupied(entry) => self.found.push(finding.other(*entry.get(), "the first is here")),
            }
        }
    }
}

/// Judges the files, and the workspace's settings and templates, whoever reads them.
///
/// # Errors
/// A file cannot be read.
pub fn check(workspace: &Path, files: &Files, catalogue: &Catalogue) -> io::Result<Checked> {
    let mut checked = Checked::default();
    let (sources, found) = load::extras(workspace)?;
    checked.add(&sources, found);
    let mut names = BTreeMap::new();
    for file in &files.runbooks {
        let loaded = load::load(workspace, file, catalogue)?;
        checked.add(&loaded.sources, loaded.found.clone());
        checked.name(&loaded, &mut names);
    }
    let mut library = Library::new(workspace, catalogue.clone());
    for file in &files.scenarios {
        let judged = library.scenario(file)?;
        checked.add(&judged.sources, judged.found);
    }
    checked.sources.sort(&mut checked.found);
    Ok(checked)
}
