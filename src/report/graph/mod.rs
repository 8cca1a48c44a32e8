//! The steps of a plan as a picture: bands for the phases, a row for each wave, the critical path marked.
//!
//! [`layout()`] decides where everything stands, and knows no format; what writes one decides nothing.

mod dot;
mod layered;
mod mermaid;
mod metrics;
mod nodes;
mod picture;
mod style;
mod svg;

pub use dot::dot;
pub(super) use dot::quoted as quoted_dot;
pub(super) use mermaid::escaped as quoted_mermaid;
pub use mermaid::mermaid;
pub(super) use nodes::{Node, nodes};
pub use picture::{Band, Edge, Keys, Label, Picture, Rect, StepBox, Words, layout};
pub use svg::svg;

use super::plan::StepOutline;

/// What stands in the box of a step, where the format has no words of its own for it.
fn lines(step: &StepOutline) -> Vec<String> {
    let mut lines = vec![step.title.clone().unwrap_or_else(|| step.path.clone()), step.path.clone()];
    lines.dedup();
    lines.extend(step.estimate.map(|(typical, worst)| format!("{typical}, at worst {worst}")));
    lines.extend(step.approval.as_ref().map(|gate| {
        if gate.by.is_empty() { "gate: anybody".to_owned() } else { format!("gate: {}", gate.by.join(" or ")) }
    }));
    lines.extend(step.point_of_no_return.then(|| "point of no return".to_owned()));
    lines
}
