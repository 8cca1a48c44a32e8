//! `drctl notify send`: delivers what is owed.

use clap::Args;

use super::common::{Common, Showing, console_line};
use crate::edge::store::RunFolder;
use crate::engine::{Owed, owed};
use crate::error::{Error, Exit};
use crate::exec::owed::{Wanted, owed_of, send};
use crate::exec::run::registry;
use crate::exec::view;
use crate::report::{FromHere, owed_commands, owed_line, sanitise};

/// Delivers owed notices.
#[derive(Debug, Args)]
pub(super) struct Send {
    /// What a run could not deliver, as it was rendered then
    #[arg(long, required = true)]
    owed: bool,
    /// The run (default: the only one that owes anything)
    run: Option<String>,
    /// Only notices of this step
    step: Option<String>,
    /// Show what is owed, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Send a delivery that may have been made already, such as `mail/ada@example.com`; may be given many times
    #[arg(long, value_name = "DELIVERY", requires = "reason")]
    doubtful: Vec<String>,
    /// A delivery that may have been made is known to have arrived: it is owed no more; may be given many times
    #[arg(long, value_name = "DELIVERY", requires = "reason")]
    arrived: Vec<String>,
    /// Give up what STEP still owes: it is never delivered, and owed no more
    #[arg(long, requires_all = ["step", "reason"], conflicts_with_all = ["doubtful", "arrived", "dry_run"])]
    give_up: bool,
    /// How you know, or why it is right to send it again or to give it up
    #[arg(long)]
    reason: Option<String>,
}

impl Send {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let folder = match &self.run {
            Some(run) => common.named(run)?,
            None => match only_one_that_owes(common)? {
                Some(folder) => folder,
                None => return console_line("no run owes anything").map(|()| Exit::Done),
            },
        };
        let Self { step, doubtful, arrived, give_up, reason, .. } = self;
        let wanted = Wanted { step, doubtful, arrived, give_up, reason };
        if self.dry_run {
            let run = view::open(folder, &registry().catalogue())?;
            let found = owed_of(&run, &wanted)?;
            let whose = wanted
                .step
                .as_ref()
                .map_or_else(|| format!("run {}", run.id()), |step| format!("`{step}` of run {}", run.id()));
            show(&found, (&whose, "owes"), run.id(), &common.here())?;
            return Ok(exit(&found));
        }
        let name = folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let sent = send(&common.run(&Showing::default()), folder, &wanted)?;
        for owed in sent
            .before
            .iter()
            .filter(|owed| !sent.after.iter().any(|after| after.name() == owed.name() && after.step == owed.step))
        {
            let what = owed.name().unwrap_or_default();
            let settled = match &wanted {
                wanted if wanted.give_up => "given up",
                wanted if wanted.arrived.contains(&what) => "settled",
                _ => "delivered",
            };
            let what = owed.name().map(|name| format!(": `{name}`")).unwrap_or_default();
            console_line(&sanitise(&format!("{settled}: `{}`{what}", owed.step)))?;
        }
        show(&sent.of_run, (&format!("run {name}"), "still owes"), &name, &common.here())?;
        Ok(exit(&sent.after))
    }
}

/// Lists what is owed, and what to type for it.
fn show(found: &[Owed], (who, owes): (&str, &str), run: &str, from_here: &FromHere) -> Result<(), Error> {
    if found.is_empty() {
        return console_line(&format!("{who} owes nothing"));
    }
    let count = found.len();
    console_line(&format!("{who} {owes} {count} {}", if count == 1 { "delivery" } else { "deliveries" }))?;
    for owed in found {
        console_line(&sanitise(&format!("  {}", owed_line(owed))).replace('\n', " "))?;
    }
    for command in from_here.all(owed_commands(found, run)) {
        console_line(&sanitise(&format!("next: {command}")))?;
    }
    Ok(())
}

/// By what is still owed of what was asked for.
fn exit(asked: &[Owed]) -> Exit {
    match asked {
        [] => Exit::Done,
        _ if asked.iter().all(|owed| owed.in_doubt) => Exit::InDoubt,
        _ => Exit::Failed,
    }
}

/// The run that is meant where none is named.
fn only_one_that_owes(common: &Common) -> Result<Option<RunFolder>, Error> {
    let mut found = Vec::new();
    for id in common.store.runs().map_err(|error| Error::state(&error))? {
        let folder = common.store.open(&id).map_err(|error| Error::state(&error))?;
        // One that cannot be read is named by `drctl runs`.
        let Ok(run) = view::open(folder.clone(), &registry().catalogue()) else { continue };
        if !owed(&run.plan, &run.state(&run.plan)?).is_empty() {
            found.push((id.to_string(), folder));
        }
    }
    match found.len() {
        0 | 1 => Ok(found.pop().map(|(_, folder)| folder)),
        _ => {
            let names: Vec<String> = found.into_iter().map(|(name, _)| name).collect();
            Err(Error::usage(format!("several runs owe deliveries: name one of {}", names.join(", "))))
        }
    }
}
