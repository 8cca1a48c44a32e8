//! Judges many files at once: what `drctl validate` tells, each thing once, by file and place.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{Files, RUNBOOKS};
use super::find::Callable;
use super::inputs;
use super::load::Loaded;
use super::rehearse::{Judged, in_parallel};
use super::surroundings::{Surroundings, relative};
use super::view::plan_of;
use crate::catalogue::{Catalogue, Timestamp};
use crate::diag::{Diagnostic, Severity, Sources, Span};
use crate::engine::unfit;
use crate::lint;
use crate::plan::Runbooks;
use crate::plan::calendar::Held;
use crate::runbook::ast::Kind;
use crate::runbook::workspace::Workspace;

/// What was found in many files.
#[derive(Default)]
pub struct Checked {
    /// All texts, for showing findings.
    pub sources: Sources,
    /// What was found, by file and place.
    pub found: Vec<Diagnostic>,
    /// The rules that say more once the errors are mended.
    pub waiting: BTreeSet<&'static str>,
}

impl Checked {
    /// How many findings are that bad.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.found.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Takes over what was found elsewhere.
    pub fn absorb(&mut self, other: Self) {
        self.add(&other.sources, other.found);
        self.waiting.extend(other.waiting);
        self.sources.sort(&mut self.found);
    }

    fn add(&mut self, sources: &Sources, found: Vec<Diagnostic>) {
        if found.is_empty() {
            return;
        }
        let found = self.sources.absorb(sources, found);
        self.found.extend(found);
    }

    /// Two runbooks of one name and kind: nobody could say which is meant.
    fn name(&mut self, sources: &Sources, named: Named, names: &mut BTreeMap<(String, Kind), Span>) {
        let Named { name, kind, span } = named;
        let message = format!("two {} runbooks are called `{name}`", kind.name());
        let here = vec![Diagnostic::error("duplicate-name", span, message)];
        for finding in self.sources.absorb(sources, here) {
            match names.entry((name.clone(), kind)) {
                Entry::Vacant(entry) => drop(entry.insert(finding.primary)),
                Entry::Occupied(entry) => self.found.push(finding.other(*entry.get(), "the first is here")),
            }
        }
    }
}

/// A runbook to be read, for its own sake or for that of its scenarios.
#[derive(Default)]
struct Work {
    is_judged: bool,
    scenarios: Vec<Judged>,
}

/// What came of it.
struct Done {
    /// The texts and findings of the runbook and what it calls, where it was to be judged, and of each scenario.
    found: Vec<(Sources, Vec<Diagnostic>)>,
    named: Option<Named>,
    waiting: Vec<&'static str>,
}

/// What a runbook calls itself, and where.
struct Named {
    name: String,
    kind: Kind,
    span: Span,
}

/// Judges the files, and the workspace's settings and templates, whoever reads them.
///
/// # Errors
/// A file cannot be read.
pub fn check(workspace: &Path, files: &Files, catalogue: &Catalogue) -> io::Result<Checked> {
    check_with(workspace, files, catalogue, None)
}

/// As [`check`]; besides, tells which drills are overdue by the runs that are known, at that time.
///
/// # Errors
/// A file cannot be read.
pub fn check_with(
    workspace: &Path,
    files: &Files,
    catalogue: &Catalogue,
    held: Option<(&[Held], Timestamp)>,
) -> io::Result<Checked> {
    let surroundings = Surroundings::read(workspace)?;
    let mut checked = Checked::default();
    checked.add(&surroundings.sources, surroundings.found.clone());
    let found = judged_services(&surroundings, &surroundings.workspace, catalogue)?;
    checked.add(&surroundings.sources, found);
    // What notices read of a template that cannot be read, nobody can tell.
    if surroundings.templates.values().any(Option::is_none) {
        checked.waiting.extend(["notice", "reference"]);
    }
    let overdue = held.map(|(held, now)| lint::overdue(&surroundings.workspace, held, now));
    checked.add(&surroundings.sources, overdue.unwrap_or_default());
    let mut work: BTreeMap<PathBuf, Work> = BTreeMap::new();
    for file in &files.runbooks {
        work.entry(file.clone()).or_default().is_judged = true;
    }
    for read in in_parallel(&files.scenarios, |file| Judged::read(&surroundings, file)) {
        match read? {
            (judged, Some(runbook)) => work.entry(runbook).or_default().scenarios.push(judged),
            (judged, None) => checked.add(&judged.sources, judged.found),
        }
    }
    let judged: BTreeSet<String> = files.runbooks.iter().map(|file| relative(workspace, file)).collect();
    let work: Vec<(PathBuf, Work)> = work.into_iter().collect();
    let mut names = BTreeMap::new();
    for done in in_parallel(&work, |(file, work)| work.done(&surroundings, file, &judged, catalogue)) {
        let Done { found, named, waiting } = done?;
        checked.waiting.extend(waiting);
        if let (Some(named), Some((sources, _))) = (named, found.first()) {
            checked.name(sources, named, &mut names);
        }
        found.into_iter().for_each(|(sources, found)| checked.add(&sources, found));
    }
    checked.sources.sort(&mut checked.found);
    Ok(checked)
}

