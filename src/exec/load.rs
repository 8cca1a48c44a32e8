//! Reads a workspace: `drctl.yaml`, runbooks, templates. Everything read is kept, to be pinned as it was.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{SETTINGS, TEMPLATES, runbook_files};
use crate::catalogue::Catalogue;
use crate::diag::{Diagnostic, Severity, Sources, sort};
use crate::lint;
use crate::plan::runbooks::{call, is_call};
use crate::plan::{Runbooks, Template, Templates};
use crate::runbook::ast::{Kind, Runbook};
use crate::runbook::workspace::Workspace;
use crate::runbook::{self, attach, source};

/// A runbook with all it stands on, and what is wrong with it.
pub struct Loaded {
    /// All texts, for showing findings.
    pub sources: Sources,
    /// What was found, by place.
    pub found: Vec<Diagnostic>,
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

/// The workspace's settings alone, and what is wrong with them; what holds without them where there are none.
///
/// # Errors
/// The file cannot be read.
pub fn settings_alone(workspace: &Path) -> std::io::Result<(Workspace, Sources, Vec<Diagnostic>)> {
    let file = workspace.join(SETTINGS);
    let mut sources = Sources::default();
    if !file.is_file() {
        return Ok((Workspace::empty(), sources, Vec::new()));
    }
    let bytes = read(&file).map_err(|error| named(&file, &error))?;
    Ok(match source::decode(&mut sources, SETTINGS, &bytes) {
        Ok(source) => {
            let (workspace, found) = Workspace::parse(&sources, source);
            (workspace, sources, found)
        }
        Err(found) => (Workspace::empty(), sources, found),
    })
}

/// Finds the runbook of that name and kind in the workspace.
///
/// # Errors
/// A sentence: none has it, or two have.
pub fn find_runbook(workspace: &Path, name: &str, kind: Kind) -> Result<PathBuf, String> {
    let folder = workspace.join("runbooks");
    let all = callable(workspace).map_err(|error| format!("cannot read `{}`: {error}", folder.display()))?;
    let other = all.iter().find(|runbook| runbook.name == name && runbook.kind != kind).map(command);
    let of_kind = all.into_iter().filter(|runbook| runbook.kind == kind);
    let (found, others): (Vec<Callable>, Vec<Callable>) = of_kind.partition(|runbook| runbook.name == name);
    let place = |runbook: &Callable| workspace.join(&runbook.file);
    match found.as_slice() {
        [runbook] => Ok(place(runbook)),
        [] => {
            let others: Vec<&str> = others.iter().map(|runbook| runbook.name.as_str()).collect();
            let meant = crate::diag::closest(name, others.iter().copied()).map(str::to_owned);
            let meant = other.or(meant).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
            let there =
                if others.is_empty() { "there is none".to_owned() } else { format!("there are {}", others.join(", ")) };
            Err(format!("no {} runbook is called `{name}` in `{}`: {there}{meant}", kind.name(), folder.display()))
        }
        [first, second, ..] => Err(format!(
            "two {} runbooks are called `{name}`: `{}` and `{}`",
            kind.name(),
            place(first).display(),
            place(second).display()
        )),
    }
}

/// How the runbook is run.
fn command(runbook: &Callable) -> String {
    match runbook.kind {
        Kind::Drill => format!("drctl run {}", runbook.file),
        kind => format!("drctl {} {}", kind.name(), runbook.name),
    }
}

/// The names of the workspace's runbooks of that kind, sorted.
///
/// # Errors
/// A sentence: the folder cannot be read, or there is none.
pub fn runbook_names(workspace: &Path, kind: Kind) -> Result<Vec<String>, String> {
    let folder = workspace.join("runbooks");
    let all = callable(workspace).map_err(|error| format!("cannot read `{}`: {error}", folder.display()))?;
    let of_kind = all.into_iter().filter(|runbook| runbook.kind == kind);
    let mut names: Vec<String> =
        of_kind.map(|runbook| runbook.name).filter(|name| !name.contains(char::is_control)).collect();
    names.sort();
    if names.is_empty() {
        return Err(format!("`{}` holds no {} runbook", folder.display(), kind.name()));
    }
    Ok(names)
}

/// The name and kind a file gives itself, by a look at its first lines; the file is judged when it is loaded.
fn head(bytes: &[u8]) -> Option<(String, Kind)> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let field = |name: &str| {
        let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')))?;
        let value = line[name.len() + 1..].split(" #").next()?.trim();
        Some(value.trim_matches(['"', '\'']).to_owned())
    };
    Some((field("name")?, Kind::named(&field("kind")?)?))
}

