//! The runbooks that are looked at: read, judged and planned with the inputs as far as they are known.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::catalogue::Catalogue;
use crate::edge::process::ProcessRunner;
use crate::engine::{Use, uses};
use crate::error::Error;
use crate::exec::files::runbook_files;
use crate::exec::inputs;
use crate::exec::load::Loaded;
use crate::exec::run::registry;
use crate::exec::surroundings::{Surroundings, relative};
use crate::exec::view::plan_of;
use crate::plan::Plan;
use crate::runbook::ast::Kind;

/// A runbook that is looked at.
pub struct Subject {
    /// `failover orders`; its file where it cannot be read.
    pub title: String,
    /// Its kind, where it can be read.
    pub kind: Option<Kind>,
    /// How a command line names it: by its file.
    pub file: String,
    /// Whether it has errors.
    pub is_broken: bool,
    /// Its plan; none where it has errors, or others call it: then it is looked at through them.
    pub plan: Option<Plan>,
    /// Inputs that are needed and were not given.
    pub missing: Vec<String>,
    /// The actions it uses.
    pub uses: Vec<Use>,
}

/// Reads the runbook of that file, with these inputs; or all of the workspace with their defaults.
///
/// # Errors
/// A file cannot be read, or an input cannot be given.
pub fn subjects(workspace: &Path, file: Option<&Path>, set: &[(String, String)]) -> Result<Vec<Subject>, Error> {
    let catalogue = registry().catalogue();
    let files = match file {
        Some(file) => vec![file.to_path_buf()],
        None => all(workspace)?,
    };
    let surroundings = Surroundings::read(workspace).map_err(|error| Error::usage(error.to_string()))?;
    let subject = |file: &PathBuf| {
        let loaded = surroundings.load(file, &catalogue).map_err(|error| Error::usage(error.to_string()))?;
        let name = relative(workspace, file);
        subject(&loaded, name, set, &catalogue).map_err(|problems| Error::usage(problems.join("\n")))
    };
    let mut subjects = files.iter().map(subject).collect::<Result<Vec<Subject>, Error>>()?;
    leave_to_callers(&mut subjects);
    Ok(subjects)
}

/// A runbook that others call is looked at with what they hand over.
fn leave_to_callers(subjects: &mut [Subject]) {
    let key = |plan: &Plan| (plan.runbook.name.value.clone(), plan.runbook.kind);
    let plans = subjects.iter().filter_map(|subject| subject.plan.as_ref());
    let called: BTreeSet<(String, Kind)> = plans
        .flat_map(|plan| plan.parts.iter().skip(1))
        .map(|part| (part.runbook.name.value.clone(), part.runbook.kind))
        .collect();
    for subject in subjects {
        if subject.plan.as_ref().is_some_and(|plan| called.contains(&key(plan))) {
            (subject.plan, subject.missing, subject.uses) = (None, Vec::new(), Vec::new());
        }
    }
}

/// A workspace may have no runbooks yet.
fn all(workspace: &Path) -> Result<Vec<PathBuf>, Error> {
    let folder = workspace.join("runbooks");
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let named = |error| Error::usage(format!("cannot read `{}`: {error}", folder.display()));
    runbook_files(&folder).map_err(named)
}

fn subject(
    loaded: &Loaded,
    file: String,
    set: &[(String, String)],
    catalogue: &Catalogue,
) -> Result<Subject, Vec<String>> {
    let mut subject = Subject {
        title: file.clone(),
        kind: None,
        file,
        is_broken: true,
        plan: None,
        missing: Vec::new(),
        uses: Vec::new(),
    };
    let Some(runbook) = &loaded.runbook else { return Ok(subject) };
    let (name, kind) = (&runbook.name.value, runbook.kind);
    subject.title = format!("{} {name}", kind.name());
    subject.kind = Some(kind);
    if loaded.has_errors() {
        return Ok(subject);
    }
    let inputs::Known { values, missing } = inputs::known(runbook, set)?;
    let plan = plan_of(loaded, &values, catalogue).map_err(|problem| vec![problem.message])?;
    let uses = uses(&plan);
    Ok(Subject { is_broken: false, plan: Some(plan), missing, uses, ..subject })
}

/// What runs the processes of steps.
pub(super) fn runner() -> ProcessRunner {
    ProcessRunner::new("/proc/self/exe")
}
