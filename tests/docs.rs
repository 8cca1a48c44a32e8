//! The documentation, followed literally: every command of every page is typed, in the order of the page, in a folder
//! of its own, and what the page shows is what comes.
//!
//! - ```` ```sh ````: a script, run by bash where the one before left off. After `sh` may stand
//!   - `exit N`: how its last command ends,
//!   - `until TEXT`: it goes on in the background once it has shown the text,
//!   - `terminal`: a single command on a terminal; the answers are those of the `text` block that follows,
//!   - `tests/FILE.rs`: another test runs it.
//! - ```` ```yaml PATH ````: a file, written there.
//! - ```` ```text ```` after a script: what it printed. `...` stands for anything, on a line of its own for any lines.
//!
//! Blocks in comments set the stage; `$REPOSITORY` is where drctl's own is.

#![expect(clippy::unwrap_used, reason = "a page that cannot be followed has failed")]
#![allow(clippy::disallowed_methods, reason = "what runs in the background is waited for with a deadline")]
#![allow(dead_code, reason = "the terminal can do more than these pages need")]

#[path = "support/markdown.rs"]
mod markdown;
#[path = "support/pty.rs"]
mod pty;
#[path = "support/tool.rs"]
mod tool;

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use drctl::error::Exit::{self, Done, Exceptions, Failed, InDoubt, Invalid, Journal, Locked, Usage, Waiting};
use markdown::{Block, anchors, blocks, links};
use pty::Terminal;
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tool::installed;

/// How long a step of a page may take.
const PATIENCE: Duration = Duration::from_mins(2);

