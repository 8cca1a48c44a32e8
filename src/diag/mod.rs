//! Findings about a user's files: places, diagnostics, and how they are shown.
//!
//! Knows text and places; what a runbook is, is not its business.

mod diagnostic;
mod limit;
mod mend;
mod render;
mod sources;
mod span;
mod suggest;

pub use diagnostic::{Diagnostic, Fix, Severity, sort};
pub use limit::{MOST_FOUND, Patience, limited};
pub use mend::mend;
pub use render::{Format, Help, json, render, sarif};
pub use sources::{Position, SourceId, Sources};
pub use span::{Span, Spanned};
use suggest::near;
pub use suggest::{closest, listed};
