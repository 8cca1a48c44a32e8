//! Expressions: one language, Tera, in values, in `when` and in notices.
//!
//! An expression is compiled once and evaluated to a typed value. Which names it may read is found
//! by [`scan`], before anything runs. Knows nothing of steps or inputs: it is given a [`Scope`].

pub mod compared;
mod evaluate;
pub mod infer;
mod notice;
pub mod scan;
mod strict;
mod templated;
mod time;

pub use evaluate::{Compiled, Expressions, Scope, Undefined};
pub use notice::{LARGEST_NOTICE, Notice, Refused, Teller, Text, includes};
pub use scan::{Path, Scan};
pub use templated::{Part, Rendered, Segment, Templated};

/// An expression of a runbook: its place in the table of [`Expressions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExprId(pub u32);
