//! What the commands share: where they are, who asks, how they print.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Cli;
use crate::catalogue::Timestamp;
use crate::edge::clock::{Clock as _, SystemClock};
use crate::edge::environment;
use crate::edge::identity::Identity;
use crate::edge::store::{RunFolder, Store};
use crate::engine::event::Person;
use crate::error::{Error, Exit};
use crate::exec::files::{workspace_folder, workspace_of};
use crate::exec::find::find_runbook;
use crate::exec::run;
use crate::exec::view::{self, Run};
use crate::report::{FromHere, OutputKind};
use crate::runbook::ast::Kind;

/// How a run is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Live, on a terminal; plain lines elsewhere
    #[default]
    Human,
    /// One line an event
    Plain,
    /// One JSON document an event
    Json,
}

/// How something is shown that is no run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Shown {
    /// For people
    #[default]
    Human,
    /// One JSON document
    Json,
}

/// What a graph is drawn as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Graph {
    /// A flowchart for Markdown
    Mermaid,
    /// For Graphviz
    Dot,
    /// A picture
    Svg,
}

/// How a run is shown, and whether it stays.
#[derive(Clone, Debug, Args)]
pub(super) struct Showing {
    /// How it is shown
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    /// Stay while the run waits for people, also without a terminal
    #[arg(long)]
    wait: bool,
    /// How many steps run at a time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    parallel: u16,
    /// Write the run's metrics to this file as it goes, for Prometheus' textfile collector
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
}

impl Default for Showing {
    fn default() -> Self {
        Self { output: Output::Human, wait: false, parallel: 64, metrics: None }
    }
}

/// Where a command is, and who asks.
pub(super) struct Common {
    /// Where the simulated runs are kept: never among the real ones, unless a person says so.
    simulated: Option<PathBuf>,
    pub(super) workspace: PathBuf,
    /// Whether a person said which it is.
    is_named: bool,
    /// What has to be said again for the workspace and its runs to be found from here.
    options: Vec<(&'static str, String)>,
    pub(super) store: Store,
    pub(super) person: Person,
}

pub(super) fn common(cli: &Cli) -> Result<Common, Error> {
    let here = std::env::current_dir()?;
    let workspace = match &cli.workspace {
        Some(given) => given.canonicalize().map_err(|error| Error::usage(format!("`{}`: {error}", given.display())))?,
        None => workspace_folder(&here),
    };
    let state = cli.state.clone().map_or_else(|| kept(&workspace), |state| here.join(state));
    let own = Identity::current();
    let person =
        Person { name: cli.identity.clone().unwrap_or(own.user), host: own.host, claimed: cli.identity.is_some() };
    let fits = |c: char| !c.is_control() && !c.is_whitespace();
    if person.name.is_empty() || !person.name.chars().all(fits) {
        return Err(Error::usage(format!("`{}` is not a name: no spaces, please", person.name.escape_default())));
    }
    let simulated = cli.state.is_none().then(|| kept(&workspace).join(SIMULATED));
    let is_named = cli.workspace.is_some();
    let workspace_said = said("--workspace", "DRCTL_WORKSPACE", cli.workspace.as_deref());
    let options = workspace_said.into_iter().chain(said("--state", "DRCTL_STATE", cli.state.as_deref())).collect();
    Ok(Common { simulated, workspace, is_named, options, store: Store::new(state), person })
}

/// An option as it was given; what the environment says need not be said again.
fn said(option: &'static str, variable: &str, given: Option<&Path>) -> Option<(&'static str, String)> {
    let given =
        given.filter(|given| environment::variable(variable).is_none_or(|known| Path::new(&known) != *given))?;
    Some((option, shell_words::quote(&given.to_string_lossy()).into_owned()))
}

/// Where the simulated runs are kept, among the others.
const SIMULATED: &str = "simulated";

/// Where the runs of a workspace are kept.
fn kept(workspace: &Path) -> PathBuf {
    workspace.join(".drctl")
}

/// The runbook a person named.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// A runbook's name, or its file
    pub(super) runbook: String,
    /// The kind, where runbooks of several kinds have that name: failover comes first
    #[arg(long, value_parser = kind())]
    pub(super) kind: Option<Kind>,
}

impl Named {
    /// Its file.
    pub(super) fn file(&self, common: &Common) -> Result<PathBuf, Error> {
        if let Some(file) = file(&self.runbook) {
            return Ok(std::path::absolute(file)?);
        }
        let kinds = self.kind.map_or_else(|| Kind::ALL.to_vec(), |kind| vec![kind]);
        let mut found = kinds.iter().map(|kind| find_runbook(&common.workspace, &self.runbook, *kind));
        found.find_map(Result::ok).ok_or_else(|| {
            let problem = find_runbook(&common.workspace, &self.runbook, kinds[0]);
            Error::usage(problem.err().unwrap_or_default())
        })
    }

