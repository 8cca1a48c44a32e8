//! `drctl plan`: what a run would do, in which order, and what its gates would ask.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::common::{Common, colour, console_line};
use crate::catalogue::HumanDuration;
use crate::engine::{NodeId, Roots, State, gate_question};
use crate::error::{Error, Exit};
use crate::exec::inputs::{self, pair, read_vars};
use crate::exec::load;
use crate::exec::{run, view};
use crate::plan::critical_path::{critical_path, waves};
use crate::plan::{self, digest};

/// Shows a plan.
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// A runbook's name, or its file
    runbook: String,
    /// An input's value; may be given many times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// A YAML file of inputs' values
    #[arg(long, value_name = "FILE")]
    vars: Option<PathBuf>,
    /// Write the plan, for `run --plan`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A plan as it is written for `run --plan`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Written {
    /// The version of the format.
    drctl: u32,
    /// What all files and inputs digest to.
    pub(super) digest: String,
    /// The digest of every gate that is known before the run.
    pub(super) gates: BTreeMap<String, String>,
}

/// Reads a plan that was written.
pub(super) fn read(file: &Path) -> Result<Written, Error> {
    let problem = |problem: String| Error::usage(format!("`{}`: {problem}", file.display()));
    let bytes = std::fs::read(file).map_err(|error| problem(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| problem(format!("not a plan of `drctl plan --out`: {error}")))
}

impl Plan {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let file = common.runbook(&self.runbook)?;
        let registry = run::registry();
        let shared = common.run(super::common::Showing::default());
        let loaded = run::judged(&shared, &file, &registry)?;
        let vars = self.vars.as_deref().map(read_vars).transpose().map_err(Error::usage)?.unwrap_or_default();
        let Some(runbook) = &loaded.runbook else {
            return Err(Error::new(Exit::Invalid, "the runbook cannot be read"));
        };
        let inputs =
            inputs::resolve(runbook, &self.set, &vars).map_err(|problems| Error::usage(problems.join("\n")))?;
        let plan = view::plan_of(&loaded, &inputs.values, &registry.catalogue())?;
        let gates = gates(&plan);
        console_line(&shown(&plan, &gates))?;
        if !loaded.found.is_empty() {
            let found = crate::diag::render(&loaded.found, &loaded.sources, crate::diag::Format::Human, colour());
            super::common::say(&found);
        }
        if let Some(out) = &self.out {
            let known = gates.iter().filter_map(|(step, digest)| Some((step.clone(), digest.clone().ok()?)));
            let written = Written { drctl: 1, digest: load::digest(&loaded, &inputs.values), gates: known.collect() };
            let text =
                serde_json::to_string_pretty(&written).map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
            std::fs::write(out, text + "\n").map_err(|error| Error::usage(format!("`{}`: {error}", out.display())))?;
        }
        Ok(Exit::Done)
    }
}

/// The digest of every gate, or why it is not known yet.
fn gates(plan: &plan::Plan) -> BTreeMap<String, Result<String, String>> {
    let (state, roots) = (State::new(plan), Roots::new(plan));
    let gated = plan.steps().filter(|(_, step)| step.approval.is_some());
    gated
        .map(|(index, step)| {
            let reads_steps = step.expressions().iter().any(|id| {
                plan.runbook
                    .expressions
                    .get(*id)
                    .scan
                    .paths
                    .iter()
                    .any(|path| matches!(path.parts[0].as_str(), "steps" | "run"))
            });
            let asked = if reads_steps || step.for_each.is_some() {
                Err("known only in the run: it reads what earlier steps give".to_owned())
            } else {
                gate_question(plan, &state, &roots, NodeId(index.0))
                    .map(|asked| asked.digest)
                    .map_err(|problem| problem.to_string())
            };
            (step.id.value.clone(), asked)
        })
        .collect()
}

fn shown(plan: &plan::Plan, gates: &BTreeMap<String, Result<String, String>>) -> String {
    let runbook: &Arc<_> = &plan.runbook;
    let mut text = format!("{} `{}`: {} steps\n", runbook.kind.name(), runbook.name.value, runbook.steps.len());
    let mut line = |line: String| {
        writeln!(text, "{line}").ok();
    };
    for (phase, waves) in waves(plan) {
        line(format!("\n{phase}"));
        for (number, wave) in waves.iter().enumerate() {
            for index in wave {
                let step = plan.step(*index);
                let estimate =
                    step.estimate.as_ref().map(|estimate| format!(", about {}", HumanDuration(estimate.typical)));
                let needs: Vec<&str> =
                    plan.graph.needs(*index).iter().map(|need| plan.step(*need).id.value.as_str()).collect();
                let after = if needs.is_empty() { String::new() } else { format!(" after {}", needs.join(", ")) };
                let mark = if step.point_of_no_return { " POINT OF NO RETURN" } else { "" };
                line(format!(
                    "  {}. {} [{}]{after}{}{mark}",
                    number + 1,
                    step.id.value,
                    step.action.name.value,
                    estimate.unwrap_or_default()
                ));
                match gates.get(&step.id.value) {
                    Some(Ok(digest)) => line(format!("       gate: {}={}", step.id.value, digest::short(digest))),
                    Some(Err(why)) => line(format!("       gate: digest {why}")),
                    None => {}
                }
            }
        }
    }
    let path = critical_path(runbook, &plan.graph);
    let names: Vec<&str> = path.steps.iter().map(|index| plan.step(*index).id.value.as_str()).collect();
    let rto =
        runbook.objectives.rto.map_or_else(|| "no RTO is set".to_owned(), |rto| format!("RTO {}", HumanDuration(rto)));
    line(format!(
        "\ncritical path: {} usually, {} at worst ({rto}): {}",
        HumanDuration(path.typical),
        HumanDuration(path.worst),
        names.join(" -> ")
    ));
    if path.without_estimate > 0 {
        line(format!("{} steps have no estimate and count as nothing", path.without_estimate));
    }
    text
}
