//! `drctl resume`.

use clap::Args;

use super::choose::{SIGINT, choose};
use super::common::{Common, Showing};
use crate::edge::store::RunFolder;
use crate::error::{Error, Exit};
use crate::exec::run::{self, OnEdit};

/// Takes a run up.
#[derive(Debug, Args)]
pub(super) struct Resume {
    /// The run (default: the only open one; of several, one is chosen at a terminal)
    run: Option<String>,
    /// Go on with the runbook as it was when the run started
    #[arg(long, conflicts_with = "adopt")]
    pinned: bool,
    /// Go on with the edited runbook; only steps that have not started may differ
    #[arg(long)]
    adopt: bool,
    #[command(flatten)]
    showing: Showing,
}

impl Resume {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let on_edit = match (self.pinned, self.adopt) {
            (true, _) => OnEdit::Pinned,
            (_, true) => OnEdit::Adopt,
            _ => OnEdit::Refuse,
        };
        let Some(folder) = self.folder(common)? else { return Ok(Exit::Signal(SIGINT)) };
        run::resume(&common.run(&self.showing), folder, on_edit)
    }

    /// The run that is meant; nothing where somebody left without choosing.
    fn folder(&self, common: &Common) -> Result<Option<RunFolder>, Error> {
        if let Some(given) = &self.run {
            return common.named(given).map(Some);
        }
        let mut open = common.open_runs()?;
        if open.len() == 1 {
            return Ok(Some(open.remove(0).1));
        }
        let names: Vec<String> = open.iter().map(|(name, _)| name.clone()).collect();
        let chosen = choose("several runs are open: which one?", &names, "drctl resume")?;
        Ok(chosen.map(|at| open.remove(at).1))
    }
}
