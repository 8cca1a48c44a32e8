//! A workspace that tells people, in a folder of its own, and the built binary in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// One notice, and a step that needs it: whatever becomes of the notice, the run goes on.
const RUNBOOK: &str = "\
drctl: 1
name: tell
kind: drill
owner: ops
inputs:
  what: { type: string, default: Orders }
communication:
  - id: tell
    action: notify
    with: { template: incident, audience: customers, vars: { what: \"{{ inputs.what }}\" } }
  - id: after
    action: assert
    needs: [tell]
    with: { that: true, message: \"the run goes on\" }
";

const TEMPLATE: &str = "\
Subject: {{ vars.what }} are down

We move **{{ vars.what }}** to the east.
";

pub struct Office {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Office {
    /// With these channels and audiences.
    pub fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["runbooks", "templates"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("drctl.yaml"), format!("drctl: 1\n{settings}")).unwrap();
        fs::write(folder.path().join("runbooks/tell.yaml"), RUNBOOK).unwrap();
        fs::write(folder.path().join("templates/incident.txt"), TEMPLATE).unwrap();
        Self { folder, environment: Vec::new() }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Drives a run that was killed to its end, as a person would who knows nothing of notices; nothing where it never
    /// started.
    pub fn finish(&self) -> Option<Ran> {
        match self.run() {
            // It died before there was a run.
            None => Some(self.tell()),
            Some(run) => {
                let resumed = self.drctl(&["resume", &run]);
                if resumed.stderr.contains("the run never started") { None } else { Some(resumed) }
            }
        }
    }

    /// Replaces a part of a file.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null()).env("NO_COLOR", "1");
        command.env_remove("DRCTL_STATE").env_remove("DRCTL_WORKSPACE");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn drctl(&self, arguments: &[&str]) -> Ran {
        ran(self.command(env!("CARGO_BIN_EXE_drctl"), arguments).output().unwrap())
    }

    /// Runs the runbook to its end.
    pub fn tell(&self) -> Ran {
        self.drctl(&["run", "runbooks/tell.yaml"])
    }

    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(env!("CARGO_BIN_EXE_drctl"), arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Killed with the sync of its journal of that number.
    pub fn killed_at_sync(&self, number: usize, arguments: &[&str]) -> Ran {
        let inject = format!("--inject=fdatasync:signal=KILL:when={number}");
        let mut all = vec!["-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", &inject];
        all.push(env!("CARGO_BIN_EXE_drctl"));
        all.extend(arguments);
        ran(self.command("strace", &all).output().unwrap())
    }

    /// The only run there is.
    pub fn run(&self) -> Option<String> {
        let runs = fs::read_dir(self.path().join(".drctl/runs")).ok()?;
        let mut names: Vec<String> = runs.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert!(names.len() < 2, "{names:?}");
        names.pop()
    }

    pub fn status(&self) -> Value {
        let run = self.run().unwrap();
        serde_json::from_str(&self.drctl(&["status", &run, "--json"]).stdout).unwrap()
    }

    /// Each delivery that is owed: its name, and whether it is in doubt.
    pub fn owed(&self) -> Vec<(String, bool)> {
        let status = self.status();
        let owed = status["owed"].as_array().unwrap().iter();
        owed.map(|owed| {
            let to = owed["to"].as_str().map(|to| format!("/{to}")).unwrap_or_default();
            (format!("{}{to}", owed["channel"].as_str().unwrap_or("?")), owed["in_doubt"].as_bool().unwrap())
        })
        .collect()
    }

    /// Every file of the state folder, as text.
    pub fn state(&self) -> String {
        let mut folders: Vec<PathBuf> = vec![self.path().join(".drctl")];
        let mut text = String::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    text.push_str(&String::from_utf8_lossy(&fs::read(path).unwrap()));
                }
            }
        }
        text
    }
}

pub fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
