//! The steps of a plan as a picture: bands for the phases, a row for each wave, the critical path marked.
//!
//! [`layout()`] decides where everything stands, and knows no format; what writes one decides nothing.

mod dot;
mod layered;
mod mermaid;
mod metrics;
mod picture;
mod style;
mod svg;

pub use dot::dot;
pub use mermaid::mermaid;
pub use picture::{Band, Edge, Label, Picture, Rect, StepBox, Words, layout};
pub use svg::svg;
