//! The runbook language: source, syntax tree, expressions.

pub mod source;
