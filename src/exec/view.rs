//! A run as its folder tells it: the pinned plan, and the state that the journal folds to.

use std::path::PathBuf;
use std::sync::Arc;

use super::load::{Loaded, judge};
use super::pin;
use crate::catalogue::{Catalogue, Timestamp};
use crate::edge::lock::RunLock;
use crate::edge::store::RunFolder;
use crate::engine::event::{Event, PlanChanged, RunStarted};
use crate::engine::{End, Outputs, Seq, Sight, State};
use crate::error::{Error, Exit};
use crate::journal::{self, JournalError, Record, Scanned, chain_head};
use crate::plan::Plan;

/// A run that was read back.
pub struct Run {
    /// Its folder.
    pub folder: RunFolder,
    /// How it was started.
    pub started: Box<RunStarted>,
    /// The files it stands on, judged.
    pub loaded: Loaded,
    /// Its plan.
    pub plan: Arc<Plan>,
    /// What happened, in order.
    pub records: Vec<Record<Event>>,
    /// Where the records end: the place and hash of the last one.
    pub end: Scanned,
    /// Where the pinned files are.
    pub pinned: PathBuf,
}

impl Run {
    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.started.run
    }

    /// The last record and its hash, which vouches for all before.
    #[must_use]
    pub fn head(&self) -> String {
        chain_head(self.end.seq, &self.end.hash)
    }

    /// The number of the last record.
    #[must_use]
    pub fn last(&self) -> Seq {
        self.records.last().map_or(Seq(0), |record| record.seq)
    }

    /// The time of the last record.
    #[must_use]
    pub fn last_at(&self) -> Timestamp {
        self.records.last().map_or(Timestamp(0), |record| record.at)
    }

    /// Why a simulated run that nobody drives cannot go on.
    #[must_use]
    pub fn world_is_gone(&self) -> Error {
        let message = format!("run `{}` was simulated: its world is gone with the process that drove it", self.id());
        Error::usage(message).next(format!("{} --simulate", self.started.command()))
    }

    /// The state that the records fold to under `plan`.
    ///
    /// # Errors
    /// The journal and the plan do not belong together.
    pub fn state(&self, plan: &Plan) -> Result<State, Error> {
        let mut state = State::new(plan);
        for record in &self.records {
            state.apply(plan, record.at, &record.event).map_err(|illegal| {
                Error::new(Exit::Journal, format!("record {} of the journal: {illegal}", record.seq.0))
            })?;
        }
        Ok(state)
    }
}

/// Reads a run back. Changes nothing.
///
/// # Errors
/// The journal or a pinned file is damaged or missing.
pub fn open(folder: RunFolder, catalogue: &Catalogue) -> Result<Run, Error> {
    let path = folder.journal();
    if never_started(&folder) {
        return Err(no_run(&folder));
    }
    let journal::Recovered { mut records, end } =
        journal::read::<Event>(&path).map_err(|error| Error::new(Exit::Journal, error.to_string()))?;
    let Some(Event::RunStarted(started)) = records.first().map(|record| record.event.clone()) else {
        let message = format!("`{}` does not begin with the start of a run", path.display());
        return Err(Error::new(Exit::Journal, message));
    };
    load_outputs(&folder, &mut records)?;
    let changed: Option<&PlanChanged> = records.iter().rev().find_map(|record| match &record.event {
        Event::PlanChanged(changed) => Some(&**changed),
        _ => None,
    });
    let (pinned, names) = match changed {
        Some(changed) => (folder.path().join(&changed.folder), &changed.pinned),
        None => (folder.pinned(), &started.pinned),
    };
    let files = pin::read(&pinned, names, &started.path).map_err(|problem| Error::new(Exit::Journal, problem))?;
    let loaded = judge(files, catalogue);
    let plan = plan_of(&loaded, &started.inputs, catalogue)?;
    Ok(Run { folder, started, loaded, plan: Arc::new(plan), records, end, pinned })
}

/// What is told of a run that never started: nothing was done, so that there is nothing to go on with.
fn no_run(folder: &RunFolder) -> Error {
    let path = folder.path();
    let run = path.file_name().unwrap_or_default().to_string_lossy();
    let holder = RunLock::holder(&folder.lock()).ok().flatten();
    // Who takes a run up holds its lock before reading it.
    if let Some(holder) = holder.filter(|holder| holder.pid != Some(std::process::id())) {
        let message = format!("run `{run}` is just being started by {holder}: nothing is recorded yet");
        return Error::new(Exit::Journal, message).next(format!("drctl status {run}"));
    }
    let message = format!(
        "run `{run}` never started: drctl ended before its first record, and nothing was done\n\
        type again what was to start it; the folder it left is in nobody's way, and may be removed"
    );
    Error::new(Exit::Journal, message).next(format!("rm -r {}", shell_words::quote(&path.to_string_lossy())))
}

/// Whether drctl died, or was killed, before the first record of the run: then it did nothing.
#[must_use]
pub fn never_started(folder: &RunFolder) -> bool {
    let empty = match journal::read::<Event>(&folder.journal()) {
        Ok(read) => read.records.is_empty(),
        Err(JournalError::Io { source, .. }) => source.kind() == std::io::ErrorKind::NotFound,
        Err(_) => false,
    };
    empty && folder.has_no_steps()
}

/// The plan of a loaded runbook.
///
/// # Errors
/// The runbook has errors.
pub fn plan_of(
    loaded: &Loaded,
    inputs: &serde_json::Map<String, serde_json::Value>,
    catalogue: &Catalogue,
) -> Result<Plan, Error> {
    let invalid = || {
        let found = crate::diag::render(&loaded.errors(), &loaded.sources, crate::diag::Format::Human, false);
        Error::new(Exit::Invalid, found)
    };
    let runbook = loaded.runbook.clone().filter(|_| !loaded.has_errors()).ok_or_else(invalid)?;
    let (workspace, templates) = (Arc::clone(&loaded.workspace), Arc::clone(&loaded.templates));
    let runbooks = Arc::clone(&loaded.runbooks);
    Plan::build(runbook, runbooks, workspace, templates, catalogue.clone(), inputs.clone())
        .map_err(|problem| Error::new(Exit::Invalid, problem))
}

fn load_outputs(folder: &RunFolder, records: &mut [Record<Event>]) -> Result<(), Error> {
    for record in records {
        let outputs = match &mut record.event {
            Event::Outcome { end: End::Succeeded { outputs, .. }, .. } => outputs,
            Event::Observed { sight: Sight::Applied { outputs }, .. } => outputs,
            _ => continue,
        };
        if let Outputs::Stored { digest, loaded } = outputs {
            let bytes =
                folder.get(digest).map_err(|error| Error::new(Exit::Journal, format!("output `{digest}`: {error}")))?;
            let values = serde_json::from_slice(&bytes)
                .map_err(|error| Error::new(Exit::Journal, format!("output `{digest}`: {error}")))?;
            *loaded = Some(Arc::new(values));
        }
    }
    Ok(())
}
