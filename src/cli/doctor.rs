//! `drctl doctor`: whether all that runs stand on is there.

use clap::Args;

use super::common::{Common, Named, console_line, kind};
use crate::error::{Error, Exit};
use crate::exec::doctor::{Patient, examine, human, is_fit, json, subjects};
use crate::exec::inputs::pair;
use crate::plan::Region;
use crate::runbook::ast::Kind;

/// Looks at what runs stand on.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// A runbook's name, or its file (default: all of the workspace)
    pub(super) runbook: Option<String>,
    /// The kind, where runbooks of several kinds have that name: failover comes first
    #[arg(long, value_parser = kind(), requires = "runbook")]
    kind: Option<Kind>,
    /// An input's value; may be given many times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, requires = "runbook")]
    set: Vec<(String, String)>,
    /// List what the runbooks and drctl itself need of this region
    #[arg(long, value_name = "REGION")]
    assume_down: Option<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let down = self.assume_down.as_deref().map(region).transpose()?;
        let named = self.runbook.map(|runbook| Named { runbook, kind: self.kind });
        let file = named.map(|named| named.file(common)).transpose()?;
        let patient = Patient {
            workspace: &common.workspace,
            store: &common.store,
            person: &common.person,
            subjects: subjects(&common.workspace, file.as_deref(), &self.set)?,
            down,
        };
        let mut sections = examine(&patient)?;
        let here = common.here();
        let checks = sections.iter_mut().flat_map(|section| &mut section.checks);
        checks.filter_map(|check| check.next.as_mut()).for_each(|next| *next = here.typed(next));
        let shown = if self.json { json(&sections) } else { human(&sections, console::colors_enabled()) };
        console_line(&shown)?;
        Ok(if is_fit(&sections) { Exit::Done } else { Exit::Failed })
    }
}

fn region(text: &str) -> Result<Region, Error> {
    let wanted = || format!("`--assume-down`: wanted a region such as `centralus`, found `{}`", text.escape_debug());
    Region::named(text).ok_or_else(|| Error::usage(wanted()))
}
