//! The clock: against what Azure takes for the present, and against the newest record of a journal.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::{Client, Url};
use tokio::time::timeout;

use super::credentials::asked_of;
use super::state::Runs;
use super::{Check, Outside, PATIENCE, Patient};
use crate::catalogue::{HumanDuration, Timestamp};
use crate::edge::clock::Clock;
use crate::edge::http;

/// Deadlines and the RTO are off by as much.
const NOTICEABLE: Duration = Duration::from_secs(5);
/// Tokens count as expired, or as not valid yet.
const HARMFUL: Duration = Duration::from_mins(5);

pub(super) async fn checks(patient: &Patient<'_>, outside: &Outside<'_>, runs: &Runs) -> Vec<Check> {
    let hosts: BTreeSet<String> = asked_of(patient).into_keys().map(|(cloud, _)| cloud.arm_host().to_owned()).collect();
    let mut checks = Vec::new();
    for host in hosts {
        checks.push(compared(&outside.http, outside.clock, &host, &format!("https://{host}/")).await);
    }
    let now = outside.clock.now();
    if now < runs.newest {
        let behind = HumanDuration(now.until(runs.newest));
        let found = format!("stands {behind} before the newest record of a run, {}", runs.newest);
        checks.push(Check::warning("journals", found).next("timedatectl"));
    } else if runs.newest > Timestamp(0) {
        checks.push(Check::fine("journals", format!("stands after the newest record of a run, {}", runs.newest)));
    }
    checks
}

/// The clock of this machine against the `Date` that the URL answers with.
pub async fn compared(client: &Client, clock: &dyn Clock, host: &str, url: &str) -> Check {
    let Ok(url) = Url::parse(url) else { return Check::not_checked(host, format!("`{host}` is no host")) };
    let before = clock.now();
    let theirs = match timeout(PATIENCE, http::date(client, url)).await {
        Ok(Ok(date)) => date,
        Ok(Err(lost)) => return Check::not_checked(host, format!("gives no date: {lost}")),
        Err(_) => return Check::not_checked(host, format!("no answer within {} s", PATIENCE.as_secs())),
    };
    judged(host, before, theirs, clock.now())
}

/// `theirs` was the present at some moment between `before` and `after`, give or take the second it is cut to.
fn judged(host: &str, before: Timestamp, theirs: Timestamp, after: Timestamp) -> Check {
    let until = theirs.plus(Duration::from_secs(1));
    let (behind, ahead) = (after.until(theirs), until.until(before));
    let (apart, which) = if behind > ahead { (behind, "behind") } else { (ahead, "ahead of") };
    let found = format!("this clock is {} {which} `{host}`", HumanDuration(apart));
    match apart {
        apart if apart > HARMFUL => {
            Check::broken(host, format!("{found}: it refuses tokens")).next("timedatectl set-ntp true")
        }
        apart if apart > NOTICEABLE => Check::warning(host, found).next("timedatectl set-ntp true"),
        _ => Check::fine(host, "agrees with this clock"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::doctor::Verdict;

    #[test]
    fn a_clock_is_wrong_only_by_more_than_the_answer_took() {
        let at = |seconds: i64| Timestamp(1_800_000_000_000 + seconds * 1000);
        let verdict = |before, theirs, after| {
            let check = judged("host", at(before), at(theirs), at(after));
            (check.verdict, check.found)
        };
        let fine = (Verdict::Fine, "agrees with this clock".to_owned());
        assert_eq!(verdict(0, 0, 0), fine);
        assert_eq!(verdict(0, 30, 60), fine, "a slow answer is no wrong clock");
        assert_eq!(verdict(6, 0, 6), fine);
        assert_eq!(verdict(7, 0, 7), (Verdict::Warning, "this clock is 6s ahead of `host`".to_owned()));
        assert_eq!(verdict(0, 299, 0), (Verdict::Warning, "this clock is 4m59s behind `host`".to_owned()));
        let harmful = "this clock is 5m1s behind `host`: it refuses tokens".to_owned();
        assert_eq!(verdict(0, 301, 0), (Verdict::Broken, harmful));
    }
}
