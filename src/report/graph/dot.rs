//! A plan for Graphviz.

use std::fmt::Write as _;

use super::super::plan::{Outline, PhaseOutline, StepOutline};
use super::super::sanitise::sanitise;
use super::lines;

/// The text of a `.dot` file.
#[must_use]
pub fn dot(plan: &Outline) -> String {
    let mut text = format!("digraph {} {{\n", quoted(&format!("{} {}", plan.kind, plan.runbook)));
    text.push_str("  compound=true; rankdir=TB; fontname=\"sans-serif\";\n");
    text.push_str(
        "  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"sans-serif\", fontsize=11];\n",
    );
    let mut edges = String::new();
    for phase in &plan.phases {
        writeln!(text, "  subgraph \"cluster {0}\" {{ label=\"{0}\"; style=filled; color=\"#f3f5f7\";", phase.phase)
            .ok();
        steps(phase, 2, (&mut text, &mut edges));
        text.push_str("  }\n");
    }
    text + &edges + "}\n"
}

fn steps(phase: &PhaseOutline, indent: usize, (text, edges): (&mut String, &mut String)) {
    let space = "  ".repeat(indent);
    for step in phase.waves.iter().flatten() {
        if let Some(call) = &step.calls {
            let head = format!("{space}subgraph {} {{", quoted(&format!("cluster {}", step.path)));
            writeln!(text, "{head} label={}; style=filled; color=\"#eaeef2\";", quoted(&call.runbook)).ok();
            writeln!(text, "{space}  {}", node(step)).ok();
            call.phases.iter().for_each(|phase| steps(phase, indent + 1, (text, edges)));
            writeln!(text, "{space}}}").ok();
        } else {
            writeln!(text, "{space}{}", node(step)).ok();
        }
        for need in &step.needs {
            writeln!(edges, "  {} -> {};", quoted(need), quoted(&step.path)).ok();
        }
    }
}

fn node(step: &StepOutline) -> String {
    let fill = match step {
        step if step.point_of_no_return => ", fillcolor=\"#ffe9e7\"",
        step if step.approval.is_some() => ", fillcolor=\"#fff6d6\"",
        step if step.does.action == "notify" => ", fillcolor=\"#e6f4ea\"",
        _ => "",
    };
    let border = if step.critical { ", color=\"#0b5cad\", penwidth=2.5" } else { "" };
    let out = match step.applies {
        Some(false) => ", style=\"rounded,filled,dashed\", fontcolor=\"#8c959f\"",
        _ => "",
    };
    format!("{} [label={}{fill}{border}{out}];", quoted(&step.path), quoted(&lines(step).join("\n")))
}

/// Text as Graphviz takes it.
pub(in crate::report) fn quoted(text: &str) -> String {
    let text = sanitise(text).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{text}\"")
}