    /// How it is named once more on a command line.
    pub(super) fn again(&self) -> String {
        let kind = self.kind.map(|kind| format!(" --kind {}", kind.name())).unwrap_or_default();
        format!("{}{kind}", shell_words::quote(&self.runbook))
    }
}

/// The file that a person named a runbook by, where they did not name it by its name.
pub(super) fn file(runbook: &str) -> Option<&Path> {
    Some(Path::new(runbook)).filter(|path| path.is_file())
}

/// Reads a kind, and lets completions know them.
pub(super) fn kind() -> impl clap::builder::TypedValueParser<Value = Kind> {
    use clap::builder::{PossibleValuesParser, TypedValueParser as _};
    PossibleValuesParser::new(Kind::ALL.map(Kind::name)).try_map(|word| Kind::named(&word).ok_or("no kind"))
}

impl Common {
    /// The workspace of a file that a person named: unless they said which it is, the one above the file.
    pub(super) fn workspace_of(&self, file: &Path) -> PathBuf {
        let above = if self.is_named { None } else { workspace_of(file) };
        above.unwrap_or_else(|| self.workspace.clone())
    }

    /// The same in the workspace of that file; which it is, is said where it is another than that of the current folder.
    pub(super) fn at(self, file: &Path) -> Self {
        let workspace = self.workspace_of(file);
        if workspace == self.workspace {
            return self;
        }
        say(&elsewhere(&workspace));
        let mut options = self.options.clone();
        options.extend(said("--workspace", "DRCTL_WORKSPACE", Some(&from_current(&workspace))));
        let store = self.store_of(&workspace);
        let simulated = self.simulated.map(|_| kept(&workspace).join(SIMULATED));
        Self { store, simulated, workspace, options, ..self }
    }

    /// Where the runs of a workspace are kept.
    pub(super) fn store_of(&self, workspace: &Path) -> Store {
        let is_said = self.simulated.is_none();
        if is_said { self.store.clone() } else { Store::new(kept(workspace)) }
    }

    /// How commands are typed from here, so that they find the same workspace and the same runs.
    pub(super) fn here(&self) -> FromHere {
        FromHere::new(self.options.clone()).in_folder(std::env::current_dir().unwrap_or_default())
    }

    /// Where simulated runs are kept.
    pub(super) fn simulated_store(&self) -> Store {
        self.simulated.clone().map_or_else(|| self.store.clone(), Store::new)
    }

    /// What a run of this command line is given.
    pub(super) fn run(&self, showing: &Showing) -> run::Common {
        let terminal = std::io::stderr().is_terminal() && std::io::stdin().is_terminal();
        let plain = environment::variable("CI").is_some() || environment::variable("TERM").as_deref() == Some("dumb");
        let kind = match showing.output {
            Output::Json => OutputKind::Json,
            Output::Human if std::io::stderr().is_terminal() && !plain => OutputKind::Human,
            Output::Human | Output::Plain => OutputKind::Plain,
        };
        run::Common {
            workspace: self.workspace.clone(),
            store: self.store.clone(),
            operator: self.person.clone(),
            output: kind,
            interactive: terminal && !plain && kind != OutputKind::Json,
            colour: colour(),
            from_here: self.here(),
            wait: showing.wait,
            parallel: usize::from(showing.parallel),
            metrics: showing.metrics.clone(),
        }
    }

    /// The folder of the run a person named; where they named none, of the only open one.
    pub(super) fn folder(&self, given: Option<&str>) -> Result<RunFolder, Error> {
        if let Some(given) = given {
            return self.named(given);
        }
        let mut open = self.open_runs()?;
        match open.len() {
            1 => Ok(open.remove(0).1),
            _ => choose(self, &open.into_iter().map(|(name, _)| name).collect::<Vec<_>>()),
        }
    }

    /// The runs that have not ended, by name: one at least. One that cannot be read may be the one that is meant.
    pub(super) fn open_runs(&self) -> Result<Vec<(String, RunFolder)>, Error> {
        let (mut open, mut damaged) = (Vec::new(), None);
        for id in self.store.runs().map_err(|error| Error::state(&error))? {
            let folder = self.store.open(&id).map_err(|error| Error::state(&error))?;
            match is_open(&folder) {
                Ok(true) => open.push((id.to_string(), folder)),
                Ok(false) => {}
                Err(_) if view::never_started(&folder) => {}
                Err(problem) => {
                    damaged.get_or_insert_with(|| {
                        format!("run `{id}` cannot be read, and may be open: {}", problem.message)
                    });
                    open.push((id.to_string(), folder));
                }
            }
        }
        if let Some(problem) = damaged.filter(|_| open.len() > 1) {
            let names: Vec<&str> = open.iter().map(|(name, _)| name.as_str()).collect();
            let message = format!("{problem}\nname the run that is meant: one of {}", names.join(", "));
            return Err(Error::new(Exit::Journal, message).next("drctl runs"));
        }
        if open.is_empty() {
            return Err(self.none_is_open());
        }
        Ok(open)
    }

