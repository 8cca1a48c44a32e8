//! The shell around the engine: reads the workspace, drives the machine, runs its jobs, hears people.

pub mod announce;
pub mod check;
pub mod decide;
pub mod doctor;
mod drill;
pub mod driver;
mod dry_run;
pub mod earlier;
pub mod evidence;
pub mod files;
pub mod find;
pub mod fix;
pub mod history;
pub mod inputs;
pub mod load;
mod metrics;
#[cfg(feature = "mutants")]
mod mutant;
pub mod owed;
pub mod pin;
pub mod preview;
mod programs;
pub mod region;
pub mod rehearse;
pub mod report;
pub mod run;
pub mod saved_plan;
mod secrets;
mod session;
pub mod signals;
pub mod surroundings;
pub mod survivors;
pub mod view;
pub mod watch;
mod worker;
