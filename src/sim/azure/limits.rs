//! How many requests a subscription may send: Resource Manager's buckets, full at first and filled again as time goes.

use std::collections::BTreeMap;

use super::answer::Answer;
use super::incoming::Incoming;
use super::world::World;
use crate::catalogue::Timestamp;

/// A sort of request: where the answer says how many are left, how many fit, how many come back each second.
struct Sort {
    header: &'static str,
    size: i64,
    each_second: i64,
}

const READS: Sort = Sort { header: "x-ms-ratelimit-remaining-subscription-reads", size: 250, each_second: 25 };
const WRITES: Sort = Sort { header: "x-ms-ratelimit-remaining-subscription-writes", size: 200, each_second: 10 };
const DELETES: Sort = Sort { header: "x-ms-ratelimit-remaining-subscription-deletes", size: 200, each_second: 10 };

/// What is left in a bucket, in thousandths of a request: what a millisecond adds is a whole number of them.
struct Bucket {
    left: i64,
    at: Timestamp,
}

/// The buckets of all subscriptions.
#[derive(Default)]
pub(super) struct Buckets(BTreeMap<(String, &'static str), Bucket>);

impl Buckets {
    /// Takes one request; how many are left, or how many seconds it is until there is one.
    fn take(&mut self, subscription: &str, sort: &Sort, now: Timestamp) -> Result<i64, i64> {
        let full = sort.size * 1000;
        let key = (subscription.to_ascii_lowercase(), sort.header);
        let bucket = self.0.entry(key).or_insert(Bucket { left: full, at: now });
        bucket.left = full.min(bucket.left + (now.0 - bucket.at.0) * sort.each_second);
        bucket.at = now;
        if bucket.left < 1000 {
            let missing = (1000 - bucket.left) / sort.each_second;
            return Err(missing / 1000 + 1);
        }
        bucket.left -= 1000;
        Ok(bucket.left / 1000)
    }
}

/// Counts a request to Resource Manager. The refusal where there were too many, else the header that says how many
/// are left.
pub(super) fn count(world: &mut World, incoming: &Incoming) -> Result<Option<(&'static str, i64)>, Answer> {
    let Some(subscription) = incoming.subscription() else { return Ok(None) };
    let (sort, of) = match incoming.method.as_str() {
        "GET" | "HEAD" => (&READS, "read"),
        "DELETE" => (&DELETES, "delete"),
        _ => (&WRITES, "write"),
    };
    let now = world.now;
    match world.buckets.take(subscription, sort, now) {
        Ok(left) => Ok(Some((sort.header, left))),
        Err(seconds) => {
            let message = format!(
                "Number of '{of}' requests for subscription '{subscription}' exceeded the limit of '{}'. \
                 Please try again after '{seconds}' seconds.",
                sort.size
            );
            let answer = Answer::error(429, "SubscriptionRequestsThrottled", message);
            Err(answer.header("retry-after", seconds.to_string()).header(sort.header, "0"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_emptied_at_once_and_filled_by_time() {
        let mut buckets = Buckets::default();
        let mut take = |now: i64| buckets.take("S", &READS, Timestamp(now));
        let burst: Vec<_> = (0..251).map(|_| take(0)).collect();
        assert_eq!(burst[..2], [Ok(249), Ok(248)]);
        assert_eq!(burst[249..], [Ok(0), Err(1)]);
        assert_eq!([take(39), take(40), take(41)], [Err(1), Ok(0), Err(1)]);
        assert_eq!(take(20_000), Ok(249));
    }
}
