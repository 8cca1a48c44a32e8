//! What a shell offers after a tab beyond commands and options: runbooks, runs, steps, scenarios, inputs, actions.
//!
//! The shell calls drctl with the words typed so far. Whatever cannot be read offers nothing: a tab never fails.

use std::cell::LazyCell;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Command, CommandFactory as _};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};

use super::{Cli, Error, Exit};
use crate::edge::environment;
use crate::edge::store::Store;
use crate::engine::{State, StepState, step_title};
use crate::exec::files::workspace_folder;
use crate::exec::find::{find_runbook, runbook_names, scenario_names};
use crate::exec::load::load;
use crate::exec::run::registry;
use crate::exec::surroundings::Surroundings;
use crate::exec::view::{self, Run};
use crate::lint::pages::PAGES;
use crate::plan::impact::known_regions;
use crate::runbook::ast::Kind;
use crate::runbook::workspace::Workspace;

/// What tells drctl that a shell asks.
const VARIABLE: &str = "DRCTL_COMPLETE";

/// Answers a shell that asks what may come next, and ends the process then.
pub fn complete() {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

/// What a shell reads so that it asks drctl at every tab.
pub(super) fn registration(shell: clap_complete::Shell) -> Result<String, Error> {
    let name = shell.to_string();
    let mut text = Vec::new();
    Shells::builtins()
        .completer(&name)
        .ok_or_else(|| Error::usage(format!("nothing is known about completions of `{name}`")))?
        .write_registration(VARIABLE, "drctl", "drctl", "drctl", &mut text)?;
    String::from_utf8(text).map_err(|error| Error::new(Exit::Failed, error.to_string()))
}

/// The command line with what each value may be.
fn command() -> Command {
    let command = VALUES.iter().fold(Cli::command(), |command, (name, argument, offer)| {
        command.mut_subcommand(name, |command| offering(command, argument, *offer))
    });
    command.mut_subcommand("notify", |notify| {
        ["preview", "announce"].into_iter().fold(notify, |notify, name| {
            notify.mut_subcommand(name, |command| offering(command, "template", templates))
        })
    })
}

fn offering(command: Command, argument: &'static str, offer: Offer) -> Command {
    let completer = ArgValueCompleter::new(move |current: &OsStr| {
        let current = current.to_string_lossy();
        let mut found = offer(&Line::read());
        found.retain(|candidate| candidate.get_value().to_string_lossy().starts_with(&*current));
        found
    });
    command.mut_arg(argument, |argument| argument.add(completer))
}

type Offer = fn(&Line) -> Vec<CompletionCandidate>;

/// Command, argument, and what is offered there.
const VALUES: &[(&str, &str, Offer)] = &[
    ("failover", "name", |line| runbooks(line, &[Kind::Failover])),
    ("failback", "name", |line| runbooks(line, &[Kind::Failback])),
    ("doctor", "runbook", |line| runbooks(line, &Kind::ALL)),
    ("doctor", "set", |line| inputs(line, &Kind::ALL)),
    ("plan", "runbook", |line| runbooks(line, &Kind::ALL)),
    ("rehearse", "runbook", |line| runbooks(line, &Kind::ALL)),
    ("watch-for", "runbook", |line| runbooks(line, &Kind::ALL)),
    ("watch-for", "set", |line| inputs(line, &Kind::ALL)),
    ("failover", "set", |line| inputs(line, &[Kind::Failover])),
    ("failback", "set", |line| inputs(line, &[Kind::Failback])),
    ("run", "set", |line| inputs(line, &Kind::ALL)),
    ("plan", "set", |line| inputs(line, &Kind::ALL)),
    ("rehearse", "set", |line| inputs(line, &Kind::ALL)),
    ("failover", "region", regions),
    ("failover", "drill", drills),
    ("failback", "drill", drills),
    ("run", "drill", drills),
    ("impact", "region", regions),
    ("impact", "service", services),
    ("failover", "scenario", |line| scenarios(line, &[Kind::Failover])),
    ("failback", "scenario", |line| scenarios(line, &[Kind::Failback])),
    ("run", "scenario", |line| scenarios(line, &Kind::ALL)),
    ("rehearse", "scenario", |line| scenarios(line, &Kind::ALL)),
    ("failback", "from_run", |line| runs(line, false)),
    ("status", "run", |line| runs(line, false)),
    ("logs", "run", |line| runs(line, false)),
    ("report", "run", |line| runs(line, false)),
    ("metrics", "run", |line| runs(line, false)),
    ("evidence", "run", |line| runs(line, false)),
    ("verify", "run", |line| runs(line, false)),
    ("watch", "run", |line| runs(line, true)),
    ("resume", "run", |line| runs(line, true)),
    ("abort", "run", |line| runs(line, true)),
    ("logs", "step", |line| steps(line, |state| state != StepState::Pending)),
    ("approve", "words", |line| target(line, is_asked)),
    ("reject", "words", |line| target(line, is_asked)),
    ("retry", "words", |line| target(line, has_failed)),
    ("skip", "words", |line| target(line, |state| has_failed(state) || state == StepState::Pending)),
    ("resolve", "words", |line| target(line, |state| state == StepState::InDoubt)),
    ("explain", "code", |_| PAGES.iter().map(|page| described(page.code, Some(page.short().to_owned()))).collect()),
    ("actions", "name", |_| {
        let catalogue = registry().catalogue();
        catalogue.iter().map(|spec| described(spec.name, Some(spec.summary.to_owned()))).collect()
    }),
];

/// The words typed so far, and where they lead.
struct Line {
    words: Vec<String>,
    workspace: PathBuf,
    store: Store,
    /// The runs that could be read, the oldest first: each is read once.
    runs: LazyCell<Vec<Open>, Box<dyn FnOnce() -> Vec<Open>>>,
}

/// A run, and what it has come to.
struct Open {
    run: Run,
    state: State,
}

impl Line {
    fn read() -> Self {
        let words = std::env::args_os().skip_while(|word| word != "--").skip(1);
        let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        let option = |name: &str, variable: &str| {
            option(&words, name).map(str::to_owned).or_else(|| environment::variable(variable)).map(PathBuf::from)
        };
        let here = std::env::current_dir().unwrap_or_default();
        let workspace = option("--workspace", "DRCTL_WORKSPACE").unwrap_or_else(|| workspace_folder(&here));
        let state = option("--state", "DRCTL_STATE").unwrap_or_else(|| workspace.join(".drctl"));
        let store = Store::new(state);
        let kept = store.clone();
        Self { words, workspace, store, runs: LazyCell::new(Box::new(move || runs_in(&kept))) }
    }

    /// The run that a word names, else the only open one.
    fn run(&self) -> Option<&Open> {
        let named = self.words.iter().skip(2).find_map(|word| {
            let id = self.store.find(Some(word)).ok().filter(|_| !word.is_empty())?;
            self.runs.iter().find(|open| open.run.id() == id.to_string())
        });
        let mut open = self.runs.iter().filter(|open| open.state.ended.is_none());
        named.or_else(|| open.next().filter(|_| open.next().is_none()))
    }
}

/// What is given to an option, however it is written: `--state DIR` or `--state=DIR`.
fn option<'w>(words: &'w [String], name: &str) -> Option<&'w str> {
    let mut words = words.iter();
    words
        .find_map(|word| match word.strip_prefix(name)? {
            "" => Some(None),
            rest => rest.strip_prefix('=').map(Some),
        })?
        .or_else(|| words.next().map(String::as_str))
}

