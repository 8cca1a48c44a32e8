//! Measures drctl beside `make` and `ninja` on the same graph, in the same run, and prints what it took, then each
//! target beside what was measured.
//!
//! `cargo bench --bench speed` takes about two minutes. Nothing is asserted: numbers depend on the machine. What they
//! were, and on what machine, stands in `docs/speed.md`.
#![allow(clippy::disallowed_methods, reason = "a stopwatch needs the real clock")]
#![allow(clippy::print_stdout, reason = "the tables are what this is for")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use drctl::actions::registry::Registry;
use drctl::edge::process::ProcessRunner;
use drctl::exec::files::{runbook_files, scenario_files};
use drctl::exec::load::judge;
use drctl::plan::Plan;
use drctl::plan::critical_path::waves;

type Problem = Box<dyn std::error::Error>;

/// Steps in a layer; each needs two of the layer before.
const LAYER: usize = 50;
const PROCESSES: usize = 1_000;
/// The kernel counts processor time in hundredths of a second (`USER_HZ`, proc(5)).
const TICK: Duration = Duration::from_millis(10);

const MAKE: &str = "1,000 processes: make";
const NINJA: &str = "1,000 processes: ninja";
const DRCTL: &str = "1,000 processes: drctl";
const STEPS: &str = "10,000 no-op steps";
const MANY_STEPS: &str = "100,000 no-op steps";
const VALIDATE: &str = "validate 10,000 steps";
const WORKSPACE: &str = "validate 1,000 runbooks";
const REHEARSALS: &str = "2,000 rehearsals";
const VERSION: &str = "--version";

/// A failover that ships with 36 steps, those of the runbooks it calls included; with more looks it has 40.
const STAMP: &str = "runbooks/web-stamp.yaml";
const MORE_LOOKS: &str = r#"
assessment:
  - { id: look_1, action: azure.app_service.state, with: { app: "portal-api-{{ inputs.surviving }}" } }
  - { id: look_2, action: azure.app_service.state, with: { app: "portal-api-{{ inputs.lost }}" } }
  - { id: look_3, action: azure.app_service_plan.state, with: { plan: "portal-plan-{{ inputs.surviving }}" } }
  - { id: look_4, action: azure.app_service_plan.state, with: { plan: "portal-plan-{{ inputs.lost }}" } }
"#;

/// A program to time.
struct Contestant {
    name: &'static str,
    program: &'static str,
    arguments: Vec<&'static str>,
    rounds: usize,
}

/// What one start of a program took.
struct Lap {
    time: Duration,
    /// User and system, of the program and all it started.
    processor: Duration,
    /// The most memory it held, in KiB; 0 where it was not looked at.
    memory: u64,
}

