//! Expressions: one language, Tera, in values, in `when` and in notices.
//!
//! An expression is compiled once and evaluated to a typed value. Which names it may read is found
//! by [`scan`], before anything runs. Knows nothing of steps or inputs: it is given a [`Scope`].

mod evaluate;
pub mod infer;
pub mod scan;
mod strict;
mod templated;

pub use evaluate::{Compiled, Expressions, LARGEST_NOTICE, Notice, Scope, Undefined, compile_notice};
pub use scan::{Path, Scan};
pub use templated::{Part, Rendered, Segment, Templated};

/// An expression of a runbook: its place in the table of [`Expressions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExprId(pub u32);
