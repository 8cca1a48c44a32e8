//! drctl runs disaster-recovery runbooks.

#![warn(missing_docs)]

pub mod actions;
pub mod catalogue;
pub mod diag;
pub mod edge;
pub mod journal;
pub mod notify;
pub mod runbook;
