//! Reads when runbooks were rehearsed and run, and notes a rehearsal.

use super::find::Head;
use super::surroundings::{is_runbook, read};
use crate::edge::store::{RunFolder, Store};
use crate::engine::event::{Event, Mode, RunStarted};
use crate::journal::{self, Record};
use crate::report::history::{History, PastRun, Rehearsal};
use crate::runbook::ast::Kind;

/// What the state folder tells. What cannot be read there is passed over: `drctl runs` and `drctl doctor` tell of it.
#[must_use]
pub fn history(store: &Store) -> History {
    let runs = store.runs().unwrap_or_default();
    let runs = runs.iter().filter_map(|id| past_run(&store.open(id).ok()?)).collect();
    History { rehearsals: rehearsals(store), runs }
}

/// The rehearsals that are noted there, the oldest first.
#[must_use]
pub fn rehearsals(store: &Store) -> Vec<Rehearsal> {
    let lines = store.rehearsals().unwrap_or_default();
    lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// A run by its journal alone: what it was started with is not judged again.
fn past_run(folder: &RunFolder) -> Option<PastRun> {
    let records: Vec<Record<Event>> = journal::read(&folder.journal()).ok()?.records;
    let first = records.first()?;
    let Event::RunStarted(started) = &first.event else { return None };
    // An announcement is a run of a runbook that was made for it: none of the workspace has its name.
    if started.simulated || started.mode != Mode::Real || started.announces.is_some() {
        return None;
    }
    let ended = records.iter().rev().find_map(|record| match &record.event {
        Event::RunEnded { state, .. } => Some(*state),
        _ => None,
    });
    Some(PastRun {
        run: started.run.clone(),
        runbook: started.runbook.clone(),
        kind: started.kind,
        called: called(folder, started),
        drill: started.drill.clone(),
        started: first.at,
        ended,
    })
}

/// The runbooks that it was started with besides its own.
fn called(folder: &RunFolder, started: &RunStarted) -> Vec<(String, Kind)> {
    let others = started.pinned.iter().skip(1).map(|(name, _)| name);
    let runbooks = others.filter(|name| is_runbook(name));
    let heads = runbooks.filter_map(|name| Head::of(name.clone(), read(&folder.pinned().join(name)).ok()?));
    heads.map(|head| (head.name, head.kind)).collect()
}

/// Keeps what rehearsals came to. Where nothing can be written, as in a workspace that is only read, nothing is kept: a
/// rehearsal is worth having all the same.
pub fn note(store: &Store, rehearsals: &[Rehearsal]) {
    let lines: Vec<String> = rehearsals.iter().filter_map(|one| serde_json::to_string(one).ok()).collect();
    if !lines.is_empty() {
        store.add_rehearsals(&lines).ok();
    }
}
