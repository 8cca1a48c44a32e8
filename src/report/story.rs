//! What a record means to people: one line, the lines below it, and nothing for what is noise.
//!
//! The texts are raw; whoever prints a line cleans it as a whole.

use super::calls::{missed, through};
use super::needs::{Need, abort_command, commands_for, done_word, need, others_wanted, retry_asks, side_word};
use super::view::View;
use super::words;
use crate::catalogue::Timestamp;
use crate::engine::event::{GateOpened, LevelCalled, PlanChanged};
use crate::engine::{
    Decided, Deliveries, End, Event, Mode, NodeId, NodePath, RunStarted, Side, StepState, ahead_refused,
    approved_at_start, asks, escalate_to, run_title, step_title,
};
use crate::runbook::ast::{OnTimeout, Phase};
use std::fmt::Write as _;

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// It is under way.
    Progress,
    /// It went well.
    Good,
    /// It is worth a look.
    Notice,
    /// It needs a person.
    Needed,
    /// It went wrong.
    Bad,
}

/// What is said of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Story {
    /// The step, and the phase it stands in.
    pub(super) step: Option<(Phase, NodePath)>,
    pub(super) tone: Tone,
    pub(super) text: String,
    pub(super) details: Vec<String>,
}

/// What is said of a record that `view` has taken in.
#[must_use]
pub(super) fn tell(view: &View, at: Timestamp, event: &Event) -> Option<Story> {
    let node = event.step().and_then(|path| view.state.find(&view.plan, &path.0));
    let step = node.map(|id| {
        let node = view.state.node(id);
        (view.plan.step(node.step).phase, node.path.clone())
    });
    let (tone, text) = match node {
        Some(id) => of_step(view, at, event, id)?,
        None => of_run(view, event)?,
    };
    let details = match node {
        Some(id) => step_details(view, at, event, id),
        None => run_details(view, event),
    };
    Some(Story { step, tone, text, details })
}

fn of_run(view: &View, event: &Event) -> Option<(Tone, String)> {
    Some(match event {
        Event::RunStarted(started) => (Tone::Notice, run_started(view, started)),
        Event::RunResumed { operator } => (Tone::Notice, format!("run taken up by {}", words::person(operator))),
        Event::PlanChanged(changed) => (Tone::Notice, plan_changed(changed)),
        Event::Decided(decided) => (Tone::Notice, format!("run {}", decision(view, decided))),
        Event::DecisionRefused { reason, .. } => (Tone::Bad, format!("decision refused: {reason}")),
        Event::RollbackStarted { reason, steps, .. } => {
            let steps: Vec<String> = steps.iter().map(|step| format!("`{step}`")).collect();
            let what = if steps.is_empty() {
                "nothing can be undone".to_owned()
            } else {
                format!("undoing {}: {}", words::count(steps.len(), "step"), words::names(&steps, 8))
            };
            (Tone::Notice, format!("{what} ({reason})"))
        }
        Event::Paused { reason, .. } => (Tone::Needed, format!("run paused: {reason}")),
        Event::Continued {} => (Tone::Notice, "run goes on".to_owned()),
        Event::Stopping { reason } => (Tone::Notice, format!("stopping: {reason}; nothing new starts")),
        Event::ExecutorLeft { state } => (Tone::Notice, format!("drctl leaves the run, which is {}", state.words())),
        Event::RunEnded { state, .. } => (run_tone(*state), format!("run {}", state.words())),
        _ => return None,
    })
}

fn run_tone(state: crate::engine::RunState) -> Tone {
    use crate::engine::RunState::{CompletedWithExceptions, Succeeded};
    match state {
        Succeeded => Tone::Good,
        CompletedWithExceptions => Tone::Notice,
        _ => Tone::Bad,
    }
}

