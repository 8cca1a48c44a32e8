//! Decisions: at the prompt, and from other terminals through the run's inbox.

use std::path::PathBuf;
use std::sync::Arc;

use super::driver::Inbox;
use super::view::Run;
use crate::catalogue::Timestamp;
use crate::edge::inbox;
use crate::edge::lock::RunLock;
use crate::engine::event::{Decided, Event, NodePath, Person};
use crate::engine::{Machine, NodeId, Options, State};
use crate::error::{Error, Exit};
use crate::plan::Plan;
use crate::report::{Kept, PromptAnswer};

/// The inbox of a run, as the driver reads it.
pub struct RunInbox {
    folder: PathBuf,
    /// Delivered to the driver, and not yet durable in the journal.
    taken: Vec<String>,
}

impl RunInbox {
    /// The inbox in `folder`.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, taken: Vec::new() }
    }
}

impl Inbox for RunInbox {
    fn collect(&mut self) -> Vec<Decided> {
        let Ok(found) = inbox::collect::<Decided>(&self.folder) else { return Vec::new() };
        let new = found.into_iter().filter_map(|(id, decided)| Some((id, decided.ok()?)));
        let new: Vec<Decided> =
            new.filter(|(id, _)| !self.taken.contains(id)).map(|(id, decided)| Decided { id, ..decided }).collect();
        self.taken.extend(new.iter().map(|decided| decided.id.clone()));
        new
    }

    fn acknowledge(&mut self, id: &str) {
        if let Some(at) = self.taken.iter().position(|taken| taken == id) {
            self.taken.swap_remove(at);
            inbox::acknowledge(&self.folder, id).ok();
        }
    }
}

/// What was answered at the prompt.
#[must_use]
pub fn from_prompt(answer: PromptAnswer, operator: &Person, at: Timestamp) -> Decided {
    Decided {
        id: format!("prompt-{}-{}", at.0, crate::edge::ids::random_u32().unwrap_or(0)),
        step: answer.step,
        decision: answer.decision,
        person: operator.clone(),
        from: "prompt".to_owned(),
        at,
        reason: answer.reason,
        others: 0,
    }
}

/// Finds the step a person named; where they named none, the only one that `waits`.
///
/// # Errors
/// No step is meant, or more than one could be.
pub fn meant(
    plan: &Plan,
    state: &State,
    given: Option<&str>,
    waits: impl Fn(&State, NodeId) -> bool,
) -> Result<NodePath, Error> {
    if let Some(given) = given {
        if let Some(node) = state.find(plan, given) {
            return Ok(state.node(node).path.clone());
        }
        let paths: Vec<String> = plan.paths().collect();
        let hint = crate::diag::closest(given, paths.iter().map(String::as_str))
            .map(|id| format!("; did you mean `{id}`?"))
            .unwrap_or_default();
        return Err(Error::usage(format!("the run has no step `{given}`{hint}")));
    }
    let waiting: Vec<&NodePath> =
        state.iter().filter(|(id, _)| waits(state, *id)).map(|(_, node)| &node.path).collect();
    match waiting.as_slice() {
        [path] => Ok((*path).clone()),
        [] => Err(Error::usage("no step of the run waits for this")),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(Error::usage(format!("several steps wait: name one of {}", names.join(", "))))
        }
    }
}

/// Judges a decision against what is durable or kept now, and puts it into the run's inbox; the decision with its id and
/// what it comes to by now.
///
/// # Errors
/// It cannot be taken, or cannot be written.
pub fn deliver(run: &Run, decided: &Decided) -> Result<Decided, Error> {
    let state = run.state(&run.plan)?;
    // Who drives the run judges by its own clock; where nobody does, the next resume goes by what is said here.
    let driven = RunLock::holder(&run.folder.lock())?.is_some();
    if !driven && run.started.simulated {
        return Err(run.world_is_gone());
    }
    let (now, state) = if driven { (state.last_at, state) } else { (decided.at, kept(run, &state)?.after) };
    let machine = looking_on(run, state);
    machine.judge(decided, now).map_err(|why| {
        Error::new(Exit::Failed, format!("cannot {}: {why}", decided.decision.name()))
            .next(format!("drctl status {}", run.id()))
    })?;
    let id = inbox::deliver(&run.folder.inbox(), decided.at, crate::edge::ids::random_u32()?, decided)?;
    Ok(machine.counted(Decided { id, ..decided.clone() }))
}

/// The decisions that are kept for who takes the run up next, and the state that they make of it.
///
/// # Errors
/// What the system said of the inbox.
pub fn kept(run: &Run, state: &State) -> Result<Kept, Error> {
    let mut kept = Kept::nothing(state);
    for (id, decided) in inbox::waiting::<Decided>(&run.folder.inbox())? {
        let decided = Decided { id, ..decided };
        let machine = looking_on(run, kept.after.clone());
        if kept.after.decisions.contains(&decided.id) || machine.judge(&decided, decided.at).is_err() {
            continue;
        }
        let decided = machine.counted(decided);
        let event = Event::Decided(Box::new(decided.clone()));
        if kept.after.apply(&run.plan, decided.at, &event).is_ok() {
            kept.decisions.push(decided);
        }
    }
    Ok(kept)
}

/// A machine that only judges.
fn looking_on(run: &Run, state: State) -> Machine {
    let options = Options {
        parallel: 1,
        jitter: Box::new(|| 0.0),
        #[cfg(feature = "mutants")]
        blind_retry: false,
    };
    Machine::new(Arc::clone(&run.plan), state, run.last(), options)
}

/// What became of a decision, where the journal says so.
#[must_use]
pub fn outcome(records: &[crate::journal::Record<Event>], wanted: &str) -> Option<Result<Decided, String>> {
    records.iter().rev().find_map(|record| match &record.event {
        Event::Decided(decided) if decided.id == wanted => Some(Ok((**decided).clone())),
        Event::DecisionRefused { id, reason } if id == wanted => Some(Err(reason.clone())),
        _ => None,
    })
}
