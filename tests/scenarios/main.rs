//! Runbooks run by the built binary, as people would: what is printed, what happens, how it ends.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

mod clock;
mod composition;
mod dry_run;
mod escalation;
mod failure;
mod fmt;
mod gates;
mod language;
mod notices;
mod output;
mod plan;
mod resume;
mod secrets;
mod signals;
#[path = "../support/tool.rs"]
mod tool;
#[path = "../support/until.rs"]
mod until;
mod workspace;
