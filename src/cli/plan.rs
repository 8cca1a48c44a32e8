//! `drctl plan`: what a run would do, in which order, and what its gates would ask.

use std::path::PathBuf;

use clap::Args;

use super::common::{Common, Graph, Named, Shown, console_line, now, say};
use crate::error::{Error, Exit};
use crate::exec::earlier::taken;
use crate::exec::history::history;
use crate::exec::inputs::{self, pair, read_vars};
use crate::exec::load::Loaded;
use crate::exec::saved_plan::SavedPlan;
use crate::exec::{run, view};
use crate::plan;
use crate::report::graph::{self, dot, mermaid, svg};
use crate::report::impact;
use crate::report::plan::{Detail, json, outline, text};

/// Shows a plan.
#[derive(Debug, Args)]
pub(super) struct Plan {
    #[command(flatten)]
    pub(super) named: Named,
    /// An input's value; may be given many times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// A YAML file of inputs' values
    #[arg(long, value_name = "FILE")]
    vars: Option<PathBuf>,
    /// An earlier run: inputs that are not given take the value of its output of the same name
    #[arg(long, value_name = "RUN")]
    from_run: Option<String>,
    /// Every parameter on a line of its own, and how each step is tried
    #[arg(long)]
    full: bool,
    /// How it is shown
    #[arg(long, value_enum, default_value_t)]
    output: Shown,
    /// Draw the steps instead
    #[arg(long, value_enum, conflicts_with_all = ["full", "output"])]
    graph: Option<Graph>,
    /// Write the plan, for `run --plan`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Plan {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let (loaded, plan) = self.plan(common)?;
        let told = outline(&plan);
        let fresh = history(&common.store).of(&plan.runbook.name.value, plan.runbook.kind);
        let shown = match (self.graph, self.output) {
            (Some(Graph::Mermaid), _) => mermaid(&told),
            (Some(Graph::Dot), _) => dot(&told),
            (Some(Graph::Svg), _) => svg(&graph::layout(&told)),
            (None, Shown::Json) => json(&told, &fresh.json()),
            (None, Shown::Human) => {
                let detail = if self.full { Detail::Full } else { Detail::Short };
                text(&told, detail, console::colors_enabled())
            }
        };
        if let Some(out) = &self.out {
            SavedPlan::new(&common.workspace, &loaded, &plan, told.gates(), self.from_run.clone()).write(out)?;
        }
        console_line(&shown)?;
        if self.graph.is_none() && self.output == Shown::Human {
            say(&impact::tried(&fresh, now()));
        }
        if !loaded.found.is_empty() {
            let (number, s) = (loaded.found.len(), if loaded.found.len() == 1 { "" } else { "s" });
            let validate = common.here().typed("drctl validate");
            say(&format!("{number} warning{s}: `{validate}` shows them"));
        }
        if let Some(out) = &self.out {
            let next = common.here().typed(&format!("drctl run --plan {}", shell_words::quote(&out.to_string_lossy())));
            say(&format!("written to `{}`\n  next: {next}", out.display()));
        }
        Ok(Exit::Done)
    }

    /// The runbook, and its plan with the inputs given.
    fn plan(&self, common: &Common) -> Result<(Loaded, plan::Plan), Error> {
        let file = self.named.file(common)?;
        let registry = run::registry();
        let settings = common.run(&super::common::Showing::default());
        let loaded = run::judged(&settings, &file, &registry)?;
        let vars = self.vars.as_deref().map(read_vars).transpose().map_err(Error::usage)?.unwrap_or_default();
        let Some(runbook) = &loaded.runbook else {
            return Err(Error::new(Exit::Invalid, "the runbook cannot be read"));
        };
        let earlier = super::start::earlier(common, self.from_run.as_deref())?;
        let taken = earlier.map(|from| taken(&from, runbook, &self.set, &vars)).transpose()?;
        let vars = taken.into_iter().flat_map(|(_, taken)| taken).chain(vars).collect();
        let inputs =
            inputs::resolve(runbook, &self.set, &vars).map_err(|problems| Error::usage(problems.join("\n")))?;
        let plan = view::plan_of(&loaded, &inputs, &registry.catalogue())?;
        run::fitting(&loaded, &plan, settings.colour)?;
        Ok((loaded, plan))
    }
}
