//! What was promised and what was achieved: of the run, of the runbooks it called, of the services they recover.

use std::time::Duration;

use serde_json::{Map, Value};

use super::super::plan::Seconds;
use super::super::summary::clock_words;
use super::super::timeline::Clock;
use super::super::words;
use super::model::{ClockFacts, Objective};
use super::moments::Moments;
use crate::catalogue::Timestamp;
use crate::engine::{DataLoss, FrameId, Mode, NodeId};
use crate::plan::is_main;
use crate::runbook::ast::{Kind, Objectives, Phase};
use crate::runbook::workspace::Service;

/// The clock as of the last record.
pub(super) fn clock(moments: &Moments<'_>) -> Clock {
    moments.timeline.clock(moments.plan, moments.state.last_at)
}

/// The same for the model.
pub(super) fn clock_facts(moments: &Moments<'_>) -> ClockFacts {
    let clock = clock(moments);
    ClockFacts {
        objective: clock.objective.map(Seconds),
        elapsed: Seconds(clock.elapsed),
        restored: clock.restored && clock.recovers,
        machine: Seconds(clock.split.machine),
        people: Seconds(clock.split.people),
        unattended: Seconds(clock.split.unattended),
        words: clock_words(&clock),
    }
}

/// What one part of the run came to.
struct Achieved {
    /// The promise.
    target: Objectives,
    /// From the beginning of the clock until it was back.
    time: Option<Duration>,
    loss: DataLoss,
}

/// Every objective, the run's own first, then called runbooks and services.
pub(super) fn objectives(moments: &Moments<'_>) -> Vec<Objective> {
    let Moments { plan, state, .. } = moments;
    let mut found = Vec::new();
    let clock = clock(moments);
    for index in 0..state.frames.len() {
        let frame = FrameId(u32::try_from(index).unwrap_or(u32::MAX));
        let at = state.frame(frame);
        let runbook = &plan.parts[at.part].runbook;
        let of = if at.caller.is_none() { "runbook" } else { "called runbook" };
        let step = at.caller.map(|caller| moments.path(caller));
        let mut achieved = achieved(moments, frame, runbook.objectives);
        // The runbook of the run says so even where it promises nothing.
        if at.caller.is_none() || achieved.target != Objectives::default() {
            let mut both = both(of, &runbook.name.value, step.as_ref(), &achieved);
            both.retain(|objective| clock.recovers || objective.target.is_some());
            found.extend(both);
        }
        let recovers = |service: &Service| {
            let named = service.runbook.as_ref().is_some_and(|name| name.value == runbook.name.value);
            runbook.kind == Kind::Failover && named && agrees(service, &at.inputs)
        };
        for (name, service) in plan.workspace.services.iter().filter(|(_, service)| recovers(service)) {
            achieved.target = Objectives { rto: service.rto, rpo: service.rpo };
            achieved.loss.objective = service.rpo;
            found.extend(both("service", service.title.as_deref().unwrap_or(name), step.as_ref(), &achieved));
        }
    }
    found
}

/// Whether the runbook was given what the service gives it, as far as that does not depend on the region: services may
/// share a runbook.
fn agrees(service: &Service, given: &Map<String, Value>) -> bool {
    let fixed = service.inputs.iter().filter(|(_, value)| !value.to_string().contains("{{"));
    fixed.into_iter().all(|(name, value)| given.get(&name.value).is_none_or(|given| given == value))
}

fn achieved(moments: &Moments<'_>, frame: FrameId, target: Objectives) -> Achieved {
    let own = frame == FrameId::default();
    let clock = clock(moments);
    let time = if own { Some(clock.elapsed).filter(|_| clock.restored) } else { restored(moments, frame) };
    let mut loss = DataLoss::of(moments.plan, &moments.state, |node| own || within(moments, node, frame));
    loss.objective = target.rpo;
    Achieved { target, time, loss }
}

/// Whether the node stands in the frame, or in one that it calls.
fn within(moments: &Moments<'_>, node: NodeId, wanted: FrameId) -> bool {
    let mut frame = moments.state.node(node).frame;
    loop {
        if frame == wanted {
            return true;
        }
        match moments.state.frame(frame).caller {
            Some(caller) => frame = moments.state.node(caller).frame,
            None => return false,
        }
    }
}

/// From the beginning of the clock until the last step of execution of a called runbook ended well.
fn restored(moments: &Moments<'_>, frame: FrameId) -> Option<Duration> {
    let Moments { plan, state, .. } = moments;
    if state.rollback.is_some() || state.aborted.is_some() || state.mode() == Mode::DryRun {
        return None;
    }
    let caller = state.frame(frame).caller?;
    let executes = |node: &NodeId| {
        let step = plan.step(state.node(*node).step);
        step.phase == Phase::Execution && is_main(step)
    };
    let steps: Vec<NodeId> = state.frame(frame).nodes(plan).filter(executes).collect();
    let done: Option<Vec<Timestamp>> = match steps.as_slice() {
        [] => state.node(caller).ended.filter(|_| state.is_met(plan, caller)).map(|at| vec![at]),
        steps => steps.iter().map(|step| state.node(*step).ended.filter(|_| state.is_met(plan, *step))).collect(),
    };
    let begun = state.frame(frame).begun;
    let end = done?.into_iter().max().filter(|_| begun)?;
    Some(moments.timeline.since().unwrap_or(state.started_at).until(end))
}

/// The RTO and the RPO; neither where nothing was promised nor measured, but for the RTO of the run itself.
fn both(of: &'static str, name: &str, step: Option<&String>, achieved: &Achieved) -> Vec<Objective> {
    let objective = |kind, target: Option<Duration>, reached: Option<Duration>, words| Objective {
        of,
        name: name.to_owned(),
        step: step.cloned(),
        kind,
        target: target.map(Seconds),
        achieved: reached.map(Seconds),
        met: target.zip(reached).map(|(target, reached)| reached <= target),
        words,
    };
    let Achieved { target, time, loss } = achieved;
    let lost = loss.measured.as_ref().map(|(lost, _)| *lost);
    let rto = (of == "runbook" || target.rto.is_some())
        .then(|| objective("RTO", target.rto, *time, time_words(*time, target.rto)));
    let rpo = (lost.is_some() || target.rpo.is_some()).then(|| objective("RPO", target.rpo, lost, loss_words(loss)));
    rto.into_iter().chain(rpo).collect()
}

fn time_words(time: Option<Duration>, rto: Option<Duration>) -> String {
    let Some(time) = time else { return "not restored".to_owned() };
    let restored = format!("restored after {}", words::span(time));
    let Some(rto) = rto else { return restored };
    let how = if time <= rto { "to spare" } else { "over" };
    format!("{restored}, {} {how}", words::span(time.abs_diff(rto)))
}

fn loss_words(loss: &DataLoss) -> String {
    match &loss.measured {
        Some((lost, step)) if lost.is_zero() => format!("no data lost, measured by {step}"),
        Some((lost, step)) => format!("up to {} of data lost, measured by {step}", words::span(*lost)),
        None => "no step measured how much data is lost".to_owned(),
    }
}