#[test]
fn every_command_of_every_page_does_what_the_page_says() {
    if !installed(&["openssl"]) {
        return;
    }
    let pages = pages();
    let followed = std::thread::scope(|scope| {
        let follow = |page: &'static str| scope.spawn(move || Reader::new().follow(page, &read(page)));
        let readers: Vec<_> = pages.iter().map(|page| follow(page.clone().leak())).collect();
        readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>()
    });
    let wrong: Vec<String> = followed.iter().filter_map(|it| it.as_ref().err().cloned()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let run: usize = followed.into_iter().filter_map(Result::ok).sum();
    assert!(run > 60, "only {run} blocks were run");
}

#[test]
fn the_index_names_every_page_and_every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    for page in pages() {
        for target in links(&read(&page)).into_iter().filter(|target| !target.contains("://")) {
            let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
            let own = root().join(&page);
            let place = if file.is_empty() { own } else { own.parent().unwrap().join(file) };
            let has_heading = || anchors(&fs::read_to_string(&place).unwrap()).contains(&heading.to_owned());
            if !place.exists() || !heading.is_empty() && !has_heading() {
                wrong.push(format!("{page} links to `{target}`, which is not there"));
            }
        }
    }
    let index: Vec<String> =
        links(&read("docs/README.md")).into_iter().map(|target| format!("docs/{target}")).collect();
    let named = |page: &str| page.ends_with("README.md") || index.iter().any(|target| target == page);
    wrong.extend(pages().iter().filter(|page| !named(page)).map(|page| format!("docs/README.md does not name {page}")));
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn what_another_test_runs_is_run_by_it() {
    let all = pages();
    let of_pages = all.iter().flat_map(|page| blocks(&read(page)).into_iter().map(move |block| (page, block)));
    let named = of_pages.filter(|(_, block)| block.about.starts_with("tests/"));
    // A test that runs the blocks of a page reads that page.
    let is_run = |page: &str, test: &str| fs::read_to_string(root().join(test)).is_ok_and(|text| text.contains(page));
    let wrong: Vec<String> = named
        .filter(|(page, block)| !is_run(page, &block.about))
        .map(|(page, block)| format!("{page}:{}: `{}` does not run it", block.line, block.about))
        .collect();
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn every_exit_code_has_a_row_that_says_what_to_type_next() {
    let page = read("docs/exit-codes.md");
    let rows: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("| ")).collect();
    let all = [Done, Failed, Usage, Waiting, InDoubt, Invalid, Locked, Journal, Exceptions].map(Exit::code);
    let missing: Vec<u8> =
        all.into_iter().filter(|code| !rows.iter().any(|row| row.starts_with(&format!("{code} | ")))).collect();
    assert_eq!(missing, [0; 0]);
    assert_eq!(rows.len(), all.len() + 2, "a heading, and the signals: {rows:?}");
}

// --- the reader

/// Somebody who follows a page in a folder of their own.
struct Reader {
    folder: TempDir,
    /// What goes on in the background.
    running: Vec<Child>,
}

impl Reader {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for inner in ["work", "home", "bin", "tmp"] {
            fs::create_dir(folder.path().join(inner)).unwrap();
        }
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_drctl"), folder.path().join("bin/drctl")).unwrap();
        let reader = Self { folder, running: Vec::new() };
        fs::write(reader.at("where"), reader.at("work").to_str().unwrap()).unwrap();
        fs::write(reader.at("variables"), "").unwrap();
        reader
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Follows a page; how many blocks were run, or where it is wrong.
    fn follow(mut self, page: &str, text: &str) -> Result<usize, String> {
        let mut run = 0;
        let mut printed: Option<String> = None;
        let blocks = blocks(text);
        for (at, block) in blocks.iter().enumerate() {
            let wrong = |what: String| format!("{page}:{}: {what}", block.line);
            if let Some(file) = block.file() {
                self.write(file, &block.text);
            } else if block.language == "sh" && !block.about.starts_with("tests/") {
                let shown = blocks.get(at + 1).filter(|next| next.language == "text" && next.file().is_none());
                printed = self.run(block, shown).map_err(wrong)?;
                run += 1;
            } else if block.language == "text"
                && let Some(printed) = printed.take()
            {
                compare(&block.text, &printed).map_err(wrong)?;
            } else {
                printed = None;
            }
        }
        Ok(run)
    }

    fn write(&self, file: &str, text: &str) {
        let place = PathBuf::from(fs::read_to_string(self.at("where")).unwrap().trim_end()).join(file);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }

    /// Runs a block; what it printed, where that has not been looked at yet.
    fn run(&mut self, block: &Block, shown: Option<&Block>) -> Result<Option<String>, String> {
        match block.about.split_once(' ').unwrap_or((&block.about, "")) {
            ("", _) => self.ends(&block.text, 0).map(Some),
            ("exit", code) => self.ends(&block.text, code.parse().unwrap()).map(Some),
            ("until", text) => self.starts(&block.text, text).map(|()| None),
            ("terminal", _) => {
                let shown = &shown.ok_or("what is answered is not shown")?.text;
                let followed = catch_unwind(AssertUnwindSafe(|| self.answers(&block.text, shown)));
                followed.map(|()| None).map_err(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
            }
            _ => Err(format!("what is `{}`?", block.about)),
        }
    }

    /// Runs a script to its end; what it printed.
    fn ends(&self, script: &str, code: i32) -> Result<String, String> {
        let mut child = self.spawn(script, "printed");
        let status = wait(&mut child, PATIENCE, || false).ok_or("it goes on and on")?;
        let printed = fs::read_to_string(self.at("printed")).unwrap();
        if status.code() == Some(code) { Ok(printed) } else { Err(format!("{status}, not {code}:\n{script}{printed}")) }
    }

    /// Runs a script in the background; back once it has shown the text.
    fn starts(&mut self, script: &str, text: &str) -> Result<(), String> {
        let name = format!("background_{}", self.running.len());
        let mut child = self.spawn(script, &name);
        let printed = || fs::read_to_string(self.at(&name)).unwrap_or_default();
        let ended = wait(&mut child, PATIENCE, || printed().contains(text));
        let shown = printed();
        self.running.push(child);
        if shown.contains(text) { Ok(()) } else { Err(format!("`{text}` did not come ({ended:?}):\n{script}{shown}")) }
    }

    /// Runs a command on a terminal, sees what is shown, and types what stands after each question.
    fn answers(&self, script: &str, shown: &str) {
        let mut terminal = Terminal::start(self.bash(script), 120);
        for line in shown.lines() {
            let (said, answer) = question(line);
            for part in said.split("...").map(str::trim).filter(|part| !part.is_empty()) {
                terminal.sees_within(part, PATIENCE);
            }
            if let Some(answer) = answer {
                terminal.types(answer);
            }
        }
        assert_eq!(terminal.ends(), 0, "{}", terminal.text());
    }

    fn spawn(&self, script: &str, into: &str) -> Child {
        let out = File::create(self.at(into)).unwrap();
        let mut command = self.bash(script);
        command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out).process_group(0).spawn().unwrap()
    }

    /// Bash, with the folder and the variables that the block before left.
    fn bash(&self, script: &str) -> Command {
        let [bin, home, place, variables] = ["bin", "home", "where", "variables"].map(|name| self.at(name));
        let (place, variables) = (place.display(), variables.display());
        let script = format!(
            ". {variables}; cd \"$(cat {place})\"; trap 'pwd >{place}; declare -x >{variables}' EXIT; set -eo pipefail\n{script}"
        );
        // Nothing of the environment of the tests is there, however the command is started.
        let mut command = Command::new("env");
        command.arg("-i").arg(format!("PATH={}:{}", bin.display(), std::env::var("PATH").unwrap()));
        command.arg(format!("REPOSITORY={}", root().display())).arg(format!("HOME={}", home.display()));
        command.arg(format!("TMPDIR={}", self.at("tmp").display())).args(["LANG=C.UTF-8", "TERM=xterm"]);
        command.args(["GIT_AUTHOR_NAME=a", "GIT_COMMITTER_NAME=a", "EMAIL=a@example.com"]);
        command.args(["bash", "--norc", "-c", &script]);
        command
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.running.iter_mut().for_each(end);
    }
}

/// Ends a script and what it started, if it goes on still.
fn end(script: &mut Child) {
    if script.try_wait().unwrap().is_none() {
        kill_process_group(Pid::from_child(script), Signal::KILL).ok();
        script.wait().unwrap();
    }
}

/// Waits for an end or for something else; the end, where it came.
fn wait(child: &mut Child, patience: Duration, enough: impl Fn() -> bool) -> Option<std::process::ExitStatus> {
    let start = Instant::now();
    while start.elapsed() < patience {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if enough() {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    end(child);
    None
}

/// A line of a terminal: what is shown, and what is typed after it.
fn question(line: &str) -> (&str, Option<&str>) {
    let asked = ["[yes/no/later]", "[yes/no]", "(a string):", "(enter for none):"];
    let end = asked.iter().find_map(|asked| line.find(asked).map(|at| at + asked.len()));
    end.map_or((line, None), |end| (&line[..end], Some(line[end..].trim())))
}

// --- what a page shows, and what came

fn compare(shown: &str, printed: &str) -> Result<(), String> {
    let lines = |text: &str| text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    let (wanted, found) = (lines(shown), lines(printed));
    if fits(&wanted, &found) { Ok(()) } else { Err(format!("the page shows\n{shown}\nbut what came is\n{printed}")) }
}

fn fits(wanted: &[String], found: &[String]) -> bool {
    match wanted {
        [] => found.is_empty(),
        [any, rest @ ..] if any == "..." => (0..=found.len()).any(|skipped| fits(rest, &found[skipped..])),
        [line, rest @ ..] => found.first().is_some_and(|it| line_fits(line, it)) && fits(rest, &found[1..]),
    }
}

fn line_fits(wanted: &str, found: &str) -> bool {
    let Some((start, end)) = wanted.split_once("...") else { return wanted == found };
    let Some(mut rest) = found.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = end.split("...").collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn dots_stand_for_anything_and_nothing_else_does() {
    let same = |shown: &str, printed: &str| compare(shown, printed).is_ok();
    assert!(same("run a-...: failed\n...\nend\n", "run a-k3f: failed\nx\ny\nend\n"));
    assert!(same("a\n...\nb", "a\nb\n"));
    assert!(same("a ... b ... c", "a 1 b 2 c"));
    assert!(!same("a\nb", "a\nx\nb"));
    assert!(!same("a ... b ... c", "a 1 c 2 b"));
    assert!(!same("run a-...: failed", "run a-k3f: succeeded"));
    assert!(!same("a", "a\nb"));
}

#[test]
fn a_page_that_is_wrong_is_named_with_its_line() {
    let wrong = |page: &str| Reader::new().follow("page.md", page).unwrap_err();
    assert_eq!(wrong("Text.\n\n```sh\necho 1; false\n```\n"), "page.md:3: exit status: 1, not 0:\necho 1; false\n1\n");
    let differs = "```sh\ncd /; X=1; export X\n```\n```sh\necho $PWD $X\n```\n```text\n/ 2\n```\n";
    assert_eq!(wrong(differs), "page.md:7: the page shows\n/ 2\n\nbut what came is\n/ 1\n");
    assert_eq!(wrong("```sh exit 3\ntrue\n```\n"), "page.md:1: exit status: 0, not 3:\ntrue\n");
    let unasked = wrong("```sh terminal\necho yes\n```\n```text\nno? [yes/no] no\n```\n");
    assert!(unasked.starts_with("page.md:1: `no? [yes/no]` did not come (ended: true)"), "{unasked}");
    assert_eq!(wrong("```sh later\ntrue\n```\n"), "page.md:1: what is `later`?");
}

// --- files

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The README and every page of `docs/`, from the repository's root.
fn pages() -> Vec<String> {
    let (mut folders, mut pages) = (vec![root().join("docs")], vec!["README.md".to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                pages.push(path.strip_prefix(root()).unwrap().display().to_string());
            }
        }
    }
    pages.sort();
    pages
}
