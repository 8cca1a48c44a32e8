//! `drctl drills`: the drills of the calendar.

use clap::{Args, ValueEnum};

use super::common::{Common, console_line, now, say};
use crate::error::{Error, Exit};
use crate::exec::history::history;
use crate::exec::region::settings;
use crate::plan::calendar::{Standing, drills};
use crate::report::calendar::{document, ics, text};

/// Shows the drills.
#[derive(Debug, Args)]
pub(super) struct Drills {
    /// How they are shown
    #[arg(long, value_enum, default_value_t)]
    output: Shown,
    /// End with 1 where one is overdue
    #[arg(long)]
    check: bool,
}

/// How drills are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Shown {
    /// For people
    #[default]
    Human,
    /// One JSON document
    Json,
    /// A calendar file (RFC 5545)
    Ics,
}

impl Drills {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let workspace = settings(&common.workspace)?.workspace;
        let (held, now) = (history(&common.store).drills(), now());
        let drills = drills(&workspace, &held, now);
        console_line(&match self.output {
            Shown::Human => text(&drills, now),
            Shown::Json => document(&drills, now),
            Shown::Ics => ics(&drills, now),
        })?;
        let overdue = drills.iter().filter(|status| status.standing == Standing::Overdue).count();
        if overdue == 0 || !self.check {
            return Ok(Exit::Done);
        }
        say(&format!("overdue: {overdue} of {}", drills.len()));
        Ok(Exit::Failed)
    }
}
