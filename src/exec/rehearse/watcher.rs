//! Looks on at a rehearsed run, and has its people answer in time.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use super::operator::{Operators, Reply, is_stuck, person};
use crate::edge::clock::Clock;
use crate::engine::{Decided, Event, Node, State};
use crate::exec::driver::{Call, Sink};
use crate::journal::Record;
use crate::plan::Plan;
use crate::sim::scenario::Scenario;

/// Looks at the world.
pub(super) type Looks = dyn Fn(&Node) -> bool + Send + Sync;
/// Tells of a step whether what is in doubt happened.
pub(super) type Truth = Arc<Looks>;

/// The sink of one process of a rehearsal.
pub(super) struct Watcher {
    pub(super) plan: Arc<Plan>,
    pub(super) scenario: Arc<Scenario>,
    pub(super) operator: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) truth: Option<Truth>,
    pub(super) calls: mpsc::UnboundedSender<Call>,
    /// The state of the durable records.
    pub(super) state: State,
    /// All durable records.
    pub(super) records: Records,
    /// Replies under way.
    pub(super) coming: BTreeSet<String>,
}

/// Records that are durable, in order.
pub(super) type Records = Arc<Mutex<Vec<Record<Event>>>>;

pub(super) fn lock(records: &Records) -> MutexGuard<'_, Vec<Record<Event>>> {
    records.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watcher {
    fn look(&mut self) {
        let truth = self.truth.as_deref();
        let operators = Operators { plan: &self.plan, scenario: &self.scenario, operator: &self.operator, truth };
        for reply in operators.replies(&self.state) {
            if !self.state.decisions.contains(&reply.id) && self.coming.insert(reply.id.clone()) {
                self.schedule(reply);
            }
        }
        if self.coming.is_empty() && is_stuck(&self.state) {
            self.calls.send(Call::NobodyAnswers).ok();
        }
    }

    fn schedule(&self, reply: Reply) {
        let (clock, calls) = (Arc::clone(&self.clock), self.calls.clone());
        tokio::spawn(async move {
            clock.sleep(reply.after).await;
            let decided = Decided {
                id: reply.id,
                step: reply.step,
                decision: reply.decision,
                person: person(&reply.person),
                from: "rehearsal".to_owned(),
                at: clock.now(),
                reason: Some(reply.reason),
                others: 0,
            };
            calls.send(Call::Decide(Box::new(decided))).ok();
        });
    }
}

impl Sink for Watcher {
    fn records(&mut self, records: Vec<Record<Event>>) {
        lock(&self.records).extend(records.iter().cloned());
        for record in &records {
            // The driver refuses what does not fit, and says so.
            self.state.apply(&self.plan, record.at, &record.event).ok();
            match &record.event {
                Event::Decided(decided) => drop(self.coming.remove(&decided.id)),
                Event::DecisionRefused { id, .. } => drop(self.coming.remove(id)),
                _ => {}
            }
        }
        self.look();
    }

    fn note(&mut self, _line: String) {}
}
