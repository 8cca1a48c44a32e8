//! `drctl failover`, `failback` and `run`.

use std::path::PathBuf;

use clap::Args;

use super::choose::{SIGINT, choose};
use super::common::{Common, Showing};
use super::rehearse::chosen;
use crate::catalogue::Timestamp;
use crate::error::{Error, Exit};
use crate::exec::earlier::EarlierRun;
use crate::exec::find::{find_runbook, runbook_names};
use crate::exec::inputs::{pair, read_vars};
use crate::exec::run::{self, Simulation, Start};
use crate::exec::saved_plan::SavedPlan;
use crate::runbook::ast::Kind;

/// A runbook by its name.
#[derive(Debug, Args)]
pub(super) struct ByName {
    /// The runbook's name (without one, it is chosen at a terminal)
    name: Option<String>,
    #[command(flatten)]
    options: Options,
}

/// A runbook by its file.
#[derive(Debug, Args)]
pub(super) struct ByFile {
    /// The runbook's file (default: that of `--plan`)
    #[arg(required_unless_present = "plan")]
    file: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// What a new run is given.
#[derive(Debug, Args)]
struct Options {
    /// Make real reads and no writes; says of every step how far it was checked
    #[arg(long)]
    dry_run: bool,
    /// An input's value; may be given many times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// A YAML file of inputs' values
    #[arg(long, value_name = "FILE")]
    vars: Option<PathBuf>,
    /// A plan written by `drctl plan --out`: run exactly that, with its inputs, or not at all
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Approve a gate ahead: STEP=DIGEST from a plan, or STEP with `--plan`
    #[arg(long, value_name = "STEP=DIGEST")]
    approve: Vec<String>,
    /// Answer prompts with yes; never a gate with `by`, never a doubt
    #[arg(long)]
    yes: bool,
    /// When the outage began: the clock of the RTO starts there
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    since: Option<Timestamp>,
    /// An earlier run: inputs that are not given take the value of its output of the same name
    #[arg(long, value_name = "RUN")]
    from_run: Option<String>,
    /// Run on a simulated world, with real prompts and no effect outside
    #[arg(long, conflicts_with_all = ["dry_run", "since", "plan"])]
    simulate: bool,
    /// With `--simulate`: how many times as fast as the wall clock
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    speed: u32,
    /// With `--simulate`: a scenario, by its file or its name; its faults strike, its people are you
    #[arg(long, value_name = "FILE", requires = "simulate")]
    scenario: Option<String>,
    #[command(flatten)]
    showing: Showing,
}

impl ByName {
    pub(super) fn run(self, common: &Common, kind: Kind) -> Result<Exit, Error> {
        let name = match self.name {
            Some(name) => name,
            None => match asked(common, kind)? {
                Some(name) => name,
                None => return Ok(Exit::Signal(SIGINT)),
            },
        };
        let file = find_runbook(&common.workspace, &name, kind).map_err(Error::usage)?;
        self.options.run(common, file)
    }
}

/// The runbook chosen at the terminal, be it the only one: a failover is never started by leaving something out.
fn asked(common: &Common, kind: Kind) -> Result<Option<String>, Error> {
    let mut names = runbook_names(&common.workspace, kind).map_err(Error::usage)?;
    let chosen = choose(&format!("which {} runbook?", kind.name()), &names, &format!("drctl {}", kind.name()))?;
    Ok(chosen.map(|at| names.swap_remove(at)))
}

impl ByFile {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let file = match (&self.file, &self.options.plan) {
            (Some(file), _) if !file.is_file() => {
                return Err(Error::usage(format!("no file `{}`", file.display())));
            }
            (Some(file), _) => std::path::absolute(file)?,
            (None, plan) => {
                let saved = plan.as_deref().map(SavedPlan::read).transpose()?;
                let saved = saved.ok_or_else(|| Error::usage("which runbook? give its file, or `--plan FILE`"))?;
                saved.check_there(&common.workspace)?;
                saved.runbook_file(&common.workspace)
            }
        };
        self.options.run(common, file)
    }
}

impl Options {
    fn run(self, common: &Common, file: PathBuf) -> Result<Exit, Error> {
        let vars = self.vars.as_deref().map(read_vars).transpose().map_err(Error::usage)?.unwrap_or_default();
        let plan = self.plan.as_deref().map(SavedPlan::read).transpose()?;
        let approve = self.approve.iter().map(|given| approval(given, plan.as_ref())).collect::<Result<_, _>>()?;
        let simulate = self.simulate.then(|| self.simulation(common, &file)).transpose()?;
        let mut vars = vars;
        if let Some(simulation) = &simulate {
            let given = std::mem::replace(&mut vars, simulation.scenario.inputs.clone());
            vars.extend(given);
        }
        let planned_from = plan.as_ref().and_then(|plan| plan.from_run.as_deref());
        let from_run = earlier(common, self.from_run.as_deref().or(planned_from))?;
        let start = Start {
            file,
            from_run,
            simulate,
            set: self.set,
            vars,
            approve,
            yes: self.yes,
            since: self.since,
            dry_run: self.dry_run,
            plan,
        };
        let mut shared = common.run(self.showing);
        if start.simulate.is_some() {
            shared.store = common.simulated_store();
        }
        run::start(&shared, &start)
    }

    fn simulation(&self, common: &Common, file: &std::path::Path) -> Result<Simulation, Error> {
        let registry = run::registry();
        let loaded = run::judged(&common.run(self.showing), file, &registry)?;
        let (scenario, _) = chosen(common, &loaded, self.scenario.as_deref(), &registry.catalogue())?;
        Ok(Simulation { scenario, speed: self.speed })
    }
}

/// The run that `--from-run` names.
pub(super) fn earlier(common: &Common, run: Option<&str>) -> Result<Option<EarlierRun>, Error> {
    let Some(run) = run else { return Ok(None) };
    EarlierRun::read(common.named(run)?, &run::registry().catalogue()).map(Some)
}

/// `STEP=DIGEST`, or `STEP` with the digest of a plan that was written.
fn approval(given: &str, plan: Option<&SavedPlan>) -> Result<(String, String), Error> {
    if let Some((step, digest)) = given.split_once('=') {
        let long = digest.len() >= 12 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let problem =
            || Error::usage(format!("`{digest}` is no digest: at least its first 12 digits, from `drctl plan`"));
        return long.then(|| (step.to_owned(), digest.to_owned())).ok_or_else(problem);
    }
    let plan = plan.ok_or_else(|| {
        Error::usage(format!(
            "`--approve {given}` needs the digest of what is approved: `--approve {given}=DIGEST`, or `--plan FILE`"
        ))
    })?;
    let digest = plan.gates.get(given).ok_or_else(|| {
        Error::usage(format!("the plan knows no digest of a gate `{given}`: what it would do is only known in the run"))
    })?;
    Ok((given.to_owned(), digest.clone()))
}