/// At most one byte more than a file may have: larger ones are refused without being read to their end.
pub(super) fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(file)?.take(source::LARGEST_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads and judges a runbook with its workspace.
///
/// # Errors
/// The runbook's file cannot be read.
pub fn load(workspace: &Path, file: &Path, catalogue: &Catalogue) -> std::io::Result<Loaded> {
    let bytes = read(file).map_err(|error| named(file, &error))?;
    let name = relative(workspace, file);
    let mut files = read_extras(workspace)?;
    files.remove(&name);
    let mut all = vec![(name, bytes)];
    all.extend(files);
    Ok(judge_with(all, catalogue, || callable(workspace).unwrap_or_default()))
}

/// A runbook that can be called, unread but for its first lines.
struct Callable {
    name: String,
    kind: Kind,
    file: String,
    bytes: Vec<u8>,
}

/// Every runbook of the workspace; files that do not say what they are, are none.
fn callable(workspace: &Path) -> std::io::Result<Vec<Callable>> {
    let files = runbook_files(&workspace.join("runbooks"))?;
    let read = files.into_iter().filter_map(|file| Some((relative(workspace, &file), read(&file).ok()?)));
    let runbooks =
        read.filter_map(|(file, bytes)| head(&bytes).map(|(name, kind)| Callable { name, kind, file, bytes }));
    Ok(runbooks.collect())
}

/// Judges the settings and the templates of a workspace, whoever reads them.
///
/// # Errors
/// One of the files cannot be read.
pub fn extras(workspace: &Path) -> std::io::Result<(Sources, Vec<Diagnostic>)> {
    let (mut sources, mut found) = (Sources::default(), Vec::new());
    let files = read_extras(workspace)?.into_iter().collect::<Vec<_>>();
    settings(&files, &mut sources, &mut found);
    Ok((sources, found))
}

fn read_extras(workspace: &Path) -> std::io::Result<BTreeMap<String, Vec<u8>>> {
    let read = |file: &PathBuf| read(file).map_err(|error| named(file, &error));
    extra_files(workspace)?.iter().map(|file| Ok((relative(workspace, file), read(file)?))).collect()
}

fn named(file: &Path, error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("cannot read `{}`: {error}", file.display()))
}

