//! What is hit as a picture: an arrow from each service to those that depend on it.

use std::fmt::Write as _;

use super::super::graph::{Keys, Node, Words, nodes, quoted_dot, quoted_mermaid};
use super::super::words::one_line as plain;
use super::Told;
use crate::catalogue::HumanDuration;
use crate::plan::impact::{Harm, Hit};
use crate::runbook::workspace::Service;

/// What the legend explains.
const MEANINGS: Keys = &[("final", "down"), ("gate", "reduced"), ("out", "only through what it depends on")];

/// The picture.
#[must_use]
pub fn picture(told: Told<'_>) -> super::super::graph::Picture {
    let heading = format!("{} is lost", plain(told.lost()));
    nodes(&heading, "services that are hit", &drawn(told), MEANINGS)
}

/// The services, each with what it depends on among them: in the order of recovery, what is needed stands before.
fn drawn(told: Told<'_>) -> Vec<Node> {
    let place = |name: &String| told.impact.hit.iter().position(|hit| hit.service == *name);
    let drawn = |(hit, service): (&Hit, &Service)| Node {
        name: hit.service.clone(),
        texts: texts(hit, service),
        needs: service.depends_on.iter().filter_map(place).collect(),
        is_final: hit.harm == Harm::Down && hit.moves.is_some(),
        is_gate: hit.harm == Harm::Reduced && hit.moves.is_some(),
        is_out: hit.moves.is_none(),
    };
    told.services().map(drawn).collect()
}

fn texts(hit: &Hit, service: &Service) -> Vec<(Words, String)> {
    let mut texts = vec![(Words::Title, plain(service.title.as_ref().unwrap_or(&hit.service)))];
    if service.title.is_some() {
        texts.push((Words::Code, plain(&hit.service)));
    }
    let mut about = vec![hit.harm.word().to_owned()];
    about.extend(service.tier.as_ref().map(|tier| plain(tier)));
    about.extend(service.rto.map(|rto| format!("RTO {}", HumanDuration(rto))));
    texts.push((Words::Note, about.join(", ")));
    match (&service.runbook, &hit.moves) {
        (Some(runbook), Some(moves)) => {
            let to = moves.to.as_ref().map(|to| format!(" to {}", plain(to))).unwrap_or_default();
            texts.push((Words::Code, format!("{}{to}", plain(&runbook.value))));
        }
        (None, Some(_)) if hit.is_lost() => texts.push((Words::Final, "no runbook".to_owned())),
        _ => {}
    }
    texts
}

/// A flowchart for Markdown.
#[must_use]
pub fn mermaid(told: Told<'_>) -> String {
    let nodes = drawn(told);
    let (mut text, mut edges) = ("flowchart TD\n".to_owned(), String::new());
    for (at, node) in nodes.iter().enumerate() {
        let label: Vec<String> = node.texts.iter().map(|(_, text)| quoted_mermaid(text)).collect();
        writeln!(text, "  s{at}[\"{}\"]", label.join("<br/>")).ok();
        let class = [(node.is_final, "final"), (node.is_gate, "gate"), (node.is_out, "out")];
        if let Some((_, class)) = class.into_iter().find(|(is, _)| *is) {
            writeln!(edges, "  class s{at} {class}").ok();
        }
        for need in &node.needs {
            writeln!(edges, "  s{need} --> s{at}").ok();
        }
    }
    let styles = "  classDef final fill:#ffe9e7,color:#1f2328\n  classDef gate fill:#fff6d6,color:#1f2328\n  \
                  classDef out stroke-dasharray:4 3\n";
    text + styles + &edges
}

/// For Graphviz.
#[must_use]
pub fn dot(told: Told<'_>) -> String {
    let mut text = format!("digraph {} {{\n", quoted_dot(&format!("{} is lost", told.lost())));
    text.push_str("  rankdir=TB;\n  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"sans-serif\", fontsize=11];\n");
    let nodes = drawn(told);
    for node in &nodes {
        let label: Vec<&str> = node.texts.iter().map(|(_, text)| text.as_str()).collect();
        let fill = match node {
            Node { is_final: true, .. } => ", fillcolor=\"#ffe9e7\"",
            Node { is_gate: true, .. } => ", fillcolor=\"#fff6d6\"",
            _ => ", style=\"rounded,dashed\"",
        };
        writeln!(text, "  {} [label={}{fill}];", quoted_dot(&node.name), quoted_dot(&label.join("\n"))).ok();
        for need in &node.needs {
            writeln!(text, "  {} -> {};", quoted_dot(&nodes[*need].name), quoted_dot(&node.name)).ok();
        }
    }
    text + "}\n"
}
