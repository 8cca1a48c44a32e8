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

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted<'r> {
    /// The subscription, else the host.
    pub(super) subscription: &'r str,
    /// The service, such as `microsoft.sql`: each may refuse requests of its own accord. Empty where there is none.
    pub(super) service: &'r str,
    /// The verb.
    pub(super) method: Method,
}

/// The limits of a run.
#[derive(Debug, Default)]
pub(super) struct Limiter(Mutex<Limits>);

#[derive(Debug, Default)]
struct Limits {
    /// Until when the places of a subscription are taken: one that is full has none left.
    used: BTreeMap<(String, Sort), Timestamp>,
    /// Until when Azure said to wait, by subscription and service; the service is empty where all of them are meant.
    closed: BTreeMap<(String, String, Sort), Timestamp>,
}

impl Limiter {
    /// Takes the next place for a request; how long to wait before sending it.
    pub(super) fn place(&self, request: Counted<'_>, now: Timestamp) -> Duration {
        let (size, per_second) = bucket(request.method);
        let each = i64::from(1000 / per_second);
        let full = each * i64::from(size);
        let mut limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let used = limits.used.entry((request.subscription.to_owned(), Sort::of(request.method))).or_default();
        *used = Timestamp(used.0.max(now.0 - full) + each);
        now.until(*used)
    }

    /// How long nothing of the request's sort is sent to its service, because Azure said so.
    pub(super) fn closed(&self, request: Counted<'_>, now: Timestamp) -> Duration {
        let limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = |service: &str| (request.subscription.to_owned(), service.to_owned(), Sort::of(request.method));
        let until = ["", request.service].map(|service| limits.closed.get(&key(service)).copied().unwrap_or_default());
        now.until(until.into_iter().fold(now, Timestamp::max))
    }

    /// Azure said to wait: nothing more of this sort is sent to the service before, to none where it names none.
    pub(super) fn close(&self, request: Counted<'_>, until: Timestamp) {
        let mut limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (request.subscription.to_owned(), request.service.to_owned(), Sort::of(request.method));
        let closed = limits.closed.entry(key).or_default();
        *closed = until.max(*closed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    const fn counted(subscription: &str, method: Method) -> Counted<'_> {
        Counted { subscription, service: "microsoft.sql", method }
    }

    #[test]
    fn a_burst_passes_and_the_rest_is_spread_evenly() {
        let limiter = Limiter::default();
        let waits: Vec<u128> = (0..203).map(|_| limiter.place(counted("s", Method::Put), NOW).as_millis()).collect();
        assert_eq!(waits[199..], [0, 100, 200, 300]);
        assert_eq!(limiter.place(counted("s", Method::Get), NOW), Duration::ZERO);
        assert_eq!(limiter.place(counted("other", Method::Put), NOW), Duration::ZERO);
    }

    #[test]
    fn a_service_that_refuses_holds_back_its_own_requests_of_the_same_sort() {
        let limiter = Limiter::default();
        limiter.close(counted("s", Method::Get), NOW.plus(Duration::from_secs(17)));
        assert_eq!(limiter.closed(counted("s", Method::Get), NOW), Duration::from_secs(17));
        assert_eq!(limiter.closed(counted("s", Method::Post), NOW), Duration::ZERO);
        let other = Counted { service: "microsoft.web", ..counted("s", Method::Get) };
        assert_eq!(limiter.closed(other, NOW), Duration::ZERO);
    }

    #[test]
    fn a_subscription_that_is_full_holds_back_all_services() {
        let limiter = Limiter::default();
        let all = Counted { service: "", ..counted("s", Method::Get) };
        limiter.close(all, NOW.plus(Duration::from_secs(17)));
        assert_eq!(limiter.closed(counted("s", Method::Get), NOW), Duration::from_secs(17));
    }
}