/// What these settings say of runbooks, judged with the runbooks that are there.
///
/// # Errors
/// A file cannot be read.
pub(super) fn judged_services(
    surroundings: &Surroundings,
    workspace: &Workspace,
    catalogue: &Catalogue,
) -> io::Result<Vec<Diagnostic>> {
    if workspace.services.is_empty() && workspace.drills.is_empty() && workspace.allowances.is_empty() {
        return Ok(Vec::new());
    }
    let none = Callable::new(Vec::new());
    let callable = match surroundings.callable() {
        Ok(callable) => callable,
        Err(problem) if surroundings.folder.join(RUNBOOKS).exists() => return Err(io::Error::other(problem)),
        Err(_) => &none,
    };
    let mut runbooks = Runbooks::default();
    runbooks.known = Arc::clone(&callable.known);
    let named = workspace.services.values().filter_map(|service| service.runbook.as_ref());
    let named: BTreeSet<&str> = named.map(|name| name.value.as_str()).collect();
    let find = |name: &&str| callable.find(&surroundings.folder, name, Kind::Failover).ok();
    let files: Vec<PathBuf> = named.iter().filter_map(find).collect();
    for loaded in in_parallel(&files, |file| surroundings.load(file, catalogue)) {
        let loaded = loaded?;
        if !loaded.has_errors() {
            loaded.runbooks.iter().for_each(|runbook| runbooks.insert(Arc::clone(runbook)));
        }
    }
    let is_sound = surroundings.found.iter().all(|finding| finding.severity == Severity::Warning);
    Ok(lint::services(workspace, &runbooks, catalogue, is_sound))
}

impl Work {
    /// Reads the runbook. What is wrong with one of the `judged` files is told of it, not of each that calls it.
    fn done(
        &self,
        surroundings: &Surroundings,
        file: &Path,
        judged: &BTreeSet<String>,
        catalogue: &Catalogue,
    ) -> io::Result<Done> {
        let loaded = surroundings.load(file, catalogue)?;
        let against = |scenario: &Judged| {
            let mut found = scenario.against(&loaded, catalogue);
            // That the runbook has errors is told of the runbook, where that is judged, too.
            found.retain(|finding| !self.is_judged || finding.code != "runbook");
            (scenario.sources.clone(), found)
        };
        let scenarios: Vec<_> = self.scenarios.iter().map(against).collect();
        if !self.is_judged {
            return Ok(Done { found: scenarios, named: None, waiting: Vec::new() });
        }
        let named = named(&loaded);
        let own = relative(&surroundings.folder, file);
        let unfit = unfit_by_default(&loaded, catalogue);
        let Loaded { sources, mut found, waiting, .. } = loaded;
        found.extend(unfit);
        found.retain(|finding| {
            let name = sources.name(finding.primary.source);
            name == own || !judged.contains(name) && !surroundings.found.contains(finding)
        });
        Ok(Done { found: std::iter::once((sources, found)).chain(scenarios).collect(), named, waiting })
    }
}

/// What keeps steps from beginning with the inputs as they are by default.
fn unfit_by_default(loaded: &Loaded, catalogue: &Catalogue) -> Vec<Diagnostic> {
    let runbook = loaded.runbook.as_ref().filter(|_| !loaded.has_errors());
    let known = runbook.and_then(|runbook| inputs::known(runbook, &[]).ok());
    let plan = known.and_then(|known| plan_of(loaded, &known.values, catalogue).ok());
    plan.into_iter().flat_map(|plan| unfit(&plan)).map(|unfit| unfit.finding).collect()
}

fn named(loaded: &Loaded) -> Option<Named> {
    let runbook = loaded.runbook.as_ref().filter(|runbook| !runbook.name.value.is_empty())?;
    Some(Named { name: runbook.name.value.clone(), kind: runbook.kind, span: runbook.name.span })
}
