//! Reads a runbook with all it stands on. Everything read is kept, to be pinned as it was.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::surroundings::{Surroundings, read_named, relative};
use crate::catalogue::Catalogue;
use crate::diag::{Diagnostic, Severity, Sources, sort};
use crate::lint;
use crate::plan::runbooks::{call, is_call};
use crate::plan::{Runbooks, Templates};
use crate::runbook::ast::{Kind, Runbook};
use crate::runbook::workspace::Workspace;
use crate::runbook::{self, attach, source};

/// A runbook with all it stands on, and what is wrong with it.
pub struct Loaded {
    /// All texts, for showing findings.
    pub sources: Sources,
    /// What was found, by place.
    pub found: Vec<Diagnostic>,
    /// The rules that say more of it once its errors are mended.
    pub waiting: Vec<&'static str>,
    /// The runbook, where it could be read.
    pub runbook: Option<Arc<Runbook>>,
    /// It and those it calls, directly or not.
    pub runbooks: Arc<Runbooks>,
    /// The workspace's settings.
    pub workspace: Arc<Workspace>,
    /// The templates.
    pub templates: Arc<Templates>,
    /// What was read, by its name within the workspace; the runbook first.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Loaded {
    /// Whether an error was found.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// What stops a run, without advice.
    #[must_use]
    pub fn errors(&self) -> Vec<Diagnostic> {
        self.found.iter().filter(|finding| finding.severity == Severity::Error).cloned().collect()
    }
}

/// Reads and judges a runbook with its workspace.
///
/// # Errors
/// A file cannot be read.
pub fn load(workspace: &Path, file: &Path, catalogue: &Catalogue) -> io::Result<Loaded> {
    Surroundings::read(workspace)?.load(file, catalogue)
}

/// Judges files that were kept: the runbook first, then `drctl.yaml`, the templates and the runbooks it calls, by name.
#[must_use]
pub fn judge(files: Vec<(String, Vec<u8>)>, catalogue: &Catalogue) -> Loaded {
    let mut files = files.into_iter();
    let (name, bytes) = files.next().unwrap_or_default();
    Surroundings::kept(files.collect()).judge(name, bytes, catalogue)
}

impl Surroundings {
    /// Reads and judges a runbook that stands here.
    ///
    /// # Errors
    /// Its file cannot be read.
    pub fn load(&self, file: &Path, catalogue: &Catalogue) -> io::Result<Loaded> {
        Ok(self.judge(relative(&self.folder, file), read_named(file)?, catalogue))
    }

    /// Judges a runbook that stands here, of that name and with that text.
    #[must_use]
    pub fn judge(&self, name: String, bytes: Vec<u8>, catalogue: &Catalogue) -> Loaded {
        let mut reader = Reader {
            surroundings: self,
            catalogue,
            sources: self.sources.clone(),
            found: self.found.clone(),
            files: Vec::new(),
            runbooks: Runbooks::default(),
        };
        let runbook = reader.read(&name, &bytes);
        // Of what cannot be read, no rule has said anything.
        let waiting = runbook.as_ref().map_or_else(lint::all_names, |own| reader.judge(own));
        let Reader { sources, mut found, files: called, runbooks, .. } = reader;
        sort(&mut found);
        // What people ask about comes first.
        found.sort_by_key(|finding| sources.name(finding.primary.source) != name);
        let mut files: Vec<_> = self.files.iter().filter(|(other, _)| *other != name).cloned().collect();
        files.insert(0, (name, bytes));
        files.extend(called);
        Loaded {
            sources,
            found,
            waiting,
            runbook,
            runbooks: Arc::new(runbooks),
            workspace: Arc::clone(&self.workspace),
            templates: Arc::clone(&self.templates),
            files,
        }
    }
}

/// Reads a runbook and what it calls.
struct Reader<'s> {
    surroundings: &'s Surroundings,
    catalogue: &'s Catalogue,
    sources: Sources,
    found: Vec<Diagnostic>,
    /// Those of the runbooks that are called.
    files: Vec<(String, Vec<u8>)>,
    runbooks: Runbooks,
}

impl Reader<'_> {
    /// Asks the rules of the runbook and of those it calls. The rules that may say more of it come back.
    fn judge(&mut self, own: &Arc<Runbook>) -> Vec<&'static str> {
        self.follow(own);
        let Surroundings { workspace, templates, clean, .. } = self.surroundings;
        let mut waiting = Vec::new();
        for runbook in self.runbooks.iter() {
            let (file, is_own) = (self.sources.name(runbook.source), runbook.source == own.source);
            if !is_own && clean.lock().is_ok_and(|clean| clean.contains(file)) {
                continue;
            }
            let judged = lint::check(runbook, &self.runbooks, workspace, templates, self.catalogue);
            if judged.found.is_empty() {
                drop(clean.lock().map(|mut clean| clean.insert(file.to_owned())));
            }
            self.found.extend(judged.found);
            if is_own {
                waiting = judged.waiting;
            }
        }
        waiting
    }

    fn follow(&mut self, runbook: &Arc<Runbook>) {
        if runbook.kind != Kind::Failover && !runbook.steps.iter().any(is_call) {
            return self.runbooks.insert(Arc::clone(runbook));
        }
        let callable = match self.surroundings.callable() {
            Ok(callable) => callable,
            Err(problem) => {
                let call = runbook.steps.iter().find(|step| is_call(step));
                let found = call.map(|step| Diagnostic::error("call", step.action.place("runbook"), problem));
                self.found.extend(found);
                return self.runbooks.insert(Arc::clone(runbook));
            }
        };
        self.runbooks.known = Arc::clone(&callable.known);
        self.runbooks.parts = Arc::clone(&callable.parts);
        self.runbooks.insert(Arc::clone(runbook));
        let mut open = vec![Arc::clone(runbook)];
        // One that cannot be read is not tried again.
        let mut tried = BTreeSet::new();
        while let Some(caller) = open.pop() {
            for step in &caller.steps {
                let Some(call) = call(caller.kind, step) else { continue };
                if self.runbooks.get(&call.name, call.kind).is_some() || !tried.insert((call.name.clone(), call.kind)) {
                    continue;
                }
                let meant = callable.named(&call.name, call.kind);
                if let [first, second, ..] = meant {
                    let both = format!("`{}` and `{}`", first.file, second.file);
                    let message = format!("two {} runbooks are called `{}`: {both}", call.kind.name(), call.name);
                    self.found.push(Diagnostic::error("call", step.action.place("runbook"), message));
                }
                if let Some(called) = meant.first() {
                    self.files.push((called.file.clone(), called.bytes.clone()));
                    if let Some(called) = self.read(&called.file, &called.bytes) {
                        self.runbooks.insert(Arc::clone(&called));
                        open.push(called);
                    }
                }
            }
        }
    }

    /// Reads a runbook; what is wrong with it is found.
    fn read(&mut self, name: &str, bytes: &[u8]) -> Option<Arc<Runbook>> {
        let (runbook, problems) = match source::decode(&mut self.sources, name, bytes) {
            Ok(source) => runbook::parse(&self.sources, source),
            Err(problems) => (None, problems),
        };
        self.found.extend(problems);
        let mut runbook = runbook?;
        runbook.defaults.fill(&self.surroundings.workspace.defaults);
        runbook::azure::fill(&mut runbook, &self.surroundings.workspace.azure, self.catalogue);
        self.found.extend(attach::attach(&mut runbook, &self.surroundings.files));
        Some(Arc::new(runbook))
    }
}
