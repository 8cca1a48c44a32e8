//! `drctl runs`, `status`, `logs`, `watch`: they read the same journal, and change nothing.

use std::time::Duration;

use clap::Args;

use super::common::{Common, console_line, say};
use crate::catalogue::Timestamp;
use crate::edge::clock::{Clock as _, SystemClock};
use crate::edge::lock::RunLock;
use crate::edge::process::is_beginning;
use crate::edge::store::RunFolder;
use crate::engine::event::Event;
use crate::engine::{RunState, owed};
use crate::error::{Error, Exit};
use crate::exec::decide;
use crate::exec::run::{exit_of, registry};
use crate::exec::survivors::survivors;
use crate::exec::view::{self, Run};
use crate::journal::{self, Record};
use crate::report::{self, RunRow, Standing, sanitise};

/// Lists runs.
#[derive(Debug, Args)]
pub(super) struct Runs {
    /// Only runs that have not ended
    #[arg(long)]
    open: bool,
}

/// Shows a run.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// The run (default: the only open one)
    run: Option<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

/// Shows what was recorded.
#[derive(Debug, Args)]
pub(super) struct Logs {
    /// The run
    run: String,
    /// A step: what its processes printed
    step: Option<String>,
}

/// Looks on.
#[derive(Debug, Args)]
pub(super) struct Watch {
    /// The run (default: the only open one)
    run: Option<String>,
}

impl Runs {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let now = SystemClock::start(Timestamp(0)).now();
        let mut rows = Vec::new();
        for id in common.store.runs().map_err(|error| Error::state(&error))? {
            let row = row(id.to_string(), &common.store.open(&id).map_err(|error| Error::state(&error))?, now);
            let open = row.state.map_or(row.problem.is_some(), |state| !state.is_final());
            if !self.open || open {
                rows.push(row);
            }
        }
        console_line(&report::runs_table(&rows))?;
        Ok(Exit::Done)
    }
}

fn row(id: String, folder: &RunFolder, now: Timestamp) -> RunRow {
    let holder = RunLock::holder(&folder.lock()).ok().flatten().map(|holder| holder.user);
    match view::open(folder.clone(), &registry().catalogue()).and_then(|run| Ok((run.state(&run.plan)?, run))) {
        Ok((state, run)) => RunRow {
            id,
            runbook: run.started.runbook.clone(),
            state: Some(state.run_state(&run.plan)),
            started: Some(state.started_at),
            took: Some(state.started_at.until(if state.ended.is_some() { state.last_at } else { now })),
            holder,
            owed: owed(&run.plan, &state).len(),
            problem: None,
        },
        Err(error) => {
            let damaged = !view::never_started(folder);
            let problem = error.message.lines().next().filter(|_| damaged).map(str::to_owned);
            RunRow { id, runbook: String::new(), state: None, started: None, took: None, holder, owed: 0, problem }
        }
    }
}

fn holder(run: &Run) -> Option<String> {
    RunLock::holder(&run.folder.lock()).ok().flatten().map(|holder| holder.to_string())
}

impl Status {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let run = common.open(self.run.as_deref())?;
        let state = run.state(&run.plan)?;
        let now = SystemClock::start(run.last_at()).now();
        let timeline = report::timeline(&run.plan, run.records.iter().map(|record| (record.at, &record.event)));
        let kept = decide::kept(&run, &state)?;
        let holder = holder(&run);
        // Who drives the run starts processes: what looks on must hold none of their locks.
        let survivors = match holder {
            Some(_) => Vec::new(),
            None => survivors(&run.folder, &run.plan, &state),
        };
        let from_here = &common.here();
        let standing = Standing { timeline: &timeline, kept: &kept, holder, survivors: &survivors, from_here };
        let show = if self.json { report::status_json } else { report::status };
        let text = show(&run.plan, &state, run.id(), now, &standing);
        console_line(&text)?;
        Ok(match state.run_state(&run.plan) {
            RunState::Running => Exit::Done,
            state => exit_of(state),
        })
    }
}

impl Logs {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let run = common.open(Some(&self.run))?;
        let Some(step) = &self.step else {
            for record in &run.records {
                console_line(&journal_line(record))?;
            }
            return Ok(Exit::Done);
        };
        let state = run.state(&run.plan)?;
        let node = state.find(&run.plan, step).ok_or_else(|| Error::usage(format!("the run has no step `{step}`")))?;
        let path = state.node(node).path.to_string();
        for record in
            run.records.iter().filter(|record| record.event.step().is_some_and(|step| step.0.as_ref() == path))
        {
            console_line(&journal_line(record))?;
        }
        for side in ["", "undo "] {
            for attempt in 1..=state.node(node).attempt {
                printed(&run, &path, side, attempt)?;
            }
        }
        Ok(Exit::Done)
    }
}

fn journal_line(record: &Record<Event>) -> String {
    let payload = serde_json::to_value(&record.event).unwrap_or_default();
    let payload = payload.get("payload").map(ToString::to_string).unwrap_or_default();
    sanitise(&format!("{} {:>5} {} {payload}", record.at, record.seq.0, record.event.name())).replace('\n', " ")
}

/// What an attempt's processes printed.
fn printed(run: &Run, path: &str, side: &str, attempt: u32) -> Result<(), Error> {
    let folder = run.folder.step(&format!("{side}{path}"), attempt);
    for stream in ["stdout", "stderr"] {
        if let Ok(bytes) = std::fs::read(folder.join(stream)) {
            console_line(&format!("--- {path}, {side}attempt {attempt}, {stream}"))?;
            console_line(&sanitise(&String::from_utf8_lossy(&bytes)))?;
            if is_beginning(&folder, &bytes) {
                console_line("[drctl: only the beginning; the end is kept when the step has ended]")?;
            }
        }
    }
    Ok(())
}

impl Watch {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let folder = common.folder(self.run.as_deref())?;
        let run = view::open(folder, &registry().catalogue())?;
        let mut follower = journal::Follower::new(&run.folder.journal());
        let mut lines = report::Lines::new(std::sync::Arc::clone(&run.plan), run.id(), common.here());
        loop {
            let followed: journal::Followed<Event> =
                follower.poll().map_err(|error| Error::new(Exit::Journal, error.to_string()))?;
            let records = followed.records;
            for record in &records {
                for line in lines.record(record.seq, record.at, &record.event) {
                    console_line(&line)?;
                }
            }
            let state = lines.state();
            if let Some(ended) = state.ended {
                return Ok(exit_of(ended));
            }
            if records.is_empty() && RunLock::holder(&run.folder.lock())?.is_none() {
                let resume = format!("nobody drives the run any more: drctl resume {}", run.id());
                say(&common.here().typed(&resume));
                return Ok(exit_of(state.run_state(&run.plan)));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}
