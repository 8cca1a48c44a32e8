//! `drctl notify announce`: a notice outside of any recovery.

use clap::Args;

use super::common::{Common, Showing, confirm, console_line, say};
use crate::error::{Error, Exit};
use crate::exec::announce::{Wanted, announcement};
use crate::exec::inputs::pair;
use crate::exec::preview;
use crate::exec::run::{self, Start};
use crate::report::notice;

/// Sends a notice as a run of its own.
#[derive(Debug, Args)]
pub(super) struct Announce {
    /// The template's name
    template: String,
    /// Who is told (default: the template's audience)
    #[arg(long, value_name = "NAME")]
    audience: Option<String>,
    /// A variable (`vars.NAME`); may be given many times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    var: Vec<(String, String)>,
    /// Show what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Send it without asking
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    showing: Showing,
}

impl Announce {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let wanted = Wanted { template: &self.template, audience: self.audience.as_deref(), vars: &self.var };
        let announcement = announcement(&common.workspace, wanted)?;
        let shared = common.run(&self.showing);
        // A variable that is missing is told before anything is shown.
        run::judged_made(&shared, &announcement.made, &run::registry())?;
        let shown = self.shown(common, &announcement.audience)?;
        if self.dry_run {
            console_line(&shown)?;
            return Ok(Exit::Done);
        }
        say(&shown);
        confirm(self.yes, &format!("tell `{}` this?", announcement.audience), "nothing was sent")?;
        run::start(&shared, &Start { made: Some(announcement.made), set: self.var, yes: self.yes, ..Start::default() })
    }

    /// The notice as each channel shows it.
    fn shown(&self, common: &Common, audience: &str) -> Result<String, Error> {
        let vars = self.var.iter().map(|(name, text)| (name.clone(), text.as_str().into())).collect();
        let wanted =
            preview::Wanted { template: Some(&self.template), audience: Some(audience), language: None, vars: &vars };
        let shown: Vec<String> = preview::notices(&common.workspace, wanted)?.iter().map(notice::text).collect();
        Ok(shown.join("\n").trim_end().to_owned())
    }
}
