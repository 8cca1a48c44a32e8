//! drctl runs disaster-recovery runbooks.

#![warn(missing_docs)]

pub mod actions;
pub mod catalogue;
pub mod diag;
pub mod edge;
pub mod engine;
pub mod journal;
pub mod plan;
pub mod report;
pub mod runbook;
