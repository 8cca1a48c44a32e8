//! The state on disk: one folder a run, for this user alone. Knows where things are, not what they mean.
//!
//! ```text
//! runs/<run>/journal.jsonl   lock   inbox/   steps/<step>.<attempt>/   outputs/<sha256>   pinned/
//! rehearsals.jsonl
//! ```

pub(super) mod files;
mod folder;
mod rehearsals;
mod trial;

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use super::ids::RunId;
use files::{about, check_folder, create_folder, create_folder_or_check, create_folders, sync_folder};

pub use folder::RunFolder;
pub use trial::Trial;

const PARTS: [&str; 4] = ["inbox", "steps", "outputs", "pinned"];

/// The state of a workspace: its runs.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The state in this folder, which is made with the first run.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Whether it is in the same folder as another.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.root == other.root
    }

    /// The place of a file beside the runs, in a folder that is there.
    ///
    /// # Errors
    /// What the system said.
    pub fn file(&self, name: &str) -> io::Result<PathBuf> {
        create_folders(&self.root)?;
        Ok(self.root.join(name))
    }

    fn runs_folder(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Makes the folder of a new run; it is still there after a power loss.
    ///
    /// # Errors
    /// What the system said; [`io::ErrorKind::AlreadyExists`] if the name is taken.
    pub fn create_run(&self, id: &RunId) -> io::Result<RunFolder> {
        let runs = self.runs_folder();
        let folder = RunFolder::at(runs.join(id.as_str()));
        create_folders(&self.root)?;
        create_folder_or_check(&runs)?;
        create_folder(folder.path())?;
        for part in PARTS {
            // Somebody who looks at the new run just now may have made it.
            create_folder_or_check(&folder.path().join(part))?;
        }
        sync_folder(folder.path())?;
        sync_folder(&runs)?;
        Ok(folder)
    }

    /// The folder of a run that is there.
    ///
    /// # Errors
    /// What the system said, also that something else stands where a folder should be.
    pub fn open(&self, id: &RunId) -> io::Result<RunFolder> {
        let folder = self.runs_folder().join(id.as_str());
        for own in [&self.root, &self.runs_folder(), &folder] {
            check_folder(own)?;
        }
        for part in PARTS {
            // A crash may have come between making the run and its parts.
            create_folder_or_check(&folder.join(part))?;
        }
        Ok(RunFolder::at(folder))
    }

    /// All runs, the one that started last first. Passes over what is not a run.
    ///
    /// # Errors
    /// What the system said.
    pub fn runs(&self) -> io::Result<Vec<RunId>> {
        let entries = match fs::read_dir(self.runs_folder()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(about(&self.runs_folder())(error)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let entry = entry?;
            let Some(Ok(id)) = entry.file_name().to_str().map(RunId::parse) else {
                continue;
            };
            if entry.file_type()?.is_dir() {
                let changed = entry.metadata()?.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                runs.push((id.started().unwrap_or_default().to_owned(), changed, id));
            }
        }
        runs.sort_by(|one, other| other.cmp(one));
        Ok(runs.into_iter().map(|(_, _, id)| id).collect())
    }

    /// The run that a person means: see [`find_among`].
    ///
    /// # Errors
    /// Why it is not clear, or what the system said.
    pub fn find(&self, given: Option<&str>) -> Result<RunId, FindError> {
        find_among(&self.runs()?, given).cloned()
    }
}

/// The run that a person means: by its name or the beginning of it, or the only one if they gave nothing.
///
/// # Errors
/// Why it is not clear.
pub fn find_among<'a>(runs: &'a [RunId], given: Option<&str>) -> Result<&'a RunId, FindError> {
    let text = given.unwrap_or_default();
    if let Some(exact) = runs.iter().find(|run| run.as_str() == text) {
        return Ok(exact);
    }
    let matching: Vec<_> = runs.iter().filter(|run| run.as_str().starts_with(text)).collect();
    match (&matching[..], given) {
        ([one], _) => Ok(one),
        ([], Some(given)) => Err(FindError::Unknown { given: given.to_owned(), runs: runs.to_vec() }),
        ([], None) => Err(FindError::None),
        (several, _) => Err(FindError::Several(several.iter().copied().cloned().collect())),
    }
}

/// Why it is not clear which run a person means.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// There is no run at all.
    #[error("there are no runs yet: start one with `drctl run RUNBOOK`")]
    None,
    /// No run is called that.
    #[error("there is no run `{given}`{}", Listed("; there are", runs))]
    Unknown {
        /// What was asked for.
        given: String,
        /// The runs there are, the latest first.
        runs: Vec<RunId>,
    },
    /// More than one could be meant: these, the latest first.
    #[error("which run?{}; type enough of its name to tell it from the others", Listed(" there are", .0))]
    Several(Vec<RunId>),
    /// The system refused something.
    #[error("could not look for runs: {0}")]
    Io(#[from] io::Error),
}

/// Names some runs after a word, or says nothing if there are none.
struct Listed<'a>(&'a str, &'a [RunId]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 10;
        for (index, run) in self.1.iter().take(SHOWN).enumerate() {
            write!(f, "{} `{run}`", if index == 0 { self.0 } else { "," })?;
        }
        match self.1.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests;
