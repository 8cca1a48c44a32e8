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
use serde_json::Value;

pub use text::{Detail, text};

/// The outline as one versioned document, for programs, with what is known of when the runbook was tried.
#[must_use]
pub fn json(plan: &Outline, tried: &Value) -> String {
    let mut document = serde_json::to_value(plan).unwrap_or_default();
    if let Value::Object(document) = &mut document {
        document.insert("tried".to_owned(), tried.clone());
    }
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.lines().map(|line| super::json::visible(line) + "\n").collect()
}
