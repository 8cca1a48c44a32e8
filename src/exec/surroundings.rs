//! What the runbooks of a workspace stand on: its settings, its templates, and the runbooks they may call. Read once,
//! however many runbooks are judged.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use super::files::{PARTS, SETTINGS, TEMPLATES};
use super::find::{Callable, Head, callable};
use crate::diag::{Diagnostic, Sources};
use crate::lint;
use crate::plan::{Parts, Template, Templates};
use crate::runbook::workspace::Workspace;
use crate::runbook::{attach, source};

/// The runbooks that can be called, or why nobody can tell.
type CallableOrWhy = Result<Callable, String>;

/// What the runbooks of a workspace stand on.
pub struct Surroundings {
    /// The workspace's folder; empty where the files were kept by a run.
    pub folder: PathBuf,
    /// The texts of the settings and the templates.
    pub sources: Sources,
    /// What is wrong with them.
    pub found: Vec<Diagnostic>,
    /// The settings.
    pub workspace: Arc<Workspace>,
    pub(super) templates: Arc<Templates>,
    /// The settings and the templates, of notices and of deployments.
    pub(super) files: Vec<(String, Vec<u8>)>,
    /// The files of runbooks of which the rules say nothing, so that not every caller asks them again.
    pub(super) clean: Mutex<BTreeSet<String>>,
    /// Most runbooks call nothing: these are read when they are asked for.
    callable: LazyLock<CallableOrWhy, Box<dyn FnOnce() -> CallableOrWhy + Send>>,
}

impl Surroundings {
    /// Reads the settings and the templates of a workspace.
    ///
    /// # Errors
    /// One of the files cannot be read.
    pub fn read(workspace: &Path) -> io::Result<Self> {
        let read = |file: &PathBuf| Ok((relative(workspace, file), read_named(file)?));
        let files = extra_files(workspace)?.iter().map(read).collect::<io::Result<_>>()?;
        let folder = workspace.to_owned();
        Ok(Self::new(workspace, files, move || match folder.join("runbooks").exists() {
            true => callable(&folder),
            false => Ok(Callable::new(Vec::new())),
        }))
    }

    /// Of files that were kept: the settings, the templates, and the runbooks that are called.
    #[must_use]
    pub fn kept(files: Vec<(String, Vec<u8>)>) -> Self {
        let (called, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|(name, _)| is_runbook(name));
        let heads = called.into_iter().filter_map(|(file, bytes)| Head::of(file, bytes));
        let called = Callable::new(heads.collect());
        Self::new(Path::new(""), files, || Ok(called))
    }

    fn new(
        folder: &Path,
        files: Vec<(String, Vec<u8>)>,
        callable: impl FnOnce() -> CallableOrWhy + Send + 'static,
    ) -> Self {
        let (mut sources, mut found) = (Sources::default(), Vec::new());
        let (workspace, templates) = settings(&files, &mut sources, &mut found);
        Self {
            folder: folder.to_owned(),
            sources,
            found,
            workspace: Arc::new(workspace),
            templates: Arc::new(templates),
            files,
            clean: Mutex::default(),
            callable: LazyLock::new(Box::new(callable)),
        }
    }

    /// The runbooks that can be called.
    ///
    /// # Errors
    /// A sentence: the folder of runbooks cannot be read.
    pub fn callable(&self) -> Result<&Callable, String> {
        self.callable.as_ref().map_err(Clone::clone)
    }
}

/// At most one byte more than a file may have: larger ones are refused without being read to their end.
pub(super) fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(file)?.take(source::LARGEST_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// As [`read`]; an error names the file.
pub(super) fn read_named(file: &Path) -> io::Result<Vec<u8>> {
    read(file).map_err(|error| io::Error::new(error.kind(), format!("cannot read `{}`: {error}", file.display())))
}

/// A file's name within the workspace.
pub(super) fn relative(workspace: &Path, file: &Path) -> String {
    file.strip_prefix(workspace).unwrap_or(file).display().to_string()
}

/// The settings and the templates, of notices and of deployments.
fn extra_files(workspace: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Some(workspace.join(SETTINGS)).into_iter().filter(|file| file.is_file()).collect();
    let templates = workspace.join(TEMPLATES);
    for (folder, endings) in [(templates.join(PARTS), &["md"][..]), (templates, &["md", "txt", "json"])] {
        if folder.is_dir() {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                let ending = path.extension().and_then(|ending| ending.to_str());
                // Nobody writes into a pipe that is read here.
                if path.is_file() && ending.is_some_and(|ending| endings.contains(&ending)) {
                    files.push(path);
                }
            }
        }
    }
    files.sort();
    Ok(files)
}

/// What a notice calls the template in that file.
fn template_name(file: &str) -> Option<&str> {
    let is_other = is_runbook(file) || file == SETTINGS || attach::is_attachment(file) || part_name(file).is_some();
    Path::new(file).file_stem().and_then(|stem| stem.to_str()).filter(|_| !is_other)
}

/// What templates call the part in that file: `parts/footer.md`.
fn part_name(file: &str) -> Option<String> {
    let name = Path::new(file).strip_prefix(TEMPLATES).ok()?.to_str()?;
    Path::new(name).starts_with(PARTS).then(|| name.to_owned())
}

/// Whether a file of the workspace, read besides the runbook and the settings, is a runbook that is called.
pub(super) fn is_runbook(file: &str) -> bool {
    file != SETTINGS && Path::new(file).extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
}

/// Reads the settings and the templates among these files; what is wrong with them is found.
fn settings(files: &[(String, Vec<u8>)], sources: &mut Sources, found: &mut Vec<Diagnostic>) -> (Workspace, Templates) {
    // A template that cannot be read is there all the same.
    let mut templates: Templates =
        files.iter().filter_map(|(name, _)| Some((template_name(name)?.to_owned(), None))).collect();
    let mut workspace = Workspace::empty();
    let (mut parts, mut written) = (Parts::new(), Vec::new());
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
        } else if let Some(part) = part_name(file) {
            parts.insert(part, source);
        } else if let Some(name) = template_name(file) {
            written.push((name, source));
        }
    }
    for (name, source) in written {
        if let Some(Some(other)) = templates.get(name) {
            found.push(lint::templates::twice(name, source, sources.name(other.source)));
            continue;
        }
        match Template::parse(sources, source, &parts) {
            Ok(template) => drop(templates.insert(name.to_owned(), Some(template))),
            Err(problems) => found.extend(problems),
        }
    }
    for part in parts.values() {
        if let Some(problem) = Template::wrong_in_part(sources, *part, &parts)
            && !found.contains(&problem)
        {
            found.push(problem);
        }
    }
    found.extend(lint::templates::check(&workspace, &templates, sources));
    (workspace, templates)
}