fn run_started(view: &View, started: &RunStarted) -> String {
    let dry = match started {
        RunStarted { mode: Mode::DryRun, .. } => " as a dry run",
        RunStarted { simulated: true, .. } => " on a simulated world",
        _ => "",
    };
    let kind = started.kind.name();
    let who = words::person(&started.operator);
    let mut text = format!("run {} started{dry}: {kind} `{}` by {who}", started.run, started.runbook);
    if let Some(title) = run_title(&view.plan, &view.state) {
        write!(text, ": {title}").ok();
    }
    if let Some(rto) = view.plan.runbook.objectives.rto {
        write!(text, ", RTO {}", words::span(rto)).ok();
    }
    if let Some(drill) = &started.drill {
        write!(text, ", as drill `{drill}`").ok();
    }
    if let Some(reason) = &started.outside_window {
        write!(text, ", outside its window: {reason}").ok();
    }
    if let Some(from) = &started.from_run {
        let names: Vec<String> = from.inputs.iter().map(|name| format!("`{name}`")).collect();
        let what = if names.is_empty() { "no input".to_owned() } else { words::names(&names, 8) };
        write!(text, ", with {what} from run {}", from.run).ok();
    }
    if let Some(since) = started.since {
        write!(text, ", counted from {} UTC", words::date_and_time(since)).ok();
    }
    text
}

fn plan_changed(changed: &PlanChanged) -> String {
    let steps = words::names(&changed.changed, 8);
    format!("plan replaced by {}; changed: {steps}", words::person(&changed.operator))
}

fn decision(view: &View, decided: &Decided) -> String {
    let reason = decided.reason.as_ref().filter(|reason| !reason.trim().is_empty());
    let why = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let before = view.said_before(decided);
    format!("{} by {}{before}{why}{}", done_word(decided), words::person(&decided.person), others_wanted(decided))
}

fn of_step(view: &View, at: Timestamp, event: &Event, id: NodeId) -> Option<(Tone, String)> {
    Some(match event {
        Event::Expanded { instances, .. } => (Tone::Progress, words::count(instances.len(), "instance")),
        Event::Called { .. } => (Tone::Progress, format!("runs {}", called(view, id))),
        Event::Returned { .. } => (Tone::Good, format!("done{}", took(view, id))),
        Event::NotApplicable { reason, .. } => (Tone::Notice, format!("not applicable: {reason}")),
        Event::GateOpened(opened) => {
            let first = opened.prompt.lines().next().unwrap_or_default();
            (Tone::Needed, format!("waits for approval: {first}"))
        }
        Event::GateEscalated { level, .. } if *level > 0 => {
            let text = "nobody approved it in time, and its policy has no further level: the gate stays open";
            (Tone::Needed, text.to_owned())
        }
        Event::LevelCalled(called) => {
            let of = view.state.node(id).gate().map_or(0, |gate| gate.opened.levels.len());
            let LevelCalled { calls, level, .. } = &**called;
            (Tone::Needed, format!("level {level} of {of} calls {calls} {}", through(called)))
        }
        Event::CallEnded { call, end, .. } => call_ended(view, id, *call, end)?,
        Event::GateEscalated { to, .. } if to.is_empty() => {
            (Tone::Needed, "nobody approved it in time, and there is nobody else to ask".to_owned())
        }
        Event::GateEscalated { to, .. } => {
            let text = format!("nobody approved it in time; asked too: {}", words::names(to, 8));
            (Tone::Needed, text)
        }
        Event::GateVoided { reason, .. } => (Tone::Notice, format!("approval void: {reason}")),
        Event::PersonAsked { instructions, .. } => {
            let first = instructions.lines().next().unwrap_or_default();
            (Tone::Needed, format!("waits for a person: {first}"))
        }
        Event::Decided(decided) => (Tone::Notice, decision(view, decided)),
        Event::Intent(intent) => {
            let doing = if intent.side == Side::Rollback { "undoing" } else { "running" };
            let title = step_title(&view.plan, &view.state, id).map(|title| format!(": {title}")).unwrap_or_default();
            (Tone::Progress, format!("{doing}: {} (attempt {}){title}", intent.action, intent.attempt))
        }
        Event::Redelivered { handle, person, reason, .. } => {
            let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let given_up = Deliveries::read(handle).is_some_and(|known| known.given_up);
            let what = if given_up { "given up" } else { "sent" };
            (Tone::Notice, format!("owed deliveries {what} by {}{why}", words::person(person)))
        }
        Event::Outcome { side, end, .. } => of_end(view, at, *side, end, id)?,
        Event::Verified { holds, reason, .. } => {
            let node = view.state.node(id);
            match (holds, node.state) {
                (true, _) if reason.is_empty() => (Tone::Good, format!("done{}, verified", took(view, id))),
                (true, _) => (Tone::Good, format!("done{}, verified: {reason}", took(view, id))),
                (false, StepState::Failed) => (Tone::Bad, format!("verify does not hold: {reason}")),
                _ => return None,
            }
        }
        Event::StepFailed { reason, .. } => {
            let (tone, how) = failed(view, id);
            (tone, format!("{how}: {reason}"))
        }
        Event::InDoubt { side, evidence, .. } => (Tone::Bad, format!("IN DOUBT: {}{evidence}", side_word(*side))),
        _ => return None,
    })
}

