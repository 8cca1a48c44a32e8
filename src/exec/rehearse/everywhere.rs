//! `--crash-everywhere`: drctl is killed around every record of its journal, and taken up again.

use std::collections::BTreeMap;

use super::runs::word;
use super::{Attempt, Ended, Kill, Rehearsed, Subject, rehearse};
use crate::catalogue::Effect;
use crate::engine::{Event, NodePath, RunState, State, owed};
use crate::journal::Record;
use crate::plan::{Plan, is_main};
use crate::sim::stand_in::Stage;

/// What came of all crashes.
#[derive(Clone, Debug)]
pub struct Everywhere {
    /// How the run ends undisturbed.
    pub undisturbed: Ended,
    /// How many records the undisturbed rehearsal has.
    pub records: u64,
    /// How many crashes were rehearsed.
    pub crashes: u64,
    /// Steps that were in doubt after a crash, and after how many.
    pub doubts: BTreeMap<NodePath, u64>,
    /// What was lost or done twice: where drctl was killed, and what was wrong.
    pub wrong: Vec<(Kill, String)>,
    /// The faults that never struck undisturbed, in words.
    pub never_struck: Vec<String>,
}

/// Rehearses once undisturbed, then once for each place to die at.
#[must_use]
pub fn crash_everywhere(subject: &Subject, seed: u64) -> Everywhere {
    crash_around(subject, seed, |_| true)
}

/// Rehearses one of those crashes by itself: how it goes, and what of it may not be.
///
/// # Errors
/// The journal has no such record: how many it has.
pub fn crash_at(subject: &Subject, seed: u64, kill: &Kill) -> Result<(Rehearsed, Vec<String>), u64> {
    let attempt = Attempt { seed, kill: None, truthful: true, steady: true };
    let undisturbed = rehearse(subject, attempt);
    let rehearsed = rehearse(subject, Attempt { kill: Some(kill), ..attempt });
    if rehearsed.spared.contains(kill) {
        return Err(undisturbed.records.last().map_or(0, |record| record.seq.0));
    }
    let wrong = compare(&undisturbed, &rehearsed);
    Ok((rehearsed, wrong))
}

/// As [`crash_everywhere`], around those records only.
#[must_use]
pub fn crash_around(subject: &Subject, seed: u64, is_meant: impl Fn(&Record<Event>) -> bool) -> Everywhere {
    let attempt = Attempt { seed, kill: None, truthful: true, steady: true };
    let undisturbed = rehearse(subject, attempt);
    let last = undisturbed.records.last().map_or(0, |record| record.seq.0);
    let meant = undisturbed.records.iter().filter(|record| is_meant(record));
    let kills: Vec<Kill> = meant.flat_map(|record| [Kill::Before(record.seq), Kill::After(record.seq)]).collect();
    let all = super::in_parallel(&kills, |kill| {
        let rehearsed = rehearse(subject, Attempt { kill: Some(kill), ..attempt });
        (doubts(&rehearsed), compare(&undisturbed, &rehearsed))
    });
    let mut told = Everywhere {
        undisturbed: undisturbed.ended.clone(),
        records: last,
        crashes: kills.len() as u64,
        doubts: BTreeMap::new(),
        wrong: Vec::new(),
        never_struck: undisturbed.never_struck(),
    };
    for (kill, (doubts, wrong)) in kills.iter().zip(all) {
        doubts.into_iter().for_each(|step| *told.doubts.entry(step).or_default() += 1);
        told.wrong.extend(wrong.into_iter().map(|what| (kill.clone(), what)));
    }
    told
}

fn doubts(rehearsed: &Rehearsed) -> Vec<NodePath> {
    let mut steps: Vec<NodePath> = rehearsed
        .records
        .iter()
        .filter_map(|record| match &record.event {
            Event::InDoubt { step, .. } => Some(step.clone()),
            _ => None,
        })
        .collect();
    steps.extend(owed_in_doubt(rehearsed).into_iter().map(|(step, _)| step));
    steps.sort();
    steps.dedup();
    steps
}

/// The deliveries that a person has to look after: the step and the delivery's name.
fn owed_in_doubt(rehearsed: &Rehearsed) -> Vec<(NodePath, String)> {
    let plan = &rehearsed.stage.setting.plan;
    let mut state = State::new(plan);
    for record in &rehearsed.records {
        // The rehearsal has refused what does not fit.
        state.apply(plan, record.at, &record.event).ok();
    }
    let doubtful = owed(plan, &state).into_iter().filter(|owed| owed.in_doubt);
    doubtful.filter_map(|owed| Some((owed.step.clone(), owed.name()?))).collect()
}

