//! Scenario files with the runbooks they rehearse.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::Subject;
use crate::catalogue::Catalogue;
use crate::diag::{Diagnostic, Severity, Sources, sort};
use crate::engine::unfit;
use crate::error::{Error, Exit};
use crate::exec::files::{runbook_files, scenario_files};
use crate::exec::find::Callable;
use crate::exec::inputs;
use crate::exec::load::Loaded;
use crate::exec::run::fitting;
use crate::exec::surroundings::{Surroundings, read_named, relative};
use crate::exec::view;
use crate::report::Coverage;
use crate::runbook::source;
use crate::sim::scenario::{self, Against, Fault, Scenario};
use crate::sim::stand_in::implied;

/// Reads scenarios; each runbook once.
pub struct Library<'w> {
    workspace: &'w Path,
    catalogue: Catalogue,
    /// Read with the first scenario.
    surroundings: Option<Arc<Surroundings>>,
    runbooks: BTreeMap<PathBuf, Arc<Loaded>>,
}

/// A scenario file with its runbook, and what is wrong with it.
pub struct Judged {
    /// The file.
    pub file: PathBuf,
    /// Its text, for showing findings.
    pub sources: Sources,
    /// What was found in it, by place.
    pub found: Vec<Diagnostic>,
    /// The scenario, where it could be read.
    pub scenario: Option<Scenario>,
    /// Its runbook, where there is one without errors.
    pub runbook: Option<Arc<Loaded>>,
}

impl Judged {
    /// Whether an error was found.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Reads a scenario file, and finds the file of its runbook, if there is one.
    ///
    /// # Errors
    /// The scenario's file cannot be read.
    pub fn read(surroundings: &Surroundings, file: &Path) -> io::Result<(Self, Option<PathBuf>)> {
        let bytes = read_named(file)?;
        let mut judged = Self {
            file: file.to_owned(),
            sources: Sources::default(),
            found: Vec::new(),
            scenario: None,
            runbook: None,
        };
        let name = relative(&surroundings.folder, file);
        let source = match source::decode(&mut judged.sources, &name, &bytes) {
            Ok(source) => source,
            Err(found) => return Ok((Self { found, ..judged }, None)),
        };
        (judged.scenario, judged.found) = scenario::parse(&judged.sources, source);
        let Some(scenario) = &judged.scenario else { return Ok((judged, None)) };
        let find = |callable: &Callable| callable.find(&surroundings.folder, &scenario.runbook.value, scenario.kind);
        match surroundings.callable().and_then(find) {
            Ok(runbook) => Ok((judged, Some(runbook))),
            Err(problem) => {
                judged.found.push(Diagnostic::error("runbook", scenario.runbook.span, problem));
                Ok((judged, None))
            }
        }
    }

    /// What is wrong with it, by place, once its runbook is there.
    #[must_use]
    pub fn against(&self, loaded: &Loaded, catalogue: &Catalogue) -> Vec<Diagnostic> {
        let more = self.scenario.iter().flat_map(|scenario| against(scenario, loaded, catalogue));
        let mut found: Vec<Diagnostic> = self.found.iter().cloned().chain(more).collect();
        sort(&mut found);
        found
    }
}

impl<'w> Library<'w> {
    /// Of a workspace.
    #[must_use]
    pub fn new(workspace: &'w Path, catalogue: Catalogue) -> Self {
        Self { workspace, catalogue, surroundings: None, runbooks: BTreeMap::new() }
    }

    /// Reads and judges a scenario file.
    ///
    /// # Errors
    /// The file, or that of its runbook, cannot be read.
    pub fn scenario(&mut self, file: &Path) -> io::Result<Judged> {
        let (mut judged, runbook) = Judged::read(&*self.surroundings()?, file)?;
        if let Some(runbook) = runbook {
            let loaded = self.runbook(&runbook)?;
            judged.found = judged.against(&loaded, &self.catalogue);
            judged.runbook = (!loaded.has_errors()).then_some(loaded);
        }
        Ok(judged)
    }

    fn surroundings(&mut self) -> io::Result<Arc<Surroundings>> {
        if let Some(surroundings) = &self.surroundings {
            return Ok(Arc::clone(surroundings));
        }
        let surroundings = Arc::new(Surroundings::read(self.workspace)?);
        self.surroundings = Some(Arc::clone(&surroundings));
        Ok(surroundings)
    }

    /// What is known of actions.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// A file's name, as seen from the workspace.
    #[must_use]
    pub fn relative(&self, file: &Path) -> String {
        relative(self.workspace, file)
    }

