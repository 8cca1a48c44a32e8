//! Reads what a report is made from: a run, and the runs of the same runbook before it.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::history::rehearsals;
use super::view::{self, Run};
use crate::catalogue::Catalogue;
use crate::edge::ids::RunId;
use crate::edge::store::Store;
use crate::error::{Error, Exit};
use crate::report::page::{self, Earlier, RunReport, Source};

/// How many earlier runs a report compares with.
const MOST_EARLIER: usize = 8;

/// The report of a run, compared with the runs in these stores.
#[must_use]
pub fn report(run: &Run, stores: &[Store], catalogue: &Catalogue) -> RunReport {
    // A runbook that was made for an announcement has no past: another one may have its name.
    let stores: &[Store] = if run.started.announces.is_some() { &[] } else { stores };
    page::report(&Source {
        plan: &run.plan,
        records: &run.records,
        head: run.head(),
        earlier: earlier(run, stores, catalogue),
        rehearsals: stores.iter().flat_map(rehearsals).collect(),
    })
}

/// Earlier runs of the same runbook, the latest first. Those that cannot be read are passed over: `drctl runs` names them.
fn earlier(run: &Run, stores: &[Store], catalogue: &Catalogue) -> Vec<Earlier> {
    let named = |id: &RunId| id.as_str() != run.id() && id.runbook() == own(run).as_ref().and_then(RunId::runbook);
    let mut found = Vec::new();
    for store in stores {
        let ids = store.runs().unwrap_or_default().into_iter().filter(named);
        let other = |id: RunId| {
            let other = view::open(store.open(&id).ok()?, catalogue).ok()?;
            let (one, two) = (&run.started, &other.started);
            let before = other.records.first()?.at < run.records.first()?.at;
            let same = (&one.runbook, one.kind, &one.announces) == (&two.runbook, two.kind, &two.announces);
            (same && before).then(|| page::earlier(&other.plan, &other.records))
        };
        found.extend(ids.filter_map(other).take(MOST_EARLIER));
    }
    found.sort_by_key(|earlier| std::cmp::Reverse(earlier.at));
    found.truncate(MOST_EARLIER);
    found
}

fn own(run: &Run) -> Option<RunId> {
    RunId::parse(run.id()).ok()
}

/// Writes a file that others see whole or not at all, with the rights of a file that was there before, else for this
/// user alone where `private`, else for all.
///
/// # Errors
/// What the system said, with the path.
pub fn write_whole(file: &Path, bytes: &[u8], private: bool) -> Result<(), Error> {
    let write = || -> io::Result<()> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut draft = tempfile::NamedTempFile::new_in(folder)?;
        draft.write_all(bytes)?;
        let mode = fs::metadata(file).map(|old| old.permissions().mode() & 0o777);
        let mode = mode.unwrap_or(if private { 0o600 } else { 0o644 });
        draft.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
        draft.as_file().sync_all()?;
        draft.persist(file).map(drop).map_err(|error| error.error)
    };
    if file.is_dir() {
        return Err(Error::usage(format!("`{}` is a folder: wanted a file to write", file.display())));
    }
    write().map_err(|error| Error::new(Exit::Failed, format!("cannot write `{}`: {error}", file.display())))
}