/// What a crash changed that it may not change.
fn compare(undisturbed: &Rehearsed, rehearsed: &Rehearsed) -> Vec<String> {
    let mut wrong = Vec::new();
    let good = [Ended::In(RunState::Succeeded), Ended::In(RunState::CompletedWithExceptions)];
    let (was_good, is_good) = (good.contains(&undisturbed.ended), good.contains(&rehearsed.ended));
    let is_further = is_good && !was_good && has_fault_of_a_step(undisturbed);
    if rehearsed.ended != undisturbed.ended && !is_further {
        // A person's word for what was not seen is an exception, with or without the crash; nothing is lost by it.
        let doubted = !doubts(rehearsed).is_empty() || !doubts(undisturbed).is_empty();
        if !(was_good && is_good && doubted) {
            wrong.push(format!("the run is {}, undisturbed {}", word(&rehearsed.ended), word(&undisturbed.ended)));
        }
    }
    let (wanted, found) = (effects(&undisturbed.stage), effects(&rehearsed.stage));
    let plan = &undisturbed.stage.setting.plan;
    let owed = owed_in_doubt(rehearsed);
    let is_owed = |(step, _, name): &What| owed.iter().any(|(of, delivery)| *of.0 == **step && delivery == name);
    for (what, (times, _)) in &wanted {
        let is_missing = !found.contains_key(what) && is_fewer(what, &wanted, &found);
        if is_missing && !is_owed(what) && belongs_to_success(plan, &what.0) {
            wrong.push(format!("{} was lost: undisturbed it happens {times} times", words(what)));
        }
    }
    for (what, (times, repeatable)) in &found {
        let once = wanted.get(what).map_or(1, |(times, _)| *times);
        if *times > once && !repeatable {
            wrong.push(format!("{} happened {times} times, undisturbed {once}", words(what)));
        }
    }
    if !is_further {
        wrong.extend(world_differs(undisturbed, rehearsed));
    }
    wrong
}

/// Whether a step is struck: what stops a run undisturbed, strikes an attempt that a crash has others come after, and
/// the run gets further.
fn has_fault_of_a_step(rehearsed: &Rehearsed) -> bool {
    rehearsed.stage.setting.scenario.faults.iter().any(|fault| fault.value.step().is_some())
}

/// An effect: the step, whether it is undone, and what of it (a channel of a notice).
type What = (String, bool, String);

fn words((step, undo, detail): &What) -> String {
    let side = if *undo { "undoing " } else { "" };
    let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
    format!("{side}`{step}`{detail}")
}

/// How often each effect happened, and whether it may be repeated.
type Effects = BTreeMap<What, (u32, bool)>;

fn effects(stage: &Stage) -> Effects {
    let ledger = stage.ledger();
    let mut effects = Effects::new();
    for done in ledger.done.iter().filter(|done| done.effect != Effect::Reads) {
        let repeatable = done.repeatable || done.effect.is_repeatable();
        effects.entry((done.step.clone(), done.undo, String::new())).or_insert((0, repeatable)).0 += 1;
    }
    for sent in &ledger.sent {
        effects.entry((sent.step.clone(), false, sent.delivery())).or_insert((0, sent.repeatable)).0 += 1;
    }
    // What a step sends to one resource: a failover that is started twice is one too many.
    for (step, request) in stage.writes() {
        let repeatable = stage.is_repeatable(&step);
        effects.entry((step, false, request)).or_insert((0, repeatable)).0 += 1;
    }
    effects
}

/// Whether fewer steps than undisturbed had the effect: of steps that send the same request, the first to come makes the
/// others find it done.
fn is_fewer((step, undo, detail): &What, wanted: &Effects, found: &Effects) -> bool {
    let is_request = detail.contains("://");
    let same = |what: &&What| is_request && (what.1, &what.2) == (*undo, detail) && what.0 != *step;
    let others = |effects: &Effects| effects.keys().filter(same).count();
    others(found) <= others(wanted)
}

/// Repetitions depend on how long the run takes, failure steps on what a crash did.
fn belongs_to_success(plan: &Plan, path: &str) -> bool {
    plan.find(path).is_some_and(|index| is_main(plan.step(index)))
}

fn world_differs(undisturbed: &Rehearsed, rehearsed: &Rehearsed) -> Vec<String> {
    let (wanted, found) = (undisturbed.stage.settled(), rehearsed.stage.settled());
    let names: std::collections::BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    let differing = names.into_iter().filter(|name| wanted.get(*name) != found.get(*name));
    differing.map(|name| format!("the simulated resource `{name}` is not as it is undisturbed")).collect()
}
