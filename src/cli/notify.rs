//! `drctl notify preview`: a notice as it would be sent.

use clap::{Args, Subcommand};

use super::common::{Common, console_line};
use crate::error::{Error, Exit};
use crate::exec::inputs::{from_text, pair};
use crate::exec::preview;

/// Notices.
#[derive(Debug, Args)]
pub(super) struct Notify {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Render a template; what is not given shows as its name
    Preview {
        /// The template's name (default: all)
        template: Option<String>,
        /// A variable (`vars.NAME`); may be given many times
        #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
        var: Vec<(String, String)>,
    },
}

impl Notify {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let Command::Preview { template, var } = self.command;
        let vars =
            var.iter().map(|(name, text)| (name.clone(), from_text(&crate::catalogue::Type::Any, text))).collect();
        for (name, notice) in preview::notices(&common.workspace, template.as_deref(), &vars)? {
            console_line(&format!("--- {name}\nSubject: {}\n\n{}", notice.0, notice.1))?;
        }
        Ok(Exit::Done)
    }
}
