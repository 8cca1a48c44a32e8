//! A plan as people and programs read it: what a run would do, in which order, who must agree, how long it takes.
//!
//! [`Outline`] is the one description: the text, the JSON document and the graph are made from it.

mod build;
mod gate;
mod outline;
mod permissions;
mod text;
mod values;

pub use build::outline;
pub use outline::{
    Call, Check, Choice, Gate, Given, Needed, Outline, Parameter, PhaseOutline, Repeated, Seconds, StepOutline, Times,
    Use,
};
pub use text::{Detail, text};

/// The outline as one versioned document, for programs.
#[must_use]
pub fn json(plan: &Outline) -> String {
    let text = serde_json::to_string_pretty(plan).unwrap_or_default();
    text.lines().map(|line| super::json::visible(line) + "\n").collect()
}