fn call_ended(view: &View, id: NodeId, number: u32, end: &End) -> Option<(Tone, String)> {
    let call = view.state.node(id).calls().find(|call| call.called.call == number)?;
    let calls = &call.called.calls;
    Some(match end {
        End::Succeeded { note, .. } => (Tone::Good, format!("{calls} was called: {note}")),
        End::Failed { reason, .. } => (Tone::Bad, format!("{calls} was not reached, the call is owed: {reason}")),
        End::Ambiguous { evidence } => (Tone::Bad, format!("nothing tells whether {calls} was reached: {evidence}")),
        End::Cancelled => return None,
    })
}

fn of_end(view: &View, at: Timestamp, side: Side, end: &End, id: NodeId) -> Option<(Tone, String)> {
    let undoing = side_word(side);
    Some(match end {
        End::Succeeded { already, note, label, .. } => {
            let note = if note.is_empty() { String::new() } else { format!(": {note}") };
            let text = match (side, label, already) {
                (Side::Rollback, ..) => format!("undone{note}"),
                (_, Some(label), _) => format!("{}{note}", label.name()),
                (_, _, true) => format!("was done already{note}"),
                _ if view.state.node(id).state == StepState::Verifying => {
                    return Some((Tone::Progress, format!("applied, to be verified{note}")));
                }
                _ => format!("done{}{note}", took(view, id)),
            };
            (Tone::Good, text)
        }
        End::Failed { reason, retry_at: Some(again) } => {
            let wait = words::span(at.until(*again));
            (Tone::Notice, format!("{undoing}failed: {reason}; tried again in {wait}"))
        }
        End::Failed { reason, .. } => {
            let (tone, how) = failed(view, id);
            (tone, format!("{undoing}{how}: {reason}"))
        }
        End::Ambiguous { evidence } => (Tone::Notice, format!("{undoing}has no clear end: {evidence}")),
        End::Cancelled => (Tone::Notice, format!("{undoing}cancelled before it had any effect")),
    })
}

/// Whether the failure of the step is in the way of anything.
fn failed(view: &View, id: NodeId) -> (Tone, &'static str) {
    let counts = !view.state.is_met(&view.plan, id) || view.state.mode() == Mode::DryRun;
    if counts { (Tone::Bad, "FAILED") } else { (Tone::Notice, "failed and continued") }
}

/// The runbook that the step calls: failover `postgres`.
fn called(view: &View, id: NodeId) -> String {
    let part = view.plan.called(view.state.node(id).step);
    let runbook = part.map(|part| &view.plan.parts[part].runbook);
    runbook.map_or_else(String::new, |runbook| format!("{} `{}`", runbook.kind.name(), runbook.name.value))
}

/// ` in 4m`, from the first attempt to the end.
fn took(view: &View, id: NodeId) -> String {
    let node = view.state.node(id);
    match (node.started, node.ended) {
        (Some(started), Some(ended)) => format!(" in {}", words::span(started.until(ended))),
        _ => String::new(),
    }
}

fn run_details(view: &View, event: &Event) -> Vec<String> {
    match event {
        Event::RollbackStarted { kept, .. } => {
            kept.iter().map(|(step, why)| format!("stays: `{step}`: {why}")).collect()
        }
        Event::Paused { .. } if view.state.aborted.is_none() => vec![view.from_here.typed(&abort_command(&view.run))],
        _ => Vec::new(),
    }
}

