//! When each channel may be sent to: no sooner than its receiver asks for, however many notices go there side by side.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::catalogue::Timestamp;

/// When each channel may be sent to again: all notices of a process share it.
#[derive(Default)]
pub(super) struct Limiter(Mutex<BTreeMap<String, Gate>>);

/// Before one channel.
#[derive(Default)]
struct Gate {
    free_at: Timestamp,
    line: Line,
}

/// Those who want to send through one channel, in the order in which they came.
type Line = Arc<tokio::sync::Mutex<()>>;

/// To be the first in the line of a channel: nobody else may send, until this is dropped.
pub(super) type First = OwnedMutexGuard<()>;

impl Limiter {
    pub(super) fn free_at(&self, channel: &str) -> Timestamp {
        self.of(channel, |gate| gate.free_at)
    }

    pub(super) fn leave_alone_until(&self, channel: &str, until: Timestamp) {
        self.of(channel, |gate| gate.free_at = until.max(gate.free_at));
    }

    /// Waits until all who came sooner have sent.
    pub(super) async fn first(&self, channel: &str) -> First {
        let line = self.of(channel, |gate| Arc::clone(&gate.line));
        line.lock_owned().await
    }

    fn of<T>(&self, channel: &str, look: impl FnOnce(&mut Gate) -> T) -> T {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        look(gates.entry(channel.to_owned()).or_default())
    }
}
