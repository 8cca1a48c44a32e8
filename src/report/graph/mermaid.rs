//! A plan as a Mermaid flowchart, for Markdown.

use std::fmt::Write as _;

use super::super::plan::{Outline, PhaseOutline, StepOutline};
use super::super::sanitise::sanitise;
use super::lines;

/// The text of a flowchart.
#[must_use]
pub fn mermaid(plan: &Outline) -> String {
    let mut chart = Chart { text: "flowchart TD\n".to_owned(), edges: String::new(), classes: String::new() };
    for phase in &plan.phases {
        writeln!(chart.text, "  subgraph {0}[\"{0}\"]", phase.phase).ok();
        chart.phase(phase, 2);
        chart.text.push_str("  end\n");
    }
    // A band is bordered by its name alone: the phase before it has ended.
    for pair in plan.phases.windows(2).filter(|pair| pair[1].phase != "communication") {
        writeln!(chart.edges, "  {} ==> {}", pair[0].phase, pair[1].phase).ok();
    }
    let styles = "  classDef critical stroke:#0b5cad,stroke-width:3px\n  classDef gate fill:#fff6d6,color:#1f2328\n  \
                  classDef final fill:#ffe9e7,color:#1f2328\n  classDef tells fill:#e6f4ea,color:#1f2328\n  \
                  classDef out stroke-dasharray:4 3\n";
    chart.text + &chart.edges + styles + &chart.classes
}

struct Chart {
    text: String,
    edges: String,
    classes: String,
}

impl Chart {
    fn phase(&mut self, phase: &PhaseOutline, indent: usize) {
        for step in phase.waves.iter().flatten() {
            self.step(step, indent);
        }
    }

    fn step(&mut self, step: &StepOutline, indent: usize) {
        let (space, name) = ("  ".repeat(indent), name(&step.path));
        match &step.calls {
            Some(call) => {
                writeln!(self.text, "{space}subgraph {name}[\"{}\"]", label(step)).ok();
                call.phases.iter().for_each(|phase| self.phase(phase, indent + 1));
                writeln!(self.text, "{space}end").ok();
            }
            None if step.approval.is_some() => drop(writeln!(self.text, "{space}{name}{{{{\"{}\"}}}}", label(step))),
            None => drop(writeln!(self.text, "{space}{name}[\"{}\"]", label(step))),
        }
        for need in &step.needs {
            writeln!(self.edges, "  {} --> {name}", self::name(need)).ok();
        }
        let classes = [
            (step.does.action == "notify", "tells"),
            (step.approval.is_some(), "gate"),
            (step.point_of_no_return, "final"),
            (step.applies == Some(false), "out"),
            (step.critical, "critical"),
        ];
        for (_, class) in classes.into_iter().filter(|(is, _)| *is) {
            writeln!(self.classes, "  class {name} {class}").ok();
        }
    }
}

/// A step's path as Mermaid takes names; none is a word of Mermaid's own, such as `end`. Ids have no capitals, so no two
/// paths share a name.
fn name(path: &str) -> String {
    format!("s_{}", path.replace('.', "_DOT_"))
}

fn label(step: &StepOutline) -> String {
    lines(step).iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br/>")
}

/// Text as Mermaid takes it within quotes.
pub(in crate::report) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in sanitise(text).replace('\n', " ").chars() {
        match character {
            '"' | '<' | '>' | '&' | '#' | ';' | '`' | '\\' => drop(write!(out, "#{};", u32::from(character))),
            plain => out.push(plain),
        }
    }
    out
}
