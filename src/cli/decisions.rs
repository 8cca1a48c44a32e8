//! `drctl approve`, `reject`, `retry`, `skip`, `resolve`, `abort`: decisions from another terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value};

use super::common::{Common, confirm, console_line, say};
use crate::catalogue::Timestamp;
use crate::edge::clock::{Clock as _, SystemClock};
use crate::edge::lock::RunLock;
use crate::engine::event::{Decided, Decision, NodePath, Resolution};
use crate::engine::{NodeId, State, StepState, undo_plan};
use crate::error::{Error, Exit};
use crate::exec::decide::{deliver, meant, outcome};
use crate::exec::inputs::{pair, typed};
use crate::exec::view::Run;
use crate::journal;
use crate::plan::digest;
use crate::report::{others_wanted, skip_preview};

/// How long a command waits for the process that drives the run to take its decision.
const PATIENCE: Duration = Duration::from_secs(5);

/// The run and the step a decision is about.
#[derive(Debug, Args)]
struct Target {
    /// The run, and the step; with one word: the step of the only open run
    #[arg(value_name = "[RUN] STEP", num_args = 0..=2)]
    words: Vec<String>,
}

impl Target {
    fn split(&self) -> (Option<&str>, Option<&str>) {
        match self.words.as_slice() {
            [run, step, ..] => (Some(run), Some(step)),
            [word] => (None, Some(word)),
            [] => (None, None),
        }
    }

    /// The run read back, and the step; a single word may name either.
    fn open<'t>(&'t self, common: &Common) -> Result<(Run, Option<&'t str>), Error> {
        match self.split() {
            (None, Some(word)) if common.store.find(Some(word)).is_ok() => {
                let run = common.open(Some(word))?;
                // A step may be called as the run begins.
                let is_step = !run.id().eq(word) && run.state(&run.plan)?.find(&run.plan, word).is_some();
                Ok((run, is_step.then_some(word)))
            }
            (run, step) => Ok((common.open(run)?, step)),
        }
    }
}

/// Approves.
#[derive(Debug, Args)]
pub(super) struct Approve {
    #[command(flatten)]
    target: Target,
    /// Why
    #[arg(long)]
    reason: Option<String>,
    /// The digest of what you saw; without it, what the gate asks now is shown and approved
    #[arg(long)]
    digest: Option<String>,
    /// An answer of a manual step; may be given many times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    output: Vec<(String, String)>,
}

/// Refuses.
#[derive(Debug, Args)]
pub(super) struct Reject {
    #[command(flatten)]
    target: Target,
    /// Why
    #[arg(long)]
    reason: String,
}

/// Tries again.
#[derive(Debug, Args)]
pub(super) struct Retry {
    #[command(flatten)]
    target: Target,
    /// Why
    #[arg(long)]
    reason: Option<String>,
}

/// Leaves out.
#[derive(Debug, Args)]
pub(super) struct Skip {
    #[command(flatten)]
    target: Target,
    /// Why
    #[arg(long)]
    reason: String,
    /// What stands in for an output of the step; may be given many times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    output: Vec<(String, String)>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Says what happened.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(super) struct Resolve {
    #[command(flatten)]
    target: Target,
    /// It happened: the step is done
    #[arg(long, group = "what")]
    happened: bool,
    /// It did not happen: it is run again
    #[arg(long, group = "what")]
    did_not_happen: bool,
    /// Nobody knows; run it again all the same
    #[arg(long, group = "what")]
    retry: bool,
    /// How you know
    #[arg(long)]
    reason: String,
    /// An output of the step; may be given many times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    output: Vec<(String, String)>,
}

/// Gives up.
#[derive(Debug, Args)]
pub(super) struct Abort {
    /// The run (default: the only open one)
    run: Option<String>,
    /// Why
    #[arg(long, required_unless_present = "plan")]
    reason: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only show what would be undone and what cannot be
    #[arg(long)]
    plan: bool,
}

impl Approve {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let (run, step) = self.target.open(common)?;
        let state = run.state(&run.plan)?;
        let waits = |state: &State, id: NodeId| {
            matches!(state.node(id).state, StepState::AwaitingApproval | StepState::AwaitingPerson)
        };
        let path = meant(&run.plan, &state, step, waits)?;
        let node = state.find(&run.plan, &path.0).map(|id| state.node(id));
        let gate = node
            .and_then(|node| node.gate())
            .filter(|_| node.is_some_and(|node| node.state == StepState::AwaitingApproval));
        let decision = match gate {
            Some(gate) => {
                let digest = &gate.opened.digest;
                if self.digest.as_ref().is_some_and(|seen| seen.len() < 12 || !digest.starts_with(seen.as_str())) {
                    let message = format!(
                        "the gate of `{path}` asks for something else now: its digest is {}",
                        digest::short(digest)
                    );
                    return Err(Error::new(Exit::Failed, message).next(format!("drctl status {}", run.id())));
                }
                let shown: Vec<String> = gate.opened.shown().collect();
                say(&format!("{}\n  {}", gate.opened.prompt, shown.join("\n  ")));
                Decision::Approve { digest: digest.clone() }
            }
            None => Decision::Answer { outputs: outputs(&run, &path, &self.output) },
        };
        send(common, &run, Some(path), decision, self.reason)
    }
}

