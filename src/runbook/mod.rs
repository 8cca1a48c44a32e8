//! The runbook language: source, syntax tree, expressions.