fn step_details(view: &View, at: Timestamp, event: &Event, id: NodeId) -> Vec<String> {
    let mut details = match event {
        Event::GateOpened(opened) => gate_details(view, at, opened, id),
        Event::GateEscalated { .. } => gate(view, id).collect(),
        Event::LevelCalled(called) => {
            let missed = view.state.node(id).gate().and_then(|gate| missed(gate, called));
            missed.into_iter().chain(gate(view, id)).collect()
        }
        Event::PersonAsked { instructions, answers, .. } => {
            let more = instructions.lines().skip(1).map(str::to_owned);
            let wanted = answers.iter().map(|(name, kind)| format!("wanted: {name} ({kind})"));
            more.chain(wanted).collect()
        }
        Event::Decided(decided) if decided.others > 0 => retry_asks(&view.plan, &view.state, id).into_iter().collect(),
        _ => Vec::new(),
    };
    let is_part = matches!(event, Event::Decided(decided) if decided.others > 0);
    let opens = is_part
        || matches!(
            event,
            Event::GateOpened(_)
                | Event::GateEscalated { .. }
                | Event::LevelCalled(_)
                | Event::PersonAsked { .. }
                | Event::Outcome { .. }
                | Event::StepFailed { .. }
                | Event::Verified { .. }
                | Event::InDoubt { .. }
        );
    // A simulated world goes with the process that drives the run: nobody could answer.
    let is_going = !view.stays && view.state.started.as_ref().is_some_and(|started| started.simulated);
    let needed = |need: &Need| opens && !is_going && !(*need == Need::Approval && is_about_to_be_approved(view, id));
    if let Some(need) = need(&view.plan, &view.state, id).filter(needed) {
        details.extend(view.from_here.all(commands_for(&view.state, &view.run, need, id)));
    }
    details
}

/// Whether the next record approves the step's gate: the start of the run did so.
fn is_about_to_be_approved(view: &View, id: NodeId) -> bool {
    let gate = view.state.node(id).gate();
    gate.is_some_and(|gate| gate.opened.quorum == 1 && approved_at_start(&view.plan, &view.state, gate).is_some())
}

fn gate(view: &View, id: NodeId) -> impl Iterator<Item = String> {
    let gate = view.state.node(id).gate();
    let who = gate.map(|gate| asks(&view.plan, &view.state, gate));
    who.map(|who| format!("asks {who}")).into_iter()
}

/// What a gate shows: the rest of its question, what would be done, who may approve it, until when.
pub(super) fn gate_details(view: &View, at: Timestamp, opened: &GateOpened, id: NodeId) -> Vec<String> {
    let mut details: Vec<String> = opened.prompt.lines().skip(1).map(str::to_owned).collect();
    details.extend(opened.shown());
    details.push(format!("digest: {}", short_digest(&opened.digest)));
    details.extend(gate(view, id));
    let opened_gate = view.state.node(id).gate();
    let refused = opened_gate.and_then(|gate| ahead_refused(&view.plan, &view.state, gate));
    details.extend(refused.map(|why| format!("`--approve` does not count: {why}")));
    let mut before = None;
    let levels = opened.levels.iter().map(|level| {
        let from = before.replace(level.until);
        let from = from.map_or("now".to_owned(), |from| format!("at {} UTC", words::time_of_day(from)));
        format!("{} {from}", level.calls)
    });
    let levels: Vec<String> = levels.collect();
    details.extend((!levels.is_empty()).then(|| format!("calls {}", levels.join(", "))));
    if let Some(deadline) = opened.deadline {
        let approval = view.plan.step(view.state.node(id).step).approval.as_deref();
        let then = match approval {
            Some(approval) if approval.on_timeout == OnTimeout::Reject => "then the step fails",
            Some(approval) if !escalate_to(&view.plan, approval).is_empty() => "then more people are asked",
            _ => "then it is overdue, and nobody else is asked",
        };
        let time = words::time_of_day(deadline);
        let left = words::span(at.until(deadline));
        details.push(format!("deadline: {time} UTC, in {left}; {then}"));
    }
    details
}

/// As much of a digest as people compare.
#[must_use]
pub(super) fn short_digest(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