/// All laps of each contestant.
struct Results(Vec<(&'static str, Vec<Lap>)>);

fn main() -> Result<(), Problem> {
    // Below the build folder: on the disk, where a journal is as slow as in earnest.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    write_inputs(folder.path())?;
    let planning = plan_parsed(folder.path())?;
    let contestants: Vec<Contestant> = contestants().into_iter().filter(|it| is_installed(it.program)).collect();
    let mut results = Results(contestants.iter().map(|it| (it.name, Vec::new())).collect());
    // Interleaved, so that a busy moment of the machine harms all alike. The first round only warms up.
    let rounds = contestants.iter().map(|it| it.rounds).max().unwrap_or(0);
    for round in 0..=rounds {
        for (contestant, (_, laps)) in contestants.iter().zip(&mut results.0).filter(|(it, _)| round <= it.rounds) {
            let lap = run(contestant, folder.path(), round)?;
            if round > 0 {
                laps.push(lap);
            }
        }
    }
    print_laps(&results);
    print_targets(&results, planning);
    Ok(())
}

fn contestants() -> Vec<Contestant> {
    let drctl = env!("CARGO_BIN_EXE_drctl");
    let this = |name, arguments: &[&'static str], rounds| Contestant {
        name,
        program: drctl,
        arguments: arguments.to_vec(),
        rounds,
    };
    let run =
        |name, file, parallel, rounds| this(name, &["run", file, "--parallel", parallel, "--output", "plain"], rounds);
    vec![
        Contestant { name: MAKE, program: "make", arguments: vec!["-j8"], rounds: 15 },
        Contestant { name: NINJA, program: "ninja", arguments: vec!["-j8", "--quiet"], rounds: 15 },
        run(DRCTL, "processes.yaml", "8", 15),
        run(STEPS, "steps-10000.yaml", "64", 5),
        run(MANY_STEPS, "steps-100000.yaml", "64", 3),
        this(VALIDATE, &["validate", "steps-10000.yaml"], 5),
        // Those that ship, copied under other names: with what they call, their templates and their scenarios.
        this(WORKSPACE, &["--workspace", "workspace", "validate"], 5),
        this("plan 10,000 steps", &["plan", "steps-10000.yaml"], 5),
        this(REHEARSALS, &["--workspace", "workspace", "rehearse", "web-stamp", "--runs", "2000"], 3),
        this(VERSION, &["--version"], 15),
    ]
}

fn is_installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
    if !found {
        println!("`{program}` is not installed: left out");
    }
    found
}

fn run(contestant: &Contestant, folder: &Path, round: usize) -> Result<Lap, Problem> {
    // A round starts from nothing, but nothing is removed: after that, ext4 is slow to make files for a while.
    let state = format!("state-{round}-{}", contestant.name);
    let before = processor_time_of_children()?;
    let started = Instant::now();
    let mut child = Command::new(contestant.program)
        .args(&contestant.arguments)
        .current_dir(folder)
        .env("DRCTL_STATE", state)
        .env_remove("MAKEFLAGS")
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("stderr"))?)
        .spawn()?;
    let memory = contestant.name.ends_with("no-op steps").then(|| peak_memory(&mut child)).transpose()?.unwrap_or(0);
    let status = child.wait()?;
    let time = started.elapsed();
    if !status.success() {
        let said = fs::read_to_string(folder.join("stderr"))?;
        return Err(format!("{}: {status}\n{said}", contestant.name).into());
    }
    Ok(Lap { time, processor: processor_time_of_children()? - before, memory })
}

/// User and system time of all children that were waited for, and of theirs: fields 16 and 17 of proc(5)'s `stat`.
fn processor_time_of_children() -> Result<Duration, Problem> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, after_name) = stat.rsplit_once(')').ok_or("`/proc/self/stat` names no program")?;
    let ticks: Result<Vec<u32>, _> = after_name.split_whitespace().skip(13).take(2).map(str::parse).collect();
    Ok(TICK * ticks?.iter().sum())
}

/// The peak as the kernel last told it while the program ran; looking costs little beside a run this long.
fn peak_memory(child: &mut Child) -> Result<u64, Problem> {
    let file = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        let status = fs::read_to_string(&file).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim_end_matches("kB").trim().parse().ok()).unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(peak)
}

/// The shortest of some plannings of 10,000 steps that are parsed already: the graph, its order and its waves.
fn plan_parsed(folder: &Path) -> Result<Duration, Problem> {
    let catalogue = Registry::new(Arc::new(ProcessRunner::new("/proc/self/exe"))).catalogue();
    let name = "steps-10000.yaml";
    let loaded = judge(vec![(name.to_owned(), fs::read(folder.join(name))?)], &catalogue);
    let runbook = loaded.runbook.ok_or("the runbook of the bench is not valid")?;
    let mut best = Duration::MAX;
    for _ in 0..10 {
        let inputs = serde_json::Map::new();
        let (workspace, templates) = (Arc::clone(&loaded.workspace), Arc::clone(&loaded.templates));
        let started = Instant::now();
        let plan = Plan::build(Arc::clone(&runbook), Arc::default(), workspace, templates, catalogue.clone(), inputs);
        let waves = waves(&plan.map_err(|_| "a cycle")?, 0).len();
        best = best.min(started.elapsed());
        std::hint::black_box(waves);
    }
    Ok(best)
}

fn write_inputs(folder: &Path) -> Result<(), Problem> {
    fs::write(folder.join("drctl.yaml"), "drctl: 1\n")?;
    let program = "action: exec\n    with: { argv: [/bin/true] }\n    on_interrupt: retry";
    fs::write(folder.join("processes.yaml"), runbook(PROCESSES, program)?)?;
    let check = "action: assert\n    with: { that: \"{{ inputs.level > 2 }}\", message: too low }";
    for count in [10_000, 100_000] {
        fs::write(folder.join(format!("steps-{count}.yaml")), runbook(count, check)?)?;
    }
    write_workspace(&folder.join("workspace"))?;
    fs::write(folder.join("Makefile"), makefile()?)?;
    Ok(fs::write(folder.join("build.ninja"), ninja()?)?)
}

