//! A process to run, and what it takes to start one.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{Access, access};
use serde::{Deserialize, Serialize};

use super::folder::Folder;
use super::spare::Spares;

/// What a process gets of drctl's own environment; besides these, names that start with `LC_`.
const INHERITED: [&str; 12] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "TZ",
    "TMPDIR",
    "TERM",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSH_AUTH_SOCK",
];
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";
const GRACE: Duration = Duration::from_secs(10);

/// A process to run: what, where, how it is bounded and when it counts as successful.
#[derive(Clone, Serialize, Deserialize)]
pub struct Job {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Variables besides those inherited. May hold secrets.
    pub env: Vec<(String, String)>,
    /// The folder it runs in.
    pub dir: PathBuf,
    /// The exit codes that are a success.
    pub accepted: Vec<i32>,
    /// The folder of this attempt; made if need be.
    pub folder: PathBuf,
    /// How long it may take.
    pub timeout: Duration,
    /// The secret values to mask in what it writes.
    pub needles: Vec<String>,
}

/// Shows no values: they may be secret.
impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// A job of which all is known: what a supervisor is told.
#[derive(Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) job: Job,
    /// The file that is executed.
    pub(super) program: PathBuf,
    /// The time between TERM and KILL.
    pub(super) grace: Duration,
}

impl Order {
    pub(super) fn folder(&self) -> Folder {
        Folder::at(&self.job.folder)
    }

    pub(super) fn accepts(&self, code: Option<i32>) -> bool {
        code.is_some_and(|code| self.job.accepted.contains(&code))
    }
}

/// Runs processes. One serves a whole run of drctl.
#[derive(Clone, Debug)]
pub struct ProcessRunner {
    pub(super) supervisor: PathBuf,
    pub(super) grace: Duration,
    pub(super) inherited: Vec<(OsString, OsString)>,
    pub(super) spares: Arc<Spares>,
}

impl ProcessRunner {
    /// A runner whose supervisor is the program at `supervisor`, which must call
    /// [`supervise_main`](super::supervise_main) when its first argument is [`SUPERVISE`](super::SUPERVISE).
    /// `/proc/self/exe` names the running binary even after it was replaced on disk.
    #[must_use]
    pub fn new(supervisor: impl AsRef<Path>) -> Self {
        let is_inherited = |name: &str| INHERITED.contains(&name) || name.starts_with("LC_");
        Self {
            supervisor: absolute(supervisor.as_ref()),
            grace: GRACE,
            inherited: std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_inherited)).collect(),
            spares: Arc::default(),
        }
    }

    /// The same, but with this time between TERM and KILL.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Completes a job.
    ///
    /// # Errors
    /// What is missing, and where it was looked for.
    pub(super) fn order(&self, job: &Job) -> Result<Order, String> {
        if !job.dir.is_dir() {
            return Err(format!("there is no folder `{}` to run it in", job.dir.display()));
        }
        let mut job = job.clone();
        // A supervisor has another current folder.
        let folder = Folder::at(&job.folder);
        (job.folder, job.dir) = (folder.path().to_owned(), absolute(&job.dir));
        let name = job.argv.first().ok_or("`argv` names no program")?;
        let program = locate(name, &job.dir, &self.path(&job))?;
        let outputs = folder.outputs();
        let outputs = outputs.to_str().ok_or("the path of the attempt's folder is not UTF-8")?;
        job.env.push(("DRCTL_OUTPUT".to_owned(), outputs.to_owned()));
        Ok(Order { job, program, grace: self.grace })
    }

    /// The file of a program, as a step finds it that runs in `dir`, with the `PATH` it sets itself.
    ///
    /// # Errors
    /// What is missing, and where it was looked for.
    pub fn find(&self, program: &str, dir: &Path, path: Option<&str>) -> Result<PathBuf, String> {
        locate(program, &absolute(dir), &self.search(path))
    }

    /// Where the process would look for programs.
    fn path(&self, job: &Job) -> OsString {
        let given = job.env.iter().rev().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_str());
        self.search(given)
    }

    fn search(&self, given: Option<&str>) -> OsString {
        let given = given.map(OsString::from);
        let inherited = || self.inherited.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
        given.or_else(inherited).unwrap_or_else(|| DEFAULT_PATH.into())
    }
}

/// Fails for an empty path only, for which everything else fails too.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Finds a program as the system would, so that what is missing is known before anything is started.
fn locate(name: &str, dir: &Path, path: &OsStr) -> Result<PathBuf, String> {
    if name.contains('/') {
        let program = dir.join(name);
        return match (program.is_file(), is_executable(&program)) {
            (true, true) => Ok(program),
            (true, false) => Err(format!("`{}` is not executable: `chmod +x` it", program.display())),
            (false, _) => Err(format!("there is no program `{}`", program.display())),
        };
    }
    std::env::split_paths(path)
        .map(|folder| dir.join(folder).join(name))
        .find(|program| program.is_file() && is_executable(program))
        .ok_or_else(|| format!("there is no program `{name}` in the PATH `{}`", path.display()))
}

fn is_executable(program: &Path) -> bool {
    access(program, Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_missing_is_named_with_the_place() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().display();
        std::fs::write(dir.path().join("plain"), "text").unwrap();
        let locate = |name| locate(name, dir.path(), OsStr::new("/nowhere:/bin")).map_err(|error| error.clone());
        assert_eq!(locate("sh"), Ok(PathBuf::from("/bin/sh")));
        assert_eq!(locate("shh"), Err("there is no program `shh` in the PATH `/nowhere:/bin`".to_owned()));
        assert_eq!(locate("./shh"), Err(format!("there is no program `{here}/./shh`")));
        assert_eq!(locate("./plain"), Err(format!("`{here}/./plain` is not executable: `chmod +x` it")));
    }
}
