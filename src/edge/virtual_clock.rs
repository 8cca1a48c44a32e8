//! Clocks of rehearsals: one that jumps, and one that runs faster than the wall clock.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
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

/// The wall clock, sped up: a minute passes in a second at a speed of 60. It slows down to the wall clock's pace while
/// a person is asked, so that a time limit of ten minutes leaves them ten minutes.
pub struct ScaledClock {
    wall: SystemClock,
    speed: u32,
    pace: watch::Sender<Pace>,
}

/// How fast time passes, since a moment.
#[derive(Clone, Copy)]
struct Pace {
    /// The wall clock's time then.
    wall: Timestamp,
    /// The time that this clock told then.
    told: Timestamp,
    times: u32,
}

impl Pace {
    fn at(&self, wall: Timestamp) -> Timestamp {
        self.told.plus(self.wall.until(wall) * self.times)
    }
}

impl ScaledClock {
    /// A clock that starts at the present and runs `speed` times as fast; at least once.
    #[must_use]
    pub fn start(speed: u32) -> Self {
        let (wall, speed) = (SystemClock::start(Timestamp(0)), speed.max(1));
        let now = wall.now();
        Self { wall, speed, pace: watch::Sender::new(Pace { wall: now, told: now, times: speed }) }
    }

    /// Goes at the wall clock's pace from now on, or at full speed again.
    pub fn slow_down(&self, slow: bool) {
        let (wall, times) = (self.wall.now(), if slow { 1 } else { self.speed });
        self.pace.send_if_modified(|pace| {
            let changes = pace.times != times;
            if changes {
                *pace = Pace { wall, told: pace.at(wall), times };
            }
            changes
        });
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> Timestamp {
        self.pace.borrow().at(self.wall.now())
    }

    fn sleep(&self, span: Duration) -> Act<'_, ()> {
        let (until, mut pace) = (self.now().plus(span), self.pace.subscribe());
        Box::pin(async move {
            loop {
                let times = pace.borrow_and_update().times;
                let left = self.now().until(until);
                if left.is_zero() {
                    return;
                }
                tokio::select! {
                    () = self.wall.sleep((left / times).max(Duration::from_millis(1))) => {}
                    Ok(()) = pace.changed() => {}
                }
            }
        })
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

    #[test]
    fn a_time_limit_leaves_a_person_as_long_as_it_says() {
        let clock = ScaledClock::start(1000);
        runtime().block_on(async {
            let began = clock.now();
            let limit = clock.sleep(Duration::from_mins(1));
            clock.slow_down(true);
            let (wall, asked) = (SystemClock::start(Timestamp(0)), clock.now());
            let since = wall.now();
            while since.until(wall.now()) < Duration::from_millis(20) {
                std::hint::spin_loop();
            }
            assert!(asked.until(clock.now()) < Duration::from_secs(15), "time flies while a person is asked");
            clock.slow_down(false);
            limit.await;
            assert!(began.until(clock.now()) >= Duration::from_mins(1), "the limit passed too early");
        });
    }
}
