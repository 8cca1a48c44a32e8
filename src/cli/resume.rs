//! `drctl resume`.

use clap::Args;

use super::common::{Common, Showing};
use crate::error::{Error, Exit};
use crate::exec::run::{self, OnEdit};

/// Takes a run up.
#[derive(Debug, Args)]
pub(super) struct Resume {
    /// The run (default: the only open one)
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
        run::resume(&common.run(self.showing), common.folder(self.run.as_deref())?, on_edit)
    }
}
