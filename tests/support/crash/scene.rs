//! A workspace whose runbook uses every kind of step, and the binary run in it, alone or under `strace`.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::world::World;

const SETTINGS: &str = "
drctl: 1
roles: { commander: [ada] }
channels:
  board: { type: file, path: notices }
  hook: { type: webhook, url: \"http://WORLD/notice\" }
audiences: { all: [board, hook] }
";

/// A gate, then two waves: scripts, programs, requests and a notice.
const STEPS: &str = r#"
drctl: 1
name: orders
kind: failover
owner: team
detection:
  - id: switch
    action: shell
    approval: { by: [commander] }
    with: { script: "exec sh effect.sh switch" }
assessment:
  - id: script
    action: shell
    with: { script: "exec sh effect.sh script" }
    rollback: { action: exec, with: { argv: [sh, effect.sh, undo_script] } }
  - id: program
    action: exec
    on_interrupt: retry
    with: { argv: [sh, effect.sh, program] }
    rollback: { action: exec, with: { argv: [sh, effect.sh, undo_program] } }
  - id: order
    action: http
    with: { method: POST, url: "http://WORLD/order", json: { n: 1 } }
    rollback: { action: http, with: { method: POST, url: "http://WORLD/undo_order" } }
  - id: ticket
    action: http
    with: { method: POST, url: "http://WORLD/ticket", observe: { url: "http://WORLD/ticket", within: 200ms } }
  - id: tell
    action: notify
    on_failure: stop
    with: { template: t, audience: all }
execution:
  - id: setting
    action: http
    with: { method: PUT, url: "http://WORLD/setting", body: "on" }
  - id: second
    action: shell
    needs: [setting]
    with: { script: "exec sh effect.sh second" }
"#;

/// What fails for good, so that all is undone.
const FAILS: &str = r#"
  - id: fails
    action: exec
    needs: [second]
    on_interrupt: retry
    on_failure: rollback
    with: { argv: ["false"] }
"#;

/// What an interrupted effect may ask of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It may happen more than once.
    Repeatable,
    /// It happens once: it can be looked up.
    Observable,
    /// It happens once: its supervisor goes on and knows.
    Supervised,
    /// It happens once, and only people can tell.
    Unsafe,
}

/// An effect that a run has on the world.
#[derive(Clone, Copy, Debug)]
pub struct Effect {
    pub name: &'static str,
    pub kind: Kind,
}

const fn effect(name: &'static str, kind: Kind) -> Effect {
    Effect { name, kind }
}

/// The effects of the steps that both runbooks have.
const DONE: &[Effect] = &[
    effect("switch", Kind::Supervised),
    effect("script", Kind::Supervised),
    effect("program", Kind::Repeatable),
    effect("order", Kind::Unsafe),
    effect("ticket", Kind::Observable),
    effect("setting", Kind::Repeatable),
    effect("notice", Kind::Unsafe),
    effect("second", Kind::Supervised),
];

/// The effects of undoing them.
const UNDONE: &[Effect] = &[
    effect("undo_script", Kind::Supervised),
    effect("undo_program", Kind::Repeatable),
    effect("undo_order", Kind::Unsafe),
];

/// Which runbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// All goes well.
    Succeeds,
    /// The last step fails, and all is undone.
    IsUndone,
}

impl Story {
    /// All that has happened to the world in the end.
    pub fn effects(self) -> Vec<Effect> {
        let undone = if self == Self::Succeeds { &[] } else { UNDONE };
        DONE.iter().chain(undone).copied().collect()
    }

    fn runbook(self) -> String {
        format!("{STEPS}{}", if self == Self::Succeeds { "" } else { FAILS })
    }
}

/// How a command ended; a signal counts as its negative number.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The workspace and the world around it; what still runs there ends with it.
pub struct Scene {
    pub world: World,
    binary: PathBuf,
    mutant: Option<&'static str>,
    folder: tempfile::TempDir,
}

