//! `drctl notify`: a notice as each channel would show it, and sending those that are owed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::announce::Announce;
use super::common::{Common, console_line};
use super::send::Send;
use crate::error::{Error, Exit};
use crate::exec::inputs::{from_text, pair};
use crate::exec::preview::{Wanted, notices, notices_of};
use crate::report::notice;

/// Notices.
#[derive(Debug, Args)]
pub(super) struct Notify {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Render a template for every channel, and send nothing; what is not given shows as its name
    Preview(Preview),
    /// Send a notice outside of any recovery, such as a maintenance announcement: shown and asked for, then sent once
    Announce(Announce),
    /// Deliver what a run still owes: each once, and what may have been delivered only when you say so
    Send(Send),
}

#[derive(Debug, Args)]
struct Preview {
    /// The template's name (default: all)
    template: Option<String>,
    /// Take the values of this run: what it sent, or what it would send by now
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// A variable (`vars.NAME`); may be given many times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    var: Vec<(String, String)>,
    /// Who would be told: decides the channels, the language and the time zone (default: the template's)
    #[arg(long, value_name = "NAME")]
    audience: Option<String>,
    /// The language, such as `de` (default: the audience's)
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// Write one page with all channels side by side, for a browser
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Notify {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        match self.command {
            Command::Preview(preview) => preview.run(common),
            Command::Announce(announce) => announce.run(common),
            Command::Send(send) => send.run(common),
        }
    }
}

impl Preview {
    fn run(self, common: &Common) -> Result<Exit, Error> {
        let any = crate::catalogue::Type::Any;
        let vars = self.var.iter().map(|(name, text)| (name.clone(), from_text(&any, text))).collect();
        let wanted = Wanted {
            template: self.template.as_deref(),
            audience: self.audience.as_deref(),
            language: self.language.as_deref(),
            vars: &vars,
        };
        let previews = match &self.run {
            Some(run) => notices_of(&common.open(Some(run))?, wanted)?,
            None => notices(&common.workspace, wanted)?,
        };
        let Some(file) = &self.html else {
            let texts: Vec<String> = previews.iter().map(notice::text).collect();
            console_line(texts.join("\n").trim_end())?;
            return Ok(Exit::Done);
        };
        let page = notice::page(&previews).map_err(|problem| Error::new(Exit::Failed, problem))?;
        std::fs::write(file, page)
            .map_err(|error| Error::usage(format!("cannot write `{}`: {error}", file.display())))?;
        console_line(&format!("wrote {}", file.display()))?;
        Ok(Exit::Done)
    }
}
