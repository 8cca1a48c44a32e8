//! `drctl impact`: what a lost region or a lost service hits.

use std::path::PathBuf;

use clap::Args;

use super::common::{Common, Graph, Shown, console_line, now, say};
use crate::error::{Error, Exit};
use crate::exec::history::history;
use crate::exec::region::settings;
use crate::plan::impact::{Lost, impact};
use crate::report::graph::svg;
use crate::report::impact::{Told, document, dot, mermaid, next, picture, text};

/// Shows what is hit.
#[derive(Debug, Args)]
pub(super) struct Impact {
    #[command(flatten)]
    lost: LostOption,
    /// How it is shown
    #[arg(long, value_enum, default_value_t)]
    output: Shown,
    /// Draw the services instead
    #[arg(long, value_enum, conflicts_with = "output")]
    graph: Option<Graph>,
    /// Write it into a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What is lost.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct LostOption {
    /// All that runs in a region is lost
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// A service is lost, wherever it runs
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
}

impl Impact {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let workspace = settings(&common.workspace)?.workspace;
        let lost = match (self.lost.region, self.lost.service) {
            (Some(region), _) => Lost::Region(region),
            (None, service) => Lost::Service(service.unwrap_or_default()),
        };
        let impact = impact(&workspace, &lost).map_err(Error::usage)?;
        let history = history(&common.store);
        let told = Told { impact: &impact, workspace: &workspace, history: &history, now: now() };
        let shown = match (self.graph, self.output) {
            (Some(Graph::Mermaid), _) => mermaid(told),
            (Some(Graph::Dot), _) => dot(told),
            (Some(Graph::Svg), _) => svg(&picture(told)),
            (None, Shown::Json) => document(told),
            (None, Shown::Human) => text(told),
        };
        match &self.out {
            Some(file) => {
                std::fs::write(file, shown).map_err(|error| Error::usage(format!("`{}`: {error}", file.display())))?;
                say(&format!("written to `{}`", file.display()));
            }
            None => console_line(&shown)?,
        }
        if self.graph.is_none() && self.output == Shown::Human {
            next(told).iter().for_each(|next| say(&common.here().typed(&format!("next: {next}"))));
        }
        Ok(Exit::Done)
    }
}
