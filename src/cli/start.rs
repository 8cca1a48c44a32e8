//! `drctl failover`, `failback` and `run`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::choose::{SIGINT, choose};
use super::common::{Common, Showing, confirm, console_line, say};
use super::rehearse::chosen;
use crate::catalogue::Timestamp;
use crate::error::{Error, Exit};
use crate::exec::earlier::EarlierRun;
use crate::exec::files::RUNBOOKS;
use crate::exec::find::{find_runbook, runbook_names};
use crate::exec::inputs::{pair, read_vars};
use crate::exec::region::{self, Region};
use crate::exec::run::{self, Made, Simulation, Start};
use crate::exec::saved_plan::SavedPlan;
use crate::exec::view;
use crate::plan::region_failover::Order;
use crate::report::impact::back;
use crate::report::plan::{Detail, outline, text};
use crate::runbook::ast::Kind;

/// A runbook by its name.
#[derive(Debug, Args)]
pub(super) struct ByName {
    /// The runbook's name (without one, it is chosen at a terminal)
    name: Option<String>,
    #[command(flatten)]
    options: Options,
}

/// A failover by its name, or all that a lost region hits.
#[derive(Debug, Args)]
pub(super) struct Failover {
    #[command(flatten)]
    by_name: ByName,
    /// Recover all that runs in a region: a runbook is made of the services in `drctl.yaml`, shown, and run
    #[arg(long, value_name = "REGION", conflicts_with_all = ["name", "plan", "scenario", "from_run"])]
    region: Option<String>,
    /// With `--region`: only show what would be run
    #[arg(long, requires = "region", conflicts_with = "name")]
    plan_only: bool,
    /// With `--region`: only write the runbook into a file, to be reviewed and kept
    #[arg(long, requires = "region", conflicts_with = "name", value_name = "FILE")]
    write: Option<PathBuf>,
    /// With `--region`: services wait for what they depend on, and not for those of higher priority
    #[arg(long, requires = "region", conflicts_with = "name")]
    at_once: bool,
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
    /// The drill of the calendar that the run is; see `drctl drills`
    #[arg(long, value_name = "NAME", conflicts_with_all = ["dry_run", "simulate"])]
    drill: Option<String>,
    /// Why a drill is held outside its maintenance window; it is journaled
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
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
        self.options.run(common, file, None)
    }
}

impl Failover {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let Some(region) = &self.region else { return self.by_name.run(common, Kind::Failover) };
        let given = &self.by_name.options;
        if !given.set.is_empty() || given.vars.is_some() {
            let option = if given.set.is_empty() { "--vars" } else { "--set" };
            let why = "what its runbooks are given stands in `inputs` of the services in `drctl.yaml`";
            let next = "to change that for once, keep the runbook with `--write FILE`, edit it, and run it";
            return Err(Error::usage(format!("`{option}` does not go with `--region`: {why}")).next(next));
        }
        let order = if self.at_once { Order::ByDependency } else { Order::ByPriority };
        let lost = region;
        let region = region::made(&common.workspace, lost, order, &run::registry().catalogue())?;
        for service in &region.failover.without_runbook {
            say(&format!("NO RUNBOOK RECOVERS `{service}`"));
        }
        if let Some(file) = &self.write {
            return written(common, file, &region);
        }
        let options = self.by_name.options;
        let shown = options.shown(common, &region)?;
        if self.plan_only {
            console_line(&shown)?;
            return Ok(Exit::Done);
        }
        say(&shown);
        if !options.dry_run && !options.simulate {
            let count = region.failover.services().count();
            let question = format!("recover {count} services that run in {lost}?");
            confirm(options.yes, &question, "nothing was started")?;
        }
        options.run(common, PathBuf::new(), Some(region.made))
    }
}

/// Keeps the runbook; one that is there is never overwritten.
fn written(common: &Common, file: &Path, region: &Region) -> Result<Exit, Error> {
    let problem = |error: std::io::Error| Error::usage(format!("`{}`: {error}", file.display()));
    let mut kept = std::fs::File::create_new(file).map_err(problem)?;
    kept.write_all(region.failover.text.as_bytes()).map_err(problem)?;
    let is_own = std::path::absolute(file)?.starts_with(common.workspace.join(RUNBOOKS));
    let next = if is_own { format!("failover {}", region.failover.name) } else { format!("run {}", file.display()) };
    let next = common.here().typed(&format!("drctl {next}"));
    say(&format!("written to `{}`\n  next: {next}", file.display()));
    Ok(Exit::Done)
}

/// The runbook chosen at the terminal, be it the only one: a failover is never started by leaving something out.
fn asked(common: &Common, kind: Kind) -> Result<Option<String>, Error> {
    let mut names = runbook_names(&common.workspace, kind).map_err(Error::usage)?;
    let chosen = choose(&format!("which {} runbook?", kind.name()), &names, &format!("drctl {}", kind.name()))?;
    Ok(chosen.map(|at| names.swap_remove(at)))
}

impl ByFile {
    /// The file, where it is named.
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

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
        self.options.run(common, file, None)
    }
}

impl Options {
    fn run(self, common: &Common, file: PathBuf, made: Option<Made>) -> Result<Exit, Error> {
        let vars = self.vars.as_deref().map(read_vars).transpose().map_err(Error::usage)?.unwrap_or_default();
        let plan = self.plan.as_deref().map(SavedPlan::read).transpose()?;
        let approve = self.approve.iter().map(|given| approval(given, plan.as_ref())).collect::<Result<_, _>>()?;
        let simulate = self.simulate.then(|| self.simulation(common, &file, made.as_ref())).transpose()?;
        let mut vars = vars;
        if let Some(simulation) = &simulate {
            let given = std::mem::replace(&mut vars, simulation.scenario.inputs.clone());
            vars.extend(given);
        }
        let planned_from = plan.as_ref().and_then(|plan| plan.from_run.as_deref());
        let from_run = earlier(common, self.from_run.as_deref().or(planned_from))?;
        let start = Start {
            file,
            made,
            drill: self.drill,
            reason: self.reason,
            watched: false,
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
        let mut shared = common.run(&self.showing);
        if start.simulate.is_some() {
            shared.store = common.simulated_store();
        }
        run::start(&shared, &start)
    }

    fn simulation(&self, common: &Common, file: &Path, made: Option<&Made>) -> Result<Simulation, Error> {
        let registry = run::registry();
        let shared = common.run(&self.showing);
        let loaded = match made {
            Some(made) => run::judged_made(&shared, made, &registry)?,
            None => run::judged(&shared, file, &registry)?,
        };
        let (scenario, _) = chosen(common, &loaded, self.scenario.as_deref(), &registry.catalogue())?;
        Ok(Simulation { scenario, speed: self.speed })
    }

    /// The plan of a runbook that was made, and when each service is back.
    fn shown(&self, common: &Common, region: &Region) -> Result<String, Error> {
        let registry = run::registry();
        let loaded = run::judged_made(&common.run(&self.showing), &region.made, &registry)?;
        let plan = view::plan_of(&loaded, &serde_json::Map::new(), &registry.catalogue())?;
        let told = outline(&plan);
        let back = back(&told, &region.failover.steps, &region.workspace);
        Ok(text(&told, Detail::Short, console::colors_enabled()) + &back)
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
