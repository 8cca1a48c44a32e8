//! A run as a viewer knows it: the fold of the records it was given.

use std::sync::Arc;

use super::from_here::FromHere;
use super::sanitise::Cleaner;
use super::timeline::Timeline;
use crate::catalogue::Timestamp;
use crate::engine::{Decided, Decision, Event, Illegal, State};
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
    /// How commands are typed where it is shown.
    pub(super) from_here: FromHere,
    /// Who had asked for a retry before the last record.
    pub(super) asked_before: Vec<String>,
}

impl View {
    /// Of a run of which nothing has happened yet.
    pub(super) fn new(plan: Arc<Plan>, run: String, cleaner: Cleaner) -> Self {
        let (state, timeline) = (State::new(&plan), Timeline::new(&plan));
        Self {
            state,
            timeline,
            run,
            cleaner,
            plan,
            stays: true,
            from_here: FromHere::default(),
            asked_before: Vec::new(),
        }
    }

    /// Takes in a record.
    pub(super) fn apply(&mut self, at: Timestamp, event: &Event) -> Result<(), Illegal> {
        let step = event.step().filter(|_| matches!(event, Event::Decided(_)));
        let step = step.and_then(|path| self.state.find(&self.plan, &path.0));
        self.asked_before = step.map(|step| self.state.node(step).again().to_vec()).unwrap_or_default();
        self.state.apply(&self.plan, at, event)?;
        self.timeline.record(&self.plan, &self.state, at, event);
        Ok(())
    }

    /// Who said the same before, where the record that was just taken in is a retry for which one alone is not enough.
    pub(super) fn said_before(&self, decided: &Decided) -> String {
        match self.asked_before.as_slice() {
            [] => String::new(),
            _ if decided.decision != Decision::Retry => String::new(),
            people => format!(", as {} said before", people.join(", ")),
        }
    }
}
