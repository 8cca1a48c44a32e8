//! Measures drctl beside `make` and `ninja` on the same graph, in the same run, and prints a table.
//!
//! `cargo bench --bench speed` takes about a minute. Nothing is asserted: numbers depend on the machine. What they
//! are to be, and what they were, stands in `docs/speed.md`.
#![allow(clippy::disallowed_methods, reason = "a stopwatch needs the real clock")]
#![allow(clippy::print_stdout, reason = "the table is what this is for")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

type Problem = Box<dyn std::error::Error>;

/// Steps in a layer; each needs two of the layer before.
const LAYER: usize = 50;
const PROCESSES: usize = 1_000;

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
    /// The most memory it held, in KiB.
    memory: u64,
}

fn main() -> Result<(), Problem> {
    // Below the build folder: on the disk, where a journal is as slow as in earnest.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    write_inputs(folder.path())?;
    let contestants: Vec<Contestant> = contestants().into_iter().filter(|it| is_installed(it.program)).collect();
    let mut laps: Vec<Vec<Lap>> = contestants.iter().map(|_| Vec::new()).collect();
    // Interleaved, so that a busy moment of the machine harms all alike. The first round only warms up.
    let rounds = contestants.iter().map(|it| it.rounds).max().unwrap_or(0);
    for round in 0..=rounds {
        for (contestant, laps) in contestants.iter().zip(&mut laps).filter(|(it, _)| round <= it.rounds) {
            let lap = run(contestant, folder.path())?;
            if round > 0 {
                laps.push(lap);
            }
        }
    }
    print(&contestants, &laps);
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
        Contestant { name: "1,000 processes: make", program: "make", arguments: vec!["-j8"], rounds: 15 },
        Contestant { name: "1,000 processes: ninja", program: "ninja", arguments: vec!["-j8", "--quiet"], rounds: 15 },
        run("1,000 processes: drctl", "processes.yaml", "8", 15),
        run("10,000 no-op steps", "steps-10000.yaml", "64", 5),
        run("100,000 no-op steps", "steps-100000.yaml", "64", 2),
        this("validate 10,000 steps", &["validate", "steps-10000.yaml"], 5),
        this("plan 10,000 steps", &["plan", "steps-10000.yaml"], 5),
        this("--version", &["--version"], 15),
    ]
}

fn is_installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
    if !found {
        println!("`{program}` is not installed: left out");
    }
    found
}

fn run(contestant: &Contestant, folder: &Path) -> Result<Lap, Problem> {
    // Each round starts from nothing.
    fs::remove_dir_all(folder.join(".drctl")).ok();
    let started = Instant::now();
    let mut child = Command::new(contestant.program)
        .args(&contestant.arguments)
        .current_dir(folder)
        .env_remove("MAKEFLAGS")
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
    Ok(Lap { time, memory })
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

fn write_inputs(folder: &Path) -> Result<(), Problem> {
    fs::write(folder.join("drctl.yaml"), "drctl: 1\n")?;
    let program = "action: exec\n    with: { argv: [/bin/true] }\n    on_interrupt: retry";
    fs::write(folder.join("processes.yaml"), runbook(PROCESSES, program)?)?;
    let check = "action: assert\n    with: { that: \"{{ inputs.level > 2 }}\", message: too low }";
    for count in [10_000, 100_000] {
        fs::write(folder.join(format!("steps-{count}.yaml")), runbook(count, check)?)?;
    }
    fs::write(folder.join("Makefile"), makefile()?)?;
    Ok(fs::write(folder.join("build.ninja"), ninja()?)?)
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

fn print(contestants: &[Contestant], laps: &[Vec<Lap>]) {
    println!("{:<24} {:>6} {:>10} {:>22} {:>9}", "", "rounds", "median", "fastest to slowest", "memory");
    for (contestant, laps) in contestants.iter().zip(laps) {
        let times = sorted(laps);
        let (first, last) = (times[0], times[times.len() - 1]);
        let spread = format!("{} to {}", milliseconds(first), milliseconds(last));
        let memory = laps.iter().map(|lap| lap.memory).max().filter(|peak| *peak > 0);
        let memory = memory.map(|peak| format!("{} MB", peak / 1024)).unwrap_or_default();
        let (name, rounds, median) = (contestant.name, times.len(), milliseconds(median(laps)));
        println!("{name:<24} {rounds:>6} {median:>10} {spread:>22} {memory:>9}");
    }
    println!();
    let find = |name| contestants.iter().zip(laps).find(|(it, _)| it.name.ends_with(name)).map(|(_, laps)| laps);
    let time = |name| find(name).map(|laps| median(laps).as_secs_f64());
    for peer in ["make", "ninja"] {
        if let (Some(drctl), Some(other)) = (time(": drctl"), time(peer)) {
            println!("1,000 processes: drctl takes {:.2} times as long as {peer}", drctl / other);
        }
    }
    if let (Some(all), Some(reading)) = (time("10,000 no-op steps"), time("validate 10,000 steps")) {
        println!("10,000 no-op steps: {:.0} a second in all, {:.0} once read", 1e4 / all, 1e4 / (all - reading));
    }
}

fn sorted(laps: &[Lap]) -> Vec<Duration> {
    let mut times: Vec<Duration> = laps.iter().map(|lap| lap.time).collect();
    times.sort();
    times
}

fn median(laps: &[Lap]) -> Duration {
    sorted(laps)[laps.len() / 2]
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