    /// Runs on a simulated world are kept apart: who looks for one is told where.
    fn none_is_open(&self) -> Error {
        let error = match self.store.runs() {
            Ok(runs) if runs.is_empty() => there_are_none(),
            _ => Error::usage("no run is open: name one").next("drctl runs"),
        };
        let Some(folder) = self.simulated.clone().filter(|folder| folder.is_dir()) else { return error };
        let here = std::env::current_dir().unwrap_or_default();
        let shown = folder.strip_prefix(&here).unwrap_or(&folder).to_string_lossy().into_owned();
        let Some(latest) = Store::new(folder).runs().unwrap_or_default().into_iter().next() else { return error };
        let message = format!("no run is open: name one; of those on a simulated world, `{latest}` is the latest");
        Error::usage(message)
            .next(format!("drctl status {latest}"))
            .next(format!("drctl runs --state {}", shell_words::quote(&shown)))
    }

    /// The folder of the run that a name, or the beginning of one, stands for.
    pub(super) fn named(&self, given: &str) -> Result<RunFolder, Error> {
        match self.store.find(Some(given)) {
            Ok(id) => self.store.open(&id).map_err(|error| Error::state(&error)),
            Err(problem) => {
                let simulated = self.simulated_store();
                let id = simulated.find(Some(given)).map_err(|_| Error::usage(problem.to_string()))?;
                Ok(simulated.open(&id)?)
            }
        }
    }

    /// The run that started last; of the simulated ones where there is no other.
    pub(super) fn latest(&self) -> Result<String, Error> {
        let stores = [self.store.clone(), self.simulated_store()];
        for store in &stores {
            if let Some(id) = store.runs().map_err(|error| Error::state(&error))?.first() {
                return Ok(id.to_string());
            }
        }
        Err(there_are_none())
    }

    /// The run a person named, read back.
    pub(super) fn open(&self, given: Option<&str>) -> Result<Run, Error> {
        view::open(self.folder(given)?, &run::registry().catalogue())
    }
}

fn there_are_none() -> Error {
    Error::usage("there are no runs yet").next("drctl failover NAME --simulate")
}

fn is_open(folder: &RunFolder) -> Result<bool, Error> {
    let run = view::open(folder.clone(), &run::registry().catalogue())?;
    Ok(run.state(&run.plan)?.ended.is_none())
}

/// Asks which run is meant, where somebody sits at a terminal.
fn choose(common: &Common, names: &[String]) -> Result<RunFolder, Error> {
    let several = || Error::usage(format!("several runs are open: name one of {}", names.join(", ")));
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(several());
    }
    say("several runs are open:");
    names.iter().enumerate().for_each(|(index, name)| say(&format!("  {}  {name}", index + 1)));
    let number = ask("which run (its number)").and_then(|answer| answer.trim().parse::<usize>().ok());
    let chosen = number.and_then(|number| names.get(number.checked_sub(1)?)).ok_or_else(several)?;
    common.named(chosen)
}

/// Asks for a line; nothing where none comes.
///
/// The terminal stays as it is: what reads single keys hides the cursor or switches echo off, and Ctrl-C at the
/// wrong moment leaves it so.
pub(super) fn ask(question: &str) -> Option<String> {
    let mut err = std::io::stderr().lock();
    write!(err, "{question}: ").and_then(|()| err.flush()).ok()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).ok()?;
    if !line.ends_with('\n') {
        writeln!(err).ok();
    }
    Some(line)
}

/// Asks, where somebody sits at a terminal; without one, `--yes` is needed. `refused` is told where they say no.
pub(super) fn confirm(yes: bool, question: &str, refused: &str) -> Result<(), Error> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Error::usage(format!("{question} nobody is here to answer: add `--yes`")));
    }
    match ask(&format!("{question} [yes/no]")).as_deref().map(str::trim) {
        Some("yes") => Ok(()),
        _ => Err(Error::new(Exit::Failed, refused)),
    }
}

/// Which workspace was taken.
pub(super) fn elsewhere(workspace: &Path) -> String {
    let shown = from_current(workspace);
    format!("in the file's own workspace: `--workspace {}`", shell_words::quote(&shown.to_string_lossy()))
}

/// A folder as it may be named in the current one.
fn from_current(folder: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    folder.strip_prefix(&here).unwrap_or(folder).to_owned()
}

/// Whether stderr takes colours.
pub(super) fn colour() -> bool {
    console::colors_enabled_stderr()
}

/// Writes a result to stdout. A closed pipe is no error: whoever read it has read enough.
///
/// # Errors
/// Anything else, such as a full disk.
pub fn console_line(text: &str) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    let written =
        out.write_all(text.as_bytes()).and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::new(Exit::Failed, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// The present, by the machine's clock.
pub(super) fn now() -> Timestamp {
    SystemClock::start(Timestamp(0)).now()
}

/// Writes a line to stderr; nobody listening is no error.
pub(super) fn say(text: &str) {
    writeln!(std::io::stderr().lock(), "{}", text.trim_end()).ok();
}
