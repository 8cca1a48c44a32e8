//! The clock. All waiting goes through it, so that time is a parameter.

use std::time::Duration;

use super::Act;
use crate::catalogue::Timestamp;

/// Tells the time and waits for it.
pub trait Clock: Send + Sync {
    /// The present. Never moves backwards within one process, whatever happens to the wall clock.
    fn now(&self) -> Timestamp;
    /// Returns once `span` has passed.
    fn sleep(&self, span: Duration) -> Act<'_, ()>;
}

/// The machine's clock: the wall clock as it stood at the start, moved on by the time since boot,
/// which goes on counting while the machine is suspended and does not jump when the date is set.
pub struct SystemClock {
    wall: Timestamp,
    boot: Duration,
}

impl SystemClock {
    /// A clock that starts now, and not before `floor` (the last time a journal names).
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    pub fn start(floor: Timestamp) -> Self {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self { wall: Timestamp(0).plus(since_epoch).max(floor), boot: since_boot() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.wall.plus(since_boot().saturating_sub(self.boot))
    }

    fn sleep(&self, span: Duration) -> Act<'_, ()> {
        Box::pin(tokio::time::sleep(span))
    }
}

/// `CLOCK_BOOTTIME`: unlike `CLOCK_MONOTONIC` it counts the time a laptop sleeps.
fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
