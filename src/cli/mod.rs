//! The command line: clap types, and one thin file per command.

mod actions;
mod announce;
mod choose;
mod common;
mod complete;
mod decisions;
mod doctor;
mod drills;
mod evidence;
mod examples;
mod explain;
mod fields;
mod fmt;
mod generate;
mod impact;
mod init;
mod notify;
mod plan;
mod rehearse;
mod report;
mod resume;
mod runs;
mod schema;
mod send;
mod start;
mod test;
mod validate;
mod watch_for;

use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::error::{Error, Exit};
pub use common::{Output, console_line};
pub use complete::complete;

/// Runs disaster-recovery runbooks: checked, planned, dry-run, executed with gates and a crash-proof journal.
#[derive(Debug, Parser)]
#[command(name = "drctl", version, max_term_width = 100, arg_required_else_help = true, disable_help_subcommand = true)]
pub struct Cli {
    /// The workspace: the folder with `drctl.yaml` (default: found from here upwards)
    #[arg(long, global = true, value_name = "DIR", env = "DRCTL_WORKSPACE")]
    workspace: Option<PathBuf>,
    /// Where runs are kept (default: `.drctl` in the workspace)
    #[arg(long, global = true, value_name = "DIR", env = "DRCTL_STATE")]
    state: Option<PathBuf>,
    /// The name your decisions are recorded under (default: your OS user); it is not authenticated
    #[arg(long = "as", global = true, value_name = "NAME")]
    identity: Option<String>,
    #[command(subcommand)]
    command: Command,
}

/// What drctl can do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Make a workspace that validates and rehearses at once
    #[command(after_help = examples::INIT)]
    Init(init::Init),
    /// Find a failover runbook by name, and run it; with `--region`, recover all that runs there
    #[command(after_help = examples::FAILOVER)]
    Failover(start::Failover),
    /// Find a failback runbook by name, and run it
    #[command(after_help = examples::FAILBACK)]
    Failback(start::ByName),
    /// Run any runbook file
    #[command(after_help = examples::RUN)]
    Run(start::ByFile),
    /// Check runbooks: every problem of every file, with its place
    #[command(after_help = examples::VALIDATE)]
    Validate(validate::Validate),
    /// Say what a finding of `validate` means, why it matters, and how it is mended
    Explain(explain::Explain),
    /// Show order, waves, gates and the critical path against the RTO
    #[command(after_help = examples::PLAN)]
    Plan(plan::Plan),
    /// Show what a lost region or service hits, and in which order it is recovered
    #[command(after_help = examples::IMPACT)]
    Impact(impact::Impact),
    /// Show which drills are due, overdue and done
    #[command(after_help = examples::DRILLS)]
    Drills(drills::Drills),
    /// Lay runbooks out: indentation, white space; never what they mean
    Fmt(fmt::Fmt),
    /// Look at what runs stand on, before an outage does
    #[command(after_help = examples::DOCTOR)]
    Doctor(doctor::Doctor),
    /// Rehearse a runbook on a simulated world: hours pass in milliseconds
    #[command(after_help = examples::REHEARSE)]
    Rehearse(rehearse::Rehearse),
    /// Rehearse every scenario and judge what comes of it
    #[command(after_help = examples::TEST)]
    Test(test::Test),
    /// List the runs of the workspace
    Runs(runs::Runs),
    /// Show what a run is doing, what it needs, and what to type next
    #[command(after_help = examples::STATUS)]
    Status(runs::Status),
    /// Show a run's journal, or what a step printed
    Logs(runs::Logs),
    /// Look on while a run goes on
    Watch(runs::Watch),
    /// Look for an outage, or take an alert: down, it opens a run that waits at its first gate
    #[command(after_help = examples::WATCH_FOR)]
    WatchFor(watch_for::WatchFor),
    /// Take a run up where it was left
    #[command(after_help = examples::RESUME)]
    Resume(resume::Resume),
    /// Approve a gate, or answer a manual step
    #[command(after_help = examples::APPROVE)]
    Approve(decisions::Approve),
    /// Refuse a gate
    Reject(decisions::Reject),
    /// Try a failed step again
    Retry(decisions::Retry),
    /// Leave a step out
    Skip(decisions::Skip),
    /// Say what happened to a step in doubt
    #[command(after_help = examples::RESOLVE)]
    Resolve(decisions::Resolve),
    /// Give a run up: shows what is undone and what cannot be, then undoes it
    #[command(after_help = examples::ABORT)]
    Abort(decisions::Abort),
    /// Say what a run came to, as a page, Markdown or JSON
    Report(report::Report),
    /// Write a run's state, clock and step durations as metrics for Prometheus
    Metrics(report::Metrics),
    /// Pack a run into one file that can be checked: journal, runbook, outputs, notices, report
    Evidence(evidence::Evidence),
    /// Check that nobody changed a run's journal, or the file that `evidence` wrote
    Verify(evidence::Verify),
    /// Preview notices, announce something, deliver what is owed
    Notify(notify::Notify),
    /// The actions steps can use
    Actions(actions::Actions),
    /// Print the JSON schema of runbooks, scenarios, templates or the workspace, for editors
    Schema(schema::Schema),
    /// Print a shell's completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
        /// Such that the shell asks drctl for runbooks, runs, steps and inputs, too
        #[arg(long)]
        dynamic: bool,
    },
    /// Write the manual pages into a folder
    Man {
        /// The folder
        folder: PathBuf,
    },
}

