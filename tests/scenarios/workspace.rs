//! A workspace of its own for each scenario, and the binary run in it.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_drctl");

/// A folder with `drctl.yaml`, runbooks and templates; gone with the scenario.
pub(crate) struct Workspace {
    folder: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Workspace {
    /// A workspace with one runbook, `r`, of kind failover, and these steps.
    pub(crate) fn of(steps: &str) -> Self {
        Self::new().runbook("r", steps)
    }

    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = "drctl: 1\nroles: { commander: [ada, grace], deputy: [linus] }\n\
            channels: { board: { type: file, path: notices } }\naudiences: { all: [board] }\n";
        fs::write(folder.path().join("drctl.yaml"), settings).unwrap();
        fs::create_dir(folder.path().join("runbooks")).unwrap();
        fs::create_dir(folder.path().join("templates")).unwrap();
        Self { folder }
    }

    pub(crate) fn runbook(self, name: &str, steps: &str) -> Self {
        let head = format!("drctl: 1\nname: {name}\nkind: failover\nowner: team\n");
        self.file(&format!("runbooks/{name}.yaml"), &(head + steps))
    }

    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        self.write(name, text);
        self
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The lines of a file that steps write to; none where there is no file.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        fs::read_to_string(self.path(name)).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_remove("CI").env_remove("DRCTL_STATE").env_remove("DRCTL_WORKSPACE").env("RUST_BACKTRACE", "0");
        command
    }

    pub(crate) fn drctl(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments).output().unwrap())
    }

    /// Starts the binary and goes on.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The id of the only run.
    pub(crate) fn run(&self) -> String {
        let mut runs = fs::read_dir(self.path(".drctl/runs")).unwrap();
        runs.next().unwrap().unwrap().file_name().into_string().unwrap()
    }

    /// The journal of the only run; empty before there is one.
    pub(crate) fn journal(&self) -> String {
        if fs::read_dir(self.path(".drctl/runs")).map_or(0, Iterator::count) == 0 {
            return String::new();
        }
        fs::read_to_string(self.path(&format!(".drctl/runs/{}/journal.jsonl", self.run()))).unwrap_or_default()
    }

    /// `step=state` of every step that is not an instance.
    pub(crate) fn states(&self) -> Vec<String> {
        let run = self.run();
        let ran = self.drctl(&["status", &run, "--json"]);
        let status: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        let steps = status["steps"].as_array().unwrap().iter();
        let text = |step: &Value, name: &str| step[name].as_str().unwrap().to_owned();
        steps
            .filter(|step| !text(step, "step").contains('['))
            .map(|step| format!("{}={}", text(step, "step"), text(step, "state")))
            .collect()
    }
}

pub(crate) fn ran(output: Output) -> Ran {
    use std::os::unix::process::ExitStatusExt as _;
    let code = output.status.code().or_else(|| output.status.signal().map(|signal| -signal));
    Ran {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: code.unwrap(),
    }
}

/// Sends a signal to a process this scenario started.
pub(crate) fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}
