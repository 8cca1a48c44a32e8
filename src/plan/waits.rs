//! Waits, against the time that their steps have.

use std::time::Duration;

use crate::catalogue::HumanDuration;

/// Why a wait of that span never comes to its end within the timeout of its step; nothing where it does, or is none.
#[must_use]
pub fn too_long(span: &str, timeout: Duration) -> Option<String> {
    let span = HumanDuration::parse(span).ok().filter(|span| span.0 >= timeout)?;
    Some(format!("the wait of {span} must be shorter than the timeout of {}", HumanDuration(timeout)))
}
