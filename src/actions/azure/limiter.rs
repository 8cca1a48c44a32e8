//! How many requests go to a subscription: one limit for all steps of a run, so that those that run at the same
//! time do not starve each other. Places are given in the order they were asked for.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Method;
use crate::catalogue::Timestamp;

/// Resource Manager's buckets (per subscription and principal): 250 reads and 25 more a second, 200 writes or
/// deletes and 10 more a second. Source: Azure Resource Manager throttling documentation.
const fn bucket(method: Method) -> (u32, u32) {
    match method {
        Method::Get => (250, 25),
        _ => (200, 10),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Read,
    Write,
    Delete,
}

impl Sort {
    fn of(method: Method) -> Self {
        match method {
            Method::Get => Self::Read,
            Method::Delete => Self::Delete,
            Method::Put | Method::Patch | Method::Post => Self::Write,
        }
    }
}

#[derive(Debug)]
struct Bucket {
    /// Milliseconds of credit used up: a bucket that is full has none.
    used_until: Timestamp,
    /// Azure said to wait until then.
    closed_until: Timestamp,
}

/// The limits of a run.
#[derive(Debug, Default)]
pub(super) struct Limiter(Mutex<BTreeMap<(String, Sort), Bucket>>);

impl Limiter {
    /// Takes the next place for a request; how long to wait before sending it.
    pub(super) fn wait(&self, subscription: &str, method: Method, now: Timestamp) -> Duration {
        let (size, per_second) = bucket(method);
        let each = i64::from(1000 / per_second);
        let full = each * i64::from(size);
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = || Bucket { used_until: Timestamp(0), closed_until: Timestamp(0) };
        let bucket = buckets.entry((subscription.to_owned(), Sort::of(method))).or_insert_with(empty);
        bucket.used_until = Timestamp(bucket.used_until.0.max(now.0 - full) + each);
        now.until(bucket.used_until.max(bucket.closed_until))
    }

    /// Azure said to wait: nothing more of this sort is sent before.
    pub(super) fn close(&self, subscription: &str, method: Method, until: Timestamp) {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(&(subscription.to_owned(), Sort::of(method))) {
            bucket.closed_until = bucket.closed_until.max(until);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_the_rest_is_spread_evenly() {
        let limiter = Limiter::default();
        let now = Timestamp(1_000_000);
        let waits: Vec<u128> = (0..203).map(|_| limiter.wait("s", Method::Put, now).as_millis()).collect();
        assert_eq!(waits[199..], [0, 100, 200, 300]);
        assert_eq!(limiter.wait("s", Method::Get, now), Duration::ZERO);
        assert_eq!(limiter.wait("other", Method::Put, now), Duration::ZERO);
    }

    #[test]
    fn a_refusal_holds_back_all_of_its_sort() {
        let limiter = Limiter::default();
        let now = Timestamp(1_000_000);
        limiter.wait("s", Method::Get, now);
        limiter.close("s", Method::Get, now.plus(Duration::from_secs(17)));
        assert_eq!(limiter.wait("s", Method::Get, now), Duration::from_secs(17));
        assert_eq!(limiter.wait("s", Method::Post, now), Duration::ZERO);
    }
}