fn runs_in(store: &Store) -> Vec<Open> {
    let catalogue = registry().catalogue();
    let open = |id| {
        let run = view::open(store.open(id).ok()?, &catalogue).ok()?;
        run.state(&run.plan).ok().map(|state| Open { run, state })
    };
    store.runs().unwrap_or_default().iter().filter_map(open).collect()
}

fn described(value: impl Into<std::ffi::OsString>, help: Option<String>) -> CompletionCandidate {
    CompletionCandidate::new(value).help(help.map(Into::into))
}

fn runbooks(line: &Line, kinds: &[Kind]) -> Vec<CompletionCandidate> {
    let names = |kind: &Kind| runbook_names(&line.workspace, *kind).unwrap_or_default();
    let mut names: Vec<String> = kinds.iter().flat_map(names).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(|name| described(name, None)).collect()
}

fn runs(line: &Line, open: bool) -> Vec<CompletionCandidate> {
    let runs = line.runs.iter().filter(|found| !open || found.state.ended.is_none());
    let words = |found: &Open| found.state.run_state(&found.run.plan).words().to_owned();
    runs.map(|found| described(found.run.id(), Some(words(found)))).collect()
}

fn is_asked(state: StepState) -> bool {
    matches!(state, StepState::AwaitingApproval | StepState::AwaitingPerson)
}