/// The settings and the templates, of notices and of deployments.
fn extra_files(workspace: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Some(workspace.join(SETTINGS)).into_iter().filter(|file| file.is_file()).collect();
    let templates = workspace.join(TEMPLATES);
    if templates.is_dir() {
        for entry in fs::read_dir(&templates)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "txt" || ending == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

pub(super) fn relative(workspace: &Path, file: &Path) -> String {
    file.strip_prefix(workspace).unwrap_or(file).display().to_string()
}

/// What a notice calls the template in that file.
fn template_name(file: &str) -> Option<&str> {
    let is_other = is_runbook(file) || file == SETTINGS || attach::is_attachment(file);
    Path::new(file).file_stem().and_then(|stem| stem.to_str()).filter(|_| !is_other)
}

/// Whether a file of the workspace, read besides the runbook and the settings, is a runbook that is called.
fn is_runbook(file: &str) -> bool {
    file != SETTINGS && Path::new(file).extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
}

/// Judges files that were kept: the runbook first, then `drctl.yaml`, the templates and the runbooks it calls, by name.
#[must_use]
pub fn judge(files: Vec<(String, Vec<u8>)>, catalogue: &Catalogue) -> Loaded {
    let (called, own): (Vec<_>, Vec<_>) =
        files.into_iter().enumerate().partition(|(index, (name, _))| *index > 0 && is_runbook(name));
    let callable = || {
        let called = called.into_iter().map(|(_, file)| file);
        let heads = called.filter_map(|(file, bytes)| head(&bytes).map(|head| (head, file, bytes)));
        heads.map(|((name, kind), file, bytes)| Callable { name, kind, file, bytes }).collect()
    };
    judge_with(own.into_iter().map(|(_, file)| file).collect(), catalogue, callable)
}

/// Judges a runbook with its settings and templates, and what it calls of what is `callable`.
fn judge_with(
    files: Vec<(String, Vec<u8>)>,
    catalogue: &Catalogue,
    callable: impl FnOnce() -> Vec<Callable>,
) -> Loaded {
    let (mut sources, mut found) = (Sources::default(), Vec::new());
    let (own, others) = files.split_at(files.len().min(1));
    let runbook = own.first().and_then(|(name, bytes)| parsed(&mut sources, &mut found, name, bytes));
    let (workspace, templates) = settings(others, &mut sources, &mut found);
    let runbook = runbook.map(|mut runbook| {
        runbook::azure::fill(&mut runbook, &workspace.azure, catalogue);
        found.extend(attach::attach(&mut runbook, &files));
        Arc::new(runbook)
    });
    let mut reader = Reader { sources, found, files, runbooks: Runbooks::default() };
    if let Some(runbook) = &runbook {
        reader.follow(runbook, &workspace, catalogue, callable);
        for runbook in reader.runbooks.iter() {
            let found = lint::check(runbook, &reader.runbooks, &workspace, &templates, catalogue);
            reader.found.extend(found);
        }
    }
    let Reader { sources, mut found, files, runbooks } = reader;
    sort(&mut found);
    Loaded {
        sources,
        found,
        runbook,
        runbooks: Arc::new(runbooks),
        workspace: Arc::new(workspace),
        templates: Arc::new(templates),
        files,
    }
}

/// Reads a runbook; what is wrong with it is found.
fn parsed(sources: &mut Sources, found: &mut Vec<Diagnostic>, name: &str, bytes: &[u8]) -> Option<Runbook> {
    let (runbook, problems) = match source::decode(sources, name, bytes) {
        Ok(source) => runbook::parse(sources, source),
        Err(problems) => (None, problems),
    };
    found.extend(problems);
    runbook
}

/// Reads the settings and the templates among these files; what is wrong with them is found.
fn settings(files: &[(String, Vec<u8>)], sources: &mut Sources, found: &mut Vec<Diagnostic>) -> (Workspace, Templates) {
    // A template that cannot be read is there all the same.
    let mut templates: Templates =
        files.iter().filter_map(|(name, _)| Some((template_name(name)?.to_owned(), None))).collect();
    let mut workspace = Workspace::empty();
    for (file, bytes) in files {
        let source = match source::decode(sources, file, bytes) {
            Ok(source) => source,
            Err(problems) => {
                found.extend(problems);
                continue;
            }
        };
        if file == SETTINGS {
            let (parsed, problems) = Workspace::parse(sources, source);
            workspace = parsed;
            found.extend(problems);
        } else if let Some(name) = template_name(file) {
            match Template::parse(sources, source) {
                Ok(template) => drop(templates.insert(name.to_owned(), Some(template))),
                Err(problem) => found.push(*problem),
            }
        }
    }
    (workspace, templates)
}

/// Reads what a runbook calls.
struct Reader {
    sources: Sources,
    found: Vec<Diagnostic>,
    files: Vec<(String, Vec<u8>)>,
    runbooks: Runbooks,
}

impl Reader {
    fn follow(
        &mut self,
        runbook: &Arc<Runbook>,
        workspace: &Workspace,
        catalogue: &Catalogue,
        callable: impl FnOnce() -> Vec<Callable>,
    ) {
        self.runbooks.insert(Arc::clone(runbook));
        if runbook.kind != Kind::Failover && !runbook.steps.iter().any(is_call) {
            return;
        }
        let mut callable = callable();
        self.runbooks.known.extend(callable.iter().map(|other| (other.name.clone(), other.kind)));
        let mut open = vec![Arc::clone(runbook)];
        while let Some(caller) = open.pop() {
            for step in &caller.steps {
                let Some(call) = call(caller.kind, step) else { continue };
                if self.runbooks.get(&call.name, call.kind).is_some() {
                    continue;
                }
                let is_meant = |other: &mut Callable| other.name == call.name && other.kind == call.kind;
                let meant: Vec<Callable> = callable.extract_if(.., is_meant).collect();
                if let [first, second, ..] = meant.as_slice() {
                    let both = format!("`{}` and `{}`", first.file, second.file);
                    let message = format!("two {} runbooks are called `{}`: {both}", call.kind.name(), call.name);
                    self.found.push(Diagnostic::error("call", step.action.place("runbook"), message));
                }
                if let Some(mut called) = meant.into_iter().next().and_then(|called| self.read(called)) {
                    runbook::azure::fill(&mut called, &workspace.azure, catalogue);
                    self.found.extend(attach::attach(&mut called, &self.files));
                    let called = Arc::new(called);
                    self.runbooks.insert(Arc::clone(&called));
                    open.push(called);
                }
            }
        }
    }

    /// Reads a runbook and keeps its file; what is wrong with it is told.
    fn read(&mut self, called: Callable) -> Option<Runbook> {
        let runbook = parsed(&mut self.sources, &mut self.found, &called.file, &called.bytes);
        self.files.push((called.file, called.bytes));
        runbook
    }
}
