//! `kill -9` of the built binary at every durable write and inside every effect: no effect is lost, none
//! that is not repeatable happens twice, every doubt is named. Two built-in mistakes must be found.
//!
//! The effects are counted where drctl cannot reach: lines in a file, requests at a server of the test.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// Steps whose effect may happen more than once.
const REPEATABLE: [&str; 2] = ["again", "PUT /put"];
/// Every effect of the main runbook, once.
const EFFECTS: [&str; 8] = ["shell", "again", "gated", "PUT /put", "POST /seen", "POST /blind", "POST /hook", "notice"];

/// A server that counts what it is asked to do, and may kill drctl before it answers.
#[derive(Clone)]
struct World {
    folder: PathBuf,
    counts: Arc<Mutex<BTreeMap<String, u32>>>,
    /// The request before whose answer drctl is killed, once.
    killer: Arc<Mutex<Option<String>>>,
    port: u16,
}

impl World {
    fn new(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let world = Self {
            folder: folder.to_owned(),
            counts: Arc::default(),
            killer: Arc::default(),
            port: listener.local_addr().unwrap().port(),
        };
        let serving = world.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let world = serving.clone();
                std::thread::spawn(move || world.serve(stream));
            }
        });
        world
    }

    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let request = line.rsplit_once(' ')?.0.to_owned();
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            match header.trim().to_lowercase().split_once(": ") {
                Some(("content-length", number)) => length = number.parse().ok()?,
                Some(_) => {}
                None => break,
            }
        }
        reader.read_exact(&mut vec![0; length]).ok()?;
        let body = if request.starts_with("GET ") {
            let done = self.counts.lock().unwrap().contains_key("POST /seen");
            format!("{{\"done\": {done}}}")
        } else {
            *self.counts.lock().unwrap().entry(request.clone()).or_default() += 1;
            "{}".to_owned()
        };
        if self.killer.lock().unwrap().take_if(|wanted| *wanted == request).is_some() {
            kill_driver(&self.folder);
        }
        let mut stream = stream;
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).ok()
    }

    /// How often each effect happened.
    fn effects(&self) -> BTreeMap<String, u32> {
        let mut effects = self.counts.lock().unwrap().clone();
        for line in fs::read_to_string(self.folder.join("effects")).unwrap_or_default().lines() {
            *effects.entry(line.to_owned()).or_default() += 1;
        }
        let notices = fs::read_dir(self.folder.join("notices")).map_or(0, Iterator::count);
        if notices > 0 {
            effects.insert("notice".to_owned(), u32::try_from(notices).unwrap());
        }
        effects
    }
}

fn kill_driver(folder: &Path) {
    let run = fs::read_dir(folder.join(".drctl/runs")).unwrap().next().unwrap().unwrap().path();
    let holder: Value = serde_json::from_str(&fs::read_to_string(run.join("lock")).unwrap()).unwrap();
    let pid = i32::try_from(holder["pid"].as_i64().unwrap()).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL).ok();
}

/// A step's script: it counts its effect, and kills drctl where the file `killer` says so.
fn script(name: &str) -> String {
    let kill = "kill -9 $(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/' .drctl/runs/*/lock)";
    format!("echo {name} >> effects; if test \"$(cat killer)\" = {name}; then : > killer; {kill}; fi")
}

fn runbook(world: &World, rollback: bool) -> String {
    let url = format!("http://127.0.0.1:{}", world.port);
    let undo = |name: &str| {
        if rollback {
            format!("    rollback: {{ action: shell, with: {{ script: {:?} }} }}\n", script(&format!("undo-{name}")))
        } else {
            String::new()
        }
    };
    let mut text = format!(
        r#"drctl: 1
name: sweep
kind: failover
owner: t
execution:
  - id: shell
    action: shell
    with: {{ script: {shell:?} }}
{undo_shell}  - id: again
    action: exec
    on_interrupt: retry
    with: {{ argv: [sh, -c, {again:?}] }}
  - {{ id: put, action: http, with: {{ method: PUT, url: "{url}/put" }} }}
  - {{ id: seen, action: http, needs: [shell], with: {{ method: POST, url: "{url}/seen", observe: {{ url: "{url}/state", json: {{ $.done: true }} }} }} }}
  - {{ id: blind, action: http, needs: [shell], with: {{ method: POST, url: "{url}/blind" }} }}
  - id: gated
    action: shell
    needs: [again, put, seen, blind]
    approval: {{}}
    with: {{ script: {gated:?} }}
{undo_gated}"#,
        shell = script("shell"),
        undo_shell = undo("shell"),
        again = script("again"),
        gated = script("gated"),
        undo_gated = undo("gated"),
    );
    text += "  - { id: tell, action: notify, needs: [gated], with: { template: t, audience: all } }\n";
    if rollback {
        text += "  - { id: bad, action: shell, needs: [tell], on_failure: rollback, with: { script: \"exit 1\" } }\n";
    }
    text
}