impl Command {
    /// The file that it is about, where a person named one: that stands on the settings and templates of its own workspace.
    fn file(&self) -> Option<&Path> {
        match self {
            Self::Run(given) => given.file(),
            Self::Plan(given) => common::file(&given.named.runbook),
            Self::Rehearse(given) => common::file(&given.named.runbook),
            Self::WatchFor(given) => common::file(&given.named.runbook),
            Self::Doctor(given) => given.runbook.as_deref().and_then(common::file),
            Self::Test(given) => given.paths.first().map(PathBuf::as_path),
            _ => None,
        }
    }
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum FindingFormat {
    /// For people
    Human,
    /// One line each
    Short,
    /// One JSON document
    Json,
    /// SARIF 2.1.0
    Sarif,
    /// GitHub annotations
    Github,
}

/// Runs the command line given; the exit code.
///
/// # Errors
/// What the user is told, in one place: `main` prints it.
pub fn run() -> Result<Exit, Error> {
    let cli = Cli::parse();
    let mut common = common::common(&cli)?;
    if let Some(file) = cli.command.file() {
        common = common.at(file);
    }
    let from_here = common.here();
    dispatch(cli.command, &common).map_err(|error| error.map_next(|command| from_here.typed(command)))
}

fn dispatch(command: Command, common: &common::Common) -> Result<Exit, Error> {
    match command {
        Command::Init(given) => given.run(),
        Command::Failover(given) => given.run(common),
        Command::Failback(given) => given.run(common, crate::runbook::ast::Kind::Failback),
        Command::Run(given) => given.run(common),
        Command::Rehearse(given) => given.run(common),
        Command::Test(given) => given.run(common),
        Command::Validate(given) => given.run(common),
        Command::Explain(given) => given.run(),
        Command::Plan(given) => given.run(common),
        Command::Impact(given) => given.run(common),
        Command::Drills(given) => given.run(common),
        Command::Fmt(given) => given.run(common),
        Command::Doctor(given) => given.run(common),
        Command::Runs(given) => given.run(common),
        Command::Status(given) => given.run(common),
        Command::Logs(given) => given.run(common),
        Command::Watch(given) => given.run(common),
        Command::WatchFor(given) => given.run(common),
        Command::Resume(given) => given.run(common),
        Command::Approve(given) => given.run(common),
        Command::Reject(given) => given.run(common),
        Command::Retry(given) => given.run(common),
        Command::Skip(given) => given.run(common),
        Command::Resolve(given) => given.run(common),
        Command::Abort(given) => given.run(common),
        Command::Report(given) => given.run(common),
        Command::Metrics(given) => given.run(common),
        Command::Evidence(given) => given.run(common),
        Command::Verify(given) => given.run(common),
        Command::Notify(given) => given.run(common),
        Command::Actions(given) => given.run(),
        Command::Schema(given) => given.run(),
        Command::Completions { shell, dynamic: true } => {
            console_line(&complete::registration(shell)?)?;
            Ok(Exit::Done)
        }
        Command::Completions { shell, .. } => generate::completions(shell, &mut Cli::command()),
        Command::Man { folder } => generate::man(&folder, Cli::command()),
    }
}
