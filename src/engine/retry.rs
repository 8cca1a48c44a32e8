//! When a failed attempt is tried again.

use std::time::Duration;

use crate::runbook::ast::Retry;

/// The wait before the next attempt, after `attempts` of them: `initial`, twice that, and so on, at
/// most `max`; `jitter` (from 0 to 1) takes up to a quarter off, so that many steps do not come back at once.
/// `None` where there is no next attempt.
#[must_use]
pub(super) fn wait_before_next(retry: &Retry, attempts: u32, jitter: f64) -> Option<Duration> {
    if attempts >= retry.attempts {
        return None;
    }
    let doublings = attempts.saturating_sub(1).min(31);
    let wait = retry.initial.saturating_mul(1 << doublings).min(retry.max);
    Some(wait.mul_f64(1.0 - 0.25 * jitter.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_end_with_the_attempts() {
        let retry = Retry { attempts: 6, initial: Duration::from_secs(2), max: Duration::from_secs(12) };
        let waits: Vec<Option<u64>> =
            (1..=6).map(|attempts| wait_before_next(&retry, attempts, 0.0).map(|wait| wait.as_secs())).collect();
        assert_eq!(waits, [Some(2), Some(4), Some(8), Some(12), Some(12), None]);
        assert_eq!(wait_before_next(&retry, 1, 1.0), Some(Duration::from_millis(1500)));
        let endless = Retry { attempts: u32::MAX, ..retry };
        assert_eq!(wait_before_next(&endless, 4_000_000, 0.0), Some(Duration::from_secs(12)));
    }
}
