//! `drctl report`: what a run came to, for managers, engineers and auditors.
//!
//! [`report`] makes one model, [`RunReport`], of a journal; [`html`], [`markdown`] and [`json`] draw it. Pure: the same
//! journal gives the same report, byte for byte. What steps, people and servers wrote is data: it is cleaned on its way
//! into the model, and escaped on its way out of it.

mod advice;
mod approvals;
mod compare;
mod draw;
mod issues;
mod model;
mod moments;
mod notices;
mod objectives;
mod picture;
mod steps;
mod summary;
#[cfg(test)]
mod tests;
mod validations;

use serde_json::{Map, Value};

use super::history::Rehearsal;
use super::needs::commands;
use super::sanitise::sanitise;
use super::summary::exceptions;
use crate::engine::{Event, run_title};
use crate::journal::Record;
use crate::plan::Plan;
use crate::runbook::ast::Kind;

pub use compare::{Earlier, earlier};
pub use draw::{html, json, markdown};
pub use model::{
    Approval, Bar, ChannelState, ClockFacts, Comparison, Decision, Delivery, Doubt, EarlierRow, Entry, Issue, Notice,
    Objective, Pinned, Recommendation, RunFacts, RunReport, Spent, StepChange, StepRow, Stretch, Validation, Vote, Who,
};
use moments::Moments;

/// The version of the model, as its JSON says it.
const FORMAT: u32 = 1;

/// What a report is made from.
pub struct Source<'r> {
    /// The pinned plan.
    pub plan: &'r Plan,
    /// What happened.
    pub records: &'r [Record<Event>],
    /// The last record and its hash, as [`chain_head`](crate::journal::chain_head) writes them.
    pub head: String,
    /// Runs of the same runbook before this one, the latest first.
    pub earlier: Vec<Earlier>,
    /// Rehearsals, of any runbook and time.
    pub rehearsals: Vec<Rehearsal>,
}

/// The report of a run, as of its last record.
#[must_use]
pub fn report(source: &Source<'_>) -> RunReport {
    let moments = Moments::of(source.plan, source.records);
    let state = &moments.state;
    let steps = steps::rows(&moments);
    let comparison = compare::comparison(&moments, &steps, source);
    let exceptions = exceptions(source.plan, state);
    let mut report = RunReport {
        drctl: FORMAT,
        chain_head: source.head.clone(),
        records: source.records.len(),
        run: run_facts(&moments),
        summary: Vec::new(),
        clock: objectives::clock_facts(&moments),
        objectives: objectives::objectives(&moments),
        stretches: moments.stretches.clone(),
        steps,
        approvals: approvals::approvals(&moments),
        decisions: approvals::decisions(&moments),
        exceptions: exceptions.into_iter().map(|(step, what)| Entry { step: step.to_string(), what }).collect(),
        doubts: approvals::doubts(&moments),
        notices: notices::notices(&moments),
        validations: validations::validations(&moments),
        issues: issues::issues(&moments),
        comparison,
        recommendations: Vec::new(),
        outputs: state.outputs.clone(),
        pinned: pinned(&moments),
        next: commands(source.plan, state, &moments.run, false),
    };
    report.recommendations = advice::recommendations(&report, &moments);
    report.summary = summary::summary(&report);
    report
}

fn run_facts(moments: &Moments<'_>) -> RunFacts {
    let Moments { plan, state, .. } = moments;
    let run_state = state.run_state(plan);
    let runbook = &plan.runbook;
    let started = state.started.as_deref();
    RunFacts {
        id: moments.run.clone(),
        runbook: runbook.name.value.clone(),
        kind: runbook.kind.name(),
        title: run_title(plan, state),
        owner: runbook.owner.as_ref().map(|owner| owner.value.clone()),
        drctl: started.map(|started| started.drctl.clone()).unwrap_or_default(),
        operator: started.map(|started| Who::of(&started.operator)),
        state: run_state,
        state_words: run_state.words(),
        ended: state.ended.is_some(),
        world: moments.world(),
        drill: runbook.kind == Kind::Drill,
        since: moments.timeline.since().unwrap_or(state.started_at),
        started_at: state.started_at,
        last_record_at: state.last_at,
        inputs: started.map(|started| started.inputs.clone()).unwrap_or_default(),
    }
}

/// The files the run stands on now: those of its start, or of the last change of its plan.
fn pinned(moments: &Moments<'_>) -> Vec<Pinned> {
    let files = moments.all.iter().rev().find_map(|moment| match moment.event {
        Event::PlanChanged(changed) => Some(&changed.pinned),
        Event::RunStarted(started) => Some(&started.pinned),
        _ => None,
    });
    let pinned = |(name, digest): &(String, String)| Pinned { name: name.clone(), digest: digest.clone() };
    files.into_iter().flatten().map(pinned).collect()
}

/// The text within a value without anything that hides or reorders it; the keys of mappings too.
fn cleaned(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(sanitise(&text)),
        Value::Array(items) => items.into_iter().map(cleaned).collect(),
        Value::Object(entries) => {
            let clean = entries.into_iter().map(|(key, value)| (sanitise(&key), cleaned(value)));
            Value::Object(clean.collect::<Map<_, _>>())
        }
        other => other,
    }
}