fn has_failed(state: StepState) -> bool {
    matches!(state, StepState::Failed | StepState::RollbackFailed)
}

/// The run's steps that are in such a state.
fn steps(line: &Line, wanted: fn(StepState) -> bool) -> Vec<CompletionCandidate> {
    let Some(Open { run, state }) = line.run() else { return Vec::new() };
    let fitting = state.iter().filter(|(_, node)| wanted(node.state));
    fitting.map(|(id, node)| described(&*node.path.0, step_title(&run.plan, state, id))).collect()
}

/// `[RUN] STEP`: the steps of the run that is meant, and the runs.
fn target(line: &Line, wanted: fn(StepState) -> bool) -> Vec<CompletionCandidate> {
    steps(line, wanted).into_iter().chain(runs(line, true)).collect()
}

/// The file of the runbook that a word names.
fn named(line: &Line, kinds: &[Kind]) -> Option<PathBuf> {
    let kind = option(&line.words, "--kind").and_then(Kind::named);
    let kinds = kind.as_ref().map_or(kinds, std::slice::from_ref);
    line.words.iter().skip(2).find_map(|word| {
        let file = Path::new(word);
        let by_name = || kinds.iter().find_map(|kind| find_runbook(&line.workspace, word, *kind).ok());
        if file.is_file() { std::path::absolute(file).ok() } else { by_name() }
    })
}

/// `NAME=` for each input of the runbook that is named.
fn inputs(line: &Line, kinds: &[Kind]) -> Vec<CompletionCandidate> {
    let loaded = named(line, kinds).and_then(|file| load(&line.workspace, &file, &registry().catalogue()).ok());
    let Some(runbook) = loaded.and_then(|loaded| loaded.runbook) else { return Vec::new() };
    let offered = runbook.inputs.iter().filter(|input| input.from.is_none());
    offered.map(|input| described(format!("{}=", input.name.value), input.description.clone())).collect()
}

/// The scenarios' names, of the runbook that is named where one is.
fn scenarios(line: &Line, kinds: &[Kind]) -> Vec<CompletionCandidate> {
    let runbook = named(line, kinds);
    let names = scenario_names(&line.workspace, runbook.as_deref());
    names.into_iter().map(|name| described(name, None)).collect()
}

fn templates(line: &Line) -> Vec<CompletionCandidate> {
    let entries = std::fs::read_dir(line.workspace.join("templates")).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ending| ending == "txt"));
    let mut names: Vec<_> = files.filter_map(|path| Some(path.file_stem()?.to_owned())).collect();
    names.sort();
    names.into_iter().map(|name| described(name, None)).collect()
}

fn settings(line: &Line) -> Option<Arc<Workspace>> {
    Some(Surroundings::read(&line.workspace).ok()?.workspace)
}

fn regions(line: &Line) -> Vec<CompletionCandidate> {
    let settings = settings(line);
    let names = settings.iter().flat_map(|settings| known_regions(settings));
    names.map(|name| described(name, None)).collect()
}

fn services(line: &Line) -> Vec<CompletionCandidate> {
    let settings = settings(line);
    let services = settings.iter().flat_map(|settings| &settings.services);
    services.map(|(name, service)| described(name.as_str(), service.title.clone())).collect()
}

fn drills(line: &Line) -> Vec<CompletionCandidate> {
    let settings = settings(line);
    let drills = settings.iter().flat_map(|settings| &settings.drills);
    drills.map(|(name, drill)| described(name.as_str(), drill.scope.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_that_is_offered_belongs_to_an_argument() {
        // `mut_arg` makes an argument up where there is none.
        let known = Cli::command();
        for (name, argument, _) in VALUES {
            let command = known.find_subcommand(name).unwrap_or_else(|| panic!("no command `{name}`"));
            assert!(command.get_arguments().any(|found| found.get_id() == argument), "{name} {argument}");
        }
        command().debug_assert();
    }
}
