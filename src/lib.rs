//! drctl runs disaster-recovery runbooks.

#![warn(missing_docs)]

pub mod actions;
pub mod catalogue;
pub mod cli;
pub mod diag;
pub mod edge;
pub mod engine;
pub mod error;
pub mod evidence;
pub mod exec;
pub mod journal;
pub mod lint;
pub mod notify;
pub mod plan;
pub mod report;
pub mod runbook;
pub mod sim;