impl Scene {
    pub fn new(binary: &Path, story: Story) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World::around(folder.path());
        let place = |text: &str| text.replace("WORLD", &world.address.to_string());
        fs::create_dir(folder.path().join("runbooks")).unwrap();
        fs::create_dir(folder.path().join("templates")).unwrap();
        fs::write(folder.path().join("drctl.yaml"), place(SETTINGS)).unwrap();
        fs::write(folder.path().join("templates/t.txt"), "Subject: orders moved\n\nThey moved.\n").unwrap();
        fs::write(folder.path().join("runbooks/orders.yaml"), place(&story.runbook())).unwrap();
        Self { world, binary: binary.to_owned(), mutant: None, folder }
    }

    /// The same with one of the built-in faults.
    pub fn with_mutant(mut self, mutant: Option<&'static str>) -> Self {
        self.mutant = mutant;
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the binary and waits.
    pub fn drctl(&self, arguments: &[&str]) -> Ran {
        self.run_command(Command::new(&self.binary).args(arguments))
    }

    /// Runs the binary under `strace`, which writes to the file `trace`.
    pub fn traced(&self, strace: &[String], arguments: &[&str]) -> Ran {
        let mut command = Command::new("strace");
        // With -D it is the binary that is our child: its end is seen even while its orphans live on.
        command.args(["-D", "-f", "-qq", "-o", "trace"]).args(strace).arg(&self.binary).args(arguments);
        self.run_command(&mut command)
    }

    /// Runs a command as the binary is run. The output goes to files: an orphan that holds a pipe would keep us waiting.
    pub fn run_command(&self, command: &mut Command) -> Ran {
        let (out, err) = (self.path("stdout"), self.path("stderr"));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        command.env_remove("CI").env_remove("DRCTL_STATE").env_remove("DRCTL_WORKSPACE").env_remove("DRCTL_MUTANT");
        // Inherited by all that is started, so that it can be found.
        command.env("HOME", self.folder.path()).envs(self.mutant.map(|mutant| ("DRCTL_MUTANT", mutant)));
        let code = wait(command.spawn().unwrap());
        let text = |path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        Ran { code, stdout: text(&out), stderr: text(&err) }
    }

    /// The id of the only run.
    pub fn run(&self) -> Option<String> {
        let run = fs::read_dir(self.path(".drctl/runs")).ok()?.next()?.unwrap();
        Some(run.file_name().into_string().unwrap())
    }

    /// Where its journal is, absolute.
    pub fn journal_path(&self) -> PathBuf {
        self.path(&format!(".drctl/runs/{}/journal.jsonl", self.run().unwrap_or_default())).canonicalize().unwrap()
    }

    /// The whole records of its journal.
    pub fn journal(&self) -> Vec<Value> {
        let path = self.path(&format!(".drctl/runs/{}/journal.jsonl", self.run().unwrap_or_default()));
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// What `drctl status --json` says.
    pub fn status(&self) -> Value {
        let ran = self.drctl(&["status", &self.run().unwrap_or_default(), "--json"]);
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }

    /// Kills all that was started here and still lives.
    pub fn kill_all(&self) {
        self.kill(|_| true);
    }

    /// The same, but for what watches them, so that it sees all that they did: it ends with them.
    pub fn end_all(&self) {
        let is_watched = |pid: &Pid| {
            let name = fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_pid())).unwrap_or_default();
            name.trim_end() != "strace"
        };
        self.kill(is_watched);
        for _ in 0..5_000 {
            if self.living().is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        panic!("what watches does not end");
    }

    fn kill(&self, is_meant: impl Fn(&Pid) -> bool) {
        loop {
            let ours: Vec<Pid> = self.living().into_iter().filter(&is_meant).collect();
            if ours.is_empty() {
                return;
            }
            ours.into_iter().for_each(|pid| kill_process(pid, Signal::KILL).unwrap_or_default());
        }
    }

    /// All that was started here and still lives.
    fn living(&self) -> Vec<Pid> {
        let mark = format!("HOME={}", self.folder.path().display());
        let is_ours = |pid: &Pid| {
            let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_pid())).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
        };
        let names = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
        let pids = names.filter_map(|name| Pid::from_raw(name.to_str()?.parse().ok()?));
        pids.filter(is_ours).collect()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.kill_all();
    }
}

/// Its exit code; a command that hangs has failed.
fn wait(mut child: Child) -> i32 {
    for _ in 0..30_000 {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().or_else(|| status.signal().map(|signal| -signal)).unwrap();
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    panic!("a command did not end within a minute");
}
