//! `drctl plan`: what a run would do, in which order, and what its gates would ask.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::common::{Common, Named, colour, console_line};
use crate::catalogue::HumanDuration;
use crate::engine::{Asked, State, foresee, gate_question, run_title, step_title};
use crate::error::{Error, Exit};
use crate::exec::earlier::taken;
use crate::exec::inputs::{self, pair, read_vars};
use crate::exec::load;
use crate::exec::{run, view};
use crate::plan::critical_path::{critical_path, estimate, waves};
use crate::plan::{self, StepIndex, digest};
use crate::report::title_and_owner;

/// Shows a plan.
#[derive(Debug, Args)]
pub(super) struct Plan {
    #[command(flatten)]
    named: Named,
    /// An input's value; may be given many times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// A YAML file of inputs' values
    #[arg(long, value_name = "FILE")]
    vars: Option<PathBuf>,
    /// An earlier run: inputs that are not given take the value of its output of the same name
    #[arg(long, value_name = "RUN")]
    from_run: Option<String>,
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
        let file = self.named.file(common)?;
        let registry = run::registry();
        let shared = common.run(super::common::Showing::default());
        let loaded = run::judged(&shared, &file, &registry)?;
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
        let state = foresee(&plan);
        let gates = gates(&plan, &state);
        console_line(&shown(&plan, &state, &gates))?;
        if !loaded.found.is_empty() {
            let found = crate::diag::render(&loaded.found, &loaded.sources, crate::diag::Format::Human, colour());
            super::common::say(&found);
        }
        if let Some(out) = &self.out {
            let known = gates.iter().filter_map(|(step, asked)| Some((step.clone(), asked.clone().ok()?.digest)));
            let written = Written { drctl: 1, digest: load::digest(&loaded, &inputs), gates: known.collect() };
            let text =
                serde_json::to_string_pretty(&written).map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
            std::fs::write(out, text + "\n").map_err(|error| Error::usage(format!("`{}`: {error}", out.display())))?;
        }
        Ok(Exit::Done)
    }
}

/// What every gate asks, by the path of its step, or why it is not known yet.
type Gates = BTreeMap<String, Result<Asked, String>>;

fn gates(plan: &plan::Plan, state: &State) -> Gates {
    let gated = plan.steps().filter(|(_, step)| step.approval.is_some());
    gated.map(|(index, _)| (plan.path(index), gate(plan, state, index))).collect()
}

fn gate(plan: &plan::Plan, state: &State, index: StepIndex) -> Result<Asked, String> {
    let step = plan.step(index);
    let reads = |path: &[String]| matches!(path[0].as_str(), "steps" | "run");
    let expressions = step.expressions().into_iter().map(|id| plan.expressions(index).get(id));
    let reads_steps = expressions.into_iter().any(|read| read.scan.paths.iter().any(|path| reads(&path.parts)));
    if reads_steps || step.for_each.is_some() {
        return Err("known only in the run: it reads what earlier steps give".to_owned());
    }
    let node = state.nodes_of(plan, index).next().filter(|node| state.frame(state.node(*node).frame).begun);
    let node = node.ok_or("known only in the run: what its runbook is called with is not known before")?;
    gate_question(plan, state, node).map_err(|problem| problem.to_string())
}

fn shown(plan: &plan::Plan, state: &State, gates: &Gates) -> String {
    let runbook: &Arc<_> = &plan.runbook;
    let owner = runbook.owner.as_ref().map(|owner| owner.value.as_str());
    let mut text = format!("{} `{}`: {} steps\n", runbook.kind.name(), runbook.name.value, runbook.steps.len());
    let mut line = |line: String| {
        writeln!(text, "{line}").ok();
    };
    title_and_owner(run_title(plan, state), owner).into_iter().for_each(&mut line);
    for (phase, waves) in waves(plan, 0) {
        line(format!("\n{phase}"));
        for (number, wave) in waves.iter().enumerate() {
            for index in wave {
                line(step_line(plan, state, *index, number));
                gate_lines(plan, gates, *index).into_iter().for_each(&mut line);
                called_lines(plan, state, gates, *index).into_iter().for_each(|inner| line(format!("     {inner}")));
            }
        }
    }
    let path = critical_path(runbook, &plan::graph(runbook, &plan::index(runbook)), &plan.runbooks, &plan.catalogue);
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

fn step_line(plan: &plan::Plan, state: &State, index: StepIndex, wave: usize) -> String {
    let step = plan.step(index);
    let title = state.nodes_of(plan, index).next().and_then(|node| step_title(plan, state, node));
    let title = title_and_owner(title, step.owner.as_deref()).map(|title| format!(": {title}")).unwrap_or_default();
    let estimate =
        estimate(step, &plan.catalogue).map(|estimate| format!(", about {}", HumanDuration(estimate.typical)));
    let needs: Vec<&str> = plan.graph.needs(index).iter().map(|need| plan.step(*need).id.value.as_str()).collect();
    let after = if needs.is_empty() { String::new() } else { format!(" after {}", needs.join(", ")) };
    let mark = if step.point_of_no_return { " POINT OF NO RETURN" } else { "" };
    let called = plan.called(index).map(|part| &plan.parts[part].runbook);
    let called = called.map(|runbook| format!(" {} `{}`", runbook.kind.name(), runbook.name.value));
    format!(
        "  {}. {} [{}{}]{after}{}{mark}{title}",
        wave + 1,
        plan.path(index),
        step.action.name.value,
        called.unwrap_or_default(),
        estimate.unwrap_or_default()
    )
}

/// What is approved with the digest stands below it.
fn gate_lines(plan: &plan::Plan, gates: &Gates, index: StepIndex) -> Vec<String> {
    let path = plan.path(index);
    match gates.get(&path) {
        Some(Ok(asked)) => {
            let digest = format!("       gate: {path}={}", digest::short(&asked.digest));
            let does = asked.preview.iter().map(|line| format!("         does: {line}"));
            std::iter::once(digest).chain(does).collect()
        }
        Some(Err(why)) => vec![format!("       gate: digest {why}")],
        None => Vec::new(),
    }
}

/// The steps of the runbook that a step calls, each phase's waves after those of the phase before.
fn called_lines(plan: &plan::Plan, state: &State, gates: &Gates, index: StepIndex) -> Vec<String> {
    let Some(part) = plan.called(index) else { return Vec::new() };
    let mut lines = Vec::new();
    let waves = waves(plan, part).into_iter().flat_map(|(_, waves)| waves);
    for (number, wave) in waves.enumerate() {
        for inner in wave {
            lines.push(step_line(plan, state, inner, number));
            lines.extend(gate_lines(plan, gates, inner));
            lines.extend(called_lines(plan, state, gates, inner).into_iter().map(|line| format!("     {line}")));
        }
    }
    lines
}