impl Reject {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let (run, step) = self.target.open(common)?;
        let state = run.state(&run.plan)?;
        let waits = |state: &State, id: NodeId| {
            matches!(state.node(id).state, StepState::AwaitingApproval | StepState::AwaitingPerson)
        };
        let path = meant(&run.plan, &state, step, waits)?;
        send(common, &run, Some(path), Decision::Reject, Some(self.reason))
    }
}

impl Retry {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let (run, step) = self.target.open(common)?;
        let state = run.state(&run.plan)?;
        let failed =
            |state: &State, id: NodeId| matches!(state.node(id).state, StepState::Failed | StepState::RollbackFailed);
        let path = meant(&run.plan, &state, step, failed)?;
        send(common, &run, Some(path), Decision::Retry, self.reason)
    }
}

impl Skip {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let (run, step) = self.target.open(common)?;
        let state = run.state(&run.plan)?;
        let failed =
            |state: &State, id: NodeId| matches!(state.node(id).state, StepState::Failed | StepState::RollbackFailed);
        let path = meant(&run.plan, &state, step, failed)?;
        if let Some(node) = state.find(&run.plan, &path.0) {
            say(&skip_preview(&run.plan, &state, node));
        }
        confirm(self.yes, &format!("skip `{path}`?"), "nothing was changed")?;
        let outputs = outputs(&run, &path, &self.output);
        send(common, &run, Some(path), Decision::Skip { outputs }, Some(self.reason))
    }
}

impl Resolve {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let (run, step) = self.target.open(common)?;
        let state = run.state(&run.plan)?;
        let path = meant(&run.plan, &state, step, |state, id| state.node(id).state == StepState::InDoubt)?;
        let resolution = match (self.happened, self.did_not_happen) {
            (true, _) => Resolution::Happened,
            (_, true) => Resolution::DidNotHappen,
            _ => Resolution::Retry,
        };
        let outputs = outputs(&run, &path, &self.output);
        send(common, &run, Some(path), Decision::Resolve { resolution, outputs }, Some(self.reason))
    }
}

impl Abort {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let run = common.open(self.run.as_deref())?;
        let state = run.state(&run.plan)?;
        let undo = undo_plan(&run.plan, &state);
        let paths: Vec<String> = undo.steps.iter().map(|id| state.node(*id).path.to_string()).collect();
        let mut text = match paths.as_slice() {
            [] => "nothing will be undone".to_owned(),
            paths => format!("will be undone, in this order: {}", paths.join(", ")),
        };
        for (path, why) in &undo.kept {
            write!(text, "\ncannot be undone: `{path}`: {why}").ok();
        }
        console_line(&text)?;
        if self.plan {
            return Ok(Exit::Done);
        }
        confirm(self.yes, &format!("give run `{}` up?", run.id()), "nothing was changed")?;
        send(common, &run, None, Decision::Abort, self.reason)
    }
}

fn outputs(run: &Run, path: &NodePath, given: &[(String, String)]) -> Map<String, Value> {
    let kinds = run.plan.find(&path.0).map(|index| run.plan.outputs(index)).unwrap_or_default();
    typed(given, &kinds.into_iter().collect::<BTreeMap<_, _>>())
}

/// Puts the decision into the run's inbox, and says what became of it.
fn send(
    common: &Common,
    run: &Run,
    step: Option<NodePath>,
    decision: Decision,
    reason: Option<String>,
) -> Result<Exit, Error> {
    let clock = SystemClock::start(Timestamp(0));
    let what = decision.name();
    let about = step.as_ref().map_or_else(|| format!("run `{}`", run.id()), |path| format!("`{path}`"));
    let decided = Decided {
        id: String::new(),
        step,
        decision,
        person: common.person.clone(),
        from: "inbox".to_owned(),
        at: clock.now(),
        reason,
        others: 0,
    };
    let kept = deliver(run, &decided)?;
    let claimed = if common.person.claimed { ", a name given with `--as` and not authenticated" } else { "" };
    let who = format!("{}{claimed}", common.person.name);
    if RunLock::holder(&run.folder.lock())?.is_none() {
        let resume = common.here().typed(&format!("drctl resume {}", run.id()));
        let others = others_wanted(&kept);
        console_line(&format!("kept: {what} {about} by {who}{others}. Nobody drives the run: `{resume}` takes it"))?;
        return Ok(Exit::Done);
    }
    let until = clock.now().plus(PATIENCE);
    while clock.now() < until {
        let read =
            journal::read(&run.folder.journal()).map_err(|error| Error::new(Exit::Journal, error.to_string()))?;
        match outcome(&read.records, &kept.id) {
            Some(Ok(taken)) => {
                console_line(&format!("taken: {what} {about} by {who}{}", others_wanted(&taken)))?;
                return Ok(Exit::Done);
            }
            Some(Err(why)) => return Err(Error::new(Exit::Failed, format!("refused: {why}"))),
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    console_line(&format!("kept: {what} {about} by {who}. The process that drives the run has not taken it yet"))?;
    Ok(Exit::Done)
}