/// A workspace of a thousand runbooks and more: those that ship, copies of them with names of their own, and their
/// scenarios.
fn write_workspace(folder: &Path) -> Result<(), Problem> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(folder)?;
    fs::copy(shipped.join("drctl.yaml"), folder.join("drctl.yaml"))?;
    copy_folder(&shipped.join("templates"), &folder.join("templates"))?;
    let from = shipped.join("runbooks");
    let runbooks = runbook_files(&from)?;
    for copy in 0..=1_000 / runbooks.len() {
        let to = folder.join(format!("runbooks/{copy}"));
        for file in runbooks.iter().chain(&scenario_files(&from)?) {
            let (text, to) = (fs::read_to_string(file)?, to.join(file.strip_prefix(&from)?));
            fs::create_dir_all(to.parent().ok_or("a file lies in a folder")?)?;
            // The services of the workspace name the first.
            let text = if copy == 0 { text } else { renamed(&text, copy) };
            fs::write(to, if file.ends_with(STAMP) { text.replacen("\nassessment:\n", MORE_LOOKS, 1) } else { text })?;
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Problem> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, copy) = entry.map(|entry| (entry.path(), to.join(entry.file_name())))?;
        if path.is_dir() { copy_folder(&path, &copy)? } else { fs::copy(&path, &copy).map(drop)? }
    }
    Ok(())
}

/// A runbook or scenario whose names of runbooks all end in the number.
fn renamed(text: &str, copy: usize) -> String {
    let is_scenario = text.lines().any(|line| line.starts_with("runbook:"));
    let names = |line: &str| {
        let field = line.trim_start().trim_start_matches("with: { ");
        (field.starts_with("runbook: ") || line.starts_with("name: ") && !is_scenario).then(|| line.len() - field.len())
    };
    let mut renamed = String::with_capacity(text.len());
    for line in text.lines() {
        match names(line).and_then(|start| Some((start, line[start..].find(": ")?))) {
            Some((start, colon)) => {
                let value = start + colon + 2;
                let end = line[value..].find([',', ' ']).map_or(line.len(), |length| value + length);
                renamed.extend([&line[..end], &format!("-{copy}"), &line[end..]]);
            }
            None => renamed.push_str(line),
        }
        renamed.push('\n');
    }
    renamed
}

/// The two steps of the layer before that a step needs.
fn needs(step: usize) -> Option<[usize; 2]> {
    let first = (step / LAYER).checked_sub(1)? * LAYER;
    Some([first + step % LAYER, first + (step + 1) % LAYER])
}

fn runbook(count: usize, step: &str) -> Result<String, Problem> {
    let mut text = "drctl: 1\nname: speed\nkind: drill\nowner: team\ninputs:\n  level: { type: int, default: 3 }\n\
        execution:\n"
        .to_owned();
    for index in 0..count {
        write!(text, "  - id: s{index}\n    {step}\n")?;
        if let Some([first, second]) = needs(index) {
            writeln!(text, "    needs: [s{first}, s{second}]")?;
        }
    }
    Ok(text)
}

fn makefile() -> Result<String, Problem> {
    let all: String = (0..PROCESSES).map(|index| format!(" s{index}")).collect();
    let mut text = format!("all:{all}\n.PHONY: all{all}\n");
    for index in 0..PROCESSES {
        let needs = needs(index).map(|[first, second]| format!(" s{first} s{second}")).unwrap_or_default();
        write!(text, "s{index}:{needs}\n\t@/bin/true\n")?;
    }
    Ok(text)
}

fn ninja() -> Result<String, Problem> {
    let mut text = "rule run\n  command = /bin/true\n".to_owned();
    for index in 0..PROCESSES {
        let needs = needs(index).map(|[first, second]| format!(" s{first} s{second}")).unwrap_or_default();
        writeln!(text, "build s{index}: run{needs}")?;
    }
    Ok(text)
}

