//! Which files of a workspace are what.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

/// The file that makes a folder a workspace.
pub const SETTINGS: &str = "drctl.yaml";

/// The folder of the templates.
pub(super) const TEMPLATES: &str = "templates";

/// The folder of what templates include, within theirs.
pub(super) const PARTS: &str = "parts";

/// The workspace's folder: where `drctl.yaml` is, from `start` upwards; `start` itself where there is none.
#[must_use]
pub fn workspace_folder(start: &Path) -> PathBuf {
    let found = start.ancestors().find(|folder| folder.join(SETTINGS).is_file());
    found.unwrap_or(start).to_path_buf()
}

/// The folder of the workspace that a file or folder belongs to, where there is one.
#[must_use]
pub fn workspace_of(path: &Path) -> Option<PathBuf> {
    let above = |path: &Path| path.ancestors().find(|folder| folder.join(SETTINGS).is_file()).map(Path::to_path_buf);
    let written = folded(&std::path::absolute(path).ok()?);
    // A link that stands in no workspace is as good as what it leads to.
    above(&written).or_else(|| above(&path.canonicalize().ok()?))
}

/// The folder of the runbooks.
pub const RUNBOOKS: &str = "runbooks";

/// The folder of scenarios, beside the runbooks.
pub const SCENARIOS: &str = "scenarios";

/// The runbook files below `folder`, by name; scenarios are none.
///
/// # Errors
/// The folder cannot be read.
pub fn runbook_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = yaml_files(folder)?;
    files.retain(|file| !is_scenario(folder, file));
    Ok(files)
}

/// The scenario files below `folder`, by name.
///
/// # Errors
/// The folder cannot be read.
pub fn scenario_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = yaml_files(folder)?;
    files.retain(|file| is_scenario(folder, file));
    Ok(files)
}

/// Whether a file below `folder` is a scenario: it lies in a folder of scenarios, below the runbooks where there are some
/// around it. How the folders are called that a workspace lies in says nothing.
#[must_use]
pub fn is_scenario(folder: &Path, file: &Path) -> bool {
    let inside = |path: &Path| path.components().any(|part| part.as_os_str() == SCENARIOS);
    let above = file.ancestors().skip(1);
    if let Some(runbooks) = above.clone().find(|above| above.ends_with(RUNBOOKS)) {
        let own = file.strip_prefix(runbooks).is_ok_and(|rest| rest.parent().is_some_and(inside));
        // The scenarios of a runbook that is called `runbooks`.
        return own || runbooks.parent().is_some_and(|folder| folder.ends_with(Path::new(RUNBOOKS).join(SCENARIOS)));
    }
    file.strip_prefix(folder).is_ok_and(|rest| rest.parent().is_some_and(inside))
        || folder.file_name().is_some_and(|name| name == SCENARIOS)
        || folder.parent().and_then(Path::file_name).is_some_and(|name| name == SCENARIOS)
}

/// Whether it is the folder of the templates, or that of their parts.
fn holds_templates(workspace: &Path, folder: &Path) -> bool {
    let templates = workspace.join(TEMPLATES);
    folder == templates || folder == templates.join(PARTS)
}

/// Whether a file is a template of the workspace, or a part of one.
fn is_template(workspace: &Path, file: &Path) -> bool {
    file.parent().is_some_and(|parent| holds_templates(workspace, parent))
}

/// The files right in a folder.
fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    Ok(paths.collect::<io::Result<Vec<PathBuf>>>()?.into_iter().filter(|path| path.is_file()).collect())
}

/// The path without `..`, as it is written: links stay, for what they are called says what they are.
fn folded(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut folded, part| {
        if part == Component::ParentDir {
            folded.pop();
        } else {
            folded.push(part);
        }
        folded
    })
}

/// Puts other bytes in the place of those that were read: whole or not at all, with the mode the file had. A link stays
/// one.
///
/// # Errors
/// The file cannot be written, or is not as it was read.
pub fn replace(file: &Path, old: &[u8], new: &[u8]) -> io::Result<()> {
    let file = file.canonicalize()?;
    if fs::read(&file)? != old {
        return Err(io::Error::other("it was changed meanwhile, and stays as it is"));
    }
    let mut draft = tempfile::NamedTempFile::new_in(file.parent().unwrap_or(Path::new("/")))?;
    draft.write_all(new)?;
    draft.as_file().set_permissions(fs::metadata(&file)?.permissions())?;
    draft.as_file().sync_all()?;
    draft.persist(&file).map(drop).map_err(|error| error.error)
}

fn yaml_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let path = entry.path();
            let is_yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if is_yaml && path.is_file() && path.file_name().is_none_or(|name| name != SETTINGS) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The files to be judged.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Runbooks.
    pub runbooks: Vec<PathBuf>,
    /// Scenarios.
    pub scenarios: Vec<PathBuf>,
    /// The settings. Those of the workspace, and its templates, are judged whether they are named or not.
    pub settings: Vec<PathBuf>,
    /// Templates, and parts of them.
    pub templates: Vec<PathBuf>,
}

impl Files {
    /// What these files are, and the runbooks and scenarios in these folders, or the templates.
    ///
    /// # Errors
    /// A folder cannot be read, or a path is neither a file nor a folder.
    pub fn of(workspace: &Path, paths: &[PathBuf]) -> io::Result<Self> {
        let mut files = Self::default();
        for given in paths {
            let path = folded(&std::path::absolute(given)?);
            if path.is_dir() && holds_templates(workspace, &path) {
                files.templates.extend(files_in(&path)?);
            } else if path.is_dir() {
                // A whole workspace is what is in its folder of runbooks.
                let inner = path.join(RUNBOOKS);
                let folder = if path.join(SETTINGS).is_file() && inner.is_dir() { inner } else { path };
                files.runbooks.extend(runbook_files(&folder)?);
                files.scenarios.extend(scenario_files(&folder)?);
            } else if !path.is_file() {
                return Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("no file or folder `{}`", given.display()),
                ));
            } else if path == workspace.join(SETTINGS) {
                files.settings.push(path);
            } else if is_template(workspace, &path) {
                files.templates.push(path);
            } else if is_scenario(workspace, &path) {
                files.scenarios.push(path);
            } else {
                files.runbooks.push(path);
            }
        }
        for files in [&mut files.runbooks, &mut files.scenarios, &mut files.settings, &mut files.templates] {
            files.sort();
            files.dedup();
        }
        Ok(files)
    }

    /// Whether there is nothing to judge.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        [&self.runbooks, &self.scenarios, &self.settings, &self.templates].into_iter().all(Vec::is_empty)
    }
}
