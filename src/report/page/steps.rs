//! The steps with their time, in the order in which a runbook tells them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::plan::Seconds;
use super::model::{Bar, Spent, StepRow};
use super::moments::Moments;
use crate::catalogue::Timestamp;
use crate::engine::{Event, FrameId, NodeId, StepState, step_title};
use crate::plan::critical_path::estimate;

/// Every step; below it its instances, and the steps of the runbook that it calls.
pub(super) fn rows(moments: &Moments<'_>) -> Vec<StepRow> {
    let bars = bars(moments);
    let critical: BTreeSet<NodeId> = moments.critical.iter().map(|part| NodeId(part.step.0)).collect();
    let mut rows = Vec::new();
    frame(moments, &bars, &critical, FrameId::default(), 0, &mut rows);
    rows
}

type Bars = BTreeMap<NodeId, Vec<Bar>>;

fn frame(
    moments: &Moments<'_>,
    bars: &Bars,
    critical: &BTreeSet<NodeId>,
    id: FrameId,
    depth: usize,
    rows: &mut Vec<StepRow>,
) {
    let state = &moments.state;
    // A step, then what stands below it: the last of the list is the next.
    for step in state.frame(id).nodes(moments.plan) {
        let instances = state.children.get(&step).map(Vec::as_slice).unwrap_or_default();
        for (node, deeper) in std::iter::once((step, 0)).chain(instances.iter().map(|instance| (*instance, 1))) {
            rows.push(row(moments, node, depth + deeper, bars.get(&node), critical.contains(&node)));
            if let Some(called) = state.called(node) {
                frame(moments, bars, critical, called, depth + deeper + 1, rows);
            }
        }
    }
}

fn row(moments: &Moments<'_>, id: NodeId, depth: usize, bars: Option<&Vec<Bar>>, critical: bool) -> StepRow {
    let Moments { plan, state, .. } = moments;
    let node = state.node(id);
    let step = plan.step(node.step);
    let bars = bars.cloned().unwrap_or_default();
    let spent = |wanted: &[Spent]| -> Option<Seconds> {
        let mut spans =
            bars.iter().filter(|bar| wanted.contains(&bar.spent)).map(|bar| bar.from.until(bar.to)).peekable();
        spans.peek()?;
        Some(Seconds(spans.sum()))
    };
    let shown = state.shown(plan, id);
    let estimated = estimate(step, &plan.catalogue).filter(|_| !state.stands_for_others(plan, id));
    StepRow {
        step: node.path.to_string(),
        title: step_title(plan, state, id),
        phase: step.phase.name(),
        depth,
        action: step.action.name.value.clone(),
        state: shown,
        state_words: shown.words(),
        started: node.started,
        ended: node.ended.filter(|_| node.started.is_some()),
        took: spent(&[Spent::Machine, Spent::Retry]),
        waited: spent(&[Spent::People]),
        estimate: estimated.map(|time| (Seconds(time.typical), Seconds(time.worst.unwrap_or(time.typical)))),
        attempts: node.attempt,
        critical,
        note: note(moments, id),
        bars,
    }
}

fn note(moments: &Moments<'_>, id: NodeId) -> Option<String> {
    let node = moments.state.node(id);
    let note = Some(&*node.note).filter(|note| !note.is_empty());
    node.overridden().or(node.failed()).or(node.reason()).or(note).map(str::to_owned)
}

/// The time of each step by what it was spent on.
fn bars(moments: &Moments<'_>) -> Bars {
    let Moments { plan, state, .. } = moments;
    let mut open: BTreeMap<NodeId, (Option<Spent>, Timestamp)> = BTreeMap::new();
    let mut bars = Bars::new();
    for (moment, id) in moments.of_steps() {
        let spent = spent(moment.after).filter(|_| !calls(moments, id));
        let (before, from) = open.insert(id, (spent, moment.at)).unwrap_or((None, moment.at));
        push(&mut bars, id, before, from, moment.at);
    }
    let end = moments.all.iter().rev().find(|moment| matches!(moment.event, Event::RunEnded { .. }));
    let end = end.map_or(state.last_at, |moment| moment.at);
    for (id, (before, from)) in open {
        push(&mut bars, id, before, from, end);
    }
    for (id, node) in state.iter().filter(|(id, _)| state.is_group(plan, *id) || calls(moments, *id)) {
        if let Some(from) = node.started {
            push(&mut bars, id, Some(Spent::Machine), from, node.ended.unwrap_or(end));
        }
    }
    bars
}

/// Whether its time is that of the steps it calls.
fn calls(moments: &Moments<'_>, id: NodeId) -> bool {
    moments.state.called(id).is_some_and(|frame| moments.state.frame(frame).begun)
}

fn push(bars: &mut Bars, id: NodeId, spent: Option<Spent>, from: Timestamp, to: Timestamp) {
    let Some(spent) = spent.filter(|_| to > from || from == to) else { return };
    let bars = bars.entry(id).or_default();
    match bars.last_mut() {
        Some(last) if last.spent == spent && last.to == from => last.to = to,
        _ => bars.push(Bar { spent, from, to }),
    }
}

/// What a step in that state spends its time on.
fn spent(state: StepState) -> Option<Spent> {
    match state {
        StepState::Running | StepState::Verifying | StepState::RollingBack => Some(Spent::Machine),
        StepState::RetryWait => Some(Spent::Retry),
        StepState::AwaitingApproval | StepState::AwaitingPerson | StepState::InDoubt => Some(Spent::People),
        _ => None,
    }
}

/// The time that steps worked, by their paths: what a later run is compared with.
pub(super) fn worked(rows: &[StepRow]) -> BTreeMap<String, Duration> {
    rows.iter().filter_map(|row| Some((row.step.clone(), row.took.as_ref()?.0))).collect()
}