/// One sweep: a fresh world for each point, all of them judged.
struct Sweep {
    binary: PathBuf,
    mutant: Option<&'static str>,
    rollback: bool,
}

/// Where drctl is killed.
#[derive(Clone, Debug)]
enum Point {
    /// At the entry of the nth `fdatasync` of its journal.
    Sync(u32),
    /// Inside this effect, before its outcome can be known.
    Effect(&'static str),
}

impl Sweep {
    fn command(&self, folder: &Path, arguments: &[&str]) -> Output {
        self.wrapped(folder, &[], arguments)
    }

    fn wrapped(&self, folder: &Path, wrapper: &[String], arguments: &[&str]) -> Output {
        let binary = self.binary.display().to_string();
        let mut words = wrapper.to_vec();
        words.push(binary);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(arguments).current_dir(folder).stdin(Stdio::null());
        command.env_remove("DRCTL_STATE").env_remove("DRCTL_WORKSPACE").env_remove("DRCTL_MUTANT");
        if let Some(mutant) = self.mutant {
            command.env("DRCTL_MUTANT", mutant);
        }
        command.output().unwrap()
    }

    /// Kills a run at a point, takes it up until it is over, and says what was wrong. `None`: the point was not reached.
    fn judge(&self, point: &Point) -> Option<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let world = World::new(folder);
        fs::create_dir(folder.join("runbooks")).unwrap();
        fs::create_dir(folder.join("templates")).unwrap();
        fs::write(folder.join("runbooks/sweep.yaml"), runbook(&world, self.rollback)).unwrap();
        fs::write(folder.join("templates/t.txt"), "Subject: s\n\nb\n").unwrap();
        let settings = format!(
            "drctl: 1\nchannels: {{ board: {{ type: file, path: notices }}, hook: {{ type: webhook, url: \"http://127.0.0.1:{}/hook\" }} }}\naudiences: {{ all: [board, hook] }}\n",
            world.port
        );
        fs::write(folder.join("drctl.yaml"), settings).unwrap();
        let mut wrapper = Vec::new();
        fs::write(folder.join("killer"), "").unwrap();
        match point {
            Point::Sync(number) => {
                let inject = format!("inject=fdatasync:signal=KILL:when={number}");
                let words = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", &inject];
                wrapper = words.map(str::to_owned).to_vec();
            }
            Point::Effect(name) if name.contains(' ') => *world.killer.lock().unwrap() = Some((*name).to_owned()),
            Point::Effect(name) => fs::write(folder.join("killer"), name).unwrap(),
        }
        let first = self.wrapped(folder, &wrapper, &["failover", "sweep", "--yes", "--output", "json"]);
        if first.status.code().is_some_and(|code| code < 128) {
            return None;
        }
        Some(self.take_up(folder, &world))
    }

    fn take_up(&self, folder: &Path, world: &World) -> Vec<String> {
        let mut wrong = Vec::new();
        if !folder.join(".drctl/runs").exists() {
            return if world.effects().is_empty() { wrong } else { vec!["effects without a run".to_owned()] };
        }
        for _ in 0..12 {
            let resumed = self.command(folder, &["resume", "--output", "json"]);
            let text = String::from_utf8_lossy(&resumed.stderr).into_owned();
            match resumed.status.code() {
                Some(0 | 10) if !self.rollback => return self.count(world, wrong),
                Some(1) if self.rollback && self.status(folder)["state"] == "failed" => {
                    return self.count(world, wrong);
                }
                Some(4) => self.resolve(folder, world, &mut wrong),
                Some(8) if text.contains("the run never started") => {
                    return if world.effects().is_empty() {
                        wrong
                    } else {
                        vec!["effects without a record".to_owned()]
                    };
                }
                Some(2) if text.contains("no run is open") && world.effects().is_empty() => return wrong,
                Some(2) if text.contains("no run is open") => return self.count(world, wrong),
                code => {
                    wrong.push(format!("resume ended with {code:?}: {text}"));
                    return wrong;
                }
            }
        }
        wrong.push("it never ended".to_owned());
        wrong
    }

    fn status(&self, folder: &Path) -> Value {
        let run = fs::read_dir(folder.join(".drctl/runs")).unwrap().next().unwrap().unwrap().file_name();
        let status = self.command(folder, &["status", run.to_str().unwrap(), "--json"]);
        serde_json::from_slice(&status.stdout).unwrap_or_default()
    }