impl Results {
    fn laps(&self, name: &str) -> Option<&[Lap]> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, laps)| laps.as_slice())
    }

    /// The median time, in seconds; nothing for a program that is not installed.
    fn time(&self, name: &str) -> Option<f64> {
        self.laps(name).map(|laps| median(laps, |lap| lap.time).as_secs_f64())
    }

    fn processor(&self, name: &str) -> Option<f64> {
        self.laps(name).map(|laps| median(laps, |lap| lap.processor).as_secs_f64())
    }

    /// The most memory any lap held, in KiB.
    fn memory(&self, name: &str) -> Option<f64> {
        self.laps(name)?.iter().map(|lap| lap.memory).max().map(|peak| peak as f64)
    }
}

fn print_laps(results: &Results) {
    println!(
        "{:<24} {:>6} {:>10} {:>22} {:>10} {:>7}",
        "", "rounds", "median", "fastest to slowest", "processor", "memory"
    );
    for (name, laps) in &results.0 {
        let times = sorted(laps, |lap| lap.time);
        let spread = format!("{} to {}", milliseconds(times[0]), milliseconds(times[times.len() - 1]));
        let memory = laps.iter().map(|lap| lap.memory).max().filter(|peak| *peak > 0);
        let memory = memory.map(|peak| format!("{} MB", peak / 1024)).unwrap_or_default();
        let time = milliseconds(median(laps, |lap| lap.time));
        let processor = milliseconds(median(laps, |lap| lap.processor));
        println!("{name:<24} {:>6} {time:>10} {spread:>22} {processor:>10} {memory:>7}", times.len());
    }
    println!();
}

/// Each target of docs/speed.md beside what was measured.
fn print_targets(results: &Results, planning: Duration) {
    let line = |what: &str, target: &str, measured: Option<String>| {
        println!("{what:<44} {target:>24} {:>14}", measured.as_deref().unwrap_or("not measured"));
    };
    let ratio = |it: Option<f64>, other: Option<f64>| Some(format!("{:.2} times", it? / other?));
    line("", "target", Some("measured".to_owned()));
    let (drctl, drctl_processor) = (results.time(DRCTL), results.processor(DRCTL));
    line("1,000 processes, beside make", "at most 1.5 times", ratio(drctl, results.time(MAKE)));
    line("  in processor time", "", ratio(drctl_processor, results.processor(MAKE)));
    line("1,000 processes, beside ninja", "", ratio(drctl, results.time(NINJA)));
    let rate = |time: f64| format!("{:.0}", 1e4 / time);
    let validated = |name: &str| results.time(name).map(|time| milliseconds(Duration::from_secs_f64(time)));
    line("validating 10,000 steps", "under 300 ms", validated(VALIDATE));
    line("validating a workspace of 1,000 runbooks", "under 2 s", validated(WORKSPACE));
    line("10,000 no-op steps, steps a second", "over 20,000", results.time(STEPS).map(rate));
    let once_read = results.time(STEPS).zip(results.time(VALIDATE)).map(|(all, reading)| rate(all - reading));
    line("  without reading and checking the runbook", "", once_read);
    let most = results.memory(MANY_STEPS);
    line("100,000 no-op steps, memory", "under 300 MB", most.map(|peak| format!("{:.0} MB", peak / 1024.0)));
    let grown =
        most.zip(results.memory(STEPS)).map(|(most, least)| format!("{:.0} bytes", (most - least) * 1024.0 / 9e4));
    line("  a step more", "under 3,072 bytes", grown);
    line("planning 10,000 parsed steps", "under 100 ms", Some(milliseconds(planning)));
    let rehearsals = results.time(REHEARSALS).map(|time| format!("{:.0} s", time * 5.0));
    line("10,000 rehearsals of a 40-step failover", "under 60 s", rehearsals);
    line("--version", "under 10 ms", results.time(VERSION).map(|time| milliseconds(Duration::from_secs_f64(time))));
}

fn sorted(laps: &[Lap], of: impl Fn(&Lap) -> Duration) -> Vec<Duration> {
    let mut times: Vec<Duration> = laps.iter().map(of).collect();
    times.sort();
    times
}

fn median(laps: &[Lap], of: impl Fn(&Lap) -> Duration) -> Duration {
    sorted(laps, of)[laps.len() / 2]
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
