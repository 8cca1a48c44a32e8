//! Clocks of rehearsals: one that jumps, and one that runs faster than the wall clock.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Act;
use super::clock::{Clock, SystemClock};
use crate::catalogue::Timestamp;

/// Virtual time: moves only when all there is waits, and then to the next moment something waits for.
///
/// Follows the paused clock of one tokio runtime after the other: when a rehearsed process dies, its runtime goes,
/// and time goes on in the next.
pub struct VirtualClock {
    /// The time when the current runtime began, and its own clock then.
    origin: Mutex<(Timestamp, Option<Instant>)>,
}

impl VirtualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self { origin: Mutex::new((start, None)) }
    }

    /// Goes on in the runtime this is called in, whose clock must be paused.
    pub fn enter(&self) {
        self.set(self.now(), Some(Instant::now()));
    }

    /// Stands still from here on, `later` than now. Call it before the runtime goes.
    pub fn leave(&self, later: Duration) {
        self.set(self.now().plus(later), None);
    }

    fn set(&self, at: Timestamp, since: Option<Instant>) {
        *self.origin.lock().unwrap_or_else(PoisonError::into_inner) = (at, since);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let (at, since) = *self.origin.lock().unwrap_or_else(PoisonError::into_inner);
        since.map_or(at, |since| at.plus(since.elapsed()))
    }

    fn sleep(&self, span: Duration) -> Act<'_, ()> {
        Box::pin(tokio::time::sleep(span))
    }
}

/// The wall clock, sped up: a minute passes in a second at a speed of 60.
pub struct ScaledClock {
    clock: SystemClock,
    start: Timestamp,
    speed: u32,
}

impl ScaledClock {
    /// A clock that starts at the present and runs `speed` times as fast; at least once.
    #[must_use]
    pub fn start(speed: u32) -> Self {
        let clock = SystemClock::start(Timestamp(0));
        Self { start: clock.now(), clock, speed: speed.max(1) }
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> Timestamp {
        self.start.plus(self.start.until(self.clock.now()) * self.speed)
    }

    fn sleep(&self, span: Duration) -> Act<'_, ()> {
        self.clock.sleep(span / self.speed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
    }

    #[test]
    fn hours_pass_at_once_and_go_on_in_the_next_process() {
        let clock = VirtualClock::new(Timestamp(1000));
        runtime().block_on(async {
            clock.enter();
            clock.sleep(Duration::from_hours(2)).await;
            clock.leave(Duration::from_secs(1));
        });
        assert_eq!(clock.now(), Timestamp(1000 + 7_200_000 + 1000));
        runtime().block_on(async {
            clock.enter();
            clock.sleep(Duration::from_secs(1)).await;
            assert_eq!(clock.now(), Timestamp(1000 + 7_200_000 + 2000));
        });
    }
}