    /// Tells the truth about every step that is named as doubtful.
    fn resolve(&self, folder: &Path, world: &World, wrong: &mut Vec<String>) {
        let status = self.status(folder);
        let steps = status["steps"].as_array().cloned().unwrap_or_default();
        let doubtful: Vec<&str> =
            steps.iter().filter(|step| step["state"] == "in_doubt").filter_map(|step| step["step"].as_str()).collect();
        if doubtful.is_empty() {
            wrong.push("in doubt, and no step is named".to_owned());
        }
        for step in doubtful {
            let effect = match step {
                "blind" => "POST /blind",
                "seen" => "POST /seen",
                "tell" => "POST /hook",
                other => other,
            };
            let undoing = steps.iter().any(|it| {
                it["step"] == step && status["state"] == "in_doubt" && it["reason"].to_string().contains("undo")
            });
            let effect = if undoing { format!("undo-{effect}") } else { effect.to_owned() };
            let says = if world.effects().contains_key(&effect) { "--happened" } else { "--did-not-happen" };
            let resolved = self.command(folder, &["resolve", step, says, "--reason", "counted"]);
            if !resolved.status.success() {
                wrong.push(String::from_utf8_lossy(&resolved.stderr).into_owned());
            }
        }
    }

    fn count(&self, world: &World, mut wrong: Vec<String>) -> Vec<String> {
        let effects = world.effects();
        let undone: &[&str] = if self.rollback { &["undo-shell", "undo-gated"] } else { &[] };
        for name in EFFECTS.iter().chain(undone) {
            let times = effects.get(*name).copied().unwrap_or(0);
            if times == 0 {
                wrong.push(format!("`{name}` was lost"));
            } else if times > 1 && !REPEATABLE.contains(name) {
                wrong.push(format!("`{name}` happened {times} times"));
            }
        }
        wrong
    }

    /// Every point; what was wrong at each.
    fn all(&self, effects: &[&'static str]) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut tell = |point: &Point, found: Vec<String>| {
            wrong.extend(found.into_iter().map(|what| format!("{point:?}: {what}")));
        };
        for number in 1..100 {
            let point = Point::Sync(number);
            let Some(found) = self.judge(&point) else { break };
            tell(&point, found);
        }
        for name in effects {
            let point = Point::Effect(name);
            match self.judge(&point) {
                Some(found) => tell(&point, found),
                None => tell(&point, vec!["was not reached".to_owned()]),
            }
        }
        wrong
    }
}

const KILLERS: [&str; 7] = ["shell", "again", "gated", "PUT /put", "POST /seen", "POST /blind", "POST /hook"];

fn drctl() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_drctl"))
}

#[test]
fn a_kill_at_any_moment_loses_nothing_and_repeats_nothing() {
    let sweep = Sweep { binary: drctl(), mutant: None, rollback: false };
    assert_eq!(sweep.all(&KILLERS), Vec::<String>::new());
}

#[test]
fn a_kill_at_any_moment_of_a_rollback_loses_nothing_and_repeats_nothing() {
    let sweep = Sweep { binary: drctl(), mutant: None, rollback: true };
    assert_eq!(sweep.all(&["undo-shell", "undo-gated"]), Vec::<String>::new());
}

/// The binary with the mistakes in it, built beside the real one.
fn mutants() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--bin", "drctl", "--features", "mutants", "--target-dir"]).arg(&target);
    assert!(command.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
    target.join("debug/drctl")
}

#[test]
fn the_sweep_finds_both_mistakes() {
    let binary = mutants();
    for mutant in ["effect_before_intent", "blind_retry"] {
        let sweep = Sweep { binary: binary.clone(), mutant: Some(mutant), rollback: false };
        let found: Vec<String> =
            KILLERS.iter().filter_map(|name| sweep.judge(&Point::Effect(name))).flatten().collect();
        assert!(!found.is_empty(), "{mutant} was not found");
    }
    let sweep = Sweep { binary, mutant: None, rollback: false };
    let found: Vec<String> = KILLERS.iter().filter_map(|name| sweep.judge(&Point::Effect(name))).flatten().collect();
    assert_eq!(found, Vec::<String>::new(), "without a mistake the same binary is right");
}

#[test]
fn rehearsed_crashes_find_both_mistakes() {
    let binary = mutants();
    for mutant in ["effect_before_intent", "blind_retry"] {
        let mut command = Command::new(&binary);
        let scenario = ["rehearse", "platform-recovery", "--scenario", "region_down", "--crash-everywhere"];
        command.args(scenario).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("DRCTL_WORKSPACE");
        let output = command.env("DRCTL_MUTANT", mutant).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{mutant}: {text}");
        assert!(text.contains("`activate_infrastructure` happened 2 times, undisturbed 1"), "{mutant}: {text}");
    }
}
