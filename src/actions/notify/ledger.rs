//! What is known of the deliveries of a notice, and how much of that the journal does not hold yet.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::catalogue::Timestamp;
use crate::engine::Deliveries;

/// The first handle of a process tells all that is known, each one after it what has changed.
#[derive(Default)]
pub(super) struct Ledger {
    known: Deliveries,
    changed: BTreeSet<String>,
    is_begun: bool,
}

impl Ledger {
    /// Begins with what earlier processes knew.
    pub(super) fn of(known: Deliveries) -> Self {
        Self { known, ..Self::default() }
    }

    pub(super) fn known(&self) -> &Deliveries {
        &self.known
    }

    pub(super) fn into_known(self) -> Deliveries {
        self.known
    }

    /// The delivery was taken; what the receiver calls what it made of it.
    pub(super) fn taken(&mut self, name: &str, channel: &str, receipt: Option<String>) {
        self.change(name).taken(name);
        self.known.receipts.extend(receipt.map(|receipt| (channel.to_owned(), receipt)));
    }

    /// The delivery was not taken.
    pub(super) fn refused(&mut self, name: &str, why: String) {
        self.change(name).refused(name, why);
    }

    /// Nothing tells whether the delivery was taken.
    pub(super) fn doubt(&mut self, name: &str, why: String) {
        self.change(name).doubt(name, why);
    }

    /// It may have been taken, and may be sent again all the same.
    pub(super) fn unheard(&mut self, name: &str, why: String) {
        self.change(name).why.insert(name.to_owned(), why);
    }

    /// It was not even tried; an earlier reason stays.
    pub(super) fn untried(&mut self, name: &str, why: &str) {
        self.change(name).why.entry(name.to_owned()).or_insert_with(|| why.to_owned());
    }

    /// When the delivery was first sent: now, if never before.
    pub(super) fn first_sent(&mut self, name: &str, now: Timestamp) -> Timestamp {
        *self.change(name).first_sent.entry(name.to_owned()).or_insert(now)
    }

    /// The next handle.
    pub(super) fn handle(&mut self, sending: Option<&str>) -> Value {
        let changed = std::mem::take(&mut self.changed);
        if std::mem::replace(&mut self.is_begun, true) {
            return self.known.changes(&changed, sending);
        }
        json!(Deliveries { sending: sending.map(str::to_owned), ..self.known.clone() })
    }

    fn change(&mut self, name: &str) -> &mut Deliveries {
        self.changed.insert(name.to_owned());
        &mut self.known
    }
}
