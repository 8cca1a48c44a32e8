//! The simulated world of a rehearsal: scenarios, and what stands in for everything outside.

pub mod azure;
pub mod scenario;
pub mod stand_in;