    /// What there is to reach in the runbooks that were read; none of it is reached.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        let mut coverage = Coverage::default();
        for loaded in self.runbooks.values().filter(|loaded| !loaded.has_errors()) {
            let runbook = loaded.runbook.iter();
            runbook.for_each(|runbook| coverage.merge(Coverage::of(runbook, |span| loaded.sources.place(span))));
        }
        coverage
    }

    /// Reads all runbooks of the workspace, those without a scenario too.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read_all(&mut self) -> io::Result<()> {
        let folder = self.workspace.join("runbooks");
        let files = if folder.is_dir() { runbook_files(&folder)? } else { Vec::new() };
        files.iter().try_for_each(|file| self.runbook(file).map(drop))
    }

    /// Reads a runbook, once.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn runbook(&mut self, file: &Path) -> io::Result<Arc<Loaded>> {
        if let Some(loaded) = self.runbooks.get(file) {
            return Ok(Arc::clone(loaded));
        }
        let loaded = Arc::new(self.surroundings()?.load(file, &self.catalogue)?);
        self.runbooks.insert(file.to_owned(), Arc::clone(&loaded));
        Ok(loaded)
    }

    /// All scenario files of the workspace.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn files(&self) -> io::Result<Vec<PathBuf>> {
        let folder = self.workspace.join("runbooks");
        if folder.is_dir() { scenario_files(&folder) } else { Ok(Vec::new()) }
    }
}

fn against(scenario: &Scenario, loaded: &Loaded, catalogue: &Catalogue) -> Vec<Diagnostic> {
    let Some(against) = judge(loaded, catalogue) else {
        let message = format!("runbook `{}` has errors: `drctl validate` shows them", scenario.runbook.value);
        return vec![Diagnostic::error("runbook", scenario.runbook.span, message)];
    };
    let mut found = scenario::check(scenario, &against);
    if found.is_empty() && !scenario.inputs.is_empty() {
        found.extend(refused(scenario, loaded, catalogue));
    }
    found
}

/// What scenarios of a runbook are judged against; nothing where it has errors.
fn judge<'l>(loaded: &'l Loaded, catalogue: &'l Catalogue) -> Option<Against<'l>> {
    let runbook = loaded.runbook.as_ref().filter(|_| !loaded.has_errors())?;
    let (workspace, templates) = (&loaded.workspace, &loaded.templates);
    Some(Against { runbook, runbooks: &loaded.runbooks, workspace, templates, catalogue })
}

/// Why a fault that is injected can never strike, as a sentence; nothing where it may. `inputs` are the rehearsal's.
#[must_use]
pub fn cannot_strike(
    fault: &Fault,
    inputs: &Map<String, Value>,
    (loaded, catalogue): (&Loaded, &Catalogue),
) -> Option<String> {
    scenario::cannot_be_injected(fault, &judge(loaded, catalogue)?, inputs)
}

/// Why no run begins with the scenario's inputs, if so.
fn refused(scenario: &Scenario, loaded: &Loaded, catalogue: &Catalogue) -> Option<Diagnostic> {
    let values = inputs::resolve(loaded.runbook.as_ref()?, &[], &scenario.inputs).ok()?;
    let found = unfit(&view::plan_of(loaded, &values, catalogue).ok()?);
    let first = &found.first()?.finding;
    let message = format!("no run begins with these inputs: {}", first.message);
    let note = format!("that is at {}", loaded.sources.place(first.primary));
    Some(Diagnostic::error("input", scenario.runbook.span, message).note(note))
}

/// What is rehearsed: the runbook with the scenario's inputs, and those `set` on the command line.
///
/// # Errors
/// An input is missing or does not fit, or a run would be refused with these.
pub fn subject(
    loaded: &Loaded,
    scenario: Scenario,
    set: &[(String, String)],
    (catalogue, parallel): (&Catalogue, usize),
) -> Result<Subject, Error> {
    let Some(runbook) = &loaded.runbook else { return Err(Error::new(Exit::Invalid, "the runbook cannot be read")) };
    let values =
        inputs::resolve(runbook, set, &scenario.inputs).map_err(|problems| Error::usage(problems.join("\n")))?;
    let plan = Arc::new(view::plan_of(loaded, &values, catalogue)?);
    fitting(loaded, &plan, false)?;
    let secrets = plan.secrets();
    let http = crate::edge::http::http_client().map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
    let path = loaded.files.first().map(|(name, _)| name.clone()).unwrap_or_default();
    let implied = Arc::new(implied(&plan));
    Ok(Subject { plan, implied, scenario: Arc::new(scenario), path, secrets, parallel, http })
}
