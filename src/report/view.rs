//! A run as a viewer knows it: the fold of the records it was given.

use std::sync::Arc;

use super::sanitise::Cleaner;
use super::timeline::Timeline;
use crate::catalogue::Timestamp;
use crate::engine::{Event, Illegal, State};
use crate::plan::Plan;

/// What every sink needs to say something.
#[derive(Debug)]
pub(super) struct View {
    pub(super) plan: Arc<Plan>,
    pub(super) run: String,
    pub(super) state: State,
    pub(super) timeline: Timeline,
    pub(super) cleaner: Cleaner,
    /// Whether the process that drives the run stays while it waits for people.
    pub(super) stays: bool,
}

impl View {
    /// Of a run of which nothing has happened yet.
    pub(super) fn new(plan: Arc<Plan>, run: String, cleaner: Cleaner) -> Self {
        Self { state: State::new(&plan), timeline: Timeline::new(&plan), run, cleaner, plan, stays: true }
    }

    /// Takes in a record.
    pub(super) fn apply(&mut self, at: Timestamp, event: &Event) -> Result<(), Illegal> {
        self.state.apply(&self.plan, at, event)?;
        self.timeline.record(&self.plan, &self.state, at, event);
        Ok(())
    }
}
